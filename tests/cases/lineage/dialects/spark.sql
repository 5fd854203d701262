-- orders(id, cust, amt)
select id, k, v from raw.orders lateral view explode(map('a', amt, 'b', cust)) m as k, v where v is not null
-- expect
-- id <- orders.id
-- k <- orders.amt [TRANSFORMATION], orders.cust [TRANSFORMATION]
-- v <- orders.amt [TRANSFORMATION], orders.cust [TRANSFORMATION]
-- (rows) <- orders.amt [FILTER], orders.cust [FILTER]

-- orders(id, cust, amt)
select id, stack(2, 'a', amt, 'b', cust) as (name, val) from raw.orders
-- expect
-- id <- orders.id
-- name <- orders.amt [TRANSFORMATION], orders.cust [TRANSFORMATION]
-- val <- orders.amt [TRANSFORMATION], orders.cust [TRANSFORMATION]

-- a(id, x), b(id, y)
select a.id, a.x from raw.a a left semi join raw.b b on a.id = b.id and b.y > 1
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.id [JOIN], b.id [JOIN], b.y [JOIN]

-- a(id, x), b(id, y)
select * from raw.a left anti join raw.b using (id)
-- expect
-- id <- a.id
-- x <- a.x
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a(id, x)
select id, collect_list(struct(id, x)) as l, collect_set(x) as s, named_struct('a', id, 'b', x).b as nb, count_if(x > 1) as n, max_by(x, id) as mb, first(x, true) as f from raw.a group by id
-- expect
-- id <- a.id
-- l <- a.id [AGGREGATION], a.x [AGGREGATION]
-- s <- a.x [AGGREGATION]
-- nb <- a.x [TRANSFORMATION]
-- n <- a.x [AGGREGATION]
-- mb <- a.id [AGGREGATION], a.x [AGGREGATION]
-- f <- a.x [AGGREGATION]
-- (rows) <- a.id [GROUP_BY]

-- a(id, x)
select `id`, `x` as `X-1`, from_json(x, 'a int').a as ja, get_json_object(x, '$.b') as jb, date_format(x, 'yyyy') as y from raw.a distribute by id sort by x
-- expect
-- id <- a.id
-- X-1 <- a.x
-- ja <- a.x [TRANSFORMATION]
-- jb <- a.x [TRANSFORMATION]
-- y <- a.x [TRANSFORMATION]
-- (rows) <- a.x [SORT]

-- a(id, jan, feb)
select * from raw.a unpivot (val for month in (jan, feb))
-- expect
-- id <- a.id
-- month <- (constant)
-- val <- a.feb, a.jan

-- a(id, x), b(id, y)
select /*+ broadcast(b) */ a.id, b.y, a.x as `größe` from raw.a a join raw.b b using (id) cluster by id
-- expect
-- id <- a.id
-- y <- b.y
-- größe <- a.x
-- (rows) <- a.id [JOIN], b.id [JOIN]

-- a(id, x)
select id, t.c1 from raw.a lateral view json_tuple(x, 'k', 'v') t as c1, c2
-- expect
-- id <- a.id
-- c1 <- a.x [TRANSFORMATION]

-- a(id, x)
select raw.a.id, a.x from raw.a
-- expect
-- id <- a.id
-- x <- a.x

-- a(id, items)
select id, explode(items) from raw.a
-- expect
-- id <- a.id
-- col <- a.items [TRANSFORMATION]
