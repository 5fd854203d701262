"""A change of a contract, and how grave each kind of change is.

The severities are those of table 5-1 of "Implementing Data Mesh" (Perrin, Broda; O'Reilly 2024) where it speaks: a
data type, a name or the removal is major, what is new or a revised quality rule is minor, information is a patch.
Where the table is silent, what can break a query or a join is major, what can change a result is minor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SEVERITIES = ("none", "patch", "minor", "major")
BREAKING, COMPATIBLE = "breaking", "compatible"

#: Every kind of change: its severity, and why it has it. A workspace may set another severity by this name.
RULES: dict[str, tuple[str, str]] = {
    "table-removed": ("major", "consumers of the table lose it"),
    "table-renamed": ("major", "queries name the table"),
    "column-removed": ("major", "consumers of the column lose it"),
    "column-renamed": ("major", "queries name the column"),
    "type-changed": ("major", "code that reads the column expects the old type"),
    "vector-reshaped": ("major", "vectors of another shape cannot be compared"),
    "nulls-allowed": ("major", "consumers rely on there being a value"),
    "unique-dropped": ("major", "joins on the column may multiply rows"),
    "key-changed": ("major", "the primary key says what a row is"),
    "id-changed": ("major", "the id is what consumers and references hold on to"),
    "table-added": ("minor", "something new, and nothing that was there changes"),
    "column-added": ("minor", "something new, and nothing that was there changes"),
    "nulls-refused": ("minor", "the promise is stronger than before"),
    "unique-added": ("minor", "the promise is stronger than before"),
    "logic-changed": ("minor", "the values are made in another way"),
    "values-changed": ("minor", "other values are permitted"),
    "options-changed": ("minor", "other values are permitted"),
    "rule-added": ("minor", "a quality rule is new"),
    "rule-revised": ("minor", "a quality rule checks something else"),
    "rule-removed": ("minor", "a quality rule is gone"),
    "relationship-added": ("minor", "a relationship is new"),
    "relationship-removed": ("minor", "a relationship is gone"),
    "service-level-added": ("minor", "a service level is new"),
    "service-level-changed": ("minor", "a service level has another value"),
    "service-level-removed": ("minor", "a service level is gone"),
    "server-added": ("minor", "the data can be read in another place too"),
    "server-changed": ("minor", "the data is read in another way"),
    "server-removed": ("minor", "the data cannot be read there any more"),
    "partition-changed": ("minor", "the table is laid out in another way"),
    "field-added": ("minor", "an optional field is new"),
    "field-removed": ("minor", "an optional field is gone"),
    "custom-property-added": ("minor", "a custom property is new"),
    "custom-property-removed": ("minor", "a custom property is gone"),
    "field-changed": ("patch", "information alone"),
    "custom-property-changed": ("patch", "information alone"),
    "information-changed": ("patch", "information alone"),
    "server-moved": ("patch", "the address of a server is information"),
    "rule-respelled": ("patch", "the quality rule checks the same as before"),
    "form-changed": ("patch", "the same, in another form of the standard"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two contracts.

    Attributes:
        path: where, such as `orders.amount.logicalType`.
        kind: added, removed, changed or renamed.
        severity: none, patch, minor or major.
        old, new: the values, or None.
        rule: which of `RULES` it is.
        consumer: `breaking` if what consumers rely on is loosened or gone, else `compatible`.
        producer: `breaking` if what was delivered until now may not be enough any more, else `compatible`.
        why: why it has its severity, and what it means for both sides.
    """

    path: str
    kind: str
    severity: str
    old: Any
    new: Any
    rule: str = "field-changed"
    consumer: str = COMPATIBLE
    producer: str = COMPATIBLE
    why: str = ""

    def words(self) -> str:
        """Return the change in one line for people."""
        note = ", breaks consumers" if self.consumer == BREAKING and self.severity != "major" else ""
        if self.kind == "renamed":
            return f"{self.path}: renamed to {self.new} ({self.severity}{note})"
        if self.kind == "changed":
            return f"{self.path}: {between(self.old, self.new)} ({self.severity}{note})"
        return f"{self.path} {self.kind} ({self.severity}{note})"


def between(old: Any, new: Any) -> str:
    """Return what became of a value, for people: of a mapping, only the keys that changed."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
        words = [f"{key} {between(old.get(key), new.get(key))}" for key in keys[:3]]
        return ", ".join(words) + (" and more" if len(keys) > 3 else "")
    return f"{shown(old)} became {shown(new)}"


def shown(value: Any) -> str:
    """Return a value for people, in at most sixty characters."""
    if isinstance(value, Mapping):
        name = next((value[key] for key in _NAMED_BY if value.get(key) is not None), None)
        if name is not None and len(value) > 1:
            return _clipped(str(name))
        return _clipped(", ".join(f"{key} {inner}" for key, inner in value.items()) or "nothing")
    if isinstance(value, list | tuple):
        return _clipped(", ".join(shown(item) for item in value) or "nothing")
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = " ".join(str(value).split())
    return _clipped(f"'{text}'" if isinstance(value, str) else text)


_NAMED_BY = ("name", "property", "username", "channel", "role", "server", "value")


def _clipped(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def severity_of(changes: Iterable[Change]) -> str:
    """Return the gravest severity among changes, or `none`."""
    return SEVERITIES[max((SEVERITIES.index(change.severity) for change in changes), default=0)]


def breaks_consumers(changes: Iterable[Change]) -> bool:
    """Say whether any change loosens what consumers rely on, whatever its severity."""
    return any(change.consumer == BREAKING for change in changes)
