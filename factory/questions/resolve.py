"""Where an address leads: what it names, how that stands, and where it lies now.

Takes a workspace and an address; gives what is known of it; reads the registry file, the product's events and
pointers, and for tables and columns the contract.
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from factory.addresses import Address, address_of
from factory.contract import version_key
from factory.documents import read_yaml
from factory.errors import RegistryError
from factory.files import within
from factory.questions.tables import table as table_lines
from factory.registry import Registry, read_index
from factory.registry.events import Event
from factory.registry.ports import POINTER_FILE, current_snapshot
from factory.registry.standing import Standing
from factory.registry.store import Place
from factory.workspace import Workspace

_MOVES = 16


@dataclass(frozen=True, slots=True)
class Resolved:
    """What an address names.

    Attributes:
        address: the address that it goes by now.
        is_gone: the product was removed, and has no other address.
        values: all that is known of it (`resolve.schema.json`).
    """

    address: Address
    is_gone: bool
    values: Mapping[str, Any]


def resolve(ws: Workspace, text: str, now: datetime) -> Resolved:
    """Return what an address names; a product that moved answers to its old address.

    Raises:
        RegistryError: this is no address, or nothing has it.

    """
    try:
        asked = address_of(text)
    except ValueError as error:
        raise RegistryError(
            f"{text[:120]!r} is no address: {error}",
            hint="name a product, product.contract, product.contract/1, product.contract/1.table.column, or a urn",
        ) from None
    address, entry, trail = _found(ws, asked)
    if entry is None:
        return Resolved(address, is_gone=True, values=_gone(address, text, trail[-1]))
    standing = Registry(ws).standing(address.domain, address.product)
    contracts = _contracts(entry, address)
    ports = [_port(ws, address, contract, now) for contract in contracts]
    values = {
        "asked": text,
        "address": str(address),
        "kind": address.kind,
        "title": entry["title"],
        "description": entry["summary"],
        "domain": address.domain,
        "product": address.product,
        "archetype": entry["archetype"],
        "owner": entry["owner"],
        "team": entry["team"],
        "version": entry["version"] if address.kind == "product" else contracts[-1]["version"],
        "status": entry["status"] if address.kind == "product" else contracts[-1]["status"],
        "standing": [*(_moved(event) for event in trail), *standing_values(standing, address)],
        "ports": ports,
        "columns": [],
    }
    if address.kind in ("port", "table", "column"):
        values |= _inside(ws, address, contracts[0], ports[0])
    return Resolved(address, is_gone=False, values=values)


def _found(ws: Workspace, asked: Address) -> tuple[Address, Mapping[str, Any] | None, list[Event]]:
    """Return the address that something goes by now, its registry entry, and the events that led there."""
    entries = {entry["name"]: entry for entry in read_index(ws)["products"]}
    address, trail = asked, list[Event]()
    for _ in range(_MOVES):
        entry = entries.get(address.product)
        if entry is not None and address.domain in ("", entry["domain"]):
            return replace(address, domain=str(entry["domain"])), entry, trail
        removed = _removed(ws, address)
        if removed is None:
            break
        trail.append(removed)
        old = address_of(removed.source)
        if not removed.data.get("moved_to"):
            return replace(address, domain=old.domain), None, trail
        new = address_of(str(removed.data["moved_to"]))
        address = replace(address, domain=new.domain, product=new.product)
    if address.domain and within(ws.registry, "products", address.domain, address.product).is_dir():
        hint = "the registry file is behind; make it anew with: factory registry rebuild"
        raise RegistryError(f"{asked} is not in the registry file", where=ws.registry, hint=hint)
    near = difflib.get_close_matches(asked.product, entries, 3)
    said = f"did you mean {' or '.join(str(_urn(entries[name])) for name in near)}?"
    hint = said if near else "see what is published with: factory list"
    raise RegistryError(f"nothing has the address {_told(asked)}", hint=hint)


def _told(address: Address) -> str:
    return str(address) if address.domain else repr(address.product)


def _urn(entry: Mapping[str, Any]) -> str:
    return str(Address(entry["domain"], entry["name"]))


def _removed(ws: Workspace, address: Address) -> Event | None:
    """Return the event that removed a product, or None; without a domain, one of that name in any."""
    domains = [address.domain]
    if not address.domain:
        domains = sorted(f.parent.name for f in (ws.registry / "events").glob(f"*/{address.product}"))
    for domain in domains:
        removed = Registry(ws).standing(domain, address.product).removed
        if removed is not None:
            return removed
    return None


def _contracts(entry: Mapping[str, Any], address: Address) -> list[Mapping[str, Any]]:
    """Return the contracts of an entry that an address is about, the highest major last."""
    found = [c for c in entry["contracts"] if address.contract in ("", c["name"])]
    if address.contract and not found:
        raise _unknown(
            f"{address.product} has no contract {address.contract!r}",
            address.contract,
            [c["name"] for c in entry["contracts"]],
        )
    majors = [str(version_key(c["version"])[0]) for c in found]
    if address.major:
        if address.major not in majors:
            there = ", ".join(str(replace(address, major=m, table="", column="")) for m in majors)
            message = f"{address.contract} has no major version {address.major}"
            raise RegistryError(message, hint=f"there is {there}")
        found = [found[majors.index(address.major)]]
    return sorted(found, key=lambda c: (c["name"], version_key(c["version"])))


def _unknown(message: str, wanted: str, names: list[str]) -> RegistryError:
    near = difflib.get_close_matches(wanted, names, 1)
    known = f"it has {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else ""
    return RegistryError(message, hint=f"did you mean {near[0]!r}?" if near else known)


def _port(ws: Workspace, address: Address, contract: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    major = version_key(contract["version"])[0]
    place = Address(address.domain, address.product, contract["name"], str(major))
    registry = Registry(ws)
    until = registry.expires(Place(address.domain, address.product), contract["name"], contract["version"])
    pointer = current_snapshot(ws, address.domain, address.product, contract["name"], major)
    wins = _winners(ws, address) if pointer else {}
    return {
        "address": str(place),
        "version": contract["version"],
        "status": contract["status"],
        "contract_file": ws.relative(within(ws.registry, contract["path"])),
        "certified_until": until.astimezone(UTC).isoformat() if until and until > now else None,
        "is_open": bool(pointer),
        "snapshot": str(pointer.get("snapshot", "")),
        "data_version": str(pointer.get("version", "")),
        "tables": [
            {
                "address": str(replace(place, table=name)),
                "name": name,
                "file": ws.relative(
                    within(ws.ports, address.domain, address.product, place.contract, f"v{major}", path)
                ),
                "sql": f"{pointer['schema']}.{name}" if wins.get(name) == place.key else "",
                "description": "",
            }
            for name, path in sorted(pointer.get("tables", {}).items())
            if address.table in ("", name)
        ],
    }


def _winners(ws: Workspace, address: Address) -> dict[str, str]:
    """Return which port has a table's name in `ports.duckdb`: that of the highest major version."""
    found: dict[str, tuple[int, str, str]] = {}
    for file in within(ws.ports, address.domain, address.product).glob(f"*/v*/{POINTER_FILE}"):
        contract, major = file.parent.parent.name, file.parent.name[1:]
        if major.isdigit():
            pointer = current_snapshot(ws, address.domain, address.product, contract, int(major))
            for name in pointer.get("tables", {}):
                mine = (int(major), file.as_posix(), f"{contract}/{major}")
                found[name] = max(found.get(name, mine), mine)
    return {name: key for name, (_, _, key) in found.items()}


