-- orders(id, user_id, status, amount)
with source as (select * from `my-proj`.`raw`.`orders`), renamed as (select id as order_id, user_id, safe_cast(amount as numeric) as amount, if(status = 'x', null, status) as status from source) select * from renamed
-- expect
-- order_id <- orders.id
-- user_id <- orders.user_id
-- amount <- orders.amount [TRANSFORMATION]
-- status <- orders.status [CONDITIONAL], orders.status [TRANSFORMATION]

-- events(event_date, event_params, user_pseudo_id, event_name)
select parse_date('%Y%m%d', event_date) as d, user_pseudo_id, (select value.string_value from unnest(event_params) where key = 'page_location') as page, (select ep.value.int_value from unnest(event_params) as ep where ep.key = 'ga_session_id') as session_id from `my-proj`.`raw`.`events` where _table_suffix between '20200101' and '20200201'
-- expect
-- d <- events.event_date [TRANSFORMATION]
-- user_pseudo_id <- events.user_pseudo_id
-- page <- events.event_params [TRANSFORMATION]
-- session_id <- events.event_params [TRANSFORMATION]
-- (rows) <- events.event_params [FILTER]

-- events(id, items)
select e.id, item.sku, item.price * item.qty as total, off from `my-proj`.`raw`.`events` as e, unnest(e.items) as item with offset as off
-- expect
-- id <- events.id
-- sku <- events.items [TRANSFORMATION]
-- total <- events.items [TRANSFORMATION]
-- off <- (generator)

-- events(id, items)
select id, item.sku from `my-proj`.`raw`.`events` cross join unnest(items) as item
-- expect
-- id <- events.id
-- sku <- events.items [TRANSFORMATION]

-- events()
select id, item.sku, geo.country as country, device.browser.name as browser from `my-proj`.`raw`.`events` left join unnest(items) as item
-- expect
-- id <- events.id
-- sku <- events.items [TRANSFORMATION]
-- country <- events.geo [TRANSFORMATION]
-- browser <- events.device [TRANSFORMATION]

-- events()
select e.id, e.geo.country, e.items[safe_offset(0)].sku as first_sku, e.items[offset(1)] as second from `my-proj`.`raw`.`events` e
-- expect
-- id <- events.id
-- country <- events.geo [TRANSFORMATION]
-- first_sku <- events.items [TRANSFORMATION]
-- second <- events.items [TRANSFORMATION]

-- orders(id, a, b, c)
select * except (b, c), concat(b, '-', c) as bc from `my-proj`.`raw`.`orders`
-- expect
-- id <- orders.id
-- a <- orders.a
-- bc <- orders.b [TRANSFORMATION], orders.c [TRANSFORMATION]

-- orders(id, a, b, c)
select * replace (upper(a) as a) from `my-proj`.`raw`.`orders`
-- expect
-- id <- orders.id
-- a <- orders.a [TRANSFORMATION]
-- b <- orders.b
-- c <- orders.c

-- orders(id, cust, ts)
select as struct id, cust from `my-proj`.`raw`.`orders`
-- expect
-- id <- orders.id
-- cust <- orders.cust

-- orders(id, cust, ts, amount)
select unique.* from (select array_agg(original order by ts desc limit 1)[offset(0)] unique from `my-proj`.`raw`.`orders` original group by cust)
-- expect
-- id <- orders.id [AGGREGATION], orders.ts [SORT]
-- cust <- orders.cust [AGGREGATION], orders.ts [SORT]
-- ts <- orders.ts [AGGREGATION], orders.ts [SORT]
-- amount <- orders.amount [AGGREGATION], orders.ts [SORT]
-- (rows) <- orders.cust [GROUP_BY]

-- orders(id, cust, ts, amount)
select cust, array_agg(struct(id, amount) order by ts) as orders, string_agg(cast(id as string), ',' order by ts) as ids, countif(amount > 10) as n, any_value(amount having max ts) as latest, approx_quantiles(amount, 2)[offset(1)] as med, logical_or(amount > 3) as l from `my-proj`.`raw`.`orders` group by 1
-- expect
-- cust <- orders.cust
-- orders <- orders.amount [AGGREGATION], orders.id [AGGREGATION], orders.ts [SORT]
-- ids <- orders.id [AGGREGATION], orders.ts [SORT]
-- n <- orders.amount [AGGREGATION]
-- latest <- orders.amount [AGGREGATION], orders.ts [AGGREGATION]
-- med <- orders.amount [AGGREGATION]
-- l <- orders.amount [AGGREGATION]
-- (rows) <- orders.cust [GROUP_BY]

