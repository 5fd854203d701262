"""The history of runs: compacted without losing a figure, whatever happens meanwhile."""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import PROPERTY
from conftest import FULL, Command
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from factory.errors import LockedError, RegistryError
from factory.locking import locked
from factory.registry import history
from factory.registry.compaction import Compacted, compact, digest
from factory.registry.figures import TABLES, record_of, rows_of
from factory.registry.runs import (
    Fault,
    Run,
    last_run,
    products_of,
    read_all,
    read_runs,
    runs_of,
    stamp,
    write_run,
)
from factory.standards import schema
from factory.workspace import Workspace

NOW = datetime(2026, 11, 20, 23, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    root = tmp_path / "mesh"
    root.mkdir()
    (root / "pyproject.toml").write_text('[tool.factory]\ntitle = "Test"\n', "utf-8")
    return Workspace(root)


def record(number: int, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    """Return a record as a build writes it."""
    check = {
        "key": "test.shop.not_null", "contract": "shop/1", "table": "orders", "column": "order_id", "name": "not_null",
        "origin": "dbt", "kind": "not_null", "file": "products/shop/models/_orders.yml", "line": 7,
        "dimension": "completeness", "severity": "error", "outcome": "pass", "reason": "", "measured": 0.0,
        "threshold": "= 0", "failed_rows": 0, "checked_rows": number, "milliseconds": number / 7,
    }  # fmt: skip
    return {
        "schema_version": 1,
        "product": "urn:dpf:trade:shop",
        "at": at.isoformat(),
        "kind": "build",
        "outcome": "certified",
        "version": "1.0.0",
        "contracts": {"shop/1": "1.0.0"},
        "milliseconds": 1000 + number,
        "reasons": [],
        "ports": [{"contract": "shop/1", "table": "orders", "rows": number, "bytes": 9 * number,
                   "read_milliseconds": 1.25, "elements": {"day": {"oldest": "2024-01-01T00:00:00Z"}}, "error": ""}],
        "checks": [check, {**check, "key": "soda:shop.yml:3", "outcome": "fail", "measured": number / 3,
                           "failed_rows": None, "reason": f"{number} größer als 3"}],
        "levels": [{"contract": "shop/1", "property": "frequency", "element": "frequency", "target": "1", "unit": "d",
                    "description": "", "measured": None, "measured_unit": "d", "verdict": "not measured",
                    "reason": "nothing ran"}],
        "measurements": {"metric-orders-row_count": float(number), "metric-orders-avg": number / 9},
        "scores": {"product": 98.2, "contracts": {"shop/1": 98.2}, "tables": {"orders": 99.0}},
        **more,
    }  # fmt: skip


def filled(ws: Workspace, days: int, products: tuple[str, ...] = ("shop", "sales")) -> list[bytes]:
    """Write a run a day per product; return the digests of all, sorted."""
    for product in products:
        for day in range(days):
            at = NOW - day * DAY
            write_run(ws.registry, "trade", product, record(day, at, of=product), at)
    return digests(ws)


def digests(ws: Workspace) -> list[bytes]:
    """Return the digests of all runs, sorted; what cannot be read fails the test."""
    faults: list[Fault] = []
    found = sorted(digest(run.record) for run in read_all(ws.registry, faults=faults))
    assert faults == []
    return found


def json_files(ws: Workspace) -> list[Path]:
    return sorted((ws.registry / "runs").rglob("*.json"))


def leftovers(ws: Workspace) -> list[Path]:
    return [file for file in ws.registry.rglob("*") if file.name.endswith(".tmp")]


def put(
    ws: Workspace, text: str | bytes, name: str = "20261101T000000-00000000", product: str = "shop"
) -> Path:
    file = ws.registry / "runs/trade" / product / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


# Exactness

_NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
    st.sampled_from(
        [0, -0.0, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**40, 5e-324,
         1.7976931348623157e308, True, False]
    ),
)  # fmt: skip
_TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["", "a\0b", "\ud800", "null", "measured=null x=int", "\u2028"])
)
_VALUES = st.recursive(
    st.one_of(st.none(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def _items(table: str) -> st.SearchStrategy[Any]:
    kinds = {"text": _TEXTS, "whole": _NUMBERS, "number": _NUMBERS, "json": _VALUES}
    known = {name: kinds[kind] | st.none() | _VALUES for name, kind in TABLES[table].fields.items()}
    more = st.sampled_from(["marks", "extra", "position", "run", "domain", "urn", "new"]) | _TEXTS
    return st.builds(
        lambda own, other: {**other, **own},
        st.fixed_dictionaries({}, optional=known),
        st.dictionaries(more, _VALUES, max_size=2),
    )


_RECORDS = st.builds(
    lambda own, parts: {**own, **parts},
    _items("runs"),
    st.fixed_dictionaries(
        {},
        optional={
            **{name: st.lists(_items(name), max_size=3) | _VALUES for name in ("checks", "levels", "ports")},
            "measurements": st.dictionaries(_TEXTS, _NUMBERS, max_size=3) | _VALUES,
        },
    ),
)


@PROPERTY
@given(_RECORDS)
@example({})
@example({"checks": [], "levels": None, "measurements": {}, "ports": [{}, {}]})
@example({"checks": [{"measured": -0.0}, {"measured": 0}, {"measured": 0.0}, {"measured": None}, {}]})
def test_rows_make_the_record_they_were_made_of(one: dict[str, Any]) -> None:
    rows = {
        table: [tuple(row.get(column) for column in TABLES[table].columns) for row in own]
        for table, own in rows_of(one).items()
    }
    assert digest(record_of(rows)) == digest(one)


@settings(PROPERTY, max_examples=200 if FULL else 25)
@given(st.lists(_RECORDS, min_size=1, max_size=20))
def test_every_record_reads_after_compaction_as_it_did_before(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]
) -> None:
    ws = Workspace(tmp_path_factory.mktemp("mesh"))
    for number, one in enumerate(records):
        at = NOW - number * 9 * DAY
        write_run(ws.registry, "trade", f"shop{number % 3}", one, at)
    assert sorted(map(digest, records)) == digests(ws)
    done = compact(ws, NOW - 80 * DAY)
    assert digests(ws) == sorted(map(digest, records))
    done = compact(ws)
    assert done.faults == ()
    assert json_files(ws) == []
    assert digests(ws) == sorted(map(digest, records))


def test_floats_stay_bit_for_bit(ws: Workspace) -> None:
    chosen = random.Random(7)
    floats = [struct.unpack("<d", chosen.randbytes(8))[0] for _ in range(20_000)]
    floats = [value for value in floats if value == value and abs(value) != float("inf")]
    checks = [{"key": str(n % 50), "measured": value} for n, value in enumerate(floats)]
    write_run(ws.registry, "trade", "shop", {"checks": checks}, NOW)
    compact(ws)
    (read,) = read_runs(ws.registry, "trade", "shop")
    assert [struct.pack("<d", check["measured"]) for check in read["checks"]] == [
        struct.pack("<d", value) for value in floats
    ]


def test_what_is_no_json_is_refused(ws: Workspace) -> None:
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(RegistryError, match="the record of a run is not JSON"):
            write_run(ws.registry, "trade", "shop", {"measured": value}, NOW)
    assert json_files(ws) == []


def test_the_figures_stand_in_plain_tables(ws: Workspace) -> None:
    filled(ws, 3)
    compact(ws)
    folder = f"{ws.registry}/history/*/*"
    query = f"""
        select c.key, c.measured, r.at from '{folder}/checks.parquet' c join '{folder}/runs.parquet' r
        using (domain, product, run) where c.product = 'shop' order by all"""
    with duckdb.connect() as connection:
        rows = connection.execute(query).fetchall()
    assert rows[0] == ("soda:shop.yml:3", 0.0, NOW.isoformat())
    assert len(rows) == 6


def test_a_record_of_an_older_version_reads_as_it_is(ws: Workspace) -> None:
    old = {"product": "urn:dpf:trade:shop", "at": "2024-01-01T00:00:00+00:00", "outcome": "certified",
           "version": "1.0.0", "milliseconds": 12, "checks": [{"key": "a", "outcome": "pass", "measured": None}]}  # fmt: skip
    write_run(ws.registry, "trade", "shop", old, NOW)
    assert read_runs(ws.registry, "trade", "shop") == (old,)
    compact(ws)
    assert read_runs(ws.registry, "trade", "shop") == (old,)


# Reading


def test_runs_are_read_oldest_first_from_both_places(ws: Workspace) -> None:
    filled(ws, 60)
    done = compact(ws, NOW - 7 * DAY)
    assert (done.runs, done.checks, done.months) == (2 * 52, 2 * 52 * 2, ("2026-09", "2026-10", "2026-11"))
    assert len(json_files(ws)) == 2 * 8
    read = read_runs(ws.registry, "trade", "shop")
    assert [one["milliseconds"] for one in read] == [1000 + day for day in reversed(range(60))]
    recent = read_runs(ws.registry, "trade", "shop", since=NOW - 30 * DAY)
    assert [one["milliseconds"] for one in recent] == [1000 + day for day in reversed(range(31))]
    for limit in (0, 1, 3, 8, 9, 30, 100):
        newest = read_runs(ws.registry, "trade", "shop", limit=limit)
        assert newest == (read[-limit:] if limit else ())
        newest = read_runs(ws.registry, "trade", "shop", since=NOW - 30 * DAY, limit=limit)
        assert newest == (recent[-limit:] if limit else ())
    assert last_run(ws.registry, "trade", "shop") == read[-1]
    compact(ws)
    assert last_run(ws.registry, "trade", "shop") == read[-1]
    assert last_run(ws.registry, "trade", "nobody") is None
    assert read_runs(ws.registry, "trade", "shop") == read
    assert products_of(ws.registry) == [("trade", "sales"), ("trade", "shop")]


def test_the_newest_run_may_be_in_parquet_while_an_older_one_is_a_file(ws: Workspace) -> None:
    filled(ws, 3, ("shop",))
    compact(ws)
    put(ws, json.dumps({"late": True}), f"{stamp(NOW - 40 * DAY)}-00000000")
    assert last_run(ws.registry, "trade", "shop") == read_runs(ws.registry, "trade", "shop")[-1]
    assert "late" in read_runs(ws.registry, "trade", "shop")[0]
    assert len(read_runs(ws.registry, "trade", "shop", limit=2)) == 2


def test_an_id_is_the_time_in_utc(ws: Workspace) -> None:
    from datetime import timezone

    at = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    run = write_run(ws.registry, "trade", "shop", record(1), at)
    assert run.startswith("20251231T230000-")
    assert runs_of(ws.registry, "trade", "shop") == (Run(run, "trade", "shop", record(1)),)


def test_products_of_one_name_in_two_domains_stay_apart(ws: Workspace) -> None:
    for domain in ("a", "b"):
        write_run(ws.registry, domain, "shop", {"of": domain}, NOW)
    for _ in range(2):
        assert [run.record for run in read_all(ws.registry)] == [{"of": "a"}, {"of": "b"}]
        assert read_runs(ws.registry, "b", "shop") == ({"of": "b"},)
        compact(ws)


# Files that cannot be read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is not JSON"),
        ('{"product": "x", "che', "it is not JSON"),
        ("[1]", "it holds no record"),
        ('{"measured": NaN}', "NaN is no number"),
        (b"\xff\xfe\x00\x01\x02", "it is not JSON"),
        ("[" * 200_000, "it is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "it is not JSON"),
    ],
    ids=["empty", "half", "list", "nan", "bytes", "deep", "long"],
)
def test_a_broken_file_is_passed_over_told_and_kept(ws: Workspace, text: str | bytes, reason: str) -> None:
    filled(ws, 3, ("shop",))
    file = put(ws, text)
    faults: list[Fault] = []
    assert len(read_runs(ws.registry, "trade", "shop", faults=faults)) == 3
    assert [fault.file for fault in faults] == [file]
    assert reason in faults[0].reason
    done = compact(ws)
    assert (done.runs, [fault.file for fault in done.faults]) == (3, [file])
    assert json_files(ws) == [file]
    faults = []
    assert len(list(read_all(ws.registry, faults=faults))) == 3
    assert [fault.file for fault in faults] == [file]


def test_the_last_run_is_the_newest_that_can_be_read(ws: Workspace) -> None:
    filled(ws, 2, ("shop",))
    put(ws, "{", f"{stamp(NOW + DAY)}-00000000")
    found = last_run(ws.registry, "trade", "shop")
    assert found is not None
    assert found["milliseconds"] == 1000


def test_a_number_beyond_floats_stays_in_its_file(ws: Workspace) -> None:
    file = put(ws, '{"measured": 1e999}')
    assert [fault.file for fault in compact(ws).faults] == [file]
    assert file.is_file()


def test_a_foreign_file_is_told_and_stays(ws: Workspace) -> None:
    filled(ws, 1, ("shop",))
    file = put(ws, "{}", "notes")
    assert compact(ws).faults == (Fault(file, "its name is not that of a run"),)
    assert json_files(ws) == [file]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("harm", ["cut", "gone", "other"])
def test_a_broken_parquet_folder_is_told_and_stays(ws: Workspace, table: str, harm: str) -> None:
    filled(ws, 3, ("shop",))
    compact(ws)
    (folder,) = history.folders(ws.registry)
    file = folder / f"{table}.parquet"
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-20])
    elif harm == "gone":
        file.unlink()
    else:
        with duckdb.connect() as connection:
            connection.execute(f"copy (select 1 as one) to '{file}'")
    filled_again = NOW - 5 * DAY
    write_run(ws.registry, "trade", "shop", record(1), filled_again)
    faults: list[Fault] = []
    assert len(read_runs(ws.registry, "trade", "shop", faults=faults)) == 1
    assert [fault.file for fault in faults] == [folder]
    done = compact(ws)
    assert [fault.file for fault in done.faults] == [folder]
    assert len(read_runs(ws.registry, "trade", "shop")) == 1
    assert folder in history.folders(ws.registry)
    assert len(history.folders(ws.registry)) == 2


