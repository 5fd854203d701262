"""Small builders with defaults that hold together, so that a test names only what it is about.

The values tell of one product, `orders` of the domain `retail`, with the public model `orders`. What one
builder makes fits the others: the model has the product's package, the promise covers the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from factory.artifacts import Artifacts, Column, Constraint, Exposure, NodeRun, Relation
from factory.build import Crossing
from factory.contract import Contract, Promise, Rule, draft_contracts, gather_rules
from factory.data_tests import DataTest
from factory.documents import Document, dump_yaml, parse_yaml
from factory.evidence import Evidence, Published
from factory.lineage import trace_columns
from factory.products import Member, Product
from factory.quality import CheckResult, Outcome
from factory.workspace import Workspace

#: How properties are tried: a slow machine is no failure. The number of examples is the profile's.
PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

#: A workspace that is nowhere, for what touches no files.
MESH = Workspace(Path("/mesh"))

ODPS = {
    "apiVersion": "v1.1.0",
    "kind": "DataProduct",
    "id": "urn:dpf:retail:orders",
    "name": "orders",
    "domain": "retail",
    "type": "sourceAligned",
    "status": "active",
    "description": {"purpose": "What customers ordered, a row per order."},
    "team": {"name": "sales", "members": [{"username": "orders-owner@example.org", "role": "dpo"}]},
    "support": [{"channel": "help", "url": "https://support.example.org/orders"}],
    "customProperties": [{"property": "costCenter", "value": "CC-1"}],
}


def a_product(
    *, root: Path = MESH.root, descriptor: Mapping[str, Any] | None = None, **changes: Any
) -> Product:
    """Return a product; `descriptor` changes fields of its file, the rest fields of the value."""
    name = changes.get("name", "orders")
    domain = changes.get("domain", "retail")
    folder = changes.get("folder", root / "products" / name)
    data = {**ODPS, "name": name, "domain": domain, "id": f"urn:dpf:{domain}:{name}", **(descriptor or {})}
    data = {key: value for key, value in data.items() if value is not None}
    product = Product(
        name=name,
        domain=domain,
        archetype="source-aligned",
        folder=folder,
        title=name.capitalize(),
        summary="What customers ordered, a row per order.",
        status="active",
        version="",
        tags=(),
        team="sales",
        members=(Member("orders-owner@example.org", "dpo"),),
        cost_center="CC-1",
        descriptor=data,
        document=a_document(data, folder / "product.odps.yaml"),
    )
    return replace(product, **changes)


def a_document(data: Any, path: Path = Path("file.yaml")) -> Document:
    """Return values as if they had been read from a file, with the lines that the file would have."""
    return parse_yaml(data if isinstance(data, str) else dump_yaml(data), path)


def a_column(name: str = "order_id", database_type: str = "INTEGER", **changes: Any) -> Column:
    """Return a column that YAML describes and the database has."""
    column = Column(
        name=name,
        data_type=database_type.lower(),
        database_type=database_type,
        description=f"The {name.replace('_', ' ')}.",
        constraints=(),
        meta={},
        tags=(),
        declared=True,
    )
    return replace(column, **changes)


def a_constraint(kind: str, columns: Iterable[str] = (), **changes: Any) -> Constraint:
    """Return a dbt constraint of a model."""
    return replace(Constraint(kind, tuple(columns), expression="", to="", to_columns=()), **changes)


def a_relation(
    name: str = "orders", kind: str = "model", package: str = "orders", **changes: Any
) -> Relation:
    """Return a relation; without changes the public model `orders`, built as a table."""
    columns = (a_column("order_id"), a_column("amount", "DECIMAL(18,2)"))
    relation = Relation(
        unique_id=f"{kind}.{package}.{name}",
        kind=kind,
        package=package,
        name=name,
        identifier=name.rpartition(".")[2],
        relation_name='"{0}"."{0}"."{1}"'.format(package, name.rpartition(".")[2]),
        database=package,
        schema=package,
        file=f"models/marts/{name}.sql",
        materialized="table" if kind == "model" else kind,
        access="public" if kind == "model" else "",
        group="",
        enforced=kind == "model",
        version="",
        latest_version="",
        deprecation_date="",
        description=f"The {name}.",
        columns=columns,
        constraints=(),
        primary_key=(),
        upstream=(),
        tags=(),
        meta={},
        sql="select 1 as order_id, 9.90 as amount",
        language="sql",
    )
    return replace(relation, **changes)


def a_test(kind: str = "not_null", column: str = "order_id", **changes: Any) -> DataTest:
    """Return a dbt test on the model `orders` that passed."""
    name = f"{kind.replace('.', '_')}_orders_{column}"
    test = DataTest(
        unique_id=f"test.orders.{name}",
        name=name,
        package="orders",
        file="models/marts/orders.yml",
        kind=kind,
        attached="model.orders.orders",
        column=column,
        arguments={},
        severity="error",
        where="",
        description="",
        meta={},
        upstream=("model.orders.orders",),
        status="pass",
        failures=0,
        message="",
        seconds=0.1,
    )
    return replace(test, **changes)


def a_run(name: str = "orders", status: str = "success", message: str = "", **changes: Any) -> NodeRun:
    """Return how a model went."""
    run = NodeRun(f"model.orders.{name}", "orders", name, f"models/marts/{name}.sql", status, message, 0.1)
    return replace(run, **changes)


def some_artifacts(
    *relations: Relation,
    tests: Iterable[DataTest] = (),
    runs: Iterable[NodeRun] = (),
    exposures: Iterable[Exposure] = (),
    adapter: str = "duckdb",
) -> Artifacts:
    """Return artifacts with these relations, which have to be in order of dependency; by default `orders`."""
    return Artifacts(
        adapter=adapter,
        dbt_version="1.11.0",
        relations={relation.unique_id: relation for relation in relations or (a_relation(),)},
        tests=tuple(tests),
        runs=tuple(runs),
        exposures=tuple(exposures),
        other_kinds={},
    )


def a_promise(name: str = "orders", version: str = "1.0.0", product: str = "orders", **more: Any) -> Promise:
    """Return a hand-kept contract; `more` are further fields of its file, such as `schema`."""
    data = {"apiVersion": "v3.2.0", "kind": "DataContract", "name": name, "version": version, **more}
    path = MESH.products / product / "contracts" / f"{name}.odcs.yaml"
    tables = tuple(table["name"] for table in more.get("schema", ()))
    return Promise(name, version, more.get("status", "active"), tables, data, a_document(data, path))


def a_rule(kind: str = "rowCount", definition: Any = None, **changes: Any) -> Rule:
    """Return an ODCS rule about the table `orders`."""
    rule = Rule(
        key=f"odcs:{kind}",
        origin="odcs",
        product="orders",
        table="orders",
        column="",
        name=kind,
        kind=kind,
        dimension="accuracy",
        severity="error",
        definition={"metric": kind, "mustBeGreaterThan": 0} if definition is None else definition,
        description="",
        file=MESH.products / "orders" / "contracts" / "orders.odcs.yaml",
        line=7,
    )
    return replace(rule, **changes)


def a_check(outcome: Outcome = Outcome.PASS, *, reason: str = "", **rule: Any) -> CheckResult:
    """Return the result of a rule; keywords change the rule."""
    return CheckResult(a_rule(**rule), outcome, reason=reason)


def a_crossing(kind: str = "model", access: str = "public", **changes: Any) -> Crossing:
    """Return a read of another product's resource; without changes of an output port."""
    crossing = Crossing("orders", "models/marts/orders.sql", "orders", "customers", "customers", kind, access)
    return replace(crossing, **changes)