-- orders(id, cust, ts, amount)
select id, row_number() over w as rn, sum(amount) over (w rows between 2 preceding and current row) as s from `my-proj`.`raw`.`orders` window w as (partition by cust order by ts) qualify rn < 3
-- expect
-- id <- orders.id
-- rn <- orders.cust [WINDOW], orders.ts [WINDOW]
-- s <- orders.amount [AGGREGATION], orders.cust [WINDOW], orders.ts [WINDOW]
-- (rows) <- orders.cust [FILTER], orders.ts [FILTER]

-- orders(id, cust, payload)
select json_value(payload, '$.a') as a, json_extract_scalar(payload, '$.b') as b, payload.c.d as d, json_query_array(payload, '$.items') as items, lax_string(payload.x) as x from `my-proj`.`raw`.`orders`
-- expect
-- a <- orders.payload [TRANSFORMATION]
-- b <- orders.payload [TRANSFORMATION]
-- d <- orders.payload [TRANSFORMATION]
-- items <- orders.payload [TRANSFORMATION]
-- x <- orders.payload [TRANSFORMATION]

-- 
select day from unnest(generate_date_array('2020-01-01', current_date(), interval 1 day)) as day
-- expect
-- day <- (generator)

-- orders(id, cust, start_d, end_d)
select id, d from `my-proj`.`raw`.`orders`, unnest(generate_date_array(start_d, end_d)) as d
-- expect
-- id <- orders.id
-- d <- orders.end_d [TRANSFORMATION], orders.start_d [TRANSFORMATION]

-- sales(product, quarter, sales)
select * from `my-proj`.`raw`.`sales` pivot(sum(sales) as s, count(*) as n for quarter in ('Q1', 'Q2' as second))
-- expect
-- product <- sales.product
-- s_Q1 <- sales.quarter [CONDITIONAL], sales.sales [AGGREGATION]
-- n_Q1 <- sales.quarter [CONDITIONAL]
-- s_second <- sales.quarter [CONDITIONAL], sales.sales [AGGREGATION]
-- n_second <- sales.quarter [CONDITIONAL]
-- (rows) <- sales.product [GROUP_BY]

-- wide(product, q1, q2)
select * from `my-proj`.`raw`.`wide` unpivot(sales for quarter in (q1 as 'first', q2 as 'second'))
-- expect
-- product <- wide.product
-- quarter <- (constant)
-- sales <- wide.q1, wide.q2

-- a(id, x), b(id, x)
select * from `my-proj`.`raw`.`a` union distinct select * from `my-proj`.`raw`.`b` except distinct select 1, 'x'
-- expect
-- id <- a.id, b.id
-- x <- a.x, b.x

-- a(id, x), b(id, x)
(select id, x from `my-proj`.`raw`.`a`) except distinct (select id, x from `my-proj`.`raw`.`b`)
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- b.id [FILTER], b.x [FILTER]

-- a(id, x), b(id, x)
select * from `my-proj`.`raw`.`a` inner union all by name select * from `my-proj`.`raw`.`b`
-- expect
-- id <- a.id, b.id
-- x <- a.x, b.x

-- orders(Id, Cust)
select ID, cUST as Customer from `my-proj`.`raw`.`orders` where iD > 1
-- expect
-- Id <- orders.Id
-- Customer <- orders.Cust
-- (rows) <- orders.Id [FILTER]

-- orders(id, cust)
select o.id, row_id from `my-proj`.`raw`.`orders` o, unnest([1,2,3]) as row_id
-- expect
-- id <- orders.id
-- row_id <- (generator)

-- orders(id, cust, ts)
select id, cust, ts from `my-proj`.`raw`.`orders` where date(ts) >= date_sub(date(_dbt_max_partition), interval 1 day)
-- expect
-- id <- orders.id
-- cust <- orders.cust
-- ts <- orders.ts
-- (rows) <- orders.ts [FILTER]

