"""Certificates: that a contract version held its promises at a moment, and until when that may be relied on.

    registry/certificates/<domain>/<product>/<contract>/<version>/<stamp>-<8 digits>.json
                                                                  <the same>.revoked.json

A sealed file each (see `seal`). Those of earlier versions of the factory are numbered, `<n>.json`, and have no seal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from factory.files import json_text
from factory.periods import moment_of
from factory.registry.seal import seal_fault, write_fact

CERTIFICATES = "certificates"
CERTIFICATE_NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}\.json|[1-9]\d{0,8}\.json", re.ASCII)
REVOKED = ".revoked.json"


def write_certificate(folder: Path, facts: Mapping[str, Any], now: datetime, days: int) -> Path:
    """Write a certificate into a version's folder of certificates: issued now, ending after some days.

    It is issued just after the newest one there, if that is later than now: clocks differ, and the newest one counts.

    Raises:
        RegistryError: it cannot be written.

    """
    moment = now.astimezone(UTC)
    newest = certificate_files(folder)[-1:]
    issued = max([moment, *(_stamp_of(file) + timedelta(microseconds=1) for file in newest)])
    certificate = {
        **{key: value for key, value in facts.items() if key != "evidence"},
        "issued": issued.isoformat(timespec="seconds"),
        "expires": (moment + timedelta(days=days)).isoformat(timespec="seconds"),
        "evidence": dict(facts.get("evidence") or {}),
    }
    digest = hashlib.sha256(json_text(certificate).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    file = folder / f"{issued:%Y%m%dT%H%M%S%f}-{digest}.json"
    write_fact(file, certificate)
    return file


def _stamp_of(file: Path) -> datetime:
    """Return when a certificate was issued, by its name; the beginning of time for one that is numbered."""
    try:
        return datetime.strptime(file.name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def certificate_files(folder: Path) -> list[Path]:
    """Return the certificates of a version, oldest first: the numbered ones of earlier versions, then the others."""
    try:
        files = [f for f in folder.iterdir() if CERTIFICATE_NAME.fullmatch(f.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(files, key=lambda f: (int(f.stem), "") if f.stem.isdigit() else (10**9, f.stem))


def newest_certificate(folder: Path) -> dict[str, Any]:
    """Return the newest certificate of a version; one that was revoked says when and why, as `revoked`, `reasons`.

    Nothing if there is none, or if it cannot be read.
    """
    files = certificate_files(folder)
    if not files:
        return {}
    found = _read(files[-1])
    return {**found, **_read(revoked_file(files[-1]))} if found else {}


def valid_until(folder: Path) -> datetime | None:
    """Return when the newest certificate of a version ends; None if there is none, or it is revoked or was changed."""
    files = certificate_files(folder)
    if not files or revoked_file(files[-1]).exists():
        return None
    if not files[-1].stem.isdigit() and _is_changed(files[-1]):
        return None
    return moment_of(_read(files[-1]).get("expires"))


def first_issued(folder: Path) -> datetime | None:
    """Return when the first certificate of a version was issued, as far as it can be read."""
    moments = (moment_of(_read(file).get("issued")) for file in certificate_files(folder))
    return min((moment for moment in moments if moment is not None), default=None)


def revoke_newest(folder: Path, reasons: Iterable[str], now: datetime) -> bool:
    """Revoke the newest certificate of a version; say whether that is news.

    Raises:
        RegistryError: it cannot be written.

    """
    files = certificate_files(folder)
    if not files or revoked_file(files[-1]).exists():
        return False
    revoked = now.astimezone(UTC).isoformat(timespec="seconds")
    facts = {"certificate": files[-1].stem, "revoked": revoked, "reasons": list(reasons)}
    return write_fact(revoked_file(files[-1]), facts)


def certified_hashes(folder: Path) -> Iterator[str]:
    """Yield the sha256 of the contract that each certificate of a version was given for."""
    for file in certificate_files(folder):
        sha256 = _read(file).get("sha256")
        if sha256:
            yield str(sha256)


def revoked_file(certificate: Path) -> Path:
    """Return the file that says that a certificate is revoked, beside it."""
    return certificate.with_name(f"{certificate.stem}{REVOKED}")


def _is_changed(file: Path) -> bool:
    try:
        return bool(seal_fault(file.read_bytes()))
    except OSError:
        return True


def _read(file: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        value = json.loads(file.read_bytes())
        if isinstance(value, dict):
            return value
    return {}
