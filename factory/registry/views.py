"""The published tables as a DuckDB file: a view over the current snapshot of each.

Takes a workspace; gives `ports.duckdb`, and files that stand in for products that are read and not built; reads the
pointers of ports, writes DuckDB files of views. A file is replaced whole, so that it opens while a build runs.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import (
    children,
    link_or_copy,
    sweep,
    tells,
    told_as,
    write_whole,
)
from factory.locking import registry_locked
from factory.registry.ports import POINTER_FILE, current_snapshot, link_of, pointer_in, write_link
from factory.tables import SCHEMA, literal, quoted
from factory.workspace import PROD, Workspace

_VIEWS = "factory_views"
_ATTEMPTS = 10
_STAMP = ".views"


def refresh_ports_database(ws: Workspace) -> bool:
    """Make `ports.duckdb` anew: a view over the current snapshot of every published table.

    Readers of the old file keep it; the file is replaced whole. Says whether it changed.

    Raises:
        RegistryError: it cannot be written.

    """
    # Who wrote later read earlier, if there were two at once, and would take tables away: of one workspace, or of
    # several that publish to one folder.
    with (
        registry_locked(ws.ports),
        told_as(RegistryError, "writing the database of published ports", ws.ports_database),
    ):
        for folder, pattern in ((ws.ports, ".*.tmp"), (ws.published, f".{ws.ports_database.name}.*.tmp*")):
            sweep(folder, pattern)
        _mended(ws)
        views = _views(ws)
        mark = hashlib.sha256(json.dumps(views, sort_keys=True).encode()).hexdigest()
        stamp = ws.ports / _STAMP
        if ws.ports_database.is_file() and stamp.is_file() and stamp.read_text("utf-8") == mark:
            return False
        ws.ports.mkdir(parents=True, exist_ok=True)
        try:
            write_views(ws.ports_database, views)
        except RegistryError:
            # A file that does not open takes no other product's tables away.
            views = {name: path for name, path in views.items() if _opens(path)}
            write_views(ws.ports_database, views)
            mark = ""
        write_whole(stamp, mark, durable=False)
    return True


@dataclass(frozen=True, slots=True)
class Opened:
    """The published tables as one DuckDB file.

    Attributes:
        file: the file.
        tables: the views in it, `schema.table` each.
        problems: ports that could not be opened, in words.
    """

    file: Path
    tables: tuple[str, ...]
    problems: tuple[str, ...]


@tells(RegistryError, "opening the published ports", lambda ws, *_, **__: ws.ports)
def open_ports(ws: Workspace) -> Opened:
    """Make `ports.duckdb` anew for this machine and this place, and the links beside the pointers.

    Raises:
        RegistryError: it cannot be written, or nothing is published.

    """
    pointers = pointers_of(ws)
    if not pointers:
        raise RegistryError(
            "no ports are published here", where=ws.ports, hint="publish them with: factory build"
        )
    problems = [
        f"{port} is not whole: see `factory registry verify`" for port, pointer in _mended(ws) if not pointer
    ]
    with told_as(RegistryError, "writing the database of published ports", ws.ports_database):
        (ws.ports / _STAMP).unlink(missing_ok=True)
    refresh_ports_database(ws)
    views = _views(ws)
    problems += [f"{name} cannot be read: {path}" for name, path in sorted(views.items()) if not _opens(path)]
    return Opened(ws.ports_database, tuple(sorted(views)), tuple(problems))


def _mended(ws: Workspace) -> list[tuple[str, dict[str, Any]]]:
    """Return every port with its pointer, empty if it is not whole; links beside pointers are made to agree."""
    found = []
    for file in pointers_of(ws):
        contract, major = file.parent.parent.name, file.parent.name.removeprefix("v")
        domain, product = file.parts[-5:-3]
        pointer = current_snapshot(ws, domain, product, contract, int(major)) if major.isdigit() else {}
        if pointer and link_of(file.parent) != pointer["snapshot"]:
            write_link(file.parent, str(pointer["snapshot"]))
        found.append((f"{product}.{contract}/{major}", pointer))
    return found


def write_stand_in(ws: Workspace, product: str, file: Path) -> bool:
    """Write a DuckDB file that looks like a product's own, with views over its published ports.

    Products that are built without this one read it there. Says False if nothing of it is published. A run in a
    scratch folder holds no lock, so it keeps the tables there: a publish may remove old snapshots meanwhile.
    """
    with told_as(RegistryError, f"reading the published ports of {product}", file):
        views = _held(ws, product, ws.scratch / "held") if ws.scratch else _published_tables(ws, product)
        if not views:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        write_views(file, views)
    return True


def _published_tables(ws: Workspace, product: str) -> dict[str, str]:
    """Return the files of a product's published tables, by `main.table`; those of `prod` where there are none."""
    for place in (ws, replace(ws, target=PROD)):
        views = {
            f"{SCHEMA}.{name.split('.', 1)[1]}": path
            for name, path in _views(place).items()
            if name.split(".")[0] == product
        }
        if views:
            return views
    return {}


