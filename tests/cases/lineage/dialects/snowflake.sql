-- orders(id, user_id, status, amount, _fivetran_synced)
with source as (select * from DB.RAW.ORDERS), renamed as (select ID as order_id, "USER_ID" as customer_id, status::varchar(20) as status, amount/100 as amount_usd, convert_timezone('UTC', _fivetran_synced) as synced_at from source) select * from renamed
-- expect
-- ORDER_ID <- orders.ID
-- CUSTOMER_ID <- orders.USER_ID
-- STATUS <- orders.STATUS [TRANSFORMATION]
-- AMOUNT_USD <- orders.AMOUNT [TRANSFORMATION]
-- SYNCED_AT <- orders._FIVETRAN_SYNCED [TRANSFORMATION]

-- events()
select v:user.id::string as user_id, v:items[0].sku::string as sku, parse_json(raw):a as a, get_path(v, 'x.y') as xy, v['k']::int as k from DB.RAW.EVENTS
-- expect
-- USER_ID <- events.V [TRANSFORMATION]
-- SKU <- events.V [TRANSFORMATION]
-- A <- events.RAW [TRANSFORMATION]
-- XY <- events.V [TRANSFORMATION]
-- K <- events.V [TRANSFORMATION]

-- events(id, payload)
select e.id, f.value:sku::string as sku, f.index as idx, f.key as k from DB.RAW.EVENTS e, lateral flatten(input => e.payload:items) f
-- expect
-- ID <- events.ID
-- SKU <- events.PAYLOAD [TRANSFORMATION]
-- IDX <- events.PAYLOAD [TRANSFORMATION]
-- K <- events.PAYLOAD [TRANSFORMATION]

-- events()
with source as (select * from DB.RAW.EVENTS) select id, item.value:price::float as price, item.value:qty::int * 2 as qty2 from source, lateral flatten(input => parse_json(line_items), outer => true) as item
-- expect
-- ID <- events.ID
-- PRICE <- events.LINE_ITEMS [TRANSFORMATION]
-- QTY2 <- events.LINE_ITEMS [TRANSFORMATION]

-- orders(id, cust, ts, amt)
select * from DB.RAW.ORDERS qualify row_number() over (partition by cust order by ts desc nulls last) = 1
-- expect
-- ID <- orders.ID
-- CUST <- orders.CUST
-- TS <- orders.TS
-- AMT <- orders.AMT
-- (rows) <- orders.CUST [FILTER], orders.TS [FILTER]

-- orders(id, cust, ts, amt)
select * exclude (ts, cust) rename (amt as amount) from DB.RAW.ORDERS
-- expect
-- ID <- orders.ID
-- AMOUNT <- orders.AMT

-- orders(id, cust, ts, amt)
select * replace (amt * 100 as amt) from DB.RAW.ORDERS where ts > dateadd(day, -3, current_timestamp())
-- expect
-- ID <- orders.ID
-- CUST <- orders.CUST
-- TS <- orders.TS
-- AMT <- orders.AMT [TRANSFORMATION]
-- (rows) <- orders.TS [FILTER]

-- sales(empid, month, amount)
select * from DB.RAW.SALES pivot (sum(amount) for month in ('JAN', 'FEB')) as p (empid, jan, feb)
-- expect
-- EMPID <- sales.EMPID
-- JAN <- sales.AMOUNT [AGGREGATION], sales.MONTH [CONDITIONAL]
-- FEB <- sales.AMOUNT [AGGREGATION], sales.MONTH [CONDITIONAL]
-- (rows) <- sales.EMPID [GROUP_BY]

-- sales(empid, month, amount)
select empid, "'JAN'" as jan from DB.RAW.SALES pivot (sum(amount) for month in ('JAN', 'FEB'))
-- expect
-- EMPID <- sales.EMPID
-- JAN <- sales.AMOUNT [AGGREGATION], sales.MONTH [CONDITIONAL]
-- (rows) <- sales.EMPID [GROUP_BY]

-- wide(id, jan, feb)
select * from DB.RAW.WIDE unpivot (sales for month in (jan, feb))
-- expect
-- ID <- wide.ID
-- MONTH <- (constant)
-- SALES <- wide.FEB, wide.JAN

-- orders(id, cust, ts, amt), customers(id, name)
select o.id, c.name as "Customer Name", c.name as customer_name from DB.RAW.ORDERS as o left join DB.RAW.CUSTOMERS as c on o.cust = c.id order by "Customer Name"
-- expect
-- ID <- orders.ID
-- Customer Name <- customers.NAME
-- CUSTOMER_NAME <- customers.NAME
-- (rows) <- customers.ID [JOIN], customers.NAME [SORT], orders.CUST [JOIN]

