"""The part of the line that each product passes alone: assessed, judged, published.

Takes what dbt left and what people wrote; gives a result per product; runs checks and publishes.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from factory.artifacts import Artifacts
from factory.build import Project, SourceAge
from factory.certify import certify
from factory.changes import Built, external_sources, open_conflicts, with_code
from factory.clock import Clock, Progress
from factory.contract import Promise, Rule, draft_contracts, gather_rules, product_version
from factory.drift import Drift
from factory.errors import PublishRefusedError, QualityError
from factory.evidence import Evidence, Published
from factory.freshness import freshness_results, stale_at
from factory.guard import Guard
from factory.lifecycle import Consumer, inputs_of
from factory.lineage import Lineage
from factory.past import compares, measurements_of
from factory.periods import moment_of
from factory.plan import Mesh
from factory.products import Product
from factory.publish import Publisher
from factory.quality import CheckResult, Past, run_checks
from factory.registry import Registry
from factory.registry.access import subscribers
from factory.results import ProductOutcome, ProductResult
from factory.selection import reach
from factory.tools import tool_versions
from factory.verdict import blocked, judged, refused
from factory.watch import Passed, Watch, contracts_for, published_contracts
from factory.workspace import PROD, Workspace


@dataclass(frozen=True, slots=True)
class Written:
    """What people wrote for one product beside its dbt project: contracts and checks."""

    promises: tuple[Promise, ...]
    checks: tuple[Rule, ...]


@dataclass
class Line:
    """What a product meets on its way alone; it remembers how those before it went.

    Attributes:
        mesh: all products, and what was known before.
        written: contracts and checks, by product.
        artifacts, lineage, project: what dbt's run gave.
        publisher: publishes, or only says what it would find.
        stand_ins: DuckDB files of products that are read and not built.
        progress, clock: who hears how far the run is, and who spent how much.
        drifts: where sources are not as they are declared, by product.
        freshness: how old the sources are, by dbt's id.
        variables: values of variables of SodaCL, as dbt has them.
        watch: measures service levels, records the run and follows incidents, if the run is to publish.
        guard: keeps secrets out of what is published, and out of reasons.
        results: how each product came out so far.
        evidence: what each was judged by, where it was.
    """

    mesh: Mesh
    written: Mapping[str, Written]
    artifacts: Artifacts
    lineage: Lineage
    project: Project
    publisher: Publisher
    stand_ins: Mapping[str, Path]
    progress: Progress
    clock: Clock
    drifts: Mapping[str, tuple[Drift, ...]] = field(default_factory=dict)
    freshness: Mapping[str, SourceAge] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    watch: Watch | None = None
    guard: Guard = field(default_factory=Guard)
    results: dict[str, ProductResult] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    _checked: dict[str, tuple[CheckResult, ...]] = field(default_factory=dict)

    def pass_one(self, name: str) -> ProductResult:
        """Assess, certify and publish one product; those that it reads have passed before."""
        started = time.perf_counter()
        self.progress("certify", name)
        product = self.mesh.products[name]
        result, evidence = self.judge(product)
        result = self.guard.result(result)
        if not _is_good(result):
            self.publisher.tell_refused(product, result, self.mesh.now)
        result = replace(result, seconds=result.seconds + time.perf_counter() - started)
        if self.watch is not None:
            told = self.watch.after(self.passed(product, result, evidence), self.inputs)
            result = replace(result, advice=(*result.advice, *told))
        self.results[name] = result
        self.clock.charge("own")
        return result

    def judge(self, product: Product) -> tuple[ProductResult, Evidence | None]:
        """Return how a product comes out, and by what; it is published if it comes out well."""
        try:
            evidence = self.assess(product)
        except QualityError as error:
            return refused(product, error, self.mesh.ws.root), None
        self.evidence[product.name] = evidence
        return self._judged(product, evidence), evidence

    def _judged(self, product: Product, evidence: Evidence) -> ProductResult:
        certificate = certify(evidence)
        result = judged(evidence, certificate)
        read = sorted(self.project.upstreams[product.name])
        bad = [name for name in read if name in self.results and not _is_good(self.results[name])]
        if bad:
            return blocked(result, bad)
        if not certificate.certified:
            return result
        try:
            self.guard.refuse(evidence, certificate)
            files = self.files(product.name)
            return self.publisher.publish(
                evidence, result, certificate, self.mesh.products, files, self.mesh.now
            )
        except PublishRefusedError as error:
            return judged(evidence, certificate, refusal=error)

    def files(self, name: str) -> dict[str, Path]:
        """Return the DuckDB files of a product and of all that it reads, as far as they are there."""
        names = sorted(reach({name}, self.project.upstreams))
        files = {each: self.stand_ins.get(each, self.mesh.ws.database_file(each)) for each in names}
        return {each: file for each, file in files.items() if file.is_file()}

    def assess(self, product: Product) -> Evidence:
        """Gather all that is known of one product."""
        ws, name = self.mesh.ws, product.name
        written = self.written[name]
        rules = gather_rules(product, written.promises, written.checks, self.artifacts)
        contracts = draft_contracts(product, written.promises, self.artifacts, self.lineage, rules, ws)
        registry = Registry(ws)
        announced, retired = said_of_majors(ws, product)
        previous = {**promised_to_all(ws, product), **registry.published(product)}
        self.clock.charge("own")
        past = Past(self.variables, measurements_of(ws, product, self.mesh.now) if compares(rules) else {})
        checked = run_checks(product, rules, contracts, self.artifacts, self.files(name), ws, past)
        self._checked[name] = checked.results
        self.clock.charge("soda")
        sources = freshness_results(product, self.artifacts, self._own_ages(name))
        return Evidence(
            product=product,
            artifacts=self.artifacts,
            models=self.artifacts.of(name),
            runs=tuple(r for r in self.artifacts.runs if r.package == name),
            lineage=self.lineage,
            contracts=self.guard.contracts(contracts),
            previous=previous,
            previous_product=registry.published_product(product, product_version(product, contracts)),
            checks=self.guard.checks((*sources, *checked.results)),
            measurements=checked.measurements,
            crossings=tuple(c for c in self.project.crossings if c.product == name),
            tools=tool_versions(),
            definitions=self.mesh.prints[name].definitions,
            conflicts=open_conflicts(product),
            folder=ws.relative(product.folder),
            drifts=self.drifts.get(name, ()),
            today=self.mesh.today,
            notice_period=ws.settings.notice_period,
            published_on=published_on(ws, product),
            announced=announced,
            retired=retired,
            inputs=inputs_of(
                name,
                self.project.crossings,
                {each: written.promises for each, written in self.written.items()},
                ws.settings.notice_period,
                self.mesh.recorded,
            ),
            consumers=self.consumers(name),
            severities=ws.settings.severities,
            documented_percent=ws.settings.documented_percent,
            linked_percent=ws.settings.linked_percent,
        )

    def passed(self, product: Product, result: ProductResult, evidence: Evidence | None) -> Passed:
        """Return what is to be measured and recorded of a product that was run."""
        contracts = (
            contracts_for(evidence, published=_is_good(result))
            if evidence is not None
            else published_contracts(self.mesh.ws, product)
        )
        loaded = [moment_of(age.loaded_at) for age in self._own_ages(product.name).values()]
        return Passed(
            product,
            result,
            contracts,
            evidence.checks if evidence is not None else (),
            evidence.measurements if evidence is not None else {},
            max((moment for moment in loaded if moment is not None), default=None),
            news=result.published,
            is_checked=evidence is not None,
        )

    def _own_ages(self, name: str) -> dict[str, SourceAge]:
        """Return how old a product's sources are, by dbt's id."""
        return {key: age for key, age in self.freshness.items() if key.split(".")[1:2] == [name]}

    @functools.cached_property
    def inputs(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """What each table reads directly, as (product, table)."""
        relations = self.artifacts.relations
        return {
            (r.package, r.identifier): {
                (relations[u].package, relations[u].identifier) for u in r.upstream if u in relations
            }
            for r in relations.values()
        }

    def consumers(self, name: str) -> tuple[Consumer, ...]:
        """Return who reads a product's ports: other products of the workspace, and who has access or asks for it."""
        tables: dict[str, set[str]] = {}
        for crossing in self.project.crossings:
            if crossing.upstream == name:
                read = crossing.upstream_table or crossing.upstream_name
                tables.setdefault(crossing.product, set()).add(read)
        products = [
            Consumer(each, self.mesh.products[each].owner, "reads it", tuple(sorted(tables[each])))
            for each in sorted(tables)
        ]
        others = [Consumer(s.who, s.contact, s.state) for s in subscribers(self.mesh.ws, {name})]
        return (*products, *others)

    def built(self, name: str, result: ProductResult) -> Built:
        """Return what the next run should know of the product."""
        product = self.mesh.products[name]
        code = tuple(sorted(self.project.code_upstreams[name]))
        return Built(
            fingerprint=with_code(name, self.mesh.prints, code),
            outcome=str(result.outcome),
            version=result.version,
            upstreams=tuple(sorted(self.project.upstreams[name])),
            code_upstreams=code,
            inputs=self.publisher.inputs(self.project.upstreams[name]),
            snapshots=self.publisher.snapshots(name),
            contracts=self.publisher.contracts(name),
            sources=external_sources(product, self.artifacts, self.freshness, self.mesh.ws),
            stale_at=self._stale_at(name),
        )

    def _stale_at(self, name: str) -> str:
        moment = stale_at(self._own_ages(name).values(), self._checked.get(name, ()), self.mesh.now)
        return moment.isoformat() if moment is not None else ""


