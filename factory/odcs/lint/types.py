"""What columns may hold: bounds that leave something, patterns that compile, types that can hold their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from factory.documents import Path_
from factory.odcs.lint.walk import Column, Table, Values, is_number, items, rules, text
from factory.standards import Fault, is_pattern

_BITS = re.compile(r"([iu])(8|16|32|64|128)")

# Whole numbers that physical types hold; sizes in bits, as ANSI SQL, PostgreSQL, DuckDB, Spark and T-SQL agree on them.
_INTEGERS = {
    "tinyint": 8, "int1": 8, "smallint": 16, "int2": 16, "short": 16, "mediumint": 24, "integer": 32, "int": 32,
    "int4": 32, "int32": 32, "bigint": 64, "int8": 64, "int64": 64, "long": 64, "hugeint": 128,
}  # fmt: skip
_UNSIGNED = {"utinyint": 8, "usmallint": 16, "uinteger": 32, "ubigint": 64, "uhugeint": 128}
_PRECISE = ("decimal", "numeric", "dec", "number", "float", "double", "real", "fixed")
_LENGTHS = (
    "varchar", "char", "character varying", "character", "nvarchar", "nchar", "varchar2", "nvarchar2", "bpchar",
    "string", "text",
)  # fmt: skip
_SIZED = re.compile(r"([a-z][a-z0-9_ ]*?)\s*\(\s*(\d{1,5})\s*(?:,\s*(-?\d{1,4})\s*)?(?:char|byte)?\s*\)")

# Where the bounds of a rule for another engine stand: ODCS leaves the form to the engine.
_LOWER = ("min", "minimum", "min_value", "minValue", "valid min", "lower", "lowerBound")
_UPPER = ("max", "maximum", "max_value", "maxValue", "valid max", "upper", "upperBound")


def type_faults(_data: Values, found: tuple[Table, ...]) -> Iterator[Fault]:
    """Yield what is wrong with the types of columns, their options, permitted values and examples."""
    for table in found:
        for column in table.columns:
            # Most columns have a name, a type and a description: nothing to look at.
            if len(column.data) > 2 and not _LOOKED_AT.isdisjoint(column.data):
                yield from _column(column, f"{table.name}.{column.name}")


_LOOKED_AT = {"logicalTypeOptions", "enum", "quality", "examples", "physicalType"}


def _column(column: Column, name: str) -> Iterator[Fault]:
    options = column.data.get("logicalTypeOptions")
    if isinstance(options, dict):
        yield from _bounds(column, name, options)
        if isinstance(options.get("pattern"), str) and not is_pattern(options["pattern"]):
            place = (*column.path, "logicalTypeOptions", "pattern")
            message = f"{name}: {options['pattern']!r} is no regular expression"
            yield Fault(place, message, "check its brackets and signs", code="wrong-pattern")
    yield from _permitted(column, name)
    yield from _physical(column, name)


def _bounds(column: Column, name: str, options: Values) -> Iterator[Fault]:
    here = (*column.path, "logicalTypeOptions")
    for low, high in (
        ("minLength", "maxLength"),
        ("minItems", "maxItems"),
        ("minProperties", "maxProperties"),
    ):
        if is_number(options.get(low)) and is_number(options.get(high)) and options[low] > options[high]:
            message = f"{name}: {low} {options[low]} is above {high} {options[high]}"
            yield Fault((*here, low), message, "swap or correct them", code="min-above-max")
    kind = text(column.data, "logicalType")
    if kind in ("date", "timestamp", "time"):
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            value = options.get(key)
            if isinstance(value, str) and _moment(value) is None and "format" not in options:
                message = f"{name}: {key} {value!r} is no {kind}"
                hint = "write it by ISO 8601, such as 2024-01-31"
                yield Fault((*here, key), message, hint, code="wrong-date")
    low, low_key, low_open = _end(options, "minimum", "exclusiveMinimum", max)
    high, high_key, high_open = _end(options, "maximum", "exclusiveMaximum", min)
    alike = low is not None and high is not None and type(low) is type(high)
    if alike and (low > high or (low == high and (low_open or high_open))):
        message = f"{name}: {low_key} {options[low_key]} and {high_key} {options[high_key]} leave no value"
        yield Fault((*here, low_key), message, "swap or correct them", code="min-above-max")
    yield from _format(here, name, options)


def _end(options: Values, plain: str, exclusive: str, tighter: Any) -> tuple[Any, str, bool]:
    """Return the tighter of two bounds, which key says it, and whether the bound itself is excluded.

    In 3.0 `exclusiveMinimum` is true or false, and says how `minimum` is meant.
    """
    a, b = _comparable(options.get(plain)), _comparable(options.get(exclusive))
    if b is None or (a is not None and type(a) is type(b) and tighter(a, b) == a and a != b):
        return a, plain, options.get(exclusive) is True
    return b, exclusive, True


def _comparable(value: Any) -> Any:
    if is_number(value):
        return float(value)
    return _moment(value) if isinstance(value, str) else None


def _moment(value: str) -> str | None:
    """Return a date, a time or both in a form in which texts order as moments do; None if it is neither."""
    for parse in (date.fromisoformat, time.fromisoformat):
        try:
            return parse(value).isoformat()
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _format(here: Path_, name: str, options: Values) -> Iterator[Fault]:
    found = _BITS.fullmatch(text(options, "format"))
    if not found:
        return
    least, most = _whole_range(int(found[2]), unsigned=found[1] == "u")
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        value = options.get(key)
        if is_number(value) and not least - 1 <= value <= most + 1:
            message = f"{name}: {key} {value} is beyond what {found[0]} holds ({least:,} to {most:,})"
            yield Fault((*here, key), message, "correct the bound or the format", code="range-beyond-type")


def _whole_range(bits: int, *, unsigned: bool) -> tuple[int, int]:
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "date": (str,),
    "timestamp": (str,),
    "time": (str,),
}


def _permitted(column: Column, name: str) -> Iterator[Fault]:
    """Yield permitted values and examples that are not of the column's type, or null in a column without nulls."""
    kinds = _KINDS.get(text(column.data, "logicalType"))
    values = [(number, entry["value"]) for number, entry in items(column.data, "enum") if "value" in entry]
    for number, value in values:
        place = (*column.path, "enum", number, "value")
        if value is None:
            if column.data.get("required") is True:
                message = f"{name}: null is permitted, and the column is required"
                yield Fault(place, message, "remove it, or `required`", code="contradiction")
        elif kinds and not _is_of(value, kinds):
            message = f"{name}: the permitted value {value!r} is no {text(column.data, 'logicalType')}"
            yield Fault(place, message, "write it as the type wants it", code="wrong-type")
    yield from _outside_options(column, name, values, "enum")
    yield from _examples(column, name, kinds)
    known = [value for _, value in values]
    examples = column.data.get("examples")
    given = list(enumerate(examples)) if isinstance(examples, list) else []
    if known:
        for number, value in given:
            if value not in known and not isinstance(value, dict | list):
                message = f"{name}: the example {value!r} is not among the permitted values"
                yield Fault(
                    (*column.path, "examples", number), message, code="wrong-example", severity="warning"
                )


