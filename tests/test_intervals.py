"""What the operators of a rule accept, held against every number that can be tried."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from builders import PROPERTY
from hypothesis import given
from hypothesis import strategies as st

from factory.odcs.intervals import (
    COUNTS,
    EVERYTHING,
    PERCENTS,
    Spans,
    accepted,
    complement,
    covers,
    intersect,
    whole,
)

# Goals are whole or halves; quarters lie between any two of them, so that every side of every end is tried.
GOALS = st.integers(-8, 8).map(lambda n: n / 2 if n % 2 else n // 2)
TRIED = [Fraction(n, 4) for n in range(-24, 25)]
WHOLE = range(-20, 21)

# Each operator as a person says it, apart from the code.
OPERATORS: dict[str, Callable[[Fraction, Any], bool]] = {
    "mustBe": lambda x, goal: x == goal,
    "mustNotBe": lambda x, goal: x != goal,
    "mustBeGreaterThan": lambda x, goal: x > goal,
    "mustBeGreaterOrEqualTo": lambda x, goal: x >= goal,
    "mustBeLessThan": lambda x, goal: x < goal,
    "mustBeLessOrEqualTo": lambda x, goal: x <= goal,
    "mustBeBetween": lambda x, goal: min(goal) < x < max(goal),
    "mustNotBeBetween": lambda x, goal: not min(goal) < x < max(goal),
}
RULES = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(GOALS, min_size=2, max_size=2) if name.endswith("Between") else GOALS
        for name in OPERATORS
    },
).filter(bool)
SPANS = RULES.map(lambda rule: accepted(rule) or ())


def inside(x: Fraction | int, spans: Spans) -> bool:
    """Say whether a number is in one of the spans, by their ends alone."""
    return any(
        (span.low < x or (span.low == x and not span.open_low))
        and (x < span.high or (x == span.high and not span.open_high))
        for span in spans
    )


@PROPERTY
@given(RULES)
def test_a_number_is_accepted_if_every_operator_holds(rule: dict[str, Any]) -> None:
    spans = accepted(rule)
    assert spans is not None
    for x in TRIED:
        assert inside(x, spans) == all(OPERATORS[name](x, goal) for name, goal in rule.items()), x


@PROPERTY
@given(SPANS, SPANS)
def test_an_intersection_has_what_is_in_both(one: Spans, other: Spans) -> None:
    both = intersect(one, other)
    for x in TRIED:
        assert inside(x, both) == (inside(x, one) and inside(x, other)), x
    assert both == tuple(sorted(both))
    assert both == intersect(other, one)
    assert not any(span.is_empty for span in both)
    assert intersect(both, EVERYTHING) == both


@PROPERTY
@given(SPANS)
def test_a_number_is_in_a_set_or_in_its_complement(one: Spans) -> None:
    assert all(inside(x, one) != inside(x, complement(one)) for x in TRIED)
    assert complement(complement(one)) == one


@PROPERTY
@given(SPANS, SPANS)
def test_one_covers_another_if_it_has_all_its_numbers(one: Spans, other: Spans) -> None:
    assert covers(one, other) == all(inside(x, one) for x in TRIED if inside(x, other))
    assert covers(EVERYTHING, one)
    assert covers(one, intersect(one, other))


@PROPERTY
@given(SPANS)
def test_whole_numbers_stay_as_they_are(spans: Spans) -> None:
    narrowed = whole(spans)
    for x in WHOLE:
        assert inside(x, narrowed) == inside(x, spans), x
    assert whole(narrowed) == narrowed


@PROPERTY
@given(SPANS, SPANS)
def test_spans_of_the_same_whole_numbers_are_the_same(one: Spans, other: Spans) -> None:
    alike = all(inside(x, one) == inside(x, other) for x in WHOLE)
    assert (whole(one) == whole(other)) == alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"mustBe": 0}, {"mustBeLessThan": 1}),
        ({"mustBeGreaterThan": 0}, {"mustBeGreaterOrEqualTo": 1}),
        ({"mustBeGreaterThan": 0}, {"mustNotBe": 0}),
        ({"mustBeBetween": [0, 2]}, {"mustBe": 1}),
        ({"mustBeBetween": [5, 1]}, {"mustBeBetween": [1, 5]}),
        ({"mustBeLessThan": 2.5}, {"mustBeLessOrEqualTo": 2}),
    ],
)
def test_rules_that_accept_the_same_counts_are_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    counts = [whole(intersect(accepted(rule) or (), COUNTS)) for rule in (one, other)]
    assert counts[0] == counts[1]
    assert counts[0]


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"metric": "nullValues"},
        {"mustBe": "x"},
        {"mustBe": True},
        {"mustBe": None},
        {"mustBeBetween": [1]},
        {"mustBeBetween": [1, 2, 3]},
        {"mustBeBetween": ["a", "b"]},
        {"mustBeBetween": 1},
        {"mustBe": 1, "mustBeLessThan": "x"},
        {"mustBeAnything": 1},
    ],
)
def test_what_compares_no_numbers_accepts_none_that_can_be_told(rule: dict[str, Any]) -> None:
    assert accepted(rule) is None


def test_shares_and_counts_are_what_they_are() -> None:
    assert [x for x in (-1, 0, 50, 100, 101) if inside(x, PERCENTS)] == [0, 50, 100]
    assert [x for x in (-1, 0, 10**9) if inside(x, COUNTS)] == [0, 10**9]
    assert covers(COUNTS, PERCENTS)
    assert not covers(PERCENTS, COUNTS)
