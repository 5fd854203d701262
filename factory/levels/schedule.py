"""When a product is due: cron expressions, times of day and time zones.

Takes texts and moments; gives moments in UTC. Cron is read as Debian's cron reads it: what falls into the hour that
summer time skips is due right after it, and what falls into the hour that it repeats is due the first time only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_ALIASES = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_UTC_NAMES = ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z")
_LONGEST = 200
# Summer time moves clocks by two hours at most.
_MARGIN = timedelta(hours=3)
_ZONE = re.compile(r"\b(UTC|GMT|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_+\-0-9]*){1,2})")
_HALVES = re.compile(r"\b(\d{1,2})(?:[:.](\d{2}))?\s*([ap])\.?m\b\.?", re.IGNORECASE)
_CLOCK = re.compile(r"(?<![\d:.])(\d{1,2}):(\d{2})(?::(\d{2}))?(?!\d)\s*(Z|[+-]\d{2}:?\d{2})?")
_RHYTHMS = {
    "hourly": "h", "daily": "d", "weekly": "w", "monthly": "mo", "quarterly": "q", "yearly": "y", "annually": "y",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression in a time zone.

    Attributes:
        cron: five fields, or six with the seconds first; no alias.
        zone: the name of the time zone.
    """

    cron: str
    zone: str = "UTC"

    def last_due(self, now: datetime) -> datetime | None:
        """Return the latest moment, now included, at which it was due; None if it never was."""
        local = _local(now.astimezone(UTC) + timedelta(seconds=1), self.zone)
        ahead = _local(now.astimezone(UTC) + _MARGIN, self.zone) if self._is_of_the_day else local
        return next((due for due in _moments(self.cron, ahead, back=True) if due <= now), None)

    def next_due(self, now: datetime) -> datetime | None:
        """Return the first moment after now at which it is due; None if it never will be."""
        return next((due for due in _moments(self.cron, _local(now, self.zone)) if due > now), None)

    @property
    def _is_of_the_day(self) -> bool:
        """It names minutes and hours, so that it follows the clock on the wall."""
        fields = self.cron.split()
        return len(fields) == 5 and not fields[0].startswith("*") and not fields[1].startswith("*")


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time on the clock of a time zone.

    Attributes:
        time: the time, without a zone.
        zone: the name of the time zone, or an offset such as `+02:00`.
    """

    time: time
    zone: str = "UTC"

    def on(self, day: date) -> datetime:
        """Return the moment on a day, in UTC: the first of two, and for one that is skipped the one right after."""
        return datetime.combine(day, self.time, tzinfo=zone_of(self.zone)).astimezone(UTC)

    def first_from(self, moment: datetime) -> datetime:
        """Return the first moment, this one included, at which the clock shows the time."""
        day = _local(moment, self.zone).date()
        found = (self.on(day + timedelta(days=step)) for step in (-1, 0, 1, 2))
        return next(at for at in found if at >= moment)

    def last_until(self, moment: datetime) -> datetime:
        """Return the latest moment, this one included, at which the clock showed the time."""
        day = _local(moment, self.zone).date()
        found = (self.on(day + timedelta(days=step)) for step in (1, 0, -1, -2))
        return next(at for at in found if at <= moment)

    def midnight(self, moment: datetime) -> datetime:
        """Return the start of a moment's day, in UTC."""
        zone = zone_of(self.zone)
        return datetime.combine(_local(moment, self.zone).date(), time(), tzinfo=zone).astimezone(UTC)

    def text(self) -> str:
        """Return it as `06:00`."""
        return f"{self.time:%H:%M:%S}" if self.time.second else f"{self.time:%H:%M}"


