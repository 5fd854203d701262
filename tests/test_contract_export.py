"""A contract in other languages: SodaCL that gives the same verdicts, YAML of dbt that gives the contract back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from builders import PROPERTY, a_contract, a_product, a_rule, write_tree
from conftest import Command
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.contract import Rule, read_checks
from factory.contract.meaning import compared, meaning_of
from factory.contract.sodacl_meaning import threshold_spans
from factory.documents import dump_yaml
from factory.odcs.compare import compare
from factory.odcs.export import Exported, dbt_of, sodacl_of
from factory.odcs.export.measure import threshold
from factory.odcs.intervals import accepted
from factory.quality import CheckResult, Outcome
from factory.quality.odcs import run_rules
from factory.quality.soda import run_sodacl
from factory.questions.contracts import drafts_of

COLUMNS = {
    "id": "integer", "amount": "number", "E mail": "string", "status": "string", "day": "date", "order": "boolean",
}  # fmt: skip
TYPES = {"integer": "INTEGER", "number": "DOUBLE", "string": "VARCHAR", "date": "DATE", "boolean": "BOOLEAN"}
TABLE = "orders of 2024"


def a_table(rules: Mapping[str, list[Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a contract of one table; `rules` stand on columns, or under an empty name on the table."""
    rules = rules or {}
    columns = [
        {"name": name, "logicalType": kind, "physicalType": TYPES[kind], "quality": rules.get(name, [])}
        | changes.get(name, {})
        for name, kind in COLUMNS.items()
    ]
    table = {"name": "orders", "physicalName": TABLE, "properties": columns, "quality": rules.get("", [])}
    return a_contract(schema=[table | changes.get("table", {})])


def checks(exported: Exported) -> list[Any]:
    """Return the checks of the one table, without that of its columns."""
    (found,) = yaml.safe_load(exported.text).values()
    return [check for check in found if not (isinstance(check, dict) and "schema" in check)]


def sodacl_results(exported: Exported, folder: Path, connection: Any) -> dict[str, list[CheckResult]]:
    """Return what Soda says, by the names of the rules."""
    file = write_tree(folder, {"checks/orders.yml": exported.text}) / "checks/orders.yml"
    product = a_product(folder=folder)
    found: dict[str, list[CheckResult]] = {}
    for result in run_sodacl(
        [file], read_checks(product), product, connection, variables={}, history={}
    ).results:
        found.setdefault(result.rule.name, []).append(result)
    return found


def contract_result(definition: Mapping[str, Any], column: str, connection: Any) -> CheckResult:
    severity = "warning" if definition.get("severity") == "warning" else "error"
    rule: Rule = a_rule(definition=definition, column=column, table=TABLE, severity=severity)
    return run_rules([rule], connection)[0]


# Soda says what the contract's own SQL says

TEXTS = ("a", "b", "it's", "", "a b", "\\", "${x}", "{% y", "{#", "é", "N/A", "ab")
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-2, 3)),
        st.one_of(st.none(), st.sampled_from([0.0, 0.1, 2.5, -1.0, 100.0])),
        st.one_of(st.none(), st.sampled_from(TEXTS)),
        st.one_of(st.none(), st.sampled_from(TEXTS)),
        st.one_of(st.none(), st.sampled_from([date(2024, 1, 1), date(2024, 2, 29)])),
        st.one_of(st.none(), st.booleans()),
    ),
    max_size=9,
)
NUMBERS = st.one_of(st.integers(-1, 9), st.sampled_from([0.5, 33.3, 33.333333, 50, 100, 1e-7]))
OPERATORS = st.one_of(
    st.dictionaries(
        st.sampled_from(
            ["mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
             "mustBeLessOrEqualTo"]
        ),
        NUMBERS,
        min_size=1,
        max_size=2,
    ),
    st.builds(
        lambda name, a, b: {name: [min(a, b), max(a, b)]},
        st.sampled_from(["mustBeBetween", "mustNotBeBetween"]),
        NUMBERS,
        NUMBERS,
    ),
)  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.one_of(st.integers(-2, 3), st.sampled_from(["1", "x"])),
    "amount": st.sampled_from([0, 0.1, 2.5, "2.5"]),
    "day": st.sampled_from(["2024-01-01", "2024-12-31"]),
    "order": st.booleans(),
}
PATTERNS = ("[a-z]+", "a|b", "^a$", "^a|b$", ".*'.*", r"\w( \w)?", "", "é?", r"\$\{x\}", r"[\\]", "(?i)A.")


