-- Classes and scores are of the day of the newest order: a new order moves the reference date the same day.
with newest as (
    select max(orders.order_date) as order_date
    from {{ ref('shop_orders', 'orders') }} as orders
    where not orders.is_cancellation
)

select
    customers.reference_date,
    newest.order_date as newest_order_date,
    count(*) as customers
from {{ ref('customers') }} as customers
cross join newest
where customers.reference_date is distinct from newest.order_date
group by customers.reference_date, newest.order_date
