"""What a rule means: what it measures, and which measurements it accepts, whatever language it is written in.

Takes a `Rule` of dbt, of SodaCL or of a contract; gives a `Meaning`, so that a rule that is written twice is seen, and
one that follows from a stricter one. Pure, and quick: no SQL is parsed. A rule that is not understood exactly has no
meaning here. `NULL` is no value: it is neither invalid nor a duplicate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from factory.contract.dbt_tests import arguments_of, bounds, quality_of
from factory.contract.patterns import plain_pattern, whole_pattern
from factory.contract.rules import Rule
from factory.contract.sodacl_meaning import Check, check_in
from factory.odcs.compare.normal import sql_spelled
from factory.odcs.intervals import (
    COUNTS,
    EVERYTHING,
    PERCENTS,
    Span,
    Spans,
    accepted,
    covers,
    intersect,
    whole,
)

#: What is accepted where nothing may be at fault.
NONE: Spans = (Span(0, False, 0, False),)

#: The metrics that count rows at fault: the more rows, the worse.
FAULTS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "orphans", "rowsWhere")

Arguments = tuple[tuple[str, Any], ...]

# NULL among texts.
_NULL = "\0null"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a rule measures and accepts.

    Attributes:
        table: in lower case.
        columns: in lower case, in order where the order says nothing; empty for what speaks of rows.
        metric: of the library of ODCS (rowCount, nullValues, missingValues, invalidValues, duplicateValues), or
            orphans (foreign keys without their row), rowsWhere (rows that fulfil a condition), or a metric of SodaCL
            that is a number (min, max, avg, sum, avg_length, ...), duplicateGroups for the values that stand twice.
        arguments: what else decides the number: validValues and missingValues as sorted text, range and length as a
            `Span`, pattern (of the whole value), search (somewhere in it), condition, to.
        unit: rows, percent (of all rows), or value.
        where: the condition of the rows that are looked at, in one spelling; empty for all.
        accepted: the measurements that are accepted.
    """

    table: str
    columns: tuple[str, ...]
    metric: str
    arguments: Arguments = ()
    unit: str = "rows"
    where: str = ""
    accepted: Spans = NONE

    @property
    def measured(self) -> tuple[Any, ...]:
        """What is measured, without what is accepted of it."""
        return self.table, self.columns, self.metric, self.arguments, self.unit, self.where


def meaning_of(rule: Rule) -> Meaning | None:
    """Return what a rule means; None where that is not known exactly."""
    if not rule.table:
        return None
    found: Meaning | None = None
    if rule.origin == "odcs" and isinstance(rule.definition, Mapping):
        found = _of_contract(rule)
    elif rule.origin == "soda":
        found = _of_check(rule, check_in(rule.definition))
    elif rule.origin == "dbt" and isinstance(rule.definition, Mapping):
        found = _of_test(rule)
    return found


def compared(one: Meaning, other: Meaning) -> Literal["same", "stricter", "looser", ""]:
    """Say what `one` is beside `other`: the same, stricter (`other` holds wherever it does), looser, or none of it."""
    forth, back = implies(one, other), implies(other, one)
    if forth and back:
        return "same"
    return "stricter" if forth else "looser" if back else ""


def implies(one: Meaning, other: Meaning) -> bool:
    """Say whether `other` holds for certain wherever `one` does."""
    if one.table != other.table:
        return False
    if one.measured == other.measured:
        return covers(other.accepted, one.accepted)
    bounded = _as_validity(one) or one
    if (bounded.metric, other.metric) == ("missingValues", "nullValues") and _NULL in bounded.arguments[0][1]:
        bounded = replace(bounded, metric="nullValues", arguments=())
    if bounded.metric != other.metric or other.metric not in FAULTS or not _counts_at_least(bounded, other):
        return False
    most = max((span.high for span in bounded.accepted), default=-1.0)
    if bounded.unit != other.unit and (bounded.unit, most) != ("rows", 0):
        return False
    if bounded.unit == "percent" and bounded.where != other.where:
        return False  # a share of other rows
    return covers(other.accepted, (Span(0, False, most, math.isinf(most)),))


# What follows from what


def _as_validity(meaning: Meaning) -> Meaning | None:
    """Return what a bound on the smallest or largest value says of each: that none lies beyond it."""
    argument = {"min": "range", "max": "range", "min_length": "length", "max_length": "length"}.get(
        meaning.metric
    )
    if argument is None or not meaning.accepted:
        return None
    if meaning.metric.startswith("min"):
        first = meaning.accepted[0]
        span = Span(first.low, first.open_low, math.inf, True)
    else:
        last = meaning.accepted[-1]
        span = Span(-math.inf, True, last.high, last.open_high)
    kept = _lengths(span) if argument == "length" else span
    return replace(meaning, metric="invalidValues", arguments=((argument, kept),), unit="rows", accepted=NONE)


