"""The registry file: an index over the version folders and events, small, sorted, and made anew at any time.

It has the current version of each major of a contract, which is what is offered: not a yanked one, if there is another,
and not one that was rolled back from. A product is one line, so that a publish writes one line anew and reads no other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from factory.addresses import DOMAIN, NAME, PREFIX
from factory.contract import version_key
from factory.documents import read_yaml
from factory.errors import LockedError, RegistryError
from factory.files import children, sweep, told_as, write_whole
from factory.lifecycle import END_OF_LIFE, END_OF_SUPPORT, Life, life_of
from factory.locking import registry_locked
from factory.products import ARCHETYPES
from factory.registry.certificates import CERTIFICATES
from factory.registry.events import EVENTS
from factory.registry.standing import Standing, read_standing
from factory.registry.store import CONTRACT_FILE, DOCUMENT_ENDING, RECORD_FILE, is_version, was_closed
from factory.workspace import Workspace

SCHEMA_VERSION = 1
INDEX_FILE = "registry.json"
_HEAD = f'{{"schema_version": {SCHEMA_VERSION}, "products": ['
_FOOT = "]}"
_ID = re.compile(r'\{"id": "([^"\\]+)"')
_IGNORED_BY_GIT = """\
# What is made anew from the rest, or holds for this machine alone.
/registry.json
/.lock
/.lock.holder
/incidents/_unfinished/
*.tmp
"""
_AS_IT_IS_FOR_GIT = """\
# What is published is the same bytes on every machine.
* -text
"""


def read_index(ws: Workspace) -> dict[str, Any]:
    """Return the registry file's values; an empty registry where nothing is published.

    Where the file is not there, as in a clone (git leaves it out), it is made anew; nobody has to be allowed to
    write it. Raises:
        RegistryError: the file is there and cannot be read, or what is published cannot.

    """
    file = ws.registry / INDEX_FILE
    try:
        data = json.loads(_text_made(ws) if _is_missing(ws) else file.read_bytes())
    except FileNotFoundError:
        return {"schema_version": SCHEMA_VERSION, "products": []}
    except (OSError, ValueError, RecursionError) as error:
        hint = f"delete {ws.relative(file)}: the next build makes it anew from the version folders"
        raise RegistryError(f"the registry file cannot be read: {error}", where=file, hint=hint) from error
    if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION:
        raise RegistryError(
            "the registry file is of another schema version", where=file, hint="use the factory that wrote it"
        )
    _refuse_strangers(data, file, ws)
    return data


def _is_missing(ws: Workspace) -> bool:
    published = (ws.registry / "products").glob(f"*/*/product/*{DOCUMENT_ENDING}")
    return not (ws.registry / INDEX_FILE).exists() and any(published)


def _text_made(ws: Workspace) -> str:
    """Return the registry file's text where there is no file, and write it if that can be."""
    try:
        with contextlib.suppress(RegistryError, LockedError):
            refresh_index(ws, None)
            return (ws.registry / INDEX_FILE).read_text("utf-8")
        return index_text(ws)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "see what is wrong with it: factory registry verify"
        raise RegistryError("what is published cannot be read", where=ws.registry, hint=hint) from error


def _refuse_strangers(data: Mapping[str, Any], file: Path, ws: Workspace) -> None:
    """Refuse a registry file with a name or a path that no product has: others build paths with them."""
    about = ""
    try:
        for entry in data["products"]:
            domain, product = entry["domain"], entry["name"]
            about = f"{domain}:{product}"
            good = DOMAIN.fullmatch(domain) and NAME.fullmatch(product) and entry["id"] == f"{PREFIX}{about}"
            for contract in entry["contracts"]:
                name, version = contract["name"], contract["version"]
                path = f"products/{domain}/{product}/{name}/{version}/{CONTRACT_FILE}"
                good = good and NAME.fullmatch(name) and is_version(version) and contract["path"] == path
            if not good:
                break
        else:
            return
    except (KeyError, TypeError, AttributeError):
        pass
    hint = f"delete {ws.relative(file)}: the next build makes it anew from the version folders"
    raise RegistryError(f"the registry file has a wrong entry ({about[:80]!a})", where=file, hint=hint)


def catch_up(ws: Workspace) -> bool:
    """Bring the registry file up to date with events that came otherwise than by a command here, as by a merge in git.

    Says whether there were any. What cannot be written or read is left for whoever needs it.
    """
    behind = behind_of(ws)
    if not behind:
        return False
    with contextlib.suppress(
        RegistryError, LockedError, OSError, ValueError, KeyError, TypeError, AttributeError
    ):
        if not refresh_index(ws, behind):
            os.utime(ws.registry / INDEX_FILE)
    return True