def _held(ws: Workspace, product: str, folder: Path) -> dict[str, str]:
    """Return a product's published tables as files in `folder` that stay when the snapshot is removed."""
    for attempt in range(_ATTEMPTS):
        held = {}
        try:
            for number, (name, path) in enumerate(_published_tables(ws, product).items()):
                file = folder / product / f"{attempt}.{number}.parquet"
                link_or_copy(Path(path), file)
                held[name] = file.as_posix()
        except FileNotFoundError:
            continue  # published anew since the pointer was read
        return held
    return {}


def _opens(path: str) -> bool:
    import duckdb

    try:
        with duckdb.connect() as connection:
            connection.execute(f"select * from read_parquet({literal(path)}) limit 0")  # noqa: S608
    except duckdb.Error:
        return False
    return True


def write_views(file: Path, views: Mapping[str, str]) -> None:
    """Write a DuckDB file with a view per `schema.table`, each over one Parquet file; replace what was there."""
    import duckdb

    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with duckdb.connect() as connection:
            # A database and a schema of one name are ambiguous: the file gets a name of its own here.
            connection.execute(f"attach {literal(temporary.as_posix())} as {_VIEWS}")
            connection.execute("begin")
            for schema in sorted({name.split(".")[0] for name in views} - {SCHEMA}):
                connection.execute(f"create schema {_VIEWS}.{quoted(schema)}")
            for name, path in sorted(views.items()):
                schema, table = name.split(".", 1)
                view = f"{_VIEWS}.{quoted(schema)}.{quoted(table)}"
                connection.execute(f"create view {view} as select * from read_parquet({literal(path)})")  # noqa: S608
            connection.execute("commit")
            connection.execute(f"detach {_VIEWS}")
        temporary.replace(file)
    except duckdb.Error as error:
        text = str(error).splitlines()[0]
        hint = "mend this and run the command again; what is published is not touched by it"
        raise RegistryError(
            f"cannot write the views over the ports: {text}", where=file, hint=hint
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
        Path(f"{temporary}.wal").unlink(missing_ok=True)


def _views(ws: Workspace) -> dict[str, str]:
    """Return the file behind every published table, by `schema.table`; a higher major wins a name."""
    views: dict[str, str] = {}
    pointers = [(int(f.parent.name[1:]), f) for f in pointers_of(ws) if f.parent.name[1:].isdigit()]
    for _, pointer in sorted(pointers, key=lambda item: (item[0], item[1].as_posix())):
        # One that the disk does not give is told: its tables are not gone.
        data = pointer_in(pointer.parent)
        for table, path in data.get("tables", {}).items():
            file = pointer.parent / path
            if file.is_file():
                views[f"{data['schema']}.{table}"] = file.resolve().as_posix()
    return views


def pointers_of(ws: Workspace) -> list[Path]:
    """Return the pointers of all published ports."""
    folders = [ws.ports]
    for pattern in ("[!.]*", "[!.]*", "[!.]*", "v*"):
        folders = [below for folder in folders for below in children(folder, pattern)]
    return [folder / POINTER_FILE for folder in folders if (folder / POINTER_FILE).is_file()]