-- orders~(id, cust, ts), cust~(id, name)
select o.*, c.name, to_hex(md5(concat(cast(o.id as string), c.name))) as sk from `my-proj`.`raw`.`orders` o left join `my-proj`.`raw`.`cust` c on c.id = o.cust
-- expect
-- id <- orders.id
-- cust <- orders.cust
-- ts <- orders.ts
-- name <- cust.name
-- sk <- cust.name [TRANSFORMATION], orders.id [TRANSFORMATION]
-- (rows) <- cust.id [JOIN], orders.cust [JOIN]
-- and more

-- a(id, `weird name`, größe)
select `weird name` as w, größe, a.`id` from `my-proj`.`raw`.`a` a
-- expect
-- w <- a.weird name
-- größe <- a.größe
-- id <- a.id

-- a(id, arr)
select id, (select sum(x) from unnest(arr) x) as total, array(select x * 2 from unnest(arr) as x where x > 1) as dbl, array_length(arr) as n, exists(select 1 from unnest(arr) x where x = id) as has, id in unnest(arr) as isin from `my-proj`.`raw`.`a`
-- expect
-- id <- a.id
-- total <- a.arr [AGGREGATION]
-- dbl <- a.arr [TRANSFORMATION]
-- n <- a.arr [TRANSFORMATION]
-- has <- a.arr [CONDITIONAL], a.id [CONDITIONAL]
-- isin <- a.arr [TRANSFORMATION], a.id [TRANSFORMATION]
-- (rows) <- a.arr [FILTER], a.id [FILTER]

-- a(id, v, ts)
select id, last_value(v ignore nulls) over (partition by id order by ts) as lv, percentile_cont(v, 0.5) over (partition by id) as p from `my-proj`.`raw`.`a`
-- expect
-- id <- a.id
-- lv <- a.id [WINDOW], a.ts [WINDOW], a.v [TRANSFORMATION]
-- p <- a.id [WINDOW], a.v [AGGREGATION]

-- a(id, s)
with x as (select id, struct(id as k, upper(s) as u) as st from `my-proj`.`raw`.`a`) select id, st.k as k, st.u as u, st.* from x
-- expect
-- id <- a.id
-- k <- a.id [TRANSFORMATION]
-- u <- a.s [TRANSFORMATION]
-- * <- (unknown: a star over a table whose columns are not known)
-- and more

-- a(id, s)
select t.id, t.s from (select * from `my-proj`.`raw`.`a` where s is not null) t where t.id not in (select id from `my-proj`.`raw`.`a` where s = 'x')
-- expect
-- id <- a.id
-- s <- a.s
-- (rows) <- a.id [FILTER], a.s [FILTER]

-- a(id, v)
with recursive r as (select 1 as n union all select n + 1 from r where n < 10) select r.n, a.v from r join `my-proj`.`raw`.`a` a on a.id = r.n
-- expect
-- n <- (constant)
-- v <- a.v
-- (rows) <- a.id [JOIN]

-- ga4()
with base as (select *, (select value.int_value from unnest(event_params) where key = 'x') as sid from `my-proj`.`raw`.`ga4`), s as (select user_pseudo_id, sid, min(event_timestamp) as started from base group by 1, 2) select to_base64(md5(concat(user_pseudo_id, sid))) as session_key, started from s
-- expect
-- session_key <- ga4.event_params [TRANSFORMATION], ga4.user_pseudo_id [TRANSFORMATION]
-- started <- ga4.event_timestamp [AGGREGATION]
-- (rows) <- ga4.event_params [FILTER], ga4.event_params [GROUP_BY], ga4.user_pseudo_id [GROUP_BY]

-- a(id, v)
select a.id, coalesce(nullif(trim(a.v), ''), 'none') as v, ifnull(a.v, '') as w, format_timestamp('%Y', timestamp_millis(a.id)) as y, regexp_extract(a.v, r'(\d+)') as r from `my-proj`.`raw`.`a` as a
-- expect
-- id <- a.id
-- v <- a.v [TRANSFORMATION]
-- w <- a.v [TRANSFORMATION]
-- y <- a.id [TRANSFORMATION]
-- r <- a.v [TRANSFORMATION]

