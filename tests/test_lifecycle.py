"""The life of contracts: stages, notice before a major goes, deprecations that are told, ports that close."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from builders import (
    a_column,
    a_contract,
    a_crossing,
    a_promise,
    a_relation,
    some_artifacts,
    some_contracts,
    some_evidence,
)
from builders import published as published_version
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import make_mesh, replace, without_notice, write

from factory.evidence import Severity
from factory.lifecycle import Edition, Stage, announced_on, in_days, inputs_of, life_faults, life_of
from factory.notices import marks_of
from factory.periods import period_of
from factory.pipeline import run
from factory.plan import Request
from factory.policies.announced import announced
from factory.policies.kept import kept
from factory.questions.show import page_as_json, page_as_text, show
from factory.results import Run
from factory.standards import odcs_faults, schema
from factory.workspace import find_workspace

TODAY = date(2026, 11, 20)


# Periods


@pytest.mark.parametrize(
    ("day", "period", "after"),
    [
        ("2027-01-31", "P1M", "2027-02-28"),
        ("2028-01-31", "P1M", "2028-02-29"),
        ("2027-01-31", "P3M", "2027-04-30"),
        ("2026-11-20", "P3M", "2027-02-20"),
        ("2026-12-31", "P2M", "2027-02-28"),
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2027-01-31", "P1M1D", "2027-03-01"),
        ("2027-01-01", "P2W", "2027-01-15"),
        ("2027-01-01", "P90D", "2027-04-01"),
        ("2027-01-01", "P0D", "2027-01-01"),
        ("2027-01-01", "P9999Y", "9999-12-31"),
        ("9999-12-01", "P40D", "9999-12-31"),
    ],
)
def test_periods_are_those_of_the_calendar(day: str, period: str, after: str) -> None:
    assert period_of(period).after(date.fromisoformat(day)) == date.fromisoformat(after)


@pytest.mark.parametrize("text", ["", "P", "3M", "P3", "PT1H", "P1DT1H", "P-1M", "P1.5M", "three months"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no period"):
        period_of(text)


# Stages


def levels(**days: str) -> list[dict[str, str]]:
    return [{"property": name, "value": day} for name, day in days.items()]


@pytest.mark.parametrize(
    ("fields", "stage", "words"),
    [
        ({"status": "proposed"}, "proposed", "proposed"),
        ({"status": "draft"}, "draft", "draft"),
        ({}, "active", "active"),
        ({"status": None}, "draft", "draft"),
        ({"status": "deprecated"}, "deprecated", "deprecated"),
        ({"status": "retired"}, "retired", "retired: the port is closed"),
        (
            {"slaProperties": levels(endOfSupport="2027-03-01")},
            "active",
            "active; end of support 2027-03-01, in 101 days",
        ),
        (
            {"slaProperties": levels(generalAvailability="2026-11-21", endOfLife="2026-11-20")},
            "active",
            "active; general availability 2026-11-21, in 1 day; end of life 2026-11-20, today",
        ),
        (
            {"status": "deprecated", "slaProperties": levels(es="2026-11-19", el="2027-11-20T10:00:00Z")},
            "out of support",
            "out of support since 2026-11-19; end of life 2027-11-20, in 365 days",
        ),
        (
            {"slaProperties": levels(endOfLife="2026-11-19")},
            "ended",
            "ended: end of life was 2026-11-19, the port is closed",
        ),
        (
            {"slaProperties": [{"property": "endOfLife", "value": "2020-01-01", "element": "orders.amount"}]},
            "active",
            "active",
        ),
    ],
)
def test_status_and_dates_make_the_stage(fields: dict[str, Any], stage: str, words: str) -> None:
    life = life_of(a_contract(**fields))
    assert (str(life.stage(TODAY)), life.words(TODAY)) == (stage, words)
    assert life.is_closed(TODAY) == (life.stage(TODAY) in (Stage.ENDED, Stage.RETIRED))


def test_how_far_a_day_is() -> None:
    days = [date(2026, 11, day) for day in (10, 19, 20, 21, 22)]
    assert [in_days(TODAY, day) for day in days] == [
        "10 days ago",
        "1 day ago",
        "today",
        "in 1 day",
        "in 2 days",
    ]


def test_the_contract_s_own_notice_period_goes_before_that_of_the_workspace() -> None:
    own = [{"property": "noticePeriod", "value": "P6M"}]
    assert life_of(a_contract()).notice.text == "P3M"
    assert life_of(a_contract(), "P1M").notice.text == "P1M"
    assert life_of(a_contract(customProperties=own), "P1M").notice.text == "P6M"


def test_dates_and_periods_that_cannot_be_read_are_told() -> None:
    data = a_contract(
        slaProperties=levels(frequency="daily", endOfLife="soon"),
        customProperties=[
            {"property": "noticePeriod", "value": "a while"},
            {"property": "endOfLife", "value": "x"},
        ],
    )
    assert [(path, message) for path, message, _ in life_faults(data)] == [
        (("slaProperties", 1, "value"), "end of life: 'soon' is no date"),
        (("customProperties", 0, "value"), "noticePeriod: 'a while' is no period"),
    ]


def at(text: str) -> datetime:
    return datetime.combine(day(text), time(12), UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("editions", "announced"),
    [
        ([("1.0.0", "active", "2026-01-01")], None),
        ([("1.0.0", "active", "2026-01-01"), ("2.0.0", "active", "2026-05-01")], "2026-05-01"),
        ([("1.0.0", "active", "2026-01-01"), ("1.0.1", "deprecated", "2026-04-01")], "2026-04-01"),
        (
            [
                ("1.0.1", "deprecated", "2026-04-01"),
                ("1.0.2", "deprecated", "2026-06-01"),
                ("2.0.0", "active", "2026-05-01"),
            ],
            "2026-04-01",
        ),
        # taken back
        ([("1.0.1", "deprecated", "2026-04-01"), ("1.0.2", "active", "2026-06-01")], None),
        # a higher major announces, whichever; a lower one does not
        ([("0.9.0", "deprecated", "2025-01-01"), ("3.0.0", "active", "2026-07-01")], "2026-07-01"),
        ([("2.0.0", "active", None)], None),
    ],
)
def test_the_end_of_a_major_is_announced_by_the_next_one_or_by_its_status(
    editions: list[tuple[str, str, str | None]], announced: str | None
) -> None:
    known = [Edition(version, status, day(on) if on else None) for version, status, on in editions]
    assert announced_on(1, known) == (day(announced) if announced else None)


def test_a_major_may_go_after_its_notice_or_its_end_of_life_whichever_is_first() -> None:
    assert life_of(a_contract()).may_go(TODAY) == day("2027-02-20")
    ending = life_of(a_contract(slaProperties=levels(endOfLife="2026-12-24")))
    assert ending.may_go(TODAY) == day("2026-12-25")


def test_an_input_is_known_by_its_table_and_so_by_its_major() -> None:
    one = a_promise("customers", "1.4.0", schema=[{"name": "customers_v1"}], status="retired")
    two = a_promise("customers", "2.0.0", schema=[{"name": "customers_v2"}])
    read = {
        table: inputs_of("orders", [a_crossing(upstream_table=table)], {"customers": (one, two)})
        for table in ("customers_v1", "customers_v2", "other")
    }
    assert [i.version for found in read.values() for i in found] == ["1.4.0", "2.0.0"]
    private = a_crossing(access="private", upstream_table="customers_v1")
    assert inputs_of("orders", [private], {"customers": (one,)}) == ()


# Through the whole line, on days that are passed in

SHOP, SALES = "products/shop/contracts/shop.odcs.yaml", "products/sales/contracts/sales.odcs.yaml"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shop and sales as they were published on the first of January 2026."""
    root = make_mesh(tmp_path_factory.mktemp("life") / "mesh")
    shutil.rmtree(root / "products/board")
    assert outcomes(build(root, "2026-01-01")) == {"shop": "certified", "sales": "certified"}
    return root


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def build(root: Path, on: str, *names: str, publish: bool = True) -> Run:
    now = datetime.fromisoformat(f"{on}T12:00:00+00:00")
    request = Request(names, publish=publish, now=now)
    return run(find_workspace(root), request, lambda stage, detail="": None)


