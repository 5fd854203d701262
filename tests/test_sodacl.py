"""SodaCL as its documentation says, run by soda-core over a small database whose contents are known.

What each check is expected to give is worked out by hand from the rows below and SodaCL's reference; the cases
are in `cases/sodacl`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import a_product, write_tree

from factory.contract import Rule, read_checks
from factory.contract.sodacl_text import FORMATS
from factory.documents import dump_yaml, read_yaml
from factory.errors import FactoryError, Problems, QualityError
from factory.quality.results import CheckResult, Outcome
from factory.quality.soda import SodaRun, run_sodacl, run_sodacl_text
from factory.quality.soda_results import NO_EARLIER

CASES = Path(__file__).parent / "cases" / "sodacl"
NOW = "2026-03-10T12:00:00+00:00"
TABLES = """
create table orders (
    id integer, amount double, qty integer, half integer, country varchar, email varchar, ref varchar,
    code varchar, price varchar, d integer, h integer, m integer, "when" integer, "Line No" integer,
    "Größe" double, big double, "at" timestamp, at_zone timestamptz, day date
);
insert into orders values
    (1, 10, 1, 1, 'NL', 'ann@example.com', 'A1', '1', '100.25 EUR', 1, 1, 1, 0, 1, 0.5, 'nan',
        '2026-03-01 00:00', '2026-03-01 00:00:00+00', '2026-03-01'),
    (2, 20, 2, 1, 'NL', 'bob@example.org', 'A2', '1', '1,140.00 EUR', 2, 1, 1, 0, 2, 0.5, 1,
        '2026-03-02 00:00', '2026-03-01 00:00:00+00', '2026-03-01'),
    (3, 30, 2, 1, 'DE', 'not an email', 'A2', '2', 'free', 3, 1, 1, 0, 3, 0.5, 1, null, null, null),
    (4, 40, 3, 1, 'DE', null, 'A3', '2', '5', 4, 1, 1, 0, 4, 0.5, 1, null, null, null),
    (5, 50, 3, 1, 'FR', 'eve@example.net', 'A4', '1', '', 5, 1, 1, 0, 5, 0.5, 1, null, null, null),
    (6, null, 4, 1, 'FR', '', 'A4', '2', 'x', 6, 1, 1, 0, 6, 0.5, 1, null, null, null),
    (7, null, 4, 1, null, 'N/A', null, '1', null, 7, 1, 1, 0, 7, 0.5, 1, null, null, null),
    (8, 60, 5, 1, 'XX', 'zoe@example.com', null, 'x', '9 EUR', 8, 3, 1, 0, 8, 1.5, 1,
        '2026-03-09 06:00', '2026-03-09 08:00:00+02', '2026-03-08');
create table twins as from orders;
create table countries (code varchar, title varchar, size integer, price decimal(9, 2));
insert into countries values ('NL', 'Netherlands', 1, 1), ('DE', 'Germany', 2, 2), ('FR', 'France', 3, 3);
create table pairs (a varchar, b integer);
insert into pairs values ('NL', 1), ('NL', 1);
create table tagged (tag varchar);
insert into tagged values ('a'), ('b'), ('-'), ('z');
create table "Empty" (id integer);
"""


@pytest.fixture(scope="module")
def tables() -> Iterator[Any]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        yield connection


def run(
    root: Path,
    files: Mapping[str, str],
    connection: Any,
    *,
    variables: Mapping[str, str] | None = None,
    history: Mapping[str, Any] | None = None,
) -> SodaRun:
    product = a_product(root=root)
    for name, text in files.items():
        path = product.folder / "checks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    rules = read_checks(product)
    written = sorted((product.folder / "checks").rglob("*.y*ml"))
    return run_sodacl(
        written,
        rules,
        product,
        connection,
        variables={"NOW": NOW, **(variables or {})},
        history=history or {},
    )


def one(root: Path, text: str, connection: Any, **more: Any) -> CheckResult:
    (result,) = run(root, {"orders.yml": text}, connection, **more).results
    return result


def case_of(data: Mapping[str, Any]) -> dict[str, Any]:
    if "each" in data:
        return {"for each dataset T": {"datasets": data["each"], "checks": [data["check"]]}}
    table = data.get("table", "orders")
    return {f"checks for {table}" if table else "checks": [data["check"]]}


def cases() -> Iterator[Any]:
    for name in ("numeric", "validity", "shapes"):
        data = read_yaml(CASES / f"{name}.yml").data
        for number, case in enumerate(data["cases"]):
            yield pytest.param(name, number, case, id=f"{name}-{number}-{str(case['check'])[:50]}")


@pytest.fixture(scope="module")
def runs(tables: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[CheckResult]]:
    """The results of every file of cases; all of a file's checks are one scan, the broken ones among them."""
    found = {}
    for name in ("numeric", "validity", "shapes"):
        data = read_yaml(CASES / f"{name}.yml").data
        files = {
            f"case_{number:03}.yml": dump_yaml({**data.get("with", {}), **case_of(case)})
            for number, case in enumerate(data["cases"])
        }
        found[name] = list(run(tmp_path_factory.mktemp(name), files, tables).results)
    return found


