"""What the operators of a quality rule accept, as sets of numbers.

Takes a rule's operators; gives the numbers that it accepts, so that rules can be compared by their effect and not
by their words: `mustBe: 0` and `mustBeLessThan: 1` accept the same counts.
`mustBeBetween` is exclusive at both ends, as the standard's text has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INFINITE = math.inf


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Numbers from `low` to `high`; `open_low` and `open_high` say that the end itself is not among them."""

    low: float
    open_low: bool
    high: float
    open_high: bool

    @property
    def is_empty(self) -> bool:
        """No number is in it."""
        return self.low > self.high or (self.low == self.high and (self.open_low or self.open_high))


Spans = tuple[Span, ...]
EVERYTHING: Spans = (Span(-_INFINITE, True, _INFINITE, True),)
COUNTS: Spans = (Span(0, False, _INFINITE, True),)
PERCENTS: Spans = (Span(0, False, 100, False),)


def accepted(rule: Mapping[str, Any]) -> Spans | None:
    """Return the numbers that all operators of a rule accept; None if it has none, or one that compares no numbers."""
    found: Spans | None = None
    for operator, goal in rule.items():
        spans = spans_of(operator, goal)
        if spans is None:
            if operator.startswith("must"):
                return None
            continue
        found = spans if found is None else intersect(found, spans)
    return found


def spans_of(operator: str, goal: Any) -> Spans | None:
    """Return the numbers that one operator accepts; None if it is no operator, or its goal is no number."""
    if operator in ("mustBeBetween", "mustNotBeBetween"):
        if not (isinstance(goal, list) and len(goal) == 2 and all(_is_number(end) for end in goal)):
            return None
        low, high = min(goal), max(goal)
        if low == high:  # nothing is between
            return () if operator == "mustBeBetween" else EVERYTHING
        if operator == "mustBeBetween":
            return (Span(low, True, high, True),)
        return Span(-_INFINITE, True, low, False), Span(high, False, _INFINITE, True)
    if not _is_number(goal):
        return None
    return {
        "mustBe": (Span(goal, False, goal, False),),
        "mustNotBe": (Span(-_INFINITE, True, goal, True), Span(goal, True, _INFINITE, True)),
        "mustBeGreaterThan": (Span(goal, True, _INFINITE, True),),
        "mustBeGreaterOrEqualTo": (Span(goal, False, _INFINITE, True),),
        "mustBeLessThan": (Span(-_INFINITE, True, goal, True),),
        "mustBeLessOrEqualTo": (Span(-_INFINITE, True, goal, False),),
    }.get(operator)


def contains(spans: Spans, value: Any) -> bool:
    """Say whether a number is in one of the spans."""
    return any(
        (span.low < value or (span.low == value and not span.open_low))
        and (value < span.high or (value == span.high and not span.open_high))
        for span in spans
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def intersect(one: Spans, other: Spans) -> Spans:
    """Return the numbers that are in both."""
    found = []
    for a in one:
        for b in other:
            low, open_low = max((a.low, a.open_low), (b.low, b.open_low))
            high, closed = min((a.high, not a.open_high), (b.high, not b.open_high))
            span = Span(low, open_low, high, not closed)
            if not span.is_empty:
                found.append(span)
    return tuple(sorted(found))


def whole(spans: Spans) -> Spans:
    """Return the spans narrowed to whole numbers, with ends that are whole and included."""
    found = []
    for span in spans:
        low = span.low
        if math.isfinite(low):
            low = math.floor(low) + 1 if span.open_low else math.ceil(low)
        high = span.high
        if math.isfinite(high):
            high = math.ceil(high) - 1 if span.open_high else math.floor(high)
        narrowed = Span(low, not math.isfinite(low), high, not math.isfinite(high))
        if not narrowed.is_empty:
            found.append(narrowed)
    return _joined(found)


def _joined(spans: list[Span]) -> Spans:
    """Join spans of whole numbers that follow each other without a gap."""
    found: list[Span] = []
    for span in sorted(spans):
        if not found or found[-1].high + 1 < span.low:
            found.append(span)
            continue
        last = found.pop()
        high, closed = max((last.high, not last.open_high), (span.high, not span.open_high))
        found.append(Span(last.low, last.open_low, high, not closed))
    return tuple(found)


def covers(one: Spans, other: Spans) -> bool:
    """Say whether every number of `other` is in `one`."""
    return intersect(one, other) == other


def complement(spans: Spans) -> Spans:
    """Return all numbers that are in none of the spans."""
    found = EVERYTHING
    for span in spans:
        around = (
            Span(-_INFINITE, True, span.low, not span.open_low),
            Span(span.high, not span.open_high, _INFINITE, True),
        )
        found = intersect(found, tuple(each for each in around if not each.is_empty))
    return found
