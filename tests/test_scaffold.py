"""`factory init` stamps a workspace that works."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from conftest import Command
from mesh import ROOT, add_shop


def test_a_stamped_workspace_builds_a_product(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    title = 'Our "own" mesh: {{ 7*7 }} [[ 7*7 ]] # 1'
    result = factory("init", tmp_path / "ours", "--title", title, "--format", "json")
    assert result.code == 0
    assert "pyproject.toml" in result.json["files"]
    settings = tomllib.loads((tmp_path / "ours/pyproject.toml").read_text("utf-8"))
    assert settings["tool"]["factory"] == {"title": title}
    monkeypatch.chdir(tmp_path / "ours")
    empty = factory("build")
    assert (empty.code, "products/ is empty" in empty.out) == (0, True)
    add_shop(tmp_path / "ours")
    assert factory("build").code == 0
    assert (tmp_path / "ours/ports.duckdb").is_file()


def test_a_stamped_workspace_has_the_template_and_the_standards_of_this_repository(
    tmp_path: Path, factory: Command
) -> None:
    files = factory("init", tmp_path / "ours", "--format", "json").json["files"]
    for top in ("copier.yml", "templates/product", "standards"):
        there = [ROOT / top] if (ROOT / top).is_file() else sorted((ROOT / top).rglob("*"))
        names = {f.relative_to(ROOT).as_posix() for f in there if f.is_file()}
        assert names and names == {name for name in files if name == top or name.startswith(f"{top}/")}
        assert all((tmp_path / "ours" / n).read_bytes() == (ROOT / n).read_bytes() for n in names)
    assert not [f for f in tmp_path.iterdir() if f.name.startswith(".ours")]


def test_a_workspace_among_products_is_refused(tmp_path: Path, factory: Command) -> None:
    assert factory("init", tmp_path / "ours").code == 0
    result = factory("init", tmp_path / "ours/products/inner")
    assert (result.code, "lies among the products of the workspace" in result.err) == (2, True)
    assert [f.name for f in (tmp_path / "ours/products").iterdir()] == [".gitkeep"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, factory: Command) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    result = factory("init", tmp_path / "full")
    assert result.code == 2
    assert "is not empty" in result.err
    assert [f.name for f in (tmp_path / "full").iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["dbt_project.yml", "macros/generate_names.sql"])
def test_the_template_has_the_umbrella_of_this_repository(name: str) -> None:
    assert (ROOT / "templates/workspace/template" / name).read_text("utf-8") == (ROOT / name).read_text(
        "utf-8"
    )