_NEVER = re.compile(r"(?!)")
_READS = {
    "integer": re.compile(r"[-+]?[\d_,]+"),
    "number": re.compile(r"[-+]?[\d_,]*\.?\d*([eE][-+]?\d+)?"),
    "boolean": re.compile(r"true|false|yes|no|0|1|t|f|y|n", re.IGNORECASE),
}


def _examples(column: Column, name: str, kinds: tuple[type, ...] | None) -> Iterator[Fault]:
    """Yield examples that are no values of the column: of another type, or outside its options."""
    examples = column.data.get("examples")
    given = [(n, v) for n, v in enumerate(examples if isinstance(examples, list) else ()) if v is not None]
    logical = text(column.data, "logicalType")
    for number, value in given:
        # Many write every example as text.
        written = isinstance(value, str) and _READS.get(logical, _NEVER).fullmatch(value) is not None
        timed = isinstance(value, str) and logical in ("date", "timestamp", "time") and _moment(value) is None
        formatted = isinstance(column.data.get("logicalTypeOptions"), dict) and (
            "format" in column.data["logicalTypeOptions"]
        )
        if (kinds and not written and not _is_of(value, kinds)) or (timed and not formatted):
            message = f"{name}: the example {str(value)[:40]!r} is no {logical}"
            place = (*column.path, "examples", number)
            yield Fault(place, message, code="wrong-example", severity="warning")
    for fault in _outside_options(column, name, given, "examples"):
        message = fault.message.replace("the permitted value", "the example")
        yield Fault(fault.path[:-1], message, code="wrong-example", severity="warning")


