"""Draft contracts of any dbt project, without a workspace: all that its artifacts say, as ODCS 3.2.0.

Takes dbt's artifacts and the lineage; gives a `Draft` per group of tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.artifacts import RELATIONS, Artifacts, Relation
from factory.contract.describe import Describer, put
from factory.contract.known import levels_of, team_of, uses_of
from factory.contract.rules import Rule, rules_of_tests
from factory.documents import dump_yaml
from factory.lineage import Lineage

#: What tables can be grouped by into contracts, beside their dbt package.
GROUPINGS = ("schema", "group", "model", "package")


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted contract of a project: its file's name, and its values."""

    file: str
    data: Mapping[str, Any]

    def text(self) -> str:
        """Return the document as YAML, always in the same bytes."""
        return dump_yaml(self.data)


def draft_project(
    artifacts: Artifacts, lineage: Lineage, group_by: str = "schema", *, sources: bool = False
) -> tuple[Draft, ...]:
    """Return a contract per package and schema (or what else to group by), sorted by the file's name.

    Every model that has a table or view, seed and snapshot is in one of them; sources too, if that is asked for.
    """
    return _Project(artifacts, lineage, group_by, sources).drafts()


class _Project:
    def __init__(self, artifacts: Artifacts, lineage: Lineage, group_by: str, sources: bool) -> None:
        self.artifacts = artifacts
        self.lineage = lineage
        kinds = (*RELATIONS, "source") if sources else RELATIONS
        self.groups: dict[tuple[str, ...], list[Relation]] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        key_of = _KEYS[group_by]
        self.plain_keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        for relation in artifacts.relations.values():
            if relation.kind in kinds and relation.materialized != "ephemeral":  # those in the database
                key = self.plain(tuple(part for part in (relation.package, key_of(relation)) if part))
                self.groups.setdefault(key, []).append(relation)
                self.keys[relation.unique_id] = key
        self.rules = _rules_by_relation(artifacts)
        self.referred: dict[tuple[str, ...], set[tuple[str, str]]] = {}
        self.names = {key: _names(relations) for key, relations in self.groups.items()}

    def plain(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return a key whose parts can be a file's name; different keys stay different, whatever their case."""
        if key not in self.plain_keys:
            parts = tuple(_plain(part) for part in key) or ("project",)
            taken = {".".join(each).lower() for each in self.plain_keys.values()}
            found, number = parts, 2
            while ".".join(found).lower() in taken:
                found, number = (*parts[:-1], f"{parts[-1]}-{number}"), number + 1
            self.plain_keys[key] = found
        return self.plain_keys[key]

    def drafts(self) -> tuple[Draft, ...]:
        drafts = {key: self.draft(key) for key in sorted(self.groups)}
        for key, columns in self.referred.items():
            _identify(drafts[key].data, columns)
        return tuple(drafts.values())

    def draft(self, key: tuple[str, ...]) -> Draft:
        ports = sorted(self.groups[key], key=lambda port: (port.identifier, port.unique_id))
        name = ".".join(key)
        data: dict[str, Any] = {
            "apiVersion": "v3.2.0",
            "kind": "DataContract",
            "id": name,
            "name": name,
            "version": "0.1.0",
            "status": "draft",
            "dataProduct": ports[0].package,
        }
        put(data, "tags", sorted(_shared_tags(ports)))
        data["servers"] = _servers(self.artifacts.adapter, ports)
        describer = Describer(
            self.artifacts,
            self.lineage,
            tuple(ports),
            self.rules_of,
            lambda port: port.file or port.relation_name,
            self.elsewhere,
            names=self.names[key],
        )
        data["schema"] = [describer.table(port, {}, ()) for port in ports]
        put(data, "team", team_of(self.artifacts, ports))
        put(data, "slaProperties", levels_of(self.artifacts, ports, self.names[key]))
        facts: dict[str, Any] = {
            "dbtProject": self.artifacts.project,
            "dbtVersion": self.artifacts.dbt_version,
            "adapter": self.artifacts.adapter,
            "exposures": uses_of(self.artifacts, ports),
        }
        data["customProperties"] = [{"property": k, "value": v} for k, v in facts.items() if v]
        return Draft(f"{name}.odcs.yaml", data)

    def rules_of(self, port: Relation, column: str) -> list[Rule]:
        return [
            rule
            for rule in self.rules.get(port.unique_id, ())
            if rule.column.lower() == column.lower() or (not column and port.column(rule.column) is None)
        ]

    def elsewhere(self, relation: Relation, column: str) -> str:
        """Return a reference to a column of a table in another of the contracts."""
        key = self.keys.get(relation.unique_id)
        if key is None:
            return ""
        table = self.names[key].get(relation.unique_id, relation.identifier)
        if not re.fullmatch(r"[A-Za-z0-9_-]+", f"{table}{column}"):
            return ""
        self.referred.setdefault(key, set()).add((table, column))
        return f"{'.'.join(key)}.odcs.yaml#/schema/{table}/properties/{column}"


_KEYS: Mapping[str, Callable[[Relation], str]] = {
    "schema": lambda relation: relation.schema,
    "group": lambda relation: relation.group,
    "model": lambda relation: (
        relation.identifier if not relation.version else f"{relation.name}.v{relation.version}"
    ),
    "package": lambda _relation: "",
}


def _plain(name: str) -> str:
    """Return a name that can be a part of a file's name, and of a reference to it."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:80]


def _identify(data: Mapping[str, Any], columns: set[tuple[str, str]]) -> None:
    """Give ids to the tables and columns that other contracts refer to: references between files go by id."""
    for table in data["schema"]:
        wanted = {column.lower() for name, column in columns if name == table["name"]}
        if wanted:
            table.setdefault("id", table["name"])
        for column in table["properties"]:
            if column["name"].lower() in wanted:
                column.setdefault("id", column["name"])


def lost_tests(artifacts: Artifacts, drafts: Iterable[Draft]) -> tuple[str, ...]:
    """Return the names of tests that stand in no draft: what they speak of has no table there."""
    told = {rule["name"] for draft in drafts for table in draft.data["schema"] for rule in _rules_in(table)}
    return tuple(test.name for test in artifacts.tests if test.name not in told)


def _rules_in(table: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    yield from table.get("quality", ())
    for column in table["properties"]:
        yield from column.get("quality", ())


def _rules_by_relation(artifacts: Artifacts) -> dict[str, list[Rule]]:
    """Return every test as a rule, by the relation that it speaks of, whichever package it stands in."""
    attached = {test.unique_id: test.attached for test in artifacts.tests}
    found: dict[str, list[Rule]] = {}
    for package in sorted({test.package for test in artifacts.tests}):
        for rule in rules_of_tests(artifacts, package, Path()):
            found.setdefault(attached[rule.key], []).append(rule)
    return found


def _names(relations: Iterable[Relation]) -> dict[str, str]:
    """Return other names for tables of one name in one contract: with their schema, or database, in front."""
    relations = list(relations)
    known = Counter(relation.identifier.lower() for relation in relations)
    names: dict[str, str] = {}
    taken = {name for name, count in known.items() if count == 1}
    for relation in relations:
        if known[relation.identifier.lower()] == 1:
            continue
        candidates = [
            f"{relation.schema}_{relation.identifier}",
            f"{relation.database}_{relation.schema}_{relation.identifier}",
            relation.unique_id.replace(".", "_"),
        ]
        name = next((c for c in candidates if c.lower() not in taken), relation.unique_id)
        taken.add(name.lower())
        names[relation.unique_id] = name
    return names


def _shared_tags(ports: list[Relation]) -> set[str]:
    return set.intersection(*(set(port.tags) for port in ports))


def _servers(adapter: str, ports: list[Relation]) -> list[dict[str, Any]]:
    """Return the servers that tables lie on, as far as dbt's artifacts tell: a database and schema each.

    Hosts and accounts are in profiles, not in artifacts: where the standard requires one, the type is `custom`.
    """
    places = sorted({(port.database, port.schema) for port in ports})
    servers = []
    for database, schema in places:
        name = "-".join(_plain(part) for part in (database, schema) if part) or adapter
        known = _SERVERS.get(adapter)
        fields = {ours: value for ours, value in zip(known or (), (database, schema), strict=False) if value}
        complete = known is not None and len(fields) == len(known)
        server: dict[str, Any] = {"server": name, "type": adapter if complete else "custom"}
        if not complete:
            fields = {key: value for key, value in (("database", database), ("schema", schema)) if value}
        server |= fields
        if not complete:
            server["customProperties"] = [{"property": "adapter", "value": adapter}]
        servers.append(server)
    return servers


# What a server of these types must say, and that dbt knows: the database, the schema.
_SERVERS = {
    "duckdb": ("database", "schema"),
    "bigquery": ("project", "dataset"),
    "databricks": ("catalog", "schema"),
    "athena": ("catalog", "schema"),
    "redshift": ("database", "schema"),
}
