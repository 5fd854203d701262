with inputs as (

    select
        input.place_id,
        input.place_type,
        input.heat_n_years,
        input.rain_n_years,
        input.sea_n_years
    from {{ ref('int_physical_risk__inputs') }} as input

),

scaled as (

    select
        scale.place_id,
        scale.hot_days_scaled,
        scale.tmax_trend_scaled,
        scale.rain_20y_scaled,
        scale.heavy_rain_days_scaled,
        scale.slr_scaled,
        scale.flood_days_scaled
    from {{ ref('int_physical_risk__scaled') }} as scale

),

-- what there is of the sea decides how it is scored; inland, the sea is no hazard at all
statuses as (

    select
        inputs.place_id,
        inputs.heat_n_years,
        inputs.rain_n_years,
        case
            when inputs.place_type = 'inland' then 'not_applicable'
            when inputs.sea_n_years is null or inputs.sea_n_years < 15 or scaled.slr_scaled is null
                then 'insufficient_data'
            when scaled.flood_days_scaled is null then 'trend_only'
            else 'complete'
        end as sea_status,
        scaled.hot_days_scaled,
        scaled.tmax_trend_scaled,
        scaled.rain_20y_scaled,
        scaled.heavy_rain_days_scaled,
        scaled.slr_scaled,
        scaled.flood_days_scaled
    from inputs
    inner join scaled
        on inputs.place_id = scaled.place_id

)

select
    statuses.place_id,
    case
        when statuses.heat_n_years >= 10
            then 0.7 * statuses.hot_days_scaled + 0.3 * statuses.tmax_trend_scaled
    end as heat_score,
    case
        when statuses.rain_n_years >= 10
            then 0.7 * statuses.rain_20y_scaled + 0.3 * statuses.heavy_rain_days_scaled
    end as rain_score,
    case statuses.sea_status
        when 'complete' then 0.5 * statuses.slr_scaled + 0.5 * statuses.flood_days_scaled
        when 'trend_only' then statuses.slr_scaled
    end as sea_score,
    statuses.sea_status
from statuses