def schedule_of(text: str, zone: str = "UTC") -> Schedule:
    """Return the schedule that a cron expression or an alias such as `@daily` names.

    Raises:
        ValueError: it is none, is never due, or there is no such time zone.

    """
    zone_of(zone)
    folded = " ".join(text.split())
    cron = _ALIASES.get(folded.lower(), folded).replace("?", "*")
    if not cron or len(cron) > _LONGEST:
        raise ValueError(f"{text[:40]!r} is no schedule of cron")
    try:
        # Counted from a fixed day: whether it is ever due does not depend on today.
        if next(_moments(cron, datetime(2024, 1, 1, tzinfo=UTC)), None) is None:
            raise ValueError(f"{text!r} is never due")
    except CronSimError as error:
        raise ValueError(f"{text!r} is no schedule of cron: {str(error).lower()}") from error
    return Schedule(cron, zone)


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name in the IANA database, or by its offset.

    Raises:
        ValueError: there is none of this name.

    """
    if name in _UTC_NAMES:
        return UTC
    try:
        if re.fullmatch(r"[+-]\d{2}:?\d{2}", name):
            found = datetime.strptime(name, "%z").tzinfo
            if found is not None:
                return found
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ValueError(f"{name[:60]!r} is no time zone") from error


def known_zone(name: str) -> str:
    """Return the name of a time zone, or `UTC` where there is none of this name."""
    try:
        zone_of(name)
    except ValueError:
        return "UTC"
    return name


def zone_in(text: str) -> str:
    """Return the first name of a time zone that stands in a text, or nothing."""
    for found in _ZONE.finditer(text[:2000]):
        try:
            zone_of(found[1])
        except ValueError:
            continue
        return found[1]
    return ""


_NAMED = re.compile(r"\b([A-Z]{3,5}|[A-Z][A-Za-z]+/[A-Za-z_/+-]+)\b")
_NO_ZONES = ("AM", "PM", "UTC", "GMT")


def unknown_zone(text: str) -> str:
    """Return what looks like the name of a time zone and is none: `CET` in a place where it is not known."""
    return next((found[1] for found in _NAMED.finditer(text[:2000]) if found[1] not in _NO_ZONES), "")


def time_in(text: str) -> tuple[time, str] | None:
    """Return the time of day that stands in a text, and its zone or offset or nothing: `6am`, `06:00+02:00`."""
    text = text[:2000]
    halves, clock = _HALVES.search(text), _CLOCK.search(text)
    try:
        if halves and (not clock or halves.start() <= clock.start()):
            hour, minute = int(halves[1]), int(halves[2] or 0)
            if not 1 <= hour <= 12:
                return None
            return time(hour % 12 + (12 if halves[3].lower() == "p" else 0), minute), zone_in(text)
        if clock:
            offset = {"Z": "UTC"}.get(clock[4] or "", clock[4] or "")
            return time(int(clock[1]), int(clock[2]), int(clock[3] or 0)), offset or zone_in(text)
    except ValueError:
        return None
    return None


def rhythm_in(text: str) -> str:
    """Return the unit of the rhythm that a text names, `d` for `daily`, or nothing."""
    words = re.findall(r"[a-z]+", text[:2000].lower())
    return next((_RHYTHMS[word] for word in words if word in _RHYTHMS), "")


def clock_words(moment: datetime, zone: str) -> str:
    """Return a moment for people: `2026-11-20 06:00 Europe/Rome`."""
    return f"{_local(moment, zone):%Y-%m-%d %H:%M} {zone}"


def local_time(moment: datetime, zone: str) -> datetime:
    """Return a moment by the clock of a zone."""
    return _local(moment, zone)


def _local(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(zone_of(zone))
    except OverflowError:
        return moment.replace(tzinfo=UTC)  # the calendar's first or last day


def _moments(cron: str, start: datetime, *, back: bool = False) -> Iterator[datetime]:
    """Yield when it is due, in UTC, from a moment on or back; stops where the calendar does."""
    dues = CronSim(cron, start, reverse=back)
    while True:
        try:
            due = next(dues)
        except (StopIteration, OverflowError, ValueError):
            return
        yield due.astimezone(UTC)
