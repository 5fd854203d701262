"""Draft the full contract of a product from what people wrote and what dbt knows.

A hand-written value wins over a derived one where it is a promise or a description. Where it contradicts
the database (a table or column that is not there, another type, nullability or key), both are named in a
`Conflict`, and nothing is resolved silently.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from factory.artifacts import Artifacts, Relation
from factory.contract.describe import Describer, Keys, put
from factory.contract.known import levels_of, uses_of
from factory.contract.promises import Promise
from factory.contract.rules import Rule
from factory.documents import dump_yaml
from factory.lineage import Lineage
from factory.products import Product
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Conflict:
    """The hand-kept contract says one thing, the database another; both places are named."""

    message: str
    place: str
    hint: str


@dataclass(frozen=True, slots=True)
class Contract:
    """An ODCS 3.2.0 document as a value.

    Attributes:
        product, name, version: what it is the contract of.
        status: proposed, draft, active, deprecated or retired.
        data: the document.
        tables: dbt's unique ids of the ports it covers, in the order of the document.
        conflicts: where the hand-kept part and the database disagree.
        promise: the hand-kept part it was drafted from.
    """

    product: str
    name: str
    version: str
    status: str
    data: Mapping[str, Any]
    tables: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    promise: Promise

    @property
    def id(self) -> str:
        """The contract's permanent address."""
        return str(self.data["id"])

    @property
    def major(self) -> int:
        """The version's first number: majors live side by side."""
        return self.promise.major

    def text(self) -> str:
        """Return the document as YAML, always in the same bytes."""
        return dump_yaml(self.data)


def draft_contracts(
    product: Product,
    promises: Iterable[Promise],
    artifacts: Artifacts,
    lineage: Lineage,
    rules: Iterable[Rule],
    ws: Workspace,
) -> tuple[Contract, ...]:
    """Return the contracts of a product, one per promise."""
    return tuple(
        _Draft(product, promise, artifacts, lineage, tuple(rules), ws).contract() for promise in promises
    )


