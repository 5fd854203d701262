"""Run events of OpenLineage: from real builds, to a real file and a real server."""

from __future__ import annotations

import copy
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders import a_column, a_product, a_relation, write_tree
from conftest import Command
from mesh import make_mesh, replace
from openlineage_schemas import run_event_validator
from receivers import WebReceiver, web_receiver

from factory.errors import WorkspaceError
from factory.lineage.graph import ColumnTrace, Influence, ModelTrace, Source
from factory.openlineage import delivery, facets
from factory.openlineage.events import Events, Told
from factory.openlineage.names import dataset_namespace, job_namespace
from factory.results import ProductOutcome, ProductResult
from factory.workspace import Settings, Workspace, find_workspace

Event = dict[str, Any]
CANARY = "canary-8d1f33c2"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A mesh that was built once with the setting, and what it told."""
    from factory.pipeline import run
    from factory.plan import Request

    root = make_mesh(tmp_path_factory.mktemp("told") / "mesh")
    setting(root, "target/openlineage.ndjson")
    result = run(find_workspace(root), Request(), lambda stage, detail="": None)
    assert [p.outcome for p in result.products] == ["certified"] * 3, result
    assert result.notes == ()
    return root, read(root / "target/openlineage.ndjson")


@pytest.fixture
def mesh(told: tuple[Path, list[Event]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built mesh without a setting, which has told nothing yet."""
    root = tmp_path / "mesh"
    shutil.copytree(told[0], root, symlinks=True)
    (root / "target/openlineage.ndjson").unlink()
    replace(root / "pyproject.toml", 'openlineage = "target/openlineage.ndjson"\n', "")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with web_receiver() as receiver:
        yield receiver


def setting(root: Path, where: str) -> None:
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'openlineage = "{where}"\n')


def read(file: Path) -> list[Event]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def ended(events: list[Event], job: str) -> Event:
    (event,) = (e for e in events if e["job"]["name"] == job and e["eventType"] != "START")
    return event


def valid(events: list[Event]) -> None:
    validator = run_event_validator()
    for event in events:
        validator.validate(event)


def test_every_event_is_as_the_schemas_of_openlineage_want_it(told: tuple[Path, list[Event]]) -> None:
    assert len(told[1]) == 18
    valid(told[1])


