"""Run a product's checks over the tables that dbt built."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factory.artifacts import Artifacts
from factory.contract import Contract, Rule
from factory.contract.sodacl import checks_files
from factory.products import Product
from factory.quality.conformance import conformance_rules, not_covered
from factory.quality.custom import repeated, run_custom, soda_runner
from factory.quality.dbt import dbt_result
from factory.quality.odcs import run_rules
from factory.quality.results import NOT_BUILT, CheckResult, Outcome
from factory.quality.soda_history import History
from factory.tables import opened
from factory.umbrella import is_embedded
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Checked:
    """What a product's checks gave.

    Attributes:
        results: one per rule, in the order of the rules; then what the contracts promise of columns.
        measurements: what later runs compare with, by the identity of a metric.
    """

    results: tuple[CheckResult, ...]
    measurements: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Past:
    """What checks are told beside the data.

    Attributes:
        variables: values of SodaCL's variables (dbt's `--vars`).
        history: the measurements of earlier runs, by the identity of a metric.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    history: History = field(default_factory=dict)


def run_checks(
    product: Product,
    rules: Iterable[Rule],
    contracts: Sequence[Contract],
    artifacts: Artifacts,
    files: Mapping[str, Path],
    ws: Workspace,
    past: Past | None = None,
) -> Checked:
    """Return a result for every rule of a product, and for what its contracts promise of their columns.

    `files` are the DuckDB files of the product and of those it reads (see `tables.opened`).

    Raises:
        QualityError: the product's DuckDB file cannot be opened, or Soda itself is broken.

    """
    rules = tuple(rules)
    tests = {test.unique_id: test for test in artifacts.tests}
    results = {rule.key: dbt_result(rule, tests[rule.key]) for rule in rules if rule.origin == "dbt"}
    rules = (*rules, *_promised(product, contracts, rules))
    unbuilt = _unbuilt(product, artifacts)
    for rule in rules:
        if unbuilt and rule.origin != "dbt" and _reads(rule, unbuilt):
            results[rule.key] = CheckResult(rule, Outcome.NOT_RUN, reason=NOT_BUILT)
    others = [rule for rule in rules if rule.origin in ("soda", "odcs") and rule.key not in results]
    measurements: Mapping[str, float] = {}
    if not is_embedded(ws):
        reason = f"SodaCL and ODCS rules run on the embedded DuckDB only, not on the target {ws.target}"
        left = [rule for rule in rules if rule.key not in results and rule.origin != "contract"]
        results |= {rule.key: CheckResult(rule, Outcome.NOT_RUN, reason=reason) for rule in left}
    elif len(rules) > len(results):
        with opened(ws, product.name, files) as connection:
            found, measurements = _from_soda(product, others, connection, past or Past())
            results = found | results
            open_ = [rule for rule in rules if rule.key not in results]
            results |= _from_contracts(open_, tuple(results.values()), connection)
            custom = [rule for rule in others if rule.definition_type == "custom"]
            soda = soda_runner(product.name, connection)
            for result in run_custom(custom, artifacts.tests, tuple(results.values()), soda):
                results[result.rule.key] = result
    known = {rule.key for rule in rules}
    extra = [result for key, result in results.items() if key not in known]
    named = [results[rule.key] for rule in rules if rule.key in results]
    hidden = _classified(contracts)
    told = [_without_values(result, hidden) for result in (*named, *extra)]
    return Checked(tuple(_of_contracts(told, contracts, artifacts)), measurements)


def _classified(contracts: Iterable[Contract]) -> set[str]:
    """Return the columns that contracts classify as anything but public, in lower case."""
    return {
        str(column["name"]).lower()
        for contract in contracts
        for table in contract.data.get("schema") or ()
        for column in table.get("properties") or ()
        if str(column.get("classification") or "public").lower() != "public"
    }


