"""Lint contract files: everything that is wrong with them, at once, each with its place.

Takes files; gives findings; reads nothing else, and never the network.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factory.dimensions import DIMENSION_NAMES
from factory.documents import Document, scan_yaml
from factory.odcs.lint.codes import HINTS
from factory.odcs.lint.people import people_faults
from factory.odcs.lint.quality import quality_faults
from factory.odcs.lint.structure import structure_faults
from factory.odcs.lint.terms import terms_faults
from factory.odcs.lint.types import type_faults
from factory.odcs.lint.walk import Table, Values, tables, text
from factory.standards import ODCS_SCHEMAS, Fault, nearest, odcs_faults

#: So many findings of one file are told; a file with more has one cause.
MOST_FINDINGS = 500

#: Messages and hints are so many characters at most.
LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True, order=True)
class LintFinding:
    """What is wrong at one place of a contract file.

    Attributes:
        file: as it was named.
        line, column: from 1.
        code: the kind of fault, one of `CODES`.
        severity: error or warning.
        message: what is wrong.
        hint: what to do, or empty.
    """

    file: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    hint: str


def lint_file(file: Path) -> tuple[LintFinding, ...]:
    """Return what is wrong with a file; it may hold several documents."""
    scan = scan_yaml(file)
    name = file.as_posix()
    in_part = is_part(file)
    found = [
        LintFinding(
            name,
            max(e.line, 1),
            max(e.column, 1),
            e.code,
            "error",
            e.message,
            e.hint or HINTS.get(e.code, ""),
        )
        for e in scan.faults
    ]
    for document in scan.documents:
        found += _of_document(document, name, in_part=in_part)
    if not scan.documents and not scan.faults:
        found.append(
            LintFinding(
                name, 1, 1, "not-a-contract", "error", "the file is empty", "start with `apiVersion:`"
            )
        )
    unique = sorted(set(found), key=lambda f: (f.line, f.column, f.severity, f.code, f.message))
    if len(unique) > MOST_FINDINGS:
        rest = len(unique) - MOST_FINDINGS
        last = unique[MOST_FINDINGS]
        more = replace(last, message=f"and {rest:,} more findings in this file", hint="mend these first")
        unique = [*unique[:MOST_FINDINGS], more]
    return tuple(unique)


def is_part(file: Path) -> bool:
    """Say whether a file is the hand-kept part of a product's contract: what dbt knows is left out there."""
    folder = file.absolute().parent
    return folder.name == "contracts" and (folder.parent / "product.odps.yaml").is_file()


# What can only be judged of a whole contract: what a hand-kept part leaves out is derived later.
_OF_THE_WHOLE = {"no-logical-type", "key-position", "unresolved-reference", "no-status"}


def _of_document(document: Document, name: str, *, in_part: bool) -> Iterator[LintFinding]:
    data = document.data
    if in_part and isinstance(data, dict):
        data = {"id": "derived", **data}
    for fault in contract_faults(data):
        if in_part and fault.code in _OF_THE_WHOLE:
            continue
        line, column = document.place(*fault.path)
        hint = fault.hint or HINTS.get(fault.code, "")
        message, hint = _clipped(fault.message), _clipped(hint)
        yield LintFinding(name, line, column, fault.code, fault.severity, message, hint)


def _clipped(words: str) -> str:
    """Return a message without the most of a value that somebody made very long."""
    return words if len(words) <= LONGEST_MESSAGE else words[: LONGEST_MESSAGE - 1] + "…"


def contract_faults(data: Any) -> tuple[Fault, ...]:
    """Return what is wrong with the values of a contract, by its own version of ODCS and beyond its schema."""
    if not isinstance(data, dict):
        hint = "start with `apiVersion:` and `kind:`"
        return (Fault((), "the document holds no mapping", hint, code="not-a-contract"),)
    version = data.get("apiVersion")
    if not isinstance(version, str) or version not in ODCS_SCHEMAS:
        return _other_dialect(data, version)
    faults = [_as_prose_has_it(fault, data) for fault in odcs_faults(data, version)]
    found = tables(data)
    for rules in (structure_faults, quality_faults, type_faults, people_faults, terms_faults):
        faults += itertools.islice(rules(data, found), MOST_FINDINGS)
    if version == "v3.2.0":
        faults += _untyped(found)
    told = {(fault.path, fault.code) for fault in faults if fault.severity == "error"}
    # What the schema and a rule both see is told once.
    return tuple(
        fault
        for fault in dict.fromkeys(faults)
        if fault.severity == "error" or (fault.path, fault.code) not in told
    )


