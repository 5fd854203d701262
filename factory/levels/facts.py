"""What the line saw of a product: what its service levels are measured by.

Takes run records, of today and of old; gives frozen values. Whatever is unknown is None or missing, and what
depends on it is `not measured`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from factory.periods import moment_of
from factory.quality.probe import PortReading, reading_of

#: Outcomes of runs after which the data is up to date: something new was published, or nothing new was there.
CONFIRMING = ("certified", "unchanged")
UNCHANGED = "unchanged"
#: Outcomes of runs that failed.
FAILING = ("refused", "blocked", "broken")
#: The kind of runs that look at service levels alone and touch no data.
WATCH = "watch"
#: Outcomes of checks that broke.
BROKEN = ("fail", "error")


@dataclass(frozen=True, slots=True)
class RunFact:
    """One run of a product.

    Attributes:
        at: when.
        kind: `build`, `published` (a check of what is published) or `watch` (service levels alone).
        outcome: certified, refused, blocked, unchanged or checked.
        seconds: how long it took.
        ports: what opened and what did not; None where the run did not look.
        broken: how many of its checks failed or could not run.
    """

    at: datetime
    kind: str
    outcome: str
    seconds: float = 0.0
    ports: tuple[PortReading, ...] | None = None
    broken: int = 0

    @property
    def confirms(self) -> bool:
        """After it, the data is up to date."""
        return self.kind != WATCH and self.outcome in CONFIRMING

    @property
    def failed(self) -> bool:
        """It was refused or blocked, or checks of it broke."""
        return self.outcome in FAILING or self.broken > 0


@dataclass(frozen=True, slots=True)
class IncidentTimes:
    """When what happened in an incident.

    Attributes:
        key: what it is called.
        opened: when the fault was found.
        last_good: the last run before in which all was good; the fault arose after it.
        notified, acknowledged, repaired, closed: when, or None where it has not happened.
        contract: the contract that it is about, as `name/major`; empty for all of the product's.
    """

    key: str
    opened: datetime
    last_good: datetime | None = None
    notified: datetime | None = None
    acknowledged: datetime | None = None
    repaired: datetime | None = None
    closed: datetime | None = None
    contract: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a product when its service levels are measured.

    Attributes:
        ports: the published tables, read just now; none where the port is closed, None where nobody looked. A
            reading whose `contract` is empty counts for every contract.
        published_at: when the current snapshot was published.
        loaded_at: when the newest of the product's sources was loaded.
        runs: the runs that are known, in any order; the present one too, with `at` the moment of measuring.
        incidents: the incidents that are known, open and closed; None where nobody looked.
        schedule: the product's schedule, a cron expression, or empty.
        time_zone: the product's time zone, or empty for UTC.
        measurements: values of checks by the checks' names, for a team's own elements.
    """

    ports: tuple[PortReading, ...] | None = None
    published_at: datetime | None = None
    loaded_at: datetime | None = None
    runs: tuple[RunFact, ...] = ()
    incidents: tuple[IncidentTimes, ...] | None = None
    schedule: str = ""
    time_zone: str = ""
    measurements: Mapping[str, float] = field(default_factory=dict)


def runs_of(records: Iterable[Mapping[str, Any]]) -> tuple[RunFact, ...]:
    """Return the runs of run records, oldest first; records without a time are left out."""
    found = [run for record in records if (run := run_of(record)) is not None]
    return tuple(sorted(found, key=lambda run: run.at))


def run_of(record: Mapping[str, Any]) -> RunFact | None:
    """Return the run of one run record, or None if it does not say when it was. Old records have less."""
    at = moment_of(record.get("at"))
    if at is None:
        return None
    ports, checks = record.get("ports"), record.get("checks")
    milliseconds = record.get("milliseconds")
    return RunFact(
        at=at,
        kind=str(record.get("kind") or "build"),
        outcome=str(record.get("outcome") or ""),
        seconds=milliseconds / 1000 if isinstance(milliseconds, int | float) else 0.0,
        ports=tuple(reading_of(port) for port in ports if isinstance(port, Mapping))
        # A run that found nothing to do looked at no port: its record has what the run before it read.
        if isinstance(ports, list | tuple) and record.get("outcome") != UNCHANGED
        else None,
        broken=sum(
            isinstance(check, Mapping) and check.get("outcome") in BROKEN
            for check in (checks if isinstance(checks, list | tuple) else ())
        ),
    )
