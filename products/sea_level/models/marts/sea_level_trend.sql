with gauges as (

    select
        gauge.psmsl_id,
        gauge.noaa_id
    from {{ ref('int_sea_level__gauges') }} as gauge

),

trends as (

    select
        trend.psmsl_id,
        trend.n_years,
        trend.slr_mm_per_year
    from {{ ref('int_sea_level__trend') }} as trend

),

floods as (

    select
        recent.noaa_id,
        recent.n_valid_flood_years,
        recent.flood_days_per_year
    from {{ ref('int_sea_level__flood_recent') }} as recent

),

projections as (

    select
        projection.noaa_id,
        projection.intermediate_days
    from {{ ref('stg_sea_level__htf_projections') }} as projection
    where projection.year = 2050

)

select
    cast(gauges.psmsl_id as varchar) as psmsl_id,
    cast(gauges.noaa_id as varchar) as noaa_id,
    cast(coalesce(trends.n_years, 0) as integer) as n_years,
    cast(round(trends.slr_mm_per_year, 6) as double) as slr_mm_per_year,
    cast(coalesce(floods.n_valid_flood_years, 0) as integer) as n_valid_flood_years,
    cast(round(floods.flood_days_per_year, 6) as double) as flood_days_per_year,
    cast(projections.intermediate_days as integer) as projected_flood_days_2050
from gauges
left join trends
    on gauges.psmsl_id = trends.psmsl_id
left join floods
    on gauges.noaa_id = floods.noaa_id
left join projections
    on gauges.noaa_id = projections.noaa_id
order by gauges.psmsl_id