def outcomes(result: Run) -> dict[str, str]:
    return {product.name: str(product.outcome) for product in result.products}


def told(result: Run, name: str, what: str) -> list[str]:
    """Return the advice or the reasons of a product that one policy gave."""
    (product,) = (p for p in result.products if p.name == name)
    return [*product.reasons, *product.advice] if what == "all" else list(getattr(product, what))


def events(root: Path, kind: str) -> list[Any]:
    files = sorted(root.glob(f"registry/events/*/*/*-{kind}-*.json"))
    return [json.loads(file.read_bytes()) for file in files]


def entry(root: Path, product: str) -> list[Mapping[str, Any]]:
    data = json.loads((root / "registry/registry.json").read_bytes())
    Draft202012Validator(schema("registry.schema.json")).validate(data)
    (found,) = (p for p in data["products"] if p["name"] == product)
    return list(found["contracts"])


def two_majors(root: Path) -> None:
    """Give shop a second major beside the first, and let sales read the first."""
    text = (root / "products/shop/models/orders.sql").read_text("utf-8")
    (root / "products/shop/models/orders.sql").unlink()
    write(root / "products/shop/models/orders_v1.sql", text)
    write(root / "products/shop/models/orders_v2.sql", text.replace("as amount\n", "as price\n"))
    write(
        root / "products/shop/models/_orders.yml",
        """\
        models:
          - name: orders
            description: The output port orders.
            latest_version: 2
            config: {materialized: table, access: public, contract: {enforced: true}}
            columns:
              - {name: order_id, data_type: integer, description: The order_id., constraints: [{type: not_null}, {type: primary_key}], data_tests: [unique]}
              - {name: customer_id, data_type: integer, description: The customer_id.}
              - {name: amount, data_type: double, description: The amount.}
            versions:
              - v: 1
                config: {alias: orders}
              - v: 2
                columns:
                  - include: all
                    exclude: [amount]
                  - {name: price, data_type: double, description: The price.}
        """,
    )
    replace(root / "products/sales/models/sales.sql", "ref('shop', 'orders')", "ref('shop', 'orders', v=1)")
    one = (root / SHOP).read_text("utf-8")
    write(root / SHOP, one.replace("version: 1.0.0", "version: 1.1.0"))
    two = one.replace("- name: orders", "- name: orders_v2").replace("1.0.0", "2.0.0")
    write(root / "products/shop/contracts/shop_v2.odcs.yaml", two)
    replace(root / "products/shop/checks/shop.yml", "checks for", "checks for orders_v2:\n  - row_count > 0\nchecks for")  # fmt: skip


