"""Contracts of other standards as ODCS 3.2: every field goes to its place, and nothing goes silently."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from factory.cli.convert import import_
from factory.documents import Document, dump_yaml, parse_yaml, read_yaml
from factory.errors import ContractError, FactoryError
from factory.odcs.convert import Conversion, convert, dialect_of
from factory.odcs.convert.fields import FIELDS, OPTIONS, REQUIRED, SERVER_FIELDS, SERVER_REQUIRED
from factory.odcs.convert.shapes import type_fields
from factory.standards import odcs_faults, schema

CASES = Path(__file__).parent / "cases" / "contracts"
FOREIGN = sorted(file for file in CASES.glob("*.yaml") if ".odcs." not in file.name)
OURS = sorted(CASES.glob("*.odcs.yaml"))


def converted(text: str) -> Conversion:
    return convert(parse_yaml(text, Path("contract.yaml")))


def case(name: str) -> Conversion:
    return convert(read_yaml(CASES / name))


def messages(conversion: Conversion) -> list[str]:
    return [note.message for note in conversion.notes]


def customs(block: dict[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in block.get("customProperties", ())}


def column(conversion: Conversion, name: str, table: int = 0) -> dict[str, Any]:
    columns = {each["name"]: each for each in conversion.data["schema"][table]["properties"]}
    found: dict[str, Any] = columns[name]
    return found


# The fields themselves.


def test_the_fields_are_those_of_the_schema() -> None:
    root = schema("odcs-3.2.0.schema.json")
    blocks = root["$defs"]
    element = set(blocks["SchemaElement"]["properties"])
    assert set(FIELDS["contract"]) == set(root["properties"])
    assert set(FIELDS["description"]) == set(root["properties"]["description"]["properties"])
    assert set(FIELDS["table"]) == element | set(blocks["SchemaObject"]["properties"])
    # `properties`, `items` and `map` depend on the logical type.
    inner = {"properties", "items", "map", "name"}
    assert (
        set(FIELDS["column"]) - inner == (element | set(blocks["SchemaBaseProperty"]["properties"])) - inner
    )
    for name, block in (
        ("enum", "EnumValue"), ("synonym", "Synonym"), ("support", "SupportItem"), ("price", "Pricing"),
        ("team", "Team"), ("member", "TeamMember"), ("role", "Role"), ("custom", "CustomProperty"),
        ("level", "ServiceLevelAgreementProperty"),
    ):  # fmt: skip
        assert set(FIELDS[name]) == set(blocks[block]["properties"]), name
        assert set(REQUIRED.get(name, ())) == set(blocks[block].get("required", ())), name


def test_the_servers_are_those_of_the_schema() -> None:
    server = schema("odcs-3.2.0.schema.json")["$defs"]["Server"]
    sources = schema("odcs-3.2.0.schema.json")["$defs"]["ServerSource"]
    assert set(SERVER_FIELDS) == set(server["properties"]["type"]["enum"])
    for each in server["allOf"]:
        kind = each["if"]["properties"]["type"]["const"]
        source = sources[each["then"]["$ref"].rsplit("/", 1)[1]]
        assert set(SERVER_REQUIRED[kind]) == set(source.get("required", ())), kind
        assert set(SERVER_FIELDS[kind]) >= set(source.get("required", ())), kind


@pytest.mark.parametrize("logical", sorted(OPTIONS))
def test_the_options_are_those_of_the_schema(logical: str) -> None:
    base = schema("odcs-3.2.0.schema.json")["$defs"]["SchemaBaseProperty"]["allOf"]
    found = [each["then"] for each in base if "if" in each and f'"{logical}"' in json.dumps(each["if"])]
    options = [each["properties"]["logicalTypeOptions"] for each in found if "properties" in each]
    assert set(OPTIONS[logical]) == set(options[0]["properties"])


# What a file is written in.


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("dataContractSpecification: 0.9.3\nid: a", "dcs"),
        ("info: {title: a}\nmodels: {a: {}}", "dcs"),
        ("apiVersion: v2.2.2\nkind: DataContract", "odcs-2.2"),
        ("apiVersion: 2.3.0\ndataset: []", "odcs-2.2"),
        ("dataset: [{table: a}]", "odcs-2.2"),
        ("- table: a", "odcs-2.2"),
        ("- username: a\n- username: b", "odcs-2.2"),
        ("table: a", "odcs-2.2"),
        ("apiVersion: v3.2.0\nkind: DataContract", "odcs-3"),
        ("apiVersion: v4.0.0\nkind: DataContract", ""),
        ("apiVersion: v1\nkind: Pod", ""),
        ("version: 2\nmodels: [{name: a}]", ""),
        ("openapi: 3.0.0\ninfo: {title: a}\nservers: []\npaths: {}", ""),
        ("apiVersion: v1.0.0\nkind: DataProduct", ""),
        ("just text", ""),
        ("[]", ""),
        ("", ""),
    ],
)
def test_the_dialect_of_a_document(text: str, dialect: str) -> None:
    assert dialect_of(parse_yaml(text, Path("a.yaml")).data) == dialect


def test_telling_a_dialect_loads_no_validator() -> None:
    program = (
        "import sys; from factory.odcs.convert import dialect_of; dialect_of({'table': 1});"
        "print([m for m in ('dbt', 'jsonschema', 'jsonschema_rs', 'duckdb', 'soda', 'copier') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: 1", "the file is no data contract that is known", 1),
        ("just text", "the file is no data contract that is known", 1),
        ("kind: DataContract\napiVersion: v4.0.0", "there is no ODCS v4.0.0", 2),
        ("kind: DataContract\napiVersion: v3.9.0", "there is no ODCS v3.9.0", 2),
        ("id: a\ndataContractSpecification: 7.0.0", "there is no Data Contract Specification 7.0.0", 2),
    ],
)
def test_what_is_no_known_contract_is_refused_with_its_line(text: str, message: str, line: int) -> None:
    with pytest.raises(ContractError) as caught:
        converted(text)
    assert (caught.value.message, caught.value.line) == (message, line)
    assert "ODCS 2.2 or 3" in caught.value.hint


# The cases, and the official schema.


@pytest.mark.parametrize("file", FOREIGN + OURS, ids=lambda file: file.name)
def test_every_case_becomes_what_the_official_schema_accepts(file: Path) -> None:
    conversion = convert(read_yaml(file))
    witness = json.loads(resources.files("open_data_contract_standard").joinpath("schema.json").read_bytes())
    assert [error.message for error in Draft201909Validator(witness).iter_errors(conversion.data)] == []
    assert odcs_faults(conversion.data) == ()
    # Written and read again it is the same.
    assert parse_yaml(dump_yaml(conversion.data), file).data == conversion.data


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_a_contract_of_odcs_3_2_stays_as_it_is(file: Path) -> None:
    document = read_yaml(file)
    conversion = convert(document)
    assert conversion.data == document.data
    assert list(conversion.data) == list(document.data)
    assert (conversion.dialect, conversion.notes) == ("ODCS 3.2.0", ())


@pytest.mark.parametrize("file", FOREIGN, ids=lambda file: file.name)
def test_a_converted_contract_converts_to_itself(file: Path) -> None:
    once = convert(read_yaml(file))
    twice = convert(Document(file, once.data, {}))
    assert (twice.data, twice.notes) == (once.data, ())


# The Data Contract Specification.


def test_the_first_version_of_the_data_contract_specification() -> None:
    conversion = case("orders-latest-npii.yaml")
    assert conversion.dialect == "Data Contract Specification 0.9.0"
    assert conversion.data == {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "orders-latest-npii",
        "name": "Orders Latest NPII",
        "version": "1.0.0",
        "status": "draft",
        "description": {
            "purpose": "Successful customer orders in the webshop. All orders since 2020-01-01. PII data is removed.",
            "limitations": "Not suitable for real-time use cases.",
            "usage": "Data can be used for reports, analytics and machine learning use cases.",
        },
        "schema": [
            {
                "name": "orders",
                "description": "One record per order. Includes cancelled and deleted orders.",
                "properties": [
                    {
                        "name": "order_id",
                        "logicalType": "string",
                        "description": "Primary key of the orders table",
                    },
                    {
                        "name": "order_timestamp",
                        "logicalType": "timestamp",
                        "logicalTypeOptions": {"timezone": True},
                        "physicalType": "timestampz",
                        "description": "The business timestamp in UTC when the order was successfully registered",
                    },
                    {
                        "name": "order_total",
                        "logicalType": "integer",
                        "physicalType": "integer",
                        "description": "Total amount of the order in the smallest monetary unit (e.g., cents).",
                    },
                ],
                # SodaCL's `between` has its ends inside, ODCS's mustBeBetween has not.
                "quality": [
                    {"type": "library", "metric": "rowCount", "mustBeGreaterOrEqualTo": 1000000},
                    {"type": "library", "metric": "rowCount", "mustBeLessOrEqualTo": 3000000},
                ],
                "customProperties": [
                    {
                        "property": "schemaDescription",
                        "value": "The subset of the output port's data model that we agree to use",
                    }
                ],
            }
        ],
        "price": {"priceAmount": 5000, "priceCurrency": "USD", "priceUnit": "month"},
        "team": {"name": "Checkout Team"},
        "customProperties": [{"property": "noticePeriod", "value": "P3M"}],
    }
    assert [(note.line, note.message) for note in conversion.notes] == [
        (1, "status: none is told; draft is written"),
        (12, "noticePeriod: kept as custom property noticePeriod"),
        (17, "description: kept as custom property schemaDescription of the table"),
    ]


def test_a_specification_may_stand_as_text() -> None:
    conversion = converted(
        "dataContractSpecification: 0.9.0\nid: a\ninfo: {title: a, version: 1.0.0}\n"
        "schema:\n  type: dbt\n  specification: |\n    models:\n      - name: t\n        columns:\n"
        "          - {name: a, data_type: varchar(3), tests: [not_null, unique, odd]}\n"
        "          - name: b\n            data_type: int\n            tests:\n"
        "              - relationships: {to: ref('u'), field: id}\n"
        "              - accepted_values: {values: [1, 2]}\n"
        "quality:\n  type: SodaCL\n  specification: |\n    checks for t:\n"
        "      - missing_count(a) = 0\n      - missing_percent(b) < 5\n      - duplicate_count(a, b) = 0\n"
        "      - duplicate_count(a) < 5\n      - freshness(a) < 1d\n    checks for u:\n      - row_count > 0\n"
    )
    a, b = column(conversion, "a"), column(conversion, "b")
    assert (a["required"], a["unique"], a["physicalType"]) == (True, True, "varchar(3)")
    assert a["logicalTypeOptions"] == {"maxLength": 3}
    assert customs(a) == {"tests": ["odd"]}
    assert a["quality"] == [{"type": "library", "metric": "nullValues", "mustBe": 0}]
    assert b["relationships"] == [{"type": "foreignKey", "to": "u.id"}]
    assert b["enum"] == [{"value": 1}, {"value": 2}]
    assert b["quality"] == [
        {"type": "library", "metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"}
    ]
    assert conversion.data["schema"][0]["quality"] == [
        {
            "type": "library",
            "metric": "duplicateValues",
            "arguments": {"properties": ["a", "b"]},
            "mustBe": 0,
        },
        # Soda counts values, ODCS rows: alike only where there are none.
        {"type": "custom", "engine": "soda", "implementation": "checks for t:\n- duplicate_count(a) < 5\n"},
        {"type": "custom", "engine": "soda", "implementation": "checks for t:\n- freshness(a) < 1d\n"},
    ]
    assert customs(conversion.data)["quality"] == {"checks for u": ["row_count > 0"]}


def test_a_schema_that_is_not_of_dbt_is_kept_whole() -> None:
    conversion = converted(
        "dataContractSpecification: 0.9.0\nid: a\ninfo: {title: a, version: 1.0.0}\n"
        "schema: {type: avro, specification: '{}'}\nquality: {type: montecarlo, specification: x}\n"
    )
    assert customs(conversion.data) == {
        "schema": {"type": "avro", "specification": "{}"},
        "quality": {"type": "montecarlo", "specification": "x"},
    }


def test_the_top_of_the_data_contract_specification() -> None:
    data = case("orders-latest-1.1.0.yaml").data
    assert list(data) == [
        "apiVersion", "kind", "id", "name", "version", "status", "description", "tags", "authoritativeDefinitions",
        "servers", "schema", "support", "team", "slaProperties", "customProperties",
    ]  # fmt: skip
    assert data["authoritativeDefinitions"] == [
        {"url": "https://cli.datacontract.com", "type": "datacontractCli"}
    ]
    assert data["description"]["authoritativeDefinitions"] == [
        {"url": "https://example.com/privacy-policy", "type": "privacy-policy"},
        {
            "url": "https://example.com/license/1234",
            "type": "license",
            "description": "External data is licensed under agreement 1234.",
        },
    ]
    assert customs(data["description"]) == {"policies": [{"description": "A policy without an address"}]}
    assert data["servers"] == [
        {
            "server": "production",
            "type": "s3",
            "description": "One folder per model. One file per day.",
            "environment": "prod",
            "location": "s3://datacontract-example-orders-latest/v2/{model}/*.json",
            "format": "json",
            "delimiter": "new_line",
            "roles": [{"role": "analyst_us", "description": "Access to the data for US region"}],
        },
        {
            "server": "stream",
            "type": "kafka",
            "host": "kafka.example.com:9092",
            "customProperties": [{"property": "topic", "value": "orders"}],
        },
        {
            "server": "frame",
            "type": "custom",
            "customProperties": [{"property": "type", "value": "dataframe"}],
        },
        {"server": "lake", "type": "bigquery", "project": "acme", "dataset": "orders"},
    ]
    assert data["support"] == [
        {"channel": "john.doe@example.com", "description": "John Doe (Data Product Owner)", "tool": "email"},
        {
            "channel": "https://teams.microsoft.com/l/channel/example/checkout",
            "url": "https://teams.microsoft.com/l/channel/example/checkout",
            "description": "John Doe (Data Product Owner)",
            "tool": "teams",
        },
    ]
    assert data["team"] == {"name": "Checkout Team"}
    assert customs(data) == {
        "costCenter": 4711,
        "billing": "free of charge",
        "noticePeriod": "P3M",
        "definitions": {"unused": {"type": "text"}},
    }


def test_the_fields_of_the_data_contract_specification() -> None:
    conversion = case("orders-latest-1.1.0.yaml")
    assert column(conversion, "order_id") == {
        "name": "order_id",
        "businessName": "Order ID",
        "logicalType": "string",
        "logicalTypeOptions": {"format": "uuid"},
        "physicalType": "text",
        "required": True,
        "unique": True,
        "primaryKey": True,
        "classification": "restricted",
        "examples": ["243c25e5-a081-43a9-aeab-6d5d5b6cb5e2"],
        "tags": ["orders"],
        "customProperties": [{"property": "pii", "value": True}, {"property": "domain", "value": "checkout"}],
    }
    assert column(conversion, "order_total") == {
        "name": "order_total",
        "logicalType": "integer",
        "logicalTypeOptions": {"format": "i64", "minimum": 0, "maximum": 1000000},
        "physicalType": "long",
        "quality": [
            {
                "description": "95% of all order total values are between 10 and 499 EUR.",
                "type": "sql",
                "query": "SELECT quantile_cont(order_total, 0.95) FROM orders",
                "mustBeBetween": [1000, 49900],
                "customProperties": [{"property": "dialect", "value": "duckdb"}],
            }
        ],
    }
    assert column(conversion, "discount") == {
        "name": "discount",
        "logicalType": "number",
        "logicalTypeOptions": {"exclusiveMinimum": 0, "exclusiveMaximum": 100},
        "physicalType": "decimal(10,2)",
    }
    assert column(conversion, "created")["logicalTypeOptions"] == {"timezone": False}
    assert column(conversion, "state")["enum"] == [{"value": "placed"}, {"value": "shipped"}]
    assert column(conversion, "state")["examples"] == ["placed"]
    email = column(conversion, "customer_email_address")
    assert email["logicalTypeOptions"] == {
        "minLength": 10,
        "maxLength": 200,
        "pattern": "^.+@.+$",
        "format": "email",
    }
    assert email["transformSourceObjects"] == ["checkout_db.orders.email_address"]
    assert customs(email)["lineage"]["inputFields"][0]["namespace"] == "com.example.service.checkout"
    assert email["quality"] == [
        {"description": "The email address is not verified and may be invalid.", "type": "text"},
        {"type": "library", "metric": "duplicateValues", "mustBeLessThan": 10, "unit": "percent"},
        {"type": "custom", "engine": "soda", "implementation": {"type": "no_duplicate_values"}},
    ]
    assert column(conversion, "address")["properties"] == [
        {"name": "street", "businessName": "Street", "logicalType": "string", "physicalType": "varchar"},
        {"name": "city", "logicalType": "string"},
    ]
    assert column(conversion, "lines")["items"] == {
        "logicalType": "object",
        "physicalType": "record",
        "properties": [
            {
                "name": "sku",
                "businessName": "Stock Keeping Unit",
                "logicalType": "string",
                "logicalTypeOptions": {"pattern": "^[A-Za-z0-9]{8,14}$"},
                "physicalType": "text",
                "authoritativeDefinitions": [
                    {"url": "https://en.wikipedia.org/wiki/Stock_keeping_unit", "type": "wikipedia"}
                ],
            }
        ],
    }
    assert column(conversion, "attributes")["map"] == {
        "key": {"logicalType": "string"},
        "value": {"logicalType": "integer", "physicalType": "int"},
    }
    assert column(conversion, "payload")["physicalType"] == "VARIANT"
    orders, lines = conversion.data["schema"]
    assert (orders["businessName"], orders["physicalType"]) == ("Orders", "table")
    assert orders["quality"][0]["mustBeGreaterOrEqualTo"] == 5
    assert customs(orders) == {
        "avroNamespace": "com.example",
        "additionalFields": True,
        "examples": ['order_id,order_total\n"1001",2500\n'],
    }
    keys = {each["name"]: each["primaryKeyPosition"] for each in lines["properties"]}
    assert keys == {"order_id": 1, "line_item_id": 2}
    assert column(conversion, "order_id", 1)["relationships"] == [
        {"type": "foreignKey", "to": "orders.order_id"}
    ]
    assert "not carried: secrets" in " ".join(messages(conversion))
    assert "hunter2" not in dump_yaml(conversion.data)


def test_the_service_levels_of_the_data_contract_specification() -> None:
    levels = {each["property"]: each for each in case("orders-latest-1.1.0.yaml").data["slaProperties"]}
    facts = {name: (each["value"], each.get("unit")) for name, each in levels.items()}
    assert facts == {
        "availability": (99.9, "percent"),
        "retention": (1, "y"),
        "latency": (25, "h"),
        "freshness": (25, "h"),
        "frequency": (1, "d"),
        "support": ("9am to 5pm in EST on business days", None),
        "backup": (1, "week"),
    }
    assert levels["freshness"]["element"] == "orders.order_timestamp"
    assert (levels["frequency"]["schedule"], levels["frequency"]["scheduler"]) == ("0 0 * * *", "cron")
    assert customs(levels["latency"]) == {
        "sourceTimestampField": "orders.order_timestamp",
        "processedTimestampField": "orders.created",
    }
    assert customs(levels["backup"]) == {"recoveryTime": "24 hours", "recoveryPoint": "1 week"}


def test_spellings_of_published_contracts() -> None:
    conversion = converted(
        "dataContractSpecification: 0.9.3\nid: a\n"
        "info: {title: a, version: 1.0.0, links: {blog: https://example.com/blog}}\n"
        "models: {m: {fields: {a: {type: text, primary: true}}}}\n"
        "serviceLevels: {latency: {threshold: 25h}, odd: {threshold: soon, who: me}}\n"
        "quality:\n  type: SodaCL\n  specification:\n    checks for m:\n"
        "      - duplicate_count(a) = 0\n      - values in (a) must exist in n (a)\n"
    )
    assert conversion.data["authoritativeDefinitions"] == [
        {"url": "https://example.com/blog", "type": "blog"}
    ]
    assert conversion.data["slaProperties"] == [
        {"property": "latency", "value": 25, "unit": "h"},
        {"property": "odd", "value": "soon", "customProperties": [{"property": "who", "value": "me"}]},
    ]
    assert column(conversion, "a")["primaryKey"] is True
    assert column(conversion, "a")["quality"] == [
        {"type": "library", "metric": "duplicateValues", "mustBe": 0}
    ]
    assert conversion.data["schema"][0]["quality"] == [
        {
            "type": "custom",
            "engine": "soda",
            "implementation": "checks for m:\n- values in (a) must exist in n (a)\n",
        }
    ]


def test_definitions_that_hold_themselves_come_to_an_end() -> None:
    conversion = converted(
        "dataContractSpecification: 1.1.0\nid: a\ninfo: {title: a, version: 1.0.0}\n"
        "models: {m: {fields: {f: {$ref: '#/definitions/a'}, g: {$ref: 'https://x/y.yaml'}}}}\n"
        "definitions:\n  a: {type: struct, fields: {b: {$ref: '#/definitions/b'}}}\n"
        "  b: {type: struct, fields: {a: {$ref: '#/definitions/a'}}}\n"
    )
    inner = column(conversion, "f")["properties"][0]["properties"][0]
    assert customs(inner) == {"ref": "#/definitions/a"}
    assert customs(column(conversion, "g")) == {"ref": "https://x/y.yaml"}


def test_definitions_do_not_multiply_without_end() -> None:
    levels = "".join(
        f"  d{n}: {{type: struct, fields: {{"
        + ", ".join(f"f{i}: {{$ref: '#/definitions/d{n + 1}'}}" for i in range(10))
        + "}}\n"
        for n in range(8)
    )
    with pytest.raises(ContractError, match="more than 50,000 columns"):
        converted(
            "dataContractSpecification: 1.1.0\nid: a\ninfo: {title: a, version: 1.0.0}\n"
            f"models: {{m: {{fields: {{f: {{$ref: '#/definitions/d0'}}}}}}}}\ndefinitions:\n{levels}  d8: {{type: text}}\n"
        )


# ODCS 2.2 and the older spelling.


def test_a_table_without_fundamentals() -> None:
    conversion = case("book-table.yaml")
    assert conversion.dialect == "ODCS 2.2"
    assert conversion.data == {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "book-table",
        "version": "0.0.0",
        "status": "draft",
        "schema": [
            {
                "name": "tbl",
                "description": "Provides core payment metrics",
                "dataGranularityDescription": "Aggregation on columns txn_ref_dt, pmt_txn_id",
                "properties": [
                    {
                        "name": "txn_ref_dt",
                        "businessName": "Transaction reference date",
                        "logicalType": "date",
                        "physicalType": "date",
                        "description": "Reference date for the transaction",
                        "examples": ["2022-10-03", "2025-01-28"],
                    },
                    {
                        "name": "rcvr_cntry_code",
                        "businessName": "Receiver country code",
                        "logicalType": "string",
                        "physicalType": "varchar(2)",
                        "required": True,
                        "primaryKey": False,
                        "authoritativeDefinitions": [
                            {
                                "url": "https://collibra.com/asset/742b358f-71a5-4ab1-bda4-dcdba9418c25",
                                "type": "businessDefinition",
                            },
                            {"url": "https://github.com/myorg/myrepo", "type": "Reference implementation"},
                        ],
                    },
                ],
            }
        ],
    }
    assert messages(conversion) == [
        "id: none is told; book-table is written",
        "version: none is told; 0.0.0 is written",
        "status: none is told; draft is written",
    ]


def test_who_followed_whom() -> None:
    assert case("book-stakeholders.yaml").data["team"]["members"] == [
        {"username": "ceastwood", "role": "dpo", "dateIn": "2014-08-02", "dateOut": "2014-10-01",
         "replacedByUsername": "jwayne"},
        {"username": "jwayne", "role": "dpo", "dateIn": "2014-10-01", "dateOut": "2019-03-14",
         "replacedByUsername": "cjane"},
        {"username": "cjane", "role": "dpo", "description": "Minor interruption due to sabbatical",
         "dateIn": "2019-03-14", "dateOut": "2021-04-01", "replacedByUsername": "bkid"},
        {"username": "bkid", "role": "dpo", "dateIn": "2021-04-01"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- username: ada\n  role: dpo\n", ("team", "members")),
        ("- table: tbl\n  columns: [{column: a, logicalType: string}]\n", ("schema",)),
        ("- column: a\n  logicalType: string\n", ("schema",)),
        ("column: a\nlogicalType: string\nisPrimary: true\n", ("schema",)),
    ],
)
def test_bare_fragments_find_their_place(text: str, place: tuple[str, ...]) -> None:
    data: Any = converted(text).data
    for key in place:
        data = data[key]
    assert len(data) == 1
    assert odcs_faults(converted(text).data) == ()


def test_rules_of_a_tool() -> None:
    conversion = case("book-rules.yaml")
    assert conversion.data["schema"][0]["name"] == "Air_Quality"
    unique = column(conversion, "UniqueID")
    assert (unique["logicalType"], unique["physicalType"], unique["primaryKey"]) == ("number", "int", True)
    assert unique["quality"] == [
        {
            "description": "This column should not contain values under 100000",
            "type": "custom",
            "engine": "ClimateQuantumDataQualityPackage",
            "implementation": "RangeCheck",
            "dimension": "conformity",
            "severity": "error",
            "businessImpact": "operational",
            "customProperties": [
                {"property": "min", "value": 100000},
                {"property": "templateName", "value": "RangeCheck"},
            ],
        },
        {
            "description": "This column should not contain null values",
            "type": "library",
            "metric": "nullValues",
            "mustBe": 0,
            "dimension": "completeness",
            "severity": "error",
            "businessImpact": "operational",
            "customProperties": [
                {"property": "templateName", "value": "NullCheck"},
                {"property": "toolName", "value": "ClimateQuantumDataQualityPack"},
            ],
        },
    ]
    value = column(conversion, "DataValue")
    assert value["physicalType"] == "float(3,2)"
    assert customs(value["quality"][0]) == {"min": 0, "max": 500, "templateName": "RangeCheck"}


def test_service_levels_with_a_default_column() -> None:
    assert case("book-service-levels.yaml").data["slaProperties"] == [
        {"property": "endOfSupport", "value": "2030-01-01T00:00:00-04:00", "element": "StartDate"},
        {"property": "retention", "value": 100, "unit": "y", "element": "StartDate"},
        {"property": "generalAvailability", "value": "2014-10-23T00:00:00-04:00", "element": "StartDate"},
        {"property": "latency", "value": -1, "unit": "As needed", "element": "StartDate"},
    ]


def test_every_field_of_odcs_2_2_2() -> None:
    conversion = case("full-2.2.2.yaml")
    data = conversion.data
    assert conversion.dialect == "ODCS 2.2.2"
    assert {
        key: data[key] for key in ("id", "version", "status", "domain", "dataProduct", "tenant", "tags")
    } == {
        "id": "53581432-6c55-4ba2-a65f-72344a91553a",
        "version": "1.1.0",
        "status": "active",
        "domain": "seller",
        "dataProduct": "my quantum",
        "tenant": "ClimateQuantumInc",
        "tags": ["seller", "payments"],
    }
    assert data["description"] == {
        "purpose": "Views built on top of the seller tables.",
        "usage": "Predict sales over time",
    }
    assert data["contractCreatedTs"] == "2022-11-15T02:59:43+00:00"
    assert data["servers"] == [
        {
            "server": "bigquery",
            "type": "bigquery",
            "project": "edw",
            "dataset": "access_views",
            "customProperties": [
                {"property": "database", "value": "pypl-edw.pp_access_views"},
                {"property": "sourceSystem", "value": "bigQuery"},
                {"property": "sourcePlatform", "value": "googleCloudPlatform"},
            ],
        }
    ]
    assert data["support"] == [
        {"channel": "product-dl@ClimateQuantum.org", "tool": "email"},
        {"channel": "#product-help", "tool": "slack"},
        {"channel": "feedback", "url": "https://feedback.example.com/seller", "tool": "ticket"},
    ]
    assert data["price"] == {"priceAmount": 9.95, "priceCurrency": "USD", "priceUnit": "megabyte"}
    assert data["team"] == {
        "members": [
            {
                "username": "daustin",
                "role": "Owner",
                "description": "Keeper of the grail",
                "dateIn": "2022-10-01",
            }
        ]
    }
    assert data["roles"] == [
        {
            "role": "microstrategy_user_opr",
            "access": "read",
            "firstLevelApprovers": "Reporting Manager",
            "secondLevelApprovers": "mandolorian",
        }
    ]
    assert data["slaProperties"] == [
        {"property": "latency", "value": 4, "unit": "d", "element": "tbl.rcvr_id"},
        {"property": "frequency", "value": 1, "valueExt": 1, "unit": "d", "element": "tbl.txn_ref_dt"},
        {
            "property": "timeOfAvailability",
            "value": "09:00-08:00",
            "driver": "regulatory",
            "element": "tbl.txn_ref_dt",
        },
    ]
    assert customs(data) == {
        "refRulesetName": "gcsc.ruleset.name",
        "dataprocClusterName": ["cluster name"],
        "datasetKind": "virtualDataset",
        "userConsumptionMode": "Analytical",
        "type": "tables",
        "schedulerAppName": "name_coming_from_scheduler",
        "systemInstance": "instance.ClimateQuantum.org",
    }
    told = [(note.line, note.message) for note in conversion.notes]
    assert (4, "status current is written as active") in told
    assert (27, "username: not carried: secrets do not belong in contracts") in told
    assert (28, "password: not carried: secrets do not belong in contracts") in told
    assert (55, "clusterStatus: kept as custom property clusterStatus of the column") in told


def test_every_field_of_a_table_of_odcs_2_2_2() -> None:
    conversion = case("full-2.2.2.yaml")
    table = conversion.data["schema"][0]
    assert {key: each for key, each in table.items() if key not in ("properties", "quality")} == {
        "name": "tbl",
        "physicalName": "tbl_1",
        "description": "Provides core payment metrics",
        "dataGranularityDescription": "Aggregation on columns txn_ref_dt, pmt_txn_id",
        "authoritativeDefinitions": [
            {"url": "https://catalog.data.gov/dataset/air-quality", "type": "businessDefinition"},
            {"url": "https://youtu.be/jbY1BKFj9ec", "type": "videoTutorial"},
        ],
        "customProperties": [{"property": "priorTableName", "value": "seller_2022"}],
    }
    assert column(conversion, "txn_ref_dt") == {
        "name": "txn_ref_dt",
        "businessName": "transaction reference date",
        "logicalType": "date",
        "physicalType": "date",
        "required": True,
        "unique": False,
        "primaryKey": False,
        "primaryKeyPosition": -1,
        "partitioned": True,
        "partitionKeyPosition": 1,
        "classification": "4",
        "criticalDataElement": False,
        "transformSourceObjects": ["table_name_1", "table_name_2"],
        "transformLogic": "sel t1.txn_dt as txn_ref_dt from table_name_1 as t1",
        "transformDescription": "Defines the logic in business terms.",
        "examples": ["2022-10-03", "2020-01-28"],
        "tags": ["business-date"],
        "customProperties": [
            {"property": "clusterStatus", "value": True},
            {"property": "clusterKeyPosition", "value": 2},
        ],
    }
    receiver = column(conversion, "rcvr_id")
    assert (receiver["logicalType"], receiver["encryptedName"]) == ("string", "rcvr_id_encrypted")
    assert (receiver["unique"], receiver["criticalDataElement"]) == (True, True)
    # A rule of the table about one column stands under it.
    assert [(rule["metric"], rule["mustBe"]) for rule in receiver["quality"]] == [("duplicateValues", 0)]
    amount = column(conversion, "amount")
    assert (amount["logicalType"], amount["required"]) == ("number", False)
    rule = amount["quality"][0]
    assert (rule["name"], rule["metric"], rule["mustBe"]) == ("nullCheck", "nullValues", 0)
    assert (rule["schedule"], rule["scheduler"]) == ("0 20 * * *", "cron")


def test_rules_of_a_table_of_odcs_2_2_2() -> None:
    count, least, most, duplicates = case("full-2.2.2.yaml").data["schema"][0]["quality"]
    assert count == {
        "name": "countCheck",
        "description": "Ensure row count is within expected volume range",
        "type": "custom",
        "engine": "Elevate",
        "implementation": "DQ.rw.tab1.CountCheck",
        "dimension": "completeness",
        "method": "reconciliation",
        "severity": "error",
        "businessImpact": "operational",
        "schedule": "0 20 * * *",
        "scheduler": "cron",
        "customProperties": [{"property": "templateName", "value": "CountCheck"}],
    }
    assert (least["metric"], least["mustBeGreaterOrEqualTo"]) == ("rowCount", 10)
    assert (most["metric"], most["mustBeLessOrEqualTo"]) == ("rowCount", 20)
    assert customs(most) == {"templateName": "RowCountCheck", "toolName": "Elevate"}
    assert duplicates["arguments"] == {"properties": ["txn_ref_dt", "rcvr_id"]}
    assert (duplicates["metric"], duplicates["mustBe"]) == ("duplicateValues", 0)


@pytest.mark.parametrize(
    ("told", "logical"),
    [
        ("numeric", "number"), ("decimal", "number"), ("int", "integer"), ("varchar", "string"),
        ("datetime", "timestamp"), ("Plain Text", "string"), ("Number", "number"), ("Date & Time", "timestamp"),
        ("bigint", "integer"), ("text", "string"), ("bool", "boolean"), ("double", "number"), ("wibble", "string"),
    ],
)  # fmt: skip
def test_logical_types_from_free_text(told: str, logical: str) -> None:
    conversion = converted(f"table: t\ncolumns:\n  - column: a\n    logicalType: {told}\n")
    assert column(conversion, "a")["logicalType"] == logical
    if told != "Number":
        assert f"logicalType {told}" in " ".join(messages(conversion))
    assert bool(type_fields(told)) == (told != "wibble")


@pytest.mark.parametrize(
    ("words", "server"),
    [
        ("driver: org.postgresql.Driver\nhost: h\nport: 5432\ndatabase: d\nschemaName: s",
         {"server": "postgres", "type": "postgres", "host": "h", "port": 5432, "database": "d", "schema": "s"}),
        ("sourceSystem: DuckDB\ndatabase: d.db", {"server": "duckdb", "type": "duckdb", "database": "d.db"}),
        ("driver: sap\nserver: h\ndatabase: d", {"server": "h", "type": "custom", "host": "h", "database": "d"}),
        ("sourceSystem: snowflake\ndatabase: d", {"server": "custom", "type": "custom", "database": "d"}),
    ],
)  # fmt: skip
def test_servers_by_the_words_of_a_contract(words: str, server: dict[str, Any]) -> None:
    found = converted(f"uuid: a\n{words}\n").data["servers"][0]
    assert {key: value for key, value in found.items() if key != "customProperties"} == server


# Within ODCS 3.


def test_odcs_3_0_becomes_3_2() -> None:
    conversion = case("mixed-3.0.2.yaml")
    data = conversion.data
    assert (conversion.dialect, data["apiVersion"], data["dataProduct"]) == (
        "ODCS 3.0.2",
        "v3.2.0",
        "payments",
    )
    assert data["team"] == {
        "members": [{"username": "daustin", "role": "Owner", "description": "Keeper of the grail"}]
    }
    assert "slaDefaultElement" not in data
    assert [each["element"] for each in data["slaProperties"]] == ["tbl.booked", "tbl.amount"]
    amount = column(conversion, "amount")
    assert amount["logicalTypeOptions"] == {"exclusiveMinimum": 0, "maximum": 100}
    assert amount["quality"] == [
        {"type": "library", "metric": "duplicateValues", "mustBeLessThan": 10, "unit": "rows"},
        {"type": "library", "metric": "nullValues", "mustBe": 0, "dimension": "completeness"},
    ]
    valid, unknown = column(conversion, "currency")["quality"]
    assert valid == {
        "type": "library",
        "metric": "invalidValues",
        "arguments": {"validValues": ["EUR", "USD"]},
        "mustBe": 0,
    }
    assert (unknown["type"], customs(unknown)) == ("text", {"type": "library", "rule": "looksGood"})
    assert column(conversion, "booked")["logicalType"] == "timestamp"
    assert data["schema"][0]["quality"] == [
        {"type": "library", "metric": "rowCount", "mustBeGreaterThan": 5},
        {"type": "library", "metric": "rowCount", "mustBeLessThan": 10},
    ]


def test_the_official_names_of_3_with_those_of_2_among_them() -> None:
    conversion = converted(
        "apiVersion: v3.0.2\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\n"
        "dataset: [{table: t, columns: [{column: a, logicalType: string}]}]\n"
        "stakeholders: [{username: b}]\nslaDefaultColumn: t.a\nslaProperties: [{property: latency, value: 1}]\n"
    )
    assert conversion.dialect == "ODCS 3.0.2 with names of 2.2"
    assert conversion.data["team"]["members"] == [{"username": "b"}]
    assert conversion.data["slaProperties"][0]["element"] == "t.a"
    assert conversion.notes == ()


# Nothing is lost.


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield where a document has mappings."""
    if isinstance(value, dict):
        yield path
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from places(each, (*path, number))


