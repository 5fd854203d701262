with stations as (

    select
        psmsl.psmsl_id,
        psmsl.gauge_name
    from {{ ref('stg_sea_level__psmsl_stations') }} as psmsl

),

bridge as (

    select
        htf.noaa_id,
        htf.psmsl_id
    from {{ ref('stg_sea_level__htf_stations') }} as htf
    where htf.psmsl_id is not null

)

select
    stations.psmsl_id,
    bridge.noaa_id,
    stations.gauge_name
from stations
left join bridge
    on stations.psmsl_id = bridge.psmsl_id
