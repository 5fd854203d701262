-- orders(id, user_id, status, amount, ordered_at)
with source as (select * from "db"."raw"."orders"), renamed as (select id as order_id, user_id as customer_id, status, amount / 100.0 as amount_usd, cast(ordered_at as date) as order_date from source) select * from renamed
-- expect
-- order_id <- orders.id
-- customer_id <- orders.user_id
-- status <- orders.status
-- amount_usd <- orders.amount [TRANSFORMATION]
-- order_date <- orders.ordered_at [TRANSFORMATION]

-- orders()
with source as (select * from "db"."raw"."orders"), renamed as (select id as order_id, "user_id" as customer_id, upper(status) as status from source where not _deleted) select * from renamed
-- expect
-- order_id <- orders.id
-- customer_id <- orders.user_id
-- status <- orders.status [TRANSFORMATION]
-- (rows) <- orders._deleted [FILTER]

-- orders(), customers()
with orders as (select * from "db"."raw"."orders"), customers as (select * from "db"."raw"."customers"), final as (select orders.id, customers.name, orders.amount, row_number() over (partition by customers.id order by orders.ordered_at desc) as rn from orders left join customers on orders.customer_id = customers.id) select * from final where rn = 1
-- expect
-- id <- orders.id
-- name <- customers.name
-- amount <- orders.amount
-- rn <- customers.id [WINDOW], orders.ordered_at [WINDOW]
-- (rows) <- customers.id [FILTER], customers.id [JOIN], orders.customer_id [JOIN], orders.ordered_at [FILTER]

-- orders(id, customer_id, amount), customers()
with orders as (select * from "db"."raw"."orders"), customers as (select * from "db"."raw"."customers") select orders.*, customers.email, region from orders inner join customers on customers.customer_id = orders.customer_id
-- expect
-- id <- orders.id
-- customer_id <- orders.customer_id
-- amount <- orders.amount
-- email <- customers.email
-- region <- customers.region
-- (rows) <- customers.customer_id [JOIN], orders.customer_id [JOIN]

-- orders(id, customer_id, status, amount), payments(id, order_id, method, amount)
with orders as (select * from "db"."raw"."orders"), payments as (select * from "db"."raw"."payments"), order_payments as (select order_id, sum(case when method = 'credit_card' then amount else 0 end) as credit_card_amount, sum(case when method = 'coupon' then amount else 0 end) as coupon_amount, sum(amount) as total_amount from payments group by order_id), final as (select orders.id as order_id, orders.customer_id, orders.status, order_payments.credit_card_amount, order_payments.coupon_amount, order_payments.total_amount as amount from orders left join order_payments on orders.id = order_payments.order_id) select * from final
-- expect
-- order_id <- orders.id
-- customer_id <- orders.customer_id
-- status <- orders.status
-- credit_card_amount <- payments.amount [AGGREGATION], payments.method [CONDITIONAL]
-- coupon_amount <- payments.amount [AGGREGATION], payments.method [CONDITIONAL]
-- amount <- payments.amount [AGGREGATION]
-- (rows) <- orders.id [JOIN], payments.order_id [GROUP_BY], payments.order_id [JOIN]

-- events(id, ts, payload, kind, secret)
select * exclude (payload, secret), payload->>'$.user.id' as user_id, json_extract_string(payload, '$.page') as page from "db"."raw"."events" where kind <> 'test'
-- expect
-- id <- events.id
-- ts <- events.ts
-- kind <- events.kind
-- user_id <- events.payload [TRANSFORMATION]
-- page <- events.payload [TRANSFORMATION]
-- (rows) <- events.kind [FILTER]

-- events(id, ts, kind)
select * replace (date_trunc('day', ts) as ts, lower(kind) as kind) from "db"."raw"."events"
-- expect
-- id <- events.id
-- ts <- events.ts [TRANSFORMATION]
-- kind <- events.kind [TRANSFORMATION]

-- events(id, ts, kind)
select * rename (ts as happened_at) from "db"."raw"."events"
-- expect
-- id <- events.id
-- happened_at <- events.ts
-- kind <- events.kind

-- a(id, x), b(id, y)
select a.* exclude (id), b.* from "db"."raw"."a" as a join "db"."raw"."b" as b using (id)
-- expect
-- x <- a.x
-- id <- b.id
-- y <- b.y
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a(id, x), b(id, y)
select * from "db"."raw"."a" natural join "db"."raw"."b"
-- expect
-- id <- a.id, b.id
-- x <- a.x
-- y <- b.y
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a(id, x, y), b(y, id, z)
select * from "db"."raw"."a" union all by name select * from "db"."raw"."b"
-- expect
-- id <- a.id, b.id
-- x <- a.x
-- y <- a.y, b.y
-- z <- b.z

