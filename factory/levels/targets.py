"""What a contract promises in `slaProperties`, one `Target` per entry.

Takes a contract as values, which may be wrong in any way; gives targets. What cannot be understood is a target with
a fault, never an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from factory.levels.durations import Duration, duration_in
from factory.levels.elements import ELEMENTS, Element, canonical
from factory.odcs.compare import version_key

#: Levels of one column of a table: they are measured for each of their elements apart.
OF_A_COLUMN = ("retention", "latency", "freshness", "timeliness")
#: What stands as value or unit where nothing is promised.
NOTHING_PROMISED = (
    "as needed", "as-needed", "asneeded", "n/a", "na", "not applicable", "none", "best effort", "on request",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """What a service level is about: a table, and a column of it or nothing."""

    table: str
    column: str = ""

    def words(self) -> str:
        """Return `table.column`, or the table."""
        return f"{self.table}.{self.column}" if self.column else self.table


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of `slaProperties`.

    Attributes:
        contract: the contract, as `name/major`.
        name: the usual name of the service level.
        places: what it is about; empty for the whole contract.
        value: a number, a text (dates and times of day), or None where there is none.
        unit: as written, without blanks around it.
        extra: `valueExt`: the window that shares are counted over (`30 d`, `P30D`), or a time zone.
        description, driver: for people.
        schedule: a cron expression of its own, or empty.
        promised: False for `-1`, `As needed` and the like: nothing is promised.
        fault: why it cannot be understood, or empty.
    """

    contract: str
    name: str
    places: tuple[Place, ...] = ()
    value: float | str | None = None
    unit: str = ""
    extra: str = ""
    description: str = ""
    driver: str = ""
    schedule: str = ""
    promised: bool = True
    fault: str = ""

    @property
    def number(self) -> float | None:
        """The value as a number, or None."""
        return self.value if isinstance(self.value, float) else None

    @property
    def text(self) -> str:
        """The value as it was written, for texts."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def window(self) -> Duration | None:
        """The time that a share is counted over, where `valueExt` names one."""
        return duration_in(self.extra)

    def element(self) -> str:
        """Return what it is about as ODCS writes it."""
        return ",".join(place.words() for place in self.places)


def contract_key(contract: Mapping[str, Any]) -> str:
    """Return a contract as run records call it: `name/major`."""
    name = contract.get("name") or contract.get("dataProduct") or contract.get("id") or ""
    try:
        major = version_key(str(contract.get("version") or "0"))[0]
    except ValueError:
        major = 0
    return f"{name}/{major}"


def targets_of(contract: Mapping[str, Any], elements: Iterable[Element] = ELEMENTS) -> tuple[Target, ...]:
    """Return what a contract promises, in its order.

    An entry without `element` speaks of the whole contract. Only levels of a column (retention, latency, freshness,
    timeliness) take the contract's `slaDefaultElement`, or `slaDefaultColumn` as older contracts call it; without
    one, retention, freshness and timeliness take the columns that other levels of a column name.
    """
    elements = tuple(elements)
    key = contract_key(contract)
    default = contract.get("slaDefaultElement") or contract.get("slaDefaultColumn") or ""
    tables = _tables(contract)
    entries = contract.get("slaProperties")
    found: list[Target] = []
    for entry in entries if isinstance(entries, list | tuple) else ():
        if isinstance(entry, Mapping):
            found.append(_target(key, entry, default, tables, elements))
        else:
            found.append(Target(key, "", fault=f"the entry {str(entry)[:40]!r} is no mapping"))
    named = (p for target in found if target.name in OF_A_COLUMN for p in target.places if p.column)
    shared = tuple(dict.fromkeys(named))
    # A latency without a column has a meaning of its own: it is that of the sources.
    return tuple(
        replace(target, places=shared)
        if target.name in OF_A_COLUMN and target.name != "latency" and not target.places and not target.fault
        else target
        for target in found
    )


def time_columns(
    contract: Mapping[str, Any], elements: Iterable[Element] = ELEMENTS
) -> dict[str, tuple[str, ...]]:
    """Return the columns whose oldest and newest values service levels need, by table: what the probe looks at.

    Every table of the contract is there, with none where no service level needs one.
    """
    found: dict[str, list[str]] = {table: [] for table in _tables(contract)}
    for target in targets_of(contract, elements):
        for place in target.places if target.name in OF_A_COLUMN and target.promised else ():
            if place.column and place.column not in found.setdefault(place.table, []):
                found[place.table].append(place.column)
    return {table: tuple(columns) for table, columns in found.items()}


def _target(
    key: str,
    entry: Mapping[str, Any],
    default: Any,
    tables: Mapping[str, frozenset[str]],
    elements: tuple[Element, ...],
) -> Target:
    name = canonical(_text(entry.get("property")), elements)
    element = entry.get("element") or (default if name in OF_A_COLUMN else "")
    places, fault = _places(element, tables)
    value, unit = _value(entry.get("value")), _text(entry.get("unit"))
    if isinstance(value, str) and value.endswith("%") and not unit:
        number = _value(value.rstrip("% "))
        value, unit = (number, "%") if isinstance(number, float) else (value, unit)
    length = duration_in(value) if isinstance(value, str) and not unit else None
    if length is not None:
        value, unit = float(length.amount), length.unit
    schedule = _text(entry.get("schedule"))
    promised = not (value == -1 or unit.lower() in NOTHING_PROMISED or _folded(value) in NOTHING_PROMISED)
    if not name:
        fault = "the entry names no property"
    elif value is None and not schedule and not fault:
        fault = (
            f"the value {str(entry.get('value'))[:40]!r} cannot be read" if "value" in entry else "no value"
        )
    elif isinstance(value, float) and value < 0 and promised:
        fault = f"{value:g} is below zero"
    return Target(
        contract=key,
        name=name,
        places=places,
        value=value,
        unit=unit,
        extra=_text(entry.get("valueExt")),
        description=_text(entry.get("description")),
        driver=_text(entry.get("driver")),
        schedule=schedule,
        promised=promised,
        fault=fault if promised else "",
    )


def _value(value: Any) -> float | str | None:
    """Return a value as a finite number or a text; None for what is neither."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return value.strip() or None if isinstance(value, str) else None
    if math.isfinite(number):
        return number
    return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _folded(value: float | str | None) -> str:
    return value.lower() if isinstance(value, str) else ""


