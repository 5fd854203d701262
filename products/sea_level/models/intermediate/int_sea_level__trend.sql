-- filled months are left out: an interpolated value is no evidence of a trend
with observed as (

    select
        monthly.psmsl_id,
        monthly.year,
        monthly.month_index,
        monthly.anomaly_mm
    from {{ ref('int_sea_level__monthly_anomaly') }} as monthly
    where
        monthly.anomaly_mm is not null
        and monthly.year between 1993 and 2022

),

usable_years as (

    select
        observed.psmsl_id,
        observed.year
    from observed
    group by observed.psmsl_id, observed.year
    having count(*) >= 9

),

gauges as (

    select
        usable_years.psmsl_id,
        count(*) as n_years
    from usable_years
    group by usable_years.psmsl_id

),

-- pairs of months are dear (65,000 a gauge), so only gauges with enough years get that far
trend_months as (

    select
        observed.psmsl_id,
        observed.month_index,
        observed.anomaly_mm
    from observed
    inner join usable_years
        on observed.psmsl_id = usable_years.psmsl_id
        and observed.year = usable_years.year
    inner join gauges
        on observed.psmsl_id = gauges.psmsl_id
    where gauges.n_years >= 15

),

-- Theil-Sen: the median of the slopes between all pairs of months; a month is 1/12 of a year
slopes as (

    select
        earlier.psmsl_id,
        median(
            12.0 * (later.anomaly_mm - earlier.anomaly_mm) / (later.month_index - earlier.month_index)
        ) as slr_mm_per_year
    from trend_months as earlier
    inner join trend_months as later
        on earlier.psmsl_id = later.psmsl_id
        and earlier.month_index < later.month_index
    group by earlier.psmsl_id

)

select
    gauges.psmsl_id,
    cast(gauges.n_years as integer) as n_years,
    slopes.slr_mm_per_year
from gauges
left join slopes
    on gauges.psmsl_id = slopes.psmsl_id
