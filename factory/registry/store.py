"""Versions: a folder per contract version, created once, never rewritten; with certificates and events beside them.

A version is there when its folder is there: the folder is written under another name, synced, and renamed,
so that a crash leaves no half version, and of two writers one wins and the other compares. A version that was
published once is never given to another content, also where its folder is gone; a product's name neither.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from factory.contract import Contract, version_key
from factory.documents import dump_yaml, read_yaml
from factory.errors import NameTakenError, RegistryError, VersionExistsError
from factory.evidence import Published
from factory.files import (
    children,
    json_text,
    sha256_file,
    sync_folder,
    told_as,
    within,
    write_once,
    write_whole,
)
from factory.products import Product
from factory.registry.certificates import (
    CERTIFICATES,
    certified_hashes,
    first_issued,
    revoke_newest,
    valid_until,
    write_certificate,
)
from factory.registry.events import EVENTS, Event, kind_of, newest_of, write_event
from factory.registry.seal import fact_text
from factory.registry.standing import REMOVED, YANKED, Standing, read_standing
from factory.workspace import Workspace

CONTRACT_FILE = "contract.odcs.yaml"
LINEAGE_FILE = "lineage.json"
RECORD_FILE = "record.json"
DOCUMENT_ENDING = ".odps.yaml"
_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Publication:
    """A contract version as it is to be published.

    Attributes:
        contract: the contract.
        text: the contract as YAML: the published bytes where only a tool's version made a difference.
        lineage: its column lineage, as values.
        tools: versions of the tools that made it.
        definitions: fingerprint of what people wrote.
    """

    contract: Contract
    text: str
    lineage: Mapping[str, Any]
    tools: Mapping[str, str]
    definitions: str


class Placed(Protocol):
    """What has a place in the registry: a product of the workspace, or one that is only published."""

    @property
    def domain(self) -> str:
        """The domain that answers for it."""

    @property
    def name(self) -> str:
        """The product's name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a product lies in the registry, whether the workspace has it or not."""

    domain: str
    name: str


class EventSource(Protocol):
    """What an event comes from: a product, or something that knows its product."""

    @property
    def name(self) -> str:
        """The product's name."""

    @property
    def urn(self) -> str:
        """The product's permanent address."""