-- orders(id, cust, amt)
select cust, listagg(distinct id, ',') within group (order by amt) as ids, array_agg(id) within group (order by amt desc) as arr, object_agg(cust, amt) as o, count_if(amt > 3) as n, approx_count_distinct(id) as ad, max_by(id, amt) as top, ratio_to_report(sum(amt)) over () as rr from DB.RAW.ORDERS group by cust
-- expect
-- CUST <- orders.CUST
-- IDS <- orders.AMT [SORT], orders.ID [AGGREGATION]
-- ARR <- orders.AMT [AGGREGATION], orders.ID [AGGREGATION]
-- O <- orders.AMT [AGGREGATION], orders.CUST [AGGREGATION]
-- N <- orders.AMT [AGGREGATION]
-- AD <- orders.ID [AGGREGATION]
-- TOP <- orders.AMT [AGGREGATION], orders.ID [AGGREGATION]
-- RR <- orders.AMT [AGGREGATION]
-- (rows) <- orders.CUST [GROUP_BY]

-- orders~(id, cust, amt)
with o as (select * from DB.RAW.ORDERS) select id, cust, amt, updated from o where updated > (select max(updated) from DB.RAW.IT_MODEL)
-- expect
-- id <- orders.id
-- cust <- orders.cust
-- amt <- orders.amt
-- UPDATED <- orders.UPDATED
-- (rows) <- orders.UPDATED [FILTER]

-- 
select dateadd(day, seq4(), '2020-01-01'::date) as day, row_number() over (order by seq4()) as n, uniform(1, 10, random()) as u from table(generator(rowcount => 100))
-- expect
-- DAY <- (generator)
-- N <- (generator)
-- U <- (generator)

-- orders(id, tags)
select id, t.value::string as tag from DB.RAW.ORDERS, table(flatten(input => split(tags, ','))) t
-- expect
-- ID <- orders.ID
-- TAG <- orders.TAGS [TRANSFORMATION]

-- orders(id, tags)
select id, s.value as tag, s.index as i from DB.RAW.ORDERS, lateral split_to_table(tags, ',') s
-- expect
-- ID <- orders.ID
-- TAG <- orders.TAGS [TRANSFORMATION]
-- I <- orders.TAGS [TRANSFORMATION]

-- a(id, ts, v), b(id, ts, w)
select a.id, a.v, b.w from DB.RAW.A a asof join DB.RAW.B b match_condition (a.ts >= b.ts) on a.id = b.id
-- expect
-- ID <- a.ID
-- V <- a.V
-- W <- b.W
-- (rows) <- a.ID [JOIN], a.TS [JOIN], b.ID [JOIN], b.TS [JOIN]

-- a(id, ts, v)
select id, last_value(v ignore nulls) over (partition by id order by ts) as lv, conditional_change_event(v) over (partition by id order by ts) as cc, sum(v) over (partition by id order by ts rows between 6 preceding and current row) as s7 from DB.RAW.A
-- expect
-- ID <- a.ID
-- LV <- a.ID [WINDOW], a.TS [WINDOW], a.V [TRANSFORMATION]
-- CC <- a.ID [WINDOW], a.TS [WINDOW], a.V [TRANSFORMATION]
-- S7 <- a.ID [WINDOW], a.TS [WINDOW], a.V [AGGREGATION]

-- a(id, payload)
select id, object_construct('a', id, 'b', payload:x) as o, object_construct(*) as everything, array_construct(id, payload) as arr, hash(*) as h from DB.RAW.A
-- expect
-- ID <- a.ID
-- O <- a.ID [TRANSFORMATION], a.PAYLOAD [TRANSFORMATION]
-- EVERYTHING <- a.ID [TRANSFORMATION], a.PAYLOAD [TRANSFORMATION]
-- ARR <- a.ID [TRANSFORMATION], a.PAYLOAD [TRANSFORMATION]
-- H <- a.ID [TRANSFORMATION], a.PAYLOAD [TRANSFORMATION]

-- a(id, v), b(id, v)
select * from DB.RAW.A minus select * from DB.RAW.B
-- expect
-- ID <- a.ID
-- V <- a.V
-- (rows) <- b.ID [FILTER], b.V [FILTER]

-- employees(id, manager_id, title)
with recursive managers (indent, employee_id, manager_id, title) as (select '' as indent, id, manager_id, title from DB.RAW.EMPLOYEES where title = 'President' union all select indent || '--', employees.id, employees.manager_id, employees.title from DB.RAW.EMPLOYEES as employees join managers on employees.manager_id = managers.employee_id) select indent || title as title, employee_id from managers
-- expect
-- TITLE <- employees.TITLE [TRANSFORMATION]
-- EMPLOYEE_ID <- employees.ID
-- (rows) <- employees.ID [JOIN], employees.MANAGER_ID [JOIN], employees.TITLE [FILTER]

