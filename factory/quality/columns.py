"""Find the columns that rules speak of, in tables of any shape.

Takes a connection; gives a column, a field of a struct or the values inside a list as an expression of SQL with its
type. Names are found whatever their case, as DuckDB does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from factory.tables import literal, own_spelling, quoted, without_values


class NotThereError(Exception):
    """The data has no such table, column or field; the message says so."""


class Place(NamedTuple):
    """Where values are read.

    `relation` stands behind `from`, `expression` gives the values, `type` is DuckDB's; `inside` says that they are
    values of a list or a map, of which a row has several.
    """

    relation: str
    expression: str
    type: Any
    inside: bool = False


@dataclass(slots=True)
class Tables:
    """The tables of a connection, described once each."""

    connection: Any
    _spelled: dict[str, str] = field(default_factory=dict)
    _patterns: dict[str, str] = field(default_factory=dict)
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)

    def columns(self, table: str) -> dict[str, Any]:
        """Return type by name of a table's columns.

        Raises:
            NotThereError: there is no such table, or it cannot be read.

        """
        import duckdb

        if table in self._failed:
            raise NotThereError(self._failed[table])
        if table not in self._known:
            try:
                relation = self.connection.execute(f"from {quoted(table)} limit 0")
                self._known[table] = {str(column[0]): column[1] for column in relation.description}
            except duckdb.Error as error:
                self._failed[table] = in_one_line(error)
                raise NotThereError(self._failed[table]) from error
        return self._known[table]

    def spelling(self, physical: str) -> str:
        """Return a type as DuckDB writes it, or nothing where DuckDB does not know it."""
        if physical not in self._spelled:
            self._spelled[physical] = own_spelling(self.connection, physical)
        return self._spelled[physical]

    def pattern_fault(self, pattern: str) -> str:
        """Return why DuckDB cannot match a pattern, or nothing."""
        import duckdb

        if pattern not in self._patterns:
            self._patterns[pattern] = ""
            try:
                self.connection.execute(f"select regexp_full_match('', {literal(pattern)})")
            except duckdb.Error as error:
                self._patterns[pattern] = in_one_line(error)
        return self._patterns[pattern]

    def place(self, table: str, path: str) -> Place:
        """Return where the values of a column are: `amount`, `address.zip`, `tags[]` for the values of a list.

        Raises:
            NotThereError: the table has no such column, or the column no such field.

        """
        columns = self.columns(table)
        name = _named(path, columns)
        if name is not None:
            return Place(quoted(table), quoted(name), columns[name])
        steps = [step for step in re.split(r"\.|(\[\])", path) if step]
        name = _named(steps[0], columns) if steps else None
        if name is None:
            raise NotThereError(f"the table {table} has no column {path}")
        place = Place(quoted(table), quoted(name), columns[name])
        for step in steps[1:]:
            place = _stepped(place, step, f"{table}.{path}")
        return place


def in_one_line(error: BaseException) -> str:
    """Return what DuckDB says of an error, in one line."""
    return " ".join(without_values(str(error)).split())[:300]


def _named(name: str, known: Any) -> str | None:
    """Return a name as it is spelled among the known ones: exactly, or in another case."""
    if name in known:
        return name
    return next((each for each in known if each.lower() == name.lower()), None)


def _stepped(place: Place, step: str, named: str) -> Place:
    """Return the place one step further inside."""
    kind = place.type.id
    if kind in ("list", "array"):
        child = dict(place.type.children)["child"]
        values = f"{place.expression}::{child}[]" if kind == "array" else place.expression
        inner = _unnested(place, values, child)
        return inner if step == "[]" else _stepped(inner, step, named)
    if kind == "map" and step.lower() in ("key", "value"):
        child = dict(place.type.children)[step.lower()]
        return _unnested(place, f"map_{step.lower()}s({place.expression})", child)
    if kind == "struct":
        children = dict(place.type.children)
        name = _named(step, children)
        if name is not None:
            expression = f"struct_extract({place.expression}, {literal(name)})"
            return place._replace(expression=expression, type=children[name])
    raise NotThereError(f"there is no {step} inside {named}: its type is {place.type}")


def _unnested(place: Place, values: str, child: Any) -> Place:
    relation = f"(select unnest({values}) as item from {place.relation}) as items"  # noqa: S608  (names are quoted)
    return Place(relation, "item", child, inside=True)
