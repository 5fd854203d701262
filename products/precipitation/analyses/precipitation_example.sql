-- The ten stations with the heaviest rain to expect once in twenty years, beside an ordinary year's largest day.
select
    extremes.weather_station_id,
    extremes.rain_20y_mm,
    extremes.mean_annual_max_1day_mm,
    extremes.heavy_rain_days_per_year,
    extremes.n_years
from {{ ref('precipitation', 'precipitation_extremes') }} as extremes
where extremes.rain_20y_mm is not null
order by extremes.rain_20y_mm desc, extremes.weather_station_id
limit 10
