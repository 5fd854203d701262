"""Compacted runs between workspaces that share a bucket: none is lost, and none comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from object_stores import InBucket, Server, moto_server

from factory.registry import history
from factory.registry.compaction import compact
from factory.registry.remote import pull, push
from factory.registry.runs import read_all, write_run
from factory.workspace import Workspace

NOW = datetime(2026, 11, 20, 23, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def shared(moto: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InBucket:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    return InBucket(tmp_path, moto.address())


def fill(ws: Workspace, days: int, start: int = 0) -> None:
    for day in range(start, start + days):
        at = NOW - day * DAY
        record = {
            "schema_version": 1,
            "at": at.isoformat(),
            "kind": "build",
            "outcome": "certified",
            "checks": [],
        }
        write_run(ws.registry, "trade", "shop", record, at, run=f"{at:%Y%m%dT%H%M%S}-{day:08x}")


def runs(ws: Workspace) -> list[str]:
    return [run.id for run in read_all(ws.registry)]


def json_files(ws: Workspace) -> int:
    return len(list((ws.registry / "runs").rglob("*.json")))


def in_bucket(shared: InBucket, ws: Workspace) -> tuple[int, int]:
    """Return how many runs and how many folders of the history the bucket has."""
    from factory.registry.remote import open_store

    store = open_store(shared.address, ws.root)
    folders = {entry.key.rpartition("/")[0] for entry in store.entries("registry/history")}
    return len(store.entries("registry/runs")), len(folders)


def test_runs_that_one_workspace_compacted_are_compacted_for_all(shared: InBucket) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    fill(one, 15)
    push(one)
    pull(two)
    assert (len(runs(two)), json_files(two)) == (15, 15)
    compact(one, NOW - 3 * DAY)
    pull(one)
    assert json_files(one) == 4, "a compacted run came back"
    push(one)
    assert in_bucket(shared, one) == (4, 1)
    for ws in (two, shared.workspace("three")):
        pull(ws)
        push(ws)
        assert runs(ws) == runs(one)
    assert in_bucket(shared, one) == (4, 1)


def test_a_folder_that_a_larger_one_took_in_goes_and_stays_away(shared: InBucket) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    fill(one, 15)
    compact(one, NOW - 9 * DAY)
    push(one)
    pull(two)
    compact(one, NOW - 3 * DAY)
    push(one)
    assert in_bucket(shared, one) == (4, 1)
    pull(two)
    push(two)
    pull(one)
    assert len(history.folders(one.registry)) == 1
    assert runs(one) == runs(two) and len(runs(one)) == 15
    compact(two)
    push(two)
    for _ in range(2):
        for ws in (one, two):
            pull(ws)
            push(ws)
    fresh = shared.workspace("fresh")
    pull(fresh)
    assert runs(fresh) == runs(one) == runs(two)
    assert in_bucket(shared, one) == (0, 1)


def test_what_two_workspaces_compacted_at_once_is_all_there(shared: InBucket) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    fill(one, 15)
    push(one)
    pull(two)
    fill(two, 3, start=15)
    compact(one, NOW - 3 * DAY)
    compact(two, NOW - 6 * DAY)
    push(one)
    push(two)
    for _ in range(2):
        for ws in (one, two):
            pull(ws)
            push(ws)
    fresh = shared.workspace("fresh")
    pull(fresh)
    assert runs(fresh) == runs(one) == runs(two)
    assert len(runs(fresh)) == 18
    assert in_bucket(shared, one)[0] == 4


def test_two_that_compacted_the_same_runs_apart_keep_one_of_the_two_folders(shared: InBucket) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    for ws in (one, two):
        fill(ws, 5)
        compact(ws)
    folders = [history.folders(ws.registry)[0].name for ws in (one, two)]
    assert folders[0] == folders[1], "the same runs give the same bytes"
    push(one)
    push(two)
    assert in_bucket(shared, one) == (0, 1)
