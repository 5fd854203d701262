-- In which neighbourhoods was summer ozone highest in 2023, and how far from the city as a whole?
with summer_ozone as (
    select
        air_quality.GeoTypeName,
        air_quality.GeoPlaceName,
        air_quality.DataValue
    from {{ ref('air_quality') }} as air_quality
    where air_quality.IndicatorID = 386 and air_quality.TimePeriod = 'Summer 2023'
)

select
    area.GeoPlaceName,
    round(area.DataValue, 1) as ozone_ppb,
    round(area.DataValue - city.DataValue, 1) as difference_from_city_ppb
from summer_ozone as area
cross join summer_ozone as city
where area.GeoTypeName = 'UHF42' and city.GeoTypeName = 'Citywide'
order by area.DataValue desc, area.GeoPlaceName
limit 10
