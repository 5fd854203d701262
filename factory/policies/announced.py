"""That consumers hear of what goes before it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from factory.contract import Contract, version_key
from factory.evidence import Evidence, Finding, Severity
from factory.notices import marks_of, notices_of, version_before


def announced(evidence: Evidence) -> Iterator[Finding]:
    """A column or table is published as deprecated, with its successor, before it goes.

    Advice for one that goes without having been marked, even in a new major (unless the old one stays beside it); for
    a mark that names no successor, or one that is not there; and whom a publication tells of what it deprecates. The
    mark is `deprecated: true` in the contract, or `meta: {deprecated: true, successor: ...}` in dbt, where a date may
    stand in place of `true`.
    """
    if any(run.status not in ("success", "pass", "no-op") for run in evidence.runs):
        return  # what was not built says nothing about what is promised
    for contract in evidence.contracts:
        yield from _gone(contract, evidence)
        yield from _successors(contract, evidence)
    yield from _telling(evidence)


def _gone(contract: Contract, evidence: Evidence) -> Iterator[Finding]:
    """Yield what a published version has and this one has not, without a mark before."""
    published = evidence.previous.get(contract.name, ())
    same = next((p for p in published if p.version == contract.version), None)
    before = same or version_before(contract, published)
    if before is None:
        return
    major = version_key(before.version)[0]
    if major != contract.major and any(
        other.name == contract.name and other.major == major for other in evidence.contracts
    ):
        return  # the old major stays beside this one, so nothing goes
    marked = {mark.name.lower() for mark in marks_of(before.data)}
    now = _columns(contract.data)
    for key, (table, columns) in _columns(before.data).items():
        if key not in now:
            gone = [] if table.lower() in marked else [table]
        else:
            gone = [
                f"{table}.{name}"
                for low, name in columns.items()
                if low not in now[key][1] and not {table.lower(), f"{table}.{name}".lower()} & marked
            ]
        for name in gone:
            yield Finding(
                "announced",
                Severity.ADVISES,
                f"{name} of {contract.name} {before.version} goes without notice: it was never published as deprecated",
                _file(contract, evidence),
                "mark it deprecated first, with its successor, and publish that; then remove it in a new major",
            )


def _columns(document: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        str(table["name"]).lower(): (
            str(table["name"]),
            {str(c["name"]).lower(): str(c["name"]) for c in table.get("properties") or ()},
        )
        for table in document.get("schema") or ()
    }


def _successors(contract: Contract, evidence: Evidence) -> Iterator[Finding]:
    tables = _columns(contract.data)
    known = {name for _, columns in tables.values() for name in columns} | set(tables)
    known |= {f"{table}.{name}" for table, (_, columns) in tables.items() for name in columns}
    for mark in marks_of(contract.data):
        if not mark.successor:
            message = f"{mark.name} is deprecated, and no successor is named"
            hint = "write meta: {deprecated: true, successor: ...}, or the custom property `successor`"
        elif not re.search("[.:]", mark.successor) and mark.successor.lower() not in known:
            message = f"the successor {mark.successor!r} of {mark.name} is no column or table of the contract"
            hint = "name a column or table of the contract, or the address of another product's"
        else:
            continue
        yield Finding("announced", Severity.ADVISES, message, _file(contract, evidence), hint)


def _telling(evidence: Evidence) -> Iterator[Finding]:
    notices = notices_of(evidence)
    if not notices:
        return
    told = dict.fromkeys(consumer.words() for notice in notices for consumer in notice.consumers)
    whom = f"told with this version: {', '.join(told)}" if told else "nobody is known to read it"
    what = "; ".join(notice.words() for notice in notices)
    yield Finding("announced", Severity.ADVISES, f"{what}; {whom}", evidence.folder)


def _file(contract: Contract, evidence: Evidence) -> str:
    return evidence.place(f"contracts/{contract.promise.document.path.name}")
