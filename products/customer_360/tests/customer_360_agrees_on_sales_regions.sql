-- Every customer is in the sales region of the order that gives the country: the newest with a country, a cancellation
-- only where there is no such order. Both products classify on their own, so the two must agree customer by customer.
with ranked as (
    select
        orders.customer_id,
        orders.sales_region,
        row_number() over (
            partition by orders.customer_id
            order by
                orders.country is null,
                orders.is_cancellation,
                orders.ordered_at desc,
                orders.invoice_no desc
        ) as position
    from {{ ref('shop_orders', 'orders') }} as orders
),

expected as (
    select
        ranked.customer_id,
        ranked.sales_region
    from ranked
    where ranked.position = 1
)

select
    expected.sales_region as region_of_orders,
    customers.sales_region as region_of_customers,
    count(*) as customers
from {{ ref('customers') }} as customers
full outer join expected
    on customers.customer_id = expected.customer_id
where customers.sales_region is distinct from expected.sales_region
group by expected.sales_region, customers.sales_region
