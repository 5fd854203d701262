"""Runs that were compacted, and their folders, between a replica and its store: neither lost nor brought back.

Takes a store and a place; gives what may be left out and what may go; reads and writes `registry/history/`. A folder of
compacted runs (see `registry.compaction`) is named by its content. One whose runs all stand in a larger one of its
month is superseded: it is not brought, and goes from the store once the larger one is there. A run's file goes, too,
once a folder in the store has the run. Of two folders with the same runs the one with the higher name stays, so that
two who clear up at once do not each remove what the other kept.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from factory.errors import RegistryError
from factory.files import sha256_file, sync_folder, told_as
from factory.registry.figures import TABLES
from factory.registry.history import Place as RunPlace
from factory.registry.remote.layout import Kind, Place, folder_of, of_kind
from factory.registry.remote.objects import ObjectStore, at_once
from factory.tables import literal

_RUNS = "runs.parquet"
_TABLES = tuple(f"{table}.parquet" for table in TABLES)


def whole_folders(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the folders of compacted runs of which every table is there, by month, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for key in of_kind(keys, Kind.HISTORY):
        folder, _, name = key.rpartition("/")
        found[folder].add(name)
    months: dict[str, list[str]] = defaultdict(list)
    for folder in sorted(found):
        if found[folder] >= set(_TABLES):
            months[folder_of(folder)].append(folder)
    return months


class Histories:
    """What the folders of compacted runs of a place hold; each is read once."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._runs: dict[str, frozenset[RunPlace]] = {}

    def runs_in(self, folder: str) -> frozenset[RunPlace]:
        """Return the runs in a folder, by its key."""
        if folder not in self._runs:
            self._runs[folder] = _read(self._place.file(folder) / _RUNS)
        return self._runs[folder]

    def compacted(self, runs: Iterable[str], local: Iterable[str]) -> dict[str, str]:
        """Return which of these runs (keys of their files) stand in a folder of the place, and in which."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for key in runs:
            name = key.rpartition("/")[2]
            wanted[f"registry/history/{name[:4]}-{name[4:6]}"].add(key)
        found: dict[str, str] = {}
        if wanted:
            folders = whole_folders(local)
            for month, keys in wanted.items():
                for folder in folders.get(month, ()):
                    held = self.runs_in(folder)
                    found |= {key: folder for key in keys if _run(key) in held}
        return found

    def superseding(self, folder: str, runs: frozenset[RunPlace], others: Iterable[str]) -> str:
        """Return the folder that has all runs of another one, and more or a higher name; empty if none has."""
        for other in others:
            held = self.runs_in(other)
            if other != folder and (runs < held or (runs == held and other > folder)):
                return other
        return ""

    def bring(
        self, store: ObjectStore, remote: Collection[str], local: Collection[str]
    ) -> tuple[list[str], dict[str, str]]:
        """Bring the folders that the store has and the place has not.

        Return their keys, and what was left out: a superseded folder, and the one of the place that supersedes it.
        """
        brought: list[str] = []
        superseded: dict[str, str] = {}
        here = whole_folders(local)
        for month, folders in whole_folders(remote).items():
            for folder in folders:
                if folder in here.get(month, ()):
                    continue
                by = self._bring(store, folder, here.get(month, []))
                if by:
                    superseded[folder] = by
                else:
                    brought.append(folder)
                    here.setdefault(month, []).append(folder)
        return brought, superseded

    def _bring(self, store: ObjectStore, folder: str, others: list[str]) -> str:
        target = self._place.file(folder)
        staged = target.with_name(f".{uuid.uuid4().hex[:8]}.tmp")
        with told_as(RegistryError, "bringing the history", target):
            staged.mkdir(parents=True)
            try:
                if not store.download(f"{folder}/{_RUNS}", staged / _RUNS):
                    return folder  # superseded since it was listed
                by = self.superseding(folder, _read(staged / _RUNS), others)
                rest = [table for table in _TABLES if table != _RUNS]
                if by or not all(
                    at_once(lambda table: store.download(f"{folder}/{table}", staged / table), rest)
                ):
                    return by or folder
                _check(staged, target, store)
                staged.rename(target)
                sync_folder(target.parent)
            finally:
                shutil.rmtree(staged, ignore_errors=True)
        return ""


def to_upload(histories: Histories, remote: Collection[str], local: Collection[str]) -> list[str]:
    """Return the keys of the folders that the store lacks and that none in the place supersedes."""
    there = whole_folders(remote)
    return [
        folder
        for month, folders in whole_folders(local).items()
        for folder in folders
        if folder not in there.get(month, ())
        and not histories.superseding(folder, histories.runs_in(folder), folders)
    ]


def remove_folder(store: ObjectStore, folder: str) -> None:
    """Remove a superseded folder; what is left by a crash is known for one by its runs, which go last."""
    for table in sorted(_TABLES, key=lambda name: name == _RUNS):
        store.delete(f"{folder}/{table}")


def tables_of(folder: str) -> list[str]:
    """Return the keys of a folder's tables; the last of them makes it one that is brought."""
    return [f"{folder}/{table}" for table in _TABLES]


def removable_runs(
    histories: Histories, remote: Mapping[str, object], local: Mapping[str, object]
) -> list[str]:
    """Return the files of runs in the store that the place no longer has, since a folder in both has them."""
    gone = [key for key in of_kind(remote, Kind.RUN) if key not in local]
    there = {folder for folders in whole_folders(remote).values() for folder in folders}
    return sorted(key for key, folder in histories.compacted(gone, local).items() if folder in there)


def _run(key: str) -> RunPlace:
    *_, domain, product, name = key.split("/")
    return domain, product, name.removesuffix(".json")


def _read(file: Path) -> frozenset[RunPlace]:
    import duckdb

    try:
        with duckdb.connect() as connection:
            rows = connection.execute(
                f"select domain, product, run from read_parquet({literal(file.as_posix())})"  # noqa: S608
            ).fetchall()
    except duckdb.Error as error:
        raise RegistryError(
            f"compacted runs cannot be read: {str(error).splitlines()[0]}",
            where=file,
            hint="restore the folder from a backup",
        ) from error
    return frozenset((str(domain), str(product), str(run)) for domain, product, run in rows)


def _check(staged: Path, target: Path, store: ObjectStore) -> None:
    """Check that tables are those that the folder's name says."""
    hashes = " ".join(sha256_file(staged / table) for table in _TABLES)
    if hashlib.sha256(hashes.encode()).hexdigest()[:20] != target.name.partition("-")[2]:
        raise RegistryError(
            f"{store.address}: the history {target.name} is not what was written",
            hint="restore the folder from a backup; the next push of a workspace that has it mends it",
        )
