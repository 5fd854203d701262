"""Many processes at one registry: nothing is lost, nobody reads half of anything, and locks go with who holds them."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import crowd
import pytest
import torture
from conftest import FULL
from faults import Fault, in_child, on_a_small_disk
from torture import Yard, faults_in, litter_in, state_of

from factory.errors import LockedError, VersionExistsError
from factory.locking import locked, registry_locked
from factory.registry import read_index
from factory.registry.control import Word, yank
from factory.registry.events import read_events
from factory.registry.index import index_text
from factory.registry.rebuild import rebuild
from factory.registry.store import Registry
from factory.registry.verify import verify
from factory.workspace import Workspace, find_workspace

FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="session")
def origin(common: Path) -> Path:
    torture.warm()
    return torture.published_mesh(common)


@pytest.fixture
def yard(origin: Path) -> Yard:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    found = Yard(origin, int(worker) + 1)
    found.fresh()
    rebuild(find_workspace(found.root))
    return found


@contextlib.contextmanager
def processes(*targets: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run functions in processes of their own; end those that are still there afterwards."""
    found = [FORK.Process(target=target) for target in targets]
    for process in found:
        process.start()
    try:
        yield found
    finally:
        for process in found:
            if process.is_alive():
                process.kill()
            process.join()


def sound(ws: Workspace) -> None:
    """Fail unless all that is in a registry is whole, and the index is that of the folders."""
    assert (ws.registry / "registry.json").read_text("utf-8") == index_text(ws)
    report = verify(ws, datetime.now(UTC))
    assert not [fault for fault in report.faults if "seal" not in fault.code], report.faults[:5]


# Publishing


