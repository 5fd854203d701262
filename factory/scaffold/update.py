"""How products follow the template: where each stands, and what an update does to it.

Takes a workspace and names of products; gives a `Standing` or an `Update` for each; writes into products only when
all of them were worked out in a scratch folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import Any

from factory.errors import FactoryError, ProductError, WorkspaceError, raise_all
from factory.files import write_whole
from factory.git import GitError, git, is_installed, lines, repository_of, uncommitted
from factory.locking import locked
from factory.scaffold.merge import File, Merged, files_below, goes_through_link, keepers, merge
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

# A template's folder, the folder to stamp into, the product whose answers to take, and answers that win over them.
_Job = tuple[Path, Path, Path, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a product stands with regard to its template.

    Attributes:
        name: the product's folder below products/.
        state: current, behind, ahead (newer than the newest version), unmanaged (it remembers no template), lost
            (what it remembers cannot be found) or stuck (it cannot be stamped: an answer is missing or not allowed).
        version: the template's version that the product remembers, or empty.
        latest: the newest version, or empty.
        behind: how many versions changed the template since.
        changed: files of the template that a person changed, or removed.
        touches: files that an update would change.
        conflicts: why, by path, where an update could not decide.
        kept: files that the template changed and the product keeps to itself (`.template-keep`).
        answers: questions that are new in the newest version, and what answers them.
        reason: why the state is unmanaged, lost or stuck, and what to do.
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
    answers: Mapping[str, Any] = field(default_factory=dict)
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
        FactoryError: a name is no product, or git will not read the repository.

    """
    with _scratch() as scratch:
        return tuple(plan.standing for plan in _plans(ws, names, {}, scratch))


def template_update(
    ws: Workspace, names: Sequence[str] = (), answers: Mapping[str, Any] | None = None
) -> tuple[Standing, ...]:
    """Bring what is new in the template into products, all or the named ones; return what was done.

    A product's state is `updated` where something was written, else as for `template_status`. Hand edits stay; where
    a person and the template changed the same lines, both stand in the file between conflict markers. `answers` are
    for questions of the newest version. Raises:
        FactoryError: a product that is behind has uncommitted changes, a name is no product, there is no git.

    """
    with locked(ws), _scratch() as scratch:
        _needs_git(ws)
        plans = _plans(ws, names, answers or {}, scratch)
        behind = [plan for plan in plans if plan.standing.state == "behind"]
        _refuse_uncommitted([plan.folder for plan in behind])
        for plan in behind:
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


def _needs_git(ws: Workspace) -> None:
    if not is_installed():
        raise GitError("git is not there", hint="install git, 2.38 or newer: an update merges with it")
    if repository_of(ws.root) is None:
        raise WorkspaceError(
            "an update needs git, and the workspace is in no git repository",
            where=ws.root,
            hint="git init, commit and tag; then products can follow the template",
        )


def _refuse_uncommitted(folders: Iterable[Path]) -> None:
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


def _plans(ws: Workspace, names: Sequence[str], answers: Mapping[str, Any], scratch: Path) -> list[_Plan]:
    known = _Templates(ws, scratch)
    cases: list[_Case | Standing] = []
    problems: list[FactoryError] = []
    for number, folder in enumerate(_folders(ws, names)):
        try:
            cases.append(known.case(folder, scratch / str(number)))
        except FactoryError as problem:
            problems.append(problem)
    raise_all(problems)
    stuck = _stamp([case for case in cases if isinstance(case, _Case)], answers, scratch)
    plans = []
    for case in cases:
        if isinstance(case, Standing):
            plans.append(_Plan(case, Path()))
        elif case.folder in stuck:
            reason = stuck[case.folder].message + f"; add or correct the answer in its {ANSWERS_FILE}"
            standing = Standing(case.folder.name, "stuck", case.version, case.template.latest, reason=reason)
            plans.append(_Plan(standing, case.folder))
        else:
            plans.append(_compare(ws, case))
    return plans


