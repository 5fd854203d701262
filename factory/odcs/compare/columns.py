"""What changed about tables and columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from factory.odcs.compare.bounds import SAME, TIGHTER, option_sides, type_sides, value_sides
from factory.odcs.compare.normal import (
    Values,
    custom,
    mappings,
    said,
    sortable,
    spelled,
    sql_spelled,
    unordered,
)
from factory.odcs.compare.notebook import GONE, NEW, RENAMED, Notebook, at
from factory.odcs.compare.pairs import pairs
from factory.odcs.compare.rules import compare_rules

# Fields of which every change is information: patch.
INFORMATION = {
    "description", "businessName", "tags", "authoritativeDefinitions", "examples", "synonyms",
    "dataGranularityDescription",
    "transformDescription", "name", "domain", "dataProduct", "status", "support", "price", "roles", "team",
    "contractCreatedTs", "kind",
}  # fmt: skip
_VECTOR = {"dimensions", "elementType"}


def compare_tables(old: Any, new: Any, book: Notebook) -> None:
    """Write down what changed about the tables of two contracts."""
    for before, after in pairs(old, new):
        name = _name(before if before is not None else after)
        if after is None:
            book.note(name, "table-removed", "table", None, GONE)
        elif before is None:
            book.note(name, "table-added", None, "table", NEW)
        else:
            if _name(before) != _name(after):
                book.note(name, "table-renamed", _name(before), _name(after), RENAMED, kind="renamed")
            _table(name, before, after, book)


def _name(item: Values | None) -> str:
    return str((item or {}).get("name") or "")


def _table(path: str, old: Values, new: Values, book: Notebook) -> None:
    _physical_name(path, "table-renamed", old, new, book)
    if spelled(said(old, "physicalType")) != spelled(said(new, "physicalType")):
        book.note(at(path, "physicalType"), "field-changed", old.get("physicalType"), new.get("physicalType"))
    _key(path, old, new, book)
    compare_relationships(path, old, new, book)
    compare_rules(path, old, new, book)
    compare_custom(path, old, new, book)
    skipped = {
        "name",
        "physicalName",
        "physicalType",
        "properties",
        "relationships",
        "quality",
        "customProperties",
    }
    compare_fields(path, old, new, skipped, book)
    compare_columns(path, old.get("properties"), new.get("properties"), book)


def _physical_name(path: str, rule: str, old: Values, new: Values, book: Notebook) -> None:
    """Write down another name in the store; one that is not given is that of the item itself."""
    before, after = (str(item.get("physicalName") or _name(item)) for item in (old, new))
    renamed_alike = before == _name(old) and after == _name(new)
    if before != after and not renamed_alike:
        book.note(at(path, "physicalName"), rule, before, after, RENAMED, kind="changed")


def _key(path: str, old: Values, new: Values, book: Notebook) -> None:
    """Write down another primary key, once for the table: which columns, in which order."""
    before, after = _key_of(old), _key_of(new)
    if len(before) == len(after):
        # A renamed column is told as such.
        renamed = {
            _name(a): _name(b) for a, b in pairs(old.get("properties"), new.get("properties")) if a and b
        }
        before = [renamed.get(name, name) for name in before]
    if before == after:
        return
    sides = NEW if not before else RENAMED
    gone = next((name for name in before if name not in after), "")
    came = next((name for name in after if name not in before), "")
    column = gone or came or after[0]
    book.note(
        at(path, column, "primaryKey"), "key-changed", before or None, after or None, sides, kind="changed"
    )


def _key_of(table: Values) -> list[str]:
    members = [c for c in mappings(table.get("properties")) if c.get("primaryKey") is True]
    places = {_name(c): c.get("primaryKeyPosition") for c in members}
    placed = all(isinstance(place, int) and place > 0 for place in places.values())
    return sorted(places, key=lambda name: (int(places[name] or 0) if placed else 0, name))


def compare_columns(path: str, old: Any, new: Any, book: Notebook) -> None:
    """Write down what changed about columns at one level."""
    for before, after in pairs(old, new):
        here = at(path, _name(before if before is not None else after))
        if after is None:
            book.note(here, "column-removed", "column", None, GONE)
        elif before is None:
            book.note(here, "column-added", None, "column", NEW)
        else:
            if _name(before) != _name(after):
                book.note(here, "column-renamed", _name(before), _name(after), RENAMED, kind="renamed")
            _column(here, before, after, book)


_OWN = {
    "name", "physicalName", "logicalType", "physicalType", "logicalTypeOptions", "required", "unique", "primaryKey",
    "primaryKeyPosition", "partitioned", "partitionKeyPosition", "transformLogic", "transformSourceObjects", "enum",
    "relationships", "quality", "customProperties", "properties", "items", "map",
}  # fmt: skip


def _column(path: str, old: Values, new: Values, book: Notebook) -> None:
    _physical_name(path, "column-renamed", old, new, book)
    _types(path, old, new, book)
    _options(path, old, new, book)
    for key, lost, gained in (
        ("required", "nulls-allowed", "nulls-refused"),
        ("unique", "unique-dropped", "unique-added"),
    ):
        before, after = bool(old.get(key)), bool(new.get(key))
        if before != after:
            sides = GONE if before else TIGHTER
            book.note(at(path, key), lost if before else gained, before, after, sides, kind="changed")
    for key in ("partitioned", "partitionKeyPosition"):
        _plain(at(path, key), said(old, key), said(new, key), "partition-changed", book)
    before, after = (said(side, "transformLogic") for side in (old, new))
    if sql_spelled(str(before or "")) != sql_spelled(str(after or "")):
        book.note(at(path, "transformLogic"), "logic-changed", before, after)
    objects = "transformSourceObjects"
    _plain(at(path, objects), said(old, objects), said(new, objects), "logic-changed", book)
    _enum(path, old, new, book)
    compare_relationships(path, old, new, book)
    compare_rules(path, old, new, book)
    compare_custom(path, old, new, book)
    compare_fields(path, old, new, _OWN, book)
    _inside(path, old, new, book)


def _plain(path: str, old: Any, new: Any, rule: str, book: Notebook) -> None:
    if unordered(old) != unordered(new):
        book.note(path, rule, old, new)


def _types(path: str, old: Values, new: Values, book: Notebook) -> None:
    for key in ("logicalType", "physicalType"):
        before, after = spelled(said(old, key)), spelled(said(new, key))
        if before == after:
            continue
        if before is None:
            book.note(at(path, key), "field-added", None, new.get(key))
        else:
            sides = type_sides(before, after)
            book.note(at(path, key), "type-changed", old.get(key), new.get(key), sides)


def _options(path: str, old: Values, new: Values, book: Notebook) -> None:
    before = said(old, "logicalTypeOptions") or {}
    after = said(new, "logicalTypeOptions") or {}
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    vector = "vector" in (old.get("logicalType"), new.get("logicalType"))
    for key in sorted({*before, *after}):
        one, other = (_option(key, side) for side in (before, after))
        if unordered(one) == unordered(other):
            continue
        here = at(path, "logicalTypeOptions", key)
        if vector and key in _VECTOR:
            book.note(here, "vector-reshaped", one, other, RENAMED, kind="changed")
        else:
            book.note(here, "options-changed", one, other, option_sides(key, one, other))


_OPTION_DEFAULTS = {
    "elementType": "float32",
    "timezone": False,
    "minProperties": 0,
    "minItems": 0,
    "minLength": 0,
    "defaultTimezone": "Etc/UTC",
}


def _option(key: str, values: Values) -> Any:
    value = said(values, key)
    return None if value == _OPTION_DEFAULTS.get(key, ...) else value


def _enum(path: str, old: Values, new: Values, book: Notebook) -> None:
    before, after = mappings(old.get("enum")), mappings(new.get("enum"))
    one, other = ({sortable(entry.get("value")): entry for entry in side} for side in (before, after))
    if set(one) != set(other):
        sides = TIGHTER if not one else GONE if not other else value_sides(set(one), set(other))
        values = [entry.get("value") for entry in before], [entry.get("value") for entry in after]
        book.note(at(path, "enum"), "values-changed", values[0] or None, values[1] or None, sides)
    for key in sorted(set(one) & set(other)):
        if unordered(one[key]) != unordered(other[key]):
            value = str(one[key].get("value"))
            book.note(at(path, "enum", value), "information-changed", dict(one[key]), dict(other[key]))


def compare_relationships(path: str, old: Values, new: Values, book: Notebook) -> None:
    """Write down relationships that came and went; what is only told otherwise is information."""
    before, after = (
        {_ends(item): item for item in mappings(side.get("relationships"))} for side in (old, new)
    )
    for ends in sorted({*before, *after}):
        here = at(path, "relationships", ends)
        if ends not in after:
            book.note(here, "relationship-removed", dict(before[ends]), None, GONE)
        elif ends not in before:
            book.note(here, "relationship-added", None, dict(after[ends]), TIGHTER)
        elif unordered({"type": "foreignKey", **before[ends]}) != unordered(
            {"type": "foreignKey", **after[ends]}
        ):
            book.note(here, "information-changed", dict(before[ends]), dict(after[ends]))


def _ends(item: Values) -> str:
    ends = [item.get("from"), item.get("to")]
    words = [",".join(map(str, end)) if isinstance(end, list) else str(end) for end in ends if end]
    kind = str(item.get("type") or "foreignKey")
    return " to ".join(words) + ("" if kind == "foreignKey" else f" ({kind})")


def compare_custom(path: str, old: Values, new: Values, book: Notebook) -> None:
    """Write down custom properties that came, went or have another value."""
    before, after = custom(old), custom(new)
    for name in sorted({*before, *after}):
        here = at(path, "customProperties", name)
        if name not in after:
            book.note(here, "custom-property-removed", before[name], None, kind="removed")
        elif name not in before:
            book.note(here, "custom-property-added", None, after[name], kind="added")
        elif unordered(before[name]) != unordered(after[name]):
            book.note(here, "custom-property-changed", before[name], after[name], kind="changed")
    one, other = (_about_custom(side) for side in (old, new))
    for name in sorted(set(one) & set(other)):
        if unordered(one[name]) != unordered(other[name]):
            book.note(at(path, "customProperties", name), "information-changed", one[name], other[name])


def _about_custom(values: Values) -> dict[str, dict[str, Any]]:
    """Return what is said of custom properties beside their values."""
    return {
        str(entry.get("property")): {key: value for key, value in entry.items() if key != "value"}
        for entry in mappings(values.get("customProperties"))
    }


def compare_fields(path: str, old: Values, new: Values, skipped: Iterable[str], book: Notebook) -> None:
    """Write down what changed about the fields that nothing else looks at."""
    for key in sorted({*old, *new} - set(skipped)):
        before, after = said(old, key), said(new, key)
        if unordered(before, key) == unordered(after, key):
            continue
        if key == "id" or key in INFORMATION:
            book.note(at(path, key), "information-changed", before, after)
        else:
            rule = "field-added" if before is None else "field-removed" if after is None else "field-changed"
            book.note(at(path, key), rule, before, after)


def _inside(path: str, old: Values, new: Values, book: Notebook) -> None:
    """Compare the fields of an object, the entries of a list, key and value of a map."""
    compare_columns(path, old.get("properties"), new.get("properties"), book)
    parts: list[tuple[str, Any, Any]] = [("items", old.get("items"), new.get("items"))]
    one, other = (side.get("map") if isinstance(side.get("map"), dict) else {} for side in (old, new))
    parts += [(f"map.{end}", (one or {}).get(end), (other or {}).get(end)) for end in ("key", "value")]
    for name, before, after in parts:
        if isinstance(before, dict) and isinstance(after, dict):
            _column(at(path, name), before, after, book)
        elif isinstance(before, dict):
            book.note(
                at(path, name), "type-changed", before.get("logicalType"), None, RENAMED, kind="removed"
            )
        elif isinstance(after, dict):
            book.note(at(path, name), "field-added", None, after.get("logicalType"), SAME, kind="added")
