"""What people see: the summary of a run, progress, and text from others that cannot steer a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from factory.errors import FactoryError, Problems
from factory.questions.tables import plain, table
from factory.report import ProgressLine, error_as_json, error_as_text, run_as_json, run_as_text
from factory.results import Count, ProductOutcome, ProductResult, Run
from factory.workspace import Workspace

ORDERS = ProductResult(
    name="orders",
    domain="trade",
    archetype="source-aligned",
    outcome=ProductOutcome.CERTIFIED,
    version="1.0.0",
    tests=Count(3, 3),
    checks=Count(1, 2),
    columns=Count(5, 5),
    contracts=("orders 1.0.0",),
    seconds=1.25,
    published=True,
)
REFUSED = replace(
    ORDERS, name="sales", outcome=ProductOutcome.REFUSED, reasons=("a reason",) * 12, exit_code=1
)


def test_the_summary_has_a_row_per_product_and_every_fact(tmp_path: Path) -> None:
    text = run_as_text(Run((ORDERS,), published=True), Workspace(tmp_path), color=False)
    head, row = text.splitlines()[:2]
    assert head.split() == [
        "product",
        "archetype",
        "version",
        "tests",
        "checks",
        "columns",
        "contract",
        "outcome",
        "seconds",
    ]
    assert row.split() == [
        "✓",
        "orders",
        "source-aligned",
        "1.0.0",
        "3",
        "1",
        "of",
        "2",
        "5",
        "orders",
        "certified",
        "1.2",
    ]


def test_reasons_stand_below_the_rows_ten_at_most(tmp_path: Path) -> None:
    text = run_as_text(Run((ORDERS, REFUSED), published=True), Workspace(tmp_path), color=False)
    assert "sales, why not:" in text
    assert text.count("- a reason") == 10
    assert "… and 2 more" in text


@pytest.mark.parametrize("width", [80, 60])
def test_a_narrow_terminal_gets_fewer_columns_and_never_a_broken_row(tmp_path: Path, width: int) -> None:
    rows = (replace(ORDERS, name="a_product_with_a_name"), REFUSED)
    lines = run_as_text(Run(rows, published=True), Workspace(tmp_path), color=False, width=width).splitlines()
    assert max(map(len, lines[:3])) <= width
    assert "outcome" in lines[0]
    assert "certified" in lines[1]


def test_a_long_reason_is_broken_at_words_on_a_terminal_and_is_one_line_elsewhere(tmp_path: Path) -> None:
    reason = "the contract has changed: " + " ".join(f"orders.column_{n} removed (major);" for n in range(9))
    run = Run((replace(REFUSED, reasons=(reason,)),), published=True)
    lines = run_as_text(run, Workspace(tmp_path), color=False, width=80).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("  - "))
    assert max(map(len, lines)) <= 80
    assert lines[at + 1].startswith("    ")
    assert f"  - {reason}" in run_as_text(run, Workspace(tmp_path), color=False).splitlines()


def test_an_empty_workspace_is_told_from_an_unchanged_one(tmp_path: Path) -> None:
    ws = Workspace(tmp_path)
    assert "products/ is empty" in run_as_text(Run((), published=True), ws, color=False)
    (ws.products / "orders").mkdir(parents=True)
    assert "none of those chosen has changed" in run_as_text(Run((), published=True), ws, color=False)


def test_the_gravest_exit_code_counts() -> None:
    assert Run((), published=True).exit_code == 0
    assert Run((ORDERS, REFUSED), published=True).exit_code == 1
    assert Run((replace(REFUSED, exit_code=4), replace(REFUSED, exit_code=2)), published=True).exit_code == 4


def test_json_has_the_same_facts() -> None:
    (product,) = run_as_json(Run((ORDERS,), published=True))["products"]
    assert product["checks"] == {"passed": 1, "total": 2}
    assert product["outcome"] == "certified"


def test_text_from_others_cannot_steer_a_terminal() -> None:
    assert plain("a\x1b[31mb\x07\r\u202ec\nd") == "a [31mb   c\nd"
    error = FactoryError("bad \x1b]0;title\x07 name", where=Path("x"), line=3, hint="mend\x1b it")
    assert "\x1b" not in error_as_text(error)


def test_an_error_says_where_what_and_what_next(tmp_path: Path) -> None:
    error = FactoryError("it is wrong", where=tmp_path / "a/b.yml", line=7, hint="mend it")
    assert error_as_text(error, tmp_path) == "error: a/b.yml:7: it is wrong\n  → mend it"
    both = Problems((error, FactoryError("another")))
    assert error_as_text(both, tmp_path).count("error: ") == 2
    assert [e["place"] for e in error_as_json(both, tmp_path)["errors"]] == ["a/b.yml:7", ""]


def test_progress_elsewhere_than_on_a_terminal_is_a_line_per_stage_and_product() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    line("parse", "2 products")
    for node in ("model.orders.a success", "model.orders.b success", "model.sales.c success"):
        line("build", node)
    line("certify", "orders")
    line.done()
    assert stream.getvalue().splitlines() == [
        "parse 2 products",
        "build orders",
        "build sales",
        "certify orders",
    ]


def test_progress_on_a_terminal_is_one_line_that_is_cleared() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, enabled=True)
    line("parse", "2 products")
    line.done()
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[2K")


def test_a_table_is_as_wide_as_its_cells() -> None:
    assert table(("a", "b"), [("xxx", "1"), ("y", "22")], right={1}) == ["a     b", "xxx   1", "y    22"]
