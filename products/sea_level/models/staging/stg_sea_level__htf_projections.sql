select
    source.stn_id as noaa_id,
    cast(source.year as integer) as year,
    cast(source.low as integer) as low_days,
    cast(source.int_low as integer) as intermediate_low_days,
    cast(source.intermediate as integer) as intermediate_days,
    cast(source.int_high as integer) as intermediate_high_days,
    cast(source.high as integer) as high_days,
    cast(source.extreme as integer) as extreme_days
from {{ source('sea_level_raw', 'noaa_htf_projections') }} as source
