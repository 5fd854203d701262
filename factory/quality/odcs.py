"""Run the rules of contracts: the metrics of ODCS, SQL, and what a contract promises of its columns.

Takes rules and a connection to the tables; gives a `CheckResult` for each. The queries only read, and rules of the
same table share a scan. Rules for other engines are not run here: see `custom`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from factory.contract import Rule
from factory.quality.batch import Aggregate, Answer, answers
from factory.quality.columns import NotThereError, Tables, in_one_line
from factory.quality.judge import judged, not_held, operators_of
from factory.quality.measures import NotExecutableError, Plan, library_plan
from factory.quality.promised import Found, promised_plan
from factory.quality.queries import NoSingleValueError, value_of
from factory.quality.results import CheckResult, Outcome

_LIBRARY = ("library", "default", "implicit")  # 3.0 had other words for it


def run_rules(rules: Sequence[Rule], connection: Any) -> tuple[CheckResult, ...]:
    """Return how each rule went, in the order of the rules; a fault of one leaves the others as they are."""
    tables = Tables(connection)
    results: dict[int, CheckResult] = {}
    plans: dict[int, Plan] = {}
    for number, rule in enumerate(rules):
        found = _prepared(rule, tables)
        if isinstance(found, Plan):
            plans[number] = found
        else:
            results[number] = found
    asked = [aggregate for plan in plans.values() for aggregate in _needed(plan)]
    found_answers = answers(asked, connection)
    users = Counter(asked)
    for number, plan in plans.items():
        results[number] = _measured(rules[number], plan, found_answers, users)
    return tuple(results[number] for number in range(len(rules)))


def _prepared(rule: Rule, tables: Tables) -> Plan | CheckResult:
    """Return how a rule is measured, or its result if no scan is needed."""
    kind = rule.definition_type
    try:
        if kind == "contract":
            found = promised_plan(rule, tables)
            return found if isinstance(found, Plan) else _told(rule, found)
        if kind in _LIBRARY:
            return library_plan(rule, tables)
        if kind == "sql":
            return _asked(rule, tables)
        reason = _why_not(rule)
    except NotExecutableError as error:
        reason = str(error)
    except NotThereError as error:
        return CheckResult(rule, Outcome.ERROR, reason=str(error))
    counts = kind != "text"
    return CheckResult(rule, Outcome.NOT_RUN, reason=f"not executable: {reason}"[:400], counts=counts)


def _why_not(rule: Rule) -> str:
    kind = rule.definition_type
    if kind == "text":
        return "it is text for people"
    if kind == "custom":
        return f"its engine is {rule.definition.get('engine')}; write it where that engine reads it"
    return f"there is no type {kind!r} of rules"


def _asked(rule: Rule, tables: Tables) -> CheckResult:
    """Return how a rule went that has a query of its own."""
    import duckdb

    operators = operators_of(rule.definition)
    if not operators:
        raise NotExecutableError("it has no operator, such as mustBe")
    started = time.perf_counter()
    try:
        value = value_of(rule, tables)
    except (duckdb.Error, NoSingleValueError) as error:
        return _after(CheckResult(rule, Outcome.ERROR, reason=in_one_line(error)), seconds=_since(started))
    return _after(judged(rule, value, operators), seconds=_since(started))


def _since(started: float) -> float:
    return time.perf_counter() - started


def _told(rule: Rule, found: Found) -> CheckResult:
    """Return how a rule went that needs no look at rows."""
    faults = len(found.faults)
    if faults:
        outcome, reason = not_held(rule), "; ".join(found.faults)
    elif found.notes:
        outcome, reason = Outcome.WARN, "; ".join(found.notes)
    else:
        outcome, reason = Outcome.PASS, ""
    return CheckResult(rule, outcome, measured=float(faults), threshold="= 0", reason=reason[:400])


def _needed(plan: Plan) -> Iterable[Aggregate]:
    return dict.fromkeys((*plan.parts, plan.rows))


def _measured(
    rule: Rule, plan: Plan, found: Mapping[Aggregate, Answer], users: Mapping[Aggregate, int]
) -> CheckResult:
    needed = list(_needed(plan))
    seconds = sum(found[each].seconds / users[each] for each in needed)
    error = next((found[each].error for each in needed if found[each].error), "")
    if error:
        return CheckResult(rule, Outcome.ERROR, reason=error, seconds=seconds)
    rows = int(found[plan.rows].value)
    count = sum(int(found[part].value) for part in plan.parts)
    # No rows, no share of them at fault.
    value: int | float = (100 * count / rows if rows else 0) if plan.share else count
    result = judged(rule, value, plan.operators, share=plan.share)
    if rule.origin == "contract" and count:
        result = replace(result, reason=f"{count:,} of {rows:,} {plan.what}")
    return _after(result, seconds, count if plan.faults else None, rows)


def _after(
    result: CheckResult, seconds: float, failed_rows: int | None = None, checked_rows: int | None = None
) -> CheckResult:
    return replace(result, seconds=seconds, failed_rows=failed_rows, checked_rows=checked_rows)
