"""The history of runs: what every run found out about a product, newest or all, wherever it lies.

Takes the registry's folder; gives the records of runs; reads `registry/runs/<domain>/<product>/`, a JSON file per run,
and `registry/history/`, where `factory history compact` puts old ones (see `compaction`); writes JSON files. A run's id
is its file's name without the ending; ids sort by time (UTC). While runs are compacted, every run is read exactly once.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import told_as, within, write_whole
from factory.registry import history
from factory.registry.figures import is_unicode

RUNS = "runs"
_NAME = re.compile(r"\d{4}(?:0[1-9]|1[0-2])\d\dT\d{6}-[0-9a-f]{8}", re.ASCII)
_LISTS = ("checks", "levels", "ports")
_TEXTS = ("kind", "outcome", "version")
_FURTHER = 16  # times as many runs are looked through where the newest is not the one
_AT_ONCE = 50  # products whose runs are in memory together, of those that lie in Parquet


@dataclass(frozen=True, slots=True)
class Run:
    """What one run found out about a product.

    Attributes:
        id: the run's id, such as `20261120T230000-0a1b2c3d`.
        domain: the product's domain.
        product: the product's name.
        record: what was written; records of older versions have fewer keys.
    """

    id: str
    domain: str
    product: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A file of the history that cannot be read; it is passed over, and stays.

    Attributes:
        file: the file, or the folder.
        reason: what is wrong with it.
    """

    file: Path
    reason: str


def new_id(now: datetime) -> str:
    """Return an id for a run at a moment."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def write_run(
    root: Path, domain: str, product: str, record: Mapping[str, Any], now: datetime, run: str = ""
) -> str:
    """Write what one run found out about a product, as a file of its own; return the run's id (`run`, if given).

    Raises:
        RegistryError: it cannot be written, or it is not JSON (which knows no NaN).

    """
    run = run or new_id(now)
    file = within(root, RUNS, domain, product, f"{run}.json")
    try:
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        if not is_unicode(text):
            text = json.dumps(
                record, indent=2
            )  # with half a pair of surrogates, which only an escape can write
    except ValueError as error:
        raise RegistryError(f"the record of a run is not JSON: {error}", where=file) from error
    with told_as(RegistryError, "writing to the registry", file):
        write_whole(file, f"{text}\n", durable=False)
    return run


def read_runs(
    root: Path,
    domain: str,
    product: str,
    since: datetime | None = None,
    limit: int | None = None,
    faults: list[Fault] | None = None,
) -> tuple[dict[str, Any], ...]:
    """Return the records of a product's runs, oldest first, each once.

    `since` leaves out older runs and `limit` all but the newest. What cannot be read is added to `faults`.
    """
    return tuple(run.record for run in runs_of(root, domain, product, since, limit, faults))


def runs_of(
    root: Path,
    domain: str,
    product: str,
    since: datetime | None = None,
    limit: int | None = None,
    faults: list[Fault] | None = None,
) -> tuple[Run, ...]:
    """Return a product's runs, oldest first, each once: as `read_runs` does, with their ids."""
    told: list[Fault] = [] if faults is None else faults
    first = stamp(since)
    # JSON first, Parquet second: what a compaction deletes in between was put into Parquet before.
    found = _from_json(root, domain, product, first, limit, told)
    if limit is None or len(found) < limit or history.reaches(root, min(found, default="")):
        for place, record in _from_history(root, first, [(domain, product)], limit, told):
            found.setdefault(place[2], record)
    newest = sorted(found)[-limit:] if limit else sorted(found) if limit is None else []
    return tuple(Run(run, domain, product, found[run]) for run in newest)


def last_run(
    root: Path, domain: str, product: str, faults: list[Fault] | None = None
) -> dict[str, Any] | None:
    """Return the record of a product's newest run, or None if there is none; only that file is read."""
    found = read_runs(root, domain, product, limit=1, faults=faults)
    return shaped(found[0]) if found else None


def newest_run(
    root: Path, domain: str, product: str, is_wanted: Callable[[Mapping[str, Any]], bool]
) -> dict[str, Any] | None:
    """Return the record of a product's newest run of some kind, or None if there is none, however long ago.

    The newest is nearly always the one, so it is read alone, and more only where it is not.
    """
    limit, seen = 1, 0
    while True:
        found = read_runs(root, domain, product, limit=limit)
        for record in reversed(found[: len(found) - seen]):
            whole = shaped(record)
            if is_wanted(whole):
                return whole
        if len(found) < limit:
            return None
        limit, seen = limit * _FURTHER, len(found)


