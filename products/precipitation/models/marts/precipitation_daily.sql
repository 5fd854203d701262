select
    daily.weather_station_id,
    daily.observation_date,
    coalesce(daily.precip_mm, neighbours.precip_mm) as precip_mm,
    case
        when daily.precip_mm is not null then 'observed'
        when neighbours.precip_mm is not null then 'neighbour'
        else 'missing'
    end as fill_method,
    neighbours.donor_station_id
from {{ ref('stg_uscrn_precipitation_daily') }} as daily
left join {{ ref('int_precipitation_neighbour_estimates') }} as neighbours
    on daily.weather_station_id = neighbours.weather_station_id
        and daily.observation_date = neighbours.observation_date
order by daily.weather_station_id, daily.observation_date
