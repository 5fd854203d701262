"""Trace models in order of dependency, so that every star finds the columns behind it."""

from __future__ import annotations

import re
from collections.abc import Collection

from factory.artifacts import Artifacts, Relation
from factory.lineage.graph import ColumnTrace, Lineage, ModelTrace
from factory.lineage.statement import Table, read_statement

_PLAIN_NAME = re.compile(r'(["`\[]?[\w$-]+["`\]]?)(\.["`\[]?[\w$-]+["`\]]?){0,2}')


def trace_columns(artifacts: Artifacts, packages: Collection[str]) -> Lineage:
    """Trace every model and snapshot of the given packages, one visit each.

    A relation whose SQL cannot be read costs only itself: its columns are there, unknown, with the reason.
    """
    columns = {
        unique_id: tuple(column.name for column in relation.columns)
        for unique_id, relation in artifacts.relations.items()
    }
    models: dict[str, ModelTrace] = {}
    for unique_id, relation in artifacts.relations.items():
        if relation.package not in packages or relation.kind not in ("model", "snapshot"):
            continue
        trace = _trace(relation, artifacts, columns)
        models[unique_id] = trace
        if not columns[unique_id]:
            columns[unique_id] = tuple(column.column for column in trace.columns)
    return Lineage(models)


def _trace(relation: Relation, artifacts: Artifacts, columns: dict[str, tuple[str, ...]]) -> ModelTrace:
    if relation.language != "sql":
        return _unknown(relation, f"{relation.language} model")
    if not relation.sql:
        return _unknown(relation, "no compiled SQL in the manifest")
    sql = relation.sql
    tables: dict[str, Table] = {}
    for number, upstream in enumerate(_readable(relation, artifacts)):
        unique_id = upstream.unique_id
        name = upstream.relation_name
        if name and not _PLAIN_NAME.fullmatch(name):
            # An external source stands in the SQL as a file or a table function: give it a name.
            stand_in = f'"external"."source"."s{number}"'
            sql = sql.replace(name, stand_in)
            name = stand_in
        if name:
            tables[name] = Table(unique_id, columns.get(unique_id, ()))
    statement = read_statement(sql, artifacts.adapter, tables)
    if statement.error:
        return _unknown(relation, statement.error)
    traced = tuple(_without_itself(column, relation.unique_id) for column in statement.columns)
    influences = tuple(s for s in statement.influences if s.relation != relation.unique_id)
    return ModelTrace(relation.unique_id, _declared(relation, traced), influences, statement.hidden)


def _readable(relation: Relation, artifacts: Artifacts) -> list[Relation]:
    """Return what a relation's SQL may name: what it reads, and behind ephemeral models what those read.

    dbt puts the SQL of an ephemeral model into that of its readers. An incremental model names itself.
    """
    found: dict[str, Relation] = {}
    waiting = list(relation.upstream)
    while waiting:
        upstream = artifacts.relations.get(waiting.pop(0))
        if upstream is None or upstream.unique_id in found:
            continue
        found[upstream.unique_id] = upstream
        if upstream.materialized == "ephemeral":
            waiting += upstream.upstream
    found.setdefault(relation.unique_id, relation)
    return list(found.values())


def _without_itself(trace: ColumnTrace, unique_id: str) -> ColumnTrace:
    """Leave out what an incremental model takes from its own earlier rows."""
    sources = tuple(source for source in trace.sources if source.relation != unique_id)
    return ColumnTrace(trace.column, sources, trace.expression, trace.unknown)


def _declared(relation: Relation, traced: tuple[ColumnTrace, ...]) -> tuple[ColumnTrace, ...]:
    """Give the columns the names that the database has for them, and add those that SQL does not show."""
    by_name = {trace.column.lower(): trace for trace in traced}
    if not relation.columns:
        return traced
    result = []
    for column in relation.columns:
        trace = by_name.get(column.name.lower())
        if trace is None:
            added = relation.kind == "snapshot" and column.name.lower().startswith("dbt_")
            reason = "added by dbt's snapshot" if added else "not in the model's SQL as far as it can be read"
            result.append(ColumnTrace(column.name, (), "", reason))
        else:
            result.append(ColumnTrace(column.name, trace.sources, trace.expression, trace.unknown))
    return tuple(result)


def _unknown(relation: Relation, reason: str) -> ModelTrace:
    columns = tuple(ColumnTrace(column.name, (), "", reason) for column in relation.columns)
    return ModelTrace(relation.unique_id, columns, ())
