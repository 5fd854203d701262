"""Who was given access to a product, or asks for it.

    factory access request -> an event `access-requested`; approve, deny, revoke, withdraw -> `access-approved`, ...

A request is known by the first digits of its event's id. Tools of others may put requests into `registry/access/`, as
`<id>.yaml` with `product` (name or urn), `consumer` and perhaps `contact`, and what was decided beside it, as
`<id>.approved.yaml`, `<id>.denied.yaml` or `<id>.revoked.yaml`: they count, too.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from factory.addresses import Address
from factory.documents import read_yaml
from factory.errors import DocumentError, RegistryError
from factory.registry.control import Word, find_product
from factory.registry.events import EVENTS, Event, read_events, write_event
from factory.registry.index import read_index
from factory.workspace import Workspace

REQUESTED = "access-requested"
_DECIDED = {f"access-{word}": word for word in ("approved", "denied", "revoked", "withdrawn")}
KINDS = frozenset([REQUESTED, *_DECIDED])


class State(enum.StrEnum):
    """Where a request is."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DENIED = "denied"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Access:
    """A request for access to a product or a contract, and what became of it.

    Attributes:
        id: the request's id.
        about: the urn of what is asked for.
        product: the product's name.
        consumer: who is to read it: a team, a product, a person.
        contact: whom to tell, or empty.
        purpose: what for.
        by: who asked.
        at: when, in UTC.
        until: the last day of access, or None.
        state: where it is.
        decided_by, reason: who said so last, and why.
    """

    id: str
    about: str
    product: str
    consumer: str
    contact: str
    purpose: str
    by: str
    at: datetime
    until: date | None
    state: State
    decided_by: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """It is asked for or given, and not over."""
        return self.state in (State.REQUESTED, State.APPROVED)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for.

    Attributes:
        consumer: who is to read it.
        contact: whom to tell, or empty.
        until: the last day of access, or None.
    """

    consumer: str
    contact: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who was given access to a product, or asks for it.

    Attributes:
        product: the product's name.
        who: the consumer.
        state: `has access` or `asks for access`.
        contact: whom to tell, where the record names somebody (`contact`), or empty.
    """

    product: str
    who: str
    state: str
    contact: str = ""


def request_access(ws: Workspace, text: str, wish: Wish, word: Word) -> tuple[Access, bool]:
    """Ask for access to a published product or contract; return the request, and whether it is news.

    `word` says who asks and what for. Raises:
        RegistryError: nothing of that name is published, or the registry cannot be written.

    """
    address = find_product(ws, text)
    today = word.now.astimezone(UTC).date()
    if not wish.consumer.strip() or not word.reason.strip():
        raise RegistryError("a request says who is to read it, and what for", hint="name both")
    if wish.until is not None and wish.until < today:
        raise RegistryError(f"{wish.until} is over", hint="name a day that is to come")
    about = str(address)
    for known in accesses(ws, [address], today):
        if known.is_open and known.about == about and known.consumer == wish.consumer:
            return known, False
    told = {
        "consumer": wish.consumer,
        "contact": wish.contact,
        "purpose": word.reason,
        "until": wish.until.isoformat() if wish.until else "",
        "by": word.by,
    }
    event = write_event(ws.registry, _product(address), REQUESTED, told, word.now, about)
    return next(found for found in accesses(ws, [address], today) if found.id == event.id[:12]), True


def decide(ws: Workspace, part: str, decision: State, word: Word) -> tuple[Access, bool]:
    """Approve, deny, revoke or withdraw a request; return it, and whether that is news.

    The product's team decides, and nobody about a request of their own, which they may only withdraw. Raises:
        RegistryError: there is no such request, it is over, or it is not for this person to decide.

    """
    found = find_request(ws, part, word.now)
    if found.state is decision:
        return found, False
    allowed = {
        State.APPROVED: (State.REQUESTED,),
        State.DENIED: (State.REQUESTED,),
        State.REVOKED: (State.APPROVED,),
        State.WITHDRAWN: (State.REQUESTED, State.APPROVED),
    }[decision]
    if found.state not in allowed:
        raise RegistryError(
            f"the request {found.id} is {found.state}, so it cannot be {decision}",
            hint="see all requests with: factory access list --all",
        )
    _refuse_person(ws, found, decision, word.by)
    address = find_product(ws, found.about)
    told = {"request": found.id, **word.values()}
    write_event(ws.registry, _product(address), f"access-{decision}", told, word.now, found.about)
    return find_request(ws, found.id, word.now), True


def find_request(ws: Workspace, part: str, now: datetime) -> Access:
    """Return the request with an id, or with the start of one that no other shares.

    Raises:
        RegistryError: there is none, or there are several.

    """
    wanted = part.strip().lower()
    known = [a for a in all_accesses(ws, now.astimezone(UTC).date()) if wanted and a.id.startswith(wanted)]
    if len(known) == 1:
        return known[0]
    if known:
        raise RegistryError(
            f"{len(known)} requests begin with {wanted!r}", hint=", ".join(a.id for a in known[:5])
        )
    raise RegistryError(f"there is no request {part!r}", hint="list them with: factory access list --all")