def read_all(root: Path, since: datetime | None = None, faults: list[Fault] | None = None) -> Iterator[Run]:
    """Give the runs of all products, by domain and product, oldest first, each once.

    A few products at a time are in memory. What cannot be read is added to `faults`, once.
    """
    told: list[Fault] = [] if faults is None else faults
    first = stamp(since)
    products = products_of(root, told)
    for start in range(0, len(products), _AT_ONCE):
        batch = products[start : start + _AT_ONCE]
        found = {(d, p, run): record for d, p in batch for run, record in _from_json(root, d, p, first, None, told).items()}  # fmt: skip  # noqa: E501
        for place, record in _from_history(root, first, batch, None, told):
            found.setdefault(place, record)
        for domain, product, run in sorted(found):
            yield Run(run, domain, product, found[domain, product, run])


def products_of(root: Path, faults: list[Fault] | None = None) -> list[tuple[str, str]]:
    """Return domain and name of all products that have a history, sorted."""
    told: list[Fault] = [] if faults is None else faults
    found = {(f.parent.name, f.name) for f in (root / RUNS).glob("[!.]*/[!.]*") if f.is_dir()}
    kept, broken = history.products(root)
    _tell(told, broken)
    return sorted(found | kept)


def names_of(folder: Path, faults: list[Fault]) -> list[str]:
    """Return the ids of the runs that lie as JSON in a product's folder, oldest first.

    A JSON file with another name is added to `faults`.
    """
    names = []
    try:
        for file in folder.iterdir():
            if file.suffix != ".json" or file.name.startswith("."):
                continue
            if _NAME.fullmatch(file.stem):
                names.append(file.stem)
            else:
                _tell(faults, [(file, "its name is not that of a run")])
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        _tell(faults, [(folder, error.strerror or str(error))])
    return sorted(names)


def record_in(file: Path) -> dict[str, Any]:
    """Return the record in a run's file.

    Raises:
        FileNotFoundError: it is gone.
        ValueError: it cannot be read; the message says why.

    """
    try:
        data = json.loads(file.read_bytes(), parse_constant=_no_number)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ValueError("it holds no record")  # noqa: TRY004  (what a file holds is no type of ours)
    return data


def shaped(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what is not of the shape that every reader counts on; its file stays as it is."""
    kept = dict(record)
    for key in _LISTS:
        if key in record:
            rows = record[key] if isinstance(record[key], list) else []
            kept[key] = [row for row in rows if isinstance(row, dict)]
    if "measurements" in record:
        values = record["measurements"] if isinstance(record["measurements"], dict) else {}
        kept["measurements"] = {
            name: value
            for name, value in values.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
    for key in _TEXTS:
        if key in record and not isinstance(record[key], str):
            del kept[key]
    return kept


def stamp(moment: datetime | None) -> str:
    """Return what the ids of runs at a moment begin with; of None, what sorts before all."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S}" if moment else ""


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _from_json(
    root: Path, domain: str, product: str, first: str, limit: int | None, faults: list[Fault]
) -> dict[str, dict[str, Any]]:
    """Return the newest records that lie as JSON, by run."""
    folder = within(root, RUNS, domain, product)
    found: dict[str, dict[str, Any]] = {}
    for run in reversed(names_of(folder, faults)):
        if run < first or (limit is not None and len(found) >= limit):
            break
        file = folder / f"{run}.json"
        try:
            found[run] = record_in(file)
        except FileNotFoundError:
            continue  # compacted a moment ago: it is in Parquet
        except ValueError as error:
            _tell(faults, [(file, str(error))])
    return found


def _from_history(
    root: Path, first: str, products: list[tuple[str, str]], limit: int | None, faults: list[Fault]
) -> Iterator[tuple[history.Place, dict[str, Any]]]:
    found, broken = history.read(root, first, products, limit)
    _tell(faults, broken)
    yield from found.items()


def _tell(faults: list[Fault], broken: list[tuple[Path, str]]) -> None:
    for file, reason in broken:
        fault = Fault(file, reason)
        if fault not in faults:
            faults.append(fault)
