-- The unit in which an indicator is offered: that of the first release that carries the indicator.
-- It stays until a person accepts another one (docs/runbook.md), so a third release in the new unit is held back as well.
with ranked as (
    select
        releases.IndicatorID,
        releases.release,
        releases.Measure,
        releases.MeasureInfo,
        releases.unit_key,
        row_number() over (
            partition by releases.IndicatorID
            order by releases.release_number, releases.UniqueID
        ) as position
    from {{ ref('int_nyc_air_quality__releases') }} as releases
)

select
    ranked.IndicatorID,
    ranked.release as accepted_release,
    ranked.Measure as accepted_measure,
    ranked.MeasureInfo as accepted_measure_info,
    ranked.unit_key as accepted_unit_key
from ranked
where ranked.position = 1
