"""What a contract promises of its columns, held to real tables: each promise, and what others measure already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import PROPERTY, a_document, a_product, a_promise, a_rule, a_test, some_artifacts
from hypothesis import given
from hypothesis import strategies as st

from factory.contract import Rule, gather_rules
from factory.contract.rules import DIMENSIONS, rules_of_tests
from factory.quality import CheckResult, Outcome
from factory.quality.conformance import conformance_rules, not_covered
from factory.quality.odcs import run_rules
from factory.quality.promised import as_re2, range_of

FILE = Path("shop.odcs.yaml")

SHOP = """
create table shop as select * from (values
    (1, 'paid', 'ab',  10.5::decimal(6,2), 0.3::double, date '2024-01-01', timestamp '2024-01-01 10:00', time '10:00',
     ['x', 'y'], {'zip': '1'}, map {'k': 1}, [1, 2]::double[2], 'a@example.org', true, 300::bigint, timestamptz '2024-01-01 00:00:00+00'),
    (2, 'open', 'abc', 20,                 0.1,         date '2024-06-01', timestamp '2024-06-01 11:00', time '11:00',
     ['x', 'x'], {'zip': null}, map {'k': -1}, [3, 4], 'nobody', false, -1, timestamptz '2024-01-01 00:00:00+00'),
    (2, null,   'é',   -1,                 0.25,        null,              null, null,
     [], null, map {}, null, null, null, null, null)
) as t(id, status, word, price, ratio, day, moment, clock, tags, address, scores, vector, mail, flag, big, zoned)
"""


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    with duckdb.connect() as database:
        database.execute("set TimeZone = 'UTC'")
        database.execute(SHOP)
        database.execute(
            "create table codes as select * from (values ('paid', 1), ('shut', 2)) as t(code, number)"
        )
        yield database


def rules_of(*columns: dict[str, Any], **table: Any) -> tuple[Rule, ...]:
    data = {"schema": [{"name": "shop", "properties": list(columns), **table}]}
    return conformance_rules(data, "shop", FILE, lambda *_: 1)


def run(connection: Any, *columns: dict[str, Any], **table: Any) -> dict[str, CheckResult]:
    return {result.rule.kind: result for result in run_rules(rules_of(*columns, **table), connection)}


OPTIONS: list[tuple[str, str, Any, int]] = [
    # column, option, value, rows at fault
    ("word", "minLength", 2, 1),
    ("word", "maxLength", 2, 1),
    ("word", "maxLength", 3, 0),
    ("word", "pattern", "[a-z]+", 1),
    ("word", "pattern", r"^\u00e9|ab.*$", 0),
    ("mail", "format", "email", 1),
    ("price", "minimum", 0, 1),
    ("price", "minimum", -1, 0),
    ("price", "exclusiveMinimum", -1, 1),
    ("price", "maximum", 10.5, 1),
    ("price", "exclusiveMaximum", 10.5, 2),
    ("price", "multipleOf", 0.5, 0),
    ("price", "multipleOf", 10, 2),
    ("ratio", "multipleOf", 0.1, 1),
    ("big", "multipleOf", 3, 1),
    ("big", "format", "u8", 2),
    ("big", "format", "i16", 0),
    ("big", "format", "u128", 1),
    ("day", "minimum", "2024-02-01", 1),
    ("day", "exclusiveMaximum", "2024-06-01", 1),
    ("moment", "maximum", "2024-01-01T10:00:00", 1),
    ("clock", "minimum", "10:30", 1),
    ("zoned", "maximum", "2023-12-31T23:59:59Z", 2),
    ("tags", "minItems", 1, 1),
    ("tags", "maxItems", 1, 2),
    ("tags", "uniqueItems", True, 1),
    ("vector", "dimensions", 2, 0),
    ("vector", "dimensions", 3, 2),
]


@pytest.mark.parametrize(("column", "option", "value", "faults"), OPTIONS)
def test_an_option_counts_the_rows_at_fault(
    connection: Any, column: str, option: str, value: Any, faults: int
) -> None:
    result = run(connection, {"name": column, "logicalTypeOptions": {option: value}})[option]
    assert (result.measured, result.failed_rows, result.checked_rows) == (faults, faults, 3), result.reason
    assert result.outcome is (Outcome.FAIL if faults else Outcome.PASS)
    assert result.reason == (f"{faults} of 3 rows" if faults else "")
    assert result.rule.dimension in DIMENSIONS


def test_a_bound_of_3_0_is_excluded_by_a_flag(connection: Any) -> None:
    options = {"minimum": -1, "exclusiveMinimum": True, "maximum": 20, "exclusiveMaximum": False}
    found = run(connection, {"name": "price", "logicalTypeOptions": options})
    assert (found["exclusiveMinimum"].measured, found["maximum"].measured) == (1, 0)
    assert set(found) == {"columns", "exclusiveMinimum", "maximum"}


@pytest.mark.parametrize(
    ("column", "fields", "outcome"),
    [
        ("id", {"physicalType": "INTEGER"}, Outcome.PASS),
        ("id", {"physicalType": "int4"}, Outcome.PASS),
        ("id", {"physicalType": "BIGINT"}, Outcome.FAIL),
        ("id", {"physicalType": "NUMBER(10)", "logicalType": "integer"}, Outcome.PASS),
        ("id", {"physicalType": "NUMBER(10)"}, Outcome.NOT_RUN),
        ("id", {"logicalType": "number"}, Outcome.PASS),
        ("price", {"logicalType": "integer"}, Outcome.FAIL),
        ("price", {"physicalType": "decimal"}, Outcome.PASS),
        ("price", {"physicalType": "decimal(12, 2)"}, Outcome.PASS),
        ("price", {"physicalType": "decimal(8, 2)"}, Outcome.FAIL),
        ("word", {"physicalType": "VARCHAR(20)", "logicalType": "string"}, Outcome.PASS),
        ("word", {"logicalType": "date"}, Outcome.FAIL),
        ("day", {"logicalType": "date"}, Outcome.PASS),
        ("moment", {"logicalType": "timestamp"}, Outcome.PASS),
        ("moment", {"logicalType": "timestamp", "logicalTypeOptions": {"timezone": True}}, Outcome.FAIL),
        ("zoned", {"logicalType": "timestamp", "logicalTypeOptions": {"timezone": True}}, Outcome.PASS),
        ("clock", {"logicalType": "time"}, Outcome.PASS),
        ("tags", {"logicalType": "array"}, Outcome.PASS),
        ("tags", {"physicalType": "VARCHAR[]"}, Outcome.PASS),
        ("address", {"logicalType": "object"}, Outcome.PASS),
        ("scores", {"logicalType": "map"}, Outcome.PASS),
        ("vector", {"logicalType": "vector"}, Outcome.PASS),
        ("flag", {"logicalType": "boolean"}, Outcome.PASS),
        ("nobody", {"logicalType": "boolean"}, Outcome.ERROR),
    ],
)
def test_a_type_is_the_physical_one_or_else_the_logical(
    connection: Any, column: str, fields: dict[str, Any], outcome: Outcome
) -> None:
    result = run(connection, {"name": column, **fields})["type"]
    assert result.outcome is outcome, result.reason
    assert result.refuses is (outcome is not Outcome.PASS)


def test_a_missing_column_fails_and_one_more_only_warns(connection: Any) -> None:
    names = [row[0] for row in connection.execute("describe shop").fetchall()]
    assert run(connection, *({"name": name.upper()} for name in names))["columns"].outcome is Outcome.PASS
    more = run(connection, *({"name": name} for name in names[1:]))["columns"]
    assert (more.outcome, more.reason, more.refuses) == (Outcome.WARN, "id is there and not promised", False)
    less = run(connection, *({"name": name} for name in (*names, "gone")))["columns"]
    assert (less.outcome, less.reason, less.measured) == (Outcome.FAIL, "gone is missing", 1)


def test_keys_nulls_and_permitted_values_are_counted(connection: Any) -> None:
    found = run(
        connection,
        {"name": "id", "unique": True},
        {"name": "status", "required": True, "enum": [{"value": "paid"}, {"value": None}]},
    )
    assert {kind: found[kind].measured for kind in ("unique", "required", "enum")} == {
        "unique": 2,
        "required": 1,
        "enum": 1,
    }


def test_a_primary_key_is_neither_null_nor_twice_there(connection: Any) -> None:
    one = {"name": "id", "primaryKey": True, "unique": True, "required": True}
    found = run(connection, one)
    assert set(found) == {"columns", "primaryKey"}
    assert found["primaryKey"].measured == 2
    two = run(
        connection,
        {**one, "primaryKeyPosition": 2},
        {"name": "status", "primaryKey": True, "primaryKeyPosition": 1},
    )
    assert two["primaryKey"].measured == 1  # the row without a status
    assert two["primaryKey"].rule.definition["properties"] == ["status", "id"]
    assert "unique" in two


def test_columns_inside_columns_are_checked(connection: Any) -> None:
    column = {
        "name": "zip",
        "logicalType": "string",
        "required": True,
        "logicalTypeOptions": {"minLength": 2},
    }
    rules = rules_of(
        {"name": "address", "properties": [column]},
        {"name": "tags", "items": {"logicalType": "string", "enum": [{"value": "x"}]}},
        {
            "name": "scores",
            "map": {"key": {"logicalType": "string"}, "value": {"logicalTypeOptions": {"minimum": 0}}},
        },
    )
    found = {(r.rule.column, r.rule.kind): r for r in run_rules(rules, connection)}
    # A struct that is not there has no field that could be.
    assert found["address.zip", "required"].measured == 1
    assert found["address.zip", "minLength"].measured == 1
    assert (found["tags[]", "enum"].measured, found["tags[]", "enum"].checked_rows) == (1, 4)
    assert found["tags[]", "enum"].reason == "1 of 4 values"
    assert found["scores.value", "minimum"].measured == 1
    assert found["tags[]", "type"].outcome is found["scores.key", "type"].outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("reference", "faults"),
    [("codes.code", 1), ("schema/codes_id/properties/code_id", 1), ("codes.number", None)],
)
def test_a_reference_is_looked_up_in_the_other_table(
    connection: Any, reference: str, faults: int | None
) -> None:
    columns = [{"name": "code", "id": "code_id"}, {"name": "number"}]
    data = {
        "schema": [
            {"name": "shop", "properties": [{"name": "status", "relationships": [{"to": reference}]}]},
            {"name": "codes", "id": "codes_id", "properties": columns},
        ]
    }
    rules = [
        rule for rule in conformance_rules(data, "shop", FILE, lambda *_: 1) if rule.kind == "relationship"
    ]
    (result,) = run_rules(rules, connection)
    if faults is None:  # a text is no number: it cannot be compared
        assert result.outcome is Outcome.ERROR
    else:
        assert (result.measured, result.rule.dimension) == (faults, "consistency")


def test_a_reference_of_several_columns_and_one_to_elsewhere() -> None:
    data = {
        "schema": [
            {
                "name": "lines",
                "properties": [
                    {"name": "a"},
                    {"name": "b", "relationships": [{"to": "other.yaml#schema/x/properties/y"}]},
                ],
                "relationships": [
                    {"type": "foreignKey", "from": ["lines.a", "lines.b"], "to": ["heads.a", "heads.b"]},
                    {"from": "lines.a", "to": "nobody.a"},
                ],
            },
            {"name": "heads", "properties": [{"name": "a"}, {"name": "b"}]},
        ]
    }
    rules = [
        rule for rule in conformance_rules(data, "shop", FILE, lambda *_: 1) if rule.kind == "relationship"
    ]
    assert [rule.definition["from"] for rule in rules] == [["a", "b"]]
    with duckdb.connect() as database:
        database.execute("create table lines as select * from (values (1, 1), (1, 2), (null, 3)) as t(a, b)")
        database.execute("create table heads as select 1 as a, 1 as b")
        (result,) = run_rules(rules, database)
    assert (result.measured, result.checked_rows) == (1, 3)


def test_what_cannot_be_checked_is_not_run_and_says_why(connection: Any) -> None:
    cases = [
        ("word", {"pattern": "(?=a).*"}, "DuckDB cannot match the pattern"),
        ("word", {"minimum": "2024-01-01"}, "the column is text"),
        ("day", {"minimum": 5}, "the bound is a number, and the column is DATE"),
        ("day", {"minimum": "soon"}, "'soon' is no value of DATE"),
        ("word", {"minItems": 1}, "it counts the values of a list, and the column is VARCHAR"),
        ("price", {"multipleOf": 0}, "0 is no number above 0"),
    ]
    for column, options, reason in cases:
        (kind,) = options
        result = run(connection, {"name": column, "logicalTypeOptions": options})[kind]
        assert result.outcome is Outcome.NOT_RUN
        assert reason in result.reason
        assert result.refuses


FORMATS = {
    "email": (["a@b.org", "a.b+c@x-y.example"], ["a@b", "a b@c.org", "@b.org", "a@b.org\n"]),
    "uuid": (["a3bb189e-8bf9-3888-9912-ace4e6543002"], ["a3bb189e8bf938889912ace4e6543002", "x"]),
    "uri": (["https://example.org/a?b#c", "urn:isbn:1"], ["example.org", "http://a b", "1a:b"]),
    "hostname": (["example.org", "a", "xn--a-b"], ["-a.org", "a..b", "a_b"]),
    "ipv4": (["0.0.0.0", "255.10.1.99"], ["256.1.1.1", "1.1.1", "01.1.1.1"]),
    "ipv6": (["::", "::1", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1::8"], ["1::2::3", "12345::", "1:2:3", "1.2.3.4"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_knows_good_from_bad(name: str) -> None:
    good, bad = FORMATS[name]
    with duckdb.connect() as database:
        database.execute("create table shop (value varchar)")
        database.executemany("insert into shop values (?)", [[value] for value in (*good, *bad)])
        result = run(database, {"name": "value", "logicalTypeOptions": {"format": name}})["format"]
        assert result.measured == len(bad)


def test_a_pattern_of_the_standard_is_written_as_duckdb_reads_it() -> None:
    assert as_re2(r"(?<year>\d{4})\u00e9\\u00e9\u{1F600}") == r"(?P<year>\d{4})\x{00e9}\\u00e9\x{1F600}"
    assert as_re2("(?<!a)b") == "(?<!a)b"


@PROPERTY
@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=8),
    st.sampled_from(["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "u128", "i128"]),
    st.integers(-10, 10),
    st.integers(1, 7),
)
def test_options_of_numbers_count_as_python_does(
    values: list[int], format_: str, bound: int, step: int
) -> None:
    least, most = range_of(format_) or (0, 0)
    expected = {
        "format": sum(not least <= value <= most for value in values),
        "minimum": sum(value < bound for value in values),
        "exclusiveMaximum": sum(value >= bound for value in values),
        "multipleOf": sum(value % step != 0 for value in values),
    }
    options = {"format": format_, "minimum": bound, "exclusiveMaximum": bound, "multipleOf": step}
    with duckdb.connect() as database:
        database.execute("create table shop (value bigint)")
        if values:
            database.executemany("insert into shop values (?)", [[value] for value in values])
        found = run(database, {"name": "value", "logicalTypeOptions": options})
    assert {kind: found[kind].measured for kind in expected} == expected


def test_a_promise_stands_where_it_is_written() -> None:
    document = a_document(
        {
            "schema": [
                {"name": "shop", "properties": [{"name": "id", "required": True, "logicalType": "integer"}]}
            ]
        },
        FILE,
    )
    rules = conformance_rules(document.data, "shop", FILE, document.line)
    lines = {rule.kind: rule.line for rule in rules}
    assert lines == {"columns": document.line("schema", 0, "properties"), "type": 4, "required": 5}
    assert len({rule.key for rule in rules}) == len(rules)
    assert {(rule.origin, rule.severity, rule.product) for rule in rules} == {("contract", "error", "shop")}


def test_physical_names_count_and_measures_do_not() -> None:
    columns = [
        {"name": "Id", "physicalName": "id"},
        {"name": "revenue", "semanticType": "measure", "required": True},
    ]
    (rule,) = rules_of(*columns, physicalName="t_shop")
    assert (rule.table, rule.definition["columns"]) == ("t_shop", ["id"])


# What others measure already


def covering(**columns: Any) -> list[str]:
    """Return the promises that are left of required, unique, enum and minimum on the column `id` of `orders`."""
    data = {
        "schema": [
            {
                "name": "orders",
                "properties": [
                    {
                        "name": "id",
                        "required": True,
                        "unique": True,
                        "enum": [{"value": "a"}, {"value": "b"}],
                        "logicalTypeOptions": {"minimum": 0, "pattern": "x"},
                        "relationships": [{"to": "customers.id"}],
                        **columns,
                    }
                ],
            },
            {"name": "customers", "properties": [{"name": "id"}]},
        ]
    }
    return [rule for rule in conformance_rules(data, "shop", FILE, lambda *_: 1) if rule.table == "orders"]  # type: ignore[misc]


def left(*others: Rule) -> set[str]:
    whole: Any = covering()
    kept = {rule.kind for rule in not_covered(whole, others)}
    return {rule.kind for rule in whole} - kept


def dbt(kind: str, **changes: Any) -> Rule:
    artifacts = some_artifacts(tests=[a_test(kind, "id", **changes)])
    (rule,) = rules_of_tests(artifacts, "orders", Path("products/orders"))
    return rule


@pytest.mark.parametrize(
    ("other", "covered"),
    [
        (dbt("not_null"), {"required"}),
        (dbt("unique"), {"unique"}),
        (dbt("accepted_values", arguments={"values": ["b", "a"]}), {"enum"}),
        (dbt("accepted_values", arguments={"values": ["b"]}), {"enum"}),  # stricter
        (dbt("accepted_values", arguments={"values": ["a", "b", "c"]}), set()),
        (dbt("dbt_utils.accepted_range", arguments={"min_value": 0}), {"minimum"}),
        (dbt("relationships", arguments={"to": "ref('customers')", "field": "id"}), {"relationship"}),
        (dbt("not_null", where="id > 1"), set()),
        (dbt("not_null", severity="warn"), set()),
        (a_rule(definition={"metric": "nullValues", "mustBe": 0}, column="ID"), {"required"}),
        (a_rule(definition={"metric": "nullValues", "mustBeLessThan": 1}, column="id"), {"required"}),
        (a_rule(definition={"metric": "nullValues", "mustBeLessThan": 2}, column="id"), set()),
        (a_rule(definition={"metric": "nullValues", "mustBe": 0}, column="id", severity="warning"), set()),
        (a_rule(definition={"metric": "missingValues", "mustBe": 0, "arguments": {"missingValues": ["", None]}}, column="id"), {"required"}),
        (a_rule(definition={"metric": "missingValues", "mustBe": 0, "arguments": {"missingValues": [""]}}, column="id"), set()),
        (a_rule(definition={"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "x"}}, column="id"), {"pattern"}),
        (a_rule(definition={"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a", "b"]}}, column="id"), {"enum"}),
        (a_rule(definition={"metric": "nullValues", "mustBe": 0}, column="id", table="other"), set()),
        (a_rule(origin="soda", definition="checks for orders:\n- missing_count(id) = 0\n"), {"required"}),
        (a_rule(origin="soda", definition="checks for orders:\n- duplicate_count(id) = 0\n"), {"unique"}),
        (a_rule(origin="soda", definition="checks for orders [today]:\n- missing_count(id) = 0\n"), set()),
        (a_rule(origin="soda", definition="checks for orders:\n- missing_count(id) < 5\n"), set()),
        (a_rule(origin="soda", definition="checks for orders:\n- missing_count(id) = 0:\n    name: a\n"), {"required"}),
        (a_rule(origin="soda", definition="checks for orders:\n- missing_count(id) = 0:\n    filter: a > 1\n"), set()),
    ],
)  # fmt: skip
def test_what_another_rule_measures_is_left_out(other: Rule, covered: set[str]) -> None:
    assert left(other) == covered


def test_a_key_is_covered_by_its_parts() -> None:
    data = {"schema": [{"name": "orders", "properties": [{"name": "id", "primaryKey": True}]}]}
    rules = conformance_rules(data, "shop", FILE, lambda *_: 1)
    assert {rule.kind for rule in not_covered(rules, [dbt("unique")])} == {"columns", "primaryKey"}
    assert {rule.kind for rule in not_covered(rules, [dbt("unique"), dbt("not_null")])} == {"columns"}


def test_rules_inside_columns_are_gathered_from_contracts() -> None:
    rule = {"metric": "nullValues", "mustBe": 0}
    nested = {"name": "address", "properties": [{"name": "zip", "quality": [rule]}]}
    listed = {"name": "tags", "items": {"logicalType": "string", "quality": [rule]}}
    promise = a_promise(schema=[{"name": "orders", "properties": [nested, listed]}])
    found = gather_rules(a_product(), [promise], (), some_artifacts())
    assert [each.column for each in found] == ["address.zip", "tags[]"]
    assert [each.line for each in found] == sorted(each.line for each in found)


def test_promises_in_a_batch_go_as_each_would_alone(connection: Any) -> None:
    columns: dict[str, dict[str, Any]] = {}
    for column, option, value, _ in OPTIONS:
        columns.setdefault(
            column, {"name": column, "unique": True, "required": True, "logicalTypeOptions": {}}
        )
        columns[column]["logicalTypeOptions"][option] = value
    rules = rules_of(*columns.values())
    together = run_rules(rules, connection)
    assert [result.rule for result in together] == list(rules)
    for result in together:
        (alone,) = run_rules([result.rule], connection)
        assert replace(alone, seconds=0) == replace(result, seconds=0)
