-- The ten stations with the most hot days: how fast do they warm, how hot was July 2023, and how much of it was measured?
select
    trend.weather_station_id,
    trend.hot_days_per_year,
    trend.tmax_trend_c_decade,
    trend.n_years,
    july.t_max_mean_c as july_2023_t_max_mean_c,
    july.coverage_pct as july_2023_coverage_pct
from {{ ref('temperature', 'temperature_trend') }} as trend
left join {{ ref('temperature', 'temperature_monthly') }} as july
    on trend.weather_station_id = july.weather_station_id
        and july.month = date '2023-07-01'
order by trend.hot_days_per_year desc, trend.weather_station_id
limit 10
