"""That dbt could build the product."""

from __future__ import annotations

import re
from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity
from factory.tables import without_values

_FAILED = ("error", "fail", "runtime error", "partial success")

# Words of database errors that speak of the SQL, not of the data in it.
_SQL_FAULTS = (
    "Parser Error",
    "Binder Error",
    "Catalog Error",
    "Compilation Error",
    "syntax error",
    "does not exist",
)


def built(evidence: Evidence) -> Iterator[Finding]:
    """Every model, seed and snapshot of a product is built."""
    for run in evidence.runs:
        if run.status in _FAILED:
            line = _line_in_source(run.message, evidence, run.file)
            where = evidence.place(run.file)
            fault = any(words in run.message for words in _SQL_FAULTS)
            yield Finding(
                "built",
                Severity.BLOCKS,
                f"{run.name} could not be built: {_words(without_values(run.message))}",
                f"{where}:{line}" if line else where,
                "mend the SQL and build again" if fault else "",
                input_fault=fault,
            )
    skipped = [run.name for run in evidence.runs if run.status == "skipped"]
    if skipped and not any(run.status in _FAILED for run in evidence.runs):
        message = (
            f"{len(skipped)} of its models were skipped, because something before them failed: {skipped[0]}"
        )
        yield Finding(
            "built", Severity.BLOCKS, message + (", …" if len(skipped) > 1 else ""), evidence.folder
        )


def _words(message: str) -> str:
    """Return what the database or dbt said, without the heading that repeats the model's name."""
    lines = [line.strip() for line in message.splitlines()]
    lines = [line for line in lines if line.strip("^ ") and not re.match(r"\w+ Error in \w+ ", line)]
    text = " ".join(lines)
    return text if len(text) < 400 else text[:390] + " …"


def _line_in_source(message: str, evidence: Evidence, file: str) -> int:
    """Return the line of the model's own file that the message speaks of, or 0.

    The database counts lines of the compiled statement, so the line is found by its text.
    """
    source = evidence.product.folder / file
    if not source.is_file():
        return 0
    lines = source.read_text("utf-8", errors="replace").splitlines()
    undefined = re.search(r"'(\w+)' is undefined", message)
    if undefined:
        word = re.compile(rf"\b{undefined[1]}\b")
        return next((number for number, line in enumerate(lines, 1) if word.search(line)), 0)
    shown = next((part for part in message.splitlines() if part.strip().startswith("LINE ")), "")
    text = shown.partition(":")[2].strip().strip(".").strip()
    if not text:
        return 0
    for number, line in enumerate(lines, 1):
        if line.strip() and (line.strip() in text or text in line):
            return number
    return 0
