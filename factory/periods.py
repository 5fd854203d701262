"""Periods of the calendar, as ISO 8601 writes them: `P3M`, `P1Y6M`, `P2W`, `P90D`; and moments, as people name them.

Takes a text or a day; gives a `Period`, a day or a moment. Pure.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

_PERIOD = re.compile(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?")

_SHORT = re.compile(r"([0-9]{1,6})([hdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Period:
    """A period of whole days.

    Attributes:
        months: months of the calendar; a year is twelve.
        days: further days; a week is seven.
        text: as it was written.
    """

    months: int
    days: int
    text: str

    def before(self, moment: datetime) -> datetime:
        """Return the moment that lies the period before another: months first, to the month's last day at most.

        Raises:
            ValueError: that is before the year 1.

        """
        year, month = divmod(moment.year * 12 + moment.month - 1 - self.months, 12)
        if year < 1:
            raise ValueError(f"{self.text!r} is longer than the calendar")
        last = calendar.monthrange(year, month + 1)[1]
        try:
            return moment.replace(year=year, month=month + 1, day=min(moment.day, last)) - timedelta(
                self.days
            )
        except OverflowError:
            raise ValueError(f"{self.text!r} is longer than the calendar") from None

    def after(self, day: date) -> date:
        """Return the day that lies the period after another: months first, to the month's last day at most.

        >>> period_of("P1M").after(date(2027, 1, 31))
        datetime.date(2027, 2, 28)
        """
        year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
        if year > date.max.year:
            return date.max
        last = calendar.monthrange(year, month + 1)[1]
        try:
            return date(year, month + 1, min(day.day, last)) + timedelta(days=self.days)
        except OverflowError:
            return date.max


def period_of(text: str) -> Period:
    """Return the period that a text names by ISO 8601, in years, months, weeks and days.

    Raises:
        ValueError: the text names none, or has hours in it.

    """
    found = _PERIOD.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no period")
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    return Period(years * 12 + months, weeks * 7 + days, text.strip())


def moment_before(text: str, now: datetime) -> datetime:
    """Return the moment that a text names, seen from now, in UTC.

    It is a time ago (`12h`, `30d`, `4w`, or by ISO 8601 `P30D`), or a date (`2026-01-31`), which begins at midnight
    UTC.

    >>> moment_before("30d", datetime(2026, 11, 20, tzinfo=UTC)).date()
    datetime.date(2026, 10, 21)

    Raises:
        ValueError: the text names none; the message says what does.

    """
    wanted = text.strip()
    now = now.astimezone(UTC)
    if found := _SHORT.fullmatch(wanted.lower()):
        try:
            return now - int(found[1]) * _UNITS[found[2]]
        except OverflowError:
            raise ValueError(f"{text!r} is longer than the calendar") from None
    if wanted.upper().startswith("P") and _PERIOD.fullmatch(wanted.upper()):
        return period_of(wanted.upper()).before(now)
    try:
        day = date.fromisoformat(wanted) if _DATE.fullmatch(wanted) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"{text!r} is no time: write 12h, 30d, 4w, P30D, or a date such as 2026-01-31")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def moment_of(value: Any) -> datetime | None:
    """Return the moment that a text names by ISO 8601; UTC where it names no zone; None if it names none."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        return None
