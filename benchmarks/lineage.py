"""Measure what column lineage costs, in CPU seconds, against parsing and qualifying the same SQL once.

Run it as `python -m benchmarks.lineage [N]`; without a number it takes 2,000 models of 20 columns: CTE chains of five,
joins, unions and stars, each reading one or two models before it. The floor is sqlglot's own work, with the same
build of sqlglot in the same process: parse every statement and qualify it with the columns of what it reads. Reading
a manifest and writing the output are left out of both.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlglot import parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from factory.artifacts import Artifacts, Column, Relation
from factory.lineage import trace_columns

COLUMNS = 20
ROUNDS = 3
KINDS = 4


def names(number: int) -> list[str]:
    """Return the columns of a model."""
    return ["id", "key", *(f"m{number}_c{column}" for column in range(COLUMNS - 2))]


def sql(number: int) -> str:
    """Return the SQL of a model: a chain of CTEs, a join, a union or a star, over the models before it."""
    before, other = max(0, number - 1), max(0, number // 2)
    mine, theirs = names(number), names(before)
    if number == 0:
        return (
            "select "
            + ", ".join(f"s.c{n} as {name}" for n, name in enumerate(mine))
            + " from db.main.raw as s"
        )
    one, two = f"db.main.m{before}", f"db.main.m{other}"
    kind = number % KINDS
    if kind == 0:
        steps = [f"a0 as (select * from {one} where id > 0)"]
        steps += [
            f"a{step} as (select a{step - 1}.* from a{step - 1} where key is not null)"
            for step in range(1, 5)
        ]
        made = ", ".join(f"{old} as {new}" for old, new in zip(theirs, mine, strict=True))
        return f"with {', '.join(steps)} select {made} from a4"
    if kind == 1:
        made = ", ".join(
            f"coalesce(a.{old}, 0) + 1 as {new}" for old, new in zip(theirs[2:], mine[2:], strict=True)
        )
        return f"select a.id, b.key, {made} from {one} as a left join {two} as b on a.id = b.id and b.key > a.key"
    if kind == 2:
        made = ", ".join(f"sum({old}) as {new}" for old, new in zip(theirs[2:], mine[2:], strict=True))
        return f"with source as (select * from {one}) select id, key, {made} from source group by id, key"
    made = ", ".join(f"{old} as {new}" for old, new in zip(theirs, mine, strict=True))
    last = names(other)
    more = ", ".join(f"{old} as {new}" for old, new in zip(last, mine, strict=True))
    return (
        f"with both_ways as (select {made} from {one} union all select {more} from {two}) "
        "select *, row_number() over (partition by key order by id) as place from both_ways"
    )


def relation(number: int) -> Relation:
    """Return a model as dbt's manifest has it."""
    upstream = (f"model.bench.m{max(0, number - 1)}", f"model.bench.m{max(0, number // 2)}")
    values: dict[str, Any] = dict.fromkeys(Relation.__dataclass_fields__, "")
    values |= {
        "unique_id": f"model.bench.m{number}", "kind": "model", "package": "bench", "name": f"m{number}",
        "identifier": f"m{number}", "relation_name": f"db.main.m{number}", "enforced": False, "columns": (),
        "constraints": (), "primary_key": (), "tags": (), "meta": {}, "sql": sql(number), "language": "sql",
        "upstream": upstream if number else ("source.bench.raw",),
    }  # fmt: skip
    return Relation(**values)


def source() -> Relation:
    """Return the one source, with the columns that YAML declares."""
    columns = tuple(Column(f"c{n}", "", "", "", (), {}, (), declared=True) for n in range(COLUMNS))
    raw = relation(0)
    changed = {field: getattr(raw, field) for field in Relation.__dataclass_fields__}
    changed |= {
        "unique_id": "source.bench.raw", "kind": "source", "name": "raw", "relation_name": "db.main.raw",
        "columns": columns, "upstream": (), "sql": "",
    }  # fmt: skip
    return Relation(**changed)


def floor(relations: Mapping[str, Relation]) -> None:
    """Parse and qualify every statement once."""
    columns: dict[str, list[str]] = {}
    for each in relations.values():
        if each.kind == "source":
            columns[each.unique_id] = [column.name for column in each.columns]
            continue
        schema = MappingSchema(dialect="duckdb")
        for upstream in each.upstream:
            schema.add_table(
                relations[upstream].relation_name,
                dict.fromkeys(columns[upstream], "unknown"),
                match_depth=False,
            )
        tree = qualify(
            parse_one(each.sql, dialect="duckdb"),
            schema=schema,
            dialect="duckdb",
            identify=False,
            quote_identifiers=False,
            validate_qualify_columns=False,
        )
        columns[each.unique_id] = tree.named_selects


def seconds(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of a piece of work, the median of three runs."""
    spent = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return statistics.median(spent)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="?", type=int, default=2000)
    count = parser.parse_args().models
    found = [source(), *(relation(number) for number in range(count))]
    relations = {each.unique_id: each for each in found}
    empty: dict[str, Any] = dict.fromkeys(Artifacts.__dataclass_fields__, ())
    artifacts = Artifacts(**{**empty, "adapter": "duckdb", "relations": relations})
    least = seconds(lambda: floor(relations))
    lineage = trace_columns(artifacts, {"bench"})
    traced = seconds(lambda: trace_columns(artifacts, {"bench"}))
    columns = sum(len(model.columns) for model in lineage.models.values())
    unknown = columns - sum(model.traced for model in lineage.models.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} models, {columns} columns, {unknown} of them unknown")
    print(f"(a) parse and qualify once: {least:.1f} CPU seconds")
    print(f"(b) column lineage:         {traced:.1f}")
    print(f"(b) / (a):                  {traced / least:.2f}  (goal 1.5)")
    print(f"peak:                       {peak:.0f} MB  (goal 1000)")


if __name__ == "__main__":
    main()
