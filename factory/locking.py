"""One process at a time: a run per workspace and target, a writer of what a registry has one of.

A lock is the operating system's, so it is free the moment its holder dies; the file beside it says who holds it. On a
disk that several machines share it holds as far as that disk's locks do (NFS 4 and SMB have them).
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from factory.errors import LockedError, RegistryError, WorkspaceError
from factory.files import told_as
from factory.workspace import Workspace

_PATIENCE = 30.0
_SILENCE = 1.0
_held: set[tuple[int, int, Path]] = set()  # registries, by process and thread


@contextlib.contextmanager
def locked(
    ws: Workspace,
    seconds: float = _PATIENCE,
    what: str = "factory",
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold the workspace for a run, or for `what` else one process at a time may do in it.

    `on_wait` hears who holds it, where it takes longer than a second. Raises:
        LockedError: another run holds it for longer than `seconds`.
        WorkspaceError: the lock's file cannot be written.

    """
    file = ws.work / f"{what}.lock"
    holder = ws.work / f"{what}.lock.holder"
    with told_as(WorkspaceError, "locking the workspace", file):
        ws.work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        try:
            try:
                lock.acquire(timeout=min(_SILENCE, seconds))
            except Timeout:
                if on_wait is not None:
                    on_wait(_held_by(holder))
                lock.acquire(timeout=max(0.0, seconds - _SILENCE))
        except Timeout as error:
            raise LockedError(
                f"another run of the factory holds this workspace ({_held_by(holder)})",
                where=file,
                hint="wait until it is done, or end it; the lock goes with it",
            ) from error
    try:
        with contextlib.suppress(OSError):  # who holds it is told where it can be
            holder.write_text(_me(), "utf-8")
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def registry_locked(root: Path, seconds: float = _PATIENCE) -> Iterator[None]:
    """Hold a registry, or its ports, for as long as what there is one of is written: an index, a pointer.

    Workspaces that publish to one registry take turns here, for milliseconds. Who holds it already goes on. Raises:
        LockedError: somebody else holds it for longer than `seconds`.
        RegistryError: the lock's file cannot be written.

    """
    mine = (os.getpid(), threading.get_ident(), root)
    if mine in _held:
        yield
        return
    file = root / ".lock"
    holder = root / ".lock.holder"
    with told_as(RegistryError, "locking the registry", file):
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, poll_interval=0.005)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise LockedError(
                f"another process has held this registry for {seconds:g} seconds ({_held_by(holder)})",
                where=file,
                hint="see what it does; the lock goes when that process ends",
            ) from error
    try:
        with contextlib.suppress(OSError):  # who holds it is told where it can be
            holder.write_text(_me(), "utf-8")
        _held.add(mine)
        yield
    finally:
        _held.discard(mine)
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _me() -> str:
    return f"{os.getpid()} on {socket.gethostname()}\n"


def _held_by(holder: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return f"PID {holder.read_text('utf-8').strip()}"
    return "PID unknown"
