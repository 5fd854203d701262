-- a(id, x, y)
select top 10 [id], x as [My Col], isnull(y, 0) as y, iif(x > 1, y, null) as z, [k] = x + 1 from "db"."raw"."a" order by y
-- expect
-- id <- a.id
-- My Col <- a.x
-- y <- a.y [TRANSFORMATION]
-- z <- a.x [CONDITIONAL], a.y [TRANSFORMATION]
-- k <- a.x [TRANSFORMATION]
-- (rows) <- a.y [SORT]

-- a(id, x, y), b(id, z)
select a.id, b.z from "db"."raw"."a" a outer apply (select top 1 z from "db"."raw"."b" b where b.id = a.id order by b.z desc) b
-- expect
-- id <- a.id
-- z <- b.z
-- (rows) <- a.id [FILTER], b.id [FILTER], b.z [SORT]

-- a(id, js)
select a.id, j.name, j.[value] from "db"."raw"."a" a cross apply openjson(a.js) with (name nvarchar(50) '$.name', [value] int '$.v') as j
-- expect
-- id <- a.id
-- name <- a.js [TRANSFORMATION]
-- value <- a.js [TRANSFORMATION]

-- a(id, m, v)
select id, [jan], [feb] from (select id, m, v from "db"."raw"."a") s pivot (sum(v) for m in ([jan], [feb])) p
-- expect
-- id <- a.id
-- jan <- a.m [CONDITIONAL], a.v [AGGREGATION]
-- feb <- a.m [CONDITIONAL], a.v [AGGREGATION]
-- (rows) <- a.id [GROUP_BY]

-- a(id, x)
with c as (select *, row_number() over (partition by x order by id) rn from "db"."raw"."a") select id, x, string_agg(x, ',') within group (order by id) as l, try_convert(int, x) as t, format(id, 'yyyy') as f, value as tok from c cross apply string_split(x, ',') where rn = 1 group by id, x, value
-- expect
-- id <- a.id
-- x <- a.x
-- l <- a.id [SORT], a.x [AGGREGATION]
-- t <- a.x [TRANSFORMATION]
-- f <- a.id [TRANSFORMATION]
-- tok <- a.x [TRANSFORMATION]
-- (rows) <- a.id [FILTER], a.id [GROUP_BY], a.x [FILTER], a.x [GROUP_BY]

-- a(id, x), b(id, y)
with cte as (select a.id, b.y, count(*) over (partition by b.y) as n from "db"."raw"."a" a inner join "db"."raw"."b" b on a.id = b.id) select c.*, case when exists (select 1 from "db"."raw"."b" z where z.id = c.id) then 1 else 0 end as e from cte c
-- expect
-- id <- a.id
-- y <- b.y
-- n <- b.y [WINDOW]
-- e <- a.id [CONDITIONAL], b.id [CONDITIONAL]
-- (rows) <- a.id [FILTER], a.id [JOIN], b.id [FILTER], b.id [JOIN]

-- w(id, jan, feb)
select id, m, v from "db"."raw"."w" unpivot (v for m in (jan, feb)) as u
-- expect
-- id <- w.id
-- m <- (constant)
-- v <- w.feb, w.jan

-- a(id, x)
select v.k, v.val, a.id from "db"."raw"."a" a cross apply (values ('x', a.x), ('id', a.id)) v(k, val)
-- expect
-- k <- (constant)
-- val <- a.id, a.x
-- id <- a.id

-- a(id, x, y)
select p.* from (select id, x, y from "db"."raw"."a") s pivot (max(y) for x in ([k1], [k2])) p
-- expect
-- id <- a.id
-- k1 <- a.x [CONDITIONAL], a.y [AGGREGATION]
-- k2 <- a.x [CONDITIONAL], a.y [AGGREGATION]
-- (rows) <- a.id [GROUP_BY]

-- a(id, x), b(id, k), c(k, z)
select a.id, c.z from "db"."raw"."a" a left join "db"."raw"."b" b inner join "db"."raw"."c" c on b.k = c.k on a.id = b.id
-- expect
-- id <- a.id
-- z <- c.z
-- (rows) <- a.id [JOIN], b.id [JOIN], b.k [JOIN], c.k [JOIN]
