"""Verify a registry: every hash, seal, name, link and pointer of it, the index, and what git or a holder remembers.

Takes a workspace and what is to be looked at; gives a `Report` with every fault, its place and its remedy; reads only.
What is found by what: a changed byte by the hash in the record or the seal of the fact; a file in another's place by
its name; a missing one by whoever names it. What nobody names (the newest event of a product, an access record) is
missed by git (`since`) or a checkpoint alone. Everything that is read may have been written by anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from factory.registry.checkpoint import CHECKPOINT_FILE, Trust
from factory.registry.content import Content, moment_of, stamp_of
from factory.registry.faults import REBUILD, Fault, Report, Weight, in_order, with_remedies
from factory.registry.holder import Check, check, read_memory, remember
from factory.registry.immutable import immutable_faults
from factory.registry.index import INDEX_FILE
from factory.registry.index_faults import index_faults
from factory.registry.links import link_faults
from factory.registry.paths import clashes, is_folder, version_at
from factory.registry.port_faults import port_faults
from factory.registry.runs import RUNS
from factory.registry.store import CONTRACT_FILE, LINEAGE_FILE, RECORD_FILE
from factory.registry.tree import IMMUTABLE, Tree, read_tree
from factory.workspace import Workspace

_TOPS = {*IMMUTABLE, INDEX_FILE, CHECKPOINT_FILE, RUNS, "history", "incidents"}
_FOUR = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `verify` is to look at beyond the files themselves.

    Attributes:
        fast: leave out what takes long: hashes of Parquet files, the history of runs, the index in full.
        since: a revision of git that nothing published may differ from.
        trust: the keys that must have signed the checkpoint.
        seen: the file in which the holder keeps what was seen before; written if nothing is wrong.
        strict: a file that is newer than the checkpoint is a fault.
    """

    fast: bool = False
    since: str = ""
    trust: Trust | None = None
    seen: Path | None = None
    strict: bool = False


def verify(ws: Workspace, now: datetime, wishes: Wishes = Wishes()) -> Report:
    """Return what is wrong with the registry of a workspace and target.

    Raises:
        RegistryError: git does not know the revision, or what was seen before cannot be read.

    """
    memory = read_memory(wishes.seen) if wishes.seen else None
    content = Content()
    tree = read_tree(ws.registry, visit=content.visit)
    found = [*tree.faults, *content.faults]
    found += _stray(ws.registry, tree, content)
    found += _versions(tree, content)
    found += _certificates(content)
    found += _events(tree, content)
    found += link_faults(ws, content)
    found += index_faults(ws, content, fast=wishes.fast)
    if not wishes.fast:
        found += _runs(ws.registry)
    done = check(ws.registry, tree, now, wishes.trust, memory, strict=wishes.strict)
    found += done.faults
    if wishes.since:
        found += immutable_faults(ws, wishes.since)
    if content.unsealed:
        what = f"{content.unsealed} files of older versions of the factory have no seal: their bytes are not proven"
        found.append(Fault("unsealed", ".", what, "a checkpoint vouches for them", Weight.NOTE))
    if not ws.registry.is_dir():
        found.append(
            Fault("registry-missing", ".", "there is no registry here", "factory build", Weight.NOTE)
        )
    base = ws.relative(ws.registry)
    placed = [replace(f, place=base if f.place == "." else f"{base}/{f.place}") for f in found]
    placed += port_faults(ws, content, fast=wishes.fast)
    report = Report(
        registry=base,
        faults=in_order(map(_readable, with_remedies(placed, ws.root))),
        counts=_counts(tree, content),
        checkpoint=_facts(done),
    )
    if wishes.seen and done.checkpoint and done.lines and report.clean:
        remember(wishes.seen, done.checkpoint, done.lines)
    return report


def _readable(fault: Fault) -> Fault:
    """Return a fault whose words can be printed: a name on the disk need be no text."""
    place, what, remedy = (
        words.encode(errors="backslashreplace").decode() for words in (fault.place, fault.what, fault.remedy)
    )
    return replace(fault, place=place, what=what, remedy=remedy)


def _counts(tree: Tree, content: Content) -> dict[str, int]:
    return {
        "products": len({key[:2] for key in content.records} | set(content.documents)),
        "versions": len(content.records),
        "certificates": sum(len(files) for files in content.certificates.values()),
        "events": sum(len(facts) for facts in content.events.values()),
        "files": len(tree.hashes),
    }


def _facts(done: Check) -> dict[str, Any]:
    if done.checkpoint is None:
        return {}
    values = done.checkpoint.values()
    return {key: values[key] for key in ("number", "issued", "expires", "count", "root")}


