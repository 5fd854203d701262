"""A folder as a store of objects: for registries that lie in folders, and as a witness of what a bucket must do.

Takes a folder; gives an `ObjectStore`; reads and writes below it. An object is written under another name, synced, and
linked or renamed into its place; of two that create it one wins, on every file system that knows links.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from factory.errors import RegistryError
from factory.files import sync_folder, told_as, write_once, write_whole
from factory.locking import registry_locked
from factory.registry.remote.objects import Entry, Object, parts_of


class FolderStore:
    """The objects below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def address(self) -> str:
        """The folder's path."""
        return self.root.as_posix()

    def entries(self, prefix: str) -> Sequence[Entry]:
        """Return what lies below a folder, sorted by key; links are not followed."""
        found = []
        with told_as(RegistryError, "reading the registry", self.root / prefix):
            for folder, folders, names in os.walk(self.root / prefix):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for name in names:
                    file = Path(folder) / name
                    if not name.startswith(".") and not file.is_symlink():
                        with contextlib.suppress(FileNotFoundError):
                            key = file.relative_to(self.root).as_posix()
                            status = file.stat()
                            found.append(Entry(key, status.st_size, _etag(status)))
        return sorted(found, key=lambda entry: entry.key)

    def read(self, key: str) -> Object | None:
        """Return a file's content, or None if it is not there."""
        file = self._file(key)
        with told_as(RegistryError, "reading the registry", file):
            try:
                with file.open("rb") as handle:
                    status = os.fstat(handle.fileno())
                    return Object(handle.read(), _etag(status))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def create(self, key: str, content: bytes) -> bool:
        """Write a file that is not there yet; say False if it is."""
        file = self._file(key)
        with told_as(RegistryError, "writing to the registry", file):
            return write_once(file, content)

    def replace(self, key: str, content: bytes, etag: str | None) -> bool:
        """Write a file if it is still the one with this etag; say whether it was."""
        if etag is None:
            return self.create(key, content)
        file = self._file(key)
        with told_as(RegistryError, "writing to the registry", file), registry_locked(self.root):
            try:
                if _etag(file.stat()) != etag:
                    return False
            except FileNotFoundError:
                return False
            write_whole(file, content)
        return True

    def delete(self, key: str) -> None:
        """Remove a file, and folders that are empty then."""
        file = self._file(key)
        with told_as(RegistryError, "removing from the registry", file):
            file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                for folder in file.parents:
                    if folder == self.root:
                        break
                    folder.rmdir()

    def upload(self, key: str, file: Path) -> None:
        """Copy a file under a key that names its content."""
        target = self._file(key)
        with told_as(RegistryError, "writing to the registry", target), _beside(target) as written:
            shutil.copyfile(file, written)
            with written.open("rb") as handle:
                os.fsync(handle.fileno())
            written.replace(target)
            sync_folder(target.parent)

    def download(self, key: str, file: Path) -> bool:
        """Copy an object into a new file; say False if it is not there."""
        source = self._file(key)
        with told_as(RegistryError, "reading the registry", source):
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(source, file)
            except FileNotFoundError:
                return False
        return True

    def _file(self, key: str) -> Path:
        return self.root.joinpath(*parts_of(key))


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """Give a name beside a file's for its content, which is gone afterwards."""
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield written
    finally:
        written.unlink(missing_ok=True)


def _etag(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
