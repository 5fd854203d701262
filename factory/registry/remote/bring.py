"""Bring what a store of objects has and a place has not: facts first, then what refers to them.

Takes a store, its listing and a place; gives what was brought; writes to the place. Every file is written whole, a
version's folder at once, with every hash checked against its record. The same call again brings what is missing.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

from factory.errors import RegistryError, VersionExistsError
from factory.files import sync_folder, told_as, write_whole
from factory.registry.remote.commit import CONTRACT_FILE, hashes_in, read_version
from factory.registry.remote.history import Histories
from factory.registry.remote.layout import RECORD_FILE, Kind, Place, folder_of, kind_of, of_kind
from factory.registry.remote.objects import Entry, ObjectStore, at_once

_MD5 = re.compile(r'"?([0-9a-f]{32})"?', re.ASCII)
_MARKS = "registry/incidents/_unfinished"


def bring_facts(
    store: ObjectStore,
    place: Place,
    remote: Mapping[str, Entry],
    local: Mapping[str, int],
    histories: Histories,
) -> tuple[list[str], dict[str, str]]:
    """Bring all but ports and the index. Return the keys that are new, and what of the history is superseded.

    Raises:
        RegistryError: a file is not the same in both, or cannot be brought.

    """
    _compare_sizes(store, place, remote, local)
    folders, superseded = histories.bring(store, remote, local)
    brought = list(folders)
    missing = [key for key in remote if key not in local]
    wave = bring_versions(store, place, remote, local)
    brought += wave
    brought += _copy(store, place, of_kind(missing, Kind.DOCUMENT, Kind.FACT))
    runs = of_kind(missing, Kind.RUN)
    known = histories.compacted(runs, [*local, *(key for f in folders for key in _tables(remote, f))])
    brought += _copy(store, place, [key for key in runs if key not in known])
    incidents = [k for k in of_kind(remote, Kind.INCIDENT) if local.get(k) != remote[k].size]
    if incidents:
        forget_marks(place)
    brought += _copy(store, place, incidents)
    brought += _copy(store, place, of_kind(missing, Kind.EVENT))
    return brought, superseded


def forget_marks(place: Place) -> None:
    """Let the marks of unfinished incidents be made anew from the facts, as in a clone."""
    marks = place.file(_MARKS)
    with told_as(RegistryError, "bringing incidents", marks):
        if marks.is_dir():
            gone = marks.with_name(f".{marks.name}.{uuid.uuid4().hex[:8]}.tmp")
            marks.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def bring_versions(
    store: ObjectStore, place: Place, remote: Mapping[str, Entry], local: Mapping[str, int]
) -> list[str]:
    """Bring the versions that are committed in the store; return the keys of their folders."""
    committed = [folder_of(key) for key in of_kind(remote, Kind.VERSION) if key.endswith(f"/{RECORD_FILE}")]
    missing = [folder for folder in committed if f"{folder}/{RECORD_FILE}" not in local]
    at_once(lambda folder: bring_version(store, place, folder), missing)
    return missing


def bring_version(store: ObjectStore, place: Place, folder: str) -> None:
    """Write a committed version's folder as it stands in the store, at once."""
    target = place.file(folder)
    files = read_version(store, folder)
    staged = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    with told_as(RegistryError, "bringing a version", target):
        staged.mkdir(parents=True)
        try:
            for name, content in files.items():
                write_whole(staged / name, content)
            if target.exists():
                target.rename(target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old.tmp"))
            staged.rename(target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            for old in target.parent.glob(f".{target.name}.*.old.tmp"):
                shutil.rmtree(old, ignore_errors=True)


def settle_versions(
    store: ObjectStore, place: Place, remote: Mapping[str, Entry], local: Mapping[str, int],
    equal: MutableMapping[str, str],
) -> list[str]:  # fmt: skip
    """Compare the versions and documents that both have, those of `equal` aside, and note there what is the same.

    Where two records name the same contract, the store's stands, with its files; of documents the store's stands.
    Return the keys that were written.

    Raises:
        VersionExistsError: a version has another contract in the store.

    """
    both = [
        key
        for key in of_kind(remote, Kind.VERSION, Kind.DOCUMENT)
        if key in local and _is_settled_here(key) and equal.get(key) != remote[key].etag
    ]

    def settle(key: str) -> str:
        file = place.file(key)
        with told_as(RegistryError, "reading the registry", file):
            here = file.read_bytes()
        if same(store, remote[key], here):
            return ""
        there = store.read(key)
        if there is None or there.content == here:
            return ""
        if kind_of(key) is Kind.DOCUMENT:
            write_whole(file, there.content)
            return key
        where = f"{store.address}: {key}"
        if hashes_in(there.content, where).get(CONTRACT_FILE) != hashes_in(here, str(file)).get(
            CONTRACT_FILE
        ):
            *_, contract, version, _ = key.split("/")
            raise VersionExistsError(
                f"{contract} {version} has another content in {store.address}",
                where=file,
                hint="the one that was published there first stands: remove this folder, and set a higher version",
            )
        bring_version(store, place, folder_of(key))
        return key

    written = [key for key in at_once(settle, both) if key]
    equal.update({key: remote[key].etag for key in both})
    return written


def same(store: ObjectStore, entry: Entry, content: bytes) -> bool:
    """Say whether an object has this content, without reading it where its etag tells."""
    if entry.size != len(content):
        return False
    md5 = _MD5.fullmatch(entry.etag)
    if md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() == md5[1]:
        return True
    there = store.read(entry.key)
    return there is not None and there.content == content


def _is_settled_here(key: str) -> bool:
    return kind_of(key) is Kind.DOCUMENT or key.endswith(f"/{RECORD_FILE}")


def _compare_sizes(
    store: ObjectStore, place: Place, remote: Mapping[str, Entry], local: Mapping[str, int]
) -> None:
    """Refuse a fact that has another size there than here."""
    never_change = {Kind.FACT, Kind.EVENT, Kind.RUN, Kind.HISTORY, Kind.SNAPSHOT}
    for key, size in local.items():
        entry = remote.get(key)
        if entry is not None and entry.size != size and kind_of(key) in never_change:
            raise RegistryError(
                f"{key} has {size} bytes here and {entry.size} in {store.address}, though it never changes",
                where=place.file(key),
                hint="remove the one that is not as it was written: the other takes its place at the next run",
            )


def _copy(store: ObjectStore, place: Place, keys: Iterable[str]) -> list[str]:
    """Write objects as files; return the keys of those that were still there."""

    def copy(key: str) -> str:
        found = store.read(key)
        if found is None:
            return ""  # compacted since it was listed
        file: Path = place.file(key)
        with told_as(RegistryError, "bringing the registry", file):
            write_whole(file, found.content)
        return key

    return [key for key in at_once(copy, keys) if key]


def _tables(remote: Mapping[str, Entry], folder: str) -> list[str]:
    return [key for key in remote if folder_of(key) == folder]
