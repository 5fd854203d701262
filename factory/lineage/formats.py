"""Lineage for programs: flat JSON of our own, and OpenLineage.

The JSON is `{"edges": [...], "models": [...]}`, sorted. OpenLineage is an array of DatasetEvents, one per model, of
https://openlineage.io/spec/2-0-2/OpenLineage.json with the facets columnLineage 1-2-0 and schema 1-2-0.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

from factory.artifacts import Column, Relation
from factory.lineage.graph import DIRECT, ColumnTrace, Influence, Lineage, ModelTrace, Source
from factory.lineage.projects import Graph

PRODUCER = "urn:dpf:factory"
_EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent"
_FACETS = "https://openlineage.io/spec/facets/1-2-0"
#: OpenLineage asks for a time; a manifest that does not say when it was written has none.
_NO_TIME = "1970-01-01T00:00:00Z"


def lineage_values(lineage: Lineage, models: Iterable[str] | None = None) -> dict[str, Any]:
    """Return lineage as flat, sorted values.

    Args:
        lineage: the traces.
        models: unique ids of those to tell, or None for all.

    Returns:
        `edges`: of a column (or, with `column` null, of all rows of a model) a source, one hop away, with `type` and
        `subtype` as in OpenLineage. `models`: the columns of each, how many are traced, why the others are unknown,
        and why nothing flows into those without a source (`constant` or `generator`).

    """
    chosen = sorted(lineage.models if models is None else models)
    traces = [lineage.models[unique_id] for unique_id in chosen]
    edges = [edge for trace in traces for edge in _edges(trace)]
    edges.sort(
        key=lambda e: (
            e["model"],
            e["column"] or "",
            e["source"],
            e["source_column"],
            e["type"],
            e["subtype"],
        )
    )
    return {"edges": edges, "models": [_model(trace) for trace in traces]}


def _edges(trace: ModelTrace) -> Iterable[dict[str, Any]]:
    for column in trace.columns:
        for source in column.sources:
            yield _edge(trace.relation, column.column, source, column.expression)
    for influence in trace.influences:
        yield _edge(trace.relation, None, influence, influence.expression)


def _edge(model: str, column: str | None, source: Source | Influence, expression: str) -> dict[str, Any]:
    direct = isinstance(source, Source) and source.direct
    return {
        "model": model,
        "column": column,
        "source": source.relation,
        "source_column": source.column,
        "type": "DIRECT" if direct else "INDIRECT",
        "subtype": source.kind,
        "masking": source.masking,
        "expression": expression,
    }


def _model(trace: ModelTrace) -> dict[str, Any]:
    values: dict[str, Any] = {
        "model": trace.relation,
        "columns": [column.column for column in trace.columns if column.column != "*"],
        "traced": trace.traced,
        "unknown": [{"column": c.column, "reason": c.unknown} for c in trace.columns if c.unknown],
    }
    made = [
        {"column": c.column, "reason": c.made, "expression": c.expression} for c in trace.columns if c.made
    ]
    if made:
        values["sourceless"] = made
    if trace.hidden:
        values["hidden"] = list(trace.hidden)
    return values


def lineage_from(values: Mapping[str, Any]) -> Lineage:
    """Return lineage from the values that `lineage_values` gives.

    Raises:
        KeyError, TypeError: these are no such values.

    """
    sources: dict[tuple[str, str], list[Source]] = {}
    rows: dict[str, list[Influence]] = {}
    expressions: dict[tuple[str, str], str] = {}
    for edge in values["edges"]:
        place = (edge["source"], edge["source_column"], edge["subtype"], bool(edge["masking"]))
        if edge["column"] is None:
            rows.setdefault(edge["model"], []).append(Influence(*place, edge["expression"]))
        else:
            key = (edge["model"], edge["column"])
            sources.setdefault(key, []).append(Source(*place))
            expressions[key] = edge["expression"]
    models = {}
    for model in values["models"]:
        unique_id = model["model"]
        unknown = {each["column"]: each["reason"] for each in model["unknown"]}
        made = {each["column"]: each for each in model.get("sourceless", ())}
        columns = tuple(
            ColumnTrace(
                name,
                tuple(sorted(sources.get((unique_id, name), ()))),
                expressions.get((unique_id, name), made.get(name, {}).get("expression", "")),
                unknown.get(name, ""),
                made.get(name, {}).get("reason", ""),
            )
            for name in dict.fromkeys([*model["columns"], *unknown])
        )
        hidden = tuple(model.get("hidden", ()))
        models[unique_id] = ModelTrace(unique_id, columns, tuple(sorted(rows.get(unique_id, ()))), hidden)
    return Lineage(models)


def dataset_events(graph: Graph, lineage: Lineage) -> list[dict[str, Any]]:
    """Return lineage as OpenLineage DatasetEvents, one per traced model, in the order of their ids."""
    datasets = {unique_id: _dataset(node.relation, node.dialect) for unique_id, node in graph.nodes.items()}
    events = []
    for unique_id, trace in sorted(lineage.models.items()):
        node = graph.nodes[unique_id]
        facets = {"schema": _schema(node.relation, trace), "columnLineage": _column_lineage(trace, datasets)}
        events.append(
            {
                "eventTime": node.generated_at or _NO_TIME,
                "producer": PRODUCER,
                "schemaURL": _EVENT,
                "dataset": {**datasets[unique_id], "facets": facets},
            }
        )
    return events


def _dataset(relation: Relation, dialect: str) -> dict[str, str]:
    return {"namespace": dialect, "name": dataset_name(relation)}


def dataset_name(relation: Relation) -> str:
    """Return what OpenLineage calls a relation: database, schema and table, as the database has them."""
    parts = (relation.database, relation.schema, relation.identifier)
    return ".".join(part for part in parts if part) or relation.unique_id


def _schema(relation: Relation, trace: ModelTrace) -> dict[str, Any]:
    known = {column.name.lower(): column for column in relation.columns}
    fields = []
    for column in trace.columns:
        if column.column == "*":
            continue
        fields.append(schema_field(column.column, known.get(column.column.lower())))
    return _facet("SchemaDatasetFacet", fields=fields)


def schema_field(name: str, described: Column | None) -> dict[str, str]:
    """Return a column as a field of the schema facet: its name, and its type and description where they are known."""
    values = {"name": name}
    if described is not None:
        kind = described.database_type or described.data_type
        values |= {"type": kind} if kind else {}
        values |= {"description": described.description} if described.description else {}
    return values


def _column_lineage(trace: ModelTrace, datasets: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return _facet("ColumnLineageDatasetFacet", **column_lineage_values(trace, datasets))


def column_lineage_values(trace: ModelTrace, datasets: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a model's trace as the facet columnLineage has it, without the facet's own address.

    Args:
        trace: where the columns of the model come from.
        datasets: namespace and name of a relation, by its id.

    Returns:
        `fields`: by column its `inputFields`. `dataset`: the columns that decide about rows; left out if there are
        none.

    """
    fields = {column.column: _field(column, datasets) for column in trace.columns if column.column != "*"}
    rows = _input_fields(((i, i.expression) for i in trace.influences), datasets)
    return {"fields": fields, **({"dataset": rows} if rows else {})}


