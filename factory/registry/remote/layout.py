"""Which files of a registry are carried between places, and what each of them is.

Takes keys (`registry/...`, `ports/...`) and folders; gives kinds and lists; reads names and sizes only. A fact is
carried as it is. What each place makes for itself is not: marks of unfinished incidents, locks, temporary files,
links, `ports.duckdb`, and the index, which every place makes anew from its facts.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from factory.errors import RegistryError
from factory.files import told_as
from factory.registry.remote.objects import parts_of

REGISTRY = "registry"
PORTS = "ports"
INDEX = "registry/registry.json"
POINTER_FILE = "current.json"
RECORD_FILE = "record.json"
_SNAPSHOT = re.compile(r"[0-9a-f]{20}", re.ASCII)
_VERSION = re.compile(r"\d+\.\d+\.\d+", re.ASCII)
_MAJOR = re.compile(r"v\d+", re.ASCII)


class Kind(Enum):
    """What a file of a registry is; in the order in which it may be shown to readers."""

    SNAPSHOT = 1
    VERSION = 2
    DOCUMENT = 3
    FACT = 4
    HISTORY = 5
    RUN = 6
    INCIDENT = 7
    EVENT = 8
    POINTER = 9
    INDEX = 10
    NONE = 11


_SHELVES = {
    "runs": Kind.RUN, "history": Kind.HISTORY, "incidents": Kind.INCIDENT, "events": Kind.EVENT,
}  # fmt: skip


@functools.lru_cache(maxsize=2**19)  # the same keys are asked for in every step
def kind_of(key: str) -> Kind:
    """Return what a key is; `NONE` for what is not carried."""
    parts = key.split("/")
    if any(part.startswith(".") for part in parts) or parts[-1].endswith((".tmp", ".lock")):
        return Kind.NONE
    if parts[0] == PORTS:
        return _kind_of_port(parts)
    if parts[0] != REGISTRY or len(parts) < 2:
        return Kind.NONE
    if key == INDEX:
        return Kind.INDEX
    if parts[1] == "products":
        return _kind_of_product(parts)
    if parts[1] == "incidents" and parts[2].startswith("_"):
        return Kind.NONE
    if parts[1] == "history" and len(parts) != 5:
        return Kind.NONE
    return _SHELVES.get(parts[1], Kind.FACT)


def _kind_of_product(parts: list[str]) -> Kind:
    """`registry/products/<domain>/<product>/<contract>/<version>/<file>`, or a document of the product."""
    if len(parts) == 7 and _VERSION.fullmatch(parts[5]) and parts[4] != "product":
        return Kind.VERSION
    return Kind.DOCUMENT if len(parts) == 6 and parts[4] == "product" else Kind.FACT


def _kind_of_port(parts: list[str]) -> Kind:
    """`ports/<domain>/<product>/<contract>/v<major>/<snapshot>/<file>`, or the pointer."""
    if len(parts) == 6 and _MAJOR.fullmatch(parts[4]) and parts[5] == POINTER_FILE:
        return Kind.POINTER
    if len(parts) == 7 and _MAJOR.fullmatch(parts[4]) and _SNAPSHOT.fullmatch(parts[5]):
        return Kind.SNAPSHOT
    return Kind.NONE


def product_of(key: str) -> tuple[str, str] | None:
    """Return domain and name of the product that a key below a shelf of products is about, or None."""
    parts = key.split("/")
    start = 1 if parts[0] == PORTS else 2
    shelves = ("products", "certificates", "status", "events", "runs", "incidents")
    if (parts[0] == PORTS or parts[1] in shelves) and len(parts) > start + 2:
        return parts[start], parts[start + 1]
    return None


def folder_of(key: str) -> str:
    """Return the key of the folder that an object lies in."""
    return key.rpartition("/")[0]


def of_kind(keys: Iterable[str], *kinds: Kind) -> list[str]:
    """Return the keys of some kinds, sorted."""
    return sorted(key for key in keys if kind_of(key) in kinds)


def snapshots_in(pointer: Mapping[str, object]) -> tuple[str, ...]:
    """Return the snapshots that a pointer names, the current one first, whatever else it says of them."""
    found: dict[str, None] = {}

    def look(value: object) -> None:
        if isinstance(value, str) and _SNAPSHOT.fullmatch(value):
            found[value] = None
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                look(key)
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(pointer.get("snapshot"))
    look(pointer.get("snapshots"))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Place:
    """The two folders of a registry on this machine.

    Attributes:
        registry: the folder of the registry.
        ports: the folder of the published ports.
    """

    registry: Path
    ports: Path

    def file(self, key: str) -> Path:
        """Return the file that a key names; a key that leads out of here is refused."""
        first, *rest = parts_of(key)
        return (self.ports if first == PORTS else self.registry).joinpath(*rest)

    def sizes(self) -> dict[str, int]:
        """Return the keys of what is carried from here, with their bytes."""
        found: dict[str, int] = {}
        for top, name in ((self.registry, REGISTRY), (self.ports, PORTS)):
            with told_as(RegistryError, "reading the registry", top):
                _sizes_below(str(top), name, found)
        return found


def _sizes_below(folder: str, start: str, found: dict[str, int]) -> None:
    """Add the sizes of what is carried from a folder; a link is none: `current` leads to what has its own name."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                key = f"{start}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith((".", "_")):
                        _sizes_below(entry.path, key, found)
                elif not entry.is_symlink() and kind_of(key) is not Kind.NONE:
                    with contextlib.suppress(FileNotFoundError):
                        found[key] = entry.stat().st_size
    except FileNotFoundError:
        return  # none there, or none any more
