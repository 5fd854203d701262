"""What owners say of published products later: yank, deprecate, retire, pause, remove, and take it back.

Takes a workspace, an address and a reason; writes one event (see `events`) and the index anew. Nothing that is
published is changed by it: a yanked version stays readable for who has it, and is offered to nobody new.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from factory.addresses import Address, address_of
from factory.contract import version_key
from factory.errors import RegistryError
from factory.evidence import Published
from factory.files import tells
from factory.lifecycle import END_OF_LIFE, END_OF_SUPPORT, Edition, Stage, announced_on, life_of
from factory.locking import registry_locked
from factory.registry.events import write_event
from factory.registry.index import offered, read_index, refresh_index
from factory.registry.ports import close_port, majors_of
from factory.registry.standing import (
    DEPRECATED,
    PAUSED,
    REMOVED,
    RESUMED,
    RETIRED,
    UNDEPRECATED,
    UNYANKED,
    YANKED,
    Standing,
)
from factory.registry.store import Registry
from factory.registry.views import refresh_ports_database
from factory.umbrella import is_embedded
from factory.workspace import Workspace

_telling = tells(RegistryError, "reading the registry", lambda ws, *_, **__: ws.registry)


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of a product, or of a contract.

    Attributes:
        by: who.
        reason: why.
        now: when.
    """

    by: str
    reason: str
    now: datetime

    def values(self) -> dict[str, str]:
        """Return who and why, as an event has it."""
        return {"by": self.by, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a word.

    Attributes:
        about: the urn of what it is about.
        version: the contract version, or empty.
        is_news: it was not said before.
        notes: what follows from it, a line each.
    """

    about: str
    version: str
    is_news: bool
    notes: tuple[str, ...] = ()


@_telling
def yank(ws: Workspace, text: str, version: str, word: Word) -> Said:
    """Offer a version to nobody new; who has it can read it as before.

    Raises:
        RegistryError: there is no such version, or the registry cannot be written.

    """
    address, _ = _contract_in(ws, text, version)
    _published_version(ws, address, version)

    def is_said(standing: Standing) -> bool:
        return bool(standing.reason(address.contract, version))

    if not _write(ws, address, YANKED, {"version": version}, word, is_said):
        return _done(ws, address, version, is_news=False)
    return _done(ws, address, version, notes=_instead(ws, address, version))


@_telling
def unyank(ws: Workspace, text: str, version: str, word: Word) -> Said:
    """Offer a yanked version again.

    Raises:
        RegistryError: there is no such version, or the registry cannot be written.

    """
    address, _ = _contract_in(ws, text, version)
    _published_version(ws, address, version)

    def is_said(standing: Standing) -> bool:
        return not standing.reason(address.contract, version)

    is_news = _write(ws, address, UNYANKED, {"version": version}, word, is_said)
    return _done(ws, address, version, is_news=is_news)


@_telling
def deprecate(
    ws: Workspace,
    text: str,
    word: Word,
    days: Mapping[str, date],
    successor: str = "",
    *,
    early: bool = False,
) -> Said:
    """Announce the end of a major version of a contract; its notice begins today.

    `days` are the end of support and of life, by their names in ODCS, where they are known; the latter comes after the
    notice, unless it is to be `early`. Raises:
        RegistryError: there is no such contract or successor, its port is closed, the notice would be cut short, or the
            registry cannot be written.

    """
    address, standing = _contract_in(ws, text)
    _refuse_closed(address, standing)
    life = life_of(_newest(ws, address).data, ws.settings.notice_period)
    soonest = life.notice.after(word.now.astimezone(UTC).date())
    if END_OF_LIFE in days and days[END_OF_LIFE] < soonest and not early:
        raise RegistryError(
            f"the end of life {days[END_OF_LIFE]} is before the notice is over, on {soonest}",
            hint="name a later day, or do it --early, and answer to those who read it",
        )
    told = {name: day.isoformat() for name, day in days.items() if name in (END_OF_SUPPORT, END_OF_LIFE)}
    if successor:
        named = _found(ws, successor)
        told["successor"] = str(_contract_in(ws, successor)[0] if named.contract else named)

    def is_said(standing: Standing) -> bool:
        known = standing.deprecated.get(address.key)
        return known is not None and {**known.data, **told} == dict(known.data)

    return _done(ws, address, is_news=_write(ws, address, DEPRECATED, told, word, is_said))


@_telling
def undeprecate(ws: Workspace, text: str, word: Word) -> Said:
    """Take back that a major version is to end, as far as `deprecate` said so.

    Raises:
        RegistryError: there is no such contract, or the registry cannot be written.

    """
    address, standing = _contract_in(ws, text)
    _refuse_closed(address, standing)
    is_news = _write(ws, address, UNDEPRECATED, {}, word, lambda s: address.key not in s.deprecated)
    return _done(ws, address, is_news=is_news)


@_telling
def retire(ws: Workspace, text: str, word: Word, *, early: bool = False) -> Said:
    """Close the port of a major version of a contract for good; the snapshots stay.

    Its end has to be announced, and its notice to be over, unless it is to go `early`. Raises:
        RegistryError: there is no such contract, it may not go yet, or the registry cannot be written.

    """
    address, standing = _contract_in(ws, text)
    if address.key in standing.closed:
        _close(ws, address)
        return _done(ws, address, is_news=False)
    if not early:
        _refuse_early(ws, address, standing, word.now.astimezone(UTC).date())
    told = {"version": _newest(ws, address).version, "stage": str(Stage.RETIRED)}
    is_news = _write(ws, address, RETIRED, told, word, lambda s: address.key in s.closed)
    _close(ws, address)
    return _done(ws, address, is_news=is_news)


@_telling
def pause(ws: Workspace, text: str, word: Word) -> Said:
    """Leave a product alone: builds pass it over until it is resumed; what is published of it stays.

    Raises:
        RegistryError: there is no such product, or the registry cannot be written.

    """
    address = _found(ws, text, "product")
    is_news = _write(ws, address, PAUSED, {}, word, lambda standing: standing.paused is not None)
    return _done(ws, address, is_news=is_news)


@_telling
def resume(ws: Workspace, text: str, word: Word) -> Said:
    """Build a paused product again.

    Raises:
        RegistryError: there is no such product, or the registry cannot be written.

    """
    address = _found(ws, text, "product")
    is_news = _write(ws, address, RESUMED, {}, word, lambda standing: standing.paused is None)
    return _done(ws, address, is_news=is_news)


@_telling
def remove(ws: Workspace, text: str, word: Word, moved_to: str = "") -> Said:
    """Take a product out of the registry: its ports close, its name is never given again, its versions stay.

    `moved_to` is the urn that the product goes by from now on, if it moved to another domain. Raises:
        RegistryError: there is no such product, or the registry cannot be written.

    """
    address = _found(ws, text, "product", removed=True)
    told: dict[str, Any] = {}
    if moved_to:
        try:
            target = address_of(moved_to)
        except ValueError as error:
            raise RegistryError(f"{moved_to!r} is no address: {error}") from None
        if not target.domain or target.kind != "product" or str(target) == str(address):
            raise RegistryError(
                f"{moved_to!r} is not the address of another product",
                hint="write it as urn:dpf:<domain>:<product>",
            )
        told["moved_to"] = str(target)
    is_news = _write(ws, address, REMOVED, told, word, lambda standing: standing.removed is not None)
    for folder in majors_of(ws, address.domain, address.product):
        if folder.name[1:].isdigit():
            close_port(ws, address.domain, address.product, folder.parent.name, int(folder.name[1:]))
    if is_embedded(ws):
        refresh_ports_database(ws)
    return _done(ws, address, is_news=is_news)


def find_product(ws: Workspace, text: str) -> Address:
    """Return the address of a published product by its name or urn; one that moved answers to its old urn.

    Raises:
        RegistryError: nothing of that name is published.

    """
    return _found(ws, text)


def _found(ws: Workspace, text: str, kind: str = "", *, removed: bool = False) -> Address:
    try:
        address = address_of(text)
    except ValueError as error:
        raise RegistryError(
            f"{text!r} is no address: {error}",
            hint="name a product, product.contract, product.contract/major, or a urn",
        ) from None
    if kind and address.kind != kind:
        raise RegistryError(f"{text!r} is the address of a {address.kind}, not of a {kind}")
    entries = {entry["name"]: entry for entry in read_index(ws)["products"]}
    entry = entries.get(address.product)
    if entry is not None and address.domain in ("", entry["domain"]):
        return Address(str(entry["domain"]), address.product, address.contract, address.major)
    if address.domain:
        standing = Registry(ws).standing(address.domain, address.product)
        if standing.moved_to and not removed:
            moved = address_of(standing.moved_to)
            return Address(moved.domain, moved.product, address.contract, address.major)
        if removed and standing.removed is not None:
            return address
        if (ws.registry / "products" / address.domain / address.product).is_dir():
            return address  # the index may be behind
    elif removed:
        gone = [f.parent.name for f in (ws.registry / "events").glob(f"*/{address.product}") if f.is_dir()]
        if len(gone) == 1:
            return Address(gone[0], address.product)
    near = difflib.get_close_matches(address.product, entries, 1)
    hint = f"did you mean {near[0]!r}?" if near else "see what is published with: factory list"
    raise RegistryError(f"no product {text!r} is published", hint=hint)


def _contract_in(ws: Workspace, text: str, version: str = "") -> tuple[Address, Standing]:
    """Return the address of a contract with its major version, and the standing of its product."""
    address = _found(ws, text)
    registry = Registry(ws)
    versions = registry.versions(address.domain, address.product)
    name = address.contract or (next(iter(versions)) if len(versions) == 1 else "")
    if name not in versions:
        what = (
            f"{address.product} has no contract {name!r}"
            if name
            else f"{address.product} has several contracts"
        )
        names = ", ".join(f"{address.product}.{each}" for each in sorted(versions))
        raise RegistryError(
            what, hint=f"name one of them: {names}" if names else "nothing of it is published"
        )
    majors = sorted({version_key(p.version)[0] for p in versions[name]})
    major = address.major or (version.partition(".")[0] if version else "")
    if not major and len(majors) == 1:
        major = str(majors[0])
    if not major.isdigit() or int(major) not in majors:
        there = ", ".join(f"{address.product}.{name}/{each}" for each in majors)
        shown = major if major.isalnum() else ascii(major)
        what = f"{name} has no major version {shown}" if major else f"{name} has several major versions"
        raise RegistryError(what, hint=f"name one of them: {there}")
    found = Address(address.domain, address.product, name, str(int(major)))
    return found, registry.standing(address.domain, address.product)


def _published_version(ws: Workspace, address: Address, version: str) -> None:
    versions = Registry(ws).versions(address.domain, address.product)[address.contract]
    known = [p.version for p in versions]
    if version not in known:
        raise RegistryError(
            f"{address.contract} {version} is not published",
            hint=f"published: {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}",
        )


def _newest(ws: Workspace, address: Address) -> Published:
    versions = Registry(ws).versions(address.domain, address.product)[address.contract]
    return next(p for p in versions if version_key(p.version)[0] == int(address.major))


def _refuse_early(ws: Workspace, address: Address, standing: Standing, today: date) -> None:
    registry = Registry(ws)
    versions = registry.versions(address.domain, address.product)[address.contract]
    moments = registry.first_published(address.domain, address.product).get(address.contract, {})
    editions = [
        Edition(
            p.version,
            str(p.data.get("status") or "draft"),
            moments[p.version].date() if p.version in moments else None,
        )
        for p in versions
    ]
    announced = announced_on(int(address.major), editions)
    said = standing.deprecated.get(address.key)
    if said is not None:
        announced = min(announced or date.max, said.time.date())
    if announced is None:
        raise RegistryError(
            f"the end of {address.contract} {address.major}.x is not announced",
            hint=f"announce it with: factory deprecate {address.product}.{address.key}",
        )
    may_go = life_of(_newest(ws, address).data, ws.settings.notice_period).may_go(announced)
    promised = str(said.data.get(END_OF_LIFE) or "") if said is not None else ""
    if promised:
        may_go = date.fromisoformat(promised) + timedelta(days=1)
    if today < may_go:
        raise RegistryError(
            f"{address.contract} {address.major}.x may go on {may_go}, when its notice is over",
            hint="wait until then, or retire it --early, and answer to those who read it",
        )


def _refuse_closed(address: Address, standing: Standing) -> None:
    event = standing.closed.get(address.key)
    if event is not None:
        raise RegistryError(
            f"the port {address.key} was closed on {event.time:%Y-%m-%d}, for good",
            hint="publish a new major version of the contract",
        )


def _close(ws: Workspace, address: Address) -> None:
    close_port(ws, address.domain, address.product, address.contract, int(address.major))
    if is_embedded(ws):
        refresh_ports_database(ws)


def _instead(ws: Workspace, address: Address, version: str) -> tuple[str, ...]:
    """Return what is offered in place of a version that was just yanked, in words."""
    registry = Registry(ws)
    versions = registry.versions(address.domain, address.product)[address.contract]
    same = [p for p in versions if version_key(p.version)[0] == int(address.major)]
    if all(p.yanked for p in same):
        return (f"no version of {address.contract} {address.major}.x is left to be offered",)
    standing = registry.standing(address.domain, address.product)
    current = standing.current.get(address.key)
    instead = offered(standing, address.contract, int(address.major), [p.version for p in same])
    notes = [f"{address.contract} {instead} is offered in its place"]
    if current is not None and current.version == version and address.key not in standing.closed:
        notes.append(
            f"its data is still what consumers read; go back with: factory rollback {address.product}"
        )
    return tuple(notes)


def _write(
    ws: Workspace,
    address: Address,
    kind: str,
    told: Mapping[str, Any],
    word: Word,
    is_said: Callable[[Standing], bool],
) -> bool:
    """Write an event, unless the standing says the same; say whether it was news. Of two at once one writes it."""
    product = str(Address(address.domain, address.product))
    about = {"contract": address.contract, "major": int(address.major)} if address.contract else {}
    with registry_locked(ws.registry):
        if is_said(Registry(ws).standing(address.domain, address.product)):
            return False
        write_event(ws.registry, product, kind, {**about, **told, **word.values()}, word.now, str(address))
    return True


def _done(
    ws: Workspace, address: Address, version: str = "", *, is_news: bool = True, notes: tuple[str, ...] = ()
) -> Said:
    """Make the index anew, also where nothing is news: the command before may have been killed."""
    refresh_index(ws, {str(Address(address.domain, address.product))})
    return Said(str(address), version, is_news, notes)
