with anomaly as (

    select
        monthly.psmsl_id,
        monthly.month,
        monthly.month_index,
        monthly.height_rlr_mm,
        monthly.anomaly_mm,
        monthly.flag,
        case when monthly.anomaly_mm is not null then monthly.month_index end as observed_index
    from {{ ref('int_sea_level__monthly_anomaly') }} as monthly

),

-- the nearest observed month on each side
neighbours as (

    select
        anomaly.psmsl_id,
        anomaly.month,
        anomaly.month_index,
        anomaly.height_rlr_mm,
        anomaly.anomaly_mm,
        anomaly.flag,
        last_value(anomaly.observed_index ignore nulls) over (
            partition by anomaly.psmsl_id
            order by anomaly.month_index
            rows between unbounded preceding and current row
        ) as before_index,
        last_value(anomaly.anomaly_mm ignore nulls) over (
            partition by anomaly.psmsl_id
            order by anomaly.month_index
            rows between unbounded preceding and current row
        ) as before_anomaly_mm,
        first_value(anomaly.observed_index ignore nulls) over (
            partition by anomaly.psmsl_id
            order by anomaly.month_index
            rows between current row and unbounded following
        ) as after_index,
        first_value(anomaly.anomaly_mm ignore nulls) over (
            partition by anomaly.psmsl_id
            order by anomaly.month_index
            rows between current row and unbounded following
        ) as after_anomaly_mm
    from anomaly

),

-- more than 3 months in a row say too little about the months between them; NULL at both ends of a series
classified as (

    select
        neighbours.psmsl_id,
        neighbours.month,
        neighbours.month_index,
        neighbours.height_rlr_mm,
        neighbours.anomaly_mm,
        neighbours.flag,
        neighbours.before_index,
        neighbours.before_anomaly_mm,
        neighbours.after_index,
        neighbours.after_anomaly_mm,
        case
            when neighbours.height_rlr_mm is not null then 'observed'
            when neighbours.after_index - neighbours.before_index - 1 <= 3 then 'interpolated'
            else 'missing'
        end as fill_method
    from neighbours

)

select
    classified.psmsl_id,
    classified.month,
    classified.height_rlr_mm,
    case
        when classified.fill_method = 'interpolated'
            then classified.before_anomaly_mm
                + (classified.after_anomaly_mm - classified.before_anomaly_mm)
                * (classified.month_index - classified.before_index)
                / (classified.after_index - classified.before_index)
        else classified.anomaly_mm
    end as anomaly_mm,
    classified.fill_method,
    classified.flag
from classified
