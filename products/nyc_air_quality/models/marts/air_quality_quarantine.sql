-- Rows held back because their unit is not the one in which the indicator is offered. Nothing is converted:
-- the publisher estimated the values anew, so a factor would not give back the old ones.
select
    comparison.UniqueID,
    comparison.release,
    comparison.quarantine_reason,
    comparison.IndicatorID,
    comparison.Name,
    comparison.GeoTypeName,
    comparison.GeoJoinID,
    comparison.GeoPlaceName,
    comparison.TimePeriod,
    comparison.StartDate,
    comparison.previous_release,
    comparison.accepted_measure as old_measure,
    comparison.accepted_measure_info as old_measure_info,
    comparison.previous_value as old_value,
    comparison.Measure as new_measure,
    comparison.MeasureInfo as new_measure_info,
    comparison.DataValue as new_value,
    round(comparison.DataValue / nullif(comparison.previous_value, 0), 6) as value_ratio
from {{ ref('int_nyc_air_quality__unit_comparison') }} as comparison
where comparison.quarantine_reason is not null
order by comparison.UniqueID, comparison.release_number
