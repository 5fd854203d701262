"""Where columns come from and where they go: of this workspace, or of any dbt projects.

Takes a workspace, or the artifacts of projects; gives `Paths`, and text for people.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from factory.artifacts import Artifacts, read_artifacts, read_manifest
from factory.errors import DbtError, RegistryError
from factory.files import within
from factory.lineage import Cache, Lineage, ModelTrace, stitch, trace_graph
from factory.lineage.formats import lineage_from
from factory.lineage.graph import DIRECT
from factory.lineage.paths import ROWS, Address, LineageError, Paths, Step, version_name
from factory.workspace import Workspace


def paths_of_workspace(
    ws: Workspace, *, dialect: str = "", cached: bool = True, published_first: bool = False
) -> Paths:
    """Return the lineage of what was built last in this workspace.

    What the last build did not compile is taken from what is published; with `published_first`, all that is published
    is.

    Raises:
        DbtError: nothing was built yet.

    """
    if not (ws.artifacts / "manifest.json").is_file():
        raise DbtError(
            "nothing was built here yet",
            hint="build first with: factory build; or name the manifest of any dbt project with --manifest",
        )
    found = _paths(
        [read_artifacts(ws.artifacts)], dialect, Cache(ws.work / "lineage.cache" if cached else None)
    )
    models = dict(found.lineage.models)
    elsewhere = set()
    for unique_id, trace in published_lineage(ws).items():
        built = models.get(unique_id)
        if unique_id not in found.graph.nodes and not published_first:
            continue  # its product is gone
        if published_first or built is None or built.unknown:
            models[unique_id] = trace
            if built is None or built.columns != trace.columns or built.influences != trace.influences:
                elsewhere.add(unique_id)
    return Paths(found.graph, Lineage(models), frozenset(elsewhere))


def published_lineage(ws: Workspace) -> dict[str, ModelTrace]:
    """Return the lineage that was published with the current contracts, by dbt's unique id of the model."""
    from factory.registry import LINEAGE_FILE, read_index  # of no use to projects without a workspace

    found: dict[str, ModelTrace] = {}
    for entry in read_index(ws)["products"]:
        for contract in entry["contracts"]:
            file = within(ws.registry, contract["path"]).parent / LINEAGE_FILE
            try:
                found |= lineage_from(json.loads(file.read_bytes())).models
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise RegistryError(
                    f"published lineage cannot be read: {type(error).__name__}: {error}",
                    where=file,
                    hint="restore the version's folder from git or a backup",
                ) from error
    return found


def paths_of_manifests(
    manifests: Sequence[Path], catalogs: Sequence[Path] = (), *, dialect: str = "", cached: bool = True
) -> Paths:
    """Return the lineage of dbt projects by their artifacts, stitched where one builds what another one reads.

    Args:
        manifests: the manifest.json of each project.
        catalogs: their catalog.json, in the same order; where none is given, the one beside the manifest, if there is.
        dialect: the dialect of the SQL; empty for that of each manifest's adapter.
        cached: keep what is found in the user's cache folder, for the next time.

    Raises:
        DbtError: a file is not what it should be.
        LineageError: there are more catalogs than manifests.

    """
    if len(catalogs) > len(manifests):
        raise LineageError(
            f"more catalogs ({len(catalogs)}) than manifests ({len(manifests)})",
            hint="give one --catalog per --manifest, in order",
        )
    projects: list[Artifacts] = []
    for number, manifest in enumerate(manifests):
        file = manifest / "manifest.json" if manifest.is_dir() else manifest
        given = catalogs[number] if number < len(catalogs) else None
        if given is not None and not given.is_file():
            raise LineageError("there is no catalog", where=given)
        project = read_manifest(file, given or file.parent / "catalog.json")
        if not project.relations and not project.dbt_version:
            raise DbtError(
                "this is not a manifest of dbt", where=file, hint="it is target/manifest.json of a project"
            )
        if project.written_as not in ("", "manifest"):
            what = f"this is dbt's {project.written_as}, not its manifest"
            raise DbtError(what, where=file, hint="name the manifest.json beside it")
        projects.append(project)
    return _paths(projects, dialect, Cache(_cache_file(projects) if cached else None))


def _paths(projects: Sequence[Artifacts], dialect: str, cache: Cache) -> Paths:
    graph = stitch(projects, dialect)
    return Paths(graph, trace_graph(graph, cache=cache))