@pytest.mark.parametrize(("name", "number", "case"), list(cases()))
def test_a_check_gives_what_its_documentation_says(
    name: str, number: int, case: Mapping[str, Any], runs: dict[str, list[CheckResult]]
) -> None:
    result = runs[name][number]
    assert result.outcome.value == case["is"], result.reason
    for key, value in (
        ("measured", result.measured),
        ("failed", result.failed_rows),
        ("rows", result.checked_rows),
        ("threshold", result.threshold),
    ):
        if key in case:
            assert value == (pytest.approx(case[key]) if key == "measured" else case[key]), key
    assert str(case.get("says", "")) in result.reason
    assert bool(result.reason) == (result.outcome is not Outcome.PASS)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_format_holds_for_its_texts_alone(format_: str, tmp_path: Path) -> None:
    case = read_yaml(CASES / "formats.yml").data[format_]
    with duckdb.connect() as connection:
        connection.execute("create table texts (good varchar, bad varchar)")
        for text in case["valid"]:
            connection.execute("insert into texts values (?, null)", [text])
        for text in case["invalid"]:
            connection.execute("insert into texts values (null, ?)", [text])
        text = dump_yaml(
            {
                "checks for texts": [
                    {"invalid_count(good) = 0": {"valid format": format_}},
                    {f"invalid_count(bad) = {len(case['invalid'])}": {"valid format": format_}},
                ]
            }
        )
        results = run(tmp_path, {"texts.yml": text}, connection).results
    assert [(result.outcome, result.reason) for result in results] == [(Outcome.PASS, "")] * 2


# Freshness


@pytest.mark.parametrize(
    ("check", "outcome", "hours", "says"),
    [
        # The newest of `at` is 2026-03-09 06:00 in UTC, 30 hours before the run.
        ("freshness(at) < 1d6h", Outcome.PASS, 30, ""),
        ("freshness(at) < 1d5h59m", Outcome.FAIL, 30, "measured 1d6h0m"),
        ("freshness(at) < 2d", Outcome.PASS, 30, ""),
        ("freshness(at) < 24h", Outcome.FAIL, 30, "measured 1d6h0m: the newest is 2026-03-09 06:00:00+00:00"),
        ("freshness(at_zone) < 31h", Outcome.PASS, 30, ""),
        ("freshness(at_zone) < 30m", Outcome.FAIL, 30, ""),
        ("freshness using at < 2d", Outcome.PASS, 30, ""),
        ("freshness(at, EARLY) < 1h", Outcome.PASS, 0, ""),
        ("freshness(at, EARLY): {fail: when > 1h}", Outcome.PASS, 0, ""),
        ("freshness(at): {warn: when > 1d, fail: when > 2d}", Outcome.WARN, 30, "measured 1d6h0m"),
        ("freshness(at): {warn: when > 1h, fail: when > 1d}", Outcome.FAIL, 30, ""),
        ("freshness(at): {warn: when > 2d}", Outcome.PASS, 30, ""),
        # A day lasts until its last moment: 36 hours before the run.
        ("freshness(day) < 37h", Outcome.PASS, 36, ""),
        ("freshness(day) < 35h", Outcome.FAIL, 36, ""),
        ("freshness(at) < ${AGE}", Outcome.PASS, 30, ""),
        ("freshness(at) < 1d: {filter: id < 3}", Outcome.FAIL, 204, ""),
        ("freshness(at) < 1d: {filter: id > 99}", Outcome.FAIL, None, "no row has one"),
        ("freshness(at, NOTHING) < 1d", Outcome.ERROR, None, "the variable NOTHING has no value"),
        ("freshness(country) < 1d", Outcome.ERROR, None, "is not a datetime"),
        ("freshness(nope) < 1d", Outcome.ERROR, None, "nope"),
    ],
)
def test_freshness_is_the_age_of_the_newest_value(
    check: str, outcome: Outcome, hours: float | None, says: str, tables: Any, tmp_path: Path
) -> None:
    text = f"checks for orders:\n  - {check}\n"
    result = one(tmp_path, text, tables, variables={"EARLY": "2026-03-09T06:30:00", "AGE": "2d"})
    assert result.outcome is outcome, result.reason
    assert says in result.reason
    if outcome is not Outcome.ERROR:
        wanted = None if hours is None else hours * 3600.0
        assert result.measured == (None if wanted is None else pytest.approx(wanted, abs=1801))


