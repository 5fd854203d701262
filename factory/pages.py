"""What of dbt's manifest and catalog goes into the documentation page: the fields that the page reads, and no more.

Takes the artifacts as values; gives smaller ones; touches nothing. dbt's page of 1.11 reads these fields, and every
other is left out: `metadata.env`, `invocation_id` and `user_id`, `root_path`, `build_path`, `compiled_path`,
`checksum`, the hooks and all else in `config`, `unrendered_config`, `loaded_at_query`, `external`, and `given` and
`expect` of unit tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from factory.secrets import Place, Veil

#: Tree of fields: a mapping for those inside, None for a value as it is, and `*` for any name.
Tree = Mapping[str, Any]

_CONFIG: Tree = {
    "materialized": None, "enabled": None, "group": None, "access": None, "contract": {"enforced": None},
    "docs": {"show": None, "node_color": None}, "tags": None, "severity": None, "strategy": None, "unique_key": None,
    "incremental_strategy": None,
}  # fmt: skip
_CONSTRAINT: Tree = dict.fromkeys(("type", "name", "columns", "expression", "to", "to_columns"))
_NODE: Tree = {
    **dict.fromkeys(
        (
            "unique_id", "name", "resource_type", "package_name", "path", "original_file_path", "fqn", "alias",
            "identifier", "database", "schema", "description", "tags", "meta", "group", "access", "language",
            "raw_code", "compiled_code", "refs", "sources", "metrics", "column_name", "version", "latest_version",
            "source_name", "source_description", "source_meta", "loader", "type", "label", "maturity", "url", "model",
            "macro_sql", "block_contents", "primary_key", "expression", "calculation_method", "timestamp",
            "time_grains", "dimensions", "filters", "relation_name",
        )
    ),
    "config": _CONFIG,
    "docs": {"show": None, "node_color": None},
    "depends_on": {"nodes": None, "macros": None},
    "contract": {"enforced": None},
    "owner": {"name": None, "email": None},
    "constraints": _CONSTRAINT,
    "columns": {
        "*": {
            **dict.fromkeys(("name", "description", "meta", "data_type", "tags", "quote")),
            "constraints": _CONSTRAINT,
        }
    },
    "arguments": dict.fromkeys(("name", "type", "description")),
    "test_metadata": dict.fromkeys(("name", "kwargs", "namespace")),
}  # fmt: skip
_SHELVES = (
    "nodes", "sources", "macros", "docs", "exposures", "metrics", "groups", "semantic_models", "saved_queries",
    "unit_tests", "functions",
)  # fmt: skip
_MANIFEST: Tree = {
    "metadata": dict.fromkeys(
        ("dbt_schema_version", "dbt_version", "generated_at", "adapter_type", "project_name", "project_id")
    ),
    **{shelf: {"*": _NODE} for shelf in _SHELVES},
    **dict.fromkeys(("parent_map", "child_map", "group_map")),
}
_RELATION: Tree = {
    "metadata": dict.fromkeys(("type", "database", "schema", "name", "comment", "owner")),
    "columns": {"*": dict.fromkeys(("type", "index", "name", "comment"))},
    "stats": {"*": dict.fromkeys(("id", "label", "value", "include", "description"))},
    "unique_id": None,
}
_CATALOG: Tree = {
    "metadata": dict.fromkeys(("dbt_schema_version", "dbt_version", "generated_at")),
    "nodes": {"*": _RELATION},
    "sources": {"*": _RELATION},
}


def cut_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with the fields that the page reads."""
    return {"disabled": {}, "selectors": {}, **_cut(manifest, _MANIFEST)}


def cut_catalog(catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Return a catalog with the fields that the page reads."""
    return {**_cut(catalog, _CATALOG), "errors": None}


def veiled(manifest: dict[str, Any], veil: Veil) -> dict[str, Any]:
    """Return a manifest without values of variables in what dbt rendered: compiled SQL, and arguments of tests."""
    changed = dict(manifest)
    for shelf in _SHELVES:
        nodes = manifest.get(shelf)
        if isinstance(nodes, Mapping):
            changed[shelf] = {key: _veiled(node, veil) for key, node in nodes.items()}
    return changed


def places_of(manifest: Mapping[str, Any], catalog: Mapping[str, Any]) -> Iterator[Place]:
    """Yield what is to be looked through, a place per resource, called by the file that it is written in."""
    for artifact, data in (("manifest", manifest), ("catalog", catalog)):
        for shelf, nodes in data.items():
            if shelf not in _SHELVES or not isinstance(nodes, Mapping):
                yield Place(f"{artifact}, {shelf}", data=nodes)
                continue
            for unique_id, node in nodes.items():
                file = node.get("original_file_path") if isinstance(node, Mapping) else ""
                where = (
                    f"{unique_id} in {node['package_name']}/{file}"
                    if file
                    else f"{unique_id} in the {artifact}"
                )
                yield Place(f"documentation of {where}", data=node)


def _veiled(node: Any, veil: Veil) -> Any:
    if not isinstance(node, Mapping):
        return node
    made = {}
    if isinstance(node.get("compiled_code"), str):
        made["compiled_code"] = veil.sql(node["compiled_code"])
    for key in ("test_metadata", "constraints", "relation_name"):
        if node.get(key):
            made[key] = veil.over(node[key])
    return {**node, **made}


def _cut(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_cut(each, tree) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {}
    for key, each in value.items():
        if key in tree or "*" in tree:
            inner = tree.get(key, tree.get("*"))
            found[key] = each if inner is None else _cut(each, inner)
    return found
