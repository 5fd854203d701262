"""Who is hit if a column, or a model, changes.

Takes a workspace and what is to change; gives an `Impact`: every use downstream with what becomes of it, and the
contracts, products, exposures, subscribers and owners behind. Reads the last build, and what is published.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from factory.artifacts import Artifacts, Exposure
from factory.contract import compare
from factory.documents import read_yaml
from factory.files import within
from factory.lineage.effects import READS, Effect, Fate, effects_on
from factory.lineage.paths import Address, Paths
from factory.lineage.trace import named_columns
from factory.locking import locked
from factory.parse import parse_products
from factory.products import Product, discover
from factory.registry import Registry, read_index
from factory.registry.access import Subscriber, subscribers
from factory.selection import downstreams, reach
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change.

    Attributes:
        address: the column, or the model.
        kind: removed (or renamed), retyped, or empty where it is only asked who uses it.
        words: what changed, for people.
    """

    address: Address
    kind: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Port:
    """A published table that is hit.

    Attributes:
        product, contract, version, table: which.
        columns: those of its columns that are hit.
        removed, retyped: what becomes of its promise.
    """

    product: str
    contract: str
    version: str
    table: str
    columns: tuple[str, ...]
    removed: Fate
    retyped: Fate


@dataclass(frozen=True, slots=True)
class Impact:
    """What hangs on one column or model.

    Attributes:
        change: what was asked about.
        effects: every use, nearest first.
        behind: models further down, that read a model which uses it: they get no new data if that one breaks.
        ports: published tables that are hit, its own first.
        products: products that are hit beside its own.
        exposures: known uses (dashboards, analyses) of what is hit.
        subscribers: who has access to a port that is hit.
        owners: whom to tell: per product its owner.
    """

    change: Change
    effects: tuple[Effect, ...]
    behind: tuple[str, ...]
    ports: tuple[Port, ...]
    products: tuple[str, ...]
    exposures: tuple[Exposure, ...]
    subscribers: tuple[Subscriber, ...]
    owners: Mapping[str, str]

    @property
    def has_consumers(self) -> bool:
        """Somebody outside the product would notice: another product, an exposure, a subscriber."""
        return bool(self.products or self.exposures or self.subscribers)

    @property
    def breaks(self) -> int:
        """How much breaks for certain: models and promises, by what is to change; by a removal if that is not said."""
        retyped = self.change.kind == "retyped"
        fates = [e.retyped if retyped else e.removed for e in self.effects]
        if self.change.kind:
            fates += [port.retyped if retyped else port.removed for port in self.ports]
        return sum(fate is Fate.BREAKS for fate in fates)


def impact_of(ws: Workspace, paths: Paths, change: Change) -> Impact:
    """Return what hangs on a column, or on all columns of a model."""
    asked = [change.address]
    if not change.address.column:
        asked = [change.address._replace(column=name) for name in paths.columns(change.address.relation)]
    named = functools.cache(named_columns(paths.graph, paths.lineage))

    def names(model: str, address: Address) -> bool:
        found = None if model in paths.elsewhere else named(model)
        return found is None or (address.relation, address.column.lower()) in found

    readers = downstreams(
        {unique_id: node.relation.upstream for unique_id, node in paths.graph.nodes.items()}
    )
    effects: dict[tuple[Address, str, Address], Effect] = {}
    for address in asked:
        for effect in effects_on(paths, address, names):
            effects.setdefault((effect.address, effect.kind, effect.through), effect)
    if not change.address.column:
        for reader in sorted(readers.get(change.address.relation, ())):
            # Whatever it reads of the model, even if only that there are rows.
            if not any(
                effect.address.relation == reader and effect.distance == 1 for effect in effects.values()
            ):
                effect = Effect(Address(reader), 1, READS, change.address, "", Fate.BREAKS, Fate.MAY_BREAK)
                effects[effect.address, effect.kind, effect.through] = effect
    found = tuple(sorted(effects.values(), key=lambda e: (e.distance, e.address, e.kind)))
    hit = {effect.address.relation for effect in found}
    behind = reach(hit, readers) - hit - {change.address.relation}
    ports = _ports(ws, paths, change, found, behind)
    touched = hit | behind | {change.address.relation}
    own = _package(paths, change.address.relation)
    products = {_package(paths, model) for model in hit | behind} - {own, ""}
    return Impact(
        change=change,
        effects=found,
        behind=tuple(sorted(behind)),
        ports=ports,
        products=tuple(sorted(products)),
        exposures=tuple(e for e in paths.graph.exposures if touched & set(e.upstream)),
        subscribers=subscribers(ws, {port.product for port in ports}),
        owners=_owners(ws, {own, *products}),
    )


def _package(paths: Paths, unique_id: str) -> str:
    node = paths.graph.nodes.get(unique_id)
    return node.relation.package if node is not None else unique_id.split(".")[1] if "." in unique_id else ""


