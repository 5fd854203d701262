with stations as (

    select distinct monthly.weather_station_id
    from {{ ref('temperature_monthly') }} as monthly

),

valid_years as (

    select
        yearly.weather_station_id,
        yearly.year,
        yearly.hot_days_scaled,
        yearly.t_max_mean_c,
        row_number() over (
            partition by yearly.weather_station_id
            order by yearly.year desc
        ) as years_back
    from {{ ref('int_temperature_yearly') }} as yearly
    where yearly.is_valid

),

spans as (

    select
        valid_years.weather_station_id,
        min(valid_years.year) as first_year,
        max(valid_years.year) as last_year,
        count(*) as n_years,
        count(case when valid_years.year < 2019 then 1 end) as n_years_before_2019,
        avg(case when valid_years.years_back <= 10 then valid_years.hot_days_scaled end) as hot_days_per_year
    from valid_years
    group by valid_years.weather_station_id

),

-- Theil-Sen: the median of the slopes between all pairs of years; one odd year does not bend it.
slopes as (

    select
        earlier.weather_station_id,
        median((later.t_max_mean_c - earlier.t_max_mean_c) / (later.year - earlier.year)) as slope_c_per_year
    from valid_years as earlier
    inner join valid_years as later
        on earlier.weather_station_id = later.weather_station_id
            and earlier.year < later.year
    group by earlier.weather_station_id

),

-- Days of valid years only, or a year with a gap in winter would make summer look common.
observed_days as (

    select
        daily.weather_station_id,
        valid_years.year,
        daily.t_max_c
    from {{ ref('temperature_daily') }} as daily
    inner join valid_years
        on daily.weather_station_id = valid_years.weather_station_id
            and year(daily.observation_date) = valid_years.year
    where daily.fill_method = 'observed'

),

thresholds as (

    select
        observed_days.weather_station_id,
        quantile_cont(observed_days.t_max_c, 0.95) as p95_tmax_c
    from observed_days
    where observed_days.year < 2019
    group by observed_days.weather_station_id

),

exceedances as (

    select
        observed_days.weather_station_id,
        100.0 * count(case when observed_days.t_max_c > thresholds.p95_tmax_c then 1 end)
        / count(*) as tmax_p95_exceed_pct
    from observed_days
    inner join thresholds
        on observed_days.weather_station_id = thresholds.weather_station_id
    where observed_days.year between 2019 and 2023
    group by observed_days.weather_station_id

)

select
    stations.weather_station_id,
    cast(spans.first_year as integer) as first_year,
    cast(spans.last_year as integer) as last_year,
    cast(coalesce(spans.n_years, 0) as integer) as n_years,
    -- A slope over fewer than ten years says little about the climate.
    cast(
        case when spans.n_years >= 10 then round(10 * slopes.slope_c_per_year, 6) end as double
    ) as tmax_trend_c_decade,
    cast(
        case when spans.n_years_before_2019 >= 5 then round(thresholds.p95_tmax_c, 6) end as double
    ) as p95_tmax_c,
    cast(
        case when spans.n_years_before_2019 >= 5 then round(exceedances.tmax_p95_exceed_pct, 6) end as double
    ) as tmax_p95_exceed_pct,
    cast(round(spans.hot_days_per_year, 6) as double) as hot_days_per_year
from stations
left join spans
    on stations.weather_station_id = spans.weather_station_id
left join slopes
    on stations.weather_station_id = slopes.weather_station_id
left join thresholds
    on stations.weather_station_id = thresholds.weather_station_id
left join exceedances
    on stations.weather_station_id = exceedances.weather_station_id
order by stations.weather_station_id
