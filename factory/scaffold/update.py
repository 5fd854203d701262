"""How products follow the template: where each stands, and what an update does to it.

Takes a workspace and names of products; gives a `Standing` or an `Update` for each; writes into products only when
all of them were worked out in a scratch folder.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

from factory.errors import FactoryError, ProductError, WorkspaceError, raise_all
from factory.files import told_as, write_whole
from factory.git import git, lines, repository_of, uncommitted
from factory.locking import locked
from factory.scaffold.merge import Desk, File, Merged, files_below, keepers, same
from factory.scaffold.template import (
    ANSWERS_FILE,
    Template,
    TemplateError,
    open_template,
    questions_of,
    read_answers,
    render,
    sign,
)
from factory.workspace import Workspace

# A worker costs the import of Copier, half a second, before it is of use.
_JOBS_PER_WORKER = 4
_MOST_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a product stands with regard to its template.

    Attributes:
        name: the product's folder below products/.
        state: current, behind, ahead (newer than the newest version), unmanaged (it remembers no template) or lost
            (what it remembers cannot be found).
        version: the template's version that the product remembers, or empty.
        latest: the newest version, or empty.
        behind: how many versions changed the template since.
        changed: files of the template that a person changed, or removed.
        touches: files that an update would change.
        conflicts: why, by path, where an update could not decide.
        kept: files that the template changed and the product keeps to itself (`.template-keep`).
        reason: why the state is unmanaged or lost, and what to do.
    """

    name: str
    state: str
    version: str = ""
    latest: str = ""
    behind: int = 0
    changed: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    conflicts: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A product's standing, and what an update would write."""

    standing: Standing
    folder: Path
    merged: Merged | None = None
    answers: bytes = b""


def template_status(ws: Workspace, names: Sequence[str] = ()) -> tuple[Standing, ...]:
    """Return where products stand, all or the named ones, sorted by name. Writes nothing.

    Raises:
        FactoryError: a name is no product, or git is missing.

    """
    with _scratch() as scratch:
        return tuple(plan.standing for plan in _plans(ws, names, scratch))


def template_update(ws: Workspace, names: Sequence[str] = ()) -> tuple[Standing, ...]:
    """Bring what is new in the template into products, all or the named ones; return what was done.

    A product's state is `updated` where something was written, else as for `template_status`. Hand edits stay; where
    a person and the template changed the same lines, both stand in the file between conflict markers. Raises:
        FactoryError: a product has uncommitted changes, a name is no product, an answer is no longer allowed.

    """
    with locked(ws), _scratch() as scratch:
        folders = _folders(ws, names)
        _refuse_uncommitted(ws, folders)
        plans = _plans(ws, names, scratch)
        for plan in plans:
            if plan.standing.state == "behind":
                _write(plan)
    return tuple(_done(plan.standing) for plan in plans)


def _done(standing: Standing) -> Standing:
    return replace(standing, state="updated", behind=0) if standing.state == "behind" else standing


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="factory-") as folder:
        yield Path(folder).resolve()


def _folders(ws: Workspace, names: Sequence[str]) -> list[Path]:
    there = (
        {f.name: f for f in sorted(ws.products.iterdir()) if f.is_dir() and not f.name.startswith((".", "_"))}
        if ws.products.is_dir()
        else {}
    )
    # Shells complete `products/orders/`, so that is understood, too.
    wanted = [name.rstrip("/").removeprefix("products/") for name in names]
    unknown = [name for name in wanted if name not in there]
    if unknown:
        hint = f"products here: {', '.join(there) or 'none'}"
        raise ProductError(f"there is no product {unknown[0]!r}", where=ws.products, hint=hint)
    return [there[name] for name in dict.fromkeys(wanted)] if wanted else list(there.values())


def _refuse_uncommitted(ws: Workspace, folders: Iterable[Path]) -> None:
    if repository_of(ws.root) is None:
        raise WorkspaceError(
            "an update needs git, and the workspace is in no git repository",
            where=ws.root,
            hint="git init, commit and tag; then products can follow the template",
        )
    problems: list[FactoryError] = []
    for folder in folders:
        dirty = uncommitted(folder)
        if dirty:
            shown = ", ".join(Path(path).name for path in dirty[:3]) + ("" if len(dirty) <= 3 else ", …")
            problems.append(
                ProductError(
                    f"{folder.name} has uncommitted changes ({shown})",
                    where=folder,
                    hint="commit or stash them: then an update can be undone with git",
                )
            )
    raise_all(problems)


@dataclass(frozen=True, slots=True)
class _Case:
    """A product and the versions of the template between which it stands."""

    folder: Path
    template: Template
    version: str
    newer: tuple[str, ...]
    room: Path


def _plans(ws: Workspace, names: Sequence[str], scratch: Path) -> list[_Plan]:
    known = _Templates(ws, scratch)
    cases: list[_Case | Standing] = []
    problems: list[FactoryError] = []
    for number, folder in enumerate(_folders(ws, names)):
        try:
            cases.append(known.case(folder, scratch / str(number)))
        except FactoryError as problem:
            problems.append(problem)
    raise_all(problems)
    _stamp([case for case in cases if isinstance(case, _Case)], scratch)
    desk = Desk(scratch)
    return [_compare(ws, case, desk) if isinstance(case, _Case) else _Plan(case, Path()) for case in cases]