def keys_and_values(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from keys_and_values(each)
    elif isinstance(value, list):
        for each in value:
            yield from keys_and_values(each)
    else:
        yield str(value)


SOURCES = {file.name: read_yaml(file) for file in FOREIGN + OURS}
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(min_size=1, max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_unknown_keys_at_any_level_are_kept_or_told(data: st.DataObject) -> None:
    document = SOURCES[data.draw(st.sampled_from(sorted(SOURCES)))]
    source = copy.deepcopy(document.data)
    added: list[str] = []
    for number in range(data.draw(st.integers(1, 3))):
        spot = source
        for part in data.draw(st.sampled_from(list(places(source)))):
            spot = spot[part]
        key = f"zz{number}" + data.draw(st.sampled_from(["extra", "_odd name", "-Key", "$"]))
        spot[key] = data.draw(VALUES)
        added.append(key)
    conversion = convert(Document(document.path, source, document.marks))
    assert odcs_faults(conversion.data) == ()
    kept = "\n".join(keys_and_values(conversion.data)).lower()
    told = "\n".join(f"{note.path} {note.message}" for note in conversion.notes)
    for key in added:
        spelled = re.split(r"[\W_]+", key)[0].lower()
        assert spelled in kept or key in told, key


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_values_of_any_kind_in_any_field_leave_a_valid_contract(data: st.DataObject) -> None:
    document = SOURCES[data.draw(st.sampled_from(sorted(SOURCES)))]
    source = copy.deepcopy(document.data)
    mark = "a text that is nowhere else"
    spot = source
    for part in data.draw(st.sampled_from(list(places(source)))):
        spot = spot[part]
    keys = [key for key in spot if key not in ("apiVersion", "dataContractSpecification", "kind")]
    if keys:
        key = data.draw(st.sampled_from(sorted(keys)))
        spot[key] = data.draw(
            st.sampled_from([mark, [mark], {"zz": mark}, [[mark]], [{"zz": mark}], 7, True, []])
        )
    try:
        conversion = convert(Document(document.path, source, document.marks))
    except ContractError:
        return
    assert odcs_faults(conversion.data) == ()
    if mark in "\n".join(keys_and_values(source)):
        told = "\n".join(note.message for note in conversion.notes)
        assert mark in "\n".join(keys_and_values(conversion.data)) or mark in told or "not carried" in told


@pytest.mark.parametrize("name", ["password", "client_secret", "apiKey", "access_token", "credentials"])
def test_secrets_do_not_come_along(name: str) -> None:
    conversion = converted(
        f"uuid: a\nconnection: {{{name}: s3cret}}\n{name}: s3cret\ndataset: [{{table: t, {name}: s3cret}}]"
    )
    assert "s3cret" not in dump_yaml(conversion.data)
    assert messages(conversion).count(f"{name}: not carried: secrets do not belong in contracts") == 3


# The command.


@pytest.fixture
def run() -> Any:
    def call(*arguments: str | Path) -> Result:
        group = click.Group("factory", commands=[import_])
        return CliRunner().invoke(group, ["import", *map(str, arguments)])

    return call


def test_one_contract_goes_to_the_screen(run: Any) -> None:
    result = run(CASES / "orders-latest-npii.yaml")
    assert result.exit_code == 0
    assert parse_yaml(result.stdout, Path("out")).data == case("orders-latest-npii.yaml").data
    assert f"{CASES.as_posix()}/orders-latest-npii.yaml:12: noticePeriod: kept" in result.stderr


def test_several_contracts_go_to_the_screen_as_documents(run: Any) -> None:
    result = run(CASES / "book-table.yaml", CASES / "book-rules.yaml")
    parts = result.stdout.split("---\n")
    assert [parse_yaml(part, Path("out")).data["id"] for part in parts] == ["book-table", "book-rules"]


def test_contracts_go_to_a_folder_and_nothing_is_overwritten(run: Any, tmp_path: Path) -> None:
    files = [CASES / "book-table.yaml", CASES / "book-rules.yaml"]
    assert run(*files, "-o", tmp_path / "out").exit_code == 0
    written = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert written == ["book-rules.odcs.yaml", "book-table.odcs.yaml"]
    assert odcs_faults(read_yaml(tmp_path / "out" / "book-table.odcs.yaml").data) == ()
    (tmp_path / "out" / "book-table.odcs.yaml").write_text("mine")
    again = run(*files, "-o", tmp_path / "out")
    assert isinstance(again.exception, FactoryError)
    assert len(again.exception.problems) == 2  # type: ignore[attr-defined]
    assert (tmp_path / "out" / "book-table.odcs.yaml").read_text() == "mine"
    assert run(*files, "-o", tmp_path / "out", "--force").exit_code == 0
    assert read_yaml(tmp_path / "out" / "book-table.odcs.yaml").data["id"] == "book-table"


def test_one_contract_goes_to_a_file(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "mine.odcs.yaml"
    assert run(CASES / "book-table.yaml", "-o", target).exit_code == 0
    assert read_yaml(target).data["id"] == "book-table"


def test_the_notes_as_json(run: Any, tmp_path: Path) -> None:
    result = run(CASES / "orders-latest-npii.yaml", "-o", tmp_path, "--format", "json")
    (file,) = json.loads(result.stdout)["files"]
    assert file["dialect"] == "Data Contract Specification 0.9.0"
    assert Path(file["output"]) == tmp_path / "orders-latest-npii.odcs.yaml"
    assert {
        "path": ["terms", "noticePeriod"],
        "line": 12,
        "message": "noticePeriod: kept as custom property noticePeriod",
    } in file["notes"]


def test_the_faults_of_all_files_are_told_and_nothing_is_written(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1")
    (tmp_path / "b.yaml").write_text("b: [")
    result = run(CASES / "book-table.yaml", tmp_path / "a.yaml", tmp_path / "b.yaml", "-o", tmp_path / "out")
    problems = result.exception.problems
    assert [problem.where.name for problem in problems] == ["a.yaml", "b.yaml"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "json"], "--format json goes with --output"),
        (["-o", "x.yaml"], "several files need a folder"),
        (["-o", "x"], "would both be written to"),
    ],
)
def test_options_that_do_not_go_together(run: Any, options: list[str], message: str) -> None:
    result = run(CASES / "book-table.yaml", CASES / "book-table.yaml", *options)
    assert result.exit_code == 2
    assert message in result.stderr