def _measures(column: str) -> st.SearchStrategy[dict[str, Any]]:
    values = VALUES.get(column, st.sampled_from(TEXTS))
    listed = st.lists(values, min_size=1, max_size=3)
    missing = st.lists(st.one_of(st.none(), values), min_size=1, max_size=3)
    patterns = st.sampled_from(PATTERNS)
    return st.one_of(
        st.sampled_from([{"metric": "nullValues"}, {"metric": "duplicateValues"}, {"metric": "missingValues"}]),
        missing.map(lambda v: {"metric": "missingValues", "arguments": {"missingValues": v}}),
        listed.map(lambda v: {"metric": "invalidValues", "arguments": {"validValues": v}}),
        patterns.map(lambda p: {"metric": "invalidValues", "arguments": {"pattern": p}}),
        st.tuples(listed, patterns).map(
            lambda both: {"metric": "invalidValues", "arguments": {"validValues": both[0], "pattern": both[1]}}
        ),
        st.just({"type": "sql", "query": "select count(*) from {object} where {property} is null"}),
        st.just({"type": "sql", "query": "select max(amount) from ${table} having count(${column}) > 0;"}),
    )  # fmt: skip


ON_TABLE = st.one_of(
    st.just({"metric": "rowCount"}),
    st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=2, unique=True).map(
        lambda names: {"metric": "duplicateValues", "arguments": {"properties": names}}
    ),
    st.just({"type": "sql", "query": "select avg(amount) from {object}"}),
)


def _rules(column: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda measure, limits, unit, severity: (
            {**measure, **limits}
            | ({} if measure.get("metric") == "rowCount" else {"unit": unit})
            | {"severity": severity}
        ),
        _measures(column) if column else ON_TABLE,
        OPERATORS,
        st.sampled_from(["rows", "percent"]),
        st.sampled_from(["error", "error", "warning"]),
    )


RULES = st.lists(
    st.sampled_from(["", *COLUMNS]).flatmap(lambda column: st.tuples(st.just(column), _rules(column))),
    min_size=4,
    max_size=12,
)


@pytest.fixture
def connection() -> Iterator[Any]:
    with duckdb.connect() as database:
        yield database


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    with duckdb.connect() as database:
        yield database


def fill(connection: Any, rows: list[Any]) -> None:
    columns = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in COLUMNS.items())
    connection.execute(f'create or replace table "{TABLE}" ({columns})')
    if rows:
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(f'insert into "{TABLE}" values ({marks})', rows)


@settings(PROPERTY, max_examples=60)
@given(rows=ROWS, rules=RULES)
def test_soda_comes_to_the_verdict_of_the_contract(
    shared: Any, tmp_path_factory: pytest.TempPathFactory, rows: list[Any], rules: list[Any]
) -> None:
    fill(shared, rows)
    placed: dict[str, list[Any]] = {}
    for number, (column, rule) in enumerate(rules):
        placed.setdefault(column, []).append({"name": f"rule {number}", **rule})
    exported = sodacl_of(a_table(placed))
    found = sodacl_results(exported, tmp_path_factory.mktemp("exported"), shared)
    written: set[str] = set()
    for column, group in placed.items():
        for rule in group:
            expected = contract_result(rule, column, shared)
            name = rule["name"]
            if any(f"rule {name!r}" in line for line in exported.left_out):
                assert expected.outcome in (Outcome.PASS, Outcome.NOT_RUN, Outcome.ERROR), rule
            elif name in found:
                passed = all(result.outcome is Outcome.PASS for result in found[name])
                assert passed == (expected.outcome is Outcome.PASS), (rule, expected, found[name])
                if expected.outcome is Outcome.WARN and expected.measured is not None:
                    assert {r.outcome for r in found[name]} <= {Outcome.PASS, Outcome.WARN}, rule
                written.add(name)
            else:  # another rule does the same
                assert written, rule


