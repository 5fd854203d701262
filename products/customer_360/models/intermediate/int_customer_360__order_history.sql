-- What the orders tell of a customer. Cancellations lower the revenue, but are no orders.
with ranked as (
    select
        orders.customer_id,
        orders.country,
        row_number() over (
            partition by orders.customer_id
            -- the newest order with a country; a cancellation only where there is no such order
            order by
                orders.country is null,
                orders.is_cancellation,
                orders.ordered_at desc,
                orders.invoice_no desc
        ) as position
    from {{ ref('stg_customer_360__orders') }} as orders
),

countries as (
    select
        ranked.customer_id,
        ranked.country
    from ranked
    where ranked.position = 1
),

-- The newest order in the data stands for today: the same data give the same recency on any day.
reference as (
    select max(orders.order_date) as reference_date
    from {{ ref('stg_customer_360__orders') }} as orders
    where not orders.is_cancellation
),

history as (
    select
        orders.customer_id,
        min(case when not orders.is_cancellation then orders.order_date end) as first_order_date,
        max(case when not orders.is_cancellation then orders.order_date end) as last_order_date,
        count(case when not orders.is_cancellation then orders.invoice_no end) as order_count,
        count(case when orders.is_cancellation then orders.invoice_no end) as cancellation_count,
        count(distinct case when not orders.is_cancellation then orders.order_date end) as order_days,
        sum(orders.charged_amount_gbp) as charged_revenue_gbp,
        sum(orders.returned_amount_gbp) as returned_revenue_gbp,
        sum(orders.net_amount_gbp) as net_revenue_gbp
    from {{ ref('stg_customer_360__orders') }} as orders
    group by orders.customer_id
)

select
    history.customer_id,
    countries.country,
    reference.reference_date,
    history.first_order_date,
    history.last_order_date,
    reference.reference_date - history.last_order_date as recency_days,
    history.order_count,
    history.cancellation_count,
    history.order_days,
    history.charged_revenue_gbp,
    history.returned_revenue_gbp,
    history.net_revenue_gbp
from history
inner join countries
    on history.customer_id = countries.customer_id
cross join reference
