"""Where things lie, and settings that are wrong in the ways in which settings are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import write_tree

from factory.errors import WorkspaceError
from factory.workspace import Settings, Workspace, find_workspace


def a_workspace(folder: Path, settings: str = "") -> Path:
    return write_tree(folder, {"pyproject.toml": f"[tool.factory]\n{settings}\n"})


def test_the_workspace_is_the_nearest_parent_that_says_so(tmp_path: Path) -> None:
    a_workspace(tmp_path)
    write_tree(
        tmp_path,
        {
            "products/orders/pyproject.toml": "[project]\nname = 'orders'\n",
            "products/orders/models/orders.sql": "select 1",
            "inner/pyproject.toml": "[tool.factory]\ntitle = 'Inner'\n",
            "inner/deep/x": "",
        },
    )
    assert find_workspace(tmp_path / "products/orders/models").root == tmp_path
    assert find_workspace(tmp_path / "inner/deep").settings.title == "Inner"


def test_settings_have_defaults_and_take_what_is_written(tmp_path: Path) -> None:
    assert find_workspace(a_workspace(tmp_path)).settings == Settings()
    text = """\
title = "Retail mesh"
environment = ["REGION", "RUN_DATE"]
certificate_days = 30
snapshots = 5
ports_base = "s3://ports"
targets.warehouse = { type = "postgres", host = "db.example.org" }
"""
    assert find_workspace(a_workspace(tmp_path, text)).settings == Settings(
        title="Retail mesh",
        environment=("REGION", "RUN_DATE"),
        targets={"warehouse": {"type": "postgres", "host": "db.example.org"}},
        certificate_days=30,
        snapshots=5,
        ports_base="s3://ports",
    )


def test_prod_publishes_at_the_root_and_every_other_target_in_its_own_folder() -> None:
    prod, branch = Workspace(Path("/mesh")), Workspace(Path("/mesh"), "ci")
    assert (prod.registry, prod.ports) == (Path("/mesh/registry"), Path("/mesh/ports"))
    assert (branch.registry, branch.ports) == (
        Path("/mesh/target/ci/registry"),
        Path("/mesh/target/ci/ports"),
    )
    assert prod.database_file("orders") == Path("/mesh/target/prod/duckdb/orders.duckdb")
    assert branch.database_file("orders") == Path("/mesh/target/ci/duckdb/orders.duckdb")


@pytest.mark.parametrize(
    ("target", "base", "prefix"),
    [
        ("prod", "", ""),
        ("ci", "", "target/ci/"),
        ("prod", "s3://ports/", "s3://ports/"),
        ("ci", "s3://ports", "s3://ports/"),
    ],
)
def test_server_paths_start_where_the_target_publishes(target: str, base: str, prefix: str) -> None:
    assert Workspace(Path("/mesh"), target, Settings(ports_base=base)).published_prefix == prefix


def test_paths_are_told_from_the_root() -> None:
    ws = Workspace(Path("/mesh"))
    assert ws.relative(Path("/mesh/products/orders/models/orders.sql")) == "products/orders/models/orders.sql"
    assert ws.relative(Path("/elsewhere/file")) == "/elsewhere/file"


def test_no_workspace_is_told_with_the_ways_to_one(tmp_path: Path) -> None:
    write_tree(tmp_path, {"pyproject.toml": "[tool.other]\n"})
    with pytest.raises(WorkspaceError, match="is not in a workspace") as caught:
        find_workspace(tmp_path)
    assert "factory init" in caught.value.hint


@pytest.mark.parametrize("target", ["", "Prod", "a/b", "../prod", "1st", "a b", "x" * 40, "prod\n"])
def test_a_target_is_a_plain_name(tmp_path: Path, target: str) -> None:
    with pytest.raises(WorkspaceError, match="is not a name"):
        find_workspace(a_workspace(tmp_path), target)


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ("titel = 'x'", "[tool.factory] has no setting 'titel'", "did you mean 'title'?"),
        ("zzz = 1", "[tool.factory] has no setting 'zzz'", "known settings: title, "),
        ("title = 3", "the setting 'title' must be a ", ""),
        ("snapshots = true", "the setting 'snapshots' must be a", ""),
        ("snapshots = 0", "the setting 'snapshots' must be at least 1", ""),
        ("certificate_days = 1.5", "the setting 'certificate_days' must be a", ""),
        ("environment = 'REGION'", "the setting 'environment' must be a ", ""),
        ("environment = ['A B']", "'A B' is not the name of an environment variable", ""),
        ("environment = [3]", "3 is not the name of an environment variable", ""),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(
    tmp_path: Path, settings: str, message: str, hint: str
) -> None:
    with pytest.raises(WorkspaceError) as caught:
        find_workspace(a_workspace(tmp_path, f"# the mesh\n{settings}"))
    assert caught.value.place(tmp_path) == "pyproject.toml:3"
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    "settings", ["targets.ci = {}", "targets.ci = 3", "targets.'C I' = {type = 'duckdb'}"]
)
def test_a_target_of_the_settings_is_a_dbt_output_with_a_plain_name(tmp_path: Path, settings: str) -> None:
    with pytest.raises(WorkspaceError, match="is not a dbt output") as caught:
        find_workspace(a_workspace(tmp_path, settings))
    assert "type" in caught.value.hint


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="not valid TOML") as caught:
        find_workspace(a_workspace(tmp_path, "title = 'x'\nsnapshots = = 3"))
    assert caught.value.place(tmp_path) == "pyproject.toml:3"


@pytest.mark.parametrize("content", [b"[tool]\nfactory = 3\n", b"[tool.factory]\ntitle = 'Z\xfcrich'\n"])
def test_what_is_no_table_or_no_text_is_told_with_its_file(tmp_path: Path, content: bytes) -> None:
    write_tree(tmp_path, {"pyproject.toml": content})
    with pytest.raises(WorkspaceError) as caught:
        find_workspace(tmp_path)
    assert caught.value.where == tmp_path / "pyproject.toml"


AN_ELEMENT = """\
[tool.factory.elements.carbon]
abbreviation = "Cb"
group = "B"
order = 4
category = "SLI"
period = 5
"""


def with_element(folder: Path, element: str) -> Path:
    text = f"[project]\nname = 'mesh'\norder = 'x'\n\n[tool.factory]\ntitle = 'Mesh'\n\n{element}"
    return write_tree(folder, {"pyproject.toml": text})


def test_a_team_adds_elements_of_the_quality_of_service(tmp_path: Path) -> None:
    more = 'name = "Carbon per run"\nproperty = "carbonPerRun"\ndirection = "at_most"\ncheck = "grams"\n'
    found = find_workspace(with_element(tmp_path, AN_ELEMENT + more)).settings.elements
    assert found["carbon"]["abbreviation"] == "Cb"
    assert found["carbon"]["direction"] == "at_most"


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "hint"),
    [
        ("order = 4", "order = 0", 11, "the element 'carbon': order 0 is not a number from 1 to 99", ""),
        ("order = 4", "order = '4'", 11, "the element 'carbon': order '4' is not a number from 1 to 99", ""),
        ("order = 4\n", "", 8, "the element 'carbon' has no order", "write order: a number from 1 to 99"),
        ('"SLI"', '"SLO"', 12, "the element 'carbon': category 'SLO' is not DQ or SLI", ""),
        ('"Cb"', '"cb"', 9, "the element 'carbon': abbreviation 'cb' is not one to three letters", ""),
        ('"B"', '"behaviour"', 10, "the element 'carbon': group 'behaviour' is not one capital letter", ""),
        ("period = 5", "perod = 5", 8, "the element 'carbon' has no period", "write period: "),
        (
            "period = 5",
            "period = 5\nperod = 5",
            14,
            "the element 'carbon' has no setting 'perod'",
            "did you mean 'period'?",
        ),
        (
            "period = 5",
            "period = 5\ndirection = 'up'",
            14,
            "the element 'carbon': direction 'up' is not at_least or at_most",
            "",
        ),
        (
            "period = 5",
            "period = 5\n\n" + AN_ELEMENT.replace(".carbon", ".coal"),
            16,
            "the elements 'carbon' and 'coal' have one abbreviation, Cb",
            "give one of them another",
        ),
    ],
)
def test_a_wrong_element_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(WorkspaceError) as caught:
        find_workspace(with_element(tmp_path, AN_ELEMENT.replace(old, new)))
    assert caught.value.place(tmp_path) == f"pyproject.toml:{line}"
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("elements = 3", "the setting 'elements' must be a dict"),
        ("elements.carbon = 3", "the element 'carbon' is not a table"),
        ("elements.carbon = { group = 'B' }", "the element 'carbon' has no abbreviation"),
        ("elements.carbon.abbreviation = 'x'", "the element 'carbon' has no group"),
    ],
)
def test_an_element_is_a_table_however_it_is_written(tmp_path: Path, settings: str, message: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        find_workspace(a_workspace(tmp_path, f"title = 'Mesh'\n{settings}"))
    assert caught.value.place(tmp_path) == "pyproject.toml:3"
    assert caught.value.message == message
