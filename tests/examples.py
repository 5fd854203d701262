"""The example products of this repository in workspaces of their own, built by the console command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from filelock import FileLock
from mesh import ROOT


def copy_of_the_workspace(folder: Path) -> Path:
    """Copy the umbrella, the products and the standards of this repository, nothing that was built."""
    folder.mkdir(parents=True)
    for name in ("dbt_project.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("macros", "products", "standards"):
        ignored = shutil.ignore_patterns("target", "dbt_packages", "logs", "*.duckdb")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def build(root: Path, *products: str, code: int = 0) -> Any:
    """Build products, all if none is named, in a process of its own; give back what the command prints as JSON."""
    run = subprocess.run(
        [sys.executable, "-m", "factory", "build", *products, "--format", "json", "--no-progress"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert run.returncode == code, run.stdout + run.stderr
    return json.loads(run.stdout)


def example_mesh(base: Path) -> Path:
    """Build and publish the example products below `base`, once for all workers.

    Beside it lies `example-mesh-untouched`, which no test changes, to be copied.
    """
    root = base / "example-mesh"
    with FileLock(base / "example-mesh.lock"):
        if not (root / "run.json").is_file():
            run = build(copy_of_the_workspace(root))
            shutil.copytree(root, base / "example-mesh-untouched", symlinks=True)
            (root / "run.json").write_text(json.dumps(run), "utf-8")
    return root