-- a(id, x), b(k, v), c(k)
select id, x from "db"."raw"."a" union all select k, v from "db"."raw"."b" except select k, 0 from "db"."raw"."c"
-- expect
-- id <- a.id, b.k
-- x <- a.x, b.v
-- (rows) <- c.k [FILTER]

-- a(id, x), b(k, v)
select id from "db"."raw"."a" intersect all select k from "db"."raw"."b" order by 1
-- expect
-- id <- a.id, b.k
-- (rows) <- a.id [SORT], b.k [SORT]

-- orders(id, customer_id, amount), customers(id, name)
select c.id, c.name, (select sum(o.amount) from "db"."raw"."orders" o where o.customer_id = c.id) as total, (select count(*) from "db"."raw"."orders" o where o.customer_id = c.id) as n from "db"."raw"."customers" c
-- expect
-- id <- customers.id
-- name <- customers.name
-- total <- orders.amount [AGGREGATION]
-- n <- (generator)
-- (rows) <- customers.id [FILTER], orders.customer_id [FILTER]

-- orders(id, customer_id, amount), customers(id, name, blocked)
select id, amount from "db"."raw"."orders" where customer_id in (select id from "db"."raw"."customers" where not blocked) and exists (select 1 from "db"."raw"."customers" c where c.name = 'x' and c.id = customer_id)
-- expect
-- id <- orders.id
-- amount <- orders.amount
-- (rows) <- customers.blocked [FILTER], customers.id [FILTER], customers.name [FILTER], orders.customer_id [FILTER]

-- orders(id, amount, tax)
select id, amount + tax as gross, gross * 0.1 as fee, gross - fee as net from "db"."raw"."orders" where gross > 10
-- expect
-- id <- orders.id
-- gross <- orders.amount [TRANSFORMATION], orders.tax [TRANSFORMATION]
-- fee <- orders.amount [TRANSFORMATION], orders.tax [TRANSFORMATION]
-- net <- orders.amount [TRANSFORMATION], orders.tax [TRANSFORMATION]
-- (rows) <- orders.amount [FILTER], orders.tax [FILTER]

-- orders(id, amount, tax)
select id, amount * 2 as tax, tax + 1 as more from "db"."raw"."orders"
-- expect
-- id <- orders.id
-- tax <- orders.amount [TRANSFORMATION]
-- more <- orders.tax [TRANSFORMATION]

-- orders(id, customer_id, ordered_at, amount)
select id, sum(amount) over w as running, lag(amount) over w as prev, first_value(id) over (partition by customer_id order by ordered_at) as first_id, rank() over (order by amount desc) as rk from "db"."raw"."orders" window w as (partition by customer_id order by ordered_at rows between unbounded preceding and current row)
-- expect
-- id <- orders.id
-- running <- orders.amount [AGGREGATION], orders.customer_id [WINDOW], orders.ordered_at [WINDOW]
-- prev <- orders.amount [TRANSFORMATION], orders.customer_id [WINDOW], orders.ordered_at [WINDOW]
-- first_id <- orders.customer_id [WINDOW], orders.id [TRANSFORMATION], orders.ordered_at [WINDOW]
-- rk <- orders.amount [WINDOW]

-- orders(id, customer_id, ordered_at, amount)
select * from "db"."raw"."orders" qualify row_number() over (partition by customer_id order by ordered_at desc) = 1
-- expect
-- id <- orders.id
-- customer_id <- orders.customer_id
-- ordered_at <- orders.ordered_at
-- amount <- orders.amount
-- (rows) <- orders.customer_id [FILTER], orders.ordered_at [FILTER]

-- orders(id, customer_id, ordered_at, amount)
select distinct on (customer_id) id, customer_id, amount from "db"."raw"."orders" order by customer_id, ordered_at desc
-- expect
-- id <- orders.id
-- customer_id <- orders.customer_id
-- amount <- orders.amount
-- (rows) <- orders.customer_id [FILTER], orders.customer_id [SORT], orders.ordered_at [SORT]

-- sales(region, quarter, amount)
pivot "db"."raw"."sales" on quarter in ('Q1','Q2') using sum(amount) group by region
-- expect
-- region <- sales.region
-- Q1 <- sales.amount [AGGREGATION], sales.quarter [CONDITIONAL]
-- Q2 <- sales.amount [AGGREGATION], sales.quarter [CONDITIONAL]
-- (rows) <- sales.region [GROUP_BY]

