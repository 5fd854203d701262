"""That the contract says what the database has."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity
from factory.odcs.lint import contract_faults


def consistent(evidence: Evidence) -> Iterator[Finding]:
    """What a contract says by hand agrees with the database, and lint finds no error in the whole contract."""
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
        for fault in contract_faults(contract.data):
            if fault.severity == "error":
                place = evidence.place(f"contracts/{contract.promise.document.path.name}")
                message = f"the contract is at fault: {fault.message} [{fault.code}]"
                yield Finding("consistent", Severity.BLOCKS, message, place, fault.hint)
