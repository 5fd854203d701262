"""That columns are tied to what they mean elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity
from factory.odcs.coverage import coverage_of


def linked(evidence: Evidence) -> Iterator[Finding]:
    """As many columns of a contract as the workspace asks for have an authoritative definition.

    The setting `linked_percent` says how many, in percent; nothing is asked for by default.
    """
    wanted = evidence.linked_percent
    for contract in evidence.contracts:
        found = coverage_of(contract.data)
        if found.linked < wanted:
            message = (
                f"{contract.name}: {found.linked:g} % of {found.fields} columns have an authoritative definition, "
                f"the workspace asks for {wanted} %"
            )
            place = evidence.place(f"contracts/{contract.promise.document.path.name}")
            hint = "add authoritativeDefinitions to columns, in the contract or in dbt's meta"
            yield Finding("linked", Severity.BLOCKS, message, place, hint)
