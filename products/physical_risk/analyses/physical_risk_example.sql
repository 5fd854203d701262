-- Which places deserve a study of their own? High risk, and data that can carry the statement.
select
    risk.place_name,
    risk.state,
    risk.overall_score,
    risk.dominant_hazard,
    risk.heat_score,
    risk.rain_score,
    risk.sea_score,
    risk.confidence
from {{ ref('physical_risk') }} as risk
where
    risk.risk_band = 'high'
    and risk.confidence in ('medium', 'high')
order by risk.overall_score desc, risk.place_id
