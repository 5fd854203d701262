-- Net revenue of November 2011 by country, cancellations taken off: the ten largest.
select
    orders.country,
    count(*) filter (where not orders.is_cancellation) as orders,
    count(*) filter (where orders.is_cancellation) as cancellations,
    sum(orders.net_amount_gbp) as net_revenue_gbp
from {{ ref('orders') }} as orders
where orders.order_date >= date '2011-11-01' and orders.order_date < date '2011-12-01'
group by orders.country
order by net_revenue_gbp desc, orders.country
limit 10
