"""What a contract promises of its columns, as aggregates of SQL: rules of the origin `contract`.

Takes a rule of `conformance`; gives a `Plan`, or at once what can be told without looking at rows: which columns there
are, and of which types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from factory.contract import Rule
from factory.odcs.compare import spelled
from factory.odcs.types import logical_fields
from factory.quality.columns import NotThereError, Place, Tables
from factory.quality.measures import (
    NotExecutableError,
    Plan,
    count_of,
    duplicates,
    is_in,
    is_number,
    matches,
    nulls,
    where,
)
from factory.tables import literal, quoted

_NONE = {"mustBe": 0}


class Found(NamedTuple):
    """What was found without looking at rows: so many faults, and which; notes are worth a warning."""

    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()


def promised_plan(rule: Rule, tables: Tables) -> Plan | Found:
    """Return how a promise of the contract is measured, or what is found at once.

    Raises:
        NotExecutableError: it cannot be checked here.
        NotThereError: the data has no such table or column.

    """
    kind = str(rule.definition["promise"])
    if kind == "columns":
        return _columns(rule, tables)
    if kind == "type":
        return _type(rule, tables)
    if kind == "primaryKey":
        return _primary_key(rule, tables)
    if kind == "relationship":
        return _relationship(rule, tables)
    place = tables.place(rule.table, rule.column)
    if kind == "required":
        return Plan((_missing(place, rule, tables),), count_of(place.relation), _NONE)
    if kind == "unique":
        return Plan((duplicates([place]),), count_of(place.relation), _NONE)
    condition = _CONDITIONS[kind](place, rule.definition["value"], tables)
    part = where(place, f"{place.expression} is not null and ({condition})")
    return Plan((part,), count_of(place.relation), _NONE)


def _columns(rule: Rule, tables: Tables) -> Found:
    actual = {name.lower(): name for name in tables.columns(rule.table)}
    promised = {str(name).lower(): str(name) for name in rule.definition["columns"]}
    missing = tuple(f"{name} is missing" for key, name in promised.items() if key not in actual)
    more = tuple(f"{name} is there and not promised" for key, name in actual.items() if key not in promised)
    return Found(missing, more)


# Types


_KIN = {
    ("number", "integer"), ("array", "vector"), ("vector", "array"), ("object", "map"), ("map", "object"),
}  # fmt: skip


def _type(rule: Rule, tables: Tables) -> Plan | Found:
    place = tables.place(rule.table, rule.column)
    texts = rule.definition.get("texts")
    if texts:
        return _read_as(place, str(texts), rule)
    physical, logical = rule.definition.get("physicalType"), rule.definition.get("logicalType")
    actual = str(place.type)
    known = tables.spelling(str(physical)) if physical else ""
    if known:
        same = _same_physical(str(physical), known, actual)
        return Found(() if same else (f"it is {actual}, promised {physical}",))
    if not logical:
        reason = f"{physical} is no type of DuckDB, and the contract promises no logicalType"
        raise NotExecutableError(reason)
    implied = logical_fields(actual)
    found = implied["logicalType"]
    if actual == "JSON" and logical in ("object", "array", "map"):
        return Found(())
    if found != logical and (logical, found) not in _KIN:
        return Found((f"it is {actual}, promised {logical}",))
    zoned = rule.definition.get("timezone")
    has = implied.get("logicalTypeOptions", {}).get("timezone")
    if zoned is not None and logical in ("timestamp", "time") and bool(has) != zoned:
        return Found((f"it is {actual}, promised {logical} {'with' if zoned else 'without'} time zone",))
    return Found(())


def _same_physical(promised: str, known: str, actual: str) -> bool:
    if spelled(known) == spelled(actual):
        return True
    plain = "(" not in promised
    if plain and actual.startswith("DECIMAL(") and known.startswith("DECIMAL("):
        return True
    # Files hold times of other precisions.
    return plain and known == "TIMESTAMP" and re.fullmatch(r"TIMESTAMP_(S|MS|NS)", actual) is not None


def _read_as(place: Place, texts: str, rule: Rule) -> Plan:
    """Return how many values of a file are not what they were read as: those became null."""
    # The relation without casts has the same columns under the same names.
    relation, value = quoted(texts), place.expression
    cast = str(rule.definition["reading"])
    fault = f"{cast} is null"
    if place.type.id in _WHOLE:
        # A cast rounds.
        fault += f" or try_cast({value} as double) <> {cast}"
    if rule.definition.get("wrong_kind"):
        fault = "true"
    source = Place(relation, value, place.type)
    return Plan((where(source, f"{value} is not null and ({fault})"),), count_of(relation), _NONE)


_WHOLE = {
    "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint",
}  # fmt: skip


# Keys


def _missing(place: Place, rule: Rule, tables: Tables) -> Any:
    """Return the null values; of a field, only in structs that are there themselves."""
    parent, dot, _ = rule.column.rpartition(".")
    if not dot or place.expression.startswith('"'):
        return nulls(place)
    around = tables.place(rule.table, parent)
    if around.relation != place.relation:
        return nulls(place)
    return where(place, f"{around.expression} is not null and {place.expression} is null")


def _primary_key(rule: Rule, tables: Tables) -> Plan:
    places = [tables.place(rule.table, str(name)) for name in rule.definition["properties"]]
    null = where(places[0], " or ".join(f"{place.expression} is null" for place in places))
    if len(places) == 1:
        null = nulls(places[0])
    return Plan((null, duplicates(places)), count_of(places[0].relation), _NONE)


def _relationship(rule: Rule, tables: Tables) -> Plan:
    from factory.quality.batch import Aggregate

    definition = rule.definition
    own = [tables.place(rule.table, str(name)) for name in definition["from"]]
    other = [tables.place(str(definition["table"]), str(name)) for name in definition["to"]]
    if any(place.inside for place in (*own, *other)):
        raise NotExecutableError("a relationship of values inside a list is not checked")
    keys = ", ".join(f"{place.expression} as k{n}" for n, place in enumerate(own))
    goals = ", ".join(f"{place.expression} as k{n}" for n, place in enumerate(other))
    joined = " and ".join(f"f.k{n} = t.k{n}" for n in range(len(own)))
    known = " and ".join(f"f.k{n} is not null" for n in range(len(own)))
    orphans = (
        f"(from (select {keys} from {own[0].relation}) as f anti join "  # noqa: S608  (names are quoted)
        f"(select {goals} from {other[0].relation}) as t on {joined} where {known}) as orphans"
    )
    return Plan((Aggregate(orphans, "count(*)"),), count_of(own[0].relation), _NONE)


# Options of logical types


def _length(sign: str) -> Callable[[Place, Any, Tables], str]:
    def condition(place: Place, value: Any, _tables: Tables) -> str:
        measure = "octet_length" if place.type.id == "blob" else "length"
        text = place.expression if place.type.id == "blob" else f"{place.expression}::varchar"
        return f"{measure}({text}) {sign} {int(value)}"

    return condition


def _items(sign: str) -> Callable[[Place, Any, Tables], str]:
    def condition(place: Place, value: Any, _tables: Tables) -> str:
        return f"len({_as_list(place)}) {sign} {int(value)}"

    return condition


def _as_list(place: Place) -> str:
    if place.type.id == "array":
        return f"{place.expression}::{dict(place.type.children)['child']}[]"
    if place.type.id not in ("list", "map"):
        raise NotExecutableError(f"it counts the values of a list, and the column is {place.type}")
    return place.expression


def _unique_items(place: Place, value: Any, _tables: Tables) -> str:
    items = _as_list(place)
    return f"len(list_distinct({items})) <> list_count({items})" if value else "false"


def _bound(sign: str) -> Callable[[Place, Any, Tables], str]:
    def condition(place: Place, value: Any, tables: Tables) -> str:
        return f"{_comparable(place)} {sign} {_limit(place, value, tables)}"

    return condition


def _comparable(place: Place) -> str:
    return place.expression if place.type.id != "varchar" else f"try_cast({place.expression} as double)"


def _limit(place: Place, value: Any, tables: Tables) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise NotExecutableError(f"{value!r} is no bound")
    if not isinstance(value, str):
        if is_number(place.type) or place.type.id == "varchar":
            return (
                str(value) if isinstance(value, int) and abs(value) < 2**127 else f"{float(value)!r}::double"
            )
        raise NotExecutableError(f"the bound is a number, and the column is {place.type}")
    limit = f"try_cast({literal(value)} as {place.type})"
    if place.type.id == "varchar":
        raise NotExecutableError("the column is text, and has no order that the bound means")
    if tables.connection.execute(f"select {limit} is null").fetchone()[0]:
        raise NotExecutableError(f"{value!r} is no value of {place.type}")
    return limit


def _multiple(place: Place, value: Any, _tables: Tables) -> str:
    step = _number_of(value)
    if (
        isinstance(step, int)
        and is_number(place.type)
        and place.type.id not in ("float", "double", "decimal")
    ):
        return f"{place.expression} % {step} <> 0"
    ratio = f"({_comparable(place)}::double / {float(step)!r}::double)"
    # What is written in decimals is not exact as a number of the computer.
    return f"abs({ratio} - round({ratio})) > 1e-9 * greatest(1, abs({ratio}))"


def _number_of(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return value
    raise NotExecutableError(f"{value!r} is no number above 0")


def _enum(place: Place, value: Any, _tables: Tables) -> str:
    return f"not {is_in(place.expression, place.type, value)}"


def _pattern(place: Place, value: Any, tables: Tables) -> str:
    pattern = as_re2(str(value))
    fault = tables.pattern_fault(pattern)
    if fault:
        raise NotExecutableError(f"DuckDB cannot match the pattern {value!r}: {fault}")
    return f"not {matches(place.expression, pattern)}"


_NAMED_GROUP = re.compile(r"(?<!\\)\(\?<(?=[A-Za-z_])")
_CODE_POINT = re.compile(r"(?<!\\)((?:\\\\)*)\\u(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{4}))")


def as_re2(pattern: str) -> str:
    r"""Return a pattern of ECMA-262 as RE2, which DuckDB uses, writes it; what RE2 has not is left as it is.

    >>> as_re2(r"(?<y>\d{4})\u00e9")
    '(?P<y>\\d{4})\\x{00e9}'
    """
    named = _NAMED_GROUP.sub("(?P<", pattern)
    return _CODE_POINT.sub(lambda found: f"{found[1]}\\x{{{found[2] or found[3]}}}", named)


_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"({_OCTET}\.){{3}}{_OCTET}"
_HEX = "[0-9A-Fa-f]{1,4}"
_IPV6 = "|".join(
    (
        f"({_HEX}:){{7}}{_HEX}",
        f"({_HEX}:){{6}}{_IPV4}",
        f"::(ffff(:0{{1,4}})?:)?{_IPV4}",
        f"({_HEX}:){{1,4}}:{_IPV4}",
        f"({_HEX}:){{1,7}}:",
        *(f"({_HEX}:){{1,{7 - n}}}(:{_HEX}){{1,{n}}}" for n in range(1, 7)),
        f":(:{_HEX}){{1,7}}",
        "::",
    )
)
#: The formats of texts that can be told from the text itself.
FORMATS = {
    "email": rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(\.{_LABEL})+",
    "uuid": "[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+",
    "hostname": rf"{_LABEL}(\.{_LABEL})*\.?",
    "ipv4": _IPV4,
    "ipv6": _IPV6,
}


def range_of(format_: str) -> tuple[int, int] | None:
    """Return the least and the greatest number of a format of whole numbers, such as `u8`; None for any other."""
    found = re.fullmatch(r"([iu])(8|16|32|64|128)", format_)
    if not found:
        return None
    bits = int(found[2])
    return (0, 2**bits - 1) if found[1] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _format(place: Place, value: Any, _tables: Tables) -> str:
    held = range_of(str(value))
    if held is None:
        return f"not {matches(place.expression, FORMATS[str(value)])}"
    number = place.expression if is_number(place.type) else f"try_cast({place.expression} as hugeint)"
    type_ = "uhugeint" if value == "u128" else "hugeint"
    fits = f"try_cast({number} as {type_})"
    return f"coalesce({fits} not between '{held[0]}'::{type_} and '{held[1]}'::{type_}, true)"


_CONDITIONS: Mapping[str, Callable[[Place, Any, Tables], str]] = {
    "enum": _enum,
    "minLength": _length("<"),
    "maxLength": _length(">"),
    "pattern": _pattern,
    "format": _format,
    "minimum": _bound("<"),
    "maximum": _bound(">"),
    "exclusiveMinimum": _bound("<="),
    "exclusiveMaximum": _bound(">="),
    "multipleOf": _multiple,
    "minItems": _items("<"),
    "maxItems": _items(">"),
    "uniqueItems": _unique_items,
    "dimensions": _items("<>"),
}

__all__ = ["FORMATS", "Found", "NotThereError", "as_re2", "promised_plan", "range_of"]
