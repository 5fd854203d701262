"""The published schemas, and their faults in words."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from builders import ODPS as DESCRIPTOR
from builders import a_contract
from jsonschema import Draft201909Validator

from factory.standards import ODCS, Fault, odcs_faults, odps_faults, schema


def a_column(**fields: Any) -> dict[str, Any]:
    """Return a contract whose one column has these fields."""
    column = {"name": "amount", "logicalType": "number", **fields}
    return a_contract(schema=[{"name": "orders", "properties": [column]}])


COLUMN = ("schema", 0, "properties", 0)


def test_the_schema_of_contracts_is_the_published_one() -> None:
    witness = resources.files("open_data_contract_standard").joinpath("schema.json").read_bytes()
    assert resources.files("factory").joinpath("schemas", ODCS).read_bytes() == witness


def test_both_schemas_are_schemas_of_their_dialect() -> None:
    for name in (ODCS, "odps-1.1.0.schema.json"):
        Draft201909Validator.check_schema(schema(name))


def test_what_is_right_has_no_faults() -> None:
    assert odcs_faults(a_contract()) == ()
    assert odps_faults(DESCRIPTOR) == ()


@pytest.mark.parametrize("data", [None, [], "text", 3])
@pytest.mark.parametrize("faults", [odcs_faults, odps_faults])
def test_what_is_no_mapping_is_one_fault(data: Any, faults: Any) -> None:
    assert faults(data) == (
        Fault((), "the file holds no mapping", "start with `apiVersion:` and `kind:`", "not-a-contract"),
    )


@pytest.mark.parametrize(
    ("contract", "path", "message", "hint"),
    [
        (a_contract(id=None), (), "the document: 'id' is missing", ""),
        (a_contract(version=1.0), ("version",), "version: 1.0 is not text", "put it in quotes"),
        (
            a_contract(tags="retail"),
            ("tags",),
            "tags: 'retail' is not a list",
            "write a list, each entry after a dash",
        ),
        (
            a_contract(kind="Contract"),
            ("kind",),
            "kind: 'Contract' is not one of the standard's values",
            "did you mean 'DataContract'?",
        ),
        (
            a_contract(apiVersion="v3.3.0"),
            ("apiVersion",),
            "apiVersion: 'v3.3.0' is not one of the standard's values",
            "did you mean 'v3.2.0'?",
        ),
        (a_contract(schema=[{"properties": []}]), ("schema", 0), "schema[0]: 'name' is missing", ""),
        (
            a_column(logicalType="int"),
            (*COLUMN, "logicalType"),
            "schema[orders].properties[amount].logicalType: 'int' is not one of the standard's values",
            "did you mean 'integer'?",
        ),
        (
            a_column(logicalTypeOptions={"minimun": 3}),
            (*COLUMN, "logicalTypeOptions", "minimun"),
            "schema[orders].properties[amount].logicalTypeOptions: the standard has no field 'minimun'",
            "did you mean 'minimum'?",
        ),
        (
            a_column(required="yes"),
            (*COLUMN, "required"),
            "schema[orders].properties[amount].required: 'yes' is not true or false",
            "",
        ),
        (a_column(logicalType="map"), COLUMN, "schema[orders].properties[amount]: 'map' is missing", ""),
        (
            a_column(quality=[{"metric": "rowCount", "mustBe": 0, "dimension": "validity"}]),
            (*COLUMN, "quality", 0, "dimension"),
            "schema[orders].properties[amount].quality[0].dimension: 'validity' is not one of the standard's values",
            "allowed: accuracy, completeness, conformity, consistency, coverage, timeliness, uniqueness",
        ),
        (
            a_contract(servers=[{"server": "ports", "type": "duck"}]),
            ("servers", 0, "type"),
            "servers[ports].type: 'duck' is not one of the standard's values",
            "did you mean 'duckdb'?",
        ),
        (
            a_contract(description="text"),
            ("description",),
            "description: 'text' is not a mapping",
            "",
        ),
    ],
)
def test_a_fault_is_told_in_words_with_its_place(
    contract: dict[str, Any], path: tuple[str | int, ...], message: str, hint: str
) -> None:
    (fault,) = odcs_faults(contract)
    assert (fault.path, fault.message, fault.hint) == (path, message, hint)


@pytest.mark.parametrize(
    ("contract", "wanted"),
    [
        (a_contract(support=[{"chanel": "help"}]), "did you mean 'channel'?"),
        (a_contract(roles=[{"rol": "reader"}]), "did you mean 'role'?"),
        (a_contract(slaProperties=[{"property": "frequency", "valu": 1}]), "did you mean 'value'?"),
        (a_column(quality=[{"metric": "nullValue", "mustBe": 0}]), "did you mean 'nullValues'?"),
    ],
)
def test_a_typo_is_told_with_what_was_meant(contract: dict[str, Any], wanted: str) -> None:
    assert wanted in [fault.hint for fault in odcs_faults(contract)]


def test_a_descriptor_has_no_fields_of_its_own() -> None:
    faults = odps_faults({**DESCRIPTOR, "costCenter": "CC-1", "sumary": "x"})
    assert [(fault.path, fault.hint) for fault in faults] == [
        (("costCenter",), "own fields belong in customProperties"),
        (("sumary",), "own fields belong in customProperties"),
    ]


def test_every_fault_is_told_in_the_order_of_the_document() -> None:
    faults = odps_faults({**DESCRIPTOR, "version": 1, "tags": "x", "kind": "Product"})
    assert [fault.path for fault in faults] == [("kind",), ("tags",), ("version",)]


def test_a_long_value_does_not_flood_the_message() -> None:
    (fault,) = odps_faults({**DESCRIPTOR, "name": ["x" * 5000]})
    assert len(fault.message) < 200


def test_the_quick_validator_and_the_one_that_explains_agree() -> None:
    """Each value of a rich contract in turn is replaced by one of another kind, or taken away."""
    from factory.standards import _validator

    contract = a_contract(
        schema=[
            {
                "name": "orders",
                "logicalType": "object",
                "quality": [{"type": "library", "metric": "rowCount", "mustBeGreaterThan": 0}],
                "properties": [
                    {"name": "id", "logicalType": "integer", "logicalTypeOptions": {"format": "i32"}}
                ],
            }
        ],
        servers=[{"server": "ports", "type": "duckdb", "database": "ports.duckdb"}],
        team={"name": "t", "members": [{"username": "a@example.org", "role": "dpo"}]},
    )
    witness = Draft201909Validator(schema(ODCS))
    assert _validator(ODCS).is_valid(contract)
    tried = 0
    for changed in _mutations(contract):
        assert _validator(ODCS).is_valid(changed) == witness.is_valid(changed), changed
        tried += 1
    assert tried > 100


def _mutations(value: Any) -> Iterator[Any]:
    yield from ("text", 7, True, None, [], {}, {"unknown": 1})
    if isinstance(value, dict):
        yield {**value, "unknown": 1}
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}
            for changed in _mutations(inner):
                yield {**value, key: changed}
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for changed in _mutations(inner):
                yield [*value[:number], changed, *value[number + 1 :]]
