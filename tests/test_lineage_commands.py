"""`factory lineage` over manifests of any project: formats, trees, and what people get wrong."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from jsonschema import Draft202012Validator
from manifests import TIME, a_catalog, a_manifest, write_json
from openlineage.client.event_v2 import DatasetEvent, StaticDataset
from openlineage.client.generated import column_lineage_dataset, schema_dataset

from factory.standards import schema

ORDERS = '"db"."shop"."orders"'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two projects, of which one reads the other's model."""
    models = {
        "orders": 'select id, cents / 100 as amount, state from "db"."raw"."orders" where cents > 0',
        "months": f"select state as m, sum(amount) as total, count(*) as n from {ORDERS} group by state",
        "broken": f"select from where {ORDERS}",
    }
    write_json(
        tmp_path / "shop/manifest.json", a_manifest("shop", models, {"orders": ["id", "cents", "state"]})
    )
    write_json(
        tmp_path / "shop/catalog.json",
        a_catalog({"model.shop.orders": {"id": "INTEGER", "amount": "DECIMAL(18,2)", "state": "VARCHAR"}}),
    )
    source = {"relation_name": '"db"."shop"."months"', "schema": "shop"}
    board = {"board": 'select m, case when n > 1 then total end as total from "db"."shop"."months"'}
    write_json(tmp_path / "board.json", a_manifest("board", board, {"months": source}))
    return tmp_path


def test_the_json_is_flat_and_sorted(shop: Path, factory: Command) -> None:
    found = factory("lineage", "--manifest", shop / "shop", "--format", "json").json
    Draft202012Validator(schema("lineage.schema.json")).validate(found)
    edges = found["edges"]
    assert {
        "model": "model.shop.orders",
        "column": "amount",
        "source": "source.shop.raw.orders",
        "source_column": "cents",
        "type": "DIRECT",
        "subtype": "TRANSFORMATION",
        "masking": False,
        "expression": "cents / 100",
    } in edges
    assert {
        "model": "model.shop.orders",
        "column": None,
        "source": "source.shop.raw.orders",
        "source_column": "cents",
        "type": "INDIRECT",
        "subtype": "FILTER",
        "masking": False,
        "expression": "cents > 0",
    } in edges
    assert edges == sorted(
        edges, key=lambda e: (e["model"], e["column"] or "", e["source"], e["source_column"])
    )
    models = {model["model"]: model for model in found["models"]}
    assert models["model.shop.months"] == {
        "model": "model.shop.months",
        "columns": ["m", "total", "n"],
        "traced": 3,
        "unknown": [],
        "sourceless": [{"column": "n", "reason": "generator", "expression": "COUNT(*)"}],
    }
    (broken,) = models["model.shop.broken"]["unknown"]
    assert broken["reason"].startswith("SQL that sqlglot cannot read: ")
    assert "Line 1" in broken["reason"]


def test_openlineage_is_as_its_own_classes_want_it(shop: Path, factory: Command) -> None:
    done = factory(
        "lineage", "--manifest", shop / "shop", "--manifest", shop / "board.json", "-o", shop / "out.json"
    )
    assert done.code == 0
    events = json.loads((shop / "out.json").read_bytes())
    assert [event["dataset"]["name"] for event in events] == [
        "db.board.board", "db.shop.broken", "db.shop.months", "db.shop.orders",
    ]  # fmt: skip
    for event in events:
        assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent"
        assert event["eventTime"] == TIME
        assert dt.datetime.fromisoformat(event["eventTime"])
        facets = event["dataset"]["facets"]
        made = DatasetEvent(
            eventTime=event["eventTime"],
            producer=event["producer"],
            dataset=StaticDataset(
                namespace=event["dataset"]["namespace"],
                name=event["dataset"]["name"],
                facets={
                    "schema": a_schema(facets["schema"]),
                    "columnLineage": a_lineage(facets["columnLineage"]),
                },
            ),
        )
        assert set(event) <= set(DatasetEvent.__annotations__) | {"eventTime", "producer", "schemaURL"}
        assert made.dataset.facets
        for name in facets:
            assert facets[name]["_schemaURL"] == made.dataset.facets[name]._schemaURL
    board = events[0]["dataset"]["facets"]["columnLineage"]
    (total, n) = sorted(board["fields"]["total"]["inputFields"], key=lambda field: -len(field["field"]))
    assert (total["name"], total["field"]) == ("db.shop.months", "total")
    assert [(t["type"], t["subtype"]) for t in total["transformations"]] == [("DIRECT", "TRANSFORMATION")]
    assert [(t["type"], t["subtype"]) for t in n["transformations"]] == [("INDIRECT", "CONDITIONAL")]
    orders = events[3]["dataset"]["facets"]
    assert [field["subtype"] for field in orders["columnLineage"]["dataset"][0]["transformations"]] == [
        "FILTER"
    ]
    assert orders["schema"]["fields"][1] == {"name": "amount", "type": "DECIMAL(18,2)"}