WRONG = {
    "no time zone": lambda e: e.update(eventTime="2026-11-21T02:00:00"),
    "an unknown end": lambda e: e.update(eventType="DONE"),
    "a run without an id": lambda e: e["run"].pop("runId"),
    "an id that is no UUID": lambda e: e["run"].update(runId="1"),
    "a job without a namespace": lambda e: e["job"].pop("namespace"),
    "no producer": lambda e: e.pop("producer"),
    "a facet without an address": lambda e: e["job"]["facets"]["jobType"].pop("_schemaURL"),
    "a facet of another version": lambda e: e["job"]["facets"]["jobType"].update(
        _schemaURL="https://x.org/y"
    ),
    "a facet that we never tell": lambda e: e["job"]["facets"].update(sql={"query": "select 1"}),
    "a facet in the wrong place": lambda e: e["inputs"][0]["facets"].update(
        e["inputs"][0].pop("inputFacets")
    ),
    "an assertion without success": lambda e: e["inputs"][0]["inputFacets"]["dataQualityAssertions"][
        "assertions"
    ][0].pop("success"),
    "an assertion with a number": lambda e: e["inputs"][0]["inputFacets"]["dataQualityAssertions"][
        "assertions"
    ][0].update(actual=3),
    "a field that is not known": lambda e: e.update(secret="x"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_validator_finds_what_is_wrong(told: tuple[Path, list[Event]], name: str) -> None:
    event = copy.deepcopy(ended(told[1], "trade.shop.checks"))
    validator = run_event_validator()
    assert validator.is_valid(event)
    WRONG[name](event)
    assert not validator.is_valid(event)


def test_every_run_has_a_start_and_one_end_and_those_of_a_product_belong_to_it(
    told: tuple[Path, list[Event]],
) -> None:
    events = told[1]
    runs: dict[str, list[Event]] = {}
    for event in events:
        runs.setdefault(event["run"]["runId"], []).append(event)
    assert [[e["eventType"] for e in of_run] for of_run in runs.values()] == [["START", "COMPLETE"]] * 9
    assert {UUID(run_id).version for run_id in runs} == {7}
    assert {e["job"]["namespace"] for e in events} == {"dpf"}
    names = {of_run[0]["job"]["name"]: run_id for run_id, of_run in runs.items()}
    assert sorted(names) == [
        "trade.board", "trade.board.checks", "trade.board.model.board",
        "trade.sales", "trade.sales.checks", "trade.sales.model.sales",
        "trade.shop", "trade.shop.checks", "trade.shop.model.orders",
    ]  # fmt: skip
    for event in events:
        parent = event["run"]["facets"].get("parent")
        product = ".".join(event["job"]["name"].split(".")[:2])
        if event["job"]["name"] == product:
            assert parent is None
        else:
            assert parent["run"]["runId"] == names[product]
            assert parent["job"]["name"] == product
        start, end = runs[event["run"]["runId"]]
        assert start["eventTime"] <= end["eventTime"]


def test_a_product_reads_what_it_does_not_make_and_writes_its_ports(told: tuple[Path, list[Event]]) -> None:
    shop, sales = ended(told[1], "trade.shop"), ended(told[1], "trade.sales")
    assert [(i["namespace"], i["name"]) for i in shop["inputs"]] == [("duckdb://prod", "shop.raw.orders")]
    assert [field["name"] for field in shop["inputs"][0]["facets"]["schema"]["fields"]] == [
        "order_id", "customer_id", "amount",
    ]  # fmt: skip
    (port,) = shop["outputs"]
    assert sales["inputs"] == [
        {"namespace": port["namespace"], "name": port["name"], "facets": {}, "inputFacets": {}}
    ]
    assert port["facets"]["version"]["datasetVersion"] == "1.0.0"
    assert port["facets"]["documentation"]["description"] == "The output port orders."
    assert port["facets"]["schema"]["fields"][2] == {
        "name": "amount", "type": "DOUBLE", "description": "The amount.",
    }  # fmt: skip
    assert [owner["name"] for owner in port["facets"]["ownership"]["owners"]] == [
        "team:shop-team", "user:shop-owner@example.org",
    ]  # fmt: skip
    assert port["outputFacets"]["outputStatistics"]["rowCount"] == 3
    engine = shop["run"]["facets"]["processing_engine"]
    assert engine["name"] == "duckdb"
    assert engine["version"][0].isdigit()


def test_a_model_tells_which_columns_its_columns_come_from(told: tuple[Path, list[Event]]) -> None:
    (output,) = ended(told[1], "trade.sales.model.sales")["outputs"]
    lineage = output["facets"]["columnLineage"]
    (total,) = lineage["fields"]["total"]["inputFields"]
    assert (total["name"], total["field"]) == ("shop.main.orders", "amount")
    assert total["transformations"] == [{"type": "DIRECT", "subtype": "AGGREGATION", "masking": False}]
    (row,) = lineage["dataset"]
    assert row["transformations"] == [{"type": "INDIRECT", "subtype": "GROUP_BY", "masking": False}]


def test_a_trace_is_told_with_masking_and_without_sql() -> None:
    trace = ModelTrace(
        "model.a.b",
        (
            ColumnTrace(
                "mail", (Source("model.a.c", "mail", "TRANSFORMATION", True),), "md5('secret' || mail)"
            ),
            ColumnTrace("n", (), "'secret'", made="constant"),
            ColumnTrace("odd", (), "", unknown="SQL that nobody can read: 'secret'"),
            ColumnTrace("far", (Source("table:read_csv('secret')", "x", "IDENTITY"),), "x"),
        ),
        (Influence("model.a.c", "kind", "FILTER", False, "kind = 'secret'"),),
        ("secret",),
    )
    found = facets.column_lineage(trace, {"model.a.c": {"namespace": "duckdb://prod", "name": "a.main.c"}})
    text = str(found)
    assert "secret" not in text
    fields = found.fields  # type: ignore[attr-defined]
    assert fields["mail"].inputFields[0].transformations[0].masking is True
    assert fields["n"].transformationDescription == "constant"
    assert fields["odd"].transformationDescription == "unknown: not traced"
    assert fields["far"].inputFields == []
    assert [row.field for row in found.dataset] == ["kind"]  # type: ignore[attr-defined]


def test_nested_types_have_nested_fields() -> None:
    column = a_column(
        "who", database_type="STRUCT(mail VARCHAR, tags VARCHAR[], score MAP(VARCHAR, INTEGER))"
    )
    schema = facets.described(a_relation(columns=(column,)), None, str)["schema"]
    (who,) = schema.fields  # type: ignore[attr-defined]
    assert [(f.name, f.type) for f in who.fields] == [
        ("mail", "VARCHAR"), ("tags", "VARCHAR[]"), ("score", "MAP(VARCHAR, INTEGER)"),
    ]  # fmt: skip
    assert [(f.name, f.type) for f in who.fields[1].fields] == [("_element", "VARCHAR")]
    assert [(f.name, f.type) for f in who.fields[2].fields] == [("key", "VARCHAR"), ("value", "INTEGER")]


def test_a_refused_product_fails_with_its_failed_checks_and_what_reads_it_is_aborted(
    mesh: Path, factory: Command
) -> None:
    replace(mesh / "products/shop/checks/shop.yml", "row_count between 1 and 1000", "row_count > 1000")
    done = factory("build", "--openlineage", "out.ndjson")
    assert done.code == 1
    events = read(mesh / "out.ndjson")
    valid(events)
    checks = ended(events, "trade.shop.checks")
    assert checks["eventType"] == "FAIL"
    found = checks["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [a for a in found if not a["success"]] == [
        {
            "assertion": "row_count",
            "name": "There are orders",
            "success": False,
            "severity": "error",
            "actual": "3",
        }
    ]
    shop = ended(events, "trade.shop")
    assert shop["eventType"] == "FAIL"
    words = shop["run"]["facets"]["errorMessage"]["message"]
    assert words.startswith("refused: 1 of ")
    assert ended(events, "trade.shop.model.orders")["eventType"] == "COMPLETE"
    sales = ended(events, "trade.sales")
    assert sales["eventType"] == "ABORT"
    assert sales["run"]["facets"]["errorMessage"]["message"].startswith("blocked: ")


def test_a_model_that_does_not_build_fails_in_our_own_words(mesh: Path, factory: Command) -> None:
    replace(
        mesh / "products/shop/models/orders.sql",
        "cast(amount as double)",
        f"cast(error('{CANARY}') as double)",
    )
    assert factory("build", "--openlineage", "out.ndjson").code != 0
    events = read(mesh / "out.ndjson")
    valid(events)
    orders = ended(events, "trade.shop.model.orders")
    assert orders["eventType"] == "FAIL"
    assert orders["run"]["facets"]["errorMessage"]["message"] == "dbt could not build it"
    assert ended(events, "trade.sales.model.sales")["eventType"] == "ABORT"
    assert "dbt could not build 1 of its tables" in str(ended(events, "trade.shop"))
    assert CANARY not in (mesh / "out.ndjson").read_text("utf-8")


def test_a_product_that_is_held_back_fails_without_having_been_built(mesh: Path, factory: Command) -> None:
    (mesh / "products/shop/data/orders.csv").write_text("order_id,customer_id\n1,1\n", "utf-8")
    assert factory("build", "shop", "--openlineage", "out.ndjson").code != 0
    events = read(mesh / "out.ndjson")
    valid(events)
    assert [(e["job"]["name"], e["eventType"]) for e in events] == [
        ("trade.shop", "START"), ("trade.shop", "FAIL"),
    ]  # fmt: skip


def test_no_value_of_the_environment_and_no_variable_gets_out(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = mesh / "products/shop"
    secret, variable = f"{CANARY}-environment", f"{CANARY}-variable"
    monkeypatch.setenv("SHOP_SALT", secret)
    replace(
        shop / "models/orders.sql",
        "from source",
        "from source where '{{ env_var(\"SHOP_SALT\") }}' <> '{{ var(\"cut\") }}'"
        " and md5(order_id || '{{ env_var(\"SHOP_SALT\") }}') <> '{{ var(\"cut\") }}'",
    )
    replace(
        shop / "models/_orders.yml",
        "The amount.",
        "\"Salted with {{ env_var('SHOP_SALT') }} and {{ var('cut') }}.\"",
    )
    replace(
        shop / "models/_orders.yml",
        "data_tests: [unique]",
        "data_tests: [{not_accepted: {arguments: {value: \"{{ env_var('SHOP_SALT') }}\"}}}]",
    )
    (shop / "macros").mkdir()
    (shop / "macros/not_accepted.sql").write_text(
        "{% test not_accepted(model, column_name, value) %}"
        "select 1 from {{ model }} where cast({{ column_name }} as varchar) = '{{ value }}'{% endtest %}\n",
        "utf-8",
    )
    done = factory("build", "shop", "--vars", f"{{cut: {variable}}}", "--openlineage", "out.ndjson")
    assert done.code in (0, 1), done.err
    text = (mesh / "out.ndjson").read_text("utf-8")
    events = read(mesh / "out.ndjson")
    valid(events)
    assert CANARY in (mesh / "target/prod/dbt/manifest.json").read_text("utf-8")
    assert CANARY not in text
    (output,) = ended(events, "trade.shop.model.orders")["outputs"]
    assert "description" in output["facets"]["schema"]["fields"][0]
    assert "description" not in output["facets"]["schema"]["fields"][2]
    assert "order_id" in output["facets"]["columnLineage"]["fields"]
    assert "not_accepted" in {
        a["assertion"]
        for i in ended(events, "trade.shop.checks")["inputs"]
        for a in i["inputFacets"]["dataQualityAssertions"]["assertions"]
    }


def test_a_server_gets_every_event_in_order_with_the_key_of_the_environment(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch, web: WebReceiver
) -> None:
    monkeypatch.setenv("OPENLINEAGE_API_KEY", CANARY)
    setting(mesh, f"http://127.0.0.1:{web.port}")
    done = factory("build", "--full")
    assert (done.code, done.err.count("OpenLineage")) == (0, 0)
    assert len(web.bodies) == 18
    valid(web.bodies)
    assert set(web.paths) == {"/api/v1/lineage"}
    assert set(web.keys) == {f"Bearer {CANARY}"}
    for name in ("shop", "sales", "board"):
        own = [e for e in web.bodies if e["job"]["name"].split(".")[1] == name]
        assert [e["eventType"] for e in own] == ["START", *["START", "COMPLETE"] * 2, "COMPLETE"]


def test_an_address_with_a_path_is_taken_as_it_is(mesh: Path, factory: Command, web: WebReceiver) -> None:
    assert (
        factory("build", "shop", "--full", "--openlineage", f"http://127.0.0.1:{web.port}/in/lineage").code
        == 0
    )
    assert set(web.paths) == {"/in/lineage"}
    assert set(web.keys) == {""}


def test_an_environment_variable_may_hold_the_address(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch, web: WebReceiver
) -> None:
    setting(mesh, "env:LINEAGE_URL")
    done = factory("build", "shop", "--full")
    assert done.code == 0
    assert "the environment variable LINEAGE_URL is not set, so nothing was sent; set it" in done.err
    monkeypatch.setenv("LINEAGE_URL", f"ftp://{CANARY}")
    done = factory("build", "shop", "--full")
    assert "LINEAGE_URL holds no http or https address" in done.err
    assert CANARY not in done.err
    monkeypatch.setenv("LINEAGE_URL", f"http://127.0.0.1:{web.port}/")
    assert "OpenLineage" not in factory("build", "shop", "--full").err
    assert len(web.bodies) == 6


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "it answers 500"),
        (404, "it answers 404"),
        (401, "wants another key"),
        (422, "it answers 422"),
        (302, "it has moved"),
    ],
)
def test_a_server_that_refuses_fails_no_build(
    mesh: Path, factory: Command, web: WebReceiver, status: int, words: str
) -> None:
    web.status = status
    done = factory("build", "shop", "--full", "--openlineage", f"http://127.0.0.1:{web.port}")
    assert done.code == 0
    (note,) = (line for line in done.err.splitlines() if line.startswith("OpenLineage"))
    assert f"0 of 6 events arrived at the endpoint 127.0.0.1:{web.port}: " in note
    assert words in note