@PROPERTY
@given(operators=OPERATORS)
def test_a_threshold_says_the_numbers_that_it_was_made_of(operators: dict[str, Any]) -> None:
    spans = accepted(operators)
    assert spans is not None
    words = threshold(spans)
    assert words == "" or threshold_spans(words) == spans


@PROPERTY
@given(placed=st.sampled_from(["", *COLUMNS]).flatmap(lambda name: st.tuples(st.just(name), _rules(name))))
def test_a_check_that_brings_no_query_means_what_its_rule_means(placed: tuple[str, dict[str, Any]]) -> None:
    column, rule = placed
    meant = meaning_of(a_rule(definition=rule, column=column, table=TABLE))
    for check in checks(sodacl_of(a_table({column: [rule]}))):
        written = a_rule(definition=dump_yaml({f'checks for "{TABLE}"': [check]}), origin="soda", table=TABLE)
        found = meaning_of(written)
        if meant is not None and found is not None:
            # Several operators may be several checks, of which each follows from the rule.
            assert compared(meant, found) in ("same", "stricter"), check


# What stands in the file


@pytest.mark.parametrize(
    ("column", "rule", "check"),
    [
        ("", {"metric": "rowCount", "mustBeGreaterThan": 0}, "row_count > 0"),
        ("", {"metric": "rowCount", "mustBeBetween": [9, 12]}, "row_count between (9 and 12)"),
        ("id", {"metric": "nullValues", "mustBe": 0}, "missing_count(id) = 0"),
        ("id", {"metric": "nullValues", "mustBeLessOrEqualTo": 0, "unit": "percent"}, "missing_count(id) <= 0"),
        ("E mail", {"metric": "duplicateValues", "mustBe": 0}, 'duplicate_count("E mail") = 0'),
        ("order", {"metric": "nullValues", "mustNotBeBetween": [1, 5]}, 'missing_count("order") not between (1 and 5)'),
        ("id", {"metric": "nullValues", "mustBe": 0, "severity": "warning"},
         {"missing_count(id)": {"warn": "when != 0"}}),
        ("status", {"metric": "missingValues", "arguments": {"missingValues": [None, "N/A"]}, "mustBe": 0},
         {"missing_count(status) = 0": {"missing values": ["N/A"]}}),
        ("status", {"metric": "invalidValues", "arguments": {"validValues": ["a"], "pattern": "a|b"}, "mustBe": 0},
         {"invalid_count(status) = 0": {"valid values": ["a"], "valid regex": "^(?:a|b)$"}}),
        ("id", {"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"},
         {"null_values_percent < 5": {"null_values_percent query":
          'select coalesce(100.0 * (select count(*) from "orders of 2024" where id is null) / '
          'nullif((select count(*) from "orders of 2024"), 0), 0)'}}),
        ("", {"type": "sql", "query": "select sum(amount) from {object}", "mustBeGreaterThan": 1e9},
         {"measured_value > 1000000000": {"measured_value query": 'select sum(amount) from "orders of 2024"'}}),
        ("id", {"type": "custom", "engine": "soda", "implementation": "avg(id) > 1"}, "avg(id) > 1"),
        ("id", {"type": "custom", "engine": "soda", "implementation": {"avg(id) > 1": {"name": "x"}}},
         {"avg(id) > 1": {"name": "x"}}),
        ("", {"type": "custom", "engine": "soda", "implementation": 'checks for "orders of 2024":\n- row_count > 5\n'},
         "row_count > 5"),
    ],
)  # fmt: skip
def test_a_rule_is_written_as_people_write_sodacl(column: str, rule: dict[str, Any], check: Any) -> None:
    exported = sodacl_of(a_table({column: [rule]}))
    assert checks(exported) == [check]
    assert exported.left_out == ()


def test_a_check_keeps_the_name_and_the_dimension_of_its_rule() -> None:
    rule = {"metric": "nullValues", "mustBe": 0, "name": "All ids", "dimension": "completeness"}
    assert checks(sodacl_of(a_table({"id": [rule]}))) == [
        {"missing_count(id) = 0": {"name": "All ids", "attributes": {"dimension": "completeness"}}}
    ]


