"""Events: what happened to a product, as one sealed CloudEvents 1.0 JSON file each, added and never changed.

    registry/events/<domain>/<product>/<YYYYMMDDTHHMMSSffffff>-<kind>-<first 8 digits of the id>.json

The event is the fact: that a version is yanked, a product paused, or which version and snapshot are current, nothing
else says (see `standing`). A file per event merges in git without a conflict, and a crash loses none or leaves none
half. An event names the one before it (`previous`), so that one that is taken out from between is missed. Registries of
earlier versions have events by month (`events/<YYYY-MM>/`); they are listed, and say nothing of the standing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import folders_in, json_text, told_as, within
from factory.periods import moment_of
from factory.registry.seal import seal_fault, sealed, write_fact

EVENTS = "events"
TYPE_PREFIX = "org.dataproductfactory."
EVENT_NAME = re.compile(r"(\d{8}T\d{12})-([a-z][a-z-]*)-([0-9a-f]{8})\.json", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        id: unique for its source.
        kind: `published`, `yanked`, ...: the type without its prefix.
        source: the product's urn.
        subject: the urn of what it is about: the product, or one of its contracts.
        time: when, in UTC.
        data: what else there is to say.
        file: where it lies.
        value: the whole of it, as CloudEvents has it.
    """

    id: str
    kind: str
    source: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    file: Path
    value: Mapping[str, Any]


def events_folder(root: Path, domain: str, product: str) -> Path:
    """Return the folder with a product's events.

    Raises:
        OutsideError: the names lead out of the registry.

    """
    return within(root, EVENTS, domain, product)


def write_event(
    root: Path,
    source: str,
    kind: str,
    data: Mapping[str, Any],
    now: datetime,
    subject: str = "",
) -> Event:
    """Write an event of a product; its moment is `now`, or just after the product's newest event if that is later.

    Args:
        root: the registry's folder.
        source: the product's urn.
        kind: what happened, in lower case letters and hyphens.
        data: what else there is to say.
        now: when.
        subject: the urn of what it is about; the product if empty.

    Raises:
        RegistryError: it cannot be written.

    """
    _, _, domain, product = source.split(":")[:4]
    folder = events_folder(root, domain, product)
    with told_as(RegistryError, "writing an event", folder):
        names = _names(folder)
        before = _id_of(folder / names[-1]) if names else ""
        moment = now.astimezone(UTC)
        if names:
            moment = max(moment, _moment(names[-1]) + timedelta(microseconds=1))
        event = _event(source, kind, data, moment, subject, before)
        name = f"{moment:%Y%m%dT%H%M%S%f}-{kind}-{event['id'][:8]}.json"
        write_fact(folder / name, event)
    return event_of(sealed(event), folder / name)


def _event(
    source: str, kind: str, data: Mapping[str, Any], moment: datetime, subject: str, before: str
) -> dict[str, Any]:
    about = {"source": source, "kind": kind, "subject": subject or source, "time": moment.isoformat(),
             "data": dict(data), "previous": before}  # fmt: skip
    event = {
        "specversion": "1.0",
        "id": hashlib.sha256(json_text(about).encode("utf-8", "surrogatepass")).hexdigest()[:32],
        "source": source,
        "type": f"{TYPE_PREFIX}{kind}",
        "subject": subject or source,
        "time": moment.isoformat(),
        "datacontenttype": "application/json",
        "data": dict(data),
    }
    return {**event, "previous": before} if before else event


