"""dbt's tests and other rules as ODCS quality rules.

Takes a `Rule`; gives a rule of the standard: a library metric where one says exactly the same, else a custom rule for
the engine that runs it. Of packages of tests, dbt_utils and dbt_expectations are understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from factory.contract.rules import Rule

Arguments = Mapping[str, Any]


def quality_of(rule: Rule, *, on_table: bool = False) -> dict[str, Any]:
    """Return a rule as ODCS has it; of a rule for another engine, its whole definition is kept.

    `on_table` says that it stands on its table, even if it speaks of a column: of one that the table does not have.
    """
    if rule.origin == "odcs":
        return {"dimension": rule.dimension, "severity": rule.severity, **rule.definition}
    data: dict[str, Any] = {"name": rule.name}
    if rule.description:
        data["description"] = rule.description
    data["dimension"] = rule.dimension
    data["severity"] = rule.severity
    stray = on_table and bool(rule.column)
    metric = _metric(rule) if rule.origin == "dbt" and not stray else None
    data.update(metric or {"type": "custom", "engine": rule.origin, "implementation": rule.definition})
    if rule.tags:
        data["tags"] = list(rule.tags)
    facts: dict[str, Any] = {"origin": rule.origin}
    if stray and rule.origin == "dbt":
        facts["column"] = rule.column
    if metric is not None:
        if rule.kind not in ("not_null", "unique", "accepted_values"):
            facts["test"] = rule.kind
        facts |= {_FACTS[key]: value for key, value in rule.definition.get("thresholds", {}).items()}
    facts |= {name: value for name, value in rule.facts.items() if name not in facts}
    data["customProperties"] = [{"property": name, "value": value} for name, value in facts.items()]
    return data


_FACTS = {"error_if": "errorIf", "warn_if": "warnIf", "fail_calc": "failCalc", "limit": "limit"}


def is_strict(rule: Rule) -> bool:
    """Say whether a dbt test holds for every row of what is published: no filter, no tolerance, a failure refuses."""
    definition = rule.definition
    return (
        rule.origin == "dbt"
        and rule.severity == "error"
        and not definition.get("where")
        and not definition.get("thresholds")
    )


def holds(kind: str, rules: list[Rule]) -> bool:
    """Say whether a strict test of a kind, or its twin of dbt_expectations, stands among the rules of a column."""
    kinds = {kind, *(twin for twin, plain in _TWINS.items() if plain == kind)}
    return any(rule.kind in kinds and is_strict(rule) and not _conditions(rule) for rule in rules)


def permitted(rules: list[Rule]) -> list[Any]:
    """Return the values that a strict test permits in a column; empty where none does."""
    for rule in rules:
        arguments = arguments_of(rule)
        if not is_strict(rule) or _conditions(rule):
            continue
        if _are_expressions(arguments):
            continue
        if rule.kind == "accepted_values":
            values = arguments.get("values")
        elif rule.kind == "dbt_expectations.expect_column_values_to_be_in_set":
            values = arguments.get("value_set")
        else:
            continue
        if isinstance(values, list) and all(isinstance(value, str | int | float) for value in values):
            return list(dict.fromkeys(values))
    return []


def _are_expressions(arguments: Arguments) -> bool:
    """Say whether the values of a test are SQL and not what stands in the column."""
    values = arguments.get("values") or arguments.get("value_set") or ()
    unquoted = arguments.get("quote") is False or arguments.get("quote_values") is False
    return unquoted and any(isinstance(value, str) for value in values)


def bounds(rules: list[Rule]) -> dict[str, Any]:
    """Return the `logicalTypeOptions` that strict tests of ranges and lengths imply."""
    found: dict[str, Any] = {}
    for rule in rules:
        names = _BOUNDS.get(rule.kind)
        if names is None or not is_strict(rule) or _conditions(rule):
            continue
        arguments = arguments_of(rule)
        strictly = arguments.get("inclusive") is False or arguments.get("strictly") is True
        for key, option in zip(("min_value", "max_value"), names, strict=True):
            value = arguments.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool):
                exclusive = f"exclusive{option[0].upper()}{option[1:]}"
                found[exclusive if strictly and option in ("minimum", "maximum") else option] = value
    return found


_BOUNDS = {
    "dbt_utils.accepted_range": ("minimum", "maximum"),
    "dbt_expectations.expect_column_values_to_be_between": ("minimum", "maximum"),
    "dbt_expectations.expect_column_value_lengths_to_be_between": ("minLength", "maxLength"),
}


def arguments_of(rule: Rule) -> Arguments:
    """Return the arguments of a dbt test."""
    found = rule.definition.get("arguments") if isinstance(rule.definition, dict) else None
    return found if isinstance(found, dict) else {}


def _conditions(rule: Rule) -> bool:
    """Say whether a test looks at some rows only, or compares within groups."""
    return any(
        arguments_of(rule).get(key) for key in ("row_condition", "group_by", "group_by_columns", "condition")
    )


_TWINS = {
    "dbt_expectations.expect_column_values_to_not_be_null": "not_null",
    "dbt_expectations.expect_column_values_to_be_unique": "unique",
}


def _metric(rule: Rule) -> dict[str, Any] | None:
    """Return the library metric that says the same as a dbt test, with its operator; None where there is none."""
    definition, arguments = rule.definition, dict(arguments_of(rule))
    if definition.get("where") or _conditions(rule):
        return None
    make = _METRICS.get(_TWINS.get(rule.kind, rule.kind))
    if make is None:
        return None
    metric = make(arguments, rule.column)
    if metric is None:
        return None
    thresholds = definition.get("thresholds") or {}
    if thresholds:
        # Only null values are counted in rows by both; of other tests, dbt counts groups.
        key = "error_if" if rule.severity == "error" else "warn_if"
        operator = _operator(str(thresholds.get(key, "!= 0")))
        if (
            {"fail_calc", "limit"} & set(thresholds)
            or metric.get("metric") != "nullValues"
            or operator is None
        ):
            return None
        metric.pop("mustBe", None)
        metric |= operator
    return {"type": "library", **metric}


_CONDITION = re.compile(r"\s*(>=|<=|!=|<>|==?|>|<)\s*(\d+)\s*")


def _operator(fails_if: str) -> dict[str, int] | None:
    """Return the operator that accepts what dbt does not fail: it fails `> 10`, so up to 10 is accepted."""
    found = _CONDITION.fullmatch(fails_if)
    if not found:
        return None
    number = int(found[2])
    name = {
        ">": "mustBeLessOrEqualTo", ">=": "mustBeLessThan", "<": "mustBeGreaterOrEqualTo", "<=": "mustBeGreaterThan",
        "!=": "mustBe", "<>": "mustBe", "=": "mustNotBe", "==": "mustNotBe",
    }[found[1]]  # fmt: skip
    return {name: number}


_NONE = {"mustBe": 0, "unit": "rows"}


def _nulls(arguments: dict[str, Any], column: str) -> dict[str, Any] | None:
    return {"metric": "nullValues", **_NONE} if column and not arguments else None


def _duplicates(arguments: dict[str, Any], column: str) -> dict[str, Any] | None:
    return {"metric": "duplicateValues", **_NONE} if column and not arguments else None


def _valid(key: str) -> Callable[[dict[str, Any], str], dict[str, Any] | None]:
    def make(arguments: dict[str, Any], column: str) -> dict[str, Any] | None:
        values = arguments.get(key)
        rest = set(arguments) - {key, "quote", "quote_values"}
        if not column or rest or not isinstance(values, list) or not values or _are_expressions(arguments):
            return None
        return {"metric": "invalidValues", "arguments": {"validValues": values}, **_NONE}

    return make


def _combination(key: str) -> Callable[[dict[str, Any], str], dict[str, Any] | None]:
    def make(arguments: dict[str, Any], column: str) -> dict[str, Any] | None:
        names = arguments.get(key)
        if column or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return None
        if not all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in names) or not names:
            return None
        usual = {key, "quote_columns", "ignore_row_if"}
        if set(arguments) - usual or arguments.get("ignore_row_if") not in (None, "all_values_are_missing"):
            return None
        return {"metric": "duplicateValues", "arguments": {"properties": names}, **_NONE}

    return make


def _proportion(arguments: dict[str, Any], column: str) -> dict[str, Any] | None:
    least = arguments.get("at_least")
    rest = set(arguments) - {"at_least", "at_most"}
    if (
        not column
        or rest
        or not isinstance(least, int | float)
        or arguments.get("at_most", 1) not in (1, 1.0)
    ):
        return None
    return {"metric": "nullValues", "mustBeLessOrEqualTo": round(100 * (1 - least), 6), "unit": "percent"}


def _rows_between(arguments: dict[str, Any], column: str) -> dict[str, Any] | None:
    least, most = arguments.get("min_value"), arguments.get("max_value")
    if column or set(arguments) - {"min_value", "max_value", "strictly"}:
        return None
    if not all(isinstance(end, int | None) for end in (least, most)) or least == most:
        return None
    step = 1 if arguments.get("strictly") else 0
    if least is not None and most is not None:
        # The standard's between leaves its ends out.
        return {"metric": "rowCount", "mustBeBetween": [least - 1 + step, most + 1 - step], "unit": "rows"}
    if least is not None:
        return {"metric": "rowCount", "mustBeGreaterOrEqualTo": least + step, "unit": "rows"}
    return (
        {"metric": "rowCount", "mustBeLessOrEqualTo": most - step, "unit": "rows"}
        if most is not None
        else None
    )


def _rows_equal(arguments: dict[str, Any], column: str) -> dict[str, Any] | None:
    value = arguments.get("value")
    if column or set(arguments) != {"value"} or not isinstance(value, int):
        return None
    return {"metric": "rowCount", "mustBe": value, "unit": "rows"}


_METRICS: dict[str, Callable[[dict[str, Any], str], dict[str, Any] | None]] = {
    "not_null": _nulls,
    "unique": _duplicates,
    "accepted_values": _valid("values"),
    "dbt_expectations.expect_column_values_to_be_in_set": _valid("value_set"),
    "dbt_utils.unique_combination_of_columns": _combination("combination_of_columns"),
    "dbt_expectations.expect_compound_columns_to_be_unique": _combination("column_list"),
    "dbt_utils.not_null_proportion": _proportion,
    "dbt_expectations.expect_table_row_count_to_be_between": _rows_between,
    "dbt_expectations.expect_table_row_count_to_equal": _rows_equal,
}
