"""What happened to products: the events of the registry, of a time, of a product, of some kinds.

Takes a workspace and a moment; gives the events, oldest first; reads `registry/events/`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from factory.addresses import address_of
from factory.errors import RegistryError
from factory.questions.tables import table
from factory.registry.events import TYPE_PREFIX, Event, events_since
from factory.workspace import Workspace

_SHORTEST = 12  # columns of a reason that are worth showing


def find_events(
    ws: Workspace, since: datetime, product: str = "", kinds: Collection[str] = ()
) -> tuple[tuple[Event, ...], tuple[RegistryError, ...]]:
    """Return the events since a moment, oldest first, and what could not be read.

    Args:
        ws: the workspace.
        since: from when on.
        product: only of this one, by its name or urn.
        kinds: only of these, as `yanked` or by their whole types.

    Raises:
        RegistryError: this is no product's name or urn.

    """
    wanted = {kind.removeprefix(TYPE_PREFIX) for kind in kinds}
    try:
        about = address_of(product) if product else None
    except ValueError as error:
        hint = "name a product, or its urn: urn:dpf:<domain>:<product>"
        raise RegistryError(f"{product!r} is no product: {error}", hint=hint) from None
    faults: list[RegistryError] = []
    found = events_since(ws.registry, since, faults)
    if about is not None:
        ending = f":{about.domain}:{about.product}" if about.domain else f":{about.product}"
        found = tuple(event for event in found if event.source.endswith(ending))
    return tuple(event for event in found if not wanted or event.kind in wanted), tuple(faults)


def events_as_json(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return the events as they are."""
    return [dict(event.value) for event in events]


def events_as_lines(events: Iterable[Event]) -> str:
    """Return the events as they are, a line of JSON each."""
    return "\n".join(json.dumps(dict(event.value), ensure_ascii=True) for event in events)


def events_as_text(events: Sequence[Event], width: int = 100) -> str:
    """Return the events for people, a line each."""
    if not events:
        return "Nothing happened since then."
    head = ("time (UTC)", "product", "what", "about", "why")
    rows = [
        (
            f"{event.time.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            event.source.rpartition(":")[2],
            event.kind,
            _about(event),
            _why(event),
        )
        for event in events
    ]
    taken = sum(max(len(row[i]) for row in (head, *rows)) + 2 for i in range(4))
    room = max(_SHORTEST, width - taken)
    return "\n".join(table(head, [(*row[:4], _short(row[4], room)) for row in rows]))


def _about(event: Event) -> str:
    """Return what an event is about, in its product, with its version."""
    contracts = event.data.get("contracts")
    if isinstance(contracts, dict):
        versions = ((k, f.get("version")) for k, f in contracts.items() if isinstance(f, dict))
        return ", ".join(f"{key} {version}" for key, version in versions)
    part = event.subject.removeprefix(event.source).strip(":").replace(":", "/")
    version = event.data.get("version")
    return " ".join(str(each) for each in (part, version) if each)


def _why(event: Event) -> str:
    data = event.data
    reasons = data.get("reasons")
    found = data.get("reason") or (reasons[0] if isinstance(reasons, list) and reasons else "")
    parts = (data.get("subject"), found, data.get("note"))
    return " ".join(": ".join(str(part) for part in parts if part).split())


def _short(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
