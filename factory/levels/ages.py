"""Measure how old data is: latency, freshness, timeliness and retention.

Latency (SLA-9) is the time from the newest value of a column to the publication of the snapshot; without a column,
from the newest load of the sources. Freshness and timeliness are the age of the newest value now, published or not.
What names a day, a month or a year is compared by days, from the last of its days: data of yesterday is one day old
however late it is today.

Retention (SLA-7) is for how long rows are kept. Rows that are older should have been purged, so it is breached when
the oldest row is older. Whether younger rows were purged too early cannot be seen in what is left. Nothing is ever
deleted: history that a product keeps by its own rules is only reported.
"""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

from factory.levels.durations import Duration, duration_of, elapsed, seconds_between
from factory.levels.facts import Facts
from factory.levels.schedule import known_zone, local_time
from factory.levels.shares import covered_by
from factory.levels.targets import Place, Target
from factory.levels.values import Finding, found, unmeasured
from factory.quality.probe import Span

_DAY = timedelta(days=1)


def limit_of(target: Target) -> Duration | str:
    """Return the time that a target names, or why it names none."""
    if target.number is None:
        return f"{target.value!r} is no number"
    if not target.unit:
        return "the value has no unit: add `unit: d`, for example"
    try:
        return duration_of(target.number, target.unit)
    except ValueError as error:
        return str(error)


def latency(target: Target, place: Place | None, facts: Facts, _now: datetime) -> Finding:
    """Measure the time from the newest data to its publication."""
    limit = limit_of(target)
    if isinstance(limit, str):
        return unmeasured(limit)
    if facts.published_at is None:
        return unmeasured("it is not known when the data was published")
    if place is None or not place.column:
        if facts.loaded_at is None:
            return unmeasured("no column says when the data arose: name one in `element`")
        late = max(seconds_between(facts.loaded_at, facts.published_at), 0)
        start = min(facts.loaded_at, facts.published_at)
        words = f"sources were loaded until {start:%Y-%m-%d %H:%M} UTC, {elapsed(late)} before publication"
        return _judged(target, limit, start, facts.published_at, words)
    return _newest(target, limit, place, facts, (facts.published_at, "before publication"))


def age(target: Target, place: Place | None, facts: Facts, now: datetime) -> Finding:
    """Measure how old the newest data is now."""
    limit = limit_of(target)
    if isinstance(limit, str):
        return unmeasured(limit)
    if place is None or not place.column:
        return unmeasured("no column says when the data arose: name one in `element`")
    return _newest(target, limit, place, facts, (now, "before now"))


def retention(target: Target, place: Place | None, facts: Facts, now: datetime) -> Finding:
    """Measure how old the oldest row is."""
    limit = limit_of(target)
    if isinstance(limit, str):
        return unmeasured(limit)
    if place is None or not place.column:
        return unmeasured("no column says from when a row is: name one in `element`")
    span = span_of(target, place, facts)
    if isinstance(span, str):
        return unmeasured(span)
    if span.oldest is None:
        return unmeasured(_nothing(place, span))
    # A row is as old as the last day of the period that it names.
    oldest = _end(span.oldest, span.precision)
    cutoff = limit.before(now)
    kept = oldest.date() >= cutoff.date() if span.precision != "time" else oldest >= cutoff
    seconds = max(seconds_between(oldest, now), 0)
    words = f"oldest {place.column} is {_named(span.oldest, span.precision)}, {elapsed(seconds)} before now"
    if not kept:
        words += f"; kept for {limit.words()}: rows from before {cutoff.date()} are to be purged (nothing is deleted)"
    return found(kept, limit.of(seconds), target.unit, words)


def _newest(
    target: Target, limit: Duration, place: Place, facts: Facts, end: tuple[datetime, str]
) -> Finding:
    """Measure the time from the newest value of a column to a moment, which is named for people."""
    span = span_of(target, place, facts)
    if isinstance(span, str):
        return unmeasured(span)
    if span.newest is None:
        return unmeasured(_nothing(place, span))
    moment, what = end
    newest = _end(span.newest, span.precision)
    named = f"newest {place.column} is {_named(span.newest, span.precision)}"
    if newest - moment > _DAY and span.newest > moment:
        return unmeasured(f"{named}, which lies ahead: it does not say how old the data is")
    if span.precision == "time":
        start = min(newest, moment)
        words = f"{named}, {elapsed(seconds_between(start, moment))} {what}"
        return _judged(target, limit, start, moment, words)
    today = local_time(moment, known_zone(facts.time_zone)).date()
    days = max((today - newest.date()).days, 0)
    first = datetime(today.year, today.month, today.day, tzinfo=newest.tzinfo)
    words = f"{named}, {days} day{'s'[: days != 1]} {what}"
    return _judged(target, limit, min(newest, first), first, words)


def _judged(target: Target, limit: Duration, start: datetime, end: datetime, words: str) -> Finding:
    holds = limit.holds(start, end)
    measured = limit.of(max(seconds_between(start, end), 0))
    return found(holds, measured, target.unit, words if holds else f"{words}; promised {limit.words()}")


def span_of(target: Target, place: Place, facts: Facts) -> Span | str:
    """Return from when the rows of a table are, or why that is not known."""
    if facts.ports is None:
        return "nobody read the tables"
    ports = [p for p in covered_by(target, facts.ports) if p.table.lower() == place.table.lower()]
    if not ports:
        return f"{place.table} was not read"
    if ports[0].error:
        return f"{place.table} does not open: {ports[0].error}"
    named = {name.lower(): span for name, span in ports[0].elements.items()}
    return named.get(place.column.lower()) or f"{place.words()} was not read"


def _nothing(place: Place, span: Span) -> str:
    return f"{place.words()}: {span.problem or 'it has no values'}"


def _end(moment: datetime, precision: str) -> datetime:
    """Return the start of the last day of the period that a value names."""
    if precision == "year":
        return moment.replace(month=12, day=31)
    if precision == "month":
        return moment.replace(day=calendar.monthrange(moment.year, moment.month)[1])
    return moment


def _named(moment: datetime, precision: str) -> str:
    forms = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
    return moment.strftime(forms.get(precision, "%Y-%m-%d %H:%M UTC"))
