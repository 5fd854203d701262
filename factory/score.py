"""The quality score: one figure from 0 to 100 for a table, a contract or a product, from its latest checks.

Takes check results as values (those of a run, or rows of a run record); gives a `Score`. Pure.

The formula. Each check earns a share of its weight: all of it if it passes, half if it is a check of severity error
that only warns (its warn zone), nothing otherwise. A check of severity error weighs 3, one of severity warning 1. The
score of a dimension is what its checks earned of what they weigh, in percent. The score of the whole is the mean of
the dimensions that were measured, each by its weight (1, unless the workspace sets `dimension_weights`). So a
hundred checks of one dimension cannot outweigh the one check of another.

A check that could not run earns nothing: what nobody could measure is not good. Text for people and a check that waits
for its first earlier measurement weigh nothing. Without a check that weighs anything there is no score, and that is
told as "not measured".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from factory.dimensions import DIMENSIONS

#: What a check weighs, by its severity.
WEIGHTS = {"error": 3.0, "warning": 1.0}
#: What a check earns of its weight, by its outcome, if its severity is error.
EARNED = {"pass": 1.0, "warn": 0.5}


@dataclass(frozen=True, slots=True)
class Loss:
    """A check that did not earn its whole weight.

    Attributes:
        name, table, column: the check, and what it speaks of.
        dimension: its dimension.
        outcome: warn, fail, error or not run.
        points: what the score would gain if the check passed.
        reason: why it did not pass.
        place: where the check is written: `file:line`, a file, or empty.
    """

    name: str
    table: str
    column: str
    dimension: str
    outcome: str
    points: float
    reason: str
    place: str


@dataclass(frozen=True, slots=True)
class Part:
    """The score of one dimension.

    Attributes:
        dimension: one of the seven.
        value: from 0 to 100, or None if no check measures it.
        weight: how much it counts among the dimensions.
        good, checks: how many checks pass, of how many.
    """

    dimension: str
    value: float | None
    weight: float
    good: int
    checks: int


@dataclass(frozen=True, slots=True)
class Score:
    """A quality score and how it came about.

    Attributes:
        value: from 0 to 100, or None if nothing was measured.
        parts: the seven dimensions, in the order of `DIMENSIONS`.
        losses: the checks that cost points, the dearest first.
    """

    value: float | None
    parts: tuple[Part, ...]
    losses: tuple[Loss, ...]

    @property
    def rounded(self) -> float | None:
        """The value with one digit, rounded down: 100 is perfect, and nothing less is."""
        return None if self.value is None else math.floor(self.value * 10 + 1e-9) / 10

    def words(self) -> str:
        """Return the score for people."""
        return "not measured" if self.rounded is None else f"{self.rounded:g}"


def score_of(checks: Iterable[Mapping[str, Any]], weights: Mapping[str, float] | None = None) -> Score:
    """Return the score of checks; `weights` are those of dimensions that do not weigh 1.

    Each check is a mapping with `dimension`, `severity` and `outcome`, as in a run record.
    """
    weights = weights or {}
    rows = [check for check in checks if weighs(check)]
    by_dimension = {
        name: [row for row in rows if row.get("dimension") == name]
        for name in DIMENSIONS
    }  # fmt: skip
    shares = {name: weights.get(name, 1.0) for name, found in by_dimension.items() if found}
    whole = sum(shares.values())
    parts, losses, value = [], [], 0.0
    for name, found in by_dimension.items():
        full = sum(_weight(row) for row in found)
        earned = sum(_weight(row) * _share(row) for row in found)
        score = 100 * earned / full if found else None
        parts.append(
            Part(
                name,
                score,
                weights.get(name, 1.0),
                sum(r.get("outcome") == "pass" for r in found),
                len(found),
            )
        )
        if score is None or not whole:
            continue
        value += score * shares[name] / whole
        losses += [
            _loss(row, 100 * _weight(row) * (1 - _share(row)) / full * shares[name] / whole)
            for row in found
            if _share(row) < 1
        ]
    losses.sort(key=lambda loss: (-loss.points, loss.table, loss.name))
    return Score(value if whole else None, tuple(parts), tuple(losses))


def scores_of(
    checks: Iterable[Mapping[str, Any]], weights: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return the scores of a product, its contracts and their tables, as a run record holds them.

    The product's is of all its checks, a contract's of those of its tables, a table's of its own. Internal tables have
    none of their own. A score that is not measured is None.
    """
    rows = list(checks)
    contracts = sorted({str(row["contract"]) for row in rows if row.get("contract")})
    tables = sorted({str(row["table"]) for row in rows if row.get("contract") and row.get("table")})
    return {
        "product": score_of(rows, weights).rounded,
        "contracts": {
            name: score_of((r for r in rows if r.get("contract") == name), weights).rounded
            for name in contracts
        },
        "tables": {
            name: score_of((r for r in rows if r.get("table") == name), weights).rounded for name in tables
        },
    }


def weighs(check: Mapping[str, Any]) -> bool:
    """Say whether a check counts: not text for people, nor a comparison with a past that is not there yet."""
    return bool(check.get("counts", True))


def _weight(check: Mapping[str, Any]) -> float:
    return WEIGHTS.get(str(check.get("severity")), WEIGHTS["error"])


def _share(check: Mapping[str, Any]) -> float:
    outcome = str(check.get("outcome"))
    if outcome == "warn" and check.get("severity") == "warning":
        return 0.0
    return EARNED.get(outcome, 0.0)


def _loss(check: Mapping[str, Any], points: float) -> Loss:
    line = check.get("line")
    place = str(check.get("file") or "") + (f":{line}" if line and check.get("file") else "")
    return Loss(
        name=str(check.get("name") or ""),
        table=str(check.get("table") or ""),
        column=str(check.get("column") or ""),
        dimension=str(check.get("dimension") or ""),
        outcome=str(check.get("outcome") or ""),
        points=points,
        reason=str(check.get("reason") or ""),
        place=place,
    )
