"""Lineage of whole projects from their manifests: what is known of columns, ephemeral models, several projects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from manifests import a_catalog, a_manifest, write_json

from factory.artifacts import read_manifest
from factory.lineage import Lineage, ModelTrace, stitch, trace_graph
from factory.lineage.trace import named_columns

RAW = '"db"."raw"."orders"'
#: How most projects begin a model: everything of a source in one CTE, chosen and renamed in the next.
IMPORTED = f"with source as (select * from {RAW}), renamed as (select id as order_id, upper(state) as state from source)"


def lineage_of(
    tmp_path: Path, *manifests: Mapping[str, Any], catalog: Mapping[str, Any] | None = None
) -> Lineage:
    catalog_file = write_json(tmp_path / "catalog.json", catalog) if catalog else None
    projects = []
    for number, manifest in enumerate(manifests):
        file = write_json(tmp_path / str(number) / "manifest.json", manifest)
        projects.append(read_manifest(file, catalog_file))
    return trace_graph(stitch(projects))


def told(trace: ModelTrace) -> dict[str, str]:
    """Return what is said of each column: its sources with their kinds, or why they are not known."""
    found = {}
    for column in trace.columns:
        sources = ", ".join(
            f"{s.relation.partition('.')[2]}.{s.column}{'' if s.kind == 'IDENTITY' else ' ' + s.kind}"
            for s in column.sources
        )
        found[column.column] = f"? {column.unknown}" if column.unknown else sources or column.made
    return found


def model(tmp_path: Path, sql: str, sources: Mapping[str, Any], **more: Any) -> dict[str, str]:
    """Return what is said of one model over these sources."""
    manifest = a_manifest("shop", {"it": sql}, sources, **more)
    return told(lineage_of(tmp_path, manifest).models["model.shop.it"])


@pytest.mark.parametrize("declared", [[], ["id"], ["something_else"], ["id", "state", "amount"]])
def test_a_source_whose_columns_are_not_all_known_is_read_through_its_import(
    tmp_path: Path, declared: list[str]
) -> None:
    assert model(tmp_path, f"{IMPORTED} select * from renamed", {"orders": declared}) == {
        "order_id": "shop.raw.orders.id",
        "state": "shop.raw.orders.state TRANSFORMATION",
    }


def test_a_star_over_columns_that_nobody_knows_is_said_to_be_unknown(tmp_path: Path) -> None:
    reason = "? a star over a table whose columns are not known"
    assert model(tmp_path, f"select * from {RAW}", {"orders": []}) == {"*": reason}
    sql = f"select o.*, 1 as one, o.id as key from {RAW} as o"
    assert model(tmp_path, sql, {"orders": []}) == {
        "*": reason,
        "one": "constant",
        "key": "shop.raw.orders.id",
    }


def test_a_star_over_declared_columns_gives_those(tmp_path: Path) -> None:
    assert model(tmp_path, f"select * from {RAW}", {"orders": ["id", "State"]}) == {
        "id": "shop.raw.orders.id",
        "State": "shop.raw.orders.State",
    }


def test_what_a_catalog_knows_goes_before_what_yaml_declares(tmp_path: Path) -> None:
    manifest = a_manifest("shop", {"it": f"select * from {RAW}"}, {"orders": ["id", "gone"]})
    catalog = a_catalog({"model.shop.it": {"id": "INTEGER"}})
    catalog["sources"] = a_catalog({"source.shop.raw.orders": {"ID": "INTEGER", "NEW": "TEXT"}})["nodes"]
    found = lineage_of(tmp_path, manifest, catalog=catalog).models["model.shop.it"]
    assert told(found) == {"id": "shop.raw.orders.ID", "NEW": "shop.raw.orders.NEW"}


def test_columns_that_only_readers_name_come_through_a_star(tmp_path: Path) -> None:
    models = {
        "base": f"select * from {RAW}",
        "middle": 'select * from "db"."shop"."base"',
        "last": 'select upper(state) as state, id from "db"."shop"."middle" where total > 1',
    }
    found = lineage_of(tmp_path, a_manifest("shop", models, {"orders": []})).models
    assert told(found["model.shop.last"]) == {
        "state": "shop.middle.state TRANSFORMATION",
        "id": "shop.middle.id",
    }
    through = {"id": "shop.base.id", "state": "shop.base.state", "total": "shop.base.total"}
    assert told(found["model.shop.middle"]).items() >= through.items()
    assert told(found["model.shop.base"])["total"] == "shop.raw.orders.total"


@pytest.mark.parametrize(
    ("adapter", "sql", "column", "expected"),
    [
        (
            "duckdb",
            f"select amount * 2 as twice, twice + 1 as more from {RAW}",
            "more",
            "amount TRANSFORMATION",
        ),
        (
            "snowflake",
            f"select amount * 2 as twice, twice + 1 as more from {RAW}",
            "MORE",
            "AMOUNT TRANSFORMATION",
        ),
        # In Postgres a projection cannot name another one: it is a column of the table.
        (
            "postgres",
            f"select amount * 2 as twice, twice + 1 as more from {RAW}",
            "more",
            "twice TRANSFORMATION",
        ),
        # What the alias is made of is surely a column of the table, and goes before the alias.
        ("duckdb", f"select upper(a || b) as a, length(a) as n from {RAW}", "n", "a TRANSFORMATION"),
    ],
)
def test_an_alias_is_told_from_a_column_that_is_not_known(
    tmp_path: Path, adapter: str, sql: str, column: str, expected: str
) -> None:
    found = model(tmp_path, sql, {"orders": []}, adapter=adapter)
    assert {name.lower(): text.lower() for name, text in found.items()}[column.lower()] == (
        f"shop.raw.orders.{expected}".lower()
    )


def test_a_group_by_an_alias_needs_no_known_columns(tmp_path: Path) -> None:
    sql = f"select date_trunc('month', placed) as month, count(*) as n from {RAW} where state = 'x' group by month"
    manifest = a_manifest("shop", {"it": sql}, {"orders": []}, adapter="postgres")
    found = lineage_of(tmp_path, manifest).models["model.shop.it"]
    assert told(found) == {"month": "shop.raw.orders.placed TRANSFORMATION", "n": "generator"}
    assert [(i.column, i.kind, i.expression) for i in found.influences] == [
        ("placed", "GROUP_BY", "month"),
        ("state", "FILTER", "state = 'x'"),
    ]


def test_a_column_that_may_be_of_either_table_is_not_guessed(tmp_path: Path) -> None:
    sql = f'select state, o.id, c.name from {RAW} as o join "db"."raw"."customers" as c on o.customer = c.id'
    found = model(tmp_path, sql, {"orders": [], "customers": []})
    assert found["state"] == "? the column state cannot be given to one table"
    assert found["id"] == "shop.raw.orders.id"
    assert found["name"] == "shop.raw.customers.name"
    known = model(tmp_path, sql, {"orders": [], "customers": ["id", "state", "name"]})
    assert known["state"] == "shop.raw.customers.state"


def test_shared_columns_need_not_be_known(tmp_path: Path) -> None:
    sql = f'select id, name, total from {RAW} as o join "db"."raw"."customers" as c using (id)'
    manifest = a_manifest("shop", {"it": sql}, {"orders": ["total"], "customers": ["name"]})
    found = lineage_of(tmp_path, manifest).models["model.shop.it"]
    assert told(found) == {
        "id": "shop.raw.customers.id, shop.raw.orders.id",
        "name": "shop.raw.customers.name",
        "total": "shop.raw.orders.total",
    }
    assert {(i.relation, i.column, i.kind) for i in found.influences} == {
        ("source.shop.raw.customers", "id", "JOIN"),
        ("source.shop.raw.orders", "id", "JOIN"),
    }


def test_an_ephemeral_model_is_a_node_of_its_own(tmp_path: Path) -> None:
    inner = f"select id, amount / 100 as amount from {RAW} where amount > 0"
    models = {
        "inner": {"compiled_code": inner, "config": {"materialized": "ephemeral"}, "relation_name": None},
        "outer": f"with __dbt__cte__inner as (\n{inner}\n), x as (select * from __dbt__cte__inner) select * from x",
    }
    found = lineage_of(tmp_path, a_manifest("shop", models, {"orders": ["id", "amount"]})).models
    assert told(found["model.shop.outer"]) == {"id": "shop.inner.id", "amount": "shop.inner.amount"}
    assert found["model.shop.outer"].influences == ()
    assert told(found["model.shop.inner"])["amount"] == "shop.raw.orders.amount TRANSFORMATION"
    assert [i.kind for i in found["model.shop.inner"].influences] == ["FILTER"]


def test_an_ephemeral_model_without_sql_is_looked_through(tmp_path: Path) -> None:
    models = {
        "inner": {"config": {"materialized": "ephemeral"}, "relation_name": None},
        "outer": f"with __dbt__cte__inner as (select id from {RAW}) select * from __dbt__cte__inner ",
    }
    manifest = a_manifest("shop", models, {"orders": ["id"]})
    manifest["nodes"]["model.shop.inner"]["depends_on"] = {"nodes": ["source.shop.raw.orders"]}
    found = lineage_of(tmp_path, manifest).models
    assert told(found["model.shop.outer"]) == {"id": "shop.raw.orders.id"}
    assert found["model.shop.inner"].unknown == "no compiled SQL in the manifest"


def test_sql_that_the_manifest_lacks_is_found_beside_it(tmp_path: Path) -> None:
    manifest = a_manifest("shop", {"it": {}, "plain": {"raw_code": "select 1 as one"}}, {"orders": ["id"]})
    manifest["nodes"]["model.shop.it"]["depends_on"] = {"nodes": ["source.shop.raw.orders"]}
    file = tmp_path / "0/compiled/shop/models/it.sql"
    file.parent.mkdir(parents=True)
    file.write_text(f"select id from {RAW}", "utf-8")
    found = lineage_of(tmp_path, manifest).models
    assert told(found["model.shop.it"]) == {"id": "shop.raw.orders.id"}
    assert told(found["model.shop.plain"]) == {"one": "constant"}


def test_manifests_of_old_versions_of_dbt_are_read(tmp_path: Path) -> None:
    manifest = a_manifest("shop", {"it": {"compiled_sql": f"select id from {RAW}"}}, {"orders": []})
    del manifest["sources"]["source.shop.raw.orders"]["relation_name"]
    assert told(lineage_of(tmp_path, manifest).models["model.shop.it"]) == {"id": "shop.raw.orders.id"}


def test_a_table_that_is_named_past_dbt_is_found_by_its_name(tmp_path: Path) -> None:
    models = {"first": "select 1 as id", "it": "select f.id, g.x from db.shop.first as f, gone.away as g"}
    manifest = a_manifest("shop", models)
    found = lineage_of(tmp_path, manifest).models["model.shop.it"]
    assert told(found) == {"id": "shop.first.id", "x": "? gone.away is not a ref() or source() of the model"}
    assert found.hidden == ("db.shop.first", "gone.away")


# Several projects


def test_one_project_s_model_is_another_one_s_source(tmp_path: Path) -> None:
    shop = a_manifest("shop", {"orders": "select 1 as id, 2 as amount"})
    source = {"relation_name": '"DB"."SHOP"."ORDERS"', "schema": "SHOP"}
    sales = a_manifest("sales", {"total": 'select * from "DB"."SHOP"."ORDERS"'}, {"orders": source})
    found = lineage_of(tmp_path, shop, sales).models
    assert told(found["model.sales.total"]) == {"id": "shop.orders.id", "amount": "shop.orders.amount"}
    assert set(found) == {"model.shop.orders", "model.sales.total"}


def test_projects_may_read_each_other(tmp_path: Path) -> None:
    there = {"relation_name": '"db"."b"."b1"', "schema": "b"}
    back = {"relation_name": '"db"."a"."a1"', "schema": "a"}
    a = a_manifest("a", {"a1": "select 1 as x", "a2": 'select x + 1 as y from "db"."b"."b1"'}, {"b1": there})
    b = a_manifest("b", {"b1": 'select x from "db"."a"."a1"'}, {"a1": back})
    for order in ((a, b), (b, a)):
        found = lineage_of(tmp_path, *order).models
        assert told(found["model.b.b1"]) == {"x": "a.a1.x"}
        assert told(found["model.a.a2"]) == {"y": "b.b1.x TRANSFORMATION"}


def test_models_in_a_ring_are_traced_as_far_as_their_columns_are_known(tmp_path: Path) -> None:
    to_b = {"relation_name": '"db"."b"."one"', "schema": "b"}
    to_a = {"relation_name": '"db"."a"."one"', "schema": "a"}
    a = a_manifest("a", {"one": 'select x as y from "db"."b"."one"'}, {"one": to_b})
    b = a_manifest("b", {"one": 'select y as x from "db"."a"."one"'}, {"one": to_a})
    found = lineage_of(tmp_path, a, b).models
    assert told(found["model.a.one"]) == {"y": "b.one.x"}
    assert told(found["model.b.one"]) == {"x": "a.one.y"}


def test_a_package_that_two_projects_install_is_two_relations(tmp_path: Path) -> None:
    one = a_manifest("package", {"log": "select 1 as id"}, schema="first")
    two = a_manifest(
        "package", {"log": "select 2 as id", "more": 'select id from "db"."second"."log"'}, schema="second"
    )
    two["metadata"]["project_name"] = "two"
    found = lineage_of(tmp_path, one, two).models
    assert set(found) == {"model.package.log", "model.package.log@two", "model.package.more"}
    assert told(found["model.package.more"]) == {"id": "package.log@two.id"}


def test_a_model_that_another_project_knows_from_afar_is_the_same(tmp_path: Path) -> None:
    shop = a_manifest("shop", {"orders": "select 1 as id"})
    sales = a_manifest("sales", {"total": 'select id from "db"."shop"."orders"'})
    sales["nodes"]["model.shop.orders"] = {**shop["nodes"]["model.shop.orders"], "compiled_code": None}
    sales["nodes"]["model.sales.total"]["depends_on"] = {"nodes": ["model.shop.orders"]}
    for order in ((shop, sales), (sales, shop)):
        found = lineage_of(tmp_path, *order).models
        assert told(found["model.shop.orders"]) == {"id": "constant"}
        assert told(found["model.sales.total"]) == {"id": "shop.orders.id"}


# Anonymisers

MACROS = {
    "macro.standards.hashed": {"name": "hashed", "config": {"meta": {"anonymiser": True}}},
    "macro.shop.shouted": {"name": "shouted", "config": {"meta": {}}},
}


@pytest.mark.parametrize(
    ("expression", "masked"),
    [
        ("(md5(state) /* anonymiser: hashed */)", True),
        ("upper((md5(state) /* anonymiser: hashed */))", True),
        ("(case when id > 1 then state end /* anonymiser: hashed */)", True),
        ("(upper(state) /* anonymiser: shouted */)", False),
        ("(md5(state) /* anonymiser: hashed */) || state", False),
        ("state", False),
    ],
)
def test_what_goes_through_a_declared_anonymiser_is_masked(
    tmp_path: Path, expression: str, masked: bool
) -> None:
    sql = f"with a as (select id, {expression} as s from {RAW}) select s as state from a"
    manifest = a_manifest("shop", {"it": sql}, {"orders": ["id", "state"]}, macros=MACROS)
    (column,) = lineage_of(tmp_path, manifest).models["model.shop.it"].columns
    assert {s.masking for s in column.direct if s.column == "state"} == {masked}


def test_a_condition_on_a_masked_value_is_masked_too(tmp_path: Path) -> None:
    sql = f"with a as (select id, (md5(state) /* anonymiser: hashed */) as s from {RAW}) select id from a where s > 'a'"
    manifest = a_manifest("shop", {"it": sql}, {"orders": ["id", "state"]}, macros=MACROS)
    assert [i.masking for i in lineage_of(tmp_path, manifest).models["model.shop.it"].influences] == [True]


# What a model names


def test_what_is_only_taken_by_a_star_is_not_named(tmp_path: Path) -> None:
    models = {
        "star": f"with a as (select * from {RAW}) select * from a where id > 0",
        "named": f"with a as (select *, upper(state) as unused from {RAW}) select * exclude (unused) from a",
        "python": {"language": "python", "compiled_code": "def model(dbt, session): ..."},
    }
    file = write_json(tmp_path / "manifest.json", a_manifest("shop", models, {"orders": ["id", "state"]}))
    graph = stitch([read_manifest(file)])
    lineage = trace_graph(graph)
    orders = "source.shop.raw.orders"
    named = named_columns(graph, lineage)
    assert named("model.shop.star") == {(orders, "id")}
    assert named("model.shop.named") == {(orders, "state")}
    assert named("model.shop.python") is None
    assert named("model.shop.nobody") is None