# Converging


def test_a_month_has_one_folder_however_often_it_is_compacted(ws: Workspace) -> None:
    before = filled(ws, 15)
    for day in (10, 5, 5, 0, -1):
        compact(ws, NOW - day * DAY)
        assert len(history.folders(ws.registry)) == 1
        assert digests(ws) == before
    assert json_files(ws) == []
    assert compact(ws).months == ()


def test_what_two_clones_compacted_is_one_after_a_merge(ws: Workspace, tmp_path: Path) -> None:
    before = filled(ws, 15)
    clone = Workspace(tmp_path / "clone")
    shutil.copytree(ws.root, clone.root)
    compact(ws, NOW - 3 * DAY)
    compact(clone, NOW - 6 * DAY)
    shutil.copytree(clone.registry / "history", ws.registry / "history", dirs_exist_ok=True)
    shutil.copytree(clone.registry / "runs", ws.registry / "runs", dirs_exist_ok=True)
    assert len(history.folders(ws.registry)) == 2
    assert digests(ws) == before
    assert len(read_runs(ws.registry, "trade", "shop", limit=9)) == 9
    compact(ws)
    assert len(history.folders(ws.registry)) == 1
    assert (digests(ws), json_files(ws), leftovers(ws)) == (before, [], [])


def test_a_file_that_says_other_than_the_history_stays(ws: Workspace) -> None:
    filled(ws, 2, ("shop",))
    one = json_files(ws)[0]
    text = one.read_text("utf-8")
    compact(ws)
    one.write_text(text, "utf-8")
    compact(ws)
    assert not one.exists()
    one.write_text(text.replace("certified", "refused"), "utf-8")
    (fault,) = compact(ws).faults
    assert fault.file == one
    assert "the history has another record of this run" in fault.reason
    assert one.is_file()


