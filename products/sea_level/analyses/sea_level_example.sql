-- Where does the sea rise fastest, and how often does it flood there already?
-- The ten gauges with the fastest rise among those with flood counts.
select
    trend.psmsl_id,
    trend.noaa_id,
    trend.n_years,
    trend.slr_mm_per_year,
    trend.flood_days_per_year,
    trend.projected_flood_days_2050
from {{ ref('sea_level_trend') }} as trend
where
    trend.slr_mm_per_year is not null
    and trend.flood_days_per_year is not null
qualify row_number() over (order by trend.slr_mm_per_year desc, trend.psmsl_id) <= 10
order by trend.slr_mm_per_year desc, trend.psmsl_id
