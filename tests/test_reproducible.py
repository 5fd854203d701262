"""The same input gives the same bytes: in another folder, time zone, locale, hash seed and order of files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import FULL
from mesh import make_mesh

VARIANTS = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kolkata", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "99", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "12345", "TZ": "Pacific/Auckland", "LC_ALL": "POSIX"},
]


def published(root: Path) -> dict[str, bytes]:
    """Return every published file that is to be the same, by its path."""
    files = {}
    for top in ("registry/products", "ports"):
        for file in sorted((root / top).rglob("*")):
            if file.is_file() and file.name != ".views":
                files[file.relative_to(root).as_posix()] = file.read_bytes()
    files["registry/registry.json"] = (root / "registry/registry.json").read_bytes()
    return files


def test_ten_builds_give_the_same_bytes(tmp_path: Path) -> None:
    first: dict[str, bytes] = {}
    for number in range(10 if FULL else 3):
        root = make_mesh(tmp_path / f"folder {number}" / "mesh")
        # Another order of directory entries: files written again, last ones first.
        for file in sorted((root / "products").rglob("*"), reverse=bool(number % 2)):
            if file.is_file():
                shutil.move(file, file.with_suffix(".moved"))
                shutil.move(file.with_suffix(".moved"), file)
        environment = {**os.environ, **VARIANTS[number % len(VARIANTS)]}
        run = subprocess.run(
            [sys.executable, "-m", "factory", "build"],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        files = published(root)
        assert len(files) > 12
        first = first or files
        assert files == first
