"""Fingerprints: what counts as a change, and what does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import a_product, a_relation, some_artifacts
from mesh import make_mesh, write

from factory.build import SourceAge
from factory.changes import Built, external_changed, external_sources, fingerprints, read_state, write_state
from factory.products import discover
from factory.workspace import Settings, Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(make_mesh(tmp_path / "mesh"))


def prints(ws: Workspace, environment: dict[str, str] | None = None, variables: str = "") -> dict[str, str]:
    found = fingerprints(ws, discover(ws), environment or {}, variables)
    return {name: each.whole for name, each in found.items()}


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write(root / "products/shop/data/orders.csv", "order_id\n9\n"),
        lambda root: write(root / "products/shop/seeds/s.csv", "a\n1\n"),
        lambda root: write(root / "products/shop/macros/m.sql", "{% macro m() %}{% endmacro %}"),
        lambda root: (root / "products/shop/checks/shop.yml").unlink(),
        lambda root: (root / "products/shop/models/orders.sql").rename(
            root / "products/shop/models/others.sql"
        ),
    ],
)
def test_a_file_that_changed_came_or_went_changes_its_product_alone(
    ws: Workspace, change: Callable[[Path], object]
) -> None:
    before = prints(ws)
    change(ws.root)
    after = prints(ws)
    assert {name for name in before if before[name] != after[name]} == {"shop"}


@pytest.mark.parametrize("name", ["dbt_project.yml", "macros/generate_names.sql", "standards/s.sql"])
def test_a_file_of_the_umbrella_changes_all(ws: Workspace, name: str) -> None:
    before = prints(ws)
    file = ws.root / name
    write(file, (file.read_text("utf-8") if file.exists() else "") + "\n# more\n")
    after = prints(ws)
    assert all(before[product] != after[product] for product in before)


def test_variables_targets_and_settings_change_all(ws: Workspace) -> None:
    before = prints(ws)
    for other in (
        prints(ws, variables="{a: 1}"),
        prints(Workspace(ws.root, "ci")),
        prints(Workspace(ws.root, settings=Settings(ports_base="s3://x"))),
    ):
        assert all(before[product] != other[product] for product in before)


def test_an_environment_variable_counts_where_it_is_named(ws: Workspace) -> None:
    write(ws.root / "products/sales/models/x.sql", 'select \'{{ env_var("RATE", "1") }}\' as rate')
    one, two = prints(ws, {"RATE": "1", "OTHER": "1"}), prints(ws, {"RATE": "2", "OTHER": "2"})
    assert {name for name in one if one[name] != two[name]} == {"sales"}
    named = Workspace(ws.root, settings=Settings(environment=("OTHER",)))
    one, two = prints(named, {"OTHER": "1"}), prints(named, {"OTHER": "2"})
    assert all(one[name] != two[name] for name in one)


def test_what_tools_leave_behind_and_times_of_files_do_not_count(ws: Workspace) -> None:
    before = prints(ws)
    write(ws.root / "products/shop/target/manifest.json", "{}")
    write(ws.root / "products/shop/logs/dbt.log", "x")
    write(ws.root / "products/shop/.user.yml", "x")
    os.utime(ws.root / "products/shop/models/orders.sql", (1, 1))
    assert prints(ws) == before


def test_data_is_no_definition(ws: Workspace) -> None:
    before = fingerprints(ws, discover(ws), {}, "")["shop"]
    write(ws.root / "products/shop/data/orders.csv", "order_id\n9\n")
    after = fingerprints(ws, discover(ws), {}, "")["shop"]
    assert before.definitions == after.definitions
    assert before.whole != after.whole


def test_the_state_comes_back_as_it_was_written_and_a_broken_one_is_none(ws: Workspace) -> None:
    state = {
        "shop": Built(
            "f",
            "certified",
            "1.0.0",
            ("a",),
            (),
            {"d/a/c/1": "s"},
            {"c/1": "t"},
            {"c/1": "1.0.0"},
            {"s": ("n", "?")},
        )
    }
    write_state(ws, state)
    assert read_state(ws) == state
    ws.state.write_text('{"state_version": 1, "products": {"shop": {}}}', "utf-8")
    assert read_state(ws) == {}


@pytest.mark.parametrize(
    ("relation", "state"),
    [
        ("'products/orders/data/a.csv'", None),
        ("read_csv('products/orders/data/a.csv', delim=';')", None),
        ("'products/orders/../other/a.csv'", "?"),
        ("'outside/a.csv'", "file:"),
        ("'outside/*.csv'", "file:"),
        ("'outside/missing.csv'", "?"),
        ("'s3://bucket/a.parquet'", "?"),
        ('"warehouse"."raw"."orders"', "?"),
    ],
)
def test_sources_outside_the_product_have_a_state(tmp_path: Path, relation: str, state: str | None) -> None:
    ws = Workspace(tmp_path)
    write(tmp_path / "outside/a.csv", "a\n1\n")
    product = a_product(name="orders", folder=tmp_path / "products/orders")
    source = a_relation(
        "raw.a", kind="source", unique_id="source.orders.raw.a", package="orders", relation_name=relation
    )
    found = external_sources(product, some_artifacts(source), {}, ws)
    if state is None:
        assert found == {}
        return
    assert found["source.orders.raw.a"][1].startswith(state)
    built = Built("f", "certified", "1.0.0", sources=found)
    assert external_changed(built, {}, ws) == (state == "?")
    write(tmp_path / "outside/a.csv", "a\n1\n2\n")
    assert external_changed(built, {}, ws)


def loaded(at: str) -> dict[str, SourceAge]:
    return {"source.a.b.c": SourceAge(at, "pass")}


def test_what_dbt_s_freshness_says_decides(tmp_path: Path) -> None:
    built = Built("f", "certified", "1.0.0", sources={"source.a.b.c": ('"w"."r"."o"', "loaded:2024-01-01")})
    assert not external_changed(built, loaded("2024-01-01"), Workspace(tmp_path))
    assert external_changed(built, loaded("2024-01-02"), Workspace(tmp_path))
    assert external_changed(built, {}, Workspace(tmp_path))
