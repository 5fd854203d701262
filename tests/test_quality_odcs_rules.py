"""ODCS rules over real tables: what each metric counts, what each operator means, and what is not run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import PROPERTY, a_rule
from hypothesis import given
from hypothesis import strategies as st

from factory.quality import CheckResult, Outcome
from factory.quality.odcs import run_rules
from factory.tables import without_values

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


def test_a_query_with_more_or_less_than_one_value_is_a_broken_check(connection: Any) -> None:
    for query, words in (
        ("select 4 as n, 'more' as of_it", "it gave 2 columns"),
        ("select id from orders", "it gave more than one row"),
        ("select id from orders where false", "it gave no row"),
    ):
        result = run(connection, {"type": "sql", "query": query, "mustBe": 4})
        assert result.outcome is Outcome.ERROR
        assert result.reason == f"{words}; a rule's query gives one row of one column"


@pytest.mark.parametrize(
    ("query", "operators", "outcome"),
    [
        ("select 'paid'", {"mustBe": "paid"}, Outcome.PASS),
        ("select 'paid'", {"mustNotBe": "paid"}, Outcome.FAIL),
        ("select count(*) > 3 from orders", {"mustBe": True}, Outcome.PASS),
        ("select count(*) > 4 from orders", {"mustBe": True}, Outcome.FAIL),
        ("select max(day) from orders", {"mustBe": "2024-01-03"}, Outcome.PASS),
        ("select max(day) from orders", {"mustBeGreaterThan": "2024-01-03"}, Outcome.FAIL),
        ("select timestamp '2024-01-03 10:00:00'", {"mustBeLessThan": "2024-01-03T11:00:00"}, Outcome.PASS),
        ("select 4", {"mustBe": "4"}, Outcome.ERROR),
        ("select 4", {"mustBe": True}, Outcome.ERROR),
        ("select true", {"mustBe": 1}, Outcome.PASS),
        ("select 'nan'::double", {"mustNotBe": 0}, Outcome.ERROR),
        ("select 'inf'::double", {"mustBeGreaterThan": 0}, Outcome.ERROR),
        ("select 0.1::decimal(3,1)", {"mustBe": 0.1}, Outcome.PASS),
        ("select 3.5", {"mustBeGreaterThanOrEqualTo": 3.5}, Outcome.PASS),
    ],
)
def test_what_a_query_gives_is_compared_by_its_kind(
    connection: Any, query: str, operators: dict[str, Any], outcome: Outcome
) -> None:
    assert run(connection, {"type": "sql", "query": query, **operators}).outcome is outcome


def test_sql_may_use_the_name_of_the_contract_and_the_schema(connection: Any) -> None:
    facts = {"model": "Bestellungen"}
    for query in (
        "select count(*) from Bestellungen",
        "with b as (select * from bestellungen) select count(*) from b;",
        'select count(*) from {schema}."{table}"',
        "select count(*) from orders where 'orders' = '{table}'",
    ):
        result = run(connection, {"type": "sql", "query": query, "mustBe": 4}, facts=facts)
        assert (result.outcome, result.reason) == (Outcome.PASS, "")


# In words


@pytest.mark.parametrize(
    ("operators", "words"),
    [
        ({"mustBe": 0}, "= 0"),
        ({"mustBeLessThan": 5, "mustBeGreaterOrEqualTo": 1}, ">= 1 and < 5"),
        ({"mustBeBetween": [1, 5]}, "between 1 and 5 (exclusive)"),
        ({"mustNotBeBetween": [5, 1]}, "not between 1 and 5 (exclusive)"),
        ({"mustBeLessThan": 1, "unit": "percent"}, "< 1 %"),
    ],
)
def test_a_result_says_what_is_promised(connection: Any, operators: dict[str, Any], words: str) -> None:
    assert run(connection, {"metric": "nullValues", **operators}, "id").threshold == words


def test_a_result_counts_rows_whatever_the_unit(connection: Any) -> None:
    for unit in ("rows", "percent"):
        result = run(connection, {"metric": "duplicateValues", "mustBe": 0, "unit": unit}, "id")
        assert (result.failed_rows, result.checked_rows) == (2, 4)
        assert result.seconds > 0
    rows = run(connection, {"metric": "rowCount", "mustBe": 4})
    assert (rows.failed_rows, rows.checked_rows) == (None, 4)


# Older names


@pytest.mark.parametrize(
    ("definition", "outcome"),
    [
        ({"rule": "duplicateCount", "mustBeLessThan": 3}, Outcome.PASS),
        ({"rule": "duplicateCount", "mustBeLessThan": 2, "type": "default"}, Outcome.FAIL),
        ({"rule": "nullCheck"}, Outcome.PASS),
        ({"rule": "uniqueCheck"}, Outcome.FAIL),
        ({"rule": "validValues", "validValues": [1, 2, 4]}, Outcome.PASS),
        ({"rule": "validValues", "validValues": [1, 2]}, Outcome.FAIL),
        ({"rule": "validValues", "validValues": [1, 2], "mustBe": 1}, Outcome.NOT_RUN),
        ({"type": "magic", "metric": "nullValues", "mustBe": 0}, Outcome.NOT_RUN),
    ],
)
def test_the_rules_of_3_0_are_known(connection: Any, definition: dict[str, Any], outcome: Outcome) -> None:
    assert run(connection, definition, "id").outcome is outcome


# Columns of every type, at every depth


@pytest.fixture(scope="module")
def shapes() -> Iterator[Any]:
    database = duckdb.connect()
    database.execute("set TimeZone = 'UTC'")
    database.execute("""
        create table shapes as select * from (values
            ({'zip': '1', 'at': {'x': 1}}, [{'p': 1.5}, {'p': null}], map {'k': 1, 'l': 2}, [1, 1, 2],
             1.10::decimal(5, 2), 170141183460469231731687303715884105727::hugeint, timestamptz '2024-01-01 00:00:00+00',
             '\\xAA'::blob, 'a3bb189e-8bf9-3888-9912-ace4e6543002'::uuid, interval 1 day, 0.1::float, date '2024-01-31'),
            ({'zip': null, 'at': null}, [], null, null,
             null, 1, null, null, null, null, null, null),
            (null, null, map {'k': null}, [3], 1.10, 1, timestamptz '2024-01-01 01:00:00+01',
             '\\xAA'::blob, 'A3BB189E-8BF9-3888-9912-ACE4E6543002'::uuid, interval 24 hours, 0.1, date '2024-02-01')
        ) as t(address, items, scores, fixed, price, big, "at", bytes, id, "how long", ratio, day)
    """)
    database.execute("alter table shapes alter fixed type integer[]")
    database.execute("create type mood as enum ('sad', 'ok')")
    database.execute("alter table shapes add column mood mood")
    database.execute("update shapes set mood = 'ok' where day is not null")
    yield database
    database.close()


@pytest.mark.parametrize(
    ("metric", "column", "arguments", "count"),
    [
        ("nullValues", "address.zip", {}, 2),
        ("nullValues", "ADDRESS.At.X", {}, 2),
        ("nullValues", "items[].p", {}, 1),
        ("nullValues", "items.p", {}, 1),
        ("nullValues", "scores.value", {}, 1),
        ("duplicateValues", "scores.key", {}, 2),
        ("invalidValues", "fixed[]", {"validValues": [1, 3]}, 1),
        ("invalidValues", "price", {"validValues": [1.1]}, 0),
        ("invalidValues", "price", {"validValues": ["1.1"]}, 0),
        ("invalidValues", "ratio", {"validValues": [0.1]}, 0),
        ("invalidValues", "big", {"validValues": [1, 170141183460469231731687303715884105727]}, 0),
        ("invalidValues", "big", {"validValues": [1, 170141183460469231731687303715884105726]}, 1),
        ("invalidValues", "at", {"validValues": ["2024-01-01T00:00:00Z"]}, 0),
        ("invalidValues", "id", {"validValues": ["A3BB189E-8BF9-3888-9912-ACE4E6543002"]}, 0),
        ("invalidValues", "how long", {"validValues": ["1 day"]}, 0),
        ("invalidValues", "mood", {"validValues": ["ok", "unknown"]}, 0),
        ("missingValues", "mood", {"missingValues": ["ok", None, 3]}, 3),
        ("missingValues", "day", {"missingValues": ["2024-01-31", "never"]}, 1),
        ("duplicateValues", "address", {}, 0),
        ("duplicateValues", "bytes", {}, 2),
        ("duplicateValues", "id", {}, 2),
        ("duplicateValues", "how long", {}, 2),
        ("duplicateValues", "", {"properties": ["price", "address.zip"]}, 0),
    ],
)
def test_columns_of_any_type_and_depth_are_measured(
    shapes: Any, metric: str, column: str, arguments: dict[str, Any], count: int
) -> None:
    rule = a_rule(
        definition={"metric": metric, "arguments": arguments, "mustNotBe": -1}, column=column, table="shapes"
    )
    (result,) = run_rules([rule], shapes)
    assert (result.reason, result.measured) == ("", count)


def test_a_field_that_is_not_there_is_told(shapes: Any) -> None:
    rule = a_rule(definition={"metric": "nullValues", "mustBe": 0}, column="address.street", table="shapes")
    (result,) = run_rules([rule], shapes)
    assert result.outcome is Outcome.ERROR
    assert result.reason.startswith("there is no street inside shapes.address.street")


def test_names_of_any_kind_are_quoted() -> None:
    with duckdb.connect() as database:
        database.execute('create table "select ""x"".y" as select 1 as "a.b", null::integer as "from ""t"""')
        rules = [
            a_rule(definition={"metric": "nullValues", "mustBe": n}, column=column, table='select "x".y')
            for column, n in (("a.b", 0), ('from "t"', 1), ('FROM "T"', 1))
        ]
        assert {result.outcome for result in run_rules(rules, database)} == {Outcome.PASS}


