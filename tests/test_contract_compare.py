"""What changed from one contract to another, how grave it is, and the version it asks for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from builders import PROPERTY, a_contract
from hypothesis import given
from hypothesis import strategies as st

from factory.contract import bumped, compare, is_enough, severity_of, version_key

Data = dict[str, Any]
Edit = Callable[[Data], object]

BASE = a_contract(
    description={"purpose": "What customers ordered.", "limitations": "None."},
    tags=["retail", "sales"],
    servers=[{"server": "ports", "type": "duckdb", "database": "ports.duckdb"}],
    schema=[
        {
            "name": "orders",
            "physicalName": "orders",
            "logicalType": "object",
            "description": "Orders.",
            "properties": [
                {
                    "name": "order_id",
                    "logicalType": "integer",
                    "physicalType": "INTEGER",
                    "required": True,
                    "unique": True,
                    "primaryKey": True,
                    "primaryKeyPosition": 1,
                    "description": "The order.",
                },
                {
                    "name": "amount",
                    "logicalType": "number",
                    "physicalType": "DECIMAL(18,2)",
                    "required": False,
                    "description": "What it costs.",
                    "tags": ["money", "euro"],
                    "transformSourceObjects": ["raw.orders.amount", "raw.orders.tax"],
                    "transformLogic": "amount + tax",
                    "quality": [{"metric": "nullValues", "mustBe": 0}],
                    "customProperties": [{"property": "grain", "value": "order"}],
                },
                {
                    "name": "address",
                    "logicalType": "object",
                    "physicalType": "STRUCT(street VARCHAR, town VARCHAR)",
                    "properties": [
                        {"name": "street", "logicalType": "string", "physicalType": "VARCHAR"},
                        {"name": "town", "logicalType": "string", "physicalType": "VARCHAR"},
                    ],
                },
            ],
            "quality": [{"metric": "rowCount", "mustBeGreaterThan": 0}],
        },
        {"name": "returns", "properties": [{"name": "order_id", "logicalType": "integer"}]},
    ],
    support=[{"channel": "help", "url": "https://support.example.org"}],
    team={"name": "sales", "members": [{"username": "a@example.org", "role": "dpo"}]},
    slaProperties=[{"property": "frequency", "value": 1, "unit": "d"}],
    customProperties=[{"property": "costCenter", "value": "CC-1"}, {"property": "layer", "value": "raw"}],
)


def edited(edit: Edit) -> Data:
    data = copy.deepcopy(BASE)
    edit(data)
    return data


def column(data: Data, name: str, table: int = 0) -> Data:
    found: Data = next(c for c in data["schema"][table]["properties"] if c["name"] == name)
    return found


def drop_column(name: str) -> Edit:
    return lambda d: d["schema"][0]["properties"].remove(column(d, name))


# Each edit, what it is in one word, and where it is told.
MAJOR = {
    "a column that goes": (drop_column("amount"), "orders.amount"),
    "a column with a new name": (lambda d: column(d, "amount").update(name="total"), "orders.amount"),
    "a table that goes": (lambda d: d["schema"].pop(1), "returns"),
    "a table with a new name": (lambda d: d["schema"][1].update(name="refunds"), "returns"),
    "another logical type": (
        lambda d: column(d, "amount").update(logicalType="string"),
        "orders.amount.logicalType",
    ),
    "another physical type": (
        lambda d: column(d, "amount").update(physicalType="DOUBLE"),
        "orders.amount.physicalType",
    ),
    "a shorter decimal": (
        lambda d: column(d, "amount").update(physicalType="DECIMAL(10,2)"),
        "orders.amount.physicalType",
    ),
    "a column that may be null now": (
        lambda d: column(d, "order_id").update(required=False),
        "orders.order_id.required",
    ),
    "a column that is no longer said to be never null": (
        lambda d: column(d, "order_id").pop("required"),
        "orders.order_id.required",
    ),
    "a column that may repeat now": (lambda d: column(d, "order_id").pop("unique"), "orders.order_id.unique"),
    "a key that is none any more": (
        lambda d: column(d, "order_id").pop("primaryKey"),
        "orders.order_id.primaryKey",
    ),
    "a column more in the key": (
        lambda d: column(d, "amount").update(primaryKey=True),
        "orders.amount.primaryKey",
    ),
    "another name in the store": (
        lambda d: d["schema"][0].update(physicalName="orders_v2"),
        "orders.physicalName",
    ),
    "a nested field that goes": (lambda d: column(d, "address")["properties"].pop(), "orders.address.town"),
    "a nested field of another type": (
        lambda d: column(d, "address")["properties"][0].update(physicalType="INTEGER"),
        "orders.address.street.physicalType",
    ),
}
MINOR = {
    "a column that comes": (
        lambda d: d["schema"][0]["properties"].append({"name": "vat", "logicalType": "number"}),
        "orders.vat",
    ),
    "a table that comes": (lambda d: d["schema"].append({"name": "refunds", "properties": []}), "refunds"),
    "a nested field that comes": (
        lambda d: column(d, "address")["properties"].append({"name": "zip", "logicalType": "string"}),
        "orders.address.zip",
    ),
    "a column that is never null now": (
        lambda d: column(d, "amount").update(required=True),
        "orders.amount.required",
    ),
    "a column that never repeats now": (
        lambda d: column(d, "amount").update(unique=True),
        "orders.amount.unique",
    ),
    "a rule of a table": (
        lambda d: d["schema"][0]["quality"][0].update(mustBeGreaterThan=9),
        "orders.quality.rowCount",
    ),
    "a rule of a column that goes": (
        lambda d: column(d, "amount").pop("quality"),
        "orders.amount.quality.nullValues",
    ),
    "other logic behind a column": (
        lambda d: column(d, "amount").update(transformLogic="amount"),
        "orders.amount.transformLogic",
    ),
    "another source of a column": (
        lambda d: column(d, "amount")["transformSourceObjects"].pop(),
        "orders.amount.transformSourceObjects",
    ),
    "permitted values": (lambda d: column(d, "amount").update(enum=[{"value": 1}]), "orders.amount.enum"),
    "a relationship": (
        lambda d: d["schema"][0].update(
            relationships=[{"type": "foreignKey", "from": "orders.order_id", "to": "x.y"}]
        ),
        "orders.relationships.orders.order_id to x.y",
    ),
    "another level of service": (lambda d: d["slaProperties"][0].update(value=2), "slaProperties.frequency"),
    "a level of service that goes": (lambda d: d.pop("slaProperties"), "slaProperties.frequency"),
    "a custom property that comes": (
        lambda d: d["customProperties"].append({"property": "region", "value": "EU"}),
        "customProperties.region",
    ),
    "a custom property that goes": (lambda d: d["customProperties"].pop(), "customProperties.layer"),
    "a custom property of a column that goes": (
        lambda d: column(d, "amount").pop("customProperties"),
        "orders.amount.customProperties.grain",
    ),
    "a server that comes": (lambda d: d["servers"].append({"server": "s3", "type": "s3"}), "servers.s3"),
}
PATCH = {
    "a description": (lambda d: d["description"].update(purpose="Orders."), "description"),
    "a description that goes": (lambda d: d.pop("description"), "description"),
    "a description of a table": (lambda d: d["schema"][0].update(description="All."), "orders.description"),
    "a description of a column": (
        lambda d: column(d, "amount").update(description="x"),
        "orders.amount.description",
    ),
    "a business name": (
        lambda d: column(d, "amount").update(businessName="Total"),
        "orders.amount.businessName",
    ),
    "another owner": (lambda d: d["team"]["members"][0].update(username="b@example.org"), "team"),
    "a newer standard alone": (lambda d: d.update(apiVersion="v3.1.0"), "apiVersion"),
    "another status": (lambda d: d.update(status="deprecated"), "status"),
    "another tag": (lambda d: d["tags"].append("eu"), "tags"),
    "another channel for help": (lambda d: d["support"][0].update(channel="chat"), "support"),
    "another value of a custom property": (
        lambda d: d["customProperties"][0].update(value="CC-2"),
        "customProperties.costCenter",
    ),
    "an example": (lambda d: column(d, "amount").update(examples=[9.9]), "orders.amount.examples"),
}
NONE = {
    "another order of columns": lambda d: d["schema"][0]["properties"].reverse(),
    "another order of tables": lambda d: d["schema"].reverse(),
    "another order of nested fields": lambda d: column(d, "address")["properties"].reverse(),
    "another order of tags": lambda d: (d["tags"].reverse(), column(d, "amount")["tags"].reverse()),
    "another order of sources": lambda d: column(d, "amount")["transformSourceObjects"].reverse(),
    "another order of custom properties": lambda d: d["customProperties"].reverse(),
    "another order of keys": lambda d: d.update({key: d.pop(key) for key in sorted(d)}),
    "another version alone": lambda d: d.update(version="2.0.0"),
    "another number for the only column of the key": lambda d: column(d, "order_id").update(
        primaryKeyPosition=2
    ),
    "no word about what is not required anyway": lambda d: column(d, "amount").pop("required"),
    "not unique, said aloud": lambda d: column(d, "amount").update(unique=False),
}


@pytest.mark.parametrize(
    ("severity", "what"),
    [
        *(("major", what) for what in MAJOR),
        *(("minor", what) for what in MINOR),
        *(("patch", what) for what in PATCH),
    ],
)
def test_a_change_has_its_severity_and_its_place(severity: str, what: str) -> None:
    edit, path = {**MAJOR, **MINOR, **PATCH}[what]
    changes = compare(BASE, edited(edit))
    assert severity_of(changes) == severity
    assert path in [change.path for change in changes if change.severity == severity]


@pytest.mark.parametrize("what", NONE)
def test_what_only_looks_different_is_no_change(what: str) -> None:
    assert compare(BASE, edited(NONE[what])) == ()
    assert compare(edited(NONE[what]), BASE) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INTEGER", "int"),
        ("INTEGER", "int4"),
        ("BIGINT", "int8"),
        ("VARCHAR", "text"),
        ("VARCHAR", "string"),
        ("VARCHAR(20)", "character varying(20)"),
        ("DECIMAL(18,2)", "numeric(18,2)"),
        ("DOUBLE", "double precision"),
        ("double", "float8"),
        ("BOOLEAN", "bool"),
        ("TIMESTAMP WITH TIME ZONE", "timestamptz"),
        ("TIMESTAMP  WITH TIME ZONE", "timestamp with time zone"),
    ],
)
def test_a_type_that_is_only_spelled_otherwise_is_no_change(one: str, other: str) -> None:
    old, new = (edited(lambda d, t=kind: column(d, "amount").update(physicalType=t)) for kind in (one, other))  # type: ignore[misc]
    assert compare(old, new) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [("VARCHAR(20)", "VARCHAR(10)"), ("DECIMAL(18,2)", "NUMERIC(18,3)"), ("INTEGER", "BIGINT")],
)
def test_a_type_of_another_size_is_another_type(one: str, other: str) -> None:
    old, new = (edited(lambda d, t=kind: column(d, "amount").update(physicalType=t)) for kind in (one, other))  # type: ignore[misc]
    assert severity_of(compare(old, new)) == "major"


def test_the_gravest_change_is_told_first() -> None:
    def edit(data: Data) -> None:
        data.update(status="deprecated")
        data["schema"][0]["properties"].append({"name": "vat"})
        drop_column("amount")(data)

    changes = compare(BASE, edited(edit))
    assert [(change.severity, change.path) for change in changes] == [
        ("major", "orders.amount"),
        ("minor", "orders.vat"),
        ("patch", "status"),
    ]


def test_another_order_of_the_key_is_a_major_change() -> None:
    def keyed(first: int, second: int) -> Data:
        def edit(data: Data) -> None:
            column(data, "order_id").update(primaryKeyPosition=first)
            column(data, "amount").update(primaryKey=True, primaryKeyPosition=second)

        return edited(edit)

    changes = compare(keyed(1, 2), keyed(2, 1))
    assert severity_of(changes) == "major"
    assert {change.rule for change in changes} == {"key-changed"}
    assert compare(keyed(1, 2), keyed(10, 20)) == ()


@pytest.mark.parametrize(("old", "new"), [("amount", "total"), ("amount", "a")])
def test_a_new_name_is_told_as_one_change(old: str, new: str) -> None:
    (change,) = compare(BASE, edited(lambda d: column(d, old).update(name=new)))
    assert (change.kind, change.path, change.old, change.new) == ("renamed", f"orders.{old}", old, new)
    assert change.words() == f"orders.{old}: renamed to {new} (major)"
    (table,) = compare(BASE, edited(lambda d: d["schema"][1].update(name="refunds")))
    assert (table.kind, table.path, table.new, table.severity) == ("renamed", "returns", "refunds", "major")


def test_what_a_workspace_sets_otherwise_counts() -> None:
    new = edited(lambda d: column(d, "amount").update(description="x"))
    assert (
        severity_of(compare(BASE, new, {"information-changed": "minor", "field-changed": "minor"})) == "minor"
    )
    assert compare(BASE, BASE, {"information-changed": "major"}) == ()


def test_a_change_is_told_in_words() -> None:
    words = [
        change.words()
        for change in compare(BASE, edited(lambda d: column(d, "amount").update(physicalType="DOUBLE")))
    ]
    assert words == ["orders.amount.physicalType: 'DECIMAL(18,2)' became 'DOUBLE' (major)"]
    assert compare(BASE, edited(drop_column("amount")))[0].words() == "orders.amount removed (major)"
    assert compare(edited(drop_column("amount")), BASE)[0].words() == "orders.amount added (minor)"
    long = compare(BASE, edited(lambda d: d["description"].update(purpose="x" * 500)))[0].words()
    assert len(long) < 200


# Versions


def test_the_three_worked_bumps() -> None:
    first = {**BASE, "version": "1.0.1"}

    owner = copy.deepcopy(first)
    owner["team"]["members"] = [
        {"username": "a@example.org", "role": "dpo", "dateOut": "2024-10-01"},
        {"username": "b@example.org", "role": "dpo", "dateIn": "2024-10-01"},
    ]
    assert bumped("1.0.1", severity_of(compare(first, owner))) == "1.0.2"

    wider = copy.deepcopy(owner)
    wider["schema"][0]["properties"].append({"name": "vat", "logicalType": "number"})
    assert bumped("1.0.2", severity_of(compare(owner, wider))) == "1.1.0"

    smaller = copy.deepcopy(wider)
    smaller["schema"].pop()
    assert bumped("1.1.0", severity_of(compare(wider, smaller))) == "2.0.0"


@pytest.mark.parametrize(
    ("severity", "version"), [("none", "1.2.3"), ("patch", "1.2.4"), ("minor", "1.3.0"), ("major", "2.0.0")]
)
def test_a_severity_asks_for_a_version(severity: str, version: str) -> None:
    assert bumped("1.2.3", severity) == version


@pytest.mark.parametrize(
    ("new", "severity", "enough"),
    [
        ("1.2.4", "patch", True),
        ("1.3.0", "patch", True),
        ("1.2.10", "patch", True),
        ("1.2.4", "minor", False),
        ("1.3.0", "minor", True),
        ("2.0.0", "minor", True),
        ("1.9.9", "major", False),
        ("2.0.0", "major", True),
        ("10.0.0", "major", True),
        ("1.2.4", "none", True),
        ("1.2.3", "none", True),
        ("1.2.2", "none", False),
        ("1.1.9", "patch", False),
    ],
)
def test_a_step_is_enough_when_it_says_what_changed(new: str, severity: str, enough: bool) -> None:
    assert is_enough("1.2.3", new, severity) is enough


def test_versions_are_compared_as_numbers() -> None:
    assert version_key("1.10.0") > version_key("1.9.12")


# Whatever the contract

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["x", "y", "INTEGER"])
COLUMNS = st.fixed_dictionaries(
    {"name": st.sampled_from("abcdef")},
    optional={
        "logicalType": st.sampled_from(["string", "integer"]),
        "physicalType": st.sampled_from(["INTEGER", "int", "VARCHAR(3)"]),
        "required": st.booleans(),
        "unique": st.booleans(),
        "description": st.sampled_from(["", "one", "two"]),
        "tags": st.lists(st.sampled_from("xyz"), max_size=3),
        "examples": st.lists(SCALARS, max_size=3),
        "items": st.fixed_dictionaries({"logicalType": st.just("string")}),
    },
)
TABLES = st.fixed_dictionaries(
    {
        "name": st.sampled_from("pqr"),
        "properties": st.lists(COLUMNS, max_size=5, unique_by=lambda c: c["name"]),
    },
    optional={
        "description": st.sampled_from(["", "one", "two"]),
        "tags": st.lists(st.sampled_from("xyz"), max_size=3),
    },
)
CONTRACTS = st.fixed_dictionaries(
    {"schema": st.lists(TABLES, max_size=3, unique_by=lambda t: t["name"])},
    optional={
        "version": st.just("1.0.0"),
        "status": st.sampled_from(["active", "draft"]),
        "tags": st.lists(st.sampled_from("xyz"), max_size=3),
        "customProperties": st.lists(
            st.fixed_dictionaries({"property": st.sampled_from("kl"), "value": SCALARS}),
            max_size=2,
            unique_by=lambda p: p["property"],
        ),
    },
)


@PROPERTY
@given(CONTRACTS)
def test_a_contract_does_not_differ_from_itself(contract: Data) -> None:
    assert compare(contract, copy.deepcopy(contract)) == ()


@PROPERTY
@given(CONTRACTS, st.randoms(use_true_random=False))
def test_a_contract_does_not_differ_from_itself_shuffled(contract: Data, random: Any) -> None:
    shuffled = copy.deepcopy(contract)
    lists = [shuffled["schema"], shuffled.get("tags", []), shuffled.get("customProperties", [])]
    lists += [table["properties"] for table in shuffled["schema"]]
    lists += [
        column[key]
        for table in shuffled["schema"]
        for column in table["properties"]
        for key in ("tags", "examples")
        if key in column
    ]
    for items in lists:
        random.shuffle(items)
    assert compare(contract, shuffled) == ()


@PROPERTY
@given(CONTRACTS, CONTRACTS)
def test_there_and_back_the_same_places_change(one: Data, other: Data) -> None:
    there, back = compare(one, other), compare(other, one)
    assert (severity_of(there) == "none") == (severity_of(back) == "none")
    renames = {(change.path, change.new) for change in there if change.kind == "renamed"}
    assert len(renames) == sum(change.kind == "renamed" for change in back)
    if renames:
        return  # what lies below has another path on each side
    assert {change.path for change in there} == {change.path for change in back}
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(c.path, c.kind) for c in there} == {(c.path, turned[c.kind]) for c in back}


# What differs only a little


def with_rule(**rule: Any) -> Data:
    return edited(lambda d: d["schema"][0].update(quality=[{"name": "r", "mustBe": 0, **rule}]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "sql", "query": "select 'X  Y'"}, {"type": "sql", "query": "select 'X Y'"}),
        (
            {"type": "sql", "query": "select 1 -- all\nfrom t"},
            {"type": "sql", "query": "select 1 -- all from t"},
        ),
        (
            {"metric": "invalidValues", "arguments": {"pattern": "a  b"}},
            {"metric": "invalidValues", "arguments": {"pattern": "a b"}},
        ),
        (
            {"metric": "invalidValues", "arguments": {"validValues": 5}},
            {"metric": "invalidValues", "arguments": {"validValues": 6}},
        ),
    ],
)
def test_a_rule_that_checks_something_else_is_revised(one: Data, other: Data) -> None:
    assert [change.rule for change in compare(with_rule(**one), with_rule(**other))] == ["rule-revised"]


def test_true_is_not_one() -> None:
    one = edited(lambda d: d["customProperties"].append({"property": "x", "value": 1}))
    other = edited(lambda d: d["customProperties"].append({"property": "x", "value": True}))
    assert [change.rule for change in compare(one, other)] == ["custom-property-changed"]


def test_levels_for_different_drivers_are_compared_each() -> None:
    def levels(regulatory: int) -> Data:
        stated = [
            {"property": "latency", "value": regulatory, "unit": "h", "driver": "regulatory"},
            {"property": "latency", "value": 24, "unit": "h", "driver": "analytics"},
        ]
        return edited(lambda d: d.update(slaProperties=stated))

    (change,) = compare(levels(1), levels(9))
    assert (change.rule, change.consumer) == ("service-level-changed", "breaking")


def test_the_release_of_a_pre_release_is_enough_for_information() -> None:
    assert bumped("1.0.0-rc.1", "patch") == "1.0.0"
    assert is_enough("1.0.0-rc.1", "1.0.0", "patch")
