"""Compare two contracts: what changed, and which version the change asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from factory.odcs.compare.bounds import SAME
from factory.odcs.compare.change import SEVERITIES, Change, severity_of
from factory.odcs.compare.columns import compare_custom, compare_fields, compare_tables
from factory.odcs.compare.levels import compare_levels, compare_servers
from factory.odcs.compare.normal import normal, renamed, unordered
from factory.odcs.compare.notebook import GONE, RENAMED, Notebook
from factory.odcs.compare.pairs import new_names
from factory.odcs.compare.versions import bumped, is_enough


@dataclass(frozen=True, slots=True)
class Difference:
    """What lies between two contracts.

    Attributes:
        changes: the gravest first.
        old_version, new_version: as the contracts say; empty where they do not.
        suggested_version: the smallest version that says how much changed; empty if the old one is no version.
        sufficient: the new version says at least as much.
    """

    changes: tuple[Change, ...]
    old_version: str
    new_version: str
    suggested_version: str
    sufficient: bool

    @property
    def severity(self) -> str:
        """The gravest severity among the changes, or `none`."""
        return severity_of(self.changes)


def compare(
    old: Mapping[str, Any], new: Mapping[str, Any], severities: Mapping[str, str] | None = None
) -> tuple[Change, ...]:
    """Return what changed from one contract to another, the gravest first; the version itself is not looked at.

    Args:
        old, new: documents of ODCS 3.0 to 3.2. The order of keys and of lists does not count.
        severities: severities that a workspace sets otherwise, by the name of the rule (see `RULES`).

    """
    book = Notebook(severities or {})
    one, other = normal(old), normal(new)
    one = renamed(one, new_names(one.get("schema"), other.get("schema")))
    _root(one, other, book)
    compare_servers(one.get("servers"), other.get("servers"), book)
    compare_tables(one.get("schema"), other.get("schema"), book)
    compare_levels(one.get("slaProperties"), other.get("slaProperties"), book)
    compare_custom("", one, other, book)
    if not book.changes:
        for path, before, after in _forms(old, new):
            book.note(path, "form-changed", before, after, kind="changed")
    return tuple(sorted(book.changes, key=lambda c: (-SEVERITIES.index(c.severity), c.path, c.kind)))


_ELSEWHERE = {
    "version",
    "apiVersion",
    "servers",
    "schema",
    "slaProperties",
    "customProperties",
    "id",
    "status",
}


def _root(old: Mapping[str, Any], new: Mapping[str, Any], book: Notebook) -> None:
    if old.get("id") != new.get("id"):
        book.note("id", "id-changed", old.get("id"), new.get("id"), RENAMED, kind="changed")
    if unordered(old.get("status")) != unordered(new.get("status")):
        sides = GONE if str(new.get("status")) == "retired" else SAME
        book.note("status", "information-changed", old.get("status"), new.get("status"), sides)
    compare_fields("", old, new, _ELSEWHERE, book)


def _forms(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield what says the same in another form of the standard."""
    if old.get("apiVersion") != new.get("apiVersion"):
        yield "apiVersion", old.get("apiVersion"), new.get("apiVersion")
    kinds = [type(data.get("team")) for data in (old, new)]
    if kinds[0] is not kinds[1]:
        before, after = ("a list" if kind is list else "a mapping" for kind in kinds)
        yield "team", before, after
    if ("slaDefaultElement" in old) != ("slaDefaultElement" in new):
        yield "slaDefaultElement", old.get("slaDefaultElement"), new.get("slaDefaultElement")


def difference(
    old: Mapping[str, Any], new: Mapping[str, Any], severities: Mapping[str, str] | None = None
) -> Difference:
    """Return the changes between two contracts with the version that they ask for."""
    changes = compare(old, new, severities)
    before, after = (str(data.get("version") or "") for data in (old, new))
    severity = severity_of(changes)
    try:
        suggested = bumped(before, severity)
    except ValueError:
        suggested = ""
    return Difference(changes, before, after, suggested, is_enough(before, after, severity))
