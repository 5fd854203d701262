-- scale(x, a, b) = clamp((x - a) / (b - a), 0, 1) * 100 with fixed bounds, so a new place never moves
-- another place's score. greatest and least pass over NULL in DuckDB, which would turn a missing value
-- into a score; hence the CASE around each.
with inputs as (

    select
        input.place_id,
        input.hot_days_per_year,
        input.tmax_trend_c_decade,
        input.rain_20y_mm,
        input.heavy_rain_days_per_year,
        input.slr_mm_per_year,
        input.flood_days_per_year
    from {{ ref('int_physical_risk__inputs') }} as input

)

select
    inputs.place_id,
    case
        when inputs.hot_days_per_year is not null
            then least(greatest((inputs.hot_days_per_year - 0.0) / (90.0 - 0.0), 0.0), 1.0) * 100.0
    end as hot_days_scaled,
    case
        when inputs.tmax_trend_c_decade is not null
            then least(greatest((inputs.tmax_trend_c_decade - 0.0) / (1.0 - 0.0), 0.0), 1.0) * 100.0
    end as tmax_trend_scaled,
    case
        when inputs.rain_20y_mm is not null
            then least(greatest((inputs.rain_20y_mm - 50.0) / (250.0 - 50.0), 0.0), 1.0) * 100.0
    end as rain_20y_scaled,
    case
        when inputs.heavy_rain_days_per_year is not null
            then least(greatest((inputs.heavy_rain_days_per_year - 0.0) / (20.0 - 0.0), 0.0), 1.0) * 100.0
    end as heavy_rain_days_scaled,
    case
        when inputs.slr_mm_per_year is not null
            then least(greatest((inputs.slr_mm_per_year - 0.0) / (10.0 - 0.0), 0.0), 1.0) * 100.0
    end as slr_scaled,
    case
        when inputs.flood_days_per_year is not null
            then least(greatest((inputs.flood_days_per_year - 0.0) / (20.0 - 0.0), 0.0), 1.0) * 100.0
    end as flood_days_scaled
from inputs
