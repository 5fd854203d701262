"""What a run has to do: which products were asked for, and which of them something has changed for.

Takes the request, the state of the last run and, once dbt has parsed the project, who reads whom; gives a
`Plan`; reads the pointers of published ports.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from factory.build import Project, SourceAge
from factory.changes import Built, Prints, changed_since, external_changed, wants_freshness, with_code
from factory.lifecycle import Life
from factory.products import Product
from factory.registry import Registry, current_snapshot
from factory.registry.ports import readable
from factory.selection import downstreams, in_order, reach, select
from factory.umbrella import is_embedded
from factory.workspace import Workspace

Freshness = Callable[[Iterable[str]], Mapping[str, SourceAge]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a person or CI asks for.

    Attributes:
        names: products with dbt's marks; none means all.
        publish: publish what is certified.
        full: run everything, changed or not.
        changed_since: a git revision; only what differs from it, and what reads that, is run.
        variables: dbt's `--vars`, as YAML.
        environment: the environment variables of the command.
        now: the moment of the run, which decides about lives and certificates.
        openlineage: where to tell OpenLineage of the run; empty for what the settings say, if the run publishes.
    """

    names: tuple[str, ...] = ()
    publish: bool = True
    full: bool = False
    changed_since: str = ""
    variables: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    openlineage: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        build: products to build, each behind those that it reads.
        unchanged: products that were asked for and need not run.
        paused: products that were asked for and are left alone.
        everything: every product of the workspace is built.
    """

    build: tuple[str, ...]
    unchanged: tuple[str, ...]
    everything: bool
    paused: tuple[str, ...] = ()

    def without(self, names: Collection[str]) -> Plan:
        """Return the plan with some products left out of the build."""
        if not names:
            return self
        build = tuple(name for name in self.build if name not in names)
        return replace(self, build=build, everything=False)


@dataclass(frozen=True, slots=True)
class Mesh:
    """All products of a workspace, and what was known of them before this run.

    Attributes:
        ws: where they lie.
        products: by name.
        state: what the last run left, by name.
        prints: what they are now, by name.
        now: the moment of the run.
        due: products with a port that is closed, and was not when they were last run.
        paused: products that are left alone, and why.
        recorded: lives of contracts that later records deprecated or retired, by product, contract and major.
    """

    ws: Workspace
    products: Mapping[str, Product]
    state: Mapping[str, Built]
    prints: Mapping[str, Prints]
    now: datetime
    due: frozenset[str] = frozenset()
    paused: Mapping[str, str] = field(default_factory=dict)
    recorded: Mapping[tuple[str, str, int], Life] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day of the run, in UTC."""
        return self.now.astimezone(UTC).date()

    def print_of(self, name: str) -> str:
        """Return a product's fingerprint, with the macros that the last run saw it use."""
        return with_code(name, self.prints, self.state[name].code_upstreams)


def needs_dbt(mesh: Mesh, request: Request) -> bool:
    """Say whether dbt has to be started at all: no, where every chosen product is as the last run left it."""
    products, state = mesh.products, mesh.state
    if request.full or not products or not products.keys() <= state.keys():
        return bool(products)
    if any(state[name].fingerprint != mesh.print_of(name) for name in products):
        return True  # who reads whom may have changed with it
    if (
        not {u for name in products for u in (*state[name].upstreams, *state[name].code_upstreams)}
        <= products.keys()
    ):
        return True  # a product that others read is gone: dbt says where
    plan = plan_run(mesh, request)
    return bool(plan.build) or any(wants_freshness(state[name]) for name in plan.unchanged)


