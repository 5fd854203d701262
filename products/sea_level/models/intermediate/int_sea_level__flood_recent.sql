with recent as (

    select
        annual.noaa_id,
        annual.minor_days_adjusted
    from {{ ref('int_sea_level__flood_annual') }} as annual
    where
        annual.is_valid
        and annual.year between 2012 and 2021

)

select
    recent.noaa_id,
    cast(count(*) as integer) as n_valid_flood_years,
    -- a mean of fewer than 5 years says more about the weather of those years than about the gauge
    case when count(*) >= 5 then avg(recent.minor_days_adjusted) end as flood_days_per_year
from recent
group by recent.noaa_id
