with days as (

    select
        daily.weather_station_id,
        daily.observation_date,
        daily.climate_day,
        daily.is_observed,
        max(case when daily.is_observed then daily.observation_date end) over (
            partition by daily.weather_station_id
            order by daily.observation_date
            rows between unbounded preceding and current row
        ) as previous_observed_date,
        min(case when daily.is_observed then daily.observation_date end) over (
            partition by daily.weather_station_id
            order by daily.observation_date
            rows between current row and unbounded following
        ) as next_observed_date
    from {{ ref('stg_uscrn_temperature_daily') }} as daily

)

select
    days.weather_station_id,
    days.observation_date,
    days.climate_day,
    days.previous_observed_date,
    days.next_observed_date,
    -- The network writes a row for every day, so the rows of a gap are its days.
    cast(
        count(*) over (
            partition by days.weather_station_id, days.previous_observed_date, days.next_observed_date
        ) as integer
    ) as gap_length
from days
where not days.is_observed
order by days.weather_station_id, days.observation_date
