"""The folder that a workspace works on, as a replica of a registry in a bucket.

Takes a workspace whose setting `publish_to` names a bucket; gives what went in and out; reads and writes `registry/`,
`ports/`, the bucket, and `target/<target>/remote.json`, which remembers what was compared, and may go.

A registry is a set of facts, a file each, that never change; so the two are joined by union, and only names are
compared. `pull` comes first in a run and brings what others published; `claim_version` commits a version in the bucket
before it is written here; `push` comes last. A run that dies in between is completed by the next one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import json_text, told_as, write_whole
from factory.registry.index import refresh_index
from factory.registry.remote.bring import bring_facts, settle_versions
from factory.registry.remote.commit import claim, commit_version, complete, hashes_in, read_version
from factory.registry.remote.history import Histories, removable_runs, remove_folder, tables_of, to_upload
from factory.registry.remote.layout import (
    INDEX,
    RECORD_FILE,
    Kind,
    Place,
    folder_of,
    kind_of,
    of_kind,
    product_of,
)
from factory.registry.remote.objects import Entry, ObjectStore, at_once
from factory.registry.remote.pointers import bring_pointers, push_pointers
from factory.registry.remote.s3 import SCHEME, S3Store
from factory.workspace import PROD, Workspace

_STATE = "remote.json"
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Carried:
    """What a pull brought or a push took.

    Attributes:
        keys: the objects that are new on the other side; a version and a folder of the history by its folder.
        products: the addresses of the products that they are about, sorted.
    """

    keys: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


@dataclass
class Replica:
    """A workspace's registry folder and the store that it is a replica of."""

    ws: Workspace
    store: ObjectStore
    place: Place
    remote: dict[str, Entry] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)
    equal: dict[str, str] = field(default_factory=dict)
    pointers: dict[str, tuple[str, str]] = field(default_factory=dict)
    index: str = ""
    checked: bool = False
    pulled: bool = False

    def pull(self) -> Carried:
        """Bring what the store has and the folder has not, and make the index anew where that is news."""
        if not self.checked:
            _check(self.store)
            self.checked = True
        # Read first: whoever wrote this index had pushed the facts that it tells of.
        seen = self.store.read(INDEX)
        self.remote = {e.key: e for top in ("registry", "ports") for e in self.store.entries(top)}
        self.remote = {key: e for key, e in self.remote.items() if kind_of(key) is not Kind.NONE}
        local = self.place.sizes()
        keys = settle_versions(self.store, self.place, self.remote, local, self.equal)
        brought, self.superseded = bring_facts(
            self.store, self.place, self.remote, local, Histories(self.place)
        )
        keys += [*brought, *bring_pointers(self.store, self.place, self.remote, local, self.pointers)]
        carried = _carried(keys)
        if carried.products:
            refresh_index(self.ws, carried.products)
        self.index = seen.etag if seen else ""
        self.pulled = True
        self._remember()
        return carried

    def push(self) -> Carried:
        """Take what the folder has and the store has not to the store, each fact after what it refers to."""
        if not self.pulled:
            self.pull()
        keys: list[str] = []
        for _ in range(_ATTEMPTS):
            local = self.place.sizes()
            histories = Histories(self.place)
            keys += self._push_versions(local)
            for kind in (Kind.DOCUMENT, Kind.FACT):
                keys += self._push_facts(of_kind(local, kind))
            keys += self._push_history(histories, local)
            keys += self._push_facts(of_kind(local, Kind.INCIDENT))
            keys += self._push_events(of_kind(local, Kind.EVENT))
            before = dict(self.pointers)
            won = push_pointers(self.store, self.place, self.remote, local, self.pointers)
            keys += [key for key, value in self.pointers.items() if before.get(key) != value]
            if won and self._push_index():
                self._remember()
                return _carried(keys)
            self.pull()  # another one was first: with what it brought, again
        raise RegistryError(
            f"{self.store.address}: others write so often that this registry's turn did not come",
            hint="run the command again; what is published so far stays",
        )

    def _push_versions(self, local: Mapping[str, int]) -> list[str]:
        """Commit versions that the store lacks, and complete those of which a file is not there."""
        records = [key for key in of_kind(local, Kind.VERSION) if key.endswith(f"/{RECORD_FILE}")]
        committed = [folder_of(key) for key in records if key not in self.remote]
        at_once(self._commit, committed)
        there = {folder_of(key) for key in records} - set(committed)
        broken = {
            folder_of(key)
            for key in of_kind(local, Kind.VERSION)
            if folder_of(key) in there and (key not in self.remote or self.remote[key].size != local[key])
        }
        at_once(self._complete, sorted(broken))
        return committed

    def _commit(self, folder: str) -> None:
        files = _files_of(self.place, folder)
        commit_version(self.store, folder, files)
        self._note_all({f"{folder}/{name}": content for name, content in files.items()})

    def _complete(self, folder: str) -> None:
        record = self.store.read(f"{folder}/{RECORD_FILE}")
        if record is not None:
            named = {k: v for k, v in _files_of(self.place, folder).items() if k != RECORD_FILE}
            complete(self.store, folder, named)
            self._note_all({f"{folder}/{name}": content for name, content in named.items()})

    def _push_facts(self, keys: list[str]) -> list[str]:
        missing = [key for key in keys if key not in self.remote]
        at_once(self._push_fact, missing)
        return missing

    def _push_fact(self, key: str) -> None:
        file = self.place.file(key)
        with told_as(RegistryError, "reading the registry", file):
            content = file.read_bytes()
        stands = claim(self.store, key, content)
        if stands != content:
            if kind_of(key) not in (Kind.DOCUMENT, Kind.INCIDENT):
                raise RegistryError(
                    f"{key} has another content in {self.store.address}, though it never changes",
                    where=file,
                    hint="compare the two, and remove the one that is not as it was written",
                )
            with told_as(RegistryError, "bringing the registry", file):
                write_whole(file, stands)  # the first stands
        self._note_all({key: stands})

    def _push_events(self, keys: list[str]) -> list[str]:
        """Push the events of each product in their order, so that none is seen without the one before it."""
        missing = [key for key in keys if key not in self.remote]
        streams: dict[str, list[str]] = {}
        for key in missing:
            streams.setdefault(folder_of(key), []).append(key)

        def push(stream: list[str]) -> None:
            for key in stream:
                self._push_fact(key)

        at_once(push, streams.values())
        return missing

    def _push_history(self, histories: Histories, local: Mapping[str, int]) -> list[str]:
        """Push compacted runs and runs; then remove what stands elsewhere in the store."""
        folders = to_upload(histories, self.remote, local)
        for folder in folders:
            at_once(lambda key: self.store.upload(key, self.place.file(key)), tables_of(folder))
            self.remote |= {key: Entry(key, local[key], "") for key in tables_of(folder)}
        runs = [key for key in of_kind(local, Kind.RUN) if key not in self.remote]
        known = histories.compacted(runs, local)
        pushed = self._push_facts([key for key in runs if key not in known])
        gone = removable_runs(histories, self.remote, local)
        at_once(self.store.delete, gone)
        for folder, by in list(self.superseded.items()):
            if by != folder and all(key in self.remote for key in tables_of(by)):
                remove_folder(self.store, folder)
                gone += tables_of(folder)
                del self.superseded[folder]
        for key in gone:
            self.remote.pop(key, None)
        return [*folders, *pushed]

    def _push_index(self) -> bool:
        """Write the index, which others read in the bucket; say False if another one was written since the pull."""
        file = self.place.file(INDEX)
        if not file.is_file():
            return True
        with told_as(RegistryError, "reading the registry file", file):
            content = file.read_bytes()
        there = self.store.read(INDEX)
        if there is not None and there.content == content:
            return True
        if (there.etag if there else "") != self.index:
            return False
        if not self.store.replace(INDEX, content, self.index or None):
            return False
        self.index = ""
        return True

    def _note_all(self, contents: Mapping[str, bytes]) -> None:
        self.remote |= {key: Entry(key, len(content), "") for key, content in contents.items()}

    def _remember(self) -> None:
        """Write down what was compared, so that the next run need not."""
        value = {
            "address": self.store.address,
            "equal": dict(sorted(self.equal.items())),
            "pointers": {key: list(value) for key, value in sorted(self.pointers.items())},
        }
        file = self.ws.work / _STATE
        with told_as(RegistryError, "remembering what was pulled", file):
            write_whole(file, json_text(value), durable=False)