class _Templates:
    """The templates of a workspace's products; each is opened, and asked for its versions, once."""

    def __init__(self, ws: Workspace, scratch: Path) -> None:
        self._ws = ws
        self._scratch = scratch
        self._found: dict[str, Template | str] = {}
        self._newer: dict[tuple[str, str], tuple[str, ...] | None] = {}

    def case(self, folder: Path, room: Path) -> _Case | Standing:
        """Return what there is to compare for a product, or why there is nothing."""
        name = folder.name
        answers = read_answers(folder)
        address, version = str(answers.get("_src_path") or ""), str(answers.get("_commit") or "")
        adopt = f"`factory template adopt {name}`"
        if not answers:
            reason = f"it has no {ANSWERS_FILE}: it was not made from a template; {adopt} lets it follow one"
            return Standing(name, "unmanaged", reason=reason)
        if not version or not address:
            reason = f"its {ANSWERS_FILE} names no version of a template; {adopt} gives it one"
            return Standing(name, "unmanaged", reason=reason)
        template = self._template(address)
        if isinstance(template, str):
            return Standing(name, "lost", version, reason=template)
        if not template.knows(version):
            version = template.with_tree(str(answers.get("_tree") or "")) or version
        newer = self._newer_than(template, version)
        if newer is None:
            reason = (
                f"this clone does not know the version {version} of the template; fetch it "
                f"(git fetch --tags --unshallow), or begin anew: {adopt}"
            )
            return Standing(name, "lost", version, template.latest, reason=reason)
        return _Case(folder, template, version, newer, room)

    def _template(self, address: str) -> Template | str:
        if address not in self._found:
            try:
                template = open_template(self._ws, address, self._scratch)
                missing = "its template is in no git repository, so it has no versions; commit and tag it"
                self._found[address] = template if template.is_repository else missing
            except TemplateError as error:
                self._found[address] = error.message
        return self._found[address]

    def _newer_than(self, template: Template, version: str) -> tuple[str, ...] | None:
        key = (template.address, version)
        if key not in self._newer:
            self._newer[key] = template.newer_than(version) if template.knows(version) else None
        return self._newer[key]


def _stamp(cases: Sequence[_Case], scratch: Path) -> None:
    """Stamp every product as it was made, and as it would be made now, on all processors."""
    jobs = []
    for case in cases:
        versions = {"stamped": case.version, **({"wanted": case.template.latest} if case.newer else {})}
        for room, version in versions.items():
            jobs.append((case.template.export(version, scratch), case.room / room, case.folder))
    workers = min(os.cpu_count() or 1, _MOST_WORKERS, len(jobs) // _JOBS_PER_WORKER)
    if workers < 2:
        problems = [_stamp_one(job) for job in jobs]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            problems = list(pool.map(_stamp_one, jobs, chunksize=2))
    raise_all([problem for problem in problems if problem is not None])


def _stamp_one(job: tuple[Path, Path, Path]) -> FactoryError | None:
    """Stamp a template (the job's first) into a folder (the second) with the answers of a product (the third)."""
    source, into, product = job
    into.mkdir(parents=True)
    # Copier takes the last answers from the file that lies there, those to questions of former names, too. Given once
    # more they are held to what is allowed now, instead of being dropped where they are not.
    into.joinpath(ANSWERS_FILE).write_bytes((product / ANSWERS_FILE).read_bytes())
    try:
        asked = questions_of(source)
        render(source, into, {key: value for key, value in read_answers(product).items() if key in asked})
    except FactoryError as error:
        hint = f"correct the answer in {ANSWERS_FILE}"
        return TemplateError(f"{product.name}: {error.message}", where=product / ANSWERS_FILE, hint=hint)
    return None


def _compare(ws: Workspace, case: _Case, desk: Desk) -> _Plan:
    folder, template, version = case.folder, case.template, case.version
    stamped = _without_answers(files_below(case.room / "stamped"))
    product = _product_files(ws, folder)
    changed = tuple(p for p, file in stamped.items() if p not in product or not same(file, product[p]))
    if not case.newer:
        state = "ahead" if _is_ahead(template, version) else "current"
        return _Plan(Standing(folder.name, state, version, template.latest, changed=changed), folder)
    wanted = case.room / "wanted"
    merged = desk.merge(
        stamped, product, _without_answers(files_below(wanted)), template.latest, keepers(folder)
    )
    sign(wanted, template)
    standing = Standing(
        folder.name,
        "behind",
        version,
        template.latest,
        behind=len(case.newer),
        changed=changed,
        touches=tuple(sorted({ANSWERS_FILE, *merged.writes})),
        conflicts=dict(merged.conflicts),
        kept=merged.kept,
    )
    return _Plan(standing, folder, merged, (wanted / ANSWERS_FILE).read_bytes())


def _without_answers(files: dict[str, File]) -> dict[str, File]:
    return {path: file for path, file in files.items() if path != ANSWERS_FILE}


def _is_ahead(template: Template, version: str) -> bool:
    """Say whether a product was made from a commit that changed the template after the newest version."""
    return template.differs(version, template.latest) and template.contains(version, template.latest)


def _product_files(ws: Workspace, folder: Path) -> dict[str, File]:
    """Return what people keep in a product: what git tracks or would, without what builds leave behind."""
    if repository_of(ws.root) is None:
        made = ("target/", "logs/", "dbt_packages/")
        return {p: f for p, f in _without_answers(files_below(folder)).items() if not p.startswith(made)}
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".", cwd=folder)
    return _without_answers(files_below(folder, lines(listed)))


def _write(plan: _Plan) -> None:
    merged = plan.merged
    if merged is None:
        return
    with told_as(ProductError, f"updating {plan.folder.name}", plan.folder):
        for path, content in sorted(merged.writes.items()):
            target = plan.folder / path
            if content is None:
                target.unlink(missing_ok=True)
                _prune(target.parent, plan.folder)
                continue
            write_whole(target, content, durable=False)
            if path in merged.executable:
                target.chmod(target.stat().st_mode | 0o111)
        # Last, so that an update that was interrupted is still to be done.
        write_whole(plan.folder / ANSWERS_FILE, plan.answers, durable=False)


def _prune(folder: Path, top: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
