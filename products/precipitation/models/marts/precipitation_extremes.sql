with stations as (

    select distinct monthly.weather_station_id
    from {{ ref('precipitation_monthly') }} as monthly

),

valid_years as (

    select
        yearly.weather_station_id,
        yearly.year,
        yearly.max_1day_mm,
        yearly.heavy_days_scaled,
        row_number() over (
            partition by yearly.weather_station_id
            order by yearly.year desc
        ) as years_back,
        -- Rank i of the annual maximum, 1 for the smallest.
        row_number() over (
            partition by yearly.weather_station_id
            order by yearly.max_1day_mm, yearly.year
        ) as rank_of_maximum
    from {{ ref('int_precipitation_yearly') }} as yearly
    where yearly.is_valid

),

-- Probability-weighted moments: b0 is the mean, b1 = sum((i - 1) * x_i) / (n * (n - 1)).
moments as (

    select
        valid_years.weather_station_id,
        count(*) as n_years,
        avg(valid_years.max_1day_mm) as b0,
        sum((valid_years.rank_of_maximum - 1) * valid_years.max_1day_mm)
        / nullif(count(*) * (count(*) - 1), 0) as b1,
        avg(case when valid_years.years_back <= 10 then valid_years.heavy_days_scaled end) as heavy_rain_days_per_year
    from valid_years
    group by valid_years.weather_station_id

),

-- Gumbel distribution by L-moments (Hosking 1990): lambda2 = 2 * b1 - b0, 0.57722 is Euler's constant.
gumbel as (

    select
        moments.weather_station_id,
        moments.n_years,
        moments.b0 as mean_annual_max_1day_mm,
        moments.heavy_rain_days_per_year,
        (2 * moments.b1 - moments.b0) / ln(2) as scale,
        moments.b0 - 0.57722 * (2 * moments.b1 - moments.b0) / ln(2) as location
    from moments

)

select
    stations.weather_station_id,
    cast(coalesce(gumbel.n_years, 0) as integer) as n_years,
    cast(round(gumbel.mean_annual_max_1day_mm, 6) as double) as mean_annual_max_1day_mm,
    -- Fewer than ten maxima do not carry a level that comes once in twenty years.
    cast(
        case
            when gumbel.n_years >= 10
                then round(gumbel.location - gumbel.scale * ln(-ln(1 - 1.0 / 20)), 6)
        end as double
    ) as rain_20y_mm,
    cast(round(gumbel.heavy_rain_days_per_year, 6) as double) as heavy_rain_days_per_year
from stations
left join gumbel
    on stations.weather_station_id = gumbel.weather_station_id
order by stations.weather_station_id
