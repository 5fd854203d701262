"""`factory contract bump`, and the contracts as the working tree makes them: against a real mesh, built once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import build_mesh, make_mesh, replace, write

from factory.contract import compare
from factory.current import comparable, current_contracts
from factory.registry import Registry
from factory.standards import schema
from factory.workspace import Workspace, find_workspace

CONTRACT = "products/shop/contracts/shop.odcs.yaml"
DESCRIPTOR = "products/shop/product.odps.yaml"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh that is built and published; contracts and descriptor of shop have comments."""
    root = make_mesh(tmp_path_factory.mktemp("bump") / "mesh")
    replace(root / CONTRACT, "version: 1.0.0\n", "version: 1.0.0  # a published version never changes\n")
    return build_mesh(root)


@pytest.fixture
def mesh(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "mesh"
    shutil.copytree(built, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def bumped(factory: Command, *arguments: str) -> dict[str, Any]:
    result = factory("contract", "bump", *arguments, "--format", "json")
    assert result.code == 0, result.err
    Draft202012Validator(schema("bump.schema.json")).validate(result.json)
    return dict(result.json)


def version_lines(root: Path, file: str = CONTRACT) -> list[str]:
    return [line for line in (root / file).read_text("utf-8").splitlines() if line.startswith("version")]


def changes(ws: Workspace, name: str) -> list[str]:
    """Return what changed in a product since it was published."""
    current = current_contracts(ws, [name], dict(os.environ))[name]
    published = Registry(ws).published(current.product)
    return [
        change.path
        for contract in current.contracts
        for change in compare(*comparable(published[contract.name][0], contract, current))
    ]


# What the working tree makes of a contract


def test_contracts_of_what_was_built_are_those_of_the_build(mesh: Path) -> None:
    ws = find_workspace(mesh)
    for name, current in current_contracts(ws, (), dict(os.environ)).items():
        assert current.built
        assert changes(ws, name) == []


def test_contracts_that_are_compiled_anew_are_those_that_a_build_would_publish(mesh: Path) -> None:
    ws = find_workspace(mesh)
    for name in ("shop", "sales", "board"):
        (model,) = (mesh / f"products/{name}/models").glob("*.sql")
        model.write_text(model.read_text("utf-8") + "-- a comment\n", "utf-8")
    found = current_contracts(ws, (), dict(os.environ))
    assert not any(current.built for current in found.values())
    assert [changes(ws, name) for name in found] == [[], [], []]
    assert not list((mesh / "target").glob(".current-*"))


def test_contracts_of_a_clone_that_was_never_built_are_those_that_are_published(mesh: Path) -> None:
    shutil.rmtree(mesh / "target")
    assert changes(find_workspace(mesh), "sales") == []
    assert not list((mesh / "target/prod/duckdb").glob("*.duckdb"))


def test_a_check_of_other_files_says_nothing_of_those_that_were_built(mesh: Path, factory: Command) -> None:
    model = mesh / "products/shop/models/orders.sql"
    before = model.read_text("utf-8")
    model.write_text(before.replace("cast(amount as double)", "cast(2 * amount as double)"), "utf-8")
    factory("check", "shop")
    model.write_text(before, "utf-8")
    assert changes(find_workspace(mesh), "shop") == []


def test_a_column_without_a_type_is_left_out_on_both_sides(mesh: Path) -> None:
    properties = mesh / "products/sales/models/_sales.yml"
    replace(properties, "contract: {enforced: true}", "contract: {enforced: false}")
    replace(properties, "        data_type: double\n", "")
    replace(mesh / "products/sales/models/sales.sql", "sum(amount)", "max(amount)")
    ws = find_workspace(mesh)
    assert current_contracts(ws, ["sales"], {})["sales"].untyped == {("sales", "total")}
    found = changes(ws, "sales")
    assert "sales.total.transformLogic" in found
    assert not [path for path in found if "Type" in path]


# The version that a change asks for


def test_a_severity_that_the_workspace_sets_asks_for_its_version(mesh: Path, factory: Command) -> None:
    replace(mesh / "products/shop/models/_orders.yml", "The output port orders.", "Orders, a row each.")
    file = mesh / "pyproject.toml"
    table = "".join(f'{rule} = "minor"\n' for rule in ("information-changed", "field-changed"))
    file.write_text(file.read_text("utf-8") + f"\n[tool.factory.severities]\n{table}", "utf-8")
    (entry,) = bumped(factory, "shop")["contracts"]
    assert (entry["new_version"], entry["severity"]) == ("1.1.0", "minor")


def test_the_version_that_a_change_asks_for_is_written_and_nothing_else(mesh: Path, factory: Command) -> None:
    before = (mesh / CONTRACT).read_text("utf-8")
    replace(mesh / "products/shop/models/_orders.yml", "The output port orders.", "Orders, a row each.")
    (entry,) = bumped(factory, "shop")["contracts"]
    assert (entry["version"], entry["new_version"], entry["severity"]) == ("1.0.0", "1.0.1", "patch")
    assert (entry["file"], entry["line"]) == (CONTRACT, 4)
    assert (mesh / CONTRACT).read_text("utf-8") == before.replace("version: 1.0.0", "version: 1.0.1")
    (again,) = bumped(factory, "shop")["contracts"]
    assert (again["new_version"], again["note"]) == ("1.0.1", "1.0.1 says enough after 1.0.0")


def test_what_is_bumped_is_what_the_build_accepts(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/shop/models/orders.sql",
        "cast(amount as double) as amount",
        "cast(amount as double) as amount,\n    'USD' as currency",
    )
    with (mesh / "products/shop/models/_orders.yml").open("a", encoding="utf-8") as file:
        file.write("      - name: currency\n        data_type: varchar\n        description: Currency.\n")
    refused = factory("check", "shop", "--format", "json").json["products"][0]
    assert any("set `version: 1.1.0`" in reason for reason in refused["reasons"]), refused
    assert bumped(factory, "shop")["contracts"][0]["new_version"] == "1.1.0"
    assert factory("build", "shop", "--format", "json").json["products"][0]["outcome"] == "certified"


def test_a_lost_column_is_a_major_and_the_old_one_is_to_be_kept(mesh: Path, factory: Command) -> None:
    replace(mesh / "products/sales/models/sales.sql", ", cast(sum(amount) as double) as total", "")
    properties = mesh / "products/sales/models/_sales.yml"
    text = properties.read_text("utf-8")
    properties.write_text(text[: text.index("      - name: total")], "utf-8")
    shutil.rmtree(mesh / "products/board")
    result = factory("contract", "bump", "sales", "--dry-run")
    assert "sales 1.0.0 -> 2.0.0 (major)" in result.out
    assert "sales.v1.odcs.yaml" in result.out
    assert "Nothing is written" in result.out
    assert version_lines(mesh, "products/sales/contracts/sales.odcs.yaml") == ["version: 1.0.0"]


def test_nothing_changed_is_nothing_to_change(mesh: Path, factory: Command) -> None:
    before = (mesh / CONTRACT).read_bytes()
    result = factory("contract", "bump", "shop")
    assert result.code == 0
    assert "1.0.0 stays" in result.out
    assert "nothing has changed since 1.0.0" in result.out
    assert (mesh / CONTRACT).read_bytes() == before


def test_what_is_not_published_needs_no_other_version(mesh: Path, factory: Command) -> None:
    shutil.rmtree(mesh / "registry")
    assert "it is not published yet" in factory("contract", "bump", "shop").out


def test_a_version_below_the_published_one_is_brought_up_to_it(mesh: Path, factory: Command) -> None:
    replace(mesh / CONTRACT, "1.0.0 ", "1.2.0 ")
    factory("build", "shop")
    replace(mesh / CONTRACT, "1.2.0 ", "1.1.0 ")
    assert bumped(factory, "shop")["contracts"][0]["new_version"] == "1.2.0"


# The version that somebody names


@pytest.mark.parametrize(("step", "version"), [("--minor", "1.1.0"), ("--patch", "1.0.1")])
def test_a_step_is_taken_without_a_look_at_changes(
    mesh: Path, factory: Command, step: str, version: str
) -> None:
    shutil.rmtree(mesh / "products/shop/models")  # nothing that dbt could read
    assert bumped(factory, "shop", step)["contracts"][0]["new_version"] == version
    assert version_lines(mesh) == [f"version: {version}  # a published version never changes"]


def test_a_new_major_leaves_the_old_one_its_file(mesh: Path, factory: Command) -> None:
    before = (mesh / CONTRACT).read_bytes()
    (entry,) = bumped(factory, "shop", "--major")["contracts"]
    assert entry["kept_file"] == "products/shop/contracts/shop.v1.odcs.yaml"
    assert (mesh / entry["kept_file"]).read_bytes() == before
    assert version_lines(mesh) == ["version: 2.0.0  # a published version never changes"]
    (entry,) = bumped(factory, "shop", "shop/2", "--major")["contracts"]
    assert (entry["new_version"], entry["kept_file"]) == ("3.0.0", None)  # 2.0.0 was never published
    result = factory("contract", "bump", "shop", "shop/1", "--minor")
    assert "shop.v1.odcs.yaml:4  shop 1.0.0 -> 1.1.0 (minor)" in result.out


def test_a_file_of_the_old_major_keeps_it_and_the_new_one_gets_a_file(mesh: Path, factory: Command) -> None:
    (mesh / CONTRACT).rename(mesh / "products/shop/contracts/shop.v1.odcs.yaml")
    (entry,) = bumped(factory, "shop", "--major")["contracts"]
    assert entry["file"] == "products/shop/contracts/shop.v2.odcs.yaml"
    assert version_lines(mesh, entry["file"]) == ["version: 2.0.0  # a published version never changes"]
    assert version_lines(mesh, entry["kept_file"]) == ["version: 1.0.0  # a published version never changes"]


def test_a_new_major_in_place_has_one_file(mesh: Path, factory: Command) -> None:
    assert bumped(factory, "shop", "--major", "--in-place")["contracts"][0]["kept_file"] is None
    assert [file.name for file in (mesh / "products/shop/contracts").iterdir()] == ["shop.odcs.yaml"]


def test_a_major_that_another_file_has_is_refused(mesh: Path, factory: Command) -> None:
    text = (mesh / CONTRACT).read_text("utf-8")
    write(mesh / "products/shop/contracts/shop_v2.odcs.yaml", text.replace("1.0.0", "2.0.0"))
    result = factory("contract", "bump", "shop", "shop/1", "--major")
    assert result.code == 2
    assert "shop_v2.odcs.yaml is of that major already" in result.err


def test_what_is_not_there_is_told(mesh: Path, factory: Command) -> None:
    result = factory("contract", "bump", "shop", "orders")
    assert (result.code, "its contracts: shop/1" in result.err) == (2, True)
    result = factory("contract", "bump", "shopp")
    assert (result.code, "did you mean 'shop'" in result.err) == (2, True)
    assert factory("contract", "bump", "shop", "--in-place").code == 2


def test_a_file_that_cannot_be_edited_is_told_and_nothing_is_written(mesh: Path, factory: Command) -> None:
    replace(mesh / CONTRACT, "version: 1.0.0 ", "version: &v 1.0.0 ")
    with (mesh / CONTRACT).open("a", encoding="utf-8") as file:
        file.write("customProperties: [{property: tableVersion, value: *v}]\n")
    before = (mesh / CONTRACT).read_bytes()
    result = factory("contract", "bump", "shop", "--minor")
    assert result.code == 2
    assert f"{CONTRACT}:4" in result.err
    assert "write `version: 1.1.0`" in result.err
    assert (mesh / CONTRACT).read_bytes() == before


# The product's own version


def test_a_changed_descriptor_raises_the_version_that_it_states(mesh: Path, factory: Command) -> None:
    replace(mesh / DESCRIPTOR, "name: shop\n", "name: shop\nversion: 3.0.0 # stated\n")
    assert factory("build", "shop", "--format", "json").json["products"][0]["version"] == "3.0.0"
    replace(mesh / DESCRIPTOR, "What shop is for.", "What the shop is for.")
    found = bumped(factory, "shop")
    assert found["descriptor"]["new_version"] == "3.0.1"
    assert found["contracts"][0]["new_version"] == "1.0.1"
    assert version_lines(mesh, DESCRIPTOR) == ["version: 3.0.1 # stated"]
    assert factory("build", "shop", "--format", "json").json["products"][0]["outcome"] == "certified"


def test_a_descriptor_without_a_version_raises_that_of_the_contract(mesh: Path, factory: Command) -> None:
    replace(mesh / DESCRIPTOR, "description:\n", "productCreatedTs: '2024-01-01T00:00:00Z'\ndescription:\n")
    (entry,) = bumped(factory, "shop")["contracts"]
    assert entry["new_version"] == "1.0.1"
    assert "product.odps.yaml has changed" in entry["note"]
    assert factory("build", "shop", "--format", "json").json["products"][0]["outcome"] == "certified"
