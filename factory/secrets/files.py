"""Files that are published, or given, read for the gate: texts and documents, nothing of tables and images.

Takes files and folders; gives `Place`s, and what cannot be read; reads files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from factory.documents import MAX_BYTES, scan_text
from factory.errors import RegistryError
from factory.files import told_as
from factory.secrets.gate import Place
from factory.workspace import Workspace

#: Files that hold rows or pictures; what rows may hold is for the product's checks.
_BINARY = frozenset(
    [
        ".parquet",
        ".duckdb",
        ".wal",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".ico",
        ".woff",
        ".woff2",
        ".gz",
        ".zip",
    ]
)
_PAGE = ("docs", "index.html")
_YAML_LIMIT = 400_000  # characters; a larger one is looked through as text alone, which tells no field


def published(ws: Workspace) -> tuple[Path, ...]:
    """Return what a target publishes: registry, ports, product documents and the documentation page."""
    page = ws.work.joinpath(*_PAGE)
    found = [ws.registry, ws.ports, page, ws.work / "openlineage"]
    return tuple(path for path in found if path.exists())


def places(paths: Iterable[Path], ws: Workspace | None = None) -> Iterator[Place]:
    """Yield a place per file of text, below folders in the order of names; files are called from the workspace's root.

    Raises:
        RegistryError: a file or folder is not there, or cannot be read.

    """
    for path in paths:
        if not path.exists():
            raise RegistryError("there is no such file or folder", where=path)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix.lower() in _BINARY or not file.is_file():
                continue
            with told_as(RegistryError, "looking for secrets", file):
                raw = file.read_bytes()
            if b"\0" not in raw[:8192]:
                text = raw.decode("utf-8", "replace")
                name = ws.relative(file.resolve()) if ws is not None else file.as_posix()
                yield Place(name, text, _data_of(file, text))


def _data_of(file: Path, text: str) -> Any:
    """Return a document's values, or None for what is none, or is broken: its text is looked through all the same."""
    if file.suffix == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None
    if file.suffix in (".yaml", ".yml") and len(text) <= min(_YAML_LIMIT, MAX_BYTES):
        documents = scan_text(text, file).documents
        return (
            [each.data for each in documents]
            if len(documents) > 1
            else documents[0].data
            if documents
            else None
        )
    return None
