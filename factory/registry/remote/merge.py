"""Join registries, such as those of regions: the union of their facts, or nothing at all.

Takes a workspace and other registries (folders, or buckets); gives what came; writes to the workspace's registry. All
conflicts are found first and told together, and nothing is written if there is one. What is written is written in the
order of a publish, each file whole, so that a merge that dies is completed by the same command.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.errors import FactoryError, RegistryError, VersionExistsError, raise_all
from factory.registry.index import refresh_index
from factory.registry.remote.bring import bring_facts, forget_marks, same
from factory.registry.remote.commit import CONTRACT_FILE, hashes_in
from factory.registry.remote.folder import FolderStore
from factory.registry.remote.history import Histories
from factory.registry.remote.layout import RECORD_FILE, Kind, Place, kind_of, of_kind, product_of
from factory.registry.remote.objects import Entry, ObjectStore
from factory.registry.remote.pointers import read_pointer, set_pointer
from factory.registry.remote.s3 import SCHEME, S3Store
from factory.registry.views import refresh_ports_database
from factory.workspace import Workspace

_REMOVED = "-removed-"
_NEVER_CHANGE = (Kind.FACT, Kind.EVENT, Kind.RUN, Kind.HISTORY, Kind.SNAPSHOT, Kind.INCIDENT, Kind.DOCUMENT)


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did.

    Attributes:
        products: the addresses of the products of which something came, sorted.
        versions: how many contract versions came.
        facts: how many other files came, but tables.
        pointers: how many ports are new, or point to newer tables.
        sources: where it came from.
    """

    products: tuple[str, ...]
    versions: int
    facts: int
    pointers: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class _Side:
    """One of the registries that are joined, and what lies in it."""

    store: ObjectStore
    entries: Mapping[str, Entry]

    def read(self, key: str) -> bytes:
        found = self.store.read(key)
        if found is None:
            raise RegistryError(
                f"{self.store.address}: {key} was there and is gone", hint="run the command again"
            )
        return found.content

    def names(self) -> dict[str, set[str]]:
        """Return the domains of each product that has versions or documents, by its name."""
        found: dict[str, set[str]] = defaultdict(set)
        for domain, product in self.products():
            found[product].add(domain)
        return found

    def products(self) -> set[tuple[str, str]]:
        keys = of_kind(self.entries, Kind.VERSION, Kind.DOCUMENT)
        return {product for key in keys if (product := product_of(key)) is not None}

    def removed(self) -> dict[tuple[str, str], set[str]]:
        """Return the events that removed products, by product."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for key in of_kind(self.entries, Kind.EVENT):
            product = product_of(key)
            if _REMOVED in key.rpartition("/")[2] and product is not None:
                found[product].add(key)
        return found

    def records(self, product: tuple[str, str]) -> set[str]:
        """Return the keys of the records of a product's versions."""
        start = f"registry/products/{product[0]}/{product[1]}/"
        return {k for k in self.entries if k.startswith(start) and k.endswith(f"/{RECORD_FILE}")}


def merge(ws: Workspace, others: Sequence[str | Path]) -> Merged:
    """Join other registries into a workspace's. The caller holds the workspace's lock.

    An other is the folder that holds `registry/` and `ports/` (or its `registry/`), or `s3://bucket/prefix`.

    Raises:
        RegistryError: another one is no registry, or cannot be read.
        Problems: they contradict each other, or this one; nothing is written. One alone is raised as itself.

    """
    place = Place(ws.registry, ws.ports)
    own = _own(place)
    sides = [_side(open_store(other, ws.root)) for other in others]
    raise_all(list(_conflicts([own, *sides])))
    told: list[str] = []
    pointers = 0
    forget_marks(place)
    for side in sides:
        remote = {key: entry for key, entry in side.entries.items() if _is_committed(key, side.entries)}
        local = place.sizes()
        brought, _ = bring_facts(side.store, place, remote, local, Histories(place))
        told += brought
        now = _own(place)
        for key in of_kind(side.entries, Kind.POINTER):
            if key not in now.entries or (_winner(key, now, side) is side):
                set_pointer(side.store, place, key, side.read(key), (side.entries, {}))
                told.append(key)
                pointers += 1
    refresh_index(ws, None)
    refresh_ports_database(ws)
    versions = sum(kind_of(f"{key}/{RECORD_FILE}") is Kind.VERSION for key in told)
    products = {product for key in told if (product := product_of(key)) is not None}
    return Merged(
        products=tuple(sorted(f"urn:dpf:{domain}:{product}" for domain, product in products)),
        versions=versions,
        facts=len(told) - versions - pointers,
        pointers=pointers,
        sources=tuple(side.store.address for side in sides),
    )


