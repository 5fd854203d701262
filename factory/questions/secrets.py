"""Which secrets stand in what is published, or in any file: `factory secrets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.guard import guard_of
from factory.products import discover
from factory.secrets import Leak, Place
from factory.secrets.files import places, published
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked through, and what was found.

    Attributes:
        files: how many files.
        bytes: how many bytes of text they are.
        leaks: the secrets in them.
    """

    files: int
    bytes: int
    leaks: tuple[Leak, ...]


def look_through(
    ws: Workspace, paths: Sequence[Path], environment: Mapping[str, str], variables: str = ""
) -> Looked:
    """Look through files and folders, or through all that the workspace publishes, if none is named.

    Raises:
        FactoryError: a path is not there, or the workspace cannot be read.

    """
    gate = guard_of(ws, discover(ws), environment, variables).gate
    files, size = 0, 0
    leaks: list[Leak] = []
    for place in places(paths or published(ws), ws):
        files, size = files + 1, size + len(place.text.encode("utf-8", "surrogatepass"))
        leaks += _once(gate.look([place]), place)
    return Looked(files, size, tuple(leaks))


def looked_as_json(looked: Looked) -> dict[str, Any]:
    """Return what was found as values."""
    return {"files": looked.files, "bytes": looked.bytes, "leaks": [leak.values() for leak in looked.leaks]}


def looked_as_text(looked: Looked) -> str:
    """Return what was found as text, a paragraph per leak."""
    size = f"{looked.files:,} {'file' if looked.files == 1 else 'files'}, {looked.bytes / 1e6:.1f} MB"
    if not looked.leaks:
        return f"No secret in {size}."
    lines = []
    for leak in looked.leaks:
        lines += [leak.place, f"  {leak.kind}", f"  {leak.excerpt}", f"  fingerprint {leak.fingerprint}", ""]
    count = len(looked.leaks)
    lines.append(f"{count} {'secret' if count == 1 else 'secrets'} in {size}.")
    lines.append(
        "Change each one that others may have seen, take it out where it comes from, and build again."
    )
    lines.append(
        'No secret? Add its fingerprint to secrets_allowed = ["..."] of [tool.factory] in pyproject.toml.'
    )
    return "\n".join(lines)


def _once(leaks: Sequence[Leak], place: Place) -> list[Leak]:
    """Return the leaks of a place, each secret once per line."""
    seen: set[tuple[int, str, str]] = set()
    found = []
    for leak in leaks:
        key = (leak.line, leak.fingerprint, leak.path if not place.text else "")
        if key not in seen:
            seen.add(key)
            found.append(leak)
    return found
