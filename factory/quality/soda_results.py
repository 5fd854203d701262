"""What Soda found, as results of rules.

Takes an evaluated check of Soda; gives a `CheckResult`: never a pass for what was not measured. A check of many
tables or groups is one rule, of which the worst counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from factory.contract import Rule
from factory.contract.sodacl import Check
from factory.contract.sodacl_text import bare, promised
from factory.quality.results import CheckResult, Outcome

#: How the reason begins of a check that compares with earlier runs, when there is none: advice, no refusal.
NO_EARLIER = "no earlier measurement"

_OUTCOMES = {"pass": Outcome.PASS, "warn": Outcome.WARN, "fail": Outcome.FAIL}
_COUNTS = ("missing_count", "invalid_count", "duplicate_count")


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of a scan beside its checks.

    Attributes:
        queries: the scan's queries: what went wrong, how long each took, how many rows there are.
        messages: what Soda said of a check, by the check's number.
        without_history: the checks, by identity, that have no earlier run to compare with.
    """

    queries: Any
    messages: Mapping[int, str]
    without_history: frozenset[int] = field(default_factory=frozenset)


def result_of(check: Any, written: Check, number: int, findings: Findings) -> CheckResult:
    """Return the result of one of Soda's checks; `number` is the check's own among those of the scan."""
    metrics = _metrics(check)
    measured = _measured(check)
    rows = getattr(findings.queries.rows.get(id(check)), "value", None)
    base = CheckResult(
        written.rule,
        Outcome.ERROR,
        measured=measured,
        threshold=promised(written.line, written.options),
        seconds=sum(findings.queries.seconds.get(id(metric), 0.0) for metric in metrics),
        checked_rows=rows if isinstance(rows, int) else _compared_rows(check),
    )
    if fault := _fault(check, written.alias, measured, findings.messages.get(number, ""), findings):
        reason = f"Soda could not evaluate it: {fault}"
        return _placed(replace(base, measured=None, checked_rows=None, reason=reason), check, written)
    outcome = _OUTCOMES.get(str(getattr(check.outcome, "value", "") or ""))
    if id(check) in findings.without_history and outcome in (None, Outcome.PASS):
        reason = f"{NO_EARLIER} to compare with; the next run has this one's"
        waits = replace(base, measured=None, outcome=Outcome.NOT_RUN, reason=reason, counts=False)
        return _placed(waits, check, written)
    if outcome is None:
        return _placed(replace(base, measured=None, **_unmeasured(check)), check, written)
    if outcome is Outcome.FAIL and written.rule.severity == "warning":
        outcome = Outcome.WARN
    reason = "" if outcome is Outcome.PASS else _why(check, measured)
    return _placed(replace(base, outcome=outcome, reason=reason, failed_rows=_failed(check)), check, written)


def _fault(check: Any, alias: str, measured: float | None, said: str, findings: Findings) -> str:
    """Return why a check could not be evaluated, or nothing."""
    if fault := next((f for m in _metrics(check) if (f := findings.queries.faults.get(id(m)))), ""):
        return fault
    # Soda stumbles over a metric without a value; that there is none is no fault.
    # What it says of a check is said of each of its tables and groups, though one is meant.
    unclear = check.outcome is not None and (group_of(check) is not None or bool(alias))
    return ("" if unclear or _is_empty(check) else said) or _hollow(check, measured)


def _is_empty(check: Any) -> bool:
    return check.outcome is None and any(metric.value is None for metric in check.metrics.values())


def unrun(rule: Rule, reason: str) -> CheckResult:
    """Return the result of a rule that did not run."""
    return CheckResult(rule, Outcome.NOT_RUN, reason=reason)


def _metrics(check: Any) -> list[Any]:
    """Return the metrics of a check, and those from which they are computed."""
    found = list(check.metrics.values())
    for metric in list(found):
        formula = getattr(metric, "derived_formula", None)
        found += formula.metric_dependencies.values() if formula else ()
    return found


def _measured(check: Any) -> float | None:
    """Return the measured value as a number: of freshness the age in seconds."""
    age = (getattr(check, "freshness_values", None) or {}).get("freshness")
    if isinstance(age, timedelta):
        return age.total_seconds()
    value = getattr(check, "check_value", None)
    return float(value) if isinstance(value, int | float) else None


def _hollow(check: Any, measured: float | None) -> str:
    """Return why a check that Soda calls evaluated has looked at nothing."""
    if measured is not None and math.isnan(measured):
        return "the measured value is not a number (NaN)"
    if getattr(check, "freshness_values", None) == {} and check.outcome is not None:
        return f"the variable {check.check_cfg.variable_name} has no value"
    for metric in _metrics(check):
        if metric.name != "invalid_count" or not hasattr(metric, "build_valid_condition"):
            continue
        if metric.build_valid_condition() is None and metric.build_invalid_condition() is None:
            return "it does not say what is valid; add `valid values:`, `valid format:` or their like"
    return ""


def _unmeasured(check: Any) -> dict[str, Any]:
    """Return outcome and reason of a check that has no value and no fault."""
    kind = type(check).__name__
    if kind == "SchemaCheck":
        reason = f"there is no table {_table(check)}"
        return {"outcome": Outcome.ERROR, "reason": f"Soda could not evaluate it: {reason}"}
    if getattr(check, "historic_diff_values", None):
        reason = f"{NO_EARLIER} that it can be a percentage of: the earlier value is 0"
    elif any(type(metric).__name__ == "UserDefinedNumericMetric" for metric in check.metrics.values()):
        reason = "its query gives no number"
    else:
        reason = "there is nothing to measure: no row has a value"
    return {"outcome": Outcome.NOT_RUN, "reason": reason}