def test_nothing_to_compact_changes_nothing(ws: Workspace) -> None:
    assert compact(ws) == Compacted(0, 0, (), 0, 0, 0, 0, ())
    filled(ws, 3)
    done = compact(ws, NOW - 7 * DAY)
    assert (done.runs, done.months, done.files_before, done.files_after) == (0, (), 6, 6)
    assert not list((ws.registry / "history").glob("*"))


# Crashes

#: Forks a process per line of its input, which compacts and is killed: before its nth step that the audit hook sees
#: (files opened, renamed, deleted, folders made and listed), or after some milliseconds. It says what became of it.
_KILLER = """
import os, signal, sys, time
from pathlib import Path
import duckdb
from factory.registry.compaction import compact
from factory.workspace import Workspace
for line in sys.stdin:
    how, number, root = line.rstrip("\\n").split(" ", 2)
    child = os.fork()
    if child == 0:
        left = int(number)
        def count(event, arguments):
            global left
            if event == "open" or event.startswith(("os.", "shutil.")):
                left -= 1
                if left == -1:
                    os.kill(os.getpid(), signal.SIGKILL)
        if how == "step":
            sys.addaudithook(count)
        compact(Workspace(Path(root)))
        os._exit(0)
    if how == "time":
        time.sleep(int(number) / 1000)
        os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@contextmanager
def killer() -> Iterator[subprocess.Popen[str]]:
    program = [sys.executable, "-c", _KILLER]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def killed(process: subprocess.Popen[str], how: str, number: int, ws: Workspace) -> bool:
    """Compact in a process that is killed; say whether it was, before it was done."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{how} {number} {ws.root}\n")
    process.stdin.flush()
    status = int(process.stdout.readline())
    assert status in (0, 9)
    return status == 9


