-- Dates are month/day/year in both releases. Another format in between could be read as another day.
with delivered as (
    select
        'to_2021' as release,
        release_2021."Unique ID" as UniqueID,
        release_2021."Start_Date" as StartDate
    from {{ source('nyc_air_quality_raw', 'release_2021') }} as release_2021

    union all

    select
        'to_2023' as release,
        release_2023."Unique ID" as UniqueID,
        release_2023."Start_Date" as StartDate
    from {{ source('nyc_air_quality_raw', 'release_2023') }} as release_2023
)

select
    delivered.release,
    delivered.UniqueID,
    delivered.StartDate
from delivered
where not coalesce(regexp_full_match(delivered.StartDate, '(0?[1-9]|1[0-2])/(0?[1-9]|[12][0-9]|3[01])/[0-9]{4}'), false)