def all_accesses(ws: Workspace, today: date) -> list[Access]:
    """Return all requests of the registry, oldest first.

    Raises:
        RegistryError: an event cannot be used.

    """
    places = [
        Address(folder.parent.name, folder.name)
        for folder in sorted((ws.registry / EVENTS).glob("*/*"))
        if folder.is_dir()
    ]
    return sorted(accesses(ws, places, today), key=lambda access: access.at)


def accesses(ws: Workspace, places: Iterable[Address], today: date) -> Iterator[Access]:
    """Yield the requests for products, oldest first for each, as they stand on a day.

    Raises:
        RegistryError: an event cannot be used.

    """
    for place in places:
        found: dict[str, tuple[Event, Event | None]] = {}
        for event in read_events(ws.registry, place.domain, place.product, KINDS):
            request = str(event.data.get("request") or "")
            if event.kind == REQUESTED:
                found[event.id[:12]] = (event, None)
            elif request in found:
                found[request] = (found[request][0], event)
        for asked, decided in found.values():
            yield _access(place.product, asked, decided, today)


def _access(product: str, asked: Event, decided: Event | None, today: date) -> Access:
    until = _day(asked.data.get("until"))
    state = State(_DECIDED[decided.kind]) if decided is not None else State.REQUESTED
    if until is not None and until < today and state in (State.REQUESTED, State.APPROVED):
        state = State.EXPIRED
    said: Mapping[str, Any] = decided.data if decided is not None else {}
    return Access(
        id=asked.id[:12],
        about=asked.subject,
        product=product,
        consumer=str(asked.data.get("consumer") or ""),
        contact=str(asked.data.get("contact") or ""),
        purpose=str(asked.data.get("purpose") or ""),
        by=str(asked.data.get("by") or ""),
        at=asked.time,
        until=until,
        state=state,
        decided_by=str(said.get("by") or ""),
        reason=str(said.get("reason") or ""),
    )


def _refuse_person(ws: Workspace, access: Access, decision: State, by: str) -> None:
    who = by.strip().casefold()
    own = who in {access.by.casefold(), access.contact.casefold(), access.consumer.casefold()}
    if decision is State.WITHDRAWN:
        if not own:
            raise RegistryError(
                f"only who asked can withdraw the request {access.id}: {access.by}",
                hint="deny or revoke it instead",
            )
        return
    if own:
        raise RegistryError(
            f"{by} asked for it, and nobody decides about a request of their own",
            hint="let another member of the product's team decide",
        )
    team = team_of(ws, access.product)
    if who not in {member.casefold() for member in team}:
        raise RegistryError(
            f"{by} is not in the team of {access.product}, which decides",
            hint=f"who does: {', '.join(team) or 'nobody; its document names no team'}",
        )


def team_of(ws: Workspace, product: str) -> list[str]:
    """Return the members of a published product's team who are there today, as its ODPS document names them.

    Raises:
        RegistryError: the registry file or the document cannot be read.

    """
    entry = next((e for e in read_index(ws)["products"] if e["name"] == product), None)
    if entry is None:
        return []
    file = ws.registry / "products" / entry["domain"] / product / "product" / f"{entry['version']}.odps.yaml"
    try:
        members = (read_yaml(file).data.get("team") or {}).get("members") or []
    except DocumentError as error:
        raise RegistryError(error.message, where=file, hint="see: factory registry verify") from error
    open_ = [m for m in members if isinstance(m, dict) and not m.get("dateOut")]
    return list(
        dict.fromkeys([str(m.get("username")) for m in open_ if m.get("username")] + [entry["owner"]])
    )


def _product(address: Address) -> str:
    return str(Address(address.domain, address.product))


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def subscribers(
    ws: Workspace, products: Collection[str], today: date | None = None
) -> tuple[Subscriber, ...]:
    """Return who has access to products, or asks for it, on a day (today, in UTC, if none is named)."""
    day = today or datetime.now(UTC).date()
    places = [
        Address(folder.parent.name, folder.name)
        for name in sorted(products)
        for folder in sorted((ws.registry / EVENTS).glob(f"*/{name}"))
    ]
    found = [
        Subscriber(a.product, a.consumer, _WORDS[a.state], a.contact)
        for a in accesses(ws, places, day)
        if a.is_open
    ]
    return (*_from_files(ws, products), *found)


_WORDS = {State.REQUESTED: "asks for access", State.APPROVED: "has access"}


def _from_files(ws: Workspace, products: Collection[str]) -> Iterator[Subscriber]:
    folder = ws.registry / "access"
    for file in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        if "." in file.stem:
            continue
        try:
            data = read_yaml(file).data
        except DocumentError:
            continue  # a record that nobody can read grants nothing, and stops nobody's build
        if not isinstance(data, dict):
            continue
        product = str(data.get("product", "")).rpartition(":")[2]
        if product not in products or _has(folder, file.stem, "denied", "revoked"):
            continue
        state = State.APPROVED if _has(folder, file.stem, "approved") else State.REQUESTED
        consumer, contact = str(data.get("consumer", "")), str(data.get("contact") or "")
        yield Subscriber(product, consumer, _WORDS[state], contact)


def _has(folder: Path, name: str, *decisions: str) -> bool:
    return any((folder / f"{name}.{decision}.yaml").is_file() for decision in decisions)