class _Templates:
    """The templates of a workspace's products; each is opened, and asked for its versions, once."""

    def __init__(self, ws: Workspace, scratch: Path) -> None:
        self._ws = ws
        self._scratch = scratch
        self._found: dict[str, Template | str] = {}
        self._known: dict[tuple[str, str, str], str] = {}
        self._newer: dict[tuple[str, str], tuple[str, ...]] = {}

    def case(self, folder: Path, room: Path) -> _Case | Standing:
        """Return what there is to compare for a product, or why there is nothing."""
        name = folder.name
        answers = read_answers(folder)
        address, version = str(answers.get("_src_path") or ""), str(answers.get("_commit") or "")
        adopt = f"`factory template adopt {name}`"
        adopt_anew = f"`factory template adopt --anew {name}`"
        if not answers:
            reason = f"it has no {ANSWERS_FILE}: it was not made from a template; {adopt} lets it follow one"
            return Standing(name, "unmanaged", reason=reason)
        if not version or not address:
            reason = f"its {ANSWERS_FILE} names no version of a template; {adopt} gives it one"
            return Standing(name, "unmanaged", reason=reason)
        template = self._template(address)
        if isinstance(template, str):
            return Standing(name, "lost", version, reason=template)
        found = self._find(template, version, str(answers.get("_tree") or ""))
        if not found:
            reason = (
                f"this clone does not know the version {version} of the template as it was then; fetch it "
                f"(git fetch --tags --unshallow), or begin with today's: {adopt_anew}"
            )
            return Standing(name, "lost", version, template.latest, reason=reason)
        return _Case(folder, template, found, self._newer_than(template, found), room)

    def _find(self, template: Template, version: str, tree: str) -> str:
        """Return the version that a product remembers, or the commit with its files if the tag was moved since."""
        key = (template.address, version, tree)
        if key not in self._known:
            there = bool(template.commit(version))
            right = there and (not tree or template.tree(version) == tree)
            self._known[key] = version if right else template.with_tree(tree)
        return self._known[key]

    def _template(self, address: str) -> Template | str:
        if address not in self._found:
            try:
                template = open_template(self._ws, address, self._scratch)
                missing = "its template is in no git repository, so it has no versions; commit and tag it"
                self._found[address] = template if template.is_repository else missing
            except TemplateError as error:
                self._found[address] = error.message
        return self._found[address]

    def _newer_than(self, template: Template, version: str) -> tuple[str, ...]:
        key = (template.address, version)
        if key not in self._newer:
            self._newer[key] = template.newer_than(version)
        return self._newer[key]


def _stamp(cases: Sequence[_Case], answers: Mapping[str, Any], scratch: Path) -> dict[Path, FactoryError]:
    """Stamp every product as it was made, and as it would be made now, on all processors.

    Returns what is wrong with the answers of a product, by its folder.
    """
    jobs: list[_Job] = []
    for case in cases:
        stamped = case.template.export(case.version, scratch)
        jobs.append((stamped, case.room / "stamped", case.folder, {}))
        if case.newer:
            wanted = case.template.export(case.template.latest, scratch)
            jobs.append((wanted, case.room / "wanted", case.folder, answers))
    problems = _in_processes(jobs) or [_stamp_one(job) for job in jobs]
    return {job[2]: problem for job, problem in zip(jobs, problems, strict=True) if problem is not None}


