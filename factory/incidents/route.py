"""Who is told of an incident, and by when: `notify.yml` of the product, and the workspace's first line.

Takes a product and the settings; gives a `NotifyStandard`, and from it a `Route`; reads `notify.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from factory.documents import Document, read_yaml
from factory.errors import FactoryError, ProductError
from factory.incidents.values import SEVERITIES, Route
from factory.periods import period_of
from factory.products import Product
from factory.standards import nearest
from factory.workspace import Settings

NOTIFY_FILE = "notify.yml"
RUNBOOK = Path("docs/runbook.md")

_KEYS = ("severities", "first_line", "second_line")
_TERM_KEYS = ("severity", "meaning", "notify", "notify_within", "repair_within")
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
_TIME = re.compile(r"T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?")


@dataclass(frozen=True, slots=True)
class Terms:
    """What `notify.yml` says of one severity; periods are ISO 8601, or empty."""

    meaning: str = ""
    notify: tuple[str, ...] = ()
    notify_within: str = ""
    repair_within: str = ""


@dataclass(frozen=True, slots=True)
class NotifyStandard:
    """How a product's team is told of faults.

    Attributes:
        terms: what is said of each severity.
        first_line, second_line: who is told first and next, whatever the severity; empty where it is not said.
        otherwise: who is told of a severity that nothing is said of: the owner and the support channels.
    """

    terms: Mapping[str, Terms] = field(default_factory=dict)
    first_line: tuple[str, ...] = ()
    second_line: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()

    def route(self, severity: str, opened: datetime) -> Route:
        """Return who is told of an incident, and by when.

        The first line is the platform team where the product or the workspace names one, and the domain team is the
        second; else the domain team is the first, and there is no second.
        """
        terms = self.terms.get(severity, Terms())
        domain_team = terms.notify or self.otherwise
        return Route(
            first_line=self.first_line or domain_team,
            second_line=self.second_line or (domain_team if self.first_line else ()),
            meaning=terms.meaning,
            notify_by=later(opened, terms.notify_within) if terms.notify_within else None,
            repair_by=later(opened, terms.repair_within) if terms.repair_within else None,
        )


def is_address(text: str) -> bool:
    """Say whether a text is a mail address."""
    return _ADDRESS.fullmatch(text) is not None


def later(moment: datetime, period: str) -> datetime:
    """Return the moment that lies an ISO 8601 period later, such as `PT1H`, `P1D` or `P1DT12H`.

    Raises:
        ValueError: the text is no such period.

    """
    text = period.strip()
    days, mark, _ = text.partition("T")
    hours = _TIME.fullmatch(text[len(days) :]) if mark else None
    if mark and not hours:
        raise ValueError(f"{period!r} is no period")
    if days != "P" or not mark:
        day = period_of(days).after(moment.date())
        moment = datetime.combine(day, moment.timetz())
    if hours:
        count = [int(part or 0) for part in hours.groups()]
        try:
            moment += timedelta(hours=count[0], minutes=count[1], seconds=count[2])
        except OverflowError:
            raise ValueError(f"{period!r} is too long") from None
    return moment


def read_notify(product: Product, settings: Settings) -> NotifyStandard:
    """Return how a product's team is told of faults.

    Raises:
        ProductError: `notify.yml` is wrong.
        DocumentError: it cannot be read.

    """
    channels = _support(product)
    otherwise = tuple(dict.fromkeys(filter(None, (product.owner, *channels))))
    first_line = (settings.first_line,) if settings.first_line else ()
    file = product.folder / NOTIFY_FILE
    if not file.is_file():
        return NotifyStandard(first_line=first_line, otherwise=otherwise)
    document = read_yaml(file)
    if document.data is None:  # an empty file says nothing
        return NotifyStandard(first_line=first_line, otherwise=otherwise)
    reader = _Reader(document, {*otherwise, *settings.channels, *first_line, *_team(product)})
    return reader.standard(first_line, otherwise)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one file; knows whom it may name beside mail addresses."""

    document: Document
    known: Collection[str]

    def wrong(self, message: str, hint: str, *keys: str | int) -> FactoryError:
        return ProductError(
            message, where=self.document.path, line=self.document.line(*keys) if keys else 1, hint=hint
        )

    def standard(self, first_line: tuple[str, ...], otherwise: tuple[str, ...]) -> NotifyStandard:
        data = self.table(self.document.data, _KEYS)
        entries = data.get("severities") or []
        if not isinstance(entries, list):
            raise self.wrong("`severities` is no list", "write an entry per severity", "severities")
        terms: dict[str, Terms] = {}
        for place, entry in enumerate(entries):
            severity, found = self.terms(entry, place)
            if severity in terms:
                hint = "keep one entry per severity"
                raise self.wrong(f"the severity {severity!r} is there twice", hint, "severities", place)
            terms[severity] = found
        return NotifyStandard(
            terms,
            self.people(data.get("first_line"), "first_line") or first_line,
            self.people(data.get("second_line"), "second_line"),
            otherwise,
        )

    def terms(self, entry: Any, place: int) -> tuple[str, Terms]:
        at = ("severities", place)
        data = self.table(entry, _TERM_KEYS, *at)
        severity = data.get("severity")
        if severity not in SEVERITIES:
            near = nearest(str(severity), SEVERITIES) if severity else ""
            hint = f"did you mean {near!r}?" if near else f"use one of {', '.join(SEVERITIES)}"
            message = f"{severity!r} is no severity" if severity else "an entry has no severity"
            raise self.wrong(message, hint, *at, *(("severity",) if severity else ()))
        found = Terms(
            meaning=" ".join(str(data.get("meaning") or "").split()),
            notify=self.people(data.get("notify"), *at, "notify"),
            notify_within=self.period(data, "notify_within", *at),
            repair_within=self.period(data, "repair_within", *at),
        )
        return str(severity), found

    def table(self, data: Any, keys: Collection[str], *at: str | int) -> Mapping[str, Any]:
        """Return a mapping that has no other than these keys."""
        if not isinstance(data, dict):
            raise self.wrong("this is no mapping", f"write {', '.join(keys)}", *at)
        for key in data:
            if key not in keys:
                near = nearest(str(key), keys)
                hint = f"did you mean {near!r}?" if near else f"known keys: {', '.join(keys)}"
                raise self.wrong(f"{NOTIFY_FILE} has no key {key!r} here", hint, *at, key)
        return data

    def period(self, data: Mapping[str, Any], key: str, *at: str | int) -> str:
        value = data.get(key)
        if value is None:
            return ""
        try:
            later(datetime(2000, 1, 1), str(value))  # noqa: DTZ001  (any day serves to try a period)
        except ValueError as error:
            hint = "write it by ISO 8601, such as PT1H for an hour or P3D for three days"
            raise self.wrong(f"{key}: {error}", hint, *at, key) from error
        return str(value).strip()

    def people(self, value: Any, *at: str | int) -> tuple[str, ...]:
        """Return whom a list names: mail addresses, and names that the product or the workspace knows."""
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.wrong(f"`{at[-1]}` is no list", "write a list of addresses and channels", *at)
        for place, entry in enumerate(value):
            if not isinstance(entry, str) or not (is_address(entry) or entry in self.known):
                near = nearest(str(entry), self.known)
                hint = (
                    f"did you mean {near!r}?"
                    if near
                    else "name a mail address, a support channel of product.odps.yaml, or one of "
                    "[tool.factory.channels]"
                )
                raise self.wrong(f"nobody knows who {entry!r} is", hint, *at, place)
        return tuple(dict.fromkeys(value))


def _support(product: Product) -> list[str]:
    entries = product.descriptor.get("support")
    found = [e.get("channel") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [str(channel) for channel in found if channel]


def _team(product: Product) -> set[str]:
    return {*(m.username for m in product.members if not m.date_out), *filter(None, (product.team,))}


def runbook_of(product: Product) -> Path | None:
    """Return the product's runbook, or None if it has none."""
    file = product.folder / RUNBOOK
    return file if file.is_file() else None


def addresses_of_channels(product: Product) -> dict[str, str]:
    """Return where people find each support channel of a product; empty where the product does not say."""
    entries = product.descriptor.get("support")
    listed = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return {str(e["channel"]): str(e.get("url") or "") for e in listed if e.get("channel")}
