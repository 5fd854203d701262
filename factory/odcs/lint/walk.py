"""Walk a contract that may have any fault: what is not of the expected kind is left out.

Takes the values of a document; gives its tables, columns and rules with their places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from factory.documents import Path_

Values = dict[str, Any]


class Column(NamedTuple):
    """A column, or what stands for one inside a list or a map.

    `name` is its name below the table, dots between levels; `siblings` says that it stands in a list of columns.
    """

    path: Path_
    name: str
    data: Values
    siblings: bool


class Table(NamedTuple):
    """A table with its columns at every level."""

    path: Path_
    name: str
    data: Values
    columns: tuple[Column, ...]


def tables(data: Any) -> tuple[Table, ...]:
    """Return the tables of a contract."""
    return tuple(
        Table(("schema", number), text(table, "name"), table, tuple(_columns(("schema", number), "", table)))
        for number, table in items(data, "schema")
    )


def _columns(path: Path_, prefix: str, parent: Values) -> Iterator[Column]:
    for number, column in items(parent, "properties"):
        here = (*path, "properties", number)
        name = prefix + text(column, "name")
        yield Column(here, name, column, True)
        if len(column) > 1:
            yield from _inside(here, name, column)


def _inside(path: Path_, name: str, column: Values) -> Iterator[Column]:
    if "properties" in column:
        yield from _columns(path, f"{name}.", column)
    if isinstance(column.get("items"), dict):
        yield from _part((*path, "items"), name, column["items"])
    if isinstance(column.get("map"), dict):
        for end in ("key", "value"):
            if isinstance(column["map"].get(end), dict):
                yield from _part((*path, "map", end), f"{name}.{end}", column["map"][end])


def _part(path: Path_, name: str, column: Values) -> Iterator[Column]:
    yield Column(path, name, column, False)
    yield from _inside(path, name, column)


def rules(path: Path_, data: Values) -> Iterator[tuple[Path_, Values]]:
    """Yield the quality rules of a table or column."""
    for number, rule in items(data, "quality"):
        yield (*path, "quality", number), rule


def items(data: Any, key: str) -> Iterator[tuple[int, Values]]:
    """Yield the mappings in the list under a key, with their numbers."""
    found = data.get(key) if isinstance(data, dict) else None
    if isinstance(found, list):
        for number, item in enumerate(found):
            if isinstance(item, dict):
                yield number, item


def text(data: Values, key: str) -> str:
    """Return the text under a key; empty where there is none."""
    found = data.get(key)
    return found if isinstance(found, str) else ""


def is_number(value: Any) -> TypeGuard[int | float]:
    """Say whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
