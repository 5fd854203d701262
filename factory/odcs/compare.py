"""Compare two contracts: what changed, and which version the change asks for.

Takes two ODCS documents; gives the changes with their severity. The severities are those of the semantic
versioning table for data contracts: a change that takes something from consumers is major, one that adds or
revises is minor, one of information alone is a patch. The order of keys, columns, tables and rules is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SEVERITIES = ("none", "patch", "minor", "major")

# Fields whose change is more than information, by where they stand.
_MINOR_ROOT = {"slaProperties", "slaDefaultElement"}
_MAJOR_COLUMN = {"logicalType", "physicalType", "physicalName", "primaryKey", "primaryKeyPosition"}
_MINOR_COLUMN = {
    "transformLogic", "transformSourceObjects", "relationships", "quality", "enum", "logicalTypeOptions",
    "partitioned", "partitionKeyPosition",
}  # fmt: skip
# Values that say the same as nothing at all, by the standard's defaults.
_SAYS_NOTHING: dict[str, tuple[Any, ...]] = {
    "primaryKey": (False,),
    "primaryKeyPosition": (-1,),
    "partitioned": (False,),
    "partitionKeyPosition": (-1,),
    "criticalDataElement": (False,),
    "deprecated": (False,),
}
_MINOR_TABLE = {"quality", "relationships"}
_SPELLINGS = {
    "numeric": "decimal", "int": "integer", "int4": "integer", "int8": "bigint", "text": "varchar",
    "string": "varchar", "character varying": "varchar", "float8": "double", "double precision": "double",
    "bool": "boolean", "timestamptz": "timestamp with time zone",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contracts.

    Attributes:
        path: where, such as `orders.amount.logicalType`.
        kind: added, removed or changed.
        severity: patch, minor or major.
        old, new: the values, or None.
    """

    path: str
    kind: str
    severity: str
    old: Any
    new: Any

    def words(self) -> str:
        """Return the change in one line for people."""
        if self.kind == "changed":
            return f"{self.path}: {_short(self.old)} became {_short(self.new)} ({self.severity})"
        return f"{self.path} {self.kind} ({self.severity})"


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what changed from one contract to another, the gravest first; the version itself is not looked at."""
    changes = [
        *_root(old, new),
        *_items("", "table", old.get("schema") or (), new.get("schema") or (), _table),
    ]
    return tuple(sorted(changes, key=lambda c: (-SEVERITIES.index(c.severity), c.path, c.kind)))


def severity_of(changes: Iterable[Change]) -> str:
    """Return the gravest severity among changes, or `none`."""
    return SEVERITIES[max((SEVERITIES.index(change.severity) for change in changes), default=0)]


def bumped(version: str, severity: str) -> str:
    """Return the version that a change of the given severity asks for.

    >>> bumped("1.0.1", "patch"), bumped("1.0.2", "minor"), bumped("1.1.0", "major")
    ('1.0.2', '1.1.0', '2.0.0')
    """
    major, minor, patch = version_key(version)
    if severity == "major":
        return f"{major + 1}.0.0"
    if severity == "minor":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if severity == "patch" else version


def version_key(version: str) -> tuple[int, int, int]:
    """Return a version's three numbers, for comparing."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def is_enough(old: str, new: str, severity: str) -> bool:
    """Say whether the step from one version to another is as large as the change asks for."""
    return version_key(new) >= version_key(bumped(old, severity)) and version_key(new) > version_key(old)


def _root(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*old, *new} - {"version", "schema", "servers", "customProperties", "apiVersion"}):
        yield from _field("", key, old.get(key), new.get(key), "minor" if key in _MINOR_ROOT else "patch")
    yield from _named("servers", "server", old.get("servers"), new.get("servers"), "minor", "minor", "patch")
    yield from _custom("", old, new)


