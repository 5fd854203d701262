-- Fifths of the customers with at least one order, 5 is best. ntile cuts through ties, so each order ends in the
-- customer number; ties in frequency are first told apart by orders and by recency.
with measured as (
    select
        order_history.customer_id,
        order_history.recency_days,
        order_history.order_count,
        order_history.order_days,
        line_history.goods_revenue_gbp
    from {{ ref('int_customer_360__order_history') }} as order_history
    inner join {{ ref('int_customer_360__line_history') }} as line_history
        on order_history.customer_id = line_history.customer_id
    where order_history.order_count > 0
)

select
    measured.customer_id,
    ntile(5) over (
        order by measured.recency_days desc, measured.customer_id
    ) as recency_score,
    ntile(5) over (
        order by measured.order_days, measured.order_count, measured.recency_days desc, measured.customer_id
    ) as frequency_score,
    ntile(5) over (
        order by measured.goods_revenue_gbp, measured.customer_id
    ) as monetary_score
from measured