def test_a_major_that_is_raised_in_place_is_refused_with_the_earliest_date(mesh: Path) -> None:
    replace(mesh / SHOP, "version: 1.0.0", "version: 2.0.0")
    result = build(mesh, "2026-02-01", "shop")
    assert outcomes(result) == {"shop": "refused"}
    (reason,) = told(result, "shop", "reasons")
    assert reason.startswith(f"{SHOP}:4: shop 1.x is published and no contract promises it any more")
    assert "on 2026-05-01 at the earliest, if it is announced today (notice period P3M" in reason
    assert "keep shop 1.0.0 beside 2.x: contracts/shop.v1.odcs.yaml" in reason
    assert not (mesh / "registry/products/trade/shop/shop/2.0.0").exists()
    # It does not count that nobody reads it, and waiting does not help: nothing was announced.
    shutil.rmtree(mesh / "products/sales")
    assert outcomes(build(mesh, "2027-02-01", "shop")) == {"shop": "refused"}


def test_a_major_stays_beside_the_next_one_until_the_notice_has_run_out(mesh: Path) -> None:
    two_majors(mesh)
    first = build(mesh, "2026-02-28")
    assert outcomes(first) == {"shop": "certified", "sales": "certified"}, first
    (line,) = [text for text in told(first, "shop", "advice") if "superseded" in text]
    assert "shop 1.x is superseded (use shop 2.x); told with this version: sales (sales-owner@example.org)" in line  # fmt: skip
    (event,) = events(mesh, "deprecated")
    (notice,) = event["data"]["notices"]
    assert (notice["kind"], notice["subject"], notice["gone_from"]) == ("major-superseded", "shop 1.x", "2026-05-28")  # fmt: skip
    assert not [text for text in told(first, "shop", "advice") if "without notice" in text]
    assert notice["consumers"] == [{"name": "sales", "contact": "sales-owner@example.org", "how": "reads it"}]
    write(mesh / "products/shop/data/orders.csv", "order_id,customer_id,amount\n1,1,99\n")
    advice = told(build(mesh, "2026-03-01", "shop"), "shop", "advice")
    assert any("shop 1.x may go from 2026-05-28 on, in 88 days (notice period P3M since 2026-02-28)" in text for text in advice)  # fmt: skip
    page = show(find_workspace(mesh), "shop", at("2026-03-01"))
    one, two = page_as_json(page)["lifecycle"]
    assert (one["announced"], one["may_go"], two["may_go"]) == ("2026-02-28", "2026-05-28", None)
    assert "may go from 2026-05-28 on: announced 2026-02-28, notice period P3M" in page_as_text(page, 100)

    # The old one goes.
    late = told(build(mesh, "2026-06-01", publish=False), "shop", "advice")
    assert any("shop 1.x may go: its notice has run out on 2026-05-28" in text for text in late)
    (mesh / SHOP).unlink()
    (mesh / "products/shop/models/orders_v1.sql").unlink()
    properties = mesh / "products/shop/models/_orders.yml"
    replace(properties, "      - v: 1\n        config: {alias: orders}\n", "")
    write(mesh / "products/shop/checks/shop.yml", "checks for orders_v2:\n  - row_count > 0\n")
    replace(mesh / "products/sales/models/sales.sql", "v=1", "v=2")
    replace(mesh / "products/sales/models/sales.sql", "amount", "price")
    replace(mesh / "products/shop/contracts/shop_v2.odcs.yaml", "version: 2.0.0", "version: 2.1.0")
    early = build(mesh, "2026-05-27", "shop")
    assert outcomes(early) == {"shop": "refused"}
    assert "it may go on 2026-05-28 at the earliest (notice period P3M since 2026-02-28)" in told(early, "shop", "reasons")[0]  # fmt: skip
    assert outcomes(build(mesh, "2026-05-28", "shop")) == {"shop": "certified"}


