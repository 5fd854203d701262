with stations as (

    -- Only stations with daily values can give or take; the list names more.
    select
        stations.weather_station_id,
        stations.latitude,
        stations.longitude
    from {{ ref('stg_precipitation_stations') }} as stations
    where exists (
        select 1
        from {{ ref('stg_uscrn_precipitation_daily') }} as daily
        where daily.weather_station_id = stations.weather_station_id
            and daily.station_name = stations.station_name
    )

),

distances as (

    select
        receivers.weather_station_id,
        donors.weather_station_id as donor_station_id,
        -- Great-circle distance by the haversine formula, mean earth radius 6,371.0088 km.
        cast(
            round(
                2 * 6371.0088 * asin(
                    sqrt(
                        pow(sin(radians(donors.latitude - receivers.latitude) / 2), 2)
                        + cos(radians(receivers.latitude)) * cos(radians(donors.latitude))
                        * pow(sin(radians(donors.longitude - receivers.longitude) / 2), 2)
                    )
                ),
                3
            ) as double
        ) as distance_km
    from stations as receivers
    inner join stations as donors
        on receivers.weather_station_id <> donors.weather_station_id

)

select
    distances.weather_station_id,
    distances.donor_station_id,
    distances.distance_km
from distances
where distances.distance_km <= 30
order by distances.weather_station_id, distances.donor_station_id
