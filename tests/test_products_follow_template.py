"""The products of this repository carry their answers and follow the template."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from conftest import Command
from mesh import ROOT
from stamping import git

from factory.git import repository_of
from factory.scaffold.merge import keepers
from factory.scaffold.template import questions_of, read_answers, render

PRODUCTS = sorted(folder.name for folder in (ROOT / "products").iterdir() if folder.is_dir())


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_answers_are_the_products(name: str, tmp_path: Path) -> None:
    folder = ROOT / "products" / name
    answers = read_answers(folder)
    asked = questions_of(ROOT)
    given = {key: value for key, value in answers.items() if not key.startswith("_")}
    assert given.keys() <= asked.keys()
    descriptor = yaml.safe_load((folder / "product.odps.yaml").read_text("utf-8"))
    assert (given["name"], given["domain"]) == (descriptor["name"], descriptor["domain"])
    assert given["summary"].strip() == descriptor["description"]["purpose"].strip()
    assert answers["_commit"] and answers["_tree"] and answers["_src_path"] == "."
    assert (folder / "roles.yml").is_file() and (folder / "notify.yml").is_file()
    # The answers can still be stamped, with the template as it lies here.
    source = tmp_path / "template"
    shutil.copytree(ROOT / "templates/product", source / "templates/product")
    shutil.copy(ROOT / "copier.yml", source)
    render(source, tmp_path / name, given)
    stamped = {f.relative_to(tmp_path / name).as_posix() for f in (tmp_path / name).rglob("*") if f.is_file()}
    assert set(keepers(folder)) <= stamped


def test_they_are_up_to_date(factory: Command) -> None:
    if repository_of(ROOT) is None or git(ROOT, "rev-parse", "--is-shallow-repository").strip() == "true":
        # A download or a shallow clone has no history to compare with: then every product says so.
        standings = factory("-C", ROOT, "template", "status", "--format", "json").json["products"]
        assert {one["state"] for one in standings} <= {"lost", "current"}
        return
    result = factory("-C", ROOT, "template", "status", "--format", "json", "--fail-on", "behind")
    assert result.code == 0, result.out
    assert {one["name"]: one["state"] for one in result.json["products"]} == dict.fromkeys(
        PRODUCTS, "current"
    )
