-- Each row of each release beside the unit accepted for its indicator and the row's last value in that unit.
with compared as (
    select
        releases.release_number,
        releases.release,
        releases.UniqueID,
        releases.IndicatorID,
        releases.Name,
        releases.Measure,
        releases.MeasureInfo,
        releases.GeoTypeName,
        releases.GeoJoinID,
        releases.GeoPlaceName,
        releases.TimePeriod,
        releases.StartDate,
        releases.DataValue,
        releases.Message,
        accepted_units.accepted_measure,
        accepted_units.accepted_measure_info,
        releases.unit_key = accepted_units.accepted_unit_key as has_accepted_unit
    from {{ ref('int_nyc_air_quality__releases') }} as releases
    inner join {{ ref('int_nyc_air_quality__accepted_units') }} as accepted_units
        on releases.IndicatorID = accepted_units.IndicatorID
),

with_previous as (
    select
        compared.release_number,
        compared.release,
        compared.UniqueID,
        compared.IndicatorID,
        compared.Name,
        compared.Measure,
        compared.MeasureInfo,
        compared.GeoTypeName,
        compared.GeoJoinID,
        compared.GeoPlaceName,
        compared.TimePeriod,
        compared.StartDate,
        compared.DataValue,
        compared.Message,
        compared.accepted_measure,
        compared.accepted_measure_info,
        compared.has_accepted_unit,
        last_value(case when compared.has_accepted_unit then compared.release end ignore nulls) over (
            partition by compared.UniqueID
            order by compared.release_number
            rows between unbounded preceding and 1 preceding
        ) as previous_release,
        last_value(case when compared.has_accepted_unit then compared.DataValue end ignore nulls) over (
            partition by compared.UniqueID
            order by compared.release_number
            rows between unbounded preceding and 1 preceding
        ) as previous_value
    from compared
)

select
    with_previous.release_number,
    with_previous.release,
    with_previous.UniqueID,
    with_previous.IndicatorID,
    with_previous.Name,
    with_previous.Measure,
    with_previous.MeasureInfo,
    with_previous.GeoTypeName,
    with_previous.GeoJoinID,
    with_previous.GeoPlaceName,
    with_previous.TimePeriod,
    with_previous.StartDate,
    with_previous.DataValue,
    with_previous.Message,
    with_previous.accepted_measure,
    with_previous.accepted_measure_info,
    with_previous.previous_release,
    with_previous.previous_value,
    case
        when with_previous.has_accepted_unit then null
        when with_previous.previous_release is not null then 'unit_changed'
        else 'other_unit'
    end as quarantine_reason
from with_previous
