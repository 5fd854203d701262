"""Runs in Parquet: `registry/history/<YYYY-MM>/<id of the newest run's time>-<hash>/<table>.parquet`.

Takes the registry's folder; gives the records of runs that were compacted; reads only, with DuckDB. A folder is there
whole or not at all, and never changes. Two of a month may hold the same run, after a crash or a merge in git: the first
counts. The tables are those of `figures.TABLES`; a row names its run by `domain`, `product` and `run`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from factory.registry.figures import TABLES, Values, record_of
from factory.tables import literal, quoted

HISTORY = "history"
_FOLDER = re.compile(r"\d{8}T\d{6}-[0-9a-f]{20}", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)
_ATTEMPTS = 20
_THREADS = 1  # less work in all for what one product has
_MEMORY = "512MB"

Found = TypeVar("Found")

#: A run: domain, product and id.
Place = tuple[str, str, str]
Broken = list[tuple[Path, str]]


def folders(root: Path, first: str = "") -> list[Path]:
    """Return the folders with runs of a time (as ids begin with) or later, sorted."""
    found: list[Path] = []
    top = root / HISTORY
    for month in sorted(top.iterdir()) if top.is_dir() else ():
        if _MONTH.fullmatch(month.name) and month.name.replace("-", "") >= first[:6]:
            # Twice the same: a folder that takes another's place while names are read is not overlooked.
            names = _names(month)
            while names != (again := _names(month)):
                names = again
            found += [month / name for name in names if _FOLDER.fullmatch(name) and name[:15] >= first[:15]]
    return found


def reaches(root: Path, run: str) -> bool:
    """Say whether there may be a run in Parquet that is not older than another one."""
    return any(folder.name[:15] >= run[:15] for folder in folders(root, run[:15]))


def products(root: Path) -> tuple[set[tuple[str, str]], Broken]:
    """Return domain and name of the products that have runs here, and what cannot be read."""
    return _attempted(root, "", _products)


def read(
    root: Path, first: str, wanted: Iterable[tuple[str, str]], limit: int | None = None
) -> tuple[dict[Place, dict[str, Any]], Broken]:
    """Return the records of products' runs of a time or later, and what cannot be read.

    `limit` is how many of the newest runs are wanted, of one product alone.
    """
    pairs = list(wanted)
    return _attempted(root, first, lambda folders: read_folders(folders, first, pairs, limit))


def read_folders(
    folders: list[Path], first: str, wanted: list[tuple[str, str]], limit: int | None = None
) -> tuple[dict[Place, dict[str, Any]], Broken]:
    """Return what these folders hold of products' runs of a time or later, and those that cannot be read.

    Raises:
        FileNotFoundError: a folder is gone.

    """
    found: dict[Place, dict[str, Any]] = {}
    broken: Broken = []
    if not folders or not wanted or limit == 0:
        return found, broken
    with _connected() as connection:
        for folder in reversed(folders):
            newest = sorted(run for *_, run in found)
            if limit and len(newest) >= limit and newest[-limit][:15] > folder.name[:15]:
                continue
            found |= _read_folder(connection, folder, first, wanted, limit, broken)  # the first folder counts
    return found, broken


def columns_in(table: str) -> str:
    """Return the columns of a table for a query, in their order."""
    return ", ".join(quoted(name) for name in TABLES[table].columns)


def _read_folder(
    connection: Any,
    folder: Path,
    first: str,
    wanted: list[tuple[str, str]],
    limit: int | None,
    broken: Broken,
) -> dict[Place, dict[str, Any]]:
    import duckdb

    # Equal to one value, or between two: what Parquet's statistics can rule out.
    listed = ", ".join(f"({literal(domain)}, {literal(product)})" for domain, product in wanted)
    names = sorted(product for _, product in wanted)
    domains = sorted(domain for domain, _ in wanted)
    where = (
        f"domain between {literal(domains[0])} and {literal(domains[-1])}"
        f" and product between {literal(names[0])} and {literal(names[-1])} and run >= {literal(first)}"
    )
    if len(wanted) > 1:
        where += f" and (domain, product) in ({listed})"
    rows: dict[Place, dict[str, list[Values]]] = {}
    try:
        for table in TABLES:
            file = folder / f"{table}.parquet"
            query = f"select {columns_in(table)} from read_parquet({literal(file.as_posix())}) where {where}"  # noqa: S608
            if table == "runs" and limit is not None:
                query += f" order by run desc limit {limit}"
            for values in connection.execute(query).fetchall():
                if table == "runs":
                    rows[values[:3]] = {"runs": [values]}
                elif (own := rows.get(values[:3])) is not None:
                    own.setdefault(table, []).append(values)
            if table == "runs" and not rows:
                return {}
            if table == "runs" and limit is not None:
                where += f" and run >= {literal(min(run for _, _, run in rows))}"
    except duckdb.Error as error:
        if not folder.is_dir():
            raise FileNotFoundError(folder) from error
        broken.append((folder, str(error).splitlines()[0]))
        return {}
    try:
        return {place: record_of(own) for place, own in rows.items()}
    except (KeyError, TypeError, ValueError) as error:
        broken.append((folder, f"it holds what no compaction wrote: {error!r}"))
        return {}


def _products(folders: list[Path]) -> tuple[set[tuple[str, str]], Broken]:
    import duckdb

    found: set[tuple[str, str]] = set()
    broken: Broken = []
    if not folders:
        return found, broken
    with _connected() as connection:
        for folder in folders:
            file = literal((folder / "runs.parquet").as_posix())
            try:
                query = f"select distinct domain, product from read_parquet({file})"  # noqa: S608
                found |= set(connection.execute(query).fetchall())
            except duckdb.Error as error:
                if not folder.is_dir():
                    raise FileNotFoundError(folder) from error
                broken.append((folder, str(error).splitlines()[0]))
    return found, broken


def _attempted(root: Path, first: str, read: Callable[[list[Path]], Found]) -> Found:
    """Read the folders that are there; again, where a compaction replaced one meanwhile."""
    for attempt in range(_ATTEMPTS):
        try:
            return read(folders(root, first))
        except FileNotFoundError:
            time.sleep(0.02 * attempt)
    return read(folders(root, first))


@contextlib.contextmanager
def _connected() -> Iterator[Any]:
    """Give a connection of its own to the process's database in memory, which is empty, and dear to make."""
    with _database(os.getpid()).cursor() as connection:
        yield connection


@functools.cache
def _database(_process: int) -> Any:
    import duckdb

    database = duckdb.connect(config={"threads": _THREADS, "memory_limit": _MEMORY})
    database.execute("set enable_progress_bar = false")
    database.execute("set parquet_metadata_cache = true")
    return database


def _names(folder: Path) -> list[str]:
    try:
        return sorted(file.name for file in folder.iterdir())
    except FileNotFoundError:
        return []
