"""The published tables against what was published: pointers, snapshots, and the files of each.

Takes a workspace and what was read of its registry; gives faults; reads `ports/`, with `fast` no table in it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from factory.files import json_text
from factory.registry.content import Content
from factory.registry.faults import REBUILD, Fault, Weight
from factory.registry.ports import CURRENT, POINTER_FILE, snapshot_name
from factory.workspace import Workspace

_MAX_POINTER = 1_000_000  # bytes
_SNAPSHOT = re.compile(r"[0-9a-f]{20}", re.ASCII)
_MAJOR = re.compile(r"v(0|[1-9]\d{0,8})", re.ASCII)
_HIDDEN = {".views", ".lock", ".lock.holder"}
_ENTRY = {"snapshot", "version", "tables"}

#: Domain, product, contract and major.
_Port = tuple[str, str, str, int]


def port_faults(ws: Workspace, content: Content, *, fast: bool) -> list[Fault]:
    """Say what is wrong with the ports; places are paths from the workspace's root."""
    if not ws.ports.is_dir():
        return []
    meant = _meant(content)
    found: list[Fault] = []
    there: set[_Port] = set()
    for folder in _port_folders(ws, found):
        domain, product, contract, major = folder.parts[-4:]
        port = (domain, product, contract, int(major[1:]))
        there.add(port)
        found += _Checked(ws, folder, port, content, fast).faults(meant.get(port))
    for port, wanted in sorted(meant.items()):
        if port not in there and wanted and (ws.ports / port[0] / port[1]).is_dir():
            place = ws.relative(ws.ports.joinpath(*port[:3], f"v{port[3]}"))
            found.append(
                Fault("port-missing", place, "the port that was published is not there", _again(port))
            )
    if not fast:
        found += _database(ws)
    return found


def _again(port: _Port) -> str:
    return f"`factory build {port[1]} --full` publishes it again"


def _port_folders(ws: Workspace, found: list[Fault]) -> Iterator[Path]:
    """Give the folders of ports, and tell what else lies there."""
    level = [ws.ports]
    for depth in range(4):
        below = []
        for folder in level:
            for file in sorted(_listed(folder)):
                if file.name.startswith(".") and file.name.endswith(".tmp"):
                    what = "a run that was killed left it"
                    found.append(Fault("left-over", ws.relative(file), what, REBUILD, Weight.NOTE))
                elif file.is_symlink() or not file.is_dir():
                    if file.name not in _HIDDEN:
                        what = "no folder of ports has such a file"
                        remedy = "delete it, if nobody knows what it is"
                        found.append(Fault("unknown-file", ws.relative(file), what, remedy))
                elif depth == 3 and not _MAJOR.fullmatch(file.name):
                    remedy = "delete it, if nobody knows what it is"
                    found.append(Fault("unknown-folder", ws.relative(file), "no port is called so", remedy))
                else:
                    below.append(file)
        level = below
    yield from level


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _meant(content: Content) -> dict[_Port, tuple[str, str] | None]:
    """Return version and snapshot that each port should show by its product's events; None where it may be closed."""
    meant: dict[_Port, tuple[str, str] | None] = {}
    for domain, product in content.events:
        standing = content.standing(domain, product)
        for key, edition in standing.current.items():
            contract, _, major = key.partition("/")
            if major.isdecimal() and edition.snapshot:
                open_ = not (key in standing.closed or standing.removed)
                meant[domain, product, contract, int(major)] = edition.what if open_ else None
    for domain, product, contract, version in content.closed:
        meant[domain, product, contract, int(version.partition(".")[0])] = None
    return meant


