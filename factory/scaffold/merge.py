"""Merge what is new in a template into a product that people have changed.

Takes three folders' files (as stamped, as it is, as it would be stamped now); gives what to write and where both
changed the same; touches nothing but a scratch repository. git's own merge does the work, renames included.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.git import GitError, git, lines

KEEP_FILE = ".template-keep"

# Only this decides how the scratch repository merges, not how the user's git is set up.
_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "factory" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    **{f"GIT_{who}_DATE": "2000-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")},
}
_OPTIONS = (
    "-c",
    "merge.conflictStyle=merge",
    "-c",
    "merge.directoryRenames=false",
    "-c",
    "core.quotePath=false",
)

# What is larger is data, which no template has.
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A file: where it lies, and whether it may be run."""

    path: Path
    executable: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge comes to.

    Attributes:
        writes: new content by path; None for a file that goes. Paths are relative to the product.
        executable: those of the written files that may be run.
        conflicts: why, by path, where the template and a person changed the same.
        kept: files that the template changed and the product keeps to itself.
    """

    writes: Mapping[str, bytes | None]
    executable: frozenset[str]
    conflicts: Mapping[str, str]
    kept: tuple[str, ...]


def files_below(folder: Path, names: Iterable[str] | None = None) -> dict[str, File]:
    """Return a folder's files by relative path: all, or those of `names` that are there."""
    if names is None:
        names = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*"))
    found = {}
    for name in names:
        path = folder / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
            found[name] = File(path, os.access(path, os.X_OK))
    return found


def same(one: File, other: File) -> bool:
    """Say whether two files have the same bytes."""
    return one.path.read_bytes() == other.path.read_bytes()


def keepers(folder: Path) -> tuple[str, ...]:
    """Return the patterns of `.template-keep`: what an update leaves alone."""
    file = folder / KEEP_FILE
    if not file.is_file():
        return ()
    text = [line.strip() for line in file.read_text("utf-8").splitlines()]
    return tuple(line for line in text if line and not line.startswith("#"))


def is_kept(path: str, patterns: Iterable[str]) -> bool:
    """Say whether a path is one of the patterns, lies below one, or matches one (`*` goes through folders)."""
    return any(
        path == p.rstrip("/") or path.startswith(p.rstrip("/") + "/") or fnmatch.fnmatchcase(path, p)
        for p in patterns
    )


