{{ config(materialized='table') }}

-- Every row of every release, one below the other. A new release is added here: one staging model and one block.
with unioned as (
    select
        1 as release_number,
        release_2021.release,
        release_2021.UniqueID,
        release_2021.IndicatorID,
        release_2021.Name,
        release_2021.Measure,
        release_2021.MeasureInfo,
        release_2021.GeoTypeName,
        release_2021.GeoJoinID,
        release_2021.GeoPlaceName,
        release_2021.TimePeriod,
        release_2021.StartDate,
        release_2021.DataValue,
        release_2021.Message
    from {{ ref('stg_nyc_air_quality__release_2021') }} as release_2021

    union all

    select
        2 as release_number,
        release_2023.release,
        release_2023.UniqueID,
        release_2023.IndicatorID,
        release_2023.Name,
        release_2023.Measure,
        release_2023.MeasureInfo,
        release_2023.GeoTypeName,
        release_2023.GeoJoinID,
        release_2023.GeoPlaceName,
        release_2023.TimePeriod,
        release_2023.StartDate,
        release_2023.DataValue,
        release_2023.Message
    from {{ ref('stg_nyc_air_quality__release_2023') }} as release_2023
)

select
    unioned.release_number,
    unioned.release,
    unioned.UniqueID,
    unioned.IndicatorID,
    unioned.Name,
    unioned.Measure,
    unioned.MeasureInfo,
    -- What is measured and in what unit, without what is only spelling: case, blanks, mcg for µg, metre for meter.
    replace(
        replace(
            lower(regexp_replace(trim(unioned.Measure) || ' / ' || trim(unioned.MeasureInfo), '\s+', ' ', 'g')),
            'µg',
            'mcg'
        ),
        'metre',
        'meter'
    ) as unit_key,
    unioned.GeoTypeName,
    unioned.GeoJoinID,
    unioned.GeoPlaceName,
    unioned.TimePeriod,
    unioned.StartDate,
    unioned.DataValue,
    unioned.Message
from unioned
