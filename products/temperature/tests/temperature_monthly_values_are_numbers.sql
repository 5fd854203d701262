-- The monthly file is text: a unit or a note behind a number would make it no number.
select
    monthly.date,
    monthly.tmax,
    monthly.tmin
from {{ source('noaa_gsom', 'gsom_central_park_monthly') }} as monthly
where not regexp_full_match(coalesce(monthly.tmax, '0'), '-?[0-9]+([.][0-9]+)?')
    or not regexp_full_match(coalesce(monthly.tmin, '0'), '-?[0-9]+([.][0-9]+)?')
