"""That dbt could build the product."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity

# Words of database errors that speak of the SQL, not of the data in it.
_SQL_FAULTS = ("Parser Error", "Binder Error", "Catalog Error", "Compilation Error", "syntax error", "does not exist")


def built(evidence: Evidence) -> Iterator[Finding]:
    """Every model, seed and snapshot of a product is built."""
    for run in evidence.runs:
        if run.status == "error":
            message = " ".join(run.message.split())
            where, text = evidence.place(run.file), message if len(message) < 400 else message[:390] + " …"
            line = _line_in_source(run.message, evidence, run.file)
            fault = any(words in message for words in _SQL_FAULTS)
            yield Finding(
                "built",
                Severity.BLOCKS,
                f"{run.name} could not be built: {text}",
                f"{where}:{line}" if line else where,
                "mend the SQL and build again" if fault else "",
                input_fault=fault,
            )
    skipped = [run.name for run in evidence.runs if run.status == "skipped"]
    if skipped and not any(run.status == "error" for run in evidence.runs):
        message = f"{len(skipped)} of its models were skipped, because something before them failed: {skipped[0]}"
        yield Finding("built", Severity.BLOCKS, message + (", …" if len(skipped) > 1 else ""), evidence.folder)


def _line_in_source(message: str, evidence: Evidence, file: str) -> int:
    """Return the line of the model's own file that the database shows in its message, or 0.

    The database counts lines of the compiled statement, so the line is found by its text.
    """
    shown = next((part for part in message.splitlines() if part.strip().startswith("LINE ")), "")
    text = shown.partition(":")[2].strip().strip(".").strip()
    source = evidence.product.folder / file
    if not text or not source.is_file():
        return 0
    for number, line in enumerate(source.read_text("utf-8", errors="replace").splitlines(), 1):
        if line.strip() and (line.strip() in text or text in line):
            return number
    return 0
