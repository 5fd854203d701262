"""The terms of a contract: its version and status, its service levels, its dates."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from factory.documents import Path_
from factory.odcs.lint.people import day_of
from factory.odcs.lint.walk import Table, Values, is_number, items, text
from factory.standards import Fault, nearest

# Semantic Versioning 2.0.0, https://semver.org
_PRE = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = re.compile(
    rf"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-{_PRE}(\.{_PRE})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
STATUSES = ("proposed", "draft", "active", "deprecated", "retired")

#: Service levels that the standard's text names, with their short names.
SERVICE_LEVELS = {
    "availability": "av", "throughput": "th", "errorRate": "er", "generalAvailability": "ga", "endOfSupport": "es",
    "endOfLife": "el", "retention": "re", "frequency": "fy", "latency": "ly", "timeToDetect": "td",
    "timeToNotify": "tn", "timeToRepair": "tr", "timeOfAvailability": "", "freshness": "",
}  # fmt: skip
_DATED = ("generalAvailability", "endOfSupport", "endOfLife")
_DURATIONS = (
    "retention",
    "frequency",
    "latency",
    "freshness",
    "timeToDetect",
    "timeToNotify",
    "timeToRepair",
)
_SHARES = ("availability", "errorRate")

#: Seconds in a unit of time; months and years by the Gregorian mean.
UNITS = {
    "ms": 0.001, "millisecond": 0.001, "milliseconds": 0.001, "s": 1, "sec": 1, "second": 1, "seconds": 1, "min": 60,
    "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400,
    "days": 86400, "w": 604800, "week": 604800, "weeks": 604800, "mo": 2629746, "month": 2629746, "months": 2629746,
    "q": 7889238, "quarter": 7889238, "quarters": 7889238, "y": 31556952, "yr": 31556952, "year": 31556952,
    "years": 31556952,
}  # fmt: skip

_CURRENCY = re.compile(r"[A-Z]{3}")
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


def terms_faults(data: Values, found: tuple[Table, ...]) -> Iterator[Fault]:
    """Yield what is wrong with version, status, service levels, dates, price and locales."""
    version = data.get("version")
    if isinstance(version, str) and not _SEMVER.fullmatch(version):
        message = f"version: {version!r} is not a semantic version"
        yield Fault(("version",), message, "write three numbers, such as 1.0.0", code="not-semver")
    yield from _status(data)
    created = data.get("contractCreatedTs")
    if isinstance(created, str) and day_of(created) is None:
        message = f"contractCreatedTs: {created!r} is no date and time"
        hint = "write it by ISO 8601, such as 2024-01-31T12:00:00Z"
        yield Fault(("contractCreatedTs",), message, hint, code="wrong-date")
    for number, level in items(data, "slaProperties"):
        yield from _service_level(("slaProperties", number), level)
    yield from _dates_in_order(data)
    yield from _price(data)
    yield from _locales(found)
    if isinstance(data.get("team"), list) and text(data, "apiVersion") not in ("v3.0.0", "v3.0.1", "v3.0.2"):
        message = "team: the list form is deprecated since 3.1"
        hint = "write a mapping with `members:`"
        yield Fault(("team",), message, hint, code="deprecated-form", severity="warning")
    if "slaDefaultElement" in data and text(data, "apiVersion") not in ("v3.0.0", "v3.0.1", "v3.0.2"):
        message = "slaDefaultElement is deprecated since 3.1"
        hint = "write `element` into each service level"
        yield Fault(("slaDefaultElement",), message, hint, code="deprecated-form", severity="warning")


def _status(data: Values) -> Iterator[Fault]:
    status = data.get("status")
    if status is None:
        if text(data, "apiVersion") != "v3.2.0":
            return  # the schemas before 3.2.0 say so themselves
        message = "the document has no status, which the standard's text asks for"
        yield Fault((), message, "add `status: draft`, for example", code="no-status", severity="warning")
    elif isinstance(status, str) and status not in STATUSES:
        near = nearest(status, STATUSES)
        hint = f"did you mean {near!r}?" if near else f"the standard names {', '.join(STATUSES)}"
        message = f"status: {status!r} is not one that the standard names"
        yield Fault(("status",), message, hint, code="unusual-status", severity="warning")


def service_level(name: str) -> str:
    """Return the standard's name of a service level, whatever its case and whether it is the short one; or the name."""
    folded = name.lower()
    for known, short in SERVICE_LEVELS.items():
        if folded in (known.lower(), short):
            return known
    return name


