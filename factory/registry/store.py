"""Versions: a folder per contract version, created once, never rewritten; and facts that come later.

A version is there when its folder is there: the folder is written under another name, synced, and renamed,
so that a crash leaves no half version, and of two writers one wins and the other compares.
"""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from factory.contract import Contract, version_key
from factory.documents import dump_yaml, read_yaml
from factory.errors import RegistryError, VersionExistsError
from factory.evidence import Published
from factory.files import json_text, sha256_file, sync_folder, told_as, write_whole
from factory.products import Product
from factory.workspace import Workspace

CONTRACT_FILE = "contract.odcs.yaml"
LINEAGE_FILE = "lineage.json"
RECORD_FILE = "record.json"
CLOSED_FILE = "closed.json"


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
        folder = self.root / "products" / domain / product
        for contract in _folders(folder):
            if contract.name != "product":
                versions = [
                    self._read_version(version) for version in _folders(contract) if _is_version(version.name)
                ]
                versions.sort(key=lambda p: version_key(p.version), reverse=True)
                if versions:
                    found[contract.name] = tuple(versions)
        return found

    def version_folder(self, product: Product, contract: str, version: str) -> Path:
        """Return the folder of a contract version, whether it is there or not."""
        return self._product_folder(product) / contract / version

    def published_text(self, product: Product, contract: str, version: str) -> str | None:
        """Return a published contract's bytes as text, or None if that version is not there."""
        file = self._product_folder(product) / contract / version / CONTRACT_FILE
        return file.read_text("utf-8") if file.is_file() else None

    def published_product(self, product: Product, version: str) -> dict[str, Any] | None:
        """Return the product's ODPS document of a version, or None if that version is not there."""
        file = self._product_folder(product) / "product" / f"{version}.odps.yaml"
        return dict(read_yaml(file).data) if file.is_file() else None

    def is_whole(self, product: Product, contract: str, version: str) -> bool:
        """Say whether a published version is there, as it was published."""
        folder = self._product_folder(product) / contract / version
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
        folder = self._product_folder(product) / contract.name / contract.version
        with told_as(RegistryError, f"publishing {contract.name} {contract.version}", folder):
            if not folder.exists():
                staged = self._stage(folder, publication)
                try:
                    staged.rename(folder)
                    sync_folder(folder.parent)
                    return True
                except OSError as error:
                    shutil.rmtree(staged, ignore_errors=True)
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
            if (folder / CONTRACT_FILE).read_text("utf-8") == publication.text:
                return False
        raise VersionExistsError(
            f"{contract.name} {contract.version} is published already, with another content",
            where=folder / CONTRACT_FILE,
            hint="set a higher version in the contract; a published version never changes",
        )

    def publish_product(self, product: Product, document: Mapping[str, Any]) -> str:
        """Publish the product's ODPS document under its version; return the path below the registry.

        The document of a version is that of its first publication: what changes later in it changes a
        contract too, and asks for a version there.
        """
        file = self._product_folder(product) / "product" / f"{document['version']}.odps.yaml"
        with told_as(RegistryError, f"publishing {product.name}", file):
            if not file.exists():
                write_whole(file, dump_yaml(dict(document)))
        return file.relative_to(self.root).as_posix()

    def certify(
        self, product: Product, contract: Contract, evidence: Mapping[str, Any], now: datetime
    ) -> None:
        """Write a certificate: issued now, expiring by the workspace's setting, with its evidence."""
        folder = self.root / "certificates" / product.domain / product.name / contract.name / contract.version
        number = 1 + max((int(f.stem) for f in folder.glob("*.json") if f.stem.isdigit()), default=0)
        expires = now + timedelta(days=self._ws.settings.certificate_days)
        self._fact(
            folder / f"{number}.json",
            {"contract": contract.id, "version": contract.version, "issued": _time(now), "expires": _time(expires),
             "evidence": dict(evidence)},
        )  # fmt: skip

    def expires(self, product: Product, contract: str, version: str) -> datetime | None:
        """Return when the newest certificate of a contract version ends; None if there is none, or it is revoked."""
        newest = self._newest_certificate(product, contract, version)
        if newest is None or revoked_file(newest).is_file():
            return None
        try:
            data = json.loads(newest.read_bytes())
            return datetime.fromisoformat(data["expires"])
        except (ValueError, KeyError, TypeError, OSError):
            return None

    def revoke(
        self, product: Product, contract: str, version: str, reasons: Iterable[str], now: datetime
    ) -> bool:
        """Revoke the newest certificate of a contract version; say whether that is news.

        The contract stays published, and the next build of the product judges it anew.
        """
        newest = self._newest_certificate(product, contract, version)
        if newest is None or revoked_file(newest).is_file():
            return False
        self._fact(revoked_file(newest), {"revoked": _time(now), "reasons": list(reasons)})
        return True

    def _newest_certificate(self, product: Product, contract: str, version: str) -> Path | None:
        folder = self.root / "certificates" / product.domain / product.name / contract / version
        files = [f for f in folder.glob("*.json") if f.stem.isdigit()]
        return max(files, key=lambda f: int(f.stem), default=None)

    def first_published(self, domain: str, product: str) -> dict[str, dict[str, datetime]]:
        """Return when each contract version of a product was first published, by contract and version.

        That is when its first certificate was issued: versions themselves hold no time. One without a certificate
        that can be read is left out.
        """
        found: dict[str, dict[str, datetime]] = {}
        for contract in _folders(self.root / "certificates" / domain / product):
            for version in _folders(contract):
                numbers = sorted((int(f.stem), f) for f in version.glob("*.json") if f.stem.isdigit())
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError, IndexError):
                    issued = datetime.fromisoformat(json.loads(numbers[0][1].read_bytes())["issued"])
                    found.setdefault(contract.name, {})[version.name] = issued.astimezone(UTC)
        return found

    def close(self, product: Product, contract: str, version: str, facts: Mapping[str, Any]) -> bool:
        """Note that the port of a contract is closed as of a version; say whether that is news."""
        file = closed_file(self.root / "products" / product.domain / product.name / contract / version)
        if file.is_file():
            return False
        self._fact(file, facts)
        return True

    def write_event(self, product: EventSource, kind: str, data: Mapping[str, Any], now: datetime) -> None:
        """Write one CloudEvents 1.0 event for a change of state."""
        event_id = uuid.uuid4().hex
        event = {
            "specversion": "1.0",
            "id": event_id,
            "source": product.urn,
            "type": f"org.dataproductfactory.{kind}",
            "time": _time(now),
            "datacontenttype": "application/json",
            "data": dict(data),
        }
        folder = self.root / "events" / f"{now:%Y-%m}"
        self._fact(folder / f"{now:%Y%m%dT%H%M%S}-{product.name}-{kind}-{event_id[:8]}.json", event)

    def _fact(self, file: Path, value: Mapping[str, Any]) -> None:
        with told_as(RegistryError, "writing to the registry", file):
            write_whole(file, json_text(value), durable=False)

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
            write_whole(staged / RECORD_FILE, json_text(record))
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        return staged

    def _read_version(self, folder: Path) -> Published:
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
        return Published(folder.name, data, tools, definitions)

    def _product_folder(self, product: Product) -> Path:
        return self.root / "products" / product.domain / product.name


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


def revoked_file(certificate: Path) -> Path:
    """Return the file that says that a certificate is revoked, beside it."""
    return certificate.with_name(f"{certificate.stem}.revoked.json")


def closed_file(version: Path) -> Path:
    """Return the file that says that the port of a contract is closed, for the folder of the contract's version."""
    domain, product, contract, number = version.parts[-4:]
    return version.parents[4] / "status" / domain / product / contract / number / CLOSED_FILE


def _is_version(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 3 and all(part.isdigit() for part in parts)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