def a_schema(values: dict[str, Any]) -> Any:
    fields = [schema_dataset.SchemaDatasetFacetFields(**field) for field in values["fields"]]
    return schema_dataset.SchemaDatasetFacet(fields=fields, producer=values["_producer"])


def a_lineage(values: dict[str, Any]) -> Any:
    def inputs(fields: list[dict[str, Any]]) -> list[Any]:
        return [
            column_lineage_dataset.InputField(
                field["namespace"],
                field["name"],
                field["field"],
                [column_lineage_dataset.Transformation(**t) for t in field["transformations"]],
            )
            for field in fields
        ]

    def column(field: dict[str, Any]) -> Any:
        return column_lineage_dataset.Fields(**{**field, "inputFields": inputs(field["inputFields"])})

    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={name: column(field) for name, field in values["fields"].items()},
        dataset=inputs(values.get("dataset", [])),
        producer=values["_producer"],
    )


def test_a_format_goes_before_the_file_s_own(shop: Path, factory: Command) -> None:
    out = shop / "out"
    factory("lineage", "--manifest", shop / "shop", "--format", "json", "-o", out)
    assert set(json.loads(out.read_bytes())) == {"edges", "models"}


def test_the_tree_of_a_column_goes_to_the_sources(shop: Path, factory: Command) -> None:
    manifests = ("--manifest", shop / "shop", "--manifest", shop / "board.json")
    assert factory("lineage", "board.board.total", *manifests).out.splitlines() == [
        "board.board.total  = CASE WHEN n > 1 THEN total END",
        "└─ [shop] months.total  transformation  = SUM(amount)",
        "   └─ orders.amount  aggregation  = cents / 100",
        "      └─ raw.orders.cents  transformation",
    ]
    assert factory("lineage", "months.total", "--indirect", "--depth", "1", *manifests).out.splitlines() == [
        "shop.months.total  = SUM(amount)",
        "├─ orders.amount  aggregation  = cents / 100  …",
        "└─ months (rows)  …",
    ]
    assert factory("lineage", "board", "--up", "--depth", "1", *manifests).out.splitlines() == [
        "board.board.m",
        "└─ [shop] months.m  …",
        "board.board.total  = CASE WHEN n > 1 THEN total END",
        "└─ [shop] months.total  transformation  = SUM(amount)  …",
    ]
    assert factory("lineage", "shop.months.n", *manifests).out == "shop.months.n  = COUNT(*)  (generator)\n"


def test_the_tree_of_a_column_goes_down_to_its_uses(shop: Path, factory: Command) -> None:
    manifests = ("--manifest", shop / "shop", "--manifest", shop / "board.json")
    found = factory("lineage", "source.shop.raw.orders.cents", "--down", "--indirect", *manifests)
    assert found.out.splitlines() == [
        "shop.raw.orders.cents",
        "├─ orders (rows)  filter: cents > 0",
        "└─ orders.amount  transformation  = cents / 100",
        "   └─ months.total  aggregation  = SUM(amount)",
        "      └─ [board] board.total  transformation  = CASE WHEN n > 1 THEN total END",
    ]


