with uscrn as (

    select
        daily.weather_station_id,
        cast(date_trunc('month', daily.observation_date) as date) as month,
        'uscrn' as source,
        sum(daily.precip_mm) as sum_mm,
        count(daily.precip_mm) as days_with_value,
        -- Extremes and counts come from the station's own gauge.
        max(case when daily.fill_method = 'observed' then daily.precip_mm end) as max_1day_mm,
        count(case when daily.fill_method = 'observed' and daily.precip_mm >= 1 then 1 end) as wet_days,
        -- 25.4 mm are one inch, the threshold of the monthly summaries.
        count(case when daily.fill_method = 'observed' and daily.precip_mm >= 25.4 then 1 end) as heavy_days,
        count(case when daily.fill_method = 'observed' then 1 end) as days_observed
    from {{ ref('precipitation_daily') }} as daily
    group by daily.weather_station_id, cast(date_trunc('month', daily.observation_date) as date)

),

-- The summaries count days from 0.01, 0.1 and 1 inch on, so there is no number of days from 1 mm on.
gsom as (

    select
        monthly.weather_station_id,
        monthly.month,
        'gsom' as source,
        monthly.total_mm as sum_mm,
        monthly.days_observed as days_with_value,
        monthly.max_1day_mm,
        cast(null as bigint) as wet_days,
        monthly.heavy_days,
        monthly.days_observed
    from {{ ref('stg_gsom_precipitation_monthly') }} as monthly

),

both_sources as (

    select
        uscrn.weather_station_id,
        uscrn.month,
        uscrn.source,
        uscrn.sum_mm,
        uscrn.days_with_value,
        uscrn.max_1day_mm,
        uscrn.wet_days,
        uscrn.heavy_days,
        uscrn.days_observed
    from uscrn
    union all
    select
        gsom.weather_station_id,
        gsom.month,
        gsom.source,
        gsom.sum_mm,
        gsom.days_with_value,
        gsom.max_1day_mm,
        gsom.wet_days,
        gsom.heavy_days,
        gsom.days_observed
    from gsom

),

judged as (

    select
        both_sources.weather_station_id,
        both_sources.month,
        both_sources.source,
        both_sources.sum_mm,
        both_sources.days_with_value,
        both_sources.max_1day_mm,
        both_sources.wet_days,
        both_sources.heavy_days,
        both_sources.days_observed,
        day(last_day(both_sources.month)) as days_in_month,
        both_sources.days_observed >= 0.8 * day(last_day(both_sources.month)) as is_complete
    from both_sources

)

select
    judged.weather_station_id,
    judged.month,
    judged.source,
    -- A nearly whole month is scaled to its full length; less is no total at all.
    cast(
        case
            when judged.is_complete
                then round(judged.sum_mm * judged.days_in_month / judged.days_with_value, 6)
        end as double
    ) as total_mm,
    judged.max_1day_mm,
    cast(case when judged.days_observed > 0 then judged.wet_days end as integer) as wet_days,
    cast(case when judged.days_observed > 0 then judged.heavy_days end as integer) as heavy_days,
    cast(judged.days_observed as integer) as days_observed,
    cast(round(100.0 * judged.days_observed / judged.days_in_month, 6) as double) as coverage_pct,
    judged.is_complete
from judged
order by judged.weather_station_id, judged.month