def event_of(value: Mapping[str, Any], file: Path) -> Event:
    """Return the event that values tell of.

    Raises:
        RegistryError: they are no event.

    """
    moment = moment_of(value.get("time"))
    if moment is None or value.get("specversion") != "1.0":
        raise unreadable(file, "it is no CloudEvents 1.0 event")
    try:
        return Event(
            id=str(value["id"]),
            kind=str(value["type"]).removeprefix(TYPE_PREFIX),
            source=str(value["source"]),
            subject=str(value.get("subject") or value["source"]),
            time=moment,
            data=dict(value.get("data") or {}),
            file=file,
            value=value,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(file, "it is no CloudEvents 1.0 event") from error


def read_event(file: Path) -> Event:
    """Return the event in a file, whose seal fits.

    Raises:
        RegistryError: it cannot be read, or is not as it was written.

    """
    with told_as(RegistryError, "reading an event", file):
        raw = file.read_bytes()
    fault = seal_fault(raw)
    if fault:
        raise unreadable(file, fault)
    return event_of(json.loads(raw), file)


def read_events(
    root: Path, domain: str, product: str, kinds: frozenset[str] = frozenset()
) -> tuple[Event, ...]:
    """Return a product's events, oldest first; of some kinds alone, if any are named.

    Raises:
        RegistryError: one cannot be read: what it says of the product's standing must not be passed over.

    """
    folder = events_folder(root, domain, product)
    return tuple(read_event(folder / name) for name in _names(folder) if not kinds or kind_of(name) in kinds)


def newest_of(root: Path, domain: str, product: str, kinds: frozenset[str]) -> Event | None:
    """Return the newest event of some kinds of a product, or None.

    Raises:
        RegistryError: it cannot be read.

    """
    folder = events_folder(root, domain, product)
    name = next((name for name in reversed(_names(folder)) if kind_of(name) in kinds), "")
    return read_event(folder / name) if name else None


def events_since(
    root: Path, moment: datetime, faults: list[RegistryError] | None = None
) -> tuple[Event, ...]:
    """Return the events of all products at or after a moment, oldest first, each id once.

    Those that cannot be read are added to `faults`.
    """
    told: list[RegistryError] = [] if faults is None else faults
    first = f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%f}"
    found: dict[tuple[str, str], Event] = {}
    for file in _files_since(root, first):
        try:
            event = read_event(file) if EVENT_NAME.fullmatch(file.name) else _old_event(file)
        except RegistryError as error:
            told.append(error)
            continue
        if event.time >= moment:
            found[event.source, event.id] = event
    return tuple(sorted(found.values(), key=lambda event: (event.time, event.file.name)))


def waiting_events(root: Path, since: str, reached: Mapping[str, str]) -> Iterator[tuple[str, list[Path]]]:
    """Yield the files of products' events behind a bookmark, in their order, by `domain/product`.

    Args:
        root: the registry's folder.
        since: the moment that counts for products without a bookmark, as events' names begin with it.
        reached: the name of the last file that is not wanted, by `domain/product`.

    """
    for folder in folders_in(root / EVENTS):
        for product in folders_in(folder) if not _MONTH.fullmatch(folder.name) else ():
            place = f"{folder.name}/{product.name}"
            names = [name for name in _names(product) if name > reached.get(place, since)]
            if names:
                yield place, [product / name for name in names]


def _files_since(root: Path, first: str) -> Iterator[Path]:
    for folder in folders_in(root / EVENTS):
        if _MONTH.fullmatch(folder.name):
            if folder.name >= f"{first[:4]}-{first[4:6]}":
                yield from sorted(f for f in folder.glob("*.json") if f.name[:15] >= first[:15])
            continue
        for product in folders_in(folder):
            yield from (product / name for name in _names(product) if name[:21] >= first)


def _old_event(file: Path) -> Event:
    with told_as(RegistryError, "reading an event", file):
        raw = file.read_bytes()
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise unreadable(file, "it is not JSON") from error
    return event_of(value if isinstance(value, dict) else {}, file)


def kind_of(name: str) -> str:
    """Return the kind of an event by its file's name; empty for any other file."""
    match = EVENT_NAME.fullmatch(name)
    return match[2] if match else ""


def unreadable(file: Path, reason: str) -> RegistryError:
    """Return the error for a fact that cannot be used."""
    return RegistryError(
        f"a fact of the registry cannot be used: {reason}",
        where=file,
        hint="restore it from git or a backup; see all that is wrong with: factory registry verify",
    )


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if EVENT_NAME.fullmatch(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _moment(name: str) -> datetime:
    return datetime.strptime(name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)


def _id_of(file: Path) -> str:
    """Return the id of an event, for the one that follows it; empty if it cannot be read, which `verify` tells."""
    try:
        return str(json.loads(file.read_bytes())["id"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
