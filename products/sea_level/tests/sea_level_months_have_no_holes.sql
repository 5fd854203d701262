-- The filling counts months, and it relies on a row for every month from a gauge's first to its last.
select
    monthly.psmsl_id,
    count(*) as n_months,
    datediff('month', min(monthly.month), max(monthly.month)) + 1 as n_months_expected
from {{ ref('sea_level_monthly') }} as monthly
group by monthly.psmsl_id
having count(*) <> datediff('month', min(monthly.month), max(monthly.month)) + 1
