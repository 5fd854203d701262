"""What Soda asks of earlier runs, answered from our own history.

Takes measurements of earlier runs by name; gives what Soda's service would have answered. A metric has its value
in a run; the columns of a table have one entry each, so that a schema, too, is a set of numbers.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

#: The measurements of earlier runs by name, each with its time.
History = Mapping[str, Sequence[tuple[datetime, float]]]

_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
}


def earlier(history: History, name: str, change: Any, now: datetime) -> float | None:
    """Return what a metric is compared with, or None if no run has measured it.

    Args:
        history: earlier measurements.
        name: what the metric is called in them.
        change: Soda's configuration of the comparison: the last ones, or the same day last week or month.
        now: the time of this run.

    """
    known = sorted((_utc(at), float(value)) for at, value in history.get(name, ()) if _utc(at) < _utc(now))
    if getattr(change, "same_day_last_week", False) or getattr(change, "same_day_last_month", False):
        weekly = change.same_day_last_week
        wanted = _utc(now).date() - timedelta(days=7) if weekly else _last_month(_utc(now).date())
        known = [(at, value) for at, value in known if at.date() == wanted][-1:]
    values = [value for _, value in known[-int(change.last_measurements or 1) :]]
    if not values:
        return None
    return float(_AGGREGATES[change.last_aggregation or "min"](values))


def schema_names(table: str, columns: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """Return the measurements that hold a table's columns: an entry each, with its place as the value."""
    return {
        _schema_name(table) + json.dumps([column["name"], column["type"]], ensure_ascii=False): float(place)
        for place, column in enumerate(columns)
    }


def earlier_schema(history: History, table: str, now: datetime) -> list[dict[str, str]] | None:
    """Return the columns of a table in the last run that measured them, as Soda's service tells them, or None."""
    start = _schema_name(table)
    found: list[tuple[datetime, float, str]] = []
    for name, measured in history.items():
        if name.startswith(start):
            found += [(_utc(at), place, name[len(start) :]) for at, place in measured if _utc(at) < _utc(now)]
    if not found:
        return None
    last = max(at for at, _, _ in found)
    columns = [json.loads(text) for at, _, text in sorted(found) if at == last]
    return [{"columnName": name, "sourceDataType": type_} for name, type_ in columns]


def _schema_name(table: str) -> str:
    return f"{table}.schema"


def _last_month(day: date) -> date:
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
