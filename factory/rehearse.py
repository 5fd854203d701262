"""Rehearse a change: build the direct consumers of a product against what it is in the working tree now.

Takes a product's name; gives how each product comes out that reads its output ports; runs dbt and checks in a
scratch folder below `target/` that is gone afterwards. Nothing published and nothing of the target's own state is
touched, and no lock is held: the published tables that are read are held on to, whatever is published meanwhile.

The product reads its own inputs through their published ports, and so do its consumers for all else that they
read. Every model is built from nothing, so incremental models and snapshots have no past here.
"""

from __future__ import annotations

import enum
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.artifacts import read_artifacts
from factory.build import Dbt, Project
from factory.changes import fingerprints, read_state
from factory.clock import Clock, Progress
from factory.contract import read_checks, read_promises
from factory.drift import find_drifts
from factory.errors import DbtError, FactoryError, QualityError, RegistryError, WorkspaceError
from factory.evidence import Evidence, Finding, Severity
from factory.files import scratch_folder, told_as
from factory.guard import Guard, guard_of
from factory.lineage import trace_columns
from factory.passage import Line, Written
from factory.pipeline import refuse_cycles
from factory.plan import Mesh, Request
from factory.policies.built import built
from factory.policies.compatible import compatible
from factory.policies.sourced import findings_of
from factory.policies.tested import tested
from factory.products import Product, discover
from factory.publish import Publisher
from factory.registry.ports import readable
from factory.results import EXIT_DONE, EXIT_INPUT, EXIT_REFUSED
from factory.selection import downstreams, in_order, select
from factory.umbrella import is_embedded, sync, write_run_profile
from factory.verdict import held_back
from factory.workspace import Workspace

_GOOD = ("success", "pass", "no-op")
_PARSED = "partial_parse.msgpack"


class Outcome(enum.StrEnum):
    """How a rehearsal went, for one product or as a whole."""

    PASSES = "passes"
    BREAKS = "breaks"
    NOT_BUILT = "not built"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How one product came out.

    Attributes:
        name: the product.
        outcome: for a consumer passes, breaks or not built; for the product itself passes, refused, or not built.
        reasons: why it does not pass, a line each.
        advice: what its owner should know all the same, such as a contract that would change.
        exit_code: what this product alone makes of the command's exit code.
    """

    name: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    exit_code: int = EXIT_DONE


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a product and its direct consumers came out.

    Attributes:
        product: the product itself.
        consumers: each direct consumer, in order of dependency.
    """

    product: Rehearsed
    consumers: tuple[Rehearsed, ...]

    @property
    def outcome(self) -> Outcome:
        """The whole: refused (the product itself), else breaks, else not built, else passes."""
        found = {self.product.outcome, *(consumer.outcome for consumer in self.consumers)}
        order = (Outcome.REFUSED, Outcome.BREAKS, Outcome.NOT_BUILT)
        return next((outcome for outcome in order if outcome in found), Outcome.PASSES)

    @property
    def exit_code(self) -> int:
        """The gravest code among the products."""
        return max(each.exit_code for each in (self.product, *self.consumers))


def rehearse(ws: Workspace, name: str, request: Request, progress: Progress) -> Rehearsal:
    """Build a product and its direct consumers in a scratch folder; return how each came out.

    Of the request only `variables` and `environment` count. Raises:
        ProductError: there is no such product.
        RegistryError: it reads a product that is not published.
        FactoryError: the input or the set-up is wrong, so that nothing could be judged.

    """
    if not is_embedded(ws):
        raise WorkspaceError(
            f"the target {ws.target} is not the embedded DuckDB, so there is no scratch database for it",
            hint="choose another target, such as --target ci",
        )
    products = {product.name: product for product in discover(ws)}
    select((name,), products, {})
    sync(ws, products.values())
    with scratch_folder(ws.root / "target", ".consumers-") as scratch:
        stage = _Stage.set_up(replace(ws, scratch=scratch), products, request, progress)
        try:
            return _rehearse(stage, name)
        finally:
            stage.dbt.close()


