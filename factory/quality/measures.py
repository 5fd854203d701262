"""What rules measure, as aggregates of SQL: the metrics of the ODCS library.

Takes a rule and the tables; gives a `Plan`. Nothing is computed here, so that rules of one table can share a scan.
Values that a rule names are compared by the column's type: numbers as numbers, dates as dates, all else as text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from factory.contract import Rule
from factory.odcs.convert.rules import OLD_NAMES
from factory.quality.batch import Aggregate
from factory.quality.columns import Place, Tables
from factory.quality.judge import is_share, operators_of
from factory.tables import literal, quoted


class NotExecutableError(Exception):
    """The rule says nothing that can be run; the message says why."""


class Plan(NamedTuple):
    """How a rule is measured.

    Attributes:
        parts: what is measured is their sum; each is a count.
        rows: counts the rows, or the values, that are looked at.
        operators: what is promised of the measured value.
        faults: the parts count rows at fault.
        share: the measured value is a percentage of the rows.
    """

    parts: tuple[Aggregate, ...]
    rows: Aggregate
    operators: Mapping[str, Any]
    faults: bool = True
    share: bool = False

    @property
    def what(self) -> str:
        """What is counted, in words."""
        return "values" if self.rows.relation.endswith(" as items") else "rows"


class Metric(NamedTuple):
    """A metric of the library in today's words, whatever version of the standard named it."""

    name: str
    arguments: Mapping[str, Any]
    operators: Mapping[str, Any]


_PER_COLUMN = ("nullValues", "missingValues", "invalidValues")


def metric_of(definition: Mapping[str, Any]) -> Metric:
    """Return the metric of a library rule; 3.0 has other names, and its own place for valid values.

    Raises:
        NotExecutableError: the rule has no operator.

    """
    name = str(definition.get("metric") or definition.get("rule") or "")
    given = definition.get("arguments")
    arguments = dict(given) if isinstance(given, Mapping) else {}
    for key in ("validValues", "pattern", "missingValues"):
        if key in definition:
            arguments.setdefault(key, definition[key])
    operators = operators_of(definition)
    if name == "validValues":
        if operators:
            raise NotExecutableError("validValues has no operator; write `metric: invalidValues`")
        return Metric("invalidValues", arguments, {"mustBe": 0})
    if name in OLD_NAMES:
        name, means_none = OLD_NAMES[name]
        if means_none and not operators:
            operators = {"mustBe": 0}
    return Metric(name, arguments, operators)


def library_plan(rule: Rule, tables: Tables) -> Plan:
    """Return how a rule of the library is measured.

    Raises:
        NotExecutableError: it says nothing that can be run.
        NotThereError: the data has no such table or column.

    """
    metric = metric_of(rule.definition)
    if metric.name in _PER_COLUMN and not rule.column:
        raise NotExecutableError(f"{metric.name} belongs to a column")
    if metric.name not in (*_PER_COLUMN, "duplicateValues", "rowCount"):
        if not metric.name and not rule.column:
            raise NotExecutableError("a rule without metric belongs to a column")
        raise NotExecutableError(f"the library has no metric {metric.name!r}")
    tables.columns(rule.table)
    parts: tuple[Aggregate, ...]
    if metric.name == "rowCount":
        parts = (count_of(quoted(rule.table)),)
        _need_operators(metric)
        return Plan(parts, parts[0], metric.operators, faults=False)
    if metric.name == "duplicateValues":
        place, parts = _duplicates(rule, metric, tables)
    else:
        place = tables.place(rule.table, rule.column)
        parts = (_at_fault(metric, place, rule),)
    _need_operators(metric)
    return Plan(parts, count_of(place.relation), metric.operators, share=is_share(rule.definition))


def _need_operators(metric: Metric) -> None:
    if not metric.operators:
        raise NotExecutableError("it has no operator, such as mustBe")