def _stray(registry: Path, tree: Tree, content: Content) -> list[Fault]:
    """Say what lies there that no registry has: names, folders, hidden and temporary files."""
    found = []
    for path in tree.folders:
        if not is_folder(path) and is_folder(path.rpartition("/")[0]):
            what = "no folder of a registry is called so"
            found.append(Fault("unknown-folder", path, what, "delete it, if nobody knows what it is"))
    strange = [*content.strange, *(path for path in tree.folders if not is_folder(path))]
    if strange:
        for path, other in clashes([*tree.folders, *tree.hashes]):
            what = f"its name differs from {other} by case or the form of letters only"
            found.append(Fault("name-clash", path, what, "keep one of them"))
    found += [
        Fault("left-over", path, "a run that was killed left it", REBUILD, Weight.NOTE)
        for path in tree.litter
    ]
    hidden = [*tree.hidden, *_more(registry)]
    what = "nobody of the factory wrote it, and nobody looks into it"
    found += [
        Fault("foreign-file", path, what, "delete it, if nobody needs it", Weight.NOTE) for path in hidden
    ]
    return found


def _more(registry: Path) -> list[str]:
    """Return what lies beside the folders of a registry and is none of it."""
    try:
        names = [file.name for file in registry.iterdir()]
    except OSError:
        return []
    return [
        name
        for name in names
        if name not in _TOPS
        and not (name.startswith(".") and name.endswith(".tmp"))
        and not (name.startswith("checkpoint.") and name.endswith(".sha256"))
        and name not in (".git", ".gitignore", ".gitattributes", ".lock", ".lock.holder")
    ]


def _versions(tree: Tree, content: Content) -> list[Fault]:
    """Compare the files of each version with its record."""
    found = []
    for folder in tree.folders:
        key = version_at(folder)
        if key is None:
            continue
        record = content.records.get(key)
        if key not in content.records:
            what = "the version has no record, so nobody knows what belongs to it"
            found.append(Fault("record-missing", f"{folder}/{RECORD_FILE}", what))
        elif record is not None:
            found += _against_record(folder, key, record, tree)
    return found


def _against_record(folder: str, key: _FOUR, record: dict[str, Any], tree: Tree) -> list[Fault]:
    domain, product, contract, version = key
    place = f"{folder}/{RECORD_FILE}"
    found = []
    for name, said, meant in (
        ("contract", record.get("contract"), f"urn:dpf:{domain}:{product}:{contract}"),
        ("version", record.get("version"), version),
    ):
        if said != meant:
            what = f"it is of another {name}: {str(said)[:80]!r}"
            found.append(Fault("misplaced-file", place, what))
    files = record.get("files")
    if not isinstance(files, dict) or not {CONTRACT_FILE, LINEAGE_FILE} <= set(files):
        found.append(Fault("unreadable-record", place, "it does not name the files of the version"))
        return found
    for name, facts in files.items():
        path = f"{folder}/{str(name)[:80]}"
        promised = (facts.get("sha256"), facts.get("size")) if isinstance(facts, dict) else (None, None)
        if path not in tree.hashes:
            found.append(Fault("missing-file", path, "it belongs to the version, and is not there"))
        elif promised != (tree.hashes[path], tree.sizes[path]):
            size = f" ({tree.sizes[path]:,} bytes, published were {promised[1]})"
            what = f"it is not what was published{size if promised[1] != tree.sizes[path] else ''}"
            found.append(Fault("changed-file", path, what))
    return found


def _certificates(content: Content) -> list[Fault]:
    """Compare the certificates with the versions that they are about."""
    found = []
    for key, files in content.certificates.items():
        domain, product, contract, version = key
        record = content.records.get(key)
        files_of = record.get("files") if record else None
        facts = files_of.get(CONTRACT_FILE) if isinstance(files_of, dict) else None
        for path, value in files.items():
            said = (value.get("contract"), value.get("version"))
            if said != (f"urn:dpf:{domain}:{product}:{contract}", version):
                found.append(Fault("misplaced-file", path, f"it is of another version: {_short(said)}"))
            if key not in content.records:
                found.append(Fault("version-missing", path, "the version that it certifies is not there"))
            promised = value.get("sha256", value.get("contract_sha256"))
            if promised is not None and isinstance(facts, dict) and promised != facts.get("sha256"):
                found.append(Fault("misplaced-file", path, "it certifies another content of the contract"))
            found += _issued(path, value)
    return found


def _issued(path: str, value: dict[str, Any]) -> list[Fault]:
    issued, expires = moment_of(value.get("issued")), moment_of(value.get("expires"))
    stamp, dash, rest = path.rpartition("/")[2].partition("-")
    if issued is None or expires is None:
        return [Fault("unreadable-record", path, "it does not say from when to when it holds")]
    if dash and stamp_of(issued, stamp[:15]) != stamp[:15]:
        return [Fault("misplaced-file", path, "it was issued at another time than its name says")]
    if dash and str(value.get("seal"))[7:15] != rest[:8]:
        return [Fault("misplaced-file", path, "its name does not end as its seal begins")]
    return []


def _short(values: Iterable[Any]) -> str:
    return " ".join(str(value) for value in values)[:120]


