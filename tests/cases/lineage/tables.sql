-- The tables that the cases read. `readings` lies in a file, as an external source does.
create table orders (id integer, customer_id integer, amount double, status varchar, ordered_at timestamp);
insert into orders values
    (1, 1, 10.0, 'paid', '2024-01-01 10:00'), (2, 1, 25.0, 'open', '2024-01-02 11:00'),
    (3, 2, 7.5, 'paid', '2024-01-03 12:00'), (4, 3, 7.5, 'sent', '2024-01-05 13:00'),
    (5, 3, 99.0, 'open', '2024-02-01 14:00'), (6, 9, 3.0, 'paid', '2024-02-02 15:00');
create table customers (id integer, name varchar, country varchar, since date);
insert into customers values
    (1, 'Ada', 'NO', '2020-01-01'), (2, 'Ben', 'SE', '2021-01-01'), (3, 'Cid', 'NO', '2022-01-01'),
    (4, 'Dot', 'DK', '2023-01-01');
create table items (order_id integer, product varchar, quantity integer, price double);
insert into items values
    (1, 'pen', 2, 1.5), (1, 'ink', 1, 7.0), (2, 'pen', 5, 1.5), (3, 'cap', 1, 7.5), (5, 'ink', 9, 11.0),
    (7, 'pad', 1, 2.0);
create table returns (id integer, order_id integer, amount double);
insert into returns values (1, 2, 25.0), (2, 3, 3.0), (3, 8, 1.0);
create table "Order Lines" ("Line No" integer, "orderId" integer, note varchar);
insert into "Order Lines" values (1, 1, 'red'), (2, 1, 'blue'), (3, 2, null);
create table readings (station varchar, taken_at timestamp, value double);
insert into readings values ('a', '2024-01-01', 1.5), ('b', '2024-01-01', 2.5), ('a', '2024-01-02', 4.0);