# Batches


def many_rules() -> list[Any]:
    definitions: list[tuple[dict[str, Any], str]] = [
        ({"metric": "rowCount", "mustBe": 4}, ""),
        ({"metric": "invalidValues", "arguments": {"pattern": "("}, "mustBe": 0}, "status"),
        ({"type": "sql", "query": "select count(*) from {table}", "mustBe": 4}, ""),
        ({"type": "sql", "query": "select nobody from {table}", "mustBe": 4}, ""),
        ({"type": "text", "description": "fine"}, ""),
        ({"metric": "nullValues", "mustBe": 0}, "nobody"),
    ]
    for column in ("id", "amount", "status", "flag", "day", "E mail"):
        definitions += [
            ({"metric": metric, "mustBe": 0, "unit": unit, "arguments": arguments}, column)
            for unit in ("rows", "percent")
            for metric, arguments in (
                ("nullValues", {}),
                ("missingValues", {"missingValues": ["", "N/A", 2, None]}),
                ("invalidValues", {"validValues": ["paid", 10, True]}),
                ("duplicateValues", {}),
            )
        ]
    return [a_rule(definition=d, column=c, key=f"rule {n}") for n, (d, c) in enumerate(definitions)]


def test_rules_in_a_batch_go_as_each_would_alone(connection: Any) -> None:
    rules = many_rules()
    together = run_rules(rules, connection)
    assert [result.rule for result in together] == rules
    for rule, result in zip(rules, together, strict=True):
        (alone,) = run_rules([rule], connection)
        assert replace(alone, seconds=0) == replace(result, seconds=0)
    assert {result.outcome for result in together} == set(Outcome) - {Outcome.WARN}


