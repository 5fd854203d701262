"""Back to what was published before: the snapshot and the version, at once.

Takes a product's address; writes an event and the pointers; data is not touched, so what consumers get is byte for byte
what they had. The snapshots that are left are those that the pointer keeps (`snapshots` in the settings).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from factory.addresses import Address
from factory.errors import RegistryError
from factory.files import tells
from factory.locking import registry_locked
from factory.registry.control import Word, find_product
from factory.registry.events import write_event
from factory.registry.index import refresh_index
from factory.registry.ports import (
    current_snapshot,
    editions_of,
    port_folder,
    refresh_ports_database,
    snapshot_name,
    write_pointer,
)
from factory.registry.standing import ROLLED_BACK, Edition, Standing
from factory.registry.store import Place, Registry
from factory.workspace import Workspace

_HASHED = 256 * 1024 * 1024  # bytes; more than these are not read again before they are pointed to


@dataclass(frozen=True, slots=True)
class Step:
    """One port that goes back.

    Attributes:
        port: the urn of the port.
        key: `contract/major`.
        before, now: version and snapshot.
        expires: when the certificate of the version that is current now ends; None if it is not valid.
        is_news: it was not there already.
    """

    port: str
    key: str
    before: Edition
    now: Edition
    expires: datetime | None
    is_news: bool = True


@tells(RegistryError, "reading the registry", lambda ws, *_, **__: ws.registry)
def rollback(ws: Workspace, text: str, word: Word, contract: str = "", to: str = "") -> tuple[Step, ...]:
    """Make the previous snapshot and version of a product current, and return what was done.

    Args:
        ws: the workspace.
        text: the product's name or urn.
        word: who, why and when.
        contract: only this contract (`name` or `name/major`); else what the last publication changed.
        to: a snapshot, the start of one, or a version; else what was current before.

    Raises:
        RegistryError: there is nothing to go back to, it is damaged, or the registry cannot be written.

    """
    address = find_product(ws, text)
    registry = Registry(ws)
    with registry_locked(ws.registry):
        standing = registry.standing(address.domain, address.product)
        keys = _keys(address, standing, contract or (address.key if address.major else address.contract))
        plans = [(_plan(ws, address, key, standing, to), key) for key in keys]
        steps = []
        for (pointer, chosen), key in plans:
            steps.append(_go(ws, address, key, pointer, chosen, word))
    refresh_index(ws, {str(Address(address.domain, address.product))})
    refresh_ports_database(ws)
    return tuple(steps)


def _keys(address: Address, standing: Standing, contract: str) -> list[str]:
    if contract:
        keys = [key for key in standing.current if contract in (key, key.rpartition("/")[0])]
        if not keys:
            known = ", ".join(sorted(standing.current)) or "none"
            raise RegistryError(
                f"{address.product} has published no contract {contract!r}", hint=f"it has {known}"
            )
        return sorted(keys)
    if not standing.current:
        raise RegistryError(
            f"nothing is known of what was published of {address.product} before",
            hint="publish it once with this version of the factory: factory build",
        )
    newest = max(edition.at for edition in standing.current.values())
    return sorted(key for key, edition in standing.current.items() if edition.at == newest)


def _plan(
    ws: Workspace, address: Address, key: str, standing: Standing, to: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the pointer of a port, and which of its editions is to be current."""
    contract, _, major = key.rpartition("/")
    folder = port_folder(ws, address.domain, address.product, contract, int(major))
    pointer = current_snapshot(ws, address.domain, address.product, contract, int(major))
    if not pointer:
        raise RegistryError(
            f"the port {key} is closed, or not whole",
            where=folder,
            hint="publish it anew: factory build " + address.product,
        )
    kept = [edition for edition in editions_of(pointer) if edition["version"]]
    chosen = _named(kept, to, key, folder) if to else _unfinished(pointer, kept, standing.current[key])
    chosen = chosen or _before(kept, standing, key, folder)
    damaged = _damage(folder, chosen)
    if damaged:
        raise RegistryError(
            f"the snapshot {chosen['snapshot']} of {key} {damaged}",
            where=folder / chosen["snapshot"],
            hint="choose another one with --to, or restore it from a backup",
        )
    if not Registry(ws).version_folder(_place(address), contract, str(chosen["version"])).is_dir():
        raise RegistryError(
            f"{contract} {chosen['version']} is not in the registry any more",
            where=folder,
            hint="restore its folder from git or a backup",
        )
    return pointer, chosen


