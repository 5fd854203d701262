"""Whether a change of what values may be loosens or tightens a promise.

Takes the old and the new value; gives who is hit: consumers where something may come now that could not before,
the producer where something may not come any more that could.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from factory.odcs.compare.change import BREAKING, COMPATIBLE
from factory.odcs.intervals import COUNTS, PERCENTS, Spans, accepted, covers, intersect, whole


class Sides(NamedTuple):
    """What a change means for consumers and for the producer."""

    consumer: str
    producer: str
    words: str


LOOSER = Sides(BREAKING, COMPATIBLE, "it promises less than before")
TIGHTER = Sides(COMPATIBLE, BREAKING, "it promises more than before")
OTHER = Sides(BREAKING, BREAKING, "it promises something else than before")
SAME = Sides(COMPATIBLE, COMPATIBLE, "")

_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}


def option_sides(key: str, old: Any, new: Any) -> Sides:
    """Return what a change of one of the `logicalTypeOptions` means."""
    if old is None:
        return SAME if key in ("timezone", "defaultTimezone", "distanceMetric", "embeddingModel") else TIGHTER
    if new is None:
        return LOOSER
    if key == "format":
        return _formats(str(old), str(new))
    if key == "uniqueItems":
        return TIGHTER if new else LOOSER
    if key in _LOWER | _UPPER and type(old) in (int, float, str) and type(old) is type(new):
        return LOOSER if (new < old) == (key in _LOWER) else TIGHTER
    if key == "multipleOf" and isinstance(old, int) and isinstance(new, int) and old and new:
        return TIGHTER if new % old == 0 else LOOSER if old % new == 0 else OTHER
    if key == "required" and isinstance(old, list) and isinstance(new, list):
        return _sets({str(v) for v in new}, {str(v) for v in old})
    return OTHER


def _sets(new: set[str], old: set[str]) -> Sides:
    """Compare sets of demands: more of them promise more."""
    return TIGHTER if new > old else LOOSER if new < old else OTHER


def _formats(old: str, new: str) -> Sides:
    one, other = (re.fullmatch(r"([iuf])(\d+)", text) for text in (old, new))
    if one and other and one[1] == other[1]:
        return LOOSER if int(other[2]) > int(one[2]) else TIGHTER
    return OTHER


def value_sides(old: set[str], new: set[str]) -> Sides:
    """Return what it means that other values are permitted."""
    return LOOSER if new > old else TIGHTER if new < old else OTHER


# How much a type holds, within a family; a larger type of the same family holds all that a smaller one does.
_FAMILIES = (
    ("tinyint", "smallint", "mediumint", "integer", "bigint", "hugeint"),
    ("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    ("real", "float", "double"),
    ("date", "timestamp"),
)
_LOGICAL = (("integer", "number"), ("date", "timestamp"))


def type_sides(old: str | None, new: str | None) -> Sides:
    """Return what another type means: a wider one may hold what consumers cannot take."""
    if old is None or new is None:
        return LOOSER if new is None else SAME
    for family in (*_FAMILIES, *_LOGICAL):
        if old in family and new in family:
            return _WIDER if family.index(new) > family.index(old) else _NARROWER
    one, other = (re.fullmatch(r"([a-z ]+?)\((\d+)(?:,(\d+))?\)", text) for text in (old, new))
    if one and other and one[1] == other[1]:
        whole_old, whole_new = (int(m[2]) - int(m[3] or 0) for m in (one, other))
        scale_old, scale_new = (int(m[3] or 0) for m in (one, other))
        if whole_new >= whole_old and scale_new >= scale_old:
            return _WIDER
        if whole_new <= whole_old and scale_new <= scale_old:
            return _NARROWER
        return _ANOTHER
    if one and new == one[1]:
        return _WIDER
    if other and old == other[1]:
        return _NARROWER
    return _ANOTHER


_WIDER = Sides(BREAKING, COMPATIBLE, "the type is wider: values may come that consumers cannot hold")
_NARROWER = Sides(COMPATIBLE, BREAKING, "the type is narrower: the producer may have values that do not fit")
_ANOTHER = Sides(BREAKING, BREAKING, "the type is another one")


def accepted_numbers(rule: Mapping[str, Any]) -> Spans | None:
    """Return the measurements that a quality rule accepts, whole numbers where it counts."""
    spans = accepted(rule)
    if spans is None:
        return None
    kind = rule.get("type") or "library"
    if kind == "library" and str(rule.get("unit") or "rows").lower() not in ("percent", "%"):
        return whole(intersect(spans, COUNTS))
    if kind == "library":
        return intersect(spans, PERCENTS)
    return spans


def threshold_sides(old: Spans | None, new: Spans | None) -> Sides:
    """Return what other thresholds of a rule mean."""
    if old is None or new is None:
        return OTHER
    if old == new:
        return SAME
    if covers(new, old):
        return LOOSER
    return TIGHTER if covers(old, new) else OTHER
