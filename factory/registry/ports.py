"""Ports: the published tables, as immutable snapshots with one pointer each.

dbt builds into the working files; what is certified is exported from there as a Parquet snapshot named by
its content, and then the pointer is replaced. A reader sees the old set of tables or the new one, and never
meets the lock of a writer.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factory.artifacts import Relation
from factory.contract import Contract
from factory.errors import OutsideError, RegistryError, UnreadablePortError
from factory.files import (
    NO_SECOND_NAMES,
    STALE,
    children,
    json_text,
    link_or_copy,
    sha256_file,
    sweep,
    sync_folder,
    tells,
    told_as,
    within,
    write_whole,
)
from factory.locking import registry_locked
from factory.products import Product
from factory.tables import SCHEMA, literal, opened, quoted
from factory.workspace import PROD, Workspace

POINTER_FILE = "current.json"
CURRENT = "current"
_VIEWS = "factory_views"
_ATTEMPTS = 10
_STAMP = ".views"


def export_ports(
    ws: Workspace,
    product: Product,
    contract: Contract,
    tables: Sequence[Relation],
    files: Mapping[str, Path],
) -> str:
    """Export a contract's tables as a snapshot and return its name; one that is there already is kept.

    `files` are the DuckDB files of the product and of those it reads (see `tables.opened`). Rows are sorted by
    the primary key, or by all columns, and written by one thread: the same rows give the same bytes, and the
    snapshot's name is the sha256 of what is in it.

    Raises:
        RegistryError: the tables cannot be read or the snapshot cannot be written.

    """
    import duckdb

    folder = port_folder(ws, product.domain, product.name, contract.name, contract.major)
    staged = folder / f".{uuid.uuid4().hex[:8]}.tmp"
    with told_as(RegistryError, f"exporting the ports of {product.name}", folder):
        staged.mkdir(parents=True)
        try:
            with opened(ws, product.name, files, writes=True) as connection:
                connection.execute("set threads = 1")
                for table in tables:
                    _export(connection, table, within(staged, f"{table.identifier}.parquet"))
            for file in staged.iterdir():
                _sync(file)
            sync_folder(staged)
            snapshot = snapshot_name(staged)
            _rename_or_keep(staged, folder / snapshot)
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise RegistryError(
                f"exporting the ports of {product.name} failed: {str(error).splitlines()[0]}",
                where=folder,
                hint="mend this and run the command again; what was published before stays",
            ) from error
        except duckdb.Error as error:
            text = str(error).splitlines()[0]
            raise UnreadablePortError(f"its output port cannot be read: {text}", where=folder) from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return snapshot


def point_to(
    ws: Workspace,
    product: Product,
    contract: Contract,
    snapshot: str,
    tables: Sequence[Relation],
    abandoned: Collection[tuple[str, str]] = (),
) -> bool:
    """Make a snapshot the current one; say whether it was another one before.

    Old snapshots beyond the workspace's number are removed, those that were rolled back from (`abandoned`, by version
    and snapshot) before the others. Raises:
        RegistryError: the pointer cannot be written.

    """
    place = (product.domain, product.name, contract.name, contract.major)
    folder = port_folder(ws, *place)
    before = _pointer_in(folder)
    kept = {
        "snapshot": snapshot,
        "version": contract.version,
        "tables": {table.identifier: f"{snapshot}/{table.identifier}.parquet" for table in tables},
    }
    older = [
        e
        for e in editions_of(before)
        if (e["version"], e["snapshot"]) != (contract.version, snapshot) and (folder / e["snapshot"]).is_dir()
    ]
    older.sort(
        key=lambda e: (e["version"], e["snapshot"]) in abandoned
    )  # good ones first, the newest of them first
    pointer = {
        "contract": contract.id,
        "version": contract.version,
        "schema": product.name,
        "snapshot": snapshot,
        "tables": kept["tables"],
        "snapshots": _as_many_as_are_kept([kept, *older], ws.settings.snapshots),
    }
    sweep(folder)
    if before == pointer:
        if _link_of(folder) != snapshot:
            write_link(folder, snapshot)
        return False
    write_pointer(folder, pointer)
    sweep_snapshots(folder, pointer, before)
    return True


def _as_many_as_are_kept(editions: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return the first editions with no more than so many snapshots: versions may share one."""
    snapshots = list(dict.fromkeys(edition["snapshot"] for edition in editions))[:count]
    return [edition for edition in editions if edition["snapshot"] in snapshots]


def refuse_swept(ws: Workspace, product: Product, contract: Contract, snapshot: str) -> None:
    """Refuse to point to a snapshot that is gone: another workspace published meanwhile, and removed it.

    Raises:
        RegistryError: it is gone.

    """
    folder = port_folder(ws, product.domain, product.name, contract.name, contract.major) / snapshot
    if not folder.is_dir():
        raise RegistryError(
            f"the snapshot of {product.name}.{contract.name} was removed by another run",
            where=folder,
            hint="run the command again; what is published stays as it is",
        )


