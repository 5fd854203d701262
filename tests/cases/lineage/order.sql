-- sorted by a column that is not shown
select id from orders order by amount desc, id
-- expect
-- id <- orders.id
-- (rows) <- orders.amount [SORT], orders.id [SORT]

-- sorted by the name of a column that is made here
select id, amount * 2 as twice from orders order by twice
-- expect
-- id <- orders.id
-- twice <- orders.amount [TRANSFORMATION]
-- (rows) <- orders.amount [SORT]

-- sorted by position
select status, amount from orders order by 2 desc, 1
-- expect
-- status <- orders.status
-- amount <- orders.amount
-- (rows) <- orders.amount [SORT], orders.status [SORT]

-- sorted by all
select status, amount from orders order by all
-- expect
-- status <- orders.status
-- amount <- orders.amount
-- (rows) <- orders.amount [SORT], orders.status [SORT]

-- the first rows of an order
with largest as (select id, amount from orders order by amount desc limit 2) select id from largest
-- expect
-- id <- orders.id
-- (rows) <- orders.amount [SORT]

-- a union, sorted by its first branch's name
select id as key from orders union all select order_id from returns order by key
-- expect
-- key <- orders.id, returns.order_id
-- (rows) <- orders.id [SORT], returns.order_id [SORT]

-- the first row of each
select distinct on (customer_id) id, amount from orders order by customer_id, ordered_at desc
-- expect
-- id <- orders.id
-- amount <- orders.amount
-- (rows) <- orders.customer_id [FILTER], orders.customer_id [SORT], orders.ordered_at [SORT]