PROMISES: dict[str, Any] = {
    "id": {"primaryKey": True, "logicalTypeOptions": {"minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2}},
    "amount": {"required": True, "logicalTypeOptions": {"maximum": 100}},
    "status": {"enum": [{"value": "a"}, {"value": "b"}], "logicalTypeOptions": {"minLength": 1, "pattern": "[a-z]"}},
    "day": {"logicalTypeOptions": {"minimum": "2024-01-01"}},
    "E mail": {"unique": True, "enum": ["x", "it's", "y"]},
}  # fmt: skip
GOOD = (2, 5.5, "x", "a", date(2024, 3, 1), None)


def test_what_columns_promise_is_checked_and_good_data_pass(connection: Any, tmp_path: Path) -> None:
    exported = sodacl_of(a_table(**PROMISES))
    assert exported.left_out == ()
    fill(connection, [GOOD, (4, 0, "it's", "b", None, True), (6, -1, None, None, None, None)])
    results = [r for group in sodacl_results(exported, tmp_path, connection).values() for r in group]
    assert len(results) == 13
    assert {result.outcome for result in results} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("position", "value", "fails"),
    [
        (0, None, {"missing_count(id) = 0"}),
        (0, 0, {"invalid_count(id) = 0"}),
        (0, 9, {"invalid_rows = 0"}),
        (0, 10, {"invalid_rows = 0"}),
        (1, None, {"missing_count(amount) = 0"}),
        (1, 100.5, {"invalid_count(amount) = 0"}),
        (2, "z", {"invalid_values_rows = 0"}),
        (3, "c", {"invalid_count(status) = 0"}),
        (3, "", {"invalid_count(status) = 0"}),
        (4, date(2023, 12, 31), {"invalid_rows = 0"}),
    ],
)
def test_a_broken_promise_of_a_column_fails_its_check(
    connection: Any, tmp_path: Path, position: int, value: Any, fails: set[str]
) -> None:
    fill(connection, [(*GOOD[:position], value, *GOOD[position + 1 :])])
    found = sodacl_results(sodacl_of(a_table(**PROMISES)), tmp_path, connection)
    assert {name for name, group in found.items() for r in group if r.outcome is Outcome.FAIL} == fails


def test_a_repeated_key_and_a_column_of_another_type_fail(connection: Any, tmp_path: Path) -> None:
    fill(connection, [GOOD, GOOD])
    connection.execute(f'alter table "{TABLE}" alter amount type decimal(9, 2)')
    connection.execute(f'alter table "{TABLE}" drop day')
    found = sodacl_results(sodacl_of(a_table(**PROMISES)), tmp_path, connection)
    failed = {name for name, group in found.items() for r in group if r.outcome is Outcome.FAIL}
    assert failed >= {"duplicate_count(id) = 0", 'duplicate_count("E mail") = 0', "The columns of the contract are there"}  # fmt: skip


def test_a_promise_that_a_rule_says_already_is_checked_once() -> None:
    rule = {"metric": "nullValues", "mustBe": 0, "name": "not_null_orders_id"}
    custom = {
        "type": "custom",
        "engine": "soda",
        "implementation": "- duplicate_count(id) = 0:\n    name: Unique\n",
    }
    exported = sodacl_of(a_table({"id": [rule, custom]}, id={"required": True, "unique": True}))
    assert checks(exported) == [
        {"missing_count(id) = 0": {"name": "not_null_orders_id"}},
        {"duplicate_count(id) = 0": {"name": "Unique"}},
    ]


def test_a_foreign_key_within_the_contract_is_checked() -> None:
    lines = {
        "name": "lines",
        "properties": [
            {"name": "order_id", "relationships": [{"type": "foreignKey", "to": "orders.id"}]},
            {"name": "item_id", "relationships": [{"type": "foreignKey", "to": "items.odcs.yaml#/schema/a"}]},
        ],
    }
    exported = sodacl_of(a_contract(schema=[{"name": "orders", "properties": []}, lines]))
    assert "values in (order_id) must exist in orders (id)" in exported.text
    assert exported.left_out == (
        "lines.item_id: relationship to 'items.odcs.yaml#/schema/a': it leads out of this contract",
    )


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"type": "text", "description": "x"}, "it is text for people"),
        ({"type": "custom", "engine": "dbt", "implementation": {"test": "singular"}}, "it is written for dbt, which runs it"),
        ({"type": "custom", "engine": "soda", "implementation": "a: [b"}, "its SodaCL is not YAML"),
        ({"metric": "nullValues"}, "it has no operator that compares numbers, such as mustBe"),
        ({"metric": "nullValues", "mustBeGreaterOrEqualTo": 0}, "nothing can break it"),
        ({"metric": "median", "mustBe": 0}, "the library has no metric 'median', or its arguments are missing"),
        ({"type": "sql", "query": "select ${x}", "mustBe": 0}, "its query has a placeholder that means nothing here"),
    ],
)  # fmt: skip
def test_what_sodacl_cannot_say_is_named(rule: dict[str, Any], why: str) -> None:
    (line,) = sodacl_of(a_table({"id": [{"name": "mine", **rule}]})).left_out
    assert line.startswith(f"orders of 2024.id: rule 'mine': {why}")


