"""Read one check of SodaCL as far as its meaning is plain: a metric, its columns, its conditions and its threshold.

Takes the text of a check under its heading; gives a `Check`. What is not understood exactly gives nothing: filters of
partitions, variables, formats, changes over time, a check that both warns and fails.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.documents import parse_yaml
from factory.errors import DocumentError
from factory.odcs.intervals import EVERYTHING, Span, Spans, complement, intersect


@dataclass(frozen=True, slots=True)
class Check:
    """A check of SodaCL.

    Attributes:
        table: of the heading; empty where the check stands alone.
        metric: as SodaCL calls it; `failed rows`, or `exist` for values that must exist elsewhere.
        columns: without quotes.
        accepted: the measurements with which it neither warns nor fails.
        where: its filter, or empty.
        missing, valid_values, pattern, range, length: what counts as missing or valid.
        condition: of failed rows.
        target, target_columns: where values must exist.
    """

    table: str
    metric: str
    columns: tuple[str, ...]
    accepted: Spans
    where: str = ""
    missing: tuple[Any, ...] = ()
    valid_values: tuple[Any, ...] = ()
    pattern: str = ""
    range: Span | None = None
    length: Span | None = None
    condition: str = ""
    target: str = ""
    target_columns: tuple[str, ...] = ()


#: The metrics that are one number of a column or of the rows.
METRICS = (
    "row_count", "missing_count", "missing_percent", "invalid_count", "invalid_percent", "duplicate_count",
    "duplicate_percent", "min", "max", "avg", "sum", "min_length", "max_length", "avg_length", "stddev", "stddev_pop",
    "stddev_samp", "variance", "var_pop", "var_samp",
)  # fmt: skip

# What may stand beside a threshold without a word about what is measured.
_ABOUT = {"name", "identity", "attributes", "samples limit", "samples columns", "warn", "fail", "filter"}
_VALID = {"valid values", "valid regex", "valid min", "valid max", "valid length", "valid min length",
          "valid max length"}  # fmt: skip

_HEADING = re.compile(r"checks for (?!each\b)([^\[]+?)\s*")
_TEXT = re.compile(r"(\w+)(?:\((.*)\))?(?:\s(.+))?")
_EXIST = re.compile(r"values in \(?([^()]+?)\)? must exist in (\S+) \(?([^()]+?)\)?")


def check_in(written: Any) -> Check | None:
    """Return the check in a text under its heading, or without one; None where it is not one that is understood."""
    if isinstance(written, str):
        if "${" in written:
            return None
        try:
            written = parse_yaml(written, Path("check.yml")).data
        except DocumentError:
            return None
    table = ""
    if isinstance(written, Mapping) and len(written) == 1:
        ((key, value),) = written.items()
        heading = _HEADING.fullmatch(str(key))
        if heading:
            table, written = heading[1].strip('"'), value
    if isinstance(written, list):
        if len(written) != 1:
            return None
        written = written[0]
    text, options = written, None
    if isinstance(written, Mapping) and len(written) == 1:
        ((text, options),) = written.items()
    if not isinstance(text, str) or not isinstance(options, Mapping | None):
        return None
    return _check(table, text.strip(), options or {})


def _check(table: str, text: str, options: Mapping[str, Any]) -> Check | None:
    if text == "failed rows":
        condition = options.get("fail condition")
        if not isinstance(condition, str) or set(options) - {*_ABOUT, "fail condition"}:
            return None
        if "filter" in options:
            return None
        spans = _judged("", options) if {"warn", "fail"} & set(options) else (Span(0, False, 0, False),)
        return Check(table, text, (), spans, condition=condition) if spans is not None else None
    if found := _EXIST.fullmatch(text):
        if set(options) - {"name", "attributes", "samples limit", "samples columns", "identity"}:
            return None
        return Check(table, "exist", _names(found[1]), (Span(0, False, 0, False),),
                     target=_bare(found[2]), target_columns=_names(found[3]))  # fmt: skip
    found = _TEXT.fullmatch(text)
    if not found or found[1] not in METRICS:
        return None
    columns = _names(found[2] or "")
    spans = _judged(found[3] or "", options)
    if spans is None or (found[1] == "row_count") == bool(columns):
        return None
    if len(columns) > 1 and not found[1].startswith("duplicate"):
        return None
    return _measuring(Check(table, found[1], columns, spans, str(options.get("filter") or "")), options)


def _measuring(check: Check, options: Mapping[str, Any]) -> Check | None:
    """Return the check with what counts as missing or valid; None where that is not understood."""
    known = set(_ABOUT)
    if check.metric.startswith("missing"):
        known.add("missing values")
    elif check.metric.startswith("invalid"):
        known |= _VALID
    if set(options) - known:
        return None
    values = {key: options.get(key) or () for key in ("missing values", "valid values")}
    if not all(isinstance(each, list | tuple) for each in values.values()):
        return None
    numbers = {key: options.get(key) for key in _VALID - {"valid values", "valid regex"}}
    if not all(value is None or _is_number(value) for value in numbers.values()):
        return None
    lengths = _span(numbers["valid min length"], numbers["valid max length"])
    exactly = numbers["valid length"]
    if exactly is not None:
        both = intersect((Span(exactly, False, exactly, False),), (lengths,) if lengths else EVERYTHING)
        if not both:
            return None
        lengths = both[0]
    return Check(
        check.table,
        check.metric,
        check.columns,
        check.accepted,
        check.where,
        tuple(values["missing values"]),
        tuple(values["valid values"]),
        str(options.get("valid regex") or ""),
        _span(numbers["valid min"], numbers["valid max"]),
        lengths,
    )


def _span(low: Any, high: Any) -> Span | None:
    if low is None and high is None:
        return None
    ends = -math.inf if low is None else low, math.inf if high is None else high
    return Span(ends[0], math.isinf(ends[0]), ends[1], math.isinf(ends[1]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# Thresholds


def _judged(threshold: str, options: Mapping[str, Any]) -> Spans | None:
    """Return what a check accepts: by its threshold, or by what it warns or fails at; None where it does both."""
    if threshold:
        return None if {"warn", "fail"} & set(options) else threshold_spans(threshold)
    ats = [options[key] for key in ("warn", "fail") if key in options]
    if len(ats) != 1 or not isinstance(ats[0], str) or not ats[0].startswith("when "):
        return None
    bad = threshold_spans(ats[0].removeprefix("when ").strip())
    return complement(bad) if bad is not None else None


_NUMBER = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))%?"
_COMPARISON = re.compile(rf"(!=|<>|<=|>=|=|<|>)\s*{_NUMBER}")
_BETWEEN = re.compile(rf"(not )?between\s+([(\[]?)\s*{_NUMBER}\s+and\s+{_NUMBER}\s*([)\]]?)")


def threshold_spans(text: str) -> Spans | None:
    """Return the numbers that a threshold of SodaCL means; None for one that compares no numbers."""
    if found := _COMPARISON.fullmatch(text):
        number = float(found[2])
        below, at, above = (
            Span(-math.inf, True, number, True),
            Span(number, False, number, False),
            Span(number, True, math.inf, True),
        )
        return {
            "=": (at,),
            "!=": (below, above),
            "<>": (below, above),
            "<": (below,),
            "<=": (Span(-math.inf, True, number, False),),
            ">": (above,),
            ">=": (Span(number, False, math.inf, True),),
        }[found[1]]
    if found := _BETWEEN.fullmatch(text):
        inside = Span(float(found[3]), found[2] == "(", float(found[4]), found[5] == ")")
        spans = () if inside.is_empty else (inside,)
        return complement(spans) if found[1] else spans
    return None


def _names(text: str) -> tuple[str, ...]:
    return tuple(_bare(found) for found in re.findall(r'"[^"]+"|[^\s,]+', text))


def _bare(name: str) -> str:
    return name.strip().strip('"')
