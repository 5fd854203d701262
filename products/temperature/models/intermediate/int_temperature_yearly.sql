with uscrn as (

    select
        daily.weather_station_id,
        year(daily.observation_date) as year,
        count(*) as days_observed,
        count(case when daily.t_max_c >= 32.2 then 1 end) as hot_days,
        avg(daily.t_max_c) as t_max_mean_c
    from {{ ref('temperature_daily') }} as daily
    where daily.fill_method = 'observed'
    group by daily.weather_station_id, year(daily.observation_date)

),

-- Central Park goes back to 1869; the window of the other stations keeps the figures comparable.
gsom as (

    select
        monthly.weather_station_id,
        year(monthly.month) as year,
        sum(monthly.days_observed) as days_observed,
        sum(monthly.hot_days) as hot_days,
        sum(monthly.t_max_mean_c * monthly.days_observed) / nullif(sum(monthly.days_observed), 0) as t_max_mean_c
    from {{ ref('stg_gsom_temperature_monthly') }} as monthly
    where year(monthly.month) between 2001 and 2022
    group by monthly.weather_station_id, year(monthly.month)

),

both_sources as (

    select
        uscrn.weather_station_id,
        uscrn.year,
        uscrn.days_observed,
        uscrn.hot_days,
        uscrn.t_max_mean_c
    from uscrn
    union all
    select
        gsom.weather_station_id,
        gsom.year,
        gsom.days_observed,
        gsom.hot_days,
        gsom.t_max_mean_c
    from gsom

)

select
    both_sources.weather_station_id,
    cast(both_sources.year as integer) as year,
    cast(both_sources.days_observed as integer) as days_observed,
    cast(both_sources.hot_days as integer) as hot_days,
    cast(round(both_sources.hot_days * 365.0 / both_sources.days_observed, 6) as double) as hot_days_scaled,
    cast(round(both_sources.t_max_mean_c, 6) as double) as t_max_mean_c,
    -- 330 of 365 days: a little over 90 percent.
    both_sources.days_observed >= 330 as is_valid
from both_sources
order by both_sources.weather_station_id, both_sources.year
