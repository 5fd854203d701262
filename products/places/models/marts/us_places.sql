select
    us_places.geonameid,
    us_places.place_name,
    us_places.state,
    us_places.latitude,
    us_places.longitude,
    us_places.population,
    us_places.timezone
from {{ ref('stg_us_places') }} as us_places
order by us_places.geonameid
