"""The facts of an incident as JSON: written from values, and read from what is there.

Takes values or the contents of the files; gives the other. Fields that are not there have their defaults, so that
incidents of older versions can be read. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from factory.incidents.values import Cause, Delivery, Incident, Route, Said, Trouble, Worsening, clean
from factory.periods import moment_of

_TEXTS = ("key", "kind", "domain", "product", "severity", "subject", "reason", "contract", "table", "column",
          "measured", "promised", "guidance", "file")  # fmt: skip


def opened_values(incident: Incident) -> dict[str, Any]:
    """Return the fact of an opening. The key stays as it is; other texts lose what steers a terminal."""
    trouble = incident.trouble
    cause = incident.cause
    return {
        "schema_version": 1,
        "at": time_text(incident.opened),
        "run": incident.run,
        "urn": incident.urn,
        **{name: clean(getattr(trouble, name)) for name in _TEXTS},
        "key": trouble.key,
        "line": trouble.line,
        "last_good": time_text(trouble.last_good) if trouble.last_good else None,
        "cause": {"product": cause.product, "incident": cause.incident} if cause else None,
        "runbook": incident.runbook,
        "route": route_values(incident.first_route),
    }


def worsening_values(worsening: Worsening) -> dict[str, Any]:
    """Return the fact of a warning that became an error."""
    return {
        "at": time_text(worsening.at),
        "severity": "error",
        "reason": clean(worsening.reason),
        "measured": clean(worsening.measured),
        "route": route_values(worsening.route),
    }


def route_values(route: Route) -> dict[str, Any]:
    """Return who is told, for a file."""
    return {
        "first_line": list(route.first_line),
        "second_line": list(route.second_line),
        "meaning": route.meaning,
        "notify_by": time_text(route.notify_by) if route.notify_by else None,
        "repair_by": time_text(route.repair_by) if route.repair_by else None,
    }


def time_text(moment: datetime) -> str:
    """Return a moment in UTC, by ISO 8601, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def incident_from(name: str, facts: Mapping[str, Mapping[str, Any]]) -> Incident | None:
    """Return the incident that facts tell of, by the names of their files; None without a readable opening."""
    opened = facts.get("opened", {})
    at = moment_of(opened.get("at"))
    if at is None or not all(isinstance(opened.get(key), str) for key in ("key", "domain", "product")):
        return None
    cause = opened.get("cause")
    worse = facts.get("worsened", {})
    worse_at = moment_of(worse.get("at"))
    closed = facts.get("closed", {})
    repairs = [_said(fact) for fact in _series(facts, "repaired")]
    disproved = [moment_of(fact.get("at")) for fact in _series(facts, "disproved")]
    return Incident(
        id=name,
        trouble=_trouble(opened),
        opened=at,
        first_route=_route(opened.get("route")),
        run=str(opened.get("run") or ""),
        cause=Cause(str(cause.get("product")), str(cause.get("incident")))
        if isinstance(cause, dict)
        else None,
        runbook=str(opened.get("runbook") or ""),
        worsening=Worsening(
            worse_at,
            str(worse.get("reason") or ""),
            str(worse.get("measured") or ""),
            _route(worse.get("route")),
        )
        if worse_at
        else None,
        deliveries=tuple(_deliveries(facts)),
        acknowledgement=_said(facts.get("acknowledged", {})),
        repairs=tuple(said for said in repairs if said),
        disproved=tuple(moment for moment in disproved if moment),
        closed=(moment_of(closed.get("at")) or at) if closed else None,
        closed_reason=str(closed.get("reason") or ""),
    )


def _trouble(opened: Mapping[str, Any]) -> Trouble:
    texts = {name: str(opened.get(name) or "") for name in _TEXTS}
    line = opened.get("line")
    return Trouble(
        **texts, line=line if isinstance(line, int) else 0, last_good=moment_of(opened.get("last_good"))
    )


def _route(values: Any) -> Route:
    found = values if isinstance(values, dict) else {}
    return Route(
        first_line=tuple(map(str, found.get("first_line") or ())),
        second_line=tuple(map(str, found.get("second_line") or ())),
        meaning=str(found.get("meaning") or ""),
        notify_by=moment_of(found.get("notify_by")),
        repair_by=moment_of(found.get("repair_by")),
    )


def _said(fact: Mapping[str, Any]) -> Said | None:
    at = moment_of(fact.get("at"))
    return Said(at, str(fact.get("by") or ""), str(fact.get("note") or "")) if at else None


def _series(facts: Mapping[str, Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """Return the facts `name`, `name-2`, `name-3` and so on, in order."""
    numbers = [(1, name)] if name in facts else []
    for each in facts:
        number = each.removeprefix(f"{name}-")
        if number != each and number.isdecimal():
            numbers.append((int(number), each))
    return [facts[each] for _, each in sorted(numbers)]


def _deliveries(facts: Mapping[str, Mapping[str, Any]]) -> list[Delivery]:
    found = []
    for fact in _series(facts, "notified"):
        entries = fact.get("deliveries")
        for entry in entries if isinstance(entries, list) else ():
            at = moment_of(entry.get("at")) if isinstance(entry, dict) else None
            if at:
                found.append(
                    Delivery(at, str(entry.get("news")), str(entry.get("channel")), entry.get("ok") is True,
                             str(entry.get("reason") or ""))
                )  # fmt: skip
    return found
