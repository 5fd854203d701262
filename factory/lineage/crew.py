"""Processes that read statements beside this one, where there are enough of them.

Takes tasks; gives what was found, in no particular order. The same whoever reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from types import TracebackType

from factory.lineage.task import Task, answer

#: From so many statements that can be read at once on, other processes help: starting one costs as much as some 150.
WORTH_HELP = 150
#: At most so many statements are handed over at once: enough to make the handing over cheap.
BATCH = 20


class Crew:
    """This process, or several others."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._running: dict[Future[list[str]], list[str]] = {}
        self._queue: list[tuple[str, Task]] = []

    @property
    def busy(self) -> bool:
        """Something is being read, or waits for it."""
        return bool(self._running or self._queue)

    def work(self, tasks: Sequence[tuple[str, Task]], *, wait: bool) -> list[tuple[str, str]]:
        """Take more tasks; return what is done: at least one, if there is any and it says to wait."""
        self._queue += tasks
        if not self._queue and not self._running:
            return []
        if self._pool is None and self._workers > 1 and len(self._queue) >= WORTH_HELP:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        if self._pool is None:
            done = [(key, answer(task)) for key, task in self._queue]
            self._queue = []
            return done
        self._hand_over(self._pool)
        return self._collect(wait=wait)

    def _hand_over(self, pool: ProcessPoolExecutor) -> None:
        while self._queue and len(self._running) < 2 * self._workers:
            size = min(BATCH, max(1, len(self._queue) // (2 * self._workers)))
            batch, self._queue = self._queue[:size], self._queue[size:]
            future = pool.submit(_answers, [task for _, task in batch])
            self._running[future] = [key for key, _ in batch]

    def _collect(self, *, wait: bool) -> list[tuple[str, str]]:
        finished = _finished(self._running, block=wait)
        return [
            (key, text)
            for future in finished
            for key, text in zip(self._running.pop(future), future.result(), strict=True)
        ]

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _finished(running: dict[Future[list[str]], list[str]], *, block: bool) -> list[Future[list[str]]]:
    done = wait(running, timeout=None if block else 0, return_when=FIRST_COMPLETED).done
    return [future for future in running if future in done]


def _answers(tasks: list[Task]) -> list[str]:
    return [answer(task) for task in tasks]