@pytest.mark.parametrize("way", ["retired", "endOfLife", "setting"])
def test_a_major_may_go_at_once_when_its_end_was_published_or_nothing_has_to_be_kept(
    mesh: Path, way: str
) -> None:
    shutil.rmtree(mesh / "products/sales")
    if way == "setting":
        with (mesh / "pyproject.toml").open("a") as file:
            file.write('notice_period = "P0D"\n')
        version = "1.0.0"
    else:
        version = "1.1.0"
        if way == "retired":
            replace(mesh / SHOP, "status: active", "status: retired")
        else:
            replace(mesh / SHOP, "slaProperties:\n", 'slaProperties:\n  - {property: endOfLife, value: "2026-05-01"}\n')  # fmt: skip
        replace(mesh / SHOP, "version: 1.0.0", "version: 1.1.0")
        result = build(mesh, "2026-02-01", "shop")
        assert outcomes(result) == {"shop": "certified"}, result
        replace(mesh / SHOP, "status: retired", "status: active") if way == "retired" else None
    replace(mesh / SHOP, f"version: {version}", "version: 2.0.0")
    if way == "endOfLife":
        replace(mesh / SHOP, '  - {property: endOfLife, value: "2026-05-01"}\n', "")
    result = build(mesh, "2026-05-02" if way == "endOfLife" else "2026-02-02", "shop")
    assert outcomes(result) == {"shop": "certified"}, result


