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
from dataclasses import replace
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
    sha256_file,
    sweep,
    sync_folder,
    tells,
    told_as,
    within,
    write_whole,
)
from factory.products import Product
from factory.tables import literal, opened, quoted
from factory.workspace import PROD, Workspace

POINTER_FILE = "current.json"
CURRENT = "current"


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
    before = pointer_in(folder)
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
        if link_of(folder) != snapshot:
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


def pointer_in(folder: Path) -> dict[str, Any]:
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


def link_of(folder: Path) -> str:
    """Return the name of the snapshot that the link in a port's folder leads to; empty if there is no link."""
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
        data = pointer_in(folder)
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