def test_many_processes_publish_while_others_read_and_nothing_is_lost(tmp_path: Path) -> None:
    writers, each, there, wanted = (16, 50, 1000, 10_000) if FULL else (6, 6, 60, 200)
    ws = crowd.a_place(tmp_path)
    crowd.fill(ws, range(there))
    gate, done, reads = FORK.Barrier(writers + 4), FORK.Queue(), FORK.Queue()
    over = FORK.Event()

    def write(writer: int) -> None:
        # Two processes publish to one product, each every other version.
        numbers = [there + writer // 2 * 100 + turn // 5 for turn in range(each)]
        versions = [f"1.{2 * (turn % 5) + writer % 2}.0" for turn in range(each)]
        pairs = [*zip(numbers, versions, strict=True)]
        evidence = [crowd.evidence_of(ws.root, number, version) for number, version in pairs]
        gate.wait()
        for pair, known in zip(pairs, evidence, strict=True):
            done.put((pair, crowd.publish(ws, known)))

    def read(reader: int) -> None:
        chosen, count = random.Random(reader), 0
        gate.wait()
        while not over.is_set() or count < wanted / 4:
            entries = read_index(ws)["products"]
            assert len(entries) >= there
            entry = chosen.choice(entries)
            versions = Registry(ws).versions(entry["domain"], entry["name"])
            assert entry["version"] <= versions[entry["name"]][0].version
            count += 2
        reads.put(count)

    starts = [lambda writer=writer: write(writer) for writer in range(writers)]
    looks = [lambda reader=reader: read(reader) for reader in range(4)]
    with processes(*starts, *looks) as running:
        begun = 0.0
        acknowledged = Counter[Any]()
        for _ in range(writers * each):
            pair, is_news = done.get(timeout=120)
            begun = begun or time.monotonic()
            acknowledged[pair] += 1
            assert is_news, pair
        seconds = time.monotonic() - begun
        over.set()
        assert sum(reads.get(timeout=120) for _ in looks) >= wanted
        for process in running:
            process.join(60)
            assert process.exitcode == 0
    assert len(acknowledged) == writers * each
    for number, version in acknowledged:
        name, domain = crowd.product_name(number), crowd.domain_of(number)
        assert (ws.registry / "products" / domain / name / name / version / "record.json").is_file()
        told = [
            e for e in read_events(ws.registry, domain, name) if version in json.dumps(e.data["contracts"])
        ]
        assert [event.kind for event in told] == ["published"]
    sound(ws)
    assert not [*ws.registry.rglob(".*.tmp")]
    rate = writers * each / seconds
    print(f"{rate:.0f} publishes a second at {there} products")


def test_a_version_is_published_by_one_process_and_refused_with_its_own_exit_code_to_the_others(
    tmp_path: Path,
) -> None:
    ws, count = crowd.a_place(tmp_path), 32 if FULL else 8
    evidence = [crowd.evidence_of(tmp_path, 1, "1.0.0", f"Orders as {n} has them") for n in range(count)]
    gate, results = FORK.Barrier(count), FORK.Queue()

    def publish(number: int) -> None:
        gate.wait()
        try:
            results.put((0, number, crowd.publish(ws, evidence[number])))
        except VersionExistsError as error:
            results.put((error.exit_code, number, error.hint != ""))

    with processes(*(lambda number=number: publish(number) for number in range(count))):
        found = [results.get(timeout=120) for _ in range(count)]
    won = [number for code, number, _ in found if code == 0]
    assert len(won) == 1
    assert [code for code, *_ in found if code] == [4] * (count - 1)
    assert not crowd.publish(ws, evidence[won[0]]), "the same again is no news"
    sound(ws)


def test_of_many_who_yank_a_version_one_is_news(tmp_path: Path) -> None:
    ws, count = crowd.a_place(tmp_path), 12
    crowd.fill(ws, [1], versions=2)
    name, results = crowd.product_name(1), FORK.Queue()
    gate = FORK.Barrier(count)

    def say(number: int) -> None:
        gate.wait()
        results.put(yank(ws, name, "1.0.0", Word(f"{number}", "wrong", datetime.now(UTC))).is_news)

    with processes(*(lambda number=number: say(number) for number in range(count))):
        found = [results.get(timeout=60) for _ in range(count)]
    assert sorted(found) == [False] * (count - 1) + [True]
    kinds = [event.kind for event in read_events(ws.registry, crowd.domain_of(1), name)]
    assert kinds == ["published", "published", "yanked"]
    sound(ws)


def test_processes_that_are_killed_at_any_moment_lose_nothing_that_they_acknowledged(  # noqa: C901  (one story)
    tmp_path: Path,
) -> None:
    rounds, there = (500, 50) if FULL else (20, 10)
    ws, chosen = crowd.a_place(tmp_path), random.Random(5)
    crowd.fill(ws, range(there))
    over, killed = FORK.Event(), 0
    evidence = {
        (number, version): crowd.evidence_of(ws.root, number, version)
        for number in range(there, there + rounds)
        for version in ("1.0.0", "1.1.0")
    }

    def others(writer: int) -> None:
        minor = 0
        while not over.is_set():
            minor += 1
            crowd.publish(ws, crowd.evidence_of(ws.root, 100_000 + writer, f"1.{minor}.0"))

    def victim(number: int, pipe: int) -> None:
        for version in ("1.0.0", "1.1.0"):
            crowd.publish(ws, evidence[number, version])
            os.write(pipe, b"." if version == "1.0.0" else b":")

    acknowledged: dict[int, int] = {}
    with processes(lambda: others(1), lambda: others(2)) as running:
        for number in range(there, there + rounds):
            reader, pipe = os.pipe()
            child = os.fork()
            if child == 0:
                with contextlib.suppress(BaseException):
                    victim(number, pipe)
                os._exit(0)
            os.close(pipe)
            time.sleep(chosen.uniform(0, 0.16))
            os.kill(child, signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
            with os.fdopen(reader, "rb") as told:
                acknowledged[number] = len(told.read())
            index = {entry["name"]: entry for entry in read_index(ws)["products"]}
            name, domain = crowd.product_name(number), crowd.domain_of(number)
            versions = Registry(ws).versions(domain, name).get(name, ())
            assert len(versions) >= acknowledged[number]
            if acknowledged[number]:
                assert index[name]["version"] >= f"1.{acknowledged[number] - 1}.0"
        over.set()
        for process in running:
            process.join(60)
            assert process.exitcode == 0
    assert killed > rounds / 3
    left = [*ws.registry.rglob(".*.tmp")]
    for file in left:
        os.utime(file, (0, 0))
    for (number, version), known in evidence.items():
        if (
            version == "1.1.0" or not acknowledged[number]
        ):  # the same command again, and those that were to follow
            crowd.publish(ws, known)
    for number in acknowledged:
        name, domain = crowd.product_name(number), crowd.domain_of(number)
        told = [
            next(iter(e.data["contracts"].values()))["version"]
            for e in read_events(ws.registry, domain, name)
        ]
        assert told == ["1.0.0", "1.1.0"]
    sound(ws)
    assert not [*ws.registry.rglob(".*.tmp")], "what was left behind goes with the next run"
    print(
        f"{killed} of {rounds} killed, {sum(acknowledged.values())} acknowledged, {len(left)} files left behind"
    )


# Readers


def _batch(yard: Yard, batch: int) -> None:
    """Let the tables that dbt built have the rows of another batch, and publish them."""
    import duckdb

    ws = find_workspace(yard.root)
    with duckdb.connect(str(ws.database_file("shop"))) as connection:
        for table in ("orders", "customers"):
            connection.execute(f"update {table} set amount = {batch}")
    yard.publish(batch)


def test_who_reads_while_products_are_published_meets_no_error_and_one_batch(yard: Yard) -> None:
    batches = 30 if FULL else 12
    file, over, seen = yard.root / "ports.duckdb", FORK.Event(), FORK.Queue()

    def publish() -> None:
        for batch in range(1, batches + 1):
            _batch(yard, batch)

    def read() -> None:
        import duckdb

        found = []
        while not over.is_set():
            with duckdb.connect(str(file), read_only=True) as connection:
                found += connection.execute(
                    "select distinct o.amount, c.amount from shop.orders o join shop.customers c using (customer_id)"
                ).fetchall()
        seen.put(found)

    with processes(publish, read, read) as (publisher, *readers):
        publisher.join(300)
        assert publisher.exitcode == 0
        over.set()
        for _ in readers:
            found = seen.get(timeout=60)
            assert all(one == other for one, other in found), "two tables of one contract disagree"
            amounts = [one for one, _ in found]
            assert amounts == sorted(amounts), "an older batch came back"
            assert len(set(amounts)) > batches / 3
    assert in_child(lambda: faults_in(yard.root)).value == []
    assert in_child(lambda: state_of(yard.root)["views"]["shop.orders"]).value[0][-1] == batches


# Disks


def test_a_small_disk_that_is_full_keeps_what_it_has_and_goes_on_when_there_is_room(yard: Yard) -> None:
    yard.keep()
    before = in_child(lambda: state_of(yard.root)).value
    assert in_child(yard.publish).status == "done"
    after = in_child(lambda: state_of(yard.root)).value

    def full(grow: Callable[[], None]) -> tuple[Any, list[str]]:
        outcome = in_child(yard.publish)
        faults = in_child(lambda: faults_in(yard.root)).value
        state = in_child(lambda: state_of(yard.root)).value
        parts = ("versions", "documents", "pointers", "views", "index")
        faults += [part for part in parts if state[part] not in (before[part], after[part])]
        faults += litter_in(yard.root)
        grow()
        again = in_child(lambda: yard.publish(9))
        faults += [again.trace] if again.status != "done" else in_child(lambda: faults_in(yard.root)).value
        return outcome, faults

    told = []
    for room in [0, 8, 16, 24, 32, 48, 64, 80, 120, 200, 400, 2000] if FULL else [0, 24, 48, 2000]:
        done = on_a_small_disk(yard.root, yard.template, 1024 * room, full)
        if done is None:  # the system mounts nothing for this user: a budget of bytes in its place
            yard.fresh()
            outcome, faults = in_child(yard.publish, yard.root, Fault("budget", 10 * room)), []
        else:
            assert done.status == "done", done.trace
            outcome, faults = done.value
        assert faults == [], f"{room} KB: {outcome.trace}"
        assert outcome.status == "done" or (outcome.code, bool(outcome.where and outcome.hint)) == (
            2,
            True,
        ), outcome.trace
        told.append(outcome.status)
    assert (told[0], told[-1]) == ("told", "done")


# Locks


def _hold(hold: Callable[[], Any], held: Any) -> None:
    with hold():
        held.set()
        time.sleep(60)


@pytest.mark.parametrize("what", ["workspace", "registry"])
def test_a_lock_is_free_when_its_holder_is_killed(tmp_path: Path, what: str) -> None:
    ws, held = Workspace(tmp_path), FORK.Event()

    def hold(seconds: float = 30.0) -> Any:
        return locked(ws, seconds) if what == "workspace" else registry_locked(ws.registry, seconds)

    with processes(lambda: _hold(hold, held)) as (holder,):
        assert held.wait(30)
        os.kill(holder.pid, signal.SIGSTOP)  # it hangs
        with pytest.raises(LockedError) as refusal, hold(0.3):
            pass
        message = refusal.value.message
        assert f"PID {holder.pid} on {os.uname().nodename}" in message
        assert refusal.value.hint
        assert refusal.value.exit_code == 2
        killed = time.monotonic()
        holder.kill()
        with hold(5):
            assert time.monotonic() - killed < 1


def test_a_lock_in_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    ws = crowd.a_place(tmp_path)
    crowd.fill(ws, [1])
    for how in ("EACCES", "EROFS"):
        for step in range(6):

            def take() -> None:
                with registry_locked(ws.registry):
                    pass

            outcome = in_child(take, tmp_path, Fault(how, step, lasts=True))
            if (
                outcome.hit is not None
                and outcome.hit.kind == "create"
                and outcome.hit.path.endswith(".lock")
            ):
                assert outcome.status == "told"
                assert outcome.message.startswith("locking the registry failed: ")
                assert outcome.where == str(ws.registry / ".lock")
                assert outcome.hint
                break
        else:
            pytest.fail(f"no lock was made: {outcome.steps}")


def test_who_holds_a_registry_goes_on_and_lets_others_in_afterwards(tmp_path: Path) -> None:
    with registry_locked(tmp_path), registry_locked(tmp_path, 0.1):
        refused = in_child(lambda: registry_locked(tmp_path, 0.1).__enter__())
        assert refused.status == "told"
    with registry_locked(tmp_path, 0.1):
        pass


def test_of_two_builds_at_once_the_second_waits_and_says_for_whom(yard: Yard) -> None:
    command = [sys.executable, "-m", "factory", "build"]
    with subprocess.Popen(
        command, cwd=yard.root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as one:
        assert one.stderr is not None
        while "parse" not in one.stderr.readline():
            pass
        two = subprocess.run(command, cwd=yard.root, capture_output=True, text=True, timeout=300)
        one.communicate(timeout=300)
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert f"for another run (PID {one.pid} on " in two.stderr
    assert in_child(lambda: faults_in(yard.root)).value == []
