-- Rows that both releases carry and whose unit is another one in the newer release.
-- A warning as a rule: the rows are in quarantine, so nobody is misled. A run can be stricter:
--     dbt build --vars '{nyc_air_quality_unit_change_severity: error}'
{{ config(severity=var('nyc_air_quality_unit_change_severity', 'warn')) }}

select
    quarantine.UniqueID,
    quarantine.IndicatorID,
    quarantine.previous_release,
    quarantine.old_measure,
    quarantine.old_measure_info,
    quarantine.release,
    quarantine.new_measure,
    quarantine.new_measure_info
from {{ ref('air_quality_quarantine') }} as quarantine
where quarantine.quarantine_reason = 'unit_changed'
