"""Who answers for the product."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity


def owned(evidence: Evidence) -> Iterator[Finding]:
    """A product names its owner, its team, its cost center and where to ask for help."""
    product = evidence.product
    where = evidence.place(product.file.name)
    needed = (
        (product.owner, "no owner", "add a team member with role: dpo and no dateOut"),
        (product.team, "no team", "write team.name"),
        (product.cost_center, "no cost center", "add the custom property costCenter"),
        (product.descriptor.get("support"), "no support channel", "add an entry under support"),
    )
    for value, message, hint in needed:
        if not value:
            yield Finding("owned", Severity.BLOCKS, f"the product names {message}", where, hint)
