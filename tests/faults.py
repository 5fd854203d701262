"""File operations that fail or kill: every one that Python code makes below a folder, one after the other.

An action runs in a forked child, in which each operation is a numbered step: opening, reading and writing files, fsync,
close, rename, link, unlink, folders made and listed, locks. A first run records the steps; in each further one a step
fails with an error of the system, or is the last that the process took. What has an audit event is caught by a hook;
what has none (reads, writes, fsync, close, stat) by taking the place of the function. What DuckDB does by itself is
beyond this harness: small disks and kills at any moment are for that.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import errno
import io
import os
import pickle
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.errors import FactoryError

#: The classes of errors that a disk or a system gives back.
ERRNOS = ("ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES", "EMFILE", "EINTR", "ESTALE")
KILL, TORN, SHORT, BUDGET = "kill", "torn", "short", "budget"
#: Errors that stay once they are there: what changes the disk fails from then on.
LASTING = ("ENOSPC", "EDQUOT", "EROFS")
_GROWS = {"create", "write", "mkdir", "symlink", "link"}
_CHANGES = {*_GROWS, "rename", "remove", "rmdir", "chmod", "fsync"}
_NAMELESS = {"read", "write", "fsync", "close", "lock"}  # the system names no file in their errors
_AUDITED = {
    "os.rename": "rename", "os.remove": "remove", "os.mkdir": "mkdir", "os.rmdir": "rmdir", "os.link": "link",
    "os.symlink": "symlink", "os.chmod": "chmod", "os.listdir": "list", "os.scandir": "list", "os.truncate": "write",
    "os.utime": "chmod", "fcntl.flock": "lock", "fcntl.lockf": "lock",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to happen.

    Attributes:
        how: the name of an errno, `kill`, `torn` (half of a write, and the process is killed), `short` (each write takes
            half of what it is given), or `budget` (the disk is full after so many bytes).
        step: the number of the step that it happens at; the bytes of the budget.
        lasts: all later steps that change the disk fail, too.
    """

    how: str
    step: int = 0
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """An operation: its kind, and the file or folder, from the root that is watched."""

    kind: str
    path: str


@dataclass(slots=True)
class Outcome:
    """What became of an action.

    Attributes:
        status: `done`, `told` (a FactoryError), `raised` (any other error) or `killed`.
        value: what it returned.
        code, message, where, hint: what was told.
        trace: where another error came from.
        steps: the operations, up to the fault at least.
        hit: the step at which the fault happened.
    """

    status: str
    value: Any = None
    code: int = 0
    message: str = ""
    where: str = ""
    hint: str = ""
    trace: str = ""
    steps: list[Step] = field(default_factory=list)
    hit: Step | None = None


