"""Measure what column lineage costs, against parsing and qualifying the same SQL once, and what a cache saves.

Run it as `python -m benchmarks.lineage [N]`; without a number it takes 2,000 models of 20 columns in 16 layers: CTE
chains of five, joins, unions and stars, each reading one or two models of the layer before. The floor is sqlglot's own
work, with the same build of sqlglot in the same process: parse every statement and qualify it with the columns of what
it reads. Reading a manifest and writing the output are left out of all of these. The times of the command itself, which
has to do both, are wall-clock seconds of a process of its own: with an empty cache, after one model changed, and with
nothing changed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlglot import parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from factory.artifacts import Artifacts, Column, Relation
from factory.lineage import Cache, stitch, trace_graph

COLUMNS = 20
ROUNDS = 3
KINDS = 4
LAYERS = 16


def names(number: int) -> list[str]:
    """Return the columns of a model."""
    return ["id", "key", *(f"m{number}_c{column}" for column in range(COLUMNS - 2))]


def reads(number: int, count: int) -> tuple[int, int]:
    """Return the two models of the layer before that a model reads; 0 is the one that reads the source."""
    wide = max(1, count // LAYERS)
    layer = number // wide
    if not layer:
        return 0, 0
    begin = (layer - 1) * wide
    return begin + number % wide, begin + (number * 7 + 3) % wide


def sql(number: int, count: int) -> str:
    """Return the SQL of a model: a chain of CTEs, a join, a union or a star, over models of the layer before."""
    before, other = reads(number, count)
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


def relation(number: int, count: int) -> Relation:
    """Return a model as dbt's manifest has it."""
    upstream = tuple(f"model.bench.m{each}" for each in dict.fromkeys(reads(number, count)))
    values: dict[str, Any] = dict.fromkeys(Relation.__dataclass_fields__, "")
    values |= {
        "unique_id": f"model.bench.m{number}", "kind": "model", "package": "bench", "name": f"m{number}",
        "identifier": f"m{number}", "relation_name": f"db.main.m{number}", "enforced": False, "columns": (),
        "constraints": (), "primary_key": (), "tags": (), "meta": {}, "sql": sql(number, count), "language": "sql",
        "snapshot": {},
        "upstream": upstream if number else ("source.bench.raw",),
    }  # fmt: skip
    return Relation(**values)


def source() -> Relation:
    """Return the one source, with the columns that YAML declares."""
    columns = tuple(Column(f"c{n}", "", "", "", (), {}, (), declared=True) for n in range(COLUMNS))
    raw = relation(0, 1)
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


def incremental(artifacts: Artifacts) -> float:
    """Return the CPU seconds of tracing after one model changed, with what was found before in a cache."""
    models = list(artifacts.relations)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "lineage.cache"
        trace_graph(stitch([artifacts]), cache=Cache(file), workers=1)
        spent = []
        for number in range(ROUNDS):
            changed = dict(artifacts.relations)
            unique_id = models[len(models) // 2 + number]
            text = changed[unique_id].sql.replace("select", f"select {number} as changed,", 1)
            changed[unique_id] = replace(changed[unique_id], sql=text)
            graph = stitch([replace(artifacts, relations=changed)])
            begin = time.process_time()
            trace_graph(graph, cache=Cache(file), workers=1)
            spent.append(time.process_time() - begin)
    return statistics.median(spent)


def manifest(relations: Mapping[str, Relation]) -> dict[str, Any]:
    """Return the relations as dbt writes them."""
    nodes: dict[str, Any] = {}
    for unique_id, each in relations.items():
        nodes[unique_id] = {
            "resource_type": each.kind, "name": each.name, "alias": each.name, "package_name": "bench",
            "database": "db", "schema": "main", "relation_name": each.relation_name, "compiled_code": each.sql,
            "columns": {column.name: {"name": column.name} for column in each.columns},
            "depends_on": {"nodes": list(each.upstream)}, "config": {"materialized": "view"},
        }  # fmt: skip
    sources = {
        unique_id: nodes.pop(unique_id) for unique_id in list(nodes) if unique_id.startswith("source.")
    }
    head = {"adapter_type": "duckdb", "project_name": "bench", "generated_at": "2026-01-01T00:00:00Z"}
    return {"metadata": {**head, "dbt_version": "1.11.0"}, "nodes": nodes, "sources": sources}


def command(folder: Path, *, cores: int = 0) -> float:
    """Return the wall-clock seconds of `factory lineage` over a manifest, with the cache in its folder."""
    arguments = [
        sys.executable,
        "-m",
        "factory",
        "lineage",
        "--manifest",
        str(folder),
        "-o",
        str(folder / "out.json"),
    ]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    limit = (lambda: os.sched_setaffinity(0, set(range(cores)))) if cores else None
    begin = time.perf_counter()
    subprocess.run(arguments, env=environment, check=True, stderr=subprocess.DEVNULL, preexec_fn=limit)
    return time.perf_counter() - begin


def commands(relations: Mapping[str, Relation]) -> None:
    """Measure the command itself and print its times."""
    values = manifest(relations)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "manifest.json"
        file.write_text(json.dumps(values), "utf-8")
        one = command(folder, cores=1)
        shutil.rmtree(folder / "cache")
        both = command(folder)
        changed = values["nodes"][f"model.bench.m{len(relations) // 2}"]
        changed["compiled_code"] = changed["compiled_code"].replace("select", "select 1 as one,", 1)
        file.write_text(json.dumps(values), "utf-8")
        after = command(folder)
        again = command(folder)
        size = sum(each.stat().st_size for each in (folder / "cache").rglob("*.cache")) / 1e6
    print(f"factory lineage, one core:  {one:.1f} seconds of wall clock")
    print(f"factory lineage, all cores: {both:.1f}")
    print(
        f"after one model changed:    {after:.1f}  ({after / one:.0%} of one core, {after / both:.0%} of all)"
    )
    print(f"nothing changed:            {again:.1f}  (the cache has {size:.0f} MB)")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="?", type=int, default=2000)
    count = parser.parse_args().models
    found = [source(), *(relation(number, count) for number in range(count))]
    relations = {each.unique_id: each for each in found}
    empty: dict[str, Any] = dict.fromkeys(Artifacts.__dataclass_fields__, ())
    artifacts = Artifacts(**{**empty, "adapter": "duckdb", "relations": relations, "project": "bench"})
    graph = stitch([artifacts])
    least = seconds(lambda: floor(relations))
    lineage = trace_graph(graph, workers=1)
    traced = seconds(lambda: trace_graph(graph, workers=1))
    again = incremental(artifacts)
    columns = sum(len(model.columns) for model in lineage.models.values())
    unknown = columns - sum(model.traced for model in lineage.models.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} models, {columns} columns, {unknown} of them unknown")
    print(f"(a) parse and qualify once: {least:.1f} CPU seconds")
    print(f"(b) column lineage:         {traced:.1f}")
    print(f"(b) / (a):                  {traced / least:.2f}  (goal 1.5)")
    print(f"(c) after one model changed: {again:.2f}")
    print(f"(c) / (b):                  {again / traced:.0%}  (goal 10 %)")
    print(f"peak:                       {peak:.0f} MB  (goal 1000)")
    commands(relations)


if __name__ == "__main__":
    main()
