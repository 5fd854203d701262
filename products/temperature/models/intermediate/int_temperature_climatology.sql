-- Every day of the year has a row, also one that a station never observed: its neighbours in the window speak for it.
with day_sums as (

    select
        daily.weather_station_id,
        daily.climate_day,
        sum(case when daily.is_observed then daily.t_max_c end) as t_max_sum,
        sum(case when daily.is_observed then daily.t_min_c end) as t_min_sum,
        count(case when daily.is_observed then 1 end) as days
    from {{ ref('stg_uscrn_temperature_daily') }} as daily
    group by daily.weather_station_id, daily.climate_day

),

-- December continues into January and the other way round.
wrapped as (

    select
        day_sums.weather_station_id,
        day_sums.climate_day + shifts.shift as climate_day,
        day_sums.t_max_sum,
        day_sums.t_min_sum,
        day_sums.days
    from day_sums
    cross join (values (-365), (0), (365)) as shifts (shift)

),

smoothed as (

    select
        wrapped.weather_station_id,
        wrapped.climate_day,
        sum(wrapped.t_max_sum) over fifteen_days as t_max_sum,
        sum(wrapped.t_min_sum) over fifteen_days as t_min_sum,
        sum(wrapped.days) over fifteen_days as days
    from wrapped
    window fifteen_days as (
        partition by wrapped.weather_station_id
        order by wrapped.climate_day
        range between 7 preceding and 7 following
    )

)

select
    smoothed.weather_station_id,
    smoothed.climate_day,
    cast(round(smoothed.t_max_sum / smoothed.days, 6) as double) as t_max_normal_c,
    cast(round(smoothed.t_min_sum / smoothed.days, 6) as double) as t_min_normal_c,
    cast(smoothed.days as integer) as days_used
from smoothed
where smoothed.climate_day between 1 and 365
order by smoothed.weather_station_id, smoothed.climate_day
