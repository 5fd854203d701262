"""Joining registries: the union of what is published, or nothing at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import a_product
from object_stores import InBucket, Server, files_of, moto_server, publish, rows_of

from factory.errors import Problems, RegistryError, VersionExistsError
from factory.registry import Registry, read_index
from factory.registry.remote import merge
from factory.registry.remote.layout import Place
from factory.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return region(tmp_path, "ours")


def region(folder: Path, name: str) -> Workspace:
    root = folder / name
    root.mkdir()
    (root / "pyproject.toml").write_text('[tool.factory]\ntitle = "Region"\n', "utf-8")
    return Workspace(root)


def names(ws: Workspace) -> list[str]:
    return [entry["name"] for entry in read_index(ws)["products"]]


def state(ws: Workspace) -> dict[str, int]:
    return Place(ws.registry, ws.ports).sizes()


def remove(ws: Workspace, product: str) -> None:
    Registry(ws).write_event(
        a_product(name=product, domain="trade"), "removed", {"reason": "over"}, datetime.now(UTC)
    )


def test_two_regions_become_one_registry_with_the_ports_of_both(ws: Workspace, tmp_path: Path) -> None:
    eu, us = region(tmp_path, "eu"), region(tmp_path, "us")
    publish(ws, "orders", rows="o")
    publish(eu, "returns", rows="r")
    publish(eu, "returns", "1.1.0", rows="r2")
    publish(us, "stock", rows="s")
    done = merge(ws, [eu.root, us.root / "registry"])
    assert names(ws) == ["orders", "returns", "stock"]
    assert (rows_of(ws, "orders"), rows_of(ws, "returns"), rows_of(ws, "stock")) == ("o", "r2", "s")
    assert files_of(ws, "returns", "1.1.0") == files_of(eu, "returns", "1.1.0")
    assert (done.versions, done.pointers) == (3, 2)
    assert done.products == ("urn:dpf:trade:returns", "urn:dpf:trade:stock")


def test_a_merge_again_finds_nothing_new(ws: Workspace, tmp_path: Path) -> None:
    eu = region(tmp_path, "eu")
    publish(ws, "orders")
    publish(eu, "returns")
    merge(ws, [eu.root])
    before = state(ws)
    done = merge(ws, [eu.root])
    assert (done.products, done.versions, done.facts, done.pointers) == ((), 0, 0, 0)
    assert state(ws) == before


def test_newer_rows_of_a_port_come_and_older_ones_do_not(ws: Workspace, tmp_path: Path) -> None:
    publish(ws, "orders", rows="old")
    eu = Workspace(tmp_path / "eu")
    shutil.copytree(ws.root, eu.root, symlinks=True)
    publish(eu, "orders", "1.1.0", rows="new")
    merge(ws, [eu.root])
    assert rows_of(ws) == "new"
    third = Workspace(tmp_path / "third")
    shutil.copytree(ws.root, third.root, symlinks=True)
    publish(ws, "orders", "1.2.0", rows="newest")
    merge(ws, [third.root])
    assert rows_of(ws) == "newest"


def test_every_conflict_is_told_and_nothing_is_written(ws: Workspace, tmp_path: Path) -> None:
    eu = region(tmp_path, "eu")
    publish(ws, "orders", note="ours", rows="same")
    publish(eu, "orders", note="theirs", rows="same")
    publish(ws, "stock")
    publish(eu, "returns")
    shutil.copytree(
        eu.registry / "products/trade/orders/orders/1.0.0", eu.registry / "products/retail/stock/stock/1.0.0"
    )
    publish(ws, "returns", "2.0.0")
    remove(eu, "returns")
    before = state(ws)
    with pytest.raises(Problems) as refusal:
        merge(ws, [eu.root])
    told = [str(problem) for problem in refusal.value.problems]
    assert [type(problem) for problem in refusal.value.problems].count(VersionExistsError) == 1
    assert any("orders 1.0.0 of trade/orders has one content in" in text for text in told)
    assert any("trade/returns was removed in" in text for text in told)
    assert any("stock is a product of trade in" in text and "of retail in" in text for text in told)
    assert all(problem.hint for problem in refusal.value.problems)
    assert state(ws) == before


def test_a_product_that_was_removed_may_be_merged_with_who_has_not_heard_of_it(
    ws: Workspace, tmp_path: Path
) -> None:
    publish(ws, "orders")
    eu = Workspace(tmp_path / "eu")
    shutil.copytree(ws.root, eu.root, symlinks=True)
    remove(eu, "orders")
    assert merge(ws, [eu.root]).facts == 1
    assert merge(eu, [ws.root]).facts == 0


def test_a_version_that_is_half_there_is_not_brought(ws: Workspace, tmp_path: Path) -> None:
    eu = region(tmp_path, "eu")
    publish(eu, "returns")
    publish(eu, "returns", "1.1.0")
    (eu.registry / "products/trade/returns/returns/1.1.0/record.json").unlink()
    merge(ws, [eu.root])
    assert not (ws.registry / "products/trade/returns/returns/1.1.0").exists()


def test_what_is_no_registry_is_told(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no registry here") as refusal:
        merge(ws, [tmp_path / "nowhere"])
    assert refusal.value.hint


MERGER = """
import sys, os, signal
from pathlib import Path
import factory.files, factory.registry.remote.bring as bring, factory.registry.remote.pointers as pointers
from factory.registry.remote import merge
from factory.workspace import Workspace
left = int(sys.argv[3])
def fragile(real):
    def write(*arguments, **more):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)
    return write
