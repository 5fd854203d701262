"""Measure what `factory contract test` costs, against `datacontract test` over the same contract and Parquet files.

Run it as `python -m benchmarks.quality`. Every run is a process of its own, cold; the numbers are CPU seconds of the
process and its children, the median of three, and the peak of its memory; "beyond the start" leaves out what the same
command needs for a contract of one table without rules. `datacontract` is looked for in `.venv-peer`, in
`$DATACONTRACT` and on the path; it runs once, over the same files in the same run.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb

from benchmarks.contracts import ROOT, measured, spent

COLUMNS = 16
RULES = 64


def contract(tables: int, *, bare: bool = False) -> str:
    """Return a contract with so many tables of 64 rules each, or one of one table without any."""
    lines = ["apiVersion: v3.1.0", "kind: DataContract", "id: speed", "name: speed", "version: 1.0.0",
             "status: active", "servers:",
             '  - {server: files, type: local, path: "data/{model}.parquet", format: parquet}', "schema:"]  # fmt: skip
    for table in range(tables):
        lines += [f"  - name: t{table}", f"    physicalName: t{table}", "    physicalType: table"]
        if bare:
            continue
        lines += ["    properties:"]
        for n in range(COLUMNS):
            lines += column(n)
        lines += ["    quality:", "      - {type: library, metric: rowCount, mustBeGreaterThan: 0}",
                  "      - {type: library, metric: duplicateValues, mustBe: 0, arguments: {properties: [c0, c1]}}",
                  '      - {type: sql, query: "select count(*) from {object} where c2 < 0", mustBe: 0}']  # fmt: skip
    return "\n".join(lines) + "\n"


def column(n: int) -> list[str]:
    """Return the column number n: whole numbers and texts in turn, the first of them the key."""
    number = n % 2 == 0
    lines = [f"      - name: c{n}", f"        logicalType: {'integer' if number else 'string'}",
             f"        physicalType: {'BIGINT' if number else 'VARCHAR'}", "        required: true"]  # fmt: skip
    if n == 0:
        lines += ["        unique: true"]
    elif number:
        lines += ["        logicalTypeOptions: {minimum: 0}"]
    elif n < 6:
        lines += ["        logicalTypeOptions: {pattern: '^v-[0-9]+$', maxLength: 12}"]
    if not number:
        rule = "metric: missingValues, mustBe: 0, arguments: {missingValues: ['N/A']}"
    elif n < 6:
        rule = f"metric: duplicateValues, mustBeLessOrEqualTo: {0 if n == 0 else 100}, unit: percent"
    else:
        rule = "metric: nullValues, mustBeLessThan: 5, unit: percent"
    lines += ["        quality:", f"          - {{type: library, {rule}}}"]
    return lines


def data(folder: Path, tables: int, rows: int) -> None:
    """Write a Parquet file per table."""
    (folder / "data").mkdir(exist_ok=True)
    listed = ", ".join(
        (f"(i * {n + 1})::bigint as c{n}" if n % 2 == 0 else f"'v-' || (i % {1000 * (n + 1)}) as c{n}")
        for n in range(COLUMNS)
    )
    with duckdb.connect() as connection:
        for table in range(tables):
            connection.execute(
                f"copy (select {listed} from range({rows}) r(i)) to '{folder}/data/t{table}.parquet'"
            )


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    own = ROOT / ".venv-peer/bin/datacontract"
    peer = str(own) if own.is_file() else os.environ.get("DATACONTRACT") or shutil.which("datacontract")
    test = [sys.executable, "-m", "factory", "contract", "test", "--format", "json"]
    os.environ["PYTHONPATH"] = str(ROOT)
    print("CPU seconds, cold" + ("" if peer else "  (no datacontract: make test installs it)") + "\n")
    print("| what                      |  factory | beyond the start |     MB | datacontract | ratio |")
    print("|---------------------------|---------:|-----------------:|-------:|-------------:|------:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data(folder, 1, 10)
        (folder / "bare.odcs.yaml").write_text(contract(1, bare=True), "utf-8")
        start = measured([*test, "bare.odcs.yaml"], folder)[0]
        for words, tables, rows in (
            ("1 table of 2,000 rows", 1, 2_000),
            ("50 tables of 2,000 rows", 50, 2_000),
            ("1 table of 1,000,000", 1, 1_000_000),
            ("1 table of 3,000,000", 1, 3_000_000),
        ):
            data(folder, tables, rows)
            file = folder / f"t{tables}.odcs.yaml"
            file.write_text(contract(tables), "utf-8")
            seconds, peak = measured([*test, file.name], folder)
            other = spent([peer, "test", file.name], folder)[0] if peer else None
            ratio = f"{other / seconds:.0f}" if other else "-"
            told = f"{other:.2f}" if other else "-"
            print(
                f"| {words:25} | {seconds:8.2f} | {seconds - start:16.2f} | {peak:6.0f} | {told:>12} | {ratio:>5} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
