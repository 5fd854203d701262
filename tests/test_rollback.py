"""Rollbacks of products with several contracts, and of those that an older version published; without dbt."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from factory.errors import RegistryError
from factory.registry.content import Content
from factory.registry.control import Word
from factory.registry.events import read_events, write_event
from factory.registry.ports import editions_of, snapshot_name, write_pointer
from factory.registry.rollback import rollback
from factory.registry.standing import Standing, read_standing, standing_of
from factory.workspace import Settings, Workspace

SHOP = "urn:dpf:trade:shop"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = ("lines/1", "orders/1")


class Shop:
    """A product with two contracts, of which editions are published with one number as their table."""

    def __init__(self, root: Path) -> None:
        self.ws = Workspace(root, settings=Settings(snapshots=5))
        self.now = NOW

    def publish(self, *keys: str, amount: int, version: str = "1.0.0", told: bool = True) -> None:
        self.now += timedelta(minutes=1)
        contracts = {}
        for key in KEYS:
            pointer = self.publish_one(key, amount, version) if key in keys else self.pointer(key)
            contracts[key] = {"version": pointer["version"], "snapshot": pointer["snapshot"], "sha256": ""}
        if told:
            write_event(self.ws.registry, SHOP, "published", {"contracts": contracts}, self.now)

    def publish_one(self, key: str, amount: int, version: str) -> dict[str, Any]:
        contract = key.partition("/")[0]
        folder = self.ws.registry / f"products/trade/shop/{contract}/{version}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "contract.odcs.yaml").write_text(f"id: {SHOP}:{contract}\n", "utf-8")
        staged = self.port(key) / "staged"
        staged.mkdir(parents=True)
        (staged / "t.parquet").write_text(str(amount), "utf-8")
        snapshot = snapshot_name(staged)
        staged.rename(self.port(key) / snapshot)
        kept = {"snapshot": snapshot, "version": version, "tables": {"t": f"{snapshot}/t.parquet"}}
        older = editions_of(self.pointer(key))
        pointer = {"contract": f"{SHOP}:{contract}", "schema": "shop", **kept, "snapshots": [kept, *older]}
        write_pointer(self.port(key), pointer)
        return pointer

    def port(self, key: str) -> Path:
        contract, _, major = key.partition("/")
        return self.ws.ports / f"trade/shop/{contract}/v{major}"

    def pointer(self, key: str) -> dict[str, Any]:
        file = self.port(key) / "current.json"
        return dict(json.loads(file.read_bytes())) if file.exists() else {}

    def amounts(self) -> list[int]:
        """Return what the pointers show, once they are what the events say."""
        standing, found = self.standing(), []
        for key in KEYS:
            pointer = self.pointer(key)
            assert standing.current[key].what == (pointer["version"], pointer["snapshot"])
            found.append(int((self.port(key) / pointer["snapshot"] / "t.parquet").read_text("utf-8")))
        return found

    def standing(self) -> Standing:
        return read_standing(self.ws.registry, "trade", "shop")

    def back(self, **more: str) -> int:
        self.now += timedelta(minutes=1)
        return len(rollback(self.ws, SHOP, Word("ann", "wrong", self.now), **more))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    # The tables here are numbers, of which no database of ports can be made.
    monkeypatch.setattr("factory.registry.rollback.refresh_ports_database", lambda ws: False)
    return Shop(tmp_path)


def test_the_contracts_that_were_published_together_go_back_together_step_by_step(shop: Shop) -> None:
    for amount in (1, 2, 3):
        shop.publish(*KEYS, amount=amount)
    assert (shop.back(), shop.amounts()) == (2, [2, 2])
    assert (shop.back(), shop.amounts()) == (2, [1, 1])
    with pytest.raises(RegistryError, match="nothing was published"):
        shop.back()


def test_only_what_the_last_publication_changed_goes_back(shop: Shop) -> None:
    shop.publish(*KEYS, amount=1)
    shop.publish("lines/1", amount=2)
    assert (shop.back(), shop.amounts()) == (1, [1, 1])


@pytest.mark.parametrize("pointers", [0, 1])
def test_a_rollback_of_two_contracts_that_was_killed_is_finished_by_the_same_command(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, pointers: int
) -> None:
    for amount in (1, 2, 3):
        shop.publish(*KEYS, amount=amount)
    left = [pointers]

    def killed(folder: Path, pointer: dict[str, Any]) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        write_pointer(folder, pointer)

    with monkeypatch.context() as patch:
        patch.setattr("factory.registry.rollback.write_pointer", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.back()
    shop.back()
    assert shop.amounts() == [2, 2]
    kinds = [event.kind for event in read_events(shop.ws.registry, "trade", "shop")]
    assert kinds.count("rolled-back") == 1


def test_what_was_rolled_back_does_not_come_back_after_steps_to_and_fro(shop: Shop) -> None:
    for amount, version in ((1, "1.0.0"), (2, "1.1.0"), (3, "1.2.0")):
        shop.publish(*KEYS, amount=amount, version=version)
    newest = shop.standing()
    published = dict(newest.last_published.data["contracts"]) if newest.last_published else {}
    assert newest.says(published)
    for version in ("1.1.0", "1.0.0", "1.1.0"):
        shop.back(to=version)
    assert shop.amounts() == [2, 2]
    assert {edition.version for edition in shop.standing().left.values()} == {"1.2.0"}
    assert not shop.standing().says(published)
    shop.back(to="1.2.0")
    assert not shop.standing().left
    assert shop.standing().says(published)


def test_a_publication_that_is_no_longer_current_has_to_be_told_again(shop: Shop) -> None:
    shop.publish(*KEYS, amount=1)
    shop.publish(*KEYS, amount=2)
    events = read_events(shop.ws.registry, "trade", "shop")
    standing = standing_of(events)
    told = dict(events[-1].data["contracts"])
    assert standing.says(told)
    standing.current["lines/1"] = standing.earlier["lines/1"][0]
    assert not standing.says(told)


def test_what_an_older_version_published_can_be_gone_back_to_while_the_pointer_keeps_it(shop: Shop) -> None:
    shop.publish(*KEYS, amount=1, told=False)
    shop.publish(*KEYS, amount=2)
    assert (shop.back(), shop.amounts()) == (2, [1, 1])
    assert shop.standing().left.keys() == set(KEYS)  # the next build of the same does not bring it back
    with pytest.raises(RegistryError, match="nothing was published"):
        shop.back()


def test_verify_reads_a_rollback_of_several_ports(shop: Shop) -> None:
    shop.publish(*KEYS, amount=1)
    shop.publish(*KEYS, amount=2)
    shop.back()
    content = Content()
    for file in (shop.ws.registry / "events/trade/shop").iterdir():
        content.visit(file.relative_to(shop.ws.registry).as_posix(), file.read_bytes())
    assert not content.faults
    said, meant = content.standing("trade", "shop"), shop.standing()
    assert {k: e.what for k, e in said.current.items()} == {k: e.what for k, e in meant.current.items()}


def test_tables_of_a_warehouse_are_not_rolled_back_here(tmp_path: Path) -> None:
    ws = Workspace(tmp_path, settings=Settings(targets={"prod": {"type": "postgres"}}))
    (ws.registry / "products/trade/shop").mkdir(parents=True)
    with pytest.raises(RegistryError, match="lie in a warehouse") as told:
        rollback(ws, SHOP, Word("ann", "wrong", NOW))
    assert "factory yank" in told.value.hint


def test_a_rollback_to_what_no_path_is_made_of_is_refused(shop: Shop) -> None:
    shop.publish(*KEYS, amount=1)
    bad = {"contract": "lines", "major": 1, "from": {}, "to": {"version": "1.0.0", "snapshot": "../x"}}
    write_event(shop.ws.registry, SHOP, "rolled-back", {"ports": [bad]}, shop.now)
    with pytest.raises(RegistryError, match="names no contract, version or snapshot"):
        shop.standing()


def test_in_a_clone_without_tables_what_was_rolled_back_can_be_brought_back(shop: Shop) -> None:
    shop.publish(*KEYS, amount=1)
    shop.publish(*KEYS, amount=2)
    left = shop.standing().current["lines/1"].snapshot
    shop.back()
    shutil.rmtree(shop.ws.ports)
    with pytest.raises(RegistryError, match="is not whole") as told:
        shop.back()
    assert f"factory rollback shop --contract lines/1 --to {left}" in told.value.hint
    assert shop.back(contract="lines/1", to=left) == 1
    assert shop.standing().left.keys() == {"orders/1"}
    assert not shop.pointer("lines/1")
