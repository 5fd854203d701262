"""A rule of a contract as a data test of dbt.

Takes an ODCS rule; gives the entry of `data_tests`, or why there is none. Tests of packages and of the project are
written only where the rule says that it was one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from factory.odcs.export.outcome import Values, custom_properties, mappings, options_of


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a rule is no data test."""

    why: str


_USUAL = {"not_null": "completeness", "unique": "uniqueness", "accepted_values": "conformity",
          "relationships": "consistency"}  # fmt: skip

#: Tests that bound values or lengths; the options of a column come from them.
BOUNDING = (
    "dbt_utils.accepted_range",
    "dbt_expectations.expect_column_values_to_be_between",
    "dbt_expectations.expect_column_value_lengths_to_be_between",
)

# What a rule's properties tell of a test beside its meta.
_TOLD = ("origin", "test", "column", "errorIf", "warnIf", "failCalc", "limit")


def data_test(rule: Values, column: str) -> Any | Refusal:
    """Return a rule as an entry of `data_tests`, or why it cannot be one; `column` may be empty."""
    kind = rule.get("type") or "library"
    if kind == "custom":
        return _as_it_was(rule)
    if kind == "text":
        return Refusal("it is text for people")
    if kind == "sql":
        return Refusal("dbt keeps a query in a file of its own, as a singular test")
    found = _of_library(rule, column)
    if isinstance(found, Refusal):
        return found
    test, arguments, config = found
    return entry(test, arguments, config, rule)


def is_strict(rule: Values) -> bool:
    """Say whether a rule refuses every single row at fault."""
    severity = str(rule.get("severity") or "error").lower()
    operators = {key: value for key, value in rule.items() if str(key).startswith("must")}
    return severity not in ("warning", "warn", "info", "information") and operators == {"mustBe": 0}


def entry(test: str, arguments: Values, config: Values, rule: Values) -> Any:
    """Return a test with what people read about it; its bare name where there is nothing else to say."""
    body: dict[str, Any] = {}
    name, description = str(rule.get("name") or ""), str(rule.get("description") or "")
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        if not name.startswith(test.replace(".", "_") + "_"):  # dbt's own name
            body["name"] = name
    elif name:
        description = f"{name}: {description}" if description else name
    if description:
        body["description"] = plain(description)
    if arguments:
        body["arguments"] = dict(arguments)
    settings: dict[str, Any] = dict(config)
    if str(rule.get("severity") or "").lower() in ("warning", "warn", "info", "information"):
        settings["severity"] = "warn"
    if rule.get("tags"):
        settings["tags"] = list(rule["tags"])
    meta = {key: value for key, value in custom_properties(rule).items() if key not in _TOLD}
    if rule.get("dimension") and rule["dimension"] != _USUAL.get(test):
        meta["dimension"] = rule["dimension"]
    if meta:
        settings["meta"] = meta
    if settings:
        body["config"] = settings
    return {test: body} if body else test


def plain(text: str) -> str:
    """Return text in which dbt sees no Jinja."""
    return f"{{% raw %}}{text}{{% endraw %}}" if re.search(r"\{\{|\{%|\{#", text) else text


def _as_it_was(rule: Values) -> Any | Refusal:
    """Return a test that the contract only carries."""
    engine, found = str(rule.get("engine") or "").lower(), rule.get("implementation")
    if engine != "dbt":
        return Refusal(f"it is written for {engine or 'another engine'}, which runs it")
    test = str(options_of(found).get("test") or "")
    if test == "singular":
        return Refusal("a singular test is a file of SQL, which the project has")
    if test == "unit" or not test:
        return Refusal(
            "a unit test is not about data; the project has it" if test else "it names no test of dbt"
        )
    found = options_of(found)
    config: dict[str, Any] = {"where": found["where"]} if found.get("where") else {}
    config |= options_of(found.get("thresholds"))
    return entry(test, options_of(found.get("arguments")), config, rule)


_PLAIN_NAME = "dbt_utils.unique_combination_of_columns"
_COMPOUND = "dbt_expectations.expect_compound_columns_to_be_unique"

Found = tuple[str, dict[str, Any], dict[str, Any]]