def without_sql(trace: ModelTrace, known: Container[str]) -> ModelTrace:
    """Return a trace without any text of SQL, which may hold values of the environment.

    Expressions go, the reason why a column is unknown is a word, and sources that are not among the `known` relations
    are left out: their names stand in the SQL alone.
    """
    columns = tuple(
        column._replace(
            sources=tuple(source for source in column.sources if source.relation in known),
            expression="",
            unknown="not traced" if column.unknown else "",
        )
        for column in trace.columns
    )
    rows = tuple(row._replace(expression="") for row in trace.influences if row.relation in known)
    return replace(trace, columns=columns, influences=rows, hidden=(), unknown="")


def _field(column: ColumnTrace, datasets: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    fields = _input_fields(((source, column.expression) for source in column.sources), datasets)
    values: dict[str, Any] = {"inputFields": fields}
    if column.unknown:
        values["transformationDescription"] = f"unknown: {column.unknown}"
    elif column.made:
        values["transformationDescription"] = f"{column.made}: {column.expression}".removesuffix(": ")
    return values


def _input_fields(
    sources: Iterable[tuple[Source | Influence, str]], datasets: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return sorted sources as input fields: those of one column together."""
    fields: list[dict[str, Any]] = []
    last: tuple[str, str] | None = None
    transformations: list[dict[str, Any]] = []
    for source, expression in sources:
        if (source.relation, source.column) != last:
            last = (source.relation, source.column)
            place = datasets.get(source.relation) or {"namespace": "dbt", "name": source.relation}
            transformations = []
            fields.append({**place, "field": source.column, "transformations": transformations})
        transformations.append(
            {
                "type": "DIRECT" if source.kind in DIRECT else "INDIRECT",
                "subtype": source.kind,
                "description": expression,
                "masking": source.masking,
            }
        )
    return fields


def _facet(name: str, **values: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}/{name}.json#/$defs/{name}", **values}
