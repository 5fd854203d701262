"""Addresses: permanent names of products, contracts, ports, tables and columns. Pure.

    urn:dpf:<domain>:<product>[:<contract>[:<major>[:<table>[:<column>]]]]

A port is a major version of a contract: what is read in it does not break. An address never names a place; where the
thing lies now, `factory resolve` says. Names of tables and columns are percent-encoded in UTF-8 (RFC 3986); what comes
before them never needs it. `urn:dpf:` is the same in capitals, the rest is not.

Short forms for people are `product`, `product.contract`, `product.contract/major`, `product.contract/major.table` and
`product.contract/major.table.column`, as long as the name of the table has no dot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

PREFIX = "urn:dpf:"
DOMAIN = re.compile(r"[a-z][a-z0-9-]{1,62}", re.ASCII)
NAME = re.compile(r"[a-z][a-z0-9_]{1,62}", re.ASCII)
MAJOR = re.compile(r"0|[1-9]\d{0,5}", re.ASCII)
_LONGEST = 8_000  # characters: two names of 255 letters, of which each may take twelve as it is encoded
_BARE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")
#: What may stand in a URN as it is, besides letters, digits and `_.-~` (RFC 8141, RFC 3986).
_UNQUOTED = "!$&'()*+,;=@"
_STEPS = ("domain", "product", "contract", "major", "table", "column")


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a product, or of something in it: what it does not name is empty.

    Attributes:
        domain: the domain; empty in short forms.
        product, contract, major, table, column: from the whole to the part.
    """

    domain: str
    product: str
    contract: str = ""
    major: str = ""
    table: str = ""
    column: str = ""

    @property
    def kind(self) -> str:
        """What it names: product, contract, port, table or column."""
        for kind, part in (("column", self.column), ("table", self.table), ("port", self.major)):
            if part:
                return kind
        return "contract" if self.contract else "product"

    def __str__(self) -> str:
        """Return the urn."""
        parts = (self.domain, self.product, self.contract, self.major, self.table, self.column)
        return PREFIX + ":".join(_encoded(part) for part in parts if part)

    @property
    def key(self) -> str:
        """Contract and major version, as the registry has them: `orders/1`."""
        return f"{self.contract}/{self.major}"


def address_of(text: str) -> Address:
    """Return the address that a urn or a short form names.

    Raises:
        ValueError: it is none; the message says why.

    """
    wanted = text.strip()
    if len(wanted) > _LONGEST:
        raise ValueError("it is too long for an address")
    if not wanted.lower().startswith("urn:"):
        return _short(wanted)
    if not wanted.lower().startswith(PREFIX):
        raise ValueError(f"it does not begin with {PREFIX}")
    parts = wanted[len(PREFIX) :].split(":")
    if not 2 <= len(parts) <= len(_STEPS):
        raise ValueError(f"it is not {PREFIX}<domain>:<product>[:<contract>[:<major>[:<table>[:<column>]]]]")
    values = [*parts[:4], *(_decoded(part) for part in parts[4:])]
    return _checked(Address(*values), parts)


def _short(text: str) -> Address:
    name, *rest = text.split("/", 1)
    before, behind = name.split(".", 1), rest[0].split(".", 2) if rest else []
    product, contract = before[0], before[1] if len(before) > 1 else ""
    values = (product, contract, *[*behind, "", "", ""][:3])
    return _checked(Address("", *values), [*before, *behind])


def _checked(address: Address, parts: list[str]) -> Address:
    if not all(parts):
        raise ValueError("a part of it is empty")
    if address.domain and not DOMAIN.fullmatch(address.domain):
        raise ValueError(f"{_shown(address.domain)} is not the name of a domain")
    if not NAME.fullmatch(address.product):
        raise ValueError(f"{_shown(address.product)} is not the name of a product")
    if address.contract and (not NAME.fullmatch(address.contract) or address.contract == "product"):
        raise ValueError(f"{_shown(address.contract)} is not the name of a contract")
    if address.major and (not MAJOR.fullmatch(address.major) or not address.contract):
        raise ValueError(f"{_shown(address.major)} is not a major version of a contract")
    for part in (address.table, address.column):
        if part and not _BARE.fullmatch(part):
            raise ValueError("a name in it has characters that no table or column has")
    return address


def _shown(part: str) -> str:
    return repr(part if len(part) <= 80 else f"{part[:79]}…")


def _encoded(part: str) -> str:
    return quote(part, safe=_UNQUOTED)


def _decoded(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
