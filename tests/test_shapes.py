"""Shapes of products beyond the plain one, through the whole line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import Command
from mesh import make_mesh, replace, without_notice, write

CONTRACT = "products/shop/contracts/shop.odcs.yaml"


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: Command) -> Path:
    root = make_mesh(tmp_path / "mesh")
    shutil.rmtree(root / "products/board")
    monkeypatch.chdir(root)
    return root


def outcomes(factory: Command, *arguments: str) -> dict[str, str]:
    result = factory("build", "--format", "json", *arguments)
    return {product["name"]: product["outcome"] for product in result.json["products"]}


def test_two_majors_of_a_contract_are_published_side_by_side(mesh: Path, factory: Command) -> None:
    text = (mesh / "products/shop/models/orders.sql").read_text("utf-8")
    (mesh / "products/shop/models/orders.sql").unlink()
    write(mesh / "products/shop/models/orders_v1.sql", text)
    write(
        mesh / "products/shop/models/orders_v2.sql",
        text.replace("amount\n", "amount,\n    'USD' as currency\n"),
    )
    write(
        mesh / "products/shop/models/_orders.yml",
        """\
        models:
          - name: orders
            description: Orders.
            latest_version: 2
            config: {materialized: table, access: public, contract: {enforced: true}}
            columns: &columns
              - {name: order_id, data_type: integer, description: Number., constraints: [{type: not_null}, {type: primary_key}], data_tests: [unique]}
              - {name: customer_id, data_type: integer, description: Customer.}
              - {name: amount, data_type: double, description: Amount.}
            versions:
              - v: 1
              - v: 2
                columns:
                  - include: all
                  - {name: currency, data_type: varchar, description: Currency.}
        """,
    )
    replace(mesh / "products/shop/checks/shop.yml", "checks for orders:", "checks for orders_v1:")
    replace(mesh / "products/sales/models/sales.sql", "ref('shop', 'orders')", "ref('shop', 'orders', v=1)")
    one = (mesh / CONTRACT).read_text("utf-8").replace("- name: orders", "- name: orders_v1")
    write(mesh / CONTRACT, one)
    write(
        mesh / "products/shop/contracts/shop_v2.odcs.yaml",
        one.replace("orders_v1", "orders_v2").replace("1.0.0", "2.0.0"),
    )
    assert outcomes(factory) == {"shop": "certified", "sales": "certified"}
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as connection:
        assert len(connection.sql("from shop.orders_v1").columns) == 3
        assert connection.sql("from shop.orders_v2").columns[-1] == "currency"
    (entry,) = [p for p in factory("list", "--format", "json").json["products"] if p["name"] == "shop"]
    assert [c["version"] for c in entry["contracts"]] == ["1.0.0", "2.0.0"]
    for contract in entry["contracts"]:
        assert all((mesh / port["path"]).is_file() for port in contract["ports"])
    assert "ref('shop', 'orders', v=1)" in factory("show", "shop").out
    write(
        mesh / "products/sales/models/sales.sql",
        (mesh / "products/sales/models/sales.sql").read_text("utf-8") + "-- again\n",
    )
    assert outcomes(factory, "sales") == {"sales": "certified"}


def test_a_reader_runs_again_when_what_it_reads_has_a_new_major(mesh: Path, factory: Command) -> None:
    without_notice(mesh)
    assert set(outcomes(factory).values()) == {"certified"}
    replace(mesh / CONTRACT, "version: 1.0.0", "version: 2.0.0")
    write(mesh / "products/shop/data/orders.csv", "order_id,customer_id,amount\n1,1,99\n")
    assert outcomes(factory, "shop") == {"shop": "certified"}
    assert outcomes(factory) == {"shop": "unchanged", "sales": "certified"}
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as connection:
        assert connection.sql("from sales.sales").fetchall() == [(1, 99.0)]


def test_an_incremental_model_is_certified_run_after_run(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/shop/models/_orders.yml",
        "materialized: table",
        "materialized: incremental, on_schema_change: append_new_columns",
    )
    replace(
        mesh / "products/shop/models/orders.sql",
        "from source\n",
        "from source\n{% if is_incremental() %}\nwhere order_id > (select max(order_id) from {{ this }})\n{% endif %}\n",
    )
    assert outcomes(factory, "shop") == {"shop": "certified"}
    replace(mesh / "products/shop/data/orders.csv", "3,2,7.0", "3,2,7.0\n4,2,1.0")
    assert outcomes(factory, "shop") == {"shop": "certified"}
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as connection:
        assert connection.sql("select count(*) from shop.orders").fetchone() == (4,)


def test_an_ephemeral_model_is_traced_through(mesh: Path, factory: Command) -> None:
    write(
        mesh / "products/shop/models/stg.sql",
        "{{ config(materialized='ephemeral') }}\nselect * from {{ source('raw', 'orders') }}\n",
    )
    replace(mesh / "products/shop/models/orders.sql", "{{ source('raw', 'orders') }}", "{{ ref('stg') }}")
    result = factory("build", "shop", "--format", "json")
    assert result.code == 0, result.out
    file = mesh / "registry/products/trade/shop/shop/1.0.0/contract.odcs.yaml"
    amount = yaml.safe_load(file.read_text("utf-8"))["schema"][0]["properties"][2]
    assert amount["transformSourceObjects"] == ["shop.raw.orders.amount"]


def test_a_view_cannot_promise_by_a_constraint_alone(mesh: Path, factory: Command) -> None:
    replace(mesh / "products/shop/models/_orders.yml", "materialized: table", "materialized: view")
    result = factory("build", "shop", "--format", "json")
    assert result.code == 1
    (reason,) = result.json["products"][0]["reasons"]
    assert "orders.order_id is promised by a constraint, which is not enforced on a view" in reason
    replace(
        mesh / "products/shop/models/_orders.yml", "data_tests: [unique]", "data_tests: [unique, not_null]"
    )
    assert outcomes(factory, "shop") == {"shop": "certified"}
    assert duckdb.sql(f"from '{mesh}/ports/trade/shop/shop/v1/current/orders.parquet'").fetchone() == (
        1,
        1,
        10.5,
    )


@pytest.mark.parametrize(
    "gone",
    [
        "registry/registry.json",
        "ports.duckdb",
        "ports/trade/shop/shop/v1/current",
        "registry/products/trade/shop/product/1.0.0.odps.yaml",
    ],
)
def test_what_can_be_made_anew_is_made_anew(mesh: Path, factory: Command, gone: str) -> None:
    outcomes(factory)
    (mesh / gone).unlink()
    assert factory("build").code == 0
    assert (mesh / gone).exists()
    assert len(factory("list", "--format", "json").json["products"]) == 2


def test_a_workspace_that_moved_reads_its_own_tables(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes(factory)
    moved = mesh.parent / "an other place, ünïcode"
    mesh.rename(moved)
    monkeypatch.chdir(moved)
    assert set(outcomes(factory).values()) == {"unchanged"}
    with duckdb.connect(str(moved / "ports.duckdb"), read_only=True) as connection:
        assert connection.sql("select count(*) from shop.orders").fetchone() == (3,)


def test_a_published_contract_that_somebody_edited_is_noticed(mesh: Path, factory: Command) -> None:
    outcomes(factory)
    file = mesh / "registry/products/trade/shop/shop/1.0.0/contract.odcs.yaml"
    replace(file, "What shop is for.", "Something else.")
    for command in (["build"], ["show", "shop"]):
        result = factory(*command)
        assert result.code == 2
        assert "a published contract is not what was published" in result.err


def test_a_branch_is_judged_against_what_prod_has_published(mesh: Path, factory: Command) -> None:
    without_notice(mesh)
    outcomes(factory)
    replace(mesh / "products/sales/models/_sales.yml", "name: total", "name: sum_total")
    replace(mesh / "products/sales/models/sales.sql", "as total", "as sum_total")
    result = factory("build", "--target", "ci", "--format", "json")
    assert result.code == 1
    reasons = {p["name"]: p["reasons"] for p in result.json["products"]}
    assert reasons["shop"] == []
    assert "sales.total: renamed to sum_total (major)" in reasons["sales"][0]
    replace(mesh / "products/sales/contracts/sales.odcs.yaml", "1.0.0", "2.0.0")
    assert factory("build", "--target", "ci").code == 0


def test_quoted_column_names_keep_their_rules(mesh: Path, factory: Command) -> None:
    write(
        mesh / "products/sales/models/sales.sql",
        "select customer_id as \"Customer ID\", cast(sum(amount) as double) as total from {{ ref('shop', 'orders') }} group by all",
    )
    write(
        mesh / "products/sales/models/_sales.yml",
        """\
        models:
          - name: sales
            description: Sales.
            config: {materialized: table, access: public, contract: {enforced: true}}
            columns:
              - {name: Customer ID, quote: true, data_type: integer, description: Number., data_tests: [not_null, unique]}
              - {name: total, data_type: double, description: Sum.}
        """,
    )
    result = factory("build", "--format", "json")
    assert result.code == 0, result.out
    file = mesh / "registry/products/trade/sales/sales/1.0.0/contract.odcs.yaml"
    column = yaml.safe_load(file.read_text("utf-8"))["schema"][0]["properties"][0]
    assert (column["name"], column["required"], column["unique"]) == ("Customer ID", True, True)
    assert len(column["quality"]) == 2
    record = json.loads((file.parent / "record.json").read_bytes())
    assert record["version"] == "1.0.0"


def test_times_without_a_zone_mean_the_same_everywhere(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(
        mesh / "products/shop/models/orders.sql",
        "from source",
        ", timestamp '2024-01-01' :: timestamptz as seen_at from source",
    )
    replace(
        mesh / "products/shop/models/_orders.yml",
        "columns:\n",
        "columns:\n      - {name: seen_at, data_type: timestamptz, description: When.}\n",
    )
    snapshots = set()
    for zone in ("America/New_York", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        assert outcomes(factory, "shop", "--full") == {"shop": "certified"}
        snapshots.add((mesh / "ports/trade/shop/shop/v1/current").readlink())
    assert len(snapshots) == 1
