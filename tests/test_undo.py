"""What a refused run put into tables that grow is taken back, so that a mended delivery is enough."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from conftest import Command
from mesh import ROOT, make_mesh, replace, write

FILE = "target/prod/duckdb/shop.duckdb"
DATA = "products/shop/data/orders.csv"


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop that logs every order that it ever saw."""
    root = make_mesh(tmp_path / "mesh")
    for name in ("sales", "board"):
        shutil.rmtree(root / "products" / name)
    write(
        root / "products/shop/models/log.sql",
        """\
        {{ config(materialized='incremental', full_refresh=false) }}
        select order_id, customer_id, amount from {{ source('raw', 'orders') }}
        {% if is_incremental() %}
        where order_id not in (select order_id from {{ this }})
        {% endif %}
        """,
    )
    replace(root / "products/shop/models/orders.sql", "{{ source('raw', 'orders') }}", "{{ ref('log') }}")
    monkeypatch.chdir(root)
    return root


def logged(root: Path, file: str = FILE) -> list[int]:
    with duckdb.connect(str(root / file), read_only=True) as connection:
        return [row[0] for row in connection.sql("select order_id from log order by 1").fetchall()]


def deliver(root: Path, row: str) -> str:
    file = root / DATA
    before = file.read_text("utf-8")
    write(file, f"{before}{row}\n")
    return before


def test_a_mended_delivery_is_enough(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    before = deliver(mesh, "4,1,-5")
    refused = factory("build")
    assert refused.code == 1 and "target/prod/duckdb/refused/shop.duckdb" in refused.out
    assert logged(mesh) == [1, 2, 3] and logged(mesh, "target/prod/duckdb/refused/shop.duckdb") == [
        1,
        2,
        3,
        4,
    ]
    write(mesh / DATA, before + "4,1,5\n")
    assert factory("build").code == 0
    assert logged(mesh) == [1, 2, 3, 4]
    assert not list((mesh / "target/prod/duckdb/.before").iterdir())


def test_the_first_run_leaves_nothing_either(mesh: Path, factory: Command) -> None:
    before = deliver(mesh, "4,1,-5")
    assert factory("build").code == 1 and not (mesh / FILE).exists()
    (mesh / DATA).write_text(before, "utf-8")
    assert factory("build").code == 0 and logged(mesh) == [1, 2, 3]


def test_a_check_that_refuses_leaves_nothing_either(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    deliver(mesh, "4,1,-5")
    assert factory("check").code == 1 and logged(mesh) == [1, 2, 3]


def test_a_product_whose_tables_are_made_anew_keeps_those_of_a_refused_run(
    mesh: Path, factory: Command
) -> None:
    (mesh / "products/shop/models/log.sql").unlink()
    replace(mesh / "products/shop/models/orders.sql", "{{ ref('log') }}", "{{ source('raw', 'orders') }}")
    assert factory("build").code == 0
    deliver(mesh, "4,1,-5")
    assert factory("build").code == 1
    with duckdb.connect(str(mesh / FILE), read_only=True) as connection:
        assert connection.sql("select count(*) from orders").fetchone() == (4,)


def test_what_a_killed_run_built_is_taken_back_by_the_next(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    before = deliver(mesh, "4,1,-5")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-m", "factory", "build"], env=environment,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # fmt: skip
        kept = mesh / "target/prod/duckdb/.before/shop.duckdb"
        until = time.monotonic() + 60
        while not kept.is_file() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        size = (mesh / FILE).stat().st_mtime_ns
        while (
            process.poll() is None and (mesh / FILE).stat().st_mtime_ns == size and time.monotonic() < until
        ):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    (mesh / DATA).write_text(before, "utf-8")
    assert factory("build", "--full").code == 0
    assert logged(mesh) == [1, 2, 3]
