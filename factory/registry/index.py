"""The registry file: an index over the version folders, small, sorted, and made anew at any time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from factory.contract import version_key
from factory.documents import read_yaml
from factory.errors import RegistryError
from factory.files import json_text, told_as, write_whole
from factory.lifecycle import life_of
from factory.products import ARCHETYPES
from factory.registry.store import CONTRACT_FILE, RECORD_FILE, closed_file
from factory.workspace import Workspace

SCHEMA_VERSION = 1
INDEX_FILE = "registry.json"


def read_index(ws: Workspace) -> dict[str, Any]:
    """Return the registry file's values; an empty registry where there is none.

    Raises:
        RegistryError: the file is there and cannot be read.

    """
    file = ws.registry / INDEX_FILE
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {"schema_version": SCHEMA_VERSION, "products": []}
    except (OSError, ValueError) as error:
        hint = f"delete {ws.relative(file)}: the next build makes it anew from the version folders"
        raise RegistryError(f"the registry file cannot be read: {error}", where=file, hint=hint) from error
    if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION:
        raise RegistryError(
            "the registry file is of another schema version", where=file, hint="use the factory that wrote it"
        )
    return data


def is_current(entry: Mapping[str, Any]) -> bool:
    """Say whether an entry has all that this version of the factory writes."""
    return all("dates" in contract for contract in entry["contracts"])


def refresh_index(ws: Workspace, changed: Collection[str] | None) -> bool:
    """Write the registry file; say whether it changed.

    `changed` are the ids of the products to read again; None reads all of them.
    """
    file = ws.registry / INDEX_FILE
    known: dict[str, Any] = {}
    if changed is not None and file.is_file():
        try:
            known = {entry["id"]: entry for entry in read_index(ws)["products"] if is_current(entry)}
        except (RegistryError, KeyError, TypeError):
            changed = None
    elif changed is not None:
        changed = None
    entries = []
    for folder in sorted((ws.registry / "products").glob("*/*")):
        urn = f"urn:dpf:{folder.parent.name}:{folder.name}"
        entry = known.get(urn) if changed is not None and urn not in changed else None
        entry = entry or _entry(folder, ws)
        if entry is not None:
            entries.append(entry)
    entries.sort(key=lambda entry: str(entry["id"]))
    with told_as(RegistryError, "writing the registry file", file):
        text = json_text({"schema_version": SCHEMA_VERSION, "products": entries})
        if file.is_file() and file.read_text("utf-8") == text:
            return False
        write_whole(file, text)
    return True


def _entry(folder: Path, ws: Workspace) -> dict[str, Any] | None:
    documents = sorted((folder / "product").glob("*.odps.yaml"), key=_file_version)
    if not documents:
        return None
    document = read_yaml(documents[-1]).data
    custom = {e["property"]: e["value"] for e in document.get("customProperties") or ()}
    team = document.get("team") or {}
    owner = next(
        (m["username"] for m in team.get("members") or () if m.get("role") == "dpo" and not m.get("dateOut")),
        "",
    )
    description = document.get("description") or {}
    return {
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
        "contracts": _contracts(folder, ws),
    }


def _file_version(file: Path) -> tuple[int, int, int]:
    try:
        return version_key(file.name.removesuffix(".odps.yaml"))
    except ValueError:
        return (0, 0, 0)


def _contracts(folder: Path, ws: Workspace) -> list[dict[str, Any]]:
    """Return the current version of each major of each contract."""
    entries = []
    for contract in sorted(f for f in folder.iterdir() if f.is_dir() and f.name != "product"):
        current: dict[int, Path] = {}
        for version in sorted(contract.iterdir()):
            if version.name.startswith(".") or not (version / RECORD_FILE).is_file():
                continue
            major = version_key(version.name)[0]
            if major not in current or version_key(version.name) > version_key(current[major].name):
                current[major] = version
        for _, version in sorted(current.items()):
            file = version / CONTRACT_FILE
            closed = closed_file(version).is_file()
            raw = file.read_bytes()
            data: Mapping[str, Any] = read_yaml(file).data
            entries.append(
                {
                    "id": data["id"],
                    "name": data["name"],
                    "version": data["version"],
                    "status": "retired" if closed else data.get("status") or "draft",
                    "dates": life_of(data).dates(),
                    "path": file.relative_to(ws.registry).as_posix(),
                    "sha256": hashlib.sha256(raw).hexdigest(),
                    "ports": [] if closed else _ports(data),
                }
            )
    return entries


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
