"""How good a product is, how good it was, and what it promises: `factory quality`.

Takes a workspace, a product's name and a moment; gives a `Quality` per product; reads the registry's history.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from factory.addresses import NAME
from factory.errors import RegistryError
from factory.incidents import Incident, IncidentStore
from factory.levels import Element, ElementState, element_states, elements_of
from factory.periods import moment_of
from factory.registry import read_index
from factory.registry.runs import Fault, last_run, newest_run, products_of, read_runs, shaped
from factory.score import Score, score_of
from factory.workspace import Workspace

_GOOD = ("certified", "unchanged", "checked")
#: Outcomes of runs that tell the quality of data which consumers read.
PUBLISHED = ("certified", "broken")


@dataclass(frozen=True, slots=True)
class Point:
    """The score of one run."""

    at: datetime
    score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a product is, by its newest run, and how good it was before.

    Attributes:
        entry: its registry entry; of a product that was never published, its name and domain alone.
        at: when it was last measured, or None.
        kind, outcome: of that run.
        version: what was measured.
        checks: a row per rule.
        score: of the product.
        contracts, tables: the scores of its contracts and their tables, by name.
        trend: the scores of the runs since the moment asked for, oldest first.
        levels: a row per service level.
        elements: the state of each element of data quality of service.
        incidents: those that are open.
        last: the outcome of the newest run of all, or empty.
        runs, failed: runs since the moment asked for, and how many of them were refused or blocked.
        faults: files of the history that cannot be read.
    """

    entry: Mapping[str, Any]
    at: datetime | None
    kind: str
    outcome: str
    version: str
    checks: tuple[Mapping[str, Any], ...]
    score: Score
    contracts: Mapping[str, Score]
    tables: Mapping[str, Score]
    trend: tuple[Point, ...]
    levels: tuple[Mapping[str, Any], ...]
    elements: tuple[tuple[Element, ElementState], ...]
    incidents: tuple[Incident, ...]
    last: str = ""
    runs: int = 0
    failed: int = 0
    faults: tuple[str, ...] = ()

    @property
    def good(self) -> int:
        """How many checks pass."""
        return sum(check.get("outcome") == "pass" for check in self.checks)

    @property
    def change(self) -> float | None:
        """How much the score rose since the oldest run of the trend, or None if there is nothing to compare."""
        if len(self.trend) < 2:
            return None
        return round(self.trend[-1].score - self.trend[0].score, 1)


def quality_of(
    ws: Workspace, names: Sequence[str], since: datetime, *, published: bool = False
) -> tuple[Quality, ...]:
    """Return the quality of products, or of all that are published or were run, sorted by name.

    Args:
        ws: where they lie.
        names: which; none means all.
        since: from when on the trend is told.
        published: of what is published alone; a build that was refused says nothing of that.

    Raises:
        RegistryError: one of them is neither published nor was ever run.

    """
    entries = _entries(ws)
    for name in names:
        if name not in entries:
            near = difflib.get_close_matches(name, entries, 1)
            hint = f"did you mean {near[0]!r}?" if near else "see what is published with: factory list"
            if NAME.fullmatch(name) and (ws.products / name).is_dir():
                hint = f"it was not built yet: factory build +{name}"
            raise RegistryError(f"nothing is known of the quality of {name!r}", hint=hint)
    chosen = sorted(set(names) or entries)
    return tuple(_one(ws, entries[name], since, published=published) for name in chosen)


def _entries(ws: Workspace) -> dict[str, Mapping[str, Any]]:
    """Return the registry's entries by name, and those of products that were run and never published."""
    found: dict[str, Mapping[str, Any]] = {}
    for domain, name in products_of(ws.registry):
        found[name] = {"name": name, "domain": domain, "version": ""}
    return found | {entry["name"]: entry for entry in read_index(ws)["products"]}


def _one(ws: Workspace, entry: Mapping[str, Any], since: datetime, *, published: bool) -> Quality:
    domain, name = str(entry["domain"]), str(entry["name"])
    weights = ws.settings.dimension_weights
    faults: list[Fault] = []
    runs = [shaped(run) for run in read_runs(ws.registry, domain, name, since=since, faults=faults)]
    newest = newest_checked(ws, domain, name, published=published)
    told = [run for run in runs if _tells(run) and (not published or run.get("outcome") in PUBLISHED)]
    checks = tuple(newest.get("checks") or ())
    last = last_run(ws.registry, domain, name) or {}
    levels = tuple(last.get("levels") or ())
    contracts = sorted({str(c.get("contract")) for c in checks if c.get("contract")})
    tables = sorted({str(c["table"]) for c in checks if c.get("contract") and c.get("table")})
    elements = elements_of(ws.settings)
    states = element_states(elements, checks, levels)
    return Quality(
        entry=entry,
        at=moment_of(newest.get("at")),
        kind=str(newest.get("kind") or "build"),
        outcome=str(newest.get("outcome") or ""),
        version=str(newest.get("version") or entry.get("version") or ""),
        checks=checks,
        score=score_of(checks, weights),
        contracts={c: score_of((r for r in checks if r.get("contract") == c), weights) for c in contracts},
        tables={t: score_of((r for r in checks if r.get("table") == t), weights) for t in tables},
        trend=tuple(_points(told, weights)),
        levels=levels,
        elements=tuple(zip(elements, states, strict=True)),
        incidents=IncidentStore(ws.registry).open_incidents(domain, name),
        last=str(last.get("outcome") or ""),
        runs=len(runs),
        failed=sum(str(run.get("outcome")) not in _GOOD for run in runs),
        faults=tuple(f"{ws.relative(fault.file)}: {fault.reason}" for fault in faults),
    )


def newest_checked(ws: Workspace, domain: str, name: str, *, published: bool = False) -> Mapping[str, Any]:
    """Return the newest run record that tells the quality, or an empty one: not every run gets that far.

    `published` leaves out runs whose data was not published.
    """

    def is_wanted(run: Mapping[str, Any]) -> bool:
        return _tells(run) and (not published or run.get("outcome") in PUBLISHED)

    return newest_run(ws.registry, domain, name, is_wanted) or {}


def _tells(run: Mapping[str, Any]) -> bool:
    """Say whether a run tells the quality: a build with checks, or a look at what is published that found it broken.

    A look that found nothing knows fewer rules than a build, so their scores cannot be compared.
    """
    return bool(run.get("checks")) and run.get("outcome") != "checked"


def _points(runs: Iterable[Mapping[str, Any]], weights: Mapping[str, float]) -> Iterable[Point]:
    for run in runs:
        at = moment_of(run.get("at"))
        score = score_of(run.get("checks") or (), weights).rounded
        if at is not None and score is not None:
            yield Point(at, score)
