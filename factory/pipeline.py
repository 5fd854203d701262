"""The line: the life of a product from its folder to the registry, in order.

    discover -> build -> artifacts -> lineage -> contract -> quality -> policies -> certify -> registry

dbt runs once for all chosen products; then each product passes the line alone, behind those that it reads;
what is certified is published, and the index over it is written once, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from factory.artifacts import Artifacts, read_artifacts
from factory.build import Dbt, Project
from factory.certify import certify
from factory.changes import Built, Prints, external_sources, fingerprints, read_state, with_code, write_state
from factory.contract import (
    Promise,
    Rule,
    draft_contracts,
    gather_rules,
    product_version,
    read_checks,
    read_promises,
)
from factory.errors import DbtError, FactoryError, QualityError, VersionExistsError, raise_all
from factory.evidence import Evidence
from factory.lineage import Lineage, trace_columns
from factory.locking import locked
from factory.plan import Plan, Request, needs_dbt, plan_run
from factory.products import Product, discover
from factory.publish import Publisher
from factory.quality import run_checks
from factory.registry import Registry
from factory.results import ProductOutcome, ProductResult, Run
from factory.selection import cycle, in_order, reach
from factory.tools import tool_versions
from factory.umbrella import sync, write_run_profile
from factory.verdict import blocked, judged, refused, unchanged
from factory.workspace import Workspace


class Progress(Protocol):
    """Who hears how far a run is."""

    def __call__(self, stage: str, detail: str = "") -> None:
        """Hear that a stage is at a product or node."""


@dataclass(frozen=True, slots=True)
class Written:
    """What people wrote for one product beside its dbt project: contracts and checks."""

    promises: tuple[Promise, ...]
    checks: tuple[Rule, ...]


@dataclass
class Clock:
    """CPU seconds of this process, by who spent them."""

    spent: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)
    _mark: float = field(default_factory=time.process_time)

    def charge(self, who: str) -> None:
        """Charge what was spent since the last call."""
        now = time.process_time()
        self.spent[who] = self.spent.get(who, 0.0) + now - self._mark
        self._mark = now


def run(ws: Workspace, request: Request, progress: Progress) -> Run:
    """Take the chosen products down the line; publish those that are certified, if that is asked for.

    Raises:
        FactoryError: the input or the set-up is wrong, so that no product could be judged.

    """
    clock = Clock()
    progress("discover")
    products = {product.name: product for product in discover(ws)}
    written = _written(products)
    sync(ws, products.values())
    with locked(ws):
        state = read_state(ws)
        prints = fingerprints(ws, products.values(), request.environment, request.variables)
        registry = Registry(ws)
        if not needs_dbt(ws, request, products, state, prints, registry):
            plan = plan_run(ws, request, products, state, prints, registry)
            return _finish(
                [unchanged(products[name], state[name]) for name in plan.unchanged], request, clock
            )
        results = _run_dbt_line(ws, request, progress, clock, products, written, state, prints)
    return _finish(results, request, clock)


def _run_dbt_line(
    ws: Workspace,
    request: Request,
    progress: Progress,
    clock: Clock,
    products: Mapping[str, Product],
    written: Mapping[str, Written],
    state: dict[str, Built],
    prints: Mapping[str, Prints],
) -> list[ProductResult]:
    progress("parse", f"{len(products)} products")
    dbt = Dbt(
        ws,
        write_run_profile(ws, products, {}),
        request.variables,
        on_node=lambda node, status: progress("build", f"{node} {status}"),
    )
    clock.charge("own")
    project = dbt.parse(products)
    clock.charge("dbt")
    _refuse_cycles(project, products, ws)
    registry = Registry(ws)
    plan = plan_run(ws, request, products, state, prints, registry, project=project, freshness=dbt.freshness)
    results = [unchanged(products[name], state[name]) for name in plan.unchanged]
    if not plan.build:
        dbt.close()
        clock.charge("dbt")
        return results
    publisher = Publisher(ws, registry, request.publish)
    stand_ins = publisher.stand_ins(plan.build, project.upstreams, products)
    write_run_profile(ws, [*plan.build, *stand_ins], stand_ins)
    clock.charge("own")
    try:
        dbt.build(plan.build, everything=plan.everything)
        dbt.catalog(plan.build, everything=plan.everything)
        freshness = dbt.freshness(project.dated & set(plan.build)) if project.dated & set(plan.build) else {}
    finally:
        dbt.close()
        clock.charge("dbt")
    progress("artifacts")
    artifacts = read_artifacts(ws.artifacts)
    progress("lineage")
    line = Line(
        ws,
        request,
        progress,
        clock,
        artifacts,
        trace_columns(artifacts, set(plan.build)),
        project,
        prints,
        stand_ins,
    )
    results += line.walk(plan, products, written, state, registry, publisher, freshness)
    progress("registry")
    publisher.finish()
    if request.publish:
        write_state(ws, {name: built for name, built in state.items() if name in products})
    clock.charge("own")
    order = in_order(products, project.upstreams)
    return sorted(results, key=lambda result: order.index(result.name))


@dataclass
class Line:
    """The part of the line that each product passes alone."""

    ws: Workspace
    request: Request
    progress: Progress
    clock: Clock
    artifacts: Artifacts
    lineage: Lineage
    project: Project
    prints: Mapping[str, Prints]
    stand_ins: Mapping[str, Path]

    def files(self, name: str) -> dict[str, Path]:
        """Return the DuckDB files of a product and of all that it reads, as far as they are there."""
        names = sorted(reach({name}, self.project.upstreams))
        files = {each: self.stand_ins.get(each, self.ws.database_file(each)) for each in names}
        return {each: file for each, file in files.items() if file.is_file()}

    def walk(
        self,
        plan: Plan,
        products: Mapping[str, Product],
        written: Mapping[str, Written],
        state: dict[str, Built],
        registry: Registry,
        publisher: Publisher,
        freshness: Mapping[str, str],
    ) -> list[ProductResult]:
        """Judge and publish the products that were built, each behind those that it reads."""
        results: dict[str, ProductResult] = {}
        for name in plan.build:
            started = time.perf_counter()
            self.progress("certify", name)
            bad = [
                u for u in sorted(self.project.upstreams[name]) if u in results and not _is_good(results[u])
            ]
            result = self.pass_one(products[name], written[name], bad, registry, publisher, products)
            if not _is_good(result):
                publisher.tell_refused(products[name], result, datetime.now(UTC))
            seconds = result.seconds + time.perf_counter() - started
            results[name] = result = replace(result, seconds=seconds)
            state[name] = self.built(products[name], result, publisher, freshness)
            self.clock.charge("own")
        return list(results.values())

    def pass_one(
        self,
        product: Product,
        written: Written,
        bad: Sequence[str],
        registry: Registry,
        publisher: Publisher,
        products: Mapping[str, Product],
    ) -> ProductResult:
        """Assess, certify and publish one product; `bad` are the products it reads that are not certified."""
        try:
            evidence = self.assess(product, written, registry)
        except QualityError as error:
            return refused(product, error, self.ws.root)
        certificate = certify(evidence)
        result = judged(evidence, certificate)
        if bad:
            return blocked(result, bad)
        if not certificate.certified:
            return result
        try:
            return publisher.publish(
                evidence, result, certificate, products, self.files(product.name), datetime.now(UTC)
            )
        except VersionExistsError as error:
            return judged(evidence, certificate, refusal=error)

    def assess(self, product: Product, written: Written, registry: Registry) -> Evidence:
        """Gather all that is known of one product."""
        name = product.name
        rules = gather_rules(product, written.promises, written.checks, self.artifacts)
        contracts = draft_contracts(product, written.promises, self.artifacts, self.lineage, rules, self.ws)
        self.clock.charge("own")
        checks = run_checks(product, rules, self.artifacts, self.files(name), self.ws)
        self.clock.charge("soda")
        return Evidence(
            product=product,
            artifacts=self.artifacts,
            models=self.artifacts.of(name),
            runs=tuple(r for r in self.artifacts.runs if r.package == name),
            lineage=self.lineage,
            contracts=contracts,
            previous=registry.published(product),
            previous_product=registry.published_product(product, product_version(product, contracts)),
            checks=checks,
            crossings=tuple(c for c in self.project.crossings if c.product == name),
            tools=tool_versions(),
            definitions=self.prints[name].definitions,
            folder=self.ws.relative(product.folder),
        )

    def built(
        self,
        product: Product,
        result: ProductResult,
        publisher: Publisher,
        freshness: Mapping[str, str],
    ) -> Built:
        """Return what the next run should know of the product."""
        name = product.name
        code = tuple(sorted(self.project.code_upstreams[name]))
        return Built(
            fingerprint=with_code(name, self.prints, code),
            outcome=str(result.outcome),
            version=result.version,
            upstreams=tuple(sorted(self.project.upstreams[name])),
            code_upstreams=code,
            inputs=publisher.inputs(self.project.upstreams[name]),
            snapshots=publisher.snapshots(name),
            contracts=publisher.contracts(name),
            sources=external_sources(product, self.artifacts, freshness, self.ws),
        )


def _written(products: Mapping[str, Product]) -> dict[str, Written]:
    """Read all that people wrote before anything runs, so that every mistake in it is told at once."""
    found: dict[str, Written] = {}
    problems: list[FactoryError] = []
    for name, product in products.items():
        try:
            found[name] = Written(read_promises(product), read_checks(product))
        except FactoryError as problem:
            problems.append(problem)
    raise_all(problems)
    return found


def _refuse_cycles(project: Project, products: Mapping[str, Product], ws: Workspace) -> None:
    ring = cycle(project.upstreams)
    if not ring:
        return
    first = next(c for c in project.crossings if c.product == ring[0] and c.upstream == ring[1])
    raise DbtError(
        f"the products read each other in a ring: {' -> '.join(ring)} "
        f"({first.name} reads {first.upstream}.{first.upstream_name})",
        where=products[ring[0]].folder / first.file,
        hint="let one of them read from further upstream, or make the two one product",
    )


def _is_good(result: ProductResult) -> bool:
    return result.outcome in (ProductOutcome.CERTIFIED, ProductOutcome.UNCHANGED)


def _finish(results: list[ProductResult], request: Request, clock: Clock) -> Run:
    clock.charge("own")
    return Run(
        products=tuple(results),
        published=request.publish,
        dbt_seconds=clock.spent.get("dbt", 0.0),
        soda_seconds=clock.spent.get("soda", 0.0),
        own_seconds=clock.spent.get("own", 0.0),
        seconds=time.perf_counter() - clock.started,
    )