def replica_of(ws: Workspace, store: ObjectStore | None = None) -> Replica | None:
    """Return the replica of a workspace that publishes to a bucket; None of one that publishes to a folder.

    Raises:
        RegistryError: the address is none, or the environment has no credentials.

    """
    address = ws.settings.publish_to
    if store is None and (ws.target != PROD or not address.startswith(SCHEME)):
        return None
    replica = Replica(ws, store or S3Store(address), Place(ws.registry, ws.ports))
    known = _remembered(ws.work / _STATE)
    if known.get("address") == replica.store.address:
        replica.checked = True
        replica.equal = {str(key): str(etag) for key, etag in known["equal"].items()}
        replica.pointers = {str(key): (str(etag), str(sha)) for key, (etag, sha) in known["pointers"].items()}
    return replica


def pull(ws: Workspace) -> Carried:
    """Bring what the bucket of a workspace has and its folder has not; nothing where there is no bucket.

    Raises:
        RegistryError: the bucket cannot be read, or something is not the same in both.

    """
    replica = replica_of(ws)
    return replica.pull() if replica else Carried()


def push(ws: Workspace) -> Carried:
    """Take what the folder of a workspace has and its bucket has not to the bucket; nothing where there is none.

    Raises:
        RegistryError: the bucket cannot be written; the same call again goes on where this one ended.
        VersionExistsError: a version is there with another content.

    """
    replica = replica_of(ws)
    return replica.push() if replica else Carried()


