select
    source.psmsl_id,
    trim(source.station_name) as gauge_name,
    cast(source.latitude as double) as latitude,
    cast(source.longitude as double) as longitude,
    source.coastline_code,
    source.station_code,
    source.quality_flag = 'Y' as needs_documentation,
    source.authority,
    cast(source.first_year as integer) as first_year,
    cast(source.last_year as integer) as last_year
from {{ source('sea_level_raw', 'psmsl_stations_us') }} as source
