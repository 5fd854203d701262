"""Take back what a refused run put into tables that grow: incremental models and snapshots.

Takes the names of products; keeps their DuckDB files as they were before a run, and puts them back where the run
refused the product; reads and writes below `target/<target>/duckdb/`. Without that, a bad delivery would stay in a
table that only appends, and refuse every later run, long after it was mended at its source.

The tables as the refused run built them are moved to `refused/`, so that they can be looked into. A run that was killed
leaves its keepsakes; the next one puts them back first.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from factory.errors import WorkspaceError
from factory.files import sync_folder, told_as
from factory.umbrella import is_embedded
from factory.workspace import Workspace

_KEPT, _REFUSED = ".before", "refused"
_NONE = ".none"  # there was no file before


class Undo:
    """The DuckDB files of one run's growing products, as they were before."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._folder = ws.duckdb / _KEPT

    def recover(self) -> None:
        """Put back what a run that was killed has kept."""
        if is_embedded(self._ws) and self._folder.is_dir():
            for name in sorted({kept.stem for kept in self._folder.iterdir() if kept.suffix != ".tmp"}):
                self.take_back(name)
            shutil.rmtree(self._folder, ignore_errors=True)

    def keep(self, names: Iterable[str]) -> None:
        """Keep the files of products as they are now."""
        if not is_embedded(self._ws):
            return
        for name in names:
            file = self._ws.database_file(name)
            with told_as(WorkspaceError, f"keeping the tables of {name}", self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                if file.is_file():
                    copy = self._folder / f"{name}.tmp"
                    shutil.copyfile(file, copy)
                    copy.replace(self._kept(name))
                else:
                    (self._folder / f"{name}{_NONE}").touch()
                sync_folder(self._folder)

    def let_go(self, name: str) -> None:
        """Forget how a product's tables were: what was built is good."""
        self._kept(name).unlink(missing_ok=True)
        (self._folder / f"{name}{_NONE}").unlink(missing_ok=True)

    def take_back(self, name: str) -> Path | None:
        """Put a product's tables back; return the file with those that were refused, or None if nothing was kept."""
        kept, none = self._kept(name), self._folder / f"{name}{_NONE}"
        if not kept.is_file() and not none.is_file():
            return None
        file = self._ws.database_file(name)
        refused = self._ws.duckdb / _REFUSED / file.name
        with told_as(WorkspaceError, f"putting back the tables of {name}", file):
            if file.is_file():
                refused.parent.mkdir(parents=True, exist_ok=True)
                file.replace(refused)
            file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
            if kept.is_file():
                kept.replace(file)
            none.unlink(missing_ok=True)
        return refused

    def _kept(self, name: str) -> Path:
        return self._folder / f"{name}.duckdb"
