"""How a contract's data stands to its promises, for people, programs and build servers.

Takes a `Tested`; gives text, JSON in the shape of `factory/schemas/contract-test.schema.json`, or JUnit's XML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from factory.contract import Rule
from factory.documents import Document, read_yaml
from factory.errors import ContractError
from factory.odcs.convert import convert, dialect_of
from factory.quality import CheckResult, Outcome
from factory.quality.testing import Tested, contract_tested
from factory.questions.junit import ERROR, FAILURE, PASSED, SKIPPED, Case, Suite, junit

_ORDER = (Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.ERROR, Outcome.NOT_RUN)
_WORDS = {
    Outcome.PASS: "passed",
    Outcome.WARN: "warned",
    Outcome.FAIL: "failed",
    Outcome.ERROR: "broken",
    Outcome.NOT_RUN: "not run",
}


def held_to_data(file: Path, server: str = "", root: Path | None = None) -> Tested:
    """Hold the contract in a file to its data; one of an older standard is read as ODCS 3.2.

    Raises:
        FactoryError: the file holds no contract, or its data cannot be opened.

    """
    document: Document = read_yaml(file)
    dialect = dialect_of(document.data)
    if dialect in ("odcs-2.2", "dcs"):
        return contract_tested(document, convert(document).data, server=server, root=root)
    if not dialect:
        hint = "`factory contract lint` says what is wrong"
        raise ContractError("the file holds no data contract", where=file, line=1, hint=hint)
    return contract_tested(document, document.data, server=server, root=root)


def held_as_text(found: Tested, root: Path | None = None) -> str:
    """Return a table of checks for each table of the contract, and a summary."""
    head = f"{found.name} {found.version}".strip()
    lines = [f"{head}, server {found.server} ({found.server_type})"]
    for table in found.tables:
        results = [result for result in found.results if result.rule.table == table]
        rows = next((r.checked_rows for r in results if r.checked_rows is not None), None)
        counted = "" if rows is None else f": {rows:,} row{'' if rows == 1 else 's'}"
        lines += ["", f"{table}{counted}"]
        lines += _rows(results, root) if results else ["  nothing is promised of it"]
    return "\n".join([*lines, "", summary(found)])


def summary(found: Tested) -> str:
    """Return how many checks went how, in one line."""
    number = len(found.results)
    counts = Counter(result.outcome for result in found.results)
    told = ", ".join(f"{counts[outcome]:,} {_WORDS[outcome]}" for outcome in _ORDER if counts[outcome])
    left = any(result.outcome is Outcome.NOT_RUN for result in found.results)
    so_far = ", as far as that could be checked" if left else ""
    verdict = (
        f"the data is what the contract says{so_far}"
        if found.holds
        else "the data is not what the contract says"
    )
    if not number:
        verdict = "the contract promises nothing that can be checked"
    checks = f"{number:,} check{'' if number == 1 else 's'}"
    return f"{checks}: {told}; {verdict}" if told else f"{checks}: {verdict}"


def _rows(results: Sequence[CheckResult], root: Path | None) -> list[str]:
    cells = [
        (
            result.outcome.value,
            result.rule.name if not result.rule.column or result.rule.column in result.rule.name
            else f"{result.rule.column}: {result.rule.name}",
            _measured(result),
            result.threshold,
            _place(result.rule, root),
        )
        for result in results
    ]  # fmt: skip
    head = ("outcome", "check", "measured", "promised", "place")
    widths = [max(len(row[n]) for row in (head, *cells)) for n in range(len(head))]
    lines = []
    for number, row in enumerate((head, *cells)):
        lines.append("  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
        result = results[number - 1] if number else None
        if result is not None and result.outcome is not Outcome.PASS and result.reason:
            lines.append(f"    {result.reason}")
    return lines


def _measured(result: CheckResult) -> str:
    if result.measured is None:
        return ""
    number = f"{result.measured:,.6g}" if result.measured % 1 else f"{int(result.measured):,}"
    return f"{number} %" if result.threshold.endswith("%") or " % " in result.threshold else number


def _place(rule: Rule, root: Path | None) -> str:
    file = rule.file
    if root is not None and file.is_absolute() and file.is_relative_to(root):
        file = file.relative_to(root)
    return f"{file.as_posix()}:{rule.line}" if rule.line else file.as_posix()


def held_as_json(found: Tested) -> dict[str, Any]:
    """Return the results in the shape of `factory/schemas/contract-test.schema.json`."""
    counts = Counter(result.outcome for result in found.results)
    return {
        "contract": {"file": found.file.as_posix(), "name": found.name, "version": found.version},
        "server": {"name": found.server, "type": found.server_type},
        "holds": found.holds,
        "counts": {outcome.value: counts[outcome] for outcome in _ORDER},
        "milliseconds": round(found.seconds * 1000, 3),
        "checks": [_check(result) for result in found.results],
    }


def _check(result: CheckResult) -> dict[str, Any]:
    rule = result.rule
    return {
        "key": rule.key,
        "table": rule.table,
        "column": rule.column,
        "name": rule.name,
        "origin": rule.origin,
        "kind": rule.kind,
        "file": rule.file.as_posix(),
        "line": rule.line,
        "dimension": rule.dimension,
        "severity": rule.severity,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "measured": result.measured,
        "threshold": result.threshold,
        "failed_rows": result.failed_rows,
        "checked_rows": result.checked_rows,
        "milliseconds": round(result.seconds * 1000, 3),
    }


def held_as_junit(found: Tested) -> str:
    """Return the results as JUnit's XML: a test suite per table; what could not run is an error."""
    return junit(
        found.name,
        (
            Suite(table, tuple(_case(result) for result in found.results if result.rule.table == table))
            for table in found.tables
        ),
    )


def _case(result: CheckResult) -> Case:
    rule = result.rule
    where = f"{rule.table}.{rule.column}" if rule.column else rule.table
    return Case(
        where, rule.name, result.seconds, _kind(result), result.reason, rule.file.as_posix(), rule.line
    )


def _kind(result: CheckResult) -> str:
    if result.outcome is Outcome.FAIL:
        return FAILURE
    if result.outcome in (Outcome.PASS, Outcome.WARN):
        return PASSED
    return ERROR if result.refuses and result.rule.severity == "error" else SKIPPED
