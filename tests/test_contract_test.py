"""`factory contract test`: any contract against its data, in files and in DuckDB, and custom rules of other engines."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from builders import a_contract, a_rule, a_test
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import make_mesh

from factory.contract import Rule
from factory.quality import CheckResult, Outcome
from factory.quality.custom import run_custom, sodacl_of
from factory.quality.moments import strptime_of
from factory.standards import schema

ORDERS = """
select * from (values
    (1, 10.5::decimal(10, 2), 'paid', date '2024-01-01', true,  timestamp '2024-01-01 10:00:00', ['a'], {'zip': '12345'}),
    (2, 20::decimal(10, 2),               'open', date '2024-01-02', false, timestamp '2024-01-01 11:00:00', ['b'], {'zip': '54321'})
) as t(order_id, amount, status, day, flag, "at", tags, address)
"""
COLUMNS: list[dict[str, Any]] = [
    {
        "name": "order_id",
        "logicalType": "integer",
        "physicalType": "INTEGER",
        "primaryKey": True,
        "required": True,
    },
    {
        "name": "amount",
        "logicalType": "number",
        "physicalType": "DECIMAL(10,2)",
        "logicalTypeOptions": {"minimum": 0},
    },
    {
        "name": "status",
        "logicalType": "string",
        "required": True,
        "quality": [{"metric": "nullValues", "mustBe": 0}],
    },
    {"name": "day", "logicalType": "date"},
    {"name": "flag", "logicalType": "boolean"},
    {"name": "at", "logicalType": "timestamp"},
]
NESTED: list[dict[str, Any]] = [
    {"name": "tags", "logicalType": "array", "items": {"logicalType": "string"}},
    {"name": "address", "logicalType": "object", "properties": [{"name": "zip", "logicalType": "string"}]},
]


def a_server(format_: str, path: str = "", **more: Any) -> dict[str, Any]:
    return {
        "server": format_,
        "type": "local",
        "path": path or f"data/{{model}}.{format_}",
        "format": format_,
        **more,
    }


def write_contract(folder: Path, *servers: dict[str, Any], columns: Any = None, **changes: Any) -> Path:
    table = {
        "name": "orders",
        "properties": COLUMNS if columns is None else columns,
        **changes.pop("table", {}),
    }
    data = a_contract(servers=list(servers), schema=[table], **changes)
    file = folder / "shop.odcs.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    return file


def write_data(
    folder: Path, format_: str, query: str = ORDERS, name: str = "orders", options: str = ""
) -> Path:
    (folder / "data").mkdir(exist_ok=True)
    file = folder / "data" / f"{name}.{format_}"
    duckdb.execute(f"copy ({query}) to '{file}' ({options or f'format {format_}'})")
    return file


def outcomes(data: Any) -> dict[str, str]:
    return {f"{check['column']} {check['kind']}": check["outcome"] for check in data["checks"]}


@pytest.mark.parametrize("format_", ["parquet", "csv", "json"])
def test_data_that_is_what_the_contract_says_passes_whatever_the_format(
    tmp_path: Path, factory: Command, format_: str
) -> None:
    nested = [] if format_ == "csv" else NESTED
    query = ORDERS.replace("select *", "select * exclude (tags, address)") if format_ == "csv" else ORDERS
    write_data(tmp_path, format_, query)
    file = write_contract(tmp_path, a_server(format_), columns=[*COLUMNS, *nested])
    result = factory("contract", "test", file, "--format", "json")
    Draft202012Validator(schema("contract-test.schema.json")).validate(result.json)
    assert set(outcomes(result.json).values()) == {"pass"}, result.out
    assert (result.code, result.json["holds"]) == (0, True)
    assert outcomes(result.json)[" columns"] == "pass"
    # The library's rule covers `required`: a promise is measured once.
    assert "status required" not in outcomes(result.json)
    assert "status nullValues" in outcomes(result.json)


def test_a_duckdb_database_is_tested_and_left_as_it_is(tmp_path: Path, factory: Command) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute("create schema sales")
        database.execute(f"create table sales.orders as {ORDERS}")
    before = (tmp_path / "shop.duckdb").read_bytes()
    server = {"server": "db", "type": "duckdb", "database": "shop.duckdb", "schema": "sales"}
    file = write_contract(tmp_path, server, columns=[*COLUMNS, *NESTED])
    assert factory("contract", "test", file).code == 0
    file = write_contract(tmp_path, {**server, "schema": "other"})
    result = factory("contract", "test", file)
    assert (result.code, "the database has no schema 'other'" in result.err) == (2, True)
    assert (tmp_path / "shop.duckdb").read_bytes() == before


FAULTS = """
select * from (values
    ('1', '10.555x', null, '2024-13-01', 'perhaps', 'noon'), ('1', '-1', '', '2024-01-01', 'true', '2024-01-01 10:00:00'),
    ('1.5', '2', 'open', null, null, null)
) as t(order_id, amount, status, day, flag, "at")
"""


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_texts_that_are_no_values_of_their_type_are_counted(
    tmp_path: Path, factory: Command, format_: str
) -> None:
    write_data(tmp_path, format_, FAULTS)
    columns = [{k: v for k, v in column.items() if k != "quality"} for column in COLUMNS]
    result = factory(
        "contract", "test", write_contract(tmp_path, a_server(format_), columns=columns), "--format", "json"
    )
    measured = {(c["column"], c["kind"]): c["measured"] for c in result.json["checks"]}
    # JSON tells numbers from texts, and these numbers are texts.
    everything = format_ == "json"
    assert measured["order_id", "type"] == (3 if everything else 1)
    assert measured["amount", "type"] == (3 if everything else 1)
    assert measured["day", "type"] == 1
    assert measured["flag", "type"] == (2 if everything else 1)
    assert measured["at", "type"] == 1
    assert measured["amount", "minimum"] == 1
    assert (result.code, result.json["holds"]) == (1, False)


def test_a_key_that_json_leaves_out_is_null_unless_it_is_required(tmp_path: Path, factory: Command) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/orders.ndjson").write_text('{"id": 1}\n{"id": 2, "more": 1}\n', "utf-8")
    columns = [{"name": "id", "logicalType": "integer"}, {"name": "note", "logicalType": "string"}]
    server = a_server("ndjson")
    result = factory(
        "contract", "test", write_contract(tmp_path, server, columns=columns), "--format", "json"
    )
    assert outcomes(result.json) == {" columns": "warn", "id type": "pass", "note type": "pass"}
    assert result.code == 0
    columns[1]["required"] = True  # type: ignore[assignment]
    result = factory(
        "contract", "test", write_contract(tmp_path, server, columns=columns), "--format", "json"
    )
    assert outcomes(result.json)[" columns"] == "fail"
    assert result.code == 1


@pytest.mark.parametrize(
    ("format_", "read"),
    [
        ("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "%Y-%m-%dT%H:%M:%S.%g%z"),
        ("d MMM yy 'o''clock' '' 100%", "%d %b %y o'clock ' 100%%"),
        ("QQQ", ""),
    ],
)
def test_a_format_of_dates_is_that_of_the_standard(format_: str, read: str) -> None:
    assert strptime_of(format_) == read


def test_dates_in_text_are_read_in_their_format(tmp_path: Path, factory: Command) -> None:
    write_data(tmp_path, "csv", "select * from (values ('31.01.2024'), ('2024-02-01'), (null)) as t(day)")
    options = {"format": "dd.MM.yyyy", "maximum": "2024-01-30"}
    columns = [{"name": "day", "logicalType": "date", "logicalTypeOptions": options}]
    result = factory(
        "contract", "test", write_contract(tmp_path, a_server("csv"), columns=columns), "--format", "json"
    )
    measured = {check["kind"]: check["measured"] for check in result.json["checks"]}
    assert measured == {"columns": 0, "type": 1, "maximum": 1}


def test_text_shows_what_was_measured_promised_and_where(tmp_path: Path, factory: Command) -> None:
    write_data(tmp_path, "parquet")
    quality = [
        {"metric": "rowCount", "mustBeBetween": [5, 9], "name": "enough orders"},
        {"metric": "rowCount", "mustBe": 3, "severity": "warning"},
        {"type": "text", "description": "Amounts look right."},
        {"type": "sql", "query": "select sum(amount) from {object}", "mustBeGreaterThan": 0},
    ]
    columns = [*COLUMNS, *NESTED]
    file = write_contract(tmp_path, a_server("parquet"), columns=columns, table={"quality": quality})
    result = factory("contract", "test", file)
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert "orders: 2 rows" in lines
    line = next(n for n, text in enumerate(file.read_text("utf-8").splitlines(), 1) if "rowCount" in text)
    assert f"fail enough orders 2 between 5 and 9 (exclusive) {file.as_posix()}:{line}" in lines
    assert "measured 2, promised between 5 and 9 (exclusive)" in lines
    assert lines[-1].endswith("1 warned, 1 failed, 1 not run; the data is not what the contract says")
    assert result.code == 1
    del quality[0]
    file = write_contract(tmp_path, a_server("parquet"), columns=columns, table={"quality": quality})
    result = factory("contract", "test", file)
    assert result.code == 0, result.out


def test_build_servers_read_junit(tmp_path: Path, factory: Command) -> None:
    write_data(tmp_path, "parquet")
    quality = [
        {"metric": "rowCount", "mustBe": 3, "name": 'a "name" <of> ours & \x07'},
        {"type": "text", "description": "x"},
        {"type": "sql", "query": "select nobody", "mustBe": 1},
    ]
    file = write_contract(
        tmp_path, a_server("parquet"), columns=[*COLUMNS, *NESTED], table={"quality": quality}
    )
    result = factory("contract", "test", file, "--format", "junit")
    suites = ET.fromstring(result.out)
    (suite,) = suites
    assert suite.get("name") == "orders"
    assert (suites.get("failures"), suites.get("errors"), suites.get("skipped")) == ("1", "1", "1")
    assert len(suite) == int(suites.get("tests") or 0)
    failed = next(case for case in suite if case.find("failure") is not None)
    assert str(failed.get("name")).startswith('a "name" <of> ours & ')


def test_paths_are_from_the_contract_or_the_workspace(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.factory]\n", "utf-8")
    (tmp_path / "contracts").mkdir()
    for folder in ("data/y=1", "data/y=2"):
        (tmp_path / folder).mkdir(parents=True)
        duckdb.execute(f"copy (select 1 as id) to '{tmp_path}/{folder}/part.parquet'")
    monkeypatch.chdir(tmp_path)
    columns = [{"name": "id"}, {"name": "y", "logicalType": "integer"}]
    rows = {"quality": [{"metric": "rowCount", "mustBe": 2}]}
    for path in ("../data/*/*.parquet", "data/**/*.parquet", "data", (tmp_path / "data").as_posix()):
        file = write_contract(tmp_path / "contracts", a_server("parquet", path), columns=columns, table=rows)
        result = factory("contract", "test", file)
        assert result.code == 0, result.out
        assert "orders: 2 rows" in result.out


# What is refused


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ({"server": "a", "type": "postgres", "host": "h", "port": 1, "database": "d", "schema": "s"}, "the data of a server of the type 'postgres' is not read here"),
        ({"server": "a", "type": "s3", "location": "s3://a/b", "format": "parquet"}, "the type 's3' is not read here"),
        (a_server("delta"), "files of the format 'delta' are not read here"),
        (a_server("parquet", "https://example.org/a.parquet"), "nothing is read from a network"),
        (a_server("csv", "s3://bucket/a.csv"), "nothing is read from a network"),
        (a_server("csv", "file:///etc/passwd"), "nothing is read from a network"),
        ({"server": "a", "type": "duckdb", "database": "md:mine"}, "nothing is read from a network"),
        ({"server": "a", "type": "duckdb", "database": "gone.duckdb"}, "the database 'gone.duckdb' is not there"),
    ],
)  # fmt: skip
def test_other_servers_are_refused_by_name(
    tmp_path: Path, factory: Command, server: dict[str, Any], message: str
) -> None:
    result = factory("contract", "test", write_contract(tmp_path, server))
    assert (result.code, message in result.err) == (2, True), result.err
    assert ".odcs.yaml:" in result.err


def test_a_server_is_chosen_by_name(tmp_path: Path, factory: Command) -> None:
    write_data(tmp_path, "parquet")
    servers = [a_server("parquet"), a_server("csv"), {"server": "k", "type": "kafka", "host": "h"}]
    file = write_contract(tmp_path, *servers, columns=[*COLUMNS, *NESTED])
    assert "name one with --server: parquet, csv, k" in factory("contract", "test", file).err
    assert "it has parquet, csv, k" in factory("contract", "test", file, "--server", "nope").err
    assert factory("contract", "test", file, "--server", "parquet").code == 0
    file = write_contract(tmp_path, servers[0], servers[2], columns=[*COLUMNS, *NESTED])
    assert factory("contract", "test", file).code == 0  # the only one that can be read
    file = write_contract(tmp_path)
    assert "the contract names no server" in factory("contract", "test", file).err


def test_files_that_are_not_there_or_broken_break_their_checks(tmp_path: Path, factory: Command) -> None:
    file = write_contract(tmp_path, a_server("parquet"))
    result = factory("contract", "test", file, "--format", "json")
    assert {check["reason"] for check in result.json["checks"]} == {"no file is there: data/orders.parquet"}
    assert (result.code, set(outcomes(result.json).values())) == (1, {"error"})
    (tmp_path / "data").mkdir()
    (tmp_path / "data/orders.parquet").write_text("no parquet", "utf-8")
    result = factory("contract", "test", file, "--format", "json")
    assert (result.code, set(outcomes(result.json).values())) == (1, {"error"})


def test_a_rule_reads_nothing_but_the_named_files(tmp_path: Path, factory: Command) -> None:
    write_data(tmp_path, "parquet")
    secret = write_data(tmp_path, "csv", "select 1 as a", "secret")
    queries = [
        f"select count(*) from read_csv('{secret}')",
        f"select count(*) from '{secret}'",
        "select count(*) from glob('*')",
        "select count(*) from read_text('/etc/hostname')",
    ]
    quality = [{"type": "sql", "query": query, "mustBeGreaterOrEqualTo": 0} for query in queries]
    file = write_contract(tmp_path, a_server("parquet"), columns=[], table={"quality": quality})
    result = factory("contract", "test", file, "--format", "json")
    assert [check["outcome"] for check in result.json["checks"]] == ["error"] * len(queries), result.out


def test_a_file_that_is_no_contract_is_told(tmp_path: Path, factory: Command) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("just: text\n", "utf-8")
    result = factory("contract", "test", file)
    assert (result.code, "holds no data contract" in result.err) == (2, True)
    file = write_contract(tmp_path, a_server("parquet"), columns=[{"name": 5}])
    result = factory("contract", "test", file)
    assert (result.code, "is not text" in result.err) == (2, True)


def test_a_contract_of_an_older_standard_is_tested(tmp_path: Path, factory: Command) -> None:
    write_data(tmp_path, "parquet", "select 1 as id, 'a' as name")
    text = """\
        dataContractSpecification: 1.1.0
        id: shop
        info: {title: shop, version: 1.0.0}
        servers: {local: {type: local, path: "data/{model}.parquet", format: parquet}}
        models:
          orders:
            type: table
            fields:
              id: {type: integer, required: true, unique: true}
              name: {type: string, enum: [a, b]}
        """
    file = tmp_path / "old.yaml"
    file.write_text("\n".join(line[8:] for line in text.splitlines()), "utf-8")
    result = factory("contract", "test", file, "--format", "json")
    assert (result.code, set(outcomes(result.json).values())) == (0, {"pass"}), result.out
    assert {"id required", "id unique", "name type"} <= set(outcomes(result.json))


# Custom rules


def custom(engine: str, implementation: Any, **changes: Any) -> Rule:
    definition = {"type": "custom", "engine": engine, "implementation": implementation}
    return a_rule("custom", {**definition, **changes.pop("more", {})}, **changes)


def test_sodacl_in_a_contract_is_run_for_its_rule(tmp_path: Path, factory: Command) -> None:
    write_data(tmp_path, "parquet")
    implementations: list[tuple[Any, str]] = [
        ("row_count = 2", "pass"),
        ("checks for orders:\n- row_count > 1\n- row_count > 2\n", "fail"),
        ({"missing_count(status) = 0": {"name": "no status is missing"}}, "pass"),
        ({"type": "duplicate_percent", "columns": ["order_id"], "must_be_less_than": 1.0}, "pass"),
        ("- row_count between 1 and 2\n- max(amount) < 5", "fail"),
        ("certainly no check", "error"),
    ]
    quality = [{"type": "custom", "engine": "soda", "implementation": text} for text, _ in implementations]
    quality.append({**quality[1], "severity": "warning"})
    file = write_contract(tmp_path, a_server("parquet"), columns=[], table={"quality": quality})
    result = factory("contract", "test", file, "--format", "json")
    found = [check["outcome"] for check in result.json["checks"]]
    assert found == [*(outcome for _, outcome in implementations), "warn"], result.out


@pytest.mark.parametrize(
    ("implementation", "text"),
    [
        ("row_count > 0", "checks for orders:\n- row_count > 0\n"),
        (["row_count > 0", {"schema": {"fail": {}}}], None),
        ({"type": "duplicate_percent", "columns": ["a", "b"], "must_be_less_than": 1.0}, "checks for orders:\n- duplicate_percent(a, b) < 1.0\n"),
        ("type: missing_count\nmust_be: 0", "checks for orders:\n- missing_count(a) = 0\n"),
        ("checks for other:\n  - row_count > 0\n", "checks for other:\n- row_count > 0\n"),
    ],
)  # fmt: skip
def test_an_implementation_is_read_as_sodacl(implementation: Any, text: str | None) -> None:
    found = sodacl_of(custom("soda", implementation, column="a"))
    assert yaml.safe_load(found) == yaml.safe_load(text or found)
    assert found.startswith("checks for o")


def test_only_what_is_sodacl_is_given_to_soda() -> None:
    rules = [
        custom("soda", "row_count > 0", key="a"),
        custom("dbt", "unique", key="b"),
        custom("soda", {"type": "magic", "limit": 1}, key="c"),
    ]
    results = run_custom(rules, (), (), lambda _text, rule: CheckResult(rule, Outcome.PASS))
    assert [result.outcome for result in results] == [Outcome.PASS, Outcome.NOT_RUN, Outcome.NOT_RUN]
    assert results[2].reason.startswith("not SodaCL: ")


@pytest.mark.parametrize(
    "implementation",
    [
        "unique_orders_order_id",
        "test.orders.unique_orders_order_id",
        "unique",
        "- unique",
        {"unique": {}},
        {"unique": {"config": {"severity": "error"}}},
        {"test": "unique", "name": "unique_orders_order_id"},
        json.dumps({"test": "unique"}),
    ],
)
def test_a_dbt_test_is_looked_up_in_what_dbt_ran(implementation: Any) -> None:
    tests = [a_test("not_null"), a_test("unique", status="fail", failures=3, message="Got 3 results")]
    (result,) = run_custom([custom("dbt", implementation, column="order_id")], tests)
    assert (result.outcome, result.failed_rows, result.reason) == (Outcome.FAIL, 3, "Got 3 results")
    assert result.rule.origin == "odcs"


def test_a_dbt_test_that_did_not_run_and_other_engines_are_not_run() -> None:
    rules = [custom("dbt", "gone"), custom("dbt", {"unique": {}}, column="other"), custom("monteCarlo", "x")]
    results = run_custom(rules, [a_test("unique")])
    assert {result.outcome for result in results} == {Outcome.NOT_RUN}
    assert results[0].reason == "dbt ran no test of this name for the table"
    assert results[2].reason == "its engine is monteCarlo, which is not part of this"
    assert all(result.refuses for result in results)


def test_what_a_contract_repeats_of_its_product_is_not_run_twice() -> None:
    text = "checks for orders:\n- row_count > 0\n"
    soda = CheckResult(
        a_rule(origin="soda", name="row_count > 0", definition=text), Outcome.FAIL, measured=0.0
    )
    dbt = CheckResult(a_rule(origin="dbt", name="is_positive", definition={"test": "singular"}), Outcome.PASS)
    marked = {"name": "is_positive", "customProperties": [{"property": "origin", "value": "dbt"}]}
    rules = [
        custom("soda", "checks for orders: [row_count > 0]", key="one"),
        custom("dbt", {"test": "singular", "name": "is_positive"}, more=marked, key="two"),
    ]

    def never(_text: str, rule: Rule) -> CheckResult:
        raise AssertionError(rule)

    one, two = run_custom(rules, (), (soda, dbt), never)
    assert (one.outcome, one.measured, one.rule.key) == (Outcome.FAIL, 0.0, "one")
    assert (two.outcome, two.rule.key) == (Outcome.PASS, "two")


def test_a_build_runs_the_custom_rules_of_its_contracts(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_mesh(tmp_path / "mesh")
    monkeypatch.chdir(root)
    file = root / "products/shop/contracts/shop.odcs.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    (table,) = data["schema"]
    soda = {"type": "custom", "engine": "soda", "name": "some orders", "implementation": "row_count > 0"}
    dbt = {"type": "custom", "engine": "dbt", "name": "every order has a number", "implementation": "unique"}
    table["quality"] = [
        soda,
        {**soda, "name": "very many", "implementation": "row_count > 999", "severity": "warning"},
    ]
    table["properties"] = [{"name": "order_id", "quality": [dbt]}]
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    result = factory("build", "shop", "--format", "json")
    assert result.code == 0, result.out
    (run,) = (root / "registry/runs/trade/shop").glob("*.json")
    checks = {check["name"]: check for check in json.loads(run.read_text("utf-8"))["checks"]}
    found = {
        name: checks[name]["outcome"] for name in ("some orders", "very many", "every order has a number")
    }
    assert found == {"some orders": "pass", "very many": "warn", "every order has a number": "pass"}


def test_a_published_contract_holds_of_its_published_tables(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_mesh(tmp_path / "mesh")
    monkeypatch.chdir(root)
    assert factory("build", "shop").code == 0
    published = root / "registry/products/trade/shop/shop/1.0.0/contract.odcs.yaml"
    for server in ("", "ports", "parquet-orders"):
        result = factory("contract", "test", published, "--server", server, "--format", "json")
        assert (result.code, set(outcomes(result.json).values())) == (0, {"pass"}), result.out
        assert {check["origin"] for check in result.json["checks"]} == {"contract", "odcs"}


def test_a_query_may_name_other_tables_of_the_database_and_no_other_files(
    tmp_path: Path, factory: Command
) -> None:
    inside = write_data(tmp_path, "parquet", "select 1 as id", "rates")
    outside = tmp_path.parent / f"{tmp_path.name}.parquet"
    duckdb.execute(f"copy (select 1 as id) to '{outside}'")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute("create schema sales")
        database.execute("create table sales.orders as select 1 as id")
        database.execute(f"create view sales.rates as from '{inside}'")
        database.execute(f"create view sales.secret as from '{outside}'")
    queries = {
        "select count(*) from {table} join rates using (id)": "pass",
        "select count(*) from sales.orders": "pass",
        "select count(*) from {schema}.orders": "pass",
        "select count(*) from secret": "error",
        f"select count(*) from '{outside}'": "error",
    }
    quality = [{"type": "sql", "query": query, "mustBe": 1} for query in queries]
    server = {"server": "db", "type": "duckdb", "database": "shop.duckdb", "schema": "sales"}
    file = write_contract(tmp_path, server, columns=[{"name": "id"}], table={"quality": quality})
    result = factory("contract", "test", file, "--format", "json")
    found = [check["outcome"] for check in result.json["checks"] if check["kind"] == "sql"]
    assert found == list(queries.values()), result.out
