select
    -- Text: WBAN numbers have leading zeros.
    daily.wbanno as weather_station_id,
    daily.station as station_name,
    daily.lst_date as observation_date,
    -- Day of a year without 29 February, which counts as the 28th, so that a day keeps its number in every year.
    cast(
        dayofyear(
            make_date(
                2001,
                month(daily.lst_date),
                case
                    when month(daily.lst_date) = 2 and day(daily.lst_date) = 29 then 28
                    else day(daily.lst_date)
                end
            )
        ) as integer
    ) as climate_day,
    -- The network writes -9999.0 where it has no value.
    nullif(daily.t_daily_max, -9999.0) as t_max_c,
    nullif(daily.t_daily_min, -9999.0) as t_min_c,
    nullif(daily.t_daily_mean, -9999.0) as t_mean_c,
    (
        daily.t_daily_max <> -9999.0
        and daily.t_daily_min <> -9999.0
        and daily.t_daily_mean <> -9999.0
    ) as is_observed
from {{ source('noaa_uscrn', 'uscrn_temperature_daily') }} as daily
