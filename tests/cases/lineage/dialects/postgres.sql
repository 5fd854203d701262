-- orders(id, user_id, status, amount)
with source as (select * from "db"."raw"."orders"), renamed as (select id as order_id, user_id as customer_id, amount::numeric(10,2) as amount, status from source) select * from renamed
-- expect
-- order_id <- orders.id
-- customer_id <- orders.user_id
-- amount <- orders.amount [TRANSFORMATION]
-- status <- orders.status

-- events(id, data)
select id, data->>'name' as name, data->'a'->0->>'b' as b, data #>> '{x,y}' as xy, (data->>'n')::int as n, data @> '{"a":1}' as has, jsonb_array_length(data->'items') as l from "db"."raw"."events" where data ? 'name'
-- expect
-- id <- events.id
-- name <- events.data [TRANSFORMATION]
-- b <- events.data [TRANSFORMATION]
-- xy <- events.data [TRANSFORMATION]
-- n <- events.data [TRANSFORMATION]
-- has <- events.data [TRANSFORMATION]
-- l <- events.data [TRANSFORMATION]
-- (rows) <- events.data [FILTER]

-- events(id, data)
select e.id, item->>'sku' as sku, t.ord from "db"."raw"."events" e cross join lateral jsonb_array_elements(e.data->'items') with ordinality as t(item, ord)
-- expect
-- id <- events.id
-- sku <- events.data [TRANSFORMATION]
-- ord <- events.data [TRANSFORMATION]

-- events(id, data, tags)
select id, jsonb_array_elements_text(data->'tags') as tag, unnest(tags) as t2, unnest(string_to_array(tags, ',')) as t3 from "db"."raw"."events"
-- expect
-- id <- events.id
-- tag <- events.data [TRANSFORMATION]
-- t2 <- events.tags [TRANSFORMATION]
-- t3 <- events.tags [TRANSFORMATION]

-- events(id, data)
select e.id, x.name, x.qty * 2 as q from "db"."raw"."events" e, jsonb_to_recordset(e.data) as x(name text, qty int)
-- expect
-- id <- events.id
-- name <- events.data [TRANSFORMATION]
-- q <- events.data [TRANSFORMATION]

-- orders(id, cust, ts)
select distinct on (cust, date_trunc('day', ts)) id, cust from "db"."raw"."orders" order by cust, date_trunc('day', ts), ts desc
-- expect
-- id <- orders.id
-- cust <- orders.cust
-- (rows) <- orders.cust [FILTER], orders.cust [SORT], orders.ts [FILTER], orders.ts [SORT]

-- orders(id, cust, ts)
select d::date as day, count(o.id) as n from generate_series('2020-01-01'::date, now(), interval '1 day') as d left join "db"."raw"."orders" o on o.ts::date = d group by 1
-- expect
-- day <- (generator)
-- n <- orders.id [AGGREGATION]
-- (rows) <- orders.ts [JOIN]

-- orders(id, cust, ts)
select s.i, o.id from "db"."raw"."orders" o, generate_series(1, o.cust) as s(i)
-- expect
-- i <- orders.cust [TRANSFORMATION]
-- id <- orders.id

-- orders(id, cust, amt)
select o.cust, l.total, l.last_id from "db"."raw"."orders" o left join lateral (select sum(i.amt) as total, max(i.id) as last_id from "db"."raw"."orders" i where i.cust = o.cust) l on true
-- expect
-- cust <- orders.cust
-- total <- orders.amt [AGGREGATION]
-- last_id <- orders.id [AGGREGATION]
-- (rows) <- orders.cust [FILTER]

-- orders("Id", "customerName", total)
select "Id" as id, o."customerName" as customer_name, TOTAL as total from "db"."raw"."orders" o
-- expect
-- id <- orders.Id
-- customer_name <- orders.customerName
-- total <- orders.total

-- orders()
with orders as (select * from "db"."raw"."orders") select orders."customerId" as customer_id, extract(epoch from created_at) as e, array_agg(id order by created_at) as ids, count(*) filter (where state in ('a','b')) as n from orders group by 1, 2
-- expect
-- customer_id <- orders.customerId
-- e <- orders.created_at [TRANSFORMATION]
-- ids <- orders.created_at [SORT], orders.id [AGGREGATION]
-- n <- orders.state [CONDITIONAL]
-- (rows) <- orders.created_at [GROUP_BY], orders.customerId [GROUP_BY]

