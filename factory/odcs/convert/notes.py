"""What a conversion hands on: the new document, what is told about it, and the blocks in the making.

Takes values of a source and where they stand; gives `Conversion`, `Note`, and `Block`, a mapping of the new
document that still knows where each of its values came from; touches nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from factory.documents import Document, Path_


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be carried to a field of its own.

    Attributes:
        path: keys and indexes of it in the source.
        line: its line there, from 1.
        message: what became of it.
    """

    path: Path_
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """A contract in ODCS 3.2.0.

    Attributes:
        dialect: what the source was written in: "ODCS 2.2.2", "Data Contract Specification 0.9.3", ...
        data: the contract as plain values, its keys in the standard's customary order.
        notes: what could not be carried as a field, in the order of the source's lines.
    """

    dialect: str
    data: dict[str, Any]
    notes: tuple[Note, ...]


class Notebook:
    """Collects notes, and takes them back where an attempt is given up."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.notes: list[Note] = []

    def tell(self, path: Path_, message: str) -> None:
        """Note what became of the value at `path`."""
        note = Note(path, self.document.line(*path), message)
        if note not in self.notes:
            self.notes.append(note)

    def sorted(self) -> tuple[Note, ...]:
        """Return the notes by the source's lines."""
        return tuple(sorted(self.notes, key=lambda note: note.line))


class Block(dict[str, Any]):
    """A mapping of the new document in the making.

    Attributes:
        path: where it stands in the source.
        raw: the source's own value, for what has to be kept as it is.
        origins: where single values came from, if not from `path` and their own name.
        extras: what has no field: name, value, place in the source.
    """

    def __init__(self, path: Path_, raw: Any = None) -> None:
        super().__init__()
        self.path = path
        self.raw = raw
        self.origins: dict[str, Path_] = {}
        self.extras: list[tuple[str, Any, Path_]] = []

    def put(self, key: str, value: Any, origin: Path_) -> None:
        """Set a field; a second value for a field is kept beside it."""
        if value is None:
            return
        if self.get(key) is not None:
            self.extras.append((str(origin[-1]) if origin else key, value, origin))
            return
        self[key] = value
        self.origins[key] = origin

    def origin(self, key: str) -> Path_:
        """Return where a field's value stands in the source."""
        return self.origins.get(key, (*self.path, key))


class Source:
    """A mapping of the source, of which every key is taken once; `rest` hands on what nobody took."""

    def __init__(self, values: Mapping[str, Any], path: Path_) -> None:
        self.values = values
        self.path = path
        self.taken: set[str] = set()

    def at(self, name: str) -> Path_:
        """Return the place of a key."""
        return (*self.path, name)

    def take(self, name: str) -> Any:
        """Return the value of a key, None where there is none, and remember that it is dealt with."""
        self.taken.add(name)
        return self.values.get(name)

    def move(
        self, block: Block, field: str, *names: str, turn: Callable[[Any, Path_], Any] | None = None
    ) -> None:
        """Carry the first of `names` that has a value to a field; the others are kept beside it."""
        for name in names or (field,):
            value = self.take(name)
            if value is not None:
                origin = self.at(name)
                block.put(field, turn(value, origin) if turn else value, origin)

    def rename(self, block: Block, names: Iterable[tuple[str, str]]) -> None:
        """Carry keys to fields of other names."""
        for old, new in names:
            self.move(block, new, old)

    def keep(self, block: Block, *names: str) -> None:
        """Keep keys as custom properties."""
        for name in names:
            value = self.take(name)
            if value is not None:
                block.extras.append((name, value, self.at(name)))

    def rest(self, block: Block, *, known: Iterable[str] = ()) -> None:
        """Carry what is left: to fields of the same name if they are `known`, else beside the fields."""
        for name, value in self.values.items():
            if name in self.taken:
                continue
            if name in known:
                block.put(name, value, self.at(name))
            else:
                block.extras.append((name, value, self.at(name)))


def camel(name: str) -> str:
    """Return a name as custom properties are spelled: `cluster_key` is `clusterKey`, `FIELD` is `field`.

    >>> camel("Business definition"), camel("x-owner"), camel("URL")
    ('businessDefinition', 'xOwner', 'url')
    """
    parts = [part.lower() if part.isupper() else part for part in re.split(r"[\W_]+", name) if part]
    if not parts:
        return "unnamed"
    return parts[0][:1].lower() + parts[0][1:] + "".join(part[:1].upper() + part[1:] for part in parts[1:])


def first_upper(name: str) -> str:
    """Return a name with a capital first letter, to stand behind another."""
    return name[:1].upper() + name[1:]
