"""That nothing of a merge is left open."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity


def settled(evidence: Evidence) -> Iterator[Finding]:
    """No file of a product holds the marks of a conflict, as an update from the template or git leaves them."""
    for file, line in evidence.conflicts:
        hint = "keep one of the two versions, and remove the marks"
        place = f"{evidence.place(file)}:{line}"
        yield Finding("settled", Severity.BLOCKS, "a conflict is not settled", place, hint, input_fault=True)