def _inside(
    ws: Workspace, address: Address, contract: Mapping[str, Any], port: dict[str, Any]
) -> dict[str, Any]:
    """Return what the contract says of a port, a table or a column."""
    data = read_yaml(within(ws.registry, contract["path"])).data
    purpose = data.get("description")
    described = str((purpose or {}).get("purpose") or "") if isinstance(purpose, dict) else str(purpose or "")
    tables = {str(table["name"]): table for table in data.get("schema") or ()}
    by_place = {str(t.get("physicalName") or name).rpartition(".")[2].strip('"'): name
                for name, t in tables.items()}  # fmt: skip
    for each in port["tables"]:
        known = tables.get(each["name"]) or tables.get(by_place.get(each["name"], ""))
        each["description"] = str((known or {}).get("description") or "")
    if not address.table:
        return {"description": described.strip()}
    name = address.table if address.table in tables else by_place.get(address.table, "")
    if not name:
        message = f"{contract['name']} {contract['version']} has no table {address.table!r}"
        raise _unknown(message, address.table, list(tables))
    columns = [_column(address, column) for column in tables[name].get("properties") or ()]
    if not address.column:
        return {"description": str(tables[name].get("description") or ""), "columns": columns}
    chosen = [column for column in columns if column["name"] == address.column]
    if not chosen:
        names = [column["name"] for column in columns]
        raise _unknown(f"{address.table} has no column {address.column!r}", address.column, names)
    return {"description": chosen[0]["description"], "columns": chosen}


