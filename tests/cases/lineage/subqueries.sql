-- a table made in the from clause
select x.total from (select customer_id, sum(amount) as total from orders group by customer_id) as x
-- expect
-- total <- orders.amount [AGGREGATION]
-- (rows) <- orders.customer_id [GROUP_BY]

-- a scalar subquery
select id, (select max(amount) from returns) as most from orders
-- expect
-- id <- orders.id
-- most <- returns.amount [AGGREGATION]

-- a scalar subquery about the row
select id, (select name from customers where customers.id = orders.customer_id) as customer from orders
-- expect
-- id <- orders.id
-- customer <- customers.name [TRANSFORMATION]
-- (rows) <- customers.id [FILTER], orders.customer_id [FILTER]

-- a sum about the row
select o.id, (select sum(r.amount) from returns as r where r.order_id = o.id) as returned from orders as o
-- expect
-- id <- orders.id
-- returned <- returns.amount [AGGREGATION]
-- (rows) <- orders.id [FILTER], returns.order_id [FILTER]

-- rows for which another exists
select id from orders where exists (select 1 from returns where returns.order_id = orders.id)
-- expect
-- id <- orders.id
-- (rows) <- orders.id [FILTER], returns.order_id [FILTER]

-- rows for which none exists
select id from orders as o where not exists (select 1 from returns as r where r.order_id = o.id and r.amount > 2)
-- expect
-- id <- orders.id
-- (rows) <- orders.id [FILTER], returns.amount [FILTER], returns.order_id [FILTER]

-- a CTE with names of its own
with t (x, y) as (select id, amount from orders) select y, x from t
-- expect
-- y <- orders.amount
-- x <- orders.id

-- a table in the from clause with names of its own
select t.x from (select id, amount from orders) as t (x, y)
-- expect
-- x <- orders.id

-- a CTE with the name of a table
with customers as (select id, status as name from orders) select * from customers
-- expect
-- id <- orders.id
-- name <- orders.status

-- a CTE inside a CTE, of the same name
with a as (select id from orders), b as (with a as (select name from customers) select * from a) select a.id, b.name from a, b
-- expect
-- id <- orders.id
-- name <- customers.name

-- a limit that another table gives
select id, amount from orders, (select max(since) as latest from customers) as c where ordered_at > c.latest
-- expect
-- id <- orders.id
-- amount <- orders.amount
-- (rows) <- customers.since [FILTER], orders.ordered_at [FILTER]

-- a column made inside and filtered outside
select id from (select id, amount * 2 as twice from orders) where twice > 30
-- expect
-- id <- orders.id
-- (rows) <- orders.amount [FILTER]

-- a CTE that nobody reads
with unread as (select id from customers where country = 'NO' order by since) select id from orders
-- expect
-- id <- orders.id

-- a CTE that only an unread one reads
with a as (select id from customers where country = 'NO'), b as (select id from a) select id from orders
-- expect
-- id <- orders.id

-- rows of a list that is looked up
select id from orders where id in (select order_id from returns where amount > 2)
-- expect
-- id <- orders.id
-- (rows) <- orders.id [FILTER], returns.amount [FILTER], returns.order_id [FILTER]

-- a subquery beside, that knows the row
select o.id, l.total from orders as o, lateral (select sum(r.amount) as total from returns as r where r.order_id = o.id) as l
-- expect
-- id <- orders.id
-- total <- returns.amount [AGGREGATION]
-- (rows) <- orders.id [FILTER], returns.order_id [FILTER]

-- a subquery joined beside, that knows the row
select o.id, l.most, l.own from orders as o left join lateral (select max(r.amount) as most, o.amount as own from returns as r where r.order_id = o.id) as l on true
-- expect
-- id <- orders.id
-- most <- returns.amount [AGGREGATION]
-- own <- orders.amount
-- (rows) <- orders.id [FILTER], returns.order_id [FILTER]
