"""Read, write, read: every valid contract comes back with the same content, whatever people put into its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import FULL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factory.documents import dump_yaml, parse_yaml
from factory.standards import odcs_faults

FILE = Path("orders.odcs.yaml")
CASES = sorted((Path(__file__).parent / "cases/contracts").glob("*.odcs.yaml"))

# Text as people write it, with what YAML could take for something else.
text = st.one_of(
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\u2028\u2029\x85"),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(
        ["no", "yes", "~", "null", "1.0", "0x1F", "1_000", "12:30:45", "2024-01-31", "- a", "a: b", "#x", "'", '"', "|",
         ">", "%", "@", "`", "{}", "[]", "&a", "*a", "!x", " lead", "trail ", "two\nlines", "tail\n", "\n", "é✓", "1e5"]
    ),
)  # fmt: skip
name = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
scalar = st.one_of(
    text, st.integers(-(10**12), 10**12), st.booleans(), st.floats(-1e6, 1e6).map(lambda x: round(x, 4))
)
custom = st.lists(
    st.fixed_dictionaries({"property": name, "value": st.one_of(scalar, st.lists(scalar, max_size=3))}),
    max_size=3,
)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


rule = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("library"),
            "metric": st.sampled_from(["nullValues", "duplicateValues"]),
            "mustBe": st.integers(0, 9),
        },
        optional={"name": text, "description": text, "severity": text, "tags": st.lists(text, max_size=2)},
    ),
    st.fixed_dictionaries({"type": st.just("sql"), "query": text, "mustBeLessThan": st.integers(-5, 5)}),
    st.fixed_dictionaries({"type": st.just("text"), "description": text}),
    st.fixed_dictionaries(
        {
            "type": st.just("custom"),
            "engine": text,
            "implementation": st.one_of(text, st.dictionaries(name, scalar, max_size=3)),
        }
    ),
)
column = st.deferred(
    lambda: st.one_of(
        st.fixed_dictionaries(
            {
                "name": text,
                "logicalType": st.sampled_from(["string", "integer", "number", "date", "boolean"]),
            },
            optional={
                "description": text,
                "physicalType": text,
                "required": st.booleans(),
                "examples": st.lists(scalar, max_size=3),
                "quality": st.lists(rule, max_size=2),
                "enum": st.lists(
                    st.fixed_dictionaries({"value": text}),
                    min_size=1,
                    max_size=3,
                    unique_by=lambda e: e["value"],
                ),
                "customProperties": custom,
            },
        ),
        st.fixed_dictionaries(
            {"name": text, "logicalType": st.just("object"), "properties": st.lists(column, max_size=2)}
        ),
    )
)
contract = st.fixed_dictionaries(
    {
        "apiVersion": st.just("v3.2.0"),
        "kind": st.just("DataContract"),
        "id": text,
        "version": text,
        "status": text,
    },
    optional={
        "description": optional(purpose=text, limitations=text, usage=text),
        "tags": st.lists(text, max_size=3),
        "schema": st.lists(
            st.fixed_dictionaries(
                {"name": text, "properties": st.lists(column, max_size=3)},
                optional={"quality": st.lists(rule, max_size=2)},
            ),
            max_size=2,
        ),
        "price": optional(priceAmount=st.integers(0, 999), priceCurrency=text),
        "slaProperties": st.lists(
            st.fixed_dictionaries({"property": text, "value": st.one_of(text, st.integers(0, 99))}),
            max_size=2,
        ),
        "customProperties": custom,
    },
)


@settings(max_examples=2000 if FULL else 150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contract)
def test_what_is_written_is_read_again(data: dict[str, Any]) -> None:
    assert odcs_faults(data) == ()
    written = dump_yaml(data)
    assert parse_yaml(written, FILE).data == data
    assert dump_yaml(parse_yaml(written, FILE).data) == written


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.name)
def test_a_written_contract_holds_what_its_file_held(file: Path) -> None:
    data = parse_yaml(file.read_text("utf-8"), file).data
    assert parse_yaml(dump_yaml(data), FILE).data == data
