"""Tell the history: the runs of products, newest first, and what a compaction did.

Takes the workspace and what is asked for; gives lines for people, or values; reads the registry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from factory.errors import RegistryError
from factory.registry.compaction import Compacted
from factory.registry.runs import Fault, products_of, read_all, runs_of
from factory.results import Count
from factory.standards import nearest
from factory.workspace import Workspace

_GOOD = ("pass",)


@dataclass(frozen=True, slots=True)
class Line:
    """One run, in short.

    Attributes:
        id: the run's id.
        domain: the product's domain.
        product: the product's name.
        at: when it was, as it was written; empty where it was not.
        kind: build, published or watch; runs of older versions are builds.
        outcome: how it ended.
        checks: checks that hold (pass or warn), of all.
        milliseconds: how long it took, or None.
        rows: rows of its ports, or None where they were not counted.
        size: bytes of its ports, or None.
    """

    id: str
    domain: str
    product: str
    at: str
    kind: str
    outcome: str
    checks: Count
    milliseconds: float | None
    rows: int | None
    size: int | None


def history(
    ws: Workspace, product: str, since: datetime | None
) -> tuple[tuple[Line, ...], tuple[Fault, ...]]:
    """Return the runs of a product (all, if empty) since a moment, newest first, and the files that cannot be read.

    Raises:
        RegistryError: the product has no history.

    """
    faults: list[Fault] = []
    if product:
        known = products_of(ws.registry, faults)
        places = [place for place in known if place[1] == product]
        if not places:
            near = nearest(product, [name for _, name in known])
            hint = f"did you mean {near!r}?" if near else "see which products have runs: factory history list"
            raise RegistryError(f"no run of a product {product!r} is known", hint=hint)
        runs = (run for place in places for run in runs_of(ws.registry, *place, since, faults=faults))
    else:
        runs = (run for run in read_all(ws.registry, since, faults))
    lines = [_line(run.id, run.domain, run.product, run.record) for run in runs]
    return tuple(sorted(lines, key=lambda line: line.id, reverse=True)), tuple(faults)


def _line(run: str, domain: str, product: str, record: Mapping[str, Any]) -> Line:
    checks = _maps(record.get("checks"))
    ports = _maps(record.get("ports"))
    spent = record.get("milliseconds")
    return Line(
        id=run,
        domain=domain,
        product=product,
        at=str(record.get("at") or ""),
        kind=str(record.get("kind") or "build"),
        outcome=str(record.get("outcome") or ""),
        checks=Count(sum(check.get("outcome") in _GOOD for check in checks), len(checks)),
        milliseconds=spent if isinstance(spent, int | float) else None,
        rows=_sum(ports, "rows"),
        size=_sum(ports, "bytes"),
    )


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _sum(ports: Sequence[Mapping[str, Any]], key: str) -> int | None:
    counts = [port[key] for port in ports if isinstance(port.get(key), int)]
    return sum(counts) if counts else None


def history_as_json(ws: Workspace, lines: Sequence[Line], faults: Sequence[Fault]) -> dict[str, Any]:
    """Return runs in the shape of `factory/schemas/history-list.schema.json`."""
    return {
        "runs": [
            {
                "id": line.id,
                "domain": line.domain,
                "product": line.product,
                "at": line.at,
                "kind": line.kind,
                "outcome": line.outcome,
                "checks": {"passed": line.checks.good, "total": line.checks.of},
                "milliseconds": line.milliseconds,
                "rows": line.rows,
                "bytes": line.size,
            }
            for line in lines
        ],
        "faults": _faults_as_json(ws, faults),
    }


def history_as_text(ws: Workspace, lines: Sequence[Line], faults: Sequence[Fault], product: str) -> str:
    """Return runs for people."""
    from factory.questions.tables import table

    text = ["No runs in this time."] if not lines else []
    if lines:
        named = [] if product else ["product"]
        rows = [
            [
                _moment(line),
                *([] if product else [line.product]),
                line.kind,
                line.outcome,
                f"{line.checks.good}/{line.checks.of}",
                "" if line.milliseconds is None else f"{line.milliseconds / 1000:.1f} s",
                "" if line.rows is None else f"{line.rows:,}",
            ]
            for line in lines
        ]
        first = 3 + len(named)
        text = table(
            ["at", *named, "kind", "outcome", "checks", "time", "rows"], rows, range(first, first + 3)
        )
    return "\n".join([*text, *_faults_as_text(ws, faults)])


def _moment(line: Line) -> str:
    """Return when a run was, in UTC, by its id: records of others may say anything."""
    run = line.id
    return f"{run[:4]}-{run[4:6]}-{run[6:8]} {run[9:11]}:{run[11:13]}"


def compacted_as_json(ws: Workspace, done: Compacted) -> dict[str, Any]:
    """Return what a compaction did in the shape of `factory/schemas/history-compact.schema.json`."""
    return {
        "runs": done.runs,
        "checks": done.checks,
        "months": list(done.months),
        "files": {"before": done.files_before, "after": done.files_after},
        "bytes": {"before": done.bytes_before, "after": done.bytes_after},
        "faults": _faults_as_json(ws, done.faults),
    }


def compacted_as_text(ws: Workspace, done: Compacted) -> str:
    """Return what a compaction did, for people."""
    if not done.months:
        text = ["Nothing to compact."]
    else:
        checks, files = _many(done.checks, "check"), _many(done.files_after, "file")
        before = f"it had {done.files_before:,}, {_mega(done.bytes_before)}"
        text = [
            f"Compacted {_many(done.runs, 'run')} with {checks}, of {', '.join(done.months)}.",
            f"The history has {files}, {_mega(done.bytes_after)}; {before}.",
        ]
    return "\n".join([*text, *_faults_as_text(ws, done.faults)])


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _mega(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def _faults_as_json(ws: Workspace, faults: Sequence[Fault]) -> list[dict[str, str]]:
    return [{"file": ws.relative(fault.file), "reason": fault.reason} for fault in faults]


def _faults_as_text(ws: Workspace, faults: Sequence[Fault]) -> list[str]:
    if not faults:
        return []
    lines = [f"  {ws.relative(fault.file)}: {fault.reason}" for fault in faults]
    return ["", "These cannot be read, and stay as they are:", *lines]
