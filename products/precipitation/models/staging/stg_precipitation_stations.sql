select
    stations.wbanno as weather_station_id,
    stations.station as station_name,
    stations.state,
    cast(stations.latitude as double) as latitude,
    cast(stations.longitude as double) as longitude,
    cast(stations.elevation_m as double) as elevation_m
from {{ source('noaa_uscrn', 'uscrn_stations') }} as stations
