-- The current state: of each id, the row of the newest release that is not held back.
with ranked as (
    select
        comparison.UniqueID,
        comparison.IndicatorID,
        comparison.Name,
        comparison.Measure,
        comparison.MeasureInfo,
        comparison.GeoTypeName,
        comparison.GeoJoinID,
        comparison.GeoPlaceName,
        comparison.TimePeriod,
        comparison.StartDate,
        comparison.DataValue,
        comparison.Message,
        row_number() over (
            partition by comparison.UniqueID
            order by comparison.release_number desc
        ) as recency
    from {{ ref('int_nyc_air_quality__unit_comparison') }} as comparison
    where comparison.quarantine_reason is null
)

select
    ranked.UniqueID,
    ranked.IndicatorID,
    ranked.Name,
    ranked.Measure,
    ranked.MeasureInfo,
    ranked.GeoTypeName,
    ranked.GeoJoinID,
    ranked.GeoPlaceName,
    ranked.TimePeriod,
    ranked.StartDate,
    ranked.DataValue,
    ranked.Message
from ranked
where ranked.recency = 1
order by ranked.UniqueID
