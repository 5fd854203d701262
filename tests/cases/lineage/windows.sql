-- a running sum
select id, sum(amount) over (partition by customer_id order by ordered_at) as running from orders
-- expect
-- id <- orders.id
-- running <- orders.amount [AGGREGATION], orders.customer_id [WINDOW], orders.ordered_at [WINDOW]

-- a number by order
select id, row_number() over (partition by customer_id order by ordered_at desc) as n from orders
-- expect
-- id <- orders.id
-- n <- orders.customer_id [WINDOW], orders.ordered_at [WINDOW]

-- the row before
select id, lag(amount) over (partition by customer_id order by ordered_at) as before from orders
-- expect
-- id <- orders.id
-- before <- orders.amount [TRANSFORMATION], orders.customer_id [WINDOW], orders.ordered_at [WINDOW]

-- the first row
select id, first_value(status) over (partition by customer_id order by ordered_at) as first from orders
-- expect
-- id <- orders.id
-- first <- orders.customer_id [WINDOW], orders.ordered_at [WINDOW], orders.status [TRANSFORMATION]

-- a frame
select id, avg(amount) over (order by ordered_at rows between 2 preceding and current row) as smooth from orders
-- expect
-- id <- orders.id
-- smooth <- orders.amount [AGGREGATION], orders.ordered_at [WINDOW]

-- a share of a total
select id, amount / sum(amount) over (partition by status) as share from orders
-- expect
-- id <- orders.id
-- share <- orders.amount [AGGREGATION], orders.status [WINDOW]

-- a total over all
select id, sum(amount) over () as total from orders
-- expect
-- id <- orders.id
-- total <- orders.amount [AGGREGATION]

-- the latest row of each, by qualify
select id, amount from orders qualify row_number() over (partition by customer_id order by ordered_at desc) = 1
-- expect
-- id <- orders.id
-- amount <- orders.amount
-- (rows) <- orders.customer_id [FILTER], orders.ordered_at [FILTER]

-- qualify by the name of a column
select id, rank() over (order by amount, id) as place from orders qualify place <= 2
-- expect
-- id <- orders.id
-- place <- orders.amount [WINDOW], orders.id [WINDOW]
-- (rows) <- orders.amount [FILTER], orders.id [FILTER]

-- a window over groups
select customer_id, rank() over (order by sum(amount)) as place from orders group by customer_id
-- expect
-- customer_id <- orders.customer_id
-- place <- orders.amount [WINDOW]
-- (rows) <- orders.customer_id [GROUP_BY]

-- a count in a window
select id, count(*) over (partition by status) as n from orders
-- expect
-- id <- orders.id
-- n <- orders.status [WINDOW]

-- a named window
select id, sum(amount) over w as running from orders window w as (partition by customer_id order by ordered_at)
-- expect
-- id <- orders.id
-- running <- orders.amount [AGGREGATION], orders.customer_id [WINDOW], orders.ordered_at [WINDOW]

-- a window that builds on a named one
select id, sum(amount) over (w order by ordered_at) as running from orders window w as (partition by customer_id)
-- expect
-- id <- orders.id
-- running <- orders.amount [AGGREGATION], orders.customer_id [WINDOW], orders.ordered_at [WINDOW]

-- qualify over a named window
select id from orders window w as (partition by customer_id order by ordered_at) qualify row_number() over w = 1
-- expect
-- id <- orders.id
-- (rows) <- orders.customer_id [FILTER], orders.ordered_at [FILTER]