def _in_processes(jobs: Sequence[_Job]) -> list[FactoryError | None]:
    """Do jobs in processes of their own; return nothing where they are too few, or processes cannot be had."""
    workers = min(os.cpu_count() or 1, _MOST_WORKERS, len(jobs) // _JOBS_PER_WORKER)
    if workers < 2:
        return []
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        with _workers_are_not_interrupted():
            futures = [pool.submit(_stamp_one, job) for job in jobs]
        return [future.result() for future in futures]
    except BrokenProcessPool:
        return []
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _workers_are_not_interrupted() -> Iterator[None]:
    """Let processes that start now leave Ctrl-C to this one, which tells of it once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stamp_one(job: _Job) -> FactoryError | None:
    """Stamp a product; return what is wrong with its answers, or None."""
    source, into, product, answers = job
    shutil.rmtree(into, ignore_errors=True)  # from a process that was killed
    into.mkdir(parents=True)
    # Copier takes the last answers from the file that lies there, those to questions of former names, too. Given once
    # more they are held to what is allowed now, instead of being dropped where they are not.
    into.joinpath(ANSWERS_FILE).write_bytes((product / ANSWERS_FILE).read_bytes())
    try:
        asked = questions_of(source)
        given = {key: value for key, value in {**read_answers(product), **answers}.items() if key in asked}
        render(source, into, given)
    except FactoryError as error:
        return error
    return None


def _compare(ws: Workspace, case: _Case) -> _Plan:
    folder, template, version = case.folder, case.template, case.version
    stamped = _without_answers(files_below(case.room / "stamped"))
    wanted = _without_answers(files_below(case.room / "wanted")) if case.newer else {}
    product = _product_files(ws, folder, {*stamped, *wanted})
    changed = tuple(
        path for path, file in stamped.items() if path not in product or file.content != product[path].content
    )
    if not case.newer:
        state = "ahead" if _is_ahead(template, version) else "current"
        return _Plan(Standing(folder.name, state, version, template.latest, changed=changed), folder)
    merged = merge(stamped, product, wanted, template.latest, keepers(folder), case.room / "desk")
    merged = _without_what_is_in_the_way(merged, folder, product)
    sign(case.room / "wanted", template)
    before, after = read_answers(folder), read_answers(case.room / "wanted")
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
        answers={key: value for key, value in after.items() if key not in before and not key.startswith("_")},
    )
    return _Plan(standing, folder, merged, (case.room / "wanted" / ANSWERS_FILE).read_bytes())


def _without_what_is_in_the_way(merged: Merged, folder: Path, product: Mapping[str, File]) -> Merged:
    """Leave alone what git does not know or what lies behind a link: no update may write over that."""
    going = {path for path, file in merged.writes.items() if file is None}
    conflicts = dict(merged.conflicts)
    for path in merged.writes:
        if (
            path not in product
            and os.path.lexists(folder / path)
            and not _empties(folder / path, folder, going)
        ):
            conflicts[path] = "something that git does not track lies there; it was left alone"
        elif goes_through_link(folder, path):
            conflicts[path] = "it lies behind a symbolic link; it was left alone"
        elif any(
            (folder / parent).is_file() and parent.as_posix() not in going
            for parent in PurePosixPath(path).parents
        ):
            conflicts[path] = "a file lies where its folder should be; it was left alone"
    left = {path for path in conflicts if path not in merged.conflicts}
    return replace(
        merged,
        writes={path: file for path, file in merged.writes.items() if path not in left},
        conflicts=conflicts,
    )


def _empties(target: Path, folder: Path, going: Collection[str]) -> bool:
    """Say whether a folder holds nothing but files that go."""
    if not target.is_dir() or target.is_symlink():
        return False
    return all(
        file.relative_to(folder).as_posix() in going for file in target.rglob("*") if not file.is_dir()
    )


def _without_answers(files: dict[str, File]) -> dict[str, File]:
    return {path: file for path, file in files.items() if path != ANSWERS_FILE}


def _is_ahead(template: Template, version: str) -> bool:
    """Say whether a product was made from a commit that changed the template after the newest version."""
    differs = template.tree(version) != template.tree(template.latest)
    return differs and template.contains(version, template.latest)


def _product_files(ws: Workspace, folder: Path, always: Collection[str]) -> dict[str, File]:
    """Return what people keep in a product: what git tracks or would, without what builds leave behind."""
    if repository_of(ws.root) is None:
        made = ("target/", "logs/", "dbt_packages/")
        files = files_below(folder, always=always)
        return {path: file for path, file in _without_answers(files).items() if not path.startswith(made)}
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".", cwd=folder)
    return _without_answers(files_below(folder, lines(listed), always))


def _write(plan: _Plan) -> None:
    merged, folder = plan.merged, plan.folder
    if merged is None:
        return
    try:
        # What goes goes first: a folder may become a file, and on some disks a name differs by case alone.
        for path in sorted(path for path, file in merged.writes.items() if file is None):
            (folder / path).unlink(missing_ok=True)
            _prune((folder / path).parent, folder)
        for path, file in sorted(merged.writes.items()):
            if file is not None:
                _put(folder / path, file)
        # Last, so that an update that was interrupted is still to be done.
        write_whole(folder / ANSWERS_FILE, plan.answers, durable=False)
    except OSError as error:
        hint = f"mend this; `git checkout -- {folder}` and `git clean -fd {folder}` undo what was written"
        place = Path(error.filename) if isinstance(error.filename, str) else folder
        raise ProductError(
            f"updating {folder.name} failed: {error.strerror}", where=place, hint=hint
        ) from error


def _put(target: Path, file: File) -> None:
    if target.is_dir():  # only empty folders are left of what was there, and no others can be removed so
        for folder in (*sorted(target.rglob("*"), reverse=True), target):
            folder.rmdir()
    write_whole(target, file.content.replace(b"\n", b"\r\n") if file.crlf else file.content, durable=False)
    if file.executable:
        target.chmod(target.stat().st_mode | 0o111)


def _prune(folder: Path, top: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
