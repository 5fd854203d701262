"""The registry: immutable versions, exclusive publishing, pointers that move last."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import a_product, a_promise
from conftest import FULL
from mesh import make_mesh, write

from factory.contract import Contract
from factory.errors import RegistryError, VersionExistsError
from factory.registry import Publication, Registry, read_index, refresh_index
from factory.registry.ports import readable
from factory.registry.views import write_views
from factory.workspace import Settings, Workspace


def a_publication(text: str = "version: 1.0.0\n", version: str = "1.0.0") -> Publication:
    data = {"id": "urn:dpf:trade:orders:orders", "name": "orders", "version": version}
    contract = Contract("orders", "orders", version, "active", data, (), (), a_promise(version=version))
    return Publication(contract, text, {"edges": [], "models": []}, {"dbt-core": "1.11"}, "0" * 64)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def folder_of(ws: Workspace) -> Path:
    return ws.registry / "products/trade/orders/orders/1.0.0"


def the_product() -> Any:
    return a_product(name="orders", domain="trade")


def test_a_version_is_published_once_with_a_record_of_its_files(ws: Workspace) -> None:
    registry = Registry(ws)
    assert registry.publish_contract(the_product(), a_publication())
    assert sorted(f.name for f in folder_of(ws).iterdir()) == [
        "contract.odcs.yaml",
        "lineage.json",
        "record.json",
    ]
    record = json.loads((folder_of(ws) / "record.json").read_bytes())
    assert record["files"]["contract.odcs.yaml"]["size"] == len("version: 1.0.0\n")


def test_the_same_bytes_again_are_a_no_op_and_other_bytes_are_refused(ws: Workspace) -> None:
    registry = Registry(ws)
    registry.publish_contract(the_product(), a_publication())
    before = {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in folder_of(ws).iterdir()}
    assert not registry.publish_contract(the_product(), a_publication())
    with pytest.raises(VersionExistsError) as refusal:
        registry.publish_contract(the_product(), a_publication("version: 1.0.0\nname: other\n"))
    assert refusal.value.exit_code == 4
    assert {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in folder_of(ws).iterdir()} == before


def _publish(root: Path, text: str, gate: Any, results: Any) -> None:
    gate.wait()
    try:
        results.put(
            "won"
            if Registry(Workspace(root)).publish_contract(the_product(), a_publication(text))
            else "same"
        )
    except VersionExistsError:
        results.put("exists")


@pytest.mark.parametrize("different", [True, False])
def test_of_many_processes_with_one_version_exactly_one_wins(ws: Workspace, different: bool) -> None:
    processes = 32 if FULL else 12
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(processes), context.Queue()
    texts = [f"version: 1.0.0\nby: {n if different else 0}\n" for n in range(processes)]
    runs = [context.Process(target=_publish, args=(ws.root, text, gate, results)) for text in texts]
    for run in runs:
        run.start()
    found = [results.get(timeout=60) for _ in runs]
    for run in runs:
        run.join()
    assert found.count("won") == 1
    assert found.count("exists" if different else "same") == processes - 1
    assert (folder_of(ws) / "contract.odcs.yaml").read_text("utf-8") in texts
    assert not list(folder_of(ws).parent.glob(".*"))


def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(ws: Workspace) -> None:
    ws.registry.parent.mkdir(parents=True, exist_ok=True)
    ws.registry.write_text("a file where a folder should be", "utf-8")
    with pytest.raises(RegistryError) as refusal:
        Registry(ws).publish_contract(the_product(), a_publication())
    assert refusal.value.hint


def test_a_record_that_cannot_be_read_is_named(ws: Workspace) -> None:
    registry = Registry(ws)
    registry.publish_contract(the_product(), a_publication())
    (folder_of(ws) / "record.json").write_text("{", "utf-8")
    with pytest.raises(RegistryError) as refusal:
        registry.published(the_product())
    assert refusal.value.where == folder_of(ws) / "record.json"


def test_a_registry_file_that_cannot_be_read_says_how_to_get_a_new_one(ws: Workspace) -> None:
    write(ws.registry / "registry.json", "{broken")
    with pytest.raises(RegistryError) as refusal:
        read_index(ws)
    assert "delete" in refusal.value.hint


def test_an_index_made_from_nothing_is_that_of_the_increments(tmp_path: Path) -> None:
    root = built_mesh(tmp_path)
    ws = Workspace(root)
    file = ws.registry / "registry.json"
    before = file.read_bytes()
    file.unlink()
    assert refresh_index(ws, None)
    assert file.read_bytes() == before
    file.write_text("{broken", "utf-8")
    assert refresh_index(ws, {"urn:dpf:trade:shop"})
    assert file.read_bytes() == before


def test_certificates_end(ws: Workspace) -> None:
    registry = Registry(changed(ws, settings=Settings(certificate_days=10)))
    contract = a_publication().contract
    now = datetime(2024, 2, 20, tzinfo=UTC)
    for _ in range(2):
        registry.certify(the_product(), contract, {"evidence": {}}, now)
        now += timedelta(seconds=1)
    folder = ws.registry / "certificates/trade/orders/orders/1.0.0"
    assert len(list(folder.iterdir())) == 2
    assert registry.expires(the_product(), "orders", "1.0.0") == datetime(2024, 3, 1, 0, 0, 1, tzinfo=UTC)


def built_mesh(folder: Path) -> Path:
    root = make_mesh(folder / "mesh")
    run = subprocess.run(
        [sys.executable, "-m", "factory", "build", "--no-progress"], cwd=root, capture_output=True
    )
    assert run.returncode == 0, run.stderr
    return root


def test_old_snapshots_go_and_the_pointer_names_what_is_there(tmp_path: Path) -> None:
    root = built_mesh(tmp_path)
    port = root / "ports/trade/shop/shop/v1"
    for number in range(4):
        write(root / "products/shop/data/orders.csv", f"order_id,customer_id,amount\n1,1,{number}\n")
        run = subprocess.run(
            [sys.executable, "-m", "factory", "build", "shop"], cwd=root, capture_output=True
        )
        assert run.returncode == 0, run.stderr
    pointer = json.loads((port / "current.json").read_bytes())
    snapshots = {f.name for f in port.iterdir() if f.is_dir() and not f.is_symlink()}
    assert snapshots == {kept["snapshot"] for kept in pointer["snapshots"]}
    assert len(snapshots) == 3
    assert (port / "current").readlink() == Path(pointer["snapshot"])
    assert duckdb.sql(f"select amount from '{port}/current/orders.parquet'").fetchall() == [(3.0,)]


def test_a_reader_keeps_its_view_while_the_database_of_ports_is_replaced(tmp_path: Path) -> None:
    for number in (1, 2):
        duckdb.sql(f"copy (select {number} as n) to '{tmp_path}/{number}.parquet'")
    file = tmp_path / "ports.duckdb"
    write_views(file, {"orders.orders": f"{tmp_path}/1.parquet"})
    with duckdb.connect(str(file), read_only=True) as reader:
        write_views(file, {"orders.orders": f"{tmp_path}/2.parquet"})
        assert reader.sql("from orders.orders").fetchall() == [(1,)]
    with duckdb.connect(str(file), read_only=True) as reader:
        assert reader.sql("from orders.orders").fetchall() == [(2,)]


def test_a_build_that_is_killed_at_any_moment_leaves_a_registry_that_the_next_one_completes(
    tmp_path: Path,
) -> None:
    """Real kills, spread over the part of a run that publishes."""
    expected = built_mesh(tmp_path / "expected")
    whole = json.loads((expected / "registry/registry.json").read_bytes())
    root = make_mesh(tmp_path / "mesh")
    command = [sys.executable, "-m", "factory", "build", "--no-progress"]
    for number in range(40 if FULL else 2):
        for made in ("registry", "ports", "target/prod/state.json", "ports.duckdb"):
            path = root / made
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        with subprocess.Popen(
            command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as run:
            assert run.stderr is not None
            while "certify" not in run.stderr.readline():
                pass
            time.sleep(0.012 * number if FULL else 0.08 * number)
            run.send_signal(signal.SIGKILL)
        for record in root.glob("registry/products/*/*/*/*/record.json"):
            assert json.loads(record.read_bytes())["files"]
            assert (record.parent / "contract.odcs.yaml").is_file()
        if (root / "registry/registry.json").exists():
            read_index(Workspace(root))
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert json.loads((root / "registry/registry.json").read_bytes()) == whole
        assert readable(Workspace(root), "trade", "sales")
        leftovers = [f for f in (root / "registry").rglob(".*.tmp") if f.is_dir()]
        assert not [f for f in leftovers if (f / "record.json").exists()]