def _column(address: Address, column: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "address": str(replace(address, column=str(column["name"]))),
        "name": str(column["name"]),
        "type": str(column.get("logicalType") or ""),
        "physical_type": str(column.get("physicalType") or ""),
        "description": str(column.get("description") or ""),
        "required": bool(column.get("required")),
        "primary_key": bool(column.get("primaryKey")),
    }


# How it stands


def standing_values(standing: Standing, address: Address) -> Iterator[dict[str, Any]]:
    """Yield what later records say of a product, or of the part of it that an address names."""

    def is_asked(key: str) -> bool:
        name, _, major = key.rpartition("/")
        return address.contract in ("", name) and address.major in ("", major)

    if standing.paused is not None:
        yield _said("paused", standing.paused)
    for (contract, version), event in sorted(standing.yanked.items()):
        if is_asked(f"{contract}/{version.partition('.')[0]}"):
            yield _said("yanked", event, version)
    for what, events in (("deprecated", standing.deprecated), ("closed", standing.closed)):
        yield from (_said(what, event) for key, event in sorted(events.items()) if is_asked(key))
    for key, left in sorted(standing.left.items()):
        if is_asked(key):
            current = standing.current[key]
            yield {
                "what": "rolled back",
                "about": str(_key_address(address, key)),
                "version": current.version, "since": current.at.isoformat(),
                "by": "", "reason": f"from {left.version} ({left.snapshot[:8]})", "moved_to": "",
            }  # fmt: skip


def _key_address(address: Address, key: str) -> Address:
    contract, _, major = key.rpartition("/")
    return Address(address.domain, address.product, contract, major)


def _said(what: str, event: Event, version: str = "") -> dict[str, Any]:
    return {
        "what": what,
        "about": event.subject,
        "version": version,
        "since": event.time.isoformat(),
        "by": str(event.data.get("by") or ""),
        "reason": str(event.data.get("reason") or ""),
        "moved_to": str(event.data.get("moved_to") or ""),
    }


def _moved(event: Event) -> dict[str, Any]:
    return _said("moved", event)


def _gone(address: Address, asked: str, event: Event) -> dict[str, Any]:
    texts = ("title", "description", "archetype", "owner", "team", "version")
    return {
        "asked": asked,
        "address": str(address),
        "kind": address.kind,
        **dict.fromkeys(texts, ""),
        "domain": address.domain,
        "product": address.product,
        "status": "removed",
        "standing": [_said("removed", event)],
        "ports": [],
        "columns": [],
    }


# Text


def resolved_as_text(found: Resolved, width: int) -> str:
    """Return what an address names, for people, in lines of `width` columns but for paths."""
    values = found.values
    lines = [f"{values['address']}   {values['kind']}, {values['status']} {values['version']}".rstrip()]
    if values["title"]:
        words = f"{values['title']}: {' '.join(values['description'].split())}".rstrip(": ")
        lines += textwrap.wrap(words, width, break_long_words=False)
    for said in values["standing"]:
        lines += textwrap.wrap(standing_words(said), width, subsequent_indent="  ")
    if values["owner"] or values["team"]:
        lines.append(f"owner {values['owner'] or 'nobody'} (team {values['team']})")
    for port in values["ports"]:
        until = (
            f"certified until {port['certified_until'][:10]}" if port["certified_until"] else "not certified"
        )
        state = until if port["is_open"] else "its port is closed"
        lines += ["", f"{port['address']}   {port['version']}, {port['status']}, {state}",
                  f"  contract  {port['contract_file']}"]  # fmt: skip
        for table in port["tables"]:
            lines += [f"  table     {table['sql'] or table['name']}", f"            {table['file']}"]
    if values["columns"]:
        rows = [(c["name"], c["type"], c["physical_type"], " ".join(c["description"].split()))
                for c in values["columns"]]  # fmt: skip
        told = table_lines(("column", "type", "in the database", "what"), rows)
        lines += ["", *(line if len(line) <= width else f"{line[: width - 1]}…" for line in told)]
    return "\n".join(lines)


def standing_words(said: Mapping[str, Any]) -> str:
    """Return in one line what a later record says."""
    part = ":".join(said["about"].split(":")[4:]).replace(":", "/")
    what = " ".join(each for each in (part, said["what"], said["version"]) if each)
    by = f" by {said['by']}" if said["by"] else ""
    to = f" to {said['moved_to']}" if said["moved_to"] and said["what"] == "removed" else ""
    old = f" from {said['about']}" if said["what"] == "moved" else ""
    reason = f": {' '.join(said['reason'].split())}" if said["reason"] else ""
    if said["what"] == "rolled back":
        return f"{part} rolled back to {said['version']} on {said['since'][:10]}{reason}"
    return f"{what}{old}{to} on {said['since'][:10]}{by}{reason}"
