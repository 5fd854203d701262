"""The contracts of products as the working tree makes them at this moment, published or not.

Takes a workspace and names of products; gives `Current` values with contracts as `draft_contracts` gives them; reads
what the last build left where nothing has changed since, else lets dbt compile anew in a scratch folder.

Nothing is built for this. What only a build can tell is the type of a column that YAML gives no type: it is taken from
the last build, and where there is none it is `untyped` and left out of comparisons (`comparable`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from factory.artifacts import Artifacts, Column, Relation, read_artifacts
from factory.changes import Built, Prints, fingerprints, read_state, with_code
from factory.contract import (
    Contract,
    Promise,
    Rule,
    draft_contracts,
    gather_rules,
    read_checks,
    read_promises,
)
from factory.errors import DbtError, FactoryError, raise_all
from factory.evidence import Published
from factory.files import scratch_folder
from factory.lineage import trace_columns
from factory.locking import locked
from factory.parse import compile_products
from factory.products import Product, discover
from factory.selection import select
from factory.tables import looking, own_spelling
from factory.tools import tool_versions
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Current:
    """What a product promises now.

    Attributes:
        product: the product, as its file says.
        contracts: its contracts, with the versions that stand in their files.
        definitions: fingerprint of what people wrote, as in the records of the registry.
        built: the last build knows all of it; else dbt compiled it anew.
        untyped: table and column, in lower case, whose type in the database nobody knows without a build.
    """

    product: Product
    contracts: tuple[Contract, ...]
    definitions: str
    built: bool
    untyped: frozenset[tuple[str, str]] = frozenset()


def current_contracts(
    ws: Workspace, names: Collection[str], environment: Mapping[str, str], variables: str = ""
) -> dict[str, Current]:
    """Return what products promise now, by name; without names, of every product.

    `environment` are the environment variables of the command, `variables` is dbt's `--vars`. Raises:
        ProductError: there is no such product.
        DbtError: dbt cannot read or compile the products.
        FactoryError: a contract or a check cannot be read.

    """
    products = {product.name: product for product in discover(ws)}
    chosen = sorted(select(tuple(names), products, {}))
    written = _written([products[name] for name in chosen])
    found: dict[str, Current] = {}
    with locked(ws):
        prints = fingerprints(ws, products.values(), environment, variables)
        last = _last_build(ws)
        state = read_state(ws) if last is not None else {}
        rest = []
        for name in chosen:
            if last is not None and _is_whole(last, name) and _is_as_built(name, state, prints):
                contracts = _drafted(ws, products[name], written[name], last)
                found[name] = Current(products[name], contracts, prints[name].definitions, built=True)
            else:
                rest.append(name)
        if rest:
            with scratch_folder(ws.root / "target", ".current-") as scratch:
                now = compile_products(ws, products, rest, scratch, variables)
    for name in rest:
        artifacts, untyped = _as_declared(ws, name, now, last)
        contracts = _drafted(ws, products[name], written[name], artifacts)
        found[name] = Current(
            products[name], contracts, prints[name].definitions, built=False, untyped=untyped
        )
    return found


def comparable(
    published: Published, contract: Contract, current: Current
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return a published contract and the current one as they can be compared: what is known of one alone is left out.

    That are types that only a build can tell, servers where another target published, and everything, where people
    wrote nothing new and only a tool's version made a difference.
    """
    if (
        published.version == contract.version
        and published.definitions == current.definitions
        and dict(published.tools) != tool_versions()
    ):
        return published.data, published.data
    old, new = dict(published.data), dict(contract.data)
    if "servers" not in old:
        new.pop("servers", None)
    if current.untyped:
        old, new = (_without_types(data, current.untyped) for data in (old, new))
    return old, new


def _without_types(data: Mapping[str, Any], untyped: Collection[tuple[str, str]]) -> dict[str, Any]:
    tables = []
    for table in data.get("schema") or ():
        columns = [
            {key: value for key, value in column.items() if key not in _TYPES}
            if (str(table["name"]).lower(), str(column["name"]).lower()) in untyped
            else column
            for column in table.get("properties") or ()
        ]
        tables.append({**table, "properties": columns})
    return {**data, "schema": tables}


