"""Measure what `factory contract lint` costs, against `datacontract lint` over the same files.

Run it as `python -m benchmarks.contracts`. Every run is a process of its own, cold; the numbers are CPU seconds of the
process and its children, the median of three, and the peak of its memory. `datacontract` is looked for in `.venv-peer`
and on the path; it takes one file per process, and of 50 files five are run and their mean is taken for all. It looks
links up on the network; these files have none.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 3
COLUMNS = 20
ROOT = Path(__file__).resolve().parent.parent


def contract(name: str, tables: int, *, faults: bool = False) -> str:
    """Return a valid contract with so many tables of twenty columns, or one with a fault in every table."""
    lines = [
        "apiVersion: v3.2.0",
        "kind: DataContract",
        f"id: {name}",
        f"name: {name}",
        "version: 1.0.0",
        "status: active",
        "domain: sales",
        "schema:",
    ]
    for table in range(tables):
        lines += [f"  - name: table_{table}", f"    physicalName: table_{table}", "    logicalType: object",
                  "    physicalType: table", f"    description: The table {table}", "    properties:"]  # fmt: skip
        for column in range(COLUMNS):
            number = column % 2 == 1
            logical = "integer" if number else "strin" if faults and column == 4 else "string"
            lines += [f"      - name: column_{column}", f"        logicalType: {logical}",
                      f"        physicalType: {'BIGINT' if number else 'VARCHAR(20)'}",
                      f"        description: Column {column} of the table", "        required: true"]  # fmt: skip
            if column == 0:
                lines += ["        primaryKey: true", "        primaryKeyPosition: 1", "        quality:",
                          "          - {type: library, metric: nullValues, mustBe: 0}"]  # fmt: skip
            if column == 1:
                lines += ["        logicalTypeOptions: {minimum: 0, maximum: 100}"]
    return "\n".join(lines) + "\n"


def spent(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command; return its CPU seconds and its peak memory in MB."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], cwd=folder, capture_output=True, text=True, check=True
    )
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    runs = [spent(command, folder) for _ in range(ROUNDS)]
    return statistics.median(seconds for seconds, _ in runs), max(peak for _, peak in runs)


def row(words: str, factory: tuple[float, float], peer: float | None, goal: str) -> None:
    ratio = f"{peer / factory[0]:.0f}" if peer else "-"
    other = f"{peer:.2f}" if peer else "-"
    print(f"| {words:32} | {factory[0]:8.2f} | {factory[1]:6.0f} | {other:>12} | {ratio:>5} | {goal:>6} |")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    lint = [sys.executable, "-m", "factory", "contract", "lint"]
    own = ROOT / ".venv-peer/bin/datacontract"
    peer = str(own) if own.is_file() else shutil.which("datacontract")
    environment_note = "" if peer else "  (no datacontract: make test installs it)"
    print(f"CPU seconds, cold{environment_note}\n")
    print("| what                             |  factory |     MB | datacontract | ratio |   goal |")
    print("|----------------------------------|---------:|-------:|-------------:|------:|-------:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PYTHONPATH"] = str(ROOT)
        for words, tables, goal in (("1 table of 20 columns", 1, "0.25"), ("50 tables", 50, "0.5")):
            file = folder / f"tables_{tables}.odcs.yaml"
            file.write_text(contract(f"tables_{tables}", tables), "utf-8")
            other = measured([peer, "lint", file.name], folder)[0] if peer else None
            row(words, measured([*lint, file.name], folder), other, goal)
        for words, faults, goal in (
            ("2,000 tables in 50 files", False, "4"),
            ("the same, a fault in every table", True, ""),
        ):
            many = folder / f"many_{faults}"
            many.mkdir()
            for number in range(50):
                file = many / f"c{number}.odcs.yaml"
                file.write_text(contract(f"c{number}", 40, faults=faults), "utf-8")
            other = None
            if peer:
                some = [
                    spent([peer, "lint", f"{many.name}/c{number}.odcs.yaml"], folder)[0]
                    for number in range(5)
                ]
                other = statistics.mean(some) * 50
            row(words, measured([*lint, many.name], folder), other, goal)


if __name__ == "__main__":
    main()
