select
    -- Text: WBAN numbers have leading zeros.
    daily.wbanno as weather_station_id,
    daily.station as station_name,
    daily.lst_date as observation_date,
    -- The network writes -9999.0 where it has no value.
    nullif(daily.p_daily_calc, -9999.0) as precip_mm
from {{ source('noaa_uscrn', 'uscrn_precipitation_daily') }} as daily
