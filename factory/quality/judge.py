"""Judge what a rule measured by the operators that the rule has.

Takes a rule of ODCS and a value; gives the operators that do not hold, and what was promised in words. Numbers are
judged by `odcs.intervals`; texts, truth values, dates and times are compared as what the query gave.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from factory.contract import Rule
from factory.odcs.intervals import contains, spans_of
from factory.quality.results import CheckResult, Outcome
from factory.standards import OPERATORS

Definition = Mapping[str, Any]


class Incomparable(Exception):
    """The value and what it is compared with are of different kinds; the message says so."""


_SIGNS = {
    "mustBe": "=", "mustNotBe": "!=", "mustBeGreaterThan": ">", "mustBeGreaterOrEqualTo": ">=",
    "mustBeLessThan": "<", "mustBeLessOrEqualTo": "<=",
    # The standard's text: equivalent to mustBeGreaterThan and mustBeLessThan.
    "mustBeBetween": "between", "mustNotBeBetween": "not between",
}  # fmt: skip
#: As ODCS 3.0 and the Data Contract Specification spell some operators.
_OLD = {
    "mustBeGreaterThanOrEqualTo": "mustBeGreaterOrEqualTo",
    "mustBeLessThanOrEqualTo": "mustBeLessOrEqualTo",
}


def operators_of(definition: Definition) -> dict[str, Any]:
    """Return the operators of a rule with what they compare with, in the order of the standard."""
    given = {_OLD.get(key, key): value for key, value in definition.items()}
    return {name: given[name] for name in OPERATORS if name in given}


def is_share(definition: Definition) -> bool:
    """Say whether a rule measures a percentage of all rows."""
    return str(definition.get("unit") or "rows").strip().lower() in ("percent", "%")


def threshold_of(operators: Mapping[str, Any], *, share: bool = False) -> str:
    """Return what is promised, in words.

    >>> threshold_of({"mustBeGreaterOrEqualTo": 1, "mustBeLessThan": 5})
    '>= 1 and < 5'
    >>> threshold_of({"mustBeBetween": [5, 1]})
    'between 1 and 5 (exclusive)'
    """
    unit = " %" if share else ""
    words = []
    for name, goal in operators.items():
        if name.endswith("Between") and _is_pair(goal):
            words.append(f"{_SIGNS[name]} {_shown(min(goal))} and {_shown(max(goal))}{unit} (exclusive)")
        else:
            words.append(f"{_SIGNS[name]} {_shown(goal)}{unit}")
    return " and ".join(words)


def judged(rule: Rule, value: Any, operators: Mapping[str, Any], *, share: bool = False) -> CheckResult:
    """Return how a rule went that measured `value`; rows and time are left to the caller."""
    threshold = threshold_of(operators, share=share)
    if value is None:
        return CheckResult(rule, Outcome.ERROR, reason="it gave no value", threshold=threshold)
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        reason = f"it gave {value}, which is no number"
        return CheckResult(rule, Outcome.ERROR, reason=reason, threshold=threshold)
    measured = float(value) if isinstance(value, int | float) else None
    try:
        missed = {name: goal for name, goal in operators.items() if not _holds(value, name, goal)}
    except Incomparable as error:
        return CheckResult(rule, Outcome.ERROR, measured, reason=str(error), threshold=threshold)
    if not missed:
        return CheckResult(rule, Outcome.PASS, measured, threshold=threshold)
    unit = " %" if share else ""
    reason = f"measured {_shown(value)}{unit}, promised {threshold_of(missed, share=share)}"
    return CheckResult(rule, not_held(rule), measured, reason=reason[:300], threshold=threshold)


def not_held(rule: Rule) -> Outcome:
    """Return the outcome of a rule that does not hold: what is no error only warns."""
    return Outcome.FAIL if rule.severity == "error" else Outcome.WARN


def _holds(value: Any, operator: str, goal: Any) -> bool:
    spans = spans_of(operator, goal)
    if spans is not None:
        if not isinstance(value, int | float):
            raise Incomparable(f"cannot compare {value!r} with {goal!r}")
        return contains(spans, value)
    if operator.endswith("Between"):
        if not _is_pair(goal):
            raise Incomparable(f"{operator} compares with two values, and {goal!r} is none")
        low, high = sorted(_as_kind_of(value, end) for end in goal)
        return bool((low < value < high) == (operator == "mustBeBetween"))
    other = _as_kind_of(value, goal)
    match operator:
        case "mustBe":
            return bool(value == other)
        case "mustNotBe":
            return bool(value != other)
        case "mustBeGreaterThan":
            return bool(value > other)
        case "mustBeGreaterOrEqualTo":
            return bool(value >= other)
        case "mustBeLessThan":
            return bool(value < other)
        case _:
            return bool(value <= other)


def _as_kind_of(value: Any, goal: Any) -> Any:
    """Return what a value is compared with as a value of the same kind: the contract writes a date as text."""
    try:
        match value:
            case bool() if isinstance(goal, bool):
                return goal
            case str() if isinstance(goal, str):
                return goal
            case dt.datetime():
                found = dt.datetime.fromisoformat(str(goal))
                # What says no zone is meant in the zone of the query.
                return found.replace(tzinfo=value.tzinfo) if found.tzinfo is None else _moved(found, value)
            case dt.date():
                return dt.date.fromisoformat(str(goal))
            case dt.time():
                return dt.time.fromisoformat(str(goal))
            case uuid.UUID():
                return uuid.UUID(str(goal))
    except ValueError:
        pass
    raise Incomparable(f"cannot compare {_shown(value)} with {goal!r}")


def _moved(goal: dt.datetime, value: dt.datetime) -> dt.datetime:
    return goal.astimezone(value.tzinfo) if value.tzinfo else goal.astimezone(dt.UTC).replace(tzinfo=None)


def _is_pair(goal: Any) -> bool:
    alike = isinstance(goal, list | tuple) and len(goal) == 2
    return alike and (isinstance(goal[0], str) == isinstance(goal[1], str)) and None not in goal


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)
