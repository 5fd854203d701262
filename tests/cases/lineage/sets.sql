-- a union goes by position
select id, amount from orders union all select order_id, amount from returns
-- expect
-- id <- orders.id, returns.order_id
-- amount <- orders.amount, returns.amount

-- a union by name
select id, amount from orders union all by name select amount, order_id as id from returns
-- expect
-- id <- orders.id, returns.order_id
-- amount <- orders.amount, returns.amount

-- a union of three
select id as key from orders union all select order_id from returns union all select id from customers
-- expect
-- key <- customers.id, orders.id, returns.order_id

-- a constant in each branch
select 'order' as kind, id from orders union all select 'return', id from returns
-- expect
-- kind <- (nothing)
-- id <- orders.id, returns.id

-- a constant in one branch
select id, status from orders union all select order_id, 'returned' from returns
-- expect
-- id <- orders.id, returns.order_id
-- status <- orders.status

-- a union without duplicates
select status as word from orders union select country from customers
-- expect
-- word <- customers.country, orders.status

-- a union in a CTE, summed up
with both_ways as (select amount from orders union all select -amount from returns) select sum(amount) as net from both_ways
-- expect
-- net <- orders.amount [AGGREGATION], returns.amount [AGGREGATION]

-- filters of the branches
select id from orders where status = 'paid' union all select order_id from returns where amount > 2
-- expect
-- id <- orders.id, returns.order_id
-- (rows) <- orders.status [FILTER], returns.amount [FILTER]

-- branches in brackets
(select id from orders) union all (select order_id from returns)
-- expect
-- id <- orders.id, returns.order_id

-- rows that are not in the other
select id from orders except select order_id from returns
-- expect
-- id <- orders.id
-- (rows) <- returns.order_id [FILTER]

-- rows that are in both
select id from orders intersect select order_id from returns
-- expect
-- id <- orders.id, returns.order_id

-- rows that are not among some of the other
select id from orders except all (select order_id from returns where amount > 2)
-- expect
-- id <- orders.id
-- (rows) <- returns.amount [FILTER], returns.order_id [FILTER]
