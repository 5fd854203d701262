with places as (

    select
        place.place_id,
        place.place_name,
        place.state,
        place.place_type,
        place.geonameid,
        place.latitude,
        place.longitude,
        place.population,
        place.timezone,
        place.weather_source,
        place.weather_station_id,
        place.weather_station_name,
        place.weather_station_elevation_m,
        place.weather_distance_km,
        place.psmsl_id,
        place.noaa_id,
        place.tide_gauge_name,
        place.gauge_distance_km
    from {{ ref('places', 'places') }} as place

),

heat as (

    select
        trend.weather_station_id,
        trend.n_years,
        trend.hot_days_per_year,
        trend.tmax_trend_c_decade,
        trend.tmax_p95_exceed_pct
    from {{ ref('temperature', 'temperature_trend') }} as trend

),

rain as (

    select
        extremes.weather_station_id,
        extremes.n_years,
        extremes.rain_20y_mm,
        extremes.heavy_rain_days_per_year
    from {{ ref('precipitation', 'precipitation_extremes') }} as extremes

),

sea as (

    select
        trend.psmsl_id,
        trend.n_years,
        trend.slr_mm_per_year,
        trend.flood_days_per_year
    from {{ ref('sea_level', 'sea_level_trend') }} as trend

)

select
    places.place_id,
    places.place_name,
    places.state,
    places.place_type,
    places.geonameid,
    places.latitude,
    places.longitude,
    places.population,
    places.timezone,
    places.weather_source,
    places.weather_station_id,
    places.weather_station_name,
    places.weather_station_elevation_m,
    places.weather_distance_km,
    places.psmsl_id,
    places.noaa_id,
    places.tide_gauge_name,
    places.gauge_distance_km,
    cast(heat.n_years as integer) as heat_n_years,
    heat.hot_days_per_year,
    heat.tmax_trend_c_decade,
    heat.tmax_p95_exceed_pct,
    cast(rain.n_years as integer) as rain_n_years,
    rain.rain_20y_mm,
    rain.heavy_rain_days_per_year,
    cast(sea.n_years as integer) as sea_n_years,
    sea.slr_mm_per_year,
    sea.flood_days_per_year
from places
left join heat
    on places.weather_station_id = heat.weather_station_id
left join rain
    on places.weather_station_id = rain.weather_station_id
left join sea
    on places.psmsl_id = sea.psmsl_id
