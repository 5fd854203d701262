-- Release with values up to 2023: line ends LF, dates with leading zeros (06/01/2023),
-- values with up to eight decimals, the micro sign encoded twice.
select
    'to_2023' as release,
    cast(source."Unique ID" as integer) as UniqueID,
    cast(source."Indicator ID" as integer) as IndicatorID,
    source."Name" as Name,
    source."Measure" as Measure,
    -- the UTF-8 bytes of the micro sign were read as Latin-1 and written as UTF-8 again
    replace(source."Measure Info", 'Âµ', 'µ') as MeasureInfo,
    source."Geo Type Name" as GeoTypeName,
    source."Geo Join ID" as GeoJoinID,
    source."Geo Place Name" as GeoPlaceName,
    source."Time Period" as TimePeriod,
    cast(strptime(source."Start_Date", '%m/%d/%Y') as date) as StartDate,
    cast(source."Data Value" as double) as DataValue,
    nullif(source."Message", '') as Message
from {{ source('nyc_air_quality_raw', 'release_2023') }} as source
