"""The human lineage: who was responsible, from when to when, and who followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from factory.documents import Path_
from factory.odcs.lint.walk import Table, Values, items, text
from factory.standards import Fault, nearest

#: The roles of which a contract has one holder at a time.
OWNERS = ("dpo", "data product owner", "owner")


def people_faults(data: Values, _found: tuple[Table, ...]) -> Iterator[Fault]:
    """Yield breaks in the human lineage; the team may be a list (3.0) or have a list of members."""
    members = team_members(data)
    arrivals: dict[str, list[date | None]] = {}
    for _, member in members:
        arrivals.setdefault(text(member, "username"), []).append(day_of(member.get("dateIn")))
    dates = [(path, member, _dates(member)) for path, member in members]
    for path, member, (came, went) in dates:
        for key, found in (("dateIn", came), ("dateOut", went)):
            if key in member and found is None and isinstance(member[key], str):
                message = f"{_who(member)}: {key} {member[key]!r} is no date"
                yield Fault((*path, key), message, "write it as 2024-01-31", code="wrong-date")
        if came and went and went < came:
            message = f"{_who(member)} left on {went}, before they came on {came}"
            yield Fault((*path, "dateOut"), message, "swap or correct the dates", code="dates-in-disorder")
        yield from _successor(path, member, arrivals)
    yield from _owners(members)
    yield from _circles(members)


def team_members(data: Values) -> list[tuple[Path_, Values]]:
    """Return the members of a contract's team with their places, whichever form the team has."""
    team = data.get("team")
    if isinstance(team, list):
        return [(("team", number), member) for number, member in items(data, "team")]
    return [(("team", "members", number), member) for number, member in items(team, "members")]


def _dates(member: Values) -> tuple[date | None, date | None]:
    return day_of(member.get("dateIn")), day_of(member.get("dateOut"))


def day_of(value: Any) -> date | None:
    """Return the day that a text names by ISO 8601, with or without a time; None if it names none."""
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None


def _who(member: Values) -> str:
    return text(member, "username") or text(member, "name") or "a member of the team"


def _is_owner(member: Values) -> bool:
    return text(member, "role").lower() in OWNERS


def _successor(path: Path_, member: Values, arrivals: dict[str, list[date | None]]) -> Iterator[Fault]:
    """Yield a break between a member and the one who followed; `arrivals` are the days on which people came."""
    successor = member.get("replacedByUsername")
    if not isinstance(successor, str) or not successor:
        return
    place = (*path, "replacedByUsername")
    if successor == text(member, "username"):
        yield Fault(place, f"{_who(member)} is said to be replaced by themselves", code="lineage-broken")
        return
    if successor not in arrivals:
        near = nearest(successor, arrivals)
        hint = f"did you mean {near!r}?" if near else "add them to the team"
        message = f"{_who(member)} is replaced by {successor!r}, who is not in the team"
        yield Fault(place, message, hint, code="lineage-broken")
        return
    went = day_of(member.get("dateOut"))
    if "dateOut" not in member:
        message = f"{_who(member)} is replaced by {successor!r}, and has no dateOut"
        yield Fault(place, message, "add dateOut", code="lineage-broken")
        return
    known = [day for day in arrivals[successor] if day is not None]
    # A successor may start on the day after.
    if went is not None and known and not any(day <= went + timedelta(days=1) for day in known):
        message = f"{_who(member)} left on {went}, and {successor!r} came only on {min(known)}"
        yield Fault(place, message, "let one follow the other without a gap", code="lineage-broken")


def _owners(members: list[tuple[Path_, Values]]) -> Iterator[Fault]:
    owners = [(path, member) for path, member in members if _is_owner(member)]
    if members and not owners:
        message = "nobody in the team is the owner"
        hint = "give one of them the role dpo"
        yield Fault(members[0][0][:-1], message, hint, code="no-owner", severity="warning")
    if not owners:
        return
    still = [(path, member) for path, member in owners if not member.get("dateOut")]
    if not still:
        message = "nobody owns the contract now: every owner has a dateOut"
        hint = "add the owner of today, without dateOut"
        yield Fault(owners[-1][0], message, hint, code="no-owner")
    for path, member in still[1:]:
        message = f"{_who(still[0][1])} and {_who(member)} are both the owner now"
        hint = "close one of them with dateOut and replacedByUsername"
        yield Fault((*path, "role"), message, hint, code="several-owners")
    for path, member in owners:
        if member.get("dateOut") and not member.get("replacedByUsername") and len(owners) > 1:
            message = f"{_who(member)} left, and nothing says who followed"
            yield Fault(path, message, "add replacedByUsername", code="lineage-broken")
    # Everybody but the first was made the owner by somebody who left.
    named = {text(member, "replacedByUsername") for _, member in owners}
    ordered = sorted(owners, key=lambda owner: day_of(owner[1].get("dateIn")) or date.max)
    for path, member in ordered[1:]:
        dated = day_of(member.get("dateIn")) is not None
        if dated and text(member, "username") not in named and len(still) <= 1 and "" not in named:
            message = f"{_who(member)} became the owner, and nobody is replaced by them"
            yield Fault(path, message, "add replacedByUsername to the one before", code="lineage-broken")


def _circles(members: list[tuple[Path_, Values]]) -> Iterator[Fault]:
    """Yield people who are replaced by each other in a ring; somebody who came back stands twice and is none."""
    stays = Counter(text(member, "username") for _, member in members)
    after = {
        text(member, "username"): (path, text(member, "replacedByUsername"))
        for path, member in members
        if text(member, "replacedByUsername") and stays[text(member, "username")] == 1
    }
    seen: set[str] = set()
    for start in after:
        ring: dict[str, None] = {}
        at = start
        while at in after and at not in seen:
            seen.add(at)
            ring[at] = None
            at = after[at][1]
        if at in ring and at != after[at][1]:
            names = list(ring)[list(ring).index(at) :]
            shown = " -> ".join([*names[:5], at])
            place = (*after[at][0], "replacedByUsername")
            hint = "say who followed the last of them"
            yield Fault(place, f"{shown}: they replace each other in a ring", hint, code="lineage-broken")
