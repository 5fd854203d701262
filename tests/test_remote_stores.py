"""What a store of objects must do, a folder as well as a bucket; and what is carried between two places."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from object_stores import BUCKET, Server, files_of, moto_server, named_server, publish

from factory.errors import RegistryError, VersionExistsError
from factory.registry.remote.commit import commit_version, part_key, read_version
from factory.registry.remote.folder import FolderStore
from factory.registry.remote.layout import Kind, Place, kind_of, snapshots_in
from factory.registry.remote.objects import ObjectStore, at_once
from factory.registry.remote.replica import replica_of
from factory.registry.remote.s3 import S3Store
from factory.workspace import Settings, Workspace

FOLDER = "registry/products/trade/orders/orders/1.0.0"


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(params=["folder", "moto", *(["named server"] if named_server() else [])])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    server = named_server() if request.param == "named server" else request.getfixturevalue("moto")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return S3Store(server.address())


def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [entry.key for entry in store.entries(prefix)]


def test_an_object_is_created_once(store: ObjectStore) -> None:
    assert store.create("registry/a", b"1")
    assert not store.create("registry/a", b"2")
    found = store.read("registry/a")
    assert found is not None and found.content == b"1"


def test_an_object_is_replaced_only_as_it_was_read(store: ObjectStore) -> None:
    assert store.replace("registry/a", b"1", None)
    assert not store.replace("registry/a", b"2", None)
    first = store.read("registry/a")
    assert first is not None and store.replace("registry/a", b"two", first.etag)
    assert not store.replace("registry/a", b"3", first.etag)
    assert not store.replace("registry/none", b"3", first.etag)
    found = store.read("registry/a")
    assert found is not None and found.content == b"two"


def test_of_many_threads_that_create_or_replace_one_wins(store: ObjectStore) -> None:
    gate = threading.Barrier(8)

    def create(number: int) -> bool:
        gate.wait()
        return store.create("registry/a", b"%d" % number)

    assert at_once(create, range(8)).count(True) == 1
    read = store.read("registry/a")
    assert read is not None

    def replace(number: int) -> bool:
        gate.wait()
        return store.replace("registry/a", b"new %d" % number, read.etag)

    assert at_once(replace, range(8)).count(True) == 1


def test_a_listing_tells_what_lies_below_a_folder_with_sizes_and_etags(store: ObjectStore) -> None:
    for key in ("registry/b/c", "registry/a", "registryx/d", "ports/e f", "registry/b.txt"):
        store.create(key, key.encode())
    found = store.entries("registry")
    assert [(e.key, e.size) for e in found] == [
        ("registry/a", 10),
        ("registry/b.txt", 14),
        ("registry/b/c", 12),
    ]
    read = store.read("registry/a")
    assert read is not None and read.etag == found[0].etag
    assert keys(store, "ports") == ["ports/e f"] and keys(store, "nothing") == []


def test_files_of_any_size_go_up_and_come_down(store: ObjectStore, tmp_path: Path) -> None:
    for size in (0, 1, 11_000_000):
        (tmp_path / "up").write_bytes(b"x" * size)
        store.upload("ports/file", tmp_path / "up")
        assert store.download("ports/file", tmp_path / "down" / str(size))
        assert (tmp_path / "down" / str(size)).read_bytes() == b"x" * size
    assert not store.download("ports/none", tmp_path / "none")
    store.delete("ports/file")
    store.delete("ports/file")
    assert store.read("ports/file") is None and keys(store, "ports") == []


@pytest.mark.parametrize(
    "key", ["../a", "registry/../../a", "/etc/passwd", "a//b", "a/./b", "a\\b", "c:d", "a\nb", ""]
)
def test_a_key_that_is_no_name_everywhere_is_refused(store: ObjectStore, key: str) -> None:
    for act in (
        store.read,
        lambda k: store.create(k, b""),
        lambda k: store.replace(k, b"", "x"),
        store.delete,
    ):
        with pytest.raises(RegistryError, match="is no name of a file of a registry"):
            act(key)


# A version in a store


def a_version(text: str, tools: str = "") -> dict[str, bytes]:
    import hashlib

    files = {"contract.odcs.yaml": text.encode(), "lineage.json": b"{}"}
    hashes = ", ".join(f'"{n}": {{"sha256": "{hashlib.sha256(c).hexdigest()}"}}' for n, c in files.items())
    return {**files, "record.json": f'{{"files": {{{hashes}}}, "tools": "{tools}"}}'.encode()}


def test_a_version_is_committed_once_and_read_whole(store: ObjectStore) -> None:
    files = a_version("a")
    assert commit_version(store, FOLDER, files)
    assert not commit_version(store, FOLDER, files)
    assert read_version(store, FOLDER) == files
    with pytest.raises(VersionExistsError) as refusal:
        commit_version(store, FOLDER, a_version("b"))
    assert refusal.value.exit_code == 4
    assert read_version(store, FOLDER) == files


def test_of_two_records_of_one_contract_the_first_stands(store: ObjectStore) -> None:
    assert commit_version(store, FOLDER, a_version("a", "first"))
    assert not commit_version(store, FOLDER, a_version("a", "second"))
    assert b"first" in read_version(store, FOLDER)["record.json"]


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_file_that_is_not_as_it_should_be_is_read_from_its_part_and_mended(
    store: ObjectStore, harm: str
) -> None:
    files, key = a_version("a"), f"{FOLDER}/contract.odcs.yaml"
    commit_version(store, FOLDER, files)
    store.delete(key)
    if harm == "changed":
        store.create(key, b"other")
    assert read_version(store, FOLDER) == files
    commit_version(store, FOLDER, files)
    found = store.read(key)
    assert found is not None and found.content == b"a"


def test_a_version_of_which_a_file_is_nowhere_is_told(store: ObjectStore) -> None:
    import hashlib

    commit_version(store, FOLDER, a_version("a"))
    store.delete(f"{FOLDER}/contract.odcs.yaml")
    store.delete(part_key(hashlib.sha256(b"a").hexdigest()))
    with pytest.raises(RegistryError, match="is not what was published") as refusal:
        read_version(store, FOLDER)
    assert refusal.value.hint


@pytest.mark.parametrize(
    "record", [b"", b"{", b"[]", b'{"files": {"../x": {"sha256": "' + b"0" * 64 + b'"}}}']
)
def test_a_record_that_is_none_is_told(store: ObjectStore, record: bytes) -> None:
    store.create(f"{FOLDER}/record.json", record)
    with pytest.raises(RegistryError):
        read_version(store, FOLDER)


# What is carried


def test_what_every_place_makes_for_itself_is_not_carried() -> None:
    nothing = [
        "registry/.lock", "registry/.gitignore", "registry/incidents/_unfinished/trade/shop/x", "ports/.views",
        "registry/products/trade/shop/shop/.1.0.0.abcd.tmp/record.json", "ports/trade/shop/shop/v1/current",
        "ports/trade/shop/shop/v1/current/main.parquet", "ports/trade/shop/shop/v1/.12ab.tmp/main.parquet",
        "registry/runs/trade/shop/.x.json.ab.tmp", "ports.duckdb", "parts/ab/abcd", "probe/conditional-writes", "other",
    ]  # fmt: skip
    assert [key for key in nothing if kind_of(key) is not Kind.NONE] == []


def test_each_file_of_a_registry_has_its_kind(tmp_path: Path) -> None:
    ws = Workspace(tmp_path)
    publish(ws)
    (tmp_path / "registry/certificates/trade/orders/orders/1.0.0").mkdir(parents=True)
    (tmp_path / "registry/certificates/trade/orders/orders/1.0.0/1.json").write_text("{}", "utf-8")
    found = sorted({kind_of(key).name for key in Place(ws.registry, ws.ports).sizes()})
    assert found == ["DOCUMENT", "EVENT", "FACT", "INDEX", "POINTER", "SNAPSHOT", "VERSION"]


def test_snapshots_of_a_pointer_are_found_in_its_old_and_its_new_form() -> None:
    one, two = "a" * 20, "b" * 20
    assert snapshots_in({"snapshot": one, "snapshots": [one, two]}) == (one, two)
    assert snapshots_in({"snapshot": one, "snapshots": [{"snapshot": one}, {"snapshot": two}]}) == (one, two)


# A bucket that others write to


@pytest.fixture
def bucket(moto: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    return moto


def put(server: Server, path: str, content: bytes) -> None:
    connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"))
    connection.request("PUT", f"/{BUCKET}/{path}", body=content)
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("key", ["registry/..%2f..%2fevil", "registry/runs/%5cevil", "registry/runs//evil"])
def test_an_object_with_a_name_that_leads_elsewhere_is_never_written(
    bucket: Server, tmp_path: Path, key: str
) -> None:
    ws = Workspace(tmp_path / "mesh", settings=Settings(publish_to=bucket.address()))
    put(bucket, f"{ws.settings.publish_to.removeprefix(f's3://{BUCKET}/')}/{key}", b"evil")
    replica = replica_of(ws)
    assert replica is not None
    with pytest.raises(RegistryError):
        replica.pull()
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("harm", [b"", b"other", b"rows 2"])
def test_tables_that_are_not_what_was_published_are_not_brought(
    bucket: Server, tmp_path: Path, harm: bytes
) -> None:
    one = Workspace(tmp_path / "one", settings=Settings(publish_to=bucket.address()))
    publish(one, rows="rows 1")
    replica = replica_of(one)
    assert replica is not None
    replica.push()
    (key,) = [e.key for e in replica.store.entries("ports") if e.key.endswith(".parquet")]
    replica.store.delete(key)
    if harm:
        replica.store.create(key, harm)
    two = replica_of(Workspace(tmp_path / "two", settings=Settings(publish_to=one.settings.publish_to)))
    assert two is not None
    with pytest.raises(RegistryError, match=r"is not what was published|are not there") as refusal:
        two.pull()
    assert refusal.value.hint
    assert files_of(two.ws) == files_of(one), "the facts came before"


def test_a_fact_of_another_size_is_told_with_its_place(bucket: Server, tmp_path: Path) -> None:
    one = Workspace(tmp_path / "one", settings=Settings(publish_to=bucket.address()))
    publish(one)
    replica = replica_of(one)
    assert replica is not None
    replica.push()
    (event,) = (one.registry / "events").rglob("*.json")
    event.write_bytes(event.read_bytes()[:-5])
    with pytest.raises(RegistryError, match="though it never changes") as refusal:
        replica.pull()
    assert refusal.value.where == event
    event.unlink()
    replica.pull()
    assert event.is_file()


@pytest.mark.parametrize("outcome", [True, False])
def test_a_write_that_meets_another_one_under_way_is_begun_anew(
    bucket: Server, monkeypatch: pytest.MonkeyPatch, outcome: bool
) -> None:
    import obstore
    from obstore.exceptions import AlreadyExistsError

    store = S3Store(bucket.address())
    assert outcome or store.create("registry/a", b"other")
    put, calls = obstore.put, []

    def busy(*arguments: object, **more: object) -> object:
        calls.append(arguments)
        if len(calls) < 3:
            raise AlreadyExistsError(
                "Server returned non-2xx status code: 409 Conflict: ConditionalRequestConflict"
            )
        return put(*arguments, **more)

    monkeypatch.setattr(obstore, "put", busy)
    assert store.create("registry/a", b"1") is outcome
    assert len(calls) == 3
