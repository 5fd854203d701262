"""The product template: where it lies, which versions it has, and what it makes of answers.

Takes a workspace and an address; gives a `Template`; reads git. The only door to Copier.

A template's versions are the tags of its repository, as Copier has it: those that are versions (PEP 440), oldest
first. Without a tag the last commit is its one version. A product remembers in `.copier-answers.yml` which one it
was made from.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from factory.documents import dump_yaml, parse_yaml, read_yaml
from factory.errors import DocumentError, FactoryError, WorkspaceError
from factory.git import GitError, commit_of, git, lines, repository_of
from factory.workspace import Workspace

ANSWERS_FILE = ".copier-answers.yml"
QUESTIONS_FILE = "copier.yml"
HERE = "."

_SHORT_ADDRESSES = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_ADDRESS = re.compile(r"\w[\w+.-]*://|[\w.-]+@[\w.-]+:")


class TemplateError(FactoryError):
    """The template, or what a product remembers of it, cannot be used."""


class AnswerError(FactoryError):
    """An answer is not what the template's question allows."""


@dataclass(frozen=True)
class Template:
    """A template for products.

    Attributes:
        address: how products name it: `.` for the workspace's own, else a folder or a git address; empty for the
            one that came with the factory, which no update can find again.
        folder: a git repository, bare or not, a folder in one, or a plain folder.
        is_repository: git has a commit with the template.
        prefix: where the template lies in the repository, empty for its top, else ending in a slash.
    """

    address: str
    folder: Path
    is_repository: bool
    prefix: str = ""

    @cached_property
    def versions(self) -> tuple[str, ...]:
        """The tags that are versions and have the template, oldest first."""
        if not self.is_repository:
            return ()
        found = []
        for tag in lines(git("tag", "--list", cwd=self.folder)):
            try:
                version = Version(tag)
            except InvalidVersion:
                continue
            if not version.is_prerelease:
                found.append((version, tag))
        tags = [tag for _, tag in sorted(found)]
        there = self._objects([f"refs/tags/{tag}:{self.prefix}{QUESTIONS_FILE}" for tag in tags])
        return tuple(tag for tag, found in zip(tags, there, strict=True) if found)

    @cached_property
    def latest(self) -> str:
        """The newest version: a tag, or what git calls the last commit; empty where there is no repository."""
        if self.versions:
            return self.versions[-1]
        if not self.is_repository:
            return ""
        return git("describe", "--tags", "--always", "HEAD", cwd=self.folder).decode().strip()

    def commit(self, version: str) -> str:
        """Return the commit of a version, or an empty string where the repository does not know it."""
        return commit_of(version, self.folder) if self.is_repository else ""

    def newer_than(self, version: str) -> tuple[str, ...]:
        """Return the versions after one that changed the template, oldest first; without tags the commits.

        Versions of which the given one is made up already (git's ancestors) are not newer, nor are versions with a
        smaller number.
        """
        commit = self.commit(version)
        if not self.versions:
            found = git(
                "rev-list", "--reverse", f"{commit}..HEAD", "--", *self.paths("HEAD"), cwd=self.folder
            )
            return tuple(lines(found)) if self.tree(commit) != self.tree("HEAD") else ()
        merged = set(lines(git("tag", "--merged", commit, cwd=self.folder)))
        known = [Version(tag) for tag in self.versions if tag in merged]
        newer = [t for t in self.versions if t not in merged and (not known or Version(t) > max(known))]
        changed = []
        last = self.tree(commit)
        for tag in newer:
            if (now := self.tree(tag)) != last:
                changed.append(tag)
            last = now
        return tuple(changed)

    def paths(self, version: str) -> tuple[str, ...]:
        """Return what belongs to the template in a version, relative to its folder."""
        subdirectory = self._subdirectory(version)
        return (QUESTIONS_FILE, subdirectory) if subdirectory else (QUESTIONS_FILE,)

    def tree(self, version: str) -> str:
        """Return what names a version's files, whatever commit they lie in: after a squashed merge it is another."""
        commit = self.commit(version)
        objects = self._objects([f"{commit}:{self.prefix}{path}" for path in self.paths(version)])
        return "-".join(part[:16] for part in objects)

    def with_tree(self, tree: str) -> str:
        """Return the newest commit whose template has the files that `tree` names, or an empty string."""
        commits = lines(git("rev-list", "HEAD", "--", *self.paths("HEAD"), cwd=self.folder)) if tree else []
        return next((commit for commit in commits if self.tree(commit) == tree), "")

    def contains(self, version: str, other: str) -> bool:
        """Say whether a version is made upon another."""
        one, base = self.commit(version), self.commit(other)
        return git("merge-base", one, base, cwd=self.folder, accept=(0, 1)).decode().strip() == base

    def export(self, version: str, into: Path) -> Path:
        """Write the template as it is in a version into a folder of its own and return that, ready for `render`.

        The bytes are those of git, whatever its attributes and line ends are here. Without a repository it is the
        template as it lies there. Raises:
            TemplateError: it holds a link, which could lead anywhere.

        """
        commit = self.commit(version)
        name = hashlib.sha256(f"{self.folder} {self.prefix} {commit}".encode()).hexdigest()[:16]
        folder = into / f"template-{name}"
        if folder.is_dir():
            return folder
        # A template below templates/ is whole with its questions; any other may include from everywhere.
        subdirectory = self._subdirectory(version)
        wanted = [QUESTIONS_FILE, "templates"] if subdirectory.startswith("templates/") else []
        if not self.is_repository:
            for entry in wanted or [path.name for path in self.folder.iterdir() if path.name != ".git"]:
                copy_plain(self.folder / entry, folder / entry)
            return folder
        top = [f"{self.prefix}{path}" for path in wanted] or ([self.prefix] if self.prefix else [])
        listed = git("ls-tree", "-r", "-z", "--full-tree", commit, "--", *top, cwd=self.folder)
        entries = [line.partition("\t") for line in lines(listed)]
        blobs = {path: info.split()[2] for info, _, path in entries if info.split()[1] == "blob"}
        for info, _, path in entries:
            if info.startswith("120000"):
                raise TemplateError(
                    f"the template holds a symbolic link, {path}", hint="put the file itself there"
                )
        contents = self._blobs(list(blobs.values()))
        for (path, _), content in zip(blobs.items(), contents, strict=True):
            target = folder / path.removeprefix(self.prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        for info, _, path in entries:
            if info.startswith("100755"):
                (folder / path.removeprefix(self.prefix)).chmod(0o755)
        return folder

    def _subdirectory(self, version: str) -> str:
        """Return the folder below which lies what is stamped, as the questions of a version say."""
        commit = self.commit(version)
        if self.is_repository:
            text = git("show", f"{commit}:{self.prefix}{QUESTIONS_FILE}", cwd=self.folder).decode(
                errors="replace"
            )
        else:
            text = (self.folder / QUESTIONS_FILE).read_text("utf-8", errors="replace")
        data = parse_yaml(text, self.folder / QUESTIONS_FILE).data
        return str((data if isinstance(data, dict) else {}).get("_subdirectory") or "").strip("/")

    def _objects(self, names: list[str]) -> list[str]:
        """Return git's ids of objects, an empty string for each that is not there."""
        asked = "".join(f"{name}\n" for name in names).encode()
        told = (
            git("cat-file", "--batch-check=%(objectname)", cwd=self.folder, stdin=asked).decode().splitlines()
        )
        return ["" if line.endswith((" missing", " ambiguous")) else line for line in told]

    def _blobs(self, names: list[str]) -> list[bytes]:
        output = io.BytesIO(
            git("cat-file", "--batch", cwd=self.folder, stdin="\n".join(names).encode() + b"\n")
        )
        contents = []
        for _ in names:
            size = int(output.readline().split()[2])
            contents.append(output.read(size))
            output.read(1)
        return contents


def open_template(ws: Workspace, address: str, scratch: Path) -> Template:
    """Return the template at an address: a folder seen from the workspace's root, or a git address.

    A repository elsewhere is cloned into `scratch`. Raises:
        TemplateError: there is no template, or it cannot be fetched.

    """
    folder = ws.root / address
    if folder.is_dir():
        top = repository_of(folder)
        prefix = f"{folder.resolve().relative_to(top.resolve()).as_posix()}/" if top else ""
        prefix = "" if prefix == "./" else prefix
        if top and _has_questions(folder, prefix):
            return Template(address, folder.resolve(), is_repository=True, prefix=prefix)
        if (folder / QUESTIONS_FILE).is_file():
            return Template(address, folder.resolve(), is_repository=False)
        raise TemplateError(f"there is no template in {address!r}: it has no {QUESTIONS_FILE}", where=folder)
    for short, long in _SHORT_ADDRESSES.items():
        address = address.replace(short, long, 1) if address.startswith(short) else address
    address = address.removeprefix("git+")  # Copier's mark for git where the address does not end in .git
    if not _ADDRESS.match(address):
        raise TemplateError(
            f"there is no template at {address!r}", hint="name a folder of this machine, or a git address"
        )
    clone = scratch / f"clone-{hashlib.sha256(address.encode()).hexdigest()[:16]}"
    if not clone.is_dir():
        try:
            git("clone", "--quiet", "--bare", "--", address, str(clone), cwd=scratch)
        except GitError as error:
            hint = "look whether the address is right and can be reached from here"
            raise TemplateError(
                f"the template at {address} cannot be fetched: {error.message}", hint=hint
            ) from error
    if not _has_questions(clone, ""):
        raise TemplateError(f"there is no template at {address}: it has no {QUESTIONS_FILE}")
    return Template(address, clone, is_repository=True)


def own_template(ws: Workspace, scratch: Path) -> Template:
    """Return the template that new products of a workspace are made from.

    It is the one that the settings name, else the workspace's own, else the one that came with the factory.
    """
    if ws.settings.template:
        return open_template(ws, ws.settings.template, scratch)
    if (ws.root / QUESTIONS_FILE).is_file():
        return open_template(ws, HERE, scratch)
    return Template("", shipped(), is_repository=False)


def shipped() -> Path:
    """Return the folder with what came with the factory: its templates, their questions, and the standards."""
    package = Path(str(resources.files("factory")))
    for place in (package / "_stamp", package.parent):
        if (place / QUESTIONS_FILE).is_file() and (place / "templates").is_dir():
            return place
    raise WorkspaceError("the factory was installed without its templates", hint="install it again")


def copy_plain(source: Path, target: Path) -> None:
    """Copy a file or a folder as it is, without what tools leave behind."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        left_behind = shutil.ignore_patterns("__pycache__", "target", "logs", "dbt_packages")
        shutil.copytree(source, target, ignore=left_behind)
    else:
        shutil.copyfile(source, target)


def _has_questions(repository: Path, prefix: str) -> bool:
    try:
        git("cat-file", "-e", f"HEAD:{prefix}{QUESTIONS_FILE}", cwd=repository)
    except GitError:
        return False
    return True


def questions_of(source: Path) -> dict[str, Any]:
    """Return what a template asks, by key, without what it works out for itself.

    Raises:
        TemplateError: its questions cannot be read.

    """
    try:
        questions = read_yaml(source / QUESTIONS_FILE).data
    except DocumentError as error:
        raise TemplateError(
            f"the template's questions cannot be read: {error.message}", where=error.where
        ) from error
    return {
        key: question if isinstance(question, dict) else {}
        for key, question in (questions if isinstance(questions, dict) else {}).items()
        if not key.startswith("_") and not (isinstance(question, dict) and question.get("when") is False)
    }


def render(source: Path, folder: Path, answers: Mapping[str, Any], *, ask: bool = False) -> None:
    """Stamp a template into a folder.

    An answers file that lies there already gives answers, too; `answers` win. What no answer was given to is asked
    at the terminal, or takes its default. Raises:
        AnswerError: an answer is not allowed.
        TemplateError: the template is broken, or wants to run programs.

    """
    from copier import run_copy
    from copier.errors import (
        ConfigFileError,
        CopierError,
        InteractiveSessionError,
        PathError,
        UnsafeTemplateError,
    )
    from jinja2 import TemplateError as JinjaError

    try:
        run_copy(
            str(source),
            folder,
            data=dict(answers),
            defaults=not ask,
            overwrite=True,
            quiet=True,
            unsafe=False,
        )
    except KeyboardInterrupt:
        raise
    except InteractiveSessionError as error:
        hint = "answer with --data-file FILE or --data KEY=VALUE, or take what is proposed with --defaults"
        raise AnswerError("there is nobody to ask: this is no terminal", hint=hint) from error
    except UnsafeTemplateError as error:
        hint = "use it with Copier itself, if you trust it; the factory runs no programs of a template"
        raise TemplateError(
            "the template wants to run programs of its own", where=source, hint=hint
        ) from error
    except JinjaError as error:
        place = getattr(error, "filename", None) or getattr(error, "name", None) or ""
        raise TemplateError(f"the template is broken: {error} {place}".strip()) from error
    except ConfigFileError as error:
        raise TemplateError(f"the template's questions cannot be read: {error}", where=source) from error
    except PathError as error:
        raise TemplateError(f"the template leads out of its folder: {error}", where=source) from error
    except (ValueError, TypeError) as error:
        raise _answer_error(error) from error
    except CopierError as error:
        raise TemplateError(f"the template cannot be used: {error or type(error).__name__}") from error


def _answer_error(error: Exception) -> AnswerError:
    text = " ".join(str(error).split())
    wrong = re.match(r"Validation error for question '(\w+)': (.*)", text)
    if wrong:
        return AnswerError(f"{wrong[1]}: {wrong[2]}")
    return AnswerError(f"an answer cannot be used: {text}")


def read_answers(folder: Path) -> dict[str, Any]:
    """Return what a product remembers of its making; empty where it remembers nothing.

    Raises:
        FactoryError: the file is not YAML, or holds no answers.

    """
    file = folder / ANSWERS_FILE
    if not file.is_file():
        return {}
    document = read_yaml(file)
    if not isinstance(document.data, dict):
        hint = "restore it from git, or remove it and run `factory template adopt`"
        raise TemplateError("the file holds no answers", where=file, line=1, hint=hint)
    return document.data


def sign(folder: Path, template: Template) -> None:
    """Write into a freshly stamped answers file from which template, and from its newest version, it comes.

    Without a version there is nothing to update from, and the file says nothing of a template. `_tree` finds the
    version again where its commit is gone, as after a squashed merge; Copier itself does not need it.
    """
    origin = {}
    if template.latest:
        origin = {
            "_commit": template.latest,
            "_src_path": template.address,
            "_tree": template.tree(template.latest),
        }
    file = folder / ANSWERS_FILE
    text = file.read_text("utf-8").splitlines()
    kept = [line for line in text if not re.match(r"_(commit|src_path|tree):", line)]
    head = [line for line in kept if line.startswith("#")]
    rest = [line for line in kept if not line.startswith("#")]
    file.write_text(
        "\n".join([*head, *(dump_yaml(origin).splitlines() if origin else []), *rest]) + "\n", "utf-8"
    )