-- a(id, v), b(id, w)
select * from `my-proj`.`raw`.`a` a full outer join `my-proj`.`raw`.`b` b using (id)
-- expect
-- id <- a.id, b.id
-- v <- a.v
-- w <- b.w
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- orders(id, cust)
select 'orders' as tbl, count(distinct id) as n, max(o.cust) as c from `my-proj`.`raw`.`orders` as o group by tbl
-- expect
-- tbl <- (constant)
-- n <- orders.id [AGGREGATION]
-- c <- orders.cust [AGGREGATION]

-- ga(event_date, event_params, user_id)
select user_id, (select value.string_value from unnest(event_params) where key = 'page_location') as page from `my-proj`.`raw`.`ga`
-- expect
-- user_id <- ga.user_id
-- page <- ga.event_params [TRANSFORMATION]
-- (rows) <- ga.event_params [FILTER]

-- ga()
select user_id, max((select value.int_value from unnest(event_params) where key = 'sid')) as sid, count(distinct case when event_name = 'x' then user_id end) as n from `my-proj`.`raw`.`ga` group by 1
-- expect
-- user_id <- ga.user_id
-- sid <- ga.event_params [AGGREGATION]
-- n <- ga.event_name [CONDITIONAL], ga.user_id [AGGREGATION]
-- (rows) <- ga.event_params [FILTER], ga.user_id [GROUP_BY]

-- a(id, arr)
select id, item from `my-proj`.`raw`.`a`, unnest(arr) item where exists (select 1 from unnest(arr) where id = 3)
-- expect
-- id <- a.id
-- item <- a.arr [TRANSFORMATION]
-- (rows) <- a.id [FILTER]

-- a(id, arr)
select id, pos, item.k from `my-proj`.`raw`.`a` left join unnest(arr) as item with offset as pos where pos = 0
-- expect
-- id <- a.id
-- pos <- (generator)
-- k <- a.arr [TRANSFORMATION]

-- a(id, ts)
select * except(rn) from (select *, row_number() over(partition by id order by ts desc) rn from `my-proj`.`raw`.`a`) where rn = 1
-- expect
-- id <- a.id
-- ts <- a.ts
-- (rows) <- a.id [FILTER], a.ts [FILTER]

-- a(id, rec)
select id, rec.*, rec.a.b as c from `my-proj`.`raw`.`a`
-- expect
-- id <- a.id
-- * <- (unknown: a star over a table whose columns are not known)
-- c <- a.rec [TRANSFORMATION]
-- and more

-- a(id, x)
select a.id, a.x from `my-proj`.`raw`.`a`
-- expect
-- id <- a.id
-- x <- a.x

-- a(day, month, x)
select date_trunc(day, month) as m, month, day, extract(month from day) as e, date_diff(day, month, week) as dd from `my-proj`.`raw`.`a`
-- expect
-- m <- a.day [TRANSFORMATION]
-- month <- a.month
-- day <- a.day
-- e <- a.day [TRANSFORMATION]
-- dd <- a.day [TRANSFORMATION], a.month [TRANSFORMATION]

-- a()
select id, k1 from (select * from `my-proj`.`raw`.`a`) pivot (max(y) for x in ('k1', 'k2'))
-- expect
-- id <- a.id
-- k1 <- a.x [CONDITIONAL], a.y [AGGREGATION]

-- a(id, items)
select id, sku from `my-proj`.`raw`.`a`, unnest(items) as item
-- expect
-- id <- a.id
-- sku <- a.items [TRANSFORMATION]

-- a()
select user.id as user_id, user.name, level from `my-proj`.`raw`.`a`
-- expect
-- user_id <- a.user [TRANSFORMATION]
-- name <- a.user [TRANSFORMATION]
-- level <- a.level

-- a(id, items)
select id, array(select as struct sku, qty from unnest(items)) as arr, (select sum(qty) from unnest(items)) as q from `my-proj`.`raw`.`a`
-- expect
-- id <- a.id
-- arr <- a.items [TRANSFORMATION]
-- q <- a.items [AGGREGATION]

-- a(id, x)
select unique.* from (select array_agg(original order by x limit 1)[offset(0)] unique from `my-proj`.`raw`.`a` original group by id)
-- expect
-- id <- a.id [AGGREGATION], a.x [SORT]
-- x <- a.x [AGGREGATION], a.x [SORT]
-- (rows) <- a.id [GROUP_BY]