def _is_of(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, float) and int in kinds and value.is_integer():
        return True
    return isinstance(value, kinds)


def _outside_options(column: Column, name: str, values: list[tuple[int, Any]], what: str) -> Iterator[Fault]:
    options = column.data.get("logicalTypeOptions")
    if not isinstance(options, dict):
        return
    for number, value in values:
        why = ""
        if isinstance(value, str):
            shortest, longest = options.get("minLength"), options.get("maxLength")
            if is_number(shortest) and len(value) < shortest:
                why = f"shorter than minLength {shortest}"
            elif is_number(longest) and len(value) > longest:
                why = f"longer than maxLength {longest}"
        elif is_number(value):
            low, low_key, low_open = _end(options, "minimum", "exclusiveMinimum", max)
            high, high_key, high_open = _end(options, "maximum", "exclusiveMaximum", min)
            if isinstance(low, float) and (value < low or (value == low and low_open)):
                why = f"below {low_key} {options[low_key]}"
            elif isinstance(high, float) and (value > high or (value == high and high_open)):
                why = f"above {high_key} {options[high_key]}"
        if why:
            place = (*column.path, what, number, "value")
            yield Fault(place, f"{name}: the permitted value {value!r} is {why}", code="contradiction")


def _physical(column: Column, name: str) -> Iterator[Fault]:
    """Yield bounds and values that the physical type cannot hold."""
    physical = " ".join(text(column.data, "physicalType").lower().split())
    if not physical:
        return
    yield from _another_kind(column, name, physical)
    spans = _holds(physical)
    length = _length(physical)
    for place, value in _wanted(column):
        # A bound that is excluded may be one beyond.
        beyond = 1 if str(place[-1]).startswith("exclusive") else 0
        if spans is not None and is_number(value) and not spans[0] - beyond <= value <= spans[1] + beyond:
            message = (
                f"{name}: {text(column.data, 'physicalType')} cannot hold {value} (it holds {_shown(spans)})"
            )
            hint = "choose a larger type, or correct the bound"
            yield Fault(place, message, hint, code="range-beyond-type")
        elif length is not None and isinstance(value, str) and len(value) > length:
            kind = text(column.data, "physicalType")
            message = f"{name}: {kind} cannot hold {value[:40]!r}, which has {len(value)} characters"
            yield Fault(place, message, "choose a longer type", code="range-beyond-type")
    options = column.data.get("logicalTypeOptions")
    if length is None or not isinstance(options, dict):
        return
    for key in ("minLength", "maxLength"):
        if is_number(options.get(key)) and options[key] > length:
            place = (*column.path, "logicalTypeOptions", key)
            message = f"{name}: {key} {options[key]} is more than {text(column.data, 'physicalType')} holds"
            yield Fault(place, message, "choose a longer type, or correct it", code="range-beyond-type")


_KINDRED = ({"integer", "number"}, {"object", "map"}, {"array", "vector"}, {"date", "timestamp"})