def test_a_deprecated_column_is_published_and_told_and_an_unannounced_one_is_noticed(mesh: Path) -> None:
    write(
        mesh / "registry/access/a1.yaml",
        "product: urn:dpf:trade:shop\nconsumer: press\ncontact: press@example.org\n",
    )
    write(mesh / "registry/access/a1.approved.yaml", "by: owner\n")
    write(mesh / "registry/access/a2.yaml", "product: sales\nconsumer: finance\n")
    properties = mesh / "products/shop/models/_orders.yml"
    replace(properties, "description: The amount.", 'description: The amount.\n        config: {meta: {deprecated: "2026-08-01", successor: customer_id}}')  # fmt: skip
    replace(mesh / SHOP, "version: 1.0.0", "version: 1.1.0")
    result = build(mesh, "2026-02-01", "shop")
    assert outcomes(result) == {"shop": "certified"}, result
    advice = told(result, "shop", "advice")
    assert (
        "products/shop: orders.amount is deprecated (use customer_id); told with this version: "
        "sales (sales-owner@example.org), press (press@example.org)" in advice
    )
    data = yaml.safe_load((mesh / "registry/products/trade/shop/shop/1.1.0/contract.odcs.yaml").read_text())
    assert odcs_faults(data) == ()
    column = data["schema"][0]["properties"][2]
    facts = {e["property"]: e["value"] for e in column["customProperties"]}
    assert column["deprecated"] is True
    assert facts == {"deprecationDate": "2026-08-01", "successor": "customer_id"}
    (event,) = events(mesh, "deprecated")
    assert event["type"] == "org.dataproductfactory.deprecated"
    assert event["data"]["notices"] == [
        {
            "contract": "shop",
            "version": "1.1.0",
            "kind": "column-deprecated",
            "subject": "orders.amount",
            "successor": "customer_id",
            "gone_from": "2026-08-01",
            "consumers": [
                {"name": "sales", "contact": "sales-owner@example.org", "how": "reads it"},
                {"name": "press", "contact": "press@example.org", "how": "has access"},
            ],
        }
    ]
    page = page_as_text(show(find_workspace(mesh), "shop", at("2026-02-02")), 100)
    assert "deprecated: orders.amount, use customer_id, gone from 2026-08-01" in page
    # Nothing is told twice.
    write(mesh / "products/shop/data/orders.csv", "order_id,customer_id,amount\n1,1,99\n")
    assert not [text for text in told(build(mesh, "2026-02-03", "shop"), "shop", "advice") if "told" in text]
    assert len(events(mesh, "deprecated")) == 1
    # sales.total goes without notice, which a new major does not mend; orders.amount was announced.
    replace(mesh / "products/sales/models/_sales.yml", "name: total", "name: net")
    replace(mesh / "products/sales/models/sales.sql", "as total", "as net")
    replace(mesh / SALES, "version: 1.0.0", "version: 2.0.0")
    result = build(mesh, "2026-02-04", publish=False)
    assert any("sales.total of sales 1.0.0 goes without notice" in text for text in told(result, "sales", "advice"))  # fmt: skip


