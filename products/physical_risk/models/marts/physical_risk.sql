select
    cast(input.place_id as varchar) as place_id,
    cast(input.place_name as varchar) as place_name,
    cast(input.state as varchar) as state,
    cast(input.place_type as varchar) as place_type,
    cast(input.geonameid as varchar) as geonameid,
    cast(input.latitude as double) as latitude,
    cast(input.longitude as double) as longitude,
    cast(input.population as integer) as population,
    cast(input.timezone as varchar) as timezone,
    cast(input.weather_source as varchar) as weather_source,
    cast(input.weather_station_id as varchar) as weather_station_id,
    cast(input.weather_station_name as varchar) as weather_station_name,
    cast(input.weather_station_elevation_m as double) as weather_station_elevation_m,
    cast(input.weather_distance_km as double) as weather_distance_km,
    cast(input.psmsl_id as varchar) as psmsl_id,
    cast(input.noaa_id as varchar) as noaa_id,
    cast(input.tide_gauge_name as varchar) as tide_gauge_name,
    cast(input.gauge_distance_km as double) as gauge_distance_km,
    cast(round(input.hot_days_per_year, 6) as double) as hot_days_per_year,
    cast(round(input.tmax_trend_c_decade, 6) as double) as tmax_trend_c_decade,
    cast(round(input.tmax_p95_exceed_pct, 6) as double) as tmax_p95_exceed_pct,
    cast(round(score.heat_score, 6) as double) as heat_score,
    cast(round(input.rain_20y_mm, 6) as double) as rain_20y_mm,
    cast(round(input.heavy_rain_days_per_year, 6) as double) as heavy_rain_days_per_year,
    cast(round(score.rain_score, 6) as double) as rain_score,
    cast(round(input.slr_mm_per_year, 6) as double) as slr_mm_per_year,
    cast(round(input.flood_days_per_year, 6) as double) as flood_days_per_year,
    cast(round(score.sea_score, 6) as double) as sea_score,
    cast(score.sea_status as varchar) as sea_status,
    cast(round(overall.overall_score, 6) as double) as overall_score,
    cast(overall.risk_band as varchar) as risk_band,
    cast(overall.dominant_hazard as varchar) as dominant_hazard,
    cast(certainty.confidence as varchar) as confidence
from {{ ref('int_physical_risk__inputs') }} as input
inner join {{ ref('int_physical_risk__scores') }} as score
    on input.place_id = score.place_id
inner join {{ ref('int_physical_risk__overall') }} as overall
    on input.place_id = overall.place_id
inner join {{ ref('int_physical_risk__confidence') }} as certainty
    on input.place_id = certainty.place_id
order by input.place_id
