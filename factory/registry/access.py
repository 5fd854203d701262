"""Who was given access to a product, or asks for it: records in `registry/access/`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from factory.documents import read_yaml
from factory.errors import DocumentError
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who was given access to a product, or asks for it: a record in `registry/access/`.

    Attributes:
        product: the product's name.
        who: the consumer.
        state: `has access` or `asks for access`.
        contact: whom to tell, where the record names somebody (`contact`), or empty.
    """

    product: str
    who: str
    state: str
    contact: str = ""


def subscribers(ws: Workspace, products: Collection[str]) -> tuple[Subscriber, ...]:
    """Return who has access to products, or asks for it.

    A request is `registry/access/<id>.yaml` with `product` (its name or urn), `consumer` and perhaps `contact`; what
    was decided stands beside it, in `<id>.approved.yaml`, `<id>.denied.yaml` or `<id>.revoked.yaml`.
    """
    folder = ws.registry / "access"
    found = []
    for file in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        if "." in file.stem:
            continue
        try:
            data = read_yaml(file).data
        except DocumentError:
            continue  # a record that nobody can read grants nothing, and stops nobody's build
        if not isinstance(data, dict):
            continue
        product = str(data.get("product", "")).rpartition(":")[2]
        if product not in products or _has(folder, file.stem, "denied", "revoked"):
            continue
        state = "has access" if _has(folder, file.stem, "approved") else "asks for access"
        consumer, contact = str(data.get("consumer", "")), str(data.get("contact") or "")
        found.append(Subscriber(product, consumer, state, contact))
    return tuple(found)


def _has(folder: Path, name: str, *decisions: str) -> bool:
    return any((folder / f"{name}.{decision}.yaml").is_file() for decision in decisions)
