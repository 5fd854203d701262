with uscrn as (

    select
        daily.weather_station_id,
        cast(date_trunc('month', daily.observation_date) as date) as month,
        'uscrn' as source,
        avg(daily.t_mean_c) as t_mean_c,
        avg(daily.t_max_c) as t_max_mean_c,
        avg(daily.t_min_c) as t_min_mean_c,
        max(case when daily.fill_method = 'observed' then daily.t_max_c end) as t_max_abs_c,
        -- 32.2 degrees C are 90 F, the threshold of the monthly summaries. Filled days never count.
        count(case when daily.fill_method = 'observed' and daily.t_max_c >= 32.2 then 1 end) as hot_days,
        count(case when daily.fill_method = 'observed' then 1 end) as days_observed,
        count(case when daily.fill_method <> 'observed' then 1 end) as days_filled
    from {{ ref('temperature_daily') }} as daily
    group by daily.weather_station_id, cast(date_trunc('month', daily.observation_date) as date)

),

gsom as (

    select
        monthly.weather_station_id,
        monthly.month,
        'gsom' as source,
        monthly.t_mean_c,
        monthly.t_max_mean_c,
        monthly.t_min_mean_c,
        monthly.t_max_abs_c,
        monthly.hot_days,
        monthly.days_observed,
        0 as days_filled
    from {{ ref('stg_gsom_temperature_monthly') }} as monthly

),

both_sources as (

    select
        uscrn.weather_station_id,
        uscrn.month,
        uscrn.source,
        uscrn.t_mean_c,
        uscrn.t_max_mean_c,
        uscrn.t_min_mean_c,
        uscrn.t_max_abs_c,
        uscrn.hot_days,
        uscrn.days_observed,
        uscrn.days_filled
    from uscrn
    union all
    select
        gsom.weather_station_id,
        gsom.month,
        gsom.source,
        gsom.t_mean_c,
        gsom.t_max_mean_c,
        gsom.t_min_mean_c,
        gsom.t_max_abs_c,
        gsom.hot_days,
        gsom.days_observed,
        gsom.days_filled
    from gsom

)

select
    both_sources.weather_station_id,
    both_sources.month,
    both_sources.source,
    cast(round(both_sources.t_mean_c, 6) as double) as t_mean_c,
    cast(round(both_sources.t_max_mean_c, 6) as double) as t_max_mean_c,
    cast(round(both_sources.t_min_mean_c, 6) as double) as t_min_mean_c,
    both_sources.t_max_abs_c,
    cast(
        case when both_sources.days_observed > 0 then both_sources.hot_days end as integer
    ) as hot_days,
    cast(both_sources.days_observed as integer) as days_observed,
    cast(both_sources.days_filled as integer) as days_filled,
    cast(
        round(100.0 * both_sources.days_observed / day(last_day(both_sources.month)), 6) as double
    ) as coverage_pct,
    both_sources.days_observed >= 0.9 * day(last_day(both_sources.month)) as is_complete
from both_sources
order by both_sources.weather_station_id, both_sources.month