-- emp(id, boss, name)
with recursive r(id, path, depth) as (select id, array[name], 0 from "db"."raw"."emp" where boss is null union select e.id, r.path || e.name, r.depth + 1 from "db"."raw"."emp" e inner join r on r.id = e.boss where r.depth < 5) select id, path[1] as root, array_to_string(path, '>') as p, depth from r
-- expect
-- id <- emp.id
-- root <- emp.name [TRANSFORMATION]
-- p <- emp.name [TRANSFORMATION]
-- depth <- (constant)
-- (rows) <- emp.boss [FILTER], emp.boss [JOIN], emp.id [JOIN]

-- a(id, x), b(id, x)
select id, x from "db"."raw"."a" except all select id, x from "db"."raw"."b" order by x
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.x [SORT], b.id [FILTER], b.x [FILTER]

-- a(id, x), b(id, x)
table "db"."raw"."a"
-- expect
-- id <- a.id
-- x <- a.x

-- a(id, x, y)
select (array_agg(x order by y desc))[1] as latest, percentile_cont(0.5) within group (order by y) as med, mode() within group (order by x) as m, string_agg(x::text, ',') as s, corr(x, y) as c, sum(x) / nullif(sum(y), 0) as ratio, json_agg(json_build_object('x', x)) as j from "db"."raw"."a"
-- expect
-- latest <- a.x [AGGREGATION], a.y [SORT]
-- med <- a.y [AGGREGATION]
-- m <- a.x [AGGREGATION]
-- s <- a.x [AGGREGATION]
-- c <- a.x [AGGREGATION], a.y [AGGREGATION]
-- ratio <- a.x [AGGREGATION], a.y [AGGREGATION]
-- j <- a.x [AGGREGATION]

-- a(id, x, y)
select row_to_json(t) as j, to_jsonb(t.*) as k, t.id from "db"."raw"."a" t
-- expect
-- j <- a.id [TRANSFORMATION], a.x [TRANSFORMATION], a.y [TRANSFORMATION]
-- k <- a.id [TRANSFORMATION], a.x [TRANSFORMATION], a.y [TRANSFORMATION]
-- id <- a.id

-- a(id, x, y)
select a.id, b.total from "db"."raw"."a" a join (select id, sum(x) total from "db"."raw"."a" group by id) b using (id) where a.y = any(array[1,2]) and a.x = any (select y from "db"."raw"."a")
-- expect
-- id <- a.id
-- total <- a.x [AGGREGATION]
-- (rows) <- a.id [GROUP_BY], a.id [JOIN], a.x [FILTER], a.y [FILTER]

-- a(id, x, y)
select id, x, sum(y) over (order by x range between unbounded preceding and current row exclude current row) as s, ntile(4) over (order by y) as q, lead(x, 1, 0) over (partition by id order by y) as nx from "db"."raw"."a"
-- expect
-- id <- a.id
-- x <- a.x
-- s <- a.x [WINDOW], a.y [AGGREGATION]
-- q <- a.y [WINDOW]
-- nx <- a.id [WINDOW], a.x [TRANSFORMATION], a.y [WINDOW]

-- a(id, x), b(a_id, z)
select a.*, b.z is not null as has_b, (b.*) is null as no_b from "db"."raw"."a" a left join "db"."raw"."b" b on b.a_id = a.id
-- expect
-- id <- a.id
-- x <- a.x
-- has_b <- b.z [TRANSFORMATION]
-- no_b <- b.a_id [TRANSFORMATION], b.z [TRANSFORMATION]
-- (rows) <- a.id [JOIN], b.a_id [JOIN]

-- a(id, x)
with x as (select * from "db"."raw"."a"), y as materialized (select id, x from x), del as (select id from y where x > 1) select y.id from y where not exists (select 1 from del where del.id = y.id)
-- expect
-- id <- a.id
-- (rows) <- a.id [FILTER], a.x [FILTER]

-- a(id, x)
select v.k, a.x from "db"."raw"."a" a cross join lateral (values ('a', a.id), ('b', a.x)) as v(k, val) where v.val > 0
-- expect
-- k <- (constant)
-- x <- a.x
-- (rows) <- a.id [FILTER], a.x [FILTER]

-- a(id, x)
select v.k, v.val from "db"."raw"."a" a cross join lateral (values ('a', a.id), ('b', a.x)) as v(k, val)
-- expect
-- k <- (constant)
-- val <- a.id, a.x

-- a~(id), b~(id)
select a.id, lower(a.name) as name, b.amount from "db"."raw"."a" a join "db"."raw"."b" b on a.id = b.id where b.deleted_at is null
-- expect
-- id <- a.id
-- name <- a.name [TRANSFORMATION]
-- amount <- b.amount
-- (rows) <- a.id [JOIN], b.deleted_at [FILTER], b.id [JOIN]