def test_a_mark_that_says_nothing_and_one_that_the_contract_denies_are_refused(mesh: Path) -> None:
    properties = mesh / "products/shop/models/_orders.yml"
    replace(properties, "description: The amount.", "description: The amount.\n        config: {meta: {deprecated: soon}}")  # fmt: skip
    replace(mesh / SHOP, "  - name: orders\n", "  - name: orders\n    properties:\n      - {name: amount, deprecated: false}\n")  # fmt: skip
    reasons = " ".join(told(build(mesh, "2026-02-01", "shop", publish=False), "shop", "reasons"))
    assert "deprecated: 'soon' of orders.amount is neither true nor a date" in reasons
    assert "the contract says deprecated: false for orders.amount, dbt says true" in reasons


def test_after_the_end_of_life_the_port_is_closed_and_its_readers_are_refused(
    mesh: Path, factory: Command
) -> None:
    replace(mesh / SHOP, "slaProperties:\n", 'slaProperties:\n  - {property: endOfLife, value: "2026-06-30"}\n')  # fmt: skip
    replace(mesh / SHOP, "version: 1.0.0", "version: 1.1.0")
    assert set(outcomes(build(mesh, "2026-02-01")).values()) == {"certified"}
    (contract,) = entry(mesh, "shop")
    assert (contract["status"], contract["dates"]) == ("active", {"endOfLife": "2026-06-30"})
    assert contract["ports"]
    # On its last day it lives. (Certificates have run out by then, so that is seen in a check of nothing else.)
    assert show(find_workspace(mesh), "shop", at("2026-06-30")).lives[0].stage is Stage.ACTIVE

    # The date alone makes a check see it, which closes nothing.
    checked = build(mesh, "2026-07-01", publish=False)
    assert outcomes(checked) == {"shop": "certified", "sales": "refused"}
    port = mesh / "ports/trade/shop/shop/v1"
    assert (port / "current").is_symlink()

    result = build(mesh, "2026-07-01")
    assert outcomes(result) == {"shop": "certified", "sales": "refused"}
    (reason,) = told(result, "sales", "reasons")
    assert reason.startswith(
        "products/sales/models/sales.sql: sales reads shop.orders, whose contract shop 1.1.0 is "
        "ended: end of life was 2026-06-30, the port is closed"
    )
    assert not (port / "current").is_symlink()
    assert not (port / "current.json").exists()
    assert len([folder for folder in port.iterdir() if folder.is_dir()]) >= 1
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as connection:
        tables = connection.sql("select schema_name from duckdb_views() where not internal").fetchall()
    assert tables == [("sales",)]
    (contract,) = entry(mesh, "shop")
    assert (contract["status"], contract["ports"]) == ("retired", [])
    (event,) = events(mesh, "ended")
    assert event["data"]["version"] == "1.1.0"
    page = factory("show", "shop")
    assert "Contract shop 1.1.0, ended" in page.out
    assert "end of life was 2026-06-30" in page.out
    assert "Use it" not in page.out
    Draft202012Validator(schema("show.schema.json")).validate(
        factory("show", "shop", "--format", "json").json
    )

    # The next run has nothing to do but to try what was refused; the index is the same made from nothing.
    index = (mesh / "registry/registry.json").read_bytes()
    assert outcomes(build(mesh, "2026-07-02")) == {"shop": "unchanged", "sales": "refused"}
    assert len(events(mesh, "ended")) == 1
    (mesh / "registry/registry.json").unlink()
    build(mesh, "2026-07-02", "shop")
    assert (mesh / "registry/registry.json").read_bytes() == index

    # A later version with a later date opens it again.
    replace(mesh / SHOP, "2026-06-30", "2030-06-30")
    replace(mesh / SHOP, "version: 1.1.0", "version: 1.2.0")
    assert outcomes(build(mesh, "2026-07-03")) == {"shop": "certified", "sales": "certified"}
    assert (port / "current").is_symlink()
    assert entry(mesh, "shop")[0]["status"] == "active"