class _Checked:
    """One port's folder under the eyes of `verify`."""

    def __init__(self, ws: Workspace, folder: Path, port: _Port, content: Content, fast: bool) -> None:
        self.ws, self.folder, self.port, self.content, self.fast = ws, folder, port, content, fast

    def fault(self, code: str, file: Path, what: str, weight: Weight = Weight.FAULT) -> Fault:
        return Fault(code, self.ws.relative(file), what, _again(self.port), weight)

    def faults(self, meant: tuple[str, str] | None) -> Iterator[Fault]:
        """Give what is wrong with the port; `meant` is what the product's events say that it shows."""
        pointer = self.folder / POINTER_FILE
        yield from self.strays()
        if self.port[:3] not in self.content.contracts:
            yield self.fault("port-unknown", self.folder, "it is of a contract that is not published")
        if not os.path.lexists(pointer):
            if meant:
                yield self.fault("pointer-missing", pointer, "the pointer of the port is not there")
            return
        data, reason = _pointer(pointer)
        if data is None or reason:
            yield self.fault("pointer-unreadable", pointer, reason)
        if data is not None:
            yield from self.named(data, pointer)
            if meant and (data.get("version"), data.get("snapshot")) != meant:
                what = f"it shows {_shortly(data)}, and the events say {meant[0]} with snapshot {meant[1]}"
                yield self.fault("pointer-differs", pointer, what)

    def strays(self) -> Iterator[Fault]:
        """Give what lies in the folder, and snapshots whose files are not what their name says."""
        for file in sorted(_listed(self.folder)):
            if file.name in (POINTER_FILE, CURRENT):
                continue
            if file.name.startswith(".") and file.name.endswith(".tmp"):
                what = "a run that was killed left it"
                yield Fault("left-over", self.ws.relative(file), what, REBUILD, Weight.NOTE)
            elif file.is_symlink() or not file.is_dir() or not _SNAPSHOT.fullmatch(file.name):
                remedy = "delete it, if nobody knows what it is"
                yield Fault("unknown-file", self.ws.relative(file), "no port has such a file", remedy)
            elif any(f.is_symlink() or not f.is_file() for f in _listed(file)):
                yield self.fault("snapshot-changed", file, "it has something in it that is no file")
            elif not self.fast and not _is_whole(file):
                yield self.fault(
                    "snapshot-changed", file, "its files are not those that its name vouches for"
                )

    def named(self, data: dict[str, Any], pointer: Path) -> Iterator[Fault]:
        """Give what is wrong with what the pointer names."""
        domain, product, contract, major = self.port
        version, snapshot = str(data.get("version", "")), str(data.get("snapshot", ""))
        meant = (f"urn:dpf:{domain}:{product}:{contract}", product)
        if (data.get("contract"), data.get("schema")) != meant or version.partition(".")[0] != str(major):
            yield self.fault("misplaced-file", pointer, "it is the pointer of another port")
        if (domain, product, contract, version) not in self.content.records:
            yield self.fault(
                "version-missing", pointer, f"it shows version {version[:40]}, which is not published"
            )
        if not _SNAPSHOT.fullmatch(snapshot) or not (self.folder / snapshot).is_dir():
            yield self.fault("snapshot-missing", pointer, f"the snapshot {snapshot[:40]!r} is not there")
            return
        tables = data.get("tables")
        wanted = {
            str(name): f"{snapshot}/{name}.parquet" for name in (tables if isinstance(tables, dict) else ())
        }
        files = {file.stem for file in _listed(self.folder / snapshot)}
        if tables != wanted or set(wanted) != files:
            yield self.fault("pointer-differs", pointer, "its tables are not the files of the snapshot")
        yield from self.kept(data, pointer, snapshot)

    def kept(self, data: dict[str, Any], pointer: Path, snapshot: str) -> Iterator[Fault]:
        """Give what is wrong with the link to the snapshot, and with the older ones that are kept."""
        link = self.folder / CURRENT
        if not link.is_symlink() or os.readlink(link) != snapshot:  # noqa: PTH115
            # The pointer is what counts: a copy, or git on some systems, may have no links.
            what = "the link does not lead to the current snapshot"
            yield Fault("link-differs", self.ws.relative(link), what, "factory ports open", Weight.WARNING)
        kept = data["snapshots"] if isinstance(data.get("snapshots"), list) else []
        entries = [entry if isinstance(entry, dict) else {"snapshot": entry} for entry in kept]
        if snapshot not in [entry.get("snapshot") for entry in entries]:
            yield self.fault("pointer-differs", pointer, "it does not keep the snapshot that it shows")
        for entry in entries:
            yield from self.entry(entry, pointer)

    def entry(self, entry: dict[str, Any], pointer: Path) -> Iterator[Fault]:
        """Give what is wrong with a snapshot that a pointer keeps; older pointers have its name only."""
        name = str(entry.get("snapshot", ""))
        if not _SNAPSHOT.fullmatch(name) or not (self.folder / name).is_dir():
            what = f"the older snapshot {name[:40]!r} is not there: there is no way back to it"
            yield self.fault("snapshot-missing", pointer, what)
            return
        if len(entry) == 1:
            return
        version = str(entry.get("version", ""))
        # What an older factory published last may be kept without a version.
        if version and (*self.port[:3], version) not in self.content.records:
            what = f"it keeps version {version[:40]}, which is not published"
            yield self.fault("version-missing", pointer, what)
        files = {file.stem: f"{name}/{file.name}" for file in _listed(self.folder / name)}
        if set(entry) != _ENTRY or entry["tables"] != files:
            yield self.fault("pointer-differs", pointer, f"what it says of {name} is not what is there")


def _pointer(file: Path) -> tuple[dict[str, Any] | None, str]:
    """Return what a pointer says, and what is wrong with its bytes."""
    try:
        if file.is_symlink() or not file.is_file():
            return None, "the pointer is no file"
        with file.open("rb") as opened:
            raw = opened.read(_MAX_POINTER + 1)
        if len(raw) > _MAX_POINTER:
            return None, "the pointer is too large"
        data = json.loads(raw.decode())
        if not isinstance(data, dict):
            return None, "the pointer holds nothing"
        return data, "" if json_text(data).encode() == raw else "its bytes are not as they were written"
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror or "") if isinstance(error, OSError) else "it is not JSON"
        return None, f"the pointer cannot be read: {reason}"


def _is_whole(folder: Path) -> bool:
    try:
        return snapshot_name(folder) == folder.name
    except OSError:
        return False


def _shortly(data: dict[str, Any]) -> str:
    return f"{str(data.get('version'))[:40]} with snapshot {str(data.get('snapshot'))[:40]}"


def _database(ws: Workspace) -> list[Fault]:
    """Say whether the database of ports opens."""
    import duckdb

    file = ws.ports_database
    if not file.exists():
        return []
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute("select count(*) from duckdb_views()")
    except duckdb.Error:
        return [Fault("ports-database", ws.relative(file), "the database of ports does not open", REBUILD)]
    return []