def test_one_faulty_rule_leaves_the_others_measured(connection: Any) -> None:
    rules = [a_rule(definition={"metric": "nullValues", "mustBe": 1}, column="amount") for _ in range(5)]
    rules[2] = a_rule(
        definition={"metric": "invalidValues", "arguments": {"pattern": "("}, "mustBe": 0}, column="status"
    )
    outcomes = [result.outcome for result in run_rules(rules, connection)]
    assert outcomes == [Outcome.PASS, Outcome.PASS, Outcome.ERROR, Outcome.PASS, Outcome.PASS]


def test_many_rules_share_few_scans(connection: Any) -> None:
    asked: list[str] = []

    class Counting:
        def execute(self, query: str) -> Any:
            asked.append(query)
            return connection.execute(query)

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

    rules = [
        a_rule(definition={"metric": "nullValues", "mustBeLessThan": n}, column=column)
        for n in range(100)
        for column in ("id", "amount", "status")
    ]
    assert len(run_rules(rules, Counting())) == 300
    assert len(asked) == 2  # the table's columns, and one scan


def test_no_rules_need_no_connection() -> None:
    assert run_rules([], None) == ()


# Against an oracle

CELLS = st.one_of(st.none(), st.sampled_from(["", "a", "A", "N/A", "0", "1", "ü", "it's", '"']))
ROWS = st.lists(st.tuples(CELLS, st.one_of(st.none(), st.integers(-2, 3))), max_size=12)


