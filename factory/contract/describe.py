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
from factory.contract.dbt_tests import arguments_of, bounds, holds, permitted, quality_of
from factory.contract.marks import deprecated_in, mark_conflicts
from factory.contract.origins import Origins
from factory.contract.rules import Rule
from factory.lineage import Lineage
from factory.odcs.compare import spelled
from factory.odcs.types import logical_fields

Keys = tuple[str | int, ...]

# What a dbt `meta` entry becomes where ODCS has a field of its own for it; names count whatever their case and dashes.
_META_OF_COLUMN = {
    "classification": "classification",
    "businessname": "businessName",
    "label": "businessName",
    "critical": "criticalDataElement",
    "criticaldataelement": "criticalDataElement",
    "encryptedname": "encryptedName",
    "examples": "examples",
    "synonyms": "synonyms",
    "semantictype": "semanticType",
    "transformdescription": "transformDescription",
    "authoritativedefinitions": "authoritativeDefinitions",
    "businessdefinition": "authoritativeDefinitions",
}
_META_OF_TABLE = {
    "businessname": "businessName",
    "label": "businessName",
    "grain": "dataGranularityDescription",
    "datagranularity": "dataGranularityDescription",
    "datagranularitydescription": "dataGranularityDescription",
    "synonyms": "synonyms",
    "authoritativedefinitions": "authoritativeDefinitions",
    "businessdefinition": "authoritativeDefinitions",
}
_KINDS: dict[str, type | tuple[type, ...]] = {
    "criticalDataElement": bool, "examples": list, "synonyms": list,
    "authoritativeDefinitions": (list, str),
}  # fmt: skip
_SEMANTIC_TYPES = ("column", "measure", "dimension")

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
        _take_mark(meta)
        lifted = _lifted(meta, _META_OF_TABLE)
        table: dict[str, Any] = {
            "name": name,
            "physicalName": port.identifier,
            "logicalType": "object",
            "physicalType": _physical_type(port),
        }
        put(table, "businessName", hand.get("businessName") or lifted.get("businessName"))
        put(table, "description", hand.get("description") or port.description)
        grain = hand.get("dataGranularityDescription") or lifted.get("dataGranularityDescription")
        put(table, "dataGranularityDescription", grain)
        put(table, "tags", list(dict.fromkeys([*port.tags, *hand.get("tags", ())])))
        for key in ("context", "deprecated", "synonyms", "id"):
            put(table, key, hand.get(key, lifted.get(key)))
        if marked:
            table["deprecated"] = True
        table["authoritativeDefinitions"] = [
            *hand.get("authoritativeDefinitions", ()),
            *lifted.get("authoritativeDefinitions", ()),
            {
                "url": self.source_of(port),
                "type": "transformationImplementation",
                "description": f"The dbt {port.kind} that makes it.",
            },
        ]
        table["properties"] = self.columns(port, hand, at)
        put(table, "relationships", [*hand.get("relationships", ()), *self.foreign_keys(port)])
        rules = self.rules_of(port, "")
        put(table, "quality", [*(quality_of(rule, on_table=True) for rule in rules), *_checks(port)])
        table["customProperties"] = [*hand.get("customProperties", ()), *self.table_facts(port, meta)]
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

    def table_facts(self, port: Relation, meta: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what ODCS has no field for."""
        facts: dict[str, Any] = {
            "relationName": port.relation_name,
            "materialization": port.materialized,
            "access": port.access,
            "contractEnforced": port.enforced,
        }
        group = self.artifacts.groups.get(port.group)
        owner = group and (group.email or group.owner)
        snapshot = {key: port.snapshot[key] for key in _SNAPSHOT if port.snapshot.get(key)}
        optional = {
            "group": port.group,
            "groupOwner": owner,
            "modelVersion": port.version,
            "latestModelVersion": port.latest_version,
            "deprecationDate": port.deprecation_date,
            "snapshot": snapshot,
        }
        facts |= {name: value for name, value in optional.items() if value}
        facts = {name: value for name, value in facts.items() if value != ""}
        facts |= {camel(name): value for name, value in sorted(meta.items())}
        return [{"property": name, "value": value} for name, value in facts.items()]

    def foreign_keys(self, port: Relation) -> list[dict[str, Any]]:
        """Return the foreign keys of dbt's constraints."""
        found = []
        for constraint in port.constraints:
            if constraint.type != "foreign_key":
                continue
            target, to_columns = _target(constraint)
            goal = next((p for p in self.ports if target in (p.identifier, p.name)), None)
            other = goal or self._relation_called(target)
            if not target or not to_columns or len(constraint.columns) != len(to_columns):
                continue
            ends = [f"{self.name_of(port)}.{column}" for column in constraint.columns]
            if goal is not None:
                goals = [f"{self.name_of(goal)}.{column}" for column in to_columns]
            elif other is not None and all(self.elsewhere(other, column) for column in to_columns):
                goals = [self.elsewhere(other, column) for column in to_columns]
            else:
                goals = [f"{target}.{column}" for column in to_columns]
            if not all(_is_reference(text) for text in (*ends, *goals)):
                continue
            single = len(ends) == 1
            found.append(
                {
                    "type": "foreignKey",
                    "from": ends[0] if single else ends,
                    "to": goals[0] if single else goals,
                }
            )
        return found

    def _relation_called(self, name: str) -> Relation | None:
        return next((r for r in self.artifacts.relations.values() if name in (r.identifier, r.name)), None)

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
        _take_mark(meta)
        lifted = _lifted(meta, _META_OF_COLUMN)
        for name in ("classification", "criticalDataElement", "encryptedName"):
            put(data, name, lifted.get(name))
        put(data, "businessName", hand.get("businessName") or lifted.get("businessName"))
        physical = column.database_type or column.data_type.upper()
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
        in_key = column.name.lower() in key
        data["required"] = in_key or "not_null" in column.constraints or holds("not_null", rules)
        alone = len(key) == 1 and in_key
        if alone or "unique" in column.constraints or holds("unique", rules):
            data["unique"] = True
        if in_key:
            data["primaryKey"] = True
            data["primaryKeyPosition"] = key.index(column.name.lower()) + 1
        self.check_promises(port, column, hand, data, place)
        private = ["pii"] if _is_true(meta.get("pii", meta.get("contains_pii"))) else []
        put(data, "tags", list(dict.fromkeys([*column.tags, *private, *hand.get("tags", ())])))
        for name in ("examples", "synonyms", "semanticType", "authoritativeDefinitions"):
            put(data, name, lifted.get(name))
        for name in _HAND_FIELDS:
            put(data, name, hand.get(name))
        if marked:
            data["deprecated"] = True
        values = permitted(rules)
        if values and "enum" not in data:
            data["enum"] = [{"value": value} for value in values]
        trace = origins.of(column.name)
        if trace is not None:
            put(data, "transformSourceObjects", list(trace.sources))
            put(data, "transformLogic", trace.expression)
            put(data, "transformDescription", lifted.get("transformDescription") or trace.words)
        put(data, "relationships", [*hand.get("relationships", ()), *self.relationships(port, rules, meta)])
        put(data, "quality", [quality_of(rule) for rule in rules])
        facts = {camel(name): value for name, value in sorted(meta.items())}
        if not column.declared:
            facts["undocumented"] = True
        own = [{"property": name, "value": value} for name, value in facts.items()]
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
            own = len(names) < 2 or names[0] == port.package
            goal = next((p for p in self.ports if own and names[-1] in (p.identifier, p.name)), None)
            target = f"{self.name_of(goal)}.{column}" if goal is not None else ""
            if not target:
                other = self._relation_named(names, port.package)
                target = self.elsewhere(other, column) if other is not None else ""
            if _is_reference(target):
                entry = {"type": "foreignKey", "to": target}
                if entry not in found and target != f"{self.name_of(port)}.{rule.column}":
                    found.append(entry)
            elif not own or goal is None:
                meta["references"] = ".".join([*names, column])
        return found

    def _relation_named(self, names: list[str], package: str) -> Relation | None:
        """Return the relation that `ref()` or `source()` with these arguments means, seen from a package."""
        wanted = names[-1] if len(names) == 1 else names[1]
        packages = {names[0]} if len(names) > 1 else {package, self.artifacts.project}
        found = [r for r in self.artifacts.relations.values() if r.package in packages and r.name == wanted]
        sources = [r for r in self.artifacts.relations.values() if r.name == ".".join(names)]
        return next(iter([*found, *sources]), None)


_SNAPSHOT = ("strategy", "unique_key", "updated_at", "check_cols", "hard_deletes", "invalidate_hard_deletes")


def _physical_type(port: Relation) -> str:
    tables = ("table", "incremental", "snapshot", "seed", "source", "dynamic_table", "streaming_table")
    return "table" if port.materialized in tables else "view"


def _checks(port: Relation) -> list[dict[str, Any]]:
    """Return dbt's check constraints as rules: no row for which the expression is false."""
    return [
        {
            "name": f"check {'_'.join(constraint.columns) or port.identifier}_{number}",
            "dimension": "conformity",
            "severity": "error",
            "type": "sql",
            "query": f"select count(*) from {{object}} where not ({constraint.expression})",  # noqa: S608
            "mustBe": 0,
            "customProperties": [{"property": "origin", "value": "dbt constraint"}],
        }
        for number, constraint in enumerate(
            (c for c in port.constraints if c.type == "check" and c.expression), 1
        )
    ]


def _target(constraint: Constraint) -> tuple[str, tuple[str, ...]]:
    """Return the table and columns that a foreign key refers to; older projects write both into the expression."""
    if constraint.to:
        names = re.findall(r'[^".`\s]+', constraint.to)
        return (names[-1] if names else ""), constraint.to_columns
    found = re.fullmatch(
        r"\s*(?:references\s+)?([\w.\"`]+)\s*\(([^)]*)\)\s*", constraint.expression, re.IGNORECASE
    )
    if not found:
        return "", ()
    names = re.findall(r'[^".`\s]+', found[1])
    columns = tuple(part.strip().strip('"`') for part in found[2].split(","))
    return (names[-1] if names else ""), columns


# A reference by names, or one to a file by ids, as the standard's schema has them.
_REFERENCE = re.compile(
    r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+|[A-Za-z0-9._/-]+\.ya?ml#/?schema/[\w-]+(/properties/[\w-]+)*",
    re.ASCII,
)


def _is_reference(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def _take_mark(meta: dict[str, Any]) -> None:
    """Take the mark `deprecated` from `meta`; the day that it may name stays, as a fact of its own."""
    day = deprecated_in(meta)[1]
    meta.pop("deprecated", None)
    if day:
        meta["deprecation_date"] = day


def _lifted(meta: dict[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Take from `meta` what ODCS has fields for; what does not fit the field stays."""
    found: dict[str, Any] = {}
    for name in list(meta):
        field_name = fields.get(re.sub(r"[_\s-]+", "", str(name)).lower())
        value = meta[name]
        if field_name is None or value in (None, "") or field_name in found:
            continue
        if not isinstance(value, _KINDS.get(field_name, str)):
            continue
        if field_name == "semanticType" and value not in _SEMANTIC_TYPES:
            continue
        if field_name == "authoritativeDefinitions":
            value = _definitions(value)
        elif field_name == "synonyms":
            value = [entry if isinstance(entry, dict) else {"synonym": str(entry)} for entry in value]
        if value:
            found[field_name] = value
            del meta[name]
    return found


def _definitions(value: Any) -> list[dict[str, Any]]:
    """Return authoritative definitions: a list as ODCS has it, or one address of a business definition."""
    if isinstance(value, str):
        return [{"url": value, "type": "businessDefinition"}]
    entries = [{"url": e, "type": "businessDefinition"} if isinstance(e, str) else e for e in value]
    complete = all(isinstance(e, dict) and e.get("url") and e.get("type") for e in entries)
    known = {"url", "type", "description", "id"}
    return entries if complete and all(set(e) <= known for e in entries) else []


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


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "yes")


def put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a field, unless there is nothing to say."""
    if value is not None and value not in ("", [], {}):
        data[key] = value


def camel(name: str) -> str:
    """Return a name as ODCS spells custom properties."""
    head, *rest = re.split(r"[_\s-]+", str(name))
    return head[:1].lower() + head[1:] + "".join(word[:1].upper() + word[1:] for word in rest)