def _service_level(path: Path_, level: Values) -> Iterator[Fault]:
    given = text(level, "property")
    name = service_level(given)
    value, unit = level.get("value"), level.get("unit")
    if name not in SERVICE_LEVELS:
        near = nearest(given, SERVICE_LEVELS)
        if near:
            message = f"{given!r} is no service level that the standard names"
            hint = f"did you mean {near!r}?"
            yield Fault((*path, "property"), message, hint, code="unusual-service-level", severity="warning")
        return
    if name in _DATED:
        if day_of(value) is None:
            message = f"{name}: {value!r} is no date"
            yield Fault((*path, "value"), message, "write it as 2024-01-31", code="wrong-date")
        return
    if is_undefined(level):
        return
    number = _number(value)
    if number is not None and number < 0:
        message = f"{name}: {value} is below zero"
        hint = "write -1 with a unit such as `As needed` where nothing is promised"
        yield Fault((*path, "value"), message, hint, code="out-of-range")
    if name in _DURATIONS and number is not None:
        yield from _duration_unit(path, name, unit)
    if name in _SHARES and number is not None:
        share = not isinstance(unit, str) or unit.lower() in ("%", "percent", "percentage")
        if share and number > 100:
            yield Fault((*path, "value"), f"{name}: {value} percent is more than 100", code="out-of-range")


def is_undefined(level: Values) -> bool:
    """Say whether a service level says that nothing is promised: the value -1, or a unit that is no unit."""
    return _number(level.get("value")) == -1


def _number(value: Any) -> float | None:
    if is_number(value):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value.rstrip("% "))
        except ValueError:
            return None
    return None


def _duration_unit(path: Path_, name: str, unit: Any) -> Iterator[Fault]:
    if unit is None:
        message = f"{name}: the value has no unit"
        yield Fault(path, message, "add `unit: d`, for example", code="wrong-unit", severity="warning")
    elif isinstance(unit, str) and unit.strip().lower() not in UNITS:
        near = nearest(unit, UNITS)
        hint = f"did you mean {near!r}?" if near else "use ms, s, min, h, d, w, mo or y"
        yield Fault((*path, "unit"), f"{name}: {unit!r} is no unit of time", hint, code="wrong-unit")


def _dates_in_order(data: Values) -> Iterator[Fault]:
    found: dict[tuple[str, str], tuple[date, Path_]] = {}
    for number, level in items(data, "slaProperties"):
        name, day = service_level(text(level, "property")), day_of(level.get("value"))
        if name in _DATED and day is not None:
            found[(name, str(level.get("element") or ""))] = (day, ("slaProperties", number, "value"))
    elements = {element for _, element in found}
    for element in sorted(elements):
        known = [(name, *found[(name, element)]) for name in _DATED if (name, element) in found]
        for (before, day, _), (after, later, path) in itertools.pairwise(known):
            if later < day:
                message = f"{after} is on {later}, before {before} on {day}"
                hint = "general availability comes first, then end of support, then end of life"
                yield Fault(path, message, hint, code="dates-in-disorder")


def _price(data: Values) -> Iterator[Fault]:
    price = data.get("price")
    if not isinstance(price, dict):
        return
    amount, currency = price.get("priceAmount"), price.get("priceCurrency")
    if is_number(amount) and amount < 0:
        yield Fault(("price", "priceAmount"), f"price: {amount} is below zero", code="out-of-range")
    if isinstance(currency, str) and not _CURRENCY.fullmatch(currency):
        message = f"price: {currency!r} is no currency code"
        hint = "write the three letters of ISO 4217, such as EUR"
        yield Fault(("price", "priceCurrency"), message, hint, code="wrong-form", severity="warning")


def _locales(found: tuple[Table, ...]) -> Iterator[Fault]:
    for table in found:
        places = [
            (table.path, table.data),
            *((c.path, c.data) for c in table.columns if "synonyms" in c.data),
        ]
        for path, place in places:
            for number, synonym in items(place, "synonyms"):
                locale = synonym.get("locale")
                if isinstance(locale, str) and not _LOCALE.fullmatch(locale):
                    message = f"{locale!r} is no locale"
                    hint = "write it by BCP 47, such as en or de-CH"
                    yield Fault((*path, "synonyms", number, "locale"), message, hint, code="wrong-form")
