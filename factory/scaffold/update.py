"""How products follow the template: where each stands, and what an update does to it.

Takes a workspace and names of products; gives a `Standing` or an `Update` for each; writes into products only when
all of them were worked out in a scratch folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.errors import FactoryError, ProductError, WorkspaceError, raise_all
from factory.files import told_as, write_whole
from factory.git import commit_of, git, lines, repository_of, uncommitted
from factory.locking import locked
from factory.scaffold.merge import Desk, File, Merged, files_below, keepers, same
from factory.scaffold.product import scratch_folder
from factory.scaffold.template import (
    ANSWERS_FILE,
    Template,
    TemplateError,
    open_template,
    read_answers,
    render,
    sign,
)
from factory.workspace import Workspace

_ADOPT = "`factory template adopt {name}` makes it one"


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
    with scratch_folder(ws) as scratch:
        return tuple(plan.standing for plan in _plans(ws, names, scratch))


def template_update(ws: Workspace, names: Sequence[str] = ()) -> tuple[Standing, ...]:
    """Bring what is new in the template into products, all or the named ones; return what was done.

    A product's state is `updated` where something was written, else as for `template_status`. Hand edits stay; where
    a person and the template changed the same lines, both stand in the file between conflict markers. Raises:
        FactoryError: a product has uncommitted changes, a name is no product, an answer is no longer allowed.

    """
    with locked(ws), scratch_folder(ws) as scratch:
        folders = _folders(ws, names)
        _refuse_uncommitted(ws, folders)
        plans = _plans(ws, names, scratch)
        for plan in plans:
            if plan.standing.state == "behind":
                _write(plan)
    return tuple(_done(plan.standing) for plan in plans)


def _done(standing: Standing) -> Standing:
    if standing.state != "behind":
        return standing
    return Standing(
        name=standing.name,
        state="updated",
        version=standing.version,
        latest=standing.latest,
        changed=standing.changed,
        touches=standing.touches,
        conflicts=standing.conflicts,
        kept=standing.kept,
    )


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


def _plans(ws: Workspace, names: Sequence[str], scratch: Path) -> list[_Plan]:
    desk = Desk(scratch)
    templates: dict[str, Template | str] = {}
    problems: list[FactoryError] = []
    plans = []
    for number, folder in enumerate(_folders(ws, names)):
        room = scratch / str(number)
        room.mkdir()
        try:
            plans.append(_plan(ws, folder, templates, desk, room))
        except FactoryError as problem:
            problems.append(problem)
    raise_all(problems)
    return plans


def _plan(ws: Workspace, folder: Path, templates: dict[str, Template | str], desk: Desk, room: Path) -> _Plan:
    name = folder.name
    answers = read_answers(folder)
    address, version = str(answers.get("_src_path") or ""), str(answers.get("_commit") or "")
    if not answers:
        reason = f"it has no {ANSWERS_FILE}, so it is not made from a template; {_ADOPT.format(name=name)}"
        return _Plan(Standing(name, "unmanaged", reason=reason), folder)
    if not version or not address:
        reason = f"its {ANSWERS_FILE} names no version of a template; {_ADOPT.format(name=name)}"
        return _Plan(Standing(name, "unmanaged", reason=reason), folder)
    template = _template(ws, address, templates, room.parent)
    if isinstance(template, str):
        return _Plan(Standing(name, "lost", version, reason=template), folder)
    if not template.knows(version):
        reason = (
            f"this clone does not know the version {version} of the template; fetch it (git fetch --tags --unshallow), "
            f"or begin anew: {_ADOPT.format(name=name)}"
        )
        return _Plan(Standing(name, "lost", version, template.latest, reason=reason), folder)
    return _compare(ws, folder, template, answers, version, desk, room)


def _template(
    ws: Workspace, address: str, templates: dict[str, Template | str], scratch: Path
) -> Template | str:
    """Return the template, or why there is none; each is looked for once."""
    if address not in templates:
        try:
            template = open_template(ws, address, scratch)
            templates[address] = (
                template
                if template.is_repository
                else "its template is in no git repository, so it has no versions; commit and tag it"
            )
        except TemplateError as error:
            templates[address] = error.message
    return templates[address]


def _compare(
    ws: Workspace,
    folder: Path,
    template: Template,
    answers: Mapping[str, Any],
    version: str,
    desk: Desk,
    room: Path,
) -> _Plan:
    given = {key: value for key, value in answers.items() if not key.startswith("_")}
    stamped = _stamp(template, version, given, room / "stamped", folder)
    product = _product_files(ws, folder)
    changed = tuple(p for p, file in stamped.items() if p not in product or not same(file, product[p]))
    newer = template.newer_than(version)
    latest = template.latest if newer or not _is_ahead(template, version) else version
    standing = Standing(
        folder.name,
        "current" if latest == template.latest else "ahead",
        version,
        template.latest,
        changed=changed,
    )
    if not newer:
        return _Plan(standing, folder)
    wanted = _stamp(template, template.latest, given, room / "wanted", folder)
    merged = desk.merge(stamped, product, wanted, template.latest, keepers(folder))
    sign(room / "wanted", template.address, template.latest)
    behind = Standing(
        folder.name,
        "behind",
        version,
        template.latest,
        behind=len(newer),
        changed=changed,
        touches=tuple(sorted({ANSWERS_FILE, *merged.writes})),
        conflicts=dict(merged.conflicts),
        kept=merged.kept,
    )
    return _Plan(behind, folder, merged, (room / "wanted" / ANSWERS_FILE).read_bytes())


def _is_ahead(template: Template, version: str) -> bool:
    """Say whether a product was made from a commit after the newest version."""
    commit = commit_of(version, template.folder)
    newest = commit_of(template.latest, template.folder)
    base = git("merge-base", commit, newest, cwd=template.folder, accept=(0, 1)).decode().strip()
    return base == newest and commit != newest


def _stamp(
    template: Template, version: str, answers: Mapping[str, Any], into: Path, product: Path
) -> dict[str, File]:
    """Stamp a version of the template with a product's answers; return the files but the answers'."""
    source = template.export(version, into.parent.parent)
    into.mkdir()
    # Copier takes the last answers from the file that lies there: also those to questions of another name.
    into.joinpath(ANSWERS_FILE).write_bytes((product / ANSWERS_FILE).read_bytes())
    try:
        render(source, into, {})
    except FactoryError as error:
        hint = f"correct the answer in {ANSWERS_FILE}"
        raise TemplateError(
            f"{product.name}: {error.message}", where=product / ANSWERS_FILE, hint=hint
        ) from error
    return {path: file for path, file in files_below(into).items() if path != ANSWERS_FILE}


def _product_files(ws: Workspace, folder: Path) -> dict[str, File]:
    """Return what people keep in a product: what git tracks or would, without what builds leave behind."""
    if repository_of(ws.root) is None:
        return {
            p: f
            for p, f in files_below(folder).items()
            if not p.startswith(("target/", "logs/", "dbt_packages/"))
        }
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".", cwd=folder)
    return {p: f for p, f in files_below(folder, lines(listed)).items() if p != ANSWERS_FILE}


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