def _counts_at_least(one: Meaning, other: Meaning) -> bool:
    """Say whether every row that `other` finds at fault is one that `one` finds at fault, too."""
    if one.where not in ("", other.where):
        return False
    if other.metric == "duplicateValues":
        return set(one.columns) <= set(other.columns)
    if one.columns != other.columns:
        return False
    mine, theirs = dict(one.arguments), dict(other.arguments)
    if other.metric == "missingValues":
        return set(mine["missingValues"]) >= set(theirs["missingValues"])
    if other.metric == "invalidValues":
        return all(_demands(mine.get(key), value) for key, value in theirs.items())
    return mine == theirs


def _demands(mine: Any, theirs: Any) -> bool:
    """Say whether one demand on a value includes another of its kind."""
    if isinstance(theirs, Span):
        return isinstance(mine, Span) and covers((theirs,), (mine,))
    if isinstance(theirs, tuple):
        return isinstance(mine, tuple) and set(mine) <= set(theirs)
    return bool(mine == theirs)


# Rules of a contract


def _of_contract(rule: Rule) -> Meaning | None:
    definition: Mapping[str, Any] = rule.definition
    kind = definition.get("type") or "library"
    if kind == "library":
        return _of_library(rule.table, rule.column, definition)
    if kind == "sql":
        return _of_query(rule, definition)
    engine, written = str(definition.get("engine") or "").lower(), definition.get("implementation")
    if kind == "custom" and engine in ("soda", "sodacl"):
        return _of_check(rule, check_in(written))
    if kind == "custom" and engine == "dbt" and isinstance(written, Mapping):
        test = replace(rule, origin="dbt", kind=str(written.get("test") or ""), definition=written)
        return _of_test(test)
    return None


def promised(rule: Rule) -> tuple[Meaning, ...]:
    """Return what a rule of origin `contract` means; a primary key is several promises. None is known: empty."""
    table, definition = rule.table, rule.definition
    if "." in rule.column or "[" in rule.column:  # inside a column
        return ()
    if rule.kind == "primaryKey":
        names = [str(name) for name in definition["properties"]]
        key = _counted(table, names, "duplicateValues", {}, "rows", NONE)
        nulls = [_counted(table, [name], "nullValues", {}, "rows", NONE) for name in names]
        return tuple(each for each in (key, *nulls) if each is not None)
    if rule.kind == "relationship":
        found = _orphans(
            table, tuple(definition["from"]), str(definition["table"]), tuple(map(str, definition["to"]))
        )
    else:
        metric, arguments = _of_promise(rule.kind, definition.get("value"))
        found = _counted(table, [rule.column], metric, arguments, "rows", NONE) if metric else None
    return (found,) if found is not None else ()


def _of_promise(kind: str, value: Any) -> tuple[str, dict[str, Any]]:
    """Return the metric of a promise of one column, and its arguments; no metric where it has no other form."""
    if kind in ("required", "unique"):
        return ("nullValues" if kind == "required" else "duplicateValues"), {}
    if kind == "enum":
        return "invalidValues", {"validValues": _texts(value)}
    if kind == "pattern":
        return "invalidValues", {"pattern": plain_pattern(str(value))}
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "", {}
    low, high = (
        kind in ("minimum", "exclusiveMinimum", "minLength"),
        kind in ("maximum", "exclusiveMaximum", "maxLength"),
    )
    if not (low or high):
        return "", {}
    is_open = kind.startswith("exclusive")
    span = Span(value, is_open, math.inf, True) if low else Span(-math.inf, True, value, is_open)
    return "invalidValues", {"length": _lengths(span)} if kind.endswith("Length") else {"range": span}


def _of_library(table: str, column: str, definition: Mapping[str, Any]) -> Meaning | None:
    metric = str(definition.get("metric") or definition.get("rule") or "")
    spans = accepted(definition)
    arguments = definition.get("arguments") or {}
    if spans is None or not isinstance(arguments, Mapping):
        return None
    unit = "percent" if str(definition.get("unit") or "").lower() in ("percent", "%") else "rows"
    columns = [column] if column else []
    rest: dict[str, Any] = {}
    if metric == "rowCount":
        columns, unit = [], "rows"
    elif metric == "duplicateValues":
        columns = arguments.get("properties") or columns
    elif metric == "missingValues":
        values = arguments.get("missingValues") or [None]
        metric = "nullValues" if all(value is None for value in values) else metric
        rest = {} if metric == "nullValues" else {"missingValues": _texts(values)}
    elif metric == "invalidValues":
        rest = _validity(arguments)
        if not rest:
            return None
    elif metric != "nullValues":
        return None
    if not columns and metric != "rowCount":
        return None
    return _counted(table, columns, metric, rest, unit, spans)


