"""Measure what a build costs, in CPU seconds, against dbt on its own.

Run it as `python -m benchmarks.build [N ...]`, or `python benchmarks/build.py [N ...]`; without numbers it
takes 10, 50 and 200 products. Every figure is that of a process of its own: what the operating system charged
it and its children for, user and system together, and the most memory that it held at once. Wall clock is not
looked at, since other work on the machine would change it.

The baselines are dbt on the same workspace, with its log turned off, which is its cheapest way to run: one
`dbt build` of the whole from nothing, and one `dbt build --select package:NAME` process per product. Those
share a folder of artifacts, so that all but the first only have to see that there is nothing new to parse.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.synthetic import Shape, generate, readers, touch

SIZES = (10, 50, 200)
#: Up to this many products all is run as often as `--repeat` says, and the median counts.
SMALL = 50
FACTORY = (sys.executable, "-m", "factory")
DBT = (str(Path(sys.executable).with_name("dbt")), "--quiet", "--log-level-file", "none", "--no-use-colors")
QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost: seconds of CPU, the most memory it held in MB, and what it wrote."""

    cpu: float
    peak: float
    output: str


@dataclass(slots=True)
class Figures:
    """All that is measured for one number of products: CPU seconds, megabytes (`_mb`) or products.

    Attributes:
        products: how many products there are.
        build, build_mb: `factory build` from nothing.
        dbt, checks, own: its parts, as it tells them itself.
        again, again_own, again_mb: `factory build` with nothing changed.
        touched, touched_own, touched_products: the same with one model changed, and how many products ran.
        whole, whole_mb: one `dbt build` from nothing.
        apart, apart_processes: a dbt process per product, and how many of them were really run.
        help: `factory --help`.
    """

    products: float
    build: float = 0.0
    build_mb: float = 0.0
    dbt: float = 0.0
    checks: float = 0.0
    own: float = 0.0
    again: float = 0.0
    again_own: float = 0.0
    again_mb: float = 0.0
    touched: float = 0.0
    touched_own: float = 0.0
    touched_products: float = 0.0
    whole: float = 0.0
    whole_mb: float = 0.0
    apart: float = 0.0
    apart_processes: float = 0.0
    help: float = 0.0

    @property
    def around(self) -> float:
        """What lies around a run: starting Python, imports before the run, and the end of the process."""
        return self.build - self.dbt - self.checks - self.own


