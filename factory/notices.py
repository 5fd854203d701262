"""What a product newly announces to those who read it: deprecated columns and tables, and majors that are to go.

Takes the evidence; gives a `Notice` per thing that the next publication deprecates. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from factory.contract import Contract, version_key
from factory.evidence import Evidence, Published
from factory.lifecycle import ANNOUNCING, Consumer, life_of
from factory.odcs.lint.people import day_of


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is announced by a publication.

    Attributes:
        contract, version: the contract version that announces it.
        kind: column-deprecated, table-deprecated, major-deprecated, major-retired or major-superseded.
        subject: what goes: a table, `table.column`, or the contract with its major, such as `shop 1.x`.
        successor: what takes its place, or empty.
        gone_from: the first day on which it may be gone (ISO 8601), or empty where none is said.
        tables: the tables that it touches.
        consumers: those who read these.
    """

    contract: str
    version: str
    kind: str
    subject: str
    successor: str
    gone_from: str
    tables: tuple[str, ...]
    consumers: tuple[Consumer, ...]

    def words(self) -> str:
        """Return the notice for people."""
        use = f" (use {self.successor})" if self.successor else ""
        return f"{self.subject} is {self.kind.partition('-')[2]}{use}"

    def values(self) -> dict[str, Any]:
        """Return the notice for programs."""
        return {
            "contract": self.contract,
            "version": self.version,
            "kind": self.kind,
            "subject": self.subject,
            "successor": self.successor,
            "gone_from": self.gone_from,
            "consumers": [{"name": c.name, "contact": c.contact, "how": c.how} for c in self.consumers],
        }


@dataclass(frozen=True, slots=True)
class Mark:
    """A deprecated table or column of a contract.

    Attributes:
        table, column: which; no column for a table.
        successor: what takes its place, or empty.
        date: the day from which it may be gone, as it is written, or empty.
    """

    table: str
    column: str
    successor: str
    date: str

    @property
    def name(self) -> str:
        """The table, or `table.column`."""
        return f"{self.table}.{self.column}" if self.column else self.table


def marks_of(document: Mapping[str, Any]) -> tuple[Mark, ...]:
    """Return what a contract marks as deprecated."""
    found = []
    for table in document.get("schema") or ():
        for column in ({}, *(table.get("properties") or ())):
            holder = column or table
            if holder.get("deprecated") is True:
                facts = {e.get("property"): e.get("value") for e in holder.get("customProperties") or ()}
                found.append(
                    Mark(
                        str(table["name"]),
                        str(column.get("name", "")),
                        str(facts.get("successor") or ""),
                        _day(facts.get("deprecationDate")),
                    )
                )
    return tuple(found)


def _day(value: Any) -> str:
    """Return the day of a date or time; what is neither stays as it is written."""
    found = day_of(str(value)) if value else None
    return found.isoformat() if found else str(value or "")


def notices_of(evidence: Evidence) -> tuple[Notice, ...]:
    """Return what the contract versions that are not published yet announce for the first time."""
    found: list[Notice] = []
    for contract in evidence.contracts:
        published = evidence.previous.get(contract.name, ())
        before = version_before(contract, published)
        if before is None or any(p.version == contract.version for p in published):
            continue
        found += _marked(contract, before, evidence)
        found += _majors(contract, before, evidence)
    return tuple(found)


def version_before(contract: Contract, published: tuple[Published, ...]) -> Published | None:
    """Return the published version that a contract follows: the newest below it, of its major if there is one."""
    older = [p for p in published if version_key(p.version) < version_key(contract.version)]
    return max(older, key=lambda p: version_key(p.version), default=None)


def _marked(contract: Contract, before: Published, evidence: Evidence) -> Iterator[Notice]:
    known = {mark.name.lower() for mark in marks_of(before.data)}
    there = {name.lower() for name in _names(before.data)}
    for mark in marks_of(contract.data):
        if mark.name.lower() in known or mark.name.lower() not in there:
            continue
        kind = "column-deprecated" if mark.column else "table-deprecated"
        yield _notice(contract, kind, (mark.name, mark.successor, mark.date), (mark.table,), evidence)


def _names(document: Mapping[str, Any]) -> Iterator[str]:
    for table in document.get("schema") or ():
        yield str(table["name"])
        for column in table.get("properties") or ():
            yield f"{table['name']}.{column['name']}"


def _majors(contract: Contract, before: Published, evidence: Evidence) -> Iterator[Notice]:
    """Yield that a major is deprecated or retired, or that the one before it has a successor now."""
    old = int(before.version.partition(".")[0])
    life = life_of(before.data, evidence.notice_period)
    same = old == contract.major
    kind = f"major-{contract.status}" if same else "major-superseded"
    said = str(before.data.get("status")) in ANNOUNCING
    if said or (same and contract.status not in ANNOUNCING) or life.is_closed(evidence.today):
        return
    now = life_of(contract.data, evidence.notice_period) if same else life
    gone = evidence.today if now.is_closed(evidence.today) else now.may_go(evidence.today)
    newer = [p for p in evidence.previous.get(contract.name, ()) if _major(p) > old]
    next_major = (
        max(newer, key=lambda p: version_key(p.version)).version if same and newer else contract.version
    )
    successor = "" if same and not newer else f"{contract.name} {next_major.partition('.')[0]}.x"
    tables = tuple(str(table["name"]) for table in before.data.get("schema") or ())
    yield _notice(contract, kind, (f"{contract.name} {old}.x", successor, gone.isoformat()), tables, evidence)


def _major(published: Published) -> int:
    return version_key(published.version)[0]


def _notice(
    contract: Contract,
    kind: str,
    about: tuple[str, str, str],
    tables: tuple[str, ...],
    evidence: Evidence,
) -> Notice:
    wanted = {table.lower() for table in tables}
    consumers = tuple(
        c for c in evidence.consumers if not c.tables or wanted & {table.lower() for table in c.tables}
    )
    return Notice(contract.name, contract.version, kind, *about, tables, consumers)