for module in (bring, pointers):
    module.write_whole = fragile(module.write_whole)
    module.at_once = lambda do, items: [do(item) for item in list(items)]
merge(Workspace(Path(sys.argv[1])), [sys.argv[2]])
"""


def test_a_merge_that_is_killed_is_completed_by_the_same_command(tmp_path: Path) -> None:
    eu = region(tmp_path, "eu")
    publish(eu, "returns", rows="r")
    publish(eu, "returns", "1.1.0", rows="r2")
    number = 0
    while True:
        ws = region(tmp_path, f"ours{number}")
        publish(ws, "orders")
        arguments = [sys.executable, "-c", MERGER, str(ws.root), str(eu.root), str(number)]
        died = subprocess.run(arguments, env={**os.environ}).returncode == -9
        merge(ws, [eu.root])
        assert names(ws) == ["orders", "returns"]
        assert rows_of(ws, "returns") == "r2"
        assert files_of(ws, "returns", "1.1.0") == files_of(eu, "returns", "1.1.0")
        if not died:
            break
        number += 1
    assert number >= 8


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


def test_a_region_in_a_bucket_is_merged_as_one_in_a_folder_is(
    ws: Workspace, tmp_path: Path, moto: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    shared = InBucket(tmp_path, moto.address())
    eu = shared.workspace("eu")
    publish(eu, "returns", rows="r")
    shared.put(eu)
    publish(ws, "orders")
    merge(ws, [shared.address])
    assert names(ws) == ["orders", "returns"] and rows_of(ws, "returns") == "r"
    publish(ws, "stock", note="a")
    publish(eu, "stock", note="b")
    shared.put(eu)
    with pytest.raises(VersionExistsError):
        merge(ws, [shared.address])


def test_what_a_merge_did_is_told_in_words_and_as_values(ws: Workspace, tmp_path: Path) -> None:
    import jsonschema

    from factory.registry.remote import merged_as_json, merged_as_text

    eu = region(tmp_path, "eu")
    publish(eu, "returns")
    done = merge(ws, [eu.root])
    schema = Path(__file__).parents[1] / "factory/schemas/registry-merge.schema.json"
    jsonschema.validate(merged_as_json(done), json.loads(schema.read_bytes()))
    text = merged_as_text(done)
    assert text.startswith("Merged ") and "1 versions" in text and "urn:dpf:trade:returns" in text
    assert merged_as_text(merge(ws, [eu.root])) == f"Nothing new in {eu.root}."


def test_the_command_merges_and_tells(ws: Workspace, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from factory.cli.registry_merge import merge as command

    eu = region(tmp_path, "eu")
    publish(ws, "orders")
    publish(eu, "returns")
    done = CliRunner().invoke(command, [str(eu.root), "--format", "json"], obj=ws.root)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["products"] == ["urn:dpf:trade:returns"]
    assert names(ws) == ["orders", "returns"]
