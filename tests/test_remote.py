"""One registry for several workspaces: the same behaviour in a folder, in git, and in a bucket."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import FULL
from object_stores import (
    InBucket,
    InFolder,
    InGit,
    Server,
    SharedRegistry,
    files_of,
    git,
    moto_server,
    named_server,
    publish,
    rows_of,
)

from factory.errors import RegistryError, VersionExistsError
from factory.registry import current_snapshot, read_index
from factory.registry.remote import pull, push
from factory.workspace import Settings, Workspace

TESTS = Path(__file__).parent
PLACES = ["folder", "git", "moto", *(["named server"] if named_server() else [])]


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def server(moto: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    return moto


@pytest.fixture(params=PLACES)
def shared(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedRegistry:
    if request.param == "folder":
        return InFolder(tmp_path)
    if request.param == "git":
        return InGit(tmp_path)
    server = named_server() if request.param == "named server" else request.getfixturevalue("moto")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return InBucket(tmp_path, server.address())


def names(ws: Workspace) -> list[str]:
    return [entry["name"] for entry in read_index(ws)["products"]]


def test_what_one_workspace_publishes_a_second_one_sees_whole(shared: SharedRegistry) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    assert publish(one, rows="1, 2, 3")
    shared.put(one)
    shared.get(two)
    assert names(two) == ["orders"]
    assert files_of(two) == files_of(one)
    assert rows_of(two) == "1, 2, 3"
    assert current_snapshot(two, "trade", "orders", "orders", 1)["version"] == "1.0.0"


def test_the_same_bytes_again_are_a_no_op(shared: SharedRegistry) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    publish(one)
    shared.put(one)
    shared.get(two)
    before = files_of(two)
    assert not publish(two)
    assert files_of(two) == before


def test_other_bytes_under_a_published_version_are_refused(shared: SharedRegistry) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    publish(one)
    shared.put(one)
    shared.get(two)
    before = files_of(two)
    with pytest.raises(VersionExistsError) as refusal:
        publish(two, note="other")
    assert refusal.value.exit_code == 4
    assert files_of(two) == before


def test_two_repositories_publish_different_products_and_both_see_both(shared: SharedRegistry) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    publish(one, "orders", rows="o")
    publish(two, "returns", rows="r")
    for ws in (one, two):
        shared.put(ws)
    for ws in (one, two, shared.workspace("three")):
        shared.get(ws)
        assert names(ws) == ["orders", "returns"]
        assert (rows_of(ws, "orders"), rows_of(ws, "returns")) == ("o", "r")


def test_a_new_version_and_new_rows_reach_the_others(shared: SharedRegistry) -> None:
    one, two = shared.workspace("one"), shared.workspace("two")
    for number, version in enumerate(("1.0.0", "1.1.0", "2.0.0")):
        publish(one, version=version, rows=f"rows {number}")
        shared.put(one)
        shared.get(two)
    assert (rows_of(two, major=1), rows_of(two, major=2)) == ("rows 1", "rows 2")
    assert [c["version"] for c in read_index(two)["products"][0]["contracts"]] == ["1.1.0", "2.0.0"]


RACERS = 12 if FULL else 4
RACER = """
import sys, os
from pathlib import Path
sys.path.insert(0, {tests!r})
from object_stores import publish
from factory.errors import VersionExistsError
from factory.registry.remote import push
from factory.workspace import Settings, Workspace
root, shared, note = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
root.mkdir(exist_ok=True)
ws = Workspace(root, settings=Settings(publish_to=shared))
print("ready", flush=True)
sys.stdin.readline()
try:
    publish(ws, note=note, rows="rows")
    push(ws)
    print("won")
except VersionExistsError:
    print("exists")
