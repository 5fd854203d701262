with filled as (

    select
        monthly.psmsl_id,
        monthly.month,
        monthly.height_rlr_mm,
        monthly.anomaly_mm,
        monthly.fill_method,
        monthly.flag
    from {{ ref('int_sea_level__monthly_filled') }} as monthly

)

select
    cast(filled.psmsl_id as varchar) as psmsl_id,
    cast(filled.month as date) as month,
    cast(filled.height_rlr_mm as integer) as height_rlr_mm,
    cast(round(filled.anomaly_mm, 6) as double) as anomaly_mm,
    cast(filled.fill_method as varchar) as fill_method,
    cast(filled.flag as varchar) as flag
from filled
order by filled.psmsl_id, filled.month