-- sales(region, quarter, amount)
select * from "db"."raw"."sales" pivot (sum(amount) as total, count(*) as n for quarter in ('Q1' as q1, 'Q2' as q2))
-- expect
-- region <- sales.region
-- q1_total <- sales.amount [AGGREGATION], sales.quarter [CONDITIONAL]
-- q1_n <- sales.quarter [CONDITIONAL]
-- q2_total <- sales.amount [AGGREGATION], sales.quarter [CONDITIONAL]
-- q2_n <- sales.quarter [CONDITIONAL]
-- (rows) <- sales.region [GROUP_BY]

-- wide(id, jan, feb, mar)
unpivot "db"."raw"."wide" on jan, feb, mar into name month value sales
-- expect
-- id <- wide.id
-- month <- (constant)
-- sales <- wide.feb, wide.jan, wide.mar

-- wide(id, jan, feb, mar)
select id, month, sales * 2 as doubled from "db"."raw"."wide" unpivot (sales for month in (jan, feb, mar))
-- expect
-- id <- wide.id
-- month <- (constant)
-- doubled <- wide.feb [TRANSFORMATION], wide.jan [TRANSFORMATION], wide.mar [TRANSFORMATION]

-- employees(id, manager_id, name)
with recursive tree as (select id, manager_id, name, 1 as level, name as path from "db"."raw"."employees" where manager_id is null union all select e.id, e.manager_id, e.name, t.level + 1, t.path || '/' || e.name from "db"."raw"."employees" e join tree t on e.manager_id = t.id) select id, name, level, path from tree
-- expect
-- id <- employees.id
-- name <- employees.name
-- level <- (constant)
-- path <- employees.name [TRANSFORMATION]
-- (rows) <- employees.id [JOIN], employees.manager_id [FILTER], employees.manager_id [JOIN]

-- sales(region, city, product, amount)
select region, city, grouping(region, city) as g, sum(amount) as total, count(*) as n from "db"."raw"."sales" group by rollup (region, city) having sum(amount) > 10 and max(product) <> 'x'
-- expect
-- region <- sales.region
-- city <- sales.city
-- g <- sales.city [AGGREGATION], sales.region [AGGREGATION]
-- total <- sales.amount [AGGREGATION]
-- n <- (generator)
-- (rows) <- sales.amount [FILTER], sales.city [GROUP_BY], sales.product [FILTER], sales.region [GROUP_BY]

-- sales(region, city, product, amount)
select region, city, product, avg(amount) as a from "db"."raw"."sales" group by grouping sets ((region, city), (product), ())
-- expect
-- region <- sales.region
-- city <- sales.city
-- product <- sales.product
-- a <- sales.amount [AGGREGATION]
-- (rows) <- sales.city [GROUP_BY], sales.product [GROUP_BY], sales.region [GROUP_BY]

-- sales(region, city, product, amount)
select region, city, sum(amount) as s from "db"."raw"."sales" group by all order by all
-- expect
-- region <- sales.region
-- city <- sales.city
-- s <- sales.amount [AGGREGATION]
-- (rows) <- sales.amount [SORT], sales.city [GROUP_BY], sales.city [SORT], sales.region [GROUP_BY], sales.region [SORT]

-- events(id, tags, payload)
select id, unnest(tags) as tag from "db"."raw"."events"
-- expect
-- id <- events.id
-- tag <- events.tags [TRANSFORMATION]

-- events(id, tags, payload)
select e.id, t.tag, t.n from "db"."raw"."events" e, unnest(e.tags) with ordinality as t(tag, n)
-- expect
-- id <- events.id
-- tag <- events.tags [TRANSFORMATION]
-- n <- (generator)

-- events(id, tags, payload)
select id, t.tag from "db"."raw"."events" cross join unnest(tags) as t(tag) where t.tag like 'a%'
-- expect
-- id <- events.id
-- tag <- events.tags [TRANSFORMATION]
-- (rows) <- events.tags [FILTER]

-- events(id, address, m, tags)
select id, address.city as city, (address).zip.code as zip, m['k'] as k, tags[1] as first_tag, list_transform(tags, x -> upper(x)) as up, struct_extract(address, 'street') as street from "db"."raw"."events"
-- expect
-- id <- events.id
-- city <- events.address [TRANSFORMATION]
-- zip <- events.address [TRANSFORMATION]
-- k <- events.m [TRANSFORMATION]
-- first_tag <- events.tags [TRANSFORMATION]
-- up <- events.tags [TRANSFORMATION]
-- street <- events.address [TRANSFORMATION]