def test_a_server_that_is_down_or_slow_fails_no_build_and_holds_it_up_only_so_long(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch, web: WebReceiver
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = factory("build", "shop", "--full", "--openlineage", f"http://127.0.0.1:{port}")
    assert done.code == 0
    assert "it cannot be reached, or does not answer within 3 seconds" in done.err
    monkeypatch.setattr(delivery, "ANSWER", 0.2)
    web.delay = 1.0
    events = delivered(mesh)
    (note,) = delivery.deliver([events], f"http://127.0.0.1:{web.port}", find_workspace(mesh), {})
    assert "does not answer within 0.2 seconds" in note
    monkeypatch.setattr(delivery, "ANSWER", 5.0)
    monkeypatch.setattr(delivery, "ALL", 0.4)
    (note,) = delivery.deliver([events], f"http://127.0.0.1:{web.port}", find_workspace(mesh), {})
    assert "it took longer than 0.4 seconds" in note


def delivered(root: Path) -> list[Any]:
    """Return events as they are before they are sent."""
    result = ProductResult("orders", "retail", "aggregate", ProductOutcome.CERTIFIED)
    now = datetime.now(UTC)
    return Events(find_workspace(root), None, (now, now)).of(Told(a_product(), result))


def test_the_file_is_appended_by_whole_lines_even_behind_half_a_line(mesh: Path, factory: Command) -> None:
    file = mesh / "logs/out.ndjson"
    assert factory("build", "shop", "--full", "--openlineage", "logs/out.ndjson").code == 0
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:100])  # a crash in the midst of a line
    assert factory("build", "shop", "--full", "--openlineage", "logs/out.ndjson").code == 0
    lines = file.read_text("utf-8").splitlines()
    assert lines[6] == whole[:100].decode()
    valid([json.loads(line) for n, line in enumerate(lines) if n != 6])
    assert len(lines) == 13


