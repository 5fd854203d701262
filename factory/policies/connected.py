"""Whether the product reads what it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity

_DERIVED = ("aggregate", "consumer-aligned")


def connected(evidence: Evidence) -> Iterator[Finding]:
    """An aggregate and a consumer-aligned product read output ports of other products."""
    if evidence.product.archetype in _DERIVED and not evidence.crossings:
        hint = "read the ports with ref('product', 'table') in place of what stands in for them; see `factory list`"
        message = "inputs not connected: the product reads no output port of another product"
        yield Finding("connected", Severity.ADVISES, message, evidence.folder, hint)