-- events()
select id, address.city as city, tags[1] as first_tag, payload->'a'->>'b' as b from "db"."raw"."events"
-- expect
-- id <- events.id
-- city <- events.address [TRANSFORMATION]
-- first_tag <- events.tags [TRANSFORMATION]
-- b <- events.payload [TRANSFORMATION]

-- orders(id, customer_id, amount), customers(id, name, email)
select c.name, t.amount from "db"."raw"."customers" c, lateral (select o.amount from "db"."raw"."orders" o where o.customer_id = c.id order by o.amount desc limit 3) t
-- expect
-- name <- customers.name
-- amount <- orders.amount
-- (rows) <- customers.id [FILTER], orders.amount [SORT], orders.customer_id [FILTER]

-- orders(order_key, ID, "Amount €", größe)
select "Amount €" as "Betrag", größe as "Größe", "größe" * 2 as 大きさ from "db"."raw"."orders" where ID > 1
-- expect
-- Betrag <- orders.Amount €
-- Größe <- orders.größe
-- 大きさ <- orders.größe [TRANSFORMATION]
-- (rows) <- orders.ID [FILTER]

-- orders(id, amount, status), refunds(id, amount)
with orders as (select * from "db"."raw"."orders" where status = 'ok'), refunds as (select id, amount as refunded from "db"."raw"."refunds") select orders.id, orders.amount - coalesce(refunds.refunded, 0) as net from orders left join refunds on refunds.id = orders.id
-- expect
-- id <- orders.id
-- net <- orders.amount [TRANSFORMATION], refunds.amount [TRANSFORMATION]
-- (rows) <- orders.id [JOIN], orders.status [FILTER], refunds.id [JOIN]

-- customers(id, name), orders(id, name)
with customers as (select id, name from "db"."raw"."orders") select id, name from customers
-- expect
-- id <- orders.id
-- name <- orders.name

-- a(id, v, ts), b(id, ts, w)
select a.id, a.v, b.w from "db"."raw"."a" a asof left join "db"."raw"."b" b on a.id = b.id and a.ts >= b.ts
-- expect
-- id <- a.id
-- v <- a.v
-- w <- b.w
-- (rows) <- a.id [JOIN], a.ts [JOIN], b.id [JOIN], b.ts [JOIN]

-- a(id, v), b(id, w), c(id)
select * from "db"."raw"."a" semi join "db"."raw"."b" using (id) anti join "db"."raw"."c" using (id)
-- expect
-- id <- a.id
-- v <- a.v
-- (rows) <- a.id [JOIN], b.id [JOIN], c.id [JOIN]

-- a(id, amt_x, amt_y, name)
select id, columns('amt_.*') * 2 from "db"."raw"."a"
-- expect
-- id <- a.id
-- amt_x <- a.amt_x [TRANSFORMATION]
-- amt_y <- a.amt_y [TRANSFORMATION]

-- a(id, amt_x, amt_y, name)
select max(columns(* exclude (name))) from "db"."raw"."a"
-- expect
-- id <- a.id [AGGREGATION]
-- amt_x <- a.amt_x [AGGREGATION]
-- amt_y <- a.amt_y [AGGREGATION]

-- a(id, v)
with vals(code, label) as (values (1, 'one'), (2, 'two')) select a.id, vals.label, v.x from "db"."raw"."a" a join vals on vals.code = a.v cross join (values (1), (2)) as v(x)
-- expect
-- id <- a.id
-- label <- (constant)
-- x <- (constant)
-- (rows) <- a.v [JOIN]

-- orders(id, ordered_at)
with date_spine as (select cast(range as date) as day from range(date '2020-01-01', date '2021-01-01', interval 1 day)), daily as (select ordered_at::date as day, count(*) as n from "db"."raw"."orders" group by 1) select s.day, coalesce(d.n, 0) as n from date_spine s left join daily d on s.day = d.day
-- expect
-- day <- (generator)
-- n <- (generator)
-- (rows) <- orders.ordered_at [GROUP_BY], orders.ordered_at [JOIN]

-- orders(id, a, b)
select md5(cast(coalesce(cast(a as TEXT), '_dbt_utils_surrogate_key_null_') || '-' || coalesce(cast(b as TEXT), '_dbt_utils_surrogate_key_null_') as TEXT)) as sk, * from "db"."raw"."orders"
-- expect
-- sk <- orders.a [TRANSFORMATION], orders.b [TRANSFORMATION]
-- id <- orders.id
-- a <- orders.a
-- b <- orders.b

