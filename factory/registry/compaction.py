"""Compact the history: JSON files of old runs become Parquet, a folder of tables per month, without losing a figure.

Takes the workspace; gives what was done; reads `registry/runs/`, writes `registry/history/<YYYY-MM>/` (see `history`
for the layout and `figures` for the tables). The tables are plain Parquet for everybody: `select at, name, measured
from 'registry/history/*/*/checks.parquet' join 'registry/history/*/*/runs.parquet' using (domain, product, run)`.

The order is that of a promise. A month's runs, those of its Parquet folders included, are written as a new folder under
a temporary name, synced, read back through the code that reads the history, compared with the files figure by figure,
and renamed; only then the JSON files and the folders that it replaces go. A process that dies in between leaves runs
twice, which readers count once and the next compaction clears up. A file that cannot be read stays where it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import sha256_file, sync_folder, tells, told_as, within
from factory.locking import locked
from factory.registry import history
from factory.registry.figures import TABLES, rows_of
from factory.registry.history import HISTORY, Place
from factory.registry.runs import RUNS, Fault, names_of, record_in, stamp
from factory.tables import literal, quoted
from factory.workspace import Workspace

_AT_ONCE = 500  # files in memory together
_PRODUCTS_AT_ONCE = 20  # of which runs are read back together
_MEMORY = "512MB"  # what DuckDB may take; beyond it, it spills to disk
_LINE = 2**24  # characters of a row as JSON, at least, for which there is room
_NOTHING_LOST = "nothing is lost: the runs are where they were; mend this and run the command again"
_ENCODE = json.JSONEncoder(allow_nan=False).encode
_GROUP = 20_480  # rows that are read together, at least, by who wants one product


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did.

    Attributes:
        runs: runs that went from JSON into Parquet.
        checks: their checks.
        months: the months whose Parquet folder is new, as `2026-11`.
        files_before: files of the history before, JSON and Parquet.
        files_after: files after.
        bytes_before: their bytes before.
        bytes_after: their bytes after.
        faults: what could not be read, and stays.
    """

    runs: int
    checks: int
    months: tuple[str, ...]
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    faults: tuple[Fault, ...]


@tells(RegistryError, "compacting the history", lambda ws, *_, **__: ws.registry / HISTORY)
def compact(ws: Workspace, before: datetime | None = None, seconds: float = 30.0) -> Compacted:
    """Put the runs before a moment (None: all) from JSON into Parquet, month by month.

    Runs may be written and read meanwhile. A compaction that runs already is waited for, for so many `seconds`.

    Raises:
        LockedError: another compaction holds the history for longer.
        RegistryError: something cannot be written; every run can be read as before.

    """
    root = ws.registry
    if not root.is_dir():
        return Compacted(0, 0, (), 0, 0, 0, 0, ())
    faults: list[Fault] = []
    with locked(ws, seconds, "history"):
        files_before, bytes_before = _size(root)
        months: dict[str, list[Place]] = defaultdict(list)
        for folder in sorted((root / RUNS).glob("[!.]*/[!.]*")):
            for run in names_of(folder, faults):
                if before is None or run < stamp(before):
                    months[f"{run[:4]}-{run[4:6]}"].append((folder.parent.name, folder.name, run))
        with told_as(RegistryError, "compacting the history", root / HISTORY):
            _clear(root)
            kept = defaultdict(list)
            for folder in history.folders(root):
                kept[folder.parent.name].append(folder)
            done = [
                _Month(root, month, kept[month], faults).compact(months[month])
                for month in sorted({*months, *(m for m, folders in kept.items() if len(folders) > 1)})
            ]
        files_after, bytes_after = _size(root)
    return Compacted(
        runs=sum(runs for _, runs, _ in done),
        checks=sum(checks for *_, checks in done),
        months=tuple(month for month, *_ in done if month),
        files_before=files_before,
        files_after=files_after,
        bytes_before=bytes_before,
        bytes_after=bytes_after,
        faults=tuple(faults),
    )


