"""Column lineage in the SQL of every database, with all, some or none of the columns known.

A case is what is known of its tables, one statement and what is expected of it, in `cases/lineage/dialects/*.sql`:

    -- orders(id, amount), items~(sku), log()
    select ... from "db"."raw"."orders"
    -- expect
    -- id <- orders.id
    -- (rows) <- items.sku [JOIN]

A table's columns are known from a catalog; with `~`, some of them from YAML; with none, nothing is known. `(constant)` and
`(generator)` say why nothing flows in, `and more` that there are columns which nobody knows. Each expectation agrees with
a truth that was written by hand, by the conventions in `docs/lineage.md`, before the factory read the statement. With
REWRITE_CASES=1 they are written anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders import a_column, a_relation, some_artifacts

from factory.artifacts import Relation
from factory.lineage import Influence, ModelTrace, Source, trace_columns

CASES = Path(__file__).parent / "cases" / "lineage" / "dialects"
REWRITE = bool(os.environ.get("REWRITE_CASES"))

#: How compiled SQL names the tables; `{}` is the name.
PLACES = {
    "snowflake": "DB.RAW.{}",
    "bigquery": "`my-proj`.`raw`.`{}`",
    "spark": "raw.{}",
    "databricks": "`cat`.`raw`.`{}`",
    "clickhouse": "`raw`.`{}`",
}


@dataclass(frozen=True)
class Case:
    """One case of a file, as it was written."""

    dialect: str
    number: int
    tables: str
    sql: str
    expected: str


def read_cases() -> Iterator[Case]:
    for file in sorted(CASES.glob("*.sql")):
        for number, block in enumerate(file.read_text("utf-8").strip().split("\n\n"), 1):
            head, _, rest = block.partition("\n")
            sql, _, expected = rest.partition("\n-- expect\n")
            yield Case(file.stem, number, head.removeprefix("-- "), sql, expected.strip())


CASES_READ = tuple(read_cases())


def relations(case: Case) -> list[Relation]:
    """Return what is known of a case's tables."""
    place = PLACES.get(case.dialect, '"db"."raw"."{}"')
    found = []
    for name, mark, listed in re.findall(r"(\w+)(~?)\(([^)]*)\)", case.tables):
        columns = []
        for each in filter(None, (part.strip() for part in listed.split(","))):
            upper = case.dialect == "snowflake" and not mark and each[0] not in '"`'
            columns.append(a_column(each.upper() if upper else each.strip('"`'), "" if mark else "VARCHAR"))
        called = name.upper() if case.dialect == "snowflake" else name
        found.append(
            a_relation(
                f"raw.{name}", "source", relation_name=place.format(called), identifier=called,
                database="db", schema="raw", columns=tuple(columns), sql="",
            )
        )  # fmt: skip
    return found


def as_text(found: ModelTrace) -> str:
    def told(source: Source | Influence) -> str:
        kind = "" if source.kind == "IDENTITY" else f" [{source.kind}]"
        return f"{source.relation.rpartition('.')[2]}.{source.column}{kind}"

    lines = []
    for column in found.columns:
        unknown = f"(unknown: {column.unknown})" if column.unknown else ""
        lines.append(
            f"-- {column.column} <- {unknown or ', '.join(map(told, column.sources)) or f'({column.made})'}"
        )
    if found.influences:
        lines.append(f"-- (rows) <- {', '.join(map(told, found.influences))}")
    return "\n".join(lines if found.complete else [*lines, "-- and more"])


@pytest.mark.parametrize("case", CASES_READ, ids=lambda case: f"{case.dialect} {case.number}")
def test_a_statement_of_a_database_has_the_expected_lineage(case: Case) -> None:
    tables = relations(case)
    place = PLACES.get(case.dialect, '"db"."raw"."{}"')
    it = a_relation(
        "it", sql=case.sql, upstream=tuple(table.unique_id for table in tables), columns=(),
        relation_name=place.format("it_model"), materialized="incremental",
    )  # fmt: skip
    found = as_text(
        trace_columns(some_artifacts(*tables, it, adapter=case.dialect), {"orders"}).models[it.unique_id]
    )
    if REWRITE:
        file = CASES / f"{case.dialect}.sql"
        old = f"-- {case.tables}\n{case.sql}\n-- expect\n{case.expected}"
        text = file.read_text("utf-8")
        file.write_text(text.replace(old, f"-- {case.tables}\n{case.sql}\n-- expect\n{found}"), "utf-8")
    else:
        assert found == case.expected


def test_every_database_that_is_promised_has_cases() -> None:
    promised = {"duckdb", "postgres", "snowflake", "bigquery", "redshift", "spark", "databricks", "trino", "athena",
                "clickhouse", "sqlserver"}  # fmt: skip
    assert {case.dialect for case in CASES_READ} >= promised
    assert len(CASES_READ) >= 250
