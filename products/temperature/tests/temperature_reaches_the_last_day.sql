-- The station list says up to which day a station has reported: a daily file that ends before is late, or an old one.
with delivered as (
    select
        daily.wbanno,
        max(daily.lst_date) as last_day
    from {{ source('noaa_uscrn', 'uscrn_temperature_daily') }} as daily
    group by daily.wbanno
)

select
    delivered.wbanno,
    delivered.last_day,
    stations.last_date as reported_until
from delivered
inner join {{ source('noaa_uscrn', 'uscrn_stations') }} as stations
    on delivered.wbanno = stations.wbanno
where delivered.last_day < cast(stations.last_date as date)
