"""Measure the dates of a contract's life: general availability, end of support and end of life.

The written day counts, the last one included, as `lifecycle` has it. Before general availability nothing is measured.
Support that has ended is no breach: nothing is promised any more. After the end of life (SLA-6) nobody may read the
data, so a table that still opens is a breach.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from factory.levels.facts import Facts
from factory.levels.shares import covered_by
from factory.levels.targets import Target
from factory.levels.values import Finding, Verdict, found, unmeasured
from factory.lifecycle import in_days
from factory.odcs.lint.people import day_of


def general_availability(target: Target, _facts: Facts, now: datetime) -> Finding:
    """Say whether the data can be used by now."""
    day, today = _day(target), now.astimezone(UTC).date()
    if day is None:
        return unmeasured(f"{target.value!r} is no date")
    if today < day:
        return unmeasured(f"available from {day}, {in_days(today, day)}")
    return found(True, today.isoformat(), "date", f"available since {day}")


def end_of_support(target: Target, _facts: Facts, now: datetime) -> Finding:
    """Say whether faults are still mended."""
    day, today = _day(target), now.astimezone(UTC).date()
    if day is None:
        return unmeasured(f"{target.value!r} is no date")
    if today > day:
        reason = f"support ended on {day}, {in_days(today, day)}: nothing is promised since"
        return Finding(Verdict.NO_TARGET, today.isoformat(), "date", reason)
    return found(True, today.isoformat(), "date", f"supported until {day}, {in_days(today, day)}")


def end_of_life(target: Target, facts: Facts, now: datetime) -> Finding:
    """Say whether the data lives, and after its end whether nobody can read it."""
    day, today = _day(target), now.astimezone(UTC).date()
    if day is None:
        return unmeasured(f"{target.value!r} is no date")
    if today <= day:
        return found(True, today.isoformat(), "date", f"lives until {day}, {in_days(today, day)}")
    ended = f"end of life was {day}, {in_days(today, day)}"
    if facts.ports is None:
        return unmeasured(f"{ended}; nobody looked whether the port is closed")
    still = [port.table for port in covered_by(target, facts.ports) if not port.error]
    if still:
        return found(False, today.isoformat(), "date", f"{ended}, and {still[0]} still opens")
    return found(True, today.isoformat(), "date", f"{ended}, and the port is closed")


def _day(target: Target) -> date | None:
    return day_of(target.text) if target.text else None
