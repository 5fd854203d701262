-- The revenue of a customer is that of the order lines, to the last digit.
with lines as (
    select
        order_lines.customer_id,
        sum(order_lines.line_amount_gbp) as net_revenue_gbp
    from {{ ref('shop_orders', 'order_lines') }} as order_lines
    group by order_lines.customer_id
)

select
    customers.customer_id,
    customers.net_revenue_gbp,
    lines.net_revenue_gbp as revenue_of_lines_gbp
from {{ ref('customers') }} as customers
inner join lines
    on customers.customer_id = lines.customer_id
where customers.net_revenue_gbp is distinct from lines.net_revenue_gbp
