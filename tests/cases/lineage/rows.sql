-- a column made of a column that is made here
select amount * 2 as twice, twice + customer_id as more from orders
-- expect
-- twice <- orders.amount [TRANSFORMATION]
-- more <- orders.amount [TRANSFORMATION], orders.customer_id [TRANSFORMATION]

-- a whole row
select o as row, o.id from orders as o
-- expect
-- row <- orders.amount [TRANSFORMATION], orders.customer_id [TRANSFORMATION], orders.id [TRANSFORMATION], orders.ordered_at [TRANSFORMATION], orders.status [TRANSFORMATION]
-- id <- orders.id

-- a part of a struct
select (x.pair).value as value from (select {'key': id, 'value': amount} as pair from orders) as x
-- expect
-- value <- orders.amount [TRANSFORMATION]

-- a turned table
select * from (select customer_id, status, amount from orders) pivot (sum(amount) for status in ('paid', 'open'))
-- expect
-- customer_id <- orders.customer_id
-- paid <- orders.amount [AGGREGATION], orders.status [CONDITIONAL]
-- open <- orders.amount [AGGREGATION], orders.status [CONDITIONAL]
-- (rows) <- orders.customer_id [GROUP_BY]

-- a table turned back
select * from (select order_id, quantity, price from items) unpivot (value for name in (quantity, price))
-- expect
-- order_id <- items.order_id
-- name <- (nothing)
-- value <- items.price, items.quantity

-- whether another row exists, as a value
select id, exists (select 1 from returns as r where r.order_id = o.id) as returned from orders as o
-- expect
-- id <- orders.id
-- returned <- orders.id [CONDITIONAL], returns.order_id [CONDITIONAL]
-- (rows) <- orders.id [FILTER], returns.order_id [FILTER]
