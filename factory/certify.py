"""Stage 8, certify: weigh the findings.

Takes the evidence; gives a `Certificate`: certified, or refused with the findings that decided it.
"""

from __future__ import annotations

from dataclasses import dataclass

from factory.evidence import Evidence, Finding, Severity
from factory.policies import POLICIES


@dataclass(frozen=True, slots=True)
class Certificate:
    """The judgement on one product.

    Attributes:
        product: its name.
        findings: all of them, those that block first.
    """

    product: str
    findings: tuple[Finding, ...]

    @property
    def certified(self) -> bool:
        """Nothing blocks."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings that block."""
        return tuple(f for f in self.findings if f.severity is Severity.BLOCKS)

    @property
    def advice(self) -> tuple[Finding, ...]:
        """The findings that do not block."""
        return tuple(f for f in self.findings if f.severity is Severity.ADVISES)


def certify(evidence: Evidence) -> Certificate:
    """Judge a product against every policy."""
    findings = [finding for policy in POLICIES for finding in policy(evidence)]
    # A failed build or check explains what follows from it: the first causes are told first.
    findings.sort(key=lambda finding: finding.severity is not Severity.BLOCKS)
    return Certificate(evidence.product.name, tuple(dict.fromkeys(findings)))
