-- a renamed column, through a CTE
with paid as (select id as order_id, amount from orders) select order_id from paid
-- expect
-- order_id <- orders.id

-- a chain of CTEs
with a as (select * from orders),
b as (select id, amount as price from a),
c as (select *, price * 2 as twice from b)
select id, twice from c
-- expect
-- id <- orders.id
-- twice <- orders.amount [TRANSFORMATION]

-- a star
select * from customers
-- expect
-- id <- customers.id
-- name <- customers.name
-- country <- customers.country
-- since <- customers.since

-- a star, with columns taken out
select * exclude (status, ordered_at) from orders
-- expect
-- id <- orders.id
-- customer_id <- orders.customer_id
-- amount <- orders.amount

-- a star, with a column replaced
select * replace (upper(name) as name) from customers
-- expect
-- id <- customers.id
-- name <- customers.name [TRANSFORMATION]
-- country <- customers.country
-- since <- customers.since

-- a star, with a column renamed
select * rename (id as customer_id) from customers
-- expect
-- customer_id <- customers.id
-- name <- customers.name
-- country <- customers.country
-- since <- customers.since

-- the star of one of two tables
select o.*, c.name from orders as o join customers as c on c.id = o.customer_id
-- expect
-- id <- orders.id
-- customer_id <- orders.customer_id
-- amount <- orders.amount
-- status <- orders.status
-- ordered_at <- orders.ordered_at
-- name <- customers.name
-- (rows) <- customers.id [JOIN], orders.customer_id [JOIN]

-- stars of two tables, with columns taken out
select o.* exclude (status, ordered_at), c.* exclude (id, since) from orders as o join customers as c on c.id = o.customer_id
-- expect
-- id <- orders.id
-- customer_id <- orders.customer_id
-- amount <- orders.amount
-- name <- customers.name
-- country <- customers.country
-- (rows) <- customers.id [JOIN], orders.customer_id [JOIN]

-- a star over a star, with a column more
with base as (select * from returns) select *, amount * 2 as twice from base
-- expect
-- id <- returns.id
-- order_id <- returns.order_id
-- amount <- returns.amount
-- twice <- returns.amount [TRANSFORMATION]

-- a name that another column had
select id as amount, amount as id from orders
-- expect
-- amount <- orders.id
-- id <- orders.amount

-- a column of the select list, used again
select amount * 1.2 as gross, gross - amount as tax from orders
-- expect
-- gross <- orders.amount [TRANSFORMATION]
-- tax <- orders.amount [TRANSFORMATION]

-- a statement that begins with its table
from orders select id, status
-- expect
-- id <- orders.id
-- status <- orders.status

-- constants
select 1 as one, 'x' as letter, null as nothing, current_date as today from orders
-- expect
-- one <- (nothing)
-- letter <- (nothing)
-- nothing <- (nothing)
-- today <- (nothing)

-- casts
select cast(amount as integer) as whole, amount::varchar as text, try_cast(status as integer) as number from orders
-- expect
-- whole <- orders.amount [TRANSFORMATION]
-- text <- orders.amount [TRANSFORMATION]
-- number <- orders.status [TRANSFORMATION]

-- functions of several columns
select concat(status, '-', id) as label, amount + id as total, greatest(amount, customer_id) as most from orders
-- expect
-- label <- orders.id [TRANSFORMATION], orders.status [TRANSFORMATION]
-- total <- orders.amount [TRANSFORMATION], orders.id [TRANSFORMATION]
-- most <- orders.amount [TRANSFORMATION], orders.customer_id [TRANSFORMATION]

-- parts of a date
select date_trunc('month', ordered_at) as month, extract(year from ordered_at) as year from orders
-- expect
-- month <- orders.ordered_at [TRANSFORMATION]
-- year <- orders.ordered_at [TRANSFORMATION]

-- names in another case than the table's
select ID, Orders.AMOUNT as Amount from ORDERS
-- expect
-- id <- orders.id
-- Amount <- orders.amount

-- quoted names with blanks and capitals
select "Line No" as line_no, "orderId" as order_id, l.note from "Order Lines" as l
-- expect
-- line_no <- Order Lines.Line No
-- order_id <- Order Lines.orderId
-- note <- Order Lines.note

-- quoted names, joined
select o.id, l."Line No" as line_no from orders as o join "Order Lines" as l on l."orderId" = o.id
-- expect
-- id <- orders.id
-- line_no <- Order Lines.Line No
-- (rows) <- Order Lines.orderId [JOIN], orders.id [JOIN]

-- distinct rows
select distinct status from orders
-- expect
-- status <- orders.status

-- a column that is sorted by and not shown
select id from orders order by amount
-- expect
-- id <- orders.id
-- (rows) <- orders.amount [SORT]
