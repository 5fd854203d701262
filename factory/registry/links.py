"""The links of what is published: documents to contracts, lineage to the tables of other products.

Takes what was read of a registry; gives faults; reads product documents, of each product the newest, and those that no
event vouches for.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from factory.contract import version_key
from factory.documents import parse_yaml, read_text
from factory.errors import DocumentError
from factory.registry.content import Content
from factory.registry.faults import Fault, Weight
from factory.workspace import PROD, Workspace

_BUILD = "build and publish the product that it reads, or this one again"
_MOST = 20  # ends of one lineage that are told


def link_faults(ws: Workspace, content: Content) -> list[Fault]:
    """Say which links of the newest documents and lineages lead nowhere; places are paths below the registry."""
    contracts = {f"urn:dpf:{d}:{p}:{c}" for d, p, c, _ in content.records}
    elsewhere = _of_prod(ws) if ws.target != PROD else set()
    found: list[Fault] = []
    for owner, files in content.documents.items():
        newest = max(files, key=version_key)
        for version, path in files.items():
            if version == newest or path not in content.proven:
                found += _document(ws, owner, version, path, contracts, elsewhere, links=version == newest)
    for domain, product in {key[:2] for key in content.records} - set(content.documents):
        place = f"products/{domain}/{product}/product"
        found.append(
            Fault("document-missing", place, "contracts are published, and no document of the product")
        )
    return found + _lineage_faults(content, elsewhere)


def _of_prod(ws: Workspace) -> set[str]:
    """Return the contract ids that `prod` has: another target reads them where it publishes none."""
    folders = (replace(ws, target=PROD, scratch=None).registry / "products").glob("*/*/*")
    return {":".join(("urn:dpf", *folder.parts[-3:])) for folder in folders if folder.name != "product"}


def _document(
    ws: Workspace,
    owner: tuple[str, str],
    version: str,
    path: str,
    contracts: set[str],
    elsewhere: set[str],
    *,
    links: bool,
) -> Iterator[Fault]:
    try:
        text = read_text(ws.registry / path)
        data = parse_yaml(text, ws.registry / path).data
    except DocumentError as error:
        yield Fault("unreadable-document", path, error.message)
        return
    if not text.endswith("\n") or "\r" in text or "\t" in text or _begins_with_mark(ws.registry / path):
        yield Fault("unreadable-document", path, "its bytes are not as they were written")
    if not isinstance(data, dict):
        yield Fault("unreadable-document", path, "it holds no product")
        return
    said = (data.get("domain"), data.get("name"), data.get("version"))
    if said != (*owner, version):
        what = f"it is of another product or version: {'.'.join(map(str, said))[:120]}"
        yield Fault("misplaced-file", path, what)
    if not links:
        return
    for contract in _ids(data.get("outputPorts"), "contractId"):
        if contract not in contracts:
            what = f"it offers {contract[:120]}, which is not published"
            yield Fault("link-broken", path, what, f"`factory build {owner[1]}` publishes it")
    for contract in sorted(set(_ids(data.get("inputPorts"), "contractId")) - contracts - elsewhere):
        what = f"it reads {contract[:120]}, which is not in this registry"
        yield Fault("link-outside", path, what, _BUILD, Weight.WARNING)


def _begins_with_mark(file: Path) -> bool:
    """Say whether a file begins with a byte order mark, which `read_text` passes over."""
    with file.open("rb") as opened:
        return opened.read(3) == codecs.BOM_UTF8


def _ids(ports: Any, key: str) -> Iterator[str]:
    for port in ports if isinstance(ports, list) else ():
        if isinstance(port, dict) and isinstance(port.get(key), str):
            yield port[key]


def _lineage_faults(content: Content, elsewhere: set[str]) -> list[Fault]:
    """Say which columns of other products a lineage names that nothing published has."""
    read: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    found = []
    places = {}
    for major, (version, raw) in content.lineages.items():
        number = ".".join(map(str, version))
        places[major] = f"products/{'/'.join(major[:3])}/{number}/lineage.json"
        try:
            values = json.loads(raw)
            usable = isinstance(values["models"], list) and isinstance(values["edges"], list)
        except (ValueError, KeyError, TypeError, RecursionError):
            usable = False
        if usable:
            read[major] = values
        else:
            found.append(Fault("unreadable-lineage", places[major], "it is no lineage"))
    columns = _columns(read)
    outside = {name.split(":")[3] for name in elsewhere}
    for major, values in read.items():
        lost = sorted(_ends(major[1], values, columns, outside))
        for end in lost[:_MOST]:
            what = f"it comes from {end[:120]}, which nothing published has"
            found.append(Fault("lineage-end", places[major], what, _BUILD, Weight.WARNING))
        if len(lost) > _MOST:
            what = f"and from {len(lost) - _MOST} more"
            found.append(Fault("lineage-end", places[major], what, _BUILD, Weight.WARNING))
    return found


def _columns(read: dict[tuple[str, str, str, int], dict[str, Any]]) -> dict[str, set[str]]:
    """Return the columns of every model that a lineage describes, in lower case, by the model's id."""
    found: dict[str, set[str]] = {}
    for values in read.values():
        for model in values["models"]:
            if isinstance(model, dict) and isinstance(model.get("columns"), list):
                names = {str(column).lower() for column in model["columns"]}
                found.setdefault(str(model.get("model")), set()).update(names)
    return found


def _ends(product: str, values: dict[str, Any], columns: dict[str, set[str]], outside: set[str]) -> set[str]:
    lost = set()
    for edge in values["edges"]:
        if not isinstance(edge, dict):
            continue
        source, column = str(edge.get("source")), edge.get("source_column")
        parts = source.split(".")
        if len(parts) < 3 or parts[0] == "source" or parts[1] == product or parts[1] in outside:
            continue
        if source not in columns:
            lost.add(source)
        elif isinstance(column, str) and column != "*" and column.lower() not in columns[source]:
            lost.add(f"{source}.{column}")
    return lost
