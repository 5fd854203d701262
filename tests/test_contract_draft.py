"""The full contract: what people promise, and what dbt and the database say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import (
    MESH,
    a_column,
    a_constraint,
    a_product,
    a_promise,
    a_relation,
    a_test,
    some_artifacts,
    some_contracts,
)

from factory.artifacts import Exposure, Relation
from factory.contract import Conflict, Contract, Promise, draft_product, product_version
from factory.documents import dump_yaml, parse_yaml
from factory.products import Product
from factory.standards import odcs_faults, odps_faults
from factory.workspace import Settings, Workspace

RAW = a_relation("raw.orders", "source", columns=(a_column("id"), a_column("cents", "BIGINT")))
STAGING = a_relation(
    "stg_orders",
    access="protected",
    columns=(a_column("order_id"), a_column("amount", "DOUBLE")),
    sql='select id as order_id, cents / 100 as amount from "orders"."orders"."orders"',
    upstream=(RAW.unique_id,),
)


def draft(*promises: Promise, port: Relation | None = None, **more: Any) -> Contract:
    """Return the one contract of one model (by default `orders`), which the standard allows."""
    artifacts = more.pop("artifacts", None) or some_artifacts(
        port or a_relation(), tests=more.pop("tests", ())
    )
    (contract,) = some_contracts(*promises, artifacts=artifacts, **more)
    assert odcs_faults(contract.data) == ()
    return contract


def table(contract: Contract, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = contract.data["schema"][number]
    return found


def column(contract: Contract, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in table(contract)["properties"] if c["name"] == name)
    return found


def custom(data: Any) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in data["customProperties"]}


def conflict(contract: Contract) -> Conflict:
    (found,) = contract.conflicts
    return found


# The document as a whole


def test_a_contract_of_the_least_promise_is_whole_and_valid() -> None:
    contract = draft()
    assert (contract.product, contract.name, contract.version, contract.major) == (
        "orders",
        "orders",
        "1.0.0",
        1,
    )
    assert contract.id == "urn:dpf:retail:orders:orders"
    assert contract.tables == ("model.orders.orders",)
    assert contract.conflicts == ()
    data = contract.data
    assert (data["apiVersion"], data["kind"], data["status"], data["domain"]) == (
        "v3.2.0",
        "DataContract",
        "active",
        "retail",
    )
    assert data["description"] == {"purpose": "What customers ordered, a row per order."}
    assert data["team"]["name"] == "sales"
    assert data["support"][0]["channel"] == "help"


def test_a_contract_is_written_and_read_without_loss_and_always_in_the_same_bytes() -> None:
    one, other = draft(tests=[a_test()]), draft(tests=[a_test()])
    assert one.text() == other.text()
    assert parse_yaml(one.text(), MESH.root).data == one.data


def test_what_is_promised_by_hand_wins_over_what_the_product_says() -> None:
    promise = a_promise(
        status="draft",
        description={"purpose": "Only paid orders.", "limitations": "From 2024 on."},
        support=[{"channel": "chat"}],
        team={"name": "others"},
        tags=["paid"],
        customProperties=[
            {"property": "title", "value": "Paid orders"},
            {"property": "noticePeriod", "value": "P3M"},
        ],
        price={"priceAmount": 3, "priceCurrency": "EUR", "priceUnit": "month"},
        roles=[{"role": "reader"}],
        slaProperties=[{"property": "frequency", "value": 1, "unit": "d"}],
    )
    data = draft(promise, product=a_product(tags=("retail", "paid"))).data
    assert data["status"] == "draft"
    assert data["description"] == {"purpose": "Only paid orders.", "limitations": "From 2024 on."}
    assert (data["support"], data["team"]) == ([{"channel": "chat"}], {"name": "others"})
    assert data["tags"] == ["retail", "paid"]
    assert custom(data)["title"] == "Paid orders"
    assert custom(data)["noticePeriod"] == "P3M"
    assert "pricing" not in custom(data)
    assert data["slaProperties"][0]["property"] == "frequency"


def test_a_contract_without_a_price_says_that_none_is_stated() -> None:
    assert custom(draft().data)["pricing"] == "not stated"


def test_a_contract_tells_where_the_published_tables_lie() -> None:
    view, file = draft(a_promise(version="2.1.0")).data["servers"]
    assert (view["type"], view["database"], view["schema"]) == ("duckdb", "ports.duckdb", "orders")
    assert (file["type"], file["path"]) == ("local", "ports/retail/orders/orders/v2/current/orders.parquet")
    on_branch = draft(ws=Workspace(MESH.root, "ci")).data["servers"]
    assert on_branch[0]["database"] == "target/ci/ports.duckdb"
    assert on_branch[0]["environment"] == "ci"
    elsewhere = draft(ws=Workspace(MESH.root, settings=Settings(ports_base="s3://mesh"))).data["servers"]
    assert elsewhere[1]["path"].startswith("s3://mesh/ports/retail/")


def test_known_uses_of_a_covered_table_are_told() -> None:
    board = Exposure(
        "exposure.orders.board",
        "orders",
        "board",
        "dashboard",
        "o@example.org",
        "",
        "",
        ("model.orders.orders",),
    )
    other = replace(board, name="other", upstream=("model.orders.returns",))
    artifacts = replace(some_artifacts(), exposures=(board, other))
    uses = custom(draft(artifacts=artifacts).data)["exposures"]
    assert [use["name"] for use in uses] == ["board"]


# Tables


def test_only_public_tables_and_views_are_ports() -> None:
    artifacts = some_artifacts(
        a_relation("staged", access="protected"),
        a_relation("helper", access="private"),
        a_relation("inlined", materialized="ephemeral"),
        a_relation("raw_orders", "seed"),
        a_relation("customers", package="customers"),
        a_relation("orders"),
        a_relation("orders_view", materialized="view"),
        a_relation("orders_daily", materialized="incremental"),
    )
    contract = draft(artifacts=artifacts)
    kinds = {table["name"]: table["physicalType"] for table in contract.data["schema"]}
    assert kinds == {"orders": "table", "orders_view": "view", "orders_daily": "table"}


def test_a_promise_that_names_tables_covers_those_alone_in_its_order() -> None:
    artifacts = some_artifacts(a_relation("customers"), a_relation("orders"), a_relation("returns"))
    contract = draft(a_promise(schema=[{"name": "returns"}, {"name": "orders"}]), artifacts=artifacts)
    assert [table["name"] for table in contract.data["schema"]] == ["returns", "orders"]
    assert contract.tables == ("model.orders.returns", "model.orders.orders")


def test_a_table_is_named_as_the_database_names_it() -> None:
    port = a_relation(
        "orders", identifier="orders_v2", version="2", latest_version="2", deprecation_date="2030-01-01"
    )
    contract = draft(a_promise(schema=[{"name": "orders_v2"}]), port=port)
    assert (table(contract)["name"], table(contract)["physicalName"]) == ("orders_v2", "orders_v2")
    facts = custom(table(contract))
    assert (facts["modelVersion"], facts["latestModelVersion"], facts["deprecationDate"]) == (
        "2",
        "2",
        "2030-01-01",
    )
    assert table(contract)["deprecated"] is True


def test_a_table_has_its_descriptions_tags_and_the_model_that_makes_it() -> None:
    port = a_relation(
        tags=("nightly",), meta={"grain": "One row per order", "cost_type": "low"}, group="sales"
    )
    hand = {"name": "orders", "businessName": "Orders", "tags": ["gold"], "synonyms": [{"synonym": "sales"}]}
    found = table(draft(a_promise(schema=[hand]), port=port))
    assert (found["description"], found["businessName"]) == ("The orders.", "Orders")
    assert found["dataGranularityDescription"] == "One row per order"
    assert found["tags"] == ["nightly", "gold"]
    assert found["authoritativeDefinitions"][-1]["url"] == "products/orders/models/marts/orders.sql"
    assert (custom(found)["group"], custom(found)["costType"]) == ("sales", "low")


# Columns


def test_a_column_has_its_types_description_and_tags() -> None:
    meta = {"classification": "restricted", "critical": True, "business_name": "Card", "retention_years": 3}
    port = a_relation(columns=(a_column("card", "VARCHAR(19)", meta=meta, tags=("pii",)),))
    assert column(draft(port=port), "card") == {
        "name": "card",
        "classification": "restricted",
        "businessName": "Card",
        "criticalDataElement": True,
        "physicalType": "VARCHAR(19)",
        "logicalType": "string",
        "logicalTypeOptions": {"maxLength": 19},
        "description": "The card.",
        "required": False,
        "tags": ["pii"],
        "customProperties": [{"property": "retentionYears", "value": 3}],
    }


def test_what_only_people_know_of_a_column_is_taken_over() -> None:
    hand = {
        "name": "AMOUNT",
        "description": "What it costs, with tax.",
        "businessName": "Amount",
        "examples": [9.9],
        "criticalDataElement": True,
        "logicalType": "number",
        "logicalTypeOptions": {"minimum": 0},
        "authoritativeDefinitions": [{"url": "https://example.org", "type": "businessDefinition"}],
    }
    found = column(draft(a_promise(schema=[{"name": "orders", "properties": [hand]}])), "amount")
    assert found["description"] == "What it costs, with tax."
    assert (found["businessName"], found["examples"], found["criticalDataElement"]) == ("Amount", [9.9], True)
    assert found["logicalTypeOptions"] == {"minimum": 0}
    assert found["physicalType"] == "DECIMAL(18,2)"
    assert found["authoritativeDefinitions"][0]["type"] == "businessDefinition"


def test_a_type_comes_from_the_database_else_from_yaml_else_it_is_text() -> None:
    columns = (
        a_column("a", "BIGINT", data_type="integer"),
        a_column("b", "", data_type="integer"),
        a_column("c", "", data_type=""),
    )
    contract = draft(port=a_relation(columns=columns))
    assert column(contract, "a")["physicalType"] == "BIGINT"
    assert column(contract, "b")["physicalType"] == "INTEGER"
    assert column(contract, "c")["logicalType"] == "string"
    assert "physicalType" not in column(contract, "c")


def test_a_column_that_yaml_does_not_know_says_so() -> None:
    port = a_relation(columns=(a_column("order_id"), a_column("extra", declared=False, description="")))
    assert custom(column(draft(port=port), "extra")) == {"undocumented": True}


def test_a_nested_column_is_told_whole() -> None:
    port = a_relation(columns=(a_column("lines", "STRUCT(sku VARCHAR, prices MAP(VARCHAR, DOUBLE))[]"),))
    found = column(draft(port=port), "lines")
    assert [p["name"] for p in found["items"]["properties"]] == ["sku", "prices"]


# Keys, required and unique


def test_a_key_of_one_column_is_required_and_unique() -> None:
    found = column(draft(port=a_relation(primary_key=("ORDER_ID",))), "order_id")
    assert (found["required"], found["unique"]) == (True, True)
    assert (found["primaryKey"], found["primaryKeyPosition"]) == (True, 1)


def test_a_key_of_several_columns_makes_each_required_and_none_unique() -> None:
    contract = draft(port=a_relation(primary_key=("amount", "order_id")))
    positions = {name: column(contract, name)["primaryKeyPosition"] for name in ("order_id", "amount")}
    assert positions == {"order_id": 2, "amount": 1}
    for name in positions:
        assert column(contract, name)["required"] is True
        assert "unique" not in column(contract, name)


@pytest.mark.parametrize("how", ["constraint", "test"])
def test_not_null_and_unique_hold_by_constraint_or_by_test(how: str) -> None:
    port = a_relation(columns=(a_column(constraints=("not_null", "unique") if how == "constraint" else ()),))
    tests = [a_test("not_null"), a_test("unique")] if how == "test" else []
    found = column(draft(port=port, tests=tests), "order_id")
    assert (found["required"], found["unique"]) == (True, True)


def test_what_nobody_says_is_not_promised() -> None:
    found = column(draft(), "order_id")
    assert found["required"] is False
    assert not {"unique", "primaryKey"} & set(found)


# Rules and relationships


def test_plain_dbt_tests_become_rules_of_the_library() -> None:
    tests = [a_test("not_null"), a_test("unique"), a_test("accepted_values", arguments={"values": [1, 2]})]
    rules = {rule["name"]: rule for rule in column(draft(tests=tests), "order_id")["quality"]}
    null = rules["not_null_orders_order_id"]
    assert (null["metric"], null["mustBe"], null["dimension"], null["severity"]) == (
        "nullValues",
        0,
        "completeness",
        "error",
    )
    assert rules["unique_orders_order_id"]["metric"] == "duplicateValues"
    assert rules["accepted_values_orders_order_id"]["arguments"] == {"validValues": [1, 2]}


def test_permitted_values_of_a_test_become_an_enumeration() -> None:
    values = {"values": ["paid", "open"]}
    whole = draft(tests=[a_test("accepted_values", arguments=values)])
    assert column(whole, "order_id")["enum"] == [{"value": "paid"}, {"value": "open"}]
    filtered = draft(tests=[a_test("accepted_values", arguments=values, where="amount > 3")])
    assert "enum" not in column(filtered, "order_id")


def test_a_test_that_the_library_has_no_metric_for_is_kept_as_dbt_has_it() -> None:
    test = a_test(
        "dbt_utils.accepted_range",
        "amount",
        arguments={"min_value": 0},
        where="order_id > 3",
        severity="warn",
    )
    (rule,) = column(draft(tests=[test]), "amount")["quality"]
    assert (rule["type"], rule["engine"], rule["severity"]) == ("custom", "dbt", "warning")
    assert rule["implementation"] == {
        "test": "dbt_utils.accepted_range",
        "name": "dbt_utils_accepted_range_orders_amount",
        "arguments": {"min_value": 0},
        "where": "order_id > 3",
    }


def test_a_test_with_a_filter_is_no_rule_of_the_library() -> None:
    (rule,) = column(draft(tests=[a_test("not_null", where="amount > 3")]), "order_id")["quality"]
    assert rule["type"] == "custom"


def test_a_rule_about_no_column_of_the_table_stands_on_the_table() -> None:
    tests = [a_test("singular", "", name="totals_match"), a_test("dbt_utils.sum", "of_the_whole")]
    contract = draft(tests=tests)
    assert [rule["name"] for rule in table(contract)["quality"]] == [
        "totals_match",
        "dbt_utils_sum_orders_of_the_whole",
    ]


def test_a_rule_of_the_contract_is_published_as_it_was_written_and_once() -> None:
    rule = {"metric": "nullValues", "mustBe": 0, "description": "Always there.", "severity": "warning"}
    promise = a_promise(schema=[{"name": "orders", "properties": [{"name": "amount", "quality": [rule]}]}])
    assert column(draft(promise), "amount")["quality"] == [{"dimension": "completeness", **rule}]


def test_a_relationships_test_becomes_a_relationship_within_the_contract() -> None:
    artifacts = some_artifacts(
        a_relation("customers"),
        a_relation("orders"),
        tests=[a_test("relationships", arguments={"to": "ref('customers')", "field": "order_id"})],
    )
    promise = a_promise(schema=[{"name": "orders"}, {"name": "customers"}])
    assert column(draft(promise, artifacts=artifacts), "order_id")["relationships"] == [
        {"type": "foreignKey", "to": "customers.order_id"}
    ]


def test_a_relationship_to_another_product_becomes_an_address() -> None:
    test = a_test("relationships", arguments={"to": "ref('crm', 'customers')", "field": "id"})
    found = column(draft(tests=[test]), "order_id")
    assert "relationships" not in found
    assert custom(found) == {"references": "crm.customers.id"}


def test_foreign_keys_of_dbt_become_relationships_of_the_table() -> None:
    port = a_relation(
        constraints=(
            a_constraint(
                "foreign_key", ["order_id"], to='"orders"."orders"."orders"', to_columns=("amount",)
            ),
            a_constraint(
                "foreign_key", ["order_id", "amount"], to="orders", to_columns=("amount", "order_id")
            ),
            a_constraint("foreign_key", ["order_id"], to="payments", to_columns=("id",)),
            a_constraint("check", expression="amount > 0"),
        )
    )
    contract = draft(port=port)
    assert table(contract)["relationships"] == [
        {"type": "foreignKey", "from": "orders.order_id", "to": "orders.amount"},
        {
            "type": "foreignKey",
            "from": ["orders.order_id", "orders.amount"],
            "to": ["orders.amount", "orders.order_id"],
        },
    ]
    # What no contract covers is told as dbt has it.
    assert custom(table(contract))["constraints"] == [
        {"type": "foreign_key", "columns": ["order_id"], "to": "payments", "toColumns": ["id"]}
    ]
    (check,) = table(contract)["quality"]
    assert (check["type"], check["query"], check["mustBe"]) == (
        "sql",
        "select count(*) from {object} where not (amount > 0)",
        0,
    )


# Where columns come from


def test_an_origin_is_told_at_the_product_s_border() -> None:
    port = a_relation(
        columns=(a_column("order_id"), a_column("euros", "DOUBLE"), a_column("n", "BIGINT")),
        sql='select order_id, sum(amount) as euros, 1 as n from "orders"."orders"."stg_orders" group by order_id',
        upstream=(STAGING.unique_id,),
    )
    contract = draft(a_promise(schema=[{"name": "orders"}]), artifacts=some_artifacts(RAW, STAGING, port))
    copied, summed, constant = (column(contract, name) for name in ("order_id", "euros", "n"))
    assert copied["transformSourceObjects"] == ["orders.raw.orders.id"]
    assert copied["transformDescription"] == "Copied from orders.raw.orders.id."
    assert copied["transformLogic"] == "id"
    assert summed["transformSourceObjects"] == ["orders.raw.orders.cents"]
    assert summed["transformDescription"] == "Aggregated from orders.raw.orders.cents."
    assert "SUM(" in summed["transformLogic"]
    assert "transformSourceObjects" not in constant
    assert constant["transformLogic"] == "1"


def test_what_only_decides_about_a_value_is_told_too() -> None:
    port = a_relation(
        columns=(a_column("order_id"), a_column("size"), a_column("place")),
        sql=(
            "select order_id, case when amount > 9 then 'large' else 'small' end as size, "
            'row_number() over (order by amount) as place from "orders"."orders"."stg_orders"'
        ),
        upstream=(STAGING.unique_id,),
    )
    contract = draft(a_promise(schema=[{"name": "orders"}]), artifacts=some_artifacts(RAW, STAGING, port))
    for name in ("size", "place"):
        made = column(contract, name)
        assert made["transformDescription"] == "Made here, by orders.raw.orders.cents."
        assert "transformSourceObjects" not in made


def test_another_product_s_port_is_the_border() -> None:
    customers = a_relation("customers", package="crm", columns=(a_column("id"),))
    port = a_relation(
        columns=(a_column("id"),),
        sql='select id from "crm"."crm"."customers"',
        upstream=(customers.unique_id,),
    )
    contract = draft(artifacts=some_artifacts(customers, port))
    assert column(contract, "id")["transformSourceObjects"] == ["crm.customers.id"]


def test_an_unknown_origin_is_left_out() -> None:
    assert "transformDescription" not in column(draft(port=a_relation(sql="")), "order_id")


# Contradictions


def promised(**fields: Any) -> Promise:
    return a_promise(schema=[{"name": "orders", "properties": [{"name": "order_id", **fields}]}])


def test_a_table_that_is_not_there_is_a_conflict_with_both_sides_named() -> None:
    contract = draft(a_promise(schema=[{"name": "orders"}, {"name": "retruns"}]))
    assert conflict(contract) == Conflict(
        "the contract promises the table 'retruns', but there is no such model",
        "products/orders/contracts/orders.odcs.yaml:7",
        "public models: orders",
    )


def test_a_table_that_is_not_public_is_a_conflict() -> None:
    artifacts = some_artifacts(a_relation("stg_orders", access="private"), a_relation("orders"))
    contract = draft(a_promise(schema=[{"name": "stg_orders"}]), artifacts=artifacts)
    assert conflict(contract).message == "the contract promises the table 'stg_orders', but it is private"


def test_a_column_that_is_not_there_is_a_conflict() -> None:
    promise = a_promise(schema=[{"name": "orders", "properties": [{"name": "order_id"}, {"name": "total"}]}])
    assert conflict(draft(promise)) == Conflict(
        "the contract promises the column orders.total, which is not in models/marts/orders.sql",
        "products/orders/contracts/orders.odcs.yaml:9",
        "its columns: order_id, amount",
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("logicalType", "string", "says logicalType string for orders.order_id, the database has integer"),
        ("physicalType", "BIGINT", "says physicalType BIGINT for orders.order_id, the database has INTEGER"),
        ("required", True, "says required: true for orders.order_id, dbt says false"),
        ("unique", True, "says unique: true for orders.order_id, dbt says false"),
        ("primaryKey", True, "says primaryKey: true for orders.order_id, dbt says false"),
    ],
)
def test_a_contradiction_names_both_places(field: str, value: Any, message: str) -> None:
    found = conflict(draft(promised(**{field: value})))
    assert message in found.message
    assert "models/marts/orders.sql" in found.message
    assert found.place == "products/orders/contracts/orders.odcs.yaml:9"
    assert found.hint


def test_what_the_contract_takes_back_is_a_contradiction_too() -> None:
    contract = draft(promised(required=False), tests=[a_test("not_null")])
    assert "says required: false for orders.order_id, dbt says true" in conflict(contract).message
    assert column(contract, "order_id")["required"] is True


def test_what_agrees_is_no_conflict() -> None:
    promise = promised(
        logicalType="integer", physicalType="integer", required=True, unique=True, primaryKey=True
    )
    assert draft(promise, port=a_relation(primary_key=("order_id",))).conflicts == ()


# The product's document


def test_a_product_s_document_has_its_ports_and_is_valid() -> None:
    product = a_product()
    contracts = some_contracts(a_promise("orders"), a_promise("sales", "2.3.0"), product=product)
    document = draft_product(
        product, contracts, {"urn:dpf:crm:customers:customers": {"name": "customers", "version": "1.4.0"}}
    )
    assert odps_faults(document) == ()
    assert document["version"] == "2.3.0"
    assert document["inputPorts"] == [
        {"name": "customers", "version": "1.4.0", "contractId": "urn:dpf:crm:customers:customers"}
    ]
    assert [(port["name"], port["version"], port["contractId"]) for port in document["outputPorts"]] == [
        ("orders", "1.0.0", "urn:dpf:retail:orders:orders"),
        ("sales", "2.3.0", "urn:dpf:retail:orders:sales"),
    ]
    assert document["outputPorts"][0]["inputContracts"] == [
        {"id": "urn:dpf:crm:customers:customers", "version": "1.4.0"}
    ]
    assert list(document)[:4] == ["apiVersion", "kind", "id", "name"]
    assert parse_yaml(dump_yaml(document), MESH.root).data == document


@pytest.mark.parametrize(
    ("product", "versions", "version"),
    [
        (a_product(), ["1.9.0", "1.10.0"], "1.10.0"),
        (a_product(version="7.0.0"), ["1.0.0"], "7.0.0"),
        (a_product(), [], "0.0.0"),
    ],
)
def test_a_product_has_the_version_that_it_states_or_its_newest_contract_s(
    product: Product, versions: list[str], version: str
) -> None:
    promises = [
        a_promise(name, version) for name, version in zip(["first", "second"], versions, strict=False)
    ]
    contracts = some_contracts(*promises) if promises else ()
    assert product_version(product, contracts) == version