def _ports(
    ws: Workspace, paths: Paths, change: Change, effects: Sequence[Effect], behind: Iterable[str]
) -> tuple[Port, ...]:
    """Return the published tables that are hit, with what becomes of their promises."""
    asked = change.address
    hit: dict[str, dict[str, list[tuple[Fate, Fate]]]] = {asked.relation: {}}
    if asked.column:
        hit[asked.relation][asked.column.lower()] = [(Fate.FOLLOWS, Fate.FOLLOWS)]
    for effect in effects:
        known = hit.setdefault(effect.address.relation, {})
        known.setdefault(effect.address.column.lower(), []).append((effect.removed, effect.retyped))
    for model in behind:
        hit.setdefault(model, {"": [(Fate.STALE, Fate.STALE)]})
    found = []
    for product, contract, table, identifier, names in published_tables(ws):
        unique_id = _port(paths, product, identifier)
        if unique_id not in hit:
            continue
        whole = unique_id == asked.relation and not asked.column
        fates = [pair for pairs in hit[unique_id].values() for pair in pairs]
        columns = [name for name in names if whole or name.lower() in hit[unique_id]]
        removed = _promise([fate for fate, _ in fates], whole=whole)
        retyped = _promise([fate for _, fate in fates], whole=whole)
        version = str(contract["version"])
        found.append(Port(product, str(contract["name"]), version, table, tuple(columns), removed, retyped))
    return tuple(found)


def _port(paths: Paths, product: str, identifier: str) -> str:
    """Return dbt's unique id of a published table."""
    for unique_id, node in paths.graph.nodes.items():
        relation = node.relation
        same = relation.identifier.lower() == identifier.lower()
        if relation.package == product and relation.kind == "model" and same:
            return unique_id
    return f"model.{product}.{identifier}"


def _promise(fates: Sequence[Fate], *, whole: bool) -> Fate:
    """Return what becomes of a published table: a column that goes or gets another type breaks its promise."""
    if whole or Fate.FOLLOWS in fates:
        return Fate.BREAKS
    if Fate.BREAKS in fates or Fate.STALE in fates:
        return Fate.STALE
    return Fate.MAY_BREAK


def published_tables(ws: Workspace) -> Iterable[tuple[str, Mapping[str, Any], str, str, list[str]]]:
    """Yield every published table: product, contract entry, name, name in the database, columns."""
    for entry in read_index(ws)["products"]:
        for contract in entry["contracts"]:
            data = read_yaml(within(ws.registry, contract["path"])).data
            for table in data.get("schema") or ():
                name = str(table.get("physicalName") or table["name"]).rpartition(".")[2].strip('"')
                columns = [str(column["name"]) for column in table.get("properties") or ()]
                yield str(entry["name"]), contract, str(table["name"]), name, columns


def _owners(ws: Workspace, products: set[str]) -> dict[str, str]:
    """Return the owner of each product: as published, else as its folder says."""
    owners = {
        str(e["name"]): str(e["owner"] or "") for e in read_index(ws)["products"] if e["name"] in products
    }
    if products - set(owners):
        owners |= {p.name: p.owner for p in discover(ws) if p.name in products - set(owners)}
    return dict(sorted(owners.items()))


# Against what is published


def changes_since_published(ws: Workspace, paths: Paths) -> list[Change]:
    """Return what the products' ports, as they are declared now, take away from what is published.

    A column of a port is declared by the model's dbt contract: its YAML. Nothing is built for this.

    Raises:
        DbtError: dbt cannot read the products.

    """
    products = {product.name: product for product in discover(ws)}
    with locked(ws):
        now = parse_products(ws, products, ws.work / "parsed")
    changes: list[Change] = []
    for product in products.values():
        changes += _changes_of(product, Registry(ws), now, paths)
    for name, _, _, identifier, _ in published_tables(ws):
        if name not in products:
            changes.append(
                Change(Address(_port(paths, name, identifier)), "removed", "is gone with its product")
            )
    return changes


def _changes_of(product: Product, registry: Registry, now: Artifacts, paths: Paths) -> Iterable[Change]:
    relations = {r.identifier.lower(): r for r in now.of(product.name) if r.is_port}
    for versions in registry.published(product).values():
        newest = {version.version.partition(".")[0]: version for version in reversed(versions)}
        for published in newest.values():
            for table in published.data.get("schema") or ():
                name = str(table.get("physicalName") or table["name"]).rpartition(".")[2].strip('"')
                address = Address(_port(paths, product.name, name))
                relation = relations.get(name.lower())
                if relation is None:
                    yield Change(address, "removed", "is no public model any more")
                    continue
                declared = {"schema": [_declared(table, relation.columns)]}
                for change in compare({"schema": [_bare(table)]}, declared):
                    yield from _as_change(address, str(table["name"]), change, paths)


def _bare(table: Mapping[str, Any]) -> dict[str, Any]:
    columns = [
        {"name": c["name"], "physicalType": c.get("physicalType")} for c in table.get("properties") or ()
    ]
    return {"name": table["name"], "properties": columns}


def _declared(table: Mapping[str, Any], columns: Iterable[Any]) -> dict[str, Any]:
    known = {str(c["name"]).lower(): c for c in table.get("properties") or ()}
    declared = []
    for column in columns:
        old = known.get(column.name.lower(), {})
        kind = column.data_type or old.get("physicalType")
        declared.append({"name": old.get("name", column.name), "physicalType": kind})
    return {"name": table["name"], "properties": declared}


def _as_change(address: Address, table: str, change: Any, paths: Paths) -> Iterable[Change]:
    column = str(change.path).removeprefix(f"{table}.").partition(".")[0]
    name = next((c for c in paths.columns(address.relation) if c.lower() == column.lower()), column)
    there = address._replace(column=name)
    if change.kind == "removed" and change.severity == "major":
        yield Change(there, "removed", "is removed, or renamed")
    elif change.kind == "changed" and change.path.endswith(".physicalType"):
        yield Change(there, "retyped", f"{change.old} becomes {change.new}")