class Desk:
    """A scratch repository in which products are merged, one after the other."""

    def __init__(self, scratch: Path) -> None:
        self._folder = scratch / "desk.git"
        git("init", "--quiet", "--bare", str(self._folder), cwd=scratch, environment=_QUIET)

    def merge(
        self,
        stamped: Mapping[str, File],
        product: Mapping[str, File],
        wanted: Mapping[str, File],
        version: str,
        keep: Iterable[str],
    ) -> Merged:
        """Merge: `stamped` is the base, `product` what people made of it, `wanted` what the template has now.

        A file that a person removed stays removed. Raises:
            GitError: git is too old, or failed.

        """
        patterns = tuple(keep)
        blobs = self._store([*stamped.values(), *product.values(), *wanted.values()])
        base, theirs = self._tree(stamped, blobs), self._tree(wanted, blobs)
        moved = self._moved(base, theirs)
        own = {path for path in {*stamped, *wanted} if is_kept(path, patterns)}
        own |= {path for path in stamped if path not in product and moved.get(path, "") not in product}
        own |= {moved[path] for path in own if path in moved and moved[path] not in product}
        kept = tuple(
            sorted(
                p for p in own if p in wanted and p in product and self._differs(p, stamped, wanted, blobs)
            )
        )
        if own:
            base = self._tree({p: f for p, f in stamped.items() if p not in own}, blobs)
            theirs = self._tree({p: f for p, f in wanted.items() if p not in own}, blobs)
        ours = self._tree(product, blobs)
        root = self._commit(base)
        names = {"yours": self._commit(ours, root), f"template-{_ref(version)}": self._commit(theirs, root)}
        for name, commit in names.items():
            self._git("update-ref", f"refs/heads/{name}", commit)
        try:
            output = self._git("merge-tree", "--write-tree", "-z", "--name-only", *names, accept=(0, 1))
        except GitError as error:
            hint = "updates of products need git 2.38 or newer: see `git --version`"
            raise GitError(f"git cannot merge: {error.message}", hint=hint) from error
        tree, conflicts = _conflicts(output)
        return self._result(ours, tree, conflicts, kept)

    def _result(self, ours: str, tree: str, conflicts: Mapping[str, str], kept: tuple[str, ...]) -> Merged:
        parts = lines(self._git("diff-tree", "-r", "-z", "--no-renames", ours, tree))
        writes: dict[str, bytes | None] = {}
        executable = set()
        for info, path in zip(parts[::2], parts[1::2], strict=True):
            _, mode, _, blob, _ = info.split(" ")
            writes[path] = None if set(blob) == {"0"} else self._git("cat-file", "blob", blob)
            if mode == "100755":
                executable.add(path)
        return Merged(writes, frozenset(executable), conflicts, kept)

    def _differs(
        self, path: str, one: Mapping[str, File], other: Mapping[str, File], blobs: Mapping[Path, str]
    ) -> bool:
        return path not in one or blobs[one[path].path] != blobs[other[path].path]

    def _git(
        self, *arguments: str, stdin: bytes | None = None, accept: tuple[int, ...] = (0,), index: str = ""
    ) -> bytes:
        environment = {**_QUIET, **({"GIT_INDEX_FILE": index} if index else {})}
        return git(
            *_OPTIONS, *arguments, cwd=self._folder, environment=environment, stdin=stdin, accept=accept
        )

    def _store(self, files: Iterable[File]) -> dict[Path, str]:
        """Store the files' bytes; return git's name for each."""
        paths = list(dict.fromkeys(file.path for file in files))
        asked = "".join(f"{path}\n" for path in paths).encode("utf-8", "surrogateescape")
        names = self._git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=asked).decode().split()
        return dict(zip(paths, names, strict=True))

    def _tree(self, files: Mapping[str, File], blobs: Mapping[Path, str]) -> str:
        index = self._folder / "index.scratch"
        index.unlink(missing_ok=True)
        entries = "".join(
            f"{'100755' if file.executable else '100644'} {blobs[file.path]}\t{path}\0"
            for path, file in files.items()
        )
        self._git(
            "update-index",
            "-z",
            "--index-info",
            stdin=entries.encode("utf-8", "surrogateescape"),
            index=str(index),
        )
        return self._git("write-tree", index=str(index)).decode().strip()

    def _commit(self, tree: str, parent: str = "") -> str:
        parents = ("-p", parent) if parent else ()
        return self._git("commit-tree", tree, *parents, "-m", "merge").decode().strip()

    def _moved(self, base: str, theirs: str) -> dict[str, str]:
        """Return where the template moved its files."""
        parts = lines(self._git("diff-tree", "-r", "-z", "-M", "--diff-filter=R", base, theirs))
        return dict(zip(parts[1::3], parts[2::3], strict=True))


def _ref(version: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", version).strip(".") or "new"


_KINDS = {
    "contents": "both changed the same lines",
    "modify/delete": "one changed it, the other removed it; keep it or remove it",
    "rename/delete": "one moved it, the other removed it; keep it or remove it",
    "rename/rename": "both moved it; keep one of the two",
    "binary": "both changed it, and it is not text; yours stays",
}


def _conflicts(output: bytes) -> tuple[str, dict[str, str]]:
    """Read what `git merge-tree -z --name-only` prints: a tree, conflicting paths, and messages."""
    parts = [part.decode("utf-8", "surrogateescape") for part in output.split(b"\0")]
    tree, rest = parts[0], parts[1:]
    end = rest.index("") if "" in rest else len(rest)
    conflicts = dict.fromkeys(rest[:end], _KINDS["contents"])
    messages = rest[end + 1 :]
    while messages and messages[0].isdigit():
        count = int(messages[0])
        paths, kind = messages[1 : count + 1], messages[count + 1]
        found = re.match(r"CONFLICT \((?:binary|contents|[\w/ ]+)\)", kind)
        for path in paths:
            if found and path in conflicts:
                name = found[0].removeprefix("CONFLICT (").removesuffix(")")
                conflicts[path] = _KINDS.get(name, name)
        messages = messages[count + 3 :]
    return tree, conflicts
