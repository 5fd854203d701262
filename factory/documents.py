"""YAML as people write it: safe to read, with the place of every value.

Takes a file; gives plain values and where each stands; touches nothing else.
The reader walks the parser's events instead of building objects, so that depth, aliases and size are
bounded before anything is expanded, duplicate keys are seen, and tags of other languages are refused.
Where values stand is found in a second walk, when somebody asks.
Scalars follow the YAML 1.2 core schema: `NO`, `12:30:45`, `2024-01-31` and `010` stay text.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from factory.errors import DocumentError
from factory.files import remedy_of

MAX_BYTES = 2_000_000
MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_NODES = 200_000
MAX_DIGITS = 100
MAX_REPEATS = 100

Key = str | int
Path_ = tuple[Key, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TEXT_TAG = "tag:yaml.org,2002:str"


class Marks:
    """Where the values of a document stand; found when the first is asked for."""

    def __init__(self, text: str, number: int = 0) -> None:
        self._text = text
        self._number = number
        self._found: dict[Path_, tuple[int, int]] | None = None

    def place(self, keys: Path_) -> tuple[int, int]:
        """Return line and column (from 1) of the value at `keys`, or of the nearest value around it."""
        if self._found is None:
            builder = _Builder(Path(), yaml.parse(self._text, Loader=yaml.CSafeLoader), marking=True)
            # What cannot be read any further was told when the values were read.
            with contextlib.suppress(DocumentError, yaml.YAMLError):
                for _ in builder.documents(last=self._number):
                    pass
            self._found = builder.marks
        for end in range(len(keys), -1, -1):
            found = self._found.get(keys[:end])
            if found:
                return found
        return 1, 1


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML document as values.

    Attributes:
        path: the file it was read from.
        data: dicts, lists and scalars.
        marks: where each value stands, by its path of keys and indexes.
    """

    path: Path
    data: Any
    marks: Marks = field(compare=False, default_factory=lambda: Marks(""))

    def line(self, *keys: Key) -> int:
        """Return the line of the value at `keys`, or of the nearest value around it."""
        return self.marks.place(keys)[0]

    def place(self, *keys: Key) -> tuple[int, int]:
        """Return line and column of the value at `keys`, or of the nearest value around it."""
        return self.marks.place(keys)


@dataclass(frozen=True, slots=True)
class Scan:
    """All that can be read of a file: its documents, and what is wrong with it as YAML."""

    documents: tuple[Document, ...]
    faults: tuple[DocumentError, ...]


def read_yaml(path: Path) -> Document:
    """Read one YAML document from a file.

    Raises:
        DocumentError: not there, not text, too large or too deep, not YAML, a key twice, a foreign tag.

    """
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> Document:
    """Read one YAML document from text; `path` names it in errors. See `read_yaml`."""
    scan = scan_text(text, path)
    if scan.faults:
        raise scan.faults[0]
    if len(scan.documents) > 1:
        line = scan.documents[1].line()
        raise DocumentError(
            "the file holds more than one YAML document", where=path, line=line, code="yaml-documents"
        )
    return scan.documents[0] if scan.documents else Document(path, None)


def scan_yaml(path: Path) -> Scan:
    """Read every YAML document of a file as far as that goes; nothing is raised: every fault is in the result.

    Of a key that stands twice the first value counts.
    """
    try:
        return scan_text(read_text(path), path)
    except DocumentError as error:
        return Scan((), (error,))


def scan_text(text: str, path: Path) -> Scan:
    """Read every YAML document of a text; see `scan_yaml`."""
    builder = _Builder(path, yaml.parse(text, Loader=yaml.CSafeLoader))
    documents: list[Document] = []
    faults = builder.repeats
    try:
        documents += [
            Document(path, data, Marks(text, number)) for number, data in enumerate(builder.documents())
        ]
    except DocumentError as error:
        faults.append(error)
    except yaml.YAMLError as error:
        faults.append(_syntax_error(error, path, text))
    return Scan(tuple(documents), tuple(faults))


def read_text(path: Path) -> str:
    """Return a file's text, at most `MAX_BYTES` long.

    Raises:
        DocumentError: not there, too large, or not UTF-8.

    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read the file: {error.strerror}"
        hint = "" if isinstance(error, FileNotFoundError | IsADirectoryError) else remedy_of(error)
        raise DocumentError(message, where=path, code="unreadable-file", hint=hint) from error
    if len(raw) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES:,} bytes, which is the limit"
        raise DocumentError(message, where=path, code="yaml-too-large")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DocumentError(
            "the file is not UTF-8 text", where=path, line=line, hint="save it as UTF-8", code="yaml-encoding"
        ) from error


def dump_yaml(data: Any) -> str:
    """Write plain values as YAML: keys in their given order, text that a YAML 1.1 reader leaves alone too."""
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )


class _Dumper(yaml.CSafeDumper):
    """Writes shared values out instead of as anchors, and long text as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


class _DoubleQuoting(_Dumper):
    """Writes double quotes where text needs some."""


