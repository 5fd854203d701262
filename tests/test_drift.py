"""Source drift: sources and seeds that are not as they are declared, found before anything is built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Command
from mesh import add_product, build_mesh, make_mesh, replace, write

from factory.declared import Declared
from factory.drift import Drift, find_drifts
from factory.products import discover
from factory.workspace import Settings, Workspace

DATA = "products/shop/data/orders.csv"
SOURCES = "products/shop/models/_sources.yml"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_mesh(tmp_path_factory.mktemp("published") / "mesh")
    build_mesh(root)
    add_product(root, "rates", sql="select cast(1 as double) as rate", columns="rate:double")
    return root


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def built(factory: Command, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = factory("build", "--format", "json", *arguments)
    return result.code, {product["name"]: product for product in result.json["products"]}


def drifts(
    root: Path, *, target: str = "prod", settings: Settings | None = None, **changes: Any
) -> tuple[Drift, ...]:
    """Return the drifts of a source of shop that declares `changes`; by default the orders of the mesh."""
    values: dict[str, Any] = {
        "product": "shop",
        "kind": "source",
        "keys": ("raw", "orders"),
        "file": "models/_sources.yml",
        "columns": (("order_id", "bigint"), ("customer_id", "bigint"), ("amount", "double")),
        "relation": f"'{DATA}'",
    }
    ws = Workspace(root, target, settings or Settings())
    (shop,) = [product for product in discover(ws) if product.name == "shop"]
    return find_drifts(ws, [shop], {"shop": (Declared(**{**values, **changes}),)}).get("shop", ())


def of_types(root: Path, csv: str, **types: str) -> list[tuple[bool, str]]:
    write(root / DATA, csv)
    return [(drift.blocks, drift.message) for drift in drifts(root, columns=tuple(types.items()))]


# Through the whole line


def test_a_renamed_column_refuses_the_product_before_it_is_built_and_others_go_on(
    mesh: Path, factory: Command
) -> None:
    replace(mesh / DATA, "customer_id", "customer-id")
    working = (mesh / "target/prod/duckdb/shop.duckdb").read_bytes()
    port = (mesh / "ports/trade/shop/shop/v1/current").readlink()
    code, products = built(factory)
    assert code == 1
    assert {name: p["outcome"] for name, p in products.items()} == {
        "rates": "certified", "shop": "refused", "sales": "blocked", "board": "blocked",
    }  # fmt: skip
    assert products["shop"]["reasons"] == [
        (
            f"{SOURCES}:10: raw.orders: the column `customer_id` is declared, and is not there "
            "(`customer-id` is there: was `customer_id` renamed?)"
        )
    ]
    assert products["sales"]["reasons"] == ["it reads shop, which is not certified in this run"]
    assert (mesh / "target/prod/duckdb/shop.duckdb").read_bytes() == working
    assert (mesh / "ports/trade/shop/shop/v1/current").readlink() == port
    events = [json.loads(f.read_bytes()) for f in sorted((mesh / "registry/events").rglob("*.json"))]
    assert "refused" in {event["type"].rpartition(".")[2] for event in events}


def test_a_refused_product_runs_again_and_is_certified_when_the_source_is_mended(
    mesh: Path, factory: Command
) -> None:
    assert {p["outcome"] for p in built(factory)[1].values()} == {"unchanged", "certified"}
    good = (mesh / DATA).read_text("utf-8")
    replace(mesh / DATA, "amount", "amounts")
    assert built(factory, "shop")[1]["shop"]["outcome"] == "refused"
    assert built(factory, "shop")[1]["shop"]["outcome"] == "refused"
    write(mesh / DATA, good)
    code, products = built(factory)
    assert (code, products["shop"]["outcome"]) == (0, "certified")


def test_a_missing_file_is_told_with_its_path(mesh: Path, factory: Command) -> None:
    (mesh / DATA).unlink()
    code, products = built(factory, "shop")
    assert code == 1
    assert products["shop"]["reasons"][0].startswith(f"{SOURCES}:7: raw.orders: there is no file {DATA}")


def test_new_columns_are_advice(mesh: Path, factory: Command) -> None:
    write(mesh / DATA, "order_id,customer_id,amount,currency\n1,1,10.5,USD\n")
    code, products = built(factory, "shop")
    assert (code, products["shop"]["outcome"]) == (0, "certified")
    assert (
        f"{SOURCES}:7: raw.orders has columns that are not declared: `currency`"
        in products["shop"]["advice"][0]
    )


def test_a_seed_is_held_to_its_header(mesh: Path, factory: Command) -> None:
    write(mesh / "products/rates/seeds/currencies.csv", "code;pm-25\nUSD;1\n")
    write(
        mesh / "products/rates/seeds/_seeds.yml",
        """\
        seeds:
          - name: currencies
            description: Currencies.
            config: {delimiter: ";"}
            columns:
              - {name: code, data_type: varchar, description: Code.}
              - name: pm_25
                description: Fine dust.
        """,
    )
    code, products = built(factory)
    assert code == 1
    assert products["rates"]["reasons"] == [
        (
            "products/rates/seeds/_seeds.yml:7: currencies: the column `pm_25` is declared, and is not there "
            "(`pm-25` is there: was `pm_25` renamed?)"
        )
    ]
    assert {p["outcome"] for name, p in products.items() if name != "rates"} == {"unchanged"}


def test_a_drifted_product_is_not_rehearsed(mesh: Path, factory: Command) -> None:
    replace(mesh / DATA, "amount", "amounts")
    result = factory("check", "--consumers", "shop", "--format", "json")
    assert (result.code, result.json["outcome"]) == (1, "refused")
    assert "was `amount` renamed?" in result.json["reasons"][0]
    assert [c["outcome"] for c in result.json["consumers"]] == ["not built"]


# What is a drift


def test_what_is_as_declared_is_none(mesh: Path) -> None:
    assert drifts(mesh) == ()
    assert (
        drifts(mesh, columns=(("order_id", "int8"), ("customer_id", ""), ("amount", "double precision")))
        == ()
    )


@pytest.mark.parametrize(
    ("declared", "hint"),
    [
        ("order-id", "`order_id` is there: was `order-id` renamed?"),
        ("orderId", "`order_id` is there: was `orderId` renamed?"),
        ("order_number", "`order_id` is there: was `order_number` renamed?"),
        (
            "zzz",
            "`order_id` is there: was `zzz` renamed?",
        ),  # the only one that went, for the only one that came
    ],
)
def test_the_nearest_name_is_told(mesh: Path, declared: str, hint: str) -> None:
    (drift,) = drifts(mesh, columns=((declared, "bigint"), ("customer_id", "bigint"), ("amount", "double")))
    assert (drift.blocks, drift.hint) == (True, hint)
    assert f"the column `{declared}` is declared, and is not there" in drift.message


def test_without_a_near_name_what_is_there_is_told(mesh: Path) -> None:
    lost = [d for d in drifts(mesh, columns=(("xxx", ""), ("yyy", ""), ("amount", ""))) if d.blocks]
    assert [drift.hint for drift in lost] == ["there are `order_id`, `customer_id`, `amount`"] * 2


def test_another_case_is_advice_since_duckdb_reads_it_all_the_same(mesh: Path) -> None:
    (drift,) = drifts(mesh, columns=(("ORDER_ID", ""), ("customer_id", ""), ("Amount", "")))
    assert not drift.blocks
    assert "written otherwise there: `order_id`, `amount`" in drift.message


def test_text_that_is_taken_for_numbers_may_be_a_wider_number(mesh: Path) -> None:
    csv = "whole,part,day,flag\n1,1.5,2024-01-31,true\n"
    for types in (
        {"whole": "integer", "part": "decimal(18, 2)", "day": "date", "flag": "boolean"},
        {"whole": "double", "part": "float", "day": "timestamp", "flag": "bool"},
        {"whole": "numeric", "part": "double", "day": "timestamptz", "flag": "bool"},
    ):
        assert of_types(mesh, csv, **types) == []


def test_text_that_is_no_longer_of_its_type_blocks(mesh: Path) -> None:
    csv = "whole,part,day\nx,1.5,2024-01-31 10:00:00\n"
    assert of_types(mesh, csv, whole="integer", part="integer", day="date") == [
        (True, "raw.orders.whole is declared as integer, and is VARCHAR there"),
        (True, "raw.orders.part is declared as integer, and is DOUBLE there"),
        (True, "raw.orders.day is declared as date, and is TIMESTAMP there"),
    ]


def test_text_that_is_taken_for_a_number_is_advice(mesh: Path) -> None:
    assert of_types(mesh, "code\n123\n", code="varchar") == [
        (False, "raw.orders.code is declared as varchar, and is BIGINT there")
    ]


def test_a_column_without_values_has_no_type(mesh: Path) -> None:
    assert of_types(mesh, "a,b\n", a="integer", b="date") == []
    assert of_types(mesh, "a,b\n1,\n2,\n", a="integer", b="date") == []


def test_a_type_of_another_engine_is_not_judged(mesh: Path) -> None:
    assert of_types(mesh, "a\nx\n", a="number(38)") == []


def test_parquet_is_held_to_the_very_type(mesh: Path) -> None:
    file = "products/shop/data/orders.parquet"
    duckdb.sql(
        "select 1::integer as id, 1.5::decimal(9, 2) as price, {'a': 1, 'b': ['x']} as more"
    ).write_parquet(str(mesh / file))
    same = (("id", "int"), ("price", "numeric(9,2)"), ("more", "struct(a int, b text[])"), ("more.a", "int"))
    assert drifts(mesh, relation=f"'{file}'", columns=same) == ()
    assert drifts(mesh, relation=f"'{file}'", columns=(*same[:1], ("price", "decimal"), *same[2:])) == ()
    other = drifts(
        mesh, relation=f"'{file}'", columns=(("id", "bigint"), ("price", "decimal(18,2)"), ("more", ""))
    )
    assert [drift.message for drift in other] == [
        "raw.orders.id is declared as bigint, and is INTEGER there",
        "raw.orders.price is declared as decimal(18,2), and is DECIMAL(9,2) there",
    ]


def test_a_source_is_read_with_the_options_that_dbt_reads_it_with(mesh: Path) -> None:
    write(mesh / DATA, "order_id;amount\n1;2\n")
    columns = (("order_id", "varchar"), ("amount", "varchar"))
    relation = f"read_csv('{DATA}', delim = ';', header = true, all_varchar = true)"
    assert drifts(mesh, relation=relation, columns=columns) == ()


def test_a_file_outside_the_product_is_looked_at_too(mesh: Path, tmp_path: Path) -> None:
    write(tmp_path / "landing/2024/a.csv", "order_id,sum\n1,2\n")
    for path in (tmp_path / "landing/*/a.csv", Path("../landing/2024/a.csv")):
        (drift,) = drifts(mesh, relation=f"'{path}'", columns=(("order_id", ""), ("summe", "")))
        assert "was `summe` renamed?" in drift.hint


def test_a_table_of_the_product_s_own_database_is_looked_at(mesh: Path) -> None:
    with duckdb.connect(str(mesh / "target/prod/duckdb/shop.duckdb")) as connection:
        connection.sql("create table main.landed as select 1::integer as id, 'x' as name")
    table = {"relation": '"shop"."main"."landed"', "database": "shop"}
    (drift,) = drifts(mesh, **table, columns=(("id", "integer"), ("nome", "varchar")))
    assert drift.hint == "`name` is there: was `nome` renamed?"
    assert drifts(mesh, **{**table, "relation": '"shop"."main"."later"'}) == ()


@pytest.mark.parametrize(
    "relation",
    [
        "'s3://bucket/orders.parquet'",
        "read_csv('https://example.org/orders.csv')",
        '"memory"."main"."orders"',
        "",
        "nonsense(",
        f"'{DATA}'; create table t as select 1",
    ],
)
def test_what_cannot_be_told_is_not_judged(mesh: Path, relation: str) -> None:
    assert drifts(mesh, relation=relation) == ()


def test_another_engine_is_not_judged(mesh: Path) -> None:
    settings = Settings(targets={"warehouse": {"type": "postgres"}})
    assert drifts(mesh, target="warehouse", settings=settings, columns=(("gone", ""),)) == ()


def test_nothing_is_written_by_looking(mesh: Path, tmp_path: Path) -> None:
    before = sorted(mesh.rglob("*"))
    assert drifts(mesh, relation=f"(copy (select 1) to '{tmp_path}/out.csv')") == ()
    assert drifts(mesh, relation=f"'{DATA}'", columns=(("amount", "integer) from (select 1"),)) != ()
    assert sorted(mesh.rglob("*")) == before
    assert not (tmp_path / "out.csv").exists()