def test_the_file_says_where_it_comes_from_and_is_the_same_every_time() -> None:
    exported = sodacl_of(a_table(**PROMISES))
    assert exported == sodacl_of(a_table(**PROMISES))
    assert exported.text.startswith("# SodaCL of the data contract orders, version 1.0.0.\n")
    assert dbt_of(a_table()).text.startswith("# dbt's YAML of the data contract orders, version 1.0.0.\n")


# dbt


def model(exported: Exported) -> dict[str, Any]:
    (found,) = yaml.safe_load(exported.text)["models"]
    return dict(found)


def column_in_dbt(rules: list[Any] | None = None, **column: Any) -> dict[str, Any]:
    """Return the first column of a model, without its name and its type."""
    found: dict[str, Any] = model(dbt_of(a_table({"id": rules or []}, id=column)))["columns"][0]
    return {key: value for key, value in found.items() if key not in ("name", "data_type")}


def test_a_model_is_a_table_with_an_enforced_contract() -> None:
    exported = dbt_of(
        a_table(table={"description": "What customers ordered, as {{ json }}.", "tags": ["retail"]})
    )
    assert {key: value for key, value in model(exported).items() if key != "columns"} == {
        "name": "orders",
        "description": "{% raw %}What customers ordered, as {{ json }}.{% endraw %}",
        "config": {
            "alias": TABLE,
            "materialized": "table",
            "contract": {"enforced": True},
            "tags": ["retail"],
        },
    }


def test_a_promise_is_a_constraint_unless_a_test_holds_it() -> None:
    assert column_in_dbt(required=True, unique=True) == {
        "constraints": [{"type": "not_null"}, {"type": "unique"}]
    }
    rules = [{"metric": "nullValues", "mustBe": 0}, {"metric": "duplicateValues", "mustBe": 0}]
    assert column_in_dbt(rules, required=True, unique=True) == {"data_tests": ["not_null", "unique"]}


def test_on_a_view_a_promise_is_a_test() -> None:
    contract = a_table(id={"required": True}, table={"physicalType": "view"})
    found = model(dbt_of(contract))
    assert found["columns"][0]["data_tests"] == ["not_null"]
    assert found["config"]["materialized"] == "view"


@pytest.mark.parametrize(
    ("rule", "test"),
    [
        ({"metric": "nullValues", "mustBe": 0, "severity": "warning"}, {"not_null": {"config": {"severity": "warn"}}}),
        ({"metric": "nullValues", "mustBeLessOrEqualTo": 5},
         {"not_null": {"config": {"error_if": "> 5", "warn_if": "> 5"}}}),
        ({"metric": "invalidValues", "arguments": {"validValues": [1, 2]}, "mustBe": 0},
         {"accepted_values": {"arguments": {"values": [1, 2], "quote": False}}}),
        ({"metric": "nullValues", "mustBe": 0, "name": "All ids", "description": "No id is empty."},
         {"not_null": {"description": "All ids: No id is empty."}}),
        ({"metric": "nullValues", "mustBe": 0, "name": "not_null_orders_id"}, "not_null"),
        ({"metric": "nullValues", "mustBe": 0, "name": "all_ids"}, {"not_null": {"name": "all_ids"}}),
        ({"type": "custom", "engine": "dbt", "implementation":
          {"test": "dbt_utils.accepted_range", "name": "x", "arguments": {"min_value": 0}, "where": "id > 1"}},
         {"dbt_utils.accepted_range": {"arguments": {"min_value": 0}, "config": {"where": "id > 1"}}}),
        ({"metric": "nullValues", "mustBeLessOrEqualTo": 5, "unit": "percent",
          "customProperties": [{"property": "test", "value": "dbt_utils.not_null_proportion"}]},
         {"dbt_utils.not_null_proportion": {"arguments": {"at_least": 0.95}}}),
    ],
)  # fmt: skip
def test_a_rule_is_a_data_test(rule: dict[str, Any], test: Any) -> None:
    assert column_in_dbt([rule]) == {"data_tests": [test]}


