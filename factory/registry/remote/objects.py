"""What a registry needs of a store of objects: five things to do with one key, and nothing that a rename would give.

Takes nothing; gives the protocol `ObjectStore`, which a folder (`folder`) and a bucket (`s3`) keep, and the rule for
keys. A key is a relative path with slashes, such as `registry/products/trade/shop/shop/1.0.0/record.json`. Every
operation is whole: a reader sees an object as one writer wrote it, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from factory.errors import RegistryError

AT_ONCE = 16  # requests under way together

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as a listing tells it.

    Attributes:
        key: its key.
        size: its bytes.
        etag: what changes with its content.
    """

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Object:
    """An object's content, and what to name to replace exactly this."""

    content: bytes
    etag: str


class ObjectStore(Protocol):
    """A place for objects. Each method raises `RegistryError`, in words, where the place does not do its part."""

    @property
    def address(self) -> str:
        """Where it is, as the settings name it."""

    def entries(self, prefix: str) -> Sequence[Entry]:
        """Return what lies below a folder (a key without its last slash), sorted by key."""

    def read(self, key: str) -> Object | None:
        """Return an object, or None if it is not there."""

    def create(self, key: str, content: bytes) -> bool:
        """Write an object that is not there yet; say False, and leave it as it is, if it is there."""

    def replace(self, key: str, content: bytes, etag: str | None) -> bool:
        """Write an object if it is still the one with this etag (None: if it is not there); say whether it was."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no fault."""

    def upload(self, key: str, file: Path) -> None:
        """Write a file, of any size, under a key that names its content: whoever writes it writes the same."""

    def download(self, key: str, file: Path) -> bool:
        """Write an object, of any size, into a new file; say False if it is not there."""


def parts_of(key: str) -> tuple[str, ...]:
    """Return the parts of a key, which may come from anybody.

    Raises:
        RegistryError: it would lead out of its root, or is no name on every system.

    """
    parts = tuple(key.split("/"))
    bad = any(part in ("", ".", "..") or any(c in '\\:"<>|?*' or ord(c) < 32 for c in part) for part in parts)
    if bad:
        raise RegistryError(
            f"{key[:200]!r} is no name of a file of a registry",
            hint="somebody else wrote it there: remove this object",
        )
    return parts


def at_once(do: Callable[[Given], Found], items: Iterable[Given]) -> list[Found]:
    """Do something for many items, some together; return what came of each, in their order.

    The first error is raised when what was under way is done; what had not begun does not begin.
    """
    todo = list(items)
    if len(todo) < 2:
        return [do(item) for item in todo]
    with ThreadPoolExecutor(min(AT_ONCE, len(todo))) as pool:
        futures = [pool.submit(do, item) for item in todo]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
