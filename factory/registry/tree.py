"""The files of a registry as they lie there: every byte read once, nothing followed, nothing trusted.

Takes the registry's folder; gives path and sha256 of each immutable file, and what does not belong there; reads only.
Links, devices and pipes are told and never opened; a file is read in blocks, and only small ones are kept in memory.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from factory.registry.faults import RESTORE, Fault, Weight

#: What is below these folders of a registry is written once. `status` is that of older registries.
IMMUTABLE = ("products", "certificates", "events", "access", "status")
MAX_FILES = 5_000_000
MAX_DEPTH = 12  # folders below the registry; the deepest that is written has five
MAX_KEPT = 8_000_000  # bytes of a file that are held in memory
MAX_FILE = 256_000_000  # bytes of a file that are read at all
_BLOCK = 1 << 16

#: Takes a file's path below the registry and its bytes; hears of every file that is not too large.
Visitor = Callable[[str, bytes], None]


@dataclass(slots=True)
class Tree:
    """The files that were found.

    Attributes:
        hashes: sha256 in hexadecimal, by path below the registry.
        sizes: bytes, by path below the registry.
        folders: the folders, by path below the registry.
        litter: temporary files and folders that a killed run left, by path below the registry.
        hidden: other files and folders whose name begins with a dot; they are not looked into.
        faults: what cannot be read or does not belong there; places are paths below the registry.
    """

    hashes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    litter: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_tree(root: Path, tops: Iterable[str] = IMMUTABLE, visit: Visitor | None = None) -> Tree:
    """Return the files below some folders of a registry."""
    tree = Tree()
    top = os.fspath(root)
    waiting = []
    for name in tops:
        if os.path.islink(f"{top}/{name}"):  # noqa: PTH114  (a Path costs more than the rest, per file)
            tree.faults.append(Fault("special-file", name, "it is a link, which no registry has"))
        elif os.path.lexists(f"{top}/{name}"):
            waiting.append(name)
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(f"{top}/{folder}") as found:
                entries = list(found)
        except OSError as error:
            tree.faults.append(_unreadable(folder, error))
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.name.startswith(".") and entry.name.endswith(".tmp"):
                tree.litter.append(path)
            elif entry.name.startswith("."):
                tree.hidden.append(path)
            elif entry.is_dir(follow_symlinks=False):
                tree.folders.add(path)
                _go_down(path, waiting, tree)
            elif not entry.is_file(follow_symlinks=False):
                what = "it is a link" if entry.is_symlink() else "it is neither a file nor a folder"
                tree.faults.append(Fault("special-file", path, f"{what}, which no registry has"))
            else:
                _read(f"{top}/{path}", path, tree, visit)
        if len(tree.hashes) > MAX_FILES:
            tree.faults.append(Fault("too-many-files", folder, f"more than {MAX_FILES:,} files", "look why"))
            break
    return tree


def _go_down(path: str, waiting: list[str], tree: Tree) -> None:
    if path.count("/") >= MAX_DEPTH:
        what = f"folders within folders, more than {MAX_DEPTH} deep"
        tree.faults.append(Fault("unknown-file", path, what, "delete it, if nobody knows what it is"))
    else:
        waiting.append(path)


def _read(file: str, path: str, tree: Tree, visit: Visitor | None) -> None:
    try:
        # A file may have become a link or a pipe since it was listed.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            raw = os.read(handle, _BLOCK)
            if len(raw) < _BLOCK:
                digest, size = hashlib.sha256(raw).hexdigest(), len(raw)
            else:
                raw, digest, size = _read_on(handle, raw)
        finally:
            os.close(handle)
    except OSError as error:
        tree.faults.append(_unreadable(path, error))
        return
    if not digest:
        what = f"more than {MAX_FILE:,} bytes, which is the limit" if size else "it is no file any more"
        tree.faults.append(Fault("too-large", path, what))
        return
    tree.hashes[path] = digest
    tree.sizes[path] = size
    if visit is not None and size <= MAX_KEPT:
        visit(path, raw)


def _read_on(handle: int, first: bytes) -> tuple[bytes, str, int]:
    """Return a larger file's bytes (none where they are too many to keep), hash (none: not read) and size."""
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_FILE:
        return b"", "", facts.st_size
    digest, size, kept = hashlib.sha256(first), len(first), [first]
    while block := os.read(handle, _BLOCK):
        digest.update(block)
        size += len(block)
        if size > MAX_FILE:
            return b"", "", size
        if size <= MAX_KEPT:
            kept.append(block)
    return b"".join(kept) if size <= MAX_KEPT else b"", digest.hexdigest(), size


def _unreadable(path: str, error: OSError) -> Fault:
    reason = error.strerror or str(error)
    remedy = "give this user the right to read it" if isinstance(error, PermissionError) else RESTORE
    return Fault("unreadable-file", path, f"it cannot be read: {reason}", remedy, Weight.FAULT)