def _rehearse(stage: _Stage, name: str) -> Rehearsal:
    try:
        project = stage.dbt.parse(stage.mesh.products)
    except DbtError as error:
        told = _cannot_read(error, name, stage.mesh)
        if told is None:
            raise
        return told
    refuse_cycles(project, stage.mesh.products)
    consumers = in_order(downstreams(project.upstreams)[name], project.upstreams)
    if not consumers:
        return Rehearsal(Rehearsed(name, Outcome.PASSES), ())
    drifted = _drifted(stage.mesh, name, consumers, project)
    if drifted is not None:
        return drifted
    stage.open_ports(name, project.upstreams[name])
    (evidence,) = stage.build((name,), project).values()
    results = _without_input(name, consumers, evidence, project)
    for wave in _waves([each for each in consumers if each not in results], project):
        ready = []
        for consumer in wave:
            try:
                stage.open_ports(consumer, project.upstreams[consumer])
                ready.append(consumer)
            except RegistryError as error:
                results[consumer] = _missing(consumer, error)
        for consumer, found in stage.build(ready, project).items():
            results[consumer] = _consumer(consumer, found)
    return Rehearsal(_product(name, evidence), tuple(results[consumer] for consumer in consumers))


@dataclass
class _Stage:
    """The scratch workspace, and what has been built in it so far."""

    mesh: Mesh
    dbt: Dbt
    progress: Progress
    guard: Guard = field(default_factory=Guard)
    built: list[str] = field(default_factory=list)
    stand_ins: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def set_up(
        cls, ws: Workspace, products: Mapping[str, Product], request: Request, progress: Progress
    ) -> _Stage:
        """Prepare a scratch workspace; what dbt has parsed before is taken along, so that it is fast."""
        own = replace(ws, scratch=None)
        with told_as(WorkspaceError, "preparing a scratch folder", ws.work):
            ws.artifacts.mkdir(parents=True)
            ws.duckdb.mkdir(parents=True)
        with suppress(OSError):  # only a cache, and another run may be writing it
            shutil.copyfile(own.artifacts / _PARSED, ws.artifacts / _PARSED)
        progress("parse", f"{len(products)} products")
        # dbt parses everything anew for another list of files to attach; it does not open them yet.
        profile = write_run_profile(own, products, {}, ws.work / "profile")
        prints = fingerprints(own, products.values(), request.environment, request.variables)
        return cls(
            Mesh(ws, products, read_state(own), prints, request.now),
            Dbt(ws, profile, request.variables, lambda node, status: progress("build", f"{node} {status}")),
            progress,
            guard_of(own, products.values(), request.environment, request.variables),
        )

    def open_ports(self, name: str, upstreams: Collection[str]) -> None:
        """Let published ports stand in for what a product reads, but for what was built here and is not published.

        Raises:
            RegistryError: something is neither published nor built here.

        """
        ws, products = self.mesh.ws, self.mesh.products
        changed = self.built[:1]  # the product that this is about
        wanted = {
            upstream
            for upstream in upstreams
            if upstream not in changed
            and (upstream not in self.built or readable(ws, products[upstream].domain, upstream))
        }
        self.stand_ins |= Publisher(ws, publish=False).stand_ins((name,), {name: wanted}, products)

    def build(self, names: Collection[str], project: Project) -> dict[str, Evidence | QualityError]:
        """Build products in the scratch folder; return all that is known of each, or why its checks cannot run."""
        if not names:
            return {}
        ws, products = self.mesh.ws, self.mesh.products
        self.built += names
        stand_ins = {name: file for name, file in self.stand_ins.items() if name not in names}
        write_run_profile(
            ws, [*(each for each in self.built if each not in stand_ins), *stand_ins], stand_ins
        )
        self.dbt.build(names, everything=False)
        self.dbt.catalog(names, everything=False)
        self.dbt.close()
        artifacts = read_artifacts(ws.artifacts)
        written = {
            each: Written(read_promises(products[each]), read_checks(products[each])) for each in names
        }
        line = Line(
            self.mesh,
            written,
            artifacts,
            self.guard.lineage(trace_columns(artifacts, names)),
            project,
            Publisher(ws, publish=False),
            stand_ins,
            self.progress,
            Clock(),
            guard=self.guard,
        )
        found: dict[str, Evidence | QualityError] = {}
        for name in names:
            self.progress("certify", name)
            try:
                found[name] = line.assess(products[name])
            except QualityError as error:
                found[name] = error
        return found