-- employees(id, manager_id, title)
select id, level, sys_connect_by_path(title, '/') as path, connect_by_root title as root from DB.RAW.EMPLOYEES start with manager_id is null connect by prior id = manager_id
-- expect
-- ID <- employees.ID
-- LEVEL <- (generator)
-- PATH <- employees.TITLE [TRANSFORMATION]
-- ROOT <- employees.TITLE [TRANSFORMATION]
-- (rows) <- employees.ID [JOIN], employees.MANAGER_ID [JOIN]

-- orders(id, cust, amt)
with base as ( select * from DB.RAW.ORDERS ), fields as ( select cast(null as varchar) as _fivetran_x, id, cust as customer_id, cast(amt as float) as amount from base ), final as ( select id as order_id, customer_id, amount from fields where coalesce(_fivetran_x, '') = '' ) select * from final
-- expect
-- ORDER_ID <- orders.ID
-- CUSTOMER_ID <- orders.CUST
-- AMOUNT <- orders.AMT [TRANSFORMATION]

-- orders(id, cust, amt)
select cust, date_trunc('month', id) as m, sum(amt) as amt from DB.RAW.ORDERS where amt > 0 group by all having sum(amt) > 5
-- expect
-- CUST <- orders.CUST
-- M <- orders.ID [TRANSFORMATION]
-- AMT <- orders.AMT [AGGREGATION]
-- (rows) <- orders.AMT [FILTER], orders.CUST [GROUP_BY], orders.ID [GROUP_BY]

-- orders(id, cust, amt)
select o.* exclude amt, count(*) over (partition by o.cust) as n from DB.RAW.ORDERS o
-- expect
-- ID <- orders.ID
-- CUST <- orders.CUST
-- N <- orders.CUST [WINDOW]

-- a(), b()
with a as (select * from DB.RAW.A), b as (select * from DB.RAW.B), j as (select a.*, b.email as contact_email, b.name from a left join b on a.contact_id = b.id) select id, contact_email, name, status from j
-- expect
-- ID <- a.ID
-- CONTACT_EMAIL <- b.EMAIL
-- NAME <- b.NAME
-- STATUS <- a.STATUS
-- (rows) <- a.CONTACT_ID [JOIN], b.ID [JOIN]

-- a(id, "MixedCase", v)
select a."MixedCase" as mixed, v as "v" from DB.RAW.A a
-- expect
-- MIXED <- a.MixedCase
-- v <- a.V

-- a(id, v)
select id, v from DB.RAW.A at(offset => -60*5) where id in (1, 2)
-- expect
-- ID <- a.ID
-- V <- a.V
-- (rows) <- a.ID [FILTER]

-- a(id, v), b(id, v)
select 'a' as src, id, v from DB.RAW.A union select 'b', id, null from DB.RAW.B order by id
-- expect
-- SRC <- (constant)
-- ID <- a.ID, b.ID
-- V <- a.V
-- (rows) <- a.ID [SORT], b.ID [SORT]

-- a(id, v, k)
select k, case when max(v) > 10 then 'hi' when count(*) > 3 then 'mid' else min(id)::string end as band from DB.RAW.A group by k
-- expect
-- K <- a.K
-- BAND <- a.ID [AGGREGATION], a.V [CONDITIONAL]
-- (rows) <- a.K [GROUP_BY]

-- a(id, v, k)
select array_size(filter(v, x -> x:amt::int > 10)) as n, transform(v, x -> x:amt * id) as t from DB.RAW.A
-- expect
-- N <- a.V [TRANSFORMATION]
-- T <- a.ID [TRANSFORMATION], a.V [TRANSFORMATION]

-- stripe_charge(), stripe_customer(id, email, created)
with charge as (select * from DB.RAW.STRIPE_CHARGE), customer as (select * from DB.RAW.STRIPE_CUSTOMER), joined as (select charge.id as charge_id, charge.amount / 100 as amount, customer.email, customer.created as customer_created_at, case when charge.status = 'succeeded' then true else false end as is_ok from charge left join customer on charge.customer_id = customer.id), agg as (select email, count(*) as n, count(case when is_ok then charge_id end) as n_ok, sum(iff(is_ok, amount, 0)) as amt_ok from joined group by 1) select * from agg
-- expect
-- EMAIL <- stripe_customer.EMAIL
-- N <- (generator)
-- N_OK <- stripe_charge.ID [AGGREGATION], stripe_charge.STATUS [CONDITIONAL]
-- AMT_OK <- stripe_charge.AMOUNT [AGGREGATION], stripe_charge.STATUS [CONDITIONAL]
-- (rows) <- stripe_charge.CUSTOMER_ID [JOIN], stripe_customer.EMAIL [GROUP_BY], stripe_customer.ID [JOIN]