def _of_library(rule: Values, column: str) -> Found | Refusal:
    metric = str(rule.get("metric") or rule.get("rule") or "")
    arguments = options_of(rule.get("arguments"))
    was = str(custom_properties(rule).get("test") or "")
    operators = {str(key): value for key, value in rule.items() if str(key).startswith("must")}
    share = str(rule.get("unit") or "").lower() in ("percent", "%")
    if metric == "rowCount":
        return _row_count(was, operators)
    if metric == "nullValues" and column:
        return _nulls(was, operators, rule) if not share else _proportion(was, operators)
    none = operators == {"mustBe": 0}
    if not none:
        return Refusal("dbt counts groups of rows, so only `mustBe: 0` means the same there")
    if metric == "duplicateValues":
        return _duplicates(was, arguments, column)
    if metric == "invalidValues" and column and set(arguments) == {"validValues"}:
        return _values(was, arguments["validValues"])
    return Refusal("no test of dbt itself says the same")


def _nulls(was: str, operators: Values, rule: Values) -> Found | Refusal:
    test = was or "not_null"
    if operators == {"mustBe": 0}:
        return test, {}, {}
    facts = custom_properties(rule)
    if facts.get("errorIf") or facts.get("warnIf"):
        found = {"error_if": facts.get("errorIf"), "warn_if": facts.get("warnIf")}
        return test, {}, {key: value for key, value in found.items() if value}
    fails = [_fails(key, value) for key, value in operators.items()]
    if len(fails) != 1 or not fails[0]:
        return Refusal("dbt compares a number of rows with one whole number")
    severity = str(rule.get("severity") or "").lower()
    key = "warn_if" if severity in ("warning", "warn", "info", "information") else "error_if"
    return test, {}, {key: fails[0]} | ({"warn_if": fails[0]} if key == "error_if" else {})


def _fails(operator: str, value: Any) -> str:
    """Return dbt's condition of a failure for what is accepted; empty where there is none."""
    sign = {
        "mustBe": "!=", "mustNotBe": "=", "mustBeLessThan": ">=", "mustBeLessOrEqualTo": ">",
        "mustBeGreaterThan": "<=", "mustBeGreaterOrEqualTo": "<",
    }.get(operator)  # fmt: skip
    return f"{sign} {value}" if sign and type(value) is int and value >= 0 else ""


def _proportion(was: str, operators: Values) -> Found | Refusal:
    most = operators.get("mustBeLessOrEqualTo")
    if was != "dbt_utils.not_null_proportion" or len(operators) != 1 or not isinstance(most, int | float):
        return Refusal("dbt itself has no test of shares")
    return was, {"at_least": round(1 - most / 100, 8)}, {}


def _duplicates(was: str, arguments: Values, column: str) -> Found | Refusal:
    names = arguments.get("properties")
    if isinstance(names, list) and names != [column]:
        key = {_PLAIN_NAME: "combination_of_columns", _COMPOUND: "column_list"}.get(was)
        if key is None:
            return Refusal("dbt itself has no test of several columns together")
        return was, {key: list(names)}, {}
    return (was or "unique", {}, {}) if column else Refusal("it names no column")


def _values(was: str, values: Any) -> Found | Refusal:
    values = list(values) if isinstance(values, list) else []
    if not values or any(re.search(r"'|\{\{|\{%|\{#", str(value)) for value in values):
        return Refusal("dbt cannot write one of the values")
    if was == "dbt_expectations.expect_column_values_to_be_in_set":
        return was, {"value_set": values}, {}
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return "accepted_values", {"values": values} | ({"quote": False} if numbers else {}), {}


def _row_count(was: str, operators: Values) -> Found | Refusal:
    bounds = {
        "mustBeGreaterOrEqualTo": lambda n: {"min_value": n},
        "mustBeLessOrEqualTo": lambda n: {"max_value": n},
        "mustBe": lambda n: {"value": n},
        "mustBeBetween": lambda n: {"min_value": n[0] + 1, "max_value": n[1] - 1},
    }
    if len(operators) == 1 and was.startswith("dbt_expectations.expect_table_row_count_to_"):
        ((operator, value),) = operators.items()
        if operator in bounds and (operator == "mustBe") == was.endswith("_equal"):
            return was, bounds[operator](value), {}
    return Refusal("dbt itself has no test of the number of rows")


def rules_of(values: Values) -> list[Values]:
    """Return the rules of a table or column."""
    return mappings(values.get("quality"))
