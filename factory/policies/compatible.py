"""That nothing which was promised is broken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from factory.contract import (
    Change,
    Contract,
    bumped,
    compare,
    draft_product,
    is_enough,
    product_version,
    severity_of,
    version_key,
)
from factory.evidence import Evidence, Finding, Published, Severity
from factory.lifecycle import Consumer
from factory.odcs.compare import BREAKING


def compatible(evidence: Evidence) -> Iterator[Finding]:
    """A contract that changes gets a version that says how much: a published version never changes.

    Major where consumers lose something, minor where something is added or revised, patch for information.
    """
    if any(run.status not in ("success", "pass", "no-op") for run in evidence.runs):
        return  # what was not built says nothing about what is promised
    findings = []
    for contract in evidence.contracts:
        finding = _judge(contract, evidence.previous.get(contract.name, ()), evidence)
        if finding is not None:
            findings.append(finding)
    # One way out at a time: a new version of the contract gives the product a new version, too.
    yield from findings or _judge_product(evidence)


def comes_from_tools(contract: Contract, published: Published, evidence: Evidence) -> bool:
    """Say whether a difference can only come from another version of a tool: people wrote nothing new."""
    return (
        published.version == contract.version
        and published.definitions == evidence.definitions
        and dict(published.tools) != dict(evidence.tools)
    )


def _judge(contract: Contract, published: Sequence[Published], evidence: Evidence) -> Finding | None:
    if not published:
        return None
    document = contract.promise.document
    where = evidence.place(f"contracts/{document.path.name}") + f":{document.line('version')}"
    same = next((p for p in published if p.version == contract.version), None)
    if same is not None:
        changes = _compare(same.data, contract.data, evidence)
        if severity_of(changes) == "none" or comes_from_tools(contract, same, evidence):
            return None
        newest = max(
            (p.version for p in published if p.version.split(".")[0] == same.version.split(".")[0]),
            key=version_key,
        )
        wanted = bumped(newest, severity_of(changes))
        message = f"{contract.name} {contract.version} is published, and the contract has changed: {_words(changes)}"
        message += _read_by(changes, contract, evidence)
        later = any(c.name == contract.name and c.major > contract.major for c in evidence.contracts)
        if later and wanted.split(".")[0] != str(contract.major):
            hint = f"{contract.name} {contract.major}.x has to stay as it is until its notice has run out: restore it"
            return Finding("compatible", Severity.BLOCKS, message, where, hint)
        return Finding("compatible", Severity.BLOCKS, message, where, _way_out(wanted, evidence))
    older = [p for p in published if version_key(p.version) < version_key(contract.version)]
    newer = [p for p in published if p.version.split(".")[0] == str(contract.major) and p not in older]
    if not older and not newer:
        newer = list(published)  # a major below all that were ever published
    if newer:
        top = max((p.version for p in newer), key=version_key)
        message = f"{contract.name} {contract.version} is older than {top}, which is published"
        return Finding("compatible", Severity.BLOCKS, message, where, f"set a version above {top}")
    if not older:
        return None
    # What was yanked is offered to nobody, so a new version goes on from the one before it.
    last = max([p for p in older if not p.yanked] or older, key=lambda p: version_key(p.version))
    changes = _compare(last.data, contract.data, evidence)
    severity = severity_of(changes)
    if is_enough(last.version, contract.version, severity):
        return None
    wanted = bumped(last.version, severity)
    message = (
        f"the step from {last.version} to {contract.version} is too small for what changed: {_words(changes)}"
    )
    message += _read_by(changes, contract, evidence)
    return Finding("compatible", Severity.BLOCKS, message, where, _way_out(wanted, evidence))


def _way_out(version: str, evidence: Evidence) -> str:
    return f"set `version: {version}`, as does: factory contract bump {evidence.product.name}"


def _read_by(changes: Sequence[Change], contract: Contract, evidence: Evidence) -> str:
    """Return who reads what the changes take away or loosen, in words; nothing if nobody does."""
    tables: dict[str, set[str]] = {}
    for change in changes:
        if change.consumer == BREAKING and "." not in change.path:
            tables.setdefault(change.path, set())
        elif change.consumer == BREAKING:
            table, column, *_ = change.path.split(".")
            tables.setdefault(table, set()).add(column)
    covered = {str(table["name"]) for version in evidence.previous.get(contract.name, ())
               for table in version.data.get("schema") or ()}  # fmt: skip
    hit = [
        consumer.words()
        for consumer in evidence.consumers
        if any(table in covered and _reads(consumer, table, tables[table], evidence) for table in tables)
    ]
    if not hit:
        return ""
    more = f" and {len(hit) - 5} more" if len(hit) > 5 else ""
    return f"; who may be hit: {', '.join(hit[:5])}{more}"


def _reads(consumer: Consumer, table: str, columns: Collection[str], evidence: Evidence) -> bool:
    """Say whether a consumer reads a table, and one of the columns, as far as its lineage is known."""
    if consumer.tables and table not in consumer.tables:
        return False
    port = next((r for r in evidence.models if table in (r.identifier, r.name)), None)
    readers = [
        relation
        for relation in evidence.artifacts.of(consumer.name)
        if port is not None and port.unique_id in relation.upstream
    ]
    traces = [evidence.lineage.models.get(relation.unique_id) for relation in readers]
    if not columns or not readers or any(trace is None for trace in traces):
        return True
    read: set[str] = set()
    for trace in traces:
        if trace is not None and port is not None:
            direct = (s.column for c in trace.columns for s in c.sources if s.relation == port.unique_id)
            deciding = (i.column for i in trace.influences if i.relation == port.unique_id)
            read |= {name.lower() for name in (*direct, *deciding)}
    unknown = any(column.unknown for trace in traces if trace is not None for column in trace.columns)
    return unknown or any(column.lower() in read for column in columns)


def _compare(old: Mapping[str, Any], new: Mapping[str, Any], evidence: Evidence) -> tuple[Change, ...]:
    """Compare two contracts; one that another target published tells nothing of servers."""
    if "servers" not in old:
        new = {key: value for key, value in new.items() if key != "servers"}
    return compare(old, new, evidence.severities)


def _judge_product(evidence: Evidence) -> Iterator[Finding]:
    """What the product's file says is published under its version, too. Its ports follow the contracts."""
    if evidence.previous_product is None or not evidence.contracts:
        return
    now = draft_product(evidence.product, evidence.contracts, {})
    before = evidence.previous_product
    ports = {"inputPorts", "outputPorts"}
    changed = [key for key in sorted({*now, *before} - ports) if now.get(key) != before.get(key)]
    if changed:
        product = evidence.product
        version = product_version(product, evidence.contracts)
        where = evidence.place(product.file.name) + f":{product.document.line(changed[0])}"
        message = f"{product.name} {version} is published, and its {', '.join(changed)} changed since"
        whose = "`version` here" if product.version else "the contract's version"
        yield Finding(
            "compatible", Severity.BLOCKS, message, where, f"set {whose} to {bumped(version, 'patch')}"
        )


def _words(changes: Sequence[Change]) -> str:
    shown = "; ".join(change.words() for change in changes[:3])
    return shown + (f"; and {len(changes) - 3} more" if len(changes) > 3 else "")
