"""How long something may take: an amount of a unit, compared as people mean it.

Takes moments, which have a time zone; gives moments and words. Months, quarters and years are those of the
calendar where the amount is whole, and the Gregorian mean else.
"""

from __future__ import annotations

import calendar
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from factory.odcs.lint.terms import UNITS
from factory.periods import period_of

_MONTHS = {"mo": 1, "month": 1, "months": 1, "q": 3, "quarter": 3, "quarters": 3}
_MONTHS |= dict.fromkeys(("y", "yr", "year", "years"), 12)
_NAMES = {
    0.001: "millisecond", 1: "second", 60: "minute", 3600: "hour", 86400: "day", 604800: "week", 2629746: "month",
    7889238: "quarter", 31556952: "year",
}  # fmt: skip
_WORDS = (("year", 31556952), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]+)")
_TIMES = re.compile(r"PT(?=\d)(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?")
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of a unit of time.

    Attributes:
        amount: how many, zero or more.
        unit: one of `odcs.lint.terms.UNITS`.
    """

    amount: float
    unit: str

    @property
    def seconds(self) -> float:
        """How many seconds it is, months and years by the Gregorian mean."""
        return self.amount * UNITS[self.unit]

    @property
    def months(self) -> int | None:
        """How many months of the calendar it is, or None where it is counted in seconds."""
        if self.unit in _MONTHS and self.amount == int(self.amount) and self.amount < 120_000:
            return int(self.amount) * _MONTHS[self.unit]
        return None

    @property
    def slack(self) -> float:
        """The seconds that do not count: below an hour for days and more, below a minute for hours, and so on.

        What is promised within `1 d` is kept after 1 day and 20 seconds: a daily run does not start by the second.
        """
        size = UNITS[self.unit] if self.amount else 0
        return 3600 if size >= 86400 else 60 if size >= 3600 else 1 if size >= 60 else 0

    def after(self, moment: datetime) -> datetime:
        """Return the moment that lies this long after another."""
        if self.months is not None:
            return _moved(moment, self.months)
        return plus(moment, self.seconds)

    def before(self, moment: datetime) -> datetime:
        """Return the moment that lies this long before another."""
        if self.months is not None:
            return _moved(moment, -self.months)
        return plus(moment, -self.seconds)

    def holds(self, start: datetime, end: datetime) -> bool:
        """Say whether what began and ended kept within it; the slack does not count."""
        return end < plus(self.after(start), self.slack or 0.001)

    def of(self, seconds: float) -> float:
        """Return seconds as an amount of the unit."""
        return rounded(seconds / UNITS[self.unit])

    def words(self) -> str:
        """Return it as `1 day` or `12 hours`."""
        name = _NAMES[UNITS[self.unit]]
        return f"{self.amount:g} {name}{'' if self.amount == 1 else 's'}"


def duration_of(amount: float, unit: str) -> Duration:
    """Return a duration.

    Raises:
        ValueError: the unit is none, or the amount is below zero or no finite number.

    """
    folded = unit.strip().lower()
    if folded not in UNITS:
        raise ValueError(f"{unit!r} is no unit of time")
    if not math.isfinite(amount) or amount < 0:
        raise ValueError(f"{amount:g} is no length of time")
    return Duration(float(amount), folded)


def duration_in(text: str) -> Duration | None:
    """Return the duration that a text is: `30 d`, `15 min`, `P30D`, `PT6H`; None if it is none."""
    text = text.strip()
    found = _AMOUNT.fullmatch(text)
    if found and found[2].lower() in UNITS:
        return Duration(float(found[1]), found[2].lower())
    times = _TIMES.fullmatch(text)
    if times:
        hours, minutes, seconds = (int(part or 0) for part in times.groups())
        if not minutes and not seconds:
            return Duration(hours, "h")
        total = hours * 3600 + minutes * 60 + seconds
        return Duration(total, "s") if seconds else Duration(total // 60, "min")
    try:
        period = period_of(text)
    except ValueError:
        return None
    if period.months and period.days:
        return Duration(period.months * UNITS["mo"] + period.days * 86400.0, "s")
    return Duration(period.months, "mo") if period.months else Duration(period.days, "d")


def plus(moment: datetime, seconds: float) -> datetime:
    """Return a moment that lies seconds away, in UTC; at most the calendar's first or last."""
    try:
        return moment.astimezone(UTC) + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return LATEST if seconds > 0 else EARLIEST


def seconds_between(start: datetime, end: datetime) -> float:
    """Return the seconds from one moment to another."""
    return (plus(end, 0) - plus(start, 0)).total_seconds()


def rounded(value: float) -> float:
    """Return a number to six significant digits."""
    return float(f"{value:.6g}")


def elapsed(seconds: float) -> str:
    """Return a time that went by for people, in its two largest parts: `957 days`, `1 day 3 hours`, `12 seconds`."""
    seconds = abs(seconds)
    if seconds < 1:
        return f"{round(seconds * 1000)} milliseconds"
    parts = []
    # Days go on being counted up to three years: people compare them with what is promised in days.
    for name, size in _WORDS[1:] if seconds < 3 * 31556952 else _WORDS[:2]:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:.0f} {name}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:2])


def _moved(moment: datetime, months: int) -> datetime:
    """Return a moment moved by months of the calendar, to the month's last day at most."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not EARLIEST.year <= year <= LATEST.year:
        return LATEST if months > 0 else EARLIEST
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
