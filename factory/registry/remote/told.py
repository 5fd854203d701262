"""What the events of a product say of a port: which snapshot is current, or that it is closed.

Takes a registry's folder; gives a name; reads `registry/events/`.
"""

from __future__ import annotations

from pathlib import Path

from factory.registry.standing import read_standing


def told_snapshot(registry: Path, domain: str, product: str, contract: str, major: int) -> str | None:
    """Return the snapshot that is current by a product's events; empty if the port is closed, None if none tells.

    Raises:
        RegistryError: an event cannot be used.

    """
    standing = read_standing(registry, domain, product)
    key = f"{contract}/{major}"
    if standing.removed is not None or key in standing.closed:
        return ""
    edition = standing.current.get(key)
    return edition.snapshot if edition and edition.snapshot else None
