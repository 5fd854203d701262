-- Inside one release an indicator has one unit: only then can units be compared from release to release.
select
    releases.release,
    releases.IndicatorID,
    count(distinct releases.unit_key) as units
from {{ ref('int_nyc_air_quality__releases') }} as releases
group by
    releases.release,
    releases.IndicatorID
having count(distinct releases.unit_key) > 1
