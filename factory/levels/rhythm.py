"""Measure when data is updated: frequency and time of availability (SLA-8).

A run updates the data when it certified something new, or found that there was nothing new. Both levels follow the
schedule of the entry itself (`schedule`), else the one that its value names (`daily at 6am`), else the product's.

Frequency: the time since the newest such run. It is breached when that is longer than promised and a scheduled
update (without a schedule: the end of the promised time) has passed since. A run that updates the data now is met,
unless an earlier update between it and the one before was left out; then the time between the two is what counts.

Time of availability: for each scheduled moment, the first such run of the day has to be over when the clock shows
the promised time, which may be on the next day. The latest time that has passed is judged; today's, as soon as
today's run was there. No grace is given, except where `valueExt` names one (`15 min`). The time zone is that of the
value (`06:00+02:00`), of `valueExt`, of `unit`, the first that the description names, or the product's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from factory.levels.ages import limit_of
from factory.levels.durations import Duration, duration_in, duration_of, elapsed, plus, seconds_between
from factory.levels.facts import Facts
from factory.levels.schedule import (
    Schedule,
    TimeOfDay,
    clock_words,
    known_zone,
    local_time,
    rhythm_in,
    schedule_of,
    time_in,
    unknown_zone,
    zone_in,
    zone_of,
)
from factory.levels.targets import Target
from factory.levels.values import Finding, found, unmeasured

_INSTANT = timedelta(microseconds=1)


def frequency(target: Target, facts: Facts, now: datetime) -> Finding:
    """Measure the time since the data was updated, against what is promised and the schedule."""
    try:
        limit, schedule = _rhythm(target, facts)
    except ValueError as error:
        return unmeasured(str(error))
    updates = _updates(facts, now)
    if not updates:
        return unmeasured("no run that updated the data is known")
    zone = schedule.zone if schedule else known_zone(facts.time_zone)
    unit = target.unit or (limit.unit if limit else "d")
    counted = limit or Duration(1, "d")
    last = updates[-1]
    if last < now:
        missed = _missed(last, now, limit, schedule)
        seconds = seconds_between(last, now)
        words = f"updated at {clock_words(last, zone)}, {elapsed(seconds)} before now"
        if missed is not None:
            words = f"nothing since {clock_words(last, zone)}, due at {clock_words(missed, zone)}"
        return found(missed is None, counted.of(seconds), unit, words)
    if len(updates) > 1:
        before = updates[-2]
        missed = _missed(before, _served(now, limit, schedule), limit, schedule)
        if missed is not None:
            seconds = seconds_between(before, now)
            words = (
                f"updated now; nothing between {clock_words(before, zone)} and now,"
                f" due at {clock_words(missed, zone)}"
            )
            return found(False, counted.of(seconds), unit, words)
    return found(True, 0.0, unit, "updated now")


def time_of_availability(target: Target, facts: Facts, now: datetime) -> Finding:
    """Measure when the first update of the latest scheduled day was there."""
    try:
        goal = _time_of_day(target, facts)
        schedule = _schedule(target, facts)
    except ValueError as error:
        return unmeasured(str(error))
    if not facts.runs:
        return unmeasured("no run is known")
    updates = _updates(facts, now)
    grace = duration_in(target.extra)
    early = _early(goal, schedule, updates, now)
    if early is not None:
        return _kept(goal, early)
    due = _due(goal, schedule, now)
    if due is None:
        return unmeasured("it was not due yet")
    start, deadline = due
    if min(run.at for run in facts.runs) > deadline:
        return unmeasured(f"no run is known from before {clock_words(deadline, goal.zone)}")
    first = next((at for at in updates if at >= start), None)
    if first is None:
        since = f"nothing since {clock_words(updates[-1], goal.zone)}" if updates else "nothing yet"
        reason = f"{since}, due at {clock_words(deadline, goal.zone)}"
        if grace and now <= grace.after(deadline):
            return unmeasured(f"{reason}, with a grace of {grace.words()}")
        return found(False, "none", goal.zone, reason)
    if first <= (grace.after(deadline) if grace else deadline):
        return _kept(goal, first)
    late = elapsed(seconds_between(deadline, first))
    reason = f"there at {clock_words(first, goal.zone)}, {late} after it was due at {clock_words(deadline, goal.zone)}"
    same_day = local_time(first, goal.zone).date() == local_time(deadline, goal.zone).date()
    measured = f"{local_time(first, goal.zone):{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}}"
    return found(False, measured, goal.zone, reason)


def _kept(goal: TimeOfDay, at: datetime) -> Finding:
    local = local_time(at, goal.zone)
    reason = f"there at {clock_words(at, goal.zone)}, promised by {goal.text()}"
    return found(True, f"{local:%H:%M}", goal.zone, reason)


def _updates(facts: Facts, now: datetime) -> list[datetime]:
    return sorted({plus(run.at, 0) for run in facts.runs if run.confirms and run.at <= now})


def _rhythm(target: Target, facts: Facts) -> tuple[Duration | None, Schedule | None]:
    """Return the promised time between updates and the schedule; one of them is there.

    Raises:
        ValueError: neither is, or one cannot be read.

    """
    limit: Duration | None = None
    if target.number is not None:
        found_limit = limit_of(target)
        if isinstance(found_limit, str):
            raise ValueError(found_limit)
        limit = found_limit
        if not limit.seconds:
            raise ValueError("an update every 0 seconds cannot be measured")
    elif target.text:
        unit = rhythm_in(target.text)
        if not unit and not target.schedule:
            raise ValueError(f"{target.text[:60]!r} names no rhythm, such as `daily`")
        limit = duration_of(1, unit) if unit else None
    return limit, _schedule(target, facts)


def _schedule(target: Target, facts: Facts) -> Schedule | None:
    """Return the schedule that holds, or None where there is none.

    Raises:
        ValueError: it cannot be read.

    """
    zone = facts.time_zone or "UTC"
    if target.schedule:
        own = next((z for z in map(zone_in, (target.extra, target.unit)) if z), "")
        return schedule_of(target.schedule, own or zone)
    stated = time_in(target.text) if target.name == "frequency" else None
    if stated and rhythm_in(target.text) == "d":
        at, own = stated
        return schedule_of(f"{at.minute} {at.hour} * * *", own or zone)
    return schedule_of(facts.schedule, zone) if facts.schedule else None


def _missed(
    since: datetime, until: datetime, limit: Duration | None, schedule: Schedule | None
) -> datetime | None:
    """Return the moment at which an update was due between two moments, if the promised time is over, too."""
    if limit is None:
        due = schedule.next_due(since) if schedule else None
        return due if due is not None and due <= until else None
    end = plus(limit.after(since), limit.slack)
    if until < end:
        return None
    if schedule is None:
        return limit.after(since)
    due = schedule.next_due(since)
    if due is None or due > until:
        return None
    # Where several were due, the last one within the promised time is what was owed.
    owed = schedule.last_due(end)
    return owed if owed is not None and owed > since else due


def _served(now: datetime, limit: Duration | None, schedule: Schedule | None) -> datetime:
    """Return the moment right before the update that a run of now brings was due."""
    if schedule is not None:
        due = schedule.last_due(now)
        return due - _INSTANT if due is not None else now
    return limit.before(now) if limit else now


def _time_of_day(target: Target, facts: Facts) -> TimeOfDay:
    """Return the promised time of day.

    Raises:
        ValueError: there is none, or its zone is not known.

    """
    stated = time_in(target.text) if target.text else None
    if stated is None:
        raise ValueError(f"{target.value!r} is no time of day: write it as '06:00'")
    at, own = stated
    zone = own or zone_in(target.extra) or zone_in(target.unit) or zone_in(target.description)
    meant = zone or unknown_zone(target.text) or unknown_zone(target.extra) or unknown_zone(target.unit)
    zone = meant or facts.time_zone or "UTC"
    zone_of(zone)
    return TimeOfDay(at, zone)


def _due(goal: TimeOfDay, schedule: Schedule | None, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the latest deadline that has passed, with the moment from which runs count for it."""
    deadline = goal.last_until(now)
    if schedule is None:
        return goal.midnight(deadline), deadline
    fire = schedule.last_due(deadline)
    if fire is None:
        return None
    deadline = goal.first_from(fire)
    return min(fire, goal.midnight(deadline)), deadline


def _early(
    goal: TimeOfDay, schedule: Schedule | None, updates: Iterable[datetime], now: datetime
) -> datetime | None:
    """Return the first update for a deadline that is still to come, if it is there already."""
    passed, deadline = goal.last_until(now), goal.first_from(now + _INSTANT)
    start = goal.midnight(deadline)
    if schedule is not None:
        fire = schedule.last_due(deadline)
        if fire is None or fire <= passed:
            return None
        start = min(fire, start)
    return next((at for at in updates if start <= at <= now), None)