def _pointer_in(folder: Path) -> dict[str, Any]:
    """Return the pointer in a port's folder, whether its tables are whole or not; an empty dict if there is none."""
    not_there = (FileNotFoundError, NotADirectoryError)
    try:
        return read_pointer(folder / POINTER_FILE)
    except (*not_there, ValueError, KeyError, AttributeError, TypeError, OutsideError):
        return {}


def write_pointer(folder: Path, pointer: Mapping[str, Any]) -> None:
    """Replace the pointer of a contract's ports, and the link beside it: readers get the old one or the new one.

    Raises:
        RegistryError: it cannot be written.

    """
    write_link(folder, str(pointer["snapshot"]))
    with told_as(RegistryError, "pointing to other ports", folder):
        write_whole(folder / POINTER_FILE, json_text(pointer))


def write_link(folder: Path, snapshot: str) -> None:
    """Replace the link to the current snapshot, for who reads Parquet files by path; the pointer is what counts.

    Raises:
        RegistryError: it cannot be written.

    """
    with told_as(RegistryError, "pointing to other ports", folder):
        link = folder / CURRENT
        temporary = folder / f".{CURRENT}.{uuid.uuid4().hex[:8]}.tmp"
        try:
            temporary.symlink_to(snapshot, target_is_directory=True)
        except OSError as error:
            if error.errno not in NO_SECOND_NAMES:
                raise
            return  # a disk, or a user on Windows, without links
        try:
            if link.is_dir() and not link.is_symlink():  # a copy of the folder had files in the link's place
                link.rename(folder / f".{CURRENT}.{uuid.uuid4().hex[:8]}.tmp")
            temporary.replace(link)
        finally:
            temporary.unlink(missing_ok=True)


