"""Run a product's checks over the tables that dbt built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from factory.artifacts import Artifacts
from factory.contract import Rule
from factory.products import Product
from factory.quality.custom import repeated, run_custom, soda_runner
from factory.quality.dbt import dbt_result
from factory.quality.odcs import run_rules
from factory.quality.results import CheckResult, Outcome
from factory.tables import opened
from factory.umbrella import is_embedded
from factory.workspace import Workspace


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
            results |= _from_contracts(others, results.values(), connection)
            if sodacl:
                from factory.quality.soda import run_sodacl

                soda = [rule for rule in others if rule.origin == "soda"]
                for result in run_sodacl(sodacl, soda, product, connection):
                    results[result.rule.key] = result
            custom = [rule for rule in others if rule.definition_type == "custom"]
            soda_of = soda_runner(product, connection)
            for result in run_custom(custom, artifacts.tests, results.values(), soda_of):
                results[result.rule.key] = result
    extra = [result for key, result in results.items() if all(rule.key != key for rule in rules)]
    return (*(results[rule.key] for rule in rules if rule.key in results), *extra)


def _from_dbt(rules: Iterable[Rule], artifacts: Artifacts) -> dict[str, CheckResult]:
    tests = {test.unique_id: test for test in artifacts.tests}
    return {rule.key: dbt_result(rule, tests[rule.key]) for rule in rules if rule.origin == "dbt"}


def _from_contracts(
    rules: Iterable[Rule], done: Iterable[CheckResult], connection: Any
) -> dict[str, CheckResult]:
    """Return how the rules of contracts went that are not for other engines; of those that repeat others, theirs."""
    own = [rule for rule in rules if rule.origin in ("odcs", "contract") and rule.definition_type != "custom"]
    done = tuple(done)
    same = {rule.key: result for rule in own if rule.origin == "odcs" and (result := repeated(rule, done))}
    results = run_rules([rule for rule in own if rule.key not in same], connection)
    return same | {result.rule.key: result for result in results}
