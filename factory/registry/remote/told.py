"""What the newest event says of a port: which snapshot is current, or that it is closed.

Takes a registry's folder; gives a value; reads `registry/events/`, also as older versions wrote them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OPENING = ("published", "rolled-back")
_CLOSING = ("retired", "removed", "ended", "closed", "end-of-life", "end_of_life")


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says of a port.

    Attributes:
        time: when, as the event writes it.
        snapshot: the snapshot that is current since then; empty if the port is closed.
    """

    time: str
    snapshot: str


def told_of(registry: Path, domain: str, product: str, contract: str, major: int) -> Told | None:
    """Return what the newest event that tells of a port says; None if none does."""
    urn = f"urn:dpf:{domain}:{product}"
    own = (registry / "events" / domain / product).glob("*.json")
    older = (registry / "events").glob(f"[0-9]*/*-{product}-*.json")
    newest: Told | None = None
    for file in (*own, *older):
        event: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            event = json.loads(file.read_bytes())
        if not isinstance(event, dict) or event.get("source") != urn:
            continue
        snapshot = _snapshot(event, contract, major)
        time = str(event.get("time", ""))
        if snapshot is not None and (newest is None or time >= newest.time):
            newest = Told(time, snapshot)
    return newest


def _snapshot(event: Mapping[str, Any], contract: str, major: int) -> str | None:
    """Return the snapshot that an event tells of, empty for a closed port, None if it tells of neither."""
    kind = str(event.get("type", "")).removeprefix("org.dataproductfactory.")
    data = event.get("data")
    if not isinstance(data, Mapping):
        return None
    key = f"{contract}/{major}"
    if kind == "published":
        for shelf in ("snapshots", "contracts"):
            told = data.get(shelf)
            value = told.get(key) if isinstance(told, Mapping) else None
            value = value.get("snapshot") if isinstance(value, Mapping) else value
            if isinstance(value, str) and value and "." not in value:
                return value
        return None
    about = data.get("contract") in (None, contract) and str(data.get("major", major)) == str(major)
    version = str(data.get("version", f"{major}."))
    about = about and version.partition(".")[0] == str(major)
    if kind == "rolled-back" and about and isinstance(data.get("to"), Mapping):
        return str(data["to"].get("snapshot", ""))
    return "" if kind in _CLOSING and about else None
