-- Every row of every release is offered, replaced by a newer row of the same id, or in quarantine.
select
    releases.release,
    releases.UniqueID
from {{ ref('int_nyc_air_quality__releases') }} as releases
left join {{ ref('air_quality') }} as air_quality
    on releases.UniqueID = air_quality.UniqueID
left join {{ ref('air_quality_quarantine') }} as quarantine
    on releases.UniqueID = quarantine.UniqueID
    and releases.release = quarantine.release
where air_quality.UniqueID is null and quarantine.UniqueID is null