-- a(id, x)
select * from crosstab('select id, x from t') as ct(id int, q1 int, q2 int)
-- expect
-- id <- (generator)
-- q1 <- (generator)
-- q2 <- (generator)
-- * <- (unknown: a star over a table whose columns are not known)
-- and more

-- a(id, n, ö)
select id, n as "Ñame", ö::text || '€' as "Grö ße" from "db"."raw"."a" where "ö" > 1 for update
-- expect
-- id <- a.id
-- Ñame <- a.n
-- Grö ße <- a.ö [TRANSFORMATION]
-- (rows) <- a.ö [FILTER]

-- a(id, x)
select id, case when x > (select avg(x) from "db"."raw"."a") then 'hi' else 'lo' end as band from "db"."raw"."a"
-- expect
-- id <- a.id
-- band <- a.x [CONDITIONAL]

-- a(id, x), b(id, y, cid), c(cid, z)
select a.id, b.y, c.z from "db"."raw"."a" a left join ("db"."raw"."b" b inner join "db"."raw"."c" c on b.cid = c.cid) on a.id = b.id
-- expect
-- id <- a.id
-- y <- b.y
-- z <- c.z
-- (rows) <- a.id [JOIN], b.cid [JOIN], b.id [JOIN], c.cid [JOIN]

-- a(), b()
with u as (select * from "db"."raw"."a" union all select * from "db"."raw"."b") select * from u where id > 3
-- expect
-- * <- (unknown: a star over a table whose columns are not known)
-- (rows) <- a.id [FILTER], b.id [FILTER]
-- and more

-- a(id, data)
select id, (jsonb_each(data->'m')).key as k, jsonb_array_elements(data -> 'items') ->> 'sku' as sku, coalesce(data->'a'->>'b', 'x') as ab from "db"."raw"."a"
-- expect
-- id <- a.id
-- k <- a.data [TRANSFORMATION]
-- sku <- a.data [TRANSFORMATION]
-- ab <- a.data [TRANSFORMATION]

-- a(id, data)
select a.id, elem->>'v' as v from "db"."raw"."a" a, jsonb_array_elements(data->'xs') elem
-- expect
-- id <- a.id
-- v <- a.data [TRANSFORMATION]

-- a()
select a.id, elem->>'v' as v, e2.value->>'w' as w from "db"."raw"."a" a, jsonb_array_elements(a.data->'xs') elem, json_array_elements(a.more) as e2
-- expect
-- id <- a.id
-- v <- a.data [TRANSFORMATION]
-- w <- a.more [TRANSFORMATION]

-- a(id, x)
select percent_rank() over w as p, a.x - avg(a.x) over w as d, sum(x) over (w rows 3 preceding) as s from "db"."raw"."a" a window w as (partition by id), w2 as (w order by x)
-- expect
-- p <- a.id [WINDOW]
-- d <- a.id [WINDOW], a.x [AGGREGATION]
-- s <- a.id [WINDOW], a.x [AGGREGATION]

-- a(id, x)
select a.*, x as x2, 1 as one from "db"."raw"."a" a where id in (values (1), (2)) and (select count(*) from "db"."raw"."a") > 1 and a is not null
-- expect
-- id <- a.id
-- x <- a.x
-- x2 <- a.x
-- one <- (constant)
-- (rows) <- a.id [FILTER], a.x [FILTER]

-- a(user, order_id, "group")
select "user", order_id, "group" as grp from "db"."raw"."a"
-- expect
-- user <- a.user
-- order_id <- a.order_id
-- grp <- a.group

-- 
select column1 as a, column2 from (values (1, 2)) v
-- expect
-- a <- (constant)
-- column2 <- (constant)

-- a(), b(id, z)
select id, count(*) filter (where y > (select avg(z) from "db"."raw"."b")) as n from "db"."raw"."a" group by 1
-- expect
-- id <- a.id
-- n <- a.y [CONDITIONAL], b.z [CONDITIONAL]
-- (rows) <- a.id [GROUP_BY]

-- a(id, x, ts)
with s as (select id, coalesce(x, 0), max(ts) from "db"."raw"."a" group by 1, 2) select id, coalesce, max from s
-- expect
-- id <- a.id
-- coalesce <- a.x [TRANSFORMATION]
-- max <- a.ts [AGGREGATION]
-- (rows) <- a.id [GROUP_BY], a.x [GROUP_BY]
