"""Incidents for people and programs: which are open, since when, why, and who is told; and what people say of them.

Takes a workspace; gives incidents, text and JSON; reads the registry, and writes what somebody says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from factory.errors import RegistryError
from factory.incidents.after import event_data
from factory.incidents.facts import time_text
from factory.incidents.notice import said_words
from factory.incidents.store import IncidentStore
from factory.incidents.values import Incident, Said, clean
from factory.registry.store import Registry
from factory.standards import nearest
from factory.workspace import Workspace


def list_incidents(
    ws: Workspace, product: str = "", *, closed: bool = False, since: datetime | None = None
) -> tuple[Incident, ...]:
    """Return incidents, the newest first: those that are open, or all of them.

    Args:
        ws: the workspace.
        product: only this product's; empty for every product's.
        closed: those that are over, too.
        since: of those, only the ones that opened since then.

    Raises:
        RegistryError: nothing is known of a product of this name.

    """
    store = IncidentStore(ws.registry)
    places = store.products(unfinished=not closed)
    if product:
        places = tuple(place for place in places if place[1] == product)
        if not places:
            _refuse_unknown(ws, store, product)
    found = [
        incident
        for domain, name in places
        for incident in (store.all(domain, name, since) if closed else store.open_incidents(domain, name))
    ]
    return tuple(sorted(found, key=lambda i: (i.opened, i.id), reverse=True))


def _refuse_unknown(ws: Workspace, store: IncidentStore, product: str) -> None:
    """Refuse a name that is no product's; a product without incidents is fine."""
    known = {name for _, name in store.products(unfinished=False)}
    known |= {folder.name for folder in ws.products.glob("*") if folder.is_dir()}
    if product not in known:
        near = nearest(product, known)
        hint = f"did you mean {near!r}?" if near else "see all incidents with: factory incidents --all"
        raise RegistryError(f"there is no product {clean(product, 60)!r} with incidents", hint=hint)


def acknowledge(ws: Workspace, part: str, said: Said) -> tuple[Incident, bool]:
    """Note that somebody has taken an incident on; return it, and whether that is news.

    Raises:
        RegistryError: there is no such incident, or it is closed.

    """
    incident = _open(ws, part)
    if incident.acknowledgement:
        return incident, False
    incident = IncidentStore(ws.registry).acknowledge(incident, said)
    Registry(ws).write_event(incident, "acknowledged", {**event_data(incident), **_said(said)}, said.at)
    return incident, True


def repair(ws: Workspace, part: str, said: Said) -> tuple[Incident, bool]:
    """Note that somebody says an incident is repaired; return it, and whether that is news.

    It closes when the next run finds it good.

    Raises:
        RegistryError: there is no such incident, or it is closed.

    """
    incident = _open(ws, part)
    if incident.claim:
        return incident, False
    incident = IncidentStore(ws.registry).repair(incident, said)
    Registry(ws).write_event(incident, "repaired", {**event_data(incident), **_said(said)}, said.at)
    return incident, True


def _open(ws: Workspace, part: str) -> Incident:
    incident = IncidentStore(ws.registry).find(part)
    if incident.closed:
        raise RegistryError(
            f"the incident {incident.id} is closed since {time_text(incident.closed)}",
            hint="list the open ones with: factory incidents",
        )
    return incident


def _said(said: Said) -> dict[str, str]:
    return {"by": clean(said.by, 200), "note": clean(said.note)}


# Text


def incidents_as_text(incidents: Sequence[Incident], now: datetime, *, closed: bool = False) -> str:
    """Return a list of incidents for people, a few lines each."""
    if not incidents:
        return "No incidents." if closed else "No open incidents."
    blocks = ["\n".join(_lines(incident, now)) for incident in incidents]
    count = sum(incident.is_open for incident in incidents)
    total = f"{len(incidents)} incident{'s' if len(incidents) > 1 else ''}, {count} open"
    return "\n".join([*blocks, "", f"{total}."])


