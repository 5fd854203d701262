"""Findings of the linter for people and programs: text, JSON, SARIF, annotations of GitHub.

Takes findings; gives text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from factory.errors import DocumentError
from factory.odcs.lint import CODES, LintFinding, lint_file

#: The version of the SARIF format, by OASIS.
_SARIF = "2.1.0"
_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def contract_files(named: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and of a folder every `*.odcs.yaml` below it, in order and once each.

    Raises:
        DocumentError: a folder holds no contract.

    """
    found: dict[Path, None] = {}
    for path in named:
        if not path.is_dir():
            found[path] = None
            continue
        inside = sorted(file for pattern in ("*.odcs.yaml", "*.odcs.yml") for file in path.rglob(pattern))
        if not inside:
            raise DocumentError(
                "no *.odcs.yaml lies in the folder",
                where=path,
                hint="name the files themselves",
                code="unreadable-file",
            )
        found |= dict.fromkeys(inside)
    return list(found)


def findings_of(files: Sequence[Path]) -> Iterator[LintFinding]:
    """Yield what is wrong with each file, one file after the other."""
    for file in files:
        yield from lint_file(file)


def lint_as_text(findings: Sequence[LintFinding], files: int) -> str:
    """Return a line per finding, its hint below it, and a summary."""
    lines = []
    for f in findings:
        message = " ".join(f.message.split())
        lines.append(f"{f.file}:{f.line}:{f.column}: {f.severity}: {message} [{f.code}]")
        if f.hint:
            lines.append(f"    {f.hint}")
    count = Counter(f.severity for f in findings)
    told = [_counted(count[severity], severity) for severity in ("error", "warning") if count[severity]]
    summary = f"{_counted(files, 'file')}: {', '.join(told) if told else 'nothing to complain of'}"
    return "\n".join([*lines, *([""] if lines else []), summary])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def lint_as_json(findings: Sequence[LintFinding], files: int) -> dict[str, Any]:
    """Return findings in the shape of `factory/schemas/lint.schema.json`."""
    return {
        "files": files,
        "findings": [
            {
                "file": f.file,
                "line": f.line,
                "column": f.column,
                "code": f.code,
                "severity": f.severity,
                "message": f.message,
                "hint": f.hint,
            }
            for f in findings
        ],
    }


def lint_as_sarif(findings: Sequence[LintFinding], version: str) -> dict[str, Any]:
    """Return findings as SARIF 2.1.0 (OASIS), for code scanning."""
    used = sorted({f.code for f in findings})
    return {
        "$schema": _SARIF_SCHEMA,
        "version": _SARIF,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "factory contract lint",
                        "version": version,
                        "rules": [
                            {"id": code, "shortDescription": {"text": CODES.get(code, code)}} for code in used
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": f.code,
                        "ruleIndex": used.index(f.code),
                        "level": f.severity,
                        "message": {"text": f.message + (f" ({f.hint})" if f.hint else "")},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": _uri(f.file)},
                                    "region": {"startLine": f.line, "startColumn": f.column},
                                }
                            }
                        ],
                    }
                    for f in findings
                ],
            }
        ],
    }


def _uri(file: str) -> str:
    path = Path(file)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix())


def lint_as_annotations(findings: Sequence[LintFinding]) -> str:
    """Return findings as workflow commands of GitHub Actions, a line each."""
    return "\n".join(
        f"::{f.severity} file={_property(f.file)},line={f.line},col={f.column},title={_property(f.code)}::"
        + _data(f.message + (f" ({f.hint})" if f.hint else ""))
        for f in findings
    )


def _data(text: str) -> str:
    """Return text as the message of a workflow command; a line end in it must not start another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
