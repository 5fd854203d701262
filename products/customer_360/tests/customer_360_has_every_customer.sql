-- Every customer of the order lines is here, and nobody else.
with ordering as (
    select distinct order_lines.customer_id
    from {{ ref('shop_orders', 'order_lines') }} as order_lines
)

select
    customers.customer_id,
    ordering.customer_id as customer_of_lines
from {{ ref('customers') }} as customers
full outer join ordering
    on customers.customer_id = ordering.customer_id
where customers.customer_id is null or ordering.customer_id is null
