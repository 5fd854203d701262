"""What a contract promises of its data, as rules: columns, types, keys, options of types, permitted values.

Takes an ODCS document; gives a `Rule` of the origin `contract` for each promise, which `odcs.run_rules` runs. Columns
in structs are called `address.zip`, the values of a list `tags[]`, those of a map `scores.value`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.contract import Rule
from factory.contract.meaning import Meaning, implies, meaning_of, promised
from factory.documents import Path_
from factory.quality.promised import FORMATS, range_of

Values = Mapping[str, Any]
LineOf = Callable[..., int]

_DIMENSIONS = {
    "columns": "conformity", "type": "conformity", "required": "completeness", "unique": "uniqueness",
    "primaryKey": "uniqueness", "enum": "conformity", "minimum": "accuracy", "maximum": "accuracy",
    "exclusiveMinimum": "accuracy", "exclusiveMaximum": "accuracy", "multipleOf": "accuracy",
    "uniqueItems": "uniqueness", "relationship": "consistency",
}  # fmt: skip

_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "dimensions")
_BOUNDS = ("minimum", "maximum")


def conformance_rules(contract: Values, product_name: str, file: Path, line_of: LineOf) -> tuple[Rule, ...]:
    """Return a rule for each promise that an ODCS contract makes of its tables, in the contract's order.

    `line_of` gives the line of the value at some keys, as `Document.line` does.
    """
    tables = [table for table in _mappings(contract, "schema") if _name(table)]
    rules: list[Rule] = []
    for number, table in enumerate(contract.get("schema") or ()):
        if isinstance(table, dict) and _name(table):
            maker = _Maker(product_name, file, line_of, table, tables)
            rules += maker.rules(("schema", number))
    return tuple(rules)


def physical_name(table: Values) -> str:
    """Return what a table or column is called in the database."""
    return _name(table)


def _name(part: Values) -> str:
    return str(part.get("physicalName") or part.get("name") or "")


def _mappings(data: Values, key: str) -> list[Values]:
    found = data.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the rules of one table; `tables` are all of the contract."""

    product: str
    file: Path
    line_of: LineOf
    table: Values
    tables: list[Values]

    def rules(self, at: Path_) -> Iterator[Rule]:
        columns = [column for column in _mappings(self.table, "properties") if _is_physical(column)]
        names = [_name(column) for column in columns]
        if names:
            yield self.rule("columns", at, "", {"columns": names})
        keys = _key(columns)
        if keys:
            column = keys[0] if len(keys) == 1 else ""
            first = next(n for n, each in enumerate(self.table["properties"]) if _is_named(each, keys[0]))
            here = (*at, "properties", first)
            yield self.rule("primaryKey", here, column, {"properties": keys}, ", ".join(keys))
        yield from self.properties(at, "", self.table)
        for number, relationship in enumerate(self.table.get("relationships") or ()):
            yield from self.relationship((*at, "relationships", number), "", relationship)

    def properties(self, at: Path_, prefix: str, parent: Values) -> Iterator[Rule]:
        found = parent.get("properties")
        for number, column in enumerate(found if isinstance(found, list) else ()):
            if isinstance(column, dict) and _name(column) and _is_physical(column):
                here = (*at, "properties", number)
                yield from self.column(here, prefix + _name(column), column)

    def column(self, at: Path_, path: str, column: Values) -> Iterator[Rule]:
        """Yield the rules of a column, of a field of a struct, or of the values of a list or a map."""
        physical, logical = column.get("physicalType"), column.get("logicalType")
        found = column.get("logicalTypeOptions")
        options: Values = found if isinstance(found, dict) else {}
        if physical or logical:
            types = {key: column[key] for key in ("physicalType", "logicalType") if column.get(key)}
            if isinstance(options.get("timezone"), bool):
                types["timezone"] = options["timezone"]
            yield self.rule("type", at, path, types, str(physical or logical))
        if column.get("required") is True and not column.get("primaryKey"):
            yield self.rule("required", at, path, {})
        # A key of one column is unique by itself, and inside a list every row has values of its own.
        if column.get("unique") is True and "[]" not in path and not self.is_key(path):
            yield self.rule("unique", at, path, {})
        values = [each["value"] for each in _mappings(column, "enum") if "value" in each]
        if values:
            yield self.rule("enum", at, path, {"value": values}, ", ".join(map(str, values)))
        for kind, value in _checked(options):
            yield self.rule(
                kind, (*at, "logicalTypeOptions"), path, {"value": value}, "" if value is True else str(value)
            )
        for name in options.get("required") or () if isinstance(options.get("required"), list) else ():
            yield self.rule("required", (*at, "logicalTypeOptions"), f"{path}.{name}", {})
        for number, relationship in enumerate(column.get("relationships") or ()):
            yield from self.relationship((*at, "relationships", number), path, relationship)
        yield from self.inside(at, path, column)

    def inside(self, at: Path_, path: str, column: Values) -> Iterator[Rule]:
        yield from self.properties(at, f"{path}.", column)
        if isinstance(column.get("items"), dict):
            yield from self.column((*at, "items"), f"{path}[]", column["items"])
        entries = column.get("map")
        for end in ("key", "value"):
            if isinstance(entries, dict) and isinstance(entries.get(end), dict):
                yield from self.column((*at, "map", end), f"{path}.{end}", entries[end])

    def is_key(self, path: str) -> bool:
        return _key(_mappings(self.table, "properties")) == [path]

    def relationship(self, at: Path_, path: str, relationship: Any) -> Iterator[Rule]:
        """Yield a rule for a reference to a table of the same contract; of others the data is not at hand."""
        if not isinstance(relationship, dict) or relationship.get("type", "foreignKey") != "foreignKey":
            return
        own = [self.address(each, self.table) for each in _listed(relationship.get("from"))]
        goals = [self.address(each, None) for each in _listed(relationship.get("to"))]
        names = [path] if path else [name for _, name in own if name]
        table = goals[0][0] if goals else None
        if table is None or not names or len(names) != len(goals):
            return
        if any(goal is not table or not name for goal, name in goals):
            return
        definition = {"from": names, "table": _name(table), "to": [name for _, name in goals]}
        words = f"{', '.join(names)} in {_name(table)}"
        column = names[0] if len(names) == 1 else ""
        yield self.rule("relationship", at, column, definition, words)

    def address(self, reference: Any, near: Values | None) -> tuple[Values | None, str]:
        """Return the table and the column that a reference means; None for what is not in this contract."""
        text = str(reference)
        if "#" in text:
            return None, ""
        if "/" in text:
            parts = [part for part in text.split("/") if part not in ("", "schema", "properties")]
            table = next((each for each in self.tables if each.get("id") == parts[0]), None)
            return table, _path_to(table, parts[1:], "id") if table else ""
        first, _, rest = text.partition(".")
        if not rest:
            return near, _path_to(near, [first], "name") if near else ""
        table = next((each for each in self.tables if first in (each.get("name"), _name(each))), None)
        return table, _path_to(table, rest.split("."), "name") if table else ""

    def rule(self, kind: str, at: Path_, column: str, definition: Values, words: str = "") -> Rule:
        name = " ".join(part for part in (column, _WORDS.get(kind, kind), words[:80]) if part)
        if kind in ("required", "unique", "columns", "primaryKey"):
            name = " ".join(part for part in (words or column, _WORDS[kind]) if part)
        return Rule(
            key=f"contract:{self.file.name}:{'.'.join(map(str, at))}:{kind}:{column}",
            origin="contract",
            product=self.product,
            table=_name(self.table),
            column=column,
            name=name,
            kind=kind,
            dimension=_DIMENSIONS.get(kind, "conformity"),
            severity="error",
            definition={"promise": kind, **definition},
            description="",
            file=self.file,
            line=self.line_of(*at, *(_AT.get(kind, ()))),
        )


