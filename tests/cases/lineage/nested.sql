-- a list, taken apart in the select list
select id, unnest([amount, customer_id]) as part from orders
-- expect
-- id <- orders.id
-- part <- orders.amount [TRANSFORMATION], orders.customer_id [TRANSFORMATION]

-- a list, taken apart in the from clause
select o.id, u.part from orders as o, unnest([o.amount, o.customer_id]) as u (part)
-- expect
-- id <- orders.id
-- part <- orders.amount [TRANSFORMATION], orders.customer_id [TRANSFORMATION]

-- a struct and a list
select {'key': id, 'value': amount} as pair, [id, customer_id] as keys from orders
-- expect
-- pair <- orders.amount [TRANSFORMATION], orders.id [TRANSFORMATION]
-- keys <- orders.customer_id [TRANSFORMATION], orders.id [TRANSFORMATION]

-- each of a list
select list_transform([amount, id], lambda x: x + customer_id) as moved from orders
-- expect
-- moved <- orders.amount [TRANSFORMATION], orders.customer_id [TRANSFORMATION], orders.id [TRANSFORMATION]

-- rows that are written out
select * from (values (1, 'a'), (2, 'b')) as v (id, letter)
-- expect
-- id <- (nothing)
-- letter <- (nothing)

-- rows that are written out, joined
select o.id, v.label from orders as o join (values ('paid', 'Paid'), ('open', 'Open')) as v (status, label) on v.status = o.status
-- expect
-- id <- orders.id
-- label <- (nothing)
-- (rows) <- orders.status [JOIN]

-- numbers from a generator
select n.generate_series as day, o.id from generate_series(1, 3) as n, orders as o
-- expect
-- day <- (nothing)
-- id <- orders.id

-- a recursive CTE
with recursive up as (
    select id, name as root, 0 as depth from customers where country = 'NO'
    union all
    select up.id, up.root, up.depth + 1 from up where up.depth < 2
)
select id, root, depth from up
-- expect
-- id <- customers.id
-- root <- customers.name
-- depth <- (nothing)
-- (rows) <- customers.country [FILTER]

-- a recursive CTE that counts
with recursive days (n) as (select 1 union all select n + 1 from days where n < 5) select n, id from days, orders
-- expect
-- n <- (nothing)
-- id <- orders.id

-- a recursive CTE that multiplies
with recursive grown as (
    select id, amount from orders
    union all
    select grown.id, grown.amount * 2 from grown join returns on returns.order_id = grown.id where grown.amount < 40
)
select id, amount from grown
-- expect
-- id <- orders.id
-- amount <- orders.amount [TRANSFORMATION]
-- (rows) <- orders.amount [FILTER], orders.id [JOIN], returns.order_id [JOIN]

-- a recursive CTE that takes a column from elsewhere
with recursive chain as (
    select id, 0.0 as cost from customers
    union all
    select chain.id, items.price from chain join items on items.order_id = chain.id and chain.cost = 0
)
select id, cost from chain
-- expect
-- id <- customers.id
-- cost <- items.price
-- (rows) <- customers.id [JOIN], items.order_id [JOIN], items.price [JOIN]