def dump_values(data: Any, *, quote: str = "", flow: bool = False, always: bool = False) -> str:
    """Write plain values so that they can stand inside a document: no line is broken, and no final newline.

    Args:
        data: what to write.
        quote: the quotes of text that needs some: `'` or `"`; with `always`, of all text.
        flow: on one line, as in JSON.
        always: quote text that needs no quotes, too.

    """
    dumper = _DoubleQuoting if quote == '"' else _Dumper
    style = quote if always and isinstance(data, str) else None
    wrapped = [data] if flow or not isinstance(data, dict | list) else data
    text: str = yaml.dump(
        wrapped,
        Dumper=dumper,
        sort_keys=False,
        allow_unicode=True,
        width=MAX_BYTES,
        default_flow_style=wrapped is not data or flow,
        default_style=style,
    )
    text = text.rstrip("\n")
    return text[1:-1] if wrapped is not data else text


def _write_text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    if not isinstance(_resolved(text), str):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'")
    style = "|" if "\n" in text.strip("\n") and not re.search(r"[ \t]\n|\r|\t", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def _write_double(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    node = _write_text(dumper, text)
    if node.style in (None, "'") and dump_values(text).startswith("'"):
        node.style = '"'
    return node


_DoubleQuoting.add_representer(str, _write_double)


@dataclass(frozen=True, slots=True)
class Span:
    """A value of a document as it is written.

    Attributes:
        kind: scalar, alias, mapping or sequence.
        start: the index in the text where it begins, behind its anchor and tag.
        end: the index behind its last character; comments and empty lines behind it are not in it.
        style: of a scalar its quote or block sign, or empty; of a collection `flow` or `block`.
        entries: of a collection the key or index, the key as it is written (None in a sequence) and the value.
    """

    kind: str
    start: int
    end: int
    style: str
    entries: tuple[tuple[Key, Span | None, Span], ...] = ()

    def entry(self, key: Key) -> Span | None:
        """Return the value of a key, or of an index, that is written here."""
        return next((value for name, _, value in self.entries if name == key), None)


def spans(text: str) -> Span | None:
    """Return where the values of a document are written, or None if it holds no value.

    `text` is one that `parse_yaml` has read: what is refused there is not looked at again.
    """
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            return _span(next(events), events, text)
    return None


# An anchor or a tag, blanks, line breaks and comments before the value itself.
_BEFORE = re.compile(r"(?:[&!][^\s,\[\]{}]*(?=\s|$)|\s+|#[^\r\n]*)*")


def _span(event: Any, events: Iterator[Any], text: str) -> Span:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return Span("alias", start, end, "")
    if event.anchor or event.tag:
        found = _BEFORE.match(text, start)
        start = found.end() if found else start
    if isinstance(event, yaml.ScalarEvent):
        start = min(start, end)
        style = event.style or ""
        if style in ("|", ">"):
            end = start + len(_written(text[start:end]))
        return Span("scalar", start, end, style)
    entries: list[tuple[Key, Span | None, Span]] = []
    closing = yaml.MappingEndEvent if isinstance(event, yaml.MappingStartEvent) else yaml.SequenceEndEvent
    while not isinstance(inner := next(events), closing):
        if closing is yaml.SequenceEndEvent:
            entries.append((len(entries), None, _span(inner, events, text)))
        else:
            key = str(getattr(inner, "value", ""))
            entries.append((key, _span(inner, events, text), _span(next(events), events, text)))
    kind = "mapping" if closing is yaml.MappingEndEvent else "sequence"
    if event.flow_style:
        return Span(kind, start, inner.end_mark.index, "flow", tuple(entries))
    return Span(
        kind, start, max((value.end for _, _, value in entries), default=end), "block", tuple(entries)
    )


def _written(text: str) -> str:
    """Return a block scalar without the empty lines behind it, unless its header keeps them."""
    if "+" in text.splitlines()[0].partition("#")[0]:
        return re.sub(r"(\r\n|[\r\n])[ ]*\Z", "", text)
    return text.rstrip()


def _syntax_error(error: yaml.YAMLError, path: Path, text: str) -> DocumentError:
    mark = getattr(error, "problem_mark", None)
    problem = " ".join((getattr(error, "problem", None) or str(error)).split())
    line = mark.line + 1 if mark else 0
    position = getattr(error, "position", None)
    if not line and isinstance(position, int):
        line = text[:position].count("\n") + 1
    hint = "check the indentation and the quotes at this line and the one above"
    lines = text.splitlines()
    if 0 < line <= len(lines) and "\t" in lines[line - 1]:
        hint = "YAML is indented with spaces, not tabs"
    column = mark.column + 1 if mark else 0
    return DocumentError(
        f"not valid YAML: {problem}", where=path, line=line, hint=hint, column=column, code="yaml-syntax"
    )


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)


class _Builder:
    """Builds values from parser events, with every limit checked on the way."""

    def __init__(self, path: Path, events: Iterator[yaml.Event], *, marking: bool = False) -> None:
        self.path = path
        self.events = events
        self.marking = marking
        self.marks: dict[Path_, tuple[int, int]] = {}
        self.repeats: list[DocumentError] = []
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        self.deepest = 0
        self.aliases = 0
        self.nodes = 0
        self.number = -1

    def documents(self, last: int = -1) -> Iterator[Any]:
        """Yield the values of each document; `last` is the number of the one whose places are wanted."""
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors.clear()
                self.number += 1
                if self.number == last:
                    self.marks.clear()
                yield self.value(next(self.events), (), 0)
                if self.number == last:
                    return

    def refuse(self, code: str, message: str, event: yaml.Event, hint: str = "") -> NoReturn:
        raise self.fault(code, message, event, hint)

    def fault(self, code: str, message: str, event: yaml.Event, hint: str) -> DocumentError:
        line, column = _place(event)
        return DocumentError(
            message, where=self.path, line=line, column=column, hint=hint, code=f"yaml-{code}"
        )

    def count(self, size: int, event: yaml.Event) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            self.refuse("too-many", f"more than {MAX_NODES:,} values", event)

    def value(self, event: yaml.Event, path: Path_, depth: int) -> Any:
        """Return the value that starts with `event`; recursion is bounded by MAX_DEPTH."""
        if depth > MAX_DEPTH:
            self.refuse("too-deep", f"nested deeper than {MAX_DEPTH} levels", event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path, depth)
        before = self.nodes
        outside, self.deepest = self.deepest, depth
        self.count(1, event)
        if self.marking:
            self.marks.setdefault(path, _place(event))
        tag = getattr(event, "tag", None)
        self.allow(tag, event)
        if isinstance(event, yaml.ScalarEvent):
            value: Any = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(path, depth)
        else:
            value = self.mapping(path, depth)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self.anchors[anchor] = (value, self.nodes - before, self.deepest - depth)
        self.deepest = max(self.deepest, outside)
        return value

    def allow(self, tag: str | None, event: yaml.Event) -> None:
        if tag not in (None, "!", _TEXT_TAG):
            self.refuse("tag", f"the tag {tag} is not allowed", event, "write plain values")

    def alias(self, event: yaml.AliasEvent, path: Path_, depth: int) -> Any:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.refuse("aliases", f"more than {MAX_ALIASES} aliases", event)
        name = str(event.anchor)
        if name not in self.anchors:
            self.refuse("aliases", f"the alias *{name} has no anchor before it", event)
        value, size, height = self.anchors[name]
        self.count(size, event)
        if depth + height > MAX_DEPTH:
            self.refuse("too-deep", f"nested deeper than {MAX_DEPTH} levels", event)
        self.deepest = max(self.deepest, depth + height)
        if self.marking:
            self.marks.setdefault(path, _place(event))
        return value

    def sequence(self, path: Path_, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self.value(event, (*path, len(values)), depth + 1))
        return values

    def mapping(self, path: Path_, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse("key", "a key must be plain text", event)
            self.allow(event.tag, event)
            key = str(event.value)
            if key == "<<" and event.implicit[0]:
                self.merge(values, next(self.events), path, depth)
                continue
            here = (*path, key)
            if key in own:
                self.repeated(key, own[key], event)
                self.value(next(self.events), here, depth + 1)
                continue
            own[key] = event.start_mark.line + 1 if event.start_mark is not None else 0
            if self.marking:
                self.marks[here] = _place(event)
            values[key] = self.value(next(self.events), here, depth + 1)
        return values

    def repeated(self, key: str, first: int, event: yaml.Event) -> None:
        """Remember a key that stands twice; of very many, the first hundred."""
        if len(self.repeats) < MAX_REPEATS:
            message = f"the key {key[:80]!r} stands twice, at lines {first} and {_place(event)[0]}"
            self.repeats.append(self.fault("duplicate-key", message, event, "keep one of them"))

    def merge(self, values: dict[str, Any], event: yaml.Event, path: Path_, depth: int) -> None:
        merged = self.value(event, (*path, "<<"), depth + 1)
        for part in merged if isinstance(merged, list) else [merged]:
            if not isinstance(part, dict):
                self.refuse("merge", "`<<` merges mappings only", event)
            self.count(len(part), event)
            for key, value in part.items():
                values.setdefault(key, value)

    def scalar(self, event: yaml.ScalarEvent) -> Any:
        text = str(event.value)
        if event.tag == _TEXT_TAG or not event.implicit[0]:
            return text
        value = _resolved(text)
        if isinstance(value, int) and len(text.lstrip("+-")) > MAX_DIGITS:
            self.refuse(
                "number", f"a number of more than {MAX_DIGITS} digits", event, "quote it, if it is text"
            )
        if isinstance(value, float) and not math.isfinite(value):
            self.refuse("number", f"{text} is too large for a number", event, "quote it, if it is text")
        return value


def _resolved(text: str) -> Any:
    """Return what a plain scalar means in the core schema of YAML 1.2."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= MAX_DIGITS * 2 else 10**MAX_DIGITS
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
