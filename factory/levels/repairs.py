"""Measure times of incidents: to detect, to notify and to repair (SLA-10).

Counted are incidents that were opened in the last 90 days or are still open; what counts is the worst. Time to
detect runs from the last good run before to the opening, since the fault arose in between: it may have been found
faster. Times to notify and to repair run from the opening; what has not happened yet runs
until now, and nobody has to be told any more of what is repaired. Without an
incident there is nothing to measure, which is not good and not bad.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from factory.levels.ages import limit_of
from factory.levels.durations import Duration, elapsed, seconds_between
from factory.levels.facts import Facts, IncidentTimes
from factory.levels.targets import Target
from factory.levels.values import Finding, found, unmeasured

WINDOW = Duration(90, "d")
_WHAT = {"timeToDetect": "detected", "timeToNotify": "notified", "timeToRepair": "repaired"}


def time_of_incidents(target: Target, facts: Facts, now: datetime) -> Finding:
    """Measure the worst time of incidents."""
    limit = limit_of(target)
    if isinstance(limit, str):
        return unmeasured(limit)
    if facts.incidents is None:
        return unmeasured("nobody looked for incidents")
    window = target.window or WINDOW
    start = window.before(now)
    known = [
        incident
        for incident in facts.incidents
        if incident.contract in ("", target.contract)
        and incident.opened <= now
        and (incident.opened >= start or _mended(incident) is None)
    ]
    if not known:
        return unmeasured(f"no incident in the last {window.words()}")
    spans = [span for incident in known for span in _spans(target.name, incident, now)]
    if not spans:
        return unmeasured("it is not known when all was good before the incidents")
    begun, ended, key, done = max(spans, key=lambda span: seconds_between(span[0], span[1]))
    seconds = max(seconds_between(begun, ended), 0)
    what = _WHAT[target.name]
    words = f"{key} was {what} after {elapsed(seconds)}"
    if not done:
        words = f"{key} is not {what} after {elapsed(seconds)}"
    if len(spans) > 1:
        words += f", the longest of {len(spans)} incidents"
    holds = limit.holds(begun, max(begun, ended))
    if not holds:
        words += f"; promised {limit.words()}"
    return found(holds, limit.of(seconds), target.unit, words)


def _spans(
    name: str, incident: IncidentTimes, now: datetime
) -> Iterator[tuple[datetime, datetime, str, bool]]:
    """Yield from when to when the measured time of an incident runs, its key, and whether it has ended."""
    if name == "timeToDetect":
        if incident.last_good is not None:
            yield incident.last_good, incident.opened, incident.key, True
        return
    end = incident.notified if name == "timeToNotify" else _mended(incident)
    if end is not None and end <= now:
        yield incident.opened, end, incident.key, True
    else:
        # Nobody was told, and now it is over: nobody had to be told any more.
        yield incident.opened, min(_mended(incident) or now, now), incident.key, False


def _mended(incident: IncidentTimes) -> datetime | None:
    return incident.repaired or incident.closed
