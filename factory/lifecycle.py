"""The life of a contract: its stages, the dates that end them, and the notice before a major version may go.

Takes ODCS documents and a day; gives a `Life` and what follows from it. Pure: the day is always named by who asks.

The dates are those of the service levels `generalAvailability`, `endOfSupport` and `endOfLife` without an
`element`. The last day counts: a contract is supported on the day of its end of support, and lives on that of its
end of life.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from factory.build import Crossing
from factory.contract import Promise, version_key
from factory.odcs.lint.people import day_of
from factory.odcs.lint.terms import service_level
from factory.periods import Period, period_of

NOTICE_PERIOD = "P3M"
GENERAL_AVAILABILITY, END_OF_SUPPORT, END_OF_LIFE = "generalAvailability", "endOfSupport", "endOfLife"
_WORDS = {
    GENERAL_AVAILABILITY: "general availability",
    END_OF_SUPPORT: "end of support",
    END_OF_LIFE: "end of life",
}
#: Statuses that announce that a major version goes.
ANNOUNCING = ("deprecated", "retired")


class Stage(enum.StrEnum):
    """Where a contract is in its life."""

    PROPOSED = "proposed"
    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    OUT_OF_SUPPORT = "out of support"
    ENDED = "ended"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Life:
    """What a contract says of its own life.

    Attributes:
        status: proposed, draft, active, deprecated or retired.
        general_availability, end_of_support, end_of_life: days, or None.
        notice: how long a major version is kept after its end was announced.
    """

    status: str
    general_availability: date | None
    end_of_support: date | None
    end_of_life: date | None
    notice: Period

    def stage(self, day: date) -> Stage:
        """Return the stage on a day; what the dates say goes before the status, and `retired` before the dates."""
        if self.status == Stage.RETIRED:
            return Stage.RETIRED
        if self.end_of_life is not None and day > self.end_of_life:
            return Stage.ENDED
        if self.end_of_support is not None and day > self.end_of_support:
            return Stage.OUT_OF_SUPPORT
        return Stage(self.status) if self.status in set(Stage) else Stage.ACTIVE

    def is_closed(self, day: date) -> bool:
        """Say whether the port is closed: the contract is retired, or its end of life has passed."""
        return self.stage(day) in (Stage.ENDED, Stage.RETIRED)

    def may_go(self, announced: date) -> date:
        """Return the first day on which the major version may go, if its end was announced on a day."""
        end = self.notice.after(announced)
        if self.end_of_life is not None and self.end_of_life < date.max:
            end = min(end, self.end_of_life + timedelta(days=1))
        return end

    def dates(self) -> dict[str, str]:
        """Return the days that the contract names, by their names in ODCS."""
        named = {
            GENERAL_AVAILABILITY: self.general_availability,
            END_OF_SUPPORT: self.end_of_support,
            END_OF_LIFE: self.end_of_life,
        }
        return {name: day.isoformat() for name, day in named.items() if day is not None}

    def words(self, day: date) -> str:
        """Return the stage for people, with the dates that are to come: `active; end of life 2027-03-01, in 5 days`."""
        stage = self.stage(day)
        text = str(stage)
        if stage is Stage.ENDED:
            return f"{text}: end of life was {self.end_of_life}, the port is closed"
        if stage is Stage.RETIRED:
            return f"{text}: the port is closed"
        if stage is Stage.OUT_OF_SUPPORT:
            text += f" since {self.end_of_support}"
        coming = {name: date.fromisoformat(on) for name, on in self.dates().items()}
        parts = [f"{_WORDS[name]} {on}, {in_days(day, on)}" for name, on in coming.items() if on >= day]
        return "; ".join([text, *parts])


def in_days(day: date, to: date) -> str:
    """Return how far a day is for people: `today`, `in 1 day`, `in 12 days`, `12 days ago`."""
    count = (to - day).days
    unit = "day" if abs(count) == 1 else "days"
    return "today" if not count else f"in {count} {unit}" if count > 0 else f"{-count} {unit} ago"


def life_of(document: Mapping[str, Any], notice_period: str = NOTICE_PERIOD) -> Life:
    """Return the life of a contract; `notice_period` holds where it names none of its own (`noticePeriod`).

    What is no date and no period is passed over: `life_faults` tells it.
    """
    days = {name: day_of(level.get("value")) for name, level in _levels(document).items()}
    own = next((str(e["value"]) for _, e in _notice_entries(document)), notice_period)
    return Life(
        status=str(document.get("status") or "draft"),
        general_availability=days.get(GENERAL_AVAILABILITY),
        end_of_support=days.get(END_OF_SUPPORT),
        end_of_life=days.get(END_OF_LIFE),
        notice=_period(own) or _period(notice_period) or period_of(NOTICE_PERIOD),
    )


def life_of_promise(promise: Promise, notice_period: str = NOTICE_PERIOD) -> Life:
    """Return the life of a contract as its hand-kept part says."""
    return life_of({**promise.data, "status": promise.status}, notice_period)


def life_faults(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield what cannot be read as a date or a period: the path in the document, what is wrong, what to write."""
    for number, level in enumerate(document.get("slaProperties") or ()):
        name = service_level(str(level.get("property") or ""))
        if name in _WORDS and day_of(level.get("value")) is None:
            message = f"{_WORDS[name]}: {level.get('value')!r} is no date"
            yield ("slaProperties", number, "value"), message, "write it as 2027-01-31"
    for number, entry in _notice_entries(document):
        if _period(str(entry["value"])) is None:
            message = f"noticePeriod: {entry['value']!r} is no period"
            hint = "write years, months, weeks or days by ISO 8601, such as P3M or P90D"
            yield ("customProperties", number, "value"), message, hint