@pytest.fixture
def prepared(ws: Workspace) -> Workspace:
    """Two months of runs: one is compacted in part, and has two folders, of which one holds runs of the other."""
    filled(ws, 24, ("shop", "sales", "board"))
    clone = Workspace(ws.root.parent / "clone")
    shutil.copytree(ws.root, clone.root)
    compact(ws, NOW - 12 * DAY)
    compact(clone, NOW - 16 * DAY)
    shutil.copytree(clone.registry / "history", ws.registry / "history", dirs_exist_ok=True)
    shutil.rmtree(clone.root)
    return ws


@pytest.mark.parametrize("how", ["step", "time"])
def test_a_compaction_that_is_killed_loses_nothing(prepared: Workspace, tmp_path: Path, how: str) -> None:
    before = digests(prepared)
    chosen = random.Random(11)
    kills = set()
    with killer() as process:
        last = 0
        if how == "step":  # how many steps are there?
            low, high = 0, 4000
            while low < high:
                middle = (low + high) // 2
                trial = Workspace(tmp_path / "trial")
                shutil.copytree(prepared.root, trial.root)
                low, high = (middle + 1, high) if killed(process, how, middle, trial) else (low, middle)
                shutil.rmtree(trial.root)
            last = low
            assert last > 100
            steps = range(last) if FULL else sorted(chosen.sample(range(last), 30))
        else:
            trial = Workspace(tmp_path / "trial")
            shutil.copytree(prepared.root, trial.root)
            started = time.monotonic()
            assert not killed(process, "step", 1_000_000_000, trial)
            whole = round(1000 * (time.monotonic() - started))  # milliseconds, unless it is killed
            shutil.rmtree(trial.root)
            steps = [chosen.randrange(1, max(whole, 2)) for _ in range(400 if FULL else 12)]
        for number in steps:
            round_ = Workspace(tmp_path / "round")
            shutil.copytree(prepared.root, round_.root)
            if killed(process, how, number, round_):
                kills.add(number)
            assert digests(round_) == before, f"killed after {number}"
            assert len(read_runs(round_.registry, "trade", "shop")) == 24
            compact(round_)
            assert digests(round_) == before, f"killed after {number}, and compacted again"
            assert (json_files(round_), leftovers(round_)) == ([], [])
            assert len(history.folders(round_.registry)) == 2
            shutil.rmtree(round_.root)
    assert len(kills) >= (len(steps) if how == "step" else 1)


