"""Measure how large a year of history is, what compacting it costs, and how fast it is read.

Run it as `python -m benchmarks.history [PRODUCTS [DAYS]]`, 1000 and 30 unless told. It writes a run per product and day
through the code that writes runs, 50 checks each, with service levels, ports, Soda's measurements and scores; compacts
them; and reads some back. A month is measured; the year is the month's figures times 365 / DAYS, and is marked so. The
values are made up in the way that real ones are: names stay, half of what is measured is a count that is mostly 0, the
rest and all times differ from run to run, and 2 of 100 checks do not pass and say why.
"""

from __future__ import annotations

import functools
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from factory.registry.compaction import compact
from factory.registry.figures import TABLES
from factory.registry.runs import last_run, read_runs, write_run
from factory.workspace import Workspace

CHECKS = 50
MEGA = 1_000_000
NOW = datetime(2026, 11, 30, 23, tzinfo=UTC)
ELEMENTS = (
    "availability", "throughput", "error rate", "general availability", "end of support", "end of life", "retention",
    "frequency", "latency", "time to detect", "time to notify", "time to repair",
)  # fmt: skip


class Mould:
    """What stays the same from run to run of a product, and what a day's run of it looks like."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)
        self.name = f"product_{number:04}"
        self.domain = f"domain_{number % 12:02}"
        self.tables = [f"{self.name}_{kind}" for kind in ("daily", "detail")]
        self.contract = f"{self.name}/1"
        self.rows = [self.random.randrange(100, 5_000_000) for _ in self.tables]
        self.levels = [self.random.uniform(0, 10 ** self.random.randrange(5)) for _ in range(CHECKS)]

    def record(self, at: datetime) -> dict[str, Any]:
        """Return the record of a run."""
        self.rows = [round(rows * self.random.uniform(0.99, 1.03)) for rows in self.rows]
        checks = [self.check(number) for number in range(CHECKS)]
        return {
            "schema_version": 1,
            "product": f"urn:dpf:{self.domain}:{self.name}",
            "at": at.isoformat(timespec="seconds"),
            "kind": "build",
            "outcome": "certified",
            "version": "1.2.0",
            "contracts": {self.contract: "1.2.0"},
            "milliseconds": self.random.randrange(800, 9000),
            "reasons": [],
            "ports": [self.port(number, at) for number in range(2)],
            "checks": checks,
            "levels": [self.level(number, element) for number, element in enumerate(ELEMENTS)],
            "measurements": {
                f"metric-duckdb-{self.tables[n % 2]}-column_{n}-avg": check["measured"]
                for n, check in enumerate(checks[25:45])
            },
            "scores": {
                "product": round(self.random.uniform(95, 100), 1),
                "contracts": {self.contract: round(self.random.uniform(95, 100), 1)},
                "tables": {table: round(self.random.uniform(95, 100), 1) for table in self.tables},
            },
        }

    def check(self, number: int) -> dict[str, Any]:
        """Return a check: the first half counts rows at fault, the others measure."""
        table = number % 2
        counts = number < CHECKS // 2
        passes = self.random.random() >= 0.02
        failed = 0 if passes else self.random.randrange(1, 5000)
        measured = float(failed) if counts else self.levels[number] * self.random.gauss(1, 0.05)
        origin = ("dbt", "soda", "odcs", "contract")[number % 4]
        kind = ("not_null", "unique", "avg", "row_count", "duplicate_count")[number % 5]
        wrong = (
            f"{failed} of {self.rows[table]} rows" if counts else f"measured {measured:.6g}, promised < 99"
        )
        return {
            "key": f"{origin}:{self.tables[table]}.column_{number // 2}:{kind}",
            "contract": self.contract,
            "table": self.tables[table],
            "column": f"column_{number // 2}",
            "name": f"{kind} of column_{number // 2} in {self.tables[table]}",
            "origin": origin,
            "kind": kind,
            "file": f"products/{self.name}/models/_{self.name}.yml",
            "line": 10 + 4 * number,
            "dimension": ("completeness", "uniqueness", "accuracy", "conformity")[number % 4],
            "severity": "error" if number % 3 else "warn",
            "outcome": "pass" if passes else "fail" if number % 3 else "warn",
            "reason": "" if passes else wrong,
            "measured": measured,
            "threshold": "= 0" if counts else "< 99",
            "failed_rows": failed if counts else None,
            "checked_rows": self.rows[table],
            "milliseconds": round(self.random.lognormvariate(1, 0.8), 1),
        }

    def level(self, number: int, element: str) -> dict[str, Any]:
        """Return a service level: a third of them has nothing to measure."""
        measured = None if number % 3 == 0 else self.random.lognormvariate(2, 1)
        return {
            "contract": self.contract,
            "property": element.replace(" ", "_"),
            "element": element,
            "target": "24" if number % 2 else "99.9",
            "unit": "h" if number % 2 else "percent",
            "description": f"The {element} that the team of {self.name} promises",
            "measured": measured,
            "measured_unit": "h" if number % 2 else "percent",
            "verdict": "not measured" if measured is None else "met",
            "reason": "nothing was read in the period" if measured is None else "",
        }

    def port(self, number: int, at: datetime) -> dict[str, Any]:
        """Return a port."""
        newest = (at - timedelta(hours=self.random.uniform(1, 30))).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "contract": self.contract,
            "table": self.tables[number],
            "rows": self.rows[number],
            "bytes": self.rows[number] * 37 + self.random.randrange(5000),
            "read_milliseconds": round(self.random.lognormvariate(2, 0.5), 1),
            "elements": {"observation_date": {"oldest": "2010-01-01T00:00:00Z", "newest": newest}},
            "error": "",
        }


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of a call, and what it returned."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def reading(moulds: list[Mould], what: Callable[[Mould], Any]) -> str:
    """Return the median and the longest of 50 readings, in milliseconds."""
    chosen = random.Random(1).sample(moulds, min(50, len(moulds)))
    spent = [1000 * timed(functools.partial(what, mould))[0] for mould in chosen]
    return f"median {statistics.median(spent):.0f} ms, longest {max(spent):.0f} ms"


def main() -> None:
    products, days = (int(word) for word in (sys.argv[1:] + ["1000", "30"][len(sys.argv) - 1 :])[:2])
    root = Path(tempfile.mkdtemp(prefix="history-"))
    try:
        measure(Workspace(root), products, days)
    finally:
        shutil.rmtree(root)


def measure(ws: Workspace, products: int, days: int) -> None:
    moulds = [Mould(number) for number in range(products)]
    moments = [NOW - timedelta(days=day) for day in reversed(range(days))]
    seconds, _ = timed(lambda: write(ws, moulds, moments))
    print(f"written: {products} products x {days} days x {CHECKS} checks in {seconds:.0f} s", flush=True)
    before = peak()
    seconds, done = timed(lambda: compact(ws))
    print(f"compacted: {done.runs} runs, {done.checks} checks in {seconds:.0f} s")
    print(f"peak of memory: {peak():.0f} MB ({before:.0f} before)")
    print(f"size: {done.bytes_before / MEGA:.1f} MB in {done.files_before} files as JSON")
    print(f"      {done.bytes_after / MEGA:.1f} MB in {done.files_after} files as Parquet, of which")
    history = ws.registry / "history"
    for table in TABLES:
        size = sum(file.stat().st_size for file in history.glob(f"*/*/{table}.parquet"))
        print(f"      {table}: {size / MEGA:.2f} MB")
    year = done.bytes_after / MEGA * (365 / days) * (1000 / products)
    print(f"a year of 1000 products, extrapolated: {year:.0f} MB", flush=True)
    fill_year(ws, done.months)
    month = NOW - timedelta(days=30)
    print("reading, with the month copied under the eleven months before:")
    readers: dict[str, Callable[[Mould], Any]] = {
        "30 days of a product": lambda m: read_runs(ws.registry, m.domain, m.name, month),
        "its last run": lambda m: last_run(ws.registry, m.domain, m.name),
    }
    for name, reader in readers.items():
        print(f"      {name}: {reading(moulds, reader)}")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write(ws: Workspace, moulds: list[Mould], moments: list[datetime]) -> None:
    for mould in moulds:
        for at in moments:
            write_run(ws.registry, mould.domain, mould.name, mould.record(at), at)


def fill_year(ws: Workspace, months: tuple[str, ...]) -> None:
    """Copy the newest month eleven times, under the months before it, so that reading has a year to choose from."""
    history = ws.registry / "history"
    (folder,) = (history / months[-1]).iterdir()
    for back in range(1, 12):
        year, month = divmod(2026 * 12 + 10 - back, 12)
        at = f"{year}-{month + 1:02}"
        if not (history / at).exists():
            shutil.copytree(folder, history / at / f"{at.replace('-', '')}28T230000{folder.name[15:]}")


if __name__ == "__main__":
    main()
