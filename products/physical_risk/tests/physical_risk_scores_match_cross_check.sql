-- The expected scores were computed independently, from observed values only; the inputs fill gaps, so
-- they may differ a little. A score that moves by more than 2 points, appears or disappears, or a sea
-- status that changes, wants an explanation.
with actual as (

    select
        risk.place_id,
        'heat_score' as score_name,
        risk.heat_score as actual_score,
        risk.sea_status
    from {{ ref('physical_risk') }} as risk

    union all

    select
        risk.place_id,
        'rain_score' as score_name,
        risk.rain_score as actual_score,
        risk.sea_status
    from {{ ref('physical_risk') }} as risk

    union all

    select
        risk.place_id,
        'sea_score' as score_name,
        risk.sea_score as actual_score,
        risk.sea_status
    from {{ ref('physical_risk') }} as risk

    union all

    select
        risk.place_id,
        'overall_score' as score_name,
        risk.overall_score as actual_score,
        risk.sea_status
    from {{ ref('physical_risk') }} as risk

)

select
    expected.place_id,
    expected.score_name,
    expected.expected_score,
    actual.actual_score,
    expected.expected_sea_status,
    actual.sea_status as actual_sea_status
from {{ ref('physical_risk_expected_scores') }} as expected
left join actual
    on expected.place_id = actual.place_id
    and expected.score_name = actual.score_name
where
    actual.place_id is null
    or (expected.expected_score is null) <> (actual.actual_score is null)
    or abs(expected.expected_score - actual.actual_score) > 2.0
    or actual.sea_status <> expected.expected_sea_status
