-- The bridge between the two id systems is one to one; PSMSL's placeholder 9999 must not reach an output.
select
    annual.noaa_id,
    count(distinct annual.psmsl_id) as n_psmsl_ids
from {{ ref('coastal_flood_annual') }} as annual
group by annual.noaa_id
having
    count(distinct annual.psmsl_id) > 1
    or count(*) filter (where annual.psmsl_id = '9999') > 0
