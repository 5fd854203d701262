"""What OpenLineage calls our things: datasets by their database, jobs by their product, runs by their start.

Takes a workspace, relations and products; gives namespaces, names and ids; touches nothing. The rules for datasets are
those of https://github.com/OpenLineage/OpenLineage/blob/main/spec/Naming.md, which has none for DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from factory.artifacts import Relation
from factory.lineage.formats import dataset_name
from factory.products import Product
from factory.workspace import PROD, Workspace

_JOBS = "dpf"
#: What dbt calls the database of a DuckDB that is no file.
_NO_DATABASE = "memory"
#: Databases that are named by host and port: what their namespaces start with, and the port if none is set.
_SERVERS = {
    "mysql": ("mysql", 3306),
    "postgres": ("postgres", 5432),
    "redshift": ("redshift", 5439),
    "sqlserver": ("mssql", 1433),
    "trino": ("trino", 8080),
}


def job_namespace(ws: Workspace) -> str:
    """Return the namespace of the jobs of a target: `dpf` for `prod`, `dpf.<target>` for any other."""
    return _JOBS if ws.target == PROD else f"{_JOBS}.{ws.target}"


def product_job(product: Product) -> str:
    """Return the name of a product's job: `domain.product`."""
    return f"{product.domain}.{product.name}"


def model_job(product: Product, unique_id: str) -> str:
    """Return the name of the job of a model, seed or snapshot: `domain.product.kind.name`, by its id in dbt."""
    kind, _, rest = unique_id.partition(".")
    return f"{product_job(product)}.{kind}.{rest.partition('.')[2]}"


def checks_job(product: Product) -> str:
    """Return the name of the job that checks a product: `domain.product.checks`."""
    return f"{product_job(product)}.checks"


def dataset_namespace(ws: Workspace, adapter: str) -> str:
    """Return the namespace of the datasets of a target.

    A server is named by host and port as the settings state them, DuckDB and all else by the target: the files of a
    target lie on whichever machine built them. A setting with an expression is not told: it reads the environment.
    """
    output = ws.settings.targets.get(ws.target, {})
    if adapter == "bigquery":
        return adapter
    account = _literal(output, "account")
    if adapter == "snowflake" and account:
        return f"snowflake://{account}"
    host = _literal(output, "host")
    if adapter in _SERVERS and host:
        scheme, port = _SERVERS[adapter]
        return f"{scheme}://{host}:{_literal(output, 'port') or port}"
    return f"{adapter}://{ws.target}"


def _literal(output: Mapping[str, Any], key: str) -> str:
    value = str(output.get(key, ""))
    return "" if "{{" in value or "{%" in value else value


def datasets_of(relations: Mapping[str, Relation], namespace: str) -> dict[str, dict[str, str]]:
    """Return namespace and name of each relation that lies in the database, by its id.

    A source that lies in no database, such as a file that DuckDB reads, is called by its product and its own name: the
    address of a file may be computed from the environment.
    """
    return {
        unique_id: {"namespace": namespace, "name": _name(relation)}
        for unique_id, relation in relations.items()
        if relation.materialized != "ephemeral"
    }


def _name(relation: Relation) -> str:
    if relation.kind == "source" and relation.database in ("", _NO_DATABASE):
        return f"{relation.package}.{relation.name}"
    return dataset_name(relation)
