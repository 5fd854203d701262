"""What the product reads of others."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity


def bounded(evidence: Evidence) -> Iterator[Finding]:
    """A product reads nothing of another product but its output ports."""
    for crossing in evidence.crossings:
        if crossing.upstream_kind == "model" and crossing.upstream_access == "public":
            continue
        what = crossing.upstream_kind
        if what == "model":
            what = f"{crossing.upstream_access or 'non-public'} model"
        yield Finding(
            "bounded",
            Severity.BLOCKS,
            f"{crossing.name} reads the {what} {crossing.upstream_name} of {crossing.upstream}",
            evidence.place(crossing.file),
            f"read a public model of {crossing.upstream}, or ask its owner for one",
            input_fault=True,
        )
