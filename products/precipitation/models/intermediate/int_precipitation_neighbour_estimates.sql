-- Rain comes in cells and fronts, not in straight lines: the value of a near station is taken as it is, or nothing is.
with estimates as (

    select
        receivers.weather_station_id,
        receivers.observation_date,
        pairs.donor_station_id,
        donors.precip_mm,
        row_number() over (
            partition by receivers.weather_station_id, receivers.observation_date
            order by pairs.distance_km, pairs.donor_station_id
        ) as donor_rank
    from {{ ref('stg_uscrn_precipitation_daily') }} as receivers
    inner join {{ ref('int_precipitation_pairs') }} as pairs
        on receivers.weather_station_id = pairs.weather_station_id
    inner join {{ ref('stg_uscrn_precipitation_daily') }} as donors
        on pairs.donor_station_id = donors.weather_station_id
            and receivers.observation_date = donors.observation_date
    where receivers.precip_mm is null
        and donors.precip_mm is not null

)

select
    estimates.weather_station_id,
    estimates.observation_date,
    estimates.donor_station_id,
    estimates.precip_mm
from estimates
where estimates.donor_rank = 1
order by estimates.weather_station_id, estimates.observation_date