def _failed(check: Any) -> int | None:
    """Return the rows at fault, where the check counts them."""
    if getattr(check, "historic_diff_values", None):
        return None
    if type(check).__name__ in (
        "ReferenceCheck",
        "UserDefinedFailedRowsCheck",
        "UserDefinedFailedRowsExpressionCheck",
    ):
        return int(check.check_value)
    for name, metric in check.metrics.items():
        if name in _COUNTS and isinstance(metric.value, int):
            return int(metric.value)
        found = [v for k, v in (getattr(metric, "formula_values", None) or {}).items() if k in _COUNTS]
        if found and isinstance(found[0], int):
            return int(found[0])
    return None


def _compared_rows(check: Any) -> int | None:
    metric = check.metrics.get("row_count") if type(check).__name__ == "RowCountComparisonCheck" else None
    return metric.value if metric is not None and isinstance(metric.value, int) else None


def _why(check: Any, measured: float | None) -> str:
    values = getattr(check, "freshness_values", None)
    if values:
        newest = values.get("max_column_timestamp_utc")
        return (
            f"measured {_age(measured)}: the newest is {newest}"
            if newest
            else "there is no value: no row has one"
        )
    rows = getattr(check, "diagnostic_values", None)
    if rows:
        other = bare(check.check_cfg.other_table_name)
        return f"measured {_number(measured)}: {rows['row_count']} rows, {rows['other_row_count']} in {other}"
    compared = getattr(check, "historic_diff_values", None)
    if compared:
        now, before = _number(compared["metric_value"]), _number(compared["historic_value"])
        return f"measured {_number(measured)}: {now} now, {before} before"
    return f"measured {_number(measured)}" if measured is not None else _differences(check)


def _differences(check: Any) -> str:
    """Return why a check without a measured value did not hold: a schema check's differences, for example."""
    reasons: list[str] = []
    for result in (getattr(check, "fail_result", None), getattr(check, "warn_result", None)):
        if result is None:
            continue
        reasons += [f"missing: {', '.join(sorted(result.missing_column_names))}"] * bool(
            result.missing_column_names
        )
        reasons += [f"not allowed: {', '.join(result.present_column_names)}"] * bool(
            result.present_column_names
        )
        reasons += [
            f"{name} is {types['actual_type']}, not {types['expected_type']}"
            for name, types in result.column_type_mismatches.items()
        ]
        reasons += [
            f"{name} is at {places['actual_index']}, not {places['expected_index']}"
            for name, places in result.column_index_mismatches.items()
        ]
        reasons += [f"added: {', '.join(result.column_additions)}"] * bool(result.column_additions)
        reasons += [f"gone: {', '.join(result.column_deletions)}"] * bool(result.column_deletions)
        reasons += [
            f"{name} is {types['new_type']}, was {types['previous_type']}"
            for name, types in result.column_type_changes.items()
        ]
        reasons += [
            f"{name} is at {places['new_index']}, was at {places['previous_index']}"
            for name, places in result.column_index_changes.items()
        ]
    for found in (getattr(check, "failure_results", None), getattr(check, "warning_results", None)):
        for word, groups in (("missing", "missing"), ("not allowed", "forbidden")):
            if found and found[groups]:
                reasons.append(f"{word}: {', '.join(map(str, found[groups]))}")
    return "; ".join(dict.fromkeys(reasons))[:300] or "see the check's definition"


def _placed(result: CheckResult, check: Any, written: Check) -> CheckResult:
    """Return a result whose reason names the table, or the group, that it speaks of."""
    if not result.reason:
        return result
    group = group_of(check)
    if group is not None:
        return replace(result, reason=f"group {group}: {result.reason}")
    if written.alias and check.partition is not None:
        return replace(result, reason=f"table {_table(check)}: {result.reason}")
    return result


def group_of(check: Any) -> str | None:
    """Return the group that a check speaks of, or None if it speaks of no group."""
    stated = check.check_cfg.source_configurations
    group = stated.get("group_value") if isinstance(stated, dict) else None
    return None if group is None else str(group)[1:-1]


def _table(check: Any) -> str:
    return bare(check.partition.table.table_name) if check.partition is not None else ""


def _number(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    return str(value)


def _age(seconds: float | None) -> str:
    """Return an age in days, hours and minutes, as SodaCL writes it."""
    total = int(abs(seconds or 0.0)) // 60
    days, rest = divmod(total, 24 * 60)
    parts = [f"{days}d" if days else "", f"{rest // 60}h" if rest // 60 else "", f"{rest % 60}m"]
    return ("-" if (seconds or 0.0) < 0 else "") + "".join(parts)


def messages_of(logs: Iterable[Any]) -> dict[int, str]:
    """Return what Soda's log says of checks that could not be evaluated, by the number in the document's name."""
    found: dict[int, str] = {}
    for log in logs:
        location = getattr(log, "location", None)
        name = str(getattr(location, "file_path", "") or "")
        if not name.startswith("check-") or str(log.message).startswith("Query execution error"):
            continue
        found.setdefault(number_in(name), " ".join(str(log.message).split())[:250])
    return found


def number_in(name: str) -> int:
    """Return the number of a check in its document's name, `check-7.yml`."""
    return int(name.removeprefix("check-").removesuffix(".yml"))