def in_child(action: Callable[[], Any], root: Path | None = None, fault: Fault | None = None) -> Outcome:
    """Run an action in a forked child, with its file operations below `root` watched, and say what became of it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with contextlib.suppress(BaseException):
            outcome = _run(action, root, fault)
            with real_open(writer, "wb") as pipe:
                pickle.dump(outcome, pipe)
        os._exit(0)
    os.close(writer)
    with real_open(reader, "rb") as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    if told:
        found: Outcome = pickle.loads(told)
        return found
    assert os.WIFSIGNALED(status), f"the child ended with {status}, and said nothing"
    assert os.WTERMSIG(status) == signal.SIGKILL, f"the child died of signal {os.WTERMSIG(status)}"
    return Outcome("killed")


def _run(action: Callable[[], Any], root: Path | None, fault: Fault | None) -> Outcome:
    watch = _Watch(root, fault) if root is not None else None
    outcome = Outcome("done")
    try:
        with watch.on() if watch is not None else contextlib.nullcontext():
            outcome.value = action()
    except FactoryError as error:
        first = error
        outcome = Outcome("told", None, first.exit_code, first.message, str(first.where or ""), first.hint)
        outcome.trace = traceback.format_exc()
    except BaseException as error:  # noqa: BLE001  (whatever it is, the test is to hear of it
        outcome = Outcome("raised", message=repr(error), trace=traceback.format_exc())
    if watch is not None:
        outcome.steps, outcome.hit = watch.steps, watch.hit
    return outcome


real_open = io.open
_real_close, _real_fsync, _real_stat, _real_readlink = os.close, os.fsync, os.stat, os.readlink


class _Watch:
    """Counts the steps of this process, and lets the fault happen. It cannot be taken away again."""

    def __init__(self, root: Path, fault: Fault | None) -> None:
        self.root = str(root)
        self.fault = fault
        self.steps: list[Step] = []
        self.hit: Step | None = None
        self.left = fault.step if fault is not None and fault.how == BUDGET else -1
        self._busy = True

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        io.open = builtins.open = self._open  # type: ignore[assignment]
        os.close, os.fsync, os.stat, os.readlink = self._close, self._fsync, self._stat, self._readlink  # type: ignore[assignment]
        sys.addaudithook(self._heard)
        self._busy = False
        try:
            yield
        finally:
            self._busy = True

    def path_of(self, what: Any, folder: int = -1) -> str:
        """Return a path from the root that is watched; empty if it is not below it."""
        if isinstance(what, int):
            try:
                path = _real_readlink(f"/proc/self/fd/{what}")
            except OSError:
                return "?"
        else:
            path = os.fsdecode(what)
            if folder >= 0 and not path.startswith("/"):
                with contextlib.suppress(OSError):
                    path = f"{_real_readlink(f'/proc/self/fd/{folder}')}/{path}"
        path = os.path.abspath(path)  # noqa: PTH100  (links stay)
        return path[len(self.root) + 1 :] if path.startswith(self.root + "/") else ""

    def step(self, kind: str, path: str, torn: Callable[[], None] | None = None) -> None:
        """Count a step; let it fail or be the last one, if it is its turn."""
        if not path:
            return
        self.steps.append(Step(kind, path))
        fault = self.fault
        if fault is None or fault.how in (SHORT, BUDGET):
            return
        number = len(self.steps) - 1
        lasts = fault.lasts and number > fault.step and kind in (_CHANGES if fault.how == "EROFS" else _GROWS)
        if number != fault.step and not lasts:
            return
        self.hit = self.hit or self.steps[-1]
        if fault.how in (KILL, TORN):
            if fault.how == TORN and torn is not None:
                torn()
            os.kill(os.getpid(), signal.SIGKILL)
        if torn is not None and fault.how in ("ENOSPC", "EDQUOT", "EIO"):
            torn()  # half of it was written before the disk was full
        code = getattr(errno, fault.how)
        if kind in _NAMELESS:
            raise OSError(code, os.strerror(code))
        raise OSError(code, os.strerror(code), f"{self.root}/{path}")

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._busy:
            return
        kind = _AUDITED.get(event, "")
        if not kind and event != "open":
            return
        self._busy = True
        try:
            what, folder = arguments[0], -1
            if event == "open":
                if isinstance(what, int):
                    return  # the file was opened a step before
                kind = "create" if arguments[2] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR) else "open"
            elif event == "os.rename":
                what, folder = arguments[1], arguments[3]
            elif event in ("os.link", "os.symlink"):
                what = arguments[1]
            elif event in ("os.remove", "os.rmdir"):
                folder = arguments[1]
            if what is not None:
                self.step(kind, self.path_of(what, folder))
        finally:
            self._busy = False

    def _open(self, file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None,
              errors: str | None = None, newline: str | None = None, closefd: bool = True, opener: Any = None) -> Any:  # fmt: skip
        path = "" if self._busy else self.path_of(file)
        if not path:
            return real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _Raw(self, path, file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if "+" in mode:
            buffered: Any = io.BufferedRandom(raw)
        else:
            buffered = io.BufferedReader(raw) if raw.readable() else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline)

    def _close(self, handle: int) -> None:
        path = "" if self._busy else self.path_of(handle)
        _real_close(handle)  # as on Linux: whatever it says, the handle is gone
        self.step("close", "" if path == "?" else path)

    def _fsync(self, handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        if not self._busy:
            self.step("fsync", self.path_of(number))
        _real_fsync(number)

    def _stat(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        if not self._busy and not isinstance(path, int):
            self.step("stat", self.path_of(path, -1 if dir_fd is None else dir_fd))
        return _real_stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    def _readlink(self, path: Any, *, dir_fd: int | None = None) -> Any:
        if not self._busy:
            self.step("readlink", self.path_of(path, -1 if dir_fd is None else dir_fd))
        return _real_readlink(path, dir_fd=dir_fd)


class _Raw(io.FileIO):
    """A file whose reads, writes and closing are steps."""

    def __init__(self, watch: _Watch, path: str, file: Any, mode: str, closefd: bool, opener: Any) -> None:
        self._watch, self._path, self._was_read = watch, path, False
        super().__init__(file, mode, closefd, opener)

    def _read_once(self) -> None:
        if not self._was_read:
            self._was_read = True
            self._watch.step("read", self._path)

    def readinto(self, buffer: Any) -> int | None:  # type: ignore[override]
        self._read_once()
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._read_once()
        return super().readall()

    def write(self, data: Any) -> int:  # type: ignore[override]
        view = memoryview(data).cast("B")
        half = view[: (len(view) + 1) // 2]
        self._watch.step("write", self._path, lambda: _ignored(super(_Raw, self).write(half)))
        fault = self._watch.fault
        if fault is not None and fault.how == SHORT:
            view = half
        if self._watch.left >= 0:
            view = view[: self._watch.left] if len(view) > self._watch.left else view
            if not view and len(data):
                self._watch.hit = Step("write", self._path)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._watch.left -= len(view)
        return super().write(view) or 0

    def close(self) -> None:
        is_news = not self.closed and getattr(self, "_path", "") and self.writable()
        super().close()
        if is_news:
            self._watch.step("close", self._path)


def _ignored(_: Any) -> None:
    """Take what nobody asks for."""


def on_a_small_disk(
    folder: Path, template: Path, room: int, action: Callable[[Callable[[], None]], Any]
) -> Outcome | None:
    """Run an action in a child in which a folder is a disk of its own, with so many bytes of room beside a copy.

    The action is given a function that makes the disk larger. None if the system mounts nothing for this user.
    """

    def with_a_disk() -> Any:
        try:
            _call("unshare", _CLONE_NEWNS | (0 if os.geteuid() == 0 else _CLONE_NEWUSER))
            _mount(b"none", "/", b"", _MS_REC | _MS_PRIVATE, "")
            _mount(b"tmpfs", str(folder), b"tmpfs", 0, "size=256m")
        except (OSError, AttributeError) as error:
            return ("no disk", str(error))
        shutil.copytree(template, folder, symlinks=True, dirs_exist_ok=True)
        facts = os.statvfs(folder)
        used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
        _mount(b"tmpfs", str(folder), b"tmpfs", _MS_REMOUNT, f"size={used + room}")
        return ("disk", action(lambda: _mount(b"tmpfs", str(folder), b"tmpfs", _MS_REMOUNT, "size=256m")))

    outcome = in_child(with_a_disk)
    if outcome.status != "done":
        return outcome
    kind, outcome.value = outcome.value
    return outcome if kind == "disk" else None


_MS_REMOUNT, _MS_REC, _MS_PRIVATE, _CLONE_NEWNS, _CLONE_NEWUSER = 0x20, 0x4000, 0x40000, 0x20000, 0x10000000


def _mount(what: bytes, where: str, kind: bytes, flags: int, options: str) -> None:
    _call("mount", what, where.encode(), kind, ctypes.c_ulong(flags), options.encode())


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the system's library; a failure is an OSError."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
