"""Blocks of the new document, brought into the form that ODCS 3.2.0 allows.

Takes the blocks that a dialect's reader made; gives plain values that the standard's schema accepts. What has
no field, or does not fit it, is kept as a custom property of the nearest block that has any, and noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from factory.documents import Path_
from factory.odcs.convert import shapes
from factory.odcs.convert.fields import FIELDS, REQUIRED, Kind
from factory.odcs.convert.notes import Block, Notebook, camel, first_upper
from factory.odcs.convert.rules import split_rule
from factory.odcs.convert.values import UNFIT, fitted, is_number, same

#: What a contract must not hold, whatever it is called around it.
_SECRET = re.compile(
    r"(?i)(.*[-_.])?(passwords?|passwd|pwd|passphrase|secrets?|credentials?|tokens?|api_?key|access_?key|"
    r"secret_?key|private_?key|(client|db|user)_?(secret|password)|(access|auth|bearer|refresh)_?token|"
    r"secret_?access_?key|connection_?string)"
)
_NULLS = ("any", "scalar", "value")


class UnfitError(Exception):
    """A block lacks what the standard requires of it."""


def is_secret(name: str) -> bool:
    """Return whether a key of this name holds a secret."""
    return _SECRET.fullmatch(name) is not None


class Fitter:
    """Fits blocks, and keeps what does not fit.

    Args:
        notes: where it is told what became of values.
        ordered: whether fields come in the customary order instead of the source's.

    """

    def __init__(self, notes: Notebook, *, ordered: bool) -> None:
        self.notes = notes
        self.ordered = ordered

    def contract(self, block: Block) -> dict[str, Any]:
        """Return the whole contract."""
        return self.block("contract", block, None)

    def block(self, kind: str, block: Block, outer: Block | None) -> dict[str, Any]:
        """Return a block as plain values.

        Raises:
            UnfitError: it lacks a field that it needs.

        """
        fields = shapes.prepare(self, kind, block)
        result: dict[str, Any] = {}
        for name, value in list(block.items()):
            done = self.field(fields[name], name, value, block) if name in fields else UNFIT
            if done is UNFIT:
                block.extras.append((name, value, block.origin(name)))
            elif done is not None or fields[name] in _NULLS:
                result[name] = done
        for name in REQUIRED.get(kind, ()):
            if name not in result and not shapes.fill(self, kind, name, result, block):
                raise UnfitError(name)
        self.keep(kind, block, outer, result)
        if not self.ordered and isinstance(block.raw, dict) and set(result) == set(block.raw):
            return {name: result[name] for name in block.raw}
        return {name: result[name] for name in fields if name in result}

    def field(self, kind: Kind, name: str, value: Any, block: Block) -> Any:
        """Return a field's value, or UNFIT."""
        if value is None:
            return None
        if isinstance(kind, tuple) or kind[0] not in "[{":
            if kind == "customs":
                return self.customs(value, block)
            done = fitted(kind, self.bare(value, block.origin(name)))
            if kind == "text" and is_number(value):
                self.notes.tell(
                    block.origin(name), f"{name}: the number is written as the text {done!r}; compare it"
                )
            return done
        if kind[0] == "{":
            if not isinstance(value, dict):
                return value if kind == "{context}" and isinstance(value, str) else UNFIT
            return self.attempt(kind[1:-1], value, block, block.origin(name))
        return self.several(kind[1:-1], name, value, block)

    def several(self, kind: str, name: str, value: Any, block: Block) -> Any:
        """Return a list of blocks; those that do not fit are kept beside it."""
        done: list[Any] = []
        for item, place in self.items(kind, value, block.origin(name)):
            if kind == "custom" and self.ordered and self.is_told_secret(item, place):
                continue
            fits: Any = self.attempt(kind, item, block, place) if isinstance(item, dict) else UNFIT
            if fits is UNFIT:
                if item is not None:
                    block.extras.append((name, [item], place))
            elif kind == "enum" and any(same(fits["value"], each["value"]) for each in done):
                self.notes.tell(place, f"{name}: the value {fits['value']!r} stands twice; one is kept")
            else:
                done.append(fits)
        return done if done or (value == [] and kind != "enum") else None

    def is_told_secret(self, item: Any, place: Path_) -> bool:
        """Return whether a custom property of the source holds a secret, and tell that it goes."""
        named = item.get("property") if isinstance(item, dict) else None
        if not isinstance(named, str) or not is_secret(named) or item.get("value") is None:
            return False
        self.notes.tell(place, f"{named}: not carried: secrets do not belong in contracts")
        return True

    def items(self, kind: str, value: Any, origin: Path_) -> Iterator[tuple[Any, Path_]]:
        """Yield the items of a list of blocks, with their places in the source."""
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            place = (*origin, number) if isinstance(value, list) else origin
            if isinstance(item, Block):
                place = item.path
            elif isinstance(item, dict):
                item = wrapped(item, place)  # noqa: PLW2901
            elif not isinstance(item, list) and (item is not None or kind == "enum"):
                item = _from_text(kind, item, place)  # noqa: PLW2901
            if kind == "rule" and isinstance(item, Block):
                yield from ((part, place) for part in split_rule(self, item))
            else:
                yield item, place

    def attempt(self, kind: str, item: Mapping[str, Any], block: Block, place: Path_) -> Any:
        """Return a block as plain values, or UNFIT with nothing noted."""
        inner = item if isinstance(item, Block) else wrapped(item, place)
        told, extras = len(self.notes.notes), len(block.extras)
        try:
            return self.block(kind, inner, block)
        except UnfitError:
            del self.notes.notes[told:], block.extras[extras:]
            return UNFIT

    def customs(self, value: Any, block: Block) -> Any:
        """Return custom properties; a mapping of names and values will do."""
        origin = block.origin("customProperties")
        if isinstance(value, dict) and not isinstance(value, Block):
            items: list[Any] = []
            for key, each in value.items():
                item = Block((*origin, key))
                item.update({"property": key, "value": each})
                items.append(item)
            return self.several("custom", "customProperties", items, block)
        return self.several("custom", "customProperties", value, block)

    def keep(self, kind: str, block: Block, outer: Block | None, result: dict[str, Any]) -> None:
        """Write what has no field as custom properties, here or in the block around."""
        if not block.extras:
            return
        if "customProperties" not in FIELDS[kind]:
            if outer is None:
                raise UnfitError(kind)
            prefix = kind if kind != "custom" else camel(str(result.get("property", "custom")))
            for name, value, path in block.extras:
                outer.extras.append((prefix + first_upper(camel(name)), value, path))
            return
        found = result.setdefault("customProperties", [])
        names = {entry["property"] for entry in found}
        for name, value, path in block.extras:
            if is_secret(name) or (kind == "server" and name.lower() in ("user", "username")):
                self.notes.tell(path, f"{name}: not carried: secrets do not belong in contracts")
                continue
            bare = self.bare(value, path)
            spelled = camel(name)
            if any(entry["property"] == spelled and same(entry["value"], bare) for entry in found):
                continue
            unique, number = spelled, 2
            while unique in names:
                unique, number = f"{spelled}{number}", number + 1
            names.add(unique)
            found.append({"property": unique, "value": bare})
            where = "" if kind == "contract" else f" of the {shape_name(kind)}"
            self.notes.tell(path, f"{_told(name, path)}: kept as custom property {unique}{where}")
        if not found:
            del result["customProperties"]

    def bare(self, value: Any, path: Path_) -> Any:
        """Return a value as it stood in the source, without the secrets in it."""
        if isinstance(value, Block):
            return self.bare(value.raw if value.raw is not None else dict(value), value.path)
        if isinstance(value, list):
            return [self.bare(each, (*path, number)) for number, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        kept = {}
        for key, each in value.items():
            if is_secret(key):
                self.notes.tell((*path, key), f"{key}: not carried: secrets do not belong in contracts")
            else:
                kept[key] = self.bare(each, (*path, key))
        return kept


def wrapped(values: Mapping[str, Any], path: Path_) -> Block:
    """Return a mapping of the source, whose keys are the standard's, as a block."""
    block = Block(path, values)
    block.update(values)
    return block


def shape_name(kind: str) -> str:
    """Return what a block is called in messages."""
    return {"level": "service level", "item": "column", "link": "relationship", "reference": "relationship",
            "enum": "value", "definition": "link"}.get(kind, kind)  # fmt: skip


def _told(name: str, path: Path_) -> str:
    """Return the key in the source's words, if it stands there."""
    key = next((part for part in reversed(path) if isinstance(part, str)), name)
    return key if key.lower() in name.lower() or camel(key).lower() in name.lower() else f"{key} ({name})"


def _from_text(kind: str, value: Any, place: Path_) -> Any:
    """Return what a bare text, number or flag means in a list of blocks."""
    if kind in ("column", "reference", "custom", "definition", "link", "level"):
        name = "name" if kind == "column" else ""
    else:
        name = "description" if kind == "rule" else REQUIRED.get(kind, ("",))[0]
    if not name or (kind != "enum" and not isinstance(value, str)):
        return value
    block = Block(place, value)
    block[name] = value
    block.origins[name] = place
    return block