-- a(id, x), b(id, y)
( select cast('"db"."raw"."a"' as TEXT) as _dbt_source_relation, cast("id" as INTEGER) as "id", cast("x" as TEXT) as "x", cast(null as TEXT) as "y" from "db"."raw"."a" ) union all ( select cast('"db"."raw"."b"' as TEXT) as _dbt_source_relation, cast("id" as INTEGER) as "id", cast(null as TEXT) as "x", cast("y" as TEXT) as "y" from "db"."raw"."b" )
-- expect
-- _dbt_source_relation <- (constant)
-- id <- a.id [TRANSFORMATION], b.id [TRANSFORMATION]
-- x <- a.x [TRANSFORMATION]
-- y <- b.y [TRANSFORMATION]

-- orders(id, customer_id, ordered_at, amount)
with row_numbered as (select _inner.*, row_number() over (partition by customer_id order by ordered_at desc) as rn from "db"."raw"."orders" as _inner) select distinct data.* from "db"."raw"."orders" as data natural join row_numbered where row_numbered.rn = 1
-- expect
-- id <- orders.id
-- customer_id <- orders.customer_id
-- ordered_at <- orders.ordered_at
-- amount <- orders.amount
-- (rows) <- orders.amount [JOIN], orders.customer_id [FILTER], orders.customer_id [JOIN], orders.id [JOIN], orders.ordered_at [FILTER], orders.ordered_at [JOIN]

-- orders(id, status, amount, updated_at)
select id, status, amount, updated_at from "db"."raw"."orders" where updated_at > (select coalesce(max(updated_at), '1900-01-01') from "db"."raw"."it_model")
-- expect
-- id <- orders.id
-- status <- orders.status
-- amount <- orders.amount
-- updated_at <- orders.updated_at
-- (rows) <- orders.updated_at [FILTER]

-- orders(id, status, amount), customers(id, name)
from "db"."raw"."orders" o join "db"."raw"."customers" c on o.id = c.id select o.id, c.name where o.amount > 3
-- expect
-- id <- orders.id
-- name <- customers.name
-- (rows) <- customers.id [JOIN], orders.amount [FILTER], orders.id [JOIN]

-- orders(id, status, amount)
from "db"."raw"."orders"
-- expect
-- id <- orders.id
-- status <- orders.status
-- amount <- orders.amount

-- a~(id, x), b~(id, y)
select a.id, x, y, z from "db"."raw"."a" a join "db"."raw"."b" b on a.id = b.id
-- expect
-- id <- a.id
-- x <- a.x
-- y <- b.y
-- z <- (unknown: the column z cannot be given to one table)
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a(), b()
select a.id, x, y from "db"."raw"."a" a join "db"."raw"."b" b using (id) where z = 1
-- expect
-- id <- a.id
-- x <- (unknown: the column x cannot be given to one table)
-- y <- (unknown: the column y cannot be given to one table)
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a~(id)
select *, upper(name) as uname from "db"."raw"."a"
-- expect
-- id <- a.id
-- uname <- a.name [TRANSFORMATION]
-- and more

-- a()
with x as (select *, row_number() over (partition by id order by updated_at desc) as rn from "db"."raw"."a") select * exclude (rn) from x where rn = 1
-- expect
-- * <- (unknown: a star over a table whose columns are not known)
-- (rows) <- a.id [FILTER], a.updated_at [FILTER]
-- and more

-- a()
with x as (select * from "db"."raw"."a"), y as (select x.*, amount * 2 as doubled from x) select id, doubled, lower(y.email) as email from y
-- expect
-- id <- a.id
-- doubled <- a.amount [TRANSFORMATION]
-- email <- a.email [TRANSFORMATION]

-- a(), b()
with x as (select * from "db"."raw"."a"), y as (select * from "db"."raw"."b"), u as (select * from x union all select * from y) select id, amount from u
-- expect
-- id <- a.id, b.id
-- amount <- a.amount, b.amount

-- a(id, v, k)
select k, list(v order by id) as vs, string_agg(v, ',') as s, arg_max(v, id) as latest, any_value(v) as av, count(distinct v) as n, quantile_cont(v, 0.5) as med, mode(v) as m, bool_or(v > 3) as b from "db"."raw"."a" group by k
-- expect
-- k <- a.k
-- vs <- a.id [SORT], a.v [AGGREGATION]
-- s <- a.v [AGGREGATION]
-- latest <- a.id [AGGREGATION], a.v [AGGREGATION]
-- av <- a.v [AGGREGATION]
-- n <- a.v [AGGREGATION]
-- med <- a.v [AGGREGATION]
-- m <- a.v [AGGREGATION]
-- b <- a.v [AGGREGATION]
-- (rows) <- a.k [GROUP_BY]