def test_columns_called_as_units_of_time_are_columns(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table t as select timestamp '{NOW[:19]}' as d, 1 as h, 2 as m")
        text = "checks for t:\n  - freshness(d) < 1d\n  - missing_count(h) = 0\n  - max(m) = 2\n"
        results = run(tmp_path, {"t.yml": text}, connection).results
    assert [result.outcome for result in results] == [Outcome.PASS] * 3


# Change over time


def at(days: float, value: float) -> tuple[datetime, float]:
    return datetime.fromisoformat(NOW) - timedelta(days=days), value


@pytest.mark.parametrize(
    ("check", "outcome", "measured"),
    [
        # There are 8 rows; 10 a day ago, 4 the day before, 6 a week ago, 2 before that.
        ("change for row_count < 0", Outcome.PASS, -2),
        ("change for row_count >= 0", Outcome.FAIL, -2),
        ("change for row_count between -5 and 5", Outcome.PASS, -2),
        ("change percent for row_count > -25", Outcome.PASS, -20),
        ("change percent for row_count < -50%", Outcome.FAIL, -20),
        ("change avg last 2 for row_count = 1", Outcome.PASS, 1),
        ("change avg last 7 for row_count > 50", Outcome.FAIL, 2.5),
        ("change min last 3 for row_count = 4", Outcome.PASS, 4),
        ("change max last 3 percent for row_count = -20", Outcome.PASS, -20),
        ("change same day last week for row_count = 2", Outcome.PASS, 2),
        ("change same day last week percent for row_count > 50", Outcome.FAIL, 33.3333333),
        ("change for row_count: {warn: when < 0, fail: when < -5}", Outcome.WARN, -2),
        ("change for avg(amount) = 5", Outcome.PASS, 5),
    ],
)
def test_a_change_over_time_is_held_against_earlier_runs(
    check: str, outcome: Outcome, measured: float, tables: Any, tmp_path: Path
) -> None:
    history = {
        "orders.row_count": [at(2, 4), at(1, 10), at(9, 2), at(7, 6), at(-1, 1000)],
        "orders.avg(amount)": [at(1, 30)],
    }
    result = one(tmp_path, f"checks for orders:\n  - {check}\n", tables, history=history)
    assert (result.outcome, result.measured) == (outcome, pytest.approx(measured)), result.reason


@pytest.mark.parametrize(
    ("check", "history"),
    [
        ("change for row_count < 50", {}),
        ("change avg last 7 for row_count < 50", {"orders.row_count": []}),
        ("change same day last week for row_count < 50", {"orders.row_count": [at(6, 3), at(8, 3)]}),
        ("change percent for row_count < 50", {"orders.row_count": [at(1, 0)]}),
        ("schema: {fail: {when schema changes: any}}", {}),
    ],
)
def test_a_first_run_has_nothing_to_compare_with_and_never_passes(
    check: str, history: Mapping[str, Any], tables: Any, tmp_path: Path
) -> None:
    result = one(tmp_path, f"checks for orders:\n  - {check}\n", tables, history=history)
    assert result.outcome is Outcome.NOT_RUN
    assert result.reason.startswith(NO_EARLIER)


def given_back(*earlier: SodaRun) -> dict[str, list[tuple[datetime, float]]]:
    """The measurements of runs on consecutive days, the last of them yesterday."""
    found: dict[str, list[tuple[datetime, float]]] = {}
    for days, before in enumerate(reversed(earlier), 1):
        for name, value in before.measurements.items():
            found.setdefault(name, []).append(at(days, value))
    return found


def test_what_a_run_measured_is_what_the_next_compares_with(tmp_path: Path) -> None:
    text = """\
checks for t:
  - change for row_count = 1
  - change for avg(n) < 1:
      filter: n > 1
  - change for missing_count(n) = 0
  - change for missing_percent(n) = 0
for each dataset T:
  datasets: [t, u]
  checks:
    - change for max(n) >= 0
"""
    with duckdb.connect() as connection:
        connection.execute("create table t as from range(1, 4) r(n); create table u as from t")
        first = run(tmp_path, {"t.yml": text}, connection)
        connection.execute("insert into t values (9)")
        second = run(tmp_path, {"t.yml": text}, connection, history=given_back(first))
        connection.execute("delete from u")
        third = run(tmp_path, {"t.yml": text}, connection, history=given_back(first, second))
    assert {result.outcome for result in first.results} == {Outcome.NOT_RUN}
    assert first.measurements["t.row_count"] == 3
    assert first.measurements["u.max(n)"] == 3
    assert [r.outcome for r in second.results] == [Outcome.PASS, Outcome.FAIL, *[Outcome.PASS] * 3]
    assert "measured 2.166666667: 4.666666667 now, 2.5 before" in second.results[1].reason
    assert third.results[0].outcome is Outcome.FAIL
    assert "table u: there is nothing to measure" in third.results[4].reason


def test_a_measurement_keeps_its_name_when_threshold_name_or_variables_change(
    tables: Any, tmp_path: Path
) -> None:
    def names(check: str, **variables: str) -> set[str]:
        text = f"variables: {{DAY: 1}}\nfilter orders [p]:\n  where: id > ${{DAY}}\nchecks for orders [p]:\n  - {check}\n"
        return set(
            run(
                tmp_path / str(len(list(tmp_path.iterdir()))), {"x.yml": text}, tables, variables=variables
            ).measurements
        )

    first = names("row_count > 0")
    assert first == names("row_count: {name: x, warn: when > 3}", DAY="3")
    assert first == names("change avg last 7 for row_count < 3")
    assert first != names("row_count > 0: {filter: id > 3}")
    assert names("row_count > 0: {identity: mine}") == {"orders[p]:mine"}


@pytest.mark.parametrize(
    ("change", "stated", "outcome", "says"),
    [
        ("", "any", Outcome.PASS, ""),
        ("alter table t add column c integer", "any", Outcome.FAIL, "added: c"),
        ("alter table t add column c integer", "[column add]", Outcome.FAIL, "added: c"),
        ("alter table t add column c integer", "[column delete]", Outcome.PASS, ""),
        ("alter table t drop column a", "[column delete]", Outcome.FAIL, "gone: a"),
        ("alter table t drop column a", "[column index change]", Outcome.FAIL, "b is at 0, was at 1"),
        (
            "alter table t alter b type bigint",
            "[column type change]",
            Outcome.FAIL,
            "b is BIGINT, was INTEGER",
        ),
        ("alter table t alter b type bigint", "[column add]", Outcome.PASS, ""),
    ],
)
def test_a_schema_is_held_against_the_last_run(
    change: str, stated: str, outcome: Outcome, says: str, tmp_path: Path
) -> None:
    text = f"checks for t:\n  - schema:\n      fail:\n        when schema changes: {stated}\n"
    with duckdb.connect() as connection:
        connection.execute("create table t (a varchar, b integer)")
        first = run(tmp_path, {"t.yml": text}, connection)
        connection.execute(change or "select 1")
        (result,) = run(tmp_path, {"t.yml": text}, connection, history=given_back(first)).results
    assert (result.outcome, says in result.reason) == (outcome, True), result.reason


def test_what_else_a_schema_check_says_needs_no_earlier_run(tables: Any, tmp_path: Path) -> None:
    text = "checks for orders:\n  - schema:\n      fail:\n        when schema changes: any\n        when required column missing: [x]\n"
    assert one(tmp_path, text, tables).reason == "missing: x"


# Severity, attributes and places


def test_a_failing_check_of_severity_warning_warns(tables: Any, tmp_path: Path) -> None:
    text = "checks for orders:\n  - row_count > 9: {attributes: {severity: warning, dimension: timeliness}}\n"
    result = one(tmp_path, text, tables)
    assert (result.outcome, result.rule.severity, result.rule.dimension) == (
        Outcome.WARN,
        "warning",
        "timeliness",
    )
    assert not result.refuses
    broken = text.replace("row_count", "min(nope)")
    assert one(tmp_path / "other", broken, tables).outcome is Outcome.ERROR


def test_attributes_in_a_list_are_those_of_the_checks_below(tables: Any, tmp_path: Path) -> None:
    text = "checks for orders:\n  - row_count > 9\n  - attributes: {severity: warning}\n  - row_count > 10\n"
    outcomes = [result.outcome for result in run(tmp_path, {"x.yml": text}, tables).results]
    assert outcomes == [Outcome.FAIL, Outcome.WARN]


def test_files_of_one_name_in_folders_are_one_scan_with_rules_of_their_own(
    tables: Any, tmp_path: Path
) -> None:
    each = "filter orders [p]:\n  where: id > {0}\nchecks for orders [p]:\n  - row_count = {1}\n"
    files = {"x.yml": each.format(4, 4), "a/x.yml": each.format(6, 2), "b/x.yaml": each.format(7, 9)}
    results = run(tmp_path, files, tables).results
    assert [(r.rule.key, r.outcome.value, r.measured) for r in results] == [
        ("soda:a/x.yml:4", "pass", 2),
        ("soda:b/x.yaml:4", "fail", 1),
        ("soda:x.yml:4", "pass", 4),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "checks for orders: [row_count > 0, row_count > 9]\n",
        "\ufeffchecks for orders:\r\n  # a comment\r\n  - row_count > 0 # more\r\n\r\n  - row_count > 9\r\n",
    ],
)
def test_how_a_file_is_written_does_not_count(text: str, tables: Any, tmp_path: Path) -> None:
    results = run(tmp_path, {"x.yml": text}, tables).results
    assert [result.outcome.value for result in results] == ["pass", "fail"]
    assert len({result.rule.key for result in results}) == 2


