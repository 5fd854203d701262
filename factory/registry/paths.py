"""What a path in a registry means: the layout of docs/architecture.md, section 3, read backwards.

Takes a path below the registry; gives what lies there, or None for what no registry has. Pure.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from factory.addresses import DOMAIN, NAME
from factory.registry.store import CONTRACT_FILE, LINEAGE_FILE, RECORD_FILE

_D = rf"(?P<domain>{DOMAIN.pattern})"
_P = rf"(?P<product>{NAME.pattern})"
_C = rf"(?P<contract>(?!product/){NAME.pattern})"
_V = r"(?P<version>(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8}))"
_STAMP = r"(?P<stamp>\d{8}T\d{6}(?:\d{6})?)"
_ID = r"(?P<id>[0-9a-f]{8})"
_FILES = "|".join(re.escape(name) for name in (CONTRACT_FILE, LINEAGE_FILE, RECORD_FILE))


class Kind(enum.StrEnum):
    """What lies at a path."""

    FILE = "file of a version"
    RECORD = "record"
    DOCUMENT = "product document"
    CERTIFICATE = "certificate"
    REVOCATION = "revocation"
    EVENT = "event"
    CLOSED = "closed port"
    ACCESS = "access record"


_KINDS = {
    "products": (
        (Kind.RECORD, rf"products/{_D}/{_P}/{_C}/{_V}/(?P<name>{re.escape(RECORD_FILE)})"),
        (Kind.FILE, rf"products/{_D}/{_P}/{_C}/{_V}/(?P<name>{_FILES})"),
        (Kind.DOCUMENT, rf"products/{_D}/{_P}/product/{_V}\.odps\.yaml"),
    ),
    "certificates": (
        (
            Kind.REVOCATION,
            rf"certificates/{_D}/{_P}/{_C}/{_V}/(?P<name>{_STAMP}-{_ID}|\d{{1,9}})\.revoked\.json",
        ),
        (Kind.CERTIFICATE, rf"certificates/{_D}/{_P}/{_C}/{_V}/(?P<name>{_STAMP}-{_ID}|\d{{1,9}})\.json"),
    ),
    "events": (
        (Kind.EVENT, rf"events/{_D}/{_P}/{_STAMP}-(?P<name>[a-z]+(?:-[a-z]+)*)-{_ID}\.json"),
        (Kind.EVENT, rf"events/\d{{4}}-\d\d/{_STAMP}-(?P<name>[a-z][a-z0-9_-]*)-{_ID}\.json"),
    ),
    "status": ((Kind.CLOSED, rf"status/{_D}/{_P}/{_C}/{_V}/{re.escape('closed.json')}"),),
    "access": ((Kind.ACCESS, r"access/(?P<name>[^/]+)\.yaml"),),
}
_PATTERNS = {
    top: [(kind, re.compile(pattern, re.ASCII)) for kind, pattern in kinds] for top, kinds in _KINDS.items()
}
_FOLDERS = re.compile(
    rf"products(?:/{_D}(?:/{_P}(?:/product|/{_C}(?:/(?P<whole>{_V}))?)?)?)?"
    rf"|(?:certificates|status)(?:/{DOMAIN.pattern}(?:/{NAME.pattern}(?:/{NAME.pattern}"
    rf"(?:/{_V.replace('?P<version>', '?:')})?)?)?)?"
    rf"|events(?:/\d{{4}}-\d\d|/{DOMAIN.pattern}(?:/{NAME.pattern})?)?|access",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Place:
    """What lies at a path; what a path does not name is empty.

    Attributes:
        kind: what it is.
        domain: the product's domain.
        product: the product's name.
        contract: the contract's name.
        version: the version, of the contract or of the product's document.
        name: the file's name, or of an event the kind of event, or of a certificate its name without the ending.
        stamp: the time in the name.
        id: the hexadecimal digits at the name's end.
    """

    kind: Kind
    domain: str = ""
    product: str = ""
    contract: str = ""
    version: str = ""
    name: str = ""
    stamp: str = ""
    id: str = ""


def place_of(path: str) -> Place | None:
    """Return what lies at a path below the registry, or None if no registry has such a path."""
    for kind, pattern in _PATTERNS.get(path.partition("/")[0], ()):
        found = pattern.fullmatch(path)
        if found:
            return Place(kind, **{key: value or "" for key, value in found.groupdict().items()})
    return None


def version_at(folder: str) -> tuple[str, str, str, str] | None:
    """Return domain, product, contract and version of a version's folder; None for another folder."""
    found = _FOLDERS.fullmatch(folder)
    if not found or not found["whole"]:
        return None
    return found["domain"], found["product"], found["contract"], found["version"]


def is_folder(folder: str) -> bool:
    """Say whether a registry has such a folder."""
    return _FOLDERS.fullmatch(folder) is not None


def clashes(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of paths that are one and the same where case or the form of letters does not count."""
    seen: dict[str, str] = {}
    found = []
    for path in paths:
        plain = unicodedata.normalize("NFKC", path).casefold()
        other = seen.setdefault(plain, path)
        if other != path:
            found.append((path, other))
    return found
