select
    monthly.station as weather_station_id,
    -- DATE is written YYYY-MM.
    cast(monthly.date || '-01' as date) as month,
    cast(monthly.prcp as double) as total_mm,
    cast(monthly.emxp as double) as max_1day_mm,
    cast(monthly.dp1x as integer) as heavy_days,
    -- The first of the comma-separated flags is the number of missing days; empty means none.
    case
        when monthly.prcp is null then 0
        else cast(
            day(last_day(cast(monthly.date || '-01' as date)))
            - coalesce(cast(nullif(split_part(monthly.prcp_attributes, ',', 1), '') as integer), 0)
            as integer
        )
    end as days_observed
from {{ source('noaa_gsom', 'gsom_central_park_monthly') }} as monthly