@dataclass
class _Month:
    """The runs of a month on their way into one folder."""

    root: Path
    month: str
    folders: list[Path]
    faults: list[Fault]
    digests: dict[Place, bytes] = field(default_factory=dict)
    checks: int = 0

    @property
    def folder(self) -> Path:
        return self.root / HISTORY / self.month

    def compact(self, places: list[Place]) -> tuple[str, int, int]:
        """Return the month if its folder is new, the runs that went into Parquet, and their checks."""
        import duckdb

        staged = self.folder / f".{uuid.uuid4().hex[:8]}.tmp"
        staged.mkdir(parents=True)
        try:
            with _database(staged) as connection:
                known = self._take_folders(connection)
                self._take_files(connection, staged, [place for place in places if place not in known])
                if not self.digests and len(self.folders) < 2:
                    self._delete_twice([place for place in places if place in known], self.folders)
                    return "", 0, 0
                written = self._write(connection, staged)
            self._compare(written)
            final = self._rename(written)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise RegistryError(
                f"compacting the history failed: {reason}", where=self.folder, hint=_NOTHING_LOST
            ) from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.rmdir()  # where nothing came of it
        for old in self.folders:
            if old != final:
                _remove(old)
        for place in self.digests:
            self._file(place).unlink(missing_ok=True)
        self._delete_twice([place for place in places if place in known], [final])
        return self.month, len(self.digests), self.checks

    def _file(self, place: Place) -> Path:
        domain, product, run = place
        return within(self.root, RUNS, domain, product, f"{run}.json")

    def _take_folders(self, connection: Any) -> set[Place]:
        """Copy the rows of the month's folders; return the runs that they hold. What cannot be read stays aside."""
        import duckdb

        readable = []
        for folder in self.folders:
            connection.execute("begin")
            try:
                for table in TABLES:
                    file = literal((folder / f"{table}.parquet").as_posix())
                    connection.execute(
                        f"insert into {table} select {history.columns_in(table)} from read_parquet({file})"  # noqa: S608
                        " anti join known using (domain, product, run)"
                    )
                connection.execute("delete from known")
                connection.execute("insert into known select domain, product, run from runs")
                connection.execute("commit")
                readable.append(folder)
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error as error:
                connection.execute("rollback")
                self.faults.append(Fault(folder, str(error).splitlines()[0]))
        self.folders = readable
        return set(connection.execute("from known").fetchall())

    def _take_files(self, connection: Any, staged: Path, places: list[Place]) -> None:
        """Copy the rows of runs in JSON files."""
        for start in range(0, len(places), _AT_ONCE):
            lines: dict[str, list[str]] = {table: [] for table in TABLES}
            for place in places[start : start + _AT_ONCE]:
                read = self._record(place)
                if read is None:
                    continue
                record, self.digests[place] = read
                key = dict(zip(("domain", "product", "run"), place, strict=True))
                for table, rows in rows_of(record).items():
                    lines[table] += [_ENCODE({**key, **row}) for row in rows]
                    self.checks += len(rows) if table == "checks" else 0
            for table, own in lines.items():
                _insert(connection, table, own, staged / "rows.ndjson")

    def _record(self, place: Place) -> tuple[dict[str, Any], bytes] | None:
        """Return the record in a run's file, and its digest; None where it cannot be read, and so stays."""
        file = self._file(place)
        try:
            record = record_in(file)
            return record, digest(record)
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError) as error:
            self.faults.append(Fault(file, str(error)))
            return None

    def _write(self, connection: Any, staged: Path) -> Path:
        """Write the tables as Parquet, synced, in a folder that has its final name, but not its place."""
        hashes = []
        written = staged / "tables"
        written.mkdir()
        for table, shape in TABLES.items():
            file = written / f"{table}.parquet"
            order = ", ".join(quoted(name) for name in shape.order)
            connection.execute(
                f"copy (select {history.columns_in(table)} from {table} order by {order}) to {literal(file.as_posix())}"  # noqa: S608
                f" (format parquet, compression zstd, compression_level 9, parquet_version v2, row_group_size {_GROUP})"
            )
            _sync(file)
            hashes.append(sha256_file(file))
        ((newest,),) = connection.execute("select max(run) from runs").fetchall()
        name = f"{newest[:15]}-{hashlib.sha256(' '.join(hashes).encode()).hexdigest()[:20]}"
        final = staged / name
        written.rename(final)
        sync_folder(final)
        self._count(connection, final)
        return final

    def _count(self, connection: Any, written: Path) -> None:
        """Check that the Parquet files hold the rows that were to be written, all and no others."""
        for table in TABLES:
            file = literal((written / f"{table}.parquet").as_posix())
            columns = history.columns_in(table)
            query = "select count(*), sum(hash({0})) from {1}"
            (meant,) = connection.execute(query.format(columns, table)).fetchall()
            (there,) = connection.execute(query.format(columns, f"read_parquet({file})")).fetchall()
            if meant != there:
                raise _lost(written, f"the table {table} is not what was written")

    def _compare(self, written: Path) -> None:
        """Check that every run that came from a file reads from Parquet as it reads from its file."""
        products = sorted({(domain, product) for domain, product, _ in self.digests})
        first = min((run for *_, run in self.digests), default="")
        for start in range(0, len(products), _PRODUCTS_AT_ONCE):
            batch = products[start : start + _PRODUCTS_AT_ONCE]
            found, broken = history.read_folders([written], first, batch)
            if broken:
                raise _lost(written, broken[0][1])
            for place in _of(batch, self.digests):
                if place not in found or digest(found[place]) != self.digests[place]:
                    raise _lost(written, f"the run {place[2]} of {place[1]} does not read as it did")

    def _rename(self, written: Path) -> Path:
        final = self.folder / written.name
        if not final.exists():
            written.rename(final)
        for folder in (self.folder, self.folder.parent, self.root):
            sync_folder(folder)
        return final

    def _delete_twice(self, places: list[Place], folders: list[Path]) -> None:
        """Delete the JSON files of runs that were in Parquet before; one that says something else stays."""
        products = sorted({place[:2] for place in places})
        for start in range(0, len(products), _PRODUCTS_AT_ONCE):
            batch = products[start : start + _PRODUCTS_AT_ONCE]
            found, _ = history.read_folders(folders, min(run for *_, run in places), batch)
            for place in _of(batch, places):
                read = self._record(place)
                if read is None:
                    continue
                if place in found and digest(found[place]) == read[1]:
                    self._file(place).unlink(missing_ok=True)
                else:
                    reason = "the history has another record of this run: compare them, and delete this one"
                    self.faults.append(Fault(self._file(place), reason))


