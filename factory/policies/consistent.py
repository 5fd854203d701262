"""That the contract says what the database has."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity
from factory.standards import odcs_faults


def consistent(evidence: Evidence) -> Iterator[Finding]:
    """What a contract says by hand agrees with the database, and the whole is valid ODCS 3.2.0."""
    for contract in evidence.contracts:
        for conflict in contract.conflicts:
            yield Finding(
                "consistent",
                Severity.BLOCKS,
                conflict.message,
                conflict.place,
                conflict.hint,
                input_fault=False,
            )
        for fault in odcs_faults(contract.data):
            place = evidence.place(f"contracts/{contract.promise.document.path.name}")
            yield Finding(
                "consistent", Severity.BLOCKS, f"not valid ODCS: {fault.message}", place, fault.hint
            )
