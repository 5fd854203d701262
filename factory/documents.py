"""YAML as people write it: safe to read, with the line of every value.

Takes a file; gives plain values and where each stands; touches nothing else.
The reader walks the parser's events instead of building objects, so that depth, aliases and size are
bounded before anything is expanded, duplicate keys are seen, and tags of other languages are refused.
Scalars follow the YAML 1.2 core schema: `NO`, `12:30:45`, `2024-01-31` and `010` stay text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from factory.errors import DocumentError

MAX_BYTES = 2_000_000
MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_NODES = 200_000
MAX_DIGITS = 100

Key = str | int
Path_ = tuple[Key, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as values.

    Attributes:
        path: the file it was read from.
        data: dicts, lists and scalars.
        lines: line (from 1) of each value, by its path of keys and indexes.
    """

    path: Path
    data: Any
    lines: Mapping[Path_, int]

    def line(self, *keys: Key) -> int:
        """Return the line of the value at `keys`, or of the nearest value around it."""
        for end in range(len(keys), -1, -1):
            found = self.lines.get(keys[:end])
            if found:
                return found
        return 1


def read_yaml(path: Path) -> Document:
    """Read one YAML document from a file.

    Raises:
        DocumentError: not there, not text, too large or too deep, not YAML, a key twice, a foreign tag.

    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot read the file: {error.strerror}", where=path) from error
    if len(raw) > MAX_BYTES:
        raise DocumentError(f"the file has {len(raw):,} bytes; {MAX_BYTES:,} is the limit", where=path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DocumentError(
            "the file is not UTF-8 text", where=path, line=line, hint="save it as UTF-8"
        ) from error
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Document:
    """Read one YAML document from text; `path` names it in errors. See `read_yaml`."""
    try:
        builder = _Builder(path, yaml.parse(text, Loader=yaml.CSafeLoader))
        data = builder.document()
    except yaml.YAMLError as error:
        raise _syntax_error(error, path, text) from error
    return Document(path, data, builder.lines)


def dump_yaml(data: Any) -> str:
    """Write plain values as YAML: keys in their given order, text that a YAML 1.1 reader leaves alone too."""
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )


class _Dumper(yaml.CSafeDumper):
    """Writes shared values out instead of as anchors, and long text as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


def _write_text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    if not isinstance(_resolved(text), str):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'")
    style = "|" if "\n" in text.strip("\n") and not re.search(r"[ \t]\n|\r|\t", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


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
    return DocumentError(f"not valid YAML: {problem}", where=path, line=line, hint=hint)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 0


class _Builder:
    """Builds values from parser events, with every limit checked on the way."""

    def __init__(self, path: Path, events: Iterator[yaml.Event]) -> None:
        self.path = path
        self.events = events
        self.lines: dict[Path_, int] = {}
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        self.deepest = 0
        self.aliases = 0
        self.nodes = 0

    def document(self) -> Any:
        data: Any = None
        seen = False
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    self.refuse("the file holds more than one YAML document", event)
                seen = True
                data = self.value(next(self.events), (), 0)
        return data

    def refuse(self, message: str, event: yaml.Event, hint: str = "") -> None:
        raise DocumentError(message, where=self.path, line=_line(event), hint=hint)

    def count(self, size: int, event: yaml.Event) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            self.refuse(f"more than {MAX_NODES:,} values", event)

    def value(self, event: yaml.Event, path: Path_, depth: int) -> Any:
        """Return the value that starts with `event`; recursion is bounded by MAX_DEPTH."""
        if depth > MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH} levels", event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path, depth)
        before = self.nodes
        outside, self.deepest = self.deepest, depth
        self.count(1, event)
        self.lines.setdefault(path, _line(event))
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
            self.refuse(f"the tag {tag} is not allowed", event, "write plain values")

    def alias(self, event: yaml.AliasEvent, path: Path_, depth: int) -> Any:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.refuse(f"more than {MAX_ALIASES} aliases", event)
        name = str(event.anchor)
        if name not in self.anchors:
            self.refuse(f"the alias *{name} has no anchor before it", event)
        value, size, height = self.anchors[name]
        self.count(size, event)
        if depth + height > MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH} levels", event)
        self.deepest = max(self.deepest, depth + height)
        self.lines.setdefault(path, _line(event))
        return value

    def sequence(self, path: Path_, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self.value(event, (*path, len(values)), depth + 1))
        return values

    def mapping(self, path: Path_, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse("a key must be plain text", event)
                continue
            self.allow(event.tag, event)
            key = str(event.value)
            here = _line(event)
            if key == "<<" and event.implicit[0]:
                self.merge(values, next(self.events), path, depth)
                continue
            if key in values and self.lines.get((*path, key)):
                first = self.lines[(*path, key)]
                self.refuse(
                    f"the key {key!r} stands twice, at lines {first} and {here}", event, "keep one of them"
                )
            self.lines[(*path, key)] = here
            values[key] = self.value(next(self.events), (*path, key), depth + 1)
        return values

    def merge(self, values: dict[str, Any], event: yaml.Event, path: Path_, depth: int) -> None:
        merged = self.value(event, (*path, "<<"), depth + 1)
        for part in merged if isinstance(merged, list) else [merged]:
            if not isinstance(part, dict):
                self.refuse("`<<` merges mappings only", event)
            self.count(len(part), event)
            for key, value in part.items():
                values.setdefault(key, value)

    def scalar(self, event: yaml.ScalarEvent) -> Any:
        text = str(event.value)
        if event.tag == _TEXT_TAG or not event.implicit[0]:
            return text
        value = _resolved(text)
        if isinstance(value, int) and len(text.lstrip("+-")) > MAX_DIGITS:
            self.refuse(f"a number of more than {MAX_DIGITS} digits", event, "quote it, if it is text")
        if isinstance(value, float) and not math.isfinite(value):
            self.refuse(f"{text} is too large for a number", event, "quote it, if it is text")
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
