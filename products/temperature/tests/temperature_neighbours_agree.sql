-- A donor is worth having only while it tracks its receiver closely; interpolation over one day errs by 1.4 degrees C.
with observed as (

    select
        daily.weather_station_id,
        daily.observation_date,
        month(daily.observation_date) as calendar_month,
        daily.t_mean_c
    from {{ ref('temperature_daily') }} as daily
    where daily.fill_method = 'observed'

),

differences as (

    select
        pairs.weather_station_id,
        pairs.donor_station_id,
        receivers.t_mean_c - donors.t_mean_c as difference_c,
        avg(receivers.t_mean_c - donors.t_mean_c) over (
            partition by pairs.weather_station_id, pairs.donor_station_id, receivers.calendar_month
        ) as usual_difference_c
    from {{ ref('int_temperature_pairs') }} as pairs
    inner join observed as receivers
        on pairs.weather_station_id = receivers.weather_station_id
    inner join observed as donors
        on pairs.donor_station_id = donors.weather_station_id
            and receivers.observation_date = donors.observation_date

)

select
    differences.weather_station_id,
    differences.donor_station_id,
    avg(abs(differences.difference_c - differences.usual_difference_c)) as mean_error_c
from differences
group by differences.weather_station_id, differences.donor_station_id
having avg(abs(differences.difference_c - differences.usual_difference_c)) > 1.0
