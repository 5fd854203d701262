-- How many customers of each class, what they brought, and how long ago they last ordered.
select
    customers.rfm_class,
    count(*) as customers,
    sum(customers.net_revenue_gbp) as net_revenue_gbp,
    round(100 * sum(customers.net_revenue_gbp) / sum(sum(customers.net_revenue_gbp)) over (), 1) as share_of_revenue_pct,
    median(customers.recency_days) as median_recency_days
from {{ ref('customers') }} as customers
group by customers.rfm_class
order by net_revenue_gbp desc, customers.rfm_class