@pytest.mark.parametrize("limit", [100, 5_000, 100_000, 300_000, 1_000_000])
def test_a_disk_that_is_full_leaves_everything_as_it_was(prepared: Workspace, limit: int) -> None:
    before, files = digests(prepared), sorted(prepared.registry.rglob("*"))
    program = f"""
import resource
from pathlib import Path
from factory.errors import FactoryError
from factory.registry.compaction import compact
from factory.workspace import Workspace
import duckdb
ws = Workspace(Path({str(prepared.root)!r}))
ws.work.mkdir(parents=True, exist_ok=True)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    compact(ws)
except FactoryError as error:
    print("told:", error.message)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert digests(prepared) == before
    assert leftovers(prepared) == []
    if limit <= 5_000:
        assert "told: compacting the history failed" in done.stdout
    if "told" in done.stdout:
        assert sorted(prepared.registry.rglob("*")) == files
        assert compact(prepared).months == ("2026-11",)
    assert digests(prepared) == before


# Several at once

_COMPACTS = """
import sys
from pathlib import Path
from factory.registry.compaction import compact
from factory.workspace import Workspace
while not (Path(sys.argv[1]) / "enough").exists():
    done = compact(Workspace(Path(sys.argv[1])))
    assert done.faults == (), done.faults
