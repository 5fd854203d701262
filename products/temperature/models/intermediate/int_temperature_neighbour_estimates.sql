with observed as (

    select
        daily.weather_station_id,
        daily.observation_date,
        month(daily.observation_date) as calendar_month,
        daily.t_max_c,
        daily.t_min_c
    from {{ ref('stg_uscrn_temperature_daily') }} as daily
    where daily.is_observed

),

-- What the station usually reads above its donor, in each calendar month of all years.
differences as (

    select
        pairs.weather_station_id,
        pairs.donor_station_id,
        pairs.distance_km,
        receivers.calendar_month,
        avg(receivers.t_max_c - donors.t_max_c) as t_max_difference_c,
        avg(receivers.t_min_c - donors.t_min_c) as t_min_difference_c
    from {{ ref('int_temperature_pairs') }} as pairs
    inner join observed as receivers
        on pairs.weather_station_id = receivers.weather_station_id
    inner join observed as donors
        on pairs.donor_station_id = donors.weather_station_id
            and receivers.observation_date = donors.observation_date
    group by
        pairs.weather_station_id,
        pairs.donor_station_id,
        pairs.distance_km,
        receivers.calendar_month

),

estimates as (

    select
        gaps.weather_station_id,
        gaps.observation_date,
        differences.donor_station_id,
        donors.t_max_c + differences.t_max_difference_c as t_max_c,
        donors.t_min_c + differences.t_min_difference_c as t_min_c,
        row_number() over (
            partition by gaps.weather_station_id, gaps.observation_date
            order by differences.distance_km, differences.donor_station_id
        ) as donor_rank
    from {{ ref('int_temperature_gaps') }} as gaps
    inner join differences
        on gaps.weather_station_id = differences.weather_station_id
            and month(gaps.observation_date) = differences.calendar_month
    inner join observed as donors
        on differences.donor_station_id = donors.weather_station_id
            and gaps.observation_date = donors.observation_date

)

select
    estimates.weather_station_id,
    estimates.observation_date,
    estimates.donor_station_id,
    cast(round(estimates.t_max_c, 6) as double) as t_max_c,
    cast(round(estimates.t_min_c, 6) as double) as t_min_c
from estimates
where estimates.donor_rank = 1
order by estimates.weather_station_id, estimates.observation_date
