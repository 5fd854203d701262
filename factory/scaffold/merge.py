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

from factory.errors import FactoryError
from factory.git import GitError, git, lines

KEEP_FILE = ".template-keep"

# Only this decides how the scratch repository merges, not how the user's git is set up.
_SETTINGS = {"merge.conflictStyle": "merge", "merge.directoryRenames": "false"}
_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    **{f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(_SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(_SETTINGS.values())},
}

# What is larger, and is no file of the template, is data: no template moved or made it.
_LARGEST = 1_000_000
_LINES = "both changed the same lines"
_KINDS = {
    "contents": _LINES,
    "modify/delete": "one changed it, the other removed it; keep it or remove it",
    "rename/delete": "one moved it, the other removed it; keep it or remove it",
    "rename/rename": "both moved it; keep one of the two",
    "file/directory": "a file here, a folder there; choose one",
    "binary": "both changed it, and it is not text; yours stays",
}


class KeepError(FactoryError):
    """The list of what a product keeps to itself cannot be read."""


@dataclass(frozen=True, slots=True)
class File:
    """A file's content, with line ends as git keeps them, and how it lies on the disk.

    Attributes:
        content: its bytes; text with CRLF throughout has LF here.
        executable: it may be run.
        crlf: its lines end in CRLF on the disk.
    """

    content: bytes
    executable: bool
    crlf: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge comes to.

    Attributes:
        writes: new files by path; None for a file that goes. Paths are relative to the product.
        conflicts: why, by path, where the template and a person changed the same.
        kept: files that the template changed and the product keeps to itself, or has removed.
    """

    writes: Mapping[str, File | None]
    conflicts: Mapping[str, str]
    kept: tuple[str, ...]


def has_marks(why: str) -> bool:
    """Say whether a conflict stands in the file, between marks."""
    return why == _LINES


def read_file(path: Path) -> File:
    """Read a file."""
    content = path.read_bytes()
    crlf = b"\r\n" in content and content.count(b"\r\n") == content.count(b"\n") and b"\0" not in content
    return File(content.replace(b"\r\n", b"\n") if crlf else content, os.access(path, os.X_OK), crlf)


def files_below(
    folder: Path, names: Iterable[str] | None = None, always: Iterable[str] = ()
) -> dict[str, File]:
    """Return a folder's files by relative path: all, or those of `names`; no links, nothing behind a link.

    What is larger than a megabyte is left out, unless it is among `always`.
    """
    if names is None:
        names = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*"))
    needed = set(always)
    found = {}
    for name in names:
        path = folder / name
        small = path.is_file() and (name in needed or path.stat().st_size <= _LARGEST)
        if small and not goes_through_link(folder, name):
            found[name] = read_file(path)
    return found


def goes_through_link(folder: Path, name: str) -> bool:
    """Say whether a path below a folder is a symbolic link, or lies behind one."""
    path = folder
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            return True
    return False


def keepers(folder: Path) -> tuple[str, ...]:
    """Return the patterns of `.template-keep`: what an update leaves alone.

    Raises:
        KeepError: the file is not text.

    """
    file = folder / KEEP_FILE
    if not file.is_file():
        return ()
    try:
        text = [line.strip() for line in file.read_text("utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise KeepError("the file is not UTF-8 text", where=file, hint="save it as UTF-8") from error
    return tuple(line for line in text if line and not line.startswith("#"))


def is_kept(path: str, patterns: Iterable[str]) -> bool:
    """Say whether a path is one of the patterns, lies below one, or matches one (`*` goes through folders)."""
    return any(
        path == p.rstrip("/") or path.startswith(p.rstrip("/") + "/") or fnmatch.fnmatchcase(path, p)
        for p in patterns
    )


def merge(
    stamped: Mapping[str, File],
    product: Mapping[str, File],
    wanted: Mapping[str, File],
    version: str,
    keep: Iterable[str],
    desk: Path,
) -> Merged:
    """Merge: `stamped` is the base, `product` what people made of it, `wanted` what the template has now.

    A file that a person removed stays removed, one that a person moved is followed. `desk` is a new folder for the
    scratch repository. Raises:
        GitError: git is too old, or failed.

    """
    desk.mkdir(parents=True)
    _git(desk, "init", "--quiet", "--bare", ".")
    names = ("yours", f"template-{_ref(version)}")
    _import(desk, stamped, product, wanted, names)
    by_template = _moved(desk, "base", names[1])
    by_person = _moved(desk, "base", names[0])
    patterns = tuple(keep)
    own = {path for path in {*stamped, *wanted} if is_kept(path, patterns)}
    own |= {path for path in stamped if path not in product and path not in by_person}
    own |= {by_template[path] for path in own if path in by_template and by_template[path] not in product}
    kept = tuple(sorted(path for path in own if path in wanted and wanted[path] != stamped.get(path)))
    if own:
        left = [{path: file for path, file in side.items() if path not in own} for side in (stamped, wanted)]
        _import(desk, left[0], product, left[1], names)
    try:
        output = _git(desk, "merge-tree", "--write-tree", "-z", "--name-only", *names, accept=(0, 1))
    except GitError as error:
        hint = "updates of products need git 2.38 or newer: see `git --version`"
        raise GitError(f"git cannot merge: {error.message}", hint=hint) from error
    tree, conflicts = _conflicts(output)
    return Merged(_writes(desk, names[0], tree, product, wanted), conflicts, kept)


def _writes(
    desk: Path, ours: str, tree: str, product: Mapping[str, File], wanted: Mapping[str, File]
) -> dict[str, File | None]:
    """Return what has to be written so that a product becomes a tree; text keeps the line ends that it has."""
    parts = lines(_git(desk, "diff-tree", "-r", "-z", "--no-renames", ours, tree))
    everywhere = bool(product) and all(file.crlf for file in product.values() if b"\n" in file.content)
    writes: dict[str, File | None] = {}
    for info, path in zip(parts[::2], parts[1::2], strict=True):
        _, mode, _, blob, _ = info.split(" ")
        if set(blob) == {"0"}:
            writes[path] = None
            continue
        crlf = product[path].crlf if path in product else everywhere or (path in wanted and wanted[path].crlf)
        writes[path] = File(_git(desk, "cat-file", "blob", blob), mode == "100755", crlf)
    return writes


def _git(desk: Path, *arguments: str, stdin: bytes | None = None, accept: tuple[int, ...] = (0,)) -> bytes:
    return git(*arguments, cwd=desk, environment=_QUIET, stdin=stdin, accept=accept)


def _import(
    desk: Path,
    stamped: Mapping[str, File],
    product: Mapping[str, File],
    wanted: Mapping[str, File],
    names: tuple[str, str],
) -> None:
    """Make three commits: what was stamped, and upon it the product and what is wanted."""
    stream = [b"reset refs/heads/base\n\n", _commit("base", ":1", "", stamped)]
    for mark, (name, files) in enumerate(zip(names, (product, wanted), strict=True), 2):
        stream += [f"reset refs/heads/{name}\nfrom :1\n\n".encode(), _commit(name, f":{mark}", ":1", files)]
    _git(desk, "fast-import", "--quiet", "--force", stdin=b"".join([*stream, b"done\n"]))


def _commit(name: str, mark: str, parent: str, files: Mapping[str, File]) -> bytes:
    """Return a commit in the language of `git fast-import`."""
    head = f"commit refs/heads/{name}\nmark {mark}\ncommitter factory <factory> 0 +0000\ndata 0\n"
    head += f"from {parent}\ndeleteall\n" if parent else ""
    parts = [head.encode()]
    for path, file in files.items():
        quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        mode = "100755" if file.executable else "100644"
        parts.append(
            f'M {mode} inline "{quoted}"\ndata {len(file.content)}\n'.encode("utf-8", "surrogateescape")
        )
        parts += [file.content, b"\n"]
    return b"".join([*parts, b"\n"])


def _moved(desk: Path, base: str, other: str) -> dict[str, str]:
    """Return where files were moved from one commit to another."""
    parts = lines(_git(desk, "diff-tree", "-r", "-z", "-M", "--diff-filter=R", base, other))
    return dict(zip(parts[1::3], parts[2::3], strict=True))


def _ref(version: str) -> str:
    """Return a version as a part of a branch's name, which stands at the marks of a conflict."""
    return re.sub(r"[^A-Za-z0-9._-]|\.\.+|\.lock$", "-", version).strip(".") or "new"


def _conflicts(output: bytes) -> tuple[str, dict[str, str]]:
    """Read what `git merge-tree -z --name-only` prints: a tree, conflicting paths, and messages."""
    parts = [part.decode("utf-8", "surrogateescape") for part in output.split(b"\0")]
    tree, rest = parts[0], parts[1:]
    end = rest.index("") if "" in rest else len(rest)
    conflicts = dict.fromkeys(rest[:end], "")
    messages = rest[end + 1 :]
    while messages and messages[0].isdigit():
        count = int(messages[0])
        paths, kind = messages[1 : count + 1], messages[count + 1]
        found = re.fullmatch(r"CONFLICT \((.+)\)", kind)
        for path in paths:
            # The first word on a path is the right one: a binary file is told as text, too.
            if found and conflicts.get(path) == "":
                conflicts[path] = _KINDS.get(found[1], found[1])
        messages = messages[count + 3 :]
    return tree, {path: why or _LINES for path, why in conflicts.items()}
