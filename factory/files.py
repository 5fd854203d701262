"""Files written whole or not at all.

Takes text or bytes; gives files that a crash leaves either as they were or as they should be.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import functools
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from factory.errors import FactoryError, OutsideError, WorkspaceError

_Takes = ParamSpec("_Takes")
_Gives = TypeVar("_Gives")

_A_DAY = 86_400.0  # seconds
STALE = 3600.0  # seconds after which what is half-written is nobody's any more

#: What a disk says that knows no links of the kind that was asked for, or a user who may not make them.
NO_SECOND_NAMES = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)

# A control character, a backslash, half a pair of surrogates, a drive, or a step that is empty, `.` or `..`.
_NO_PATH = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]|^[A-Za-z]:|(?:^|/)\.{0,2}(?:/|$)")
_LONGEST_NAME = 255  # bytes, as file systems have it

_REMEDIES = {
    errno.ENOSPC: "free some disk space and run the command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the command again",
    errno.EROFS: "the file system is read-only; choose another place or remount it",
    errno.EACCES: "give this user the right to read and write there",
    errno.EPERM: "give this user the right to read and write there",
    errno.ESTALE: "the disk is another machine's, and was lost for a moment; run the command again",
    errno.EMFILE: "raise the limit of open files (ulimit -n) and run the command again",
}


@contextlib.contextmanager
def told_as(error_type: type[FactoryError], doing: str, path: Path) -> Iterator[None]:
    """Turn a failure of the file system into an error that names the path and the remedy."""
    try:
        yield
    except OSError as error:
        at = Path(error.filename) if isinstance(error.filename, str) else path
        reason = error.strerror or str(error)
        raise error_type(f"{doing} failed: {reason}", where=at, hint=remedy_of(error)) from error


def remedy_of(error: OSError) -> str:
    """Return what to do about a failure of the file system, in words."""
    return _REMEDIES.get(error.errno or 0, "mend this and run the command again; nothing is half-written")


def within(root: Path, *parts: str) -> Path:
    """Return the path of something below a folder, by names and relative paths that somebody else wrote.

    Neither what they say nor a link on the way leads out of the folder; it need not be there. Raises:
        OutsideError: it would lead out of it, or it is no path.

    """
    for part in parts:
        if _NO_PATH.search(part) or any(len(step.encode()) > _LONGEST_NAME for step in part.split("/")):
            raise _outside(root, part)
    path = root.joinpath(*parts)
    top = os.path.realpath(root)
    if not f"{os.path.realpath(path)}{os.sep}".startswith(f"{top.rstrip(os.sep)}{os.sep}"):
        raise _outside(root, "/".join(parts))
    return path


def _outside(root: Path, part: str) -> OutsideError:
    shown = part if len(part) <= 80 else f"{part[:79]}…"
    return OutsideError(
        f"{shown!a} does not name anything in this folder",
        where=root,
        hint="a name or a link that leads elsewhere is never followed: see who wrote it, and restore what was there",
    )


def tells(
    error_type: type[FactoryError], doing: str, place: Callable[..., Path]
) -> Callable[[Callable[_Takes, _Gives]], Callable[_Takes, _Gives]]:
    """Return a decorator with which a function's failures of the file system are told as `told_as` tells them.

    `place` gives the path for those that name none, from the arguments of the function.
    """

    def decorated(function: Callable[_Takes, _Gives]) -> Callable[_Takes, _Gives]:
        @functools.wraps(function)
        def telling(*arguments: _Takes.args, **named: _Takes.kwargs) -> _Gives:
            with told_as(error_type, doing, place(*arguments, **named)):
                return function(*arguments, **named)

        return telling

    return decorated


def children(folder: Path, pattern: str = "[!.]*") -> list[Path]:
    """Return what is in a folder, sorted, without hidden names; nothing if there is no such folder.

    `Path.glob` passes over folders that cannot be listed, as if they were empty; this does not. Raises:
        OSError: the folder is there and cannot be listed.

    """
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  (names are matched before they are paths)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in names if fnmatch.fnmatchcase(name, pattern)]


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted, but for hidden ones and those whose name begins with `_`."""
    try:
        return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith((".", "_")))
    except (FileNotFoundError, NotADirectoryError):
        return []


def sweep(folder: Path, pattern: str = ".*.tmp") -> None:
    """Remove what killed processes left half-written in a folder an hour ago or earlier.

    What cannot be removed stays: nobody reads it, and the next one tries again.
    """
    with contextlib.suppress(OSError):
        for left in children(folder, pattern):
            facts = left.lstat()
            if time.time() - facts.st_mtime < STALE:
                continue  # another process may be writing it
            if stat.S_ISDIR(facts.st_mode):
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a file through a temporary neighbour and a rename, so that readers see the old or the new."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_once(path: Path, content: str | bytes) -> bool:
    """Write a file that nobody rewrites, durably; say False if there is one of that name already, which stays.

    Of two writers exactly one wins. A reader never meets a part of it: it gets its name when it is whole.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    staged = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        staged.chmod(0o666 & ~_umask())
        try:
            path.hardlink_to(staged)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in NO_SECOND_NAMES:
                raise
            # A disk without second names: whoever sees no file renames. Two at once are two of the same fact.
            if path.exists():
                return False
            staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def write_if_changed(path: Path, content: str) -> bool:
    """Write a file unless it holds this text already; say whether it was written."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.read_text("utf-8") == content:
            return False
    write_whole(path, content, durable=False)
    return True


@contextlib.contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a folder below `parent` that is gone afterwards, whatever happens in between.

    What a process that was killed left there under the same prefix goes after a day. Raises:
        WorkspaceError: the folder cannot be made.

    """
    with told_as(WorkspaceError, "making a scratch folder", parent):
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.glob(f"{prefix}*"):
            if time.time() - left.stat().st_mtime > _A_DAY:
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Let a second name hold on to a file that nobody rewrites; copy it where the disk knows no second names.

    Raises:
        FileNotFoundError: the file is gone.

    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable, on systems where folders can be synced (Windows knows no such thing)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_text(value: Any) -> str:
    """Write a value as JSON in one fixed form: two blanks, UTF-8, a newline at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
