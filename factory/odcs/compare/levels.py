"""What changed about service levels, by how long they are and not by their unit; and about servers."""

from __future__ import annotations

from typing import Any

from factory.odcs.compare.bounds import LOOSER, OTHER, SAME, TIGHTER, Sides
from factory.odcs.compare.columns import compare_custom
from factory.odcs.compare.normal import Values, by_key, mappings, said, unordered
from factory.odcs.compare.notebook import GONE, Notebook, at
from factory.odcs.lint.terms import UNITS, is_undefined, service_level

# What is better when it is larger, and what when it is smaller; dates count as their days.
_MORE = {"availability", "throughput", "retention", "endOfSupport", "endOfLife"}
_LESS = {
    "latency", "freshness", "frequency", "errorRate", "timeToDetect", "timeToNotify", "timeToRepair",
    "generalAvailability", "timeOfAvailability",
}  # fmt: skip


def compare_levels(old: Any, new: Any, book: Notebook) -> None:
    """Write down service levels that came, went or changed; the name and its short form are the same."""
    before, after = _levels(old), _levels(new)
    left = {key: level for key, level in before.items() if key not in after}
    right = {key: level for key, level in after.items() if key not in before}
    for key in sorted(set(before) & set(after)):
        _level(_path(key), key[0], before[key], after[key], book)
    for key in sorted(left):
        # The same level for another element is a change of it.
        moved = [other for other in right if other[0] == key[0]]
        if len(moved) == 1 == sum(other[0] == key[0] for other in left):
            level = right.pop(moved[0])
            book.note(
                _path(key), "service-level-changed", dict(left[key]), dict(level), OTHER, kind="changed"
            )
        else:
            book.note(_path(key), "service-level-removed", dict(left[key]), None, LOOSER)
    for key in sorted(right):
        book.note(_path(key), "service-level-added", None, dict(right[key]), TIGHTER)


def _levels(value: Any) -> dict[tuple[str, str], Values]:
    found: dict[tuple[str, str], Values] = {}
    for level in mappings(value):
        elements = sorted(part.strip() for part in str(level.get("element") or "").split(",") if part.strip())
        name, where = service_level(str(level.get("property") or "")), ",".join(elements)
        driver = str(level.get("driver") or "")
        if (name, where) in found and driver:
            where = f"{where}; {driver}".lstrip("; ")
        while (name, where) in found:
            where += "'"
        found[(name, where)] = level
    return found


def _path(key: tuple[str, str]) -> str:
    return at("slaProperties", key[0]) + (f"[{key[1]}]" if key[1] else "")


def _level(path: str, name: str, old: Values, new: Values, book: Notebook) -> None:
    before, after = amount(old), amount(new)
    if before != after:
        sides = _sides(name, before, after)
        book.note(path, "service-level-changed", _with_unit(old), _with_unit(new), sides)
    told = ("property", "value", "valueExt", "unit", "element")
    one, other = ({k: v for k, v in level.items() if k not in told} for level in (old, new))
    if unordered(one) != unordered(other):
        book.note(path, "information-changed", dict(old), dict(new))


def _with_unit(level: Values) -> str:
    return " ".join(str(level[key]) for key in ("value", "unit") if level.get(key) is not None)


def amount(level: Values) -> tuple[str, Any]:
    """Return how much a service level promises, comparable: seconds, a number of its own unit, or its text."""
    if is_undefined(dict(level)):
        return ("undefined", None)
    value, unit = level.get("value"), str(level.get("unit") or "").strip().lower()
    number = _number(value)
    rest = unordered(level.get("valueExt"))
    if number is not None and unit in UNITS and rest is None:
        return ("seconds", round(number * UNITS[unit], 3))
    if number is not None and rest is None:
        return ("%" if unit in ("", "%", "percent", "percentage") else unit, number)
    return ("text", [unordered(value), unit, rest])


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(str(value).strip().rstrip("%"))
    except ValueError:
        return None


def _sides(name: str, old: tuple[str, Any], new: tuple[str, Any]) -> Sides:
    if "undefined" in (old[0], new[0]):
        return TIGHTER if old[0] == "undefined" else LOOSER
    if old[0] != new[0]:
        return OTHER
    one, other = (side[1][0] if side[0] == "text" else side[1] for side in (old, new))
    if type(one) is not type(other) or not isinstance(one, float | str):
        return OTHER
    if name in _MORE:
        return TIGHTER if other > one else LOOSER
    if name in _LESS:
        return TIGHTER if other < one else LOOSER
    return OTHER


# Where a server stands is information; which data is read there is not.
_ADDRESS = {
    "host",
    "port",
    "endpointUrl",
    "account",
    "catalogUrl",
    "regionName",
    "region",
    "warehouse",
    "stagingDir",
}
_CONTENT = {
    "type", "format", "database", "schema", "catalog", "project", "dataset", "location", "path", "serviceName",
    "stream", "namespace", "delimiter", "encoding",
}  # fmt: skip


def compare_servers(old: Any, new: Any, book: Notebook) -> None:
    """Write down servers that came, went, moved or are of another type."""
    before, after = by_key(mappings(old), "server"), by_key(mappings(new), "server")
    for name in sorted({*before, *after}):
        here = at("servers", name)
        if name not in after:
            book.note(here, "server-removed", dict(before[name]), None, GONE)
        elif name not in before:
            book.note(here, "server-added", None, dict(after[name]))
        else:
            _server(here, before[name], after[name], book)


def _server(path: str, old: Values, new: Values, book: Notebook) -> None:
    for key in sorted({*old, *new} - {"customProperties"}):
        before, after = said(old, key), said(new, key)
        if unordered(before) == unordered(after):
            continue
        if key in _CONTENT:
            book.note(at(path, key), "server-changed", before, after, OTHER)
        elif key in _ADDRESS:
            book.note(at(path, key), "server-moved", before, after, SAME)
        else:
            book.note(at(path, key), "information-changed", before, after)
    compare_custom(path, old, new, book)
