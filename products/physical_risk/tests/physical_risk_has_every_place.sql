select place.place_id
from {{ ref('places', 'places') }} as place
left join {{ ref('physical_risk') }} as risk
    on place.place_id = risk.place_id
where risk.place_id is null