def _of(products: list[tuple[str, str]], places: Iterable[Place]) -> list[Place]:
    """Return the runs of some products."""
    wanted = set(products)
    return [place for place in places if place[:2] in wanted]


def digest(record: dict[str, Any]) -> bytes:
    """Return what two records have in common only if every figure is the same, bit for bit; keys in any order.

    Raises:
        ValueError: a number is beyond what a 64-bit float holds.

    """
    return hashlib.sha256(json.dumps(record, sort_keys=True, allow_nan=False).encode()).digest()


@contextlib.contextmanager
def _database(staged: Path) -> Iterator[Any]:
    """Give an empty database on disk with the history's tables, of bounded memory."""
    import duckdb

    with duckdb.connect(str(staged / "work.duckdb")) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set memory_limit = '{_MEMORY}'")
        connection.execute(f"set temp_directory = {literal((staged / 'spilled').as_posix())}")
        for table, shape in TABLES.items():
            columns = ", ".join(f"{quoted(name)} {type_}" for name, type_ in shape.columns.items())
            connection.execute(f"create table {table} ({columns})")
        connection.execute("create table known (domain varchar, product varchar, run varchar)")
        yield connection


def _insert(connection: Any, table: str, lines: list[str], file: Path) -> None:
    """Insert rows that are given as lines of JSON."""
    if not lines:
        return
    file.write_text("\n".join(lines), "utf-8")
    columns = TABLES[table].columns
    shape = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in columns.items())
    longest = max(_LINE, 2 * max(map(len, lines)))
    connection.execute(
        f"insert into {table} select {history.columns_in(table)} from read_json({literal(file.as_posix())},"  # noqa: S608
        f" format = 'newline_delimited', columns = {{{shape}}}, maximum_object_size = {longest})"
    )
    file.unlink()


def _lost(folder: Path, what: str) -> RegistryError:
    message = f"compacting the history failed: {what}"
    return RegistryError(message, where=folder, hint=f"please report this; {_NOTHING_LOST}")


def _remove(folder: Path) -> None:
    """Remove a folder so that it is there whole or not at all."""
    gone = folder.with_name(f".{folder.name}.tmp")
    folder.rename(gone)
    shutil.rmtree(gone)


def _clear(root: Path) -> None:
    """Remove what a compaction that was killed left behind."""
    for left in (root / HISTORY).glob("*/.*.tmp"):
        shutil.rmtree(left)


def _size(root: Path) -> tuple[int, int]:
    """Return how many files the history has, and their bytes."""
    count = size = 0
    for top in (RUNS, HISTORY):
        for folder, _, names in os.walk(root / top):
            for name in names:
                if not name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):
                        size += (Path(folder) / name).stat().st_size
                        count += 1
    return count, size


def _sync(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
