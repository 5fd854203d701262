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
