with anomalies as (

    select
        daily.weather_station_id,
        daily.observation_date,
        daily.t_max_c - normals.t_max_normal_c as t_max_anomaly_c,
        daily.t_min_c - normals.t_min_normal_c as t_min_anomaly_c
    from {{ ref('stg_uscrn_temperature_daily') }} as daily
    inner join {{ ref('int_temperature_climatology') }} as normals
        on daily.weather_station_id = normals.weather_station_id
            and daily.climate_day = normals.climate_day
    where daily.is_observed

),

-- Beyond about a week a line between two days knows no more than the normal does, so only short gaps.
short_gaps as (

    select
        gaps.weather_station_id,
        gaps.observation_date,
        gaps.climate_day,
        gaps.previous_observed_date,
        gaps.next_observed_date,
        (gaps.observation_date - gaps.previous_observed_date)
        / (gaps.next_observed_date - gaps.previous_observed_date) as gap_share
    from {{ ref('int_temperature_gaps') }} as gaps
    where gaps.gap_length <= 5

)

select
    short_gaps.weather_station_id,
    short_gaps.observation_date,
    cast(
        round(
            normals.t_max_normal_c
            + before_gap.t_max_anomaly_c
            + (after_gap.t_max_anomaly_c - before_gap.t_max_anomaly_c) * short_gaps.gap_share,
            6
        ) as double
    ) as t_max_c,
    cast(
        round(
            normals.t_min_normal_c
            + before_gap.t_min_anomaly_c
            + (after_gap.t_min_anomaly_c - before_gap.t_min_anomaly_c) * short_gaps.gap_share,
            6
        ) as double
    ) as t_min_c
from short_gaps
inner join {{ ref('int_temperature_climatology') }} as normals
    on short_gaps.weather_station_id = normals.weather_station_id
        and short_gaps.climate_day = normals.climate_day
inner join anomalies as before_gap
    on short_gaps.weather_station_id = before_gap.weather_station_id
        and short_gaps.previous_observed_date = before_gap.observation_date
inner join anomalies as after_gap
    on short_gaps.weather_station_id = after_gap.weather_station_id
        and short_gaps.next_observed_date = after_gap.observation_date
order by short_gaps.weather_station_id, short_gaps.observation_date
