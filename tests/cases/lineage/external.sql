-- a file that is a source
select station, value from read_csv('data/readings.csv')
-- expect
-- station <- readings.station
-- value <- readings.value

-- a file that is a source, under another name
with raw as (select r.* from read_csv('data/readings.csv') as r) select station, max(value) as most from raw group by station
-- expect
-- station <- readings.station
-- most <- readings.value [AGGREGATION]
-- (rows) <- readings.station [GROUP_BY]

-- a file beside a model
select r.station, o.id from read_csv('data/readings.csv') as r join orders as o on o.id = r.value
-- expect
-- station <- readings.station
-- id <- orders.id
-- (rows) <- orders.id [JOIN], readings.value [JOIN]