def oracle(metric: str, values: list[Any], arguments: dict[str, Any]) -> int:
    """Count what the standard's text says, in Python."""
    if metric == "nullValues":
        return sum(value is None for value in values)
    if metric == "missingValues":
        return sum(value in arguments["missingValues"] for value in values)
    if metric == "invalidValues":
        return sum(value is not None and value not in arguments["validValues"] for value in values)
    return sum(value is not None and values.count(value) > 1 for value in values)


@PROPERTY
@given(
    ROWS,
    st.lists(CELLS, max_size=4, unique=True),
    st.lists(st.one_of(st.none(), st.integers(-2, 3)), max_size=4, unique=True),
)
def test_metrics_count_what_the_standard_says(
    rows: list[tuple[str | None, int | None]], texts: list[Any], numbers: list[Any]
) -> None:
    cases = []
    for column, given_values in (("word", texts or [None]), ("number", numbers or [None])):
        values = [row[0] if column == "word" else row[1] for row in rows]
        for metric in ("nullValues", "missingValues", "invalidValues", "duplicateValues"):
            arguments = {"missingValues": given_values, "validValues": [*given_values, "zz"]}
            cases.append((column, metric, arguments, oracle(metric, values, arguments)))
    pairs = [row for row in rows if None not in row]
    with duckdb.connect() as database:
        database.execute("create table t (word varchar, number integer)")
        if rows:
            database.executemany("insert into t values (?, ?)", rows)
        rules = [
            a_rule(
                definition={"metric": metric, "arguments": arguments, "mustBe": count},
                column=column,
                table="t",
            )
            for column, metric, arguments, count in cases
        ]
        together = {"metric": "duplicateValues", "arguments": {"properties": ["word", "number"]}}
        rules.append(
            a_rule(definition={**together, "mustBe": sum(pairs.count(p) > 1 for p in pairs)}, table="t")
        )
        results = run_rules(rules, database)
    assert [(r.outcome, r.reason, r.checked_rows) for r in results] == [(Outcome.PASS, "", len(rows))] * len(
        rules
    )


@pytest.mark.parametrize(
    "query",
    [
        "select cast('O''Brien secret' as int)", "select cast('secret' as date)", "select strptime('secret', '%Y')",
        "select cast(98765::int as tinyint)", "select 98765::int * 98765::int", "select cast(98765.4::double as decimal(3,2))",
        "select json_extract('{secret', '$.a')", "select cast('98765x' as uuid)",
    ],
)  # fmt: skip
def test_an_error_tells_no_value_of_a_row(query: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute(query).fetchall()
    told = without_values(f"Database Error in test x\n  {caught.value}")
    assert "secret" not in told and "98765" not in told and "Database Error" in told
    assert without_values('Binder Error: "nope" not found') == 'Binder Error: "nope" not found'
