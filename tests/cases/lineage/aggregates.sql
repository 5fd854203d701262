-- a sum by key
select customer_id, sum(amount) as total from orders group by customer_id
-- expect
-- customer_id <- orders.customer_id
-- total <- orders.amount [AGGREGATION]
-- (rows) <- orders.customer_id [GROUP_BY]

-- a key by position and by name
select status, date_trunc('month', ordered_at) as month, max(amount) as most from orders group by 1, month
-- expect
-- status <- orders.status
-- month <- orders.ordered_at [TRANSFORMATION]
-- most <- orders.amount [AGGREGATION]
-- (rows) <- orders.ordered_at [GROUP_BY], orders.status [GROUP_BY]

-- counts
select count(*) as n, count(distinct customer_id) as customers, count(status) as known from orders
-- expect
-- n <- (nothing)
-- customers <- orders.customer_id [AGGREGATION]
-- known <- orders.status [AGGREGATION]

-- a count of what a condition lets through
select count(*) filter (where status = 'paid') as paid from orders
-- expect
-- paid <- orders.status [CONDITIONAL]

-- a sum of what a condition lets through
select sum(amount) filter (where status = 'paid') as paid, sum(case when status = 'open' then amount end) as open from orders
-- expect
-- paid <- orders.amount [AGGREGATION], orders.status [CONDITIONAL]
-- open <- orders.amount [AGGREGATION], orders.status [CONDITIONAL]

-- a condition on groups
select customer_id, count(*) as n from orders group by customer_id having sum(amount) > 20
-- expect
-- customer_id <- orders.customer_id
-- n <- (nothing)
-- (rows) <- orders.amount [FILTER], orders.customer_id [GROUP_BY]

-- a condition on groups, by the name of a column
select customer_id, sum(amount) as total from orders group by customer_id having total > 20
-- expect
-- customer_id <- orders.customer_id
-- total <- orders.amount [AGGREGATION]
-- (rows) <- orders.amount [FILTER], orders.customer_id [GROUP_BY]

-- arithmetic with sums
select sum(amount) / count(*) as mean, round(max(amount) - min(amount), 2) as spread from orders
-- expect
-- mean <- orders.amount [AGGREGATION]
-- spread <- orders.amount [AGGREGATION]

-- a sum of a product over a join
select o.customer_id, sum(i.quantity * i.price) as total from orders as o join items as i on i.order_id = o.id group by o.customer_id
-- expect
-- customer_id <- orders.customer_id
-- total <- items.price [AGGREGATION], items.quantity [AGGREGATION]
-- (rows) <- items.order_id [JOIN], orders.customer_id [GROUP_BY], orders.id [JOIN]

-- a sum of sums
with by_customer as (select customer_id, sum(amount) as total from orders group by customer_id) select max(total) as best from by_customer
-- expect
-- best <- orders.amount [AGGREGATION]
-- (rows) <- orders.customer_id [GROUP_BY]

-- subtotals
select status, sum(amount) as total from orders group by rollup (status)
-- expect
-- status <- orders.status
-- total <- orders.amount [AGGREGATION]
-- (rows) <- orders.status [GROUP_BY]

-- statistics
select median(amount) as middle, stddev(amount) as spread, corr(amount, id) as drift from orders
-- expect
-- middle <- orders.amount [AGGREGATION]
-- spread <- orders.amount [AGGREGATION]
-- drift <- orders.amount [AGGREGATION], orders.id [AGGREGATION]

-- grouped by all that is not summed up
select status, date_trunc('month', ordered_at) as month, sum(amount) as total from orders group by all
-- expect
-- status <- orders.status
-- month <- orders.ordered_at [TRANSFORMATION]
-- total <- orders.amount [AGGREGATION]
-- (rows) <- orders.ordered_at [GROUP_BY], orders.status [GROUP_BY]

-- grouping sets
select status, customer_id, sum(amount) as total from orders group by grouping sets ((status), (customer_id), ())
-- expect
-- status <- orders.status
-- customer_id <- orders.customer_id
-- total <- orders.amount [AGGREGATION]
-- (rows) <- orders.customer_id [GROUP_BY], orders.status [GROUP_BY]

-- a rollup
select status, customer_id, count(*) as n from orders group by rollup (status, customer_id)
-- expect
-- status <- orders.status
-- customer_id <- orders.customer_id
-- n <- (nothing)
-- (rows) <- orders.customer_id [GROUP_BY], orders.status [GROUP_BY]

-- a median within a group
select status, percentile_cont(0.5) within group (order by amount) as middle from orders group by status
-- expect
-- status <- orders.status
-- middle <- orders.amount [AGGREGATION]
-- (rows) <- orders.status [GROUP_BY]

-- aggregates that few know
select product(amount) as times, histogram(status) as bars, entropy(status) as e, kurtosis(amount) as k from orders
-- expect
-- times <- orders.amount [AGGREGATION]
-- bars <- orders.status [AGGREGATION]
-- e <- orders.status [AGGREGATION]
-- k <- orders.amount [AGGREGATION]

-- a list in an order
select customer_id, string_agg(status, ',' order by ordered_at) as steps from orders group by customer_id
-- expect
-- customer_id <- orders.customer_id
-- steps <- orders.ordered_at [SORT], orders.status [AGGREGATION]
-- (rows) <- orders.customer_id [GROUP_BY]
