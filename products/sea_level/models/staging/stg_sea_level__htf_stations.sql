select
    source."NOAA_ID" as noaa_id,
    trim(source."Name") as gauge_name,
    -- 9999 is a placeholder for "no PSMSL number" on 8 gauges, not a gauge
    nullif(source."PSMSL_ID", '9999') as psmsl_id,
    cast(source."Lat" as double) as latitude,
    cast(source."Lon" as double) as longitude,
    source."Region" as region_code
from {{ source('sea_level_raw', 'noaa_htf_station_list_2025') }} as source