def published_on(ws: Workspace, product: Product) -> dict[str, dict[str, date]]:
    """Return the day on which each version was first published, by this target or by `prod`."""
    found: dict[str, dict[str, date]] = {}
    for target in dict.fromkeys((ws.target, PROD)):
        registry = Registry(replace(ws, target=target))
        for contract, versions in registry.first_published(product.domain, product.name).items():
            days = found.setdefault(contract, {})
            for version, moment in versions.items():
                days[version] = min(days.get(version, date.max), moment.date())
    return found


def said_of_majors(ws: Workspace, product: Product) -> tuple[dict[str, date], frozenset[str]]:
    """Return what later records say of a product's majors, by `contract/major`, in this target or in `prod`.

    The day on which the end of one was announced, and those whose port was closed for good.
    """
    announced: dict[str, date] = {}
    retired: set[str] = set()
    for target in dict.fromkeys((ws.target, PROD)):
        standing = Registry(replace(ws, target=target)).standing(product.domain, product.name)
        for key, event in standing.deprecated.items():
            announced[key] = min(announced.get(key, date.max), event.time.date())
        retired |= standing.retired
    return announced, frozenset(retired)


def promised_to_all(ws: Workspace, product: Product) -> dict[str, tuple[Published, ...]]:
    """Return what `prod` has published of a product, for a run of another target: what a branch must not break."""
    if ws.target == PROD:
        return {}
    published = Registry(replace(ws, target=PROD)).published(product)
    return {
        name: tuple(replace(p, data={k: v for k, v in p.data.items() if k != "servers"}) for p in versions)
        for name, versions in published.items()
    }


def _is_good(result: ProductResult) -> bool:
    return result.outcome in (ProductOutcome.CERTIFIED, ProductOutcome.UNCHANGED)