def test_permitted_values_that_a_rule_only_warns_about_are_tested_for_all() -> None:
    rule = {"metric": "invalidValues", "arguments": {"validValues": [1]}, "mustBe": 0, "severity": "warning"}
    tests = column_in_dbt([rule], enum=[{"value": 1}])["data_tests"]
    arguments = {"arguments": {"values": [1], "quote": False}}
    assert tests == [
        {"accepted_values": {**arguments, "config": {"severity": "warn"}}},
        {"accepted_values": arguments},
    ]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"}, "dbt itself has no test of shares"),
        ({"metric": "duplicateValues", "mustBeLessThan": 5}, "dbt counts groups of rows, so only `mustBe: 0` means the same there"),
        ({"metric": "invalidValues", "arguments": {"pattern": "a"}, "mustBe": 0}, "no test of dbt itself says the same"),
        ({"metric": "invalidValues", "arguments": {"validValues": ["it's"]}, "mustBe": 0}, "dbt cannot write one of the values"),
        ({"type": "sql", "query": "select 1", "mustBe": 1}, "dbt keeps a query in a file of its own, as a singular test"),
        ({"type": "custom", "engine": "soda", "implementation": "x"}, "it is written for soda, which runs it"),
        ({"type": "text", "description": "x"}, "it is text for people"),
    ],
)  # fmt: skip
def test_what_dbt_cannot_say_is_named(rule: dict[str, Any], why: str) -> None:
    lines = dbt_of(a_table({"id": [{"name": "mine", **rule}]})).left_out
    assert f"orders.id: rule 'mine': {why}" in lines
    assert lines[-1] == "status: dbt has no place for it"


FULL_CONTRACT: dict[str, Any] = a_contract(
    schema=[
        {
            "name": "customers",
            "physicalType": "table",
            "logicalType": "object",
            "description": "A row per customer.",
            "businessName": "Customers",
            "dataGranularityDescription": "One row per customer",
            "tags": ["retail"],
            "properties": [
                {"name": "id", "physicalType": "INTEGER", "logicalType": "integer", "logicalTypeOptions": {"format": "i32"}, "description": "The number.",
                 "primaryKey": True, "primaryKeyPosition": 1, "required": True, "unique": True},
                {"name": "segment", "physicalType": "VARCHAR", "logicalType": "string", "classification": "internal",
                 "description": "As {{ marketing }} sees it.", "enum": [{"value": "a"}, {"value": "b"}],
                 "examples": ["a"], "criticalDataElement": True, "deprecated": True,
                 "quality": [{"name": "accepted_values_customers_segment__a__b", "dimension": "conformity",
                              "severity": "error", "type": "library", "metric": "invalidValues", "mustBe": 0,
                              "unit": "rows", "arguments": {"validValues": ["a", "b"]}, "tags": ["slow"],
                              "customProperties": [{"property": "origin", "value": "dbt"},
                                                   {"property": "asked_by", "value": "marketing"}]}]},
            ],
        },
        {
            "name": "orders",
            "physicalType": "table",
            "logicalType": "object",
            "description": "A row per order.",
            "relationships": [{"type": "foreignKey", "from": "orders.customer_id", "to": "customers.id"}],
            "properties": [
                {"name": "id", "physicalType": "INTEGER", "logicalType": "integer", "logicalTypeOptions": {"format": "i32"}, "description": "The number.",
                 "primaryKey": True, "primaryKeyPosition": 1, "required": True},
                {"name": "line", "physicalType": "INTEGER", "logicalType": "integer", "logicalTypeOptions": {"format": "i32"}, "description": "The line.",
                 "primaryKey": True, "primaryKeyPosition": 2, "required": True},
                {"name": "customer_id", "physicalType": "INTEGER", "logicalType": "integer",
                 "logicalTypeOptions": {"format": "i32"}, "description": "Who ordered.", "required": True,
                 "relationships": [{"type": "foreignKey", "to": "customers.id"}],
                 "quality": [{"name": "not_null_orders_customer_id", "dimension": "completeness", "severity": "error",
                              "type": "library", "metric": "nullValues", "mustBe": 0, "unit": "rows",
                              "customProperties": [{"property": "origin", "value": "dbt"}]}]},
                {"name": "amount", "physicalType": "DECIMAL(18,2)", "logicalType": "number",
                 "description": "What it costs."},
            ],
            "quality": [{"name": "amount_is_positive", "dimension": "conformity", "severity": "error", "type": "sql",
                         "query": "select count(*) from {object} where not (amount > 0)", "mustBe": 0,
                         "customProperties": [{"property": "origin", "value": "dbt constraint"}]}],
        },
    ]
)  # fmt: skip
STUB = {
    "dbt_project.yml": "name: retail\nversion: 1.0.0\nprofile: stub\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "stub: {target: stub, outputs: {stub: {type: duckdb, path: ':memory:', schema: main}}}\n",
    "models/customers.sql": "select 1 as id, 'a' as segment",
    "models/orders.sql": "select 1 as id, 1 as line, 1 as customer_id, 1.0 as amount",
}


