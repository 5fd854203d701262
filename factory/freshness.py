"""How fresh a product's sources are, as rules that dbt judges, and when what is fresh now will be stale.

Takes what `dbt source freshness` found; gives a `CheckResult` per source that is held to an age. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from factory.artifacts import Artifacts, Relation
from factory.build import SourceAge
from factory.contract import Rule
from factory.levels.durations import elapsed
from factory.products import Product
from factory.quality import CheckResult, Outcome

_OUTCOMES = {"pass": Outcome.PASS, "warn": Outcome.WARN, "error": Outcome.FAIL}


def freshness_results(
    product: Product, artifacts: Artifacts, ages: Mapping[str, SourceAge]
) -> tuple[CheckResult, ...]:
    """Return a result for each source of a product that dbt holds to an age (`freshness` in its YAML)."""
    relations = (r for r in artifacts.of(product.name) if r.kind == "source" and r.unique_id in ages)
    return tuple(_result(product, r, ages[r.unique_id]) for r in relations if _is_held(ages[r.unique_id]))


def _is_held(age: SourceAge) -> bool:
    return bool(age.limits) or age.status not in _OUTCOMES


def _result(product: Product, source: Relation, age: SourceAge) -> CheckResult:
    rule = Rule(
        key=f"freshness:{source.unique_id}",
        origin="dbt",
        product=product.name,
        table=source.identifier,
        column="",
        name=f"source {source.name} is fresh",
        kind="freshness",
        dimension="timeliness",
        severity="error" if "error_after" in age.limits or not age.limits else "warning",
        definition={"freshness": dict(age.limits)},
        description="",
        file=product.folder / source.file,
        line=0,
    )
    outcome = _OUTCOMES.get(age.status, Outcome.ERROR)
    threshold = ", ".join(
        f"{name.removesuffix('_after')}: > {elapsed(age.limits[name])}"
        for name in ("warn_after", "error_after")
        if name in age.limits
    )
    reason = ""
    if outcome is Outcome.ERROR:
        reason = f"dbt cannot find out how old it is: {age.message or age.status}"[:300]
    elif outcome is not Outcome.PASS and age.seconds is not None:
        reason = f"its newest row was loaded {elapsed(age.seconds)} ago, at {age.loaded_at}"
    return CheckResult(
        rule, outcome, measured=age.seconds, reason=reason, seconds=age.took, threshold=threshold
    )


def stale_at(ages: Iterable[SourceAge], checks: Iterable[CheckResult], now: datetime) -> datetime | None:
    """Return when the first of these limits is passed that is kept now, if nothing new is loaded.

    `ages` are those of dbt's sources, `checks` may hold SodaCL checks of freshness.
    """
    pairs = [(age.seconds, limit) for age in ages for limit in age.limits.values() if age.seconds is not None]
    for check in checks:
        if check.rule.origin == "soda" and check.rule.kind == "freshness" and check.measured is not None:
            pairs += [(check.measured, limit) for limit in _limits(check.threshold)]
    moments = [now + timedelta(seconds=limit - age) for age, limit in pairs if limit >= age]
    return min(moments, default=None)


_LIMIT = re.compile(r"(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")


def _limits(threshold: str) -> Iterator[float]:
    """Yield the ages, in seconds, that the threshold of a SodaCL check names: `< 1d12h`."""
    for found in _LIMIT.finditer(threshold):
        days, hours, minutes = (int(part or 0) for part in found.groups())
        if found[0]:
            yield float(86400 * days + 3600 * hours + 60 * minutes)
