"""The policy `historised`: which models of a source-aligned product overwrite what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import a_product, a_relation, some_artifacts, some_evidence
from conftest import Command
from mesh import make_mesh, replace

from factory.evidence import Severity
from factory.policies.historised import historised

KEPT = {"full_refresh": False}


def told(
    *, archetype: str = "source-aligned", materialized: str = "incremental", **writing: Any
) -> list[str]:
    named = {key.replace("_hook", "-hook"): value for key, value in writing.items()}
    model = a_relation(materialized=materialized, writing=named)
    product = a_product(archetype=archetype)
    findings = list(historised(some_evidence(product=product, artifacts=some_artifacts(model))))
    assert all(finding.severity is Severity.ADVISES and finding.hint for finding in findings)
    return [finding.message for finding in findings]


@pytest.mark.parametrize(
    "writing",
    [
        {"unique_key": "order_id"},
        {"unique_key": ["order_id"], "incremental_strategy": "merge"},
        {"unique_key": "order_id", "incremental_strategy": "delete+insert"},
        {"incremental_strategy": "microbatch"},
        {"incremental_strategy": "insert_overwrite"},
    ],
)
def test_replacing_rows_is_told(writing: dict[str, Any]) -> None:
    (message,) = told(**writing, **KEPT)
    assert message.startswith("orders overwrites rows that it has recorded (")


@pytest.mark.parametrize(
    "writing",
    [
        {},
        {"incremental_strategy": "append"},
        {"incremental_strategy": "append", "unique_key": "order_id"},
        {"on_schema_change": "append_new_columns"},
        {
            "incremental_strategy": "merge",
            "unique_key": "id",
            "merge_clauses": {"when_not_matched": [{"action": "insert"}]},
        },
        {"post_hook": [{"sql": "grant select on {{ this }} to reader -- delete from nothing"}]},
    ],
)
def test_appending_is_fine(writing: dict[str, Any]) -> None:
    assert told(**writing, **KEPT) == []


def test_what_is_made_anew_and_what_others_make_is_not_asked() -> None:
    assert told(materialized="table", unique_key="order_id") == []
    assert told(archetype="aggregate", unique_key="order_id") == []


def test_columns_and_rows_that_would_be_lost_are_told() -> None:
    lost, emptied = told(on_schema_change="sync_all_columns")
    assert lost == "orders drops a column, with all that it held, when the source drops it"
    assert emptied == "orders would lose what it has recorded by a run with --full-refresh"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("delete from {{ this }} where true", "delete from"),
        ("UPDATE {{ this }} SET a = 1", "UPDATE {{ this }} SET"),
        ("truncate {{ this }}", "truncate"),
        ("merge\ninto x using y", "merge into"),
    ],
)
def test_hooks_that_change_rows_are_told(sql: str, words: str) -> None:
    for hook in ([{"sql": sql, "transaction": True}], sql):
        (message,) = told(materialized="table", pre_hook=hook)
        assert message == f"orders changes recorded rows in its pre-hook ({words} …)"


def test_a_real_model_that_replaces_rows_is_certified_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: Command
) -> None:
    root = make_mesh(tmp_path / "mesh")
    monkeypatch.chdir(root)
    replace(
        root / "products/shop/models/_orders.yml",
        "materialized: table",
        'materialized: incremental, unique_key: order_id, on_schema_change: fail, post_hook: "delete from {{ this }} where 1 = 0"',
    )
    result = factory("check", "shop", "--format", "json")
    assert result.code == 0, result.out
    (shop,) = result.json["products"]
    advice = "\n".join(shop["advice"])
    assert (
        "products/shop/models/orders.sql: orders overwrites rows that it has recorded (unique_key)" in advice
    )
    assert "orders changes recorded rows in its post-hook (delete from …)" in advice
    assert "--full-refresh" in advice