def sweep_snapshots(folder: Path, pointer: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Remove the snapshots that the pointer before kept and this one does not, and what nobody has used for an hour.

    What is younger, and no pointer's yet, another run is about to point to.
    """
    kept, known = ({edition["snapshot"] for edition in editions_of(each)} for each in (pointer, before))
    with told_as(RegistryError, "removing old snapshots", folder):
        for old in folder.iterdir():
            if old.name in kept or old.is_symlink() or not old.is_dir():
                continue
            if old.name in known or time.time() - old.stat().st_mtime >= STALE:
                shutil.rmtree(old, ignore_errors=True)


def editions_of(pointer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the snapshots that a pointer keeps, the newest first: `snapshot`, `version` and `tables` of each.

    A pointer of an earlier version of the factory names only them: they have the version and tables of the current.
    """
    found = []
    for entry in pointer.get("snapshots") or ():
        if isinstance(entry, str):
            tables = {
                table: f"{entry}/{path.rpartition('/')[2]}" for table, path in pointer["tables"].items()
            }
            version = pointer["version"] if entry == pointer["snapshot"] else ""
            found.append({"snapshot": entry, "version": version, "tables": tables})
        else:
            found.append(dict(entry))
    return found


def _link_of(folder: Path) -> str:
    try:
        return os.readlink(folder / CURRENT)  # noqa: PTH115  (a name, not a path)
    except OSError:
        return ""


def close_port(ws: Workspace, domain: str, product: str, contract: str, major: int) -> bool:
    """Take the pointer of a contract's ports away, so that nobody reads them; say whether there was one.

    The snapshots stay.
    """
    folder = port_folder(ws, domain, product, contract, major)
    there = [f for f in (folder / POINTER_FILE, folder / CURRENT) if f.is_symlink() or f.exists()]
    with told_as(RegistryError, f"closing the ports of {product}", folder):
        for file in there:
            file.unlink()
    return bool(there)


def is_open(ws: Workspace, domain: str, product: str, contract: str, major: int) -> bool:
    """Say whether a contract's ports have a pointer."""
    return (port_folder(ws, domain, product, contract, major) / POINTER_FILE).exists()


def majors_of(ws: Workspace, domain: str, product: str) -> list[Path]:
    """Return the folders of a product's ports: one for each contract and major version.

    Raises:
        OSError: the disk does not tell.

    """
    contracts = children(ws.ports / domain / product)
    return [folder for contract in contracts for folder in children(contract, "v*")]


def current_snapshot(ws: Workspace, domain: str, product: str, contract: str, major: int) -> dict[str, Any]:
    """Return the pointer of a contract's ports, or an empty dict if nothing whole is published.

    Raises:
        RegistryError: it is there, and the disk does not give it.

    """
    folder = port_folder(ws, domain, product, contract, major)
    with told_as(RegistryError, "reading the pointer of published ports", folder / POINTER_FILE):
        data = _pointer_in(folder)
        whole = all((folder / path).is_file() for path in data.get("tables", {}).values())
    return data if whole else {}


def read_pointer(file: Path) -> dict[str, Any]:
    """Return a pointer whose every path and name stays in its folder, and whose schema is that of its product.

    Raises:
        OSError, ValueError, KeyError, AttributeError, TypeError: it is no pointer.
        OutsideError: something in it leads out of its folder.

    """
    data: dict[str, Any] = json.loads(file.read_bytes())
    for edition in (data, *editions_of(data)):
        within(file.parent, edition["snapshot"])
        for path in edition["tables"].values():
            within(file.parent, path)
    product = file.parts[-4]
    if data["schema"] != product:
        raise ValueError(f"the schema of {product} is {data['schema']!r}")
    return data


def port_folder(ws: Workspace, domain: str, product: str, contract: str, major: int) -> Path:
    """Return the folder of one major version of a contract's ports."""
    return within(ws.ports, domain, product, contract, f"v{major}")


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
    pointers = _pointers(ws)
    if not pointers:
        raise RegistryError(
            "no ports are published here", where=ws.ports, hint="publish them with: factory build"
        )
    problems = []
    for file in pointers:
        contract, major = file.parent.parent.name, file.parent.name.removeprefix("v")
        domain, product = file.parts[-5:-3]
        pointer = current_snapshot(ws, domain, product, contract, int(major)) if major.isdigit() else {}
        if not pointer:
            problems.append(f"{product}.{contract}/{major} is not whole: see `factory registry verify`")
        elif _link_of(file.parent) != pointer["snapshot"]:
            write_link(file.parent, str(pointer["snapshot"]))
    with told_as(RegistryError, "writing the database of published ports", ws.ports_database):
        (ws.ports / _STAMP).unlink(missing_ok=True)
    refresh_ports_database(ws)
    views = _views(ws)
    problems += [f"{name} cannot be read: {path}" for name, path in sorted(views.items()) if not _opens(path)]
    return Opened(ws.ports_database, tuple(sorted(views)), tuple(problems))


@tells(RegistryError, "reading the published ports", lambda ws, *_, **__: ws.ports)
def readable(ws: Workspace, domain: str, product: str) -> dict[str, str]:
    """Return the snapshots of a product that others read, by `domain/product/contract/major`.

    A target other than `prod` that has not published the product itself reads what `prod` has published.
    """
    for place in (ws, replace(ws, target=PROD)):
        found = {}
        for folder in majors_of(place, domain, product):
            major = folder.name.removeprefix("v")
            pointer = (
                current_snapshot(place, domain, product, folder.parent.name, int(major))
                if major.isdigit()
                else {}
            )
            if pointer:
                found[f"{domain}/{product}/{folder.parent.name}/{major}"] = str(pointer["snapshot"])
        if found:
            return found
    return {}


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
    pointers = [(int(f.parent.name[1:]), f) for f in _pointers(ws) if f.parent.name[1:].isdigit()]
    for _, pointer in sorted(pointers, key=lambda item: (item[0], item[1].as_posix())):
        # One that the disk does not give is told: its tables are not gone.
        data = _pointer_in(pointer.parent)
        for table, path in data.get("tables", {}).items():
            file = pointer.parent / path
            if file.is_file():
                views[f"{data['schema']}.{table}"] = file.resolve().as_posix()
    return views


def _pointers(ws: Workspace) -> list[Path]:
    """Return the pointers of all published ports."""
    folders = [ws.ports]
    for pattern in ("[!.]*", "[!.]*", "[!.]*", "v*"):
        folders = [below for folder in folders for below in children(folder, pattern)]
    return [folder / POINTER_FILE for folder in folders if (folder / POINTER_FILE).is_file()]


def _export(connection: Any, table: Relation, file: Path) -> None:
    order = ", ".join(quoted(name) for name in table.primary_key) or "all"
    source = f"{quoted(table.database)}.{quoted(table.schema)}.{quoted(table.identifier)}"
    query = f"select * from {source} order by {order}"  # noqa: S608  (names are quoted)
    connection.execute(f"copy ({query}) to {literal(file.as_posix())} (format parquet, compression zstd)")


def snapshot_name(folder: Path) -> str:
    """Return the name of a snapshot with the files in a folder: a hash of what is in them."""
    hashes = {file.name: sha256_file(file) for file in sorted(folder.iterdir())}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()[:20]


def is_as_published(
    ws: Workspace, domain: str, product: str, contract: str, major: int, pointer: Mapping[str, Any]
) -> bool:
    """Say whether the files behind a pointer are those that were published: their hash is the snapshot's name."""
    folder = port_folder(ws, domain, product, contract, major) / str(pointer.get("snapshot"))
    try:
        return snapshot_name(folder) == folder.name
    except OSError:
        return False


def _rename_or_keep(staged: Path, folder: Path) -> None:
    """Give a snapshot its name; one of that name that is not what its name says any more makes way."""
    with contextlib.suppress(OSError):
        if folder.is_dir() and snapshot_name(folder) != folder.name:
            folder.rename(folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp"))
    try:
        staged.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        with contextlib.suppress(OSError):
            os.utime(folder)  # it is in use again (see `sweep_snapshots`)
    sync_folder(folder.parent)


def _sync(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
