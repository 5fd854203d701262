"""Manifests of dbt projects, as small as they can be, for lineage without a workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIME = "2026-03-04T05:06:07.891011Z"


def a_manifest(
    project: str,
    models: Mapping[str, str | Mapping[str, Any]],
    sources: Mapping[str, list[str] | Mapping[str, Any]] | None = None,
    *,
    adapter: str = "duckdb",
    macros: Mapping[str, Any] | None = None,
    exposures: Mapping[str, Any] | None = None,
    database: str = "db",
    schema: str = "",
) -> dict[str, Any]:
    """Return a manifest.

    Args:
        project: its name.
        models: their compiled SQL by name, or the fields of their nodes. What a model reads is found in its SQL, where
            tables are called as `named` does.
        sources: their columns, as YAML declares them, by name, or the fields of their nodes.
        adapter: dbt's name of the database.
        macros, exposures: as in a manifest.
        database, schema: where the tables lie; the schema is the project's name by default.

    """
    schema = schema or project
    nodes: dict[str, Any] = {}
    known: dict[str, Any] = {}
    for name, given in (sources or {}).items():
        fields = dict(given) if isinstance(given, Mapping) else {"columns": _columns(given)}
        known[f"source.{project}.raw.{name}"] = {
            "resource_type": "source",
            "source_name": "raw",
            "name": name,
            "identifier": name,
            "package_name": project,
            "database": database,
            "schema": "raw",
            "relation_name": f'"{database}"."raw"."{name}"',
            **fields,
        }
    for name, given in models.items():
        fields = dict(given) if isinstance(given, Mapping) else {"compiled_code": given}
        kind = fields.get("resource_type", "model")
        node = {
            "resource_type": kind,
            "name": name,
            "alias": name,
            "package_name": project,
            "database": database,
            "schema": schema,
            "relation_name": f'"{database}"."{schema}"."{name}"',
            "language": "sql",
            "config": {"materialized": "view"},
            "columns": {},
            "original_file_path": f"models/{name}.sql",
            **fields,
        }
        if isinstance(node["columns"], list):
            node["columns"] = _columns(node["columns"])
        nodes[f"{kind}.{project}.{name}"] = node
    everything = {**known, **nodes}
    for unique_id, node in nodes.items():
        sql = str(node.get("compiled_code") or node.get("compiled_sql") or "")
        reads = [other for other, each in everything.items() if other != unique_id and _is_read(each, sql)]
        node.setdefault("depends_on", {"nodes": reads})
    return {
        "metadata": {
            "dbt_version": "1.11.0",
            "adapter_type": adapter,
            "project_name": project,
            "generated_at": TIME,
        },
        "nodes": nodes,
        "sources": known,
        "macros": dict(macros or {}),
        "exposures": dict(exposures or {}),
    }


def _is_read(node: Mapping[str, Any], sql: str) -> bool:
    name = node["relation_name"]
    return (bool(name) and name in sql) or f"__dbt__cte__{node['name']} " in sql


def _columns(names: list[str]) -> dict[str, Any]:
    return {name: {"name": name} for name in names}


def a_catalog(columns: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a catalog: per unique id the types of its columns."""
    return {
        "nodes": {
            unique_id: {
                "columns": {
                    name: {"name": name, "type": kind, "index": number}
                    for number, (name, kind) in enumerate(types.items(), 1)
                }
            }
            for unique_id, types in columns.items()
        },
        "sources": {},
    }


def write_json(file: Path, values: Any) -> Path:
    """Write a JSON file, its folders with it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values), "utf-8")
    return file
