"""What the registry remembers of a product, as far as a run needs it: runs, incidents and measurements.

Takes a product and a moment; gives what service levels are measured by, and what checks compare with; reads the
registry's history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from factory.contract import Rule
from factory.incidents import IncidentStore
from factory.levels import Element, Facts, IncidentTimes, RunFact, runs_of, schedule_of, targets_of
from factory.levels.facts import CONFIRMING, run_of
from factory.levels.targets import Target
from factory.periods import moment_of
from factory.products import Product
from factory.quality import Outcome
from factory.registry.runs import newest_run, read_runs, shaped
from factory.workspace import Workspace

#: Levels that are measured over the runs of a window.
OVER_RUNS = ("availability", "errorRate")
#: Levels that are measured by the newest runs.
BY_LAST_RUNS = ("frequency", "timeOfAvailability")
#: Levels that are measured by incidents; they open none themselves, or none would ever close.
OVER_INCIDENTS = ("timeToDetect", "timeToNotify", "timeToRepair")
_WINDOW = timedelta(days=92)
_LAST_DAYS = timedelta(days=3)
_COMPARED = timedelta(days=400)  # how far back a comparison may look, however many runs found nothing to do

Document = Mapping[str, Any]


def facts_of(
    ws: Workspace,
    product: Product,
    contracts: Iterable[Document],
    now: datetime,
    elements: Collection[Element],
) -> Facts:
    """Return what the registry knows of a product's past, as far as its service levels ask for it."""
    targets = [target for each in contracts for target in targets_of(each, elements)]
    wanted = {target.name for target in targets}
    return Facts(
        runs=runs_for(ws, product, targets, now),
        incidents=incident_times(ws, product, now) if wanted & set(OVER_INCIDENTS) else None,
        schedule=product.custom("schedule"),
        time_zone=product.custom("timeZone"),
    )


def runs_for(
    ws: Workspace, product: Product, targets: Iterable[Target], now: datetime
) -> tuple[RunFact, ...]:
    """Return the runs by which service levels are measured: those of a window, and the newest update."""
    asking = [target for target in targets if target.name in (*OVER_RUNS, *BY_LAST_RUNS)]
    if not asking:
        return ()
    found: tuple[RunFact, ...] = ()
    if any(target.name != "frequency" for target in asking):
        is_long = any(target.name in OVER_RUNS for target in asking)
        since = now - _WINDOW if is_long else _since(product, asking, now)
        found = runs_of(read_runs(ws.registry, product.domain, product.name, since=since))
    if any(run.confirms for run in found):
        return found
    # However long ago: a product that is refused day after day was updated before that.
    last = newest_run(ws.registry, product.domain, product.name, _confirms)
    return (*runs_of([last] if last else []), *found)


def recent_runs(ws: Workspace, product: Product, now: datetime) -> tuple[RunFact, ...]:
    """Return the runs of the window over which shares are measured."""
    return runs_of(read_runs(ws.registry, product.domain, product.name, since=now - _WINDOW))


def _since(product: Product, targets: Iterable[Target], now: datetime) -> datetime:
    """Return from when on runs tell whether the data was there in time: from before the last time but one."""
    since = now - _LAST_DAYS
    for text in {product.custom("schedule"), *(target.schedule for target in targets)} - {""}:
        try:
            schedule = schedule_of(text, product.custom("timeZone") or "UTC")
        except ValueError:
            continue  # the level says what is wrong with it
        last = schedule.last_due(now)
        before = schedule.last_due(last - timedelta(seconds=1)) if last else None
        since = min(since, before - timedelta(days=1)) if before else since
    return max(since, now - _WINDOW)


def _confirms(record: Mapping[str, Any]) -> bool:
    run = run_of(record)
    return run is not None and run.confirms


def incident_times(ws: Workspace, product: Product, now: datetime) -> tuple[IncidentTimes, ...]:
    """Return when what happened in a product's incidents of late, and in those that are open."""
    store = IncidentStore(ws.registry)
    return tuple(
        IncidentTimes(
            key=incident.trouble.subject,
            opened=incident.opened,
            last_good=incident.last_good,
            notified=incident.notified,
            acknowledged=incident.acknowledged,
            repaired=incident.repaired,
            closed=incident.closed,
            contract=incident.trouble.contract,
        )
        for incident in store.all(product.domain, product.name, since=now - _WINDOW)
        if not incident.key.endswith(tuple(f":{name}:" for name in OVER_INCIDENTS))
    )


def compares(rules: Iterable[Rule]) -> bool:
    """Say whether one of these rules compares with earlier runs: a change over time, or a schema that changes."""
    return any(
        rule.origin == "soda" and (rule.kind == "change" or "schema changes" in str(rule.definition))
        for rule in rules
    )


def measurements_of(
    ws: Workspace, product: Product, now: datetime
) -> dict[str, list[tuple[datetime, float]]]:
    """Return what earlier runs measured, by the identity of a metric, oldest first.

    Only runs after which the data was published count: whoever compares with a refused drop finds no drop.
    """
    found: dict[str, list[tuple[datetime, float]]] = {}
    for record in map(shaped, read_runs(ws.registry, product.domain, product.name, since=now - _COMPARED)):
        at, measured = moment_of(record.get("at")), record.get("measurements")
        if at is not None and isinstance(measured, Mapping) and record.get("outcome") in CONFIRMING:
            for name, value in measured.items():
                found.setdefault(str(name), []).append((at, float(value)))
    return found


def last_checked(ws: Workspace, product: Product) -> Mapping[str, Any]:
    """Return the newest run record with checks, or an empty one."""
    return newest_run(ws.registry, product.domain, product.name, lambda run: bool(run.get("checks"))) or {}


def last_good(before: Mapping[str, Any], at: datetime | None) -> dict[str, datetime]:
    """Return when checks were last known to be a pass, by key.

    `before` is the last run that checked them, `at` the moment of the last run at all: while nothing changed, what
    was good stayed good.
    """
    if at is None:
        return {}
    return {
        str(row.get("key")): at
        for row in before.get("checks") or ()
        if isinstance(row, Mapping) and row.get("outcome") == str(Outcome.PASS)
    }
