-- Filling order: the station itself, a neighbour, a line between two days, the normal of the day.
with candidates as (

    select
        daily.weather_station_id,
        daily.observation_date,
        daily.t_max_c as own_t_max_c,
        daily.t_min_c as own_t_min_c,
        daily.t_mean_c as own_t_mean_c,
        case
            when daily.is_observed then 'observed'
            when neighbours.donor_station_id is not null then 'neighbour'
            when interpolated.t_max_c is not null then 'interpolated'
            else 'climatology'
        end as fill_method,
        neighbours.donor_station_id,
        gaps.gap_length,
        coalesce(
            daily.t_max_c, neighbours.t_max_c, interpolated.t_max_c, normals.t_max_normal_c
        ) as t_max_c,
        coalesce(
            daily.t_min_c, neighbours.t_min_c, interpolated.t_min_c, normals.t_min_normal_c
        ) as t_min_c
    from {{ ref('stg_uscrn_temperature_daily') }} as daily
    left join {{ ref('int_temperature_gaps') }} as gaps
        on daily.weather_station_id = gaps.weather_station_id
            and daily.observation_date = gaps.observation_date
    left join {{ ref('int_temperature_neighbour_estimates') }} as neighbours
        on daily.weather_station_id = neighbours.weather_station_id
            and daily.observation_date = neighbours.observation_date
    left join {{ ref('int_temperature_interpolated') }} as interpolated
        on daily.weather_station_id = interpolated.weather_station_id
            and daily.observation_date = interpolated.observation_date
    left join {{ ref('int_temperature_climatology') }} as normals
        on daily.weather_station_id = normals.weather_station_id
            and daily.climate_day = normals.climate_day

),

-- Maximum and minimum are filled apart and may cross on a day of small range; an own value never moves.
ordered as (

    select
        candidates.weather_station_id,
        candidates.observation_date,
        candidates.own_t_mean_c,
        candidates.fill_method,
        candidates.donor_station_id,
        candidates.gap_length,
        coalesce(candidates.own_t_max_c, greatest(candidates.t_max_c, candidates.t_min_c)) as t_max_c,
        coalesce(candidates.own_t_min_c, least(candidates.t_max_c, candidates.t_min_c)) as t_min_c
    from candidates

)

select
    ordered.weather_station_id,
    ordered.observation_date,
    ordered.t_max_c,
    ordered.t_min_c,
    -- The publisher's mean is (maximum + minimum) / 2 too, rounded to a tenth.
    cast(
        case
            when ordered.fill_method = 'observed' then ordered.own_t_mean_c
            else round((ordered.t_max_c + ordered.t_min_c) / 2, 6)
        end as double
    ) as t_mean_c,
    ordered.fill_method,
    ordered.donor_station_id,
    ordered.gap_length
from ordered
order by ordered.weather_station_id, ordered.observation_date
