"""Physical types of five databases, and the logical types that ODCS has for them."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from builders import PROPERTY, a_contract
from hypothesis import given
from hypothesis import strategies as st

from factory.odcs.types import logical_fields
from factory.standards import odcs_faults

DUCKDB = {
    "TINYINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "UBIGINT": "integer",
    "DOUBLE": "number",
    "FLOAT": "number",
    "DECIMAL(18,2)": "number",
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "UUID": "string",
    "BLOB": "string",
    "JSON": "string",
    "INTERVAL": "string",
    "ENUM('timestamp', 'b')": "string",
    "UNION(num INTEGER, str VARCHAR)": "string",
    "INTEGER[]": "array",
    "INTEGER[3]": "array",
    "STRUCT(a INTEGER)": "object",
    "MAP(VARCHAR, INTEGER)": "map",
}
POSTGRES = {
    "integer": "integer",
    "int8": "integer",
    "bigserial": "integer",
    "numeric": "number",
    "numeric(10,3)": "number",
    "double precision": "number",
    "real": "number",
    "money": "number",
    "text": "string",
    "character varying(255)": "string",
    "bpchar": "string",
    "uuid": "string",
    "jsonb": "string",
    "bytea": "string",
    "boolean": "boolean",
    "date": "date",
    "time without time zone": "time",
    "timestamp without time zone": "timestamp",
    "timestamp(6) with time zone": "timestamp",
    "integer[]": "array",
    "interval": "string",
    "inet": "string",
}
SNOWFLAKE = {
    "NUMBER(38,0)": "integer",
    "NUMBER(10)": "integer",
    "NUMBER(10,2)": "number",
    "NUMBER": "number",
    "FLOAT": "number",
    "VARCHAR(16777216)": "string",
    "TEXT": "string",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME(9)": "time",
    "TIMESTAMP_NTZ(9)": "timestamp",
    "TIMESTAMP_LTZ(9)": "timestamp",
    "TIMESTAMP_TZ(9)": "timestamp",
    "VARIANT": "string",
    "OBJECT": "object",
    "ARRAY(NUMBER(38,0))": "array",
    "GEOGRAPHY": "string",
    "BINARY(8388608)": "string",
}
BIGQUERY = {
    "INT64": "integer",
    "FLOAT64": "number",
    "NUMERIC(10, 2)": "number",
    "BIGNUMERIC": "number",
    "STRING": "string",
    "STRING(20)": "string",
    "BYTES": "string",
    "BOOL": "boolean",
    "DATE": "date",
    "DATETIME": "timestamp",
    "TIMESTAMP": "timestamp",
    "TIME": "time",
    "JSON": "string",
    "ARRAY<INT64>": "array",
    "STRUCT<a INT64, b STRING>": "object",
}
SPARK = {
    "tinyint": "integer",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "decimal(10,2)": "number",
    "string": "string",
    "varchar(10)": "string",
    "binary": "string",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp",
    "array<int>": "array",
    "map<string,int>": "map",
    "struct<a:int,b:string>": "object",
}


@pytest.mark.parametrize(
    ("physical", "logical"),
    [pair for database in (DUCKDB, POSTGRES, SNOWFLAKE, BIGQUERY, SPARK) for pair in database.items()],
)
def test_a_physical_type_has_a_logical_one_in_any_case(physical: str, logical: str) -> None:
    for spelled in (physical, physical.lower(), physical.upper(), f"  {physical} "):
        assert logical_fields(spelled)["logicalType"] == logical


@pytest.mark.parametrize(
    ("physical", "options"),
    [
        ("SMALLINT", {"format": "i16"}),
        ("INTEGER", {"format": "i32"}),
        ("int8", {"format": "i64"}),
        ("UINTEGER", {"format": "u32"}),
        ("HUGEINT", {"format": "i128"}),
        ("real", {"format": "f32"}),
        ("double precision", {"format": "f64"}),
        ("VARCHAR(32)", {"maxLength": 32}),
        ("character varying(255)", {"maxLength": 255}),
        ("char(2)", {"maxLength": 2}),
        ("uuid", {"format": "uuid"}),
        ("BLOB", {"format": "binary"}),
        ("BYTES(16)", {"format": "binary"}),
        ("INTEGER[3]", {"minItems": 3, "maxItems": 3}),
        ("VARCHAR", None),
        ("nvarchar(max)", None),
        ("DECIMAL(18,2)", None),
        ("NUMBER(38,0)", None),
        ("INTEGER[]", None),
        ("DATE", None),
    ],
)
def test_a_physical_type_implies_width_length_and_format(
    physical: str, options: dict[str, Any] | None
) -> None:
    assert logical_fields(physical).get("logicalTypeOptions") == options


@pytest.mark.parametrize(
    "physical",
    [
        "TIMESTAMP WITH TIME ZONE",
        "timestamptz",
        "timestamp(3) with time zone",
        "TIMESTAMP_TZ(9)",
        "TIMESTAMP_LTZ",
        "timestamp with local time zone",
        "datetimeoffset(7)",
        "TIME WITH TIME ZONE",
        "timetz",
        "time(6) with time zone",
    ],
)
def test_a_time_with_a_zone_says_so(physical: str) -> None:
    assert logical_fields(physical)["logicalTypeOptions"] == {"timezone": True}


@pytest.mark.parametrize(
    "physical",
    [
        "TIMESTAMP",
        "TIMESTAMP_S",
        "timestamp(6) without time zone",
        "TIMESTAMP_NTZ(9)",
        "DATETIME",
        "datetime2(7)",
        "TIME",
        "time without time zone",
    ],
)
def test_a_time_without_a_zone_says_so(physical: str) -> None:
    assert logical_fields(physical)["logicalTypeOptions"] == {"timezone": False}


INT = {"logicalType": "integer", "logicalTypeOptions": {"format": "i32"}}


@pytest.mark.parametrize(
    "physical",
    [
        'STRUCT(a INTEGER, "b c" STRUCT("d,e" VARCHAR(5)))',
        'row(a INTEGER, "b c" row("d,e" VARCHAR(5)))',
        'STRUCT<a INTEGER, "b c" STRUCT<"d,e" VARCHAR(5)>>',
        'struct<a:INTEGER,"b c":struct<"d,e":VARCHAR(5)>>',
    ],
)
def test_a_struct_has_its_fields_however_deep(physical: str) -> None:
    fields = logical_fields(physical)
    assert fields["logicalType"] == "object"
    first, second = fields["properties"]
    assert first == {"name": "a", "physicalType": "INTEGER", **INT}
    assert (second["name"], second["logicalType"]) == ("b c", "object")
    inner = {"logicalType": "string", "logicalTypeOptions": {"maxLength": 5}}
    assert second["properties"] == [{"name": "d,e", "physicalType": "VARCHAR(5)", **inner}]


@pytest.mark.parametrize("physical", ["INTEGER[]", "ARRAY<INTEGER>", "array(INTEGER)", "LIST(INTEGER)"])
def test_a_list_has_its_items(physical: str) -> None:
    assert logical_fields(physical) == {"logicalType": "array", "items": {"physicalType": "INTEGER", **INT}}


def test_a_list_of_lists_keeps_both_lengths() -> None:
    fields = logical_fields("INTEGER[2][]")
    assert "logicalTypeOptions" not in fields
    assert fields["items"]["logicalTypeOptions"] == {"minItems": 2, "maxItems": 2}
    assert fields["items"]["items"] == {"physicalType": "INTEGER", **INT}


def test_a_list_of_structs_has_the_fields_of_its_items() -> None:
    fields = logical_fields("STRUCT(a INTEGER)[]")
    assert fields["items"]["properties"] == [{"name": "a", "physicalType": "INTEGER", **INT}]


@pytest.mark.parametrize(
    "physical", ["MAP(VARCHAR, STRUCT(a INTEGER, b DATE)[])", "map<VARCHAR, array<struct<a:INTEGER,b:DATE>>>"]
)
def test_a_map_has_key_and_value(physical: str) -> None:
    fields = logical_fields(physical)
    assert fields["logicalType"] == "map"
    assert fields["map"]["key"] == {"physicalType": "VARCHAR", "logicalType": "string"}
    assert [p["name"] for p in fields["map"]["value"]["items"]["properties"]] == ["a", "b"]


def test_what_wraps_a_type_is_looked_through() -> None:
    assert logical_fields("Nullable(Int64)") == logical_fields("BIGINT")
    assert logical_fields("LowCardinality(String)") == {"logicalType": "string"}


@pytest.mark.parametrize("physical", ["hierarchyid", "whatever(3)", "STRING_VIEW", "x"])
def test_a_type_that_nobody_knows_is_text(physical: str) -> None:
    assert logical_fields(physical) == {"logicalType": "string"}


@pytest.mark.parametrize(
    "physical", ["STRUCT()", "STRUCT(", "MAP(VARCHAR)", "INTEGER[", "DECIMAL(", "array<", ")", "", "[]", '"']
)
def test_a_broken_type_breaks_nothing(physical: str) -> None:
    assert logical_fields(physical)["logicalType"]


def test_every_type_that_duckdb_itself_names_gives_fields_that_the_standard_allows() -> None:
    connection = duckdb.connect()
    connection.execute("""
        create table everything as select
            1::tinyint as a, 1::uhugeint as b, 1.5::decimal(38, 10) as c, 1::float as d, 'x' as e, true as f,
            date '2024-01-31' as g, time '10:00' as h, timestamp '2024-01-31' as i, timestamptz '2024-01-31' as j,
            uuid() as k, 'x'::blob as l, '101'::bit as m, interval 1 day as n, [1, 2] as o, [1, 2]::integer[2] as p,
            {'x': 1, 'y z': [{'k': date '2024-01-31'}]} as q, map {'a': [1.5]} as r, 'a'::enum('a', 'b') as s,
            union_value(num := 1) as t
    """)
    columns = connection.execute("select column_name, data_type from information_schema.columns").fetchall()
    properties = [{"name": name, "physicalType": kind, **logical_fields(kind)} for name, kind in columns]
    assert len(properties) == 20
    assert odcs_faults(a_contract(schema=[{"name": "everything", "properties": properties}])) == ()


names = st.text("abc XY,()<>", min_size=1, max_size=6).map(lambda name: name.strip() or "a")
types = st.recursive(
    st.sampled_from(["INTEGER", "VARCHAR", "DECIMAL(18,2)", "TIMESTAMP WITH TIME ZONE"]),
    lambda inner: st.one_of(
        inner.map(lambda kind: f"{kind}[]"),
        st.tuples(names, inner).map(lambda field: f'STRUCT("{field[0]}" {field[1]}, b {field[1]})'),
        inner.map(lambda kind: f"MAP(VARCHAR, {kind})"),
    ),
    max_leaves=6,
)


@PROPERTY
@given(types)
def test_a_nested_type_is_told_whole_at_every_level(physical: str) -> None:
    def check(fields: dict[str, Any]) -> None:
        inner = [
            *fields.get("properties", ()),
            *filter(None, [fields.get("items")]),
            *fields.get("map", {}).values(),
        ]
        for field in inner:
            assert {
                key: field[key] for key in field if key not in ("name", "physicalType")
            } == logical_fields(field["physicalType"])
            assert field["physicalType"] in physical
            check(field)

    check(logical_fields(physical))
