-- orders(id, cust, items, ts)
select id, item.sku as sku, pos from `cat`.`raw`.`orders` lateral view outer posexplode(items) t as pos, item
-- expect
-- id <- orders.id
-- sku <- orders.items [TRANSFORMATION]
-- pos <- orders.items [TRANSFORMATION]

-- orders(id, cust, items, ts)
select id, explode(items) as item, cust:address.city::string as city, ts from `cat`.`raw`.`orders`
-- expect
-- id <- orders.id
-- item <- orders.items [TRANSFORMATION]
-- city <- orders.cust [TRANSFORMATION]
-- ts <- orders.ts

-- orders()
with source as (select * from `cat`.`raw`.`orders`) select id, data.customer.name as name, items[0].sku as sku, map_col['k'] as k, transform(items, x -> x.price) as prices, aggregate(items, 0, (acc, x) -> acc + x.qty) as qty from source
-- expect
-- id <- orders.id
-- name <- orders.data [TRANSFORMATION]
-- sku <- orders.items [TRANSFORMATION]
-- k <- orders.map_col [TRANSFORMATION]
-- prices <- orders.items [TRANSFORMATION]
-- qty <- orders.items [TRANSFORMATION]

-- orders(id, q, amt)
select * from (select id, q, amt from `cat`.`raw`.`orders`) pivot (sum(amt) as s for q in ('a' as aa, 'b' as bb))
-- expect
-- id <- orders.id
-- aa <- orders.amt [AGGREGATION], orders.q [CONDITIONAL]
-- bb <- orders.amt [AGGREGATION], orders.q [CONDITIONAL]
-- (rows) <- orders.id [GROUP_BY]

-- orders(id, q, amt)
select * except (amt), amt * 2 as amt2, amt2 + 1 as amt3 from `cat`.`raw`.`orders` qualify row_number() over (partition by q order by amt) = 1
-- expect
-- id <- orders.id
-- q <- orders.q
-- amt2 <- orders.amt [TRANSFORMATION]
-- amt3 <- orders.amt [TRANSFORMATION]
-- (rows) <- orders.amt [FILTER], orders.q [FILTER]

-- a(id, x), b(id, x)
merge into `cat`.`raw`.`it_model` t using (select id, x from `cat`.`raw`.`a`) s on t.id = s.id when matched then update set x = s.x when not matched then insert *
-- expect
-- * <- (unknown: MERGE is not followed: it is no SELECT)
-- and more

-- a~(id, x)
select *, _metadata.file_path as path from `cat`.`raw`.`a` where id > (select max(id) from `cat`.`raw`.`it_model`)
-- expect
-- id <- a.id
-- x <- a.x
-- path <- a._metadata [TRANSFORMATION]
-- (rows) <- a.id [FILTER]
-- and more

-- a(id, x)
select id, e.col as item, inline_a.k from `cat`.`raw`.`a` lateral view explode(x) e lateral view inline(x) inline_a as k, v
-- expect
-- id <- a.id
-- item <- a.x [TRANSFORMATION]
-- k <- a.x [TRANSFORMATION]

-- a(id, x)
select a.id, t.item from `cat`.`raw`.`a` a, lateral explode(a.x) as t(item)
-- expect
-- id <- a.id
-- item <- a.x [TRANSFORMATION]

-- a(id, x, y)
select id, posexplode(x) as (pos, item), y from `cat`.`raw`.`a`
-- expect
-- id <- a.id
-- pos <- a.x [TRANSFORMATION]
-- item <- a.x [TRANSFORMATION]
-- y <- a.y

-- a(id, x)
select id, x:a.b::int as b, x['k'] as k, from_json(x, schema_of_json('{}')) as j, variant_get(x, '$.q', 'int') as q, ai.item from `cat`.`raw`.`a`, lateral variant_explode(x) as ai(pos, key, item)
-- expect
-- id <- a.id
-- b <- a.x [TRANSFORMATION]
-- k <- a.x [TRANSFORMATION]
-- j <- a.x [TRANSFORMATION]
-- q <- a.x [TRANSFORMATION]
-- item <- a.x [TRANSFORMATION]

-- a(id, x, q)
select id, sum(x) filter (where q = 1) as s, first_value(x) ignore nulls over (partition by q order by id) as f, max(struct(q, x)).x as latest from `cat`.`raw`.`a` group by all
-- expect
-- id <- a.id
-- s <- a.q [CONDITIONAL], a.x [AGGREGATION]
-- f <- a.id [WINDOW], a.q [WINDOW], a.x [TRANSFORMATION]
-- latest <- a.q [AGGREGATION], a.x [AGGREGATION]
-- (rows) <- a.id [GROUP_BY]
