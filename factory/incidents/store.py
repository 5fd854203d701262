"""Incidents as files: a folder per incident, a file per fact, and no fact is ever rewritten.

    registry/incidents/<domain>/<product>/<id>/opened.json    the trouble, its cause, who is told
                                               notice.md      the notice for people
                                               notified.json  what arrived where; notified-2.json, ... for later tries
                                               worsened.json, acknowledged.json
                                               repaired.json, disproved.json, repaired-2.json, ...
                                               closed.json    when and why it was over
    registry/incidents/_unfinished/<domain>/<product>/<id>    an empty file: open, or somebody is still to be told

Whether an incident is open, its own folder says. The empty files only spare a run the walk over years of closed
ones: each is there before the first fact of its incident, and goes after the last, so a crash leaves one too many,
never one too few. Where the folder `_unfinished` is gone, as in a clone of a registry without open incidents, it is
made anew from the facts. Two branches that add facts merge without a conflict, and nothing is ever renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import folders_in, json_text, told_as, within, write_whole
from factory.incidents.facts import incident_from, opened_values, time_text, worsening_values
from factory.incidents.values import Delivery, Incident, Said, Worsening, clean

_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
_PART_OF_ID = re.compile(r"[0-9a-fT-]{4,24}")
_UNFINISHED = "_unfinished"  # no domain is called so: their names begin with a letter
_CLOSED = "closed.json"


class IncidentStore:
    """The incidents of one registry."""

    def __init__(self, root: Path) -> None:
        """Look after the incidents below a registry's folder."""
        self.root = root / "incidents"
        self._marks = self.root / _UNFINISHED

    # Reading

    def open_incidents(self, domain: str, product: str) -> tuple[Incident, ...]:
        """Return a product's open incidents, the oldest first."""
        return tuple(i for i in self.unfinished(domain, product) if i.is_open)

    def unfinished(self, domain: str, product: str) -> tuple[Incident, ...]:
        """Return a product's incidents that are open or of which somebody is still to be told, the oldest first."""
        if self._marks.is_dir():
            ids = _ids(within(self._marks, domain, product))
        else:
            ids = [
                i for i in _ids(within(self.root, domain, product)) if not self._is_closed(domain, product, i)
            ]
        return tuple(self._read_all(domain, product, ids))

    def products(self, *, unfinished: bool = True) -> tuple[tuple[str, str], ...]:
        """Return domain and name of every product that has incidents, or only of those with unfinished ones."""
        folder = self._marks if unfinished and self._marks.is_dir() else self.root
        return tuple(
            (domain.name, product.name)
            for domain in folders_in(folder)
            if domain.name != _UNFINISHED
            for product in folders_in(domain)
        )

    def open_of(self, names: Iterable[str]) -> tuple[Incident, ...]:
        """Return the open incidents of products by their names alone, whatever their domains."""
        domains = folders_in(self._marks if self._marks.is_dir() else self.root)
        return tuple(
            i for name in names for domain in domains for i in self.open_incidents(domain.name, name)
        )

    def all(self, domain: str, product: str, since: datetime | None = None) -> tuple[Incident, ...]:
        """Return a product's incidents, the oldest first: those opened since a moment, and all that are open."""
        first = f"{since.astimezone(UTC):%Y%m%dT%H%M%S}" if since else ""
        recent = {i for i in _ids(within(self.root, domain, product)) if i >= first}
        older = {i.id for i in self.open_incidents(domain, product)} if since else set()
        return tuple(self._read_all(domain, product, sorted(recent | older)))

    def find(self, part: str) -> Incident:
        """Return the incident with an id, or with a part of one that no other shares: its start, or its last digits.

        Raises:
            RegistryError: there is none, or there are several.

        """
        wanted = part.strip()
        found: list[Incident] = []
        if _PART_OF_ID.fullmatch(wanted):
            for domain, product in self.products(unfinished=False):
                for name in _ids(within(self.root, domain, product)):
                    if name.startswith(wanted) or name.partition("-")[2].startswith(wanted):
                        found += self._read_all(domain, product, [name])
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(sorted(i.id for i in found)[:4])
            raise RegistryError(
                f"{len(found)} incidents begin with {wanted!r}",
                hint=f"give more of the id: {names}{', ...' if len(found) > 4 else ''}",
            )
        raise RegistryError(
            f"there is no incident {clean(wanted, 60)!r}", hint="list them with: factory incidents --all"
        )

    def read(self, domain: str, product: str, name: str) -> Incident | None:
        """Return an incident, or None if it is not there or its opening cannot be read."""
        folder = self._folder(domain, product, name)
        facts: dict[str, Mapping[str, Any]] = {}
        with contextlib.suppress(OSError):
            for file in sorted(folder.iterdir()):
                if file.suffix == ".json" and not file.name.startswith("."):
                    value = _read_fact(file)
                    if value is not None:
                        facts[file.stem] = value
        return incident_from(name, facts)

    # Writing

    def open(self, incident: Incident) -> Incident:
        """Write a new incident; return it with the id that it has."""
        self._mend_marks()
        salt = 0
        name = new_id(incident, salt)
        while self._folder(incident.domain, incident.product, name).exists() and self._is_closed(
            incident.domain, incident.product, name
        ):
            salt += 1  # opened, closed and opened again within a second
            name = new_id(incident, salt)
        mark = self._mark(incident.domain, incident.product, name)
        with told_as(RegistryError, "noting an incident", mark):
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        self._fact(self._folder(incident.domain, incident.product, name), "opened", opened_values(incident))
        return self._again(incident, name)

    def worsen(self, incident: Incident, worsening: Worsening) -> Incident:
        """Note that a warning became an error."""
        return self._add(incident, "worsened", worsening_values(worsening))

    def acknowledge(self, incident: Incident, said: Said) -> Incident:
        """Note who has taken an incident on; the first who does stays."""
        return self._add(incident, "acknowledged", _said(said))

    def repair(self, incident: Incident, said: Said) -> Incident:
        """Note who says that it is repaired, unless that is said already and nothing has disproved it."""
        if incident.claim:
            return incident
        return self._add(incident, _numbered("repaired", len(incident.repairs) + 1), _said(said))

    def disprove(self, incident: Incident, now: datetime) -> Incident:
        """Note that a run found bad what was said to be repaired."""
        return self._add(incident, _numbered("disproved", len(incident.repairs)), {"at": time_text(now)})

    def close(self, incident: Incident, reason: str, now: datetime) -> Incident:
        """Note that an incident is over, and why."""
        return self._add(incident, "closed", {"at": time_text(now), "reason": clean(reason)})

    def deliver(self, incident: Incident, deliveries: Iterable[Delivery]) -> Incident:
        """Note which notices arrived where, and which did not."""
        listed = [
            {"at": time_text(d.at), "news": d.news, "channel": d.channel, "ok": d.ok, "reason": d.reason}
            for d in deliveries
        ]
        if not listed:
            return incident
        folder = self._folder(incident.domain, incident.product, incident.id)
        number = 1
        while (folder / f"{_numbered('notified', number)}.json").exists():
            number += 1
        return self._add(incident, _numbered("notified", number), {"deliveries": listed})

    def write_notice(self, incident: Incident, news: str, text: str) -> Path:
        """Write a notice for people, unless it is there; return its file."""
        file = self.notice(incident, news)
        with told_as(RegistryError, "writing a notice", file):
            if not file.is_file():
                write_whole(file, text, durable=False)
        return file

    def notice(self, incident: Incident, news: str) -> Path:
        """Return the file of a notice: of the opening (`opened`), of `worsened` or of `closed`."""
        name = "notice.md" if news == "opened" else f"notice-{news}.md"
        return self._folder(incident.domain, incident.product, incident.id) / name

    def finish(self, incident: Incident) -> None:
        """Leave a closed incident alone from now on: everybody is told."""
        if not incident.is_open:
            with told_as(RegistryError, "noting the end of an incident", self._marks):
                self._mark(incident.domain, incident.product, incident.id).unlink(missing_ok=True)

    def sweep(self, domain: str, product: str) -> None:
        """Take away the marks of incidents that were never written: what a crash left."""
        for name in _ids(within(self._marks, domain, product)):
            if self.read(domain, product, name) is None:
                with contextlib.suppress(OSError):
                    self._mark(domain, product, name).unlink(missing_ok=True)

    # How it lies

    def _folder(self, domain: str, product: str, name: str) -> Path:
        return within(self.root, domain, product, name)

    def _mark(self, domain: str, product: str, name: str) -> Path:
        return within(self._marks, domain, product, name)

    def _is_closed(self, domain: str, product: str, name: str) -> bool:
        return _read_fact(self._folder(domain, product, name) / _CLOSED) is not None

    def _read_all(self, domain: str, product: str, ids: Iterable[str]) -> Iterator[Incident]:
        for name in ids:
            incident = self.read(domain, product, name)
            if incident is not None:
                yield incident

    def _add(self, incident: Incident, name: str, value: Mapping[str, Any]) -> Incident:
        self._fact(self._folder(incident.domain, incident.product, incident.id), name, value)
        return self._again(incident, incident.id)

    def _again(self, incident: Incident, name: str) -> Incident:
        found = self.read(incident.domain, incident.product, name)
        if found is None:
            raise RegistryError(
                "an incident that was just written cannot be read",
                where=self._folder(incident.domain, incident.product, name),
                hint="see that nothing else writes to the registry, and run the command again",
            )
        return found

    def _fact(self, folder: Path, name: str, value: Mapping[str, Any]) -> None:
        """Write a fact, unless it is there; one that a power cut left unreadable is written anew."""
        file = folder / f"{name}.json"
        with told_as(RegistryError, "writing an incident", file):
            if _read_fact(file) is None:
                write_whole(file, json_text(value), durable=False)

    def _mend_marks(self) -> None:
        """Make the folder of unfinished incidents anew from the facts, if it is gone."""
        if self._marks.is_dir() or not self.root.is_dir():
            return
        with told_as(RegistryError, "noting the open incidents", self._marks):
            staged = self.root / f"{_UNFINISHED}.new"
            staged.mkdir(exist_ok=True)
            for domain, product in self.products(unfinished=False):
                for name in _ids(within(self.root, domain, product)):
                    if not self._is_closed(domain, product, name):
                        (staged / domain / product).mkdir(parents=True, exist_ok=True)
                        (staged / domain / product / name).touch()
            staged.rename(self._marks)


def new_id(incident: Incident, salt: int = 0) -> str:
    """Return the id of an incident: when it opened, and a digest of what it is about."""
    about = f"{incident.urn}\n{incident.key}\n{time_text(incident.opened)}\n{salt}"
    digest = hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{incident.opened.astimezone(UTC):%Y%m%dT%H%M%S}-{digest}"


def _ids(folder: Path) -> list[str]:
    """Return the ids of the incidents in a folder, sorted, which is by time."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if _ID.fullmatch(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read_fact(file: Path) -> Mapping[str, Any] | None:
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _said(said: Said) -> dict[str, str]:
    return {"at": time_text(said.at), "by": clean(said.by, 200), "note": clean(said.note)}