"""


@pytest.mark.parametrize("shared", [p for p in PLACES if p != "git"], indirect=True)
@pytest.mark.parametrize("different", [True, False])
def test_of_many_processes_with_one_version_exactly_one_content_wins(
    shared: SharedRegistry, different: bool
) -> None:
    address = shared.workspace("one").settings.publish_to
    program = RACER.format(tests=str(TESTS))
    racers = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                program,
                str(shared.folder / f"racer{n}"),
                address,
                f"by {n if different else 0}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    outcomes = [racer.communicate(timeout=120)[0].strip() for racer in racers]
    assert outcomes.count("won") == (1 if different else RACERS)
    assert outcomes.count("exists") == (RACERS - 1 if different else 0)
    winner = outcomes.index("won")
    reader = shared.workspace("reader")
    shared.get(reader)
    assert f"by {winner if different else 0}\n" in files_of(reader)["contract.odcs.yaml"].decode()
    assert rows_of(reader) == "rows"


# In a bucket


def test_a_pull_with_nothing_new_takes_three_requests(server: Server, tmp_path: Path) -> None:
    shared = InBucket(tmp_path, server.address())
    one, two = shared.workspace("one"), shared.workspace("two")
    publish(one)
    shared.put(one)
    shared.get(two)
    before = len(server.requests())
    assert pull(two).keys == ()
    assert len(server.requests()) - before == 3
    assert push(two).keys == ()


def test_a_publish_takes_few_requests(server: Server, tmp_path: Path) -> None:
    shared = InBucket(tmp_path, server.address())
    one = shared.workspace("one")
    publish(one)
    shared.put(one)
    pull(one)
    before = len(server.requests())
    publish(one, version="1.1.0", rows="2")
    shared.put(one)
    made = server.requests()[before:]
    assert len(made) <= 24, made


def test_a_registry_that_was_published_before_it_had_a_bucket_is_pushed_whole(
    server: Server, tmp_path: Path
) -> None:
    shared = InBucket(tmp_path, server.address())
    publish(Workspace(tmp_path / "one"))
    one, two = shared.workspace("one"), shared.workspace("two")
    shared.put(one)
    shared.get(two)
    assert files_of(two) == files_of(one) and rows_of(two) == "1"


def test_a_version_that_another_content_took_meanwhile_is_told(server: Server, tmp_path: Path) -> None:
    shared = InBucket(tmp_path, server.address())
    publish(Workspace(tmp_path / "one"), note="mine")
    one, two = shared.workspace("one"), shared.workspace("two")
    publish(two, note="theirs")
    shared.put(two)
    with pytest.raises(VersionExistsError, match="has another content in s3://"):
        shared.put(one)


CRASHER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import object_stores
import factory.registry.remote.replica as replica
from factory.workspace import Settings, Workspace

class Fragile(replica.S3Store):
    left = 0

    def __getattribute__(self, name):
        if name in ("entries", "read", "create", "replace", "delete", "upload", "download"):
            Fragile.left -= 1
            if Fragile.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().__getattribute__(name)

replica.S3Store = Fragile
replica.at_once = lambda do, items: [do(item) for item in list(items)]

def run(root, address, count):
    Fragile.left = int(count)
    Path(root).mkdir(exist_ok=True)
    ws = Workspace(Path(root), settings=Settings(publish_to=address))
    replica.pull(ws)
    object_stores.publish(ws, version="1.1.0", rows="new")
    replica.push(ws)

for line in sys.stdin:  # a child per line: importing all this takes longer than all that it does
    child = os.fork()
    if not child:
        try:
            run(*line.split())
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_a_process_killed_before_any_operation_leaves_what_the_same_command_completes(
    server: Server, tmp_path: Path
) -> None:
    crasher = subprocess.Popen(
        [sys.executable, "-c", CRASHER.format(tests=str(TESTS))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def run(root: Path, address: str, count: int) -> int:
        assert crasher.stdin is not None and crasher.stdout is not None
        crasher.stdin.write(f"{root} {address} {count}\n")
        crasher.stdin.flush()
        return int(crasher.stdout.readline())

    number = 0
    while True:
        shared = InBucket(tmp_path / str(number), server.address())
        shared.folder.mkdir()
        other = shared.workspace("other")
        publish(other, rows="old")
        shared.put(other)
        one = shared.folder / "one"
        died = run(one, shared.address, number)
        reader = shared.workspace("between")
        shared.get(reader)  # at every moment a reader sees a whole registry
        assert rows_of(reader) in ("old", "new")
        for folder in (reader.registry / "products/trade/orders/orders").iterdir():
            assert len(files_of(reader, version=folder.name)) == 3
        if died == 0:
            break
        assert died == -9
        assert run(one, shared.address, 10**6) == 0
        fresh = shared.workspace("fresh")
        shared.get(fresh)
        assert files_of(fresh, version="1.1.0") == files_of(Workspace(one), version="1.1.0")
        assert rows_of(fresh) == "new"
        assert read_index(fresh)["products"][0]["version"] == "1.1.0"
        number += 1 if FULL else 4
    crasher.communicate()
    assert number >= 15


def test_a_server_that_is_down_is_told_in_words(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(RegistryError, match="the server cannot be reached") as refusal:
        pull(InBucket(tmp_path, "s3://registries/x").workspace("one"))
    assert "AWS_ENDPOINT_URL" in refusal.value.hint


def test_a_bucket_that_is_not_there_is_told_in_words(tmp_path: Path, server: Server) -> None:
    with pytest.raises(RegistryError, match="there is no such bucket") as refusal:
        pull(InBucket(tmp_path, "s3://nowhere/x").workspace("one"))
    assert refusal.value.hint


def test_credentials_that_are_missing_or_wrong_are_told_in_words(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto_server(tmp_path, INITIAL_NO_AUTH_ACTION_COUNT="1") as strict:
        monkeypatch.setenv("AWS_ENDPOINT_URL", strict.endpoint)
        one = InBucket(tmp_path, "s3://registries/x").workspace("one")
        with pytest.raises(RegistryError, match="refuses the credentials") as refusal:
            pull(one)
        assert "AWS_ACCESS_KEY_ID" in refusal.value.hint and "secret" not in str(refusal.value)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(RegistryError, match="there are no credentials") as refusal:
            pull(one)
        assert refusal.value.hint == "set AWS_SECRET_ACCESS_KEY in the environment"


def test_a_server_that_takes_no_notice_of_conditions_is_refused(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from factory.registry.remote.s3 import S3Store

    def careless(self: S3Store, key: str, content: bytes) -> bool:
        import obstore

        obstore.put(self._store, key, content)
        return True

    monkeypatch.setattr(S3Store, "create", careless)
    with pytest.raises(RegistryError, match="takes no notice of conditional writes"):
        pull(InBucket(tmp_path, server.address()).workspace("one"))


@pytest.mark.parametrize("place", ["ftp://here/x", "s3://BUCKET/x", "s3://key:secret@bucket/x", "s3://b"])
def test_a_place_that_is_none_is_a_mistake_in_the_settings(tmp_path: Path, place: str) -> None:
    from factory.errors import WorkspaceError
    from factory.workspace import find_workspace

    (tmp_path / "pyproject.toml").write_text(f'[tool.factory]\npublish_to = "{place}"\n', "utf-8")
    with pytest.raises(WorkspaceError, match="publish_to") as refusal:
        find_workspace(tmp_path)
    assert refusal.value.line == 2


def test_only_prod_publishes_to_another_place(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "a", "ci", Settings(publish_to="../b"))
    assert ws.registry == tmp_path / "a/target/ci/registry"
    prod = Workspace(tmp_path / "a", settings=Settings(publish_to="../b"))
    assert prod.registry == tmp_path / "b/registry" and prod.published_prefix == "../b/"


# In git


def test_twenty_branches_that_publish_different_products_merge_without_a_conflict(tmp_path: Path) -> None:
    shared = InGit(tmp_path)
    ws = shared.workspace("one")
    for number in range(20):
        git(ws.root, "checkout", "-qb", f"branch{number}", "main")
        publish(ws, f"product{number}", rows=str(number))
        git(ws.root, "add", ".")
        git(ws.root, "commit", "-qm", f"Publish {number}")
        (ws.registry / "registry.json").unlink()
    git(ws.root, "checkout", "-q", "main")
    for number in range(20):
        git(ws.root, "merge", "-q", "--no-edit", f"branch{number}")
    shared.put(ws) if git(ws.root, "status", "--short").stdout else git(
        ws.root, "push", "-q", "origin", "HEAD:main"
    )
    reader = shared.workspace("two")
    shared.get(reader)
    assert names(reader) == sorted(f"product{number}" for number in range(20))
    assert [rows_of(reader, f"product{number}") for number in range(20)] == [str(n) for n in range(20)]


def test_two_branches_that_publish_one_version_with_other_contents_conflict(tmp_path: Path) -> None:
    ws = InGit(tmp_path).workspace("one")
    for note in ("a", "b"):
        git(ws.root, "checkout", "-qb", note, "main")
        publish(ws, note=note)
        git(ws.root, "add", ".")
        git(ws.root, "commit", "-qm", f"Publish {note}")
        (ws.registry / "registry.json").unlink()
    merged = git(ws.root, "merge", "--no-edit", "a", check=False)
    assert merged.returncode != 0
    assert "products/trade/orders/orders/1.0.0/record.json" in merged.stdout


def test_what_is_remembered_may_be_lost(server: Server, tmp_path: Path) -> None:
    shared = InBucket(tmp_path, server.address())
    one = shared.workspace("one")
    publish(one)
    shared.put(one)
    (one.work / "remote.json").write_text("{", "utf-8")
    assert pull(one).keys == ()
    assert json.loads((one.work / "remote.json").read_bytes())["address"] == shared.address


# Pointers


def test_of_two_workspaces_that_published_rows_at_once_the_newest_event_decides(
    server: Server, tmp_path: Path
) -> None:
    shared = InBucket(tmp_path, server.address())
    one, two = shared.workspace("one"), shared.workspace("two")
    publish(one, rows="first")
    shared.put(one)
    shared.get(two)
    publish(one, rows="by one")
    publish(two, rows="by two")
    shared.put(one)
    shared.put(two)
    fresh = shared.workspace("fresh")
    for ws in (one, fresh):
        shared.get(ws)
    assert [rows_of(ws) for ws in (one, two, fresh)] == ["by two"] * 3
    publish(two, rows="again by two")
    publish(one, rows="last by one")
    shared.put(two)
    shared.put(one)
    for ws in (two, fresh):
        shared.get(ws)
    assert [rows_of(ws) for ws in (one, two, fresh)] == ["last by one"] * 3


def test_a_port_that_was_closed_is_closed_for_all(server: Server, tmp_path: Path) -> None:
    from factory.registry.control import Word, retire

    shared = InBucket(tmp_path, server.address())
    one, two = shared.workspace("one"), shared.workspace("two")
    publish(one)
    shared.put(one)
    shared.get(two)
    retire(one, "orders", Word("somebody", "over", datetime.now(UTC)), early=True)
    shared.put(one)
    shared.get(two)
    assert current_snapshot(two, "trade", "orders", "orders", 1) == {}
    assert read_index(two)["products"][0]["contracts"][0]["status"] == "retired"
    shared.get(one)
    assert current_snapshot(one, "trade", "orders", "orders", 1) == {}


def test_ports_that_were_deleted_by_hand_come_back(server: Server, tmp_path: Path) -> None:
    shared = InBucket(tmp_path, server.address())
    one = shared.workspace("one")
    publish(one, rows="rows")
    shared.put(one)
    (one.ports / "trade/orders/orders/v1/current.json").unlink()
    shared.put(one)
    assert rows_of(one) == "rows" and current_snapshot(one, "trade", "orders", "orders", 1)
    shutil.rmtree(one.ports)
    shutil.rmtree(one.registry)
    shared.get(one)
    assert rows_of(one) == "rows" and names(one) == ["orders"]


def test_a_rollback_reaches_the_others_and_old_tables_go_after_their_number(
    server: Server, tmp_path: Path
) -> None:
    from factory.registry.control import Word
    from factory.registry.remote import open_store
    from factory.registry.rollback import rollback

    shared = InBucket(tmp_path, server.address())
    one, two = shared.workspace("one"), shared.workspace("two")
    for number in range(5):
        publish(one, rows=f"rows {number}")
        shared.put(one)
    shared.get(two)
    rollback(one, "orders", Word("somebody", "wrong rows", datetime.now(UTC)))
    shared.put(one)
    shared.get(two)
    assert rows_of(one) == rows_of(two) == "rows 3"
    kept = open_store(shared.address, tmp_path).entries("ports/trade/orders/orders/v1")
    assert len([entry for entry in kept if entry.key.endswith(".parquet")]) == one.settings.snapshots
    rollback(two, "orders", Word("somebody", "wrong, too", datetime.now(UTC)))
    assert rows_of(two) == "rows 2"
