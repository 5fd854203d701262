"""The product template, by use: stamp every archetype, build, expect certified."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb
import pytest
import yaml
from conftest import Command
from filelock import FileLock
from mesh import ROOT
from stamping import AWKWARD, answers_file, bare_copier, commit, git, stamped_workspace

from factory.products import PRODUCT_NAME, RESERVED
from factory.scaffold import stamp_product
from factory.workspace import find_workspace

#: Product by name: its answers. `events` and `entities` are read by the two that are connected.
PRODUCTS: dict[str, dict[str, Any]] = {
    "events": {"source_kind": "events"},
    "entities": {"source_kind": "entities"},
    "aggregate": {"archetype": "aggregate"},
    "consumer": {"archetype": "consumer-aligned"},
    "connected": {"archetype": "aggregate", "inputs": ["events.events", "entities.entities.entities_latest"]},
    "narrow": {"archetype": "consumer-aligned", "inputs": ["events.events"]},
    "odd_events": {"source_kind": "events", **AWKWARD},
    "odd_entities": {"source_kind": "entities", **AWKWARD},
    "odd_aggregate": {"archetype": "aggregate", **AWKWARD},
    "odd_consumer": {"archetype": "consumer-aligned", **AWKWARD},
    "odd_connected": {"archetype": "aggregate", "inputs": ["odd_events.odd_events"], **AWKWARD},
}
STAMPED_BY_COPIER = ("entities", "consumer", "narrow", "odd_events", "odd_aggregate")
ODD = [name for name in PRODUCTS if name.startswith("odd_")]


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of product, with default and awkward answers, half of them stamped by Copier itself; built once.

    What the run said lies beside the workspace.
    """
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp().parent if parallel else tmp_path_factory.getbasetemp()
    root = base / "stamped" / "mesh"
    with FileLock(base / "stamped.lock"):
        if not (root.parent / "run.json").is_file():
            stamped_workspace(root)
            stamp_all(root)
            command = [sys.executable, "-m", "factory", "-C", str(root), "build", "--format", "json"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr + done.stdout
            (root.parent / "run.json").write_text(done.stdout, "utf-8")
    return root


def stamp_all(root: Path) -> None:
    ws = find_workspace(root)
    for name, answers in PRODUCTS.items():
        if name in STAMPED_BY_COPIER:
            file = answers_file(root.parent, answers)
            done = bare_copier(root, "copy", ".", f"products/{name}", "--data-file", str(file), "--defaults")
            assert done.returncode == 0, done.stderr
        else:
            stamp_product(ws, name, answers)
    commit(root, "Products")


@pytest.fixture
def built(mesh: Path) -> dict[str, Any]:
    """What the run said of each product."""
    run = json.loads((mesh.parent / "run.json").read_text("utf-8"))
    return {product["name"]: product for product in run["products"]}


def test_every_product_is_certified_as_it_is_stamped(mesh: Path, built: dict[str, Any]) -> None:
    assert {name: run["outcome"] for name, run in built.items()} == dict.fromkeys(PRODUCTS, "certified")
    listed = json.loads((mesh / "registry/registry.json").read_text("utf-8"))["products"]
    assert {entry["name"] for entry in listed} == set(PRODUCTS)


def test_what_stands_in_for_inputs_is_advised_and_nothing_else_is_wrong(built: dict[str, Any]) -> None:
    told = {
        name: {advice for advice in product["advice"] if "no description of" not in advice}
        for name, product in built.items()
    }
    unconnected = {"aggregate", "consumer", "odd_aggregate", "odd_consumer"}
    assert {name for name, advice in told.items() if advice} == unconnected
    assert all("inputs not connected" in text for advice in told.values() for text in advice)


@pytest.mark.parametrize("name", ODD)
def test_text_comes_out_as_it_was_given_and_is_never_rendered_twice(
    name: str, mesh: Path, built: dict[str, Any]
) -> None:
    folder = mesh / "products" / name
    summary = AWKWARD["summary"].strip()
    descriptor = yaml.safe_load((folder / "product.odps.yaml").read_text("utf-8"))
    custom = {entry["property"]: entry["value"] for entry in descriptor["customProperties"]}
    assert descriptor["description"]["purpose"] == summary
    assert (custom["title"], custom["costCenter"]) == (AWKWARD["title"], AWKWARD["cost_center"])
    assert descriptor["team"]["name"] == AWKWARD["team"]
    assert {member["username"] for member in descriptor["team"]["members"]} == {AWKWARD["owner"]}
    assert descriptor["support"][0]["channel"] == AWKWARD["support_channel"]
    answers = yaml.safe_load((folder / ".copier-answers.yml").read_text("utf-8"))
    assert {key: answers[key] for key in AWKWARD} == AWKWARD
    (contract,) = (mesh / "registry/products/example" / name / name).glob("*/contract.odcs.yaml")
    published = yaml.safe_load(contract.read_text("utf-8"))
    assert published["description"]["purpose"] == summary
    assert summary in (folder / "docs/overview.md").read_text("utf-8")
    (listed,) = [
        entry
        for entry in json.loads((mesh / "registry/registry.json").read_text("utf-8"))["products"]
        if entry["name"] == name
    ]
    assert (listed["title"], listed["owner"]) == (AWKWARD["title"], AWKWARD["owner"])


def test_dbt_sees_text_as_it_was_given(mesh: Path, built: dict[str, Any]) -> None:
    manifest = json.loads((mesh / "target/prod/dbt/manifest.json").read_text("utf-8"))
    groups = {group["name"]: group["owner"]["name"] for group in manifest["groups"].values()}
    owners = {e["package_name"]: e["owner"]["name"] for e in manifest["exposures"].values()}
    assert {groups[name] for name in ODD} == {owners[name] for name in ODD} == {AWKWARD["team"]}


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_contract_has_all_that_a_consumer_wants_to_know(
    name: str, mesh: Path, built: dict[str, Any]
) -> None:
    (file,) = (mesh / "registry/products/example" / name / name).glob("*/contract.odcs.yaml")
    contract = yaml.safe_load(file.read_text("utf-8"))
    promised = {entry["property"] for entry in contract["slaProperties"]}
    assert {
        "frequency",
        "latency",
        "retention",
        "generalAvailability",
        "timeToNotify",
        "timeToRepair",
    } <= promised
    assert contract["roles"] and contract["description"]["usage"]
    assert {entry["property"]: entry["value"] for entry in contract["customProperties"]}[
        "noticePeriod"
    ] == "P3M"
    for table in contract["schema"]:
        assert all(column["description"] and column["physicalType"] for column in table["properties"])
        assert any(column.get("primaryKey") for column in table["properties"])
        dimensions = {
            rule["dimension"] for part in (table, *table["properties"]) for rule in part.get("quality", [])
        }
        assert {"completeness", "uniqueness"} <= dimensions
    main = contract["schema"][0]
    rules = [rule for part in (main, *main["properties"]) for rule in part.get("quality", [])]
    checks = "".join(rule["implementation"] for rule in rules if rule.get("engine") == "soda")
    assert all(kind in checks for kind in ("row_count", "freshness", "schema"))


def test_no_person_can_be_read_out_of_a_port(mesh: Path, built: dict[str, Any]) -> None:
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as connection:
        for name in ODD:
            (text,) = connection.execute(
                f"select string_agg(cast(t as varchar)) from {name}.{name} as t"
            ).fetchone()
            assert "@example.org" not in text
    (contract,) = (mesh / "registry/products/example/odd_events").glob("*/*/contract.odcs.yaml")
    (table,) = yaml.safe_load(contract.read_text("utf-8"))["schema"]
    (masked,) = [column for column in table["properties"] if "email" in column["name"]]
    assert masked["transformSourceObjects"] == ["odd_events.odd_events_sample.contact_email"]
    assert "anonymiser" not in masked["transformLogic"]


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_sample_query_runs_over_the_published_port(name: str, mesh: Path, built: dict[str, Any]) -> None:
    text = (mesh / "products" / name / f"analyses/{name}_example.sql").read_text("utf-8")
    query = re.sub(r"\{\{ ref\('(\w+)', '(\w+)'\) \}\}", r"\1.\2", text)
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as connection:
        assert connection.execute(query).fetchall()


def test_bad_rows_wait_in_quarantine_with_their_reason(mesh: Path, built: dict[str, Any]) -> None:
    def reasons(product: str) -> list[str]:
        with duckdb.connect(str(mesh / f"target/prod/duckdb/{product}.duckdb"), read_only=True) as connection:
            rows = connection.execute(
                f"select rejection_reason from main.{product}_rejected order by 1"
            ).fetchall()
        return [reason for (reason,) in rows]

    assert reasons("events") == [
        "The event says not what it happened to.",
        "The event was delivered before.",
        "The time is missing or cannot be read.",
    ]
    assert reasons("entities") == [
        "The entity has no number.",
        "The time of the change is missing or cannot be read.",
    ]
    assert reasons("aggregate") == reasons("consumer") == ["The account is not known."]
    assert reasons("connected") == []


@pytest.mark.parametrize("name", PRODUCTS)
def test_what_is_stamped_is_clean(name: str, mesh: Path) -> None:
    folder = mesh / "products" / name
    for file in (f for f in folder.rglob("*") if f.is_file() and "dbt_packages" not in f.parts):
        text = file.read_text("utf-8")
        where = file.relative_to(folder)
        assert text.endswith("\n") and not text.endswith("\n\n"), where
        if file.suffix != ".md" and file.name != ".copier-answers.yml":
            assert "\n\n\n" not in text, where
        if file.suffix in (".yml", ".yaml"):
            yaml.safe_load(text)
        if name not in ODD:
            assert "[[" not in text and "[%" not in text, where
            assert not re.search(r"[ \t]+$", text, re.MULTILINE), where
    assert not (folder / "_parts").exists()
    assert (folder / "CODEOWNERS").is_file() and (folder / "roles.yml").is_file()


def test_times_of_the_error_notify_standard_agree_with_the_contract(mesh: Path) -> None:
    folder = mesh / "products/events"
    error, warning = yaml.safe_load((folder / "notify.yml").read_text("utf-8"))["severities"]
    promised = yaml.safe_load((folder / "contracts/events.odcs.yaml").read_text("utf-8"))["slaProperties"]
    values = {entry["property"]: f"{entry['value']}{entry.get('unit', '')}" for entry in promised}
    assert (error["notify_within"], values["timeToNotify"]) == ("PT1H", "1h")
    assert (error["repair_within"], values["timeToRepair"]) == ("P1D", "1d")
    assert [error["severity"], warning["severity"]] == ["error", "warning"]
    roles = {role["role"] for role in yaml.safe_load((folder / "roles.yml").read_text("utf-8"))["roles"]}
    assert "events_reader" in roles


@pytest.mark.parametrize(
    ("schedule", "cron", "frequency"),
    [
        ("hourly", "0 * * * *", (1, "h")),
        ("daily", "0 6 * * *", (1, "d")),
        ("weekly", "0 6 * * 1", (7, "d")),
        ("monthly", "0 6 1 * *", (1, "month")),
        ("15 4 1 1 *", "15 4 1 1 *", (1, "y")),
        ("*/10 * * * *", "*/10 * * * *", (1, "h")),
        ("0 6 * * 1-5", "0 6 * * 1-5", (1, "d")),
        ("30 5,17 * * MON", "30 5,17 * * MON", (7, "d")),
        ("0 6 1,15 * *", "0 6 1,15 * *", (1, "d")),
    ],
)
def test_the_frequency_follows_from_the_schedule(
    schedule: str, cron: str, frequency: tuple[int, str], tmp_path: Path, factory: Command
) -> None:
    root = stamped_workspace(tmp_path / "mesh")
    assert factory("-C", root, "new", "orders", "--defaults", "-d", f"schedule={schedule}").code == 0
    folder = root / "products/orders"
    descriptor = yaml.safe_load((folder / "product.odps.yaml").read_text("utf-8"))
    assert {"property": "schedule", "value": cron} in descriptor["customProperties"]
    contract = yaml.safe_load((folder / "contracts/orders.odcs.yaml").read_text("utf-8"))
    (promised,) = [entry for entry in contract["slaProperties"] if entry["property"] == "frequency"]
    assert (promised["value"], promised["unit"]) == frequency


# What happens in the months after.


@pytest.fixture
def pair(mesh: Path, built: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of the built mesh with the two source-aligned products only."""
    root = tmp_path / "mesh"
    shutil.copytree(mesh, root, symlinks=True)
    for folder in (root / "products").iterdir():
        if folder.is_dir() and folder.name not in ("events", "entities"):
            shutil.rmtree(folder)
    return root


def rows(root: Path, query: str) -> list[Any]:
    with duckdb.connect(str(root / "ports.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_events_are_only_added_and_entities_remember(pair: Path, factory: Command) -> None:
    events = pair / "products/events/seeds/events_sample.csv"
    text = events.read_text("utf-8")
    events.write_text(
        text.replace("E-0001,opened", "E-0001,closed")
        + "E-0100,opened,2026-03-01T00:00:00Z,S-1,5.00,EUR,FR\n",
        "utf-8",
    )
    entities = pair / "products/entities/seeds/entities_sample.csv"
    with entities.open("a", encoding="utf-8") as file:
        file.write("N-001,North,closed,NO,2026-03-01T00:00:00Z\n")
    before = rows(pair, "select * from events.events order by event_id")
    contracts = {f: f.read_bytes() for f in (pair / "registry").rglob("contract.odcs.yaml")}
    result = factory("-C", pair, "build", "--full", "--format", "json")
    assert result.code == 0, result.err + result.out
    after = rows(pair, "select * from events.events order by event_id")
    assert after[: len(before)] == before
    assert [row[0] for row in after[len(before) :]] == ["E-0100"]
    history = rows(
        pair, "select status, is_current from entities.entities where entity_id = 'N-001' order by valid_from"
    )
    assert history == [("active", False), ("closed", True)]
    assert rows(pair, "select status from entities.entities_latest where entity_id = 'N-001'") == [
        ("closed",)
    ]
    assert contracts == {f: f.read_bytes() for f in (pair / "registry").rglob("contract.odcs.yaml")}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda text: re.sub(r"$", ",1", text, flags=re.MULTILINE).replace("code,1", "code,extra", 1),
            "no new columns",
        ),
        (lambda text: text.replace("currency_code", "currency", 1), "currency_code"),
    ],
    ids=["a new column", "a renamed column"],
)
def test_a_source_that_changes_its_columns_is_noticed(
    change: Any, why: str, pair: Path, factory: Command
) -> None:
    shutil.rmtree(pair / "products/entities")
    seed = pair / "products/events/seeds/events_sample.csv"
    seed.write_text(change(seed.read_text("utf-8").rstrip("\n")) + "\n", "utf-8")
    (pair / "target/prod/duckdb/events.duckdb").unlink()
    result = factory("-C", pair, "check", "events", "--format", "json")
    assert result.code in (1, 2)
    (told,) = [product for product in result.json["products"] if product["name"] == "events"]
    assert told["outcome"] == "refused"
    assert any(why in reason for reason in told["reasons"])


def test_a_product_builds_alone_from_its_own_folder(pair: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            "build",
            "--profiles-dir",
            "../..",
            "--target",
            "alone",
            "--quiet",
        ],
        cwd=pair / "products/entities",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_corrected_event_takes_the_place_of_a_faulty_one(pair: Path, factory: Command) -> None:
    with (pair / "products/events/seeds/events_sample.csv").open("a", encoding="utf-8") as file:
        file.write("E-0200,opened,05/01/2026,S-1,5.00,EUR,FR\n")  # sorts before the correction, as text
        file.write("E-0200,opened,2026-03-01T00:00:00Z,S-1,5.00,EUR,FR\n")
        file.write("E-0201,opened,2026-03-01T00:00:00Z,S-1,,EUR,FR\n")
        file.write("E-0201,opened,2026-03-01T00:00:00Z,S-1,5.00,EUR,FR\n")
    assert factory("-C", pair, "build", "events").code == 0
    added = rows(pair, "select event_id, amount from events.events where event_id > 'E-01' order by 1")
    assert [(event, str(amount)) for event, amount in added] == [("E-0200", "5.00"), ("E-0201", "5.00")]


def test_a_lost_row_is_noticed(pair: Path, factory: Command) -> None:
    log = pair / "products/events/models/marts/events_log.sql"
    text = log.read_text("utf-8").replace(
        "judged.rejection_reason is null", "judged.rejection_reason is null and judged.event_id <> 'E-0009'"
    )
    log.write_text(text, "utf-8")
    current = pair / "products/entities/models/intermediate/int_entities__current.sql"
    current.write_text(current.read_text("utf-8") + "    and numbered.entity_id <> 'N-001'\n", "utf-8")
    for name in ("events", "entities"):
        (pair / f"target/prod/duckdb/{name}.duckdb").unlink()
    told = factory("-C", pair, "check", "--format", "json").json["products"]
    assert {one["name"]: one["outcome"] for one in told} == {"events": "refused", "entities": "refused"}
    assert all(any("_loses_no_row" in reason for reason in one["reasons"]) for one in told)


def test_connecting_a_source_takes_one_line(pair: Path, factory: Command) -> None:
    product = pair / "products/events"
    (product / "data").mkdir()
    (product / "data/day.csv").write_text(
        "event_id,event_type,occurred_at,subject_id,amount,currency_code,country_code\n"
        "R-1,opened,2026-04-01T00:00:00Z,S-1,9.00,EUR,FR\n",
        "utf-8",
    )
    readme = (product / "README.md").read_text("utf-8")
    source, sql = re.findall(r"```(?:yaml|sql)\n(.*?)```", readme, re.DOTALL)
    (product / "models/staging/_sources.yml").write_text(dedent(source), "utf-8")
    (product / "models/staging/raw_events.sql").write_text(dedent(sql), "utf-8")
    shutil.rmtree(product / "seeds")
    (pair / "target/prod/duckdb/events.duckdb").unlink()  # as the README says
    asked = factory("-C", pair, "build", "events")
    assert (asked.code, "set `version: 1.1.0`" in asked.out) == (1, True), asked.out
    contract = product / "contracts/events.odcs.yaml"
    contract.write_text(contract.read_text("utf-8").replace("version: 1.0.0", "version: 1.1.0"), "utf-8")
    result = factory("-C", pair, "build", "events")
    assert result.code == 0, result.out
    assert rows(pair, "select event_id from events.events") == [("R-1",)]
    (product / "data/day.csv").write_text("event_id,extra\nR-1,1\n", "utf-8")
    drifted = factory("-C", pair, "build", "events")
    assert drifted.code in (1, 2)
    assert rows(pair, "select event_id from events.events") == [("R-1",)]


def test_marks_of_a_conflict_are_not_published(pair: Path, factory: Command) -> None:
    runbook = pair / "products/events/docs/runbook.md"
    runbook.write_text("# Runbook\n<<<<<<< yours\na\n=======\nb\n>>>>>>> template-v2\n", "utf-8")
    result = factory("-C", pair, "check", "events", "--format", "json")
    assert result.code == 2
    (told,) = [one for one in result.json["products"] if one["name"] == "events"]
    assert "products/events/docs/runbook.md:2: a conflict is not settled" in told["reasons"][0]


def test_a_port_that_cannot_be_read_refuses_its_product_alone(pair: Path, factory: Command) -> None:
    port = pair / "products/events/models/ports/events.sql"
    broken = "case when getvariable('nobody_set_this') is null and logged.event_id > 'E' then error('no key') else logged.subject_id end as subject_id"
    port.write_text(port.read_text("utf-8").replace("logged.subject_id", broken), "utf-8")
    (pair / "products/events/models/ports/events.sql").write_text(
        "{{ config(pre_hook=\"set variable nobody_set_this = 'x'\") }}\n" + port.read_text("utf-8"), "utf-8"
    )
    yml = pair / "products/events/models/ports/_ports.yml"
    text = re.sub(r"(        data_tests:\n(          .*\n)+)", "", yml.read_text("utf-8"))
    yml.write_text(text, "utf-8")
    (pair / "products/entities/docs/note.md").write_text("So that it runs, too.\n", "utf-8")
    result = factory("-C", pair, "build", "--format", "json")
    outcomes = {one["name"]: one["outcome"] for one in result.json["products"]}
    assert (outcomes["events"], outcomes["entities"]) == ("refused", "certified"), result.out


# What cannot be.


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return stamped_workspace(tmp_path / "mesh")


def nothing_is_there(root: Path) -> bool:
    """Say whether a refusal left nothing behind."""
    return [f.name for f in (root / "products").iterdir()] == [".gitkeep"] and not list(
        (root / "target").glob(".scaffold-*")
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Orders", "holds 'O'"),
        ("a/b", "holds '/' (solidus)"),
        ("../evil", "holds '.' (full stop)"),
        ("..", "holds '.'"),
        ("a" * 300, "(300 characters)"),
        ("\u043erders", "cyrillic small letter o"),
        ("order s", "holds ' ' (space)"),
        ("1orders", "is not allowed"),
        ("x", "is not allowed"),
        ("select", "means something in SQL"),
        ("class", "means something in SQL"),
        ("mesh", "means something in SQL, in Python or in the workspace"),
        ("standards", "means something"),
        ("or\nders", "holds '\\n'"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str, why: str, root: Path, factory: Command) -> None:
    result = factory("-C", root, "new", name, "--defaults")
    assert result.code == 2
    assert why in result.err
    assert nothing_is_there(root)


def test_a_name_that_is_taken_is_refused_by_name_and_by_folder(root: Path, factory: Command) -> None:
    assert factory("-C", root, "new", "orders", "--defaults").code == 0
    (root / "products/orders").rename(root / "products/other_folder")
    taken = factory("-C", root, "new", "orders", "--defaults")
    assert (taken.code, "there is a product 'orders' already" in taken.err) == (2, True)
    (root / "products/sales").mkdir()
    (root / "products/sales/note.txt").write_text("mine", "utf-8")
    full = factory("-C", root, "new", "sales", "--defaults")
    assert (full.code, "the folder is not empty" in full.err) == (2, True)
    assert [f.name for f in (root / "products/sales").iterdir()] == ["note.txt"]


def test_what_copier_cannot_know_is_found_by_check(root: Path, factory: Command) -> None:
    for folder in ("orders", "again"):
        done = bare_copier(root, "copy", ".", f"products/{folder}", "--defaults", "--data", "name=orders")
        assert done.returncode == 0, done.stderr
    result = factory("-C", root, "check")
    assert result.code == 2
    assert "products/orders/product.odps.yaml:5: the name 'orders' is taken by products/again/" in result.err


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("orders.nothing", "products/sales/models/staging/stg_sales__orders__nothing.sql:3: .* not found"),
        ("orders.orders_log", "private to the 'orders' group"),
        ("nobody.nothing", "which was not found"),
    ],
)
def test_a_port_that_copier_cannot_know_is_found_by_check(
    port: str, why: str, root: Path, factory: Command
) -> None:
    assert factory("-C", root, "new", "orders", "--defaults").code == 0
    file = answers_file(root.parent, {"archetype": "aggregate", "inputs": [port]})
    assert (
        bare_copier(root, "copy", ".", "products/sales", "--data-file", str(file), "--defaults").returncode
        == 0
    )
    result = factory("-C", root, "check")
    assert result.code == 2
    assert re.search(why, result.err), result.err


def test_copier_itself_needs_no_trust_and_takes_the_folders_name(root: Path) -> None:
    done = bare_copier(root, "copy", ".", "products/web-shop", "--defaults")
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((root / "products/web-shop/.copier-answers.yml").read_text("utf-8"))
    assert (answers["name"], answers["_commit"], answers["_src_path"]) == ("web_shop", "v1.0.0", ".")
    wrong = bare_copier(root, "copy", ".", "products/bad", "--defaults", "--data", "name=Bad")
    assert wrong.returncode != 0
    assert "lower case letters a-z, digits and _ only" in wrong.stderr
    assert not (root / "products/bad").exists()


def test_copier_and_the_factory_stamp_the_same(root: Path, factory: Command) -> None:
    file = answers_file(root.parent, {**AWKWARD, "archetype": "aggregate"})
    assert factory("-C", root, "new", "orders", "--data-file", file).code == 0
    ours = {f.relative_to(root): f.read_bytes() for f in (root / "products/orders").rglob("*") if f.is_file()}
    shutil.rmtree(root / "products/orders")
    done = bare_copier(root, "copy", ".", "products/orders", "--data-file", str(file), "--defaults")
    assert done.returncode == 0, done.stderr
    theirs = {
        f.relative_to(root): f.read_bytes() for f in (root / "products/orders").rglob("*") if f.is_file()
    }
    answers = Path("products/orders/.copier-answers.yml")
    written = yaml.safe_load(ours.pop(answers))
    assert written.pop("_tree")
    assert written == yaml.safe_load(theirs.pop(answers))
    assert ours == theirs


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"titel": "x"}, "did you mean 'title'?"),
        ({"variant": "x"}, "no question 'variant'"),
        ({"connected": True}, "no question 'connected'"),
        ({"archetype": "gold"}, "archetype"),
        ({"domain": "Sales!"}, "the domain may hold lower case letters"),
        ({"title": "two\nlines"}, "the title is one line"),
        ({"summary": " "}, "the summary may not be empty"),
        ({"summary": "bell \x07"}, "control characters"),
        ({"owner": ""}, "owner"),
        ({"schedule": "sometimes"}, "cron expression of five fields"),
        ({"schedule": "99 99 99 99 99"}, "cron expression of five fields"),
        ({"schedule": ", , , , ,"}, "cron expression of five fields"),
        ({"schedule": "0 6 * *"}, "cron expression of five fields"),
        ({"personal_data": "perhaps"}, "personal_data: 'perhaps' is neither yes nor no"),
        ({"archetype": "aggregate", "inputs": "sales"}, "the inputs are a list"),
        ({"archetype": "aggregate", "inputs": ["sales"]}, "no output port"),
        ({"archetype": "aggregate", "inputs": ["sales.sales"]}, "there is no product 'sales'"),
        ({"archetype": "aggregate", "inputs": ["../x.y"]}, "inputs"),
        ({"archetype": "aggregate", "inputs": ["orders./etc/passwd"]}, "is no output port"),
        ({"archetype": "aggregate", "inputs": ["orders.**"]}, "is no output port"),
        ({"archetype": "aggregate", "inputs": [7]}, "inputs"),
    ],
    ids=repr,
)
def test_a_wrong_answer_is_told_with_what_is_allowed(
    answers: dict[str, Any], why: str, root: Path, factory: Command
) -> None:
    file = root.parent / "answers.json"
    file.write_text(json.dumps(answers), "utf-8")  # JSON is YAML
    result = factory("-C", root, "new", "orders", "--data-file", file)
    assert result.code == 2, result.out
    assert why in result.err
    assert nothing_is_there(root)


def test_an_input_must_be_an_output_port_of_the_workspace(root: Path, factory: Command) -> None:
    assert factory("-C", root, "new", "orders", "--defaults", "-d", "source_kind=entities").code == 0

    def inputs(port: str) -> str:
        result = factory(
            "-C", root, "new", "sales", "--defaults", "-d", "archetype=aggregate", "-d", f"inputs={port}"
        )
        assert result.code == 2
        assert not (root / "products/sales").exists()
        return result.err

    assert "did you mean 'orders'?" in inputs("order.orders")
    assert "it is private" in inputs("orders.orders_rejected")
    assert "'gold' is no contract of it" in inputs("orders.gold")
    assert "the contract has no table 'x1'" in inputs("orders.orders.x1")
    assert "orders.orders, orders.orders.orders_latest" in inputs("orders.gold")


def test_a_contract_without_a_table_of_its_name_gives_its_first(root: Path, factory: Command) -> None:
    assert factory("-C", root, "new", "shop", "--defaults").code == 0
    contract = root / "products/shop/contracts/shop.odcs.yaml"
    contract.write_text(
        contract.read_text("utf-8").replace("name: shop\nversion", "name: till\nversion"), "utf-8"
    )
    contract.rename(contract.with_name("till.odcs.yaml"))
    arguments = ("new", "sales", "--defaults", "-d", "archetype=aggregate", "-d", "inputs=shop.till")
    result = factory("-C", root, *arguments)
    assert (result.code, "shop.till has no table of that name: shop is read" in result.err) == (0, True)
    answers = yaml.safe_load((root / "products/sales/.copier-answers.yml").read_text("utf-8"))
    assert answers["inputs"] == ["shop.till.shop"]
    assert "ref('shop', 'shop')" in (
        root / "products/sales/models/staging/stg_sales__shop__till__shop.sql"
    ).read_text("utf-8")


def test_an_answer_that_is_not_asked_for_is_left_out_and_that_is_said(root: Path, factory: Command) -> None:
    result = factory(
        "-C", root, "new", "orders", "--defaults", "-d", "archetype=aggregate", "-d", "source_kind=events"
    )
    assert (result.code, "source_kind is not asked for this kind of product" in result.err) == (0, True)
    assert "half a pair of brackets" in factory("-C", root, "new", "sales", "-d", "inputs=[a.b").err


def test_nobody_is_asked_where_nobody_sits(
    root: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", (root / "copier.yml").open())
    result = factory("-C", root, "new", "orders")
    assert result.code == 2
    assert "this is no terminal" in result.err and "--defaults" in result.err
    assert nothing_is_there(root)


def test_the_answers_must_be_answers(root: Path, factory: Command) -> None:
    file = root.parent / "answers.yml"
    for text, why in (
        ("- a\n", "the file holds no answers"),
        ("name: [\n", "not valid YAML"),
        ("name: b2\n", "'b2'"),
    ):
        file.write_text(text, "utf-8")
        result = factory("-C", root, "new", "orders", "--data-file", file)
        assert (result.code, why in result.err) == (2, True), result.err
    assert "is not KEY=VALUE" in factory("-C", root, "new", "orders", "-d", "title").err
    assert "name the product" in factory("-C", root, "new", "--defaults").err
    assert nothing_is_there(root)


def test_the_owner_reviews_the_product(root: Path, factory: Command) -> None:
    assert factory("-C", root, "new", "orders", "--defaults").code == 0
    assert factory("-C", root, "new", "sales", "--defaults", "-d", "owner=Sales people").code == 0
    assert factory("-C", root, "new", "areas", "--defaults").code == 0
    lines = (root / ".github/CODEOWNERS").read_text("utf-8").splitlines()
    assert lines[-2:] == [
        "/products/areas/ areas-owner@example.org",
        "/products/orders/ orders-owner@example.org",
    ]
    assert "*  orders-owner@example.org" in (root / "products/orders/CODEOWNERS").read_text("utf-8")
    assert "# *  @handle-of-the-owner" in (root / "products/sales/CODEOWNERS").read_text("utf-8")


def test_products_that_are_stamped_at_once_all_have_their_owners(root: Path) -> None:
    command = [sys.executable, "-m", "factory", "-C", str(root), "new"]
    names = [f"orders_{number}" for number in range(6)]
    processes = [
        subprocess.Popen([*command, name, "--defaults"], stdout=subprocess.DEVNULL)
        for name in [*names, names[0]]
    ]
    codes = [process.wait() for process in processes]
    assert sorted(codes) == [0] * 6 + [2]
    owners = (root / ".github/CODEOWNERS").read_text("utf-8")
    assert all(owners.count(f"/products/{name}/ ") == 1 for name in names)


def test_a_code_owners_file_that_cannot_be_read_stops_before_anything_is_written(
    root: Path, factory: Command
) -> None:
    (root / ".github/CODEOWNERS").write_bytes(b"\xff\xfe")
    result = factory("-C", root, "new", "orders", "--defaults")
    assert (result.code, "not UTF-8" in result.err) == (2, True)
    assert nothing_is_there(root)


def test_without_a_tag_the_last_commit_is_the_version_and_that_is_said(
    tmp_path: Path, factory: Command
) -> None:
    root = stamped_workspace(tmp_path / "mesh", tag="")
    result = factory("-C", root, "new", "orders", "--defaults")
    assert result.code == 0
    assert "The workspace has no tag" in result.err
    answers = yaml.safe_load((root / "products/orders/.copier-answers.yml").read_text("utf-8"))
    assert git(root, "rev-parse", str(answers["_commit"])).strip() == git(root, "rev-parse", "HEAD").strip()


def test_a_change_of_the_template_counts_once_it_is_committed(root: Path, factory: Command) -> None:
    runbook = root / "templates/product/docs/runbook.md.jinja"
    runbook.write_text("# New runbook\n", "utf-8")
    result = factory("-C", root, "new", "orders", "--defaults")
    assert "The template has changed since v1.0.0 (1 files)" in result.err
    assert (root / "products/orders/docs/runbook.md").read_text("utf-8").startswith("# Runbook")


def test_outside_of_git_a_product_stands_all_the_same(tmp_path: Path, factory: Command) -> None:
    assert factory("init", tmp_path / "mesh").code == 0
    result = factory("-C", tmp_path / "mesh", "new", "orders", "--defaults", "--format", "json")
    assert (result.code, result.json["version"]) == (0, "")
    assert "The template is not committed" in result.err
    answers = yaml.safe_load((tmp_path / "mesh/products/orders/.copier-answers.yml").read_text("utf-8"))
    assert "_commit" not in answers and "_src_path" not in answers


def test_a_template_may_lie_in_another_repository(root: Path, tmp_path: Path, factory: Command) -> None:
    elsewhere = stamped_workspace(tmp_path / "elsewhere", tag="v3.0.0")
    address = elsewhere.as_uri()
    shutil.rmtree(root / "templates")
    (root / "copier.yml").unlink()
    settings = root / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8") + f'\ntemplate = "{address}"\n', "utf-8")
    text = settings.read_text("utf-8").replace("[tool.factory]", f'[tool.factory]\ntemplate = "{address}"', 1)
    settings.write_text(text.rsplit("\ntemplate", 1)[0] + "\n", "utf-8")
    assert factory("-C", root, "new", "orders", "--defaults").code == 0
    answers = yaml.safe_load((root / "products/orders/.copier-answers.yml").read_text("utf-8"))
    assert (answers["_src_path"], answers["_commit"]) == (address, "v3.0.0")
    settings.write_text(settings.read_text("utf-8").replace(address, address + "-gone"), "utf-8")
    gone = factory("-C", root, "new", "sales", "--defaults")
    assert (gone.code, "cannot be fetched" in gone.err) == (2, True)


def test_a_template_may_lie_below_the_top_of_a_repository(tmp_path: Path, factory: Command) -> None:
    assert factory("init", tmp_path / "all/mesh").code == 0
    git(tmp_path / "all", "init", "--quiet")
    commit(tmp_path / "all", "A mesh in a larger repository", "v1.0.0")
    root = tmp_path / "all/mesh"
    result = factory("-C", root, "new", "orders", "--defaults", "--format", "json")
    assert (result.code, result.json["version"]) == (0, "v1.0.0")
    commit(tmp_path / "all")
    (root / "templates/product/docs/faq.md.jinja").write_text("# Questions\n", "utf-8")
    commit(tmp_path / "all", "Second", "v1.1.0")
    assert factory("-C", root, "template", "update", "orders").code == 0
    assert (root / "products/orders/docs/faq.md").is_file()


def test_a_template_that_wants_to_run_programs_is_refused(root: Path, factory: Command) -> None:
    questions = root / "copier.yml"
    questions.write_text(questions.read_text("utf-8") + "\n_tasks: ['touch evil']\n", "utf-8")
    commit(root, "Evil", "v1.1.0")
    result = factory("-C", root, "new", "orders", "--defaults")
    assert (result.code, "wants to run programs" in result.err) == (2, True)
    assert nothing_is_there(root)


def test_a_killed_command_leaves_no_half_product(root: Path) -> None:
    command = [sys.executable, "-m", "factory", "-C", str(root), "new"]
    for round_, seconds in enumerate((0.2, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2)):
        name = f"orders_{round_}"
        process = subprocess.Popen(
            [*command, name, "--defaults"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        folder = root / "products" / name
        assert not folder.exists() or (folder / "dbt_project.yml").is_file()
        if folder.exists():
            assert len([f for f in folder.rglob("*") if f.is_file()]) > 25


def test_the_reserved_names_are_those_of_the_questions() -> None:
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    assert set(yaml.safe_load(questions["reserved_names"]["default"])) == RESERVED
    assert PRODUCT_NAME.pattern in questions["name"]["validator"]


def test_what_is_asked_is_what_the_documentation_says() -> None:
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    asked = {
        key: question
        for key, question in questions.items()
        if not key.startswith("_") and question.get("when") is not False
    }
    assert list(asked) == [
        "name", "title", "domain", "archetype", "summary", "owner", "team", "cost_center", "support_channel",
        "classification", "personal_data", "schedule", "source_kind", "inputs",
    ]  # fmt: skip
    assert all("help" in question and "default" in question for question in asked.values())
    documented = (ROOT / "docs/template.md").read_text("utf-8")
    assert all(f"`{key}`" in documented for key in asked)
    for forbidden in ("_tasks", "_migrations", "_jinja_extensions"):
        assert forbidden not in questions
