select
    source.stn_id as noaa_id,
    source.stn_name as gauge_name,
    cast(source.year as integer) as year,
    cast(source.min_count as integer) as minor_days,
    cast(source.mod_count as integer) as moderate_days,
    cast(source.maj_count as integer) as major_days,
    cast(source.nan_count as integer) as days_missing
from {{ source('sea_level_raw', 'noaa_htf_annual_flood_days') }} as source
