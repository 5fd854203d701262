-- An observed month has a height and an anomaly, an interpolated one an anomaly only, a missing one neither.
select
    monthly.psmsl_id,
    monthly.month,
    monthly.height_rlr_mm,
    monthly.anomaly_mm,
    monthly.fill_method
from {{ ref('sea_level_monthly') }} as monthly
where
    (monthly.height_rlr_mm is not null) <> (monthly.fill_method = 'observed')
    or (monthly.anomaly_mm is not null) <> (monthly.fill_method in ('observed', 'interpolated'))
