-- orders(id, cust, amt, ts)
select id, amt * 2 as dbl, dbl + 1 as dbl1, getdate() as at, nvl(cust, 'x') as c, listagg(cust, ',') within group (order by ts) over (partition by cust) as l from "db"."raw"."orders"
-- expect
-- id <- orders.id
-- dbl <- orders.amt [TRANSFORMATION]
-- dbl1 <- orders.amt [TRANSFORMATION]
-- at <- (generator)
-- c <- orders.cust [TRANSFORMATION]
-- l <- orders.cust [AGGREGATION], orders.cust [WINDOW], orders.ts [AGGREGATION]

-- orders(id, cust, data)
select o.id, item.sku::varchar as sku, o.data.customer.name as nm from "db"."raw"."orders" o, o.data.items as item
-- expect
-- id <- orders.id
-- sku <- orders.data [TRANSFORMATION]
-- nm <- orders.data [TRANSFORMATION]

-- orders(id, cust, ts)
select * from (select *, row_number() over (partition by id order by ts desc) as rn from "db"."raw"."orders") where rn = 1
-- expect
-- id <- orders.id
-- cust <- orders.cust
-- ts <- orders.ts
-- rn <- orders.id [WINDOW], orders.ts [WINDOW]
-- (rows) <- orders.id [FILTER], orders.ts [FILTER]

-- orders()
with source as (select * from "db"."raw"."orders"), renamed as (select id, json_extract_path_text(payload, 'a', 'b') as ab, datediff(day, created_at, updated_at) as days, decode(status, 1, 'a', 'b') as st from source) select * from renamed
-- expect
-- id <- orders.id
-- ab <- orders.payload [TRANSFORMATION]
-- days <- orders.created_at [TRANSFORMATION], orders.updated_at [TRANSFORMATION]
-- st <- orders.status [TRANSFORMATION]

-- orders(id, cust, ts)
select id, cust from "db"."raw"."orders" qualify row_number() over (partition by cust order by ts) = 1
-- expect
-- id <- orders.id
-- cust <- orders.cust
-- (rows) <- orders.cust [FILTER], orders.ts [FILTER]

-- orders(id, q, amt)
select * from (select id, q, amt from "db"."raw"."orders") pivot (sum(amt) for q in (1 as one, 2 as two))
-- expect
-- id <- orders.id
-- one <- orders.amt [AGGREGATION], orders.q [CONDITIONAL]
-- two <- orders.amt [AGGREGATION], orders.q [CONDITIONAL]
-- (rows) <- orders.id [GROUP_BY]

-- orders(id, Cust, amt)
select "ID" as id, CUST as c, median(amt) over (partition by cust) as m, ratio_to_report(amt) over (partition by cust) as r from "db"."raw"."orders"
-- expect
-- id <- orders.id
-- c <- orders.Cust
-- m <- orders.Cust [WINDOW], orders.amt [AGGREGATION]
-- r <- orders.Cust [WINDOW], orders.amt [AGGREGATION]

-- a(id, x), b(id, x)
select id, x from "db"."raw"."a" minus select id, x from "db"."raw"."b"
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- b.id [FILTER], b.x [FILTER]

-- a(id, x, y)
select top 10 id, x from "db"."raw"."a" where y ilike '%a%' order by x desc
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.x [SORT], a.y [FILTER]

-- a(id, x, y)
select * exclude (y) from "db"."raw"."a"
-- expect
-- id <- a.id
-- x <- a.x

-- a(id, x)
select id, sum(x) over (partition by id rows unbounded preceding) as s, x::super.a as sa, json_parse(x).b.c as bc from "db"."raw"."a"
-- expect
-- id <- a.id
-- s <- a.id [WINDOW], a.x [AGGREGATION]
-- sa <- a.x [TRANSFORMATION]
-- bc <- a.x [TRANSFORMATION]

-- a(day, month, x)
select datediff(month, day, getdate()) as dd, dateadd('day', x, day) as da, date_part(year, month) as y, trunc(day) as t from "db"."raw"."a"
-- expect
-- dd <- a.day [TRANSFORMATION]
-- da <- a.day [TRANSFORMATION], a.x [TRANSFORMATION]
-- y <- a.month [TRANSFORMATION]
-- t <- a.day [TRANSFORMATION]
