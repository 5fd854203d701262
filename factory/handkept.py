"""Files that people keep by hand, changed together: every edit is made before the first file is written.

Takes edits of values; gives what was written where; reads and writes the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.documents import Path_, parse_yaml, read_text
from factory.errors import EditError, FactoryError
from factory.files import told_as, write_whole
from factory.odcs.edit import with_item, with_value


@dataclass(frozen=True, slots=True)
class Written:
    """One value that is written: the file, its line from 1, and what it is in words."""

    file: Path
    line: int
    words: str


class HandKept:
    """Edits of files that are not written yet."""

    def __init__(self) -> None:
        self._texts: dict[Path, str] = {}
        self._notes: list[tuple[Path, Path_, str]] = []

    def set(self, file: Path, path: Path_, value: Any, words: str = "") -> None:
        """Set a scalar; `words` tell what it is, if that is not the key with its value.

        Raises:
            EditError: the file has to be edited by hand.

        """
        self._texts[file] = with_value(self._text(file), path, value, where=file)
        self._notes.append((file, path, words or f"{path[-1]}: {value}"))

    def add(self, file: Path, path: Path_, item: Any, words: str, after: int | None = None) -> int:
        """Add an item to a list, behind the one at `after` or at its end; return its index. Raises as `set` does."""
        text = with_item(self._text(file), path, item, after, where=file)
        self._texts[file] = text
        found = parse_yaml(text, file).data
        for key in path:
            found = found[key]
        index = len(found) - 1 if after is None else after + 1
        self._notes.append((file, (*path, index), words))
        return index

    def copy(self, file: Path, other: Path, words: str) -> None:
        """Give the file, with its edits so far, a copy under another name.

        Raises:
            EditError: there is a file of that name.

        """
        if other.exists() or other in self._texts:
            hint = f"move it away, or write the copy of {file.name} by hand"
            raise EditError("the file is there already", where=other, hint=hint)
        self._texts[other] = self._text(file)
        self._notes.append((other, (), words))

    def written(self) -> tuple[Written, ...]:
        """Return what is written, in the order of the edits, with the lines that it has in the end."""
        documents = {
            file: parse_yaml(text.removeprefix("\ufeff"), file) for file, text in self._texts.items()
        }
        return tuple(
            Written(file, documents[file].line(*path) if path else 1, words)
            for file, path, words in self._notes
        )

    def write(self) -> None:
        """Write the files, each whole.

        Raises:
            FactoryError: a file cannot be written.

        """
        # What is new comes first: a copy is there before its original is changed.
        for file, text in sorted(self._texts.items(), key=lambda each: each[0].exists()):
            with told_as(FactoryError, "writing the file", file):
                write_whole(file.resolve(), text)

    def _text(self, file: Path) -> str:
        if file not in self._texts:
            text = read_text(file)
            mark = "\ufeff" if file.read_bytes().startswith(b"\xef\xbb\xbf") else ""
            self._texts[file] = mark + text
        return self._texts[file]
