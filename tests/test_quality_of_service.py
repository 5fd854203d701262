"""The quality of service through the whole line: runs recorded, levels measured, incidents followed, all of it told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import replace, write

from factory.incidents import IncidentStore
from factory.levels.facts import run_of
from factory.pipeline import run
from factory.plan import Request
from factory.registry import Registry
from factory.registry.runs import last_run, read_runs
from factory.results import ProductResult
from factory.standards import schema
from factory.workspace import find_workspace

DATA = "products/shop/data/orders.csv"
NAMES = """\
    quality:
      - {name: No name, type: sql, query: "select 'ann' || min(customer_id) from {object}", mustBe: bob}
"""
CONTRACT = "products/{0}/contracts/{0}.odcs.yaml"


@pytest.fixture(scope="module")
def published(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def build(
    root: Path, *names: str, after: timedelta = timedelta(), full: bool = False
) -> dict[str, ProductResult]:
    """Build at a moment that lies `after` now."""
    request = Request(names, full=full, now=datetime.now(UTC) + after)
    result = run(find_workspace(root), request, lambda stage, detail="": None)
    return {product.name: product for product in result.products}


def record(root: Path, product: str = "shop") -> dict[str, Any]:
    found = last_run(root / "registry", "trade", product)
    assert found is not None
    return found


def valid(name: str, data: Any) -> Any:
    Draft202012Validator(schema(f"{name}.schema.json")).validate(data)
    return data


def checks(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["key"]: check for check in found["checks"]}


def harm(root: Path) -> None:
    """Deliver an order of less than nothing."""
    file = root / DATA
    write(file, file.read_text("utf-8") + "4,1,-5.0\n")


# What a run leaves


def test_every_run_of_a_product_leaves_a_record(mesh: Path) -> None:
    found = valid("history", record(mesh))
    assert (found["kind"], found["outcome"], found["version"]) == ("build", "certified", "1.0.0")
    assert found["contracts"] == {"shop/1": "1.0.0"}
    (port,) = found["ports"]
    assert (port["table"], port["contract"], port["rows"], port["error"]) == ("orders", "shop/1", 3, "")
    assert port["bytes"] > 0 and port["read_milliseconds"] > 0
    assert found["scores"]["product"] == 100 and found["scores"]["tables"] == {"orders": 100}
    assert [level["property"] for level in found["levels"]] == ["frequency"]
    assert found["published_at"] == found["at"]


def test_every_rule_says_all_that_is_known_of_it(mesh: Path) -> None:
    found = record(mesh)["checks"]
    assert {check["origin"] for check in found} == {"dbt", "soda", "contract"}
    for check in found:
        assert check["outcome"] == "pass" and check["severity"] == "error"
        assert check["contract"] == "shop/1" and check["table"] == "orders"
        assert (mesh / "products/shop" / check["file"]).is_file()
        assert check["threshold"] and check["milliseconds"] >= 0
        assert check["line"] > 0
    unique = next(c for c in found if c["kind"] == "unique")
    assert (unique["dimension"], unique["measured"], unique["checked_rows"]) == ("uniqueness", 0, 3)
    rows = next(c for c in found if c["kind"] == "row_count")
    assert (rows["dimension"], rows["measured"]) == ("coverage", 3)
    assert rows["file"] == "checks/shop.yml" and rows["line"] == 2


def test_what_a_rule_measures_is_not_measured_again_for_the_contract(mesh: Path) -> None:
    found = record(mesh)["checks"]
    promised = {(c["column"], c["kind"]) for c in found if c["origin"] == "contract"}
    assert ("", "columns") in promised and ("amount", "type") in promised
    assert ("order_id", "unique") not in promised  # dbt's test says it


def test_a_product_that_need_not_run_leaves_a_record_of_its_levels(mesh: Path) -> None:
    assert build(mesh, after=timedelta(hours=3))["shop"].outcome == "unchanged"
    before, after = read_runs(mesh / "registry", "trade", "shop")
    assert after["outcome"] == "unchanged" and not after["checks"]
    assert after["published_at"] == before["published_at"] and after["ports"] == before["ports"]
    assert valid("history", after)["levels"][0]["verdict"] == "met"


def test_a_check_leaves_nothing(mesh: Path, factory: Command) -> None:
    before = sorted(str(f) for f in (mesh / "registry").rglob("*"))
    harm(mesh)
    assert factory("check", "shop").code == 1
    assert sorted(str(f) for f in (mesh / "registry").rglob("*")) == before


def test_a_branch_s_target_keeps_its_own_history_and_opens_no_incident(mesh: Path, factory: Command) -> None:
    harm(mesh)
    assert factory("build", "shop", "--target", "ci").code == 1
    assert last_run(mesh / "target/ci/registry", "trade", "shop") is not None
    assert not list(mesh.rglob("incidents"))


# What is bad


def test_a_refused_product_is_recorded_and_its_incident_opens_once(mesh: Path, factory: Command) -> None:
    harm(mesh)
    assert build(mesh)["shop"].outcome == "refused"
    found = valid("history", record(mesh))
    assert found["outcome"] == "refused" and found["reasons"]
    bad = [check for check in found["checks"] if check["outcome"] != "pass"]
    assert [(c["kind"], c["dimension"], c["measured"], c["threshold"]) for c in bad] == [
        ("min", "accuracy", -5, ">= 0")
    ]
    store = IncidentStore(mesh / "registry")
    (incident,) = store.open_incidents("trade", "shop")
    assert incident.severity == "error" and incident.notified is not None
    assert incident.last_good is not None and incident.time_to_detect is not None
    build(mesh, after=timedelta(hours=1))
    (same,) = store.open_incidents("trade", "shop")
    assert same.id == incident.id and same.deliveries == incident.deliveries
    listed = valid("incidents", factory("incidents", "--format", "json").json)
    assert [each["id"] for each in listed["incidents"] if each["product"].endswith("shop")] == [incident.id]


def test_whoever_reads_a_refused_product_names_it_as_the_cause(mesh: Path) -> None:
    write(mesh / "products/sales/checks/more.yml", "checks for sales:\n  - sum(total) < 110\n")
    file = mesh / DATA
    write(file, file.read_text("utf-8") + "4,1,-5\n5,1,5000\n")
    outcomes = build(mesh)
    assert (outcomes["shop"].outcome, outcomes["sales"].outcome) == ("refused", "blocked")
    store = IncidentStore(mesh / "registry")
    (shop,) = store.open_incidents("trade", "shop")
    causes = {incident.cause for incident in store.open_incidents("trade", "sales")}
    assert {(cause.product, cause.incident) for cause in causes if cause} == {("shop", shop.id)}


def test_an_incident_closes_when_the_check_is_good_again(mesh: Path) -> None:
    good = (mesh / DATA).read_text("utf-8")
    harm(mesh)
    build(mesh)
    (mesh / DATA).write_text(good, "utf-8")
    assert build(mesh, after=timedelta(hours=2))["shop"].outcome == "certified"
    store = IncidentStore(mesh / "registry")
    assert not store.open_incidents("trade", "shop")
    (incident,) = store.all("trade", "shop")
    assert incident.time_to_repair is not None and incident.time_to_repair > timedelta(hours=1)
    kinds = [
        json.loads(f.read_text())["type"].rsplit(".", 1)[1]
        for f in (mesh / "registry/events").rglob("*.json")
    ]
    assert {"breach", "closed", "refused"} <= set(kinds)


def test_a_product_refused_for_another_reason_has_an_incident_of_its_own(mesh: Path) -> None:
    replace(
        mesh / CONTRACT.format("shop"),
        "- name: orders",
        "- name: orders\n    description: Changed.\n    tags: [new]",
    )
    assert build(mesh)["shop"].outcome == "refused"
    (incident,) = IncidentStore(mesh / "registry").open_incidents("trade", "shop")
    assert incident.key == "run:build" and "version" in incident.reason


def test_a_level_that_time_alone_breaks_opens_an_incident(mesh: Path, factory: Command) -> None:
    write(
        mesh / "products/shop/product.odps.yaml",
        (mesh / "products/shop/product.odps.yaml").read_text("utf-8")
        + "  - property: schedule\n    value: '0 6 * * *'\n",
    )
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    build(mesh)
    late = build(mesh, after=timedelta(days=4))
    assert late["shop"].outcome == "unchanged", late["shop"].reasons
    levels = {level["property"]: level for level in record(mesh)["levels"]}
    assert levels["frequency"]["verdict"] == "breached"
    (incident,) = IncidentStore(mesh / "registry").open_incidents("trade", "shop")
    assert incident.severity == "warning" and incident.trouble.kind == "level"


def test_a_check_that_is_gone_closes_its_incident(mesh: Path) -> None:
    write(mesh / "products/shop/checks/more.yml", "checks for orders:\n  - row_count > 1000\n")
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    assert build(mesh)["shop"].outcome == "refused"
    (mesh / "products/shop/checks/more.yml").unlink()
    replace(mesh / CONTRACT.format("shop"), "version: 1.1.0", "version: 1.0.0")
    build(mesh, after=timedelta(hours=1))
    (incident,) = IncidentStore(mesh / "registry").all("trade", "shop")
    assert incident.closed_reason == "the check is gone"


def test_a_rule_that_moves_in_its_file_keeps_its_incident(mesh: Path) -> None:
    file = mesh / "products/shop/checks/more.yml"
    write(file, "checks for orders:\n  - row_count > 1000:\n      name: Many orders\n")
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    build(mesh)
    write(file, "# A remark.\n\nchecks for orders:\n  - row_count > 999:\n      name: Many orders\n")
    build(mesh, after=timedelta(hours=1))
    assert len(IncidentStore(mesh / "registry").all("trade", "shop")) == 1


def test_a_broken_notify_file_is_told_before_anything_runs(mesh: Path, factory: Command) -> None:
    write(mesh / "products/shop/notify.yml", "severities:\n  - severity: eror\n")
    result = factory("build")
    assert result.code == 2 and "products/shop/notify.yml:2" in result.err
    assert "error" in result.err


# What is neither good nor bad


def test_text_for_people_counts_nothing(mesh: Path) -> None:
    replace(
        mesh / CONTRACT.format("shop"),
        "- name: orders\n",
        "- name: orders\n    quality:\n      - {name: Read me, type: text, description: Look at it.}\n",
    )
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    assert build(mesh)["shop"].outcome == "certified"
    (text,) = [c for c in record(mesh)["checks"] if c["name"] == "Read me"]
    assert (text["outcome"], text["counts"]) == ("not run", False)
    assert record(mesh)["scores"]["product"] == 100


def test_a_change_over_time_waits_for_its_first_measurement_then_compares(mesh: Path) -> None:
    write(mesh / "products/shop/checks/more.yml", "checks for orders:\n  - change for sum(amount) < 2\n")
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    built = build(mesh)["shop"]
    assert built.outcome == "certified", built.reasons
    first = record(mesh)
    (waiting,) = [c for c in first["checks"] if c["kind"] == "change"]
    assert waiting["outcome"] == "not run" and waiting["counts"] is False and first["measurements"]
    file = mesh / DATA
    good = file.read_text("utf-8")
    write(file, good + "11,1,1\n12,1,1\n13,1,1\n")
    assert build(mesh, after=timedelta(hours=1))["shop"].outcome == "refused"
    (compared,) = [c for c in record(mesh)["checks"] if c["kind"] == "change"]
    assert (compared["outcome"], compared["measured"]) == ("fail", 3)
    # What was refused is no measure for what comes next.
    write(file, good + "11,1,1\n12,1,1\n13,1,1\n14,1,1\n")
    assert build(mesh, after=timedelta(hours=2))["shop"].outcome == "refused"


def test_what_was_not_built_is_not_judged_by_what_lies_there(mesh: Path) -> None:
    replace(mesh / "products/shop/models/orders.sql", "select", "select 1 / 0 as broken, nothing_like_it,")
    assert build(mesh)["shop"].outcome == "refused"
    left = [c for c in record(mesh)["checks"] if c["origin"] in ("soda", "contract")]
    assert left and {c["outcome"] for c in left} == {"not run"}


def test_no_value_of_a_classified_column_is_told(mesh: Path) -> None:
    replace(
        mesh / "products/shop/models/_orders.yml",
        "description: The customer_id.",
        "description: The customer_id.\n        config: {meta: {classification: restricted}}",
    )
    write(
        mesh / "products/shop/checks/more.yml",
        """\
        checks for orders:
          - group by:
              query: select customer_id, count(*) as orders from orders group by customer_id
              fields: [customer_id]
              checks:
                - orders > 99
          - failed rows:
              fail query: select cast('secret' || customer_id as integer) from orders
        """,
    )
    replace(mesh / CONTRACT.format("shop"), "- name: orders\n", "- name: orders\n" + NAMES)
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    assert build(mesh, "shop")["shop"].outcome == "refused"
    bad = [c for c in record(mesh)["checks"] if c["outcome"] in ("fail", "error")]
    assert len(bad) == 3
    for check in bad:
        assert (
            "secret" not in check["reason"]
            and "group 1" not in check["reason"]
            and "ann" not in check["reason"]
        )
    assert not [
        f for f in (mesh / "registry").rglob("*") if f.is_file() and "secret1" in f.read_text("utf-8")
    ]


def test_a_published_file_that_does_not_open_stops_no_build(mesh: Path) -> None:
    (mesh / "ports/trade/board/board/v1/current/board.parquet").resolve().write_bytes(b"junk")
    harm(mesh)
    write(
        mesh / "products/shop/models/orders.sql",
        (mesh / "products/shop/models/orders.sql").read_text("utf-8") + "-- x\n",
    )
    assert build(mesh, "shop")["shop"].outcome == "refused"
    assert build(mesh, "shop", "sales", full=True)["shop"].outcome == "refused"


def test_an_empty_notify_file_says_nothing(mesh: Path) -> None:
    write(mesh / "products/shop/notify.yml", "# Nothing yet.\n")
    assert build(mesh)["shop"].outcome == "certified"


# Sources


def test_a_source_that_is_too_old_refuses_and_does_so_when_time_alone_makes_it_old(mesh: Path) -> None:
    moment = datetime.now(UTC) - timedelta(hours=5)
    sources = mesh / "products/shop/models/_sources.yml"
    text = sources.read_text("utf-8")
    assert "- name: orders" in text
    fresh = (
        "- name: orders\n        config:\n          loaded_at_field: "
        f"\"cast('{moment:%Y-%m-%d %H:%M:%S}' as timestamp)\"\n"
        "          freshness: {warn_after: {count: 7, period: hour}, error_after: {count: 9, period: hour}}\n"
    )
    write(sources, text.replace("- name: orders\n", fresh, 1))
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    built = build(mesh)["shop"]
    assert built.outcome == "certified", built.reasons
    (check,) = [c for c in record(mesh)["checks"] if c["kind"] == "freshness"]
    assert (check["outcome"], check["dimension"], check["origin"]) == ("pass", "timeliness", "dbt")
    assert 4.9 * 3600 < check["measured"] < 5.2 * 3600
    assert build(mesh, after=timedelta(hours=1))["shop"].outcome == "unchanged"
    # dbt itself asks the clock of the machine: what is told here is that it is asked at all.
    assert build(mesh, after=timedelta(hours=3))["shop"].outcome != "unchanged"


def test_a_source_whose_age_cannot_be_found_out_is_never_fresh(mesh: Path) -> None:
    sources = mesh / "products/shop/models/_sources.yml"
    text = sources.read_text("utf-8")
    stale = (
        "- name: orders\n        config:\n          loaded_at_field: there_is_none\n"
        "          freshness: {error_after: {count: 9, period: hour}}\n"
    )
    write(sources, text.replace("- name: orders\n", stale, 1))
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    built = build(mesh)["shop"]
    assert built.outcome == "refused" and any("there_is_none" in reason for reason in built.reasons)
    (check,) = [c for c in record(mesh)["checks"] if c["kind"] == "freshness"]
    assert (check["outcome"], check["severity"]) == ("error", "error")


# Asking


def test_quality_tells_score_elements_and_trend_in_every_format(mesh: Path, factory: Command) -> None:
    harm(mesh)
    build(mesh, after=timedelta(minutes=5))
    text = factory("quality", "shop").out
    assert "What costs points" in text and "min(amount) >= 0" in text and "Uq Uniqueness" in text
    assert "Th Throughput" in text and "no target" in text and "not measured" in text
    data = valid("quality", factory("quality", "--format", "json").json)
    shop = next(p for p in data["products"] if p["name"] == "shop")
    assert shop["score"] < 100 and len(shop["trend"]) == 2 and shop["change"] < 0
    assert [loss["name"] for loss in shop["losses"]] and shop["incidents"]
    assert len(shop["elements"]) == 19
    markdown = factory("quality", "--format", "markdown").out
    assert markdown.startswith("# Quality") and "| shop |" in markdown
    suites = ET.fromstring(factory("quality", "--format", "junit").out)
    assert {suite.get("name") for suite in suites} == {"shop", "sales", "board"}
    (failed,) = [s for s in suites if s.get("failures") != "0"]
    assert failed.get("name") == "shop" and failed.find(".//failure") is not None


def test_show_tells_the_quality_of_what_is_published(mesh: Path, factory: Command) -> None:
    harm(mesh)
    build(mesh, after=timedelta(minutes=5))
    page = factory("show", "shop").out
    assert "Quality  100 of 100" in page and "promises frequency: 1 d (met)" in page
    why = factory("show", "shop", "--why").out
    assert "weighs 3" in why and "uniqueness   100 (weight 1" in why
    valid("show", factory("show", "shop", "--format", "json").json)


def test_slo_measures_now_and_fails_where_it_is_asked_to(mesh: Path, factory: Command) -> None:
    text = factory("slo").out
    assert "frequency" in text and "3 met, " in text and "throughput" in text
    assert factory("slo", "--fail-on", "breach").code == 0
    data = valid("slo", factory("slo", "shop", "--format", "json").json)
    assert data["products"][0]["levels"][0]["verdict"] == "met"
    assert len(list((mesh / "registry/runs").rglob("*.json"))) == 3  # asking is no run


def test_a_port_that_does_not_open_breaks_availability(mesh: Path, factory: Command) -> None:
    replace(
        mesh / CONTRACT.format("shop"),
        "slaProperties:\n",
        "slaProperties:\n  - {property: availability, value: 99.5, unit: percent}\n",
    )
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    assert build(mesh)["shop"].outcome == "certified"
    assert factory("slo", "shop", "--fail-on", "breach").code == 0
    for file in (mesh / "ports").glob("trade/shop/shop/v1/*/orders.parquet"):
        file.write_bytes(file.read_bytes()[:100])
    result = factory("slo", "shop", "--fail-on", "breach")
    assert result.code == 1 and "availability" in result.out and "breached" in result.out


def test_rows_that_are_kept_too_long_are_told_with_a_query_and_stay(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/shop/models/orders.sql",
        "as amount\n",
        "as amount,\n    date '2001-01-01' as ordered_on\n",
    )
    file = mesh / "products/shop/models/_orders.yml"
    column = "      - name: ordered_on\n        data_type: date\n        description: Day of the order.\n"
    write(file, file.read_text("utf-8").rstrip() + "\n" + column)
    level = "slaProperties:\n  - {property: retention, value: 10, unit: y, element: orders.ordered_on, driver: regulatory}\n"
    replace(mesh / CONTRACT.format("shop"), "slaProperties:\n", level)
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    built = build(mesh, "shop")["shop"]
    assert built.outcome == "certified" and any("retention" in text for text in built.advice), built.reasons
    (purge,) = valid("slo", factory("slo", "shop", "--format", "json").json)["products"][0]["purge"]
    assert (purge["oldest"], purge["driver"], purge["promise"]) == ("2001-01-01", "regulatory", "10 years")
    import duckdb

    with duckdb.connect("ports.duckdb", read_only=True) as connection:
        assert connection.sql(purge["query"].replace('"orders"', "shop.orders")).fetchone() == (3,)
    assert "kept for longer than 10 years" in factory("slo", "shop").out


def test_a_level_of_an_older_record_that_says_less_stops_nobody(mesh: Path, factory: Command) -> None:
    replace(
        mesh / CONTRACT.format("shop"),
        "slaProperties:\n",
        "slaProperties:\n  - {property: availability, value: 99.5, unit: percent}\n",
    )
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    build(mesh)
    (file, *_) = sorted((mesh / "registry/runs/trade/shop").glob("*.json"), reverse=True)
    data = json.loads(file.read_text("utf-8"))
    data["levels"] = [{"contract": "shop/1", "property": "availability", "element": ""}]
    file.write_text(json.dumps(data), "utf-8")
    assert build(mesh, after=timedelta(hours=1))["shop"].outcome == "unchanged"
    assert factory("quality", "shop").code == 0 and factory("show", "shop").code == 0


@pytest.mark.parametrize("name", ["quality", "slo", "show"])
def test_a_name_that_is_not_there_is_told(mesh: Path, factory: Command, name: str) -> None:
    result = factory(name, "shopp")
    assert result.code == 2 and "shop" in result.err and "Traceback" not in result.err


def test_since_must_be_a_time(mesh: Path, factory: Command) -> None:
    result = factory("quality", "--since", "soon")
    assert result.code == 2 and "soon" in result.err


# What is published


def test_what_is_published_is_checked_without_dbt(mesh: Path, factory: Command) -> None:
    shutil.rmtree(mesh / "target")
    result = factory("check", "--published", "--format", "json")
    assert result.code == 0 and {p["outcome"] for p in valid("run", result.json)["products"]} == {"checked"}
    found = record(mesh)
    assert found["kind"] == "published" and not (mesh / "target/prod/dbt").exists()
    assert {c["outcome"] for c in found["checks"]} == {"pass"}


def test_published_data_that_no_longer_holds_loses_its_certificate(mesh: Path, factory: Command) -> None:
    import duckdb

    file = (mesh / "ports/trade/shop/shop/v1/current/orders.parquet").resolve()
    with duckdb.connect() as connection:
        connection.execute(f"create table t as from read_parquet('{file}')")
        connection.execute("insert into t from t limit 1")
        connection.execute(f"copy t to '{file}' (format parquet)")
    result = factory("check", "--published", "shop")
    assert result.code == 1 and "their files were changed" in result.out, result.out
    ws = find_workspace(mesh)
    from factory.products import discover

    shop = next(p for p in discover(ws) if p.name == "shop")
    assert Registry(ws).expires(shop, "shop", "1.0.0") is None
    assert "certificate revoked" in factory("show", "shop").out
    (incident, *_) = IncidentStore(mesh / "registry").open_incidents("trade", "shop")
    assert "as they were published" in incident.trouble.subject
    assert factory("check", "--published", "shop").code == 1
    again = build(mesh, "shop", after=timedelta(hours=1))["shop"]
    assert again.outcome == "certified", again.reasons
    assert duckdb.sql(f"select count(*) from read_parquet('{file}')").fetchone() == (3,)
    assert not IncidentStore(mesh / "registry").open_incidents("trade", "shop")
    assert factory("check", "--published", "shop").code == 0


def test_a_published_file_that_cannot_be_read_breaks_its_product_alone(mesh: Path, factory: Command) -> None:
    file = (mesh / "ports/trade/shop/shop/v1/current/orders.parquet").resolve()
    file.write_bytes(b"junk")
    result = factory("check", "--published", "--format", "json")
    outcomes = {p["name"]: p["outcome"] for p in result.json["products"]}
    assert result.code == 1 and outcomes == {"shop": "broken", "sales": "checked", "board": "checked"}
    file.unlink()
    assert factory("check", "--published", "shop").code == 1
    assert len(IncidentStore(mesh / "registry").open_incidents("trade", "shop")) == 1


def test_a_fault_has_one_incident_whoever_finds_it(mesh: Path, factory: Command) -> None:
    checks_file = mesh / "products/shop/checks/shop.yml"
    write(checks_file, checks_file.read_text("utf-8") + "  - max(amount):\n      warn: when > 5\n")
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    assert build(mesh)["shop"].outcome == "certified"
    assert factory("check", "--published", "shop").code == 0
    (incident,) = IncidentStore(mesh / "registry").all("trade", "shop")
    assert incident.is_open and incident.severity == "warning"


@pytest.mark.parametrize("option", ["--full", "--consumers"])
def test_checking_what_is_published_builds_nothing(mesh: Path, factory: Command, option: str) -> None:
    assert factory("check", "--published", "shop", option).code == 2


# Daily at six


def test_a_delivery_that_is_not_there_at_six_is_noticed(mesh: Path, factory: Command) -> None:
    """M-21: `Data is refreshed daily at 6am.`"""
    shutil.rmtree(mesh / "registry")
    shutil.rmtree(mesh / "ports")
    shutil.rmtree(mesh / "target")
    file = mesh / "products/shop/product.odps.yaml"
    schedule = "  - {property: schedule, value: '30 5 * * *'}\n  - {property: timeZone, value: Europe/Rome}\n"
    write(file, file.read_text("utf-8") + schedule)
    replace(
        mesh / CONTRACT.format("shop"),
        "slaProperties:\n",
        'slaProperties:\n  - {property: timeOfAvailability, value: "06:00"}\n',
    )
    six = datetime(2026, 3, 27, 5, tzinfo=UTC)  # in Rome, two days before its clocks go forward
    day = timedelta(days=1)

    def verdict(at: datetime) -> tuple[str, int]:
        run(find_workspace(mesh), Request(("shop",), now=at), lambda stage, detail="": None)
        level = next(each for each in record(mesh)["levels"] if each["property"] == "timeOfAvailability")
        return level["verdict"], len(IncidentStore(mesh / "registry").open_incidents("trade", "shop"))

    assert verdict(six - timedelta(minutes=20)) == ("met", 0)
    assert verdict(six + day - timedelta(minutes=10)) == ("met", 0)
    spring = six + 2 * day - timedelta(hours=1)  # six in Rome is an hour earlier now
    assert verdict(spring + timedelta(minutes=45)) == ("breached", 1)
    assert verdict(spring + timedelta(hours=5)) == ("breached", 1)
    assert verdict(spring + day - timedelta(minutes=5)) == ("met", 0)
    (incident,) = IncidentStore(mesh / "registry").all("trade", "shop")
    assert incident.trouble.promised == "06:00" and "06:00" in incident.reason and incident.closed is not None


# What is true a long time later


def test_a_level_that_cannot_be_measured_any_more_keeps_its_incident(mesh: Path) -> None:
    harm(mesh)
    build(mesh)
    for days in range(2, 7):
        assert build(mesh, "shop", after=timedelta(days=days))["shop"].outcome == "refused"
    levels = {level["property"]: level for level in record(mesh)["levels"]}
    assert levels["frequency"]["verdict"] == "breached", levels["frequency"]["reason"]
    keys = {incident.key for incident in IncidentStore(mesh / "registry").open_incidents("trade", "shop")}
    assert "level:shop/1:frequency:" in keys


def test_a_blocked_product_keeps_the_incident_of_its_own_fault(mesh: Path) -> None:
    replace(mesh / CONTRACT.format("sales"), "- name: sales", "- name: sales\n    tags: [new]")
    assert build(mesh)["sales"].outcome == "refused"
    harm(mesh)
    assert build(mesh, after=timedelta(hours=1))["sales"].outcome == "blocked"
    (incident,) = IncidentStore(mesh / "registry").open_incidents("trade", "sales")
    assert incident.key == "run:build"


def test_the_quality_is_told_however_often_nothing_changed_since(mesh: Path, factory: Command) -> None:
    for hours in range(1, 20):
        build(mesh, after=timedelta(hours=hours))
    (found,) = valid("quality", factory("quality", "shop", "--format", "json").json)["products"]
    assert found["score"] == 100 and len(found["checks"]) == 10, found["score"]


def test_a_run_that_looked_at_no_port_says_nothing_of_availability(mesh: Path) -> None:
    build(mesh, after=timedelta(hours=1))
    first, second = (run_of(run) for run in read_runs(mesh / "registry", "trade", "shop"))
    assert first and first.ports and second and second.ports is None


@pytest.mark.parametrize(
    "record",
    [
        {"at": 5, "checks": 7, "levels": "x", "ports": [1], "outcome": [], "measurements": {"a": "b"}, "version": {}},
        {"at": "2026-11-20T10:00:00+00:00", "outcome": "certified", "checks": [5, {"dimension": "accuracy"}],
         "levels": [1, {"verdict": "met"}], "ports": [{"rows": "a"}], "measurements": 5},
    ],
)  # fmt: skip
def test_records_of_other_shapes_stop_nobody(mesh: Path, factory: Command, record: dict[str, Any]) -> None:
    for file in (mesh / "registry/runs/trade/shop").glob("*.json"):
        file.write_text(json.dumps(record), "utf-8")
    for command in ("quality", "slo", "show"):
        assert factory(command, "shop").code == 0
    assert factory("build").code == 0
    assert factory("build", "shop", "--full").code == 0


def test_the_incidents_of_a_product_that_is_gone_close(mesh: Path) -> None:
    write(mesh / "products/board/checks/more.yml", "checks for board:\n  - row_count > 1000\n")
    assert build(mesh, "board")["board"].outcome == "refused"
    shutil.rmtree(mesh / "products/board")
    build(mesh, after=timedelta(hours=1))
    (incident, *_) = IncidentStore(mesh / "registry").all("trade", "board")
    assert incident.closed_reason == "the product is gone"


def test_a_time_that_is_due_once_a_week_is_measured_on_every_day(mesh: Path) -> None:
    write(
        mesh / "products/shop/product.odps.yaml",
        (mesh / "products/shop/product.odps.yaml").read_text("utf-8")
        + "  - property: schedule\n    value: '0 0 * * 1'\n",
    )
    replace(mesh / CONTRACT.format("shop"), "version: 1.0.0", "version: 1.1.0")
    replace(
        mesh / CONTRACT.format("shop"),
        "slaProperties:\n",
        "slaProperties:\n  - {property: timeOfAvailability, value: '23:59'}\n",
    )
    for days in range(15):
        build(mesh, after=timedelta(days=days))
    found = [run["levels"] for run in read_runs(mesh / "registry", "trade", "shop")][-6:]
    verdicts = {
        level["verdict"] for levels in found for level in levels if level["property"] == "timeOfAvailability"
    }
    assert verdicts == {"met"}


def test_a_product_that_nobody_measured_is_an_error_for_a_build_server(mesh: Path, factory: Command) -> None:
    shutil.rmtree(mesh / "registry/runs")
    suite = ET.fromstring(factory("quality", "shop", "--format", "junit").out)[0]
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
