"""Pointers of ports between a replica and its store: the one thing in a registry that is replaced.

Takes a store, its listing, a place, and what both had when they met last; brings and pushes pointers, each after the
snapshots that it names. Where one side changed, its pointer goes to the other, by compare-and-swap. Where both did, the
newest event that tells of the port decides.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Collection, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import told_as, write_whole
from factory.registry.ports import CURRENT, snapshot_name, sweep_snapshots, write_link
from factory.registry.remote.layout import Kind, Place, folder_of, of_kind, snapshots_in
from factory.registry.remote.objects import Entry, Object, ObjectStore, at_once
from factory.registry.remote.told import told_snapshot

#: What both sides had: the etag in the store, and the sha256 of the content, by key.
Known = MutableMapping[str, tuple[str, str]]


def bring_pointers(
    store: ObjectStore, place: Place, remote: Mapping[str, Entry], local: Mapping[str, int], known: Known
) -> list[str]:
    """Bring the pointers that are newer in the store, with their snapshots; return their keys."""
    keys = sorted({*of_kind(remote, Kind.POINTER), *of_kind(local, Kind.POINTER)})
    changed = at_once(lambda key: _settle(store, place, (key, remote.get(key)), known, (remote, local)), keys)
    return [key for key, is_new in zip(keys, changed, strict=True) if is_new]


def _settle(
    store: ObjectStore,
    place: Place,
    item: tuple[str, Entry | None],
    known: Known,
    listed: tuple[Mapping[str, Entry], Mapping[str, int]],
) -> bool:
    """Bring one pointer if it is to be brought; say whether something was."""
    key, entry = item
    here, base = _here(place, key), known.get(key)
    if entry is None:
        known.pop(key, None)
        return _is(here, base) and _close(place, key)  # closed by another workspace
    if base and entry.etag == base[0]:
        if here is not None:
            return _is(here, base) and _mend(store, place, key, here, listed)
        return not is_closed_here(place, key) and _bring(store, place, (key, None), known, listed)
    there = store.read(key)
    if there is None:
        return False
    if here == there.content:
        known[key] = (there.etag, _sha256(there.content))
        return _mend(store, place, key, there.content, listed)
    if here is not None and not _is(here, base) and _is_newer(place, key, here, there.content):
        known[key] = (there.etag, _sha256(there.content))
        return False
    return _bring(store, place, (key, there), known, listed)


def _is(here: bytes | None, base: tuple[str, str] | None) -> bool:
    """Say whether a pointer here is the one that both sides had."""
    return here is not None and base is not None and _sha256(here) == base[1]


def _is_newer(place: Place, key: str, here: bytes, there: bytes) -> bool:
    """Say whether the events tell of the pointer here, and not of the one in the store."""
    return _is_told(place, key, here) and not _is_told(place, key, there)


def _bring(
    store: ObjectStore,
    place: Place,
    item: tuple[str, Object | None],
    known: Known,
    listed: tuple[Mapping[str, Entry], Mapping[str, int]],
) -> bool:
    key, there = item
    there = there or store.read(key)
    if there is None:
        return False
    set_pointer(store, place, key, there.content, listed)
    known[key] = (there.etag, _sha256(there.content))
    return True


def set_pointer(
    store: ObjectStore,
    place: Place,
    key: str,
    content: bytes,
    listed: tuple[Mapping[str, Entry], Mapping[str, int]],
) -> None:
    """Make a pointer of the store the one of the place, once its snapshots are there; old snapshots go.

    Raises:
        RegistryError: it is none, or its tables are not what was published.

    """
    pointer = read_pointer(content, f"{store.address}: {key}")
    kept = snapshots_in(pointer)
    for snapshot in kept:
        is_current = snapshot == pointer["snapshot"]
        if not _bring_snapshot(store, place, f"{folder_of(key)}/{snapshot}", listed) and is_current:
            raise RegistryError(
                f"{store.address}: the tables behind {key} are not there",
                hint="build the product again where it is published from",
            )
    file = place.file(key)
    before = _here(place, key)
    write_link(file.parent, str(pointer["snapshot"]))
    with told_as(RegistryError, "pointing to the new ports", file):
        write_whole(file, content)
    known: dict[str, Any] = {}
    with contextlib.suppress(RegistryError):
        known = read_pointer(before, str(file)) if before else {}
    sweep_snapshots(file.parent, pointer, known)


def _mend(
    store: ObjectStore,
    place: Place,
    key: str,
    content: bytes,
    listed: tuple[Mapping[str, Entry], Mapping[str, int]],
) -> bool:
    """Bring what is missing of a pointer that both sides have; say whether something was."""
    pointer = read_pointer(content, f"{store.address}: {key}")
    current = str(pointer["snapshot"])
    folder = place.file(key).parent
    with contextlib.suppress(OSError):
        if (folder / current).is_dir() and os.readlink(folder / CURRENT) == current:  # noqa: PTH115
            return False
    set_pointer(store, place, key, content, listed)
    return True


def _bring_snapshot(
    store: ObjectStore, place: Place, folder: str, listed: tuple[Mapping[str, Entry], Mapping[str, int]]
) -> bool:
    """Bring a snapshot, checked against its name; say whether it is there."""
    target = place.file(folder)
    if target.is_dir():
        return True
    start = f"{folder}/"
    keys = [key for key in listed[0] if key.startswith(start)]
    keys = keys or [entry.key for entry in store.entries(folder)]
    if not keys:
        return False
    staged = target.with_name(f".{uuid.uuid4().hex[:8]}.tmp")
    with told_as(RegistryError, "bringing a snapshot", target):
        staged.mkdir(parents=True)
        try:
            if not all(at_once(lambda key: store.download(key, staged / key.rpartition("/")[2]), keys)):
                return False
            if snapshot_name(staged) != target.name:
                raise RegistryError(
                    f"{store.address}: the snapshot {folder} is not what was published",
                    hint="remove it there, and build the product again where it is published from",
                )
            with contextlib.suppress(FileExistsError):
                staged.rename(target)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return True


def push_pointers(
    store: ObjectStore,
    place: Place,
    remote: MutableMapping[str, Entry],
    local: Mapping[str, int],
    known: Known,
) -> bool:
    """Push the pointers that are newer here, each after its snapshots; say False if another one came first."""
    keys = [key for key in of_kind(local, Kind.POINTER) if not _is(_here(place, key), known.get(key))]
    closed = [key for key in list(known) if key not in local and key in remote and is_closed_here(place, key)]
    won = at_once(lambda key: _push(store, place, key, known, (remote, local)), keys)
    for key in closed:
        store.delete(key)
        known.pop(key, None)
        remote.pop(key, None)
    return all(won)


def _push(
    store: ObjectStore,
    place: Place,
    key: str,
    known: Known,
    listed: tuple[MutableMapping[str, Entry], Mapping[str, int]],
) -> bool:
    content = _here(place, key)
    if content is None:
        return True
    pointer = read_pointer(content, str(place.file(key)))
    kept = snapshots_in(pointer)
    _upload(store, place, key, kept, listed[0])
    base = known.get(key)
    before = store.read(key) if base else None
    if not store.replace(key, content, base[0] if base else None):
        there = store.read(key)
        if there is None or there.content != content:
            return False
    elif before is not None:
        # What the pointer before named and this one does not; never what another one is about to point to.
        gone = set(snapshots_in(read_pointer(before.content, key))) - set(kept)
        for snapshot in sorted(gone):
            for entry in store.entries(f"{folder_of(key)}/{snapshot}"):
                store.delete(entry.key)
                listed[0].pop(entry.key, None)
    _upload(store, place, key, kept[:1], {e.key: e for e in store.entries(f"{folder_of(key)}/{kept[0]}")})
    there = store.read(key)
    if there is not None:
        known[key] = (there.etag, _sha256(there.content))
        listed[0][key] = Entry(key, len(there.content), there.etag)
    return True


def _upload(
    store: ObjectStore, place: Place, key: str, snapshots: Collection[str], there: Mapping[str, Entry]
) -> None:
    """Upload the files of snapshots that are not there."""
    folder = folder_of(key)
    missing = [
        f"{folder}/{snapshot}/{file.name}"
        for snapshot in snapshots
        for file in _files(place.file(f"{folder}/{snapshot}"))
        if f"{folder}/{snapshot}/{file.name}" not in there
    ]
    at_once(lambda name: store.upload(name, place.file(name)), missing)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def is_closed_here(place: Place, key: str) -> bool:
    """Say whether a pointer is gone because its port was closed, and not because somebody removed files."""
    file = place.file(key)
    if file.exists() or not file.parent.is_dir():
        return False
    _, domain, product, contract, major, _ = key.split("/")
    return told_snapshot(place.registry, domain, product, contract, int(major[1:])) == ""


def _is_told(place: Place, key: str, content: bytes) -> bool:
    """Say whether the newest event of a port tells of the snapshot that a pointer names."""
    _, domain, product, contract, major, _ = key.split("/")
    told = told_snapshot(place.registry, domain, product, contract, int(major[1:]))
    with contextlib.suppress(RegistryError):
        return bool(told) and told == read_pointer(content, key)["snapshot"]
    return False


def read_pointer(content: bytes, where: str) -> dict[str, Any]:
    """Return a pointer's values.

    Raises:
        RegistryError: it is none.

    """
    try:
        pointer = json.loads(content)
        if snapshots_in(pointer)[0] == pointer["snapshot"] and all(
            str(path).startswith(f"{pointer['snapshot']}/")
            and str(path).count("/") == 1
            and ".." not in str(path)
            for path in pointer["tables"].values()
        ):
            return dict(pointer)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        pass
    raise RegistryError(
        f"{where} is not a pointer", hint="build the product again where it is published from"
    )


def _here(place: Place, key: str) -> bytes | None:
    try:
        return place.file(key).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RegistryError(f"a pointer cannot be read: {error.strerror}", where=place.file(key)) from error


def _close(place: Place, key: str) -> bool:
    with told_as(RegistryError, "closing a port", place.file(key)):
        place.file(key).unlink(missing_ok=True)
        place.file(key).with_name(CURRENT).unlink(missing_ok=True)
    return True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
