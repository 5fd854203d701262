"""The standing of a product: what its events say holds now. Pure.

Takes a product's events, oldest first; gives a `Standing`. The last word counts: what is yanked, deprecated, paused or
rolled back can be taken back by a later event; what is removed cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from factory.addresses import MAJOR, NAME, address_of
from factory.contract import version_key
from factory.registry.events import Event, newest_of, read_events, unreadable

PUBLISHED, ROLLED_BACK = "published", "rolled-back"
YANKED, UNYANKED = "yanked", "unyanked"
DEPRECATED, UNDEPRECATED = "deprecated", "undeprecated"
RETIRED, ENDED = "retired", "ended"
PAUSED, RESUMED, REMOVED = "paused", "resumed", "removed"

_KEY = re.compile(f"{NAME.pattern}/(?:{MAJOR.pattern})", re.ASCII)
_VERSION = re.compile(r"(?:\d{1,9}\.\d{1,9}\.\d{1,9})?", re.ASCII)
_SNAPSHOT = re.compile(r"[A-Za-z0-9_-]{0,64}", re.ASCII)

#: The kinds of events that say what holds of a product; all others only tell what happened.
KINDS = frozenset(
    [PUBLISHED, ROLLED_BACK, YANKED, UNYANKED, DEPRECATED, UNDEPRECATED, RETIRED, ENDED, PAUSED, RESUMED, REMOVED]
)  # fmt: skip

_OF_A_CONTRACT = frozenset([YANKED, UNYANKED, UNDEPRECATED, RETIRED, ENDED])


@dataclass(frozen=True, slots=True)
class Edition:
    """What consumers of a major version of a contract get: a version of the contract, and the data under it.

    Attributes:
        version: the contract's version.
        snapshot: the name of the snapshot of its tables; empty where tables are not exported, or the port is closed.
        sha256: of the published contract file.
        at: when it became current.
    """

    version: str
    snapshot: str
    sha256: str
    at: datetime

    @property
    def what(self) -> tuple[str, str]:
        """Version and snapshot: what makes two editions the same."""
        return self.version, self.snapshot


@dataclass
class Standing:
    """What holds of a product now. A key is `contract/major`.

    Attributes:
        current: what is published, by key.
        earlier: what was current before, the newest first, each once, by key.
        left: what was rolled back from, by key: it does not come back by itself.
        abandoned: version and snapshot of all that was ever rolled back from and is not current again, by key.
        yanked: by contract and version, the event that yanked it.
        deprecated, closed: by key, the event that announced its end or closed its port.
        paused, removed: the event, or None.
        last_published: the newest event of a publication, or None.
        region: where it was published last, or empty.
        documents: the sha256 of the product's ODPS documents, by version.
    """

    current: dict[str, Edition] = field(default_factory=dict)
    earlier: dict[str, tuple[Edition, ...]] = field(default_factory=dict)
    left: dict[str, Edition] = field(default_factory=dict)
    abandoned: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    yanked: dict[tuple[str, str], Event] = field(default_factory=dict)
    deprecated: dict[str, Event] = field(default_factory=dict)
    closed: dict[str, Event] = field(default_factory=dict)
    paused: Event | None = None
    removed: Event | None = None
    last_published: Event | None = None
    region: str = ""
    documents: dict[str, str] = field(default_factory=dict)

    @property
    def moved_to(self) -> str:
        """The urn that a removed product goes by now, or empty."""
        return str(self.removed.data.get("moved_to") or "") if self.removed else ""

    @property
    def retired(self) -> set[str]:
        """The keys whose port somebody closed for good; the others are closed by what their contracts say."""
        return {key for key, event in self.closed.items() if event.data.get("by")}

    def reason(self, contract: str, version: str) -> str:
        """Return why a version was yanked; empty if it was not."""
        event = self.yanked.get((contract, version))
        return str(event.data.get("reason") or "no reason given") if event else ""

    def says(self, contracts: Mapping[str, Mapping[str, str]]) -> bool:
        """Say whether the product's newest publication is this one (version, snapshot, hash), and still stands."""
        known = self.last_published.data.get("contracts") if self.last_published else None
        return (
            known == dict(contracts)
            and not self.left.keys() & contracts.keys()
            and all(
                key in self.current and self.current[key].what == (facts["version"], facts["snapshot"])
                for key, facts in contracts.items()
            )
        )


def read_standing(root: Path, domain: str, product: str) -> Standing:
    """Return the standing of a product.

    Raises:
        RegistryError: an event that says what holds cannot be used.

    """
    return standing_of(read_events(root, domain, product, KINDS))


def paused_reason(root: Path, domain: str, product: str) -> str:
    """Return why a product is paused, or empty; only the event that paused it is read.

    Raises:
        RegistryError: that event cannot be used.

    """
    newest = newest_of(root, domain, product, frozenset([PAUSED, RESUMED]))
    if newest is None or newest.kind == RESUMED:
        return ""
    return str(newest.data.get("reason") or "no reason given")


def rolled_back_words(root: Path, domain: str, product: str) -> tuple[str, ...]:
    """Return in words what a product was rolled back from, and stays so; without a rollback one event is read.

    Raises:
        RegistryError: an event that says what holds cannot be used.

    """
    newest = newest_of(root, domain, product, frozenset([PUBLISHED, ROLLED_BACK]))
    if newest is None or newest.kind == PUBLISHED:
        return ()
    standing = read_standing(root, domain, product)
    return tuple(
        f"{key} was rolled back from {left.version} ({left.snapshot[:8]}): "
        f"{standing.current[key].version} ({standing.current[key].snapshot[:8]}) is current"
        for key, left in sorted(standing.left.items())
    )