def test_a_date_that_has_passed_closes_a_port_though_another_product_was_asked_for(mesh: Path) -> None:
    without_notice(mesh)
    replace(mesh / SHOP, "slaProperties:\n", 'slaProperties:\n  - {property: endOfLife, value: "2026-02-28"}\n')  # fmt: skip
    replace(mesh / SHOP, "version: 1.0.0", "version: 1.1.0")
    build(mesh, "2026-02-01")
    assert outcomes(build(mesh, "2026-02-28")) == {"shop": "unchanged", "sales": "unchanged"}
    assert outcomes(build(mesh, "2026-03-01", "sales")) == {"sales": "refused"}
    assert not (mesh / "ports/trade/shop/shop/v1/current").is_symlink()
    assert entry(mesh, "shop")[0]["status"] == "retired"


def test_a_run_that_was_killed_while_it_closed_a_port_is_made_good(mesh: Path) -> None:
    without_notice(mesh)
    replace(mesh / SHOP, "slaProperties:\n", 'slaProperties:\n  - {property: endOfLife, value: "2026-02-28"}\n')  # fmt: skip
    replace(mesh / SHOP, "version: 1.0.0", "version: 1.1.0")
    build(mesh, "2026-02-01")
    before = (mesh / "registry/registry.json").read_bytes()
    assert outcomes(build(mesh, "2026-03-01", "shop")) == {"shop": "certified"}
    after = (mesh / "registry/registry.json").read_bytes()
    (mesh / "registry/registry.json").write_bytes(before)
    build(mesh, "2026-03-02", "shop")
    assert (mesh / "registry/registry.json").read_bytes() == after != before
    assert len(events(mesh, "ended")) == 1


def test_a_retired_contract_closes_its_port_when_it_is_published(mesh: Path) -> None:
    replace(mesh / SHOP, "status: active", "status: retired")
    replace(mesh / SHOP, "version: 1.0.0", "version: 1.0.1")
    result = build(mesh, "2026-02-01")
    assert outcomes(result) == {"shop": "certified", "sales": "refused"}
    assert not (mesh / "ports/trade/shop/shop/v1/current").is_symlink()
    (notice,) = events(mesh, "deprecated")[0]["data"]["notices"]
    assert (notice["kind"], notice["gone_from"]) == ("major-retired", "2026-02-01")
    assert len(events(mesh, "retired")) == 1
    assert outcomes(build(mesh, "2026-02-02", "shop")) == {"shop": "unchanged"}


def test_a_deprecated_major_is_told_to_those_who_read_it_run_after_run(mesh: Path) -> None:
    replace(mesh / SHOP, "status: active", "status: deprecated")
    replace(mesh / SHOP, "version: 1.0.0", "version: 1.0.1")
    result = build(mesh, "2026-02-01")
    assert outcomes(result) == {"shop": "certified", "sales": "certified"}
    assert any("sales reads shop.orders, whose contract shop 1.0.1 is deprecated" in text for text in told(result, "sales", "advice"))  # fmt: skip
    (notice,) = events(mesh, "deprecated")[0]["data"]["notices"]
    assert (notice["kind"], notice["gone_from"]) == ("major-deprecated", "2026-05-01")
    # Deprecating announces as well: the next major may replace it in place when the notice has run out.
    shutil.rmtree(mesh / "products/sales")
    replace(mesh / SHOP, "status: deprecated", "status: active")
    replace(mesh / SHOP, "version: 1.0.1", "version: 2.0.0")
    assert outcomes(build(mesh, "2026-04-30", "shop")) == {"shop": "refused"}
    assert outcomes(build(mesh, "2026-05-01", "shop")) == {"shop": "certified"}


def test_before_general_availability_show_says_from_when(mesh: Path) -> None:
    replace(mesh / SHOP, "slaProperties:\n", 'slaProperties:\n  - {property: generalAvailability, value: "2026-06-30"}\n')  # fmt: skip
    replace(mesh / SHOP, "version: 1.0.0", "version: 1.1.0")
    assert set(outcomes(build(mesh, "2026-02-01")).values()) == {"certified"}
    text = page_as_text(show(find_workspace(mesh), "shop", at("2026-06-01")), 100)
    assert "active; general availability 2026-06-30, in 29 days" in text