def test_a_file_that_cannot_be_written_fails_no_build(mesh: Path, factory: Command) -> None:
    (mesh / "out.ndjson").mkdir()
    done = factory("build", "shop", "--full", "--openlineage", "out.ndjson")
    assert done.code == 0
    assert "OpenLineage: writing the OpenLineage events failed: Is a directory" in done.err


def test_nothing_is_told_of_what_was_not_run_or_not_asked_for(
    mesh: Path, factory: Command, monkeypatch: pytest.MonkeyPatch, web: WebReceiver
) -> None:
    for name in ("OPENLINEAGE_URL", "OPENLINEAGE__TRANSPORT__URL"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{web.port}")
    (mesh / "openlineage.yml").write_text(
        f"transport: {{type: http, url: 'http://127.0.0.1:{web.port}'}}\n", "utf-8"
    )
    assert factory("build", "shop", "--full").code == 0
    setting(mesh, "out.ndjson")
    assert factory("build").code == 0  # the setting alone lets no product run again
    assert factory("check", "--full").code == 0
    assert web.paths == []
    assert not (mesh / "out.ndjson").exists()
    assert factory("check", "shop", "--full", "--openlineage", "asked.ndjson").code == 0
    asked = read(mesh / "asked.ndjson")
    valid(asked)
    assert ended(asked, "trade.shop")["outputs"][0]["outputFacets"] == {}


def test_the_option_goes_before_the_setting(mesh: Path, factory: Command) -> None:
    setting(mesh, "set.ndjson")
    assert factory("build", "shop", "--full", "--openlineage", "asked.ndjson").code == 0
    assert (mesh / "asked.ndjson").is_file()
    assert not (mesh / "set.ndjson").exists()
    for more in (("--published",), ("--consumers",)):
        assert factory("check", "shop", *more, "--openlineage", "asked.ndjson").code == 2


def test_a_run_that_tells_nobody_imports_nothing_of_it() -> None:
    program = (
        "import sys, factory.pipeline; print([m for m in ('openlineage', 'requests') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


FAULTS = [
    ("/elsewhere/out.ndjson", "is no file below the workspace"),
    ("../out.ndjson", "is no file below the workspace"),
    ("C:\\\\out.ndjson", "is no file below the workspace"),
    ("target/", "is no file below the workspace"),
    ("ftp://example.org", "this is no http or https address"),
    ("http://", "this is no http or https address"),
    ("http://example.org:70000", "this is no http or https address"),
    ("https://me:secret@example.org", "this address may hold a secret"),
    ("https://example.org/?api_key=1", "this address may hold a secret"),
    ("https://example.org/0123456789abcdef0123456789", "this address may hold a secret"),
    ("env:A B", "'A B' is not the name of an environment variable"),
]


@pytest.mark.parametrize(("where", "words"), FAULTS)
def test_a_destination_that_is_none_or_holds_a_secret_is_refused(
    tmp_path: Path, factory: Command, where: str, words: str
) -> None:
    root = write_tree(tmp_path, {"pyproject.toml": f'[tool.factory]\nopenlineage = "{where}"\n'})
    with pytest.raises(WorkspaceError, match="the setting 'openlineage': ") as caught:
        find_workspace(root)
    assert words in caught.value.message
    assert (caught.value.line, bool(caught.value.hint)) == (2, True)
    (root / "pyproject.toml").write_text("[tool.factory]\n", "utf-8")
    done = factory("-C", root, "build", "--openlineage", where.replace("\\\\", "\\"))
    assert (done.code, words in done.err) == (2, True)


@pytest.mark.parametrize("where", ["out.ndjson", "target/a/b.json", "http://localhost:5000", "env:LINEAGE"])
def test_a_destination_is_taken_as_it_is_written(tmp_path: Path, where: str) -> None:
    root = write_tree(tmp_path, {"pyproject.toml": f'[tool.factory]\nopenlineage = "{where}"\n'})
    assert find_workspace(root).settings.openlineage == where


@pytest.mark.parametrize(
    ("output", "namespace"),
    [
        ({"type": "postgres", "host": "db.example.org"}, "postgres://db.example.org:5432"),
        ({"type": "postgres", "host": "db.example.org", "port": 5433}, "postgres://db.example.org:5433"),
        ({"type": "postgres", "host": "{{ env_var('HOST') }}"}, "postgres://ci"),
        ({"type": "sqlserver", "host": "db"}, "mssql://db:1433"),
        ({"type": "snowflake", "account": "org-account"}, "snowflake://org-account"),
        ({"type": "bigquery"}, "bigquery"),
        ({"type": "duckdb"}, "duckdb://ci"),
    ],
)
def test_datasets_are_named_by_the_server_or_by_the_target(output: dict[str, Any], namespace: str) -> None:
    ws = Workspace(Path("/mesh"), "ci", Settings(targets={"ci": output}))
    assert dataset_namespace(ws, output["type"]) == namespace
    assert job_namespace(ws) == "dpf.ci"
