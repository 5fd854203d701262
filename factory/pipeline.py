"""The line: the life of a product from its folder to the registry, in order.

    discover -> build -> artifacts -> lineage -> contract -> quality -> policies -> certify -> registry

dbt runs once for all chosen products; then each product passes the line alone, behind those that it reads;
what is certified is published, and the index over it is written once, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from factory.artifacts import read_artifacts
from factory.build import Dbt, Project
from factory.changes import Built, fingerprints, read_state, write_state
from factory.clock import Clock, Progress
from factory.contract import read_checks, read_promises
from factory.documents import parse_yaml
from factory.drift import Drift, find_drifts
from factory.errors import DbtError, FactoryError, raise_all
from factory.guard import Guard, guard_of
from factory.incidents import read_notify
from factory.lifecycle import inputs_of
from factory.lineage import trace_columns
from factory.locking import locked
from factory.openlineage import Emission
from factory.passage import Line, Written
from factory.plan import Mesh, Plan, Request, needs_dbt, plan_run
from factory.policies.alive import findings_of as findings_of_inputs
from factory.policies.sourced import findings_of
from factory.products import Product, discover
from factory.publish import Publisher
from factory.registry.index import recorded_lives
from factory.registry.remote import pull, push
from factory.registry.standing import rolled_back_words
from factory.results import ProductOutcome, ProductResult, Run
from factory.selection import cycle, in_order
from factory.sinks import deliver_events, meet_sinks
from factory.umbrella import sync, write_run_profile
from factory.undo import Undo
from factory.verdict import blocked, held_back, paused, unchanged
from factory.watch import Passed, Watch, published_contracts
from factory.workspace import Workspace


def run(ws: Workspace, request: Request, progress: Progress) -> Run:
    """Take the chosen products down the line; publish those that are certified, if that is asked for.

    Raises:
        FactoryError: the input or the set-up is wrong, so that no product could be judged.

    """
    clock = Clock()
    progress("discover")
    products = {product.name: product for product in discover(ws)}
    written = _written(products, ws)
    where = request.openlineage or (ws.settings.openlineage if request.publish else "")
    emission = Emission(
        ws, where, publish=request.publish, environment=request.environment, variables=request.variables
    )
    if request.publish:
        meet_sinks(ws, request.now)
    with locked(ws, on_wait=lambda holder: progress("waiting", f"for another run ({holder})")):
        sync(ws, products.values())
        pull(ws)
        prints = fingerprints(ws, products.values(), request.environment, request.variables)
        publisher = Publisher(ws, request.publish)
        due = publisher.close_due(products, request.now)
        mesh = Mesh(
            ws,
            products,
            read_state(ws),
            prints,
            request.now,
            due,
            publisher.paused(products),
            recorded_lives(ws),
        )
        if needs_dbt(mesh, request):
            results = _walk(mesh, written, request, publisher, (progress, clock), emission)
        else:
            results = _left_alone(mesh, plan_run(mesh, request))
            publisher.keep_up()
        incidents = 0
        if request.publish:
            results, incidents = _watch_unchanged(mesh, results, written)
            push(ws)
    notes = emission.send(products, results)
    if request.publish:
        notes = (*notes, *deliver_events(ws, request.now))
    clock.charge("own")
    return Run(
        products=tuple(results),
        published=request.publish,
        dbt_seconds=clock.spent.get("dbt", 0.0),
        soda_seconds=clock.spent.get("soda", 0.0),
        own_seconds=clock.spent.get("own", 0.0),
        seconds=time.perf_counter() - clock.started,
        incidents=incidents,
        notes=notes,
    )


def _walk(
    mesh: Mesh,
    written: Mapping[str, Written],
    request: Request,
    publisher: Publisher,
    heard: tuple[Progress, Clock],
    emission: Emission,
) -> list[ProductResult]:
    """Run dbt once, then let each product that must run pass the rest of the line."""
    guard = guard_of(mesh.ws, mesh.products.values(), request.environment, request.variables)
    with guard.speaking():
        return _walk_guarded(mesh, written, request, publisher, heard, (guard, emission))


def _walk_guarded(
    mesh: Mesh,
    written: Mapping[str, Written],
    request: Request,
    publisher: Publisher,
    heard: tuple[Progress, Clock],
    between: tuple[Guard, Emission],
) -> list[ProductResult]:
    ws, products = mesh.ws, mesh.products
    guard, emission = between
    progress, clock = heard
    undo = Undo(ws)
    undo.recover()
    progress("parse", f"{len(products)} products")
    profile = write_run_profile(ws, products, {})
    clock.charge("own")
    dbt = Dbt(
        ws,
        profile,
        request.variables,
        on_node=lambda node, status: progress("build", f"{node} {status}"),
    )
    try:
        project = dbt.parse(products)
        clock.charge("dbt")
        refuse_cycles(project, products)
        plan = plan_run(mesh, request, project, dbt.freshness)
        dbt.close()  # freshness may have opened the files that are looked into now
        drifts = find_drifts(ws, [products[name] for name in plan.build], project.inputs)
        held = _held_back(mesh, plan, project, drifts, written)
        held = {name: guard.result(result) for name, result in held.items()}
        plan = plan.without(held)
        state = {**mesh.state, **_left_as_is(mesh, held)}
        watch = Watch(ws, mesh.now) if request.publish else None
        for name, result in held.items():
            publisher.tell_refused(products[name], result, mesh.now)
            if watch is not None:
                contracts = published_contracts(ws, products[name])
                told = watch.after(Passed(products[name], result, contracts, is_checked=False), {})
                held[name] = replace(result, advice=(*result.advice, *told))
        results = [*_left_alone(mesh, plan), *held.values()]
        if not plan.build:
            publisher.keep_up()
            if request.publish:
                _write_state(mesh, state)
            return _sorted(results, mesh, project)
        stand_ins = publisher.stand_ins(plan.build, project.upstreams, products)
        write_run_profile(ws, [*plan.build, *stand_ins], stand_ins)
        undo.keep(name for name in plan.build if name in project.growing)
        clock.charge("own")
        dbt.build(plan.build, everything=plan.everything)
        dbt.catalog(plan.build, everything=plan.everything)
        freshness = dbt.freshness(project.dated & set(plan.build))
    finally:
        dbt.close()
        clock.charge("dbt")
    progress("artifacts")
    artifacts = read_artifacts(ws.artifacts)
    progress("lineage")
    lineage = guard.lineage(trace_columns(artifacts, plan.build))
    variables = parse_yaml(request.variables or "{}", Path("--vars")).data or {}
    line = Line(
        mesh, written, artifacts, lineage, project, publisher, stand_ins, progress, clock, drifts, freshness,
        {str(name): str(value) for name, value in variables.items()}, watch, guard,
    )  # fmt: skip
    passed = [(name, line.pass_one(name)) for name in plan.build]
    for name, result in passed:
        results.append(_undone(result, undo, ws))
        state[name] = line.built(name, result)
    emission.saw(artifacts, lineage, line.evidence)
    progress("registry")
    publisher.finish()
    if request.publish:
        _write_state(mesh, state)
    return _sorted(results, mesh, project)


def _undone(result: ProductResult, undo: Undo, ws: Workspace) -> ProductResult:
    """Return a result; if the product is not certified, what the run put into tables that grow is taken back."""
    if result.outcome is ProductOutcome.CERTIFIED:
        undo.let_go(result.name)
        return result
    refused = undo.take_back(result.name)
    if refused is None:
        return result
    words = f"its tables are as they were before; those of this run are in {ws.relative(refused)}"
    return replace(result, advice=(*result.advice, words))


def _watch_unchanged(
    mesh: Mesh, results: Iterable[ProductResult], written: Mapping[str, Written]
) -> tuple[list[ProductResult], int]:
    """Measure the service levels of what was not run, and tell whoever is to be told of anything in this run.

    Return the results, with what owners should know, and how many incidents are open.
    """
    watch = Watch(mesh.ws, mesh.now)
    told = []
    for result in results:
        advice: tuple[str, ...] = ()
        if result.outcome is ProductOutcome.UNCHANGED:
            promises = written[result.name].promises
            advice = watch.after_none(mesh.products[result.name], result, promises)
        told.append(replace(result, advice=(*result.advice, *advice)))
    return told, watch.finish(mesh.products)


def _held_back(
    mesh: Mesh,
    plan: Plan,
    project: Project,
    drifts: Mapping[str, Collection[Drift]],
    written: Mapping[str, Written],
) -> dict[str, ProductResult]:
    """Return the products that are not to be built.

    Their sources drifted, they read a port that is closed, or they read a product that is not built for this.
    """
    promises = {name: each.promises for name, each in written.items()}
    held: dict[str, ProductResult] = {}
    for name in plan.build:
        product = mesh.products[name]
        inputs = inputs_of(name, project.crossings, promises, mesh.ws.settings.notice_period, mesh.recorded)
        findings = [
            *findings_of(drifts.get(name, ())),
            *findings_of_inputs(inputs, mesh.today, mesh.ws.relative(product.folder)),
        ]
        result = held_back(product, findings)
        waits_for = sorted(project.upstreams[name] & held.keys())
        if result.reasons:
            held[name] = result
        elif waits_for:
            held[name] = blocked(result, waits_for)
    return held


def _left_as_is(mesh: Mesh, held: Mapping[str, ProductResult]) -> dict[str, Built]:
    """Return what the last run knew of products that were not built now, so that the next run tries again."""
    return {
        name: replace(mesh.state[name], outcome=str(result.outcome))
        for name, result in held.items()
        if name in mesh.state
    }


def _write_state(mesh: Mesh, state: Mapping[str, Built]) -> None:
    write_state(mesh.ws, {name: built for name, built in state.items() if name in mesh.products})


def _sorted(results: Iterable[ProductResult], mesh: Mesh, project: Project) -> list[ProductResult]:
    order = in_order(mesh.products, project.upstreams)
    return sorted(results, key=lambda result: order.index(result.name))


def _unchanged(mesh: Mesh, product: Product) -> ProductResult:
    result = unchanged(product, mesh.state[product.name])
    told = rolled_back_words(mesh.ws.registry, product.domain, product.name)
    return replace(result, advice=(*result.advice, *told))


def _left_alone(mesh: Mesh, plan: Plan) -> list[ProductResult]:
    return [
        *(_unchanged(mesh, mesh.products[name]) for name in plan.unchanged),
        *(paused(mesh.products[name], mesh.paused[name]) for name in plan.paused),
    ]


def _written(products: Mapping[str, Product], ws: Workspace) -> dict[str, Written]:
    """Read all that people wrote before anything runs, so that every mistake in it is told at once."""
    found: dict[str, Written] = {}
    problems: list[FactoryError] = []
    for name, product in products.items():
        try:
            read_notify(product, ws.settings)
            found[name] = Written(read_promises(product), read_checks(product))
        except FactoryError as problem:
            problems.append(problem)
    raise_all(problems)
    return found


def refuse_cycles(project: Project, products: Mapping[str, Product]) -> None:
    """Refuse products that read each other in a ring.

    Raises:
        DbtError: there is such a ring; names the first read of it.

    """
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
