"""Column lineage of generated queries, with the database as the witness of both claims.

What lineage does not name may change without the output changing; what it calls direct can move the value.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import duckdb
from builders import PROPERTY, a_column, a_relation, some_artifacts
from hypothesis import assume, given, note
from hypothesis import strategies as st

from factory.lineage import ModelTrace, trace_columns

TABLES = {"t": {"a": "int", "b": "int", "c": "text"}, "u": {"a": "int", "d": "int", "e": "text"}}
ROWS = """
    create table t (a integer, b integer, c varchar);
    insert into t values (1, 2, 'x'), (2, 3, 'y'), (2, 2, 'z'), (3, 5, 'x'), (5, 2, 'w');
    create table u (a integer, d integer, e varchar);
    insert into u values (1, 3, 'p'), (2, 2, 'q'), (3, 2, 'q'), (5, 7, 'r');
    set threads to 1;
"""
KNOWN = tuple(
    a_relation(name, relation_name=name, columns=tuple(a_column(each) for each in columns), sql="")
    for name, columns in TABLES.items()
)


@dataclass(frozen=True)
class Query:
    """A query and the types of its columns."""

    sql: str
    columns: dict[str, str]


@st.composite
def expressions(draw: st.DrawFn, alias: str, columns: dict[str, str], *, live: bool) -> tuple[str, str]:
    """Return an expression over the columns of one relation, and its type; a live one always depends on its parts."""
    numbers = [f"{alias}.{name}" for name, kind in columns.items() if kind == "int"]
    texts = [f"{alias}.{name}" for name, kind in columns.items() if kind == "text"]
    if texts and (not numbers or draw(st.booleans())):
        text = draw(st.sampled_from(texts))
        return draw(
            st.sampled_from([text, f"upper({text})", f"{text} || '-'", f"concat({text}, {text})"])
        ), "text"
    one, two = draw(st.sampled_from(numbers)), draw(st.sampled_from(numbers))
    forms = [
        one, f"{one} + 1", f"{one} * 2 + {two}", f"cast({one} as integer)",
        f"sum({one}) over (partition by {two})", f"sum({one}) over ()", f"(select {one} + 1)",
    ]  # fmt: skip
    if not live:
        forms += [
            f"coalesce({one}, {two}, 0)", f"case when {one} > 2 then {two} else 0 end", f"nullif({one}, {two})",
            f"row_number() over (order by {one}, {two})", f"greatest({one}, {two})", f"{one} > {two}",
            f"(select count(*) from u as w where w.d > {one})", "7", "count(*) over ()",
            f"lag({one}) over (order by {two}, {one})",
        ]  # fmt: skip
    made = draw(st.sampled_from(forms))
    return (f"cast({made} as integer)" if ">" in made or "sum" in made else made), "int"


@st.composite
def queries(draw: st.DrawFn, depth: int = 3, *, live: bool = False) -> Query:
    """Return a query over the tables, some levels deep."""
    if depth == 0:
        name = draw(st.sampled_from(sorted(TABLES)))
        return Query(f"select * from {name}", dict(TABLES[name]))
    inner = draw(queries(depth - 1, live=live))
    kind = draw(st.sampled_from(["select", "join", "group", "union", "cte", "star", "filter"]))
    source = f"({inner.sql}) as x"
    if kind == "cte":
        return Query(f"with y as ({inner.sql}), z as (select * from y) select * from z", inner.columns)
    if kind == "star" and len(inner.columns) > 1:
        gone = draw(st.sampled_from(sorted(inner.columns)))
        left = {name: type_ for name, type_ in inner.columns.items() if name != gone}
        return Query(f"select * exclude ({gone}) from {source}", left)
    if kind == "filter":
        name = draw(st.sampled_from(sorted(inner.columns)))
        tests = [f"x.{name} is not null"]
        if inner.columns[name] == "int" and not live:
            tests += [
                f"x.{name} > 1",
                f"x.{name} in (select d from u)",
                f"exists (select 1 from u where u.d = x.{name})",
            ]
        return Query(f"select * from {source} where {draw(st.sampled_from(tests))}", inner.columns)
    made = [draw(expressions("x", inner.columns, live=live)) for _ in range(draw(st.integers(1, 4)))]
    if kind == "union":
        listed = ", ".join(f"{text} as m{n}" for n, (text, _) in enumerate(made))
        other = draw(st.sampled_from(["all", "all by name"]))
        turned = ", ".join(f"{text} as m{n}" for n, (text, _) in reversed(list(enumerate(made))))
        second = turned if "name" in other else listed
        sql = f"select {listed} from {source} union {other} select {second} from {source}"
        return Query(sql, {f"m{n}": type_ for n, (_, type_) in enumerate(made)})
    if kind == "group":
        keys = [
            f"x.{name}"
            for name in draw(st.lists(st.sampled_from(sorted(inner.columns)), max_size=2, unique=True))
        ]
        numbers = [name for name, type_ in inner.columns.items() if type_ == "int"]
        sums = [f"cast(sum(x.{name}) as integer) as s_{name}" for name in numbers[:2]]
        if not sums + keys:
            return inner
        listed = ", ".join([f"{key} as k{n}" for n, key in enumerate(keys)] + sums)
        columns = {f"k{n}": inner.columns[key[2:]] for n, key in enumerate(keys)}
        columns |= {f"s_{name}": "int" for name in numbers[:2]}
        return Query(
            f"select {listed} from {source}" + (f" group by {', '.join(keys)}" if keys else ""), columns
        )
    listed = ", ".join(f"{text} as m{n}" for n, (text, _) in enumerate(made))
    columns = {f"m{n}": type_ for n, (_, type_) in enumerate(made)}
    numbers = [name for name, type_ in inner.columns.items() if type_ == "int"]
    if kind == "join" and numbers:
        key = draw(st.sampled_from(numbers))
        way = "left join" if live else draw(st.sampled_from(["join", "left join", "semi join"]))
        more = "" if way == "semi join" else ", o.e as joined"
        columns |= {} if way == "semi join" else {"joined": "text"}
        if live:
            more, columns = "", {name: type_ for name, type_ in columns.items() if name != "joined"}
        return Query(f"select {listed}{more} from {source} {way} u as o on o.a = x.{key}", columns)
    return Query(f"select {listed} from {source}", columns)


def traced(sql: str) -> ModelTrace:
    reader = a_relation("it", sql=sql, columns=(), upstream=tuple(each.unique_id for each in KNOWN))
    return trace_columns(some_artifacts(*KNOWN, reader), {"orders"}).models[reader.unique_id]


def output(connection: Any, sql: str) -> dict[str, list[str]]:
    found = connection.execute(sql)
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    return {name.lower(): sorted(repr(row[n]) for row in rows) for n, name in enumerate(names)}


def moved(connection: Any, sql: str, table: str, column: str, changes: tuple[str, ...]) -> set[str]:
    """Return the output columns that change if a column of a table does."""
    before = output(connection, sql)
    found: set[str] = set()
    for change in changes:
        connection.execute("begin")
        connection.execute(f"update {table} set {column} = {change.format(c=column)}")
        with contextlib.suppress(duckdb.Error):
            after = output(connection, sql)
            found |= {name for name in before if before[name] != after[name]}
        connection.execute("rollback")
    return found


CHANGES = {"int": ("{c} + 1", "{c} * 3", "4", "5 - {c}", "null"), "text": ("{c} || 'n'", "'x'", "null")}


@given(queries())
@PROPERTY
def test_what_is_not_named_changes_nothing(query: Query) -> None:
    note(query.sql)
    found = traced(query.sql)
    assert [column.column for column in found.columns] == list(query.columns)
    assert not [column.unknown for column in found.columns if column.unknown]
    connection = duckdb.connect()
    connection.execute(ROWS)
    for table, columns in TABLES.items():
        for name, kind in columns.items():
            place = (f"model.orders.{table}", name)
            if any((i.relation, i.column) == place for i in found.influences):
                continue
            named = {
                c.column for c in found.columns if any((s.relation, s.column) == place for s in c.sources)
            }
            assert moved(connection, query.sql, table, name, CHANGES[kind]) <= named, f"{table}.{name}"


@given(queries(live=True))
@PROPERTY
def test_what_is_called_direct_can_move_the_value(query: Query) -> None:
    note(query.sql)
    found = traced(query.sql)
    connection = duckdb.connect()
    connection.execute(ROWS)
    assume(all(output(connection, query.sql).values()))
    for table, columns in TABLES.items():
        for name, kind in columns.items():
            place = (f"model.orders.{table}", name)
            called = {
                c.column for c in found.columns if any((s.relation, s.column) == place for s in c.direct)
            }
            if called:
                assert called <= moved(connection, query.sql, table, name, CHANGES[kind]), f"{table}.{name}"
