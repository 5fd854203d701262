"""How each element of the Data QoS table stands, by what a run record says.

Takes the rows `checks` and `levels` of a run record, of today or of old; gives a state per element. A check counts
for the element of its dimension, a level for that of its property.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from factory.levels.elements import DATA_QUALITY, ELEMENTS, Element, element_for


class State(enum.StrEnum):
    """How an element stands. Only `good` is good; what is not known is never good."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NOT_MEASURED = "not measured"
    NO_TARGET = "no target"


# The worst of an element's rows counts.
_WORST = (State.BAD, State.WARN, State.NOT_MEASURED, State.GOOD, State.NO_TARGET)
_OF_OUTCOMES = {
    "pass": State.GOOD,
    "warn": State.WARN,
    "fail": State.BAD,
    "error": State.BAD,
    "not run": State.NOT_MEASURED,
}
_OF_VERDICTS = {
    "met": State.GOOD,
    "breached": State.BAD,
    "not measured": State.NOT_MEASURED,
    "no target": State.NO_TARGET,
}


@dataclass(frozen=True, slots=True)
class ElementState:
    """How an element of the table stands.

    Attributes:
        element: the element.
        state: good, warn, bad, not measured, or no target where nothing is promised.
        counts: how many checks and levels are in each state.
        reasons: why it is not good, for people.
    """

    element: Element
    state: State
    counts: Mapping[State, int]
    reasons: tuple[str, ...] = ()


def element_states(
    elements: Iterable[Element] = ELEMENTS,
    check_rows: Iterable[Mapping[str, Any]] = (),
    level_rows: Iterable[Mapping[str, Any]] = (),
) -> tuple[ElementState, ...]:
    """Return the state of every element, in the order of the elements.

    A dimension of data quality without a check is `not measured`; a service level that the contract does not name
    has `no target`.
    """
    elements = tuple(elements)
    found: dict[str, list[tuple[State, str]]] = {element.abbreviation: [] for element in elements}
    dimensions = {e.name.lower(): e.abbreviation for e in elements if e.category == DATA_QUALITY}
    for row in check_rows:
        letters = dimensions.get(str(row.get("dimension") or "").lower())
        if letters:
            state = _OF_OUTCOMES.get(str(row.get("outcome")), State.NOT_MEASURED)
            found[letters].append((state, _reason(row, row.get("name") or row.get("key"))))
    for row in level_rows:
        element = element_for(str(row.get("property") or ""), elements)
        if element is not None:
            state = _OF_VERDICTS.get(str(row.get("verdict")), State.NOT_MEASURED)
            found[element.abbreviation].append((state, _reason(row, row.get("property"))))
    return tuple(_state(element, found[element.abbreviation]) for element in elements)


def _state(element: Element, rows: list[tuple[State, str]]) -> ElementState:
    counts = {state: number for state in State if (number := sum(each == state for each, _ in rows))}
    empty = State.NOT_MEASURED if element.category == DATA_QUALITY else State.NO_TARGET
    worst = next((state for state in _WORST if state in counts), empty)
    reasons = tuple(reason for state, reason in rows if state == worst and worst is not State.GOOD)
    return ElementState(element, worst, counts, reasons)


def _reason(row: Mapping[str, Any], name: Any) -> str:
    place = ".".join(str(row[key]) for key in ("table", "column") if row.get(key)) or str(
        row.get("element") or ""
    )
    reason = str(row.get("reason") or row.get("outcome") or row.get("verdict") or "")
    return ": ".join(part for part in (place, str(name or ""), reason) if part)
