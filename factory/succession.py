"""Who owns a product, from whom to whom: one owner leaves, and the next one comes.

Takes a workspace, a product's name and the new owner; gives a `Succession`; reads the registry and changes the files
that people keep by hand: the team in `product.odps.yaml`, that of contracts with a team of their own, and versions.
A change of the owner is information, so it asks for a patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from factory.contract import Promise, bumped, read_promises, version_key
from factory.documents import Document, Path_, read_text
from factory.errors import FactoryError, ProductError, raise_all
from factory.handkept import HandKept, Written
from factory.odcs.lint.people import OWNERS, day_of, team_members
from factory.products import Product, discover
from factory.registry import Registry
from factory.selection import select
from factory.workspace import Workspace

_ROLE = "dpo"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who is to own a product: user name or address, name (may be empty), and the day of the change."""

    username: str
    name: str
    day: date


@dataclass(frozen=True, slots=True)
class Succession:
    """What became of an owner's change.

    Attributes:
        product: the product's name.
        before: user names of those who owned it; empty if nobody did.
        written: every value that is written, in order.
        mentions: places that name the one before and that a person should look at.
    """

    product: str
    before: tuple[str, ...]
    written: tuple[Written, ...]
    mentions: tuple[tuple[Path, int], ...]


@dataclass(frozen=True, slots=True)
class _Team:
    """A team in a file: where its members stand, and who owns the product by it."""

    document: Document
    members: Path_
    owners: tuple[tuple[Path_, dict[str, Any]], ...]


def succeed(ws: Workspace, name: str, new: Newcomer, *, dry_run: bool = False) -> Succession:
    """Close the entry of the owner of today in every team of a product, and open that of the new one.

    Raises:
        ProductError: there is no such product, the user owns it already, or the day is before the owner's first.
        EditError: a file has to be edited by hand.

    """
    if not new.username.strip() or not new.username.isprintable():
        raise ProductError("the new owner has no name", hint="give --new a user name or an address")
    products = {product.name: product for product in discover(ws)}
    select((name.strip("+"),), products, {})
    product = products[name.strip("+")]
    promises = read_promises(product)
    teams = _teams(product, promises)
    waiting = [team for team in teams if not _is_owned_by(team, new.username)]
    if not waiting:
        path, _ = teams[0].owners[0]
        raise ProductError(
            f"{new.username} owns {product.name} already",
            where=product.file,
            line=product.document.line(*path),
            hint="name somebody else",
        )
    problems = [problem for team in waiting for problem in _faults(team, new)]
    raise_all(problems)
    files = HandKept()
    before: dict[str, None] = {}
    for team in waiting:
        before |= dict.fromkeys(
            str(member["username"]) for _, member in team.owners if member.get("username")
        )
        _hand_over(files, team, new)
    _raise_versions(files, ws, product, promises)
    written = files.written()
    if not dry_run:
        files.write()
    mentions = tuple(_mentions(product, tuple(before), {w.file for w in written}))
    return Succession(product.name, tuple(before), written, mentions)


def _teams(product: Product, promises: tuple[Promise, ...]) -> list[_Team]:
    """Return the product's team, and those of contracts that have one of their own."""
    own = [promise.document for promise in promises if promise.data.get("team")]
    return [_team(document) for document in (product.document, *own)]


def _team(document: Document) -> _Team:
    data: dict[str, Any] = document.data
    owners = tuple(
        (path, dict(member))
        for path, member in team_members(data)
        if str(member.get("role") or "").lower() in OWNERS and not member.get("dateOut")
    )
    members: Path_ = ("team",) if isinstance(data.get("team"), list) else ("team", "members")
    return _Team(document, members, owners)


def _is_owned_by(team: _Team, username: str) -> bool:
    return [member.get("username") for _, member in team.owners] == [username]


def _faults(team: _Team, new: Newcomer) -> list[FactoryError]:
    """Return why an owner cannot be followed."""
    document = team.document
    if len(team.owners) > 1:
        path, member = team.owners[1]
        names = " and ".join(str(member.get("username")) for _, member in team.owners)
        message = f"{names} are both the owner now"
        hint = "close one of them by hand, with dateOut and replacedByUsername"
        return [ProductError(message, where=document.path, line=document.line(*path), hint=hint)]
    for path, member in team.owners:
        came = day_of(member.get("dateIn"))
        if came is not None and new.day < came:
            message = f"{member.get('username')} came on {came}, after {new.day}"
            line = document.line(*path, "dateIn")
            return [
                ProductError(message, where=document.path, line=line, hint=f"give --date {came} or later")
            ]
    return []


def _hand_over(files: HandKept, team: _Team, new: Newcomer) -> None:
    file, day = team.document.path, new.day.isoformat()
    role, after = _ROLE, None
    for path, member in team.owners:
        who = member.get("username")
        files.set(file, (*path, "dateOut"), day, f"{who}: dateOut {day}")
        files.set(
            file, (*path, "replacedByUsername"), new.username, f"{who}: replacedByUsername {new.username}"
        )
        role, after = str(member.get("role")), int(path[-1])
    entry = {
        "username": new.username,
        **({"name": new.name} if new.name else {}),
        "role": role,
        "dateIn": day,
    }
    files.add(file, team.members, entry, f"{new.username}: {role} since {day}", after)


def _raise_versions(files: HandKept, ws: Workspace, product: Product, promises: tuple[Promise, ...]) -> None:
    """Raise by a patch every version that is published as it stands."""
    registry = Registry(ws)
    published = registry.published(product)
    for promise in promises:
        versions = [p.version for p in published.get(promise.name, ())]
        if promise.version in versions:
            same = [version for version in versions if version_key(version)[0] == promise.major]
            new = bumped(max(same, key=version_key), "patch")
            files.set(promise.document.path, ("version",), new, f"version {promise.version} -> {new}")
    if product.version and registry.published_product(product, product.version) is not None:
        new = bumped(product.version, "patch")
        files.set(product.file, ("version",), new, f"version {product.version} -> {new}")


def _mentions(product: Product, names: tuple[str, ...], changed: set[Path]) -> list[tuple[Path, int]]:
    """Return where else in the product's dbt project somebody is named."""
    found = []
    files = [file for pattern in ("*.yml", "*.yaml") for file in product.folder.glob(f"models/**/{pattern}")]
    for file in sorted(set(files) - changed):
        lines = read_text(file).splitlines()
        found += [
            (file, number) for number, line in enumerate(lines, 1) if any(name in line for name in names)
        ]
    return found
