"""What several workspaces do to one product of a shared registry at the same moment; without dbt."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import crowd
import pytest

from factory.addresses import Address
from factory.certify import certify
from factory.errors import NameTakenError, PublishRefusedError, RegistryError
from factory.locking import registry_locked
from factory.publish import Publisher
from factory.registry import control
from factory.registry.certificates import newest_certificate, revoke_newest, valid_until, write_certificate
from factory.registry.control import Word
from factory.registry.events import read_events, write_event
from factory.registry.index import read_index
from factory.registry.ports import point_to, port_folder, refuse_swept, sweep_snapshots
from factory.registry.standing import read_standing
from factory.registry.store import Registry
from factory.registry.verify import verify
from factory.registry.views import refresh_ports_database
from factory.verdict import judged
from factory.workspace import Settings, Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAME, DOMAIN = crowd.product_name(0), crowd.domain_of(0)
URN = str(Address(DOMAIN, NAME))


def word(reason: str = "because") -> Word:
    return Word("ann", reason, datetime.now(UTC))


def publish_while(ws: Workspace, meanwhile: Callable[[], object], version: str = "1.1.0") -> None:
    """Publish a version, while somebody else does something just before the event is written."""
    evidence = crowd.evidence_of(ws.root, 0, version)
    certificate = certify(evidence)
    publisher = Publisher(ws, publish=True)
    certify_it = Registry.certify

    def certified(*arguments: object) -> object:
        meanwhile()
        return certify_it(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "certify", certified)
        result = judged(evidence, certificate)
        publisher.publish(evidence, result, certificate, {NAME: evidence.product}, {}, datetime.now(UTC))


@pytest.fixture
def shared(tmp_path: Path) -> Workspace:
    ws = crowd.a_place(tmp_path)
    assert crowd.publish(ws, crowd.evidence_of(tmp_path, 0, "1.0.0"))
    return ws


def kinds(ws: Workspace) -> list[str]:
    return [event.kind for event in read_events(ws.registry, DOMAIN, NAME)]


def test_a_product_that_is_removed_while_it_is_published_stays_removed(shared: Workspace) -> None:
    with pytest.raises(NameTakenError):
        publish_while(shared, lambda: control.remove(shared, NAME, word()))
    assert kinds(shared) == ["published", "removed"]
    assert read_index(shared)["products"] == []


def test_a_version_that_is_yanked_while_it_is_published_stays_yanked(shared: Workspace) -> None:
    with pytest.raises(PublishRefusedError, match="was yanked") as told:
        publish_while(shared, lambda: control.yank(shared, NAME, "1.1.0", word("wrong")))
    assert f"factory yank {NAME}.{NAME} 1.1.0 --undo" in told.value.hint
    assert kinds(shared) == ["published", "yanked"]


def test_what_is_rolled_back_while_it_is_published_again_stays_rolled_back(shared: Workspace) -> None:
    crowd.publish(shared, crowd.evidence_of(shared.root, 0, "1.1.0"))

    def back() -> None:
        ends = {"from": {"version": "1.1.0"}, "to": {"version": "1.0.0"}}
        about = {"contract": NAME, "major": 1, **ends}
        write_event(shared.registry, URN, "rolled-back", about, datetime.now(UTC))

    with pytest.raises(PublishRefusedError, match="was rolled back"):
        publish_while(shared, back)
    assert read_standing(shared.registry, DOMAIN, NAME).current[f"{NAME}/1"].version == "1.0.0"


def test_a_word_that_two_say_at_once_is_told_once(shared: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    found = control._contract_in
    first = [True]

    def found_late(*arguments: object) -> object:
        answer = found(*arguments)  # type: ignore[arg-type]
        if first:
            first.clear()
            control.yank(shared, NAME, "1.0.0", word("mine"))
        return answer

    monkeypatch.setattr(control, "_contract_in", found_late)
    said = control.yank(shared, NAME, "1.0.0", word("yours"))
    assert (said.is_news, kinds(shared)) == (False, ["published", "yanked"])


def test_a_snapshot_that_another_run_is_about_to_point_to_is_not_swept(tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    for name in ("kept", "dropped", "exported", "forgotten"):
        (folder / name).mkdir(parents=True)
    long_ago = time.time() - 7200
    os.utime(folder / "forgotten", (long_ago, long_ago))
    pointer, before = ({"snapshots": [{"snapshot": name}]} for name in ("kept", "dropped"))
    sweep_snapshots(folder, pointer, before)
    assert sorted(f.name for f in folder.iterdir()) == ["exported", "kept"]


def test_nothing_points_to_a_snapshot_that_is_gone(tmp_path: Path) -> None:
    evidence = crowd.evidence_of(tmp_path, 0, "1.0.0")
    with pytest.raises(RegistryError, match="removed by another run"):
        refuse_swept(crowd.a_place(tmp_path), evidence.product, evidence.contracts[0], "0" * 20)


def test_a_pointer_keeps_its_older_snapshots_where_the_tables_of_the_newest_are_gone(tmp_path: Path) -> None:
    ws = crowd.a_place(tmp_path)
    evidence = crowd.evidence_of(tmp_path, 0, "1.0.0")
    product, contract = evidence.product, evidence.contracts[0]
    (table,) = (evidence.artifacts.relations[each] for each in contract.tables)
    folder = port_folder(ws, product.domain, product.name, contract.name, contract.major)
    for name in ("1", "2", "3"):
        (folder / name).mkdir(parents=True)
        (folder / name / f"{table.identifier}.parquet").write_text(name, "utf-8")
        if name == "3":
            (folder / "2" / f"{table.identifier}.parquet").unlink()
        assert point_to(ws, product, contract, name, [table])
    kept = [each["snapshot"] for each in json.loads((folder / "current.json").read_bytes())["snapshots"]]
    assert kept == ["3", "2", "1"]
    assert (folder / "1").is_dir()


def test_two_workspaces_take_turns_with_the_database_of_ports(tmp_path: Path) -> None:
    one = Workspace(tmp_path / "one", settings=Settings(publish_to="../shared"))
    two = Workspace(tmp_path / "two", settings=Settings(publish_to="../shared"))
    done: list[bool] = []
    with registry_locked(one.ports):
        other = threading.Thread(target=lambda: done.append(refresh_ports_database(two)))
        other.start()
        other.join(0.5)
        assert not done
    other.join(30)
    assert done == [True]


def test_a_certificate_counts_after_one_of_a_clock_that_was_ahead(tmp_path: Path) -> None:
    write_certificate(tmp_path, {"version": "1.0.0"}, NOW + timedelta(hours=1), 90)
    assert revoke_newest(tmp_path, ["late"], NOW + timedelta(hours=1))
    assert valid_until(tmp_path) is None
    write_certificate(tmp_path, {"version": "1.0.0", "mark": "newest"}, NOW, 90)
    assert valid_until(tmp_path) == NOW + timedelta(days=90)
    assert newest_certificate(tmp_path)["mark"] == "newest"


def test_verify_names_an_event_of_which_no_path_is_made(shared: Workspace) -> None:
    assert not verify(shared, NOW).faults
    (shared.ports / DOMAIN).mkdir(parents=True)
    for number, bad in enumerate(
        ({"contract": NAME, "version": "1.0.0/../x"}, {"version": "1.0.0"}, {"contract": NAME}), 1
    ):
        event = write_event(shared.registry, URN, "yanked", bad, NOW)
        faults = [f for f in verify(shared, NOW).faults if f.code == "unreadable-record"]
        assert len(faults) == number
        assert event.file.name in {f.place.rpartition("/")[2] for f in faults}
    assert verify(shared, NOW).faults
