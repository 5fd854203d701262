select
    places.place_id,
    places.place_name,
    places.state,
    places.place_type,
    places.geonameid,
    cast(places.latitude as double) as latitude,
    cast(places.longitude as double) as longitude,
    cast(places.population as integer) as population,
    places.timezone,
    places.weather_source,
    -- Text: WBAN numbers such as 03728 lose their zeros as numbers.
    places.weather_station_id,
    places.weather_station_name,
    cast(places.weather_station_elevation_m as double) as weather_station_elevation_m,
    cast(places.weather_distance_km as double) as weather_distance_km,
    cast(places.psmsl_id as varchar) as psmsl_id,
    places.noaa_id,
    -- PSMSL pads some names with a second blank ("HILO,  HAWAII ISLAND").
    regexp_replace(places.tide_gauge_name, ' +', ' ', 'g') as tide_gauge_name,
    cast(places.gauge_distance_km as double) as gauge_distance_km
from {{ source('curated', 'places') }} as places
