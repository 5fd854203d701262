-- The station list says up to which day a station has reported: a daily file that ends before is late, or an old one.
with delivered as (
    select
        daily.weather_station_id,
        max(daily.observation_date) as last_day
    from {{ ref('temperature_daily') }} as daily
    group by daily.weather_station_id
)

select
    delivered.weather_station_id,
    delivered.last_day,
    stations.last_date as reported_until
from delivered
inner join {{ source('noaa_uscrn', 'uscrn_stations') }} as stations
    on delivered.weather_station_id = stations.wbanno
where delivered.last_day < cast(stations.last_date as date)
