"""Run the ODCS rules that stand in contracts: library metrics and SQL.

Takes a rule and a connection to the product's tables; gives a `CheckResult`. The queries only read: DuckDB
parses a rule's SQL, which has to be one SELECT, and the connection is read-only and without external access.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from factory.contract import Rule
from factory.quality.results import CheckResult, Outcome
from factory.tables import literal, quoted

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "mustBe": lambda value, goal: value == goal,
    "mustNotBe": lambda value, goal: value != goal,
    "mustBeGreaterThan": lambda value, goal: value > goal,
    "mustBeGreaterOrEqualTo": lambda value, goal: value >= goal,
    "mustBeLessThan": lambda value, goal: value < goal,
    "mustBeLessOrEqualTo": lambda value, goal: value <= goal,
    # Exclusive at both ends: the standard's text says "between", its definition is greater and less than.
    "mustBeBetween": lambda value, goal: min(goal) < value < max(goal),
    "mustNotBeBetween": lambda value, goal: not min(goal) < value < max(goal),
}
_WORDS = {
    "mustBe": "=", "mustNotBe": "!=", "mustBeGreaterThan": ">", "mustBeGreaterOrEqualTo": ">=",
    "mustBeLessThan": "<", "mustBeLessOrEqualTo": "<=", "mustBeBetween": "between", "mustNotBeBetween": "not between",
}  # fmt: skip


class _NotExecutableError(Exception):
    """The rule says nothing that can be run; the message says why."""


def run_rule(rule: Rule, connection: Any) -> CheckResult:
    """Run one ODCS rule."""
    import duckdb

    started = time.perf_counter()
    try:
        row = connection.execute(_sql(rule, connection)).fetchone()
        operators = _operators(rule)
        value = row[0] if row else None
    except _NotExecutableError as error:
        text = rule.definition.get("type") == "text"
        outcome = Outcome.PASS if text else Outcome.NOT_RUN
        return CheckResult(rule, outcome, reason=f"not executable: {error}")
    except duckdb.Error as error:
        return CheckResult(rule, Outcome.ERROR, reason=" ".join(str(error).split())[:300])
    seconds = time.perf_counter() - started
    return _judge(rule, value, operators, seconds)


def _operators(rule: Rule) -> list[str]:
    found = [name for name in _OPERATORS if name in rule.definition]
    if not found:
        raise _NotExecutableError("it has no operator, such as mustBe")
    return found


def _judge(rule: Rule, value: Any, operators: list[str], seconds: float) -> CheckResult:
    if isinstance(value, Decimal):
        value = float(value)
    measured = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    try:
        missed = [
            name for name in operators if value is None or not _OPERATORS[name](value, rule.definition[name])
        ]
    except TypeError:
        return CheckResult(
            rule, Outcome.ERROR, reason=f"cannot compare {value!r} with {rule.definition[operators[0]]!r}"
        )
    if not missed:
        return CheckResult(rule, Outcome.PASS, measured=measured, seconds=seconds)
    wanted = " and ".join(f"{_WORDS[name]} {rule.definition[name]}" for name in missed)
    outcome = Outcome.WARN if rule.severity == "warning" else Outcome.FAIL
    return CheckResult(
        rule, outcome, measured, reason=f"measured {value}, promised {wanted}", seconds=seconds
    )


def _sql(rule: Rule, connection: Any) -> str:
    definition: Mapping[str, Any] = rule.definition
    kind = definition.get("type") or "library"
    if kind == "text":
        raise _NotExecutableError("it is text for people")
    if kind == "custom":
        raise _NotExecutableError(
            f"its engine is {definition.get('engine')}; write it where that engine reads it"
        )
    if kind == "sql":
        return _select(str(definition.get("query") or ""), rule, connection)
    return _library(str(definition.get("metric") or definition.get("rule") or ""), rule)


def _select(query: str, rule: Rule, connection: Any) -> str:
    import duckdb

    names = {"table": rule.table, "object": rule.table, "column": rule.column, "property": rule.column}
    query = re.sub(
        r"\$?\{\s*(table|object|column|property)\s*\}", lambda found: quoted(names[found[1]]), query
    )
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise _NotExecutableError(f"its SQL does not parse: {' '.join(str(error).split())[:200]}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise _NotExecutableError("a rule is one SELECT and nothing else")
    if not re.match(
        r"(\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|from|values)\b", query, re.IGNORECASE | re.DOTALL
    ):
        raise _NotExecutableError(
            "a rule is one SELECT and nothing else"
        )  # DuckDB takes PRAGMA for a SELECT, too
    return query


def _library(metric: str, rule: Rule) -> str:
    arguments: Mapping[str, Any] = rule.definition.get("arguments") or {}
    table, column = quoted(rule.table), quoted(rule.column)
    if metric == "rowCount":
        return f"select count(*) from {table}"  # noqa: S608  (names come from the contract and are quoted)
    if metric == "duplicateValues":
        names = arguments.get("properties") or ([rule.column] if rule.column else [])
        if not names:
            raise _NotExecutableError("duplicateValues on a table needs arguments.properties")
        columns = ", ".join(quoted(name) for name in names)
        known = " and ".join(f"{quoted(name)} is not null" for name in names)
        bad = f"(select coalesce(sum(n), 0) from (select count(*) as n from {table} where {known} group by {columns} having count(*) > 1))"  # noqa: S608, E501
        return _share(bad, table, rule)
    if not rule.column:
        raise _NotExecutableError(f"{metric or 'a rule without metric'} belongs to a column")
    if metric == "nullValues":
        condition = f"{column} is null"
    elif metric == "missingValues":
        values = arguments.get("missingValues") or [None]
        condition = (
            f"({column} is null or {_is_in(column, values)})" if None in values else _is_in(column, values)
        )
    elif metric == "invalidValues":
        condition = f"({column} is not null and ({_invalid(column, arguments)}))"
    else:
        raise _NotExecutableError(f"the library has no metric {metric!r}")
    return _share(f"(select count(*) from {table} where {condition})", table, rule)  # noqa: S608


def _share(count: str, table: str, rule: Rule) -> str:
    if str(rule.definition.get("unit") or "rows").lower() in ("percent", "%"):
        # No rows, no share of them at fault.
        return f"select coalesce(100.0 * {count} / nullif((select count(*) from {table}), 0), 0)"  # noqa: S608
    return f"select {count}"


def _invalid(column: str, arguments: Mapping[str, Any]) -> str:
    parts = []
    if arguments.get("validValues"):
        parts.append(f"not ({_is_in(column, arguments['validValues'])})")
    if arguments.get("pattern"):
        parts.append(f"not regexp_full_match({column}::varchar, {literal(str(arguments['pattern']))})")
    if not parts:
        raise _NotExecutableError("invalidValues needs arguments.validValues or arguments.pattern")
    return " or ".join(parts)


def _is_in(column: str, values: list[Any]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "false"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return f"try_cast({column} as double) in ({', '.join(repr(float(value)) for value in known)})"
    texts = (str(value).lower() if isinstance(value, bool) else str(value) for value in known)
    return f"{column}::varchar in ({', '.join(literal(text) for text in texts)})"
