"""The mark `deprecated` of a table or column, as dbt's `meta` has it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from factory.odcs.lint.people import day_of


def deprecated_in(meta: Mapping[str, Any]) -> tuple[bool, str]:
    """Return whether `meta` marks a column or table as deprecated, and the day that it names (ISO 8601), or empty."""
    value = meta.get("deprecated", False)
    day = None if isinstance(value, bool) else day_of(str(value))
    return bool(value), day.isoformat() if day is not None else ""


def mark_conflicts(
    name: str, hand: Mapping[str, Any], meta: Mapping[str, Any], marked: bool, file: str
) -> Iterator[tuple[str, str, str]]:
    """Yield a mark that the hand-kept contract denies, and one that says nothing: message, key, what to do."""
    if "deprecated" in hand and bool(hand["deprecated"]) != marked and (marked or "deprecated" in meta):
        message = (
            f"the contract says deprecated: {str(bool(hand['deprecated'])).lower()} for {name}, "
            f"dbt says {str(marked).lower()} ({file})"
        )
        yield message, "deprecated", "change one of the two"
    value = meta.get("deprecated", False)
    if not isinstance(value, bool) and day_of(str(value)) is None:
        message = f"deprecated: {value!r} of {name} is neither true nor a date ({file})"
        hint = "write `deprecated: true`, or the day from which it may be gone, such as 2027-01-31"
        yield message, "deprecated", hint
