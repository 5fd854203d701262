-- a(id, x)
select "id", date_parse(x, '%Y') as d, filter(split(x, ','), e -> e <> '') as f, reduce(split(x, ','), 0, (s, e) -> s + 1, s -> s) as n from "db"."raw"."a" where "$path" like '%a%'
-- expect
-- id <- a.id
-- d <- a.x [TRANSFORMATION]
-- f <- a.x [TRANSFORMATION]
-- n <- a.x [TRANSFORMATION]
