"""A contract's rules as SodaCL, for soda-core 3.5.

Takes an ODCS document; gives one file of checks, and what SodaCL has no words for. Metrics of SodaCL stand where they
measure what the standard means; where they do not (Soda rounds shares, and counts repeated values and not their rows),
the check brings its own query. What columns promise is checked too: that they are there with their types, required,
unique, permitted values and options. A check that would stand twice stands once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from factory.documents import dump_yaml, parse_yaml
from factory.errors import DocumentError
from factory.odcs.export import measure
from factory.odcs.export.dbt_rules import BOUNDING
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
from factory.odcs.intervals import (
    COUNTS,
    EVERYTHING,
    PERCENTS,
    Span,
    Spans,
    accepted,
    complement,
    intersect,
    whole,
)

_NONE: Spans = (Span(0, False, 0, False),)
_DIMENSIONS = (
    "accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness",
)  # fmt: skip


def sodacl_of(contract: Values) -> Exported:
    """Return the rules of a contract, and what its columns promise, as SodaCL."""
    notes = Notes()
    document: dict[str, Any] = {}
    tables = mappings(contract.get("schema"))
    for table in tables:
        name = _table_name(table)
        writer = _Writer(name, document, notes)
        for rule in mappings(table.get("quality")):
            writer.rule(rule, "", "")
        for column_name, column in named_columns(table):
            writer.covered = _covered(column, {str(each.get("name")) for each in tables})
            for rule in mappings(column.get("quality")):
                writer.rule(rule, column_name, str(column.get("logicalType") or "string"))
        writer.promises(table)
        writer.relationships(table, {str(each.get("name")): _table_name(each) for each in tables})
    if contract.get("slaProperties"):
        notes.add("", "slaProperties", "a service level is no check of SodaCL; the factory measures it")
    body = {key: value for key, value in document.items() if value}
    text = heading(contract, "SodaCL") + (dump_yaml(body) if body else "{}\n")
    return Exported(text, tuple(notes.lines))


def _covered(column: Values, tables: set[str]) -> tuple[str, ...]:
    """Return the tests of dbt that the fields of a column repeat, so that nothing is lost without them."""
    keys = [_ends(each.get("to")) for each in mappings(column.get("relationships"))]
    bounded = any(re.search("(?i)min|max", key) for key in options_of(column.get("logicalTypeOptions")))
    inside = bool(keys) and all(ends and {end[0] for end in ends} <= tables for ends in keys)
    return (*(("relationships",) if inside else ()), *(BOUNDING if bounded else ()))


def _has_conditions(rule: Values) -> bool:
    """Say whether a test of dbt holds for some rows only, or with a tolerance, or only warns."""
    test = options_of(rule.get("implementation"))
    conditions = (
        test.get("where") or test.get("thresholds") or options_of(test.get("arguments")).get("row_condition")
    )
    return bool(conditions) or str(rule.get("severity") or "error").lower() != "error"


def _table_name(table: Values) -> str:
    return str(table.get("physicalName") or table.get("name") or "")


class _Writer:
    """Writes the checks of one table."""

    def __init__(self, table: str, document: dict[str, Any], notes: Notes) -> None:
        self.table = table
        self.sql_table = ".".join(measure.named(part) for part in table.split("."))
        self.document = document
        self.notes = notes
        self.written: set[str] = set()
        self.covered: tuple[str, ...] = ()

    # Rules

    def rule(self, rule: Values, column: str, logical: str) -> None:
        """Write a rule, or why it cannot be written."""
        kind = rule.get("type") or "library"
        if kind == "text":
            self.refuse(rule, column, "it is text for people")
        elif kind == "custom":
            self.custom(rule, column)
        elif accepted(rule) is None:
            self.refuse(rule, column, "it has no operator that compares numbers, such as mustBe")
        elif kind == "sql":
            self.query(rule, column)
        else:
            self.library(rule, column, logical)

    def refuse(self, rule: Values, column: str, why: str) -> None:
        place = f"{self.table}.{column}" if column else self.table
        self.notes.add(place, f"rule {shown(rule)!r}", why)

    def custom(self, rule: Values, column: str) -> None:
        """Hand on what is SodaCL already; of another engine, nothing."""
        engine = str(rule.get("engine") or "").lower()
        test = options_of(rule.get("implementation")).get("test") if engine == "dbt" else None
        if test in self.covered and not _has_conditions(rule):
            return  # what the columns promise says it, and is checked
        if engine not in ("soda", "sodacl"):
            self.refuse(rule, column, f"it is written for {engine or 'another engine'}, which runs it")
            return
        found = rule.get("implementation")
        if isinstance(found, str):
            try:
                found = parse_yaml(found, Path("implementation")).data
            except DocumentError as error:
                self.refuse(rule, column, f"its SodaCL is not YAML: {error.message}")
                return
        if isinstance(found, str | list):
            found = {self.heading(): found if isinstance(found, list) else [found]}
        elif isinstance(found, dict) and len(found) == 1 and not _is_section(next(iter(found))):
            found = {self.heading(): [found]}
        if not isinstance(found, dict):
            self.refuse(rule, column, "its implementation is no SodaCL")
            return
        for key, value in found.items():
            if isinstance(value, list):
                for check in value:
                    self.append(str(key), check)
            else:
                self.document.setdefault(str(key), value)

    def query(self, rule: Values, column: str) -> None:
        """Write a rule of SQL as a metric of its own."""
        names = {"table": self.sql_table, "object": self.sql_table}
        names |= {"column": measure.named(column), "property": measure.named(column)} if column else {}
        text = str(rule.get("query") or "").strip().rstrip(";").strip()
        text = re.sub(r"\$?\{\s*(table|object|column|property)\s*\}", lambda m: names.get(m[1], m[0]), text)
        if not text or measure.has_variable(text) or re.search(r"\{\s*(column|property)\s*\}", text):
            self.refuse(rule, column, "its query has a placeholder that means nothing here")
            return
        self.judged(rule, column, "measured_value", {"measured_value query": text}, EVERYTHING)

    def library(self, rule: Values, column: str, logical: str) -> None:
        """Write a metric of the library."""
        metric = str(rule.get("metric") or rule.get("rule") or "")
        arguments = options_of(rule.get("arguments"))
        if metric == "rowCount":
            self.judged(rule, column, "row_count", {}, COUNTS)
            return
        names = [measure.named(column)] if column else []
        if metric == "duplicateValues":
            given = arguments.get("properties")
            names = [measure.named(str(name)) for name in given] if isinstance(given, list) else names
        if not names:
            self.refuse(rule, column, f"{metric or 'a rule without metric'} names no column")
            return
        found = _measured(metric, self.sql_table, names, arguments, logical)
        if found is None:
            self.refuse(rule, column, f"the library has no metric {metric!r}, or its arguments are missing")
            return
        native, config, query = found
        share = str(rule.get("unit") or "").lower() in ("percent", "%")
        spans = intersect(accepted(rule) or (), PERCENTS) if share else _counted(accepted(rule) or ())
        if native and (spans == _NONE or not (share or metric == "duplicateValues")):
            # No row at fault is none of any number.
            self.judged({**rule, "unit": "rows"}, column, native, config, COUNTS)
            return
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", metric).lower() + ("_percent" if share else "_rows")
        query = measure.share(self.sql_table, query) if share else query
        self.judged(rule, column, name, {f"{name} query": query}, PERCENTS if share else COUNTS)

    def judged(self, rule: Values, column: str, metric: str, config: Values, possible: Spans) -> None:
        """Write a check with its threshold, or one for each operator where no threshold says them all."""
        everything = accepted(rule) or ()
        parts = [everything]
        if not _words(everything, possible):
            parts = [accepted({key: rule[key]}) or () for key in rule if str(key).startswith("must")]
        words = [pair for part in parts if (pair := _words(part, possible)) is not None]
        if not words:
            self.refuse(rule, column, "nothing can break it")
        warns = str(rule.get("severity") or "").lower() in ("warning", "warn", "info", "information")
        for good, bad in words:
            if warns:
                self.check(metric, {**_about(rule), **config, "warn": f"when {bad}"})
            else:
                self.check(f"{metric} {good}", {**_about(rule), **config})

    # What columns promise

    def promises(self, table: Values) -> None:
        """Write what the columns of a table promise without a rule."""
        self.columns(table)
        key = primary_key(table)
        for name, column in named_columns(table):
            quoted = measure.named(name)
            if column.get("required") or name in key:
                self.check(f"missing_count({quoted}) = 0", {})
            if column.get("unique") or key == [name]:
                self.check(f"duplicate_count({quoted}) = 0", {})
            self.values(quoted, column)
            self.options(quoted, name, column)
        if len(key) > 1:
            self.check(f"duplicate_count({', '.join(map(measure.named, key))}) = 0", {})

    def columns(self, table: Values) -> None:
        """Write that the columns are there, with the types that have a name and no more."""
        columns = [(name, str(column.get("physicalType") or "")) for name, column in named_columns(table)]
        if not columns:
            return
        fail: dict[str, Any] = {"when required column missing": [name for name, _ in columns]}
        types = {name: type_ for name, type_ in columns if _PLAIN_TYPE.fullmatch(type_)}
        if types:
            fail["when wrong column type"] = types
        for name, type_ in columns:
            if type_ and name not in types:
                self.notes.add(f"{self.table}.{name}", "physicalType", f"{type_} is checked by no SodaCL")
        nested = [n for n, column in named_columns(table) if column.get("properties") or column.get("items")]
        if nested:
            self.notes.add(f"{self.table}.{nested[0]}", "nested columns", "SodaCL looks at whole columns")
        self.check("schema", {"name": "The columns of the contract are there", "fail": fail})

    def values(self, quoted: str, column: Values) -> None:
        """Write which values a column permits."""
        members = members_of(column)
        logical = str(column.get("logicalType") or "string")
        if members and logical not in ("array", "object", "map"):
            self.library({"metric": "invalidValues", "arguments": {"validValues": members}, "mustBe": 0},
                         _plain(quoted), logical)  # fmt: skip

    def options(self, quoted: str, name: str, column: Values) -> None:
        """Write what the options of a logical type bound."""
        options = dict(options_of(column.get("logicalTypeOptions")))
        logical = str(column.get("logicalType") or "string")
        config: dict[str, Any] = {}
        for option, words in _NATIVE.get(logical, {}).items():
            if option in options and not measure.has_variable(str(options[option])):
                value = options.pop(option)
                config[words] = _anchored(value) if option == "pattern" else value
        if config:
            self.check(f"invalid_count({quoted}) = 0", config)
        for option, value in options.items():
            condition = _beyond(quoted, option, value, logical)
            if condition:
                query = measure.counting(self.sql_table, condition)
                self.check("invalid_rows = 0", {"invalid_rows query": query})
            elif option not in _ABOUT_TYPES or (option == "format" and logical == "string"):
                why = "SodaCL has no words for it"
                self.notes.add(f"{self.table}.{name}", f"logicalTypeOptions.{option}", why)

    def relationships(self, table: Values, tables: dict[str, str]) -> None:
        """Write foreign keys to tables of the same contract."""
        places = [("", each) for each in mappings(table.get("relationships"))]
        for name, column in named_columns(table):
            places += [(name, each) for each in mappings(column.get("relationships"))]
        for name, each in places:
            place = f"{self.table}.{name}" if name else self.table
            own = _ends(each.get("from") or f"{table.get('name')}.{name}")
            other = _ends(each.get("to"))
            targets = {tables.get(end[0], "") for end in other}
            if len(own) != len(other) or len(targets) != 1 or "" in targets:
                self.notes.add(place, f"relationship to {each.get('to')!r}", "it leads out of this contract")
                continue
            if custom_properties(each).get("where"):
                self.notes.add(place, f"relationship to {each.get('to')!r}", "it holds for some rows only")
                continue
            here, there = (", ".join(measure.named(end[1]) for end in side) for side in (own, other))
            self.check(f"values in ({here}) must exist in {targets.pop()} ({there})", {})

    # Checks

    def heading(self) -> str:
        return f"checks for {self.sql_table}"

    def check(self, text: str, config: Values) -> None:
        self.append(self.heading(), {text: dict(config)} if config else text)

    def append(self, key: str, check: Any) -> None:
        """Add a check, unless one that does the same stands there."""
        if (same := _deed(check)) not in self.written:
            self.written.add(same)
            self.document.setdefault(key, []).append(check)


_PLAIN_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?[A-Za-z ]*")

# Options that say nothing beside the type of the database, or nothing about single values.
_ABOUT_TYPES = ("format", "timezone", "defaultTimezone", "distanceMetric", "embeddingModel")

_NATIVE = {
    "string": {"minLength": "valid min length", "maxLength": "valid max length", "pattern": "valid regex"},
    "integer": {"minimum": "valid min", "maximum": "valid max"},
    "number": {"minimum": "valid min", "maximum": "valid max"},
}
_BEYOND = {"minimum": "<", "maximum": ">", "exclusiveMinimum": "<=", "exclusiveMaximum": ">="}


def _beyond(column: str, option: str, value: Any, logical: str) -> str:
    """Return the condition that a value is beyond a bound; empty where that is no condition of SQL."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if option in _BEYOND and is_number and logical in ("integer", "number"):
        return f"{column} {_BEYOND[option]} {measure.number(value)}"
    if option in _BEYOND and logical in ("date", "timestamp") and isinstance(value, str):
        return f"{column} {_BEYOND[option]} cast({measure.literal(value)} as {logical})"
    if option == "multipleOf" and is_number and value:
        return f"{column} % {measure.number(value)} <> 0"
    if option == "pattern" and logical == "string":
        return measure.invalid(column, {"pattern": value}, logical)
    return ""


