"""The eight example products of this repository, built from real data and published."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import Command
from examples import build, copy_of_the_workspace
from jsonschema import Draft202012Validator
from mesh import ROOT
from test_reproducible import published as published_files

from factory.standards import odcs_faults, odps_faults, schema

PRODUCTS = {
    "customer_360", "nyc_air_quality", "physical_risk", "places", "precipitation", "sea_level", "shop_orders",
    "temperature",
}  # fmt: skip

# Computed once outside the product, from observed values only: heat, rain, sea, overall.
SCORES = {
    "naples-fl": (100.0, 90.1, 29.8, 86.6),
    "charleston-sc": (35.5, 98.4, 48.3, 79.6),
    "rockport-tx": (87.6, 62.2, 53.7, 77.7),
    "hilo-hi": (15.5, 100.0, 16.8, 72.0),
    "new-york-ny": (22.2, 59.6, 45.9, 51.1),
    "tucson-az": (84.1, 5.7, None, 64.5),
    "sitka-ak": (25.9, 61.3, 0.0, 45.1),
    "portsmouth-nh": (30.4, 41.8, None, 38.9),
    "yakutat-ak": ("any", "any", 0.0, None),
    "cordova-ak": ("any", "any", 0.0, None),
    "prudhoe-bay-ak": ("any", "any", 45.1, None),
}


def contracts(root: Path) -> dict[str, dict[str, Any]]:
    files = (root / "registry/products").glob("*/*/*/*/contract.odcs.yaml")
    return {file.parents[2].name: yaml.safe_load(file.read_text("utf-8")) for file in files}


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "ports.duckdb"), read_only=True) as connection:
        return connection.sql(sql).fetchall()


def test_all_eight_are_certified_with_every_column_traced(example: Path) -> None:
    run = json.loads((example / "run.json").read_bytes())
    assert {p["name"]: p["outcome"] for p in run["products"]} == dict.fromkeys(PRODUCTS, "certified")
    for product in run["products"]:
        assert product["columns"]["traced"] == product["columns"]["total"] > 0
        assert product["tests"]["total"] > 0
        assert product["checks"]["total"] > 0


def test_their_contracts_are_valid_and_whole(example: Path) -> None:
    found = contracts(example)
    assert found.keys() == PRODUCTS
    sections = {
        "description",
        "schema",
        "servers",
        "team",
        "roles",
        "slaProperties",
        "price",
        "support",
        "customProperties",
    }
    for data in found.values():
        assert odcs_faults(data) == ()
        assert sections <= data.keys()
        for table in data["schema"]:
            assert table["description"]
            assert any(column.get("primaryKey") for column in table["properties"])
            for column in table["properties"]:
                assert column["description"], column
                assert column["physicalType"], column
                assert column["transformDescription"], column


def test_their_products_and_the_registry_file_are_valid(example: Path) -> None:
    for file in (example / "registry/products").glob("*/*/product/*.odps.yaml"):
        assert odps_faults(yaml.safe_load(file.read_text("utf-8"))) == ()
    registry = json.loads((example / "registry/registry.json").read_bytes())
    Draft202012Validator(schema("registry.schema.json")).validate(registry)
    assert {product["name"] for product in registry["products"]} == PRODUCTS
    for product in registry["products"]:
        assert product["owner"].endswith("@example.org")
        assert product["team"]


def test_every_server_opens(example: Path) -> None:
    for data in contracts(example).values():
        for server in data["servers"]:
            if server["type"] == "duckdb":
                for table in data["schema"]:
                    assert (
                        query(example, f"select count(*) from {server['schema']}.{table['name']}")[0][0] > 0
                    )
            else:
                assert duckdb.sql(f"select 1 from '{example / server['path']}' limit 1").fetchall() == [(1,)]


def test_the_public_linter_accepts_every_contract(example: Path) -> None:
    linter = ROOT / ".venv-peer/bin/datacontract"
    assert linter.is_file(), "the public contract linter is not installed: make test does it"
    for file in sorted((example / "registry/products").glob("*/*/*/*/contract.odcs.yaml")):
        done = subprocess.run(
            [linter, "lint", "--no-inline-references", "--all-errors", file], capture_output=True, text=True
        )
        assert done.returncode == 0, f"{file}\n{done.stdout}{done.stderr}"


def test_the_public_tool_finds_every_promise_kept_at_the_ports(example: Path) -> None:
    tool = ROOT / ".venv-peer/bin/datacontract"
    for folder in sorted((example / "registry/products").glob("*/*/*")):
        files = sorted(folder.glob("*/contract.odcs.yaml"))
        if files:
            done = subprocess.run(
                [tool, "test", "--server", "ports", files[-1]], cwd=example, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{files[-1]}\n{done.stdout}{done.stderr}"
            assert "passed" in done.stdout


def test_physical_risk_agrees_with_scores_computed_elsewhere(example: Path) -> None:
    rows = query(
        example,
        "select place_id, heat_score, rain_score, sea_score, overall_score from physical_risk.physical_risk",
    )
    scores = {row[0]: row[1:] for row in rows}
    assert len(scores) == 35
    for place, expected in SCORES.items():
        for value, goal in zip(scores[place], expected, strict=True):
            if goal != "any":
                assert (value is None) == (goal is None), (place, scores[place])
                assert goal is None or abs(value - goal) <= 2, (place, scores[place])


def test_filled_values_are_labelled(example: Path) -> None:
    labels = query(example, "select fill_method, count(*) from temperature.temperature_daily group by all")
    assert {label for label, _ in labels} == {"observed", "neighbour", "interpolated", "climatology"}
    assert sum(count for _, count in labels) == 230_727


def test_no_order_line_is_lost(example: Path) -> None:
    accepted = query(example, "select count(*) from shop_orders.order_lines")[0][0]
    quarantined = query(
        example, "select count(*) from shop_orders.quarantined_lines where quarantine_reason is not null"
    )
    assert accepted + quarantined[0][0] == 541_909


def test_the_air_quality_contract_is_the_worked_example(example: Path) -> None:
    data = contracts(example)["nyc_air_quality"]
    table = next(t for t in data["schema"] if t["name"] == "air_quality")
    columns = {column["name"]: column for column in table["properties"]}
    assert [*columns] == [
        "UniqueID", "IndicatorID", "Name", "Measure", "MeasureInfo", "GeoTypeName", "GeoJoinID", "GeoPlaceName",
        "TimePeriod", "StartDate", "DataValue", "Message",
    ]  # fmt: skip
    assert columns["DataValue"]["physicalType"] == "DOUBLE"
    rules = {(name, rule["name"]): rule for name, c in columns.items() for rule in c.get("quality", ())}
    key_range, key_null = rules["UniqueID", "RangeCheck"], rules["UniqueID", "NullCheck"]
    assert (key_range["dimension"], key_range["severity"], key_range["businessImpact"]) == (
        "conformity",
        "error",
        "operational",
    )
    assert key_null["dimension"] == "completeness"
    assert rules["DataValue", "RangeCheck"]["dimension"] == "accuracy"
    sla = {p["property"]: (p["value"], p.get("unit")) for p in data["slaProperties"]}
    assert sla["retention"] == (100, "y")
    assert sla["latency"] == (-1, "As needed")
    assert str(sla["endOfSupport"][0]).startswith("2030-01-01T00:00:00")
    assert str(sla["generalAvailability"][0]).startswith("2014-10-23T00:00:00")


def test_a_change_of_unit_warns_and_as_an_error_it_refuses(
    example: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = json.loads((example / "run.json").read_bytes())
    advice = next(p["advice"] for p in run["products"] if p["name"] == "nyc_air_quality")
    assert any("unit_change" in line and "311" in line for line in advice)
    assert query(
        example,
        "select count(*) from nyc_air_quality.air_quality_quarantine where quarantine_reason = 'unit_changed'",
    ) == [(311,)]
    monkeypatch.chdir(example)
    result = factory(
        "check",
        "nyc_air_quality",
        "--vars",
        "{nyc_air_quality_unit_change_severity: error}",
        "--format",
        "json",
    )
    assert result.code == 1
    (product,) = result.json["products"]
    assert product["outcome"] == "refused"
    assert any("unit_change" in reason for reason in product["reasons"])


def test_a_second_build_elsewhere_gives_the_same_bytes(example: Path, tmp_path: Path) -> None:
    other = copy_of_the_workspace(tmp_path / "other")
    build(other)
    assert published_files(other) == published_files(example)


@pytest.mark.parametrize("product", sorted(PRODUCTS))
def test_every_product_documents_its_data(product: str) -> None:
    folder = ROOT / "products" / product
    assert {f.name for f in (folder / "docs").iterdir()} >= {"overview.md", "runbook.md", "glossary.md"}
    if (folder / "data").is_dir():
        text = (folder / "data/README.md").read_text("utf-8").lower()
        assert "licence" in text or "license" in text
        assert "sha256" in text
