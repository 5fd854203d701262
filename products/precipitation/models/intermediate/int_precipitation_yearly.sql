with uscrn as (

    select
        daily.weather_station_id,
        year(daily.observation_date) as year,
        count(*) as days_observed,
        max(daily.precip_mm) as max_1day_mm,
        count(case when daily.precip_mm >= 25.4 then 1 end) as heavy_days
    from {{ ref('precipitation_daily') }} as daily
    where daily.fill_method = 'observed'
    group by daily.weather_station_id, year(daily.observation_date)

),

-- Central Park goes back to 1869; the window of the other stations keeps the figures comparable.
gsom as (

    select
        monthly.weather_station_id,
        year(monthly.month) as year,
        sum(monthly.days_observed) as days_observed,
        max(monthly.max_1day_mm) as max_1day_mm,
        sum(monthly.heavy_days) as heavy_days
    from {{ ref('stg_gsom_precipitation_monthly') }} as monthly
    where year(monthly.month) between 2001 and 2022
    group by monthly.weather_station_id, year(monthly.month)

),

both_sources as (

    select
        uscrn.weather_station_id,
        uscrn.year,
        uscrn.days_observed,
        uscrn.max_1day_mm,
        uscrn.heavy_days
    from uscrn
    union all
    select
        gsom.weather_station_id,
        gsom.year,
        gsom.days_observed,
        gsom.max_1day_mm,
        gsom.heavy_days
    from gsom

)

select
    both_sources.weather_station_id,
    cast(both_sources.year as integer) as year,
    cast(both_sources.days_observed as integer) as days_observed,
    both_sources.max_1day_mm,
    cast(both_sources.heavy_days as integer) as heavy_days,
    cast(round(both_sources.heavy_days * 365.0 / both_sources.days_observed, 6) as double) as heavy_days_scaled,
    -- 330 of 365 days: a little over 90 percent.
    both_sources.days_observed >= 330 as is_valid
from both_sources
order by both_sources.weather_station_id, both_sources.year
