"""`factory contract show`: a contract as text that a person reads from top to bottom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from builders import PROPERTY
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from linting import VERSIONS, contract_text
from mesh import build_mesh, make_mesh

from factory.documents import scan_text
from factory.questions.contract_text import contract_as_text

BOOK = Path(__file__).parent / "cases/contracts"


def data_of(version: str) -> Any:
    return scan_text(contract_text({"version": version}), Path("x")).documents[0].data


def test_a_contract_is_read_from_top_to_bottom() -> None:
    text = contract_as_text(data_of("3.2.0"), 80)
    lines = text.split("\n")
    assert lines[0] == "Orders of the shop 1.2.0  (active)"
    assert lines[1] == "shop-orders"
    assert lines[2] == "domain sales, tenant acme"
    assert "tags: sales, orders" in lines
    titles = [lines[n - 1] for n, line in enumerate(lines) if line and set(line) == {"-"}]
    assert titles == [
        "Purpose", "Limitations", "Usage", "customers", "orders", "Service levels", "Team Sales data", "Support",
        "Roles", "Price", "Where", "Also known", "See also",
    ]  # fmt: skip
    for line in (
        "Orders and customers of the web shop.",
        "  customer_id  integer (bigint), key, required, unique",
        "      street  string (text)",
        "  state      string (varchar(20)), one of open, closed",
        "  - latency: 4 h for orders.placed_on",
        "  - ada, dpo, 2023-01-10 to 2024-06-30, replaced by bob",
        "  - bob, dpo, 2024-06-30 to now",
        "  - #sales-data, https://chat.example.com/sales-data",
        "  - shop_read, read, approved by Head of sales",
        "  - 9.95 EUR per megabyte",
        "  - dataOwner: sales",
        "  - businessDefinition: https://wiki.example.com/orders",
    ):
        assert line in lines, text
    assert "    - rows above 0" in lines
    assert not [line for line in lines if line != line.rstrip()]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_contract_of_any_version_tells_its_tables_and_its_team(version: str) -> None:
    text = contract_as_text(data_of(version), 80)
    for word in ("Orders of the shop 1.2.0", "placed_on", "Day of the order.", "ada", "bob", "rows above 0"):
        assert word in text


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"metric": "nullValues", "mustBe": 0}, "a: null values is 0"),
        (
            {"rule": "nullValues", "mustBeLessThan": 5, "unit": "percent"},
            "a: null values below 5 percent",
        ),
        (
            {"metric": "invalidValues", "arguments": {"validValues": ["x"]}, "mustBe": 0},
            "a: invalid values is 0 (validValues: 'x')",
        ),
        ({"metric": "rowCount", "mustBeBetween": [1, 5]}, "a: rows between 1, 5"),
        (
            {"type": "sql", "query": "select\n  1", "mustBe": 1, "description": "One."},
            "a: `select 1` is 1: One.",
        ),
        ({"type": "text", "description": "No free orders."}, "a: No free orders."),
        (
            {"type": "custom", "engine": "soda", "name": "fresh", "implementation": "x"},
            "a: fresh, run by soda",
        ),
        (
            {"metric": "nullValues", "mustBe": 0, "dimension": "completeness", "severity": "error"},
            "a: null values is 0 [completeness, error]",
        ),
    ],
)
def test_a_rule_is_told_in_words(rule: dict[str, Any], words: str) -> None:
    data = {"id": "x", "schema": [{"name": "t", "properties": [{"name": "a", "quality": [rule]}]}]}
    assert f"    - {words}" in contract_as_text(data, 100).split("\n")


def test_what_says_nothing_is_left_out() -> None:
    data = {
        "id": "x",
        "schema": [{"name": "t", "quality": [{"type": "text"}, {}], "properties": []}],
        "support": [{"channel": " "}, {}],
        "team": {"members": []},
        "price": {},
    }
    assert contract_as_text(data, 80).split("\n") == ["x", "x", "", "t", "-"]


@PROPERTY
@given(st.integers(40, 120))
def test_lines_are_as_wide_as_the_terminal(width: int) -> None:
    data = data_of("3.2.0")
    data["description"]["purpose"] = "Many words. " * 40
    data["schema"][0]["description"] = "Many more words. " * 40
    data["support"][0]["description"] = "Even more words. " * 40
    for line in contract_as_text(data, width).split("\n"):
        assert len(line) <= width or "words" not in line


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", " ", "a\nb"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "type"]), inner),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(p for key, each in inside for p in places(each, (*path, key)))]


@PROPERTY
@given(st.sampled_from(VERSIONS), st.randoms(use_true_random=False), VALUES)
def test_a_contract_with_any_fault_is_shown(version: str, random: Any, value: Any) -> None:
    data = data_of(version)
    *above, last = random.choice(places(data))
    holder = data
    for key in above:
        holder = holder[key]
    holder[last] = value
    assert contract_as_text(data, 80)


# The command


def test_a_file_is_shown_in_three_forms(factory: Command) -> None:
    file = BOOK / "prospect-2.0.0.odcs.yaml"
    text = factory("contract", "show", file)
    assert text.code == 0
    assert text.out.startswith("prospect 2.0.0  (active)\n")
    data = yaml.safe_load(file.read_text("utf-8"))
    assert factory("contract", "show", file, "--format", "json").json["schema"] == data["schema"]
    assert yaml.safe_load(factory("contract", "show", file, "--format", "yaml").out)["id"] == data["id"]


@pytest.mark.parametrize("name", ["full-2.2.2.yaml", "orders-latest-1.1.0.yaml"])
def test_a_contract_of_an_older_standard_is_shown_as_one_of_today(name: str, factory: Command) -> None:
    assert factory("contract", "show", BOOK / name, "--format", "json").json["apiVersion"] == "v3.2.0"
    assert factory("contract", "show", BOOK / name).code == 0


def test_what_is_shown_does_not_steer_the_terminal(tmp_path: Path, factory: Command) -> None:
    file = tmp_path / "x.odcs.yaml"
    name = "a\x1b[31m\x07\u009b"
    file.write_text(
        json.dumps({"apiVersion": "v3.2.0", "kind": "DataContract", "id": name, "name": name}), "utf-8"
    )
    for form in ("text", "json", "yaml"):
        result = factory("contract", "show", file, "--format", form)
        assert result.code == 0
        assert not [c for c in result.out.replace("\n", "") if ord(c) < 32 or 127 <= ord(c) < 160], form


def test_what_is_no_contract_is_told(tmp_path: Path, factory: Command) -> None:
    (tmp_path / "x.yaml").write_text("a: 1\n", "utf-8")
    result = factory("contract", "show", tmp_path / "x.yaml")
    assert result.code == 2
    assert "the file holds no data contract" in result.err
    assert factory("contract", "show", "nowhere.yaml").code == 2
    outside = factory("contract", "show", "shop")
    assert outside.code == 2
    assert "is not in a workspace" in outside.err


def test_a_published_contract_is_shown_by_its_product_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: Command
) -> None:
    root = build_mesh(make_mesh(tmp_path / "mesh"))
    monkeypatch.chdir(root)
    shown = {factory("contract", "show", named).out for named in ("shop", "shop@1.0.0", "shop.shop@1.0.0")}
    assert len(shown) == 1
    (text,) = shown
    assert "order_id" in text
    for named, message in (
        ("shop@9.9.9", "shop.shop 9.9.9 is not published"),
        ("nobody", "'nobody' is not published"),
        ("Not A Name", "is no file and no version"),
    ):
        result = factory("contract", "show", named)
        assert result.code == 2
        assert message in result.err


def test_long_facts_of_a_column_stay_within_the_width() -> None:
    values = [{"value": f"a_rather_long_value_{number}"} for number in range(6)]
    column = {"name": "state", "logicalType": "string", "physicalType": "VARCHAR", "enum": values}
    text = contract_as_text({"name": "x", "schema": [{"name": "t", "properties": [column]}]}, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "a_rather_long_value_5" in text


def test_where_a_server_is_can_be_copied_whole() -> None:
    path = "ports/" + "long/" * 20 + "orders.parquet"
    servers = [{"server": "p", "type": "local", "path": path, "format": "parquet"}]
    assert path in contract_as_text({"name": "x", "servers": servers}, 80)
