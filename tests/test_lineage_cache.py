"""What was found before is used again, and changes nothing: not after a change, not for two runs at once."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from manifests import a_manifest, write_json

from factory.artifacts import read_manifest
from factory.lineage import Cache, stitch, task, trace_graph
from factory.lineage.cache import fingerprint
from factory.lineage.crew import Crew
from factory.lineage.formats import lineage_values


def a_project(models: int = 30, changed: int = -1) -> dict[str, Any]:
    """Return layers of models, each of which reads two of the layer before it."""
    sql = {"m0": "select 1 as id, 2 as amount, 'x' as name"}
    for number in range(1, models):
        one, two = f'"db"."shop"."m{(number - 1) // 2}"', f'"db"."shop"."m{number // 3}"'
        amount = "a.amount + 1" if number != changed else "a.amount * 7"
        sql[f"m{number}"] = (
            f"with a as (select * from {one}) select a.id, {amount} as amount, b.name "
            f"from a left join {two} as b on a.id = b.id"
        )
    return a_manifest("shop", sql)


def traced(manifest: Path, cache: Cache | None = None, workers: int = 1) -> str:
    lineage = trace_graph(stitch([read_manifest(manifest)]), cache=cache, workers=workers)
    return json.dumps(lineage_values(lineage))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the statements that are read, as they are."""
    found: list[str] = []
    answer = task.answer

    def counted(what: task.Task) -> str:
        found.append(what.sql)
        return answer(what)

    monkeypatch.setattr("factory.lineage.task.answer", counted)
    return found


def test_nothing_is_read_twice(tmp_path: Path, asked: list[str]) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project())
    first = traced(manifest, Cache(tmp_path / "kept/lineage.cache"))
    assert len(asked) == 30
    assert traced(manifest, Cache(tmp_path / "kept/lineage.cache")) == first
    assert len(asked) == 30
    assert traced(manifest) == first


def test_a_changed_model_alone_is_read_again(tmp_path: Path, asked: list[str]) -> None:
    file = tmp_path / "lineage.cache"
    before = write_json(tmp_path / "before.json", a_project())
    after = write_json(tmp_path / "after.json", a_project(changed=1))
    old = traced(before, Cache(file))
    asked.clear()
    new = traced(after, Cache(file))
    assert len(asked) == 1
    assert "* 7" in asked[0]
    assert new == traced(after) != old


def test_readers_of_changed_columns_are_read_again(tmp_path: Path, asked: list[str]) -> None:
    file = tmp_path / "lineage.cache"
    models = {"a": "select 1 as id", "b": 'select * from "db"."shop"."a"', "c": "select 2 as other"}
    traced(write_json(tmp_path / "before.json", a_manifest("shop", models)), Cache(file))
    asked.clear()
    models["a"] = "select 1 as id, 2 as more"
    after = write_json(tmp_path / "after.json", a_manifest("shop", models))
    assert traced(after, Cache(file)) == traced(after)
    assert len(asked) == 2 + 3


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "foreign", "deleted", "a folder"])
def test_a_harmed_cache_changes_nothing(tmp_path: Path, harm: str) -> None:
    file = tmp_path / "lineage.cache"
    manifest = write_json(tmp_path / "manifest.json", a_project())
    right = traced(manifest, Cache(file))
    data = file.read_bytes()
    if harm == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif harm == "flipped":
        file.write_bytes(data.replace(b"amount", b"Amount", 40))
    elif harm == "emptied":
        file.write_bytes(b"")
    elif harm == "foreign":
        file.write_bytes(b"\x00\xff no cache\n \n\n" + data.replace(b"\n", b"\r\n"))
    else:
        file.unlink()
    if harm == "a folder":
        file.mkdir()
    assert traced(manifest, Cache(file)) == right
    assert traced(manifest, Cache(file)) == right


def test_another_reader_of_sql_finds_nothing_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint("select 1")
    assert fingerprint("select 1") == before != fingerprint("select 2")
    monkeypatch.setattr("factory.lineage.cache.engine", lambda: "another version")
    assert fingerprint("select 1") != before


def test_what_is_not_used_any_more_goes(tmp_path: Path) -> None:
    file = tmp_path / "lineage.cache"
    for number in range(6):
        cache = Cache(file)
        for each in range(10):
            cache.put(f"{number}-{each}", "found")
        cache.save()
    assert len(file.read_bytes().splitlines()) == 20


def test_several_processes_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project(60))
    right = traced(manifest)
    monkeypatch.setattr("factory.lineage.crew.WORTH_HELP", 2)
    monkeypatch.setattr("factory.lineage.crew.BATCH", 3)
    assert traced(manifest, workers=2) == right
    assert traced(manifest, Cache(tmp_path / "lineage.cache"), workers=2) == right
    assert traced(manifest, Cache(tmp_path / "lineage.cache"), workers=2) == right


def test_a_process_that_dies_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project(60))
    right = traced(manifest)
    monkeypatch.setattr("factory.lineage.crew.WORTH_HELP", 2)
    # A process of its own imports the task's class by name; where it finds another one, it dies.
    monkeypatch.setenv("PYTHONPATH", str(write_json(tmp_path / "bad/factory/__init__.py", {}).parents[1]))
    assert traced(manifest, workers=2) == right


def test_what_was_found_before_a_process_died_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def submitted(self: object, work: object, tasks: list[task.Task]) -> Future[list[str]]:
        future: Future[list[str]] = Future()
        if tasks[0].sql.endswith("0"):
            future.set_result([task.answer(each) for each in tasks])
        else:
            future.set_exception(BrokenProcessPool("killed"))
        return future

    monkeypatch.setattr("factory.lineage.crew.ProcessPoolExecutor.submit", submitted)
    monkeypatch.setattr("factory.lineage.crew.WORTH_HELP", 2)
    tasks = [(str(n), task.Task(f"select {n}", "duckdb", (), (), (), ())) for n in range(8)]
    with Crew(2) as crew:
        found = crew.work(tasks, wait=True)
        while crew.busy:
            found += crew.work([], wait=True)
    assert sorted(key for key, _ in found) == sorted(key for key, _ in tasks)


def test_two_runs_at_once_share_a_cache(tmp_path: Path) -> None:
    manifest = write_json(tmp_path / "manifest.json", a_project(80))
    right = traced(manifest)
    command = [
        sys.executable,
        "-m",
        "factory",
        "lineage",
        "--manifest",
        str(manifest),
        "--format",
        "json",
        "-o",
    ]
    for round_ in range(2):
        outputs = [tmp_path / f"{round_}-{number}.json" for number in range(3)]
        runs = [subprocess.Popen([*command, str(output)], stderr=subprocess.PIPE) for output in outputs]
        assert [run.wait() for run in runs] == [0, 0, 0], runs[0].communicate()
        for run in runs:
            assert run.stderr is not None
            run.stderr.close()
        assert {json.dumps(json.loads(output.read_bytes())) for output in outputs} == {right}
    assert len(list((tmp_path / "home").rglob("lineage/*.cache"))) == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    manifest = write_json(tmp_path / "manifest.json", a_project())
    assert traced(manifest, Cache(tmp_path / "file/lineage.cache")) == traced(manifest)