def test_a_date_that_is_none_is_refused_with_its_line(mesh: Path) -> None:
    replace(mesh / SHOP, "slaProperties:\n", "slaProperties:\n  - {property: endOfLife, value: soon}\n")
    replace(mesh / "products/shop/product.odps.yaml", "    value: CC-1\n", "    value: CC-1\n  - property: noticePeriod\n    value: later\n")  # fmt: skip
    result = build(mesh, "2026-02-01", publish=False)
    assert any(f"{SHOP}:16: end of life: 'soon' is no date" in text for text in told(result, "shop", "reasons"))  # fmt: skip
    assert any("product.odps.yaml:24: noticePeriod: 'later' is no period" in text for text in told(result, "shop", "reasons"))  # fmt: skip


def test_a_notice_period_of_the_workspace_has_to_be_one(tmp_path: Path, factory: Command) -> None:
    write(tmp_path / "pyproject.toml", '[tool.factory]\nnotice_period = "3 months"\n')
    result = factory("list")
    assert (result.code, "'3 months' is no period" in result.err) == (2, True)


def test_the_day_is_that_of_utc() -> None:
    assert Request().now.tzinfo is UTC


# What the policies say, without a build


def test_an_end_of_life_that_leaves_no_time_is_refused() -> None:
    ending = a_promise(version="1.1.0", slaProperties=levels(endOfLife="2026-12-24"))
    before = published_version("1.0.0", a_contract())
    (finding,) = kept(some_evidence(promises=[ending], previous={"orders": (before,)}, today=TODAY))
    assert finding.severity is Severity.BLOCKS
    assert finding.message == (
        "the end of life of orders 1.x, 2026-12-24, comes before its notice period (P3M) has run out on 2027-02-20"
    )
    again = published_version("1.1.0", a_contract(slaProperties=levels(endOfLife="2026-12-24")))
    assert list(kept(some_evidence(promises=[ending], previous={"orders": (again,)}, today=TODAY))) == []
    later = a_promise(version="1.1.0", slaProperties=levels(endOfLife="2027-02-20"))
    assert list(kept(some_evidence(promises=[later], previous={"orders": (before,)}, today=TODAY))) == []


def test_a_contract_that_is_gone_without_a_next_major_is_missed_too() -> None:
    previous = {"returns": (published_version("1.0.0", a_contract(name="returns")),)}
    (finding,) = kept(some_evidence(previous=previous, today=TODAY))
    assert finding.severity is Severity.BLOCKS
    assert finding.where == "products/orders/contracts"
    assert "returns 1.x is published and no contract promises it any more" in finding.message


@pytest.mark.parametrize(
    ("successor", "message"),
    [
        ("", "orders.amount is deprecated, and no successor is named"),
        ("nett", "the successor 'nett' of orders.amount is no column or table of the contract"),
        ("order_id", ""),
        ("urn:dpf:retail:other:net", ""),
        ("other.orders.net", ""),
    ],
)
def test_the_successor_of_a_deprecated_column_is_there(successor: str, message: str) -> None:
    meta = {"deprecated": True, **({"successor": successor} if successor else {})}
    port = a_relation(columns=(a_column(), a_column("amount", meta=meta)))
    found = list(announced(some_evidence(artifacts=some_artifacts(port))))
    assert [finding.severity for finding in found] == ([Severity.ADVISES] if message else [])
    assert all(finding.message.startswith(message) for finding in found)


def test_a_model_with_a_deprecation_date_is_a_deprecated_table() -> None:
    port = a_relation(deprecation_date="2027-03-01T00:00:00+00:00")
    (mark,) = marks_of(some_contracts(artifacts=some_artifacts(port))[0].data)
    assert (mark.name, mark.date) == ("orders", "2027-03-01")
