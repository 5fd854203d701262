-- an inner join
select o.id, c.name from orders as o join customers as c on o.customer_id = c.id
-- expect
-- id <- orders.id
-- name <- customers.name
-- (rows) <- customers.id [JOIN], orders.customer_id [JOIN]

-- a left join with a condition of its own
select o.id, c.name from orders as o left join customers as c on o.customer_id = c.id and c.country = 'NO'
-- expect
-- id <- orders.id
-- name <- customers.name
-- (rows) <- customers.country [JOIN], customers.id [JOIN], orders.customer_id [JOIN]

-- columns without their table's name
select amount, product from orders join items on orders.id = items.order_id where quantity > 1
-- expect
-- amount <- orders.amount
-- product <- items.product
-- (rows) <- items.order_id [JOIN], items.quantity [FILTER], orders.id [JOIN]

-- a full join by using: the shared column comes from both
select order_id, amount, product from returns full join items using (order_id)
-- expect
-- order_id <- items.order_id, returns.order_id
-- amount <- returns.amount
-- product <- items.product
-- (rows) <- items.order_id [JOIN], returns.order_id [JOIN]

-- a join in the where clause
select o.id, c.country from orders as o, customers as c where c.id = o.customer_id
-- expect
-- id <- orders.id
-- country <- customers.country
-- (rows) <- customers.id [FILTER], orders.customer_id [FILTER]

-- every row with every row
select o.id, c.name from orders as o cross join customers as c
-- expect
-- id <- orders.id
-- name <- customers.name

-- a table joined with itself
select a.id, b.id as other from orders as a join orders as b on a.customer_id = b.customer_id and a.id < b.id
-- expect
-- id <- orders.id
-- other <- orders.id
-- (rows) <- orders.customer_id [JOIN], orders.id [JOIN]

-- three tables
select c.name, i.product, o.amount from customers as c join orders as o on o.customer_id = c.id join items as i on i.order_id = o.id
-- expect
-- name <- customers.name
-- product <- items.product
-- amount <- orders.amount
-- (rows) <- customers.id [JOIN], items.order_id [JOIN], orders.customer_id [JOIN], orders.id [JOIN]

-- rows that have a partner elsewhere
select * from returns semi join orders on orders.id = returns.order_id
-- expect
-- id <- returns.id
-- order_id <- returns.order_id
-- amount <- returns.amount
-- (rows) <- orders.id [JOIN], returns.order_id [JOIN]

-- rows that have none
select id from orders as o anti join returns as r on r.order_id = o.id
-- expect
-- id <- orders.id
-- (rows) <- orders.id [JOIN], returns.order_id [JOIN]

-- the nearest partner
select o.id, r.amount as returned from orders as o asof join returns as r on r.order_id = o.id and o.amount >= r.amount
-- expect
-- id <- orders.id
-- returned <- returns.amount
-- (rows) <- orders.amount [JOIN], orders.id [JOIN], returns.amount [JOIN], returns.order_id [JOIN]

-- a join with a summed-up table
select o.id, r.returned from orders as o left join (select order_id, sum(amount) as returned from returns group by order_id) as r on r.order_id = o.id
-- expect
-- id <- orders.id
-- returned <- returns.amount [AGGREGATION]
-- (rows) <- orders.id [JOIN], returns.order_id [GROUP_BY], returns.order_id [JOIN]

-- a condition on what a join found
select o.id from orders as o left join returns as r on r.order_id = o.id where r.id is null
-- expect
-- id <- orders.id
-- (rows) <- orders.id [JOIN], returns.id [FILTER], returns.order_id [JOIN]

-- a join by using: the shared column
select order_id, product, amount from returns join items using (order_id)
-- expect
-- order_id <- items.order_id, returns.order_id
-- product <- items.product
-- amount <- returns.amount
-- (rows) <- items.order_id [JOIN], returns.order_id [JOIN]

-- a star over a join by using
select * from returns left join items using (order_id)
-- expect
-- id <- returns.id
-- order_id <- items.order_id, returns.order_id
-- amount <- returns.amount
-- product <- items.product
-- quantity <- items.quantity
-- price <- items.price
-- (rows) <- items.order_id [JOIN], returns.order_id [JOIN]

-- a natural join
select order_id, product, amount from returns natural join items
-- expect
-- order_id <- items.order_id, returns.order_id
-- product <- items.product
-- amount <- returns.amount
-- (rows) <- items.order_id [JOIN], returns.order_id [JOIN]

-- a coalesce that a person wrote
select coalesce(r.order_id, i.order_id) as order_id from returns as r full join items as i on r.order_id = i.order_id
-- expect
-- order_id <- items.order_id [TRANSFORMATION], returns.order_id [TRANSFORMATION]
-- (rows) <- items.order_id [JOIN], returns.order_id [JOIN]
