"""Many products published by the real `Publisher`, without dbt: what a registry of a large mesh looks like.

A product has a contract with one table of 20 columns. The workspace is on an engine of its own, so that what is published
are versions, certificates and events, and no ports.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders import a_column, a_product, a_promise, a_relation, some_artifacts, some_evidence

from factory.certify import certify
from factory.contract import draft_product
from factory.evidence import Evidence
from factory.publish import Publisher
from factory.registry import refresh_index
from factory.registry.events import write_event
from factory.registry.store import Registry
from factory.verdict import judged
from factory.workspace import Settings, Workspace

COLUMNS = 20


def a_place(root: Path) -> Workspace:
    """Return a workspace on an engine of its own."""
    return Workspace(root, settings=Settings(targets={"prod": {"type": "postgres"}}))


def product_name(number: int) -> str:
    return f"product_{number:05}"


def domain_of(number: int) -> str:
    return f"domain-{number % 12:02}"


def evidence_of(root: Path, number: int, version: str, summary: str = "") -> Evidence:
    """Return what the pipeline knows of a product when it is about to publish a version."""
    name = product_name(number)
    product = a_product(root=root, name=name, domain=domain_of(number))
    columns = tuple(a_column(f"column_{n}") for n in range(COLUMNS))
    relation = a_relation(package=name, columns=columns, description=summary or f"The orders of {name}.")
    artifacts = some_artifacts(replace(relation, database=name, schema=name))
    promise = a_promise(name, version, name)
    return some_evidence(product=product, artifacts=artifacts, promises=[promise])


def publish(ws: Workspace, evidence: Evidence) -> bool:
    """Publish a version, and write the index over it, as a build does; say whether it is news."""
    certificate = certify(evidence)
    publisher = Publisher(ws, publish=True)
    product = evidence.product
    result = judged(evidence, certificate)
    now = datetime.now(UTC)
    published = publisher.publish(evidence, result, certificate, {product.name: product}, {}, now).published
    publisher.finish()
    return bool(published)


def fill(ws: Workspace, products: Iterable[int], versions: int = 1) -> None:
    """Fill a registry with products: the first one is published, the others are copies with facts of their own.

    Facts are written by the functions that write them, without waiting for the disk.
    """
    synced, os.fsync = os.fsync, lambda _: None  # type: ignore[assignment]
    try:
        for number in products:
            _one(ws, number, versions)
        refresh_index(ws, None)
    finally:
        os.fsync = synced


_MOULD: dict[str, tuple[str, Any]] = {}


def _one(ws: Workspace, number: int, versions: int) -> None:
    registry = Registry(ws)
    for minor in range(versions):
        version = f"1.{minor}.0"
        if version not in _MOULD:
            evidence = evidence_of(ws.root, 0, version)
            contract = evidence.contracts[0]
            document = draft_product(evidence.product, evidence.contracts, {})
            publication = Publisher(ws, publish=True)._publication(contract, evidence)
            _MOULD[version] = json.dumps([publication.text, document]), (publication, contract)
        raw, (publication, contract) = _MOULD[version]
        renamed = raw.replace(product_name(0), product_name(number)).replace(domain_of(0), domain_of(number))
        text, document = json.loads(renamed)
        name = product_name(number)
        product = a_product(root=ws.root, name=name, domain=domain_of(number))
        own = replace(
            contract, name=name, product=name, data={**contract.data, "id": f"{product.urn}:{name}"}
        )
        registry.publish_contract(product, replace(publication, contract=own, text=text))
        file = registry.publish_product(product, document)
        now = datetime.now(UTC)
        registry.certify(product, own, {"snapshot": "", "evidence": {}}, now)
        from factory.files import sha256_file

        told = {
            "contracts": {
                f"{name}/1": {
                    "version": version,
                    "snapshot": "",
                    "sha256": registry.contract_hash(product, name, version),
                }
            },
            "product": {"version": document["version"], "sha256": sha256_file(file)},
        }
        write_event(ws.registry, product.urn, "published", told, now)


def copy_of(ws: Workspace, folder: Path) -> Workspace:
    """Copy a registry, by second names where the disk has them: nobody changes a file that is published."""
    shutil.copytree(ws.registry, folder / "registry", copy_function=os.link)
    file = folder / "registry/registry.json"
    text = file.read_bytes()
    file.unlink()
    file.write_bytes(text)
    return a_place(folder)