def _validity(arguments: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if arguments.get("validValues"):
        found["validValues"] = _texts(arguments["validValues"])
    if arguments.get("pattern"):
        found["pattern"] = plain_pattern(str(arguments["pattern"]))
    return found


_BAD_ROWS = (
    r"select count\((?:\*|1)\) ?from (?:\{{object\}}|\{{table\}}|\"?{table}\"?) ?where(?: |(?=\())(.+)"
)


def _of_query(rule: Rule, definition: Mapping[str, Any]) -> Meaning | None:
    """Return what a query means that counts the rows of the table which fulfil a condition."""
    spans = accepted(definition)
    query = sql_spelled(re.sub(r"\$?\{\s*(\w+)\s*\}", r"{\1}", str(definition.get("query") or "")))
    found = re.fullmatch(_BAD_ROWS.format(table=re.escape(rule.table.lower())), query)
    if spans is None or not found:
        return None
    condition = re.sub(r"\{(?:column|property)\}", rule.column.lower() or "?", found[1])
    return _of_condition(rule.table, condition, spans)


_COMPARISON = re.compile(r"\"?(\w+)\"? ?(<=?|>=?) ?(-?\d+(?:\.\d+)?)")
_OUTSIDE = re.compile(rf"{_COMPARISON.pattern} or {_COMPARISON.pattern}")
_NOT_BETWEEN = re.compile(r"\"?(\w+)\"? not between (-?\d+(?:\.\d+)?) and (-?\d+(?:\.\d+)?)")
_IS_NULL = re.compile(r"\"?(\w+)\"? is null")


def _of_condition(table: str, condition: str, spans: Spans) -> Meaning | None:
    """Return what it means that so many rows fulfil a condition of SQL, which is in one spelling."""
    if any(word in condition for word in ("{", "?", " limit", " group by", " union", " order by", ";")):
        return None
    condition = _unwrapped(condition)
    if found := _IS_NULL.fullmatch(condition):
        return _counted(table, [found[1]], "nullValues", {}, "rows", spans)
    column, valid = _values_beside(condition)
    if valid is not None:
        return _counted(table, [column], "invalidValues", {"range": valid}, "rows", spans)
    return _counted(table, [], "rowsWhere", {"condition": condition}, "rows", spans)


def _values_beside(condition: str) -> tuple[str, Span | None]:
    """Return the column and the values that a condition leaves: it finds those below or above."""
    if found := _NOT_BETWEEN.fullmatch(condition):
        return found[1], Span(float(found[2]), False, float(found[3]), False)
    found = _OUTSIDE.fullmatch(condition) or _COMPARISON.fullmatch(condition)
    if not found:
        return "", None
    parts = found.groups()
    left: Spans = EVERYTHING
    for column, sign, number in (parts[:3], parts[3:]) if len(parts) > 3 else (parts,):
        if column != parts[0]:
            return "", None
        goal = float(number)
        kept = {
            "<": Span(goal, False, math.inf, True),
            "<=": Span(goal, True, math.inf, True),
            ">": Span(-math.inf, True, goal, False),
            ">=": Span(-math.inf, True, goal, True),
        }[sign]
        left = intersect(left, (kept,))
    return parts[0], left[0] if left else None


def _unwrapped(condition: str) -> str:
    """Return a condition without brackets around all of it."""
    while condition.startswith("(") and condition.endswith(")"):
        depth = 0
        for index, sign in enumerate(condition):
            depth += (sign == "(") - (sign == ")")
            if depth == 0 and index < len(condition) - 1:
                return condition
        condition = condition[1:-1].strip()
    return condition


# dbt's tests


def _of_test(rule: Rule) -> Meaning | None:
    where = str(rule.definition.get("where") or "")
    if where:
        rest = {key: value for key, value in rule.definition.items() if key != "where"}
        found = _of_test(replace(rule, definition=rest))
        return replace(found, where=_unwrapped(sql_spelled(where))) if found else None
    definition = quality_of(rule)
    if definition.get("type") == "library":
        return _of_library(rule.table, rule.column, definition)
    if rule.definition.get("thresholds"):
        return None
    if rule.kind == "relationships" and rule.column:
        target = _target(str(arguments_of(rule).get("to") or ""))
        field = str(arguments_of(rule).get("field") or "").lower()
        return _orphans(rule.table, (rule.column,), target, (field,)) if target and field else None
    if rule.kind == "dbt_utils.expression_is_true" and not rule.column:
        condition = sql_spelled(str(arguments_of(rule).get("expression") or ""))
        extra = set(arguments_of(rule)) - {"expression"}
        return None if extra else _of_condition(rule.table, f"not({condition})", NONE)
    return _of_bounds(rule)


def _of_bounds(rule: Rule) -> Meaning | None:
    options = bounds([replace(rule, severity="error")])
    if not options or not rule.column:
        return None
    lowest, highest = (
        options.get("minimum", options.get("exclusiveMinimum", options.get("minLength", -math.inf))),
        options.get("maximum", options.get("exclusiveMaximum", options.get("maxLength", math.inf))),
    )
    given = [v for k, v in arguments_of(rule).items() if k in ("min_value", "max_value") and v is not None]
    if len(given) != len(options):  # an end that is an expression
        return None
    span = Span(lowest, "exclusiveMinimum" in options or math.isinf(lowest),
                highest, "exclusiveMaximum" in options or math.isinf(highest))  # fmt: skip
    if "minLength" in options or "maxLength" in options:
        if arguments_of(rule).get("strictly"):
            return None
        return _counted(rule.table, [rule.column], "invalidValues", {"length": _lengths(span)}, "rows", NONE)
    return _counted(rule.table, [rule.column], "invalidValues", {"range": span}, "rows", NONE)


def _target(to: str) -> str:
    """Return the table that `ref()` or `source()` names; empty where that is no name alone."""
    found = re.fullmatch(r"\s*(?:ref|source)\s*\(([^()]*)\)\s*", to)
    names = [part.strip() for part in found[1].split(",")] if found else []
    if not names or not all(re.fullmatch(r"'[^']+'|\"[^\"]+\"", name) for name in names):
        return ""
    return ".".join(name[1:-1] for name in names).lower()


# SodaCL


def _of_check(rule: Rule, check: Check | None) -> Meaning | None:
    if check is None:
        return None
    table = check.table or rule.table
    where = sql_spelled(check.where)
    if check.metric == "exist":
        return _orphans(table, check.columns, check.target, check.target_columns)
    if check.metric == "failed rows":
        return _of_condition(table, sql_spelled(check.condition), check.accepted)
    metric, unit = _SODA.get(check.metric, (check.metric, "value"))
    rest: dict[str, Any] = {}
    spans = check.accepted
    if metric == "missingValues":
        rest = {"missingValues": _texts([None, *check.missing])} if check.missing else {}
        metric = metric if rest else "nullValues"
    elif metric == "invalidValues":
        rest = _soda_validity(check)
    elif metric == "duplicateValues" and (unit == "percent" or _whole(spans) != NONE):
        metric = "duplicateGroups"  # Soda counts the values, and the standard the rows that have them
    found = _counted(table, check.columns, metric, rest, unit, spans, exact=unit != "percent")
    return replace(found, where=_unwrapped(where)) if found and where else found


_SODA = {
    "row_count": ("rowCount", "rows"),
    "missing_count": ("missingValues", "rows"),
    "missing_percent": ("missingValues", "percent"),
    "invalid_count": ("invalidValues", "rows"),
    "invalid_percent": ("invalidValues", "percent"),
    "duplicate_count": ("duplicateValues", "rows"),
    "duplicate_percent": ("duplicateValues", "percent"),
}


def _soda_validity(check: Check) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if check.valid_values:
        found["validValues"] = _texts(check.valid_values)
    if check.pattern:
        inner = whole_pattern(check.pattern)
        found["pattern" if inner else "search"] = inner or check.pattern
    if check.range is not None:
        found["range"] = check.range
    if check.length is not None:
        found["length"] = _lengths(check.length)
    return found


# What they have in common


def _orphans(table: str, columns: tuple[str, ...], target: str, fields: tuple[str, ...]) -> Meaning | None:
    if len(columns) != 1 or len(fields) != 1:  # of several columns, NULL in some is judged differently
        return None
    goal = f"{target.lower()}({fields[0].lower()})"
    return Meaning(table.lower(), (columns[0].lower(),), "orphans", (("to", goal),))


def _counted(
    table: str,
    columns: list[str] | tuple[str, ...],
    metric: str,
    arguments: Mapping[str, Any],
    unit: str,
    spans: Spans,
    *,
    exact: bool = True,
) -> Meaning | None:
    """Return a meaning in the one form; `exact` says that a share is not rounded before it is judged."""
    if metric == "invalidValues" and not arguments:
        return None
    if unit == "rows":
        spans = _whole(spans)
    elif unit == "percent":
        spans = intersect(spans, PERCENTS)
        if spans == NONE and exact:
            unit = "rows"
    names = tuple(sorted({name.lower() for name in columns}))
    return Meaning(table.lower(), names, metric, tuple(sorted(arguments.items())), unit, "", spans)


def _whole(spans: Spans) -> Spans:
    return whole(intersect(spans, COUNTS))


def _lengths(span: Span) -> Span:
    found = _whole((span,))
    return found[0] if found else span


def _texts(values: Any) -> tuple[str, ...]:
    """Return values as sorted text: 1, 1.0 and '1' are one in a column, whatever its type."""
    return tuple(sorted({_text(value) for value in values}))


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
