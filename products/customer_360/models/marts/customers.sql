with combined as (
    select
        order_history.customer_id,
        order_history.country,
        order_history.first_order_date,
        order_history.last_order_date,
        order_history.reference_date,
        order_history.order_count,
        order_history.cancellation_count,
        line_history.article_count,
        line_history.net_quantity,
        order_history.charged_revenue_gbp,
        order_history.returned_revenue_gbp,
        order_history.net_revenue_gbp,
        order_history.recency_days,
        order_history.order_days as frequency,
        line_history.goods_revenue_gbp as monetary_gbp,
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score
    from {{ ref('int_customer_360__order_history') }} as order_history
    inner join {{ ref('int_customer_360__line_history') }} as line_history
        on order_history.customer_id = line_history.customer_id
    left join {{ ref('int_customer_360__scores') }} as scores
        on order_history.customer_id = scores.customer_id
)

select
    combined.customer_id,
    combined.country,
    {{ standards.sales_region('combined.country') }} as sales_region,
    combined.first_order_date,
    combined.last_order_date,
    combined.reference_date,
    cast(combined.order_count as integer) as order_count,
    cast(combined.cancellation_count as integer) as cancellation_count,
    cast(combined.article_count as integer) as article_count,
    cast(combined.net_quantity as integer) as net_quantity,
    cast(combined.charged_revenue_gbp as decimal(18, 3)) as charged_revenue_gbp,
    cast(combined.returned_revenue_gbp as decimal(18, 3)) as returned_revenue_gbp,
    cast(combined.net_revenue_gbp as decimal(18, 3)) as net_revenue_gbp,
    cast(combined.recency_days as integer) as recency_days,
    cast(combined.frequency as integer) as frequency,
    cast(combined.monetary_gbp as decimal(18, 3)) as monetary_gbp,
    cast(combined.recency_score as integer) as recency_score,
    cast(combined.frequency_score as integer) as frequency_score,
    cast(combined.monetary_score as integer) as monetary_score,
    -- The first class whose condition holds; the order is part of the definition.
    case
        when combined.recency_score is null then 'returns_only'
        when
            combined.recency_score >= 4
            and combined.frequency_score >= 4
            and combined.monetary_score >= 4
            then 'champion'
        when combined.recency_score >= 3 and combined.frequency_score >= 4 then 'loyal'
        when combined.recency_score >= 4 and combined.frequency = 1 then 'new'
        when combined.recency_score >= 4 then 'promising'
        when combined.recency_score = 3 then 'needs_attention'
        when combined.frequency_score >= 4 or combined.monetary_score >= 4 then 'at_risk'
        else 'dormant'
    end as rfm_class
from combined
order by combined.customer_id