def merged_as_json(done: Merged) -> dict[str, Any]:
    """Return what a merge did as plain values (`registry-merge.schema.json`)."""
    return {
        "sources": list(done.sources),
        "products": list(done.products),
        "versions": done.versions,
        "facts": done.facts,
        "pointers": done.pointers,
    }


def merged_as_text(done: Merged) -> str:
    """Return what a merge did for people."""
    if not done.products and not done.facts:
        return f"Nothing new in {', '.join(done.sources)}."
    counts = f"{done.versions} versions, {done.facts} other facts, {done.pointers} ports"
    lines = [f"Merged {', '.join(done.sources)}: {counts}", *(f"  {urn}" for urn in done.products)]
    return "\n".join(lines)


def open_store(address: str | Path, root: Path) -> ObjectStore:
    """Return the store at an address: a bucket, or a folder (relative to `root`) that holds a registry.

    Raises:
        RegistryError: it is no such address.

    """
    if str(address).startswith(SCHEME):
        return S3Store(str(address))
    folder = root / address
    if folder.name == "registry" and not (folder / "registry").is_dir():
        folder = folder.parent
    if not (folder / "registry").is_dir():
        raise RegistryError(
            "there is no registry here",
            where=root / address,
            hint="name the folder that holds registry/ and ports/",
        )
    return FolderStore(folder.resolve())


def _side(store: ObjectStore) -> _Side:
    entries = {e.key: e for top in ("registry", "ports") for e in store.entries(top)}
    if not any(kind_of(key) is not Kind.NONE for key in entries):
        raise RegistryError(
            f"{store.address}: there is no registry here", hint="name the folder that holds registry/"
        )
    return _Side(store, {key: e for key, e in entries.items() if kind_of(key) is not Kind.NONE})


def _own(place: Place) -> _Side:
    """Return the workspace's registry as a side: its two folders need not lie in one."""
    return _Side(_Folders(place), {key: Entry(key, size, "") for key, size in place.sizes().items()})