"""


def test_runs_are_written_and_read_while_two_compactions_go_on(ws: Workspace) -> None:
    rounds = 200 if FULL else 40
    command = [sys.executable, "-c", _COMPACTS, str(ws.root)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    written: set[str] = set()
    try:
        for number in range(rounds):
            at = NOW - (number % 45) * DAY
            for product in ("shop", "sales"):
                written.add(write_run(ws.registry, "trade", product, record(number), at))
            faults: list[Fault] = []
            read = [run.id for run in read_all(ws.registry, faults=faults)]
            assert (sorted(read), faults) == (sorted(written), [])
            runs = [run.id for run in runs_of(ws.registry, "trade", "shop", NOW - 30 * DAY)]
            assert runs == sorted(set(runs))
    finally:
        (ws.root / "enough").touch()
        errors = [process.communicate(timeout=60)[1] for process in processes]
    assert errors == ["", ""]
    compact(ws)
    assert json_files(ws) == []
    assert sorted(run.id for run in read_all(ws.registry)) == sorted(written)


def test_one_compaction_at_a_time(ws: Workspace) -> None:
    filled(ws, 1)
    with locked(ws, what="history"), pytest.raises(LockedError):
        compact(ws, seconds=0.1)


# Commands


def test_a_record_is_as_its_schema_says(ws: Workspace) -> None:
    Draft202012Validator(schema("history.schema.json")).validate(record(3))


def test_history_is_listed_and_compacted(
    ws: Workspace, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ws.root)
    now = datetime.now(UTC)
    for day in (0, 10, 40):
        write_run(ws.registry, "trade", "shop", record(day, now - day * DAY), now - day * DAY)
    write_run(ws.registry, "trade", "sales", {"outcome": "refused"}, now - DAY)
    broken = put(ws, "{", "20200101T000000-00000000")
    first = factory("history", "list", "--since", "P60D", "--format", "json")
    Draft202012Validator(schema("history-list.schema.json")).validate(first.json)
    assert [(r["product"], r["rows"], r["checks"]) for r in first.json["runs"]] == [
        ("shop", 0, {"passed": 1, "total": 2}),
        ("sales", None, {"passed": 0, "total": 0}),
        ("shop", 10, {"passed": 1, "total": 2}),
        ("shop", 40, {"passed": 1, "total": 2}),
    ]
    done = factory("history", "compact", "--format", "json")
    assert done.code == 0
    Draft202012Validator(schema("history-compact.schema.json")).validate(done.json)
    assert (done.json["runs"], done.json["checks"]) == (2, 4)
    assert done.json["faults"] == [
        {"file": broken.relative_to(ws.root).as_posix(), "reason": done.json["faults"][0]["reason"]}
    ]
    assert "Nothing to compact." in factory("history", "compact", "--keep", "2w").out
    assert (
        factory("history", "list", "--since", "P60D", "--format", "json").json["runs"] == first.json["runs"]
    )
    assert "Compacted 2 runs with 2 checks" in factory("history", "compact", "--all").out
    assert (
        factory("history", "list", "--since", "P60D", "--format", "json").json["runs"] == first.json["runs"]
    )
    assert [r["rows"] for r in factory("history", "list", "shop", "--format", "json").json["runs"]] == [0, 10]
    text = factory("history", "list", "shop", "--since", "2020-01-01").out
    assert "1/2" in text
    assert "certified" in text
    assert "These cannot be read" in text
    assert "No runs in this time." in factory("history", "list", "shop", "--since", "2999-01-01").out


def test_mistakes_are_told(ws: Workspace, factory: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ws.root)
    assert "Nothing to compact." in factory("history", "compact").out
    filled(ws, 1)
    wrong = factory("history", "list", "shopp")
    assert (wrong.code, "did you mean 'shop'?" in wrong.err) == (2, True)
    wrong = factory("history", "list", "--since", "yesterday")
    assert (wrong.code, "write 12h, 30d, 4w, P30D" in wrong.err) == (2, True)
    wrong = factory("history", "compact", "--all", "--keep", "3d")
    assert (wrong.code, "exclude each other" in wrong.err) == (2, True)
    assert factory("history", "compact", "--keep", "99999999d").code == 2
