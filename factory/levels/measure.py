"""Measure what a contract promises in `slaProperties`: a `Level` per entry, or per column that it names.

Takes a contract as values, what the line saw and the moment; gives levels, in the contract's order. Pure, and no
contract makes it fail: what cannot be understood or is not known is `not measured`, with the reason. Measured are
indicators (SLI); the contract's entries are objectives (SLO) of what was agreed (SLA): three things, kept apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from factory.levels.ages import age, latency, limit_of, retention
from factory.levels.dates import end_of_life, end_of_support, general_availability
from factory.levels.durations import Duration, rounded
from factory.levels.elements import AT_MOST, DATA_QUALITY, ELEMENTS, Element, element_for
from factory.levels.facts import Facts
from factory.levels.repairs import time_of_incidents
from factory.levels.rhythm import frequency, time_of_availability
from factory.levels.shares import availability, error_rate, throughput
from factory.levels.targets import OF_A_COLUMN, Place, Target, contract_key, targets_of
from factory.levels.values import Finding, Level, Verdict, found, unmeasured

_OF_A_CONTRACT: Mapping[str, Callable[[Target, Facts, datetime], Finding]] = {
    "availability": availability,
    "throughput": throughput,
    "errorRate": error_rate,
    "generalAvailability": general_availability,
    "endOfSupport": end_of_support,
    "endOfLife": end_of_life,
    "frequency": frequency,
    "timeOfAvailability": time_of_availability,
    "timeToDetect": time_of_incidents,
    "timeToNotify": time_of_incidents,
    "timeToRepair": time_of_incidents,
}
_OF_A_COLUMN: Mapping[str, Callable[[Target, Place | None, Facts, datetime], Finding]] = {
    "retention": retention,
    "latency": latency,
    "freshness": age,
    "timeliness": age,
}
#: What is measured without a promise, and in which unit.
_UNPROMISED = {
    "availability": "percent", "throughput": "rows/s", "errorRate": "percent", "frequency": "d", "timeToDetect": "h",
    "timeToNotify": "h", "timeToRepair": "h",
}  # fmt: skip


def measure(
    contract: Mapping[str, Any], facts: Facts, now: datetime, elements: Iterable[Element] = ELEMENTS
) -> tuple[Level, ...]:
    """Return the service levels of a contract: what is promised, what was measured, and the verdict.

    `now` without a time zone is UTC. Levels of a column are measured for each column that they name; all others
    once per entry. What is promised nothing of (`-1`, `As needed`) is not measured and cannot be breached.
    """
    elements = tuple(elements)
    moment = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
    targets = targets_of(contract, elements)
    seldom = _seldom(targets, facts)
    return tuple(
        level for target in targets for level in _levels(target, facts, moment, elements, seldom=seldom)
    )


def indicators(
    contract: Mapping[str, Any], facts: Facts, now: datetime, elements: Iterable[Element] = ELEMENTS
) -> tuple[Level, ...]:
    """Return what was measured though the contract promises nothing of it: indicators without an objective.

    These are availability, throughput, error rate, frequency and the times of incidents, where they are known. The
    verdict is `no target`. What the contract has an entry for, even `-1`, is not among them.
    """
    elements = tuple(elements)
    moment = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
    told = {target.name for target in targets_of(contract, elements)}
    known = []
    for name, unit in _UNPROMISED.items():
        if name in told:
            continue
        target = Target(contract_key(contract), name, value=1.0, unit=unit)
        finding = _OF_A_CONTRACT[name](target, facts, moment)
        if finding.measured is not None:
            reason = f"{finding.reason.partition('; promised ')[0]}; nothing is promised"
            finding = Finding(Verdict.NO_TARGET, finding.measured, finding.unit, reason)
            bare = replace(target, promised=False)
            known.append(_level(bare, element_for(name, elements), "", finding))
    return tuple(known)


def _levels(
    target: Target, facts: Facts, now: datetime, elements: tuple[Element, ...], *, seldom: Duration | None
) -> Iterator[Level]:
    element = element_for(target.name, elements)
    if not target.promised:
        reason = f"nothing is promised: {_words(target)}"
        yield _level(target, element, target.element(), Finding(Verdict.NO_TARGET, None, "", reason))
    elif target.fault:
        yield _level(target, element, target.element(), unmeasured(target.fault))
    elif target.name in OF_A_COLUMN:
        for place in target.places or (None,):
            finding = _OF_A_COLUMN[target.name](target, place, facts, now)
            yield _level(target, element, place.words() if place else "", finding)
    elif target.name == "timeOfAvailability" and seldom is not None:
        finding = unmeasured(f"no schedule says on which days, and it is updated every {seldom.words()} only")
        yield _level(target, element, target.element(), finding)
    elif target.name in _OF_A_CONTRACT:
        finding = _OF_A_CONTRACT[target.name](target, facts, now)
        yield _level(target, element, target.element(), finding)
    else:
        yield _level(target, element, target.element(), _of_a_check(target, element, facts))


def _of_a_check(target: Target, element: Element | None, facts: Facts) -> Finding:
    """Measure a team's own element, by the check that it names."""
    if element is None:
        return unmeasured("the factory has no measurement for it")
    if element.category == DATA_QUALITY and not element.check:
        return unmeasured("its checks measure it: see the rules of the contract")
    if not element.check:
        return unmeasured("the factory has no measurement for it: name a `check` in its element")
    value = facts.measurements.get(element.check)
    if value is None:
        return unmeasured(f"the check {element.check!r} has no value")
    if target.number is None:
        return unmeasured(f"{target.value!r} is no number")
    holds = value <= target.number if element.direction == AT_MOST else value >= target.number
    return found(holds, rounded(value), target.unit, f"measured by the check {element.check!r}")


def _seldom(targets: Iterable[Target], facts: Facts) -> Duration | None:
    """Return how often the data is updated, where that is less than daily and no schedule says when."""
    if facts.schedule:
        return None
    for target in targets:
        if target.name == "frequency" and target.promised and not target.fault and not target.schedule:
            limit = limit_of(target)
            if isinstance(limit, Duration) and limit.seconds > 86400:
                return limit
    return None


def _level(target: Target, element: Element | None, place: str, finding: Finding) -> Level:
    return Level(
        contract=target.contract,
        property=target.name,
        abbreviation=element.abbreviation if element else "",
        element=place,
        target=target.value if target.promised else None,
        unit=target.unit if target.promised else "",
        description=target.description,
        measured=finding.measured,
        measured_unit=finding.unit,
        verdict=finding.verdict,
        reason=finding.reason,
    )


def _words(target: Target) -> str:
    value = f"{target.value:g}" if target.number is not None else target.text
    return " ".join(part for part in (value, target.unit) if part)
