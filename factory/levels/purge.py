"""What retention asks to purge: which rows are kept for longer than promised (SLA-7).

Takes a contract, what the line saw and the moment; gives a `Purge` per column whose oldest row is too old. It is a
plan and nothing more: nothing is deleted, since history and the law may ask to keep what one promise lets go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from factory.levels.ages import limit_of, retention, span_of
from factory.levels.elements import ELEMENTS, Element
from factory.levels.facts import Facts
from factory.levels.targets import targets_of
from factory.levels.values import Verdict
from factory.tables import literal, quoted


@dataclass(frozen=True, slots=True)
class Purge:
    """Rows that retention asks to purge.

    Attributes:
        contract: the contract, as `name/major`.
        table, column: the table, and the column that says from when a row is.
        before: rows from before this day are older than promised.
        oldest: the day of the oldest row.
        promise: for how long rows are kept, for people.
        driver: why, as the contract says: regulatory, analytics or operational; or empty.
        query: SQL that counts the rows.
    """

    contract: str
    table: str
    column: str
    before: date
    oldest: date
    promise: str
    driver: str
    query: str


def purges(
    contract: Mapping[str, Any], facts: Facts, now: datetime, elements: Iterable[Element] = ELEMENTS
) -> tuple[Purge, ...]:
    """Return what the retentions of a contract ask to purge, in their order; nothing where none is breached."""
    moment = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
    plan = []
    for target in targets_of(contract, elements):
        limit = limit_of(target)
        if target.name != "retention" or not target.promised or target.fault or isinstance(limit, str):
            continue
        for place in target.places:
            span = span_of(target, place, facts)
            if isinstance(span, str) or span.oldest is None:
                continue
            if retention(target, place, facts, moment).verdict is not Verdict.BREACHED:
                continue
            before = limit.before(moment).date()
            forms = {"year": "%Y", "month": "%Y-%m"}
            first = literal(before.strftime(forms.get(span.precision, "%Y-%m-%d")))
            query = f"select count(*) from {quoted(place.table)} where {quoted(place.column)} < {first}"  # noqa: S608
            plan.append(
                Purge(
                    contract=target.contract,
                    table=place.table,
                    column=place.column,
                    before=before,
                    oldest=span.oldest.date(),
                    promise=limit.words(),
                    driver=target.driver,
                    query=query,
                )
            )
    return tuple(plan)
