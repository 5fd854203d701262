"""The quality score: worked by hand, and what must hold of every score."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.dimensions import DIMENSIONS
from factory.score import score_of, scores_of


def check(
    outcome: str = "pass", dimension: str = "accuracy", severity: str = "error", **more: Any
) -> dict[str, Any]:
    return {"name": "a rule", "outcome": outcome, "dimension": dimension, "severity": severity, **more}


@pytest.mark.parametrize(
    ("checks", "score"),
    [
        ([check()], 100),
        ([check("fail")], 0),
        ([check("error")], 0),
        ([check("not run")], 0),
        ([check("warn")], 50),
        ([check("warn", severity="warning")], 0),
        ([check(), check("fail")], 50),
        ([check(), check("warn", severity="warning")], 75),  # 3 of 4
        ([check(), check("fail", "uniqueness")], 50),
        (
            [*[check()] * 99, check("fail", "uniqueness")],
            50,
        ),  # a hundred of one do not outweigh the one of another
        ([check("fail"), check("pass", "coverage"), check("pass", "timeliness")], 66.6),
        (
            [check(), *[check()] * 1999, check("warn", severity="warning")],
            99.9,
        ),  # nothing less than perfect is 100
    ],
)
def test_the_score_is_worked_by_hand(checks: list[dict[str, Any]], score: float) -> None:
    assert score_of(checks).rounded == score


def test_dimensions_count_by_their_weights() -> None:
    checks = [check("fail"), check("pass", "coverage")]
    assert score_of(checks, {"coverage": 3}).rounded == 75
    assert score_of(checks, {"accuracy": 0}).rounded == 100
    assert score_of(checks, {"accuracy": 0, "coverage": 0}).rounded is None


def test_nothing_measured_is_no_score() -> None:
    assert score_of([]).rounded is None and score_of([]).words() == "not measured"
    assert score_of([check("not run", counts=False)]).rounded is None


def test_what_costs_points_adds_up_to_what_is_missing() -> None:
    checks = [check("fail", name="dear"), check(), check("warn", "coverage", name="cheap")]
    score = score_of(checks)
    assert [(loss.name, round(loss.points, 2)) for loss in score.losses] == [("cheap", 25), ("dear", 25)]
    assert score.value == pytest.approx(100 - sum(loss.points for loss in score.losses))


def test_tables_contracts_and_products_have_scores_of_their_own() -> None:
    checks = [
        check(contract="shop/1", table="orders"),
        check("fail", contract="shop/1", table="lines"),
        check("fail", contract="", table="staged"),
    ]
    assert scores_of(checks) == {
        "product": 33.3, "contracts": {"shop/1": 50.0}, "tables": {"lines": 0.0, "orders": 100.0},
    }  # fmt: skip


rows = st.lists(
    st.builds(
        check,
        st.sampled_from(["pass", "warn", "fail", "error", "not run"]),
        st.sampled_from(DIMENSIONS),
        st.sampled_from(["error", "warning"]),
    ),
    min_size=1,
    max_size=30,
)


@given(rows)
def test_a_score_is_between_none_and_all_and_its_losses_explain_it(checks: list[dict[str, Any]]) -> None:
    score = score_of(checks)
    assert score.value is not None and 0 <= score.value <= 100.0000001
    assert score.value == pytest.approx(100 - sum(loss.points for loss in score.losses), abs=1e-6)
    assert (score.rounded == 100) is all(row["outcome"] == "pass" for row in checks)


@given(rows, st.data())
def test_a_check_that_gets_better_never_costs_more(checks: list[dict[str, Any]], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(checks) - 1))
    better = [{**row, "outcome": "pass"} if n == number else row for n, row in enumerate(checks)]
    assert (score_of(better).value or 0) >= (score_of(checks).value or 0) - 1e-9
