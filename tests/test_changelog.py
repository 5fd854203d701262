"""`factory contract changelog`: what changed from version to version, out of a real registry."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import make_mesh, replace, without_notice

from factory.pipeline import run
from factory.plan import Request
from factory.questions.changelog import changelog
from factory.standards import schema
from factory.workspace import find_workspace

CONTRACT = "products/shop/contracts/shop.odcs.yaml"
MODEL, PROPERTIES = "products/shop/models/orders.sql", "products/shop/models/_orders.yml"


def build(root: Path, on: str) -> None:
    request = Request(("shop",), now=datetime.fromisoformat(f"{on}T12:00:00+00:00"))
    result = run(find_workspace(root), request, lambda stage, detail="": None)
    assert [str(product.outcome) for product in result.products] == ["certified"], result


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shop in three versions: the first, one with another description, and one without `amount`."""
    root = make_mesh(tmp_path_factory.mktemp("changelog") / "mesh")
    for name in ("sales", "board"):
        shutil.rmtree(root / "products" / name)
    without_notice(root)
    build(root, "2026-01-01")
    replace(root / PROPERTIES, "description: The amount.", "description: The amount in *USD*.")
    replace(root / CONTRACT, "version: 1.0.0", "version: 1.0.1")
    build(root, "2026-02-01")
    replace(root / PROPERTIES, "name: amount", "name: price")
    replace(root / MODEL, "as amount", "as price")
    replace(root / "products/shop/checks/shop.yml", "min(amount)", "min(price)")
    replace(root / CONTRACT, "version: 1.0.1", "version: 2.0.0")
    build(root, "2026-03-01")
    return root


@pytest.fixture
def mesh(published: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(published)
    return published


def test_every_version_stands_against_the_one_before_it_newest_first(mesh: Path, factory: Command) -> None:
    data = factory("contract", "changelog", "shop", "--format", "json").json
    Draft202012Validator(schema("changelog.schema.json")).validate(data)
    assert [(v["version"], v["before"], v["severity"], v["published"]) for v in data["versions"]] == [
        ("2.0.0", "1.0.1", "major", "2026-03-01T12:00:00Z"),
        ("1.0.1", "1.0.0", "patch", "2026-02-01T12:00:00Z"),
        ("1.0.0", None, "first", "2026-01-01T12:00:00Z"),
    ]
    major, patch, first = (v["changes"] for v in data["versions"])
    assert any(c["path"].startswith("orders.amount") and c["severity"] == "major" for c in major)
    assert [c["path"] for c in patch] == ["orders.amount.description"]
    assert first == []


def test_the_text_and_the_release_notes_say_the_same(mesh: Path, factory: Command) -> None:
    text = factory("contract", "changelog", "shop", "shop").out
    assert text.startswith("shop 2.0.0  2026-03-01  major since 1.0.1: ")
    assert text.endswith("shop 1.0.0  2026-01-01  first version\n")
    notes = factory("contract", "changelog", "shop", "--format", "markdown").out
    assert notes.startswith("# Changelog of shop\n\n## shop 2.0.0 (2026-03-01)\n\nMajor since 1.0.1: ")
    assert "\n### Breaking\n\n- orders.amount" in notes
    assert "in \\*USD\\*" in notes


def test_a_date_that_the_registry_does_not_know_is_not_made_up(tmp_path: Path, mesh: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(mesh, copy, symlinks=True)
    shutil.rmtree(copy / "registry/certificates")
    releases = changelog(find_workspace(copy), "shop")
    assert [(r.published, r.before) for r in releases] == [(None, "1.0.1"), (None, "1.0.0"), (None, "")]


def test_a_fix_of_an_old_major_changes_nothing_that_was_said_of_the_next(tmp_path: Path, mesh: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(mesh, copy, symlinks=True)
    for kind in ("products", "certificates"):
        folder = copy / "registry" / kind / "trade/shop/shop"
        shutil.copytree(folder / "1.0.1", folder / "1.0.2")
    (issued,) = (copy / "registry/certificates/trade/shop/shop/1.0.2").iterdir()
    certificate = issued.rename(issued.with_name("1.json"))  # as earlier versions of the factory named them
    replace(certificate, '"issued": "2026-02-01', '"issued": "2026-04-01')
    releases = {r.version: r.before for r in changelog(find_workspace(copy), "shop")}
    assert releases == {"2.0.0": "1.0.1", "1.0.2": "1.0.1", "1.0.1": "1.0.0", "1.0.0": ""}


def test_what_is_not_published_has_no_changelog(mesh: Path, factory: Command) -> None:
    result = factory("contract", "changelog", "shopp")
    assert (result.code, "did you mean 'shop'?" in result.err) == (2, True)
    result = factory("contract", "changelog", "shop", "other")
    assert (result.code, "it has shop" in result.err) == (2, True)
