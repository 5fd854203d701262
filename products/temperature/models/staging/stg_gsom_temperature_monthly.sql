select
    monthly.station as weather_station_id,
    -- DATE is written YYYY-MM.
    cast(monthly.date || '-01' as date) as month,
    cast(monthly.tavg as double) as t_mean_c,
    cast(monthly.tmax as double) as t_max_mean_c,
    cast(monthly.tmin as double) as t_min_mean_c,
    cast(monthly.emxt as double) as t_max_abs_c,
    cast(monthly.dx90 as integer) as hot_days,
    cast(day(last_day(cast(monthly.date || '-01' as date))) as integer) as days_in_month,
    -- The first of the comma-separated flags is the number of missing days; empty means none.
    case
        when monthly.tmax is null then 0
        else cast(
            day(last_day(cast(monthly.date || '-01' as date)))
            - coalesce(cast(nullif(split_part(monthly.tmax_attributes, ',', 1), '') as integer), 0)
            as integer
        )
    end as days_observed
from {{ source('noaa_gsom', 'gsom_central_park_monthly') }} as monthly
