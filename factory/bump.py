"""The versions of a product's contracts, brought to what their changes ask for.

Takes a workspace and a product's name; gives a `Bump`; reads the registry and the product, and writes the version into
the hand-kept files unless it is only asked what it would be. A version that a person names is not judged here: the
policy `compatible` does that when the product is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.contract import (
    Change,
    Promise,
    bumped,
    compare,
    draft_product,
    is_enough,
    read_promises,
    severity_of,
    version_key,
)
from factory.contract.severities import severities_of
from factory.current import Current, comparable, current_contracts
from factory.errors import ContractError
from factory.evidence import Published
from factory.handkept import HandKept
from factory.passage import promised_to_all
from factory.products import Product, discover
from factory.registry import Registry
from factory.selection import select
from factory.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for.

    Attributes:
        product: the product's name.
        contract: one of its contracts, `name` or `name/major`; empty for all that changed.
        step: major, minor or patch; empty for what the change asks for.
        in_place: a new major takes the place of the old one's file.
        dry_run: nothing is written.
    """

    product: str
    contract: str = ""
    step: str = ""
    in_place: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Bumped:
    """One contract, or the product's own file, and its version.

    Attributes:
        name: the contract's or the product's name.
        file: the hand-kept file.
        line: where the version stands in it, from 1.
        old, new: the version that stood there, and the one that it gets; the same where nothing has to change.
        published: the published version that it was compared with, or empty.
        severity: none, patch, minor or major: what the change asks for, or what was asked for.
        changes: what changed since `published`, the gravest first.
        kept: the file that goes on with the old major, if both are kept.
        words: why, and what to do next, in a sentence; may be empty.
    """

    name: str
    file: Path
    line: int
    old: str
    new: str
    published: str = ""
    severity: str = "none"
    changes: tuple[Change, ...] = ()
    kept: Path | None = None
    words: str = ""

    @property
    def is_changed(self) -> bool:
        """The file gets another version."""
        return self.old != self.new


@dataclass(frozen=True, slots=True)
class Bump:
    """What became of a product's versions.

    Attributes:
        product: the product's name.
        contracts: each contract that was looked at.
        descriptor: the product's own file, if its stated version has to change too.
        written: the files are written; else nothing had to change, or it was only asked for.
    """

    product: str
    contracts: tuple[Bumped, ...]
    descriptor: Bumped | None
    written: bool


def bump(ws: Workspace, asked: Asked, environment: Mapping[str, str]) -> Bump:
    """Return the versions that a product's contracts get; write them, unless this is a dry run.

    Raises:
        ProductError: there is no such product.
        ContractError: there is no such contract, or the new major has a file already.
        EditError: a file has to be edited by hand.
        FactoryError: the product cannot be read or compiled.

    """
    products = {product.name: product for product in discover(ws)}
    select((asked.product.strip("+"),), products, {})
    product = products[asked.product.strip("+")]
    promises = read_promises(product)
    chosen = _chosen(product, promises, asked.contract)
    published = {**promised_to_all(ws, product), **Registry(ws).published(product)}
    if asked.step and len(chosen) == 1:
        results = [_by_step(chosen[0], published, asked)]
    else:
        current = current_contracts(ws, [product.name], environment)[product.name]
        severities = severities_of(ws)
        results = [_by_change(promise, published, current, severities) for promise in chosen]
        if asked.step:
            results = [
                _by_step(promise, published, asked) if result.changes else result
                for promise, result in zip(chosen, results, strict=True)
            ]
    descriptor, results = _with_product(ws, product, promises, results)
    _check_majors(promises, results)
    everything = [*results, *([descriptor] if descriptor else [])]
    files = HandKept()
    for each in everything:
        if each.kept is not None:
            old, copy = (each.file, each.kept) if each.file.exists() else (each.kept, each.file)
            files.copy(old, copy, f"a copy of {old.name}")
        if each.is_changed:
            files.set(each.file, ("version",), each.new)
    changed = any(each.is_changed for each in everything)
    if changed and not asked.dry_run:
        files.write()
    return Bump(product.name, tuple(results), descriptor, changed and not asked.dry_run)


def _chosen(product: Product, promises: Sequence[Promise], wanted: str) -> list[Promise]:
    names = [f"{promise.name}/{promise.major}" for promise in promises]
    found = [p for p, name in zip(promises, names, strict=True) if not wanted or wanted in (p.name, name)]
    if found:
        return found
    message = f"{product.name} has no contract {wanted!r}" if wanted else f"{product.name} has no contract"
    hint = f"its contracts: {', '.join(names)}" if names else "write contracts/NAME.odcs.yaml"
    raise ContractError(message, where=product.folder / "contracts", hint=hint)


def _newest(promise: Promise, published: Mapping[str, Sequence[Published]]) -> Published | None:
    """Return the published version to compare with: the newest of the major, else the newest below."""
    versions = published.get(promise.name, ())
    same = [p for p in versions if version_key(p.version)[0] == promise.major]
    below = [p for p in versions if version_key(p.version) < version_key(promise.version)]
    return max(same or below, key=lambda p: version_key(p.version), default=None)


