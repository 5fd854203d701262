-- Which places lean on a distant weather station? (more than 50 km: read their figures with care)
select
    places.place_id,
    places.weather_station_name,
    places.weather_distance_km
from {{ ref('places', 'places') }} as places
where places.weather_distance_km > 50
order by places.weather_distance_km desc, places.place_id
