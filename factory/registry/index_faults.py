"""The index against the folders that it is made from.

Takes a workspace and what was read of its registry; gives faults; reads only. `factory registry rebuild` mends each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from factory.errors import FactoryError
from factory.files import json_text
from factory.git import GitError, git, repository_of
from factory.registry.content import Content
from factory.registry.faults import REBUILD, Fault, Weight
from factory.registry.index import INDEX_FILE, behind_of, index_text, read_index
from factory.registry.store import CONTRACT_FILE
from factory.workspace import Workspace

_BROKEN = (FactoryError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def index_faults(ws: Workspace, content: Content, *, fast: bool) -> list[Fault]:
    """Say what is wrong with the index: with `fast`, as far as versions and hashes tell; else all that it says.

    Places are paths below the registry. The index of an older version of the factory, which has each product on many
    lines, is compared by versions and hashes, too.
    """
    file = ws.registry / INDEX_FILE
    if not file.exists() and not file.is_symlink():
        # A clone has none where git leaves it out, as `registry/.gitignore` says: it is made from the rest.
        weight = Weight.NOTE if _is_ignored(ws) else Weight.FAULT
        missing = Fault("index-missing", INDEX_FILE, "the index is not there", REBUILD, weight)
        return [missing] if content.documents else []
    try:
        data = read_index(ws)
        entries = {str(entry["id"]): entry for entry in data["products"]}
        raw = file.read_bytes()
        older = raw == json_text(data).encode()
    except _BROKEN as error:
        reason = error.message if isinstance(error, FactoryError) else "it is not the index of a registry"
        return [_fault("index-unreadable", reason)]
    try:
        text = "" if fast or older else index_text(ws)
        wrong = _differing(entries, json.loads(text)["products"]) if text else _outline(entries, content)
    except _BROKEN:
        what = "the index cannot be compared: what is published, or the index, cannot be read"
        return [_fault("index-unknown", what)]
    # What came by git is not in an index that git leaves out: the next command that reads it catches up.
    behind = behind_of(ws) if wrong and _is_ignored(ws) else frozenset()
    found = [
        Fault(
            "index-differs",
            INDEX_FILE,
            f"the index {words} {name[:120]}",
            REBUILD,
            Weight.NOTE if name in behind else Weight.FAULT,
        )
        for name, words in sorted(wrong.items())
    ]
    if older:
        what = "the index is that of an older version of the factory"
        found.append(Fault("index-older", INDEX_FILE, what, REBUILD, Weight.NOTE))
    elif not found and text and raw != text.encode():
        found.append(_fault("index-differs", "the index is not written as it would be"))
    return found


def _is_ignored(ws: Workspace) -> bool:
    try:
        if repository_of(ws.registry) is None:
            return False
        return bool(git("check-ignore", "--", INDEX_FILE, cwd=ws.registry, accept=(0, 1)).strip())
    except (GitError, OSError):
        return False


def _fault(code: str, what: str) -> Fault:
    return Fault(code, INDEX_FILE, what, REBUILD)


def _differing(entries: Mapping[str, Any], made: list[dict[str, Any]]) -> dict[str, str]:
    wanted = {str(entry["id"]): entry for entry in made}
    words = {name: "lacks" for name in wanted if name not in entries}
    words |= {name: "has, and nothing published has," for name in entries if name not in wanted}
    words |= {name: "is wrong about" for name in wanted if name in entries and entries[name] != wanted[name]}
    return words


def _outline(entries: Mapping[str, Any], content: Content) -> dict[str, str]:
    """Say what entries are wrong about as far as records tell, by the products' ids."""
    found = {}
    for domain, product in sorted(content.documents):
        urn = f"urn:dpf:{domain}:{product}"
        is_removed = any(fact.kind == "removed" for fact in content.events.get((domain, product), ()))
        if (urn in entries) == is_removed:
            found[urn] = "has, though it was removed," if is_removed else "lacks"
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