def _measured(
    metric: str, table: str, names: list[str], arguments: Values, logical: str
) -> tuple[str, dict[str, Any], str] | None:
    """Return the metric of SodaCL that counts the same, what it needs, and the query; the first two may be empty."""
    column = names[0]
    if metric == "nullValues":
        return f"missing_count({column})", {}, measure.counting(table, f"{column} is null")
    if metric == "duplicateValues":
        return f"duplicate_count({', '.join(names)})", {}, measure.duplicates(table, names)
    if metric == "missingValues":
        values = arguments.get("missingValues") or [None]
        found = measure.is_in(column, values, logical)
        condition = f"{column} is null or {found}" if None in values else found
        known = [value for value in values if value is not None]
        if None in values and not known:
            return f"missing_count({column})", {}, measure.counting(table, condition)
        native = f"missing_count({column})" if None in values and _fit(known, logical) else ""
        return native, {"missing values": known}, measure.counting(table, condition)
    condition = measure.invalid(column, arguments, logical) if metric == "invalidValues" else ""
    if not condition:
        return None
    config: dict[str, Any] = {}
    if arguments.get("validValues"):
        config["valid values"] = list(arguments["validValues"])
    if arguments.get("pattern"):
        config["valid regex"] = _anchored(arguments["pattern"])
    native = f"invalid_count({column})"
    plain = logical == "string" and not measure.has_variable(str(arguments.get("pattern") or ""))
    if not (_fit(config.get("valid values", []), logical) and (plain or "valid regex" not in config)):
        native = ""
    query = measure.counting(table, f"{column} is not null and ({condition})")
    return native, config, query


