"""Stamp a workspace: `factory init`.

Takes a folder and a title; gives files; writes them, and nothing if the folder is not empty.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from factory.errors import WorkspaceError
from factory.files import told_as
from factory.scaffold.template import QUESTIONS_FILE, copy_plain, render, shipped
from factory.workspace import find_workspace

# What a workspace gets as it is: the questions and files of the product template, and the shared dbt package.
_COPIED = (QUESTIONS_FILE, "templates/product", "standards")


def stamp_workspace(folder: Path, title: str) -> tuple[str, ...]:
    """Stamp an empty workspace into a new or empty folder; return its files.

    Raises:
        WorkspaceError: the folder holds something, lies among products, or cannot be written.

    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(entry.name != ".git" for entry in folder.iterdir())):
        raise WorkspaceError(f"the folder {folder} is not empty", hint="name a new folder")
    _refuse_nesting(folder)
    name = title.strip() or re.sub(r"[-_]+", " ", folder.name).strip().capitalize() or "Data mesh"
    source = shipped()
    with told_as(WorkspaceError, "stamping the workspace", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            made = scratch / "workspace"
            render(source / "templates" / "workspace", made, {"title": name})
            for path in _COPIED:
                copy_plain(source / path, made / path)
            files = tuple(sorted(f.relative_to(made).as_posix() for f in made.rglob("*") if f.is_file()))
            # Each top entry appears whole; a repository that is there already stays.
            folder.mkdir(exist_ok=True)
            for entry in sorted(made.iterdir()):
                entry.rename(folder / entry.name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return files


def _refuse_nesting(folder: Path) -> None:
    """Refuse a folder among products, where the workspace would be taken for one of them."""
    try:
        around = find_workspace(folder.parent)
    except WorkspaceError:
        return
    if folder.is_relative_to(around.products):
        raise WorkspaceError(
            f"the folder {folder} lies among the products of the workspace {around.root}",
            hint="name a folder outside of it; `factory new NAME` makes a product in it",
        )