def some_contracts(
    *promises: Promise,
    product: Product | None = None,
    artifacts: Artifacts | None = None,
    ws: Workspace = MESH,
) -> tuple[Contract, ...]:
    """Return what is drafted from promises (by default one), a product and artifacts."""
    product = product or a_product()
    artifacts = artifacts or some_artifacts()
    promises = promises or (a_promise(product=product.name),)
    rules = gather_rules(product, promises, (), artifacts)
    return draft_contracts(product, promises, artifacts, trace_columns(artifacts, {product.name}), rules, ws)


def a_contract(**changes: Any) -> dict[str, Any]:
    """Return a small ODCS document, with fields changed, or left out where the value is None."""
    column = {"name": "order_id", "logicalType": "integer", "physicalType": "INTEGER", "required": True}
    data = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "urn:dpf:retail:orders:orders",
        "name": "orders",
        "version": "1.0.0",
        "status": "active",
        "schema": [{"name": "orders", "logicalType": "object", "properties": [column]}],
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def published(version: str, data: Mapping[str, Any], **changes: Any) -> Published:
    """Return a version that the registry holds."""
    return replace(Published(version, data, tools={"sqlglot": "1"}, definitions="written"), **changes)


def some_evidence(
    *,
    product: Product | None = None,
    artifacts: Artifacts | None = None,
    promises: Iterable[Promise] | None = None,
    **changes: Any,
) -> Evidence:
    """Return evidence of a product that every policy accepts; contracts are drafted from what is given."""
    product = product or a_product()
    artifacts = artifacts or some_artifacts()
    promises = (a_promise(product=product.name),) if promises is None else tuple(promises)
    contracts = some_contracts(*promises, product=product, artifacts=artifacts) if promises else ()
    evidence = Evidence(
        product=product,
        artifacts=artifacts,
        models=artifacts.of(product.name),
        runs=tuple(run for run in artifacts.runs if run.package == product.name),
        lineage=trace_columns(artifacts, {product.name}),
        contracts=contracts,
        previous={},
        previous_product=None,
        checks=(a_check(),),
        crossings=(),
        tools={"sqlglot": "1"},
        definitions="written",
        conflicts=(),
        folder=f"products/{product.folder.name}",
    )
    return replace(evidence, **changes)


def write_tree(folder: Path, tree: Mapping[str, str | bytes]) -> Path:
    """Write a folder tree that is given as path and text, and return the folder."""
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
