"""Whether what comes in is what the product declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from factory.drift import Drift
from factory.evidence import Evidence, Finding, Severity


def sourced(evidence: Evidence) -> Iterator[Finding]:
    """Every source and seed has the columns that are declared of it, under these names and of these types.

    A declared column that is gone, renamed or of another type, and a file that is not there, block before
    anything is built. A column that is not declared, another case, and text that is taken for numbers are advice.
    """
    yield from findings_of(evidence.drifts)


def findings_of(drifts: Iterable[Drift]) -> Iterator[Finding]:
    """Return drifts as findings: the build asks before it starts, when there is no evidence yet."""
    for drift in drifts:
        severity = Severity.BLOCKS if drift.blocks else Severity.ADVISES
        yield Finding("sourced", severity, drift.message, drift.place, drift.hint)
