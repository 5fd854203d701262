with annual as (

    select
        htf.noaa_id,
        htf.year,
        htf.minor_days,
        htf.moderate_days,
        htf.major_days,
        htf.days_missing,
        -- 80 % of 365 days; one year (Magueyes Island 1960) has counts of 0 and no day of data
        htf.minor_days is not null and htf.days_missing <= 73 as is_valid
    from {{ ref('stg_sea_level__htf_annual') }} as htf

)

select
    annual.noaa_id,
    gauges.psmsl_id,
    annual.year,
    annual.minor_days,
    annual.moderate_days,
    annual.major_days,
    annual.days_missing,
    case
        when annual.is_valid then annual.minor_days * 365.0 / (365 - annual.days_missing)
    end as minor_days_adjusted,
    annual.is_valid
from annual
left join {{ ref('int_sea_level__gauges') }} as gauges
    on annual.noaa_id = gauges.noaa_id
