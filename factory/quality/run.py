"""Run a product's checks over the tables that dbt built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from factory.artifacts import Artifacts
from factory.contract import Rule
from factory.data_tests import DataTest
from factory.products import Product
from factory.quality.odcs import run_rules
from factory.quality.results import CheckResult, Outcome
from factory.tables import opened
from factory.umbrella import is_embedded
from factory.workspace import Workspace

_DBT_OUTCOMES = {
    "pass": Outcome.PASS,
    "success": Outcome.PASS,
    "warn": Outcome.WARN,
    "fail": Outcome.FAIL,
    "error": Outcome.ERROR,
    "runtime error": Outcome.ERROR,
}


def run_checks(
    product: Product, rules: Iterable[Rule], artifacts: Artifacts, files: Mapping[str, Path], ws: Workspace
) -> tuple[CheckResult, ...]:
    """Return a result for every rule of a product, in the order of the rules.

    `files` are the DuckDB files of the product and of those it reads (see `tables.opened`).

    Raises:
        QualityError: the product's DuckDB file cannot be opened, or Soda itself is broken.

    """
    # Text for people is part of the contract and no check: it can neither hold nor fail.
    rules = tuple(rule for rule in rules if rule.definition_type != "text")
    results: dict[str, CheckResult] = _from_dbt(rules, artifacts)
    others = [rule for rule in rules if rule.origin != "dbt"]
    sodacl = sorted((product.folder / "checks").glob("*.y*ml"))
    if not is_embedded(ws):
        reason = f"SodaCL and ODCS rules run on the embedded DuckDB only, not on the target {ws.target}"
        results |= {rule.key: CheckResult(rule, Outcome.NOT_RUN, reason=reason) for rule in others}
    elif others or sodacl:
        with opened(ws, product.name, files) as connection:
            own = [rule for rule in others if rule.origin in ("odcs", "contract")]
            results |= {result.rule.key: result for result in run_rules(own, connection)}
            if sodacl:
                from factory.quality.soda import run_sodacl

                soda = [rule for rule in others if rule.origin == "soda"]
                for result in run_sodacl(sodacl, soda, product, connection):
                    results[result.rule.key] = result
    extra = [result for key, result in results.items() if all(rule.key != key for rule in rules)]
    return (*(results[rule.key] for rule in rules if rule.key in results), *extra)


def _from_dbt(rules: Iterable[Rule], artifacts: Artifacts) -> dict[str, CheckResult]:
    tests: Mapping[str, DataTest] = {test.unique_id: test for test in artifacts.tests}
    results = {}
    for rule in rules:
        if rule.origin != "dbt":
            continue
        test = tests[rule.key]
        outcome = _DBT_OUTCOMES.get(test.status, Outcome.NOT_RUN)
        reason = ""
        if outcome is Outcome.NOT_RUN:
            reason = (
                "dbt skipped it, because what it reads was not built"
                if test.status == "skipped"
                else test.status
            )
        elif outcome is not Outcome.PASS:
            reason = " ".join(test.message.split())[:300]
        results[rule.key] = CheckResult(
            rule,
            outcome,
            failed_rows=test.failures,
            measured=test.failures,
            reason=reason,
            seconds=test.seconds,
        )
    return results
