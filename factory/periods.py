"""Periods of the calendar, as ISO 8601 writes them: `P3M`, `P1Y6M`, `P2W`, `P90D`.

Takes a text or a day; gives a `Period` or a day. Pure.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_PERIOD = re.compile(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?")


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
