-- An area has one name, in every release: a name that is cut off would be another one.
with delivered as (
    select
        release_2021."Geo Type Name" as GeoTypeName,
        release_2021."Geo Join ID" as GeoJoinID,
        release_2021."Geo Place Name" as GeoPlaceName
    from {{ source('nyc_air_quality_raw', 'release_2021') }} as release_2021

    union all

    select
        release_2023."Geo Type Name" as GeoTypeName,
        release_2023."Geo Join ID" as GeoJoinID,
        release_2023."Geo Place Name" as GeoPlaceName
    from {{ source('nyc_air_quality_raw', 'release_2023') }} as release_2023
)

select
    delivered.GeoTypeName,
    delivered.GeoJoinID,
    min(delivered.GeoPlaceName) as one_name,
    max(delivered.GeoPlaceName) as other_name
from delivered
group by
    delivered.GeoTypeName,
    delivered.GeoJoinID
having count(distinct delivered.GeoPlaceName) > 1
