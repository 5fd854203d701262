"""Make the caches of a registry anew from its folders, and clear away what killed runs left.

Takes a workspace; gives what changed; writes the index and the database of ports, removes temporary files that are
older than an hour. Nothing that was published is touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import tells
from factory.registry.checkpoint import read_checkpoint
from factory.registry.index import INDEX_FILE, read_index, refresh_index
from factory.registry.views import refresh_ports_database
from factory.umbrella import is_embedded
from factory.workspace import Workspace

_STALE = 3600.0  # seconds after which what is half-written is nobody's any more
_LEAVE = ("history",)  # a compaction clears up after itself, under a lock of its own


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild changed.

    Attributes:
        index: whether the index is another one now.
        products: how many products it has.
        added, removed, changed: ids of products whose entries are new, gone, or others.
        database: whether the database of ports was made anew.
        cleared: what was cleared away, from the workspace's root.
    """

    index: bool
    products: int
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    database: bool = False
    cleared: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "schema_version": 1,
            "index": self.index,
            "products": self.products,
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": list(self.changed),
            "database": self.database,
            "cleared": list(self.cleared),
        }


@tells(RegistryError, "making the registry anew", lambda ws, *_, **__: ws.registry)
def rebuild(ws: Workspace, now: float | None = None) -> Rebuilt:
    """Make the index, and where dbt's DuckDB is embedded the database of ports, from what is published.

    `now` is the time in seconds that tells what is old. Raises:
        RegistryError: there is no registry, what is published cannot be read, or the disk refuses.
        LockedError: another process holds the registry.

    """
    if not ws.registry.is_dir():
        hint = "build a product first: factory build"
        raise RegistryError("there is no registry", where=ws.registry, hint=hint)
    before = _entries(ws)
    try:
        index = refresh_index(ws, None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "see what is wrong with it: factory registry verify"
        raise RegistryError("what is published cannot be read", where=ws.registry, hint=hint) from error
    after = _entries(ws)
    database = False
    if is_embedded(ws) and ws.ports.is_dir():
        # The mark beside it would say that it is as it should be, also where it was damaged.
        (ws.ports / ".views").unlink(missing_ok=True)
        database = refresh_ports_database(ws)
    return Rebuilt(
        index=index,
        products=len(after),
        added=tuple(sorted(set(after) - set(before))),
        removed=tuple(sorted(set(before) - set(after))),
        changed=tuple(sorted(name for name in set(after) & set(before) if after[name] != before[name])),
        database=database,
        cleared=tuple(sorted(_clear(ws, time.time() if now is None else now))),
    )


def _entries(ws: Workspace) -> dict[str, Any]:
    if not (ws.registry / INDEX_FILE).exists():
        return {}
    try:
        return {str(entry["id"]): entry for entry in read_index(ws)["products"]}
    except (RegistryError, KeyError, TypeError):
        return {}


def _clear(ws: Workspace, now: float) -> list[str]:
    cleared = []
    for root in (ws.registry, ws.ports):
        for top, folders, names in os.walk(root):
            if Path(top) == ws.registry:
                folders[:] = [name for name in folders if name not in _LEAVE]
            for name in [*folders, *names]:
                if name.startswith(".") and name.endswith(".tmp") and _is_stale(Path(top) / name, now):
                    _remove(Path(top) / name)
                    cleared.append(ws.relative(Path(top) / name))
            folders[:] = [name for name in folders if not name.startswith(".")]
    return cleared + _old_lists(ws)


def _old_lists(ws: Workspace) -> list[str]:
    """Remove the lists of earlier checkpoints, where the present one and its list are there."""
    try:
        checkpoint = read_checkpoint(ws.registry)
    except ValueError:
        return []
    if checkpoint is None or not (ws.registry / checkpoint.list_file).is_file():
        return []
    old = [f for f in ws.registry.glob("checkpoint.*.sha256") if f.name != checkpoint.list_file]
    for file in old:
        file.unlink(missing_ok=True)
    return [ws.relative(file) for file in old]


def _is_stale(path: Path, now: float) -> bool:
    try:
        return now - path.lstat().st_mtime > _STALE
    except OSError:
        return False


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