class Registry:
    """The registry of one workspace and target."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self.root = ws.registry

    def published(self, product: Product) -> dict[str, tuple[Published, ...]]:
        """Return the product's published contract versions, by contract name, newest first.

        Raises:
            RegistryError: a version folder cannot be read.

        """
        return self.versions(product.domain, product.name)

    def versions(self, domain: str, product: str) -> dict[str, tuple[Published, ...]]:
        """Return the published contract versions of a product that need not be there any more.

        Raises:
            RegistryError: a version folder cannot be read.

        """
        found: dict[str, tuple[Published, ...]] = {}
        folder = within(self.root, "products", domain, product)
        standing = self.standing(domain, product)
        for contract in _folders(folder):
            if contract.name != "product":
                versions = [
                    self._read_version(version, standing.reason(contract.name, version.name))
                    for version in _folders(contract)
                    if is_version(version.name)
                ]
                versions.sort(key=lambda p: version_key(p.version), reverse=True)
                if versions:
                    found[contract.name] = tuple(versions)
        return found

    def standing(self, domain: str, product: str) -> Standing:
        """Return what a product's events say of it now.

        Raises:
            RegistryError: an event cannot be used.

        """
        return read_standing(self.root, domain, product)

    def is_yanked(self, product: Placed, contract: str, version: str) -> bool:
        """Say whether a version is yanked; without a yank of the product ever, no event is read.

        Raises:
            RegistryError: an event cannot be used.

        """
        if newest_of(self.root, product.domain, product.name, frozenset([YANKED])) is None:
            return False
        return bool(self.standing(product.domain, product.name).reason(contract, version))

    def refuse_taken(self, product: Product) -> None:
        """Refuse a product whose name is no longer to be had, or is another product's.

        Raises:
            NameTakenError: a product of that name was removed, or another domain has one.

        """
        for domain in self._domains_with(product.name):
            standing = self.standing(domain, product.name)
            urn = f"urn:dpf:{domain}:{product.name}"
            if standing.moved_to == product.urn:
                continue
            if standing.removed is not None:
                raise NameTakenError(
                    f"a product called {product.name} was removed ({urn}), and its name is not given again",
                    where=standing.removed.file,
                    hint=f"delete the folder {product.folder.name}, or choose another name for its product: "
                    "whoever knows the old one must not meet other data under it",
                )
            if domain != product.domain:
                hint = f"choose another name; if it moved: factory registry remove {urn} --moved-to {product.urn}"
                raise NameTakenError(
                    f"the name {product.name} is that of {urn}",
                    where=self.root / "products" / domain / product.name,
                    hint=hint,
                )

    def _domains_with(self, name: str) -> list[str]:
        """Return the domains with a product of a name that is published, or was removed."""
        found = {d.name for d in children(self.root / "products") if any(_folders(d / name))}
        for domain in children(self.root / EVENTS):
            if any(kind_of(file.name) == REMOVED for file in children(domain / name)):
                found.add(domain.name)
        return sorted(found)

    def version_folder(self, product: Placed, contract: str, version: str) -> Path:
        """Return the folder of a contract version, whether it is there or not."""
        return within(self.root, "products", product.domain, product.name, contract, version)

    def published_text(self, product: Placed, contract: str, version: str) -> str | None:
        """Return a published contract's bytes as text, or None if that version is not there."""
        file = self.version_folder(product, contract, version) / CONTRACT_FILE
        return file.read_text("utf-8") if file.is_file() else None

    def published_product(self, product: Placed, version: str) -> dict[str, Any] | None:
        """Return the product's ODPS document of a version, or None if that version is not there."""
        file = self.document_file(product, version)
        return dict(read_yaml(file).data) if file.is_file() else None

    def document_file(self, product: Placed, version: str) -> Path:
        """Return the file of a product's ODPS document, whether it is there or not."""
        file = f"{version}{DOCUMENT_ENDING}"
        return within(self.root, "products", product.domain, product.name, "product", file)

    def contract_hash(self, product: Placed, contract: str, version: str) -> str:
        """Return the sha256 of a published contract.

        Raises:
            RegistryError: it cannot be read.

        """
        file = self.version_folder(product, contract, version) / CONTRACT_FILE
        with told_as(RegistryError, "reading a published contract", file):
            return sha256_file(file)

    def is_closed(self, product: Product, contract: str, version: str, standing: Standing) -> bool:
        """Say whether the port of a contract's major version is noted as closed."""
        key = f"{contract}/{version_key(version)[0]}"
        return key in standing.closed or was_closed(
            self.root, product.domain, product.name, contract, version
        )

    def is_whole(self, product: Placed, contract: str, version: str) -> bool:
        """Say whether a published version is there, as it was published."""
        folder = self.version_folder(product, contract, version)
        try:
            record = json.loads((folder / RECORD_FILE).read_bytes())
            return all(
                sha256_file(folder / name) == facts["sha256"] for name, facts in record["files"].items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def publish_contract(self, product: Product, publication: Publication) -> bool:
        """Publish a contract version; return False if it is there already, with the same contract.

        Raises:
            VersionExistsError: it is there with another contract.
            RegistryError: it cannot be written.

        """
        contract = publication.contract
        folder = self.version_folder(product, contract.name, contract.version)
        with told_as(RegistryError, f"publishing {contract.name} {contract.version}", folder):
            if not folder.exists():
                self._refuse_gone(product, publication)
                staged = self._stage(folder, publication)
                self._claim(folder, staged)
                try:
                    staged.rename(folder)
                    sync_folder(folder.parent)
                    return True
                except OSError as error:
                    shutil.rmtree(staged, ignore_errors=True)
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
            sync_folder(folder.parent)  # another writer may have given it its name a moment ago
            if (folder / CONTRACT_FILE).read_text("utf-8") == publication.text:
                return False
        raise VersionExistsError(
            f"{contract.name} {contract.version} is published already, with another content",
            where=folder / CONTRACT_FILE,
            hint="set a higher version in the contract; a published version never changes",
        )

    def _refuse_gone(self, product: Product, publication: Publication) -> None:
        """Refuse a version that was certified with another content before: its folder was deleted by hand."""
        contract = publication.contract
        hashes = set(certified_hashes(self._certificates(product, contract.name, contract.version)))
        if hashes and hashlib.sha256(publication.text.encode()).hexdigest() not in hashes:
            folder = self.version_folder(product, contract.name, contract.version)
            raise VersionExistsError(
                f"{contract.name} {contract.version} was published before, with another content, and is gone",
                where=folder,
                hint="restore its folder from git or a backup, and set a higher version in the contract",
            )

    def publish_product(self, product: Product, document: Mapping[str, Any]) -> Path:
        """Publish the product's ODPS document under its version; return its file.

        The document of a version is that of its first publication: what changes later in it changes a
        contract too, and asks for a version there.

        Raises:
            RegistryError: it cannot be written.

        """
        file = self.document_file(product, str(document["version"]))
        with told_as(RegistryError, f"publishing {product.name}", file):
            if not file.exists():
                from factory.registry.remote import claim_document

                write_once(file, claim_document(self._ws, file, dump_yaml(dict(document))))
        return file

    def certify(self, product: Product, contract: Contract, facts: Mapping[str, Any], now: datetime) -> Path:
        """Write a certificate for a published version: issued now, ending by the workspace's setting.

        `facts` are its `evidence` and what else it says, such as the snapshot. Raises:
            RegistryError: it cannot be written.

        """
        version = self.version_folder(product, contract.name, contract.version)
        about = {
            "contract": contract.id,
            "version": contract.version,
            "sha256": sha256_file(version / CONTRACT_FILE) if version.is_dir() else "",
        }
        folder = self._certificates(product, contract.name, contract.version)
        return write_certificate(folder, {**about, **facts}, now, self._ws.settings.certificate_days)

    def expires(self, product: Placed, contract: str, version: str) -> datetime | None:
        """Return when the newest certificate of a contract version ends; None if there is none, or it is revoked."""
        return valid_until(self._certificates(product, contract, version))

    def revoke(
        self, product: Placed, contract: str, version: str, reasons: Iterable[str], now: datetime
    ) -> bool:
        """Revoke the newest certificate of a contract version; say whether that is news.

        The contract stays published, and the next build of the product judges it anew.
        """
        return revoke_newest(self._certificates(product, contract, version), reasons, now)

    def _certificates(self, product: Placed, contract: str, version: str) -> Path:
        return within(self.root, CERTIFICATES, product.domain, product.name, contract, version)

    def first_published(self, domain: str, product: str) -> dict[str, dict[str, datetime]]:
        """Return when each contract version of a product was first published, by contract and version.

        That is when its first certificate was issued: versions themselves hold no time. One without a certificate
        that can be read is left out.
        """
        found: dict[str, dict[str, datetime]] = {}
        for contract in _folders(within(self.root, CERTIFICATES, domain, product)):
            for version in _folders(contract):
                issued = first_issued(version)
                if issued is not None:
                    found.setdefault(contract.name, {})[version.name] = issued
        return found

    def write_event(
        self, product: EventSource, kind: str, data: Mapping[str, Any], now: datetime, subject: str = ""
    ) -> Event:
        """Write one CloudEvents 1.0 event of a product: what it says holds from now on.

        Raises:
            RegistryError: it cannot be written.

        """
        return write_event(self.root, product.urn, kind, data, now, subject)

    def _stage(self, folder: Path, publication: Publication) -> Path:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp"
        staged.mkdir()
        try:
            write_whole(staged / CONTRACT_FILE, publication.text)
            write_whole(staged / LINEAGE_FILE, json_text(publication.lineage))
            files = {
                name: {"sha256": sha256_file(staged / name), "size": (staged / name).stat().st_size}
                for name in (CONTRACT_FILE, LINEAGE_FILE)
            }
            record = {
                "contract": publication.contract.id,
                "version": publication.contract.version,
                "files": files,
                "definitions": publication.definitions,
                "tools": dict(sorted(publication.tools.items())),
            }
            write_whole(staged / RECORD_FILE, fact_text(record))
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        return staged

    def _claim(self, folder: Path, staged: Path) -> None:
        """Commit a staged version where this registry is a replica of one elsewhere."""
        from factory.registry.remote import claim_version

        try:
            claim_version(self._ws, folder, staged)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise

    def _read_version(self, folder: Path, yanked: str) -> Published:
        record_file = folder / RECORD_FILE
        try:
            record = json.loads(record_file.read_bytes())
            tools, definitions = dict(record["tools"]), str(record["definitions"])
            promised = str(record["files"][CONTRACT_FILE]["sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RegistryError(
                "the record of a published version cannot be read",
                where=record_file,
                hint="restore the version's folder from git or a backup",
            ) from error
        file = folder / CONTRACT_FILE
        if not file.is_file() or sha256_file(file) != promised:
            raise RegistryError(
                "a published contract is not what was published",
                where=file,
                hint="restore the version's folder from git or a backup; a change belongs in a new version",
            )
        data = read_yaml(file).data
        return Published(folder.name, data, tools, definitions, yanked)


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


def was_closed(root: Path, domain: str, product: str, contract: str, version: str) -> bool:
    """Say whether an earlier version of the factory noted that the port of a contract version is closed."""
    return within(root, "status", domain, product, contract, version, "closed.json").is_file()


def is_version(name: str) -> bool:
    """Say whether a folder's name is a version: three numbers."""
    return _VERSION.fullmatch(name) is not None


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
