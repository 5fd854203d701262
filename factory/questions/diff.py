"""What changed between two contracts, for people and programs.

Takes what a user named: files, versions in the registry, or a product; gives a `Difference` and its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factory.documents import Document, read_yaml
from factory.errors import ContractError
from factory.odcs.compare import BREAKING, Change, Difference, between, order_of
from factory.odcs.convert import convert, dialect_of
from factory.products import Product, discover
from factory.registry import Registry
from factory.workspace import Workspace

_VERSION = re.compile(r"([a-z][a-z0-9_]{1,62})(?:\.([a-z][a-z0-9_]{1,62}))?@(.+)")
_PRODUCT = re.compile(r"([a-z][a-z0-9_]{1,62})(?:\.([a-z][a-z0-9_]{1,62}))?")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two contracts: its values, and what it is called for people."""

    name: str
    data: Mapping[str, Any]


def is_file(named: str) -> bool:
    """Say whether an argument names a file and not a version or a product."""
    return Path(named).suffix in (".yaml", ".yml", ".json") or Path(named).is_file()


def contract_in(file: Path) -> Side:
    """Return the contract in a file; one of an older standard as ODCS 3.2.

    Raises:
        FactoryError: there is none, or it holds no contract.

    """
    document: Document = read_yaml(file)
    data = document.data
    dialect = dialect_of(data)
    if dialect in ("odcs-2.2", "dcs"):
        return Side(file.as_posix(), convert(document).data)
    if not isinstance(data, dict) or not dialect:
        raise ContractError(
            "the file holds no data contract",
            where=file,
            line=1,
            hint="`factory contract lint` says what is wrong",
        )
    return Side(file.as_posix(), data)


def published_contract(ws: Workspace, named: str) -> Side:
    """Return a published version: `product@1.2.0`, `product.contract@1.2.0`, `product@published` for the newest.

    Raises:
        ContractError: there is no such product, contract or version.

    """
    found = _VERSION.fullmatch(named)
    if not found:
        raise ContractError(
            f"{named!r} is no file and no version",
            hint="name a file, product@1.2.0 or product.contract@1.2.0",
        )
    product, contract, version = found[1], found[2] or "", found[3]
    versions = _versions(ws, product)
    if not versions:
        raise ContractError(f"{product!r} is not published", hint="see what is published with: factory list")
    if contract and contract not in versions:
        raise ContractError(f"{product} has no contract {contract!r}", hint=f"it has {', '.join(versions)}")
    if not contract and len(versions) > 1:
        raise ContractError(
            f"{product} has several contracts",
            hint=f"name one: {', '.join(f'{product}.{c}' for c in versions)}",
        )
    name = contract or next(iter(versions))
    known = dict(versions[name])
    if version == "published":
        version = max(known, key=order_of)
    if version not in known:
        raise ContractError(
            f"{product}.{name} {version} is not published", hint=f"published: {', '.join(known)}"
        )
    return Side(f"{product}.{name} {version}", known[version])


def _versions(ws: Workspace, product: str) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Return the published versions of a product's contracts, newest first, also where it left the workspace."""
    registry = Registry(ws)
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for folder in sorted((ws.registry / "products").glob(f"*/{product}")):
        for name, versions in registry.versions(folder.parent.name, folder.name).items():
            found[name] = [(version.version, version.data) for version in versions]
    return found


def sides(
    ws: Workspace | None, old: str, new: str, environment: Mapping[str, str]
) -> list[tuple[Side, Side]]:
    """Return the pairs of contracts that two arguments name; `new` may be empty where `old` is a product.

    `ws` may be None where both are files; `environment` are the environment variables that dbt sees.

    Raises:
        FactoryError: one of them names nothing.

    """
    if new:
        return [(_side(ws, old, environment), _side(ws, new, environment))]
    if is_file(old):
        raise ContractError(f"{old} stands alone", hint="name the contract that it is compared with")
    if ws is None or _VERSION.fullmatch(old):
        return [(_side(ws, old, environment), _side(ws, old.partition("@")[0], environment))]
    return _working_tree(ws, old, environment)


def _side(ws: Workspace | None, named: str, environment: Mapping[str, str]) -> Side:
    if is_file(named):
        return contract_in(Path(named))
    assert ws is not None  # noqa: S101  (the caller found a workspace for what is no file)
    if _VERSION.fullmatch(named):
        return published_contract(ws, named)
    pairs = _working_tree(ws, named, environment)
    if len(pairs) > 1:
        raise ContractError(f"{named} has several contracts", hint="name one: PRODUCT.CONTRACT")
    return pairs[0][1]