def _levels(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for level in document.get("slaProperties") or ():
        if not level.get("element"):
            found.setdefault(service_level(str(level.get("property") or "")), level)
    return {name: level for name, level in found.items() if name in _WORDS}


def _notice_entries(document: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, entry in enumerate(document.get("customProperties") or ()):
        if entry.get("property") == "noticePeriod":
            yield number, entry


def _period(text: str) -> Period | None:
    try:
        return period_of(text)
    except ValueError:
        return None


# Majors


@dataclass(frozen=True, slots=True)
class Edition:
    """A published version of a contract, as far as its major version's end goes.

    Attributes:
        version: its version.
        status: its status.
        published: the day of its first publication, or None where the registry does not know it.
    """

    version: str
    status: str
    published: date | None

    @property
    def major(self) -> int:
        """The version's first number."""
        return version_key(self.version)[0]


def announced_on(major: int, editions: Iterable[Edition]) -> date | None:
    """Return the day on which the end of a major version was announced, or None if it was not.

    That is the day of the first publication of a higher major, or of the version that said `deprecated` (or
    `retired`), whichever came first. A version that says `active` again takes the latter back.
    """
    editions = tuple(editions)
    days = [edition.published for edition in editions if edition.major > major]
    own = sorted(
        (e for e in editions if e.major == major), key=lambda e: version_key(e.version), reverse=True
    )
    for edition in own:
        if edition.status not in ANNOUNCING:
            break
        days.append(edition.published)
    return min((day for day in days if day is not None), default=None)


# Inputs and consumers


@dataclass(frozen=True, slots=True)
class Input:
    """An output port of another product that is read, with the life of its contract.

    Attributes:
        reader, file: the model that reads it, and its file below the reading product.
        product, table: what is read.
        contract, version: what promises it.
        life: the life of that contract.
    """

    reader: str
    file: str
    product: str
    table: str
    contract: str
    version: str
    life: Life


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who reads a product's ports.

    Attributes:
        name: a product, or who has access.
        contact: its owner, or empty.
        how: `reads it`, `has access` or `asks for access`.
        tables: the tables that it reads; empty means that any may be meant.
    """

    name: str
    contact: str
    how: str
    tables: tuple[str, ...] = ()

    def words(self) -> str:
        """Return who it is for people."""
        return f"{self.name} ({self.contact or self.how})"


def inputs_of(
    product: str,
    crossings: Iterable[Crossing],
    promises: Mapping[str, Iterable[Promise]],
    notice_period: str = NOTICE_PERIOD,
    recorded: Mapping[tuple[str, str, int], Life] = MappingProxyType({}),
) -> tuple[Input, ...]:
    """Return the ports that a product reads; `promises` are the hand-kept contracts of all products, by product.

    What a later record says of a contract (`recorded`, by product, contract and major) goes before its file. A table
    that several contracts cover is known by one that lives longest.
    """
    found = []
    for crossing in crossings:
        if crossing.product != product or crossing.upstream_access != "public":
            continue
        names = {crossing.upstream_table or crossing.upstream_name, crossing.upstream_name}
        exact = crossing.upstream_table or crossing.upstream_name
        known = tuple(promises.get(crossing.upstream, ()))
        covering = (
            [p for p in known if exact in p.tables]
            or [p for p in known if names & set(p.tables)]
            or [p for p in known if not p.tables]
        )
        if covering:
            lives = [
                (
                    recorded.get((crossing.upstream, promise.name, version_key(promise.version)[0]))
                    or life_of_promise(promise, notice_period),
                    promise,
                )
                for promise in covering
            ]
            life, promise = max(lives, key=lambda pair: _length(pair[0]))
            found.append(
                Input(crossing.name, crossing.file, crossing.upstream, exact, promise.name, promise.version, life)
            )  # fmt: skip
    return tuple(found)


def _length(life: Life) -> date:
    return date.min if life.status == Stage.RETIRED else life.end_of_life or date.max