class _Folders(FolderStore):
    """The workspace's own folders, for reading."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.registry.parent)
        self._place = place

    def _file(self, key: str) -> Path:
        return self._place.file(key)


def _is_committed(key: str, entries: Mapping[str, Entry]) -> bool:
    """Say whether a file is part of something whole: a version without its record is none."""
    return kind_of(key) is not Kind.VERSION or f"{key.rpartition('/')[0]}/{RECORD_FILE}" in entries


def _conflicts(sides: Sequence[_Side]) -> Iterator[FactoryError]:
    """Tell everything in which registries contradict each other, pair by pair."""
    checks: tuple[Callable[[_Side, _Side], Iterable[FactoryError]], ...] = (
        _other_versions, _other_bytes, _removed_in_one, _other_domains, _other_pointers,
    )  # fmt: skip
    for number, second in enumerate(sides):
        for first in sides[:number]:
            for check in checks:
                yield from check(first, second)


def _both(first: _Side, second: _Side, *kinds: Kind) -> list[str]:
    return of_kind(first.entries.keys() & second.entries.keys(), *kinds)


def _other_versions(first: _Side, second: _Side) -> Iterator[FactoryError]:
    """Versions that are in both, with another contract."""
    for key in _both(first, second, Kind.VERSION):
        if not key.endswith(f"/{RECORD_FILE}"):
            continue
        here = first.read(key)
        if same(second.store, second.entries[key], here):
            continue
        named = [hashes_in(side.read(key), f"{side.store.address}: {key}") for side in (first, second)]
        if named[0].get(CONTRACT_FILE) != named[1].get(CONTRACT_FILE):
            *_, domain, product, contract, version, _ = key.split("/")
            yield VersionExistsError(
                f"{contract} {version} of {domain}/{product} has one content in {first.store.address} and another in"
                f" {second.store.address}",
                hint="a published version never changes: publish one of the two under another version",
            )


def _other_bytes(first: _Side, second: _Side) -> Iterator[FactoryError]:
    """Facts that are in both, with other bytes."""
    for key in _both(first, second, *_NEVER_CHANGE):
        sizes = first.entries[key].size, second.entries[key].size
        by_name = kind_of(key) in (Kind.SNAPSHOT, Kind.HISTORY)  # which is a hash of the content
        if sizes[0] != sizes[1] or (
            not by_name and not same(second.store, second.entries[key], first.read(key))
        ):
            yield RegistryError(
                f"{key} has one content in {first.store.address} and another in {second.store.address}",
                hint="it never changes: verify both with factory registry verify, and restore the one that changed",
            )


def _removed_in_one(first: _Side, second: _Side) -> Iterator[FactoryError]:
    """Products that were removed in one, and of which the other has versions that the first never had."""
    for one, other in ((first, second), (second, first)):
        kept = other.removed()
        for product, events in one.removed().items():
            if not events & kept.get(product, set()) and other.records(product) - one.records(product):
                yield RegistryError(
                    f"{product[0]}/{product[1]} was removed in {one.store.address} and is published in"
                    f" {other.store.address}",
                    hint="a name that was removed is not taken again: remove the product there, too, or rename it",
                )


def _other_domains(first: _Side, second: _Side) -> Iterator[FactoryError]:
    """Products of one name in two domains, unless one of the registries knows both."""
    theirs = second.names()
    gone = {*first.removed(), *second.removed()}
    for name, domains in sorted(first.names().items()):
        others = theirs.get(name, set())
        mine = {domain for domain in domains - others if (domain, name) not in gone}
        yours = {domain for domain in others - domains if (domain, name) not in gone}
        if mine and yours:
            yield RegistryError(
                f"{name} is a product of {', '.join(sorted(mine))} in {first.store.address} and of"
                f" {', '.join(sorted(yours))} in {second.store.address}",
                hint="a product's name is its own in all domains: publish one of them under another name",
            )


def _other_pointers(first: _Side, second: _Side) -> Iterator[FactoryError]:
    """Ports with other tables in both, where no event tells which are the newer ones."""
    for key in _both(first, second, Kind.POINTER):
        if _winner(key, first, second) is None:
            yield RegistryError(
                f"{key} points to other tables in {first.store.address} than in {second.store.address}, and no event"
                " says which are newer",
                hint="build the product again where it belongs, then merge",
            )


def _winner(key: str, first: _Side, second: _Side) -> _Side | None:
    """Return the side whose pointer holds, by the newest event of the product; None if that is not known."""
    contents = [side.read(key) for side in (first, second)]
    if contents[0] == contents[1]:
        return first
    snapshots = [read_pointer(content, key)["snapshot"] for content in contents]
    if snapshots[0] == snapshots[1]:
        return first
    times = [
        _newest(side, key, str(snapshot)) for side, snapshot in zip((first, second), snapshots, strict=True)
    ]
    if times[0] == times[1]:
        return None
    return first if times[0] > times[1] else second


def _newest(side: _Side, key: str, snapshot: str) -> str:
    """Return the time of a side's newest event of a product that names a snapshot; empty if none does."""
    _, domain, product, *_ = key.split("/")
    start = f"registry/events/{domain}/{product}/"
    keys = [k for k in side.entries if k.startswith(start)]
    keys += [k for k in side.entries if k.startswith("registry/events/2") and f"-{product}-" in k]
    for event in sorted(keys, key=lambda k: k.rpartition("/")[2], reverse=True):
        content = side.read(event)
        if snapshot.encode() in content:
            try:
                return str(json.loads(content)["time"])
            except (ValueError, KeyError, TypeError):
                continue
    return ""
