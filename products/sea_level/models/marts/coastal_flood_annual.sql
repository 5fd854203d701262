with annual as (

    select
        flood.noaa_id,
        flood.psmsl_id,
        flood.year,
        flood.minor_days,
        flood.moderate_days,
        flood.major_days,
        flood.days_missing,
        flood.minor_days_adjusted,
        flood.is_valid
    from {{ ref('int_sea_level__flood_annual') }} as flood

)

select
    cast(annual.noaa_id as varchar) as noaa_id,
    cast(annual.psmsl_id as varchar) as psmsl_id,
    cast(annual.year as integer) as year,
    cast(annual.minor_days as integer) as minor_days,
    cast(annual.moderate_days as integer) as moderate_days,
    cast(annual.major_days as integer) as major_days,
    cast(annual.days_missing as integer) as days_missing,
    cast(round(annual.minor_days_adjusted, 6) as double) as minor_days_adjusted,
    cast(annual.is_valid as boolean) as is_valid
from annual
order by annual.noaa_id, annual.year
