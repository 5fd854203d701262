-- Release with values up to 2021: line ends CRLF, dates without leading zeros (6/1/2013),
-- values rounded to one or two decimals.
select
    'to_2021' as release,
    cast(source."Unique ID" as integer) as UniqueID,
    cast(source."Indicator ID" as integer) as IndicatorID,
    source."Name" as Name,
    source."Measure" as Measure,
    source."Measure Info" as MeasureInfo,
    source."Geo Type Name" as GeoTypeName,
    source."Geo Join ID" as GeoJoinID,
    source."Geo Place Name" as GeoPlaceName,
    source."Time Period" as TimePeriod,
    cast(strptime(source."Start_Date", '%m/%d/%Y') as date) as StartDate,
    cast(source."Data Value" as double) as DataValue,
    nullif(source."Message", '') as Message
from {{ source('nyc_air_quality_raw', 'release_2021') }} as source