def _without_values(result: CheckResult, hidden: set[str]) -> CheckResult:
    """Return a result that tells no value of a classified column: a group's name, or text that a query gave."""
    if not result.reason or hidden.isdisjoint(re.findall(r"\w+", str(result.rule.definition).lower())):
        return result
    reason = re.sub(r"\bgroup .*?: ", "a group: ", result.reason)
    if result.measured is None:
        reason = re.sub(r"\bmeasured .*?(?=, promised|$)", "measured a classified value", reason)
    return replace(result, reason=reason)


def _unbuilt(product: Product, artifacts: Artifacts) -> set[str]:
    """Return the tables that this run should have built and did not: what lies there is of an earlier run."""
    failed = {run.unique_id for run in artifacts.runs if run.status not in ("success", "pass", "no-op")}
    relations = [r for r in artifacts.of(product.name) if r.unique_id in failed]
    return {name.lower() for relation in relations for name in (relation.name, relation.identifier)}


def _reads(rule: Rule, tables: Collection[str]) -> bool:
    """Say whether a rule may read one of these tables: it speaks of it, or its text names it."""
    if rule.table.lower() in tables:
        return True
    words = set(re.findall(r"\w+", str(rule.definition).lower()))
    return not words.isdisjoint(tables)


class _LinesOf:
    """The lines of a drafted contract's values in the hand-kept part: of what is not there, of what is around it."""

    def __init__(self, contract: Contract) -> None:
        self._drafted = contract.data
        self._kept = contract.promise

    def __call__(self, *path: str | int) -> int:
        """Return the line of the table or column that a path leads to."""
        place: list[str | int] = []
        drafted: Any = self._drafted
        kept: Any = self._kept.data
        for key, number in itertools.pairwise(path):
            if key not in ("schema", "properties") or not isinstance(number, int):
                continue
            drafted = drafted[key][number]
            names = [str(each.get("name")) for each in kept.get(key) or ()]
            if str(drafted.get("name")) not in names:
                break
            place += [key, names.index(str(drafted["name"]))]
            kept = kept[key][place[-1]]
        return self._kept.document.line(*place) if place else self._kept.document.line("schema")


def _promised(product: Product, contracts: Iterable[Contract], rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return what contracts promise of their columns and no other rule measures."""
    found: list[Rule] = []
    for contract in contracts:
        file = contract.promise.document.path
        promised = conformance_rules(contract.data, product.name, file, _LinesOf(contract))
        found += [replace(r, key=f"{contract.name}/{contract.major}:{r.key}") for r in promised]
    return not_covered(found, rules)


def _from_soda(
    product: Product, rules: Iterable[Rule], connection: Any, past: Past
) -> tuple[dict[str, CheckResult], Mapping[str, float]]:
    files = checks_files(product)
    if not files:
        return {}, {}
    from factory.quality.soda import run_sodacl

    soda = [rule for rule in rules if rule.origin == "soda"]
    run = run_sodacl(files, soda, product, connection, variables=past.variables, history=past.history)
    return {result.rule.key: result for result in run.results}, run.measurements


def _from_contracts(
    rules: Iterable[Rule], done: Sequence[CheckResult], connection: Any
) -> dict[str, CheckResult]:
    """Return how the rules of contracts went that are not for other engines; of those that repeat others, theirs."""
    own = [rule for rule in rules if rule.origin in ("odcs", "contract") and rule.definition_type != "custom"]
    same = {rule.key: result for rule in own if rule.origin == "odcs" and (result := repeated(rule, done))}
    results = run_rules([rule for rule in own if rule.key not in same], connection)
    return same | {result.rule.key: result for result in results}


def _of_contracts(
    results: Iterable[CheckResult], contracts: Iterable[Contract], artifacts: Artifacts
) -> Iterable[CheckResult]:
    """Yield the results with the contract that covers their table."""
    covering = {
        name.lower(): f"{contract.name}/{contract.major}"
        for contract in contracts
        for table in contract.tables
        for name in (artifacts.relations[table].identifier, artifacts.relations[table].name)
    }
    for result in results:
        yield replace(result, contract=covering.get(result.rule.table.lower(), ""))