def _cache_file(projects: Sequence[Artifacts]) -> Path:
    """Return where findings about these projects are kept: a file per set of projects, wherever they lie."""
    names = "\n".join(sorted(project.project for project in projects))
    name = hashlib.blake2b(names.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return Path(platformdirs.user_cache_dir("data-product-factory")) / "lineage" / f"{name}.cache"


# Text for people


def tree_as_text(paths: Paths, steps: Sequence[Step], width: int = 0) -> str:
    """Return a tree with the expression at each step and the borders of products marked; `width` 0 cuts nothing."""
    lines: list[str] = []
    above: list[Step] = []
    for number, step in enumerate(steps):
        del above[step.level :]
        product = _product(paths, step.address)
        border = bool(above) and product != _product(paths, above[-1].address)
        label = _label(paths, step.address, with_product=not above)
        head = _branches(steps, number) + (f"[{product}] " if border else "") + label
        lines.append(_fitted(head, _told(step), width))
        above.append(step)
    return "\n".join(lines)


def _told(step: Step) -> str:
    words: list[str] = []
    if step.kind not in ("", DIRECT[0], ROWS):
        words.append(step.kind.lower().replace("_", " ") + (": " + step.clause if step.clause else ""))
    if step.masking:
        words.append("masked")
    if step.expression:
        words.append(f"= {step.expression}")
    if step.again:
        words.append("(see above)")
    if step.cut:
        words.append("…")
    if step.note:
        words.append(f"({step.note})")
    return "  ".join(" ".join(word.split()) for word in words)


def _fitted(head: str, told: str, width: int) -> str:
    room = width - len(head) - 2
    if width and len(told) > max(room, 20):
        told = told[: max(room, 20) - 1] + "…"
    return f"{head}  {told}".rstrip()


def _branches(steps: Sequence[Step], number: int) -> str:
    """Return the lines in front of a step: whether more follows at each level above it."""
    step = steps[number]
    if not step.level:
        return ""
    open_: set[int] = set()
    level = step.level
    for later in steps[number + 1 :]:
        if later.level <= level:
            open_.add(later.level)
            level = later.level
        if level == 0 or 1 in open_:
            break
    front = "".join("│  " if at in open_ else "   " for at in range(1, step.level))
    return front + ("├─ " if step.level in open_ else "└─ ")


def _product(paths: Paths, address: Address) -> str:
    node = paths.graph.nodes.get(address.relation)
    return node.relation.package if node is not None else ""


def _label(paths: Paths, address: Address, *, with_product: bool) -> str:
    node = paths.graph.nodes.get(address.relation)
    name = version_name(node.relation) if node is not None else address.relation
    product = f"{node.relation.package}." if node is not None and with_product else ""
    return f"{product}{name}.{address.column}" if address.column else f"{product}{name} (rows)"


def summary_as_text(paths: Paths, width: int = 100) -> str:
    """Return how much of the lineage is known, and what is not, with the reasons."""
    traces = paths.lineage.models
    columns = sum(len(trace.columns) for trace in traces.values())
    traced = sum(trace.traced for trace in traces.values())
    products = {node.relation.package for unique_id, node in paths.graph.nodes.items() if unique_id in traces}
    direct = sum(s.direct for trace in traces.values() for c in trace.columns for s in c.sources)
    indirect = sum(not s.direct for trace in traces.values() for c in trace.columns for s in c.sources)
    indirect += sum(len(trace.influences) for trace in traces.values())
    packages = f"{len(products):,} dbt package{'s' if len(products) != 1 else ''}"
    known = f"{len(traces):,} models of {packages}, {columns:,} columns: {traced:,} traced, "
    lines = [f"{known}{columns - traced:,} unknown. {direct:,} direct and {indirect:,} indirect edges."]
    worst = [trace for trace in traces.values() if trace.traced < len(trace.columns)]
    lines += [_unknown_line(trace, width) for trace in sorted(worst, key=lambda t: t.relation)]
    hidden = [(trace.relation, table) for trace in traces.values() for table in trace.hidden]
    lines += [
        f"{relation} reads {table}, which is no ref() or source()" for relation, table in sorted(hidden)
    ]
    lines.append("Ask about a column: factory lineage PRODUCT.MODEL.COLUMN --up, or --down")
    return "\n".join(lines)


def _unknown_line(trace: ModelTrace, width: int) -> str:
    if trace.unknown:
        text = f"{trace.relation}: {trace.unknown}"
    else:
        first = next(column for column in trace.columns if column.unknown)
        count = len(trace.columns) - trace.traced
        text = f"{trace.relation}: {trace.traced} of {len(trace.columns)} columns traced; "
        text += f"{first.column}: {first.unknown}"
        text += f", and {count - 1} more" if count > 1 else ""
    return text if len(text) <= 3 * width else text[: 3 * width - 1] + "…"