def _at_fault(metric: Metric, place: Place, rule: Rule) -> Aggregate:
    value = place.expression
    if metric.name == "nullValues":
        return nulls(place)
    if metric.name == "missingValues":
        values = _values(metric.arguments, "missingValues") or [None]
        if values == [None]:
            return nulls(place)
        found = is_in(value, place.type, values)
        return where(place, f"{value} is null or {found}" if None in values else found)
    arguments = metric.arguments
    if not any(arguments.get(key) for key in ("validValues", "pattern")):
        # The column itself says what is valid.
        arguments = {key: rule.facts.get(key) for key in ("validValues", "pattern")}
    faults = []
    if arguments.get("validValues"):
        faults.append(f"not {is_in(value, place.type, _values(arguments, 'validValues'))}")
    if arguments.get("pattern"):
        faults.append(f"not {matches(value, str(arguments['pattern']))}")
    if not faults:
        raise NotExecutableError("invalidValues needs arguments.validValues or arguments.pattern")
    return where(place, f"{value} is not null and ({' or '.join(faults)})")


def _duplicates(rule: Rule, metric: Metric, tables: Tables) -> tuple[Place, tuple[Aggregate, ...]]:
    given = metric.arguments.get("properties") or ([rule.column] if rule.column else [])
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, Sequence) else []
    if not names:
        raise NotExecutableError("duplicateValues on a table needs arguments.properties")
    physical: Mapping[str, str] = rule.facts.get("physical") or {}
    places = [tables.place(rule.table, physical.get(str(name), str(name))) for name in names]
    if len({place.relation for place in places}) > 1:
        raise NotExecutableError("its columns do not stand beside each other: some are inside a list")
    return places[0], (duplicates(places),)


def _values(arguments: Mapping[str, Any], key: str) -> list[Any]:
    found = arguments.get(key)
    values = list(found) if isinstance(found, list | tuple) else [] if found is None else [found]
    if any(isinstance(value, dict | list) for value in values):
        raise NotExecutableError(f"{key} holds what is no single value")
    return values


# Aggregates


def count_of(relation: str) -> Aggregate:
    """Return the number of rows."""
    return Aggregate(relation, "count(*)")


def nulls(place: Place) -> Aggregate:
    """Return the number of null values."""
    return Aggregate(place.relation, f"count(*) - count({place.expression})")


def where(place: Place, condition: str) -> Aggregate:
    """Return the number of rows that meet a condition."""
    return Aggregate(place.relation, f"count(*) filter (where {condition})")


def duplicates(places: Sequence[Place]) -> Aggregate:
    """Return the number of rows whose key, of which no part is null, others have as well."""
    keys = [place.expression for place in places]
    known = " and ".join(f"{key} is not null" for key in keys)
    groups = (
        f"(select count(*) as n from {places[0].relation} where {known} group by {', '.join(keys)}) as groups"  # noqa: S608
    )
    return Aggregate(groups, "coalesce(sum(n) filter (where n > 1), 0)::bigint")


def matches(value: str, pattern: str) -> str:
    """Return the condition that the whole of a value matches a pattern."""
    return f"regexp_full_match({value}::varchar, {literal(pattern)})"


_NUMBERS = {
    "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint",
    "uhugeint", "decimal", "float", "double",
}  # fmt: skip
_TYPED = {
    "date", "time", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone",
    "time with time zone", "uuid", "interval", "boolean", *_NUMBERS,
}  # fmt: skip


def is_number(type_: Any) -> bool:
    """Say whether a type of DuckDB is one of numbers."""
    return type_.id in _NUMBERS


def is_in(value: str, type_: Any, values: Iterable[Any]) -> str:
    """Return the condition that a value, null or not, is among some others, of which null is none.

    It is never null for a value that is not.
    """
    known = [each for each in values if each is not None]
    numbers = [
        each for each in known if isinstance(each, int | float | Decimal) and not isinstance(each, bool)
    ]
    texts = [_text(each) for each in known if isinstance(each, bool) or each not in numbers]
    parts = []
    if numbers:
        parts.append(f"{_as_number(value, type_)} in ({', '.join(_number(n, type_) for n in numbers)})")
    if texts:
        if type_.id in _TYPED:
            parts += [f"{value} = try_cast({literal(text)} as {type_})" for text in texts]
        else:
            parts.append(f"{value}::varchar in ({', '.join(map(literal, texts))})")
    return f"coalesce({' or '.join(parts)}, false)" if parts else "false"


def _as_number(value: str, type_: Any) -> str:
    return value if is_number(type_) and type_.id != "decimal" else f"try_cast({value} as double)"


def _number(value: float | Decimal, type_: Any) -> str:
    if isinstance(value, int) and abs(value) < 2**127:
        return str(value)
    # What a column of single precision holds is the nearest number of single precision.
    return f"{float(value)!r}::{'float' if type_.id == 'float' else 'double'}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