def plan_run(
    mesh: Mesh, request: Request, project: Project | None = None, freshness: Freshness | None = None
) -> Plan:
    """Return what the request comes to. Without a parsed project, who reads whom is what the last run knew."""
    ws, products, state = mesh.ws, mesh.products, mesh.state
    if project is not None:
        upstreams: Mapping[str, Collection[str]] = project.upstreams
    else:
        upstreams = {name: state[name].upstreams for name in products if name in state}
    chosen = select(request.names, products, upstreams)
    if request.changed_since:
        changed = changed_since(ws, request.changed_since, products.values())
        if changed is not None:
            chosen &= reach(changed, downstreams(upstreams))
    paused = chosen & mesh.paused.keys()
    chosen -= paused
    loaded: Mapping[str, SourceAge] = {}
    if freshness is not None:
        asked = sorted(name for name in chosen if name in state and wants_freshness(state[name]))
        loaded = freshness(asked) if asked else {}
    build: set[str] = set()
    for name in in_order(chosen, upstreams):
        if (
            request.full
            or any(upstream in build for upstream in upstreams.get(name, ()))
            or not _is_as_left(mesh, name, loaded, freshness is not None)
        ):
            build.add(name)
    if request.changed_since:
        missing = _unpublished(ws, build, products, upstreams) - mesh.paused.keys()
        build |= missing
        chosen |= missing
    ordered = in_order(chosen, upstreams)
    return Plan(
        build=tuple(name for name in ordered if name in build),
        unchanged=tuple(name for name in ordered if name not in build),
        everything=build == set(products),
        paused=tuple(in_order(paused, upstreams)),
    )


def _unpublished(
    ws: Workspace,
    build: Collection[str],
    products: Mapping[str, Product],
    upstreams: Mapping[str, Collection[str]],
) -> set[str]:
    """Return what has to be built along, since it is read and was never published (a fresh clone, in CI)."""
    if not is_embedded(ws):
        return set()
    missing: set[str] = set()
    waiting = list(build)
    while waiting:
        for upstream in upstreams.get(waiting.pop(), ()):
            known = upstream in build or upstream in missing
            if not known and not readable(ws, products[upstream].domain, upstream):
                missing.add(upstream)
                waiting.append(upstream)
    return missing


def _is_as_left(mesh: Mesh, name: str, loaded: Mapping[str, SourceAge], asked: bool) -> bool:
    """Say whether a product needs no run: certified and published as it is now, and still valid.

    `loaded` is what dbt's freshness says, if it was `asked`.
    """
    built = mesh.state.get(name)
    if built is None or built.outcome not in ("certified", "unchanged"):
        return False
    if built.fingerprint != mesh.print_of(name) or mesh.due & {name, *built.upstreams}:
        return False
    if built.stale_at and mesh.now >= datetime.fromisoformat(built.stale_at):
        return False
    if (asked or not wants_freshness(built)) and external_changed(built, loaded, mesh.ws):
        return False
    return _is_published(mesh, mesh.products[name], built) and _inputs_are(mesh, built)


def _is_published(mesh: Mesh, product: Product, built: Built) -> bool:
    ws = mesh.ws
    registry = Registry(ws)
    for key, version in built.contracts.items():
        contract, major = key.rsplit("/", 1)
        pointer = current_snapshot(ws, product.domain, product.name, contract, int(major))
        if is_embedded(ws) and pointer.get("snapshot") != built.snapshots.get(key):
            left = registry.standing(product.domain, product.name).left.get(key)
            if not pointer or left is None or left.what != (version, built.snapshots.get(key)):
                return False  # else it was rolled back, and this would only bring it back
        if registry.is_yanked(product, contract, version):
            return False  # the run says so
        expires = registry.expires(product, contract, version)
        if expires is None or expires <= mesh.now or not registry.is_whole(product, contract, version):
            return False
    return bool(built.contracts) and registry.published_product(product, built.version) is not None


def _inputs_are(mesh: Mesh, built: Built) -> bool:
    """Say whether the ports that a product read are the ones that it would read now, a new major included."""
    now: dict[str, str] = {}
    for upstream in built.upstreams:
        now |= readable(mesh.ws, mesh.products[upstream].domain, upstream)
    return now == dict(built.inputs)