-- a(id, x, flag, y)
select case when flag then x else y end as c, case x when 1 then 'one' when id then 'two' end as d, if(flag, x, 0) as e, coalesce(x, y) as g, x is null as h, x in (1, 2) as i, x between y and 3 as j from "db"."raw"."a"
-- expect
-- c <- a.flag [CONDITIONAL], a.x [TRANSFORMATION], a.y [TRANSFORMATION]
-- d <- a.id [CONDITIONAL], a.x [CONDITIONAL]
-- e <- a.flag [CONDITIONAL], a.x [TRANSFORMATION]
-- g <- a.x [TRANSFORMATION], a.y [TRANSFORMATION]
-- h <- a.x [TRANSFORMATION]
-- i <- a.x [TRANSFORMATION]
-- j <- a.x [TRANSFORMATION], a.y [TRANSFORMATION]

-- a(id, s)
select s.*, id from "db"."raw"."a"
-- expect
-- * <- (unknown: a star over a table whose columns are not known)
-- id <- a.id
-- and more

-- a(id, v)
select t.id, t.v as v2 from (select id, v from (select * from "db"."raw"."a") i where v > 0) as t(id, v) order by t.v limit 10
-- expect
-- id <- a.id
-- v2 <- a.v
-- (rows) <- a.v [FILTER], a.v [SORT]

-- a(id, v, d)
select id, v from "db"."raw"."a" where d = (select max(d) from "db"."raw"."a")
-- expect
-- id <- a.id
-- v <- a.v
-- (rows) <- a.d [FILTER]

-- a(id, parent, v)
select c.id, p.v as parent_v, coalesce(p.id, c.id) as root from "db"."raw"."a" c left join "db"."raw"."a" p on p.id = c.parent
-- expect
-- id <- a.id
-- parent_v <- a.v
-- root <- a.id [TRANSFORMATION]
-- (rows) <- a.id [JOIN], a.parent [JOIN]

-- a(id, v)
select id, now() as at, uuid() as u, random() as r, 'x' as k, current_date as d, null as n, 1 + 1 as two from "db"."raw"."a"
-- expect
-- id <- a.id
-- at <- (generator)
-- u <- (generator)
-- r <- (generator)
-- k <- (constant)
-- d <- (generator)
-- n <- (constant)
-- two <- (constant)

-- a(id, v), b(id, v)
with a_query as (select id, v from "db"."raw"."a"), b_query as (select id, v from "db"."raw"."b"), a_intersect_b as (select * from a_query intersect select * from b_query), a_except_b as (select * from a_query except select * from b_query), b_except_a as (select * from b_query except select * from a_query), all_records as (select *, true as in_a, true as in_b from a_intersect_b union all select *, true as in_a, false as in_b from a_except_b union all select *, false as in_a, true as in_b from b_except_a), summary_stats as (select in_a, in_b, count(*) as count from all_records group by 1, 2), final as (select *, round(100.0 * count / sum(count) over (), 2) as percent_of_total from summary_stats order by in_a desc, in_b desc) select * from final
-- expect
-- in_a <- (constant)
-- in_b <- (constant)
-- count <- (generator)
-- percent_of_total <- (generator)
-- (rows) <- a.id [FILTER], a.v [FILTER], b.id [FILTER], b.v [FILTER]

-- a(id, v), b(id, v)
select coalesce(a.id, b.id) as id, a.v is distinct from b.v as changed from "db"."raw"."a" a full outer join "db"."raw"."b" b on a.id = b.id where a.id is null or b.id is null
-- expect
-- id <- a.id [TRANSFORMATION], b.id [TRANSFORMATION]
-- changed <- a.v [TRANSFORMATION], b.v [TRANSFORMATION]
-- (rows) <- a.id [FILTER], a.id [JOIN], b.id [FILTER], b.id [JOIN]

-- a(id, first_name, last_name)
select id, first_name || ' ' || last_name as full_name, concat_ws('-', id, last_name) as c, length(first_name)::varchar as l, try_cast(id as bigint) as b, (first_name) as f, -id as neg, extract(year from last_name) as y, regexp_extract(first_name, '(a)') as re, strftime(last_name, '%Y') as st from "db"."raw"."a"
-- expect
-- id <- a.id
-- full_name <- a.first_name [TRANSFORMATION], a.last_name [TRANSFORMATION]
-- c <- a.id [TRANSFORMATION], a.last_name [TRANSFORMATION]
-- l <- a.first_name [TRANSFORMATION]
-- b <- a.id [TRANSFORMATION]
-- f <- a.first_name
-- neg <- a.id [TRANSFORMATION]
-- y <- a.last_name [TRANSFORMATION]
-- re <- a.first_name [TRANSFORMATION]
-- st <- a.last_name [TRANSFORMATION]

