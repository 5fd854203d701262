"""What is said of published products later: yank, deprecate, retire, pause, remove, and back to what was before."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import string
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Command, Outcome
from mesh import replace, write

from factory.errors import RegistryError
from factory.registry import control, read_index
from factory.registry.control import Word
from factory.registry.events import read_events
from factory.registry.rollback import rollback
from factory.registry.standing import read_standing
from factory.workspace import Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHOP = "urn:dpf:trade:shop"
#: Looks like a token of GitHub; made here, so that none stands in this file.
TOKEN = "ghp_" + "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=36))


@pytest.fixture(scope="module")
def published(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def word(reason: str = "because", now: datetime | None = None) -> Word:
    return Word("ann@example.org", reason, now or datetime.now(UTC))


def publish(mesh: Path, factory: Command, amount: int, version: str = "", *more: str) -> Outcome:
    write(mesh / "products/shop/data/orders.csv", f"order_id,customer_id,amount\n1,1,{amount}\n")
    if version:
        file = mesh / "products/shop/contracts/shop.odcs.yaml"
        old = next(line for line in file.read_text("utf-8").splitlines() if line.startswith("version:"))
        replace(file, old, f"version: {version}")
    result = factory("build", "shop", *more)
    assert result.code == 0, result.err
    return result


def amounts(mesh: Path) -> list[float]:
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as ports:
        return [row[0] for row in ports.sql("select amount from shop.orders order by 1").fetchall()]


def port(mesh: Path) -> Path:
    return mesh / "ports/trade/shop/shop/v1"


def bytes_of(folder: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir()}


def entry_of(mesh: Path, name: str = "shop") -> dict[str, Any]:
    return next(e for e in read_index(Workspace(mesh))["products"] if e["name"] == name)


def kinds(mesh: Path) -> list[str]:
    return [event.kind for event in read_events(mesh / "registry", "trade", "shop")]


# Rollback


def test_a_rollback_brings_version_and_data_back_byte_for_byte(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1, "1.0.0")
    before, pointer = bytes_of(port(mesh) / "current"), json.loads((port(mesh) / "current.json").read_bytes())
    publish(mesh, factory, 2, "1.1.0")
    assert (amounts(mesh), entry_of(mesh)["contracts"][0]["version"]) == ([2.0], "1.1.0")
    result = factory("rollback", "shop", "--reason", "wrong amounts", "--format", "json")
    assert result.code == 0, result.err
    (step,) = result.json["steps"]
    assert (step["from"]["version"], step["to"]["version"]) == ("1.1.0", "1.0.0")
    assert amounts(mesh) == [1.0]
    assert bytes_of(port(mesh) / "current") == before
    now = json.loads((port(mesh) / "current.json").read_bytes())
    assert {k: now[k] for k in ("version", "snapshot", "tables")} == {
        k: pointer[k] for k in ("version", "snapshot", "tables")
    }
    assert entry_of(mesh)["contracts"][0]["version"] == "1.0.0"
    (event,) = [e for e in read_events(mesh / "registry", "trade", "shop") if e.kind == "rolled-back"]
    assert event.data["reason"] == "wrong amounts"
    assert event.subject == f"{SHOP}:shop:1"


def test_what_was_rolled_back_does_not_come_back_by_itself_but_by_name(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1)
    publish(mesh, factory, 2)
    left = json.loads((port(mesh) / "current.json").read_bytes())["snapshot"]
    factory("rollback", "shop")
    assert factory("build", "shop").code == 0  # nothing has changed: nothing runs
    assert amounts(mesh) == [1.0]
    result = factory("build", "shop", "--full")
    assert result.code == 1
    assert "with this data was rolled back" in result.out
    assert amounts(mesh) == [1.0]
    assert factory("rollback", "shop", "--to", left[:8]).code == 0
    assert amounts(mesh) == [2.0]
    assert factory("build", "shop", "--full").code == 0


def test_other_data_after_a_rollback_is_published(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1)
    publish(mesh, factory, 2)
    factory("rollback", "shop")
    publish(mesh, factory, 3)
    assert amounts(mesh) == [3.0]
    assert not read_standing(mesh / "registry", "trade", "shop").left


def test_rollbacks_go_back_step_by_step_as_far_as_snapshots_are_kept(mesh: Path, factory: Command) -> None:
    for amount in (1, 2, 3, 4):
        publish(mesh, factory, amount)
    for amount in (3.0, 2.0):
        assert factory("rollback", "shop").code == 0
        assert amounts(mesh) == [amount]
    result = factory("rollback", "shop")
    assert (result.code, "only the last 3 are kept" in result.err) == (2, True)
    assert amounts(mesh) == [2.0]


def test_a_rollback_that_was_killed_is_finished_by_the_same_command(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1)
    publish(mesh, factory, 2)
    publish(mesh, factory, 3)
    pointer = (port(mesh) / "current.json").read_bytes()
    factory("rollback", "shop")
    (port(mesh) / "current.json").write_bytes(pointer)  # as if it had died before the pointer
    result = factory("rollback", "shop")
    assert "already" in result.out
    assert amounts(mesh) == [2.0]
    assert kinds(mesh).count("rolled-back") == 1


def test_a_damaged_snapshot_is_not_gone_back_to(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1)
    old = json.loads((port(mesh) / "current.json").read_bytes())["snapshot"]
    publish(mesh, factory, 2)
    file = port(mesh) / old / "orders.parquet"
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    result = factory("rollback", "shop")
    assert (result.code, "is not what was published" in result.err) == (2, True)
    assert amounts(mesh) == [2.0]
    assert "rolled-back" not in kinds(mesh)


def test_there_is_nothing_to_go_back_to_after_one_publication(mesh: Path, factory: Command) -> None:
    for arguments in (["shop"], ["shop", "--contract", "other"], ["shop", "--to", "9.9.9"], ["shopp"]):
        result = factory("rollback", *arguments)
        assert result.code == 2
        assert "→" in result.err
    assert "rolled-back" not in kinds(mesh)


def test_readers_build_on_what_was_rolled_back_to(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1)
    publish(mesh, factory, 2)
    assert factory("build").code == 0
    factory("rollback", "shop")
    result = factory("build", "--format", "json")
    assert {p["name"]: p["outcome"] for p in result.json["products"]} == {
        "shop": "unchanged", "sales": "certified", "board": "certified",
    }  # fmt: skip


def test_nobody_goes_back_to_a_yanked_version(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1, "1.1.0")
    factory("rollback", "shop")
    factory("yank", "shop", "1.1.0", "--reason", "bad rows")
    result = factory("rollback", "shop", "--to", "1.1.0")
    assert (result.code, "1.1.0 was yanked: bad rows" in result.err) == (2, True)
    publish(mesh, factory, 2, "1.2.0")
    publish(mesh, factory, 3, "1.3.0")
    factory("yank", "shop", "1.2.0", "--reason", "bad rows")
    assert "1.0.0" in factory("rollback", "shop").out


def test_pointer_event_and_index_agree_however_often_one_goes_back_and_forth(
    mesh: Path, factory: Command
) -> None:
    first = (mesh / "products/shop/data/orders.csv").read_text("utf-8")
    publish(mesh, factory, 1, "1.1.0")
    factory("rollback", "shop")
    (mesh / "products/shop/data/orders.csv").write_text(first, "utf-8")
    replace(mesh / "products/shop/contracts/shop.odcs.yaml", "version: 1.1.0", "version: 1.2.0")
    assert factory("build", "shop").code == 0  # the data of 1.0.0 under another version
    assert factory("rollback", "shop", "--to", "1.1.0").code == 0
    result = factory("build", "shop")
    assert "was rolled back from 1.2.0" in result.out
    assert factory("build", "shop", "--full").code == 1
    pointer = json.loads((port(mesh) / "current.json").read_bytes())
    assert pointer["version"] == entry_of(mesh)["contracts"][0]["version"] == "1.1.0"
    assert amounts(mesh) == [1.0]
    assert factory("registry", "verify").code == 0
    assert "back at 1.0.0" in factory("rollback", "shop").out
    assert factory("registry", "verify").code == 0


def test_what_was_rolled_back_from_does_not_take_the_place_of_good_snapshots(
    mesh: Path, factory: Command
) -> None:
    for number in range(1, 4):
        publish(mesh, factory, number, f"1.{number}.0")
        factory("rollback", "shop")
    publish(mesh, factory, 9, "1.9.0")
    assert "back at 1.0.0" in factory("rollback", "shop").out


# Yank


def test_a_yanked_version_is_offered_to_nobody_new_and_stays_readable(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1, "1.0.0")
    publish(mesh, factory, 2, "1.1.0")
    folder = mesh / "registry/products/trade/shop/shop/1.1.0"
    before = bytes_of(folder)
    result = factory("yank", "shop", "1.1.0", "--reason", "it counts twice")
    assert result.code == 0
    assert "shop 1.0.0 is offered in its place" in result.out
    assert entry_of(mesh)["contracts"][0]["version"] == "1.0.0"
    assert bytes_of(folder) == before
    assert amounts(mesh) == [2.0]  # data goes back by `rollback` alone
    refused = factory("build", "shop", "--full")
    assert (refused.code, "was yanked: it counts twice" in refused.out) == (1, True)
    publish(mesh, factory, 3, "1.2.0")
    assert entry_of(mesh)["contracts"][0]["version"] == "1.2.0"


def test_a_build_of_a_yanked_version_is_refused_also_where_nothing_has_changed(
    mesh: Path, factory: Command
) -> None:
    factory("yank", "shop", "1.0.0", "--reason", "it counts twice")
    result = factory("build", "shop")
    assert (result.code, "was yanked: it counts twice" in result.out) == (1, True)


@pytest.mark.parametrize(
    "words",
    ["it shows Tr0ub4dor3xyz to all", "see postgres://u:hunter2pw9@db.example.org/x", TOKEN],
)
def test_a_secret_in_a_reason_is_refused_and_not_repeated(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "Tr0ub4dor3xyz")
    before = kinds(mesh)
    for command in (
        ["yank", "shop", "1.0.0", "--reason", words],
        ["pause", "shop", "--reason", words],
        ["access", "request", "shop", "--for", "lab", "--purpose", words],
        ["rollback", "shop", "--reason", words],
    ):
        result = factory(*command)
        assert result.code == 1, result.err
        assert not {"Tr0ub4dor3xyz", "hunter2pw9", TOKEN} & set(result.err.split())
    assert kinds(mesh) == before


def test_bump_goes_above_a_yanked_version(mesh: Path, factory: Command) -> None:
    factory("yank", "shop", "1.0.0", "--reason", "it counts twice")
    result = factory("contract", "bump", "shop")
    assert result.code == 0, result.err
    assert "1.0.1" in result.out
    assert factory("build", "shop").code == 0
    assert entry_of(mesh)["contracts"][0]["version"] == "1.0.1"


def test_a_yank_is_said_once_and_can_be_taken_back(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1, "1.0.0")
    assert "no version of shop 1.x is left" in factory("yank", "shop.shop", "1.0.0", "--reason", "bad").out
    assert entry_of(mesh)["contracts"][0]["yanked"] == "bad"
    assert "before" in factory("yank", SHOP, "1.0.0", "--reason", "bad").out
    assert factory("yank", "shop", "1.0.0", "--undo").code == 0
    assert "yanked" not in entry_of(mesh)["contracts"][0]
    assert kinds(mesh).count("yanked") == kinds(mesh).count("unyanked") == 1
    assert factory("build", "shop", "--full").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["yank", "shop", "7.0.0", "--reason", "x"], "has no major version 7"),
        (["yank", "shop", "1.0.9", "--reason", "x"], "published: 1.0.0"),
        (["yank", "shop.other", "1.0.0", "--reason", "x"], "shop.shop"),
        (["yank", "nobody", "1.0.0", "--reason", "x"], "no product"),
        (["yank", "../shop", "1.0.0", "--reason", "x"], "no address"),
        (["yank", "shop", "1.0.0"], "--reason"),
        (["retire", "shop", "--reason", "x"], "is not announced"),
        (["pause", "shop.shop", "--reason", "x"], "address of a contract"),
        (["registry", "remove", "shop", "--reason", "x", "--moved-to", "elsewhere"], "address of another"),
        (["deprecate", "shop", "--reason", "x", "--end-of-life", "soon"], "2027-01-31"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    mesh: Path, factory: Command, arguments: list[str], words: str
) -> None:
    publish(mesh, factory, 1, "1.0.0")
    before = kinds(mesh)
    result = factory(*arguments)
    assert (result.code, words in result.err) == (2, True), result.err
    assert kinds(mesh) == before


# Deprecate and retire


def test_a_major_is_deprecated_then_retired_when_its_notice_is_over(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1)
    ws = Workspace(mesh)
    said = control.deprecate(ws, "shop", word("old"), {"endOfLife": date(2027, 6, 1)}, "sales")
    assert said.is_news
    assert not control.deprecate(ws, "shop", word("old"), {"endOfLife": date(2027, 6, 1)}, "sales").is_news
    entry = entry_of(mesh)["contracts"][0]
    assert (entry["status"], entry["dates"]["endOfLife"]) == ("deprecated", "2027-06-01")
    with pytest.raises(RegistryError) as refusal:
        control.retire(ws, "shop", word())
    assert "may go on" in refusal.value.message
    assert control.retire(ws, "shop", word(now=datetime.now(UTC) + timedelta(days=200))).is_news
    assert entry_of(mesh)["contracts"][0]["status"] == "retired"
    assert not (port(mesh) / "current.json").exists()
    assert list(port(mesh).iterdir())  # the snapshots stay


def test_what_was_retired_stays_so_and_whoever_reads_it_is_refused(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    assert factory("retire", "shop", "--reason", "gone", "--early").code == 0
    assert "before" in factory("retire", "shop", "--reason", "gone", "--early").out
    result = factory("build", "--format", "json")
    outcomes = {p["name"]: p["outcome"] for p in result.json["products"]}
    assert (result.code, outcomes["sales"], outcomes["board"]) == (1, "refused", "blocked")
    assert not (port(mesh) / "current.json").exists()
    assert entry_of(mesh)["contracts"][0]["status"] == "retired"


def test_a_retired_product_is_not_published_again(mesh: Path, factory: Command) -> None:
    factory("retire", "shop", "--reason", "gone", "--early")
    certificates = list((mesh / "registry/certificates/trade/shop").rglob("*.json"))
    result = factory("build", "shop", "--full")
    assert (result.code, "was retired, for good" in result.out) == (1, True)
    assert list((mesh / "registry/certificates/trade/shop").rglob("*.json")) == certificates
    assert "published" not in kinds(mesh)[kinds(mesh).index("retired") :]
    for command in (
        ["rollback", "shop"],
        ["deprecate", "shop", "--undo"],
        ["deprecate", "shop", "--reason", "x"],
    ):
        refused = factory(*command)
        assert (refused.code, "for good" in refused.err) == (2, True), refused.err


def test_an_end_of_life_before_the_notice_is_over_has_to_be_meant(mesh: Path, factory: Command) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    command = ["deprecate", "shop", "--reason", "old", "--end-of-life", tomorrow]
    assert "before the notice is over" in factory(*command).err
    assert factory(*command, "--successor", "sales.sales/9").code == 2
    assert factory(*command, "--early").code == 0


def test_a_deprecation_can_be_taken_back(mesh: Path, factory: Command) -> None:
    publish(mesh, factory, 1)
    factory("deprecate", "shop", "--reason", "old")
    assert factory("deprecate", "shop", "--undo").code == 0
    assert entry_of(mesh)["contracts"][0]["status"] == "active"


def test_a_major_that_was_retired_by_its_owner_need_not_be_kept_beside_the_next_one(
    mesh: Path, factory: Command
) -> None:
    contract = mesh / "products/board/contracts/board.odcs.yaml"
    replace(contract, "version: 1.0.0", "version: 2.0.0")
    refused = factory("build", "+board")
    assert (refused.code, "no contract promises it any more" in refused.out) == (1, True)
    factory("deprecate", "board", "--reason", "another one comes")
    refused = factory("build", "board")
    today = datetime.now(UTC).date()
    assert (refused.code, f"notice period P3M since {today}" in refused.out) == (1, True)
    factory("retire", "board", "--early", "--reason", "nobody reads it")
    result = factory("build", "board")
    assert result.code == 0, result.out
    statuses = {c["version"]: c["status"] for c in entry_of(mesh, "board")["contracts"]}
    assert statuses == {"1.0.0": "retired", "2.0.0": "active"}


# Pause


def test_a_paused_product_is_left_alone_until_it_is_resumed(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    before = amounts(mesh)
    factory("pause", "shop", "--reason", "the source moves")
    write(mesh / "products/shop/data/orders.csv", "order_id,customer_id,amount\n1,1,8\n")
    result = factory("build", "--format", "json")
    assert result.code == 0
    outcomes = {p["name"]: p["outcome"] for p in result.json["products"]}
    assert (outcomes["shop"], amounts(mesh)) == ("paused", before)
    assert entry_of(mesh)["paused"] == "the source moves"
    factory("resume", "shop")
    assert "paused" not in entry_of(mesh)
    assert factory("build", "shop").code == 0
    assert amounts(mesh) == [8.0]


# Remove


def test_a_removed_name_is_not_taken_again(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    result = factory("registry", "remove", "board", "--reason", "nobody reads it")
    assert result.code == 0, result.err
    assert "board" not in [e["name"] for e in read_index(Workspace(mesh))["products"]]
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as ports:
        schemas = ports.sql("select distinct table_schema from information_schema.tables").fetchall()
        assert ("board",) not in schemas
    assert (mesh / "registry/products/trade/board/board/1.0.0/record.json").exists()
    result = factory("build", "board", "--full")
    assert (result.code, "its name is not given again" in result.out) == (4, True)
    assert "before" in factory("registry", "remove", "board", "--reason", "x").out


def test_a_name_is_not_taken_in_another_domain_unless_the_product_moved(mesh: Path, factory: Command) -> None:
    assert factory("build").code == 0
    for file in (mesh / "products/board").rglob("*"):
        if file.suffix in (".yaml", ".yml") and "domain: trade" in file.read_text("utf-8"):
            replace(file, "domain: trade", "domain: market")
    descriptor = mesh / "products/board/product.odps.yaml"
    replace(descriptor, "urn:dpf:trade:board", "urn:dpf:market:board")
    result = factory("build", "board")
    assert result.code == 4
    assert "the name board is that of urn:dpf:trade:board" in result.out
    moved = factory("registry", "remove", "board", "--reason", "moved", "--moved-to", "urn:dpf:market:board")
    assert moved.code == 0, moved.err
    assert factory("build", "board").code == 0
    assert entry_of(mesh, "board")["domain"] == "market"


def test_a_version_whose_folder_was_deleted_is_not_given_to_another_content(
    mesh: Path, factory: Command
) -> None:
    publish(mesh, factory, 1, "1.0.0")
    shutil.rmtree(mesh / "registry/products/trade/shop/shop/1.0.0")
    replace(
        mesh / "products/shop/contracts/shop.odcs.yaml",
        "status: active",
        "status: active\ndescription: {purpose: Another one.}",
    )
    result = factory("build", "shop")
    assert (result.code, "was published before, with another content" in result.out) == (4, True)


def test_what_came_by_git_counts_for_who_looks_next(mesh: Path, factory: Command, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(mesh, other, symlinks=True)
    assert factory("-C", str(other), "yank", "shop", "1.0.0", "--reason", "it counts twice").code == 0
    shutil.copytree(other / "registry/events", mesh / "registry/events", dirs_exist_ok=True)
    assert "yanked" in factory("list").out
    assert entry_of(mesh)["contracts"][0]["yanked"] == "it counts twice"
    assert factory("registry", "verify").code == 0


def test_an_only_event_that_is_gone_is_missed(mesh: Path, factory: Command) -> None:
    (event,) = (mesh / "registry/events/trade/board").iterdir()
    event.unlink()
    result = factory("registry", "verify")
    assert (result.code, "event-missing" in result.out) == (1, True)


# Ports


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_ports_open_again_where_the_folder_was_moved_or_copied(
    mesh: Path, factory: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: Callable[..., Any]
) -> None:
    publish(mesh, factory, 1)
    there = tmp_path / "there"
    monkeypatch.chdir(tmp_path)
    move(str(mesh), str(there))
    link = there / "ports/trade/shop/shop/v1/current"
    shutil.rmtree(link) if not link.is_symlink() else link.unlink()
    result = factory("-C", str(there), "ports", "open")
    assert result.code == 0, result.err
    assert "3 tables" in result.out
    assert amounts(there) == [1.0]
    assert (there / "ports/trade/shop/shop/v1/current/orders.parquet").is_file()


# Standing


def test_the_region_of_a_workspace_is_told(mesh: Path, factory: Command) -> None:
    replace(mesh / "pyproject.toml", "[tool.factory]", '[tool.factory]\nregion = "eu-west"')
    publish(mesh, factory, 1)
    assert entry_of(mesh)["region"] == "eu-west"


def test_a_rollback_goes_through_in_one_process_without_the_workspace_lock(
    mesh: Path, factory: Command
) -> None:
    publish(mesh, factory, 1)
    publish(mesh, factory, 2)
    (step,) = rollback(Workspace(mesh), SHOP, word())
    assert step.is_news
    assert step.expires is not None


# A clone: git leaves the index out


@pytest.mark.parametrize("writable", [True, False])
def test_a_clone_without_the_index_knows_what_is_published(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    (mesh / "registry/registry.json").unlink()
    if not writable:
        monkeypatch.setattr("factory.registry.index.write_whole", refuse_to_write)
    assert "shop" in factory("list").out
    assert factory("show", "shop").code == 0
    assert (mesh / "registry/registry.json").exists() == writable
    monkeypatch.undo()
    monkeypatch.chdir(mesh)
    (mesh / "registry/registry.json").unlink(missing_ok=True)
    assert factory("yank", "shop", "1.0.0", "--reason", "wrong").code == 0


def refuse_to_write(path: Path, *_: Any, **__: Any) -> None:
    raise PermissionError(13, "Permission denied", str(path))
