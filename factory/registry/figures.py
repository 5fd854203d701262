"""The record of a run as rows of tables, and back, without losing a figure.

Takes a record (what a run's JSON file holds); gives a row per run, check, level, port and measurement; pure. What a
column cannot hold exactly (another type, a key that is not known here, a text with NUL) goes as JSON into the row's
`extra`. The row's `marks` say what a column cannot: `measured=int` is a whole number in a column of floats, and
`failed_rows=null` is a null, where an empty column alone means that the key is missing.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

#: The values that columns hold: text, 64-bit whole numbers, 64-bit floats, and anything, as JSON.
_TYPES = {"text": "VARCHAR", "whole": "BIGINT", "number": "DOUBLE", "json": "VARCHAR"}
_LARGEST = 2**63 - 1
_EXACT = 2**53  # up to here a float holds every whole number


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the history.

    Attributes:
        fields: kind by name of the keys that have a column of their own; `product` has `urn`.
        order: the columns by which rows are sorted, so that equal values stand together.
    """

    fields: Mapping[str, str]
    order: tuple[str, ...]

    @property
    def columns(self) -> dict[str, str]:
        """Type by name of all columns, those that say which run a row belongs to first."""
        own = {column_of(name): _TYPES[kind] for name, kind in self.fields.items()}
        return {**_PLACE, **own, "marks": "VARCHAR", "extra": "VARCHAR"}


_PLACE = {"domain": "VARCHAR", "product": "VARCHAR", "run": "VARCHAR", "position": "BIGINT"}

_CHECK = {
    "key": "text", "contract": "text", "table": "text", "column": "text", "name": "text", "origin": "text",
    "kind": "text", "file": "text", "line": "whole", "dimension": "text", "severity": "text", "outcome": "text",
    "reason": "text", "measured": "number", "threshold": "text", "failed_rows": "whole", "checked_rows": "whole",
    "milliseconds": "number",
}  # fmt: skip
_LEVEL = {
    "contract": "text", "property": "text", "element": "text", "target": "text", "unit": "text", "description": "text",
    "measured": "number", "measured_unit": "text", "verdict": "text", "reason": "text",
}  # fmt: skip
_PORT = {
    "contract": "text", "table": "text", "rows": "whole", "bytes": "whole", "read_milliseconds": "number",
    "elements": "json", "error": "text",
}  # fmt: skip
_RUN = {
    "schema_version": "whole", "product": "text", "at": "text", "kind": "text", "outcome": "text", "version": "text",
    "contracts": "json", "milliseconds": "number", "reasons": "json", "scores": "json",
}  # fmt: skip

#: The tables by name. `position` is a row's place in its list; of a run, which has none, it is empty.
TABLES = {
    "runs": Table(_RUN, ("domain", "product", "run")),
    "checks": Table(_CHECK, ("domain", "product", "key", "position", "run")),
    "levels": Table(_LEVEL, ("domain", "product", "contract", "property", "position", "run")),
    "ports": Table(_PORT, ("domain", "product", "contract", "position", "run")),
    "measurements": Table({"identity": "text", "value": "number"}, ("domain", "product", "identity", "run")),
}
_LISTS = ("checks", "levels", "ports")
_SCATTERED = "measurements"

#: Names of a table's keys, in the order of its columns, and those of them that are JSON.
_LAYOUT = {
    name: (tuple(table.fields), tuple(key for key, kind in table.fields.items() if kind == "json"))
    for name, table in TABLES.items()
}
_position = itemgetter(list(_PLACE).index("position"))

Row = dict[str, Any]
Values = tuple[Any, ...]


def column_of(name: str) -> str:
    """Return the column of a key: `product` is taken by the product's folder."""
    return "urn" if name == "product" else name


def rows_of(record: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the rows of a record by table, columns that are empty left out; the one row of `runs` is always there.

    Which lists the record has, stands in the `marks` of its row, so that an empty list is no missing one.
    """
    rest, rows, marks = dict(record), {}, []
    for name in _LISTS:
        items = rest.get(name)
        if isinstance(items, list) and all(isinstance(item, dict) for item in items):
            del rest[name]
            marks.append(f"{name}=list")
            fields = TABLES[name].fields
            rows[name] = [_row(item, fields, place) for place, item in enumerate(items)]
    figures = rest.get(_SCATTERED)
    if isinstance(figures, dict) and all(_fits(k, "text") and _fits(v, "number") for k, v in figures.items()):
        del rest[_SCATTERED]
        marks.append(f"{_SCATTERED}=map")
        fields = TABLES[_SCATTERED].fields
        rows[_SCATTERED] = [_row({"identity": k, "value": v}, fields, None) for k, v in figures.items()]
    rows["runs"] = [_row(rest, TABLES["runs"].fields, None, marks)]
    return rows


def record_of(rows: Mapping[str, Sequence[Values]]) -> dict[str, Any]:
    """Return the record that has these rows, of whatever order: what `rows_of` took.

    A row is the values of all columns of its table, in their order.
    """
    (row,) = rows["runs"]
    lists = {name for name, value in _marks(row[-2] or "") if value in ("list", "map")}
    record = _item(row, "runs")
    for name in _LISTS:
        if name in lists:
            record[name] = [_item(values, name) for values in sorted(rows.get(name, ()), key=_position)]
    if _SCATTERED in lists:
        found = (_item(values, _SCATTERED) for values in rows.get(_SCATTERED, ()))
        record[_SCATTERED] = {item["identity"]: item["value"] for item in found}
    return record


def _row(
    item: Mapping[str, Any], fields: Mapping[str, str], place: int | None, marks: Iterable[str] = ()
) -> Row:
    row: Row = {} if place is None else {"position": place}
    noted, extra = list(marks), {}
    for name, value in item.items():
        kind = fields.get(name)
        if kind == "json":
            row[name] = json.dumps(value)
        elif kind is None:
            extra[name] = value
        elif value is None:
            noted.append(f"{name}=null")
        elif not _fits(value, kind):
            extra[name] = value
        else:
            if kind == "number" and type(value) is int:
                noted.append(f"{name}=int")
            row["urn" if name == "product" else name] = float(value) if kind == "number" else value
    if noted:
        row["marks"] = " ".join(sorted(noted))
    if extra:
        row["extra"] = json.dumps(extra)
    return row


def _fits(value: Any, kind: str) -> bool:
    """Say whether a column of a kind holds a value exactly."""
    if kind == "text":
        return type(value) is str and "\0" not in value and (value.isascii() or is_unicode(value))
    if type(value) is int:
        return -_LARGEST <= value <= _LARGEST if kind == "whole" else -_EXACT <= value <= _EXACT
    return type(value) is float and kind == "number"


def is_unicode(text: str) -> bool:
    """Say whether a text is whole: half of a pair of surrogates can stand in JSON, and in no column."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _item(values: Values, table: str) -> dict[str, Any]:
    names, as_json = _LAYOUT[table]
    own = values[len(_PLACE) : -2]
    item = {name: value for name, value in zip(names, own, strict=True) if value is not None}
    for name in as_json:
        if name in item:
            item[name] = json.loads(item[name])
    marks, extra = values[-2:]
    for name, value in _marks(marks) if marks else ():
        if value == "null":
            item[name] = None
        elif value == "int":
            item[name] = int(item[name])
    if extra:
        item.update(json.loads(extra))
    return item


@functools.lru_cache(maxsize=4096)
def _marks(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (mark.partition("=") for mark in text.split())
    return tuple((name, value) for name, _, value in pairs)
