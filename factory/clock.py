"""Who spent how much: CPU seconds of a run, and who hears how far it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol


class Progress(Protocol):
    """Who hears how far a run is."""

    def __call__(self, stage: str, detail: str = "") -> None:
        """Hear that a stage is at a product or node."""


@dataclass
class Clock:
    """CPU seconds of this process, by who spent them."""

    spent: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)
    _mark: float = field(default_factory=time.process_time)

    def charge(self, who: str) -> None:
        """Charge what was spent since the last call."""
        now = time.process_time()
        self.spent[who] = self.spent.get(who, 0.0) + now - self._mark
        self._mark = now
