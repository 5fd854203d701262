"""A contract version in a store of objects: there as a whole or not at all, though nothing can be renamed.

Takes a store, the key of a version's folder and its bytes; gives what stands there. The order is that of a promise:

    parts/<sha256>                          each file under the name of its content: says nothing, may be there already
    registry/products/.../record.json       created, never replaced: the commit; it names the sha256 of each file
    registry/products/.../contract.odcs.yaml, ...   the files by their names, for whoever looks into the bucket

A writer that dies before the commit leaves parts that nobody reads; one that dies after it leaves a version that every
reader finds by its parts, and that the same command completes. Of two that commit one wins, and the other compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from factory.errors import RegistryError, VersionExistsError
from factory.registry.remote.layout import RECORD_FILE
from factory.registry.remote.objects import Object, ObjectStore, at_once

CONTRACT_FILE = "contract.odcs.yaml"
PARTS = "parts"


def commit_version(store: ObjectStore, folder: str, files: Mapping[str, bytes]) -> bool:
    """Publish a version's files under the key of its folder; say False if a version with this contract is there.

    `files` are its bytes by name, the record among them.

    Raises:
        VersionExistsError: it is there with another contract.
        RegistryError: the store does not do its part; the same call again goes on where this one ended.

    """
    record = files[RECORD_FILE]
    named = {name: content for name, content in files.items() if name != RECORD_FILE}
    at_once(lambda content: store.create(part_key(_sha256(content)), content), named.values())
    news = store.create(f"{folder}/{RECORD_FILE}", record)
    if not news:
        there = store.read(f"{folder}/{RECORD_FILE}")
        if there is None:
            raise RegistryError(
                f"{store.address}: {folder} was there and is gone",
                hint="somebody removes objects: run it again",
            )
        if there.content != record:
            _compare(store, folder, there.content, record)
            named = read_version(store, folder)  # the first record stands, with its files
    complete(store, folder, named)
    return news


def complete(store: ObjectStore, folder: str, named: Mapping[str, bytes]) -> None:
    """Write the files of a committed version under their names, where they are not there as they should be."""

    def write(item: tuple[str, bytes]) -> None:
        name, content = item
        key = f"{folder}/{name}"
        if store.create(key, content):
            return
        there = store.read(key)
        if there is None or there.content != content:
            store.replace(key, content, there.etag if there else None)

    at_once(write, [(name, content) for name, content in named.items() if name != RECORD_FILE])


def read_version(store: ObjectStore, folder: str) -> dict[str, bytes]:
    """Return the files of a committed version, its record among them, each by its name or by its part.

    Raises:
        RegistryError: there is no record, or a file is nowhere as it was published.

    """
    record = store.read(f"{folder}/{RECORD_FILE}")
    if record is None:
        raise RegistryError(
            f"{store.address}: there is no version at {folder}", hint="it is not published, or was removed"
        )
    promised = hashes_in(record.content, f"{store.address}: {folder}/{RECORD_FILE}")

    def find(name: str) -> bytes:
        for key in (f"{folder}/{name}", part_key(promised[name])):
            found = store.read(key)
            if found is not None and _sha256(found.content) == promised[name]:
                return found.content
        raise RegistryError(
            f"{store.address}: {folder}/{name} is not what was published",
            hint="restore the object from a backup, or from a workspace that has this version: its next push mends it",
        )

    names = sorted(promised)
    return {**dict(zip(names, at_once(find, names), strict=True)), RECORD_FILE: record.content}


def hashes_in(record: bytes, where: str) -> dict[str, str]:
    """Return the sha256 of each file that a record names.

    Raises:
        RegistryError: it is no record.

    """
    try:
        files: dict[str, Any] = json.loads(record)["files"]
        found = {str(name): str(facts["sha256"]) for name, facts in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(
            f"{where} cannot be read", hint="restore it from a backup; a published version never changes"
        ) from error
    bad = [
        name
        for name, sha in found.items()
        if "/" in name or name.startswith(".") or len(sha) != 64 or not sha.isalnum()
    ]
    if bad:
        raise RegistryError(f"{where} names {bad[0][:100]!r}", hint="restore it from a backup")
    return found


def claim(store: ObjectStore, key: str, content: bytes) -> bytes:
    """Create an object of which the first that is written stands; return what stands."""
    if store.create(key, content):
        return content
    there: Object | None = store.read(key)
    return content if there is None else there.content


def part_key(sha256: str) -> str:
    """Return the key of a part by the sha256 of its content."""
    return f"{PARTS}/{sha256[:2]}/{sha256}"


def _compare(store: ObjectStore, folder: str, there: bytes, record: bytes) -> None:
    """Compare the contracts that two records of a version name."""
    where = f"{store.address}: {folder}/{RECORD_FILE}"
    if hashes_in(there, where).get(CONTRACT_FILE) != hashes_in(record, where).get(CONTRACT_FILE):
        *_, contract, version = folder.split("/")
        raise VersionExistsError(
            f"{contract} {version} is published already in {store.address}, with another content",
            hint="set a higher version in the contract; a published version never changes",
        )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
