"""What the index of a registry should say, made from the folders alone.

Takes a workspace, or what was read of its registry; gives the index as it would be written; reads only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from factory.registry.content import Content
from factory.registry.index import index_text
from factory.registry.store import CONTRACT_FILE
from factory.workspace import Workspace


def expected_index(ws: Workspace) -> tuple[dict[str, Any], str]:
    """Return the entries of an index made anew, by the products' ids, and its text.

    Raises:
        FactoryError: a published file cannot be read; also ValueError, KeyError, TypeError and AttributeError.

    """
    text = index_text(ws)
    return {str(entry["id"]): entry for entry in json.loads(text)["products"]}, text


def outline_faults(entries: Mapping[str, Any], content: Content) -> dict[str, str]:
    """Say what the entries of an index are wrong about as far as records tell, by the products' ids.

    Raises:
        KeyError, TypeError, AttributeError: an entry is not one.

    """
    found = {}
    removed = {owner for owner, facts in content.events.items() if any(f.kind == "removed" for f in facts)}
    for domain, product in sorted(set(content.documents) - removed):
        urn = f"urn:dpf:{domain}:{product}"
        if urn not in entries:
            found[urn] = "lacks"
    for urn, entry in entries.items():
        owner = (str(entry["domain"]), str(entry["name"]))
        if str(entry["version"]) not in content.documents.get(owner, {}):
            found[urn] = "names a version that is not published of"
        for contract in entry["contracts"]:
            path = str(contract["path"]).split("/")
            record = content.records.get((*owner, str(contract["name"]), str(contract["version"])))
            if record is None or path[-2:] != [str(contract["version"]), CONTRACT_FILE]:
                found[urn] = "names a version that is not published of"
            elif record["files"][CONTRACT_FILE]["sha256"] != contract["sha256"]:
                found[urn] = "has another hash of a contract of"
    return found
