"""What a registry's files say: records, certificates, events, read once, each checked by itself.

Takes paths and bytes as `tree.read_tree` comes by them; gives what was read, and what is wrong with each file alone;
touches nothing. Nothing in a file is believed: any of them may have been written by anybody.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factory.errors import RegistryError
from factory.files import json_text
from factory.registry.events import Event, event_of
from factory.registry.faults import RESTORE, Fault, Weight
from factory.registry.paths import Kind, Place, place_of
from factory.registry.seal import seal_fault
from factory.registry.standing import KINDS, Standing, fault_of, standing_of
from factory.registry.store import LINEAGE_FILE

MAX_JSON = 4_000_000  # bytes of a record, certificate or event; real ones have a few thousand
_TYPE = "org.dataproductfactory."
_SEAL = b',\n  "seal": "sha256:'
_OLD_RECORD = frozenset(["contract", "version", "files", "definitions", "tools"])
_FOUR = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that was read.

    Attributes:
        path: its file, below the registry.
        kind: what happened, such as `published`.
        time: when, in UTC.
        value: all that it says.
    """

    path: str
    kind: str
    time: datetime
    value: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """What the event says about itself; empty where that is no object."""
        data = self.value.get("data")
        return data if isinstance(data, dict) else {}


@dataclass(slots=True)
class Content:
    """What was read of a registry.

    Attributes:
        records: the record of each version, by domain, product, contract and version; None where it is broken.
        certificates: the files of each version's certificates, with what they say.
        events: the events of each product, by domain and product.
        contracts: the contracts that have a version, by domain, product and name.
        documents: the files of each product's document, by domain and product, by version.
        closed: the versions whose port was closed, as older registries say it.
        proven: the product documents that an event vouches for.
        lineages: version and bytes of the lineage of each contract's major, the newest that was met.
        strange: paths that only people name, or nobody.
        unsealed: how many files are of a registry that knew no seals.
        faults: what is wrong; places are paths below the registry.
    """

    records: dict[_FOUR, dict[str, Any] | None] = field(default_factory=dict)
    certificates: dict[_FOUR, dict[str, dict[str, Any]]] = field(default_factory=dict)
    events: dict[tuple[str, str], list[Fact]] = field(default_factory=dict)
    contracts: set[tuple[str, str, str]] = field(default_factory=set)
    documents: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    closed: set[_FOUR] = field(default_factory=set)
    proven: set[str] = field(default_factory=set)
    lineages: dict[tuple[str, str, str, int], tuple[tuple[int, ...], bytes]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    unsealed: int = 0
    faults: list[Fault] = field(default_factory=list)

    def standing(self, domain: str, product: str) -> Standing:
        """Return what the events of a product that can be read say of it now."""
        facts = sorted(self.events.get((domain, product), ()), key=lambda fact: (fact.time, fact.path))
        return standing_of(event for event in _as_events(facts) if not _names_fault(event))

    def visit(self, path: str, raw: bytes) -> None:
        """Take a file of the registry."""
        place = place_of(path)
        if place is None:
            self.strange.append(path)
            what = "nothing in a registry is called so"
            self.tell("unknown-file", path, what, "delete it, if nobody knows what it is")
        elif place.kind is Kind.DOCUMENT:
            self.documents.setdefault((place.domain, place.product), {})[place.version] = path
        elif place.kind is Kind.ACCESS:
            self.strange.append(path)
            self._text(path, raw)
        elif place.kind is not Kind.FILE:
            self._fact(path, raw, place)
        elif place.name == LINEAGE_FILE:
            version = tuple(int(part) for part in place.version.split("."))
            major = (place.domain, place.product, place.contract, version[0])
            if major not in self.lineages or self.lineages[major][0] < version:
                self.lineages[major] = version, raw

    def tell(
        self, code: str, path: str, what: str, remedy: str = RESTORE, weight: Weight = Weight.FAULT
    ) -> None:
        """Note a fault."""
        self.faults.append(Fault(code, path, what, remedy, weight))

    def _text(self, path: str, raw: bytes) -> None:
        """Check a file that people write."""
        try:
            raw.decode()
        except UnicodeDecodeError:
            self.tell("unreadable-record", path, "it is not UTF-8 text")
        else:
            if not raw.strip() or b"\x00" in raw:
                self.tell("unreadable-record", path, "it is empty, or no text")

    def _fact(self, path: str, raw: bytes, place: Place) -> None:
        key = (place.domain, place.product, place.contract, place.version)
        if place.kind is Kind.RECORD:
            self.records[key] = None
            self.contracts.add(key[:3])
        value, fault = read_fact(raw)
        if fault:
            self.tell("broken-seal" if value else "unreadable-record", path, fault)
        if value is None:
            return
        if "seal" not in value:
            self.unsealed += 1
            if not _may_be_unsealed(place, value):
                self.tell("broken-seal", path, "its seal is gone")
        if place.kind is Kind.RECORD:
            self.records[key] = value
        elif place.kind is Kind.CERTIFICATE:
            self.certificates.setdefault(key, {})[path] = value
        elif place.kind is Kind.CLOSED:
            self.closed.add(key)
            self._named(path, value.get("version"), place.version, "version")
        elif place.kind is Kind.REVOCATION:
            self._revocation(path, value, place)
        else:
            self._event(path, value, place)

    def _revocation(self, path: str, value: dict[str, Any], place: Place) -> None:
        if "certificate" in value:
            named = str(value["certificate"]).removesuffix(".json")
            self._named(path, named, place.name, "certificate")
        if moment_of(value.get("revoked")) is None:
            self.tell("unreadable-record", path, "it does not say when the certificate was revoked")

    def _event(self, path: str, value: dict[str, Any], place: Place) -> None:
        time, kind = moment_of(value.get("time")), str(value.get("type", ""))
        names = str(value.get("source", "")).split(":")
        if time is None or not kind.startswith(_TYPE) or names[:2] != ["urn", "dpf"] or len(names) < 4:
            self.tell("unreadable-record", path, "it is not an event of the factory")
            return
        kind = kind.removeprefix(_TYPE)
        if place.product:
            self._named(path, ":".join(names[2:4]), f"{place.domain}:{place.product}", "product")
            self._named(path, kind, place.name, "kind of event")
        elif place.name != f"{names[3]}-{kind}":
            self._named(path, f"{names[3]}-{kind}", place.name, "product and kind of event")
        self._named(path, str(value.get("id"))[:8], place.id, "id")
        self._named(path, stamp_of(time, place.stamp), place.stamp, "time")
        owner = (place.domain, place.product) if place.product else (names[2], names[3])
        fact = Fact(path, kind, time, value)
        self.events.setdefault(owner, []).append(fact)
        for fault in filter(None, map(_names_fault, _as_events([fact]))):
            self.tell("unreadable-record", path, fault)

    def _named(self, path: str, said: Any, name: str, what: str) -> None:
        if said != name:
            self.tell("misplaced-file", path, f"it is of another {what}: {str(said)[:80]!r}")


def _as_events(facts: Iterable[Fact]) -> Iterator[Event]:
    for fact in facts:
        with contextlib.suppress(RegistryError):
            yield event_of(fact.value, Path(fact.path))


def _names_fault(event: Event) -> str:
    """Return what is wrong with what an event of `KINDS` names; empty if nothing is, or if it is of another kind."""
    return fault_of(event) if event.kind in KINDS else ""


def read_fact(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    """Return what a sealed or an older file says, and what is wrong with its bytes.

    Nothing is returned of a file that holds no object. The bytes of an older file, which has no seal, are those that
    writing its values gives.
    """
    if len(raw) > MAX_JSON:
        return None, f"it has more than {MAX_JSON:,} bytes, which is the limit"
    if not raw:
        return None, "it is empty"
    try:
        value = json.loads(raw.decode(), parse_constant=_no_number)
    except RecursionError:
        return None, "it is nested too deeply"
    except UnicodeDecodeError:
        return None, "it is not UTF-8 text"
    except ValueError as error:
        what = (
            "it begins with a byte order mark"
            if raw.startswith(b"\xef\xbb\xbf")
            else f"it is not JSON: {error}"
        )
        return None, what
    if not isinstance(value, dict):
        return None, "it holds no record"
    if is_as_sealed(raw):
        return value, ""
    try:
        if "seal" in value:
            return value, seal_fault(raw) or "its seal stands in another place"
        return value, "" if json_text(value).encode() == raw else "its bytes are not as they were written"
    except (RecursionError, UnicodeEncodeError):
        return None, "it is nested too deeply, or no text"


def _may_be_unsealed(place: Place, value: dict[str, Any]) -> bool:
    """Say whether a fact may be of an older version of the factory, which knew no seals: by its name, and its keys."""
    if place.kind is Kind.RECORD:
        return set(value) <= _OLD_RECORD
    stamp = place.name if place.kind in (Kind.CERTIFICATE, Kind.REVOCATION) else place.stamp
    return len(stamp) < 21


def is_as_sealed(raw: bytes) -> bool:
    """Say whether a file's bytes are those that its seal, its last key, vouches for; nothing is written for it."""
    start = raw.rfind(_SEAL)
    told = raw[start + len(_SEAL) :]
    if start < 0 or told[64:] != b'"\n}\n':
        return False
    digest = hashlib.sha256(raw[:start])
    digest.update(b"\n}\n")
    return told[:64] == digest.hexdigest().encode()


def moment_of(value: Any) -> datetime | None:
    """Return the moment that a text names, in UTC; None if it names none."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def stamp_of(moment: datetime, like: str) -> str:
    """Return a moment as names of files have it: with microseconds, if `like` has them."""
    return f"{moment:%Y%m%dT%H%M%S%f}"[: len(like)] if len(like) > 15 else f"{moment:%Y%m%dT%H%M%S}"


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