def test_a_query_may_stand_in_a_file_beside_the_checks(tables: Any, tmp_path: Path) -> None:
    write_tree(
        a_product(root=tmp_path).folder, {"checks/dear.sql": "select count(*) from orders where amount > 40;"}
    )
    text = "checks for orders:\n  - dear = 2:\n      dear sql_file: dear.sql\n"
    assert one(tmp_path, text, tables).outcome is Outcome.PASS
    with pytest.raises(QualityError, match="outside of the folder"):
        one(tmp_path, text.replace("dear.sql", "../../../secret.sql"), tables)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("checks for orders:\n  - anomaly score for row_count < default\n", 2, "anomaly checks need"),
        ("checks for orders:\n  - anomaly detection for row_count\n", 2, "anomaly checks need"),
        (
            "checks for orders:\n  - distribution_difference(a, b) > 0.05: {x: y}\n",
            2,
            "distribution checks need",
        ),
        ("checks for orders:\n  - row_count same as o in other\n", 2, "needs a second data source"),
        ("reconciliation r:\n  datasets: {}\n", 1, "two data sources"),
        ("automated monitoring:\n  datasets: [x]\n", 1, "automated monitoring needs"),
        ("profile columns:\n  columns: [x.y]\n", 1, "profiling is not supported"),
        ("discover datasets:\n  datasets: [x]\n", 1, "discovering datasets needs"),
        ("sample datasets:\n  datasets: [x]\n", 1, "samples of rows are never taken"),
        ("for each column C:\n  - x.y\n", 1, "no checks for each column"),
        ("checks for orders:\n  - $template > 3\n", 2, "templates"),
        ("checkz for orders:\n  - row_count > 3\n", 1, "is no section of SodaCL"),
        ("checks for orders:\n  - row_count\n", 2, "promises nothing"),
        ("checks for orders:\n  - row_count > 1e3\n", 2, "is no threshold"),
        ("checks for orders:\n  - row_count > many\n", 2, "is no threshold"),
        ("checks for orders:\n  - row_count>0\n", 2, "is no threshold"),
        ("checks for orders:\n  - row_count: {warn: '> 3'}\n", 2, "is no zone"),
        ("checks for orders:\n  - row_count > 3: {warn: when > 3}\n", 2, "would not look at the zones"),
        ("checks for orders:\n  - avg > 3\n", 2, "names no column"),
        ("checks for orders:\n  - percentile(a) > 3\n", 2, "a column and a share"),
        ("checks for orders:\n  - freshness(a) > 3d\n", 2, "longest age"),
        ("checks for orders:\n  - freshness(a) < 3\n", 2, "longest age"),
        ("checks for orders:\n  - freshness(a) < 1h30\n", 2, "longest age"),
        ("checks for orders:\n  - invalid_count(a) = 0: {valid format: emial}\n", 2, "is no format"),
        ("checks for orders:\n  - failed rows\n", 2, "says nothing to check"),
        ("checks for orders:\n  - group by: {query: x}\n", 2, "has no `fields`"),
        ("checks for orders:\n  - schema\n", 2, "says nothing to check"),
        ("checks for orders:\n  - x > 3: {x expression: max(a), filter: b}\n", 2, "has no effect"),
        ("checks for orders [p]:\n  - row_count > 3\n", 1, "is not declared"),
        ("filter orders [p]:\n  when: x\n", 1, "has no condition"),
        ("for each dataset T:\n  checks: [row_count > 0]\n", 1, "names no datasets"),
        ("checks for orders:\n  - row_count > 3: {attributes: {severity: high}}\n", 2, "is no severity"),
        (
            "checks for orders:\n  - group evolution: {query: q, fail: {when groups change: any}}\n",
            2,
            "compare groups",
        ),
        ("checks for orders:\n  - row_count > 0\n - x\n", 3, "not valid YAML"),
        ("checks for orders:\n  - row_count > ${NOTHING}\n", 2, "the variable `NOTHING` has no value"),
        (
            "checks for orders:\n  - row_count > 0\n  - row_count > 3: {filtr: x}\n",
            3,
            "unsupported check configuration",
        ),
        ("checks for orders:\n  - failed rows: {fail condition: x, filter: y}\n", 2, "filter"),
        ("checks for orders:\n  - values in (a, b) must exist in t (c)\n", 2, "must be equal"),
        ("checks for orders:\n  - avg(a b) > 3\n", 2, "brackets cannot be read"),
        ("checks for orders:\n  - change same day last month for row_count > 3\n", 2, "not SodaCL"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_line_and_a_way_out(
    text: str, line: int, message: str, tables: Any, tmp_path: Path
) -> None:
    with pytest.raises(FactoryError) as caught:
        run(tmp_path, {"orders.yml": text}, tables)
    assert caught.value.line == line, caught.value.message
    assert message in caught.value.message
    assert caught.value.hint


# SodaCL in a rule of ODCS


def a_rule() -> Rule:
    return Rule(
        "odcs:x",
        "odcs",
        "orders",
        "orders",
        "",
        "x",
        "custom",
        "accuracy",
        "error",
        {},
        "",
        Path("x.odcs.yaml"),
        7,
    )


@pytest.mark.parametrize(
    ("text", "outcome", "measured"),
    [
        ("checks for orders:\n- row_count > 5\n", Outcome.PASS, 8),
        ("- row_count > 5\n- min(amount) > 50\n", Outcome.FAIL, 10),
        ("row_count > 5", Outcome.PASS, 8),
        ("row_count > 5:\n  filter: id < 3\n", Outcome.FAIL, 2),
        ("for each dataset T:\n  datasets: [twins]\n  checks: [row_count = 8]\n", Outcome.PASS, 8),
        ("type: no_duplicate_values", Outcome.ERROR, None),
        ("checks for orders:\n- min(nope) > 5\n", Outcome.ERROR, None),
        ("checks for orders: [", Outcome.ERROR, None),
        ("", Outcome.ERROR, None),
    ],
)
def test_sodacl_of_a_rule_is_run_for_that_rule(
    text: str, outcome: Outcome, measured: float | None, tables: Any
) -> None:
    result = run_sodacl_text(text, a_rule(), "orders", tables)
    assert (result.outcome, result.measured) == (outcome, measured), result.reason
    assert result.rule == a_rule()


# Nothing is sent, nothing is written


def test_a_scan_opens_no_connection_writes_no_file_and_takes_little_time(tmp_path: Path) -> None:
    script = """
import os, socket, sys, time
from pathlib import Path
def refused(*_, **__): raise AssertionError('a connection was opened')
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refused
sys.path[:0] = [sys.argv[1], os.path.dirname(sys.argv[1])]
Path('.env').write_text('SODA_TAKEN=1')
import duckdb
from builders import a_product
from factory.contract import read_checks
from factory.quality.soda import run_sodacl
product = a_product(root=Path.cwd())
(product.folder / 'checks').mkdir(parents=True)
def run(text):
    file = product.folder / 'checks/t.yml'
    file.write_text(text)
    started = time.perf_counter()
    found = run_sodacl([file], read_checks(product), product, duckdb.connect(), variables={}, history={})
    return found, time.perf_counter() - started
found, took = run('# nothing yet')
assert found.results == () and took < 0.2, took
assert 'soda' not in sys.modules
found, took = run('checks for t:\\n  - row_count > 0\\n')
assert [r.outcome.value for r in found.results] == ['error'], found
assert took < 5, took
found, took = run('checks for t:\\n  - row_count > 0\\n')
assert took < 0.5, took
assert 'SODA_TAKEN' not in os.environ
"""
    before = set(Path(tempfile.gettempdir()).glob(".soda*"))
    found = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    assert not list(tmp_path.rglob(".soda"))
    assert set(Path(tempfile.gettempdir()).glob(".soda*")) == before


def test_no_failed_row_is_fetched_and_checks_of_a_table_share_a_query(
    tables: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from factory.quality import soda

    scans: list[Any] = []
    plain = soda._Scan._scan
    monkeypatch.setattr(soda._Scan, "_scan", lambda self: scans.append(plain(self)) or scans[-1])
    metrics = "".join(f"  - {name}(amount) > 1000\n" for name in ("min", "max", "avg", "sum"))
    text = f"checks for orders:\n{metrics}  - missing_count(amount) = 0: {{samples limit: 9}}\n  - failed rows: {{samples limit: 9, fail condition: amount > 0}}\n"
    run(tmp_path, {"x.yml": text}, tables)
    statements = [query.sql for query in scans[0]._queries]
    assert len(statements) == 2, statements
    assert statements[1] == "select 1 as nothing where false"


def test_a_check_that_stops_the_whole_scan_leaves_the_others_their_results(
    tables: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from soda.execution.check.check import Check

    plain = Check.create

    def create(check_cfg: Any, **about: Any) -> Any:
        if check_cfg.source_line.startswith("max"):
            raise RuntimeError("a fault of Soda's")
        return plain(check_cfg=check_cfg, **about)

    monkeypatch.setattr(Check, "create", create)
    text = "checks for orders:\n  - row_count = 8\n  - max(amount) > 0\n  - min(amount) > 60\n"
    first, broken, last = run(tmp_path, {"x.yml": text}, tables).results
    assert (first.outcome, last.outcome) == (Outcome.PASS, Outcome.FAIL)
    assert (broken.outcome, "a fault of Soda's" in broken.reason) == (Outcome.ERROR, True)


def test_a_hundred_checks_take_a_moment(tables: Any, tmp_path: Path) -> None:
    names = ("min", "max", "avg", "sum", "stddev")
    lines = [f"  - {name}(amount) > {number}\n" for number in range(20) for name in names]
    run(tmp_path / "warm", {"x.yml": "checks for orders:\n  - row_count > 0\n"}, tables)
    started = time.perf_counter()
    results = run(tmp_path, {"x.yml": "checks for orders:\n" + "".join(lines)}, tables).results
    assert len(results) == 100
    assert time.perf_counter() - started < 10


def test_all_that_is_wrong_with_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = "checks for orders:\n  - row_cont > 0\n  - row_count > 0\n  - avg > 3\nprofile columns:\n  columns: [a]\n"
    product = a_product(folder=write_tree(tmp_path, {"checks/a.yml": text}))
    with pytest.raises(Problems) as told:
        read_checks(product)
    assert [problem.line for problem in told.value.problems] == [2, 4, 5]