-- a(id, v)
select x.id, x.v from "db"."raw"."a" as x positional join "db"."raw"."a" as y
-- expect
-- id <- a.id
-- v <- a.v

-- a(id, st)
with s as (select id, {'lo': v_lo, 'hi': v_hi} as r from (select id, st.lo as v_lo, id + 1 as v_hi from "db"."raw"."a")) select id, r.lo as lo, r.hi as hi from s
-- expect
-- id <- a.id
-- lo <- a.st [TRANSFORMATION]
-- hi <- a.id [TRANSFORMATION]

-- a(id, "Order Date", total)
select "id", "Order Date" as order_date, "TOTAL" as total, ID as id2 from "db"."raw"."a" where a."Order Date" > '2020-01-01'
-- expect
-- id <- a.id
-- order_date <- a.Order Date
-- total <- a.total
-- id2 <- a.id
-- (rows) <- a.Order Date [FILTER]

-- orders(id, customer_id, status)
with __dbt__cte__stg_orders as ( select id as order_id, customer_id, status from "db"."raw"."orders" ), base as (select * from __dbt__cte__stg_orders) select order_id, status from base where customer_id is not null
-- expect
-- order_id <- orders.id
-- status <- orders.status
-- (rows) <- orders.customer_id [FILTER]

-- a(id, v), unused(id)
with a as (select * from "db"."raw"."a"), unused as (select id from "db"."raw"."unused" where id > 1) select id, v from a
-- expect
-- id <- a.id
-- v <- a.v

-- a(id, v), b(id, flag)
select a.id, bool_and(b.flag) as f, max(a.v) - min(a.v) as spread from "db"."raw"."a" a, "db"."raw"."b" b where a.id = b.id group by a.id
-- expect
-- id <- a.id
-- f <- b.flag [AGGREGATION]
-- spread <- a.v [AGGREGATION]
-- (rows) <- a.id [FILTER], a.id [GROUP_BY], b.id [FILTER]

-- a(id, d_from, d_to)
select id, unnest(generate_series(d_from, d_to, interval 1 day)) as day from "db"."raw"."a"
-- expect
-- id <- a.id
-- day <- a.d_from [TRANSFORMATION], a.d_to [TRANSFORMATION]

-- a(id, v)
select id, v from "db"."raw"."a" using sample 10%
-- expect
-- id <- a.id
-- v <- a.v

-- 
with rawdata as ( with p as ( select 0 as generated_number union all select 1 ), unioned as ( select p0.generated_number * power(2, 0) + p1.generated_number * power(2, 1) + 1 as generated_number from p as p0 cross join p as p1 ) select * from unioned where generated_number <= 3 order by generated_number ), all_periods as ( select ( cast('2020-01-01' as date) + (row_number() over (order by generated_number) - 1) * interval 1 day ) as date_day from rawdata ), filtered as ( select * from all_periods where date_day <= '2021-01-01' ) select * from filtered
-- expect
-- date_day <- (generator)

-- orders(id, status, amount)
select id, sum(case when status = 'paid' then amount else 0 end) as "paid", sum(case when status = 'void' then amount else 0 end) as "void" from "db"."raw"."orders" group by id
-- expect
-- id <- orders.id
-- paid <- orders.amount [AGGREGATION], orders.status [CONDITIONAL]
-- void <- orders.amount [AGGREGATION], orders.status [CONDITIONAL]
-- (rows) <- orders.id [GROUP_BY]

-- a(id, is_big, v)
with f as (select id, case when v > 10 then 1 else 0 end as is_x from "db"."raw"."a") select id, sum(is_x) over (partition by id) as n_x from f where is_x = 1
-- expect
-- id <- a.id
-- n_x <- a.id [WINDOW], a.v [CONDITIONAL]
-- (rows) <- a.v [FILTER]

-- a(a, b)
select a.a, a.b from "db"."raw"."a" a where a.a > all (select b from "db"."raw"."a")
-- expect
-- a <- a.a
-- b <- a.b
-- (rows) <- a.a [FILTER], a.b [FILTER]

