"""What dbt needs: packages, links and profiles that follow from the folders."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from builders import a_product
from mesh import make_workspace

from factory.errors import WorkspaceError
from factory.umbrella import sync, write_run_profile
from factory.workspace import Settings, Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(make_workspace(tmp_path / "mesh"))


def products(ws: Workspace, *names: str) -> list[object]:
    found = []
    for name in names:
        folder = ws.products / name
        folder.mkdir(exist_ok=True)
        found.append(a_product(name=name, folder=folder))
    return found


def test_a_folder_is_all_it_takes(ws: Workspace) -> None:
    assert sync(ws, products(ws, "orders", "sales")) == ("packages.yml", "profiles.yml", "dbt_packages/")
    packages = yaml.safe_load((ws.root / "packages.yml").read_text("utf-8"))
    assert packages == {"packages": [{"local": "products/orders"}, {"local": "products/sales"}]}
    assert (ws.root / "dbt_packages/orders").resolve() == ws.products / "orders"
    assert sync(ws, products(ws, "orders", "sales")) == ()


def test_a_folder_that_is_gone_is_unlinked_and_what_dbt_deps_copied_is_replaced(ws: Workspace) -> None:
    sync(ws, products(ws, "orders", "sales"))
    (ws.root / "dbt_packages/orders").unlink()
    (ws.root / "dbt_packages/orders").mkdir()
    assert "dbt_packages/" in sync(ws, products(ws, "orders"))
    assert [p.name for p in (ws.root / "dbt_packages").iterdir()] == ["orders"]
    assert (ws.root / "dbt_packages/orders").is_symlink()


def test_each_product_has_a_file_of_its_own_and_paths_are_relative(ws: Workspace) -> None:
    sync(ws, products(ws, "orders"))
    outputs = yaml.safe_load((ws.root / "profiles.yml").read_text("utf-8"))["factory"]["outputs"]
    assert outputs.keys() == {"prod", "dev", "ci", "alone"}
    (attached,) = outputs["dev"]["attach"]
    assert (attached["path"], attached["alias"]) == ("target/dev/duckdb/orders.duckdb", "orders")
    assert str(ws.root) not in (ws.root / "profiles.yml").read_text("utf-8")


def test_a_product_that_is_not_built_is_attached_read_only_from_its_stand_in(ws: Workspace) -> None:
    folder = write_run_profile(ws, ["orders", "sales"], {"orders": ws.work / "published/orders.duckdb"})
    profile = yaml.safe_load((folder / "profiles.yml").read_text("utf-8"))["factory"]
    orders, sales = profile["outputs"]["prod"]["attach"]
    assert orders == {"path": "target/prod/published/orders.duckdb", "alias": "orders", "read_only": True}
    assert "read_only" not in sales


def test_another_engine_comes_from_the_settings(tmp_path: Path) -> None:
    output = {"type": "postgres", "host": "{{ env_var('PGHOST') }}"}
    ws = Workspace(make_workspace(tmp_path / "mesh"), "warehouse", Settings(targets={"warehouse": output}))
    sync(ws, products(ws, "orders"))
    outputs = yaml.safe_load((ws.root / "profiles.yml").read_text("utf-8"))["factory"]["outputs"]
    assert outputs["warehouse"] == output


def test_a_workspace_without_umbrella_is_refused(ws: Workspace) -> None:
    (ws.root / "dbt_project.yml").unlink()
    with pytest.raises(WorkspaceError) as refusal:
        sync(ws, [])
    assert "factory init" in refusal.value.hint
