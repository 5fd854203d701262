-- a(id, x, m)
select id, u.item, k, v from "db"."raw"."a" cross join unnest(x) as u(item) cross join unnest(m) as mm(k, v)
-- expect
-- id <- a.id
-- item <- a.x [TRANSFORMATION]
-- k <- a.m [TRANSFORMATION]
-- v <- a.m [TRANSFORMATION]

-- a(id, x, m)
select id, json_extract_scalar(x, '$.a') as a, element_at(m, 'k') as k, m['z'] as z, try_cast(x as bigint) as b, approx_percentile(id, 0.5) over (partition by x) as p, max_by(x, id) over () as mb, cast(row(id, x) as row(a int, b varchar)).b as rb from "db"."raw"."a"
-- expect
-- id <- a.id
-- a <- a.x [TRANSFORMATION]
-- k <- a.m [TRANSFORMATION]
-- z <- a.m [TRANSFORMATION]
-- b <- a.x [TRANSFORMATION]
-- p <- a.id [AGGREGATION], a.x [WINDOW]
-- mb <- a.id [AGGREGATION], a.x [AGGREGATION]
-- rb <- a.x [TRANSFORMATION]

-- a()
with t as (select * from "db"."raw"."a"), d as (select day from unnest(sequence(date '2020-01-01', current_date, interval '1' day)) as s(day)) select d.day, count(t.id) as n from d left join t on t.day = d.day group by d.day
-- expect
-- day <- (generator)
-- n <- a.id [AGGREGATION]
-- (rows) <- a.day [JOIN]

-- a(id, x, y)
select id, count(*) filter (where x > 1) as n, array_agg(x order by y) as l, grouping(id) as g from "db"."raw"."a" group by cube (id)
-- expect
-- id <- a.id
-- n <- a.x [CONDITIONAL]
-- l <- a.x [AGGREGATION], a.y [SORT]
-- g <- a.id [AGGREGATION]
-- (rows) <- a.id [GROUP_BY]

-- a(id, x)
select a.id, t.n, t.e from "db"."raw"."a" a cross join unnest(a.x) with ordinality as t(e, n)
-- expect
-- id <- a.id
-- n <- (generator)
-- e <- a.x [TRANSFORMATION]

-- a(id, x)
select id, json_query(x, 'lax $.a') as j, x.f1.f2 as f, transform(x, e -> e.y) as t, if(id > 1, x) as c, row_number() over (order by id) as rn, format('%s-%s', id, x) as fm, coalesce(try(cast(x as int)), id) as co from "db"."raw"."a"
-- expect
-- id <- a.id
-- j <- a.x [TRANSFORMATION]
-- f <- a.x [TRANSFORMATION]
-- t <- a.x [TRANSFORMATION]
-- c <- a.id [CONDITIONAL], a.x [TRANSFORMATION]
-- rn <- a.id [WINDOW]
-- fm <- a.id [TRANSFORMATION], a.x [TRANSFORMATION]
-- co <- a.id [TRANSFORMATION], a.x [TRANSFORMATION]