def _events(tree: Tree, content: Content) -> list[Fault]:
    """Compare the events of each product with one another, and with what they say was published."""
    found = []
    known: set[_FOUR] = set(content.certificates)
    told: set[_FOUR] = set()
    for (domain, product), facts in content.events.items():
        ids = {str(fact.value.get("id")) for fact in facts}
        removed: dict[str, str] = {}
        for fact in sorted(facts, key=lambda fact: (fact.time, fact.path)):
            before = str(fact.value.get("previous") or "")
            if before and before not in ids:
                what = f"the event before it, {before[:32]}, is not there"
                found.append(Fault("event-missing", fact.path, what))
            if fact.kind == "removed":
                removed[str(fact.value.get("subject", ""))] = fact.path
            if fact.kind == "published":
                found += _published(domain, product, fact, tree, content, told)
                found += _taken(domain, product, fact, removed)
    known |= told
    for key in content.records:
        if key in content.certificates and key not in told and _is_of_today(content, key):
            folder = "/".join(("events", *key[:2]))
            what = f"no event tells that {key[2]} {key[3]} was published, and its certificate says so"
            remedy = f"restore the event; or `factory build {key[1]} --full` publishes it to the end"
            found.append(Fault("event-missing", folder, what, remedy))
        if key not in known:
            folder = "/".join(("products", *key))
            what = "no event and no certificate knows this version"
            remedy = f"`factory build {key[1]}` publishes it to the end; or restore certificates/ and events/"
            found.append(Fault("unknown-version", folder, what, remedy))
    return found


def _is_of_today(content: Content, key: _FOUR) -> bool:
    """Say whether a version has a certificate of this version of the factory, which tells each publication."""
    return any("snapshot" in value for value in content.certificates[key].values())


def _published(
    domain: str, product: str, fact: Any, tree: Tree, content: Content, known: set[_FOUR]
) -> list[Fault]:
    found = []
    contracts = fact.data.get("contracts")
    for name, said in contracts.items() if isinstance(contracts, dict) else ():
        contract = str(name).partition("/")[0]
        older = isinstance(said, str)
        version = said if older else str(said.get("version")) if isinstance(said, dict) else ""
        key = (domain, product, contract, version)
        folder = f"products/{domain}/{product}/{contract}/{version}"
        known.add(key)
        if key not in content.records:
            found.append(Fault("version-missing", folder, "an event says that it was published; it is gone"))
        elif not content.certificates.get(key):
            what = f"the version was published, and has no certificate: {folder}"
            found.append(Fault("certificate-missing", f"certificates/{folder.partition('/')[2]}", what))
        if not older and isinstance(said, dict) and "sha256" in said:
            path = f"{folder}/{CONTRACT_FILE}"
            if path in tree.hashes and tree.hashes[path] != said["sha256"]:
                what = "it is not the contract that the event of its publication names"
                found.append(Fault("changed-file", path, what))
    document = fact.data.get("product")
    if isinstance(document, dict):
        path = f"products/{domain}/{product}/product/{document.get('version')}.odps.yaml"
        if path not in tree.hashes:
            found.append(Fault("missing-file", path, "an event says that it was published; it is gone"))
        elif tree.hashes[path] != document.get("sha256"):
            found.append(Fault("changed-file", path, "it is not what was published"))
        else:
            content.proven.add(path)
    return found


def _taken(domain: str, product: str, fact: Any, removed: dict[str, str]) -> list[Fault]:
    """Say whether a name was published again after it was removed."""
    urn = f"urn:dpf:{domain}:{product}"
    contracts = fact.data.get("contracts")
    keys = contracts if isinstance(contracts, dict) else {}
    names = {urn, *(f"{urn}:{str(key).partition('/')[0]}" for key in keys)}
    what = "it publishes a name that was removed before, which nobody may use again"
    return [
        Fault("removed-name-taken", fact.path, what, "publish it under another name")
        for name in sorted(names & set(removed))[:1]
    ]


def _runs(registry: Path) -> list[Fault]:
    """Say which records of runs and incidents cannot be read; they are passed over by whoever reads them."""
    from factory.registry import history

    found: list[Fault] = []

    def visit(path: str, raw: bytes) -> None:
        if path.endswith(".json"):
            try:
                json.loads(raw)
            except (ValueError, RecursionError):
                found.append(Fault("unreadable-run", path, "it is not JSON"))

    tree = read_tree(registry, (RUNS, "incidents"), visit)
    found += tree.faults
    found += [
        Fault("left-over", path, "a run that was killed left it", REBUILD, Weight.NOTE)
        for path in tree.litter
    ]
    if (registry / "history").is_dir():
        for file, reason in history.products(registry)[1]:
            place = file.relative_to(registry).as_posix() if file.is_relative_to(registry) else "history"
            found.append(Fault("unreadable-run", place, reason))
    return found