def standing_of(events: Iterable[Event]) -> Standing:
    """Return what a product's events say, oldest first.

    Raises:
        RegistryError: one names a contract, a version, a snapshot or an address that cannot be one.

    """
    found = Standing()
    for event in events:
        step = _STEPS.get(event.kind)
        if step is not None:
            fault = fault_of(event)
            if fault:
                raise unreadable(event.file, fault)
            step(found, event)
    return found


def fault_of(event: Event) -> str:
    """Return what is wrong with what an event names, in words; empty if nothing is: paths are made of it."""
    data, keys = event.data, list[tuple[Any, Any]]()
    contracts = data.get("contracts")
    if event.kind == PUBLISHED and isinstance(contracts, dict):
        keys += [(key, facts) for key, facts in contracts.items() if isinstance(facts, dict)]
    if event.kind in _OF_A_CONTRACT and "contract" not in data:
        return "it names no contract"
    if event.kind in (YANKED, UNYANKED) and not data.get("version"):
        return "it names no version"
    for said in _ports_of(data):
        major = said.get("major", str(said.get("version")).partition(".")[0])
        keys += [(f"{said.get('contract')}/{major}", {**said, "snapshot": ""})]
        keys += [(keys[-1][0], said[end]) for end in ("from", "to") if isinstance(said.get(end), dict)]
    for key, facts in keys:
        version, snapshot = str(facts.get("version") or ""), str(facts.get("snapshot") or "")
        if not (_KEY.fullmatch(key) and _VERSION.fullmatch(version) and _SNAPSHOT.fullmatch(snapshot)):
            return "it names no contract, version or snapshot"
    try:
        if event.kind == REMOVED and data.get("moved_to"):
            address_of(str(data["moved_to"]))
    except ValueError:
        return "it names no address that the product moved to"
    return ""


def _published(found: Standing, event: Event) -> None:
    contracts = event.data.get("contracts")
    for key, facts in (contracts if isinstance(contracts, dict) else {}).items():
        if not isinstance(facts, dict):
            continue
        now = _edition(facts, event)
        before = found.current.get(key)
        found.left.pop(key, None)
        found.abandoned.setdefault(key, set()).discard(now.what)
        if now.snapshot:
            found.closed.pop(key, None)
        if before is not None and before.what == now.what:
            continue
        if before is not None:
            rest = (e for e in found.earlier.get(key, ()) if e.what not in (now.what, before.what))
            found.earlier[key] = (before, *rest)
        found.current[key] = now
    document = event.data.get("product")
    if isinstance(document, dict):
        found.documents.setdefault(str(document.get("version")), str(document.get("sha256")))
    found.last_published = event
    found.region = str(event.data.get("region") or "")


def _ports_of(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what an event says of each contract that it is about: one, or those of its `ports`."""
    ports = data.get("ports")
    found = [each for each in ports if isinstance(each, dict)] if isinstance(ports, list) else []
    return [*([data] if "contract" in data else []), *found]


def _rolled_back(found: Standing, event: Event) -> None:
    for said in _ports_of(event.data):
        if isinstance(said.get("to"), dict):
            _back(found, f"{said.get('contract')}/{said.get('major')}", _edition(said["to"], event))


def _back(found: Standing, key: str, now: Edition) -> None:
    before, left = found.current.get(key), found.left.get(key)
    known = found.earlier.get(key, ())
    position = next((number for number, e in enumerate(known) if e.what == now.what), -1)
    found.abandoned.setdefault(key, set()).discard(now.what)
    if before is not None and before.what != now.what:
        if position >= 0 or left is None:
            found.abandoned[key].add(before.what)
        if position >= 0:
            # What lies between is passed over, too; what was left first stays the one that must not come back.
            found.earlier[key] = known[position + 1 :]
            found.left.setdefault(key, before)
        elif left is None:
            found.left[key] = before  # to what was published before events told of it
        else:
            found.earlier[key] = (before, *(e for e in known if e.what != before.what))  # forward again
            if left.what == now.what:
                del found.left[key]
    found.current[key] = now


def _edition(facts: Mapping[str, Any], event: Event) -> Edition:
    version, snapshot = str(facts.get("version") or ""), str(facts.get("snapshot") or "")
    return Edition(version, snapshot, str(facts.get("sha256") or ""), event.time)


def _key(event: Event) -> str:
    major = event.data.get("major")
    if major is None:
        major = version_key(str(event.data.get("version")))[0]
    return f"{event.data.get('contract')}/{major}"


def _version(event: Event) -> tuple[str, str]:
    return str(event.data.get("contract")), str(event.data.get("version"))


def _yanked(found: Standing, event: Event) -> None:
    found.yanked[_version(event)] = event


def _unyanked(found: Standing, event: Event) -> None:
    found.yanked.pop(_version(event), None)


def _deprecated(found: Standing, event: Event) -> None:
    if "contract" in event.data:  # else a publication tells of what its own contracts say
        found.deprecated[_key(event)] = event


def _undeprecated(found: Standing, event: Event) -> None:
    found.deprecated.pop(_key(event), None)


def _closed(found: Standing, event: Event) -> None:
    found.closed[_key(event)] = event


def _paused(found: Standing, event: Event) -> None:
    found.paused = event


def _resumed(found: Standing, _: Event) -> None:
    found.paused = None


def _removed(found: Standing, event: Event) -> None:
    found.removed = found.removed or event


_STEPS = {
    PUBLISHED: _published,
    ROLLED_BACK: _rolled_back,
    YANKED: _yanked,
    UNYANKED: _unyanked,
    DEPRECATED: _deprecated,
    UNDEPRECATED: _undeprecated,
    RETIRED: _closed,
    ENDED: _closed,
    PAUSED: _paused,
    RESUMED: _resumed,
    REMOVED: _removed,
}