def behind_of(ws: Workspace) -> frozenset[str]:
    """Return the urns of products with an event that came or went after the registry file was written."""
    found = set()
    try:
        written = (ws.registry / INDEX_FILE).stat().st_mtime_ns
        for domain in os.scandir(ws.registry / EVENTS):
            if DOMAIN.fullmatch(domain.name) and domain.is_dir(follow_symlinks=False):
                for product in os.scandir(domain.path):
                    if NAME.fullmatch(product.name) and product.stat().st_mtime_ns > written:
                        found.add(f"{PREFIX}{domain.name}:{product.name}")
    except OSError:
        return frozenset()
    return frozenset(found)


def recorded_lives(ws: Workspace) -> dict[tuple[str, str, int], Life]:
    """Return the lives of contracts that a later record deprecated or retired, by product, contract and major.

    Nothing where the registry file cannot be read.
    """
    try:
        entries = read_index(ws)["products"]
        contracts = [(str(entry["name"]), contract) for entry in entries for contract in entry["contracts"]]
        return {
            (name, str(contract["name"]), version_key(contract["version"])[0]): replace(
                life_of_entry(contract), status=str(contract["recorded"])
            )
            for name, contract in contracts
            if contract.get("recorded")
        }
    except (RegistryError, KeyError, TypeError, ValueError):
        return {}


def life_of_entry(contract: Mapping[str, Any]) -> Life:
    """Return the life of a contract as the registry file tells it."""
    levels = [{"property": name, "value": day} for name, day in contract.get("dates", {}).items()]
    return life_of({"status": contract["status"], "slaProperties": levels})


def is_current(entry: Mapping[str, Any]) -> bool:
    """Say whether an entry has all that this version of the factory writes."""
    return all("dates" in contract for contract in entry["contracts"])


def refresh_index(ws: Workspace, changed: Collection[str] | None) -> bool:
    """Write the registry file; say whether it changed.

    `changed` are the urns of the products to read again; None reads all of them. Raises:
        RegistryError: what is published of one of them cannot be read, or the file cannot be written.
        LockedError: another process holds the registry.

    """
    file = ws.registry / INDEX_FILE
    with registry_locked(ws.registry), told_as(RegistryError, "writing the registry file", file):
        before = _text_of(file)
        known = _lines(before) if changed is not None else None
        if known is None:
            known = dict(_entry_lines(ws, _all_folders(ws)))
        else:
            folders = [
                ws.registry / "products" / urn.split(":")[2] / urn.split(":")[3] for urn in changed or ()
            ]
            for urn in changed or ():
                known.pop(urn, None)
            known.update(_entry_lines(ws, folders))
        text = _joined(known)
        for urn in changed or ():
            _sweep_product(ws, *urn.split(":")[2:4])
        sweep(ws.registry)
        if text == before:
            return False
        write_whole(file, text)
        for name, words in ((".gitignore", _IGNORED_BY_GIT), (".gitattributes", _AS_IT_IS_FOR_GIT)):
            if not (ws.registry / name).exists():
                write_whole(ws.registry / name, words, durable=False)
    return True


def _sweep_product(ws: Workspace, domain: str, product: str) -> None:
    """Remove what killed processes left half-written of a product."""
    certificates, published = (ws.registry / top / domain / product for top in (CERTIFICATES, "products"))
    sweep(ws.registry / EVENTS / domain / product)
    for contract in children(published):
        sweep(contract)
    for contract in children(certificates):
        for version in children(contract):
            sweep(version)


def index_text(ws: Workspace) -> str:
    """Return the registry file's text as the folders give it.

    Raises:
        RegistryError: what is published of a product cannot be read.

    """
    return _joined(dict(_entry_lines(ws, _all_folders(ws))))


def _all_folders(ws: Workspace) -> list[Path]:
    domains = children(ws.registry / "products")
    return [product for domain in domains for product in children(domain) if product.is_dir()]