def parsed_by_dbt(exported: Exported, folder: Path) -> dict[str, Any]:
    """Return the contract that is drafted of a dbt project with an exported file."""
    write_tree(folder, {**STUB, "models/models.yml": exported.text})
    code = "from dbt.cli.main import cli; cli()"
    command = [sys.executable, "-c", code, "--warn-error", "compile", "--profiles-dir", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    (draft,), lost = drafts_of(folder / "target", None, None, "package", sources=False)
    assert lost == ()
    return dict(yaml.safe_load(draft.text()))


def test_dbt_gives_the_contract_back(tmp_path: Path) -> None:
    exported = dbt_of(FULL_CONTRACT)
    assert exported.left_out == ("status: dbt has no place for it",)
    drafted = parsed_by_dbt(exported, tmp_path)
    changes = compare(FULL_CONTRACT, {**FULL_CONTRACT, "schema": drafted["schema"]})
    told = {(change.rule, change.path) for change in changes}
    derived = {
        pair
        for pair in told
        if ".transform" in pair[1]
        or pair[1].endswith("authoritativeDefinitions")
        or ".customProperties." in pair[1]
    }
    # A foreign key of a column is a test of dbt, and so a rule.
    assert {pair for pair in told - derived if pair[0] != "rule-added"} == set()
    added = [path for rule, path in told if rule == "rule-added"]
    assert added == ["orders.customer_id.quality.relationships_orders_customer_id__id__ref_customers_"]
    assert all(rule in ("custom-property-added", "field-added", "logic-changed", "information-changed",
                        "field-changed") for rule, _ in derived)  # fmt: skip


# The command


@pytest.mark.parametrize("language", ["sodacl", "dbt"])
def test_a_contract_is_exported_to_stdout_and_what_is_left_out_to_stderr(
    factory: Command, yard: None, language: str
) -> None:
    Path("orders.odcs.yaml").write_text(dump_yaml(a_table({"id": [{"type": "text", "name": "mine"}]})))
    done = factory("contract", "export", "orders.odcs.yaml", "--to", language)
    assert done.code == 0
    assert yaml.safe_load(done.out)
    assert "rule 'mine': it is text for people" in done.err
    assert "of the contract not said in" in done.err


def test_an_export_to_a_file_overwrites_nothing_unless_it_is_told_to(factory: Command, yard: None) -> None:
    Path("orders.odcs.yaml").write_text(dump_yaml(a_table()))
    command = ("contract", "export", "orders.odcs.yaml", "--to", "sodacl", "-o", "checks.yml")
    assert factory(*command).out == "checks.yml\n"
    refused = factory(*command)
    assert (refused.code, "the file is there already" in refused.err) == (2, True)
    assert factory(*command, "--force").code == 0
    assert Path("checks.yml").read_text().startswith("# SodaCL of the data contract orders")
