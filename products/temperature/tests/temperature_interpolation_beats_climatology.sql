-- Hides known values and fills them again: for gaps of 1 to 5 days the line between two days must
-- come closer to the truth than the normal of the day. Returns the gap lengths where it does not.
-- Deterministic: every 41st day starts a hidden block. The normals have seen the hidden values,
-- which is in favour of the climatology.
with observed as (

    select
        daily.weather_station_id,
        daily.observation_date,
        daily.t_mean_c,
        (normals.t_max_normal_c + normals.t_min_normal_c) / 2 as t_mean_normal_c
    from {{ ref('stg_uscrn_temperature_daily') }} as daily
    inner join {{ ref('int_temperature_climatology') }} as normals
        on daily.weather_station_id = normals.weather_station_id
            and daily.climate_day = normals.climate_day
    where daily.is_observed

),

blocks as (

    select
        observed.weather_station_id,
        observed.observation_date as day_before,
        lengths.gap_length,
        observed.t_mean_c - observed.t_mean_normal_c as anomaly_before
    from observed
    cross join (values (1), (2), (3), (4), (5)) as lengths (gap_length)
    where (observed.observation_date - date '2000-01-01') % 41 = 0

),

hidden as (

    select
        blocks.gap_length,
        observed.t_mean_c,
        observed.t_mean_normal_c,
        observed.t_mean_normal_c
        + blocks.anomaly_before
        + (day_after.t_mean_c - day_after.t_mean_normal_c - blocks.anomaly_before)
        * (observed.observation_date - blocks.day_before) / (blocks.gap_length + 1) as t_mean_interpolated_c
    from blocks
    inner join observed as day_after
        on blocks.weather_station_id = day_after.weather_station_id
            and blocks.day_before + blocks.gap_length + 1 = day_after.observation_date
    inner join observed
        on blocks.weather_station_id = observed.weather_station_id
            and observed.observation_date > blocks.day_before
            and observed.observation_date < day_after.observation_date

),

errors as (

    select
        hidden.gap_length,
        count(*) as days,
        avg(abs(hidden.t_mean_interpolated_c - hidden.t_mean_c)) as interpolation_error_c,
        avg(abs(hidden.t_mean_normal_c - hidden.t_mean_c)) as climatology_error_c
    from hidden
    group by hidden.gap_length

)

select
    lengths.gap_length,
    errors.days,
    errors.interpolation_error_c,
    errors.climatology_error_c
from (values (1), (2), (3), (4), (5)) as lengths (gap_length)
left join errors
    on lengths.gap_length = errors.gap_length
-- Fewer than 1,000 hidden days would prove nothing.
where coalesce(errors.days, 0) < 1000
    or errors.interpolation_error_c >= errors.climatology_error_c
