"""Draft the full contract of a product from what people wrote and what dbt knows.

A hand-written value wins over a derived one where it is a promise or a description. Where it contradicts
the database (a table or column that is not there, another type, nullability or key), both are named in a
`Conflict`, and nothing is resolved silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from factory.artifacts import Artifacts, Column, Relation
from factory.contract.origins import Origins
from factory.contract.promises import Promise
from factory.contract.rules import Rule
from factory.documents import dump_yaml
from factory.lineage import Lineage
from factory.odcs.compare import spelled
from factory.odcs.types import logical_fields
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


# What a dbt `meta` entry becomes where ODCS has a field of its own for it.
_META_FIELDS = {
    "classification": "classification",
    "business_name": "businessName",
    "businessName": "businessName",
    "critical": "criticalDataElement",
    "criticalDataElement": "criticalDataElement",
    "encrypted_name": "encryptedName",
    "encryptedName": "encryptedName",
}


# What only the hand-kept part knows of a column.
_HAND_FIELDS = (
    "classification", "criticalDataElement", "encryptedName", "examples", "deprecated", "synonyms", "semanticType",
    "partitioned", "partitionKeyPosition", "authoritativeDefinitions", "enum", "id",
)  # fmt: skip


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
        ports = self.ports()
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
        _put(data, "tags", list(dict.fromkeys([*self.product.tags, *hand.get("tags", ())])))
        for key in ("context", "authoritativeDefinitions", "contractCreatedTs"):
            _put(data, key, hand.get(key))
        data["servers"] = [*hand.get("servers", ()), *self.servers(ports)]
        data["schema"] = [self.table(port) for port in ports]
        _put(data, "support", hand.get("support") or self.product.descriptor.get("support"))
        _put(data, "price", hand.get("price"))
        _put(data, "team", hand.get("team") or self.team())
        _put(data, "roles", hand.get("roles"))
        _put(data, "slaDefaultElement", hand.get("slaDefaultElement"))
        _put(data, "slaProperties", hand.get("slaProperties"))
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
        covered = {port.unique_id for port in ports}
        uses = [
            e
            for e in self.artifacts.exposures
            if e.package == self.product.name and covered & set(e.upstream)
        ]
        if uses:
            facts["exposures"] = [
                {"name": e.name, "type": e.type, "owner": e.owner, "url": e.url, "description": e.description}
                for e in uses
            ]
        return [{"property": name, "value": value} for name, value in facts.items()]

    def table(self, port: Relation) -> dict[str, Any]:
        number = next(
            (n for n, name in enumerate(self.promise.tables) if name in (port.identifier, port.name)), None
        )
        hand: dict[str, Any] = {} if number is None else self.promise.data["schema"][number]
        at: tuple[str | int, ...] = () if number is None else ("schema", number)
        table: dict[str, Any] = {
            "name": port.identifier,
            "physicalName": port.identifier,
            "logicalType": "object",
            "physicalType": "table" if port.materialized in ("table", "incremental", "snapshot") else "view",
        }
        _put(table, "businessName", hand.get("businessName") or port.meta.get("business_name"))
        _put(table, "description", hand.get("description") or port.description)
        _put(
            table,
            "dataGranularityDescription",
            hand.get("dataGranularityDescription") or port.meta.get("grain"),
        )
        _put(table, "tags", list(dict.fromkeys([*port.tags, *hand.get("tags", ())])))
        for name in ("context", "deprecated", "synonyms", "id"):
            _put(table, name, hand.get(name))
        if port.deprecation_date:
            table["deprecated"] = True
        source = f"products/{self.product.folder.name}/{port.file}"
        table["authoritativeDefinitions"] = [
            *hand.get("authoritativeDefinitions", ()),
            {
                "url": source,
                "type": "transformationImplementation",
                "description": "The dbt model that makes it.",
            },
        ]
        origins = Origins(self.artifacts, self.lineage, port)
        by_name = {p["name"].lower(): (n, p) for n, p in enumerate(hand.get("properties") or ())}
        key = self.key(port)
        table["properties"] = [
            self.column(port, column, key, origins, by_name.pop(column.name.lower(), None), at)
            for column in port.columns
        ]
        for n, missing in by_name.values():
            near = ", ".join(column.name for column in port.columns[:8])
            self.conflict(
                f"the contract promises the column {port.identifier}.{missing['name']}, which is not in {port.file}",
                (*at, "properties", n),
                f"its columns: {near}",
            )
        _put(table, "relationships", [*hand.get("relationships", ()), *self.foreign_keys(port)])
        _put(table, "quality", [self.quality(r) for r in self.rules_of(port, "")])
        table["customProperties"] = [*hand.get("customProperties", ()), *self.table_facts(port)]
        return table

    def key(self, port: Relation) -> tuple[str, ...]:
        """Return the primary key of dbt's constraint, folded."""
        return tuple(name.lower() for name in port.primary_key)

    def table_facts(self, port: Relation) -> list[dict[str, Any]]:
        facts: dict[str, Any] = {
            "relationName": port.relation_name,
            "materialization": port.materialized,
            "access": port.access,
            "contractEnforced": port.enforced,
        }
        optional = {
            "group": port.group,
            "modelVersion": port.version,
            "latestModelVersion": port.latest_version,
            "deprecationDate": port.deprecation_date,
        }
        facts |= {name: value for name, value in optional.items() if value}
        checks = [c.expression for c in port.constraints if c.type == "check" and c.expression]
        if checks:
            facts["checkConstraints"] = checks
        for name, value in sorted(port.meta.items()):
            if name not in ("business_name", "grain"):
                facts[_camel(name)] = value
        return [{"property": name, "value": value} for name, value in facts.items()]

    def foreign_keys(self, port: Relation) -> list[dict[str, Any]]:
        found = []
        for constraint in port.constraints:
            target = re.findall(r'[^".\s]+', constraint.to)
            if (
                constraint.type == "foreign_key"
                and target
                and len(constraint.columns) == len(constraint.to_columns)
            ):
                ends = [f"{port.identifier}.{c}" for c in constraint.columns]
                goals = [f"{target[-1]}.{c}" for c in constraint.to_columns]
                single = len(ends) == 1
                found.append(
                    {
                        "type": "foreignKey",
                        "from": ends[0] if single else ends,
                        "to": goals[0] if single else goals,
                    }
                )
        return found

    def column(
        self,
        port: Relation,
        column: Column,
        key: tuple[str, ...],
        origins: Origins,
        hand_at: tuple[int, dict[str, Any]] | None,
        at: tuple[str | int, ...],
    ) -> dict[str, Any]:
        number, hand = hand_at or (0, {})
        place = (*at, "properties", number)
        rules = self.rules_of(port, column.name)
        data: dict[str, Any] = {"name": column.name}
        meta = dict(column.meta)
        for name, field_name in _META_FIELDS.items():
            if name in meta:
                data[field_name] = meta.pop(name)
        _put(data, "businessName", hand.get("businessName"))
        physical = column.database_type or column.data_type.upper()
        derived: dict[str, Any] = {"physicalType": physical, **logical_fields(physical)} if physical else {}
        derived.setdefault("logicalType", "string")
        self.check_type(port, column, hand, derived, place)
        data.update(derived)
        if hand.get("logicalTypeOptions"):
            data["logicalTypeOptions"] = {
                **derived.get("logicalTypeOptions", {}),
                **hand["logicalTypeOptions"],
            }
        _put(data, "description", hand.get("description") or column.description)
        in_key = column.name.lower() in key
        data["required"] = in_key or "not_null" in column.constraints or _holds("not_null", rules)
        alone = len(key) == 1 and in_key
        unique = alone or "unique" in column.constraints or _holds("unique", rules)
        if unique:
            data["unique"] = True
        if in_key:
            data["primaryKey"] = True
            data["primaryKeyPosition"] = key.index(column.name.lower()) + 1
        for promised in ("required", "unique", "primaryKey"):
            if promised in hand and bool(hand[promised]) != bool(data.get(promised, False)):
                self.conflict(
                    f"the contract says {promised}: {str(hand[promised]).lower()} for {port.identifier}.{column.name}, "
                    f"dbt says {str(bool(data.get(promised, False))).lower()} ({port.file})",
                    (*place, promised),
                    "change one of the two",
                )
        _put(data, "tags", list(dict.fromkeys([*column.tags, *hand.get("tags", ())])))
        self.column_promises(data, hand, rules)
        trace = origins.of(column.name)
        if trace is not None:
            _put(data, "transformSourceObjects", list(trace.sources))
            _put(data, "transformLogic", trace.expression)
            _put(data, "transformDescription", trace.words)
        _put(data, "relationships", [*hand.get("relationships", ()), *self.relationships(rules, meta)])
        _put(data, "quality", [self.quality(rule) for rule in rules])
        facts = {_camel(name): value for name, value in sorted(meta.items())}
        if not column.declared:
            facts["undocumented"] = True
        own = [{"property": name, "value": value} for name, value in facts.items()]
        _put(data, "customProperties", [*hand.get("customProperties", ()), *own])
        return data

    def check_type(
        self,
        port: Relation,
        column: Column,
        hand: Mapping[str, Any],
        derived: Mapping[str, Any],
        place: tuple[str | int, ...],
    ) -> None:
        for name in ("logicalType", "physicalType"):
            if name in hand and spelled(hand[name]) != spelled(derived.get(name)):
                self.conflict(
                    f"the contract says {name} {hand[name]} for {port.identifier}.{column.name}, "
                    f"the database has {derived.get(name)} ({port.file})",
                    (*place, name),
                    "change one of the two, or leave the type out of the contract",
                )

    def column_promises(self, data: dict[str, Any], hand: Mapping[str, Any], rules: Iterable[Rule]) -> None:
        """Take over what only people know, and the permitted values that a test names."""
        for name in _HAND_FIELDS:
            _put(data, name, hand.get(name))
        accepted = next((r for r in rules if r.kind == "accepted_values" and _is_strict(r)), None)
        if accepted is not None and "enum" not in data:
            values = (accepted.definition.get("arguments") or {}).get("values") or ()
            if isinstance(values, list) and all(isinstance(value, str | int | float) for value in values):
                _put(data, "enum", [{"value": value} for value in dict.fromkeys(values)])

    def relationships(self, rules: Iterable[Rule], meta: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the foreign keys that relationships tests check; those of other products become an address."""
        found = []
        for rule in rules:
            if rule.kind != "relationships":
                continue
            arguments = rule.definition.get("arguments") or {}
            names = re.findall(r"['\"]([^'\"]+)['\"]", str(arguments.get("to", "")))
            target = f"{names[-1]}.{arguments.get('field')}" if names else ""
            if len(names) == 2 and names[0] != self.product.name:
                meta["references"] = f"{names[0]}.{target}"
            elif re.fullmatch(r"[A-Za-z_][\w-]*\.[A-Za-z_][\w-]*", target) and self.covers(names[-1]):
                found.append({"type": "foreignKey", "to": target})
        return found

    def covers(self, model: str) -> bool:
        return any(model in (port.identifier, port.name) for port in self.ports())

    def rules_of(self, port: Relation, column: str) -> list[Rule]:
        return [
            rule
            for rule in self.rules
            if rule.table.lower() in (port.identifier.lower(), port.name.lower())
            and (rule.column.lower() == column.lower() or (not column and port.column(rule.column) is None))
        ]

    def quality(self, rule: Rule) -> dict[str, Any]:
        """Return a rule as ODCS has it: a library metric where there is one, else custom for its engine."""
        if rule.origin == "odcs":
            return {"dimension": rule.dimension, "severity": rule.severity, **rule.definition}
        data: dict[str, Any] = {"name": rule.name}
        _put(data, "description", rule.description)
        data["dimension"] = rule.dimension
        data["severity"] = rule.severity
        arguments = rule.definition.get("arguments") or {} if isinstance(rule.definition, dict) else {}
        plain = rule.origin == "dbt" and not rule.definition.get("where") and rule.column
        if plain and rule.kind in ("not_null", "unique") and not arguments:
            metric = "nullValues" if rule.kind == "not_null" else "duplicateValues"
            data.update({"type": "library", "metric": metric, "mustBe": 0, "unit": "rows"})
        elif plain and rule.kind == "accepted_values" and set(arguments) <= {"values", "quote"}:
            values = {"validValues": list(arguments.get("values") or ())}
            data.update(
                {
                    "type": "library",
                    "metric": "invalidValues",
                    "arguments": values,
                    "mustBe": 0,
                    "unit": "rows",
                }
            )
        else:
            data.update({"type": "custom", "engine": rule.origin, "implementation": rule.definition})
        data["customProperties"] = [{"property": "origin", "value": rule.origin}]
        return data


_REFERABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def _is_strict(rule: Rule) -> bool:
    """Say whether a dbt test holds for every row of what is published: no filter, and a failure refuses."""
    return rule.origin == "dbt" and rule.severity == "error" and not rule.definition.get("where")


def _holds(kind: str, rules: Iterable[Rule]) -> bool:
    return any(rule.kind == kind and _is_strict(rule) for rule in rules)


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a field, unless there is nothing to say."""
    if value is not None and value not in ("", [], {}):
        data[key] = value


def _camel(name: str) -> str:
    head, *rest = re.split(r"[_\s-]+", name)
    return head[:1].lower() + head[1:] + "".join(word[:1].upper() + word[1:] for word in rest)