_TYPES = ("logicalType", "physicalType", "logicalTypeOptions")


def _written(products: Iterable[Product]) -> dict[str, tuple[tuple[Promise, ...], tuple[Rule, ...]]]:
    found = {}
    problems: list[FactoryError] = []
    for product in products:
        try:
            found[product.name] = (read_promises(product), read_checks(product))
        except FactoryError as problem:
            problems.append(problem)
    raise_all(problems)
    return found


def _drafted(
    ws: Workspace,
    product: Product,
    written: tuple[tuple[Promise, ...], tuple[Rule, ...]],
    artifacts: Artifacts,
) -> tuple[Contract, ...]:
    promises, checks = written
    rules = gather_rules(product, promises, checks, artifacts)
    return draft_contracts(product, promises, artifacts, trace_columns(artifacts, {product.name}), rules, ws)


# The last build


def _last_build(ws: Workspace) -> Artifacts | None:
    """Return what the last run left, if it was one that published: any other may have looked at other files."""
    manifest = ws.artifacts / "manifest.json"
    try:
        if manifest.stat().st_mtime_ns > ws.state.stat().st_mtime_ns:
            return None
        return read_artifacts(ws.artifacts)
    except (OSError, DbtError):
        return None


def _is_as_built(name: str, state: Mapping[str, Built], prints: Mapping[str, Prints]) -> bool:
    known = state.get(name)
    return known is not None and known.fingerprint == with_code(name, prints, known.code_upstreams)


def _is_whole(artifacts: Artifacts, name: str) -> bool:
    """Say whether the last run compiled a product and read the catalog of all its ports."""
    relations = artifacts.of(name)
    compiled = all(r.sql for r in relations if r.kind == "model" and r.language == "sql")
    ports = [relation for relation in relations if relation.is_port]
    return compiled and bool(ports) and all(c.database_type for port in ports for c in port.columns)


# What is not built yet


def _as_declared(
    ws: Workspace, name: str, now: Artifacts, last: Artifacts | None
) -> tuple[Artifacts, frozenset[tuple[str, str]]]:
    """Return the artifacts with the columns that the product's models have by their YAML and SQL of now.

    The catalog is that of the last build. Columns of an enforced contract are those of YAML, in the types that YAML
    gives them; of other models that have changed since, the catalog tells nothing.
    """
    changed = _changed_models(name, now, last)
    relations = dict(now.relations)
    untyped: set[tuple[str, str]] = set()
    with looking(ws, name, (), {}) as connection:
        for relation in now.of(name):
            if relation.kind != "model":
                continue
            columns = relation.columns
            if relation.enforced:
                columns = tuple(_typed(c, now, connection) for c in columns if c.declared)
            elif relation.unique_id in changed:
                columns = tuple(replace(c, database_type="") for c in columns if c.declared)
            relations[relation.unique_id] = replace(relation, columns=columns)
            if relation.is_port:
                untyped |= {
                    (relation.identifier.lower(), c.name.lower())
                    for c in columns
                    if not c.database_type and not c.data_type
                }
    return replace(now, relations=relations), frozenset(untyped)


def _typed(column: Column, now: Artifacts, connection: Any) -> Column:
    """Return a column with the type that YAML gives it, as the database writes it."""
    if not column.data_type:
        return column
    own = own_spelling(connection, column.data_type) if now.adapter == "duckdb" else ""
    return replace(column, database_type=own or column.data_type.upper())


def _changed_models(name: str, now: Artifacts, last: Artifacts | None) -> set[str]:
    """Return the product's models whose SQL is not that of the last build, and those that read them."""
    changed: set[str] = set()
    for relation in now.of(name):
        before = last.relations.get(relation.unique_id) if last is not None else None
        if _is_changed(relation, before) or changed.intersection(relation.upstream):
            changed.add(relation.unique_id)
    return changed


def _is_changed(relation: Relation, before: Relation | None) -> bool:
    return before is not None and bool(before.sql) and before.sql != relation.sql