def product_named(ws: Workspace, named: str) -> tuple[Product, str]:
    """Return the product, and the contract's name or an empty text, that `product` or `product.contract` means.

    Raises:
        ContractError: there is no such product.

    """
    found = _PRODUCT.fullmatch(named)
    products = {product.name: product for product in discover(ws)}
    if not found or found[1] not in products:
        from factory.standards import nearest

        near = nearest(named, products)
        hint = (
            f"did you mean {near!r}?"
            if near
            else "name a file, a version such as product@1.2.0, or a product"
        )
        raise ContractError(f"{named!r} is no file, no version and no product", hint=hint)
    return products[found[1]], found[2] or ""


def difference_as_json(found: Difference) -> dict[str, Any]:
    """Return a difference in the shape of `factory/schemas/diff.schema.json`."""
    return {
        "severity": found.severity,
        "old_version": found.old_version,
        "new_version": found.new_version,
        "suggested_version": found.suggested_version,
        "sufficient": found.sufficient,
        "changes": [
            {
                "path": change.path,
                "kind": change.kind,
                "severity": change.severity,
                "old": change.old,
                "new": change.new,
                "consumer": change.consumer,
                "producer": change.producer,
                "rule": change.rule,
                "why": change.why,
            }
            for change in found.changes
        ],
    }


def difference_as_text(found: Difference, old: str, new: str) -> str:
    """Return a difference for people: a line per change, then the version that it asks for, and why."""
    lines = [f"{old} -> {new}", ""]
    for change in found.changes:
        lines += [f"  {change.severity:5}  {_words(change)}", f"         {change.why}"]
        if change.consumer == BREAKING:
            lines.append("         consumers: breaking")
    if not found.changes:
        lines.append("  nothing changed")
    return "\n".join([*lines, "", _verdict(found)])


def _words(change: Change) -> str:
    if change.kind == "renamed":
        return f"{change.path} is called {change.new} now"
    if change.kind == "changed":
        return f"{change.path}: {between(change.old, change.new)}"
    return f"{change.path} {change.kind}"


def _verdict(found: Difference) -> str:
    if not found.suggested_version:
        return f"{found.severity}: {found.old_version or 'the old contract'} is no version to count from"
    if not found.changes:
        return f"none: {found.old_version} stays"
    most = sum(change.severity == found.severity for change in found.changes)
    because = f"{most} {found.severity} change{'' if most == 1 else 's'}"
    ask = "asks" if most == 1 else "ask"
    if found.sufficient:
        return f"{found.severity}: {found.new_version} says enough ({because} {ask} for {found.suggested_version})"
    return f"{found.severity}: set version {found.suggested_version} ({because}); {found.new_version} is too small"


def difference_as_markdown(found: Difference, old: str, new: str) -> str:
    """Return a difference as Markdown, for a pull request."""
    lines = [f"**{_md(old)}** → **{_md(new)}**: {_md(_verdict(found))}", ""]
    if found.changes:
        lines += ["| severity | change | consumers | why |", "| --- | --- | --- | --- |"]
        lines += [f"| {c.severity} | {_md(_words(c))} | {c.consumer} | {_md(c.why)} |" for c in found.changes]
    return "\n".join(lines) + "\n"


def _md(text: str) -> str:
    """Return text that Markdown shows as it is, in one line of a table."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", flat)


def _working_tree(ws: Workspace, named: str, environment: Mapping[str, str]) -> list[tuple[Side, Side]]:
    """Return a product's contracts as they are published (nothing, if they are not) and as they are now."""
    from factory.current import comparable, current_contracts

    product, wanted = product_named(ws, named)
    current = current_contracts(ws, [product.name], environment)[product.name]
    contracts = [c for c in current.contracts if wanted in ("", c.name)]
    if not contracts:
        raise ContractError(f"{product.name} has no contract {wanted!r}", where=product.folder / "contracts")
    published = Registry(ws).published(product)
    pairs = []
    for contract in contracts:
        known = published.get(contract.name, ())
        same = [p for p in known if p.version.split(".")[0] == str(contract.major)]
        older = [p for p in known if order_of(p.version) < order_of(contract.version)]
        last = max(same or older, key=lambda p: order_of(p.version), default=None)
        name = f"{product.name}.{contract.name}"
        before, after = comparable(last, contract, current) if last else ({}, contract.data)
        old = Side(f"{name} {last.version}" if last else "nothing", before)
        pairs.append((old, Side(f"{name} {contract.version} (working tree)", after)))
    return pairs