_WORDS = {
    "columns": "the promised columns are there", "type": "is of the type", "required": "is never null",
    "unique": "is unique", "primaryKey": "is the key", "enum": "is one of", "relationship": "is",
    "pattern": "matches", "format": "has the format", "minLength": "minLength", "maxLength": "maxLength",
}  # fmt: skip
_AT = {
    "required": ("required",),
    "unique": ("unique",),
    "primaryKey": ("primaryKey",),
    "enum": ("enum",),
    "columns": ("properties",),
}


def _is_named(column: Any, name: str) -> bool:
    return isinstance(column, dict) and _name(column) == name


def _is_physical(column: Values) -> bool:
    """Say whether a column is one of the database: a measure is computed by whoever reads."""
    return column.get("semanticType") != "measure"


def _key(columns: Iterable[Values]) -> list[str]:
    """Return the columns of the primary key, by their places in it."""
    keys = [column for column in columns if column.get("primaryKey") is True]
    placed = sorted(keys, key=lambda column: _position(column.get("primaryKeyPosition")))
    return [_name(column) for column in placed if _name(column)]


def _position(value: Any) -> float:
    return value if isinstance(value, int) and value > 0 else float("inf")


def _checked(options: Values) -> Iterator[tuple[str, Any]]:
    """Yield the options of a logical type that data can be held to, as kind and value."""
    for name in _COUNTS:
        if isinstance(options.get(name), int) and not isinstance(options[name], bool):
            yield name, options[name]
    if isinstance(options.get("pattern"), str):
        yield "pattern", options["pattern"]
    format_ = options.get("format")
    if isinstance(format_, str) and (format_ in FORMATS or range_of(format_)):
        yield "format", format_
    for name in _BOUNDS:
        exclusive = f"exclusive{name[0].upper()}{name[1:]}"
        # In 3.0 it says how the bound is meant, since 3.1 it is the bound.
        if name in options and options[name] is not None:
            yield (exclusive if options.get(exclusive) is True else name), options[name]
        if exclusive in options and not isinstance(options[exclusive], bool | None):
            yield exclusive, options[exclusive]
    if options.get("multipleOf") is not None:
        yield "multipleOf", options["multipleOf"]
    if options.get("uniqueItems") is True:
        yield "uniqueItems", True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _path_to(table: Values, steps: list[str], key: str) -> str:
    """Return the path of a column in the database, from its names or ids in the contract; empty if it is not there."""
    found, parent = [], table
    for step in steps:
        match = next((each for each in _mappings(parent, "properties") if each.get(key) == step), None)
        if match is None:
            return ""
        found.append(_name(match))
        parent = match
    return ".".join(found)


# What others measure already


def not_covered(rules: Iterable[Rule], others: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules of the contract without those whose promise a rule of another origin measures already.

    `others` are rules that are run: a strict not_null test of dbt covers `required` of its column, for example. A
    check that is switched off by a filter, a threshold or its severity covers nothing.
    """
    known: dict[str, list[Meaning]] = {}
    for other in others:
        meaning = meaning_of(other) if other.severity == "error" else None
        if meaning is not None:
            known.setdefault(meaning.table, []).append(meaning)
    return tuple(rule for rule in rules if not _is_covered(rule, known.get(rule.table.lower(), ())))


def _is_covered(rule: Rule, known: Iterable[Meaning]) -> bool:
    wanted = promised(rule)
    return bool(wanted) and all(any(implies(one, each) for one in known) for each in wanted)
