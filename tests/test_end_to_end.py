"""A tiny mesh through the whole line, for real: dbt, DuckDB, Soda, registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import make_mesh, replace, without_notice, write

from factory.standards import odcs_faults, odps_faults, schema


@pytest.fixture(scope="module")
def published(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def contract(mesh: Path, product: str) -> dict[str, Any]:
    file = mesh / f"registry/products/trade/{product}/{product}/1.0.0/contract.odcs.yaml"
    return dict(yaml.safe_load(file.read_text("utf-8")))


def valid(name: str, data: Any) -> None:
    Draft202012Validator(schema(f"{name}.schema.json")).validate(data)


def outcomes(run: Any) -> dict[str, str]:
    return {product["name"]: product["outcome"] for product in run["products"]}


def test_published_contracts_are_valid_odcs_with_all_sections(mesh: Path) -> None:
    for product in ("shop", "sales", "board"):
        data = contract(mesh, product)
        assert odcs_faults(data) == ()
        sections = {
            "description",
            "schema",
            "price",
            "team",
            "roles",
            "slaProperties",
            "customProperties",
            "support",
        }
        assert sections <= data.keys()


def test_a_column_carries_type_key_description_rules_and_lineage(mesh: Path) -> None:
    key, total = contract(mesh, "sales")["schema"][0]["properties"]
    assert (key["logicalType"], key["physicalType"]) == ("integer", "INTEGER")
    assert key["required"] and key["unique"] and key["primaryKey"] and key["primaryKeyPosition"] == 1
    assert [rule["metric"] for rule in key["quality"]] == ["duplicateValues"]
    assert total["transformSourceObjects"] == ["shop.orders.amount"]
    assert total["transformLogic"] == "CAST(SUM(amount) AS DOUBLE)"
    assert total["transformDescription"] == "Aggregated from shop.orders.amount."


def test_every_rule_is_published_once(mesh: Path) -> None:
    table = contract(mesh, "shop")["schema"][0]
    rules = [
        *table["quality"],
        *(rule for column in table["properties"] for rule in column.get("quality", ())),
    ]
    assert sorted(rule["name"] for rule in rules) == [
        "There are orders",
        "min(amount) >= 0",
        "unique_orders_order_id",
    ]
    assert {rule["dimension"] for rule in rules} == {"accuracy", "coverage", "uniqueness"}


def test_servers_really_open(mesh: Path) -> None:
    duck, parquet = contract(mesh, "sales")["servers"]
    # The views hold absolute paths of the machine that made them: they are made anew by the next build.
    assert (mesh / duck["database"]).is_file()
    rows = duckdb.sql(f"from '{mesh / parquet['path']}' order by customer_id").fetchall()
    assert rows == [(1, 15.0), (2, 7.0)]


def test_the_ports_database_has_a_view_per_table(published: Path) -> None:
    with duckdb.connect(str(published / "ports.duckdb"), read_only=True) as connection:
        assert connection.sql("from board.board").fetchall() == [(2, 22.0)]
        assert connection.sql("select count(*) from shop.orders").fetchone() == (3,)


def test_the_registry_file_is_sorted_and_as_its_schema_says(mesh: Path) -> None:
    data = json.loads((mesh / "registry/registry.json").read_bytes())
    valid("registry", data)
    assert [product["id"] for product in data["products"]] == [
        "urn:dpf:trade:board",
        "urn:dpf:trade:sales",
        "urn:dpf:trade:shop",
    ]
    for product in data["products"]:
        for entry in product["contracts"]:
            assert (mesh / "registry" / entry["path"]).is_file()
            assert all((mesh / port["path"]).is_file() for port in entry["ports"])


def test_records_lineage_and_products_are_as_their_schemas_say(mesh: Path) -> None:
    for file in mesh.glob("registry/products/*/*/*/*/record.json"):
        valid("record", json.loads(file.read_bytes()))
    for file in mesh.glob("registry/products/*/*/*/*/lineage.json"):
        valid("lineage", json.loads(file.read_bytes()))
    sales = yaml.safe_load(
        (mesh / "registry/products/trade/sales/product/1.0.0.odps.yaml").read_text("utf-8")
    )
    assert odps_faults(sales) == ()
    assert sales["inputPorts"] == [
        {"name": "shop.shop", "version": "1.0.0", "contractId": "urn:dpf:trade:shop:shop"}
    ]
    assert [port["contractId"] for port in sales["outputPorts"]] == ["urn:dpf:trade:sales:sales"]


def test_nothing_changed_means_nothing_runs(mesh: Path, factory: Command) -> None:
    result = factory("build", "--format", "json")
    assert result.code == 0
    assert set(outcomes(result.json).values()) == {"unchanged"}
    assert result.json["cpu_seconds"]["dbt"] == 0
    valid("run", result.json)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a model", lambda root: write(root / "products/sales/models/sales.sql", SALES + "-- a comment\n")),
        (
            "a check",
            lambda root: replace(root / "products/sales/checks/sales.yml", "checks for", "\nchecks for"),
        ),
        (
            "a contract",
            lambda root: replace(root / "products/sales/contracts/sales.odcs.yaml", "\nprice", "\n\nprice"),
        ),
        ("what is published", lambda root: shutil.rmtree(root / "ports/trade/sales")),
    ],
)
def test_a_change_runs_its_product_and_what_reads_it(
    mesh: Path, factory: Command, what: str, change: Any
) -> None:
    change(mesh)
    result = factory("build", "--format", "json")
    assert result.code == 0, result.err
    assert outcomes(result.json) == {"shop": "unchanged", "sales": "certified", "board": "certified"}, what


SALES = """\
select customer_id, cast(sum(amount) as double) as total
from {{ ref('shop', 'orders') }}
group by customer_id
"""


def test_a_variable_an_environment_variable_and_a_macro_are_changes(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "-- {{ env_var('SALES_MARK', 'none') }} {{ var('mark', 'none') }}\n"
    write(mesh / "products/sales/models/sales.sql", SALES + text)
    assert factory("build").code == 0
    for change in (
        lambda: monkeypatch.setenv("SALES_MARK", "other"),
        lambda: write(mesh / "macros/own.sql", "{% macro own() %}{% endmacro %}"),
    ):
        change()
        before = factory("build", "--format", "json")
        again = factory("build", "--format", "json")
        assert "certified" in outcomes(before.json).values()
        assert set(outcomes(again.json).values()) == {"unchanged"}
    assert outcomes(factory("build", "--vars", "{mark: x}", "--format", "json").json)["sales"] == "certified"


def test_a_product_alone_reads_the_published_ports_of_others(mesh: Path, factory: Command) -> None:
    (mesh / "target/prod/duckdb/shop.duckdb").unlink()
    before = contract(mesh, "sales")
    write(mesh / "products/sales/models/sales.sql", SALES + "-- changed\n")
    result = factory("build", "sales", "--format", "json")
    assert outcomes(result.json) == {"sales": "certified"}
    assert contract(mesh, "sales") == before


def test_selectors_take_what_is_read_and_what_reads(mesh: Path, factory: Command) -> None:
    assert [*outcomes(factory("build", "+sales", "--format", "json").json)] == ["shop", "sales"]
    assert [*outcomes(factory("build", "sales+", "--format", "json").json)] == ["sales", "board"]
    wrong = factory("build", "slaes")
    assert wrong.code == 2
    assert "did you mean 'sales'?" in wrong.err


def test_a_failed_check_refuses_its_product_blocks_what_reads_it_and_leaves_the_rest(
    mesh: Path, factory: Command
) -> None:
    before = {p: p.read_bytes() for p in mesh.glob("registry/products/**/*") if p.is_file()}
    pointer = (mesh / "ports/trade/sales/sales/v1/current.json").read_bytes()
    replace(mesh / "products/sales/checks/sales.yml", "row_count > 0", "row_count > 100")
    result = factory("build", "--format", "json")
    assert result.code == 1
    assert outcomes(result.json) == {"shop": "unchanged", "sales": "refused", "board": "blocked"}
    reasons = {product["name"]: product["reasons"] for product in result.json["products"]}
    assert "products/sales/checks/sales.yml:2: soda check 'row_count > 100'" in reasons["sales"][0]
    assert "measured 2" in reasons["sales"][0]
    assert reasons["board"] == ["it reads sales, which is not certified in this run"]
    assert {p: p.read_bytes() for p in before} == before
    assert (mesh / "ports/trade/sales/sales/v1/current.json").read_bytes() == pointer
    assert len(factory("list", "--format", "json").json["products"]) == 3


def test_a_failed_dbt_test_refuses(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/shop/models/_orders.yml",
        "constraints: [{type: not_null}, {type: primary_key}]",
        "tags: []",
    )
    replace(mesh / "products/shop/data/orders.csv", "3,2,7.0", "2,2,7.0")
    result = factory("build", "shop", "--format", "json")
    assert result.code == 1
    assert any("unique_orders_order_id" in reason for reason in result.json["products"][0]["reasons"])


def test_a_check_of_severity_warning_publishes_and_tells(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/sales/models/_sales.yml",
        "data_tests: [unique]",
        "data_tests: [unique, {accepted_values: {arguments: {values: [1]}, config: {severity: warn}}}]",
    )
    replace(mesh / "products/sales/contracts/sales.odcs.yaml", "version: 1.0.0", "version: 1.1.0")
    result = factory("build", "sales", "--format", "json")
    assert result.code == 0, result.out
    assert "accepted_values" in result.json["products"][0]["advice"][0]


def test_check_publishes_nothing(tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_mesh(tmp_path / "fresh")
    monkeypatch.chdir(root)
    result = factory("check", "--format", "json")
    assert result.code == 0
    assert set(outcomes(result.json).values()) == {"certified"}
    assert not (root / "registry").exists()
    assert not (root / "ports").exists()


def test_another_target_publishes_elsewhere_and_reads_what_prod_published(
    mesh: Path, factory: Command
) -> None:
    before = (mesh / "registry/registry.json").read_bytes()
    result = factory("build", "board", "--target", "ci", "--format", "json")
    assert outcomes(result.json) == {"board": "certified"}, result.err
    assert (mesh / "target/ci/registry/registry.json").is_file()
    assert (mesh / "registry/registry.json").read_bytes() == before
    assert [p["name"] for p in factory("list", "--target", "ci", "--format", "json").json["products"]] == [
        "board"
    ]


def test_show_fits_on_a_screen_and_says_what_a_consumer_asks(mesh: Path, factory: Command) -> None:
    result = factory("show", "sales")
    assert result.code == 0
    for words in (
        "urn:dpf:trade:sales",
        "aggregate",
        "key customer_id",
        "sales-owner@example.org",
        "price: free",
        "promises frequency",
    ):
        assert words in result.out
    assert len(result.out.splitlines()) < 40
    valid("show", factory("show", "sales", "--format", "json").json)
    valid("list", factory("list", "--format", "json").json)
    unknown = factory("show", "salse")
    assert (unknown.code, "did you mean 'sales'?" in unknown.err) == (2, True)


def test_a_contract_that_changes_under_its_version_is_refused_with_the_version_to_set(
    mesh: Path, factory: Command
) -> None:
    without_notice(mesh)
    factory("build")
    replace(mesh / "products/sales/models/_sales.yml", "data_type: double", "data_type: decimal(18,2)")
    replace(mesh / "products/sales/models/sales.sql", "as double", "as decimal(18,2)")
    result = factory("build", "sales", "--format", "json")
    assert result.code == 1
    (reason,) = result.json["products"][0]["reasons"]
    assert "products/sales/contracts/sales.odcs.yaml:4" in reason
    assert "sales.total.physicalType: 'DOUBLE' became 'DECIMAL(18,2)' (major)" in reason
    # Who is hit, and how to go on.
    assert "who may be hit: board (board-owner@example.org)" in reason
    assert "factory contract bump sales" in reason
    assert "set `version: 2.0.0`" in reason
    replace(mesh / "products/sales/contracts/sales.odcs.yaml", "version: 1.0.0", "version: 1.1.0")
    assert "too small" in factory("build", "sales", "--format", "json").json["products"][0]["reasons"][0]
    replace(mesh / "products/sales/contracts/sales.odcs.yaml", "version: 1.1.0", "version: 2.0.0")
    assert factory("build", "sales").code == 0
    versions = [
        c["version"] for c in factory("show", "sales", "--format", "json").json["product"]["contracts"]
    ]
    assert versions == ["1.0.0", "2.0.0"]
    assert (mesh / "ports/trade/sales/sales/v1/current/sales.parquet").is_file()


def test_a_change_of_a_tool_alone_keeps_the_published_contract(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import factory.contract.origins as origins
    from factory.tools import tool_versions

    before = (mesh / "registry/products/trade/sales/sales/1.0.0/contract.odcs.yaml").read_bytes()
    monkeypatch.setitem(tool_versions(), "sqlglot", "99.0")
    monkeypatch.setitem(origins._WORDS, "AGGREGATION", "Spelled in another way from {sources}.")
    result = factory("build", "--format", "json")
    assert set(outcomes(result.json).values()) == {"certified"}, result.out
    assert (mesh / "registry/products/trade/sales/sales/1.0.0/contract.odcs.yaml").read_bytes() == before


def test_what_the_product_file_says_is_versioned_too(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/board/product.odps.yaml", "purpose: What board is for.", "purpose: Something else."
    )
    replace(
        mesh / "products/board/contracts/board.odcs.yaml",
        "status: active",
        "status: active\ndescription: {purpose: What board is for.}",
    )
    result = factory("build", "board", "--format", "json")
    assert result.code == 1
    assert any("its description changed since" in reason for reason in result.json["products"][0]["reasons"])


def test_an_expired_certificate_makes_a_product_run_again(mesh: Path, factory: Command) -> None:
    for file in mesh.glob("registry/certificates/trade/board/**/*.json"):
        data = json.loads(file.read_bytes())
        file.write_text(json.dumps({**data, "expires": "2020-01-01T00:00:00Z"}), "utf-8")
    assert outcomes(factory("build", "--format", "json").json) == {
        "shop": "unchanged", "sales": "unchanged", "board": "certified",
    }  # fmt: skip


def test_events_are_cloud_events(mesh: Path) -> None:
    events = [json.loads(file.read_bytes()) for file in (mesh / "registry/events").rglob("*.json")]
    assert len(events) == 3
    for event in events:
        assert {"specversion", "id", "source", "type", "time", "data"} <= event.keys()
        assert event["type"] == "org.dataproductfactory.published"


def test_dbt_itself_works_by_hand_from_the_root(mesh: Path) -> None:
    for command in (["build"], ["test", "--select", "package:sales"], ["docs", "generate"]):
        done = subprocess.run(
            [Path(sys.executable).parent / "dbt", *command], cwd=mesh, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
        assert "deprecat" not in done.stdout.lower()


def test_a_product_that_is_gone_is_missed_by_those_that_read_it(mesh: Path, factory: Command) -> None:
    shutil.move(mesh / "products/sales", mesh.parent / "sales")
    result = factory("build")
    assert result.code == 2
    assert "products/board/models/board.sql" in result.err


def test_a_product_that_reads_no_other_builds_alone_from_its_own_folder(mesh: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "dbt", "build", "--profiles-dir", "../..", "--target", "alone"],
        cwd=mesh / "products/shop",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_what_is_said_of_a_singular_test_stays_when_something_else_changes(
    mesh: Path, factory: Command
) -> None:
    """dbt forgets it when it parses only what has changed."""
    write(
        mesh / "products/sales/tests/sales_add_up.sql", "select * from {{ ref('sales') }} where total < 0\n"
    )
    said = "  - name: sales_add_up\n    description: Totals add up.\n    config: {meta: {dimension: consistency}}\n"
    write(mesh / "products/sales/tests/_tests.yml", f"version: 2\ndata_tests:\n{said}")
    replace(mesh / "products/sales/contracts/sales.odcs.yaml", "version: 1.0.0", "version: 1.1.0")
    assert factory("build", "sales").code == 0
    models = mesh / "products/sales/models/_sales.yml"
    models.write_text(models.read_text("utf-8").replace("description: ", "description: Truly, ", 1), "utf-8")
    result = factory("build", "sales", "--format", "json")
    reasons = " ".join(result.json["products"][0]["reasons"])
    assert "sales_add_up" not in reasons, reasons
