-- a(id, x, arr, ts)
select id, arrayJoin(arr) as item, toDate(ts) as d, argMax(x, ts) as latest, uniqExact(x) as u, countIf(x > 1) as n, sumIf(x, id > 3) as s from `raw`.`a` final prewhere ts > now() - 3 group by id, item, d
-- expect
-- id <- a.id
-- item <- a.arr [TRANSFORMATION]
-- d <- a.ts [TRANSFORMATION]
-- latest <- a.ts [AGGREGATION], a.x [AGGREGATION]
-- u <- a.x [AGGREGATION]
-- n <- a.x [AGGREGATION]
-- s <- a.id [AGGREGATION], a.x [AGGREGATION]
-- (rows) <- a.arr [GROUP_BY], a.id [GROUP_BY], a.ts [FILTER], a.ts [GROUP_BY]

-- a(id, x, arr, ts)
select id, item from `raw`.`a` array join arr as item where item > 1
-- expect
-- id <- a.id
-- item <- a.arr [TRANSFORMATION]
-- (rows) <- a.arr [FILTER]

-- a(id, x, arr, ts)
select id, x from `raw`.`a` order by ts desc limit 1 by id
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.ts [SORT]

-- a(id, x)
with 10 as lim, (select max(x) from `raw`.`a`) as mx select id, x / mx as r, if(x > lim, 1, 0) as f, multiIf(x = 1, 'a', x = 2, 'b', 'c') as m from `raw`.`a`
-- expect
-- id <- a.id
-- r <- a.x [AGGREGATION]
-- f <- a.x [CONDITIONAL]
-- m <- a.x [CONDITIONAL]

-- a(id, x), b(id, y)
select a.id, b.y from `raw`.`a` as a any left join `raw`.`b` as b on a.id = b.id global any left join `raw`.`b` as c using id
-- expect
-- id <- a.id
-- y <- b.y
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a(id, x, y)
with (select avg(x) from `raw`.`a`) as mean, base as (select id, x, y from `raw`.`a` where y > 1) select id, x - mean as d from base
-- expect
-- id <- a.id
-- d <- a.x [AGGREGATION]
-- (rows) <- a.y [FILTER]

-- a(id, x, y)
select id, multiIf(x = 1, 'a', y) as m, if(y = 2, x, 0) as i, sumIf(x, y > 1) as s, countIf(y = 1) as n, groupArray(x) as g, uniq(y) as u, anyLast(x) as l from `raw`.`a` group by id
-- expect
-- id <- a.id
-- m <- a.x [CONDITIONAL], a.y [TRANSFORMATION]
-- i <- a.x [TRANSFORMATION], a.y [CONDITIONAL]
-- s <- a.x [AGGREGATION], a.y [AGGREGATION]
-- n <- a.y [AGGREGATION]
-- g <- a.x [AGGREGATION]
-- u <- a.y [AGGREGATION]
-- l <- a.x [AGGREGATION]
-- (rows) <- a.id [GROUP_BY]

-- a(id, arr, k)
select id, item, k2 from `raw`.`a` left array join arr as item, k as k2
-- expect
-- id <- a.id
-- item <- a.arr [TRANSFORMATION]
-- k2 <- a.k [TRANSFORMATION]

-- a(id, arr)
select id, arr from `raw`.`a` array join arr
-- expect
-- id <- a.id
-- arr <- a.arr
