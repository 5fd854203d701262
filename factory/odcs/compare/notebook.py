"""Where the changes are written down while two contracts are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from factory.odcs.compare.bounds import SAME, Sides
from factory.odcs.compare.change import BREAKING, COMPATIBLE, RULES, Change


@dataclass
class Notebook:
    """The changes found so far.

    Attributes:
        severities: severities that a workspace sets otherwise, by rule.
        changes: what was found.
    """

    severities: Mapping[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def note(
        self,
        path: str,
        rule: str,
        old: Any,
        new: Any,
        sides: Sides = SAME,
        *,
        kind: str = "",
    ) -> None:
        """Write one change down."""
        severity, why = RULES[rule]
        severity = self.severities.get(rule, severity)
        kind = kind or ("added" if old is None else "removed" if new is None else "changed")
        words = f"{why}; {sides.words}" if sides.words and sides.words not in why else why
        self.changes.append(
            Change(path, kind, severity, old, new, rule, sides.consumer, sides.producer, words)
        )


GONE = Sides(BREAKING, COMPATIBLE, "")
NEW = Sides(COMPATIBLE, BREAKING, "")
RENAMED = Sides(BREAKING, BREAKING, "")


def at(prefix: str, *names: str) -> str:
    """Return a path: the names with dots between."""
    return ".".join(part for part in (prefix, *names) if part)
