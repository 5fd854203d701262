with cast_values as (

    select
        source.psmsl_id,
        make_date(cast(source.year as bigint), cast(source.month as bigint), 1) as month,
        -- -99999 is the publisher's code for a month without a value
        cast(nullif(source.height_mm, '-99999') as integer) as height_rlr_mm,
        -- 99 is a special code whose meaning is not documented, and a missing month carries 00
        case
            when source.height_mm = '-99999' or source.missing_days = '99' then null
            else cast(source.missing_days as integer)
        end as days_missing,
        source.flag
    from {{ source('sea_level_raw', 'psmsl_rlr_monthly_us') }} as source

)

select
    cast_values.psmsl_id,
    cast_values.month,
    cast_values.height_rlr_mm,
    cast_values.days_missing,
    cast_values.flag
from cast_values
