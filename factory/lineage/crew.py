"""Processes that read statements beside this one, where there are enough of them.

Takes tasks; gives what was found, in no particular order. The same whoever reads them.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import TypeAlias

from factory.lineage import task as task_module
from factory.lineage.task import Task

#: From so many statements that can be read at once on, other processes help: starting one costs as much as some 150.
WORTH_HELP = 60
#: At most so many statements are handed over at once: enough to make the handing over cheap.
BATCH = 20

_Batch: TypeAlias = list[tuple[str, Task]]


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Look for unreachable objects less often: there are millions of small values, and few of them are in rings."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Crew:
    """This process, or several others."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._running: dict[Future[list[str]], _Batch] = {}
        self._queue: _Batch = []

    @property
    def busy(self) -> bool:
        """Something is being read, or waits for it."""
        return bool(self._running or self._queue)

    def work(self, tasks: Sequence[tuple[str, Task]], *, wait: bool) -> list[tuple[str, str]]:
        """Take more tasks; return what is done: at least one, if there is any and it says to wait."""
        self._queue += tasks
        if self._pool is None and self._workers > 1 and len(self._queue) >= WORTH_HELP:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        found: list[tuple[str, str]] = []
        if self._pool is not None:
            try:
                self._hand_over(self._pool)
                self._collect(found, wait=wait)
            except BrokenProcessPool:
                # Processes cannot be started here, or one was killed: this one does the work that is left.
                self._workers = 1
                self._queue += [each for batch in self._running.values() for each in batch]
                self._running.clear()
                self._pool.shutdown(wait=False)
                self._pool = None
        if self._pool is None:
            batch, self._queue = self._queue, []
            found += _paired(batch, _answers([task for _, task in batch]))
        return found

    def _hand_over(self, pool: ProcessPoolExecutor) -> None:
        while self._queue and len(self._running) < 2 * self._workers:
            size = min(BATCH, max(1, len(self._queue) // (2 * self._workers)))
            batch, rest = self._queue[:size], self._queue[size:]
            self._running[pool.submit(_answers, [task for _, task in batch])] = batch
            self._queue = rest

    def _collect(self, found: list[tuple[str, str]], *, wait: bool) -> None:
        done = wait_for(self._running, timeout=None if wait else 0, return_when=FIRST_COMPLETED).done
        for future in [future for future in self._running if future in done]:
            answers = future.result()
            found += _paired(self._running.pop(future), answers)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _paired(batch: _Batch, answers: list[str]) -> list[tuple[str, str]]:
    return [(key, text) for (key, _), text in zip(batch, answers, strict=True)]


def _answers(tasks: list[Task]) -> list[str]:
    with rare_collections():
        return [task_module.answer(task) for task in tasks]
