"""One run per workspace and target at a time.

The lock is the operating system's, so it is free the moment its holder dies; the file beside it says who
holds it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from filelock import FileLock, Timeout

from factory.errors import LockedError, WorkspaceError
from factory.files import told_as, write_whole
from factory.workspace import Workspace

_PATIENCE = 30.0


@contextlib.contextmanager
def locked(ws: Workspace, seconds: float = _PATIENCE, what: str = "factory") -> Iterator[None]:
    """Hold the workspace for a run, or for `what` else one process at a time may do in it.

    Raises:
        LockedError: another run holds it for longer than `seconds`.

    """
    file = ws.work / f"{what}.lock"
    holder = ws.work / f"{what}.lock.holder"
    with told_as(WorkspaceError, "locking the workspace", file):
        ws.work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            pid = holder.read_text("utf-8").strip() if holder.is_file() else "unknown"
            raise LockedError(
                f"another run of the factory holds this workspace (PID {pid})",
                where=file,
                hint="wait until it is done, or end it; the lock goes with it",
            ) from error
    try:
        write_whole(holder, f"{os.getpid()}\n", durable=False)
        yield
    finally:
        lock.release()
