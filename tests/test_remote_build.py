"""Two repositories that build real products and publish them to one bucket."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import Command
from mesh import add_product, add_shop, make_workspace, replace
from object_stores import Server, moto_server, publish, rows_of

from factory.registry.remote import open_store, pull
from factory.workspace import Settings, Workspace


def a_mesh(root: Path, address: str) -> Path:
    make_workspace(root)
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'publish_to = "{address}"\n')
    return root


def listed(factory: Command, root: Path) -> list[str]:
    return [product["name"] for product in factory("-C", root, "list", "--format", "json").json["products"]]


def test_two_repositories_publish_to_one_bucket_and_see_each_other(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        address = server.address()
        one, two = a_mesh(tmp_path / "one", address), a_mesh(tmp_path / "two", address)
        add_shop(one)
        add_product(two, "stock", sql="select cast(1 as integer) as item_id", columns="item_id:integer:key")
        for root in (one, two, one):
            done = factory("-C", root, "build")
            assert done.code == 0, done.err + done.out
        assert listed(factory, one) == listed(factory, two) == ["shop", "stock"]
        check_idle_requests(factory, server, one)
        check_tables(one)
        check_index(address, one)
        check_new_clone(factory, tmp_path, one, address)
        check_other_content(factory, tmp_path, one)


def check_idle_requests(factory: Command, server: Server, root: Path) -> None:
    """A build that finds nothing to do asks little of the bucket."""
    before = len(server.requests())
    assert factory("-C", root, "build").code == 0
    made = server.requests()[before:]
    assert len(made) <= 10, made


def check_tables(root: Path) -> None:
    with duckdb.connect(str(root / "ports.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from shop.orders").fetchall() == [(3,)]
        assert connection.execute("select * from stock.stock").fetchall() == [(1,)]


def check_index(address: str, root: Path) -> None:
    index = open_store(address, root).read("registry/registry.json")
    assert index is not None
    assert [entry["name"] for entry in json.loads(index.content)["products"]] == ["shop", "stock"]


def check_new_clone(factory: Command, tmp_path: Path, one: Path, address: str) -> None:
    """A machine that has only the sources finds the same published, and nothing to publish."""
    clone = a_mesh(tmp_path / "clone", address)
    shutil.copytree(one / "products", clone / "products", dirs_exist_ok=True)
    done = factory("-C", clone, "build", "--format", "json")
    assert done.code == 0, done.err
    assert [product["published"] for product in done.json["products"]] == [False]
    versions = "registry/products/trade/shop/shop/1.0.0/record.json"
    assert (clone / versions).read_bytes() == (one / versions).read_bytes()


def check_other_content(factory: Command, tmp_path: Path, one: Path) -> None:
    """A machine whose registry folder is gone cannot publish another content under a published version."""
    for folder in ("registry", "ports", "target"):
        shutil.rmtree(one / folder)
    replace(one / "products/shop/models/_orders.yml", "The output port orders.", "Something else.")
    done = factory("-C", one, "build")
    assert done.code != 0
    assert "1.0.0" in done.out + done.err


def test_what_an_owner_says_of_a_product_reaches_the_others(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        address = server.address()
        one, two = a_mesh(tmp_path / "one", address), a_mesh(tmp_path / "two", address)
        publish(Workspace(one, settings=Settings(publish_to=address)), "stock")
        publish(Workspace(one, settings=Settings(publish_to=address)), "stock", "1.1.0", rows="new")
        done = factory("-C", one, "yank", "stock", "1.1.0", "--reason", "wrong")
        assert done.code == 0, done.err
        done = factory("-C", two, "yank", "stock", "1.1.0", "--reason", "wrong")
        assert "was yanked before" in done.out, done.err + done.out
        assert factory("-C", two, "rollback", "stock", "--reason", "wrong").code == 0
        pull(Workspace(one, settings=Settings(publish_to=address)))
        assert rows_of(Workspace(one), "stock") == "1"
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        done = factory("-C", two, "pause", "stock", "--reason", "holiday")
        assert done.code == 2 and "the server cannot be reached" in done.err


def test_a_build_publishes_to_a_folder_that_the_settings_name(tmp_path: Path, factory: Command) -> None:
    one, two = a_mesh(tmp_path / "one", "../shared"), a_mesh(tmp_path / "two", "../shared")
    add_shop(one)
    add_product(two, "stock", sql="select cast(1 as integer) as item_id", columns="item_id:integer:key")
    for root in (one, two):
        done = factory("-C", root, "build")
        assert done.code == 0, done.err + done.out
        assert not (root / "registry").exists() and not (root / "ports").exists()
    assert listed(factory, one) == listed(factory, two) == ["shop", "stock"]
    contract = tmp_path / "shared/registry/products/trade/shop/shop/1.0.0/contract.odcs.yaml"
    assert "../shared/ports/trade/shop/shop/v1/current/" in contract.read_text("utf-8")
    check_tables(tmp_path / "shared")
