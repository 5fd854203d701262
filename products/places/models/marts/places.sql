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
    places.gauge_distance_km
from {{ ref('stg_places') }} as places
order by places.place_id
