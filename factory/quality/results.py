"""One result per rule, whatever ran it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from factory.contract import Rule


class Outcome(enum.StrEnum):
    """How a check went. Only `pass` is good; what could not run is never a pass."""

    PASS = "pass"  # noqa: S105  (a word, no password)
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    NOT_RUN = "not run"


_DID = {
    Outcome.PASS: "holds",
    Outcome.WARN: "warns",
    Outcome.FAIL: "failed",
    Outcome.ERROR: "is broken",
    Outcome.NOT_RUN: "did not run",
}
#: Why a check did not run whose tables were not built: it follows from that, and says nothing of its own.
NOT_BUILT = "what it reads was not built in this run"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule and how it went.

    Attributes:
        rule: what was checked.
        outcome: pass, warn, fail, error (the check itself is broken) or not run.
        measured: the value that was measured, or None.
        failed_rows: rows at fault, or None where the check does not count rows.
        reason: why it is not a pass, in one line.
        seconds: how long it took, 0 where it is not known; of a query that several checks share, its part.
        threshold: what was promised of the measured value, in words, such as `= 0`; empty where there is no value.
        checked_rows: rows that were looked at, or None where that is not known.
        contract: the contract that covers the table, as `name/major`, or empty.
        counts: False for what can by its nature be neither good nor bad here: text for people, and a comparison with
            an earlier measurement where there is none yet. It is no pass, and it refuses nothing.
    """

    rule: Rule
    outcome: Outcome
    measured: float | None = None
    failed_rows: int | None = None
    reason: str = ""
    seconds: float = 0.0
    threshold: str = ""
    checked_rows: int | None = None
    contract: str = ""
    counts: bool = True

    def words(self) -> str:
        """Return how it went, for people: which check, on what, and why it is not a pass."""
        rule = self.rule
        spot = ".".join(part for part in (rule.table, rule.column) if part)
        about = f" on {spot}" if spot and spot not in rule.name else ""
        reason = f": {self.reason}" if self.reason else ""
        if self.measured is not None and self.threshold and self.threshold not in f"{rule.name}{reason}":
            zones = ":" in self.threshold
            reason += f" ({self.threshold})" if zones else f", where {self.threshold} is promised"
        return f"{rule.origin} check {rule.name!r}{about} {_DID[self.outcome]}{reason}"

    @property
    def is_consequence(self) -> bool:
        """It did not run because what it reads was not built."""
        return self.outcome is Outcome.NOT_RUN and self.reason == NOT_BUILT

    @property
    def refuses(self) -> bool:
        """The product must not be published with this result."""
        if not self.counts or self.outcome in (Outcome.PASS, Outcome.WARN):
            return False
        return self.rule.severity == "error" or self.outcome in (Outcome.ERROR, Outcome.NOT_RUN)


_WORST_LAST = (Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.NOT_RUN, Outcome.ERROR)


def worst(results: Sequence[CheckResult]) -> CheckResult:
    """Return the worst of the results of one rule, with the time of all.

    What by its nature is neither good nor bad is worse than a pass and better than all else.
    """
    found = max(results, key=lambda r: _WORST_LAST.index(r.outcome) if r.counts else 0.5)
    return replace(found, seconds=sum(result.seconds for result in results))