def test_a_tree_can_be_had_in_every_format(shop: Path, factory: Command) -> None:
    asked = ("lineage", "months.total", "--manifest", shop / "shop")
    edges = factory(*asked, "--format", "json").json["edges"]
    assert {(e["model"], e["column"], e["source_column"]) for e in edges} == {
        ("model.shop.months", "total", "amount"),
        ("model.shop.orders", "amount", "cents"),
    }
    events = factory(*asked, "--format", "openlineage").json
    assert [list(event["dataset"]["facets"]["columnLineage"]["fields"]) for event in events] == [
        ["total"],
        ["amount"],
    ]
    drawn = factory(*asked, "--format", "mermaid").out
    assert drawn.splitlines()[0] == "flowchart LR"
    assert len(re.findall(r"n\d+ -->", drawn)) == 2
    assert "|aggregation|" in drawn


def test_all_models_are_drawn(shop: Path, factory: Command) -> None:
    drawn = factory("lineage", "--manifest", shop / "shop", "--format", "dot").out
    assert drawn.startswith("digraph lineage {")
    assert drawn.count("{") == drawn.count("}")
    assert re.search(r'n\d+ \[label="months"\];', drawn)
    assert len(re.findall(r"n\d+ -> n\d+", drawn)) == 2


def test_names_from_others_cannot_break_a_picture(tmp_path: Path, factory: Command) -> None:
    models = {'a"]; x --> y["': "select 1 as id"}
    manifest = write_json(tmp_path / "manifest.json", a_manifest('p"}', models))
    for format_ in ("mermaid", "dot"):
        out = factory("lineage", "--manifest", manifest, "--format", format_).out
        assert 'a"];' not in out


def test_the_summary_says_what_is_unknown_and_why(shop: Path, factory: Command) -> None:
    out = factory("lineage", "--manifest", shop / "shop").out
    assert out.splitlines()[0].startswith("3 models of 1 dbt package, 7 columns: 6 traced, 1 unknown.")
    assert "model.shop.broken: SQL that sqlglot cannot read" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["orders.amont"], "has no column 'amont'\n → did you mean 'amount'?"),
        (["shop.ordrs"], "no model or source is called 'shop.ordrs'\n → did you mean 'shop.orders'?"),
        (
            ["--catalog", "shop/catalog.json", "--catalog", "shop/catalog.json"],
            "more catalogs (2) than manifests (1)",
        ),
        (["--dialect", "klingon"], "'klingon' is none of"),
        (["--depth", "0"], "0 is not in the range"),
    ],
)
def test_a_question_that_names_nothing_is_told_with_a_way_out(
    shop: Path, factory: Command, arguments: list[str], words: str
) -> None:
    done = factory("lineage", "--manifest", "shop", *arguments)
    assert done.code == 2
    assert " ".join(words.split()) in " ".join(done.err.split())


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"nodes": 3}', '{"metadata": {}, "nodes": {}}', "null"]
)
def test_what_is_no_manifest_is_told(tmp_path: Path, factory: Command, content: str) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(content, "utf-8")
    done = factory("lineage", "--manifest", file)
    assert done.code == 2
    assert "manifest.json" in done.err
    assert "hint" in done.err or "dbt docs generate" in done.err or "target/manifest.json" in done.err


def test_the_dialect_can_be_named(tmp_path: Path, factory: Command) -> None:
    manifest = a_manifest(
        "shop", {"it": "select [id] as [a b] from raw.orders"}, {"orders": ["id"]}, adapter="unheard"
    )
    file = write_json(tmp_path / "manifest.json", manifest)
    (unknown,) = factory("lineage", "--manifest", file, "--format", "json").json["models"][0]["unknown"]
    assert "no dialect for unheard" in unknown["reason"]
    assert "--dialect" in unknown["reason"]
    found = factory("lineage", "--manifest", file, "--dialect", "tsql", "--format", "json").json
    assert found["models"][0]["columns"] == ["a b"]


def test_nothing_is_kept_where_nothing_should_be(shop: Path, factory: Command) -> None:
    factory("lineage", "--manifest", shop / "shop", "--no-cache")
    assert not list((shop / "home").rglob("lineage/*.cache"))
    factory("lineage", "--manifest", shop / "shop")
    assert len(list((shop / "home").rglob("lineage/*.cache"))) == 1
