"""`factory check --consumers PRODUCT`: who breaks by a change, found out by building, with nothing touched."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import add_product, add_shop, build_mesh, make_mesh, make_workspace, replace

from factory.registry.views import write_stand_in
from factory.standards import schema
from factory.workspace import Workspace

MODEL = "products/shop/models/orders.sql"
PROPERTIES = "products/shop/models/_orders.yml"


def add_desk(root: Path) -> None:
    """Add a second consumer of shop, which reads no amount."""
    add_product(
        root,
        "desk",
        type_="consumerAligned",
        sql="select cast(count(*) as bigint) as orders from {{ ref('shop', 'orders') }}",
        columns="orders:bigint",
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = build_mesh(make_mesh(tmp_path_factory.mktemp("published") / "mesh"))
    add_desk(root)
    return root


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def rename_amount(root: Path) -> None:
    replace(root / MODEL, "as amount", "as price")
    replace(root / PROPERTIES, "name: amount", "name: price")
    replace(root / "products/shop/checks/shop.yml", "min(amount)", "min(price)")


def consumers(factory: Command, *arguments: str) -> tuple[Any, dict[str, str], dict[str, str]]:
    """Return the whole answer, the outcomes and the reasons of the consumers of shop."""
    data = factory("check", "--consumers", *(arguments or ("shop",)), "--format", "json").json
    Draft202012Validator(schema("consumers.schema.json")).validate(data)
    found = data["consumers"]
    return data, {c["name"]: c["outcome"] for c in found}, {c["name"]: "\n".join(c["reasons"]) for c in found}


def content(root: Path) -> dict[str, str]:
    """Return all files of a workspace with the hash of what is in them, and its links."""
    files = {}
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root).as_posix()
        if file.is_symlink():
            files[name] = file.readlink().as_posix()
        elif file.is_file():
            files[name] = hashlib.sha256(file.read_bytes()).hexdigest()
        else:
            files[name] = ""
    return files


def test_direct_consumers_are_built_and_no_others(mesh: Path, factory: Command) -> None:
    data, outcomes, _ = consumers(factory)
    assert outcomes == {"desk": "passes", "sales": "passes"}
    assert (data["product"], data["outcome"], data["reasons"]) == ("shop", "passes", [])
    text = factory("check", "--consumers", "shop")
    assert text.code == 0
    assert "2 of 2 direct consumers pass with shop as it is now" in text.out
    assert "board" not in text.out


def test_a_rename_breaks_who_reads_the_column_and_nobody_else(mesh: Path, factory: Command) -> None:
    rename_amount(mesh)
    data, outcomes, reasons = consumers(factory)
    assert outcomes == {"desk": "passes", "sales": "breaks"}
    assert reasons["sales"].startswith("products/sales/models/sales.sql:1: sales could not be built:")
    assert 'Referenced column "amount" not found' in reasons["sales"]
    assert (data["outcome"], data["reasons"]) == ("breaks", [])
    result = factory("check", "--consumers", "shop")
    assert result.code == 1
    assert "sales, why not:" in result.out


def test_another_type_breaks_the_enforced_contract_of_a_consumer(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/sales/models/sales.sql",
        "cast(sum(amount) as double) as total",
        "max(amount) as total",
    )
    assert consumers(factory)[1] == {"desk": "passes", "sales": "passes"}
    replace(mesh / MODEL, "cast(amount as double)", "cast(amount as decimal(18, 2))")
    replace(mesh / PROPERTIES, "data_type: double", "data_type: decimal(18, 2)")
    _, outcomes, reasons = consumers(factory)
    assert outcomes == {"desk": "passes", "sales": "breaks"}
    assert "total" in reasons["sales"] and "data type mismatch" in reasons["sales"]


def test_a_test_of_a_consumer_that_no_longer_holds_is_told(mesh: Path, factory: Command) -> None:
    replace(mesh / "products/shop/data/orders.csv", "10.5", "-99.5")
    replace(mesh / "products/shop/checks/shop.yml", "min(amount) >= 0", "min(amount) >= -100")
    replace(
        mesh / "products/sales/models/_sales.yml",
        "data_type: double",
        "data_type: double\n        data_tests: [{accepted_values: {arguments: {values: [15.0, 7.0], quote: false}}}]",
    )
    data, outcomes, reasons = consumers(factory)
    assert outcomes == {"desk": "passes", "sales": "breaks"}
    assert (
        reasons["sales"].startswith("products/sales/models/_sales.yml:")
        and "on sales.total failed" in reasons["sales"]
    )
    assert data["reasons"] == []


def test_an_added_column_harms_nobody(mesh: Path, factory: Command) -> None:
    replace(mesh / MODEL, "as amount\n", "as amount,\n    'USD' as currency\n")
    replace(
        mesh / PROPERTIES,
        "columns:\n",
        "columns:\n      - {name: currency, data_type: varchar, description: Currency.}\n",
    )
    assert consumers(factory)[1] == {"desk": "passes", "sales": "passes"}


def test_nothing_published_and_nothing_of_the_working_state_is_touched(mesh: Path, factory: Command) -> None:
    factory("sync")
    rename_amount(mesh)
    before = content(mesh)
    assert factory("check", "--consumers", "shop").code == 1
    assert factory("check", "--consumers", "sales").code == 0  # it reads what shop has published
    assert factory("check", "--consumers", "nothing").code == 2
    assert content(mesh) == before


def test_an_interrupt_leaves_nothing(mesh: Path, factory: Command) -> None:
    factory("sync")
    before = content(mesh)
    program = [sys.executable, "-m", "factory", "check", "--consumers", "shop", "--no-progress"]
    with subprocess.Popen(
        program, cwd=mesh, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("build"):
                break
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=60)
        assert run.returncode == 130, told
    assert content(mesh) == before


def test_it_waits_for_no_other_run_and_for_no_open_file(mesh: Path, factory: Command) -> None:
    from factory.locking import locked

    opened = (mesh / "target/prod/duckdb/shop.duckdb").as_posix()
    holder = (
        f"import duckdb, sys; c = duckdb.connect({opened!r}); print('open', flush=True); sys.stdin.read()"
    )
    with (
        locked(Workspace(mesh)),
        subprocess.Popen(
            [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other,
    ):
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        started = time.monotonic()
        assert factory("check", "--consumers", "shop").code == 0
        assert time.monotonic() - started < 25
        other.communicate("", timeout=10)


def test_tables_that_are_read_outlive_their_snapshot(mesh: Path) -> None:
    ws = Workspace(mesh, scratch=mesh / "target/.consumers-x")
    assert write_stand_in(ws, "shop", mesh / "target/.consumers-x/shop.duckdb")
    shutil.rmtree(mesh / "ports")
    with duckdb.connect(str(mesh / "target/.consumers-x/shop.duckdb"), read_only=True) as connection:
        assert connection.sql("select count(*) from main.orders").fetchone() == (3,)


def test_a_product_that_was_never_published_is_built_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: Command
) -> None:
    root = make_workspace(tmp_path / "fresh")
    monkeypatch.chdir(root)
    add_shop(root)
    add_desk(root)
    assert consumers(factory)[1] == {"desk": "passes"}
    assert not (root / "ports").exists() and not (root / "registry").exists()


def test_what_a_product_reads_has_to_be_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: Command
) -> None:
    monkeypatch.chdir(make_mesh(tmp_path / "fresh"))
    result = factory("check", "--consumers", "sales")
    assert result.code == 2
    assert "sales reads shop, which is not published" in result.err


def test_a_consumer_that_lacks_another_input_is_not_built_and_the_others_are(
    mesh: Path, factory: Command
) -> None:
    add_product(mesh, "rates", sql="select cast(1 as double) as rate", columns="rate:double")
    add_product(
        mesh,
        "till",
        type_="consumerAligned",
        sql="select cast(count(*) as bigint) as n from {{ ref('shop', 'orders') }} cross join {{ ref('rates', 'rates') }}",
        columns="n:bigint",
    )
    data, outcomes, reasons = consumers(factory)
    assert outcomes == {"desk": "passes", "sales": "passes", "till": "not built"}
    assert "till reads rates, which is not published" in reasons["till"]
    assert data["outcome"] == "not built"
    assert factory("check", "--consumers", "shop").code == 2


@pytest.mark.parametrize("is_published", [True, False])
def test_a_consumer_that_reads_another_consumer_is_judged_on_its_own(
    mesh: Path, factory: Command, is_published: bool
) -> None:
    add_product(
        mesh,
        "till",
        type_="consumerAligned",
        sql="select cast(count(*) as bigint) as n from {{ ref('shop', 'orders') }} cross join {{ ref('sales', 'sales') }}",
        columns="n:bigint",
    )
    if is_published:
        rename_amount(mesh)
    else:
        shutil.rmtree(mesh / "ports/trade/sales")
    broken = "breaks" if is_published else "passes"
    assert consumers(factory)[1] == {"desk": "passes", "sales": broken, "till": "passes"}


def test_a_model_that_went_breaks_the_consumer_that_names_it(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    (mesh / MODEL).rename(mesh / "products/shop/models/bills.sql")
    replace(mesh / PROPERTIES, "name: orders", "name: bills")
    data, outcomes, reasons = consumers(factory)
    assert sorted(outcomes.values()) == ["breaks", "not built"]
    (broken,) = [name for name, outcome in outcomes.items() if outcome == "breaks"]
    assert reasons[broken].startswith(f"products/{broken}/models/{broken}.sql:")
    assert "orders" in reasons[broken] and data["outcome"] == "breaks"


def test_a_product_that_fails_itself_is_told_as_such(mesh: Path, factory: Command) -> None:
    replace(mesh / MODEL, "cast(amount as double)", "cast(price as double)")
    result = factory("check", "--consumers", "shop", "--format", "json")
    assert (result.code, result.json["outcome"]) == (2, "refused")
    assert "orders could not be built" in result.json["reasons"][0]
    assert [c["outcome"] for c in result.json["consumers"]] == ["not built", "not built"]
    assert "shop, why not:" in factory("check", "--consumers", "shop").out


def test_tests_of_the_product_that_fail_do_not_hide_how_consumers_come_out(
    mesh: Path, factory: Command
) -> None:
    test = "name: customer_id\n        data_tests: [unique]"
    replace(mesh / PROPERTIES, "name: customer_id", test)
    data, outcomes, _ = consumers(factory)
    assert data["outcome"] == "refused" and "unique_orders_customer_id" in data["reasons"][0]
    assert outcomes == {"desk": "passes", "sales": "passes"}


def test_a_consumer_whose_own_contract_would_change_is_told(mesh: Path, factory: Command) -> None:
    replace(mesh / "products/sales/models/_sales.yml", "name: total", "name: sum_total")
    replace(mesh / "products/sales/models/sales.sql", "as total", "as sum_total")
    data, outcomes, _ = consumers(factory)
    assert outcomes["sales"] == "passes"
    (advice,) = [line for c in data["consumers"] for line in c["advice"]]
    assert "sales.total: renamed to sum_total (major)" in advice


def test_a_product_that_nobody_reads_harms_nobody(mesh: Path, factory: Command) -> None:
    result = factory("check", "--consumers", "board")
    assert (result.code, result.out.strip()) == (
        0,
        "No product reads board, so nobody can be harmed. Nothing was built.",
    )
    assert consumers(factory, "board")[0] == {
        "product": "board",
        "outcome": "passes",
        "reasons": [],
        "consumers": [],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "goes with the name of one PRODUCT"),
        (["shop", "sales"], "goes with the name of one PRODUCT"),
        (["shop+"], "goes with the name of one PRODUCT"),
        (["shop", "--full"], "leave out --full and --changed-since"),
        (["shop", "--changed-since", "HEAD"], "leave out --full and --changed-since"),
        (["shpo"], "did you mean 'shop'?"),
        (["shop", "--target", "warehouse"], "the target warehouse is not the embedded DuckDB"),
    ],
)
def test_what_makes_no_sense_is_refused(
    mesh: Path, factory: Command, arguments: list[str], message: str
) -> None:
    replace(
        mesh / "pyproject.toml",
        'title = "Test mesh"',
        'title = "T"\n[tool.factory.targets.warehouse]\ntype = "postgres"',
    )
    result = factory("check", "--consumers", *arguments)
    assert result.code == 2
    assert message in result.err


def test_another_target_reads_what_prod_has_published(mesh: Path, factory: Command) -> None:
    assert consumers(factory, "sales", "--target", "ci")[1] == {"board": "passes"}
