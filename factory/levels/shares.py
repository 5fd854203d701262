"""Measure how well the tables open, how fast they read and how often runs fail.

Availability (SLA-3) is the share of looks in a window in which every table opened, the present look included. The
error rate (SLA-5) is the share of runs in a window that were refused or blocked, or whose checks broke; runs that
look at service levels alone do not count. The window is `valueExt` (`30 d`, `P30D`), else 30 days. Throughput (SLA-4)
is what a full read of all columns and rows gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from factory.levels.durations import Duration, rounded
from factory.levels.facts import WATCH, Facts, RunFact
from factory.levels.targets import Target
from factory.levels.values import Finding, found, unmeasured
from factory.odcs.lint.terms import UNITS
from factory.quality.probe import PortReading

WINDOW = Duration(30, "d")
_PERCENT = ("", "%", "percent", "percentage", "pct")
_FRACTION = ("fraction", "ratio", "share")
_BYTES = {
    "b": 1, "byte": 1, "bytes": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20,
    "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_ROWS = ("row", "rows", "record", "records")
_RATE = re.compile(r"([A-Za-z]+)\s*(?:/|\bper\b)\s*([A-Za-z]+)")


def availability(target: Target, facts: Facts, now: datetime) -> Finding:
    """Measure the share of looks in which every table opened."""
    scale, goal, problem = _share(target)
    if goal is None:
        return unmeasured(problem)
    window = target.window or WINDOW
    start = window.before(now)
    looks = [(run.at, run.ports) for run in facts.runs if start <= run.at < now and run.ports is not None]
    if facts.ports is not None:
        looks.append((now, facts.ports))
    shut = []
    count = 0
    for at, ports in sorted(looks, key=lambda look: look[0]):
        covered = covered_by(target, ports)
        if not covered:
            continue
        count += 1
        closed = [port for port in covered if port.error]
        if closed:
            shut.append((at, closed[0]))
    if not count:
        return unmeasured(f"nobody looked whether it opens in the last {window.words()}")
    measured = rounded(100 * (count - len(shut)) / count)
    words = f"it opened {_times(count - len(shut), count)} in the last {window.words()}"
    if shut:
        at, port = shut[-1]
        words += f"; {port.table} did not open at {at:%Y-%m-%d %H:%M} UTC: {port.error}"
    return found(measured >= goal, rounded(measured / scale), target.unit or "percent", words)


def error_rate(target: Target, facts: Facts, now: datetime) -> Finding:
    """Measure the share of runs that failed."""
    scale, goal, problem = _share(target)
    if goal is None:
        return unmeasured(problem)
    window = target.window or WINDOW
    start = window.before(now)
    runs = [run for run in facts.runs if start <= run.at <= now and run.kind != WATCH]
    if not runs:
        return unmeasured(f"no run in the last {window.words()} is known")
    failed = [run for run in runs if run.failed]
    measured = rounded(100 * len(failed) / len(runs))
    words = f"{len(failed)} of {len(runs)} run{'s'[: len(runs) != 1]} in the last {window.words()} failed"
    if failed:
        words += f", the last at {max(run.at for run in failed):%Y-%m-%d %H:%M} UTC: {_how(failed)}"
    return found(measured <= goal, rounded(measured / scale), target.unit or "percent", words)


def throughput(target: Target, facts: Facts, _now: datetime) -> Finding:
    """Measure rows or bytes per time on a full read."""
    goal = target.number
    if goal is None:
        return unmeasured(f"{target.value!r} is no number")
    unit = target.unit or "rows/s"
    size, seconds = _rate(unit)
    if not seconds:
        return unmeasured(f"{unit!r} is no unit of throughput: use rows/s or MB/s")
    if facts.ports is None:
        return unmeasured("nobody read the tables")
    covered = covered_by(target, facts.ports)
    broken = next((port for port in covered if port.error), None)
    if broken is not None:
        return unmeasured(f"{broken.table} does not open: {broken.error}")
    rows, size_read = sum(port.rows for port in covered), sum(port.bytes for port in covered)
    took = sum(port.seconds for port in covered)
    amount = size_read / size if size else rows
    if amount <= 0 or took <= 0:
        return unmeasured("there was nothing to read")
    measured = rounded(amount / took * seconds)
    words = f"{rows} row{'s'[: rows != 1]}, {size_read} bytes, read in {took * 1000:.1f} ms"
    return found(measured >= goal, measured, unit, words)


def covered_by(target: Target, ports: Iterable[PortReading]) -> tuple[PortReading, ...]:
    """Return the readings that a service level is about: of its contract, and of its tables where it names some."""
    tables = {place.table.lower() for place in target.places}
    return tuple(
        port
        for port in ports
        if port.contract in ("", target.contract) and (not tables or port.table.lower() in tables)
    )


def _share(target: Target) -> tuple[float, float | None, str]:
    """Return how many percent the unit is, the target in percent, and what is wrong with it."""
    unit = target.unit.lower()
    scale = 1.0 if unit in _PERCENT else 100.0 if unit in _FRACTION else 0.0
    if not scale:
        return 1.0, None, f"{target.unit!r} is no unit of a share: use percent"
    if target.number is None:
        return scale, None, f"{target.value!r} is no number"
    if target.number * scale > 100:
        return scale, None, f"{target.number:g} {target.unit or 'percent'} is more than all"
    return scale, target.number * scale, ""


def _rate(unit: str) -> tuple[float, float]:
    """Return the bytes of a rate's amount, 0 for rows, and the seconds of its time; no seconds for what is none."""
    short = {"rps": "rows/s", "bps": "", "rows": "rows/s", "records": "rows/s"}.get(unit.lower(), unit)
    parts = _RATE.fullmatch(short)
    if not parts:
        return 0, 0
    amount, per = parts[1].lower(), parts[2].lower()
    if per not in UNITS or (amount not in _ROWS and amount not in _BYTES):
        return 0, 0
    return float(_BYTES.get(amount, 0)), float(UNITS[per])


def _times(good: int, count: int) -> str:
    return "every time" if good == count and count > 1 else f"{good} of {count} time{'s'[: count != 1]}"


def _how(failed: Iterable[RunFact]) -> str:
    last = max(failed, key=lambda run: run.at)
    return last.outcome if not last.broken else f"{last.broken} check{'s'[: last.broken != 1]} broke"