def _lines(incident: Incident, now: datetime) -> list[str]:
    trouble = incident.trouble
    if incident.closed:
        state = f"closed {words(now - incident.closed)} ago, {incident.closed_reason}"
    else:
        state = f"open for {words(now - incident.opened)}"
    lines = [
        f"{incident.id}  {incident.severity}  {incident.product}: {clean(trouble.subject, 200)}",
        f"  {state}",
    ]
    if incident.reason:
        lines.append(f"  why: {clean(incident.reason, 300)}")
    if incident.cause:
        lines.append(f"  perhaps because of: {incident.cause.product}, incident {incident.cause.incident}")
    lines.append(f"  told: {_told(incident)}")
    if incident.acknowledgement:
        lines.append(f"  acknowledged: {said_words(incident.acknowledgement)}")
    if incident.claim:
        lines.append(f"  said to be repaired: {said_words(incident.claim)}")
    elif incident.is_disproved:
        lines.append(f"  said to be repaired, and still bad: {said_words(incident.repairs[-1])}")
    if incident.is_open and incident.route.repair_by:
        left = incident.route.repair_by - now
        when = f"in {words(left)}" if left >= timedelta() else f"overdue by {words(-left)}"
        lines.append(f"  to be repaired: {when}")
    if trouble.file:
        lines.append(f"  written in: {clean(trouble.file)}{f':{trouble.line}' if trouble.line else ''}")
    return lines


def _told(incident: Incident) -> str:
    names = ", ".join(clean(name, 100) for name in incident.route.told) or "nobody is named"
    if incident.notified is None:
        failed = {d.channel: d.reason for d in incident.deliveries if not d.ok}
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        return f"not yet: {names}{f' ({reasons})' if reasons else ''}"
    return names


def words(period: timedelta) -> str:
    """Return a period for people: `40 min`, `5 h`, `3 d`."""
    minutes = int(period.total_seconds()) // 60
    if minutes < 120:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


# JSON


def incidents_as_json(incidents: Sequence[Incident]) -> dict[str, Any]:
    """Return incidents in the shape of `factory/schemas/incidents.schema.json`."""
    return {"incidents": [incident_values(incident) for incident in incidents]}


def incident_values(incident: Incident) -> dict[str, Any]:
    """Return one incident for programs; times of repair and the like in seconds."""
    trouble, route, cause = incident.trouble, incident.route, incident.cause
    return {
        "id": incident.id,
        "product": incident.urn,
        "name": incident.product,
        "domain": incident.domain,
        "key": incident.key,
        "kind": trouble.kind,
        "severity": incident.severity,
        "state": "open" if incident.is_open else "closed",
        "subject": trouble.subject,
        "reason": incident.reason,
        "contract": trouble.contract,
        "table": trouble.table,
        "column": trouble.column,
        "measured": incident.measured,
        "promised": trouble.promised,
        "guidance": trouble.guidance,
        "file": trouble.file,
        "line": trouble.line,
        "run": incident.run,
        "cause": {"product": cause.product, "incident": cause.incident} if cause else None,
        "runbook": incident.runbook,
        "first_line": list(route.first_line),
        "second_line": list(route.second_line),
        "notify_by": _time(route.notify_by),
        "repair_by": _time(route.repair_by),
        "last_good": _time(incident.last_good),
        "opened": time_text(incident.opened),
        "notified": _time(incident.notified),
        "acknowledged": _person(incident.acknowledgement),
        "repaired": _person(incident.repairs[-1] if incident.repairs else None),
        "still_bad": incident.is_open and incident.is_disproved,
        "closed": _time(incident.closed),
        "closed_reason": incident.closed_reason,
        "time_to_detect": _seconds(incident.time_to_detect),
        "time_to_notify": _seconds(incident.time_to_notify),
        "time_to_repair": _seconds(incident.time_to_repair),
        "deliveries": [
            {"at": time_text(d.at), "news": d.news, "channel": d.channel, "ok": d.ok, "reason": d.reason}
            for d in incident.deliveries
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return time_text(moment) if moment else None


def _seconds(period: timedelta | None) -> float | None:
    return period.total_seconds() if period is not None else None


def _person(said: Said | None) -> dict[str, str] | None:
    return {"at": time_text(said.at), "by": said.by, "note": said.note} if said else None