def measure(command: Sequence[str], folder: Path) -> Cost:
    """Run a command to its end and return what it cost.

    Raises:
        SystemExit: it failed, so that there is nothing to measure.

    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=errors, env={**os.environ, **QUIET}
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text = output.read().decode(errors="replace")
        if process.returncode:
            text += errors.read().decode(errors="replace")
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text[-3000:]}")
    scale = 1024**2 if sys.platform == "darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale, text)


def factory_build(folder: Path, **outcomes: int) -> tuple[Cost, dict[str, float]]:
    """Run `factory build`; return its cost and its parts, provided that as many products came out as stated.

    Raises:
        SystemExit: other products were certified or left alone than should be.

    """
    cost = measure((*FACTORY, "build", "--no-progress", "--format", "json"), folder)
    result: dict[str, Any] = json.loads(cost.output)
    found = Counter(product["outcome"] for product in result["products"])
    if found != Counter(outcomes):
        raise SystemExit(f"the build gave {dict(found)} where {outcomes} should be")
    return cost, result["cpu_seconds"]


def dbt_build(folder: Path, *selection: str) -> Cost:
    """Run `dbt build` on the workspace, with a target and a folder of artifacts of its own."""
    options = ("--target", "dev", "--target-path", "target/baseline", "--profiles-dir", ".")
    return measure((*DBT, "build", *selection, *options), folder)


def middle(products: Sequence[Shape]) -> Shape:
    """Return a product that reads others and is read by others, from the middle of the mesh."""
    later = products[len(products) // 2 :]
    return next((p for p in later if p.upstreams and readers(p, products)), later[0])


def measure_factory(folder: Path, products: Sequence[Shape], tell: Tell) -> Figures:
    """Measure `factory build` from nothing, with nothing changed, and with one model changed."""
    n = len(products)
    figures = Figures(n)
    tell("factory build from nothing")
    cost, parts = factory_build(folder, certified=n)
    figures.build, figures.build_mb = cost.cpu, cost.peak
    figures.dbt, figures.checks, figures.own = parts["dbt"], parts["checks"], parts["factory"]
    tell("factory build with nothing changed")
    cost, parts = factory_build(folder, unchanged=n)
    figures.again, figures.again_own, figures.again_mb = cost.cpu, parts["factory"], cost.peak
    changed = middle(products)
    reach = 1 + len(readers(changed, products))
    touch(folder, changed)
    tell(f"factory build with a model of {changed.name} changed")
    cost, parts = factory_build(folder, certified=reach, unchanged=n - reach)
    figures.touched, figures.touched_own, figures.touched_products = cost.cpu, parts["factory"], reach
    figures.help = statistics.median(measure((*FACTORY, "--help"), folder).cpu for _ in range(3))
    return figures


def measure_apart(folder: Path, products: Sequence[Shape], sample: int, tell: Tell) -> tuple[float, int]:
    """Return what a dbt process per product costs, and how many were run for it.

    It follows on `dbt build`, whose tables are there to be read and replaced. The first process parses from
    nothing and counts once; where only some of the others are run, their mean stands for the rest.
    """
    shutil.rmtree(folder / "target" / "baseline")
    first, *others = products
    count = min(sample, len(others)) if sample else len(others)
    chosen = [first, *(others[i * len(others) // count] for i in range(count))]
    costs = []
    for number, product in enumerate(chosen, 1):
        tell(f"dbt build --select package:{product.name} ({number} of {len(chosen)})")
        costs.append(dbt_build(folder, "--select", f"package:{product.name}").cpu)
    return costs[0] + statistics.mean(costs[1:]) * len(others), len(chosen)


def measure_mesh(n: int, sample: int, tell: Tell) -> Figures:
    """Measure a mesh of `n` products in a temporary workspace, all of it once."""
    with tempfile.TemporaryDirectory(prefix="factory-benchmark-") as temporary:
        folder = Path(temporary) / "mesh"
        products = generate(folder, n)
        figures = measure_factory(folder, products, tell)
        tell("dbt build from nothing")
        cost = dbt_build(folder)
        figures.whole, figures.whole_mb = cost.cpu, cost.peak
        figures.apart, figures.apart_processes = measure_apart(folder, products, sample, tell)
        return figures


def median(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    names = [field.name for field in fields(Figures)]
    return Figures(**{name: statistics.median(getattr(run, name) for run in runs) for name in names})


def table(columns: Sequence[Figures]) -> str:
    """Return the figures as a Markdown table, aligned, a column per number of products."""
    rows = [("CPU seconds", *(f"N = {f.products:.0f}" for f in columns), "goal"), *_rows(columns)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(_cell(cell, width, i) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths))
    return "\n".join(f"{line} |" if line is not rule else f"{line}|" for line in [lines[0], rule, *lines[1:]])


def _cell(text: str, width: int, number: int) -> str:
    return text.ljust(width) if number == 0 else text.rjust(width)


def _rows(columns: Sequence[Figures]) -> list[tuple[str, ...]]:
    def row(name: str, value: Callable[[Figures], str], goal: str = "") -> tuple[str, ...]:
        return (name, *(value(figures) for figures in columns), goal)

    return [
        row("(a) factory build from nothing", lambda f: f"{f.build:.1f}"),
        row("    of it dbt", lambda f: f"{f.dbt:.1f}"),
        row("    of it checks", lambda f: f"{f.checks:.1f}"),
        row("    of it the factory's own", lambda f: f"{f.own:.1f}"),
        row("    of it before and after the run", lambda f: f"{f.around:.1f}"),
        row("    peak, MB", lambda f: f"{f.build_mb:.0f}", "< 1500 at 200"),
        row("(b) factory build, nothing changed", lambda f: f"{f.again:.2f}"),
        row("    of it the factory's own", lambda f: f"{f.again_own:.2f}"),
        row("    peak, MB", lambda f: f"{f.again_mb:.0f}"),
        row("(c) factory build, one model changed", lambda f: f"{f.touched:.1f}"),
        row("    of it the factory's own", lambda f: f"{f.touched_own:.1f}"),
        row("    products that ran", lambda f: f"{f.touched_products:.0f}"),
        row("(d) one dbt build from nothing", lambda f: f"{f.whole:.1f}"),
        row("    peak, MB", lambda f: f"{f.whole_mb:.0f}"),
        row("(e) a dbt process per product", lambda f: ("~" if _is_sample(f) else "") + f"{f.apart:.1f}"),
        row("    processes that were run", lambda f: f"{f.apart_processes:.0f}"),
        row("factory --help", lambda f: f"{f.help:.2f}", "< 0.25"),
        row("own / dbt", lambda f: f"{100 * f.own / f.dbt:.0f} %", "<= 20 % at 200"),
        row("(a) / (d)", lambda f: f"{f.build / f.whole:.2f}"),
        row("(e) / (a)", lambda f: ("~" if _is_sample(f) else "") + f"{f.apart / f.build:.1f}", ">= 5 at 50"),
        row("(b) / (a)", lambda f: f"{100 * f.again / f.build:.1f} %", "<= 10 % at 200"),
        row("(c) / (a)", lambda f: f"{100 * f.touched / f.build:.0f} %"),
    ]


def _is_sample(figures: Figures) -> bool:
    return figures.apart_processes < figures.products


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure factory build against dbt, in CPU seconds.")
    parser.add_argument("sizes", metavar="N", type=int, nargs="*", help="numbers of products (10 50 200)")
    parser.add_argument(
        "--repeat",
        type=int,
        default=1,
        metavar="R",
        help=f"run sizes up to {SMALL} so often, take medians (1)",
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=10,
        metavar="K",
        help=f"above {SMALL} products, run the first and K more processes of (e); 0 runs all (10)",
    )
    arguments = parser.parse_args()
    sizes = arguments.sizes or SIZES
    if min(sizes) < 2 or arguments.repeat < 1 or arguments.sample < 0:
        parser.error("two products and one run are the least")
    columns = []
    for n in sizes:
        runs = []
        for number in range(1, 1 + (arguments.repeat if n <= SMALL else 1)):
            sample = arguments.sample if n > SMALL else 0
            runs.append(measure_mesh(n, sample, partial(_tell, f"N = {n}, run {number}")))
        columns.append(median(runs))
    print(table(columns))
    if any(_is_sample(figures) for figures in columns):
        print(
            "\n~ extrapolated from the processes that were run: "
            "the first parses from nothing; the mean of the others stands for the rest."
        )


def _tell(title: str, text: str) -> None:
    print(f"{title}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
