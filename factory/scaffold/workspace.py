"""The side door: stamp a workspace. The only door to Copier.

Takes a folder and answers; gives files; writes them, and nothing if the folder is not empty.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from factory.errors import WorkspaceError
from factory.files import told_as


def stamp_workspace(folder: Path, title: str) -> tuple[str, ...]:
    """Stamp an empty workspace into a new or empty folder; return its files.

    Raises:
        WorkspaceError: the folder holds something, or cannot be written.

    """
    from copier import run_copy

    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(entry.name != ".git" for entry in folder.iterdir())):
        raise WorkspaceError(f"the folder {folder} is not empty", hint="name a new folder")
    name = title.strip() or re.sub(r"[-_]+", " ", folder.name).strip().capitalize() or "Data mesh"
    with told_as(WorkspaceError, "stamping the workspace", folder):
        run_copy(str(_template()), folder, data={"title": name}, defaults=True, quiet=True, unsafe=False)
    return tuple(
        sorted(
            f.relative_to(folder).as_posix()
            for f in folder.rglob("*")
            if f.is_file() and ".git/" not in f.as_posix()
        )
    )


def _template() -> Path:
    """Return the template's folder: in an installed package, or in a checkout."""
    package = Path(str(resources.files("factory")))
    for place in (package / "_templates", package.parent / "templates"):
        if (place / "workspace" / "copier.yml").is_file():
            return place / "workspace"
    raise WorkspaceError("the factory was installed without its templates", hint="install it again")