def _another_kind(column: Column, name: str, physical: str) -> Iterator[Fault]:
    """Yield a logical type that the physical type is not; text can hold anything, and a type nobody knows too."""
    from factory.odcs.types import is_known, logical_fields

    logical = text(column.data, "logicalType")
    if not logical or not is_known(physical):
        return
    implied = logical_fields(physical)
    found = implied["logicalType"]
    kindred = any({logical, found} <= kinds for kinds in _KINDRED)
    if found not in (logical, "string") and not kindred:
        message = f"{name}: {text(column.data, 'physicalType')} is {found}, and the logicalType is {logical}"
        hint = "correct one of the two"
        yield Fault((*column.path, "logicalType"), message, hint, code="type-mismatch", severity="warning")
    options = column.data.get("logicalTypeOptions")
    stated = _BITS.fullmatch(text(options, "format")) if isinstance(options, dict) else None
    held = _holds(physical)
    if stated and held is not None and isinstance(held[0], int):
        wanted = _whole_range(int(stated[2]), unsigned=stated[1] == "u")
        if wanted[0] < held[0] or wanted[1] > held[1]:
            message = f"{name}: {text(column.data, 'physicalType')} does not hold all of {stated[0]}"
            place = (*column.path, "logicalTypeOptions", "format")
            hint = "choose a larger type, or another format"
            yield Fault(place, message, hint, code="range-beyond-type", severity="warning")
    step = options.get("multipleOf") if isinstance(options, dict) else None
    sized = _SIZED.fullmatch(physical)
    if is_number(step) and step > 0 and sized and sized[1] in _PRECISE[:4]:
        places = int(sized[3] or 0)
        if round(step * 10**places, 9) != int(round(step * 10**places, 9)):
            message = f"{name}: {text(column.data, 'physicalType')} does not hold multiples of {step}"
            place = (*column.path, "logicalTypeOptions", "multipleOf")
            yield Fault(place, message, "choose a type with more decimals", code="range-beyond-type")


def _shown(spans: tuple[float, float]) -> str:
    return " to ".join(f"{end:,}" if isinstance(end, int) else f"{end:g}" for end in spans)


def _holds(physical: str) -> tuple[float, float] | None:
    """Return the least and the greatest number that a type holds, or None where that is not known."""
    words = physical.split()
    unsigned = "unsigned" in words
    plain = " ".join(word for word in words if word not in ("unsigned", "signed", "zerofill", "not", "null"))
    plain = re.sub(r"^(tinyint|smallint|mediumint|int|integer|bigint)\s*\(\d+\)$", r"\1", plain)
    if plain in _INTEGERS:
        return _whole_range(_INTEGERS[plain], unsigned=unsigned)
    if plain in _UNSIGNED:
        return _whole_range(_UNSIGNED[plain], unsigned=True)
    sized = _SIZED.fullmatch(plain)
    if not sized or sized[1] not in _PRECISE:
        return None
    if sized[1] in ("float", "double", "real") and sized[3] is None:
        return None  # float(53) counts bits, not digits
    digits, scale = int(sized[2]), int(sized[3] or 0)
    if digits > 300 or scale > digits:
        return None
    most = float(10**digits - 1) / 10**scale if scale >= 0 else float((10**digits - 1) * 10**-scale)
    return (0.0 if unsigned else -most), most


def _length(physical: str) -> int | None:
    sized = _SIZED.fullmatch(physical)
    return int(sized[2]) if sized and sized[1] in _LENGTHS and sized[3] is None else None


def _wanted(column: Column) -> Iterator[tuple[Path_, Any]]:
    """Yield the values that the column has to be able to hold: bounds, permitted values, bounds of rules."""
    options = column.data.get("logicalTypeOptions")
    if isinstance(options, dict):
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            yield (*column.path, "logicalTypeOptions", key), options.get(key)
    for number, entry in items(column.data, "enum"):
        yield (*column.path, "enum", number, "value"), entry.get("value")
    for path, rule in rules(column.path, column.data):
        arguments = rule.get("arguments")
        valid = arguments.get("validValues") if isinstance(arguments, dict) else None
        for number, value in enumerate(valid if isinstance(valid, list) else ()):
            yield (*path, "arguments", "validValues", number), value
        implementation = rule.get("implementation")
        if isinstance(implementation, dict):
            for keys, value in _bounds_in(implementation):
                yield (*path, "implementation", *keys), value
        for number, entry in items(rule, "customProperties"):
            if text(entry, "property") in (*_LOWER, *_UPPER):
                yield (*path, "customProperties", number, "value"), entry.get("value")


def _bounds_in(values: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        if key in (*_LOWER, *_UPPER):
            yield (key,), value
        elif isinstance(value, dict) and depth < 3:
            yield from (((key, *inner), found) for inner, found in _bounds_in(value, depth + 1))
