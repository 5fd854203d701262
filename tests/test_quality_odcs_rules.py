"""ODCS rules over real tables: what each metric counts, what each operator means, and what is not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import a_rule

from factory.quality import CheckResult, Outcome
from factory.quality.odcs import run_rules

ORDERS = """
create table orders as select * from (values
    (1, 10.0::double, 'paid', true,  date '2024-01-01', 'a@example.org'),
    (2, 20.0,         'open', false, null,              'b'),
    (2, null,         'paid', null,  date '2024-01-03', null),
    (4, 5.5,          '',     true,  date '2024-01-03', 'it''s')
) as t(id, amount, status, flag, day, "E mail")
"""


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    database = duckdb.connect()
    database.execute(ORDERS)
    database.execute("create table none as from orders limit 0")
    database.execute("set enable_external_access = false")
    yield database
    assert database.execute("select count(*) from orders").fetchone() == (4,), "no rule may change a table"
    database.close()


def run(connection: Any, definition: dict[str, Any], column: str = "", **rule: Any) -> CheckResult:
    (result,) = run_rules([a_rule(definition=definition, column=column, **rule)], connection)
    return result


def measured(connection: Any, definition: dict[str, Any], column: str = "", **rule: Any) -> float | None:
    return run(connection, {"mustNotBe": -1, **definition}, column, **rule).measured


# What is counted


@pytest.mark.parametrize(
    ("metric", "column", "arguments", "count"),
    [
        ("rowCount", "", {}, 4),
        ("nullValues", "amount", {}, 1),
        ("nullValues", "id", {}, 0),
        ("nullValues", "E mail", {}, 1),
        ("missingValues", "day", {}, 1),
        ("missingValues", "status", {"missingValues": ["", None]}, 1),
        ("missingValues", "amount", {"missingValues": [None]}, 1),
        ("missingValues", "status", {"missingValues": ["", "open"]}, 2),
        ("missingValues", "id", {"missingValues": [2, 9]}, 2),
        ("missingValues", "flag", {"missingValues": [False]}, 1),
        ("missingValues", "E mail", {"missingValues": ["it's", None]}, 2),
        ("invalidValues", "status", {"validValues": ["paid", "open"]}, 1),
        ("invalidValues", "status", {"validValues": ["paid"]}, 2),
        ("invalidValues", "id", {"validValues": [1, 4]}, 2),
        ("invalidValues", "flag", {"validValues": [True]}, 1),
        ("invalidValues", "day", {"validValues": ["2024-01-01"]}, 2),
        ("invalidValues", "E mail", {"pattern": r".+@.+\..+"}, 2),
        ("invalidValues", "E mail", {"pattern": "[a-z]"}, 2),
        ("invalidValues", "E mail", {"pattern": "it's", "validValues": ["it's", "b"]}, 2),
        ("duplicateValues", "id", {}, 2),
        ("duplicateValues", "status", {}, 2),
        ("duplicateValues", "day", {}, 2),
        ("duplicateValues", "", {"properties": ["day", "flag"]}, 0),
        ("duplicateValues", "", {"properties": ["id"]}, 2),
        ("duplicateValues", "id", {"properties": ["id", "status"]}, 0),
    ],
)
def test_a_metric_of_the_library_counts_rows(
    connection: Any, metric: str, column: str, arguments: dict[str, Any], count: int
) -> None:
    assert measured(connection, {"metric": metric, "arguments": arguments}, column) == count


@pytest.mark.parametrize("unit", ["percent", "Percent", "%"])
@pytest.mark.parametrize(
    ("metric", "column", "arguments", "share"),
    [
        ("nullValues", "amount", {}, 25),
        ("nullValues", "id", {}, 0),
        ("missingValues", "status", {"missingValues": ["", "open"]}, 50),
        ("invalidValues", "status", {"validValues": ["open"]}, 75),
        ("duplicateValues", "id", {}, 50),
    ],
)
def test_a_metric_counts_a_share_of_all_rows(
    connection: Any, unit: str, metric: str, column: str, arguments: dict[str, Any], share: float
) -> None:
    assert measured(connection, {"metric": metric, "arguments": arguments, "unit": unit}, column) == share


@pytest.mark.parametrize("metric", ["rowCount", "nullValues", "duplicateValues"])
def test_an_empty_table_has_nothing_at_fault(connection: Any, metric: str) -> None:
    assert measured(connection, {"metric": metric}, "" if metric == "rowCount" else "id", table="none") == 0


def test_the_old_name_of_a_metric_is_known(connection: Any) -> None:
    assert measured(connection, {"rule": "rowCount"}) == 4


# What is promised


@pytest.mark.parametrize(
    ("operator", "goal", "holds"),
    [
        ("mustBe", 4, True),
        ("mustBe", 4.0, True),
        ("mustBe", 5, False),
        ("mustNotBe", 5, True),
        ("mustNotBe", 4, False),
        ("mustBeGreaterThan", 3, True),
        ("mustBeGreaterThan", 4, False),
        ("mustBeGreaterOrEqualTo", 4, True),
        ("mustBeGreaterOrEqualTo", 5, False),
        ("mustBeLessThan", 5, True),
        ("mustBeLessThan", 4, False),
        ("mustBeLessOrEqualTo", 4, True),
        ("mustBeLessOrEqualTo", 3.9, False),
        ("mustBeBetween", [3, 5], True),
        ("mustBeBetween", [5, 3], True),
        ("mustBeBetween", [4, 5], False),
        ("mustBeBetween", [3, 4], False),
        ("mustNotBeBetween", [4, 5], True),
        ("mustNotBeBetween", [3, 5], False),
    ],
)
def test_an_operator_holds_or_does_not(connection: Any, operator: str, goal: Any, holds: bool) -> None:
    result = run(connection, {"metric": "rowCount", operator: goal})
    assert result.outcome is (Outcome.PASS if holds else Outcome.FAIL)
    assert result.measured == 4
    assert result.refuses is not holds


def test_a_rule_that_does_not_hold_says_what_was_measured_and_promised(connection: Any) -> None:
    assert (
        run(connection, {"metric": "nullValues", "mustBe": 0}, "amount").reason == "measured 1, promised = 0"
    )
    between = run(connection, {"metric": "rowCount", "mustBeBetween": [10, 20]})
    assert between.reason == "measured 4, promised between 10 and 20 (exclusive)"


def test_of_several_promises_each_has_to_hold(connection: Any) -> None:
    assert (
        run(connection, {"metric": "rowCount", "mustBeGreaterThan": 3, "mustBeLessThan": 5}).outcome
        is Outcome.PASS
    )
    failed = run(connection, {"metric": "rowCount", "mustBeGreaterThan": 3, "mustBeLessThan": 4})
    assert (failed.outcome, failed.reason) == (Outcome.FAIL, "measured 4, promised < 4")


def test_a_rule_of_severity_warning_warns_and_refuses_nothing(connection: Any) -> None:
    result = run(connection, {"metric": "rowCount", "mustBe": 5}, severity="warning")
    assert result.outcome is Outcome.WARN
    assert not result.refuses


def test_what_cannot_be_compared_is_an_error_and_no_pass(connection: Any) -> None:
    result = run(connection, {"type": "sql", "query": "select 'many'", "mustBeGreaterThan": 3})
    assert result.outcome is Outcome.ERROR
    assert result.refuses


# SQL of one's own


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from orders",
        "select count(*) from {table}",
        "select count(*) from ${table}",
        "select count(*) from {object}",
        "select count(*) from ${object}",
        "select count(*) from { table }",
        "select count({column}) + 1 from {table}",
        "select count(${property}) + 1 from ${object}",
        "with paid as (select * from {table}) select count(*) from paid",
        "from orders select count(*)",
        "values (4)",
        "/* all */ select 4 -- of them\n;",
    ],
)
def test_sql_is_one_select_with_placeholders(connection: Any, query: str) -> None:
    result = run(connection, {"type": "sql", "query": query, "mustBe": 4}, "amount")
    assert (result.outcome, result.reason) == (Outcome.PASS, "")


def test_a_placeholder_stands_for_a_quoted_name(connection: Any) -> None:
    query = "select count({column}) from {table}"
    assert run(connection, {"type": "sql", "query": query, "mustBe": 3}, "E mail").outcome is Outcome.PASS


@pytest.mark.parametrize(
    "query", ["select null", "select id from orders where false", "select max(id) from none"]
)
def test_sql_without_a_value_is_a_broken_check(connection: Any, query: str) -> None:
    result = run(connection, {"type": "sql", "query": query, "mustBe": 0})
    assert result.outcome is Outcome.ERROR
    assert result.reason.startswith("it gave no ")


@pytest.mark.parametrize(
    "query",
    [
        "drop table orders",
        "select 4; drop table orders",
        "drop table orders; select 4",
        "select 4; select 5",
        "delete from orders",
        "insert into orders select * from orders",
        "update orders set id = 1",
        "truncate orders",
        "alter table orders add column more integer",
        "create table other as select 4",
        "create view other as select 4",
        "comment on table orders is 'mine'",
        "copy orders to 'orders.csv'",
        "copy (select 4) to 'orders.csv'",
        "export database 'all'",
        "attach 'other.duckdb'",
        "detach memory",
        "install httpfs",
        "load httpfs",
        "set threads = 1",
        "reset threads",
        "use memory",
        "begin",
        "checkpoint",
        "vacuum",
        "call pragma_version()",
        "explain select 4",
        "prepare q as select 4",
        "",
        "-- nothing",
    ],
)
def test_what_is_no_single_select_is_refused_and_not_run(connection: Any, query: str) -> None:
    result = run(connection, {"type": "sql", "query": query, "mustBe": 4})
    assert (result.outcome, result.reason) == (
        Outcome.NOT_RUN,
        "not executable: a rule is one SELECT and nothing else",
    )
    assert result.refuses


@pytest.mark.parametrize(
    "query",
    [
        "selec 4",
        "select",
        "select count(* from orders",
        "with gone as (delete from orders returning *) select 4 from gone",
    ],
)
def test_sql_that_does_not_parse_is_refused_with_the_reason(connection: Any, query: str) -> None:
    result = run(connection, {"type": "sql", "query": query, "mustBe": 4})
    assert result.outcome is Outcome.NOT_RUN
    assert result.reason.startswith("not executable: its SQL does not parse: ")
    assert "\n" not in result.reason


@pytest.mark.parametrize(
    "table_function", ["read_csv", "read_text", "read_blob", "read_json", "read_parquet", "glob"]
)
def test_sql_reads_no_files(connection: Any, tmp_path: Path, table_function: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    query = f"select count(*) from {table_function}('{secret}')"
    result = run(connection, {"type": "sql", "query": query, "mustBe": 1})
    assert result.outcome is Outcome.ERROR
    assert result.refuses


def test_sql_that_fails_is_a_broken_check_and_no_pass(connection: Any) -> None:
    result = run(connection, {"type": "sql", "query": "select nobody from orders", "mustBe": 4})
    assert result.outcome is Outcome.ERROR
    assert "nobody" in result.reason
    assert run(connection, {"metric": "nullValues", "mustBe": 0}, "nobody").outcome is Outcome.ERROR
    assert run(connection, {"metric": "rowCount", "mustBe": 0}, table="nobody").outcome is Outcome.ERROR
    broken = run(
        connection, {"metric": "invalidValues", "arguments": {"pattern": "("}, "mustBe": 0}, "status"
    )
    assert broken.outcome is Outcome.ERROR


# What is not run


def test_text_is_for_people_and_blocks_nothing(connection: Any) -> None:
    result = run(connection, {"type": "text", "description": "Amounts look right."})
    assert result.outcome is Outcome.NOT_RUN
    assert not result.refuses
    assert result.reason == "not executable: it is text for people"
    assert result.measured is None


@pytest.mark.parametrize(
    ("definition", "column", "reason"),
    [
        ({"metric": "rowCount"}, "", "it has no operator, such as mustBe"),
        ({"metric": "nullValues", "mustBe": 0}, "", "nullValues belongs to a column"),
        ({"mustBe": 0}, "", "a rule without metric belongs to a column"),
        ({"metric": "median", "mustBe": 0}, "amount", "the library has no metric 'median'"),
        (
            {"metric": "duplicateValues", "mustBe": 0},
            "",
            "duplicateValues on a table needs arguments.properties",
        ),
        (
            {"metric": "invalidValues", "mustBe": 0},
            "amount",
            "invalidValues needs arguments.validValues or arguments.pattern",
        ),
        (
            {"type": "custom", "engine": "soda", "implementation": "x"},
            "",
            "its engine is soda; write it where that engine reads it",
        ),
    ],
)
def test_a_rule_that_cannot_be_run_is_no_pass(
    connection: Any, definition: dict[str, Any], column: str, reason: str
) -> None:
    result = run(connection, definition, column, severity="warning")
    assert (result.outcome, result.reason) == (Outcome.NOT_RUN, f"not executable: {reason}")
    assert result.refuses