-- tracks(event_id, user_id, anonymous_id, ts)
with lagged as (select *, lag(ts) over (partition by user_id order by ts) as prev_ts from DB.RAW.TRACKS), starts as (select *, case when datediff(minute, prev_ts, ts) > 30 or prev_ts is null then 1 else 0 end as is_new from lagged), sess as (select *, sum(is_new) over (partition by user_id order by ts rows between unbounded preceding and current row) as session_nr from starts) select event_id, user_id, md5(user_id || session_nr::varchar) as session_id, min(ts) over (partition by user_id, session_nr) as started from sess
-- expect
-- EVENT_ID <- tracks.EVENT_ID
-- USER_ID <- tracks.USER_ID
-- SESSION_ID <- tracks.TS [CONDITIONAL], tracks.TS [WINDOW], tracks.USER_ID [TRANSFORMATION], tracks.USER_ID [WINDOW]
-- STARTED <- tracks.TS [AGGREGATION], tracks.TS [CONDITIONAL], tracks.TS [WINDOW], tracks.USER_ID [WINDOW]

-- a(id, x), b(id, y)
with a as (select * from DB.RAW.A), b as (select * from DB.RAW.B), unioned as (select id, x, 'a' as src from a union all select id, y, 'b' from b), dedup as (select *, row_number() over (partition by id order by src) as rn from unioned) select id, x from dedup where rn = 1
-- expect
-- ID <- a.ID, b.ID
-- X <- a.X, b.Y
-- (rows) <- a.ID [FILTER], b.ID [FILTER]

-- a(id, v)
select id, v:a.b::string b, v:"weird key"::string w, object_keys(v) ks, f.value:x y, f.this th from DB.RAW.A a, lateral flatten(input => a.v, path => 'q', recursive => true) f where f.key = 'z'
-- expect
-- ID <- a.ID
-- B <- a.V [TRANSFORMATION]
-- W <- a.V [TRANSFORMATION]
-- KS <- a.V [TRANSFORMATION]
-- Y <- a.V [TRANSFORMATION]
-- TH <- a.V [TRANSFORMATION]
-- (rows) <- a.V [FILTER]

-- a()
select a.id, f.value::string as tag, g.value:z::int as z from DB.RAW.A a, lateral flatten(input => a.tags) f, lateral flatten(input => f.value:zs) g
-- expect
-- ID <- a.ID
-- TAG <- a.TAGS [TRANSFORMATION]
-- Z <- a.TAGS [TRANSFORMATION]

-- a()
select *, value:id::int as id2, value as raw from DB.RAW.A
-- expect
-- * <- (unknown: a star over a table whose columns are not known)
-- ID2 <- a.VALUE [TRANSFORMATION]
-- RAW <- a.VALUE
-- and more

-- a(id, x, y)
select a.id, sum(a.x) as x, max(y) as y from DB.RAW.A as a group by a.id having x > 3 and count(y) > 1 order by x desc nulls last, 1
-- expect
-- ID <- a.ID
-- X <- a.X [AGGREGATION]
-- Y <- a.Y [AGGREGATION]
-- (rows) <- a.ID [GROUP_BY], a.ID [SORT], a.X [FILTER], a.X [SORT], a.Y [FILTER]

-- a(id, x)
select db.raw.a.id, a.x from DB.RAW.A
-- expect
-- ID <- a.ID
-- X <- a.X

-- a()
select id, level, date, year, user as u from DB.RAW.A
-- expect
-- ID <- a.ID
-- LEVEL <- a.LEVEL
-- DATE <- a.DATE
-- YEAR <- a.YEAR
-- U <- a.USER

-- a(day, month, x)
select date_trunc(month, day) as m, datediff(day, month, day) as dd, dateadd(month, x, day) as da, last_day(day, month) as ld from DB.RAW.A
-- expect
-- M <- a.DAY [TRANSFORMATION]
-- DD <- a.DAY [TRANSFORMATION], a.MONTH [TRANSFORMATION]
-- DA <- a.DAY [TRANSFORMATION], a.X [TRANSFORMATION]
-- LD <- a.DAY [TRANSFORMATION]

-- a()
with s as (select * from DB.RAW.A) select * from s unpivot (v for k in (x, y))
-- expect
-- K <- (constant)
-- V <- a.x, a.y
-- and more

-- a(id, x, y)
select * from (select id, x, y from DB.RAW.A) pivot (max(y) for x in (any order by x))
-- expect
-- ID <- a.ID
-- (rows) <- a.ID [GROUP_BY]
-- and more