-- a(id, list_col)
select id, [x * 2 for x in list_col if x > 0] as doubled, list_filter(list_col, y -> y > id) as big from "db"."raw"."a"
-- expect
-- id <- a.id
-- doubled <- a.list_col [TRANSFORMATION]
-- big <- a.id [TRANSFORMATION], a.list_col [TRANSFORMATION]

-- a(id, x), b(id, y)
from "db"."raw"."a" select id, x where x > 1 order by x
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.x [FILTER], a.x [SORT]

-- a(id, x)
with base as (from "db"."raw"."a") select id, count(*) over () as n, x as "x y" from base
-- expect
-- id <- a.id
-- n <- (generator)
-- x y <- a.x

-- a(id, x)
with p as (pivot "db"."raw"."a" on x in (1, 2) using count(*) group by id) select * from p
-- expect
-- id <- a.id
-- 1 <- a.x [CONDITIONAL]
-- 2 <- a.x [CONDITIONAL]
-- (rows) <- a.id [GROUP_BY]

-- a(id, x, x_1)
select t.id, t.x from "db"."raw"."a" t where (t.id, t.x) in (select id, x_1 from "db"."raw"."a")
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.id [FILTER], a.x [FILTER], a.x_1 [FILTER]

-- a(id, x)
summarize "db"."raw"."a"
-- expect
-- * <- (unknown: SUMMARIZE is not followed: it is no SELECT)
-- and more

-- a(id, x), b(id, y)
select id, x, (select y from "db"."raw"."b" b where b.id = a.id limit 1) as y, exists (select 1 from "db"."raw"."b" where y = x) as has from "db"."raw"."a" a
-- expect
-- id <- a.id
-- x <- a.x
-- y <- b.y [TRANSFORMATION]
-- has <- a.x [CONDITIONAL], b.y [CONDITIONAL]
-- (rows) <- a.id [FILTER], a.x [FILTER], b.id [FILTER], b.y [FILTER]

-- a(id, x, d)
select d, sum(sum(x)) over (order by d) as cum, sum(x) / sum(sum(x)) over () as share, max(x) filter (where id > 3) as mx from "db"."raw"."a" group by d
-- expect
-- d <- a.d
-- cum <- a.d [WINDOW], a.x [AGGREGATION]
-- share <- a.x [AGGREGATION]
-- mx <- a.id [CONDITIONAL], a.x [AGGREGATION]
-- (rows) <- a.d [GROUP_BY]

-- a(id, x)
select case when x > (select avg(x) from "db"."raw"."a") then id end as big, case (select max(x) from "db"."raw"."a") when 3 then 'y' end as m, sum(x) filter (where id in (select id from "db"."raw"."a")) as s from "db"."raw"."a" group by all
-- expect
-- big <- a.id [TRANSFORMATION], a.x [CONDITIONAL]
-- m <- a.x [CONDITIONAL]
-- s <- a.id [CONDITIONAL], a.x [AGGREGATION]

-- a(id, x)
select id, x from "db"."raw"."a" where "db"."raw"."a".x > 3
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.x [FILTER]

-- a(id, x)
select raw.a.id, "a"."x" from "db"."raw"."a"
-- expect
-- id <- a.id
-- x <- a.x

-- a(id, level, date, user)
select id, level, date, "user", date as d2 from "db"."raw"."a"
-- expect
-- id <- a.id
-- level <- a.level
-- date <- a.date
-- user <- a.user
-- d2 <- a.date

-- a(id)
(select id from "db"."raw"."a")
-- expect
-- id <- a.id

-- a(), b()
((select id from "db"."raw"."a") union all (select id from "db"."raw"."b")) order by id limit 3
-- expect
-- id <- a.id, b.id
-- (rows) <- a.id [SORT], b.id [SORT]

-- a(id, x), b(id, y)
select x, y from ("db"."raw"."a" as a join "db"."raw"."b" as b using (id))
-- expect
-- x <- a.x
-- y <- b.y
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a(id, x), b(id, k), c(k, z)
select a.id, z from "db"."raw"."a" a join ("db"."raw"."b" b join "db"."raw"."c" c using (k)) using (id)
-- expect
-- id <- a.id
-- z <- c.z
-- (rows) <- a.id [JOIN], b.id [JOIN], b.k [JOIN], c.k [JOIN]

-- a(id, x), b(id, w)
select * exclude (a.id, b.w) from "db"."raw"."a" a join "db"."raw"."b" b on a.id = b.id
-- expect
-- x <- a.x
-- id <- b.id
-- (rows) <- a.id [JOIN], b.id [JOIN]