def _fit(values: list[Any], logical: str) -> bool:
    """Say whether Soda compares these values with a column of this type as the standard means it."""
    if all(isinstance(value, str) for value in values):
        # Soda writes quotes, backslashes and variables otherwise than they stand here.
        plain = all(not re.search(r"['\\]", value) and not measure.has_variable(value) for value in values)
        return plain and (logical == "string" or not values)
    whole_numbers = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    return whole_numbers and logical == "integer"


def _anchored(pattern: Any) -> str:
    """Return a pattern that speaks of the whole value, for a search."""
    text = str(pattern)
    if text.startswith("^") and text.endswith("$") and not text.endswith(r"\$") and "|" not in text:
        return text
    return f"^(?:{text})$"


def _counted(spans: Spans) -> Spans:
    return whole(intersect(spans, COUNTS))


def _words(spans: Spans, possible: Spans) -> tuple[str, str] | None:
    """Return the thresholds of what is accepted and of what is not; None where one threshold does not say it."""
    refused = complement(spans)
    good = measure.threshold(spans)
    if not good or not intersect(refused, possible):
        return None
    return good, measure.threshold(refused) if spans else "not between (0 and 0)"


def _about(rule: Values) -> dict[str, Any]:
    """Return the name and the dimension of a rule as a check has them."""
    about: dict[str, Any] = {}
    name = str(rule.get("name") or rule.get("id") or "")
    if name and not measure.has_variable(name):
        about["name"] = name
    dimension = str(rule.get("dimension") or "").lower()
    if dimension in _DIMENSIONS:
        about["attributes"] = {"dimension": dimension}
    return about


def _ends(value: Any) -> list[tuple[str, str]]:
    """Return the tables and columns that one end of a relationship names; none where it leads elsewhere."""
    parts: Iterable[Any] = value if isinstance(value, list) else [value]
    found = [re.fullmatch(r"([^./#]+)\.([^./#]+)", str(part or "")) for part in parts]
    return [(each[1], each[2]) for each in found if each] if all(found) else []


def _is_section(key: str) -> bool:
    return re.match(r"(checks|filter|configurations|variables|for each|automated|discover|profile|sample)\b",
                    key) is not None  # fmt: skip


def _plain(quoted: str) -> str:
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted


def _deed(check: Any) -> str:
    """Return what a check does, without how it is called."""
    if isinstance(check, dict) and len(check) == 1:
        ((text, config),) = check.items()
        if isinstance(config, dict):
            does = {k: v for k, v in config.items() if k not in ("name", "attributes", "identity")}
            numbers = {k: float(v) if type(v) is int else v for k, v in does.items()}
            return json.dumps([text, numbers] if does else text, sort_keys=True, default=str)
        return json.dumps(text)
    return json.dumps(check, sort_keys=True, default=str)