def _entry_lines(ws: Workspace, folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        entry = _entry(folder, ws)
        if entry is not None:
            yield f"urn:dpf:{folder.parent.name}:{folder.name}", json.dumps(entry, ensure_ascii=False)


def _joined(lines: Mapping[str, str]) -> str:
    body = ",\n".join(lines[urn] for urn in sorted(lines))
    return "\n".join(part for part in (_HEAD, body, _FOOT) if part) + "\n"


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _lines(text: str) -> dict[str, str] | None:
    """Return the lines of the registry file by urn; None if it is not as this version of the factory writes it."""
    head, *lines, foot, end = text.split("\n") if text.count("\n") > 1 else ("", "", "")
    if head != _HEAD or foot != _FOOT or end:
        return None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _ID.match(line)
        if match is None or line.endswith(",") != (number < len(lines)) or match[1] in found:
            return None
        found[match[1]] = line.removesuffix(",")
    return found


def _entry(folder: Path, ws: Workspace) -> dict[str, Any] | None:
    documents = sorted(children(folder / "product", f"[!.]*{DOCUMENT_ENDING}"), key=_file_version)
    standing = read_standing(ws.registry, folder.parent.name, folder.name)
    if not documents or standing.removed is not None:
        return None
    document = read_yaml(documents[-1]).data
    custom = {e["property"]: e["value"] for e in document.get("customProperties") or ()}
    team = document.get("team") or {}
    owner = next(
        (m["username"] for m in team.get("members") or () if m.get("role") == "dpo" and not m.get("dateOut")),
        "",
    )
    description = document.get("description") or {}
    entry = {
        "id": document["id"],
        "name": document["name"],
        "domain": document["domain"],
        "archetype": ARCHETYPES.get(document["type"], document["type"]),
        "title": custom.get("title") or document["name"],
        "summary": str(description.get("purpose") or "").strip(),
        "owner": owner,
        "team": team.get("name") or "",
        "tags": document.get("tags") or [],
        "status": document.get("status") or "draft",
        "version": document["version"],
        "contracts": _contracts(folder, ws, standing),
    }
    if standing.region:
        entry["region"] = standing.region
    if standing.paused is not None:
        entry["paused"] = str(standing.paused.data.get("reason") or "")
    return entry


def _file_version(file: Path) -> tuple[int, int, int]:
    try:
        return version_key(file.name.removesuffix(".odps.yaml"))
    except ValueError:
        return (0, 0, 0)


def _contracts(folder: Path, ws: Workspace, standing: Standing) -> list[dict[str, Any]]:
    """Return the current version of each major of each contract."""
    entries = []
    for contract in sorted(
        f for f in folder.iterdir() if f.is_dir() and f.name[:1] != "." and f.name != "product"
    ):
        majors: dict[int, list[str]] = {}
        for version in contract.iterdir():
            if is_version(version.name) and (version / RECORD_FILE).is_file():
                majors.setdefault(version_key(version.name)[0], []).append(version.name)
        for major, versions in sorted(majors.items()):
            current = offered(standing, contract.name, major, versions)
            entries.append(_contract(contract / current, ws, standing))
    return entries


def offered(standing: Standing, contract: str, major: int, versions: Collection[str]) -> str:
    """Return the version of a major that is offered: the one whose data is current, unless it is yanked."""
    good = [v for v in versions if not standing.reason(contract, v)] or list(versions)
    known = standing.current.get(f"{contract}/{major}")
    if known is not None:
        if known.version in good:
            return known.version
        good = [v for v in good if version_key(v) <= version_key(known.version)] or good
    return max(good, key=version_key)


def _contract(version: Path, ws: Workspace, standing: Standing) -> dict[str, Any]:
    file = version / CONTRACT_FILE
    raw = file.read_bytes()
    data: Mapping[str, Any] = read_yaml(file).data
    name, number = version.parent.name, version.name
    key = f"{name}/{version_key(number)[0]}"
    product = version.parent.parent
    closed = key in standing.closed or was_closed(
        ws.registry, product.parent.name, product.name, name, number
    )
    entry = {
        "id": data["id"],
        "name": data["name"],
        "version": data["version"],
        "status": data.get("status") or "draft",
        "dates": life_of(data).dates(),
        "path": file.relative_to(ws.registry).as_posix(),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "ports": [] if closed else _ports(data),
    }
    announced = standing.deprecated.get(key)
    if announced is not None:
        entry["status"] = entry["recorded"] = "deprecated"
        days = {n: str(announced.data[n]) for n in (END_OF_SUPPORT, END_OF_LIFE) if announced.data.get(n)}
        entry["dates"] = {**life_of(data).dates(), **days}
    if closed:
        entry["status"] = "retired"
        if key in standing.closed and standing.closed[key].data.get("by"):
            entry["recorded"] = "retired"
    if standing.reason(name, number):
        entry["yanked"] = standing.reason(name, number)
    return entry


def _ports(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the published files of a contract, as its servers name them."""
    ports = []
    for server in data.get("servers") or ():
        name = str(server.get("server", ""))
        if server.get("type") == "local" and name.startswith("parquet-"):
            ports.append(
                {"table": name.removeprefix("parquet-"), "path": server["path"], "format": server["format"]}
            )
    return ports
