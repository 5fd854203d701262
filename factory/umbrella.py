"""What dbt needs to see all products, and the standards that they share, as one project.

Takes products; writes `packages.yml`, `profiles.yml` and `dbt_packages/` at the root (dbt cannot glob),
and the profile of a run of the factory. `factory sync` and every build call it; nobody edits the files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from factory.documents import dump_yaml
from factory.errors import WorkspaceError
from factory.files import told_as, write_if_changed
from factory.products import Product
from factory.workspace import PROD, Workspace

PROFILE = "factory"
ALONE = "alone"
STANDARDS = "standards"
_MARK = "# Written by `factory sync` from the folders under products/. Do not edit: the next build writes it again.\n"
_TARGETS = (PROD, "dev", "ci")

# The secret that `standards.hashed` salts with: dbt keeps such variables out of its artifacts and logs, and
# DuckDB reads the session's variable, so that compiled SQL never holds it.
_SALT = {"VARIABLE factory_salt": "{{ env_var('DBT_ENV_SECRET_SALT', '') }}"}

# Small tables are the rule; DuckDB's default block of 256 kB would make each of them that large.
_BLOCK_SIZE = 16384


def sync(ws: Workspace, products: Iterable[Product]) -> tuple[str, ...]:
    """Write what dbt needs to run from the workspace's root; return the files that changed.

    Raises:
        WorkspaceError: a file or folder cannot be written, or the root has no `dbt_project.yml`.

    """
    names = [product.name for product in products]
    folders = {product.name: product.folder for product in products}
    if not (ws.root / "dbt_project.yml").is_file():
        raise WorkspaceError(
            "the workspace has no dbt_project.yml (the umbrella over products/)",
            where=ws.root,
            hint="`factory init DIR` stamps one; copy it from there",
        )
    with told_as(WorkspaceError, "writing dbt's files", ws.root):
        changed = []
        if (ws.root / STANDARDS / "dbt_project.yml").is_file():
            folders[STANDARDS] = ws.root / STANDARDS
        local = [{"local": ws.relative(folder)} for folder in folders.values()]
        texts = {
            "packages.yml": _MARK + dump_yaml({"packages": local}),
            "profiles.yml": _MARK + dump_yaml(_by_hand(ws, names)),
        }
        for file, text in texts.items():
            if write_if_changed(ws.root / file, text):
                changed.append(file)
        if _link_packages(ws.root / "dbt_packages", folders):
            changed.append("dbt_packages/")
        if STANDARDS in folders:
            # For a product that is built alone, from its own folder.
            for name in names:
                (folders[name] / "dbt_packages").mkdir(exist_ok=True)
                _link(folders[name] / "dbt_packages" / STANDARDS, folders[STANDARDS])
        for target in {*_TARGETS, ws.target}:
            (ws.root / "target" / target / "duckdb").mkdir(parents=True, exist_ok=True)
    return tuple(changed)


def write_run_profile(
    ws: Workspace, products: Iterable[str], stand_ins: Mapping[str, Path], folder: Path | None = None
) -> Path:
    """Write the profile of a run and return its folder: `folder`, or that of the target's runs.

    `stand_ins` are DuckDB files that take the place of products that are not built in this run (views over
    their published ports). They are attached read-only.
    """
    output = _output(ws, list(products), stand_ins)
    folder = folder or ws.work / "profile"
    with told_as(WorkspaceError, "writing the run's profile", folder):
        write_if_changed(
            folder / "profiles.yml",
            _MARK + dump_yaml({PROFILE: {"target": ws.target, "outputs": {ws.target: output}}}),
        )
    return folder


def is_embedded(ws: Workspace) -> bool:
    """Say whether the target is the embedded DuckDB (and not an engine from the settings)."""
    return ws.target not in ws.settings.targets


def _by_hand(ws: Workspace, names: list[str]) -> dict[str, Any]:
    targets = dict.fromkeys((*_TARGETS, *ws.settings.targets))
    outputs = {target: _output(replace(ws, target=target), names, {}) for target in targets}
    # For a product alone, from its own folder: nothing to attach, nothing left behind.
    outputs[ALONE] = {"type": "duckdb", "path": ":memory:", "schema": "main", "threads": 1, "settings": _SALT}
    return {PROFILE: {"target": PROD, "outputs": outputs}}


def _output(ws: Workspace, names: list[str], stand_ins: Mapping[str, Path]) -> dict[str, Any]:
    if not is_embedded(ws):
        return dict(ws.settings.targets[ws.target])
    attach: list[dict[str, Any]] = []
    for name in names:
        if name in stand_ins:
            path = ws.relative(stand_ins[name])
            attach.append({"path": path, "alias": name, "read_only": True})
        else:
            path = ws.relative(ws.database_file(name))
            attach.append({"path": path, "alias": name, "options": {"block_size": _BLOCK_SIZE}})
    # One transaction writes one database, and dbt's own bookkeeping needs none: the root stays in memory.
    # What a time without a zone means must not depend on whose machine builds.
    settings = {"TimeZone": "UTC", **_SALT}
    return {
        "type": "duckdb",
        "path": ":memory:",
        "schema": "main",
        "threads": 1,
        "settings": settings,
        "attach": attach,
    }


def _link_packages(folder: Path, products: Mapping[str, Path]) -> bool:
    """Make `dbt_packages/` hold one link per product, as `dbt deps` would; say whether it changed."""
    folder.mkdir(exist_ok=True)
    changed = False
    present = {entry.name: entry for entry in folder.iterdir()}
    for name in present.keys() - products.keys():
        entry = present[name]
        if entry.is_symlink() or entry.is_file():
            entry.unlink()
        else:
            shutil.rmtree(entry)
        changed = True
    linked = [_link(folder / name, source) for name, source in products.items()]
    return changed or any(linked)


def _link(link: Path, source: Path) -> bool:
    """Let a link lead to a folder, whatever stood there before; say whether it changed."""
    wanted = os.path.relpath(source, link.parent)
    if link.is_symlink() and os.readlink(link) == wanted:  # noqa: PTH115  (Path.readlink compares as a Path)
        return False
    if link.is_symlink() or link.is_file():
        link.unlink()
    elif link.is_dir():
        shutil.rmtree(link)
    link.symlink_to(wanted, target_is_directory=True)
    return True
