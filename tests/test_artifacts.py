"""What dbt wrote, read tolerantly: more than is known is kept, less than is known is empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import a_column, a_relation, write_tree

from factory.artifacts import Artifacts, Constraint, Exposure, NodeRun, read_artifacts
from factory.errors import DbtError

# Of a manifest that dbt 1.11 wrote: what is read, and a little of what is not.
STG: dict[str, Any] = {
    "resource_type": "model",
    "package_name": "orders",
    "name": "stg_orders",
    "alias": "stg_orders",
    "database": "orders",
    "schema": "main",
    "relation_name": '"orders"."main"."stg_orders"',
    "original_file_path": "models\\staging\\stg_orders.sql",
    "access": "protected",
    "config": {"materialized": "view", "meta": {}},
    "depends_on": {"macros": [], "nodes": ["source.orders.raw.orders", "seed.orders.rates"]},
    "compiled_code": "select 1 as order_id",
    "columns": {},
}
MART: dict[str, Any] = {
    "resource_type": "model",
    "package_name": "orders",
    "name": "orders",
    "alias": "orders_v2",
    "version": 2,
    "latest_version": 3,
    "deprecation_date": "2030-01-01T00:00:00+00:00",
    "relation_name": '"orders"."main"."orders_v2"',
    "original_file_path": "models/marts/orders.sql",
    "access": "public",
    "group": "sales",
    "description": "\n  What customers ordered.\n",
    "config": {"materialized": "table", "contract": {"enforced": True}, "meta": {"grain": "an order"}},
    "contract": {"enforced": True, "checksum": "abc"},
    "tags": ["nightly"],
    "language": "sql",
    "depends_on": {"nodes": ["model.orders.stg_orders"]},
    "columns": {
        "order_id": {
            "name": "order_id",
            "data_type": "integer",
            "description": " The order. ",
            "constraints": [{"type": "not_null"}, {"type": "primary_key", "name": None}],
            "config": {"meta": {"classification": "internal"}, "tags": ["key"]},
            "doc_blocks": [],
        },
        "Planned": {"name": "Planned", "data_type": "date", "meta": {"old": "place"}},
    },
    "constraints": [
        {"type": "check", "expression": "amount > 0", "columns": []},
        {"type": "unique", "columns": ["a", "b"]},
    ],
}
NOT_NULL: dict[str, Any] = {
    "resource_type": "test",
    "package_name": "orders",
    "name": "not_null_orders_order_id",
    "original_file_path": "models/marts/orders.yml",
    "column_name": "order_id",
    "attached_node": "model.orders.orders.v2",
    "test_metadata": {
        "name": "not_null",
        "kwargs": {"column_name": "order_id", "model": "{{ get_where_subquery(ref('orders')) }}"},
    },
    "config": {"severity": "WARN", "where": "order_id > 3", "meta": {"dimension": "accuracy"}},
    "depends_on": {"nodes": ["model.orders.orders.v2"]},
}
MANIFEST: dict[str, Any] = {
    "metadata": {"dbt_version": "1.11.16", "adapter_type": "postgres", "env": {}},
    "sources": {
        "source.orders.raw.orders": {
            "resource_type": "source",
            "package_name": "orders",
            "source_name": "raw",
            "name": "orders",
            "identifier": "orders_2024",
            "relation_name": "read_csv('data/orders.csv')",
        }
    },
    "nodes": {
        "model.orders.orders.v2": MART,
        "model.orders.stg_orders": STG,
        "seed.orders.rates": {"resource_type": "seed", "package_name": "orders", "name": "rates"},
        "test.orders.not_null_orders_order_id.1": NOT_NULL,
        "analysis.orders.look": {"resource_type": "analysis", "package_name": "orders", "name": "look"},
        "function.orders.tax": {"resource_type": "function", "package_name": "orders", "name": "tax"},
    },
    "exposures": {
        "exposure.orders.board": {
            "package_name": "orders",
            "name": "board",
            "type": "dashboard",
            "owner": {"name": "Board", "email": "board@example.org"},
            "depends_on": {"nodes": ["model.orders.orders.v2"]},
        }
    },
    "unit_tests": {
        "unit_test.orders.orders.adds_up": {
            "resource_type": "unit_test",
            "package_name": "orders",
            "name": "adds_up",
            "depends_on": {"nodes": ["model.orders.orders.v2"]},
        }
    },
    "semantic_models": {"semantic_model.orders.x": {"resource_type": "semantic_model"}},
}
CATALOG = {
    "nodes": {
        "model.orders.orders.v2": {
            "columns": {
                "amount": {"name": "amount", "type": "DECIMAL(18,2)", "index": 2},
                "ORDER_ID": {"name": "ORDER_ID", "type": "INTEGER", "index": 1},
            }
        }
    },
    "sources": {
        "source.orders.raw.orders": {"columns": {"id": {"name": "id", "type": "BIGINT", "index": 1}}}
    },
}
RESULTS = {
    "results": [
        {
            "unique_id": "model.orders.orders.v2",
            "status": "success",
            "execution_time": 0.5,
            "compiled_code": "select 2",
        },
        {
            "unique_id": "model.orders.stg_orders",
            "status": "error",
            "message": "Binder Error: x",
            "execution_time": 0.1,
        },
        {
            "unique_id": "test.orders.not_null_orders_order_id.1",
            "status": "warn",
            "failures": 3,
            "message": "Got 3 results",
        },
        {"unique_id": "function.orders.tax", "status": "success"},
        {"unique_id": "model.gone.gone", "status": "success"},
    ]
}


def read(folder: Path, manifest: Any = MANIFEST, catalog: Any = None, results: Any = None) -> Artifacts:
    files = {"manifest.json": manifest, "catalog.json": catalog, "run_results.json": results}
    write_tree(folder, {name: json.dumps(data) for name, data in files.items() if data is not None})
    return read_artifacts(folder)


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return read(tmp_path, MANIFEST, CATALOG, RESULTS)


def a_manifest(**node: Any) -> dict[str, Any]:
    """Return a manifest with one model, with fields of it changed."""
    return {
        "nodes": {
            "model.orders.orders": {
                "resource_type": "model",
                "package_name": "orders",
                "name": "orders",
                **node,
            }
        }
    }


# What is read


def test_relations_stand_behind_what_they_read(artifacts: Artifacts) -> None:
    assert list(artifacts.relations) == [
        "seed.orders.rates",
        "source.orders.raw.orders",
        "model.orders.stg_orders",
        "model.orders.orders.v2",
    ]
    assert (artifacts.adapter, artifacts.dbt_version) == ("postgres", "1.11.16")


def test_a_model_has_what_dbt_says_of_it(artifacts: Artifacts) -> None:
    model = artifacts.relations["model.orders.orders.v2"]
    assert (model.kind, model.package, model.name, model.identifier) == (
        "model",
        "orders",
        "orders",
        "orders_v2",
    )
    assert (model.version, model.latest_version, model.deprecation_date) == (
        "2",
        "3",
        "2030-01-01T00:00:00+00:00",
    )
    assert (model.materialized, model.access, model.group, model.enforced) == (
        "table",
        "public",
        "sales",
        True,
    )
    assert (model.description, model.meta, model.tags) == (
        "What customers ordered.",
        {"grain": "an order"},
        ("nightly",),
    )
    assert model.primary_key == ("order_id",)
    assert model.constraints == (
        Constraint("check", (), "amount > 0", "", ()),
        Constraint("unique", ("a", "b"), "", "", ()),
    )
    assert model.upstream == ("model.orders.stg_orders",)
    assert model.is_port
    assert model.column("amount") is model.column("AMOUNT") is not None


def test_columns_stand_as_the_database_has_them_then_those_that_only_yaml_has(artifacts: Artifacts) -> None:
    key, amount, planned = artifacts.relations["model.orders.orders.v2"].columns
    assert (key.name, key.data_type, key.database_type, key.declared) == (
        "ORDER_ID",
        "integer",
        "INTEGER",
        True,
    )
    assert (key.description, key.constraints) == ("The order.", ("not_null", "primary_key"))
    assert (key.meta, key.tags) == ({"classification": "internal"}, ("key",))
    assert (amount.name, amount.data_type, amount.database_type, amount.declared) == (
        "amount",
        "",
        "DECIMAL(18,2)",
        False,
    )
    assert (planned.name, planned.database_type, planned.meta) == ("Planned", "", {"old": "place"})


def test_compiled_sql_is_taken_from_the_manifest_else_from_the_results(artifacts: Artifacts) -> None:
    assert artifacts.relations["model.orders.stg_orders"].sql == "select 1 as order_id"
    assert artifacts.relations["model.orders.orders.v2"].sql == "select 2"


def test_a_path_of_another_system_is_told_with_slashes(artifacts: Artifacts) -> None:
    assert artifacts.relations["model.orders.stg_orders"].file == "models/staging/stg_orders.sql"


def test_a_source_has_both_of_its_names(artifacts: Artifacts) -> None:
    source = artifacts.relations["source.orders.raw.orders"]
    assert (source.kind, source.name, source.identifier) == ("source", "raw.orders", "orders_2024")
    assert source.relation_name == "read_csv('data/orders.csv')"
    assert [column.name for column in source.columns] == ["id"]
    assert not source.is_port


def test_a_test_has_what_it_asks_and_how_it_went(artifacts: Artifacts) -> None:
    test, unit = artifacts.tests
    assert (test.kind, test.column, test.attached) == ("not_null", "order_id", "model.orders.orders.v2")
    assert (test.severity, test.where, test.meta, test.arguments) == (
        "warn",
        "order_id > 3",
        {"dimension": "accuracy"},
        {},
    )
    assert (test.status, test.failures, test.message) == ("warn", 3, "Got 3 results")
    assert (unit.kind, unit.status, unit.failures) == ("unit", "not run", None)
    assert unit.attached == "model.orders.orders.v2"


@pytest.mark.parametrize(
    ("metadata", "kind", "arguments"),
    [
        ({"name": "unique", "kwargs": {"column_name": "a", "model": "x"}}, "unique", {}),
        (
            {"name": "recency", "namespace": "dbt_utils", "kwargs": {"field": "at"}},
            "dbt_utils.recency",
            {"field": "at"},
        ),
        (
            {"name": "accepted_values", "kwargs": {"arguments": {"values": [1]}}},
            "accepted_values",
            {"values": [1]},
        ),
        ({}, "singular", {}),
    ],
)
def test_a_test_is_called_what_dbt_calls_it(
    tmp_path: Path, metadata: dict[str, Any], kind: str, arguments: dict[str, Any]
) -> None:
    node = {"resource_type": "test", "package_name": "orders", "name": "t", "test_metadata": metadata}
    (test,) = read(tmp_path, {"nodes": {"test.orders.t": node}}).tests
    assert (test.kind, dict(test.arguments), test.severity) == (kind, arguments, "error")


def test_a_singular_test_belongs_to_the_first_of_its_own_product_that_it_reads(tmp_path: Path) -> None:
    upstream = ["model.customers.customers", "model.orders.orders"]
    node = {"resource_type": "test", "package_name": "orders", "name": "t", "depends_on": {"nodes": upstream}}
    (test,) = read(tmp_path, {"nodes": {"test.orders.t": node}}).tests
    assert test.attached == "model.orders.orders"


def test_how_nodes_went_is_told_of_all_that_ran_and_are_no_tests(artifacts: Artifacts) -> None:
    function, mart, staging = artifacts.runs
    assert (function.unique_id, function.status) == ("function.orders.tax", "success")
    assert (mart.status, mart.seconds) == ("success", 0.5)
    assert staging == NodeRun(
        "model.orders.stg_orders",
        "orders",
        "stg_orders",
        "models/staging/stg_orders.sql",
        "error",
        "Binder Error: x",
        0.1,
    )


def test_exposures_are_known_uses(artifacts: Artifacts) -> None:
    assert artifacts.exposures == (
        Exposure(
            "exposure.orders.board",
            "orders",
            "board",
            "dashboard",
            "board@example.org",
            "",
            "",
            ("model.orders.orders.v2",),
        ),
    )


def test_relations_are_told_by_product(tmp_path: Path) -> None:
    nodes = {
        f"model.{package}.m": {"resource_type": "model", "package_name": package, "name": "m"}
        for package in ("a", "b")
    }
    found = read(tmp_path, {"nodes": nodes})
    assert [relation.unique_id for relation in found.of("b")] == ["model.b.m"]


@pytest.mark.parametrize(
    ("changes", "is_port"),
    [
        ({}, True),
        ({"materialized": "view"}, True),
        ({"materialized": "ephemeral"}, False),
        ({"access": "protected"}, False),
        ({"access": ""}, False),
        ({"kind": "seed"}, False),
    ],
)
def test_a_port_is_a_public_table_or_view(changes: dict[str, str], is_port: bool) -> None:
    assert a_relation(**changes).is_port is is_port


def test_a_primary_key_is_declared_and_not_guessed(tmp_path: Path) -> None:
    def key(**node: Any) -> tuple[str, ...]:
        return read(tmp_path, a_manifest(**node)).relations["model.orders.orders"].primary_key

    assert key(primary_key=["guessed"]) == ()
    assert key(constraints=[{"type": "primary_key", "columns": ["b", "a"]}]) == ("b", "a")
    assert key(columns={"id": {"name": "id", "constraints": [{"type": "primary_key"}]}}) == ("id",)


# More or less than is known


def test_kinds_that_nobody_reads_are_kept_under_their_own_name(artifacts: Artifacts) -> None:
    assert artifacts.other_kinds == {"analysis.orders.look": "analysis", "function.orders.tax": "function"}


def test_a_kind_that_is_not_known_yet_is_no_failure(tmp_path: Path) -> None:
    manifest = a_manifest(depends_on={"nodes": ["hologram.orders.x", "model.gone.gone"]})
    manifest["nodes"]["hologram.orders.x"] = {"resource_type": "hologram", "something": ["new"]}
    found = read(tmp_path, manifest)
    assert found.other_kinds == {"hologram.orders.x": "hologram"}
    assert list(found.relations) == ["model.orders.orders"]


def test_what_is_missing_is_empty(tmp_path: Path) -> None:
    model = read(tmp_path, a_manifest()).relations["model.orders.orders"]
    assert (model.identifier, model.materialized, model.language) == ("orders", "model", "sql")
    assert model.columns == model.upstream == model.constraints == model.primary_key == model.tags == ()
    for field in ("access", "group", "relation_name", "file", "version", "description", "sql"):
        assert getattr(model, field) == ""
    assert not model.enforced


@pytest.mark.parametrize(
    "field",
    [
        "config",
        "columns",
        "constraints",
        "depends_on",
        "tags",
        "meta",
        "description",
        "version",
        "group",
        "alias",
    ],
)
def test_what_is_null_is_empty_too(tmp_path: Path, field: str) -> None:
    assert read(tmp_path, a_manifest(**{field: None})) == read(tmp_path, a_manifest())


@pytest.mark.parametrize(
    "manifest", [{}, {"nodes": None}, {"nodes": []}, {"metadata": None, "sources": {}, "exposures": None}]
)
def test_an_empty_manifest_has_nothing(tmp_path: Path, manifest: Any) -> None:
    found = read(tmp_path, manifest)
    assert found == Artifacts("duckdb", "", {}, (), (), (), {})


def test_only_the_manifest_has_to_be_there(tmp_path: Path) -> None:
    found = read(tmp_path, MANIFEST)
    assert found.runs == ()
    assert [test.status for test in found.tests] == ["not run", "not run"]
    assert [column.name for column in found.relations["model.orders.orders.v2"].columns] == [
        "order_id",
        "Planned",
    ]
    with pytest.raises(DbtError, match="there is no manifest of dbt") as caught:
        read_artifacts(tmp_path / "nobody")
    assert caught.value.where == tmp_path / "nobody/manifest.json"
    assert caught.value.hint


def test_models_that_read_each_other_are_all_there(tmp_path: Path) -> None:
    manifest = a_manifest(depends_on={"nodes": ["model.orders.other"]})
    manifest["nodes"]["model.orders.other"] = {
        "resource_type": "model",
        "package_name": "orders",
        "name": "other",
        "depends_on": {"nodes": ["model.orders.orders"]},
    }
    assert set(read(tmp_path, manifest).relations) == {"model.orders.orders", "model.orders.other"}


def test_a_chain_of_thousands_of_models_is_put_in_order(tmp_path: Path) -> None:
    nodes = {
        f"model.p.m{n:04}": {
            "resource_type": "model",
            "name": f"m{n}",
            "depends_on": {"nodes": [f"model.p.m{n + 1:04}"]},
        }
        for n in range(3000)
    }
    assert list(read(tmp_path, {"nodes": nodes}).relations) == sorted(nodes, reverse=True)


@pytest.mark.parametrize(
    "content", ["{", "", "[]", "null", '"text"', pytest.param("[" * 100_000, id="deep"), b"\xff\xfe{}"]
)
@pytest.mark.parametrize("file", ["manifest.json", "catalog.json", "run_results.json"])
def test_what_is_no_artifact_is_told_with_its_file_and_a_way_out(
    tmp_path: Path, file: str, content: str | bytes
) -> None:
    write_tree(tmp_path, {"manifest.json": "{}", file: content})
    with pytest.raises(DbtError, match="not a dbt artifact") as caught:
        read_artifacts(tmp_path)
    assert caught.value.where == tmp_path / file
    assert caught.value.hint


def test_a_column_is_found_by_name_whatever_its_case() -> None:
    relation = a_relation(columns=(a_column("Order ID"),))
    assert relation.column("order id") is relation.columns[0]
    assert relation.column("nobody") is None
