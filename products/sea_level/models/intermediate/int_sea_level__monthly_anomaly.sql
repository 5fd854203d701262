with monthly as (

    select
        stg.psmsl_id,
        stg.month,
        -- a value that the publisher flagged for attention (001) is set aside: the month counts as missing
        case when stg.flag = '001' then null else stg.height_rlr_mm end as height_rlr_mm,
        stg.flag
    from {{ ref('stg_sea_level__psmsl_monthly') }} as stg

),

-- the gauge's own mean of each calendar month takes out the seasonal cycle and the arbitrary datum
calendar_month_mean as (

    select
        monthly.psmsl_id,
        month(monthly.month) as month_of_year,
        avg(monthly.height_rlr_mm) as mean_height_rlr_mm
    from monthly
    where year(monthly.month) between 1993 and 2022
    group by monthly.psmsl_id, month(monthly.month)

)

select
    monthly.psmsl_id,
    monthly.month,
    cast(year(monthly.month) as integer) as year,
    cast(year(monthly.month) * 12 + month(monthly.month) as integer) as month_index,
    monthly.height_rlr_mm,
    monthly.height_rlr_mm - calendar_month_mean.mean_height_rlr_mm as anomaly_mm,
    monthly.flag
from monthly
left join calendar_month_mean
    on monthly.psmsl_id = calendar_month_mean.psmsl_id
    and month(monthly.month) = calendar_month_mean.month_of_year
