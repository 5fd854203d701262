"""Whom to ask about a product: its owner of today, and if nobody can be reached, the one before, back to the first.

Takes a workspace and a product's name, or the file of a contract, and who cannot be reached; gives a `Contact`, text
and JSON; reads products, the registry or the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from factory.contract import read_promises
from factory.documents import read_yaml
from factory.errors import DocumentError, ProductError, RegistryError
from factory.files import within
from factory.odcs.lint.people import OWNERS, day_of, team_members
from factory.products import discover
from factory.registry import read_index
from factory.standards import nearest
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who owns or owned a product.

    Attributes:
        username, name, role: who it is; name and role may be empty.
        date_in, date_out: from when to when, as the file says; empty where it does not.
        replaced_by: the user name of who followed, or empty.
        comment: what is said about them or their time.
        skipped: they cannot be reached.
    """

    username: str
    name: str
    role: str
    date_in: str
    date_out: str
    replaced_by: str
    comment: str
    skipped: bool

    def when(self) -> str:
        """Return from when to when, for people."""
        if not self.date_out:
            return f"since {self.date_in}" if self.date_in else "now"
        return f"{self.date_in} to {self.date_out}" if self.date_in else f"until {self.date_out}"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who can be asked.

    Attributes:
        source: the product's name, or the file.
        lineage: the owners, the one of today first.
        support: the support channels: channel, and url where there is one.
    """

    source: str
    lineage: tuple[Person, ...]
    support: tuple[tuple[str, str], ...]

    @property
    def ask(self) -> Person | None:
        """The first who can be reached, or None."""
        return next((person for person in self.lineage if not person.skipped), None)


def contact(ws: Workspace, name: str, skipped: Collection[str]) -> Contact:
    """Return whom to ask about a product of the workspace, or about one that is only published.

    Raises:
        ProductError: neither knows the product.
        RegistryError: somebody is skipped who is not in the lineage.

    """
    products = {product.name: product for product in discover(ws)}
    entries = {str(entry["name"]): entry for entry in read_index(ws)["products"]}
    if name in products:
        product = products[name]
        documents = [product.descriptor, *(promise.data for promise in read_promises(product))]
    elif name in entries:
        documents = [
            read_yaml(within(ws.registry, c["path"])).data for c in reversed(entries[name]["contracts"])
        ]
    else:
        near = nearest(name, {*products, *entries})
        hint = f"did you mean {near!r}?" if near else "see what is published with: factory list"
        raise ProductError(f"there is no product {name!r}, here or published", hint=hint)
    return _contact(name, documents, skipped)


def contact_of_file(file: Path, skipped: Collection[str]) -> Contact:
    """Return whom to ask by a contract's file.

    Raises:
        DocumentError: it cannot be read.
        RegistryError: somebody is skipped who is not in the lineage.

    """
    data = read_yaml(file).data
    if not isinstance(data, dict):
        raise DocumentError("the file is no contract", where=file, line=1, code="not-a-contract")
    return _contact(file.as_posix(), [data], skipped)


def _contact(source: str, documents: Sequence[Mapping[str, Any]], skipped: Collection[str]) -> Contact:
    """Put together what documents say: the first that names an owner, and the first that names support."""
    found: Sequence[Mapping[str, Any]] = ()
    for document in documents:
        members = _members(document)
        owners = [member for member in members if str(member.get("role") or "").lower() in OWNERS]
        found = found or owners
    found = found or next((members for members in map(_members, documents) if members), ())
    people = tuple(_person(member, skipped) for member in walk_back(found))
    strangers = sorted(set(skipped) - {person.username for person in people})
    if strangers:
        known = ", ".join(person.username for person in people) or "nobody"
        raise RegistryError(
            f"{', '.join(strangers)} never owned {source}", hint=f"its owners, the newest first: {known}"
        )
    return Contact(source, people, _support(documents))


def _members(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = [member for _, member in team_members(dict(document))]
    if not found and isinstance(document.get("stakeholders"), list):  # contracts before ODCS 3
        found = [member for member in document["stakeholders"] if isinstance(member, dict)]
    return [member for member in found if member.get("username") or member.get("name")]


def walk_back(owners: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return owners, the one of today first, then whom each replaced, back to the first.

    Where the chain is broken it goes on with the latest of those who are left.
    """
    left = list(owners)
    ordered: list[Mapping[str, Any]] = []
    while left:
        follower = ordered[-1].get("username") if ordered else None
        before = [member for member in left if follower and member.get("replacedByUsername") == follower]
        place = max(range(len(left)), key=lambda n: _rank(left[n], left[n] in before, n))
        ordered.append(left.pop(place))
    return ordered


def _rank(member: Mapping[str, Any], is_next: bool, place: int) -> tuple[bool, bool, date, int]:
    return is_next, not member.get("dateOut"), day_of(member.get("dateIn")) or date.min, place


def _person(member: Mapping[str, Any], skipped: Collection[str]) -> Person:
    def said(key: str) -> str:
        return " ".join(str(member.get(key) or "").split())

    username = said("username") or said("name")
    return Person(
        username=username,
        name=said("name") if said("name") != username else "",
        role=said("role"),
        date_in=said("dateIn"),
        date_out=said("dateOut"),
        replaced_by=said("replacedByUsername"),
        comment=said("comment") or said("description"),
        skipped=username in skipped,
    )


def _support(documents: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    for document in documents:
        support = document.get("support")
        if isinstance(support, list) and support:
            return tuple(
                (str(channel.get("channel") or ""), str(channel.get("url") or ""))
                for channel in support
                if isinstance(channel, dict)
            )
    return ()


def contact_as_json(found: Contact) -> dict[str, Any]:
    """Return the answer in the shape of `factory/schemas/contact.schema.json`."""
    return {
        "source": found.source,
        "ask": found.ask.username if found.ask else None,
        "lineage": [
            {
                "username": person.username,
                "name": person.name,
                "role": person.role,
                "date_in": person.date_in,
                "date_out": person.date_out,
                "replaced_by": person.replaced_by,
                "comment": person.comment,
                "skipped": person.skipped,
            }
            for person in found.lineage
        ],
        "support": [{"channel": channel, "url": url} for channel, url in found.support],
    }


def contact_as_text(found: Contact) -> str:
    """Return the answer for people: whom to ask, the lineage, and where else help is."""
    ask = found.ask
    if ask is not None:
        lines = [f"Ask {_called(ask)}: {ask.role or 'of the team'} of {found.source}, {ask.when()}."]
    elif found.lineage:
        lines = [f"Nobody who ever owned {found.source} is left to ask."]
    else:
        lines = [f"Nobody is named for {found.source}."]
    if found.lineage:
        wide = [max(len(text) for text in column) for column in zip(*map(_cells, found.lineage), strict=True)]
        lines.append("")
    for person in found.lineage:
        mark = ">" if person is ask else "-" if person.skipped else " "
        cells = [text.ljust(width) for text, width in zip(_cells(person), wide, strict=True)]
        lines.append("  ".join([mark, *cells, person.comment]).rstrip())
    if found.support:
        lines += ["", *(f"Support  {channel} {url}".rstrip() for channel, url in found.support)]
    return "\n".join(lines)


def _called(person: Person) -> str:
    return f"{person.username} ({person.name})" if person.name else person.username


def _cells(person: Person) -> tuple[str, str, str]:
    return _called(person), person.role, person.when()
