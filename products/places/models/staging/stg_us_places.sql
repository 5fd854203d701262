select
    us_places.geonameid,
    us_places.name as place_name,
    us_places.state,
    cast(us_places.latitude as double) as latitude,
    cast(us_places.longitude as double) as longitude,
    -- GeoNames writes 0 where it knows no number.
    nullif(cast(us_places.population as integer), 0) as population,
    us_places.timezone
from {{ source('geonames', 'us_places') }} as us_places
