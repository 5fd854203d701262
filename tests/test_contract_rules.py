"""Rules from the three places in which people write them, in one shape."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from builders import a_product, a_promise, a_relation, a_test, some_artifacts, write_tree

from factory.contract import Rule, gather_rules, read_checks
from factory.contract.rules import DIMENSIONS, dimension_of
from factory.documents import parse_yaml
from factory.errors import QualityError


def sodacl(root: Path, text: str) -> tuple[Rule, ...]:
    product = a_product(root=root)
    write_tree(product.folder, {"checks/orders.yml": dedent(text)})
    return read_checks(product)


def from_dbt(*tests: object, artifacts: object = None) -> tuple[Rule, ...]:
    found = some_artifacts(tests=tests) if artifacts is None else artifacts  # type: ignore[arg-type]
    return gather_rules(a_product(), (), (), found)  # type: ignore[arg-type]


# Dimensions


@pytest.mark.parametrize(
    ("words", "dimension"),
    [
        ("unique", "uniqueness"),
        ("dbt_utils.unique_combination_of_columns", "uniqueness"),
        ("duplicate_count(order_id) = 0", "uniqueness"),
        ("duplicateValues", "uniqueness"),
        ("not_null", "completeness"),
        ("missing_count(amount) = 0", "completeness"),
        ("nullValues", "completeness"),
        ("relationships", "consistency"),
        ("values in (customer_id) must exist in customers (id)", "consistency"),
        ("row_count same as returns", "consistency"),
        ("dbt_utils.equal_rowcount", "consistency"),
        ("freshness(ordered_at) < 1d", "timeliness"),
        ("dbt_utils.recency", "timeliness"),
        ("row_count > 0", "coverage"),
        ("rowCount", "coverage"),
        ("accepted_values", "conformity"),
        ("invalid_count(status) = 0", "conformity"),
        ("schema", "conformity"),
        ("dbt_utils.accepted_range", "conformity"),
        ("max_length(status) < 9", "conformity"),
        ("dbt_utils.expression_is_true", "accuracy"),
        ("failed rows", "accuracy"),
        ("sql", "accuracy"),
    ],
)
def test_a_rule_has_a_dimension_by_what_it_checks(words: str, dimension: str) -> None:
    assert dimension_of(words) == dimension
    assert dimension in DIMENSIONS


def test_a_stated_dimension_wins_if_it_is_one() -> None:
    assert dimension_of("not_null", "Timeliness") == "timeliness"
    assert dimension_of("not_null", "validity") == "conformity"
    assert dimension_of("not_null", "beauty") == "completeness"
    assert dimension_of("not_null", "") == "completeness"


# dbt tests


def test_a_dbt_test_is_a_rule_about_its_table_and_column() -> None:
    (rule,) = from_dbt(a_test("not_null", "amount"))
    assert rule.key == "test.orders.not_null_orders_amount"
    assert (rule.origin, rule.product, rule.table, rule.column) == ("dbt", "orders", "orders", "amount")
    assert (rule.kind, rule.dimension, rule.severity) == ("not_null", "completeness", "error")
    assert rule.definition == {"test": "not_null", "name": "not_null_orders_amount"}
    assert rule.file == a_product().folder / "models/marts/orders.yml"


def test_a_dbt_test_keeps_its_arguments_filter_and_severity() -> None:
    test = a_test(
        "accepted_values",
        "status",
        arguments={"values": ["a", "b"], "quote": True},
        where="id > 3",
        severity="warn",
    )
    (rule,) = from_dbt(test)
    assert rule.severity == "warning"
    assert rule.definition == {
        "test": "accepted_values",
        "name": "accepted_values_orders_status",
        "arguments": {"quote": True, "values": ["a", "b"]},
        "where": "id > 3",
    }


def test_the_dimension_in_a_test_s_meta_wins() -> None:
    (rule,) = from_dbt(a_test("not_null", meta={"dimension": "accuracy"}))
    assert rule.dimension == "accuracy"


def test_tests_of_other_products_are_not_this_product_s_rules() -> None:
    assert from_dbt(a_test(package="customers")) == ()


STAGING = a_relation("stg_orders", access="protected")
ORDERS = a_relation("orders", upstream=(STAGING.unique_id,))


def test_a_generic_test_speaks_of_what_it_is_attached_to() -> None:
    test = a_test(
        "relationships",
        "order_id",
        attached=STAGING.unique_id,
        upstream=(STAGING.unique_id, ORDERS.unique_id),
    )
    (rule,) = from_dbt(artifacts=some_artifacts(STAGING, ORDERS, tests=[test]))
    assert rule.table == "stg_orders"


def test_a_singular_test_speaks_of_the_port_that_it_reads() -> None:
    test = a_test(
        "singular",
        "",
        attached=STAGING.unique_id,
        upstream=(STAGING.unique_id, ORDERS.unique_id),
        name="totals_match",
    )
    (rule,) = from_dbt(artifacts=some_artifacts(STAGING, ORDERS, tests=[test]))
    assert (rule.table, rule.dimension) == ("orders", "consistency")


def test_a_test_that_reads_nothing_of_the_product_speaks_of_no_table() -> None:
    (rule,) = from_dbt(a_test("singular", "", attached="model.customers.customers", upstream=()))
    assert rule.table == ""


# SodaCL


def test_a_sodacl_check_is_a_rule_with_its_line(tmp_path: Path) -> None:
    text = """\
        checks for orders:
          - row_count > 0
          - missing_count(amount) = 0:
              name: Every order has an amount

          - min("Line No") >= 1
        """
    rows, missing, least = sodacl(tmp_path, text)
    assert [rule.line for rule in (rows, missing, least)] == [2, 3, 6]
    assert (rows.origin, rows.table, rows.column, rows.kind) == ("soda", "orders", "", "row_count")
    assert (missing.column, missing.name, missing.dimension) == (
        "amount",
        "Every order has an amount",
        "completeness",
    )
    assert (least.column, least.name) == ("Line No", 'min("Line No") >= 1')
    assert len({rule.key for rule in (rows, missing, least)}) == 3
    assert missing.file == tmp_path / "products/orders/checks/orders.yml"


def test_the_rule_holds_sodacl_that_stands_alone(tmp_path: Path) -> None:
    text = "checks for orders:\n  - row_count > 0\n  - missing_count(amount) = 0:\n      name: x\n"
    definition = sodacl(tmp_path, text)[1].definition
    assert parse_yaml(definition, Path("x")).data == {
        "checks for orders": [{"missing_count(amount) = 0": {"name": "x"}}]
    }


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("checks for orders", "orders"),
        ("checks for Orders", "Orders"),
        ('checks for "Order Lines"', "Order Lines"),
        ("checks for orders [daily]", "orders"),
    ],
)
def test_a_heading_names_the_table(tmp_path: Path, heading: str, table: str) -> None:
    (rule,) = sodacl(tmp_path, f"{heading}:\n  - row_count > 0\nfilter orders [daily]:\n  where: x = 1\n")
    assert rule.table == table


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("{fail: when > 3}", "error"),
        ("{warn: when > 3}", "warning"),
        ("{warn: when > 3, fail: when > 9}", "error"),
        ("{name: x, fail: when > 3}", "error"),
    ],
)
def test_a_check_that_can_only_warn_is_a_warning(tmp_path: Path, body: str, severity: str) -> None:
    (rule,) = sodacl(tmp_path, f"checks for orders:\n  - missing_count(amount): {body}\n")
    assert rule.severity == severity


def test_the_dimension_in_a_check_s_attributes_wins(tmp_path: Path) -> None:
    text = """\
        checks for orders:
          - failed rows:
              name: Amounts are positive
              fail condition: amount < 0
              attributes:
                dimension: conformity
        """
    (rule,) = sodacl(tmp_path, text)
    assert (rule.kind, rule.dimension) == ("failed", "conformity")


def test_a_metric_of_one_s_own_is_known_by_its_definition(tmp_path: Path) -> None:
    text = "checks for orders:\n  - share_paid > 3:\n      share_paid expression: avg(amount)\n"
    (rule,) = sodacl(tmp_path, text)
    assert rule.kind == "share_paid"


@pytest.mark.parametrize("text", ["", "# no checks yet\n"])
def test_an_empty_checks_file_has_no_rules(tmp_path: Path, text: str) -> None:
    assert sodacl(tmp_path, text) == ()


def test_a_product_without_checks_has_none() -> None:
    assert read_checks(a_product()) == ()


def test_checks_stand_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    product = a_product(root=tmp_path)
    one = "checks for {}:\n  - row_count > 0\n"
    write_tree(
        product.folder,
        {"checks/b.yaml": one.format("b"), "checks/a.yml": one.format("a"), "checks/c.txt": "x"},
    )
    assert [rule.table for rule in read_checks(product)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- row_count > 0\n", 1, "the file holds no checks"),
        ("checks for orders:\n", 1, "`checks for orders` has no list of checks"),
        ("# x\nchecks for orders: row_count > 0\n", 2, "`checks for orders` has no list of checks"),
        ("checks for orders:\n  - row_count > 0\n  - 3\n", 3, "not a SodaCL check"),
        ("checks for orders:\n  - row_count > 0: 3\n", 2, "not a SodaCL check"),
        ("checks for orders:\n  - {a: {x: 1}, b: {y: 1}}\n", 2, "not a SodaCL check"),
    ],
)
def test_what_is_no_sodacl_is_told_with_its_line_and_a_way_out(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    with pytest.raises(QualityError) as caught:
        sodacl(tmp_path, text)
    assert caught.value.place(tmp_path) == f"products/orders/checks/orders.yml:{line}"
    assert caught.value.message == message
    assert caught.value.hint


def test_an_unknown_metric_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(QualityError) as caught:
        sodacl(tmp_path, "checks for orders:\n  - row_count > 0\n  - mising_count(amount) = 0\n")
    assert caught.value.line == 3
    assert "missing_count" in caught.value.hint


# ODCS rules


def test_an_odcs_rule_is_a_rule_about_its_table_or_column() -> None:
    promise = a_promise(
        schema=[
            {
                "name": "orders",
                "quality": [{"metric": "rowCount", "mustBeGreaterThan": 0}],
                "properties": [
                    {
                        "name": "amount",
                        "quality": [
                            {
                                "name": "Nothing is free",
                                "description": "An order costs something.",
                                "type": "sql",
                                "query": "select count(*) from ${table} where amount = 0",
                                "mustBe": 0,
                                "dimension": "accuracy",
                                "severity": "warning",
                            },
                        ],
                    }
                ],
            },
            {
                "name": "returns",
                "physicalName": "returned",
                "quality": [{"type": "text", "description": "x"}],
            },
        ]
    )
    rows, free, text = gather_rules(a_product(), [promise], (), some_artifacts())
    assert (rows.origin, rows.table, rows.column, rows.kind, rows.severity) == (
        "odcs",
        "orders",
        "",
        "rowCount",
        "error",
    )
    assert (free.column, free.kind, free.severity, free.dimension) == ("amount", "sql", "warning", "accuracy")
    assert (free.name, free.description) == ("Nothing is free", "An order costs something.")
    assert free.definition["mustBe"] == 0
    assert (text.table, text.kind) == ("returned", "text")
    lines = promise.document.path, promise.document.line("schema", 0, "properties", 0, "quality", 0)
    assert (free.file, free.line) == lines
    assert len({rule.key for rule in (rows, free, text)}) == 3


@pytest.mark.parametrize(
    ("stated", "severity"),
    [("error", "error"), ("warning", "warning"), ("info", "warning"), ("ERROR", "error")],
)
def test_an_odcs_rule_of_less_than_error_is_a_warning(stated: str, severity: str) -> None:
    promise = a_promise(
        schema=[{"name": "orders", "quality": [{"metric": "rowCount", "mustBe": 1, "severity": stated}]}]
    )
    (rule,) = gather_rules(a_product(), [promise], (), some_artifacts())
    assert rule.severity == severity


def test_rules_stand_by_origin() -> None:
    promise = a_promise(schema=[{"name": "orders", "quality": [{"metric": "rowCount", "mustBe": 1}]}])
    soda = gather_rules(a_product(), [promise], (), some_artifacts())
    rules = gather_rules(a_product(), [promise], soda, some_artifacts(tests=[a_test()]))
    assert [rule.origin for rule in rules] == ["dbt", "odcs", "odcs"]
    assert rules[1] is soda[0]