def _waves(names: Iterable[str], project: Project) -> list[list[str]]:
    """Return products in groups in which nobody reads another; each stands behind those that it reads."""
    level: dict[str, int] = {}
    waves: list[list[str]] = []
    for name in names:
        level[name] = max((level[each] + 1 for each in project.upstreams[name] if each in level), default=0)
        waves += [[]] if level[name] == len(waves) else []
        waves[level[name]].append(name)
    return waves


def _product(name: str, found: Evidence | QualityError) -> Rehearsed:
    findings = _findings(found)
    if not findings:
        return Rehearsed(name, Outcome.PASSES)
    code = EXIT_INPUT if any(finding.input_fault for finding in findings) else EXIT_REFUSED
    return Rehearsed(name, Outcome.REFUSED, tuple(finding.words() for finding in findings), exit_code=code)


def _consumer(name: str, found: Evidence | QualityError) -> Rehearsed:
    findings = _findings(found)
    advice = () if isinstance(found, QualityError) else tuple(each.words() for each in compatible(found))
    if not findings:
        return Rehearsed(name, Outcome.PASSES, (), advice)
    return Rehearsed(
        name, Outcome.BREAKS, tuple(each.words() for each in findings), advice, exit_code=EXIT_REFUSED
    )


def _findings(found: Evidence | QualityError) -> tuple[Finding, ...]:
    """Return what failed: models, tests and checks. What a contract lacks is not asked for here."""
    if isinstance(found, QualityError):
        return (Finding("tested", Severity.BLOCKS, found.message, hint=found.hint),)
    failed = (*built(found), *tested(replace(found, contracts=())))
    return tuple(dict.fromkeys(each for each in failed if each.severity is Severity.BLOCKS))


def _without_input(
    name: str, consumers: Collection[str], found: Evidence | QualityError, project: Project
) -> dict[str, Rehearsed]:
    """Return the consumers that cannot be built, since what they read of the product could not be built."""
    runs = () if isinstance(found, QualityError) else found.runs
    lost = {run.name for run in runs if run.status not in _GOOD}
    results = {}
    for consumer in consumers:
        read = {c.upstream_name for c in project.crossings if c.product == consumer and c.upstream == name}
        if read & lost:
            reason = f"it reads {name}.{min(read & lost)}, which could not be built"
            results[consumer] = Rehearsed(consumer, Outcome.NOT_BUILT, (reason,))
    return results


def _drifted(mesh: Mesh, name: str, consumers: Iterable[str], project: Project) -> Rehearsal | None:
    """Return what it means that the product's sources are not as declared, or None where they are."""
    drifts = find_drifts(replace(mesh.ws, scratch=None), [mesh.products[name]], project.inputs)
    result = held_back(mesh.products[name], findings_of(drifts.get(name, ())))
    if not result.reasons:
        return None
    why = (f"it reads {name}, whose sources are not as it declares them",)
    return Rehearsal(
        Rehearsed(name, Outcome.REFUSED, result.reasons, result.advice, result.exit_code),
        tuple(Rehearsed(consumer, Outcome.NOT_BUILT, why) for consumer in consumers),
    )


def _missing(name: str, error: FactoryError) -> Rehearsed:
    reason = error.message + (f" ({error.hint})" if error.hint else "")
    return Rehearsed(name, Outcome.NOT_BUILT, (reason,), exit_code=EXIT_INPUT)


def _cannot_read(error: DbtError, name: str, mesh: Mesh) -> Rehearsal | None:
    """Return what it means that dbt cannot read a file of a consumer: what it names of the product is gone.

    dbt tells the first such file only, so the other consumers (as the last run knew them) are not built. None, if
    it is something else.
    """
    where = error.where
    if where is None or not re.search(rf"['. ]{name}['.]", error.message):
        return None
    broken = next((p.name for p in mesh.products.values() if where.is_relative_to(p.folder)), name)
    if broken == name:
        return None
    place = error.place(mesh.ws.root)
    reason = f"{place}: {error.message}" + (f" ({error.hint})" if error.hint else "")
    results = [Rehearsed(broken, Outcome.BREAKS, (reason,), exit_code=EXIT_REFUSED)]
    for other, state in sorted(mesh.state.items()):
        if name in state.upstreams and other != broken and other in mesh.products:
            waits = f"dbt can read the products only when {broken} is mended"
            results.append(Rehearsed(other, Outcome.NOT_BUILT, (waits,)))
    return Rehearsal(Rehearsed(name, Outcome.NOT_BUILT), tuple(results))
