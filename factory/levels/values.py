"""A service level as it was measured: target, measurement and verdict, each for itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Verdict(enum.StrEnum):
    """What a measurement says of a target. Only `met` is good."""

    MET = "met"
    BREACHED = "breached"
    NOT_MEASURED = "not measured"
    NO_TARGET = "no target"


@dataclass(frozen=True, slots=True)
class Level:
    """One service level of a contract.

    Attributes:
        contract: the contract, as `name/major`.
        property: the usual name of the service level.
        abbreviation: its element in the Data QoS table, or empty where the table has none.
        element: the tables and columns that it is about, as ODCS writes them; empty for the whole contract.
        target: what is promised (the objective), or None.
        unit: of the target, as the contract writes it.
        description: of the target, by the contract.
        measured: what was measured (the indicator), or None.
        measured_unit: of what was measured.
        verdict: met, breached, not measured or no target.
        reason: why, for people.
    """

    contract: str
    property: str
    abbreviation: str
    element: str
    target: float | str | None
    unit: str
    description: str
    measured: float | str | None
    measured_unit: str
    verdict: Verdict
    reason: str

    def values(self) -> dict[str, Any]:
        """Return it as a run record has it."""
        return {
            "contract": self.contract,
            "property": self.property,
            "abbreviation": self.abbreviation,
            "element": self.element,
            "target": self.target,
            "unit": self.unit,
            "description": self.description,
            "measured": self.measured,
            "measured_unit": self.measured_unit,
            "verdict": str(self.verdict),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What a measurement found: the verdict, what was measured and in which unit, and why."""

    verdict: Verdict
    measured: float | str | None
    unit: str
    reason: str


def found(holds: bool, measured: float | str, unit: str, reason: str) -> Finding:
    """Return a finding that was measured."""
    return Finding(Verdict.MET if holds else Verdict.BREACHED, measured, unit, reason)


def unmeasured(reason: str) -> Finding:
    """Return the finding that nothing could be measured, which is never good."""
    return Finding(Verdict.NOT_MEASURED, None, "", reason)
