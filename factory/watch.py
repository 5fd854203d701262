"""What follows a product's run: its ports are read, its service levels measured, the run recorded, incidents followed.

Takes what became of a product in a run; writes the run record, incidents and notices to the registry. Whoever calls
holds the workspace's lock. Incidents are followed for the target `prod` alone: a branch harms no consumer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factory.contract import Promise, version_key
from factory.evidence import Evidence, Published
from factory.incidents import (
    IncidentStore,
    Trouble,
    after_run,
    check_key,
    close_gone,
    notify_pending,
    refusal,
    troubles_of_checks,
)
from factory.levels import (
    Element,
    Facts,
    RunFact,
    Verdict,
    contract_key,
    elements_of,
    measure,
    targets_of,
    time_columns,
)
from factory.lifecycle import life_of
from factory.past import (
    BY_LAST_RUNS,
    OVER_INCIDENTS,
    OVER_RUNS,
    facts_of,
    incident_times,
    last_checked,
    last_good,
    runs_for,
)
from factory.periods import moment_of
from factory.products import Product
from factory.quality import CheckResult
from factory.quality.probe import PortReading, probe_files, reading_of
from factory.record import BUILD, PUBLISHED, Findings, record_of, rows_of
from factory.registry import Registry, current_snapshot
from factory.registry.ports import port_folder
from factory.registry.runs import last_run, new_id, write_run
from factory.results import ProductOutcome, ProductResult
from factory.workspace import PROD, Workspace

_PUBLISHED = "What consumers read does not hold. Build the product again: its tables are published anew."

Document = Mapping[str, Any]
#: What each table reads, as (product, table), across products.
Inputs = Mapping[tuple[str, str], Iterable[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of a product in a run.

    Attributes:
        product: which.
        result: how it came out.
        contracts: its contracts, as documents: those that hold for consumers now.
        checks: one result per rule; empty where its checks could not run.
        measurements: what later runs compare with.
        loaded_at: when the newest of its sources was loaded, or None.
        news: something new was published.
        kind: `build`, or `published` where what is published was checked again.
        is_checked: its checks were run, so that those that are not bad are good.
    """

    product: Product
    result: ProductResult
    contracts: tuple[Document, ...]
    checks: tuple[CheckResult, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
    loaded_at: datetime | None = None
    news: bool = False
    kind: str = BUILD
    is_checked: bool = True


class Watch:
    """Looks after what products promise beside their data, for one run."""

    def __init__(self, ws: Workspace, now: datetime) -> None:
        self._ws = ws
        self._now = now
        self._elements = elements_of(ws.settings)

    def after(self, passed: Passed, inputs: Inputs) -> tuple[str, ...]:
        """Measure, record and follow what became of a product that was run; return what its owner should know.

        `inputs` is what each table reads, as (product, table), across products.
        """
        ws, product = self._ws, passed.product
        before = last_run(ws.registry, product.domain, product.name) or {}
        checked = before if before.get("checks") else last_checked(ws, product)
        published_at = self._now if passed.news else moment_of(before.get("published_at"))
        # What was loaded since is not in what is published.
        loaded_at = passed.loaded_at if passed.news else moment_of(before.get("loaded_at"))
        readings = read_ports(ws, product, passed.contracts, self._elements, self._now)
        passed = replace(passed, checks=with_lasting_keys(passed.checks))
        rows = _with_rows(rows_of(passed.checks, product), readings)
        present = RunFact(
            self._now,
            passed.kind,
            str(passed.result.outcome),
            passed.result.seconds,
            readings,
            sum(row["outcome"] in ("fail", "error") for row in rows),
        )
        run_id = new_id(self._now)
        if ws.target == PROD:  # before levels are measured: some are about incidents
            good = last_good(checked, moment_of(before.get("at")))
            self._follow_checks(passed, good, moment_of(before.get("at")), inputs, run_id)
        facts = replace(
            facts_of(ws, product, passed.contracts, self._now, self._elements),
            ports=readings,
            published_at=published_at,
            loaded_at=loaded_at,
            measurements={c.rule.name: c.measured for c in passed.checks if c.measured is not None},
        )
        facts = replace(facts, runs=(*facts.runs, present))
        levels = [
            level.values()
            for each in passed.contracts
            for level in measure(each, facts, self._now, self._elements)
        ]
        found = Findings(
            kind=passed.kind,
            outcome=str(passed.result.outcome),
            version=passed.result.version,
            contracts={contract_key(each): str(each.get("version")) for each in passed.contracts},
            seconds=passed.result.seconds,
            reasons=passed.result.reasons,
            checks=rows,
            ports=[reading.values() for reading in readings],
            levels=levels,
            measurements=passed.measurements,
            published_at=published_at,
            loaded_at=loaded_at,
        )
        record = record_of(product, found, self._now, ws.settings.dimension_weights)
        write_run(ws.registry, product.domain, product.name, record, self._now, run_id)
        if ws.target == PROD:
            self._follow_levels(product, levels, before, inputs, run_id)
        return _advice_of(levels, passed.contracts, self._elements)

    def after_none(
        self, product: Product, result: ProductResult, promises: Sequence[Promise]
    ) -> tuple[str, ...]:
        """Measure, record and follow what time alone has done to a product that need not run.

        Return what its owner should know.
        """
        ws = self._ws
        before = last_run(ws.registry, product.domain, product.name) or {}
        documents = [_as_document(promise) for promise in promises]
        targets = [t for each in documents for t in targets_of(each, self._elements)]
        wanted = {target.name for target in targets}
        facts = Facts(
            ports=tuple(reading_of(port) for port in before.get("ports") or () if isinstance(port, Mapping)),
            published_at=moment_of(before.get("published_at")),
            loaded_at=moment_of(before.get("loaded_at")),
            runs=(
                *runs_for(ws, product, (t for t in targets if t.name not in OVER_RUNS), self._now),
                RunFact(self._now, BUILD, str(result.outcome)),
            ),
            incidents=incident_times(ws, product, self._now) if wanted & set(OVER_INCIDENTS) else None,
            schedule=product.custom("schedule"),
            time_zone=product.custom("timeZone"),
        )
        kept = {_level_key(row): row for row in before.get("levels") or () if isinstance(row, Mapping)}
        rows = []
        for document in documents:
            for level in measure(document, facts, self._now, self._elements):
                # What is measured over many runs, or by a check, stays as the last run that measured it has it.
                own = level.values()
                is_new = level.property in (*_NEW, *BY_LAST_RUNS, *OVER_INCIDENTS)
                rows.append(own if is_new else own | dict(kept.get(_level_key(own), {})))
        found = Findings(
            kind=BUILD,
            outcome=str(result.outcome),
            version=result.version,
            contracts=dict(before.get("contracts") or {}),
            ports=list(before.get("ports") or ()),
            levels=rows,
            published_at=facts.published_at,
            loaded_at=facts.loaded_at,
        )
        record = record_of(product, found, self._now)
        run_id = write_run(ws.registry, product.domain, product.name, record, self._now)
        if ws.target == PROD:
            self._follow_levels(product, rows, before, {}, run_id)
        return _advice_of(rows, documents, self._elements)

    def finish(self, products: Mapping[str, Product]) -> int:
        """Tell whoever is to be told of what happened, now or before; return how many incidents are open."""
        store = IncidentStore(self._ws.registry)
        if self._ws.target != PROD or not store.products():
            return 0
        close_gone(self._ws, products, self._now)
        notify_pending(self._ws, products, self._now)
        return sum(len(store.open_incidents(domain, name)) for domain, name in store.products())

    def _follow_checks(
        self,
        passed: Passed,
        good: Mapping[str, datetime],
        last: datetime | None,
        inputs: Inputs,
        run_id: str,
    ) -> None:
        """Follow incidents of checks, and of a product that was refused for another reason.

        `good` says when checks were last a pass, `last` when the last run was.
        """
        ws, product, result = self._ws, passed.product, passed.result
        # What follows from a model that was not built is one incident, and not one per check.
        own = [check for check in passed.checks if check.counts and not check.is_consequence]
        troubles = list(troubles_of_checks(ws, product, own, good))
        checked = {check_key(check) for check in own} if passed.is_checked else set()
        if passed.kind == PUBLISHED:
            troubles = [replace(trouble, guidance=_PUBLISHED) for trouble in troubles]
            after_run(ws, product, troubles, checked, None, inputs, self._now, run_id)
            return
        if result.outcome is ProductOutcome.REFUSED:
            names = [repr(check.rule.name) for check in own if check.refuses]
            if others := [reason for reason in result.reasons if not any(name in reason for name in names)]:
                troubles.append(refusal(product, BUILD, others, last))
            checked.add(f"run:{BUILD}")
        published = {f"check::{published_rule(contract_key(each))}" for each in passed.contracts}
        if result.outcome is ProductOutcome.CERTIFIED:
            checked |= {f"run:{BUILD}", *published}  # it was exported, and is what its name says
        known = {f"run:{BUILD}", *checked, *published, *map(check_key, passed.checks)}
        known |= self._open_levels(product)
        after_run(
            ws, product, troubles, checked, known if passed.is_checked else None, inputs, self._now, run_id
        )

    def _follow_levels(
        self,
        product: Product,
        levels: Iterable[Mapping[str, Any]],
        before: Mapping[str, Any],
        inputs: Inputs,
        run_id: str,
    ) -> None:
        """Follow incidents of service levels; one that is promised no longer is over."""
        levels = tuple(levels)
        store = IncidentStore(self._ws.registry)
        open_ = {each.key for each in store.open_incidents(product.domain, product.name)}
        troubles = [t for row in levels if (t := _trouble_of(row, product, before)) is not None]
        measured = {_key_of(row) for row in levels if row["verdict"] != str(Verdict.NOT_MEASURED)}
        known = {_key_of(row) for row in levels} | {key for key in open_ if not key.startswith("level:")}
        after_run(self._ws, product, troubles, measured, known, inputs, self._now, run_id)

    def _open_levels(self, product: Product) -> set[str]:
        store = IncidentStore(self._ws.registry)
        open_ = {each.key for each in store.open_incidents(product.domain, product.name)}
        return {key for key in open_ if key.startswith("level:")}


def _advice_of(
    levels: Iterable[Mapping[str, Any]], contracts: Iterable[Document], elements: Collection[Element]
) -> tuple[str, ...]:
    """Return what an owner should know of service levels: those that are breached, and those that say nothing."""
    broken = [
        f"the service level {row['property']}{_of(row)} is breached: {row['reason']}"
        for row in levels
        if row["verdict"] == str(Verdict.BREACHED)
    ]
    faults = [
        f"the service level {target.name} says nothing that can be measured: {target.fault}"
        for each in contracts
        for target in targets_of(each, elements)
        if target.fault
    ]
    return tuple(dict.fromkeys((*broken, *faults)))


def _of(row: Mapping[str, Any]) -> str:
    return f" of {row['element']}" if row["element"] else ""


#: Levels that a day's passing changes, with nothing run.
_NEW = ("generalAvailability", "endOfSupport", "endOfLife", "retention", "freshness", "timeliness")


def contracts_for(evidence: Evidence, *, published: bool) -> tuple[Document, ...]:
    """Return the contracts that hold for consumers after a run: the drafted ones, if they were published."""
    if published:
        return tuple(contract.data for contract in evidence.contracts)
    return newest_of(evidence.previous.values())


def newest_of(contracts: Iterable[Sequence[Published]]) -> tuple[Document, ...]:
    """Return the newest version of each major."""
    found: list[Document] = []
    for versions in contracts:
        majors: dict[int, Document] = {}
        for each in versions:  # newest first
            majors.setdefault(version_key(each.version)[0], each.data)
        found += majors.values()
    return tuple(found)


def published_contracts(ws: Workspace, product: Product) -> tuple[Document, ...]:
    """Return the newest published contract of each major version."""
    return newest_of(Registry(ws).published(product).values())


def published_rule(contract: str) -> str:
    """Return what the rule is called that the published tables of a contract are those that were published."""
    return f"The published tables of {contract} are as they were published"


def with_lasting_keys(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return checks under keys that hold over runs: by what they are about and called, not by where they stand.

    So a rule has one key, whether it is found in a product's files or in its published contract. Of checks that are
    called the same, the second has `#2` at its end.
    """
    seen: Counter[str] = Counter()
    found = []
    for check in checks:
        rule = check.rule
        about = ".".join(part for part in (rule.table, rule.column) if part)
        key = f"{about}:{rule.name}"
        seen[key] += 1
        key = key if seen[key] == 1 else f"{key}#{seen[key]}"
        found.append(replace(check, rule=replace(rule, key=key)))
    return tuple(found)


def read_ports(
    ws: Workspace,
    product: Product,
    contracts: Iterable[Document],
    elements: Collection[Element],
    now: datetime,
) -> tuple[PortReading, ...]:
    """Open the published tables of a product as a consumer would, and read each once; a closed port has none."""
    found: list[PortReading] = []
    retired = Registry(ws).standing(product.domain, product.name).retired
    for document in contracts:
        key = contract_key(document)
        if key in retired:
            continue
        name, major = key.rsplit("/", 1)
        pointer = current_snapshot(ws, product.domain, product.name, name, int(major))
        folder = port_folder(ws, product.domain, product.name, name, int(major))
        columns = time_columns(document, elements)
        files: dict[str, Path] = {table: folder / path for table, path in pointer.get("tables", {}).items()}
        if not files and not life_of(document).is_closed(now.astimezone(UTC).date()):
            found += [PortReading(table, key, error="nothing whole is published of it") for table in columns]
        found += probe_files(files, columns, key)
    return tuple(found)


def _as_document(promise: Promise) -> Document:
    """Return a hand-kept contract as far as service levels read it."""
    return {**promise.data, "name": promise.name, "version": promise.version}


def _with_rows(rows: list[dict[str, Any]], readings: Iterable[PortReading]) -> list[dict[str, Any]]:
    """Return rows of checks, with how many rows dbt's tests of a published table looked at."""
    counts = {reading.table.lower(): reading.rows for reading in readings if not reading.error}
    for row in rows:
        if row["checked_rows"] is None and row["origin"] == "dbt":
            row["checked_rows"] = counts.get(str(row["table"]).lower())
    return rows


def _level_key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(row.get("contract")), str(row.get("property")), str(row.get("element"))


def _key_of(row: Mapping[str, Any]) -> str:
    return "level:" + ":".join(_level_key(row))


def _trouble_of(row: Mapping[str, Any], product: Product, before: Mapping[str, Any]) -> Trouble | None:
    """Return the trouble of a service level that is breached."""
    if row["verdict"] != str(Verdict.BREACHED):
        return None
    old = {_level_key(r): r for r in before.get("levels") or () if isinstance(r, Mapping)}.get(
        _level_key(row)
    )
    was_met = old is not None and old.get("verdict") == str(Verdict.MET)
    unit = f" {row['unit']}" if row["unit"] else ""
    measured = "" if row["measured"] is None else f"{row['measured']} {row['measured_unit']}".strip()
    table, _, column = str(row["element"]).partition(".")
    return Trouble(
        key=_key_of(row),
        kind="level",
        domain=product.domain,
        product=product.name,
        severity="warning",
        subject=f"{row['property']} is not kept",
        reason=str(row["reason"]),
        contract=str(row["contract"]),
        table=table if "," not in str(row["element"]) else "",
        column=column if "," not in str(row["element"]) else "",
        measured=measured,
        promised=f"{row['target']}{unit}",
        guidance="The data stays published. See why it came late or went unseen; the runbook says what to do.",
        last_good=moment_of(before.get("at")) if was_met else None,
    )