@dataclass
class _Draft:
    """One contract in the making."""

    product: Product
    promise: Promise
    artifacts: Artifacts
    lineage: Lineage
    rules: tuple[Rule, ...]
    ws: Workspace
    conflicts: list[Conflict] = field(default_factory=list)

    def contract(self) -> Contract:
        ports = self.covered
        hand = self.promise.data
        data: dict[str, Any] = {
            "apiVersion": "v3.2.0",
            "kind": "DataContract",
            "id": f"{self.product.urn}:{self.promise.name}",
            "name": self.promise.name,
            "version": self.promise.version,
            "status": self.promise.status,
            "domain": self.product.domain,
            "dataProduct": self.product.name,
        }
        if "tenant" in hand:
            data["tenant"] = hand["tenant"]
        data["description"] = self.description()
        put(data, "tags", list(dict.fromkeys([*self.product.tags, *hand.get("tags", ())])))
        for key in ("context", "authoritativeDefinitions", "contractCreatedTs"):
            put(data, key, hand.get(key))
        data["servers"] = [*hand.get("servers", ()), *self.servers(ports)]
        data["schema"] = [self.table(port) for port in ports]
        put(data, "support", hand.get("support") or self.product.descriptor.get("support"))
        put(data, "price", hand.get("price"))
        put(data, "team", hand.get("team") or self.team())
        put(data, "roles", hand.get("roles"))
        put(data, "slaDefaultElement", hand.get("slaDefaultElement"))
        stated = hand.get("slaProperties") or []
        put(data, "slaProperties", [*stated, *levels_of(self.artifacts, ports, {}, stated)])
        data["customProperties"] = self.custom(ports)
        return Contract(
            product=self.product.name,
            name=self.promise.name,
            version=self.promise.version,
            status=self.promise.status,
            data=data,
            tables=tuple(port.unique_id for port in ports),
            conflicts=tuple(self.conflicts),
            promise=self.promise,
        )

    def ports(self) -> list[Relation]:
        """Return the public models that the contract covers."""
        public = [relation for relation in self.artifacts.of(self.product.name) if relation.is_port]
        if not self.promise.tables:
            return public
        found = []
        for number, name in enumerate(self.promise.tables):
            port = next((r for r in public if name in (r.identifier, r.name)), None)
            if port is not None:
                found.append(port)
                continue
            others = {r.name: r for r in self.artifacts.of(self.product.name)}
            why = (
                f"it is {others[name].access or 'not a public model'}"
                if name in others
                else "there is no such model"
            )
            self.conflict(
                f"the contract promises the table {name!r}, but {why}",
                ("schema", number),
                f"public models: {', '.join(r.identifier for r in public) or 'none'}",
            )
        return found

    def conflict(self, message: str, keys: tuple[str | int, ...], hint: str = "") -> None:
        document = self.promise.document
        place = f"{self.ws.relative(document.path)}:{document.line(*keys)}"
        self.conflicts.append(Conflict(message, place, hint))

    def description(self) -> dict[str, Any]:
        product = self.product.descriptor.get("description") or {}
        hand = self.promise.data.get("description") or {}
        merged = {**{k: v for k, v in product.items() if k in ("purpose", "limitations", "usage")}, **hand}
        return {key: value.strip() if isinstance(value, str) else value for key, value in merged.items()}

    def team(self) -> Any:
        return self.product.descriptor.get("team")

    def servers(self, ports: Iterable[Relation]) -> list[dict[str, Any]]:
        """Return where the published tables are: views in DuckDB, and a Parquet file each."""
        base = self.ws.published_prefix
        where = f"ports/{self.product.domain}/{self.product.name}/{self.promise.name}/v{self.promise.major}/current"
        environment = {"environment": self.ws.target}
        servers: list[dict[str, Any]] = [
            {
                "server": "ports",
                "type": "duckdb",
                "description": "Views over the published tables; open it read-only.",
                **environment,
                "database": f"{base}ports.duckdb",
                "schema": self.product.name,
            }
        ]
        servers += [
            {
                "server": f"parquet-{port.identifier}",
                "type": "local",
                "description": f"The published table {port.identifier} as a file.",
                **environment,
                "path": f"{base}{where}/{port.identifier}.parquet",
                "format": "parquet",
            }
            for port in ports
        ]
        return servers

    def custom(self, ports: Iterable[Relation]) -> list[dict[str, Any]]:
        """Return what ODCS has no field for: the product's facts, and the known consumers."""
        facts: dict[str, Any] = {"archetype": self.product.archetype, "title": self.product.title}
        if self.product.owner:
            facts["owner"] = self.product.owner
        for entry in (
            *self.product.descriptor.get("customProperties", ()),
            *self.promise.data.get("customProperties", ()),
        ):
            facts[entry["property"]] = entry["value"]
        if "price" not in self.promise.data:
            facts.setdefault("pricing", "not stated")
        uses = uses_of(self.artifacts, ports, self.product.name)
        if uses:
            facts["exposures"] = uses
        return [{"property": name, "value": value} for name, value in facts.items()]

    def table(self, port: Relation) -> dict[str, Any]:
        number = next(
            (n for n, name in enumerate(self.promise.tables) if name in (port.identifier, port.name)), None
        )
        hand: dict[str, Any] = {} if number is None else self.promise.data["schema"][number]
        at: Keys = () if number is None else ("schema", number)
        return self.describer.table(port, hand, at)

    @functools.cached_property
    def covered(self) -> tuple[Relation, ...]:
        return tuple(self.ports())

    @functools.cached_property
    def describer(self) -> Describer:
        return Describer(
            self.artifacts,
            self.lineage,
            self.covered,
            self.rules_of,
            lambda port: f"products/{self.product.folder.name}/{port.file}",
            conflict=self.conflict,
        )

    def rules_of(self, port: Relation, column: str) -> list[Rule]:
        return [
            rule
            for rule in self.rules
            if rule.table.lower() in (port.identifier.lower(), port.name.lower())
            and (rule.column.lower() == column.lower() or (not column and _is_stray(rule, port)))
        ]


def _is_stray(rule: Rule, port: Relation) -> bool:
    """Say whether a rule speaks of a column that the table does not have; one inside a column belongs to that."""
    inside = rule.origin == "odcs" and ("." in rule.column or "[]" in rule.column)
    return port.column(rule.column) is None and not inside
