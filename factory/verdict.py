"""From the evidence and the certificate to the result that people read. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from factory.certify import Certificate
from factory.changes import Built
from factory.contract import product_version
from factory.errors import FactoryError
from factory.evidence import Evidence, Finding, Severity
from factory.products import Product
from factory.quality import Outcome
from factory.results import EXIT_INPUT, EXIT_REFUSED, Count, ProductOutcome, ProductResult


def judged(
    evidence: Evidence, certificate: Certificate, refusal: FactoryError | None = None
) -> ProductResult:
    """Return the result of a product that passed the line: certified, or refused with every reason."""
    product = evidence.product
    reasons = [finding.words() for finding in certificate.reasons]
    if refusal is not None:
        reasons.append(refusal.message + (f" ({refusal.hint})" if refusal.hint else ""))
    code = EXIT_REFUSED if reasons else 0
    if any(finding.input_fault for finding in certificate.reasons):
        code = EXIT_INPUT
    if refusal is not None:
        code = refusal.exit_code
    tests = [c for c in evidence.checks if c.rule.origin == "dbt"]
    checks = [c for c in evidence.checks if c.rule.origin != "dbt"]
    traces = [
        column
        for port in evidence.ports
        if port.unique_id in evidence.lineage.models
        for column in evidence.lineage.models[port.unique_id].columns
    ]
    return ProductResult(
        name=product.name,
        domain=product.domain,
        archetype=product.archetype,
        outcome=ProductOutcome.REFUSED if reasons else ProductOutcome.CERTIFIED,
        version=product_version(product, evidence.contracts),
        reasons=tuple(reasons),
        advice=tuple(finding.words() for finding in certificate.advice),
        tests=Count(sum(c.outcome is Outcome.PASS for c in tests), len(tests)),
        checks=Count(sum(c.outcome is Outcome.PASS for c in checks), len(checks)),
        columns=Count(sum(not trace.unknown for trace in traces), len(traces)),
        contracts=tuple(f"{contract.name} {contract.version}" for contract in evidence.contracts),
        seconds=sum(run.seconds for run in evidence.runs) + sum(c.seconds for c in tests),
        exit_code=code,
    )


def refused(product: Product, error: FactoryError, root: Path) -> ProductResult:
    """Return the result of a product whose checks could not be run at all."""
    place = error.place(root)
    words = (f"{place}: " if place else "") + error.message + (f" ({error.hint})" if error.hint else "")
    return ProductResult(
        name=product.name,
        domain=product.domain,
        archetype=product.archetype,
        outcome=ProductOutcome.REFUSED,
        version=product.version,
        reasons=(words,),
        exit_code=error.exit_code,
    )


def held_back(product: Product, findings: Iterable[Finding]) -> ProductResult:
    """Return the result of a product that is refused before it is built, with every reason and all advice."""
    findings = tuple(findings)
    blocking = [finding for finding in findings if finding.severity is Severity.BLOCKS]
    return ProductResult(
        name=product.name,
        domain=product.domain,
        archetype=product.archetype,
        outcome=ProductOutcome.REFUSED,
        version=product.version,
        reasons=tuple(finding.words() for finding in blocking),
        advice=tuple(finding.words() for finding in findings if finding not in blocking),
        exit_code=EXIT_INPUT if any(finding.input_fault for finding in blocking) else EXIT_REFUSED,
    )


def blocked(result: ProductResult, upstreams: Iterable[str]) -> ProductResult:
    """Return the result of a product that is not published because of what it reads."""
    names = ", ".join(upstreams)
    return replace(
        result,
        outcome=ProductOutcome.BLOCKED,
        reasons=(f"it reads {names}, which is not certified in this run",),
        advice=(),
        exit_code=EXIT_REFUSED,
    )


def paused(product: Product, reason: str) -> ProductResult:
    """Return the result of a product that its owner paused."""
    return ProductResult(
        name=product.name,
        domain=product.domain,
        archetype=product.archetype,
        outcome=ProductOutcome.PAUSED,
        version=product.version,
        advice=(f"it is paused: {reason} (build it again with: factory resume {product.name})",),
    )


def unchanged(product: Product, built: Built) -> ProductResult:
    """Return the result of a product that need not run."""
    return ProductResult(
        name=product.name,
        domain=product.domain,
        archetype=product.archetype,
        outcome=ProductOutcome.UNCHANGED,
        version=built.version,
        contracts=tuple(
            f"{key.rsplit('/', 1)[0]} {version}" for key, version in sorted(built.contracts.items())
        ),
    )
