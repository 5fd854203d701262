-- Seasons only: 'Summer 2013' and 'Winter 2012-13'. Annual averages and the withdrawn two-year summer average stay out.
with seasonal as (
    select
        air_quality.GeoJoinID,
        air_quality.GeoPlaceName,
        air_quality.IndicatorID,
        case air_quality.IndicatorID
            when 365 then 'PM2.5'
            when 375 then 'NO2'
            when 386 then 'O3'
        end as pollutant,
        split_part(air_quality.TimePeriod, ' ', 1) as season,
        air_quality.MeasureInfo,
        air_quality.StartDate,
        air_quality.DataValue
    from {{ ref('air_quality') }} as air_quality
    where
        air_quality.GeoTypeName = 'UHF42'
        and air_quality.IndicatorID in (365, 375, 386)
        and (air_quality.TimePeriod like 'Summer %' or air_quality.TimePeriod like 'Winter %')
)

select
    seasonal.GeoJoinID,
    seasonal.season,
    seasonal.pollutant,
    min(seasonal.GeoPlaceName) as GeoPlaceName,
    min(seasonal.MeasureInfo) as MeasureInfo,
    cast(count(*) as integer) as season_count,
    min(seasonal.StartDate) as first_season_start,
    max(seasonal.StartDate) as last_season_start,
    round(avg(seasonal.DataValue), 6) as mean_value,
    min(seasonal.DataValue) as min_value,
    max(seasonal.DataValue) as max_value,
    arg_max(seasonal.DataValue, seasonal.StartDate) as latest_value,
    round(regr_slope(seasonal.DataValue, extract(year from seasonal.StartDate)), 6) as change_per_year
from seasonal
group by
    seasonal.GeoJoinID,
    seasonal.season,
    seasonal.pollutant
order by
    seasonal.GeoJoinID,
    seasonal.season,
    seasonal.pollutant