def _as_prose_has_it(fault: Fault, data: Values) -> Fault:
    """Return a fault by the schema as the standard's text and its examples have it.

    They permit short names of dimensions; and in 3.0 an exclusive bound that is a value, as it is since 3.1, and a
    comment on a member of the team.
    """
    last = fault.path[-1] if fault.path else ""
    if text(data, "apiVersion").startswith("v3.0"):
        if last in ("exclusiveMinimum", "exclusiveMaximum") and fault.code == "wrong-type":
            return replace(
                fault, severity="warning", hint="the schema of 3.0 wants true or false; 3.1 wants this"
            )
        if last == "comment" and fault.path[0] == "team":
            return replace(fault, severity="warning", hint="write it as `description`")
    if last != "dimension":
        return fault
    value: Any = data
    for step in fault.path:
        value = value[step]
    if str(value).lower() not in DIMENSION_NAMES:
        return fault
    hint = f"write {DIMENSION_NAMES[str(value).lower()]!r}: the standard's JSON schema refuses the short name"
    return replace(fault, code="dimension-synonym", severity="warning", hint=hint)


def _untyped(found: tuple[Table, ...]) -> Iterator[Fault]:
    for table in found:
        for column in table.columns:
            if "logicalType" not in column.data:
                name = f"{table.name}.{column.name}"
                message = f"{name} has no logicalType; the JSON schema of 3.2.0 takes such a column for a map"
                hint = "add logicalType, so that other tools take the file"
                yield Fault(column.path, message, hint, code="no-logical-type", severity="warning")


def _other_dialect(data: Values, version: Any) -> tuple[Fault, ...]:
    """Return why a document is no ODCS of today, and what it is instead."""
    from factory.odcs.convert import dialect_of

    known = ", ".join(each[1:] for each in ODCS_SCHEMAS)
    convert = "convert it with `factory contract import`"
    named = {"odcs-2.2": "ODCS 2.2", "dcs": "the Data Contract Specification"}.get(dialect_of(data))
    if named:
        message = f"the document is of {named}; the linter reads ODCS {known}"
        where = next((k for k in ("apiVersion", "dataContractSpecification") if k in data), None)
        return (Fault((where,) if where else (), message, convert, code="other-dialect"),)
    if data.get("kind") == "DataProduct":
        message = "the document is a data product (ODPS) and no data contract"
        return (Fault(("kind",), message, "name the contracts of the product", code="not-a-contract"),)
    if version is None:
        message = "apiVersion is missing, so nothing says which version of ODCS this is"
        near = nearest("apiVersion", data)
        hint = f"is it meant by {near!r}?" if near else "add `apiVersion: v3.2.0`"
        return (Fault((), message, hint, code="wrong-api-version"), *_as_newest(data))
    near = nearest(str(version), ODCS_SCHEMAS)
    hint = f"did you mean {near!r}?" if near else f"versions of ODCS: {known}"
    message = f"apiVersion {version!r} is no version of ODCS"
    return (Fault(("apiVersion",), message, hint, code="wrong-api-version"), *_as_newest(data))


def _as_newest(data: Values) -> tuple[Fault, ...]:
    """Return the other faults of a contract whose version is unknown, by the version that has the fewest."""
    if data.get("kind") != "DataContract":
        return ()
    versions = reversed(ODCS_SCHEMAS)
    likely = min(versions, key=lambda version: len(odcs_faults({**data, "apiVersion": version}, version)))
    return contract_faults({**data, "apiVersion": likely})
