with evidence as (

    select
        input.place_id,
        score.sea_status,
        -- the sea's gauge says nothing about an inland place; an unknown distance is none to be trusted
        case
            when score.sea_status = 'not_applicable' then input.weather_distance_km
            when input.gauge_distance_km is not null and input.weather_distance_km is not null
                then greatest(input.weather_distance_km, input.gauge_distance_km)
        end as farthest_km,
        -- a series that is not there is shorter than any bound
        least(coalesce(input.heat_n_years, 0), coalesce(input.rain_n_years, 0)) as weather_years,
        coalesce(input.sea_n_years, 0) as sea_years
    from {{ ref('int_physical_risk__inputs') }} as input
    inner join {{ ref('int_physical_risk__scores') }} as score
        on input.place_id = score.place_id

)

select
    evidence.place_id,
    case
        -- a sea series under 15 years is insufficient_data already
        when evidence.sea_status = 'insufficient_data' then 'low'
        when evidence.farthest_km is null or evidence.farthest_km > 50.0 then 'low'
        when evidence.weather_years < 15 then 'low'
        when evidence.farthest_km > 25.0 or evidence.weather_years < 20 then 'medium'
        when evidence.sea_status = 'trend_only' then 'medium'
        when evidence.sea_status = 'complete' and evidence.sea_years < 25 then 'medium'
        else 'high'
    end as confidence
from evidence
