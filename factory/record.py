"""What one run found out about one product, as the registry's history keeps it.

Takes a result, its checks, readings of its ports and its service levels; gives the values of a run record
(`factory/schemas/history.schema.json`). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from factory.products import Product
from factory.quality import CheckResult
from factory.score import scores_of

SCHEMA_VERSION = 1
BUILD, PUBLISHED, WATCH = "build", "published", "watch"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run found out about a product.

    Attributes:
        kind: `build`, `published` (what is published was checked again) or `watch` (service levels alone).
        outcome: certified, refused, blocked, unchanged, or checked.
        version: the product's version.
        contracts: contract versions by `name/major`.
        seconds: what it took.
        reasons: why it was refused or blocked, a line each.
        checks: a row per rule (see `row_of`).
        ports: readings of its published tables.
        levels: its service levels.
        measurements: values that later runs compare with, by the identity of a metric.
        published_at: when what is published now was published, or None.
        loaded_at: when the newest of its sources was loaded, or None.
    """

    kind: str
    outcome: str
    version: str
    contracts: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    reasons: Sequence[str] = ()
    checks: Sequence[Mapping[str, Any]] = ()
    ports: Sequence[Mapping[str, Any]] = ()
    levels: Sequence[Mapping[str, Any]] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
    published_at: datetime | None = None
    loaded_at: datetime | None = None


def record_of(
    product: Product, found: Findings, now: datetime, weights: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return the run record; `weights` are those of dimensions in the score."""
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "product": product.urn,
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "kind": found.kind,
        "outcome": found.outcome,
        "version": found.version,
        "contracts": dict(found.contracts),
        "milliseconds": round(found.seconds * 1000),
        "reasons": list(found.reasons),
        "ports": [dict(port) for port in found.ports],
        "checks": [dict(check) for check in found.checks],
        "levels": [dict(level) for level in found.levels],
        "scores": scores_of(found.checks, weights),
    }
    for name, moment in (("published_at", found.published_at), ("loaded_at", found.loaded_at)):
        if moment is not None:
            record[name] = moment.astimezone(UTC).isoformat(timespec="seconds")
    if found.measurements:
        record["measurements"] = dict(found.measurements)
    return record


def rows_of(checks: Iterable[CheckResult], product: Product) -> list[dict[str, Any]]:
    """Return a row per check; files are told from the product's folder."""
    return [row_of(check, product) for check in checks]


def row_of(check: CheckResult, product: Product) -> dict[str, Any]:
    """Return a check as a row of the run record."""
    rule = check.rule
    row: dict[str, Any] = {
        "key": rule.key,
        "contract": check.contract,
        "table": rule.table,
        "column": rule.column,
        "name": rule.name,
        "origin": rule.origin,
        "kind": rule.kind,
        "file": rule.file_in(product.folder),
        "line": rule.line,
        "dimension": rule.dimension,
        "severity": rule.severity,
        "outcome": str(check.outcome),
        "reason": check.reason,
        "measured": check.measured,
        "threshold": check.threshold,
        "failed_rows": check.failed_rows,
        "checked_rows": check.checked_rows,
        "milliseconds": round(check.seconds * 1000, 1),
    }
    if not check.counts or check.is_consequence:
        row["counts"] = False
    return row
