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
    snapshot_name,
    write_pointer,
)
from factory.registry.standing import ROLLED_BACK, Edition, Standing
from factory.registry.store import Place, Registry
from factory.registry.views import refresh_ports_database
from factory.umbrella import is_embedded
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
        is_here: its tables are on this machine.
    """

    port: str
    key: str
    before: Edition
    now: Edition
    expires: datetime | None
    is_news: bool = True
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a port is to point to: its key, folder and pointer (empty: it has none), and the edition that is chosen."""

    key: str
    folder: Path
    pointer: dict[str, Any]
    chosen: dict[str, Any]


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
    if not is_embedded(ws):
        raise RegistryError(
            f"the tables of {address.product} lie in a warehouse, and no snapshots of them are kept here",
            hint=f"restore them there; offer the version to nobody new with: factory yank {address.product}",
        )
    with registry_locked(ws.registry):
        standing = registry.standing(address.domain, address.product)
        keys = _keys(address, standing, contract or (address.key if address.major else address.contract))
        plans = [] if to else _unfinished(ws, address, standing, keys)
        plans = plans or [_plan(ws, address, key, standing, to) for key in keys]
        steps = [_step(ws, address, standing, plan, word) for plan in plans]
        _tell(ws, address, [step for step in steps if step.is_news], word)
        for plan in filter(lambda plan: plan.pointer, plans):
            write_pointer(plan.folder, {**plan.pointer, **plan.chosen})
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
            hint=f"publish it once with this version of the factory: factory build {address.product} --full",
        )
    newest = max(edition.at for edition in standing.current.values())
    return sorted(key for key, edition in standing.current.items() if edition.at == newest)


def _plan(ws: Workspace, address: Address, key: str, standing: Standing, to: str) -> _Plan:
    """Return which of the editions that a port keeps is to be current."""
    contract, _, major = key.rpartition("/")
    folder = port_folder(ws, address.domain, address.product, contract, int(major))
    pointer = current_snapshot(ws, address.domain, address.product, contract, int(major))
    left = standing.left.get(key)
    if not pointer and to and left is not None and _is_meant(to, left.version, left.snapshot):
        # A clone has no tables: the word alone brings it back, and the next build its tables.
        return _Plan(key, folder, {}, {"version": left.version, "snapshot": left.snapshot})
    if key in standing.closed:
        raise RegistryError(
            f"the port {key} was closed on {standing.closed[key].time:%Y-%m-%d}, for good",
            where=folder,
            hint="publish a new major version of the contract",
        )
    if not pointer:
        raise RegistryError(
            f"the port {key} is not whole",
            where=folder,
            hint=_way_back(address, key, left),
        )
    kept = [edition for edition in editions_of(pointer) if edition["version"]]
    chosen = _named(kept, to, key, folder) if to else _before(kept, standing, key, folder)
    yanked = standing.reason(contract, str(chosen["version"]))
    if yanked:
        raise RegistryError(
            f"{contract} {chosen['version']} was yanked: {yanked}",
            where=folder,
            hint=f"choose another one with --to, or take that back: factory yank {address.product}.{contract} "
            f"{chosen['version']} --undo",
        )
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
    return _Plan(key, folder, pointer, chosen)


def _way_back(address: Address, key: str, left: Edition | None) -> str:
    """Return what to do where the tables of a port are not here."""
    build = f"factory build {address.product} --full"
    if left is None:
        return f"publish it anew: {build}"
    back = f"factory rollback {address.product} --contract {key} --to {left.snapshot}"
    return f"bring back what was rolled back from, then publish it: {back}; {build}"


def _is_meant(to: str, version: str, snapshot: str) -> bool:
    """Say whether `--to` names an edition: its version, or the start of its snapshot."""
    return to == version or (len(to) >= 4 and snapshot.startswith(to))


def _unfinished(ws: Workspace, address: Address, standing: Standing, keys: list[str]) -> list[_Plan]:
    """Return what a rollback that was killed told, and did not point to."""
    found = []
    for key in keys:
        contract, _, major = key.rpartition("/")
        pointer = current_snapshot(ws, address.domain, address.product, contract, int(major))
        if pointer and (pointer["version"], pointer["snapshot"]) != standing.current[key].what:
            what = standing.current[key].what
            if any((e["version"], e["snapshot"]) == what for e in editions_of(pointer)):
                found.append(_plan(ws, address, key, standing, what[1]))
    return found


def _before(kept: list[dict[str, Any]], standing: Standing, key: str, folder: Path) -> dict[str, Any]:
    earlier = [edition.what for edition in standing.earlier.get(key, ())]
    names = [(one["version"], one["snapshot"]) for one in kept]
    if not earlier and standing.current[key].what in names:
        # What an older version of the factory published no event tells of, but the pointer keeps it.
        earlier = names[names.index(standing.current[key].what) + 1 :]
    if not earlier:
        raise RegistryError(
            f"nothing was published in {key} before what is current",
            where=folder,
            hint="a rollback needs an earlier publication",
        )
    contract = key.rpartition("/")[0]
    offered = [what for what in earlier if not standing.reason(contract, what[0])]
    for what in offered:
        if what in names:
            return kept[names.index(what)]
    if not offered:
        raise RegistryError(
            f"all that was published in {key} before what is current is yanked",
            where=folder,
            hint="take one back: factory yank --undo",
        )
    raise RegistryError(
        f"the snapshots from before are gone in {key}: only the last {len({name[1] for name in names})} are kept",
        where=folder,
        hint="keep more of them: `snapshots` in [tool.factory]",
    )


def _named(kept: list[dict[str, Any]], to: str, key: str, folder: Path) -> dict[str, Any]:
    found = [e for e in kept if _is_meant(to, e["version"], e["snapshot"])]
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


def _step(ws: Workspace, address: Address, standing: Standing, plan: _Plan, word: Word) -> Step:
    registry = Registry(ws)
    contract, _, major = plan.key.rpartition("/")
    version = str(plan.chosen["version"])
    sha256 = registry.contract_hash(_place(address), contract, version)
    now = Edition(version, str(plan.chosen["snapshot"]), sha256, word.now)
    before = standing.current[plan.key]
    expires = registry.expires(_place(address), contract, version)
    valid = expires if expires is not None and expires > word.now else None
    port = str(Address(address.domain, address.product, contract, major))
    return Step(port, plan.key, before, now, valid, before.what != now.what, bool(plan.pointer))


def _tell(ws: Workspace, address: Address, steps: list[Step], word: Word) -> None:
    """Write one event of all ports that go back, so that they do it together also if this process dies."""
    if not steps:
        return
    ports = [
        {
            "contract": step.key.rpartition("/")[0],
            "major": int(step.key.rpartition("/")[2]),
            "from": _values(step.before),
            "to": _values(step.now),
        }
        for step in steps
    ]
    product = str(Address(address.domain, address.product))
    about, subject = (ports[0], steps[0].port) if len(ports) == 1 else ({"ports": ports}, product)
    write_event(ws.registry, product, ROLLED_BACK, {**about, **word.values()}, word.now, subject)


def _place(address: Address) -> Place:
    return Place(address.domain, address.product)


def _values(edition: Edition) -> dict[str, str]:
    return {"version": edition.version, "snapshot": edition.snapshot, "sha256": edition.sha256}
