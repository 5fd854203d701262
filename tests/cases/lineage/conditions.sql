-- case when
select id, case when status = 'paid' then amount else 0 end as paid from orders
-- expect
-- id <- orders.id
-- paid <- orders.amount [TRANSFORMATION], orders.status [CONDITIONAL]

-- case of a value
select case status when 'paid' then amount when 'open' then -amount end as signed from orders
-- expect
-- signed <- orders.amount [TRANSFORMATION], orders.status [CONDITIONAL]

-- several conditions
select case when amount > 20 then 'large' when customer_id = 1 then 'regular' else status end as class from orders
-- expect
-- class <- orders.amount [CONDITIONAL], orders.customer_id [CONDITIONAL], orders.status [TRANSFORMATION]

-- if
select if(status = 'paid', amount, customer_id) as value from orders
-- expect
-- value <- orders.amount [TRANSFORMATION], orders.customer_id [TRANSFORMATION], orders.status [CONDITIONAL]

-- the first that is known
select coalesce(c.name, o.status, 'nobody') as label from orders as o left join customers as c on c.id = o.customer_id
-- expect
-- label <- customers.name [TRANSFORMATION], orders.status [TRANSFORMATION]
-- (rows) <- customers.id [JOIN], orders.customer_id [JOIN]

-- nothing in place of a value
select nullif(status, 'open') as status from orders
-- expect
-- status <- orders.status [TRANSFORMATION]

-- comparisons are values
select id, amount > 10 as large, status like 'p%' as paid, amount between 5 and 8 as middling from orders
-- expect
-- id <- orders.id
-- large <- orders.amount [TRANSFORMATION]
-- paid <- orders.status [TRANSFORMATION]
-- middling <- orders.amount [TRANSFORMATION]
