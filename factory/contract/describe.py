"""Describe tables and columns as ODCS has them: what dbt knows, and what people wrote over it.

Takes a relation of dbt with its lineage and rules, and the hand-kept part of its table, which may be empty; gives the
table of a contract. What the two contradict each other in is handed to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from factory.artifacts import Artifacts, Column, Constraint, Relation
from factory.contract.constraints import bound_by, checks_of, is_untold, target_of, told, unique_together
from factory.contract.dbt_tests import arguments_of, bounds, holds, permitted, quality_of
from factory.contract.marks import deprecated_in, mark_conflicts
from factory.contract.meta import (
    META_OF_COLUMN,
    META_OF_TABLE,
    camel,
    is_private,
    lifted,
    properties_of,
    take_mark,
)
from factory.contract.origins import Origins
from factory.contract.rules import Rule
from factory.lineage import Lineage
from factory.odcs.compare import spelled
from factory.odcs.types import logical_fields

Keys = tuple[str | int, ...]


# What only the hand-kept part knows of a column.
_HAND_FIELDS = (
    "classification", "criticalDataElement", "encryptedName", "examples", "deprecated", "synonyms", "semanticType",
    "partitioned", "partitionKeyPosition", "authoritativeDefinitions", "enum", "id",
)  # fmt: skip


@dataclass
class Describer:
    """Describes the tables of one contract.

    Attributes:
        artifacts, lineage: what dbt and its SQL say.
        ports: the tables of the contract.
        rules_of: the rules of a table, by column; an empty name is the table itself.
        source_of: where the SQL of a table lies, for people.
        elsewhere: a reference to a column of a table that another contract covers, or empty.
        conflict: told where the hand-kept part contradicts the database: message, place in it, hint.
    """

    artifacts: Artifacts
    lineage: Lineage
    ports: tuple[Relation, ...]
    rules_of: Callable[[Relation, str], list[Rule]]
    source_of: Callable[[Relation], str]
    elsewhere: Callable[[Relation, str], str] = lambda _relation, _column: ""
    conflict: Callable[[str, Keys, str], None] = lambda _message, _keys, _hint: None
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, port: Relation) -> str:
        """Return what a table is called in the contract: its name in the database, unless that stands twice."""
        return self.names.get(port.unique_id, port.identifier)

    def table(self, port: Relation, hand: Mapping[str, Any], at: Keys) -> dict[str, Any]:
        """Return a table; `hand` is its hand-kept part, which stands at `at`."""
        name = self.name_of(port)
        meta = dict(port.meta)
        marked = bool(port.deprecation_date) or deprecated_in(meta)[0]
        self.check_mark(port.identifier, hand, meta, marked, at, port.file)
        take_mark(meta)
        fields = lifted(meta, META_OF_TABLE)
        private = ["pii"] if is_private(meta) else []
        table: dict[str, Any] = {
            "name": name,
            "physicalName": port.identifier,
            "logicalType": "object",
            "physicalType": _physical_type(port),
        }
        put(table, "businessName", hand.get("businessName") or fields.get("businessName"))
        put(table, "description", hand.get("description") or port.description)
        grain = hand.get("dataGranularityDescription") or fields.get("dataGranularityDescription")
        put(table, "dataGranularityDescription", grain)
        put(table, "tags", list(dict.fromkeys([*port.tags, *private, *hand.get("tags", ())])))
        for key in ("context", "deprecated", "synonyms", "id"):
            put(table, key, hand.get(key, fields.get(key)))
        if marked:
            table["deprecated"] = True
        table["authoritativeDefinitions"] = [
            *hand.get("authoritativeDefinitions", ()),
            *fields.get("authoritativeDefinitions", ()),
            {
                "url": self.source_of(port),
                "type": "transformationImplementation",
                "description": f"The dbt {port.kind} that makes it.",
            },
        ]
        table["properties"] = self.columns(port, hand, at)
        keys, untold = self.foreign_keys(port)
        put(table, "relationships", [*hand.get("relationships", ()), *keys])
        rules = self.rules_of(port, "")
        own = [*checks_of(port, ""), *unique_together(port)]
        put(table, "quality", [*(quality_of(rule, on_table=True) for rule in rules), *own])
        untold += [c for c in port.constraints if is_untold(c)]
        table["customProperties"] = [*hand.get("customProperties", ()), *self.table_facts(port, meta, untold)]
        return table

    def columns(self, port: Relation, hand: Mapping[str, Any], at: Keys) -> list[dict[str, Any]]:
        """Return the columns of a table; those that people promise and the table lacks are told as conflicts."""
        origins = Origins(self.artifacts, self.lineage, port)
        by_name = {p["name"].lower(): (n, p) for n, p in enumerate(hand.get("properties") or ())}
        key = tuple(name.lower() for name in port.primary_key)
        columns = [
            self.column(port, column, key, origins, by_name.pop(column.name.lower(), None), at)
            for column in (*port.columns, *self._traced(port))
        ]
        near = ", ".join(column.name for column in port.columns[:8])
        for n, missing in by_name.values():
            self.conflict(
                f"the contract promises the column {port.identifier}.{missing['name']}, which is not in {port.file}",
                (*at, "properties", n),
                f"its columns: {near}",
            )
        return columns

    def _traced(self, port: Relation) -> list[Column]:
        """Return the columns that only the SQL tells of; none where a catalog knows the table."""
        model = self.lineage.models.get(port.unique_id)
        if model is None or any(column.database_type for column in port.columns):
            return []
        known = {column.name.lower() for column in port.columns}
        names = dict.fromkeys(trace.column for trace in model.columns if trace.column.lower() not in known)
        return [
            Column(name, "", "", "", (), {}, (), declared=False) for name in names if name and name != "*"
        ]

    def table_facts(
        self, port: Relation, meta: Mapping[str, Any], untold: Iterable[Constraint]
    ) -> list[dict[str, Any]]:
        """Return what ODCS has no field for; `untold` are constraints that nothing else tells."""
        facts: dict[str, Any] = {
            "relationName": port.relation_name,
            "materialization": port.materialized,
            "access": port.access,
            "contractEnforced": port.enforced,
        }
        group = self.artifacts.groups.get((port.package, port.group))
        owner = group and (group.email or group.owner)
        snapshot = {key: port.snapshot[key] for key in _SNAPSHOT if port.snapshot.get(key)}
        optional = {
            "group": port.group,
            "groupOwner": owner,
            "modelVersion": port.version,
            "latestModelVersion": port.latest_version,
            "deprecationDate": port.deprecation_date,
            "snapshot": snapshot,
            "writing": {camel(name): value for name, value in port.writing.items()},
            "constraints": [told(constraint) for constraint in untold],
        }
        facts |= {name: value for name, value in optional.items() if value}
        facts = {name: value for name, value in facts.items() if value != ""}
        return properties_of(facts, meta)

    def foreign_keys(self, port: Relation) -> tuple[list[dict[str, Any]], list[Constraint]]:
        """Return the foreign keys of dbt's constraints, and those that refer to what no contract covers."""
        found: list[dict[str, Any]] = []
        untold: list[Constraint] = []
        for constraint in port.constraints:
            if constraint.type != "foreign_key":
                continue
            target, to_columns = target_of(constraint)
            other = self._relation_called(target, port)
            ends = [f"{self.name_of(port)}.{column}" for column in constraint.columns]
            goals = [self._address(other, column) for column in to_columns] if other is not None else []
            if not ends or len(ends) != len(goals) or not all(map(_is_reference, (*ends, *goals))):
                untold.append(constraint)
                continue
            single = len(ends) == 1
            found.append(
                {
                    "type": "foreignKey",
                    "from": ends[0] if single else ends,
                    "to": goals[0] if single else goals,
                }
            )
        return found, untold

    def _address(self, relation: Relation, column: str) -> str:
        """Return a reference to a column of a table of this contract, or of another; empty where none covers it."""
        if any(relation.unique_id == port.unique_id for port in self.ports):
            return f"{self.name_of(relation)}.{column}"
        return self.elsewhere(relation, column)

    def _relation_called(self, name: tuple[str, ...], port: Relation) -> Relation | None:
        """Return the relation that a constraint names: by all parts of its name, or by the last if only one has it."""
        if not name:
            return None
        wanted = tuple(part.lower() for part in name)
        near = sorted(self.artifacts.relations.values(), key=lambda each: each.schema != port.schema)
        for relation in near:
            parts = tuple(re.findall(r'[^".`\[\]]+', relation.relation_name.lower()))
            if parts[-len(wanted) :] == wanted:
                return relation
        alone = [r for r in near if name[-1].lower() in (r.identifier.lower(), r.name.lower())]
        return alone[0] if len(alone) == 1 and len(name) == 1 else None

    def column(
        self,
        port: Relation,
        column: Column,
        key: tuple[str, ...],
        origins: Origins,
        hand_at: tuple[int, Mapping[str, Any]] | None,
        at: Keys,
    ) -> dict[str, Any]:
        """Return a column."""
        number, hand = hand_at or (0, {})
        place = (*at, "properties", number)
        rules = self.rules_of(port, column.name)
        data: dict[str, Any] = {"name": column.name}
        meta = dict(column.meta)
        marked = deprecated_in(meta)[0]
        self.check_mark(f"{port.identifier}.{column.name}", hand, meta, marked, place, port.file)
        take_mark(meta)
        fields = lifted(meta, META_OF_COLUMN)
        for name in ("classification", "criticalDataElement", "encryptedName"):
            put(data, name, fields.get(name))
        put(data, "businessName", hand.get("businessName") or fields.get("businessName"))
        physical = column.database_type or _as_databases_spell(column.data_type)
        derived: dict[str, Any] = {"physicalType": physical, **logical_fields(physical)} if physical else {}
        derived.setdefault("logicalType", "string")
        self.check_type(port, column, hand, derived, place)
        data.update(derived)
        options = {
            **derived.get("logicalTypeOptions", {}),
            **_fitting(bounds(rules), derived["logicalType"]),
            **hand.get("logicalTypeOptions", {}),
        }
        put(data, "logicalTypeOptions", options)
        put(data, "description", hand.get("description") or column.description)
        data |= _keys(port, column, key, rules)
        self.check_promises(port, column, hand, data, place)
        private = ["pii"] if is_private(meta) else []
        put(data, "tags", list(dict.fromkeys([*column.tags, *private, *hand.get("tags", ())])))
        for name in ("examples", "synonyms", "semanticType", "authoritativeDefinitions"):
            put(data, name, fields.get(name))
        for name in _HAND_FIELDS:
            put(data, name, hand.get(name))
        if marked:
            data["deprecated"] = True
        values = permitted(rules) or _members(physical)
        if values and "enum" not in data:
            data["enum"] = [{"value": value} for value in values]
        trace = origins.of(column.name)
        if trace is not None:
            put(data, "transformSourceObjects", list(trace.sources))
            put(data, "transformLogic", trace.expression)
            put(data, "transformDescription", fields.get("transformDescription") or trace.words)
        put(data, "relationships", [*hand.get("relationships", ()), *self.relationships(port, rules, meta)])
        put(data, "quality", [*(quality_of(rule) for rule in rules), *checks_of(port, column.name)])
        own = properties_of(_marks(port, column), meta)
        put(data, "customProperties", [*hand.get("customProperties", ()), *own])
        return data

    def check_promises(
        self, port: Relation, column: Column, hand: Mapping[str, Any], data: Mapping[str, Any], place: Keys
    ) -> None:
        """Tell where people promise another nullability or key than dbt."""
        for promised in ("required", "unique", "primaryKey"):
            if promised in hand and bool(hand[promised]) != bool(data.get(promised, False)):
                self.conflict(
                    f"the contract says {promised}: {str(hand[promised]).lower()} for {port.identifier}.{column.name}, "
                    f"dbt says {str(bool(data.get(promised, False))).lower()} ({port.file})",
                    (*place, promised),
                    "change one of the two",
                )

    def check_mark(
        self,
        name: str,
        hand: Mapping[str, Any],
        meta: Mapping[str, Any],
        marked: bool,
        place: Keys,
        file: str,
    ) -> None:
        """Tell where people deny that something is deprecated, or mark it with what is no mark."""
        for message, key, hint in mark_conflicts(name, hand, meta, marked, file):
            self.conflict(message, (*place, key), hint)

    def check_type(
        self,
        port: Relation,
        column: Column,
        hand: Mapping[str, Any],
        derived: Mapping[str, Any],
        place: Keys,
    ) -> None:
        """Tell where people promise another type than the database has."""
        for name in ("logicalType", "physicalType"):
            if name in hand and spelled(hand[name]) != spelled(derived.get(name)):
                self.conflict(
                    f"the contract says {name} {hand[name]} for {port.identifier}.{column.name}, "
                    f"the database has {derived.get(name)} ({port.file})",
                    (*place, name),
                    "change one of the two, or leave the type out of the contract",
                )

    def relationships(
        self, port: Relation, rules: Iterable[Rule], meta: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the foreign keys that relationships tests check; those to elsewhere are a custom property."""
        found = []
        for rule in rules:
            if rule.kind not in ("relationships", "dbt_utils.relationships_where"):
                continue
            arguments = arguments_of(rule)
            names = re.findall(r"['\"]([^'\"]+)['\"]", str(arguments.get("to", "")))
            column = str(arguments.get("field") or "")
            if not names or not column:
                continue
            goal = self._relation_of_test(rule, names, port)
            target = self._address(goal, column) if goal is not None else ""
            entry: dict[str, Any] = {"type": "foreignKey", "to": target}
            conditions = {"where": rule.definition.get("where"), "severity": rule.severity}
            told = [{"property": k, "value": v} for k, v in conditions.items() if v and v != "error"]
            if told:
                entry["customProperties"] = told
            if _is_reference(target) and target != f"{self.name_of(port)}.{rule.column}":
                if entry not in found:
                    found.append(entry)
            elif goal is None or goal.unique_id != port.unique_id:
                meta["references"] = ".".join([*names, column])
        return found

    def _relation_of_test(self, rule: Rule, names: list[str], port: Relation) -> Relation | None:
        """Return what a test of a relationship refers to: dbt says what it reads, also which version."""
        read = [self.artifacts.relations[i] for i in rule.reads if i in self.artifacts.relations]
        found = [r for r in read if r.name in (names[-1], ".".join(names)) and r.unique_id != port.unique_id]
        return found[0] if found else self._relation_named(names, port.package)

    def _relation_named(self, names: list[str], package: str) -> Relation | None:
        """Return the relation that `ref()` or `source()` with these arguments means, seen from a package."""
        wanted = names[-1] if len(names) == 1 else names[1]
        packages = {names[0]} if len(names) > 1 else {package, self.artifacts.project}
        found = [r for r in self.artifacts.relations.values() if r.package in packages and r.name == wanted]
        sources = [r for r in self.artifacts.relations.values() if r.name == ".".join(names)]
        return next(iter([*found, *sources]), None)


_SNAPSHOT = ("strategy", "unique_key", "updated_at", "check_cols", "hard_deletes", "invalidate_hard_deletes")


def _physical_type(port: Relation) -> str:
    if port.database_kind:
        return "view" if "view" in port.database_kind.lower() else "table"
    return "view" if port.materialized in ("view", "materialized_view", "materializedview") else "table"


def _members(physical: str) -> list[Any]:
    """Return the values of an ENUM type of the database."""
    found = re.fullmatch(r"enum\s*\((.*)\)", physical, re.IGNORECASE | re.DOTALL)
    return [value.replace("''", "'") for value in re.findall(r"'((?:[^']|'')*)'", found[1])] if found else []


def _as_databases_spell(declared: str) -> str:
    """Return a declared type in upper case, unless it holds names or values."""
    plain = re.fullmatch(r"[A-Za-z_][\w ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?(\s*\[\d*\])*[\w ]*", declared)
    return declared.upper() if plain else declared


# A reference by names, or one to a file by ids, as the standard's schema has them.
_REFERENCE = re.compile(
    r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+|[A-Za-z0-9._/-]+\.ya?ml#/?schema/[\w-]+(/properties/[\w-]+)*",
    re.ASCII,
)


def _is_reference(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def _keys(port: Relation, column: Column, key: tuple[str, ...], rules: list[Rule]) -> dict[str, Any]:
    """Return nullability, uniqueness, place in the primary key and in the partition key."""
    in_key = column.name.lower() in key
    constraints = (*column.constraints, *bound_by(port, column.name))
    data: dict[str, Any] = {"required": in_key or "not_null" in constraints or holds("not_null", rules)}
    alone = len(key) == 1 and in_key
    if alone or "unique" in constraints or holds("unique", rules):
        data["unique"] = True
    if in_key:
        data["primaryKey"] = True
        data["primaryKeyPosition"] = key.index(column.name.lower()) + 1
    if column.name in port.partitions:
        data["partitioned"] = True
        data["partitionKeyPosition"] = port.partitions.index(column.name) + 1
    return data


def _marks(port: Relation, column: Column) -> dict[str, Any]:
    """Return what is unusual about a column: who does not know it, or its type."""
    facts: dict[str, Any] = {}
    if not column.declared:
        facts["undocumented"] = True
    if not column.database_type and not column.data_type:
        facts["typeUnknown"] = True
    if not column.database_type and any(each.database_type for each in port.columns):
        facts["absentFromDatabase"] = True
    return facts


def _fitting(options: Mapping[str, Any], logical: str) -> dict[str, Any]:
    """Return the options that go with a logical type."""
    numbers = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    wanted = (
        numbers
        if logical in ("integer", "number")
        else ("minLength", "maxLength")
        if logical == "string"
        else ()
    )
    return {key: value for key, value in options.items() if key in wanted}


def put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a field, unless there is nothing to say."""
    if value is not None and value not in ("", [], {}):
        data[key] = value
