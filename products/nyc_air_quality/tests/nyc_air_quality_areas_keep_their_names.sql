-- An area has one name, in every release: a name that is cut off would be another one.
select
    releases.GeoTypeName,
    releases.GeoJoinID,
    min(releases.GeoPlaceName) as one_name,
    max(releases.GeoPlaceName) as other_name
from {{ ref('int_nyc_air_quality__releases') }} as releases
group by
    releases.GeoTypeName,
    releases.GeoJoinID
having count(distinct releases.GeoPlaceName) > 1