def _by_step(promise: Promise, published: Mapping[str, Sequence[Published]], asked: Asked) -> Bumped:
    """Return the version that somebody asks for: a step above the file's, and above what is published of its major."""
    last = _newest(promise, published)
    known = [promise.version, *([last.version] if last is not None else [])]
    new = bumped(max(known, key=version_key), asked.step)
    result = _unchanged(promise)
    result = replace(result, new=new, published=last.version if last is not None else "", severity=asked.step)
    is_published = last is not None and version_key(last.version)[0] == promise.major
    if asked.step != "major" or not is_published:
        return result
    if asked.in_place:
        words = (
            f"version {promise.major} is published and gets no file of its own: the next build refuses that until its "
            "notice has run out, which begins when a version with `status: deprecated` is published"
        )
        return replace(result, words=words)
    kept = _file_of_major(promise)
    words = (
        f"version {promise.major} goes on in {kept.name}: keep its tables as they are, and name tables of the new "
        "version's own in its `schema`"
    )
    if kept == result.file:
        return replace(result, file=_file_of_major(promise, version_key(new)[0]), kept=kept, words=words)
    return replace(result, kept=kept, words=words)


def _file_of_major(promise: Promise, major: int | None = None) -> Path:
    file = promise.document.path
    stem = re.sub(r"(\.v\d+)?\.odcs\.ya?ml$", "", file.name)
    return file.with_name(f"{stem}.v{promise.major if major is None else major}.odcs.yaml")


def _unchanged(promise: Promise, words: str = "") -> Bumped:
    document = promise.document
    line = document.line("version")
    return Bumped(promise.name, document.path, line, promise.version, promise.version, words=words)


def _by_change(
    promise: Promise,
    published: Mapping[str, Sequence[Published]],
    current: Current,
    severities: Mapping[str, str],
) -> Bumped:
    """Return the version that the changes since the published contract ask for."""
    last = _newest(promise, published)
    if last is None:
        return _unchanged(promise, "it is not published yet, so it needs no other version")
    contract = next(c for c in current.contracts if (c.name, c.version) == (promise.name, promise.version))
    changes = compare(*comparable(last, contract, current), severities)
    severity = severity_of(changes)
    result = replace(_unchanged(promise), published=last.version, severity=severity, changes=changes)
    if last.yanked and version_key(promise.version) <= version_key(last.version):
        step = "patch" if severity == "none" else severity
        return replace(
            result, new=bumped(last.version, step), words=f"{last.version} was yanked: {last.yanked}"
        )
    if severity == "none" and version_key(promise.version) < version_key(last.version):
        return replace(result, new=last.version, words=f"{last.version} is what is published")
    if severity == "none":
        return replace(result, words=f"nothing has changed since {last.version}")
    if promise.version != last.version and is_enough(last.version, promise.version, severity):
        return replace(result, words=f"{promise.version} says enough after {last.version}")
    words = ""
    if severity == "major":
        words = (
            f"version {version_key(last.version)[0]} is published: for its consumers keep the old file, "
            f"as {_file_of_major(promise).name} (--major does that), and its tables as a version of the model"
        )
    return replace(result, new=bumped(last.version, severity), words=words)


def _with_product(
    ws: Workspace, product: Product, promises: Iterable[Promise], results: list[Bumped]
) -> tuple[Bumped | None, list[Bumped]]:
    """Return the product's file with a version if it needs one; else its newest contract gives it one."""
    if product.version:
        if not descriptor_changed(ws, product, product.version):
            return None, results
        new = bumped(product.version, "patch")
        line = product.document.line("version")
        words = "the product's file has changed since it was published"
        return Bumped(
            product.name, product.file, line, product.version, new, product.version, "patch", words=words
        ), results
    versions = {promise.document.path: promise.version for promise in promises}
    versions |= {result.file: result.new for result in results}
    newest = max(versions, key=lambda file: version_key(versions[file]))
    if not descriptor_changed(ws, product, versions[newest]):
        return None, results
    return None, [_for_descriptor(r, product) if r.file == newest else r for r in results]


def _for_descriptor(result: Bumped, product: Product) -> Bumped:
    words = f"{product.file.name} has changed, and the product's version is that of its newest contract"
    return replace(result, new=bumped(result.new, "patch"), severity="patch", words=words)


def descriptor_changed(ws: Workspace, product: Product, version: str) -> bool:
    """Say whether the product's file differs from what is published under a version; ports follow the contracts."""
    before = Registry(ws).published_product(product, version)
    if before is None:
        return False
    now = draft_product(replace(product, version=version), (), {})
    ports = {"inputPorts", "outputPorts"}
    return any(now.get(key) != before.get(key) for key in {*now, *before} - ports)


def _check_majors(promises: Iterable[Promise], results: Iterable[Bumped]) -> None:
    """Refuse a new major that another file of the contract has."""
    majors = {(promise.name, promise.major): promise.document.path for promise in promises}
    for result in results:
        other = majors.get((result.name, version_key(result.new)[0]))
        if other is not None and other != result.file:
            raise ContractError(
                f"{result.name} would get the version {result.new}, and {other.name} is of that major already",
                where=result.file,
                line=result.line,
                hint="change what is new in that file, and take the change back here",
            )
