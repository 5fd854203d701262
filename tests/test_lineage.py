"""Column lineage: cases that a person can read, and a second witness that runs them.

A case is a title, one statement and what is expected of it, in `cases/lineage/*.sql`:

    -- a renamed column, through a CTE
    with paid as (select id as order_id from orders where status = 'paid') select order_id from paid
    -- expect
    -- order_id <- orders.id
    -- (rows) <- orders.status [FILTER]

A kind stands in brackets unless it is IDENTITY; `(rows)` is what decides which rows there are. With
REWRITE_CASES=1 in the environment the expectations are written anew: read the difference before you keep it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import a_column, a_relation, some_artifacts

from factory.artifacts import Relation
from factory.lineage import ColumnTrace, ModelTrace, Source, trace_columns

CASES = Path(__file__).parent / "cases" / "lineage"
TABLES = CASES / "tables.sql"
REWRITE = bool(os.environ.get("REWRITE_CASES"))

#: How compiled SQL names a relation, where that is not simply its name.
RELATION_NAMES = {"Order Lines": '"Order Lines"', "readings": "read_csv('data/readings.csv')"}


@dataclass(frozen=True)
class Case:
    """One case of a file, as it was written."""

    file: Path
    title: str
    sql: str
    expected: str


def read_cases() -> list[Case]:
    cases = []
    for file in sorted(CASES.glob("*.sql")):
        if file == TABLES:
            continue
        for block in file.read_text("utf-8").strip().split("\n\n"):
            title, _, rest = block.partition("\n")
            sql, _, expected = rest.partition("\n-- expect\n")
            cases.append(Case(file, title.removeprefix("-- "), sql, expected.strip()))
    return cases


def the_database() -> Any:
    connection = duckdb.connect()
    connection.execute(TABLES.read_text("utf-8"))
    return connection


def known_relations() -> tuple[Relation, ...]:
    """Return the tables as relations: models of the product, and one source that is read from a file."""
    columns: dict[str, list[str]] = {}
    rows = the_database().execute("select table_name, column_name from information_schema.columns").fetchall()
    for table, column in rows:
        columns.setdefault(table, []).append(column)
    return tuple(
        a_relation(
            name,
            "source" if name == "readings" else "model",
            relation_name=RELATION_NAMES.get(name, name),
            columns=tuple(a_column(column) for column in found),
            sql="",
        )
        for name, found in sorted(columns.items())
    )


KNOWN = known_relations()


def trace(sql: str, *relations: Relation, adapter: str = "duckdb", **model: Any) -> ModelTrace:
    """Return the lineage of one model over the given relations (by default the tables of the cases)."""
    relations = relations or KNOWN
    upstream = tuple(relation.unique_id for relation in relations)
    reader = a_relation("it", **{"sql": sql, "upstream": upstream, "columns": (), **model})
    artifacts = some_artifacts(*relations, reader, adapter=adapter)
    return trace_columns(artifacts, {"orders"}).models[reader.unique_id]


def told(source: Source) -> str:
    table = source.relation.split(".", 2)[2]
    return f"{table}.{source.column}" + ("" if source.kind == "IDENTITY" else f" [{source.kind}]")


def as_text(found: ModelTrace) -> str:
    def line(name: str, sources: tuple[Source, ...], unknown: str = "") -> str:
        origin = f"(unknown: {unknown})" if unknown else ", ".join(map(told, sources)) or "(nothing)"
        return f"-- {name} <- {origin}"

    lines = [line(column.column, column.sources, column.unknown) for column in found.columns]
    lines += [line("(rows)", found.influences)] if found.influences else []
    return "\n".join(lines)


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: f"{case.file.stem}: {case.title}")
def test_a_case_has_the_expected_lineage(case: Case) -> None:
    found = as_text(trace(case.sql))
    if REWRITE:
        text = case.file.read_text("utf-8")
        old = f"-- {case.title}\n{case.sql}\n-- expect\n{case.expected}"
        case.file.write_text(text.replace(old, f"-- {case.title}\n{case.sql}\n-- expect\n{found}"), "utf-8")
    else:
        assert found == case.expected


def test_the_title_of_a_case_is_its_own() -> None:
    titles = [(case.file, case.title) for case in read_cases()]
    assert len(titles) == len(set(titles)) >= 30


# The second witness: what is not named has no influence


def other_values(connection: Any, table: str, column: str) -> Iterator[None]:
    """Change all values of one column in two ways, one after the other, and change them back."""
    kind = connection.execute(f"""select data_type from information_schema.columns
        where table_name = '{table}' and column_name = '{column}'""").fetchone()[0]
    connection.execute(
        f'create or replace temp table before as select rowid as row, "{column}" as value from "{table}"'
    )
    some = {"VARCHAR": "'other'", "TIMESTAMP": "timestamp '2031-05-07'", "DATE": "date '2031-05-07'"}.get(
        kind, "77"
    )
    last = "(select max(row) from before)"
    for value in (some, f'(select b.value from before as b where b.row = {last} - "{table}".rowid)'):
        connection.execute(f'update "{table}" set "{column}" = {value}')
        yield
        connection.execute(
            f'update "{table}" as t set "{column}" = b.value from before as b where b.row = t.rowid'
        )


#: Direct sources that cannot move their column on this data, and why.
STILL: dict[str, set[str]] = {}


def output(connection: Any, sql: str) -> dict[str, list[str]]:
    """Run a statement and return the values of each of its columns, in no particular order."""
    if "readings" in sql:
        connection.execute("copy readings to 'data/readings.csv'")
    found = connection.execute(sql)
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    return {name.lower(): sorted(repr(row[number]) for row in rows) for number, name in enumerate(names)}


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: f"{case.file.stem}: {case.title}")
def test_a_column_that_the_lineage_does_not_name_changes_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    found = trace(case.sql)
    connection = the_database()
    before = output(connection, case.sql)
    assert [column.column.lower() for column in found.columns] == list(before), "as the database names them"
    for relation in KNOWN:
        if relation.name.lower() not in case.sql.lower():
            continue
        for column in (column.name for column in relation.columns):
            named = [
                trace.column.lower()
                for trace in found.columns
                if trace.unknown
                or any((s.relation, s.column) == (relation.unique_id, column) for s in trace.sources)
            ]
            if any((s.relation, s.column) == (relation.unique_id, column) for s in found.influences):
                continue
            for _ in other_values(connection, relation.name, column):
                after = output(connection, case.sql)
                moved = {name for name in before if before[name] != after[name]}
                assert moved <= set(named), f"{relation.name}.{column} is not named, and yet {moved} changed"


# The third witness: what is named as a value moves the value

#: Ways to change all values of a column, by its type; on data this small one alone may change nothing.
CHANGES = {
    "INTEGER": ("{c} + 1", "{c} * 7 + 3", "1", "2", "8 - {c}", "case when rowid = 0 then {c} else null end", "-{c}"),
    "DOUBLE": ("{c} + 1", "{c} * 7 + 3", "1.0", "30 - {c}", "case when rowid = 0 then {c} else null end", "-{c}"),
    "VARCHAR": (
        "{c} || 'x'", "'paid'", "'open'", "reverse({c})", "null", "case when rowid % 2 = 0 then 'paid' else 'a,b' end",
        "'NO'", "'[1, 2]'", "rowid::varchar",
    ),
    "TIMESTAMP": ("{c} + interval 40 day", "timestamp '2024-01-01' + to_days(rowid::integer * 400)", "null"),
    "DATE": ("{c} + 400", "date '2024-01-01' + rowid::integer * 400", "null"),
}  # fmt: skip


def moves(connection: Any, sql: str, table: str, column: str) -> set[str]:
    """Return the output columns that change in any of the ways to change one column."""
    before = output(connection, sql)
    kind = connection.execute(f"""select data_type from information_schema.columns
        where table_name = '{table}' and column_name = '{column}'""").fetchone()[0]
    connection.execute(
        f'create or replace temp table kept as select rowid as row, "{column}" as value from "{table}"'
    )
    moved: set[str] = set()
    for change in CHANGES[kind]:
        expression = change.format(c=f'"{column}"')
        connection.execute(f'update "{table}" set "{column}" = {expression}')
        with contextlib.suppress(duckdb.Error):  # a value that the statement cannot take
            after = output(connection, sql)
            moved |= {name for name in before if before[name] != after.get(name)}
        connection.execute(
            f'update "{table}" as t set "{column}" = k.value from kept as k where k.row = t.rowid'
        )
    return moved


#: With other data a recursive query may never end.
ENDING = [case for case in read_cases() if "recursive" not in case.sql]


@pytest.mark.parametrize("case", ENDING, ids=lambda case: f"{case.file.stem}: {case.title}")
def test_a_column_that_the_lineage_calls_direct_moves_the_value(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    found = trace(case.sql)
    connection = the_database()
    names = {relation.unique_id: relation.name for relation in KNOWN}
    wanted: dict[tuple[str, str], set[str]] = {}
    for column in found.columns:
        for source in column.direct:
            wanted.setdefault((names[source.relation], source.column), set()).add(column.column.lower())
    still = {
        f"{output_} <- {table}.{column}"
        for (table, column), outputs in wanted.items()
        for output_ in outputs - moves(connection, case.sql, table, column)
    }
    assert still == STILL.get(f"{case.file.stem}: {case.title}", set())


# Models among models


def test_a_star_finds_the_columns_of_models_that_no_catalog_knows() -> None:
    raw = a_relation("raw", columns=(a_column("id"), a_column("cents")), sql="", relation_name="raw")
    stg = a_relation(
        "stg",
        columns=(),
        sql="select id, cents / 100 as amount from raw",
        relation_name="stg",
        upstream=(raw.unique_id,),
    )
    mart = a_relation(
        "mart", columns=(), sql="select * from stg", relation_name="mart", upstream=(stg.unique_id,)
    )
    found = trace_columns(some_artifacts(raw, stg, mart), {"orders"}).models
    assert as_text(found[stg.unique_id]) == "-- id <- raw.id\n-- amount <- raw.cents [TRANSFORMATION]"
    assert as_text(found[mart.unique_id]) == "-- id <- stg.id\n-- amount <- stg.amount"


def test_columns_are_named_and_ordered_as_the_database_has_them() -> None:
    columns = (a_column("AMOUNT"), a_column("Order ID"))
    found = trace('select id as "Order ID", amount from orders', columns=columns)
    assert [column.column for column in found.columns] == ["AMOUNT", "Order ID"]
    assert as_text(found) == "-- AMOUNT <- orders.amount\n-- Order ID <- orders.id"


def test_a_column_that_the_sql_does_not_show_is_unknown() -> None:
    found = trace("select id from orders", columns=(a_column("id"), a_column("extra")))
    extra = found.column("EXTRA")
    assert extra is not None
    assert (extra.kind, extra.sources) == ("UNKNOWN", ())
    assert extra.unknown == "not in the model's SQL as far as it can be read"
    assert found.traced == 1


@pytest.mark.parametrize(
    ("settings", "added"),
    [
        (
            {"strategy": "timestamp", "updated_at": "ordered_at", "unique_key": "id"},
            (
                "dbt_scd_id <- orders.id [TRANSFORMATION], orders.ordered_at [TRANSFORMATION]; "
                "dbt_updated_at <- orders.ordered_at; dbt_valid_from <- orders.ordered_at; "
                "dbt_valid_to <- orders.ordered_at [TRANSFORMATION]"
            ),
        ),
        (
            {
                "strategy": "check",
                "unique_key": ["id", "status"],
                "hard_deletes": "new_record",
                "snapshot_meta_column_names": {"dbt_valid_to": "until"},
            },
            (
                "dbt_scd_id <- orders.id [TRANSFORMATION], orders.status [TRANSFORMATION]; "
                "dbt_updated_at <- (nothing); dbt_valid_from <- (nothing); until <- (nothing); "
                "dbt_is_deleted <- (nothing)"
            ),
        ),
    ],
)
def test_what_a_snapshot_adds_is_traced_as_dbt_makes_it(settings: dict[str, Any], added: str) -> None:
    orders = next(relation for relation in KNOWN if relation.name == "orders")
    sql = f"select * from {orders.relation_name}"
    changes = {"columns": (), "sql": sql, "upstream": (orders.unique_id,), "snapshot": settings}
    snapshot = a_relation("history", "snapshot", **changes)
    found = trace_columns(some_artifacts(orders, snapshot), {"orders"}).models[snapshot.unique_id]
    lines = as_text(found).replace("-- ", "").splitlines()
    assert "; ".join(lines[len(orders.columns) :]) == added
    assert {column.made for column in found.columns if not column.direct} <= {"generator"}


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"language": "python", "sql": "def model(*given): ..."}, "python model"),
        ({"sql": ""}, "no compiled SQL in the manifest"),
        ({"sql": "-- nothing"}, "0 statements where there should be one"),
        ({"sql": "select 1 as id; select 2 as id"}, "2 statements where there should be one"),
        ({"sql": "select from where"}, "SQL that sqlglot cannot read: "),
        ({"sql": "select '"}, "SQL that sqlglot cannot read: "),
    ],
)
def test_a_model_that_cannot_be_read_costs_only_itself(model: dict[str, str], reason: str) -> None:
    broken = a_relation("broken", relation_name="broken", columns=(a_column("id"),), **model)
    after = a_relation("after", columns=(), sql="select * from broken", upstream=(broken.unique_id,))
    found = trace_columns(some_artifacts(broken, after), {"orders"}).models
    (column,) = found[broken.unique_id].columns
    assert column.unknown.startswith(reason)
    assert column.kind == "UNKNOWN"
    assert as_text(found[after.unique_id]) == "-- id <- broken.id"


def test_a_table_that_the_model_did_not_declare_is_named() -> None:
    found = trace("select o.id, h.secret from orders as o join hidden.things as h on h.id = o.id")
    secret = found.column("secret")
    assert secret is not None
    assert secret.unknown == "hidden.things is not a ref() or source() of the model"
    assert found.traced == 1


def test_only_models_and_snapshots_of_the_given_products_are_traced() -> None:
    mine = a_relation("mine", sql="select 1 as id")
    theirs = a_relation("theirs", package="crm", sql="select 1 as id")
    seed, source = a_relation("rates", "seed"), a_relation("raw.orders", "source")
    artifacts = some_artifacts(mine, theirs, seed, source)
    assert set(trace_columns(artifacts, {"orders"}).models) == {mine.unique_id}
    assert set(trace_columns(artifacts, {"orders", "crm"}).models) == {mine.unique_id, theirs.unique_id}


def test_another_product_s_port_is_a_source_like_any_other() -> None:
    port = a_relation("customers", package="crm", columns=(a_column("id"),))
    found = trace('select id from "crm"."crm"."customers"', port)
    assert found.columns[0].sources == (Source("model.crm.customers", "id", "IDENTITY"),)


@pytest.mark.parametrize(
    ("adapter", "name", "sql"),
    [
        ("postgres", '"db"."main"."src"', 'select s.id, upper(s.name) as name from "db"."main"."src" as s'),
        (
            "bigquery",
            "`my-project`.`main`.`src`",
            "select id, upper(name) as name from `my-project`.`main`.`src`",
        ),
        (
            "bigquery",
            "`my-project`.`main`.`src`",
            "select * except (name), upper(name) as name from `my-project.main.src`",
        ),
        (
            "spark",
            "main.src",
            "select id, n as name from main.src lateral view explode(split(name, ',')) t as n",
        ),
        ("sqlserver", '"db"."dbo"."src"', "select top 3 [id], upper([name]) as name from [db].[dbo].[src]"),
    ],
)
def test_the_sql_of_other_databases_is_read_in_their_dialect(adapter: str, name: str, sql: str) -> None:
    columns = (a_column("id"), a_column("name"))
    source = a_relation("src", relation_name=name, columns=columns, sql="")
    assert (
        as_text(trace(sql, source, adapter=adapter))
        == "-- id <- src.id\n-- name <- src.name [TRANSFORMATION]"
    )


@pytest.mark.parametrize(
    ("adapter", "name", "sql", "lineage"),
    [
        (
            "snowflake",
            "DB.SC.SRC",
            "select id, iff(name = 'a', 1, null) as t, name as \"Mixed\" from db.sc.src",
            "ID <- src.ID; T <- src.NAME [CONDITIONAL]; Mixed <- src.NAME",
        ),
        (
            "snowflake",
            "DB.SC.SRC",
            "select * rename id as key from db.sc.src",
            "KEY <- src.ID; NAME <- src.NAME",
        ),
        (
            "snowflake",
            "DB.SC.SRC",
            "select f.value:x::string as v from db.sc.src, lateral flatten(input => name:items) as f",
            "V <- src.NAME [TRANSFORMATION]",
        ),
        (
            "sqlserver",
            '"DB"."SC"."SRC"',
            "select [a] from (select id, name from DB.SC.SRC) as p pivot (sum(id) for name in ([a], [b])) as t",
            "a <- src.ID [AGGREGATION], src.NAME [CONDITIONAL]",
        ),
        (
            "postgres",
            '"db"."sc"."src"',
            "select x.k from db.sc.src, jsonb_each(name) as x (k, v)",
            "k <- src.NAME [TRANSFORMATION]",
        ),
        (
            "clickhouse",
            "sc.src",
            "select ID from sc.src prewhere NAME = 'a'",
            "ID <- src.ID; (rows) <- src.NAME [FILTER]",
        ),
        (
            "duckdb",
            "src",
            "select ID as Total from src order by total",
            "Total <- src.ID; (rows) <- src.ID [SORT]",
        ),
    ],
)
def test_names_are_folded_as_the_dialect_folds_them(adapter: str, name: str, sql: str, lineage: str) -> None:
    columns = (a_column("ID"), a_column("NAME"))
    source = a_relation("src", relation_name=name, columns=columns, sql="")
    found = as_text(trace(sql, source, adapter=adapter))
    assert found.replace("-- ", "").replace("\n", "; ") == lineage


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select columns(c -> length(c) > 3) from returns", "a choice of columns that cannot be followed"),
        ("select * like status from orders", "a choice of columns that cannot be followed"),
        ("select #22 from orders", "a choice of columns that cannot be followed"),
        ("select rowid from orders", "the column rowid cannot be given to one table"),
    ],
)
def test_what_cannot_be_followed_is_said_to_be_unknown(sql: str, reason: str) -> None:
    (column,) = trace(sql).columns
    assert column.unknown.startswith(reason)


@pytest.mark.parametrize(
    "sql", ["delete from orders", "create table x as select 1 as id", "call something()"]
)
def test_a_statement_that_is_no_query_is_said_to_be_unknown(sql: str) -> None:
    found = trace(sql, columns=(a_column("paid"),))
    assert found.columns[0].unknown.endswith("is not followed: it is no SELECT")


def test_columns_of_one_name_are_told_apart() -> None:
    found = trace("select o.amount, r.amount from orders as o join returns as r on r.order_id = o.id")
    assert as_text(found).splitlines()[:2] == ["-- amount <- orders.amount", "-- amount <- returns.amount"]


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        (["IDENTITY"], "IDENTITY"),
        (["IDENTITY", "TRANSFORMATION"], "TRANSFORMATION"),
        (["AGGREGATION", "IDENTITY", "WINDOW"], "AGGREGATION"),
        (["WINDOW", "CONDITIONAL"], "CONSTANT"),
        ([], "CONSTANT"),
    ],
)
def test_a_column_is_of_the_strongest_kind_that_flows_into_it(kinds: list[str], kind: str) -> None:
    sources = tuple(Source("model.orders.orders", "id", each) for each in kinds)
    assert ColumnTrace("x", sources, "").kind == kind
    assert ColumnTrace("x", sources, "", unknown="why").kind == "UNKNOWN"


def test_the_expression_that_makes_a_column_is_kept() -> None:
    found = trace(
        "with a as (select id as key, sum(amount) as total from orders group by id) select key, total, 1 as one from a"
    )
    assert [column.expression for column in found.columns] == ["id", "SUM(amount)", "1"]


def test_a_long_chain_and_a_deep_nesting_are_read() -> None:
    steps = ["with c0 as (select id, amount from orders)"]
    steps += [f"c{n} as (select id, amount + 1 as amount from c{n - 1})" for n in range(1, 100)]
    chain = trace(",\n".join(steps) + " select * from c99")
    assert as_text(chain) == "-- id <- orders.id\n-- amount <- orders.amount [TRANSFORMATION]"
    deep = trace("select * from (" * 50 + "select id from orders" + ")" * 50)
    assert as_text(deep) == "-- id <- orders.id"


def test_columns_that_double_at_every_step_are_followed_once() -> None:
    steps = ["with c0 as (select id, amount from orders)"]
    steps += [
        f"c{n} as (select a.id, b.amount from c{n - 1} as a join c{n - 1} as b on a.id = b.id)"
        for n in range(1, 25)
    ]
    found = trace(", ".join(steps) + " select * from c24")
    assert as_text(found) == "-- id <- orders.id\n-- amount <- orders.amount\n-- (rows) <- orders.id [JOIN]"
