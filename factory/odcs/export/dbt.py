"""A contract as YAML of dbt: models with enforced contracts, constraints and data tests.

Takes an ODCS document; gives one file of properties, and what dbt has no place for. How a column is made stands in the
SQL of the model, and is not repeated. A promise that a data test holds gets no constraint beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from factory.documents import dump_yaml
from factory.odcs.export.dbt_rules import BOUNDING, Refusal, data_test, entry, is_strict, plain, rules_of
from factory.odcs.export.outcome import (
    Exported,
    Notes,
    Values,
    custom_properties,
    heading,
    mappings,
    members_of,
    named_columns,
    options_of,
    primary_key,
    shown,
)
from factory.odcs.types import logical_fields

# What has a place in dbt, or comes from there, and needs none.
_TABLE_FIELDS = (
    "name", "physicalName", "logicalType", "physicalType", "description", "properties", "quality", "relationships",
    "tags", "customProperties", "businessName", "dataGranularityDescription", "synonyms", "authoritativeDefinitions",
    "deprecated",
)  # fmt: skip
_COLUMN_META = (
    "classification", "businessName", "criticalDataElement", "encryptedName", "examples", "synonyms", "semanticType",
)  # fmt: skip
_COLUMN_FIELDS = (
    *_COLUMN_META, "name", "physicalName", "physicalType", "logicalType", "logicalTypeOptions", "description",
    "required", "unique", "primaryKey", "primaryKeyPosition", "tags", "quality", "relationships", "customProperties",
    "enum", "deprecated", "authoritativeDefinitions", "transformSourceObjects", "transformLogic",
    "transformDescription", "properties", "items", "map",
)  # fmt: skip
_CONTRACT_FIELDS = ("apiVersion", "kind", "id", "name", "version", "schema")
# Facts of dbt's own that the factory tells as custom properties.
_TABLE_FACTS = (
    "relationName", "materialization", "access", "contractEnforced", "deprecationDate",
)  # fmt: skip
_UNTOLD_FACTS = (
    "group", "groupOwner", "modelVersion", "latestModelVersion", "snapshot", "writing", "constraints",
)  # fmt: skip
_COLUMN_FACTS = ("undocumented", "typeUnknown", "absentFromDatabase", "references")
_MADE = re.compile(r"(Copied|Computed|Aggregated) from |Made here[,:] ")
_KINDS = {"seed": "seeds", "snapshot": "snapshots"}


def dbt_of(contract: Values) -> Exported:
    """Return a contract as YAML of dbt."""
    notes = Notes()
    document: dict[str, Any] = {"version": 2}
    tables = mappings(contract.get("schema"))
    names = {str(table.get("name")) for table in tables}
    for table in tables:
        kind = _KINDS.get(str(custom_properties(table).get("materialization")), "models")
        document.setdefault(kind, []).append(_Model(table, names, notes, constrained=kind == "models").data())
    _unplaced(contract, _CONTRACT_FIELDS, "", notes)
    return Exported(heading(contract, "dbt's YAML") + dump_yaml(document), tuple(notes.lines))


def _unplaced(values: Values, known: Iterable[str], place: str, notes: Notes) -> None:
    rest = [
        key for key, value in values.items() if key not in tuple(known) and value not in (None, "", [], {})
    ]
    if rest:
        notes.add(
            place,
            ", ".join(rest),
            "dbt has no place for it" if len(rest) == 1 else "dbt has no place for them",
        )


class _Model:
    """Writes one table as a model, seed or snapshot."""

    def __init__(self, table: Values, names: set[str], notes: Notes, *, constrained: bool) -> None:
        self.table = table
        self.name = str(table.get("name") or "")
        self.names = names
        self.notes = notes
        self.facts = custom_properties(table)
        self.is_view = "view" in str(table.get("physicalType") or self.facts.get("materialization") or "")
        # No database enforces a constraint on a view: tests hold there.
        self.constrained = constrained and not self.is_view
        self.is_model = constrained
        self.constraints: list[dict[str, Any]] = []
        self.unplaced: dict[str, Any] = {}

    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"name": self.name}
        _put(data, "description", plain(str(self.table.get("description") or "")))
        _put(data, "access", self.facts.get("access") if self.is_model else None)
        _put(data, "deprecation_date", self.facts.get("deprecationDate") if self.is_model else None)
        columns = [self.column(name, column) for name, column in named_columns(self.table)]
        tests = [test for rule in rules_of(self.table) if (test := self.rule(rule, "", {})) is not None]
        key = primary_key(self.table)
        if key and self.is_model:
            self.constraints.insert(0, {"type": "primary_key", "columns": key})
        self.foreign_keys()
        _put(data, "config", self.config())
        _put(data, "constraints", self.constraints)
        _put(data, "data_tests", tests)
        _put(data, "columns", columns)
        _unplaced(self.table, _TABLE_FIELDS, self.name, self.notes)
        _unplaced(self.unplaced, (), f"{self.name}, columns", self.notes)
        return data

    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = {}
        alias = str(self.table.get("physicalName") or "").rpartition(".")[2].strip('"')
        _put(config, "alias", alias if alias != self.name else "")
        if self.is_model:
            made = self.facts.get("materialization") or ("view" if self.is_view else "table")
            _put(config, "materialized", made)
            untyped = [n for n, column in named_columns(self.table) if not column.get("physicalType")]
            if self.facts.get("contractEnforced", True) and untyped:
                why = "a contract that dbt enforces needs the type of every column"
                self.notes.add(f"{self.name}.{untyped[0]}", "physicalType", why)
            elif self.facts.get("contractEnforced", True):
                config["contract"] = {"enforced": True}
        _put(config, "tags", _tags(self.table, self.facts))
        meta = {key: self.table[key] for key in ("businessName", "dataGranularityDescription", "synonyms")
                if self.table.get(key)}  # fmt: skip
        meta |= _definitions(self.table)
        _put(meta, "deprecated", self.table.get("deprecated"))
        meta |= {k: v for k, v in self.facts.items() if k not in (*_TABLE_FACTS, *_UNTOLD_FACTS)}
        _put(config, "meta", meta)
        told = [name for name in _UNTOLD_FACTS if self.facts.get(name)]
        if told:
            self.notes.add(self.name, ", ".join(told), "the dbt project itself says it")
        return config

    # Columns

    def column(self, name: str, column: Values) -> dict[str, Any]:
        facts = custom_properties(column)
        data: dict[str, Any] = {"name": name}
        _put(data, "data_type", str(column.get("physicalType") or ""))
        _put(data, "description", plain(str(column.get("description") or "")))
        meta = {key: column[key] for key in _COLUMN_META if column.get(key) not in (None, "", [])}
        meta |= _definitions(column)
        _put(meta, "deprecated", column.get("deprecated"))
        made = str(column.get("transformDescription") or "")
        _put(meta, "transformDescription", "" if _MADE.match(made) else made)
        meta |= {key: value for key, value in facts.items() if key not in _COLUMN_FACTS}
        config: dict[str, Any] = {}
        _put(config, "tags", _tags(column, facts))
        _put(config, "meta", meta)
        _put(data, "config", config)
        constraints: list[dict[str, Any]] = []
        tests: list[Any] = []
        for rule in rules_of(column):
            test = self.rule(rule, name, constraints)
            tests += [test] if test is not None else []
        self.promises(column, constraints, tests)
        tests += self.relationships(name, column)
        self.options(name, column)
        _put(data, "constraints", constraints)
        _put(data, "data_tests", tests)
        self.unplaced |= {k: v for k, v in column.items() if k not in _COLUMN_FIELDS and v}
        return data

    def promises(self, column: Values, constraints: list[dict[str, Any]], tests: list[Any]) -> None:
        """Add what a column promises and no rule holds: as a constraint, or as a test where none is enforced."""
        rules = [rule for rule in rules_of(column) if (rule.get("type") or "library") == "library"]
        held = {str(rule.get("metric")) for rule in rules if is_strict(rule) and not rule.get("arguments")}
        sole = primary_key(self.table) == [column.get("physicalName") or column.get("name")]
        wanted = [("not_null", "nullValues")] if column.get("required") else []
        if column.get("unique") and not (sole and self.constrained):
            wanted.append(("unique", "duplicateValues"))
        for kind, metric in wanted:
            if metric in held:
                continue
            if self.constrained:
                constraints.append({"type": kind})
            else:
                tests.append(kind)
        values = members_of(column)
        listed = [options_of(rule.get("arguments")).get("validValues") for rule in rules if is_strict(rule)]
        made_so = str(column.get("physicalType") or "").lower().startswith("enum")
        if values and values not in listed and not made_so:
            test = data_test(
                {"metric": "invalidValues", "arguments": {"validValues": values}, "mustBe": 0}, "x"
            )
            if isinstance(test, Refusal):
                self.notes.add(f"{self.name}.{column.get('name')}", "enum", test.why)
            else:
                tests.append(test)

    def rule(self, rule: Values, column: str, constraints: Any) -> Any | None:
        """Return a rule as a data test; as a constraint it is added, and what it cannot be is noted."""
        if custom_properties(rule).get("origin") == "dbt constraint":
            found = _constraint(rule)
            if found is not None and self.is_model:
                (constraints if column else self.constraints).append(found)
                return None
        test = data_test(rule, column)
        if isinstance(test, Refusal):
            place = f"{self.name}.{column}" if column else self.name
            self.notes.add(place, f"rule {shown(rule)!r}", test.why)
            return None
        return test

    def options(self, name: str, column: Values) -> None:
        """Note the bounds that neither the type nor a test says."""
        derived = logical_fields(str(column.get("physicalType") or "")).get("logicalTypeOptions", {})
        tested = any(
            options_of(rule.get("implementation")).get("test") in BOUNDING for rule in rules_of(column)
        )
        rest = [
            key
            for key, value in options_of(column.get("logicalTypeOptions")).items()
            if derived.get(key) != value and not (tested and re.search("(?i)min|max", key))
        ]
        for key in rest:
            why = "dbt itself has no test of it"
            self.notes.add(f"{self.name}.{name}", f"logicalTypeOptions.{key}", why)

    # Keys to other tables

    def relationships(self, name: str, column: Values) -> list[Any]:
        """Return the foreign keys of a column that no test of its rules checks already."""
        tested = {
            str(options_of(options_of(rule.get("implementation")).get("arguments")).get("field"))
            for rule in rules_of(column)
            if options_of(rule.get("implementation")).get("test") == "relationships"
        }
        found = []
        for each in mappings(column.get("relationships")):
            end = re.fullmatch(r"([^./#]+)\.([^./#]+)", str(each.get("to") or ""))
            if end and end[2] in tested:
                continue
            if not end or end[1] not in self.names:
                self.out_of_reach(f"{self.name}.{name}", each)
                continue
            facts = custom_properties(each)
            config = {"where": facts["where"]} if facts.get("where") else {}
            target = {"to": f"ref('{end[1]}')", "field": end[2]}
            found.append(entry("relationships", target, config, {"severity": facts.get("severity")}))
        return found

    def foreign_keys(self) -> None:
        """Add the foreign keys of the table as constraints."""
        for each in mappings(self.table.get("relationships")):
            ends = [
                [str(part).partition(".") for part in (side if isinstance(side, list) else [side])]
                for side in (each.get("from"), each.get("to"))
            ]
            targets = {part[0] for part in ends[1]}
            if len(targets) != 1 or not targets <= self.names or not self.is_model:
                self.out_of_reach(self.name, each)
                continue
            self.constraints.append(
                {
                    "type": "foreign_key",
                    "columns": [part[2] for part in ends[0]],
                    "to": f"ref('{targets.pop()}')",
                    "to_columns": [part[2] for part in ends[1]],
                }
            )

    def out_of_reach(self, place: str, relationship: Values) -> None:
        self.notes.add(place, f"relationship to {relationship.get('to')!r}", "it leads out of this contract")


def _constraint(rule: Values) -> dict[str, Any] | None:
    """Return a rule that was a constraint of dbt as that constraint."""
    name = str(rule.get("name") or "")
    found = re.fullmatch(
        r"select count\(\*\) from \{object\} where not \((.*)\)", str(rule.get("query")), re.DOTALL
    )
    columns = options_of(rule.get("arguments")).get("properties")
    if found:
        made: dict[str, Any] = {"type": "check", "expression": found[1]}
        named = not re.fullmatch(r"check .+ \d+", name)
    elif columns:
        made = {"type": "unique", "columns": list(columns)}
        named = name != f"unique {', '.join(columns)}"
    else:
        return None
    return made | ({"name": name} if name and named else {})


def _tags(values: Values, facts: Values) -> list[str]:
    tags = [str(tag) for tag in values.get("tags") or ()]
    return [tag for tag in tags if not (tag == "pii" and facts.get("pii"))]


def _definitions(values: Values) -> dict[str, Any]:
    """Return the authoritative definitions that people wrote, as meta."""
    found = [dict(each) for each in mappings(values.get("authoritativeDefinitions"))
             if each.get("type") != "transformationImplementation"]  # fmt: skip
    return {"authoritativeDefinitions": found} if found else {}


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    if value not in (None, "", [], {}, False):
        data[key] = value