def _unfinished(
    pointer: dict[str, Any], kept: list[dict[str, Any]], current: Edition
) -> dict[str, Any] | None:
    """Return what a rollback that was killed meant to point to, if this is one."""
    if (pointer["version"], pointer["snapshot"]) == current.what:
        return None
    return next((e for e in kept if (e["version"], e["snapshot"]) == current.what), None)


def _before(kept: list[dict[str, Any]], standing: Standing, key: str, folder: Path) -> dict[str, Any]:
    earlier = standing.earlier.get(key, ())
    if not earlier:
        raise RegistryError(
            f"nothing was published in {key} before what is current",
            where=folder,
            hint="a rollback needs an earlier publication",
        )
    for edition in earlier:
        for one in kept:
            if (one["version"], one["snapshot"]) == edition.what:
                return one
    raise RegistryError(
        f"the snapshots from before are gone in {key}: only the last {len(kept)} are kept",
        where=folder,
        hint="keep more of them: `snapshots` in [tool.factory]",
    )


def _named(kept: list[dict[str, Any]], to: str, key: str, folder: Path) -> dict[str, Any]:
    found = [e for e in kept if to == e["version"] or (len(to) >= 4 and e["snapshot"].startswith(to))]
    if not found:
        known = ", ".join(f"{e['snapshot'][:8]} ({e['version']})" for e in kept)
        raise RegistryError(
            f"{key} keeps no snapshot or version {to!r}", where=folder, hint=f"it keeps {known}"
        )
    return found[0]


def _damage(folder: Path, chosen: dict[str, Any]) -> str:
    """Return what is wrong with a snapshot, in words; one that is large is not read again."""
    files = [folder / path for path in chosen["tables"].values()]
    try:
        size = sum(file.stat().st_size for file in files)
        if size <= _HASHED and snapshot_name(folder / chosen["snapshot"]) != chosen["snapshot"]:
            return "is not what was published"
    except OSError:
        return "is not whole"
    return ""


def _go(
    ws: Workspace, address: Address, key: str, pointer: dict[str, Any], chosen: dict[str, Any], word: Word
) -> Step:
    registry = Registry(ws)
    contract, _, major = key.rpartition("/")
    before = registry.standing(address.domain, address.product).current[key]
    sha256 = registry.contract_hash(_place(address), contract, chosen["version"])
    now = Edition(chosen["version"], chosen["snapshot"], sha256, word.now)
    port = Address(address.domain, address.product, contract, major)
    is_news = before.what != now.what
    if is_news:
        told = {
            "contract": contract,
            "major": int(major),
            "from": _values(before),
            "to": _values(now),
            **word.values(),
        }
        product = str(Address(address.domain, address.product))
        write_event(ws.registry, product, ROLLED_BACK, told, word.now, str(port))
    folder = port_folder(ws, address.domain, address.product, contract, int(major))
    write_pointer(folder, {**pointer, **chosen})
    expires = registry.expires(_place(address), contract, chosen["version"])
    valid = expires if expires is not None and expires > word.now else None
    return Step(str(port), key, before, now, valid, is_news)


def _place(address: Address) -> Place:
    return Place(address.domain, address.product)


def _values(edition: Edition) -> dict[str, str]:
    return {"version": edition.version, "snapshot": edition.snapshot, "sha256": edition.sha256}
