"""What is bad after a run, as troubles: from the results of checks, and from reasons why a product was refused.

Takes results; gives a `Trouble` per thing that is bad. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from factory.incidents.values import Trouble
from factory.products import Product
from factory.quality import CheckResult, Outcome
from factory.workspace import Workspace

_ADVICE = {
    Outcome.WARN: "The data is published. Look at the rows, and mend their source or the rule.",
    Outcome.FAIL: "What was published before stays. Mend the data at its source or the model, then build again.",
    Outcome.ERROR: "The check itself is broken, so nothing is known of the data. Mend the check, then build again.",
    Outcome.NOT_RUN: "Nothing is known of the data. See why the check could not run, then build again.",
}


def check_key(result: CheckResult) -> str:
    """Return what an incident of a check is known by, run after run."""
    return f"check:{result.rule.key}"


def troubles_of_checks(
    ws: Workspace,
    product: Product,
    results: Iterable[CheckResult],
    last_good: Mapping[str, datetime] | None = None,
) -> tuple[Trouble, ...]:
    """Return a trouble per check that is not a pass; one that could not run is an error.

    Args:
        ws, product: whose checks.
        results: how they went.
        last_good: when each was last a pass, by the rule's key; may be left out.

    """
    known = last_good or {}
    return tuple(
        Trouble(
            key=check_key(result),
            kind="check",
            domain=product.domain,
            product=product.name,
            severity="error" if result.refuses else "warning",
            subject=_subject(result),
            reason=result.reason,
            contract=result.contract,
            table=result.rule.table,
            column=result.rule.column,
            measured=_measured(result),
            promised=result.threshold,
            guidance=_ADVICE[result.outcome],
            file=ws.relative(result.rule.file),
            line=result.rule.line,
            last_good=known.get(result.rule.key),
        )
        for result in results
        if result.outcome is not Outcome.PASS
    )


def refusal(
    product: Product, what: str, reasons: Iterable[str], last_good: datetime | None = None
) -> Trouble:
    """Return the trouble of a product that was refused for something else than a check.

    Args:
        product: which.
        what: one word for it, such as `build`; the incident's key is `run:<what>`.
        reasons: why, as the run tells it.
        last_good: when it was last not refused for that, or None.

    """
    return Trouble(
        key=f"run:{what}",
        kind="run",
        domain=product.domain,
        product=product.name,
        severity="error",
        subject=f"the {what} of {product.name} is refused",
        reason="; ".join(reasons),
        guidance="What was published before stays. Mend what the reason names, then build again.",
        last_good=last_good,
    )


def _subject(result: CheckResult) -> str:
    holds_not = result.outcome in (Outcome.WARN, Outcome.FAIL)
    return f"{result.rule.name}: {'does not hold' if holds_not else 'could not run'}"


def _measured(result: CheckResult) -> str:
    parts = [] if result.measured is None else [f"{result.measured:g}"]
    if result.failed_rows:
        of = f" of {result.checked_rows}" if result.checked_rows else ""
        parts.append(f"{result.failed_rows}{of} rows at fault")
    return ", ".join(parts)
