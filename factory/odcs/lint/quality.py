"""Quality rules: what they measure, what they accept, and whether they can tell good data from bad."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from factory.documents import Path_
from factory.odcs.intervals import (
    COUNTS,
    EVERYTHING,
    PERCENTS,
    Spans,
    accepted,
    covers,
    intersect,
    whole,
)
from factory.odcs.lint.sql import SqlReader
from factory.odcs.lint.walk import Column, Table, Values, is_number, rules, text
from factory.standards import OPERATORS, Fault, is_pattern, nearest, spot

_COLUMN_METRICS = ("nullValues", "missingValues", "invalidValues")
_METRICS = (*_COLUMN_METRICS, "duplicateValues", "rowCount")
_ARGUMENTS = {
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}
_UNITS = ("rows", "percent")


def quality_faults(data: Values, found: tuple[Table, ...]) -> Iterator[Fault]:
    """Yield what is wrong with the quality rules of a contract, as far as its schema cannot say it."""
    sql = SqlReader(data)
    for table in found:
        for path, rule in rules(table.path, table.data):
            yield from _rule_faults(path, rule, data, sql, None)
        yield from _contradictions(table.path, table.data, data)
        for column in table.columns:
            if "quality" in column.data:
                for path, rule in rules(column.path, column.data):
                    yield from _rule_faults(path, rule, data, sql, column)
                yield from _contradictions(column.path, column.data, data)


def _rule_faults(
    path: Path_, rule: Values, data: Values, sql: SqlReader, column: Column | None
) -> Iterator[Fault]:
    here = spot(data, path)
    kind = rule.get("type", "library")
    if kind == "library":
        yield from _library(path, rule, here, column)
    elif kind == "sql" and isinstance(rule.get("query"), str):
        yield from sql.faults((*path, "query"), rule["query"], here, in_column=column is not None)
    elif kind == "text":
        yield from _text(path, rule, here)
    yield from _unit(path, rule, here, kind)
    yield from _operators(path, rule, here, kind)
    counts = kind == "sql" and sql.counts(text(rule, "query"))
    yield from _effect(path, rule, here, column, COUNTS if counts else _domain(rule, kind))
    old = text(data, "apiVersion").startswith("v3.0")
    if kind == "sql" and old and not any(operator in rule for operator in OPERATORS):
        yield Fault(path, f"{here}: the rule has no operator", "add mustBe, for example", code="no-operator")
    if text(rule, "scheduler").lower() == "cron" and "schedule" in rule:
        yield from _cron(path, rule, here)


def _library(path: Path_, rule: Values, here: str, column: Column | None) -> Iterator[Fault]:
    metric = _metric(rule)
    if metric not in _METRICS:
        return  # 3.0 leaves the names of its rules open
    if metric in _COLUMN_METRICS and column is None:
        message = f"{here}: {metric} counts the values of a column, and stands on a table"
        hint = "move the rule to its column"
        yield Fault((*path, _metric_key(rule)), message, hint, code="wrong-level")
    if metric == "rowCount" and column is not None:
        message = f"{here}: rowCount counts the rows of a table, and stands on a column"
        yield Fault((*path, _metric_key(rule)), message, "move the rule to its table", code="wrong-level")
    arguments = rule.get("arguments")
    given = arguments if isinstance(arguments, dict) else {}
    yield from _needed_arguments(path, metric, given, here, column)
    for name, value in given.items():
        if name not in _ARGUMENTS[metric]:
            near = nearest(name, _ARGUMENTS[metric])
            hint = f"did you mean {near!r}?" if near else f"{metric} takes {_listed(_ARGUMENTS[metric])}"
            message = f"{here}: {metric} has no argument {name!r}"
            yield Fault((*path, "arguments", name), message, hint, code="unknown-argument")
        elif name == "pattern":
            if not isinstance(value, str):
                yield Fault((*path, "arguments", name), f"{here}: the pattern is not text", code="wrong-type")
            elif not is_pattern(value):
                message = f"{here}: {value!r} is no regular expression"
                yield Fault(
                    (*path, "arguments", name), message, "check its brackets and signs", code="wrong-pattern"
                )
        elif not isinstance(value, list):
            yield Fault((*path, "arguments", name), f"{here}: {name} is not a list", code="wrong-type")
        elif not value:
            message = f"{here}: {name} is empty"
            yield Fault((*path, "arguments", name), message, "name at least one", code="missing-argument")


def _needed_arguments(
    path: Path_, metric: str, given: Values, here: str, column: Column | None
) -> Iterator[Fault]:
    if metric == "invalidValues" and not {"validValues", "pattern"} & set(given):
        known = column.data if column is not None else {}
        options = known.get("logicalTypeOptions")
        if not (known.get("enum") or options):
            message = f"{here}: invalidValues does not say which values are valid"
            hint = "add arguments.validValues or arguments.pattern"
            yield Fault(path, message, hint, code="missing-argument")
    if metric == "duplicateValues" and column is None and "properties" not in given:
        message = f"{here}: duplicateValues on a table does not say of which columns"
        yield Fault(path, message, "add arguments.properties", code="missing-argument")
    if metric == "missingValues" and "missingValues" not in given:
        message = f"{here}: missingValues does not say which values count as missing"
        hint = "add arguments.missingValues, or use nullValues"
        yield Fault(path, message, hint, code="missing-argument", severity="warning")


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(names) if names else "none"


def _metric_key(rule: Values) -> str:
    return "metric" if "metric" in rule else "rule"


def _metric(rule: Values) -> str:
    return text(rule, "metric") or text(rule, "rule")


def _text(path: Path_, rule: Values, here: str) -> Iterator[Fault]:
    for key in (*OPERATORS, "metric", "query", "implementation"):
        if key in rule:
            message = f"{here}: a rule of type text is for people, and {key!r} has no effect in it"
            yield Fault((*path, key), message, "give the rule another type", code="misplaced-field")
    if not rule.get("description"):
        yield Fault(
            path, f"{here}: a rule of type text has no text", "add a description", code="missing-field"
        )


def _unit(path: Path_, rule: Values, here: str, kind: Any) -> Iterator[Fault]:
    unit = rule.get("unit")
    if not isinstance(unit, str) or kind not in ("library", "sql"):
        return
    if kind == "library" and unit not in _UNITS:
        if unit.lower() in (*_UNITS, "%", "row", "percents"):
            near = "rows" if unit.lower().startswith("row") else "percent"
        else:
            near = nearest(unit, _UNITS)
        hint = f"did you mean {near!r}?" if near else "use rows or percent"
        yield Fault((*path, "unit"), f"{here}: {unit!r} is no unit of a rule", hint, code="wrong-unit")
    if _metric(rule) == "rowCount" and unit.lower() == "percent" and kind == "library":
        message = f"{here}: rowCount counts rows, of which there is no share"
        yield Fault((*path, "unit"), message, "use `unit: rows`", code="wrong-unit")


def _operators(path: Path_, rule: Values, here: str, kind: Any) -> Iterator[Fault]:
    for name in ("mustBeBetween", "mustNotBeBetween"):
        ends = rule.get(name)
        pair = (
            ends
            if isinstance(ends, list) and len(ends) == 2 and all(is_number(end) for end in ends)
            else None
        )
        if pair and pair[0] > pair[1]:
            message = f"{here}: {name} goes from {pair[0]} down to {pair[1]}"
            yield Fault((*path, name), message, f"write [{pair[1]}, {pair[0]}]", code="min-above-max")
    if kind != "library":
        return
    for name in ("mustBe", "mustNotBe"):
        if name in rule and not is_number(rule[name]):
            message = f"{here}: the metric is a number, and {name} compares it with {rule[name]!r}"
            yield Fault((*path, name), message, "write a number", code="wrong-type")
    if _is_share(rule):
        for name in OPERATORS:
            for goal in _numbers(rule.get(name)):
                if not 0 <= goal <= 100:
                    message = f"{here}: {goal} percent is not between 0 and 100"
                    yield Fault((*path, name), message, code="wrong-unit")


def _numbers(value: Any) -> list[float]:
    return [each for each in (value if isinstance(value, list) else [value]) if is_number(each)]


def _is_share(rule: Values) -> bool:
    return text(rule, "unit").lower() in ("percent", "%")


def _domain(rule: Values, kind: Any) -> Spans:
    if kind != "library":
        return EVERYTHING
    return PERCENTS if _is_share(rule) else COUNTS


def _effect(path: Path_, rule: Values, here: str, column: Column | None, domain: Spans) -> Iterator[Fault]:
    """Yield rules that accept every value that there can be, or none."""
    kind = rule.get("type", "library")
    if kind not in ("library", "sql"):
        return
    spans = accepted(rule)
    if spans is None:
        return
    possible = intersect(spans, domain)
    if domain == COUNTS:
        possible, domain = whole(possible), whole(domain)
    words = ", ".join(f"{name} {rule[name]}" for name in OPERATORS if name in rule)
    if not possible:
        message = f"{here}: the rule always fails: nothing is {words}" + _why(domain)
        yield Fault(path, message, "correct the operator or its value", code="always-fails")
    elif covers(possible, domain):
        message = f"{here}: the rule cannot fail: everything is {words}" + _why(domain)
        yield Fault(path, message, "correct the operator or its value", code="cannot-fail")
    elif column is not None and kind == "library":
        yield from _against_field(path, rule, possible, here, column)


def _why(domain: Spans) -> str:
    if domain == PERCENTS:
        return ", as a share is between 0 and 100 percent"
    return "" if domain == EVERYTHING else ", as a count is a whole number from 0"


def _against_field(path: Path_, rule: Values, possible: Spans, here: str, column: Column) -> Iterator[Fault]:
    """Yield rules that contradict `required` or `unique` of their own column."""
    for metric, field in (("nullValues", "required"), ("duplicateValues", "unique")):
        if _metric(rule) != metric or column.data.get(field) is not True:
            continue
        if not any(span.low <= 0 and not (span.low == 0 and span.open_low) for span in possible):
            message = f"{here}: the column is {field}, and the rule fails without {metric}"
            yield Fault(path, message, f"drop the rule, or `{field}`", code="contradiction")
        elif possible != intersect(possible, (accepted({"mustBe": 0}) or ())):
            message = f"{here}: the column is {field}, and the rule lets some {metric} pass"
            yield Fault(
                path, message, f"drop the rule, or `{field}`", code="contradiction", severity="warning"
            )


def _contradictions(path: Path_, data: Values, whole_document: Values) -> Iterator[Fault]:
    """Yield pairs of rules that measure the same and accept nothing together."""
    seen: dict[tuple[str, ...], tuple[Path_, Spans]] = {}
    for place, rule in rules(path, data):
        kind = rule.get("type", "library")
        spans = accepted(rule) if kind in ("library", "sql") else None
        measured = _metric(rule) if kind == "library" else text(rule, "query")
        if spans is None or not measured:
            continue
        domain = _domain(rule, kind)
        possible = intersect(spans, domain)
        if domain == COUNTS:
            possible = whole(possible)
        if not possible:
            continue  # told as a rule that always fails
        key = (str(kind), measured, repr(rule.get("arguments")), str(_is_share(rule)))
        if key not in seen:
            seen[key] = (place, possible)
            continue
        first, others = seen[key]
        if not intersect(possible, others):
            message = f"{spot(whole_document, place)}: it can never hold together with rule {first[-1]} there"
            yield Fault(place, message, "correct one of the two", code="contradiction")
        elif possible == others:
            message = f"{spot(whole_document, place)}: rule {first[-1]} there says the same"
            yield Fault(place, message, "keep one of them", code="duplicate-rule", severity="warning")


# What stands in the five fields of a line of cron: minute, hour, day, month, weekday.
_CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_CRON_WORDS = {
    word: number
    for words in ("jan feb mar apr may jun jul aug sep oct nov dec", "mon tue wed thu fri sat sun")
    for number, word in enumerate(words.split(), 1)
}
_CRON_NUMBER = re.compile(r"[0-9]{1,4}")
_CRON_PART = re.compile(r"(\*|\?|\w+(?:-\w+)?)(?:/([0-9]+))?|\d*[LW]|\w+#\d|\w+L")


def _cron(path: Path_, rule: Values, here: str) -> Iterator[Fault]:
    schedule = rule["schedule"]
    if not isinstance(schedule, str) or schedule.startswith("@"):
        return
    fields = schedule.split()
    # Quartz and others have seconds before and years behind.
    bounds = {5: _CRON, 6: ((0, 59), *_CRON), 7: ((0, 59), *_CRON, (1970, 2199))}.get(len(fields), ())
    if not bounds or not all(_is_cron(field, *ends) for field, ends in zip(fields, bounds, strict=True)):
        message = f"{here}: {schedule!r} is no schedule of cron"
        hint = "write minute, hour, day, month and weekday, such as 0 6 * * *"
        yield Fault((*path, "schedule"), message, hint, code="wrong-schedule")


def _is_cron(field: str, least: int, most: int) -> bool:
    for part in field.split(","):
        found = _CRON_PART.fullmatch(part)
        if not found:
            return False
        for end in (found[1] or "").split("-"):
            number = _CRON_WORDS.get(end.lower(), int(end) if _CRON_NUMBER.fullmatch(end) else None)
            if end and end not in "*?" and (number is None or not least <= number <= most):
                return False
        if found[2] is not None and not found[2].strip("0"):
            return False
    return True