def _tables(contract: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the names of columns, in lower case, by table."""
    found: dict[str, frozenset[str]] = {}
    for table in _mappings(contract.get("schema")):
        name = _text(table.get("name"))
        if name:
            columns = (_text(column.get("name")).lower() for column in _mappings(table.get("properties")))
            found[name] = frozenset(columns)
    return found


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, Mapping))


def _places(element: Any, tables: Mapping[str, frozenset[str]]) -> tuple[tuple[Place, ...], str]:
    """Return what an entry is about, and what is wrong with that."""
    parts = element if isinstance(element, list | tuple) else str(element).split(",")
    found, fault = [], ""
    for part in (_text(each) for each in parts):
        if not part:
            continue
        place = _place(part, tables)
        if place is None:
            fault = fault or f"{part[:80]!r} is no table or column of the contract"
        elif place not in found:
            found.append(place)
    return tuple(found), fault


def _place(text: str, tables: Mapping[str, frozenset[str]]) -> Place | None:
    """Return the table and column that a text names; the table may be left out where only one is meant."""
    folded = {name.lower(): name for name in tables}
    head, _, rest = text.partition(".")
    if text.lower() in folded:
        return Place(folded[text.lower()])
    if head.lower() in folded and rest:
        return Place(folded[head.lower()], rest)
    having = [name for name, columns in tables.items() if text.lower() in columns]
    if len(having) == 1:
        return Place(having[0], text)
    if len(tables) == 1:
        return Place(next(iter(tables)), text)
    if not tables and head:
        return Place(head, rest)
    return None