@contextmanager
def in_step(ws: Workspace) -> Iterator[None]:
    """Pull before, and push after, something that writes to a workspace's registry; the caller holds its lock.

    Nothing is pushed where it fails: the next one pushes what it wrote. Raises what `pull` and `push` raise.
    """
    pull(ws)
    yield
    push(ws)


def claim_version(ws: Workspace, folder: Path, staged: Path) -> None:
    """Commit a version in the bucket of a workspace before it is written here; nothing where there is no bucket.

    `staged` holds its files, and the ones that stand in the bucket afterwards; `folder` is where it belongs.

    Raises:
        VersionExistsError: the bucket has it with another contract.
        RegistryError: the bucket cannot be written; the same call again goes on where this one ended.

    """
    replica = replica_of(ws)
    if replica is None:
        return
    key = f"registry/{folder.relative_to(replica.place.registry).as_posix()}"
    files = {file.name: file.read_bytes() for file in staged.iterdir()}
    if not commit_version(replica.store, key, files):
        there = replica.store.read(f"{key}/{RECORD_FILE}")
        if there is not None and there.content != files[RECORD_FILE]:
            for name, content in read_version(replica.store, key).items():
                write_whole(staged / name, content)


def claim_document(ws: Workspace, file: Path, text: str) -> str:
    """Create a product's document in the bucket of a workspace before it is written here; return the one that stands.

    Raises:
        RegistryError: the bucket cannot be written.

    """
    replica = replica_of(ws)
    if replica is None:
        return text
    key = f"registry/{file.relative_to(replica.place.registry).as_posix()}"
    return claim(replica.store, key, text.encode()).decode()


def _check(store: ObjectStore) -> None:
    if isinstance(store, S3Store):
        store.check_conditional_writes()


def _files_of(place: Place, folder: str) -> dict[str, bytes]:
    """Return a version's files from the place, as its record says.

    Raises:
        RegistryError: one is not as it was published.

    """
    at = place.file(folder)
    with told_as(RegistryError, "reading a version", at):
        record = (at / RECORD_FILE).read_bytes()
        promised = hashes_in(record, str(at / RECORD_FILE))
        files = {name: (at / name).read_bytes() for name in promised}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != promised[name]:
            raise RegistryError(
                "a file of a published version is not what was published, and is not pushed",
                where=at / name,
                hint="restore the version's folder; a change belongs in a new version",
            )
    return {**files, RECORD_FILE: record}


def _remembered(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
        if isinstance(value["equal"], dict) and all(len(pair) == 2 for pair in value["pointers"].values()):
            return dict(value)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return {}


def _carried(keys: list[str]) -> Carried:
    products = {product for key in keys if (product := product_of(key)) is not None}
    urns = sorted(f"urn:dpf:{domain}:{product}" for domain, product in products)
    return Carried(tuple(keys), tuple(urns))
