"""Drafts of contracts of any dbt project: what dbt knows, in the standard's own fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import a_column, a_relation, a_test, some_artifacts
from conftest import Command
from jsonschema import Draft201909Validator
from manifests import a_catalog, a_manifest, write_json

from factory.contract.dbt_tests import quality_of
from factory.contract.rules import rules_of_tests
from factory.documents import read_yaml, scan_text
from factory.odcs.lint import contract_faults
from factory.standards import ODCS, schema

Data = dict[str, Any]


def a_data_test(name: str, model: str, column: str = "", **fields: Any) -> Data:
    """Return the node of a generic test of a model."""
    kwargs = {"column_name": column, **fields.pop("kwargs", {})} if column else fields.pop("kwargs", {})
    return {
        "resource_type": "test",
        "name": f"{name}_{model}_{column}",
        "package_name": "shop",
        "column_name": column or None,
        "attached_node": f"model.shop.{model}",
        "depends_on": {"nodes": [f"model.shop.{model}"]},
        "test_metadata": {"name": name, "namespace": fields.pop("namespace", None), "kwargs": kwargs},
        "original_file_path": "models/schema.yml",
        "config": fields.pop("config", {}),
        **fields,
    }


def a_project() -> Data:
    manifest = a_manifest(
        "shop",
        {
            "orders": {
                "compiled_code": 'select id as order_id, customer_id, status, amount, note from "db"."raw"."orders"',
                "description": "One row per order.",
                "tags": ["sales"],
                "group": "finance",
                "access": "public",
                "version": 2,
                "latest_version": 2,
                "deprecation_date": "2027-01-31T00:00:00",
                "config": {
                    "materialized": "table",
                    "meta": {
                        "business_name": "Orders",
                        "grain": "One row per order",
                        "business_definition": "https://wiki.example.org/order",
                        "cost_center": "CC-1",
                    },
                },
                "constraints": [
                    {"type": "primary_key", "columns": ["order_id", "customer_id"]},
                    {
                        "type": "foreign_key",
                        "columns": ["customer_id"],
                        "to": '"db"."shop"."customers"',
                        "to_columns": ["customer_id"],
                    },
                    {"type": "check", "expression": "amount >= 0"},
                ],
                "columns": {
                    "order_id": {
                        "name": "order_id",
                        "data_type": "integer",
                        "description": "Number of the order.",
                    },
                    "customer_id": {
                        "name": "customer_id",
                        "constraints": [{"type": "not_null"}],
                        "config": {"meta": {"pii": True, "classification": "confidential"}},
                    },
                    "status": {"name": "status", "tags": ["state"]},
                    "amount": {"name": "amount", "meta": {"label": "Net amount", "unit": "EUR"}},
                },
            },
            "customers": {
                "compiled_code": 'select customer_id from "db"."raw"."customers"',
                "columns": ["customer_id"],
            },
            "staging": {
                "compiled_code": 'select 1 as one from "db"."raw"."orders"',
                "schema": "stage",
                "relation_name": '"db"."stage"."staging"',
            },
            "inlined": {
                "config": {"materialized": "ephemeral"},
                "relation_name": "",
                "compiled_code": "select 1 as one",
            },
        },
        {
            "orders": {
                "columns": {},
                "freshness": {
                    "error_after": {"count": 36, "period": "hour"},
                    "warn_after": {"count": 1, "period": "day"},
                },
            },
            "customers": [],
        },
        exposures={
            "exposure.shop.report": {
                "name": "report",
                "package_name": "shop",
                "type": "dashboard",
                "maturity": "high",
                "owner": {"email": "boss@example.org"},
                "depends_on": {"nodes": ["model.shop.orders"]},
            }
        },
    )
    manifest["groups"] = {
        "group.shop.finance": {
            "name": "finance",
            "package_name": "shop",
            "owner": {"name": "Money", "email": "money@example.org"},
        }
    }
    tests = [
        a_data_test("unique", "orders", "order_id"),
        a_data_test("accepted_values", "orders", "status", kwargs={"values": ["open", "paid"]}),
        a_data_test("not_null", "orders", "status", config={"severity": "warn", "where": "amount > 0"}),
        a_data_test("not_null", "orders", "amount", config={"error_if": "> 10"}),
        a_data_test(
            "accepted_range",
            "orders",
            "amount",
            namespace="dbt_utils",
            kwargs={"min_value": 0, "max_value": 500},
        ),
        a_data_test(
            "relationships",
            "orders",
            "customer_id",
            kwargs={"to": "ref('customers')", "field": "customer_id"},
        ),
        a_data_test("relationships", "staging", "one", kwargs={"to": "ref('orders')", "field": "order_id"}),
    ]
    manifest["nodes"] |= {f"test.shop.{test['name']}": test for test in tests}
    manifest["nodes"]["test.shop.adds_up"] = {
        "resource_type": "test",
        "name": "adds_up",
        "package_name": "shop",
        "raw_code": "select * from {{ ref('orders') }} where amount < 0",
        "depends_on": {"nodes": ["model.shop.orders"]},
        "original_file_path": "tests/adds_up.sql",
    }
    manifest["unit_tests"] = {
        "unit_test.shop.orders.keeps_order": {
            "resource_type": "unit_test",
            "name": "keeps_order",
            "package_name": "shop",
            "description": "Order numbers are kept.",
            "depends_on": {"nodes": ["model.shop.orders"]},
            "given": [{"input": "source('raw', 'orders')", "rows": [{"id": 1}]}],
            "expect": {"rows": [{"order_id": 1}]},
        }
    }
    return manifest


CATALOG = a_catalog(
    {
        "model.shop.orders": {
            "order_id": "INTEGER",
            "customer_id": "VARCHAR(20)",
            "status": "VARCHAR",
            "amount": "DECIMAL(18,2)",
            "note": "STRUCT(author VARCHAR, at TIMESTAMP WITH TIME ZONE)",
        },
        "model.shop.customers": {"customer_id": "VARCHAR(20)"},
    }
)


@pytest.fixture
def drafts(tmp_path: Path, factory: Command) -> dict[str, Data]:
    write_json(tmp_path / "target/manifest.json", a_project())
    write_json(tmp_path / "target/catalog.json", CATALOG)
    done = factory("contract", "draft", "--manifest", tmp_path / "target", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    return {file.name: read_yaml(file).data for file in sorted((tmp_path / "out").iterdir())}


@pytest.fixture
def orders(drafts: dict[str, Data]) -> Data:
    return next(table for table in drafts["shop.shop.odcs.yaml"]["schema"] if table["name"] == "orders")


def columns(table: Data) -> dict[str, Data]:
    return {column["name"]: column for column in table["properties"]}


def facts(part: Data) -> Data:
    return {entry["property"]: entry["value"] for entry in part.get("customProperties", ())}


def rules(part: Data) -> dict[str, Data]:
    return {rule["name"]: rule for rule in part.get("quality", ())}


def test_there_is_a_contract_per_package_and_schema(drafts: dict[str, Data]) -> None:
    assert list(drafts) == ["shop.shop.odcs.yaml", "shop.stage.odcs.yaml"]
    assert [table["name"] for table in drafts["shop.shop.odcs.yaml"]["schema"]] == ["customers", "orders"]


def test_drafts_are_valid_and_lint_finds_nothing(drafts: dict[str, Data]) -> None:
    for data in drafts.values():
        Draft201909Validator(schema(ODCS)).validate(data)
        assert contract_faults(data) == ()


def test_a_table_has_all_that_dbt_says_of_it(orders: Data) -> None:
    assert orders["physicalName"] == "orders"
    assert orders["physicalType"] == "table"
    assert orders["businessName"] == "Orders"
    assert orders["dataGranularityDescription"] == "One row per order"
    assert orders["tags"] == ["sales"]
    assert orders["deprecated"] is True
    assert orders["authoritativeDefinitions"] == [
        {"url": "https://wiki.example.org/order", "type": "businessDefinition"},
        {
            "url": "models/orders.sql",
            "type": "transformationImplementation",
            "description": "The dbt model that makes it.",
        },
    ]
    assert facts(orders) == {
        "relationName": '"db"."shop"."orders"',
        "materialization": "table",
        "access": "public",
        "contractEnforced": False,
        "group": "finance",
        "groupOwner": "money@example.org",
        "modelVersion": "2",
        "latestModelVersion": "2",
        "deprecationDate": "2027-01-31T00:00:00",
        "costCenter": "CC-1",
    }


def test_keys_constraints_and_tests_become_fields(orders: Data) -> None:
    found = columns(orders)
    assert [
        (c["name"], c.get("primaryKeyPosition")) for c in orders["properties"] if c.get("primaryKey")
    ] == [
        ("order_id", 1),
        ("customer_id", 2),
    ]
    assert found["order_id"]["unique"] is True
    assert found["customer_id"]["required"] is True
    assert orders["relationships"] == [
        {"type": "foreignKey", "from": "orders.customer_id", "to": "customers.customer_id"}
    ]
    assert found["customer_id"]["relationships"] == [{"type": "foreignKey", "to": "customers.customer_id"}]
    assert found["status"]["enum"] == [{"value": "open"}, {"value": "paid"}]
    assert found["amount"]["logicalTypeOptions"] == {"minimum": 0, "maximum": 500}
    # A filter or a warning promises nothing about every row, a tolerance neither.
    assert found["status"]["required"] is found["amount"]["required"] is False


def test_meta_is_lifted_into_fields(orders: Data) -> None:
    found = columns(orders)
    assert found["customer_id"]["classification"] == "confidential"
    assert found["customer_id"]["tags"] == ["pii"]
    assert found["amount"]["businessName"] == "Net amount"
    assert facts(found["amount"]) == {"unit": "EUR"}


def test_a_column_that_only_the_database_has_is_marked_and_its_type_taken_apart(orders: Data) -> None:
    note = columns(orders)["note"]
    assert facts(note) == {"undocumented": True}
    assert note["logicalType"] == "object"
    assert [(p["name"], p["logicalType"]) for p in note["properties"]] == [
        ("author", "string"),
        ("at", "timestamp"),
    ]
    assert note["properties"][1]["logicalTypeOptions"] == {"timezone": True}


def test_every_test_is_a_rule_with_all_that_it_says(orders: Data) -> None:
    found = columns(orders)
    assert rules(orders)["check orders 1"]["query"] == "select count(*) from {object} where not (amount >= 0)"
    assert rules(orders)["adds_up"]["implementation"] == {
        "test": "singular",
        "name": "adds_up",
        "sql": "select * from {{ ref('orders') }} where amount < 0",
    }
    unit = rules(orders)["keeps_order"]
    assert unit["description"] == "Order numbers are kept."
    assert unit["implementation"]["expect"] == {"rows": [{"order_id": 1}]}
    filtered = rules(found["status"])["not_null_orders_status"]
    assert (filtered["severity"], filtered["type"], filtered["engine"]) == ("warning", "custom", "dbt")
    assert filtered["implementation"]["where"] == "amount > 0"
    tolerant = rules(found["amount"])["not_null_orders_amount"]
    assert (tolerant["metric"], tolerant["mustBeLessOrEqualTo"]) == ("nullValues", 10)
    assert facts(tolerant) == {"origin": "dbt", "errorIf": "> 10"}


def test_lineage_servers_owners_freshness_and_uses_are_told(drafts: dict[str, Data], orders: Data) -> None:
    data = drafts["shop.shop.odcs.yaml"]
    column = columns(orders)["order_id"]
    assert column["transformSourceObjects"] == ["shop.raw.orders.id"]
    assert column["transformDescription"] == "Copied from shop.raw.orders.id."
    assert data["servers"] == [{"server": "db-shop", "type": "duckdb", "database": "db", "schema": "shop"}]
    assert data["team"] == {
        "name": "finance",
        "members": [{"username": "money@example.org", "role": "dpo", "name": "Money"}],
    }
    assert data["slaProperties"] == [
        {
            "property": "endOfSupport",
            "value": "2027-01-31T00:00:00",
            "element": "orders",
            "description": "dbt's deprecation date of the model.",
        },
        {
            "property": "latency",
            "value": 36,
            "unit": "h",
            "element": "orders",
            "description": "Freshness that dbt checks of the source raw.orders.",
        },
    ]
    (use,) = facts(data)["exposures"]
    assert (use["name"], use["owner"], use["maturity"]) == ("report", "boss@example.org", "high")


def test_a_reference_to_another_contract_names_its_file(drafts: dict[str, Data]) -> None:
    (staging,) = drafts["shop.stage.odcs.yaml"]["schema"]
    assert columns(staging)["one"]["relationships"] == [
        {"type": "foreignKey", "to": "shop.shop.odcs.yaml#/schema/orders/properties/order_id"}
    ]


@pytest.mark.parametrize(
    ("group_by", "files"),
    [
        ("package", ["shop.odcs.yaml"]),
        ("group", ["shop.finance.odcs.yaml", "shop.odcs.yaml"]),
        ("model", ["shop.customers.odcs.yaml", "shop.orders_v2.odcs.yaml", "shop.staging.odcs.yaml"]),
    ],
)
def test_tables_can_be_grouped_otherwise(
    tmp_path: Path, factory: Command, group_by: str, files: list[str]
) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project())
    done = factory(
        "contract", "draft", "--manifest", manifest, "--group-by", group_by, "-o", tmp_path / "out"
    )
    assert done.code == 0, done.err
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == files


def test_without_a_folder_one_stream_is_printed_and_without_a_catalog_the_sql_names_the_columns(
    tmp_path: Path, factory: Command
) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project())
    done = factory("contract", "draft", "--manifest", manifest)
    documents = scan_text(done.out, Path("stream")).documents
    assert [document.data["id"] for document in documents] == ["shop.shop", "shop.stage"]
    orders = documents[0].data["schema"][1]
    assert [column["name"] for column in orders["properties"]] == [
        "order_id",
        "customer_id",
        "status",
        "amount",
        "note",
    ]


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, factory: Command) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project())
    assert factory("contract", "draft", "--manifest", manifest, "-o", tmp_path / "out").code == 0
    (tmp_path / "out/shop.shop.odcs.yaml").write_text("mine", "utf-8")
    done = factory("contract", "draft", "--manifest", manifest, "-o", tmp_path / "out")
    assert (done.code, (tmp_path / "out/shop.shop.odcs.yaml").read_text("utf-8")) == (2, "mine")
    assert "--force" in done.err
    assert factory("contract", "draft", "--manifest", manifest, "-o", tmp_path / "out", "--force").code == 0


def test_what_is_no_manifest_is_told(tmp_path: Path, factory: Command) -> None:
    catalog = CATALOG | {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}}
    done = factory("contract", "draft", "--manifest", write_json(tmp_path / "catalog.json", catalog))
    assert done.code == 2
    assert "catalog" in done.err
    empty = write_json(tmp_path / "manifest.json", {"metadata": {}, "nodes": {}})
    assert "no models, seeds or snapshots" in factory("contract", "draft", "--manifest", empty).err


def test_drafts_have_the_same_bytes_every_time(tmp_path: Path, factory: Command) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project())
    shuffled = json.loads(manifest.read_text("utf-8"))
    shuffled["nodes"] = dict(reversed(shuffled["nodes"].items()))
    other = write_json(tmp_path / "other/manifest.json", shuffled)
    first, second = (factory("contract", "draft", "--manifest", file).out for file in (manifest, other))
    assert first == second


# Tests of packages as rules


@pytest.mark.parametrize(
    ("kind", "column", "arguments", "metric"),
    [
        (
            "dbt_expectations.expect_column_values_to_not_be_null",
            "a",
            {},
            {"metric": "nullValues", "mustBe": 0},
        ),
        (
            "dbt_expectations.expect_column_values_to_be_unique",
            "a",
            {},
            {"metric": "duplicateValues", "mustBe": 0},
        ),
        (
            "dbt_utils.unique_combination_of_columns",
            "",
            {"combination_of_columns": ["a", "b"]},
            {"metric": "duplicateValues", "arguments": {"properties": ["a", "b"]}, "mustBe": 0},
        ),
        (
            "dbt_utils.not_null_proportion",
            "a",
            {"at_least": 0.95},
            {"metric": "nullValues", "mustBeLessOrEqualTo": 5.0, "unit": "percent"},
        ),
        (
            "dbt_expectations.expect_table_row_count_to_be_between",
            "",
            {"min_value": 1, "max_value": 9},
            {"metric": "rowCount", "mustBeBetween": [0, 10]},
        ),
        (
            "dbt_expectations.expect_table_row_count_to_be_between",
            "",
            {"min_value": 1},
            {"mustBeGreaterOrEqualTo": 1},
        ),
        (
            "dbt_expectations.expect_table_row_count_to_equal",
            "",
            {"value": 3},
            {"metric": "rowCount", "mustBe": 3},
        ),
    ],
)
def test_a_test_that_the_library_can_say_is_one_of_its_metrics(
    kind: str, column: str, arguments: Data, metric: Data
) -> None:
    port = a_relation(columns=(a_column("a"), a_column("b")))
    artifacts = some_artifacts(port, tests=[a_test(kind, column, arguments=arguments)])
    (rule,) = rules_of_tests(artifacts, "orders", Path())
    found = quality_of(rule)
    assert found["type"] == "library"
    assert metric.items() <= found.items()
    assert facts(found)["test"] == kind


@pytest.mark.parametrize(
    ("kind", "column", "changes"),
    [
        ("not_null", "a", {"where": "b > 1"}),
        ("unique", "a", {"thresholds": {"error_if": "> 3"}}),
        ("not_null", "a", {"thresholds": {"fail_calc": "sum(n)"}}),
        (
            "dbt_expectations.expect_column_values_to_not_be_null",
            "a",
            {"arguments": {"row_condition": "b > 1"}},
        ),
        (
            "dbt_utils.unique_combination_of_columns",
            "",
            {"arguments": {"combination_of_columns": ["lower(a)"]}},
        ),
        ("dbt_utils.not_null_proportion", "a", {"arguments": {"at_least": 0.1, "at_most": 0.9}}),
        ("dbt_utils.accepted_range", "a", {"arguments": {"min_value": 0}}),
        ("my_package.anything", "a", {"arguments": {"x": 1}}),
    ],
)
def test_a_test_that_the_library_cannot_say_is_kept_for_dbt(kind: str, column: str, changes: Data) -> None:
    port = a_relation(columns=(a_column("a"), a_column("b")))
    artifacts = some_artifacts(port, tests=[a_test(kind, column, **changes)])
    (rule,) = rules_of_tests(artifacts, "orders", Path())
    found = quality_of(rule)
    assert (found["type"], found["engine"]) == ("custom", "dbt")
    assert found["implementation"]["test"] == kind
    for key, value in changes.items():
        assert found["implementation"][key] == value


def test_a_test_of_a_version_refers_to_that_version(tmp_path: Path, factory: Command) -> None:
    project = a_project()
    first = {**project["nodes"]["model.shop.customers"], "name": "orders", "alias": "orders_v1", "version": 1}
    project["nodes"]["model.shop.orders.v1"] = first | {"relation_name": '"db"."shop"."orders_v1"'}
    second = project["nodes"].pop("model.shop.orders") | {"alias": "orders_v2"}
    project["nodes"]["model.shop.orders.v2"] = second
    test = a_data_test(
        "relationships", "staging", "one", kwargs={"to": "ref('orders', v=2)", "field": "order_id"}
    )
    test["depends_on"] = {"nodes": ["model.shop.orders.v2", "model.shop.staging"]}
    del project["nodes"]["test.shop.relationships_staging_one"]  # it says nothing of what it reads
    project["nodes"]["test.shop.versioned"] = test
    manifest = write_json(tmp_path / "manifest.json", project)
    done = factory("contract", "draft", "--manifest", manifest, "--group-by", "package")
    (document,) = scan_text(done.out, Path("stream")).documents
    staging = next(table for table in document.data["schema"] if table["name"] == "staging")
    goals = [r["to"] for r in columns(staging)["one"]["relationships"]]
    assert "orders_v2.order_id" in goals
    assert "orders_v1.order_id" not in goals


def test_names_that_would_be_one_file_stay_apart_and_nothing_leaves_the_folder(
    tmp_path: Path, factory: Command
) -> None:
    project = a_project()
    for number, name in enumerate(("a/b", "a\\b", "A_B", "../../x", "")):
        node = {
            **project["nodes"]["model.shop.staging"],
            "name": f"t{number}",
            "alias": f"t{number}",
            "schema": name,
        }
        project["nodes"][f"model.shop.t{number}"] = node
    manifest = write_json(tmp_path / "in/manifest.json", project)
    done = factory("contract", "draft", "--manifest", manifest, "-o", tmp_path / "in/out")
    assert done.code == 0, done.err
    names = sorted(file.name for file in (tmp_path / "in/out").iterdir())
    assert len({name.lower() for name in names}) == len(names) == 7
    assert sorted(file.name for file in tmp_path.iterdir() if file.name != "home") == ["in"]


def test_a_test_that_speaks_of_no_table_is_told(tmp_path: Path, factory: Command) -> None:
    project = a_project()
    project["nodes"]["test.shop.lonely"] = {
        "resource_type": "test",
        "name": "lonely",
        "package_name": "shop",
        "raw_code": "select 1 where false",
        "depends_on": {"nodes": []},
    }
    done = factory("contract", "draft", "--manifest", write_json(tmp_path / "manifest.json", project))
    assert "lonely" in done.err


def test_run_results_have_to_be_run_results(tmp_path: Path, factory: Command) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project())
    catalog = CATALOG | {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}}
    other = write_json(tmp_path / "other.json", catalog)
    done = factory("contract", "draft", "--manifest", manifest, "--run-results", other)
    assert (done.code, "run results" in done.err) == (2, True)


def test_a_type_that_is_nested_without_end_costs_only_itself(tmp_path: Path, factory: Command) -> None:
    project = a_project()
    project["nodes"]["model.shop.customers"]["columns"] = {
        "deep": {"name": "deep", "data_type": "INTEGER" + "[]" * 600},
        "wide": {"name": "wide", "data_type": "STRUCT(a " * 300 + "INTEGER" + ")" * 300},
    }
    done = factory("contract", "draft", "--manifest", write_json(tmp_path / "manifest.json", project))
    assert done.code == 0, done.err
