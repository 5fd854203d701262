with scores as (

    select
        score.place_id,
        score.heat_score,
        score.rain_score,
        score.sea_score
    from {{ ref('int_physical_risk__scores') }} as score

),

-- half the worst hazard, half the mean of those that there are: one bad hazard is not averaged away.
-- Without heat or rain there is no overall score; without sea it is made of the other two.
combined as (

    select
        scores.place_id,
        scores.heat_score,
        scores.rain_score,
        scores.sea_score,
        case
            when scores.heat_score is null or scores.rain_score is null then null
            when scores.sea_score is null
                then 0.5 * greatest(scores.heat_score, scores.rain_score)
                    + 0.5 * (scores.heat_score + scores.rain_score) / 2.0
            else 0.5 * greatest(scores.heat_score, scores.rain_score, scores.sea_score)
                + 0.5 * (scores.heat_score + scores.rain_score + scores.sea_score) / 3.0
        end as overall_score
    from scores

)

select
    combined.place_id,
    combined.overall_score,
    case
        when combined.overall_score < 33.0 then 'low'
        when combined.overall_score < 66.0 then 'medium'
        when combined.overall_score >= 66.0 then 'high'
    end as risk_band,
    -- of equal scores, the first of heat, rain, sea is named
    case
        when combined.overall_score is null then null
        when
            combined.heat_score >= combined.rain_score
            and combined.heat_score >= coalesce(combined.sea_score, 0.0)
            then 'heat'
        when combined.rain_score >= coalesce(combined.sea_score, 0.0) then 'rain'
        else 'sea'
    end as dominant_hazard
from combined