def _custom(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    path = f"{prefix}.customProperties" if prefix else "customProperties"
    yield from _named(
        path, "property", old.get("customProperties"), new.get("customProperties"), "minor", "minor", "patch"
    )


def _named(
    path: str, key: str, old: Any, new: Any, removed: str, added: str, changed: str
) -> Iterator[Change]:
    """Compare two lists whose items have a name."""
    before = {str(item.get(key)): item for item in old or ()}
    after = {str(item.get(key)): item for item in new or ()}
    for name in sorted({*before, *after}):
        if name not in after:
            yield Change(f"{path}.{name}", "removed", removed, before[name], None)
        elif name not in before:
            yield Change(f"{path}.{name}", "added", added, None, after[name])
        elif before[name] != after[name]:
            yield Change(f"{path}.{name}", "changed", changed, before[name], after[name])


def _items(prefix: str, what: str, old: Any, new: Any, inside: Any) -> Iterator[Change]:
    """Compare tables or columns by name: one that went is major, one that came is minor."""
    before = {item["name"]: item for item in old}
    after = {item["name"]: item for item in new}
    for name in sorted({*before, *after}):
        path = f"{prefix}.{name}" if prefix else name
        if name not in after:
            yield Change(path, "removed", "major", what, None)
        elif name not in before:
            yield Change(path, "added", "minor", None, what)
        else:
            yield from inside(path, before[name], after[name])


def _table(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*old, *new} - {"name", "properties", "customProperties"}):
        severity = "minor" if key in _MINOR_TABLE else "major" if key == "physicalName" else "patch"
        yield from _field(path, key, old.get(key), new.get(key), severity)
    yield from _custom(path, old, new)
    yield from _items(path, "column", old.get("properties") or (), new.get("properties") or (), _column)


def _column(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted(
        {*old, *new} - {"name", "customProperties", "properties", "items", "map", "required", "unique"}
    ):
        before, after = old.get(key), new.get(key)
        if key == "physicalType":
            before, after = spelled(before), spelled(after)
        elif key in _SAYS_NOTHING:
            before, after = (None if value in _SAYS_NOTHING[key] else value for value in (before, after))
        severity = "major" if key in _MAJOR_COLUMN else "minor" if key in _MINOR_COLUMN else "patch"
        yield from _field(path, key, before, after, severity)
    for key, lost, gained in (("required", "major", "minor"), ("unique", "major", "minor")):
        if bool(old.get(key)) != bool(new.get(key)):
            severity = lost if old.get(key) else gained
            yield Change(f"{path}.{key}", "changed", severity, bool(old.get(key)), bool(new.get(key)))
    for key in ("items", "map"):
        yield from _nested(f"{path}.{key}", old.get(key), new.get(key))
    yield from _items(path, "column", old.get("properties") or (), new.get("properties") or (), _column)
    yield from _custom(path, old, new)


def _nested(path: str, old: Any, new: Any) -> Iterator[Change]:
    """Compare the element of a list, or key and value of a map: columns without a name."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        yield from _field("", path, old, new, "major")
    elif "key" in old and "key" in new:
        for part in ("key", "value"):
            yield from _nested(f"{path}.{part}", old.get(part), new.get(part))
    else:
        yield from _column(path, old, new)


def _field(prefix: str, key: str, old: Any, new: Any, severity: str) -> Iterator[Change]:
    if _unordered(old) == _unordered(new):
        return
    path = f"{prefix}.{key}" if prefix else key
    kind = "added" if old is None else "removed" if new is None else "changed"
    yield Change(path, kind, severity, old, new)


def spelled(physical: Any) -> str | None:
    """Return a type in one spelling, so that `DECIMAL(18,2)` and `numeric(18, 2)` are the same."""
    if physical is None:
        return None
    text = re.sub(r"\s*([(),\[\]])\s*", r"\1", " ".join(str(physical).lower().split()))
    head, bracket, rest = re.fullmatch(r"([^(\[]*)([(\[]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    return _SPELLINGS.get(head.strip(), head.strip()) + bracket + rest


def _unordered(value: Any) -> Any:
    """Return a value in which the order of lists no longer counts."""
    if isinstance(value, Mapping):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return sorted((_unordered(item) for item in value), key=_sortable)
    return value


def _sortable(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
