"""The shared dbt package: every macro and generic test, on real data in one dbt build, read by all tests here."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from builders import a_product
from conftest import Command
from filelock import FileLock
from mesh import ROOT, add_product, make_workspace, replace, write
from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify

from factory.artifacts import read_manifest
from factory.contract.rules import dimension_of
from factory.lineage import stitch, trace_graph
from factory.umbrella import sync
from factory.workspace import Workspace

STANDARDS = ROOT / "standards"
SALT = "Sa'lt-of-the-\u00e4rth-4711"
EPOCH = 1_700_000_000

PEOPLE = """\
select *
from (
    values
        (1, 'Anna', 'anna@example.org', date '1980-02-29', timestamp '2024-05-17 13:14:15'),
        (2, 'O''Br"ien', '', date '1999-12-31', timestamp '2024-12-31 23:59:59'),
        (3, 'Zoë 🦆', 'ä', date '2000-01-01', timestamp '2024-01-01 00:00:00'),
        (4, null, null, null, null)
) as people (id, name, mail, born, seen)
"""

ANONYMISED = {
    "name_first": "masked('name')",
    "name_first_two": "masked('name', keep=2)",
    "name_last_two": "masked('name', keep=-2)",
    "name_nothing": "masked('name', keep=0)",
    "mail_first": "masked('mail')",
    "born_year": "masked('born', keep=4)",
    "name_hash": "hashed('name')",
    "id_hash": "hashed('id')",
    "name_text": "redacted('name')",
    "name_quote": "redacted('name', replacement=\"it's \\\\ gone\")",
    "born_gone": "redacted('born', replacement=none, data_type='date')",
    "born_month": "truncated_date('born')",
    "born_quarter": "truncated_date('born', 'quarter')",
    "seen_year": "truncated_date('seen', part='year')",
    "seen_month": "truncated_date(expression='seen')",
}

REASONS = """\
select
    id,
    {{ standards.rejection_reason([
        {'when': 'name is null', 'reason': "it's nobody"},
        {'when': "mail = ''", 'reason': 'no {mail}'},
        {'when': 'id > 1 or id < 0', 'reason': 'ünlucky'},
    ]) }} as reason
from {{ ref('people') }}
"""

REGIONS = """\
select
    country,
    {{ standards.sales_region('country') }} as sales_region
from (
    values ('United Kingdom'), ('  eire '), ('GERMANY'), ('USA'), ('Japan'), ('RSA'), ('Atlantis'), ('O''Land'), (''), (null)
) as countries (country)
"""

# Uses that have to be refused, with what has to be said. They are written so that parsing passes them by.
MISUSES = {
    "masked_keep": ("standards.masked('name', keep='two')", "keep has to be a whole number, not 'two'"),
    "redacted_neither": ("standards.redacted('name', replacement=none)", "name a data_type"),
    "redacted_both": ("standards.redacted('name', data_type='date')", "belongs to `replacement=none`"),
    "date_part": (
        "standards.truncated_date('born', 'week')",
        "part has to be one of year, quarter, month, not 'week'",
    ),
    "reasons_none": ("standards.rejection_reason([])", "rules has to be a list"),
    "reasons_text": ("standards.rejection_reason('name is null')", "rules has to be a list"),
    "reasons_half": ("standards.rejection_reason([{'when': 'true'}])", "a rule has a `when` and a `reason`"),
    "audit_view": ("standards.audit_columns()", "audit_view is materialized as view, which loads no rows"),
    "hashed_view": ("standards.hashed('name')", "hashed_view is materialized as view, and whoever reads it"),
    "other_adapter": ("standards.default__hashed('name')", "write the macro duckdb__hashed(expression)"),
    "range_open": (
        "standards.test_in_range(model='people', column_name='id')",
        "name min, max or both",
    ),
    "reconciles_nothing": (
        "standards.test_reconciles_with(model='people', to='people', row_count=false)",
        "name the sums to compare",
    ),
    "overlap_keyless": (
        "standards.test_no_overlap(model='people', key=[], valid_from='born', valid_to='seen')",
        "name the key",
    ),
}

TABLES = {
    "numbers": """\
        (1, 0.0, date '2024-01-01'), (5, 7.0, date '2024-02-01'), (10, 10.0, date '2024-03-01'), (null, 1.0, null),
        (0, null, null)
    ) as numbers (number, ceiling, day)""",
    "codes": """\
        ('DE', 'EUR'), ('AQ', 'XXX'), ('ZW', 'ZWG'), (null, null)
    ) as codes (country, currency)""",
    "wrong_codes": """\
        ('de', 'eur'), ('UK', 'DEM'), ('EU', 'BGN'), ('', ''), ('D''', 'E''R'), ('DE', 'USD'), (null, null)
    ) as wrong_codes (country, currency)""",
    "payments": """\
        ('a', 1, 10.00), ('a', 2, 5.50), ('b', 1, 4.50), (null, 1, 1.00), ('c', 1, null)
    ) as payments (shop, number, amount)""",
    "ledger": """\
        ('a', 15.50, true), ('b', 4.50, true), (null, 1.00, true), ('c', 0.00, true), ('d', 9.00, false)
    ) as ledger (branch, total, final)""",
    "copied": """\
        ('a', 1, 10.00), ('a', 2, 5.50), ('b', 1, 4.51), (null, 1, 1.00), ('c', 1, null)
    ) as copied (shop, number, amount)""",
    "moved": """\
        ('a', 1, 10.00), ('b', 2, 5.50), ('b', 1, 4.50), (null, 1, 1.00), ('c', 1, null)
    ) as moved (shop, number, amount)""",
    "prices": """\
        ('a', 'x', 1, 3), ('a', 'x', 3, 5), ('a', 'x', 5, null), ('a', 'y', 1, null), ('b', 'x', 2, 2), ('b', 'x', 1, 9),
        (null, 'x', 1, null), (null, 'x', 1, null), ('c', 'x', null, 5), ('c', 'x', 1, 5)
    ) as prices (article, country, begins, ends)""",
    "clashes": """\
        ('inside', 1, 9), ('inside', 2, 3), ('inside', 4, 5), ('open', 1, null), ('open', 7, 9), ('two open', 1, null),
        ('two open', 1, null), ('same', 1, 2), ('same', 1, 2), ('backwards', 5, 4), ('fine', 1, 2), ('fine', 2, 3)
    ) as clashes (kind, begins, ends)""",
    "meters": """\
        ('a', 1, 5), ('a', 2, 5), ('a', 3, null), ('a', 4, 7), ('b', 1, 1), ('b', 2, 3), ('b', null, 0), (null, 9, 0),
        ('b', 3, 4), ('b', 3, 6), ('b', 4, 6)
    ) as meters (meter, hour, reading)""",
    "rewound": """\
        ('a', 1, 5), ('a', 2, null), ('a', 3, 4), ('a', 4, 4), ('b', 1, 1), ('b', 2, 3), ('b', 2, 2), ('b', 3, 2)
    ) as rewound (meter, hour, reading)""",
}  # fmt: skip

# Generic tests: name, table, column (or none), test, arguments, config, rows that fail.
CASES: list[tuple[str, str, str, str, dict[str, Any], dict[str, Any], int]] = [
    ("range_both", "numbers", "number", "in_range", {"min": 0, "max": 10}, {}, 0),
    ("range_low", "numbers", "number", "in_range", {"min": 2}, {}, 2),
    ("range_high", "numbers", "number", "in_range", {"max": 9}, {}, 1),
    ("range_bound_of_zero", "numbers", "number", "in_range", {"max": 0}, {}, 3),
    ("range_above", "numbers", "number", "in_range", {"min": 0, "min_inclusive": False}, {}, 1),
    ("range_below", "numbers", "number", "in_range", {"max": 10, "max_inclusive": False}, {}, 1),
    ("range_column", "numbers", "number", "in_range", {"max": "ceiling"}, {}, 1),
    ("range_date", "numbers", "day", "in_range", {"min": "date '2024-01-15'", "max": "date '2024-02-15'"}, {}, 2),
    ("range_where", "numbers", "number", "in_range", {"min": 2}, {"where": "day is not null"}, 1),
    ("range_warns", "numbers", "number", "in_range", {"min": 2}, {"severity": "warn"}, 2),
    ("range_error_if", "numbers", "number", "in_range", {"min": 2}, {"error_if": ">2", "warn_if": ">1"}, 2),
    ("country_good", "codes", "country", "iso_country", {}, {}, 0),
    ("country_bad", "wrong_codes", "country", "iso_country", {}, {}, 5),
    ("country_where", "wrong_codes", "country", "iso_country", {}, {"where": "country = 'DE'"}, 0),
    ("currency_good", "codes", "currency", "iso_currency", {}, {}, 0),
    ("currency_bad", "wrong_codes", "currency", "iso_currency", {}, {}, 5),
    ("rows_same", "payments", "", "reconciles_with", {"to": "ref('moved')"}, {}, 0),
    ("rows_other", "payments", "", "reconciles_with", {"to": "ref('ledger')", "to_where": "final"}, {}, 1),
    ("rows_tolerated", "payments", "", "reconciles_with", {"to": "ref('ledger')", "row_tolerance": 1, "to_where": "final"}, {}, 0),
    ("rows_where", "payments", "", "reconciles_with", {"to": "ref('ledger')", "to_where": "branch = 'a'"}, {"where": "shop = 'b'"}, 0),
    ("rows_empty", "payments", "", "reconciles_with", {"to": "ref('ledger')", "sums": {"amount": "total"}, "to_where": "false"}, {"where": "false"}, 0),
    ("sums_same", "payments", "", "reconciles_with", {"to": "ref('moved')", "sums": ["amount", "number"]}, {}, 0),
    ("sums_one_name", "payments", "", "reconciles_with", {"to": "ref('moved')", "sums": "amount"}, {}, 0),
    ("sums_expression", "payments", "", "reconciles_with", {"to": "ref('moved')", "sums": ["number * amount"]}, {}, 0),
    ("sums_other", "payments", "", "reconciles_with", {"to": "ref('copied')", "sums": ["amount"]}, {}, 1),
    ("sums_tolerated", "payments", "", "reconciles_with", {"to": "ref('copied')", "sums": ["amount"], "tolerance": 0.01}, {}, 0),
    ("groups_same", "payments", "", "reconciles_with", {"to": "ref('payments')", "sums": ["amount"], "group_by": ["shop", "number"]}, {}, 0),
    ("groups_moved", "payments", "", "reconciles_with", {"to": "ref('moved')", "group_by": "shop"}, {}, 2),
    ("groups_mapped", "payments", "", "reconciles_with", {"to": "ref('ledger')", "sums": {"amount": "total"}, "group_by": {"shop": "branch"}, "row_count": False, "to_where": "final"}, {}, 0),
    ("groups_lacking", "payments", "", "reconciles_with", {"to": "ref('ledger')", "sums": {"amount": "total"}, "group_by": {"shop": "branch"}, "row_count": False}, {}, 1),
    ("groups_null", "payments", "", "reconciles_with", {"to": "ref('ledger')", "group_by": {"shop": "branch"}, "row_tolerance": 1, "to_where": "final"}, {"where": "shop is null"}, 0),
    ("overlap_none", "prices", "", "no_overlap", {"key": ["article", "country"], "valid_from": "begins", "valid_to": "ends"}, {}, 0),
    ("overlap_one_key", "prices", "", "no_overlap", {"key": "article", "valid_from": "begins", "valid_to": "ends"}, {}, 3),
    ("overlap_some", "clashes", "", "no_overlap", {"key": "kind", "valid_from": "begins", "valid_to": "ends"}, {}, 6),
    ("overlap_inside", "clashes", "", "no_overlap", {"key": "kind", "valid_from": "begins", "valid_to": "ends"}, {"where": "kind = 'inside'"}, 2),
    ("overlap_open", "clashes", "", "no_overlap", {"key": "kind", "valid_from": "begins", "valid_to": "ends"}, {"where": "kind = 'open'"}, 1),
    ("overlap_two_open", "clashes", "", "no_overlap", {"key": "kind", "valid_from": "begins", "valid_to": "ends"}, {"where": "kind = 'two open'"}, 1),
    ("overlap_same", "clashes", "", "no_overlap", {"key": "kind", "valid_from": "begins", "valid_to": "ends"}, {"where": "kind = 'same'"}, 1),
    ("overlap_backwards", "clashes", "", "no_overlap", {"key": "kind", "valid_from": "begins", "valid_to": "ends"}, {"where": "kind = 'backwards'"}, 1),
    ("monotonic_per_key", "meters", "reading", "monotonic", {"order_by": "hour", "key": "meter"}, {}, 0),
    ("monotonic_keys", "meters", "reading", "monotonic", {"order_by": "hour", "key": ["meter"]}, {"where": "meter = 'b'"}, 0),
    ("monotonic_overall", "meters", "reading", "monotonic", {"order_by": "hour"}, {}, 3),
    ("monotonic_strict", "meters", "reading", "monotonic", {"order_by": "hour", "key": "meter", "strict": True}, {}, 2),
    ("monotonic_rewound", "rewound", "reading", "monotonic", {"order_by": "hour", "key": "meter"}, {}, 2),
    ("monotonic_rewound_strict", "rewound", "reading", "monotonic", {"order_by": "hour", "key": "meter", "strict": True}, {}, 3),
]  # fmt: skip

LOADED = {
    "loaded_table": "{{ config(materialized='table') }}\nselect id, {{ standards.audit_columns() }} from {{ ref('people') }}",
    "loaded_incremental": """\
        {{ config(materialized='incremental', unique_key='id') }}
        select id, {{ standards.audit_columns() }} from {{ ref('people') }}
        {% if is_incremental() %} where id > 3 {% endif %}""",
    "loaded_versions_v2": "{{ config(materialized='table') }}\nselect {{ standards.audit_columns() }}",
}
SNAPSHOT = """\
{% snapshot loaded_snapshot %}
{{ config(strategy='check', unique_key='id', check_cols=['name'], group='shelf') }}
select id, name, {{ standards.audit_columns() }} from {{ ref('people') }}
{% endsnapshot %}
"""
LOADED_PROPERTIES = """\
models:
  - name: loaded_table
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: integer}
      - {name: loaded_at, data_type: timestamp with time zone}
      - {name: loaded_by, data_type: varchar}
  - name: loaded_versions
    latest_version: 2
    versions: [{v: 2}]
unit_tests:
  - name: loading_can_be_unit_tested
    model: loaded_table
    given: [{input: ref('people'), rows: [{id: 7}]}]
    expect: {rows: [{id: 7}]}
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_ENV_SECRET_SALT", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)


def make_shelf(root: Path) -> Path:
    """Make a workspace whose one product, `shelf`, uses everything in the package."""
    make_workspace(root)
    shutil.copytree(STANDARDS, root / "standards")
    replace(root / "dbt_project.yml", "flags:\n", "flags:\n  validate_macro_args: true\n")
    product = add_product(root, "shelf", sql="select 1 as id", columns="id:integer:key")
    models = product / "models"
    write(models / "people.sql", "{{ config(materialized='table') }}\n" + PEOPLE)
    columns = ",\n    ".join(f"{{{{ standards.{call} }}}} as {name}" for name, call in ANONYMISED.items())
    write(
        models / "anonymised.sql",
        f"{{{{ config(materialized='table') }}}}\nselect\n    id,\n    {columns}\nfrom {{{{ ref('people') }}}}\n",
    )
    write(models / "reasons.sql", "{{ config(materialized='table') }}\n" + REASONS)
    write(models / "regions.sql", "{{ config(materialized='table') }}\n" + REGIONS)
    for name, (call, _) in MISUSES.items():
        write(models / f"misuses/{name}.sql", f"{{% if execute %}}{{{{ {call} }}}}{{% endif %}}\n")
    for name, values in TABLES.items():
        sql = "{{ config(materialized='table') }}\nselect *\nfrom (\n    values\n" + values
        write(models / f"tables/{name}.sql", sql)
    for name, sql in LOADED.items():
        write(models / f"loaded/{name}.sql", sql)
    write(models / "loaded/_loaded.yml", LOADED_PROPERTIES)
    write(product / "snapshots/loaded_snapshot.sql", SNAPSHOT)
    write(
        models / "tables/_tables.yml", yaml.safe_dump({"models": [properties_of(table) for table in TABLES]})
    )
    sync(Workspace(root), [a_product(name="shelf", folder=product)])
    return root


def properties_of(table: str) -> dict[str, Any]:
    """Return the properties of a table with its cases."""
    tests: list[Any] = []
    columns: dict[str, list[Any]] = {}
    for name, of, column, test, arguments, config, _ in CASES:
        if of == table:
            case = {f"standards.{test}": {"name": name, "arguments": arguments, "config": config}}
            (columns.setdefault(column, []) if column else tests).append(case)
    return {
        "name": table,
        "data_tests": tests,
        "columns": [{"name": name, "data_tests": cases} for name, cases in columns.items()],
    }


def dbt(
    root: Path, *words: str, salt: str | None = SALT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run dbt in the workspace, as loud as it can be."""
    surroundings = {
        k: v for k, v in os.environ.items() if k not in ("DBT_ENV_SECRET_SALT", "SOURCE_DATE_EPOCH")
    }
    if salt is not None:
        surroundings["DBT_ENV_SECRET_SALT"] = salt
    return subprocess.run(
        [Path(sys.executable).parent / "dbt", "--debug", "--log-level-file", "debug", *words],
        cwd=root,
        env={**surroundings, **environment, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace after one dbt build, made once for all workers; tests that build again take a copy."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = base / "shelf"
    with FileLock(base / "shelf.lock"):
        if not (root / "stdout.txt").is_file():
            make_shelf(root)
            done = dbt(root, "build", SOURCE_DATE_EPOCH=str(EPOCH))
            (root / "stdout.txt").write_text(done.stdout + done.stderr, "utf-8")
    return root


def artifact(root: Path, name: str) -> dict[str, Any]:
    return json.loads((root / "target" / name).read_bytes())


def results(root: Path) -> dict[str, dict[str, Any]]:
    """Return what dbt said of each node, by its name."""
    manifest = artifact(root, "manifest.json")
    nodes = {**manifest["nodes"], **manifest["unit_tests"]}
    found = artifact(root, "run_results.json")["results"]
    return {nodes[r["unique_id"]]["name"]: r for r in found}


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "target/prod/duckdb/shelf.duckdb"), read_only=True) as connection:
        return connection.execute("set TimeZone = 'UTC'").execute(sql).fetchall()


def column(root: Path, name: str) -> list[Any]:
    return [row[0] for row in rows(root, f"select {name} from anonymised order by id")]


def salted(salt: str, value: str) -> str:
    return hashlib.sha256((hashlib.sha256(salt.encode()).hexdigest() + value).encode()).hexdigest()


def test_all_that_should_be_built_is_built_and_dbt_has_nothing_to_remark(shelf: Path) -> None:
    wrong = {name: r["message"] for name, r in results(shelf).items() if r["status"] in ("error", "skipped")}
    assert wrong.keys() == MISUSES.keys(), wrong
    output = (shelf / "stdout.txt").read_text("utf-8")
    remarks = re.findall(r".*(?:deprecat|jinja definition|invalid type).*", output, re.IGNORECASE)
    # dbt does not know the arguments of a generic test; the signatures are compared below.
    assert not [remark for remark in remarks if "arguments in the yaml for macro test_" not in remark]


def test_masking_keeps_the_first_or_last_characters_and_never_a_whole_value(shelf: Path) -> None:
    assert column(shelf, "name_first") == ["A***", "O*******", "Z****", None]
    assert column(shelf, "name_first_two") == ["An**", "O'******", "Zo***", None]
    assert column(shelf, "name_last_two") == ["**na", "******en", "*** 🦆", None]
    assert column(shelf, "name_nothing") == ["****", "********", "*****", None]
    assert column(shelf, "mail_first") == ["a" + "*" * 15, "", "*", None]
    assert column(shelf, "born_year") == ["1980******", "1999******", "2000******", None]


def test_a_hash_is_sha256_of_the_salts_hash_and_the_values_text(shelf: Path) -> None:
    assert column(shelf, "name_hash") == [*(salted(SALT, v) for v in ("Anna", "O'Br\"ien", "Zoë 🦆")), None]
    assert column(shelf, "id_hash") == [salted(SALT, str(n)) for n in (1, 2, 3, 4)]


def test_redaction_leaves_a_constant_or_a_null_of_a_type(shelf: Path) -> None:
    assert column(shelf, "name_text") == ["redacted", "redacted", "redacted", None]
    assert column(shelf, "name_quote") == [*["it's \\ gone"] * 3, None]
    assert column(shelf, "born_gone") == [None] * 4
    assert rows(shelf, "select distinct typeof(born_gone) from anonymised") == [("DATE",)]


def test_a_date_is_cut_to_the_beginning_of_its_month_quarter_or_year(shelf: Path) -> None:
    assert column(shelf, "born_month") == [date(1980, 2, 1), date(1999, 12, 1), date(2000, 1, 1), None]
    assert column(shelf, "born_quarter") == [date(1980, 1, 1), date(1999, 10, 1), date(2000, 1, 1), None]
    assert column(shelf, "seen_year") == [*[date(2024, 1, 1)] * 3, None]
    assert column(shelf, "seen_month") == [date(2024, 5, 1), date(2024, 12, 1), date(2024, 1, 1), None]


def test_the_first_reason_that_holds_counts_and_a_good_row_has_none(shelf: Path) -> None:
    assert rows(shelf, "from reasons order by id") == [
        (1, None), (2, "no {mail}"), (3, "ünlucky"), (4, "it's nobody"),
    ]  # fmt: skip


def test_every_country_has_a_region_and_an_unknown_one_is_unassigned(shelf: Path) -> None:
    assert dict(rows(shelf, "from regions")) == {
        "United Kingdom": "uk_and_ireland",
        "  eire ": "uk_and_ireland",
        "GERMANY": "europe",
        "USA": "americas",
        "Japan": "asia_pacific",
        "RSA": "middle_east_and_africa",
        "Atlantis": "unassigned",
        "O'Land": "unassigned",
        "": "unassigned",
        None: "unassigned",
    }


def test_no_country_is_in_two_regions_and_every_country_of_the_shop_is_in_one() -> None:
    text = (STANDARDS / "macros/rules/sales_region.sql").read_text("utf-8")
    mapping = text[text.index("return({") : text.index("}) }}")]
    countries = [name.lower() for name in re.findall(r"'([A-Z][^']*)'", mapping)]
    assert len(countries) == len(set(countries)) > 30
    source = ROOT / "products/shop_orders/data/online_retail.parquet"
    found = duckdb.sql(
        f"select distinct lower(country) from '{source}' where country <> 'Unspecified'"
    ).fetchall()
    assert {country for (country,) in found} <= set(countries)


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_is_refused_in_words(shelf: Path, name: str) -> None:
    result = results(shelf)[name]
    assert result["status"] == "error"
    assert MISUSES[name][1] in " ".join(result["message"].split())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_generic_test_finds_what_is_wrong_and_nothing_else(shelf: Path, case: tuple[Any, ...]) -> None:
    name, _, _, _, _, config, failures = case
    result = results(shelf)[name]
    softly = config.get("severity") == "warn" or "error_if" in config
    assert result["failures"] == failures, result["message"]
    assert result["status"] == ("pass" if not failures else "warn" if softly else "fail")


def test_every_code_of_the_lists_is_there_once() -> None:
    text = (STANDARDS / "macros/codes/iso_codes.sql").read_text("utf-8")
    countries, currencies = (
        re.findall(rf"\b[A-Z]{{{n}}}\b", "".join(re.findall(r"'[A-Z ]+'", text))) for n in (2, 3)
    )
    assert len(countries) == len(set(countries)) == 249
    assert len(currencies) == len(set(currencies)) == 178
    assert countries == sorted(countries)
    assert currencies == sorted(currencies)


def test_without_a_salt_nothing_is_hashed(shelf: Path, tmp_path: Path) -> None:
    root = shutil.copytree(shelf, tmp_path / "shelf", symlinks=True)
    before = column(root, "name_hash")
    for salt in (None, "  "):
        done = dbt(root, "run", "--select", "anonymised", salt=salt)
        assert done.returncode == 1
        assert "set DBT_ENV_SECRET_SALT to a secret text" in results(root)["anonymised"]["message"]
    assert column(root, "name_hash") == before


def test_the_same_salt_gives_the_same_hashes_and_another_gives_others(shelf: Path, tmp_path: Path) -> None:
    root = shutil.copytree(shelf, tmp_path / "shelf", symlinks=True)
    assert dbt(root, "run", "--select", "anonymised").returncode == 0
    assert column(root, "name_hash") == column(shelf, "name_hash")
    assert dbt(root, "run", "--select", "anonymised", salt="12345").returncode == 0
    assert column(root, "name_hash")[:3] == [salted("12345", v) for v in ("Anna", "O'Br\"ien", "Zoë 🦆")]


def test_the_salt_is_in_no_file_and_in_no_output(shelf: Path) -> None:
    spellings = {SALT, SALT.replace("'", "''"), SALT.replace("'", "\\'"), json.dumps(SALT)[1:-1]}
    spellings = {spelling.encode() for spelling in spellings}
    files = [file for folder in ("target", "logs") for file in (shelf / folder).rglob("*") if file.is_file()]
    names = {file.name for file in files}
    assert {"manifest.json", "run_results.json", "anonymised.sql", "dbt.log", "shelf.duckdb"} <= names
    for file in [*files, shelf / "stdout.txt"]:
        content = file.read_bytes()
        assert not any(spelling in content for spelling in spellings), file


def test_every_macro_and_test_and_argument_is_described(shelf: Path) -> None:
    macros = {
        m["name"]: m
        for m in artifact(shelf, "manifest.json")["macros"].values()
        if m["package_name"] == "standards" and "__" not in m["name"]
    }
    assert {"masked", "audit_columns", "sales_region", "test_in_range", "test_monotonic"} <= macros.keys()
    for name, macro in macros.items():
        assert macro["description"].endswith("."), name
        assert [a["name"] for a in macro["arguments"]] == signature(macro), name
        for argument in macro["arguments"]:
            assert argument["description"].endswith("."), (name, argument)
            assert argument["type"], (name, argument)


def signature(macro: Mapping[str, Any]) -> list[str]:
    text = re.search(r"{%-?\s*(?:macro|test)\s+\w+\s*\((.*?)\)\s*-?%}", macro["macro_sql"], re.DOTALL)
    assert text is not None, macro["name"]
    return re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", text[1].strip())


def test_the_readme_shows_every_macro_and_test_that_is_not_for_other_macros(shelf: Path) -> None:
    readme = (STANDARDS / "README.md").read_text("utf-8")
    for macro in artifact(shelf, "manifest.json")["macros"].values():
        name = macro["name"].removeprefix("test_")
        inner = "For other macros" in macro["description"] or "helpers/" in macro["path"] or "type_" in name
        if macro["package_name"] == "standards" and "__" not in name and not inner:
            assert f"standards.{name}" in readme, name


def test_versions_of_project_and_changelog_agree() -> None:
    version = yaml.safe_load((STANDARDS / "dbt_project.yml").read_text("utf-8"))["version"]
    assert (
        re.findall(r"^## (\S+)", (STANDARDS / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[0] == version
    )


def marker(projection: exp.Expr) -> str:
    """Return the anonymiser that a column names; it is a comment on the outermost expression."""
    body = projection.unalias()
    while isinstance(body, exp.Paren):
        body = body.this
    comments = [comment.strip() for comment in body.comments or ()]
    return next((c.removeprefix("anonymiser: ") for c in comments if c.startswith("anonymiser: ")), "")


def test_anonymisers_are_declared_and_lineage_finds_them_in_compiled_sql(shelf: Path) -> None:
    manifest = artifact(shelf, "manifest.json")
    declared = {m["name"] for m in manifest["macros"].values() if m["config"]["meta"].get("anonymiser")}
    assert declared == {"masked", "hashed", "redacted", "truncated_date"}
    sql = manifest["nodes"]["model.shelf.anonymised"]["compiled_code"]
    trees = [parse_one(sql, dialect="duckdb")]
    trees.append(qualify(trees[0].copy(), dialect="duckdb", validate_qualify_columns=False))
    trees.append(parse_one(trees[0].sql(dialect="duckdb", pretty=True), dialect="duckdb"))
    for tree in trees:
        found = {projection.alias_or_name: marker(projection) for projection in tree.selects}
        assert found == {"id": "", **{name: call.split("(")[0] for name, call in ANONYMISED.items()}}


def test_lineage_says_which_columns_are_masked(shelf: Path) -> None:
    project = read_manifest(shelf / "target/manifest.json")
    assert project.anonymisers == {"masked", "hashed", "redacted", "truncated_date"}
    graph = stitch([project])
    found = trace_graph(graph).models["model.shelf.anonymised"]
    masked = {column.column: {source.masking for source in column.direct} for column in found.columns}
    assert masked.pop("id") == {False}
    assert set(masked) == set(ANONYMISED)
    # A column that is redacted whole is made of nothing.
    assert all(flags <= {True} for flags in masked.values())
    assert sum(bool(flags) for flags in masked.values()) > len(masked) / 2


def test_compiled_sql_has_no_holes(shelf: Path) -> None:
    manifest = artifact(shelf, "manifest.json")
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node["test_metadata"]["namespace"] == "standards":
            lines = node["compiled_code"].strip("\n").splitlines()
            assert all(line == line.rstrip() for line in lines), node["name"]
            assert not re.search(r"\n\n\n|\(\n\n|\n\n\s*\)", "\n".join(lines)), node["name"]
    for name in ("anonymised", "reasons", "regions", "loaded_table"):
        sql = manifest["nodes"][f"model.shelf.{name}"]["compiled_code"].strip()
        assert "\n\n" not in sql, name


def loaded(root: Path, table: str) -> list[tuple[Any, ...]]:
    found = rows(
        root, f"select epoch(loaded_at)::bigint, loaded_by, typeof(loaded_at) from {table} order by id"
    )
    assert {row[2] for row in found} == {"TIMESTAMP WITH TIME ZONE"}
    return [row[:2] for row in found]


def test_a_row_tells_when_it_was_loaded_and_by_what(shelf: Path, tmp_path: Path) -> None:
    for table in ("loaded_table", "loaded_incremental", "loaded_snapshot"):
        assert loaded(shelf, table) == [(EPOCH, f"shelf.{table}")] * 4
    assert rows(shelf, "select loaded_by from loaded_versions_v2") == [("shelf.loaded_versions.v2",)]
    assert results(shelf)["loading_can_be_unit_tested"]["status"] == "pass"

    root = shutil.copytree(shelf, tmp_path / "shelf", symlinks=True)
    replace(root / "products/shelf/models/people.sql", "'Anna'", "'Anne'")
    selected = ("--select", "people", "loaded_table", "loaded_incremental", "loaded_snapshot")
    before = artifact(root, "manifest.json")["nodes"]["model.shelf.loaded_table"]["compiled_code"]
    done = dbt(root, "build", *selected, "--threads", "4", SOURCE_DATE_EPOCH=str(EPOCH + 60))
    assert done.returncode == 0, done.stdout
    assert loaded(root, "loaded_table") == [(EPOCH + 60, "shelf.loaded_table")] * 4
    assert [when for when, _ in loaded(root, "loaded_incremental")] == [EPOCH, EPOCH, EPOCH, EPOCH + 60]
    assert sorted(when for when, _ in loaded(root, "loaded_snapshot")) == [*[EPOCH] * 4, EPOCH + 60]
    assert artifact(root, "manifest.json")["nodes"]["model.shelf.loaded_table"]["compiled_code"] == before
    parsed_again = re.findall(r"Partial parsing: updated file: \S+/(\S+)", done.stdout)
    assert parsed_again == ["people.sql"]

    begun = datetime.now(UTC).timestamp()
    assert dbt(root, "run", "--select", "loaded_table").returncode == 0
    (moment,) = {when for when, _ in loaded(root, "loaded_table")}
    assert begun - 1 <= moment <= datetime.now(UTC).timestamp() + 1

    done = dbt(root, "run", "--select", "loaded_table", SOURCE_DATE_EPOCH="yesterday")
    assert done.returncode == 1
    assert "SOURCE_DATE_EPOCH has to be whole seconds since 1970, not 'yesterday'" in done.stdout


def test_the_contract_states_each_test_as_a_rule_with_its_dimension(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_workspace(tmp_path / "mesh")
    shutil.copytree(STANDARDS, root / "standards")
    add_product(
        root,
        "tariffs",
        sql="""\
            select
                cast(id as integer) as id, country, currency, cast(price as double) as price, begins, ends,
                {{ standards.audit_columns() }}
            from (
                values (1, 'DE', 'EUR', 1.5, date '2024-01-01', date '2024-02-01'), (2, 'DE', 'EUR', 2.5, date '2024-02-01', null)
            ) as rows (id, country, currency, price, begins, ends)
        """,
        columns="id:integer:key,country:varchar,currency:varchar,price:double,begins:date,ends:date,"
        "loaded_at:timestamp with time zone,loaded_by:varchar",
    )
    file = root / "products/tariffs/models/_tariffs.yml"
    data = yaml.safe_load(file.read_text("utf-8"))
    (model,) = data["models"]
    span = {"key": "country", "valid_from": "begins", "valid_to": "ends"}
    model["data_tests"] = [
        {"standards.no_overlap": {"arguments": span}},
        {"standards.reconciles_with": {"arguments": {"to": "ref('tariffs')", "sums": ["price"]}}},
    ]
    columns = {c["name"]: c for c in model["columns"]}
    columns["country"]["data_tests"] = ["standards.iso_country"]
    columns["currency"]["data_tests"] = ["standards.iso_currency"]
    columns["price"]["data_tests"] = [
        {"standards.in_range": {"arguments": {"min": 0}, "config": {"severity": "warn"}}},
        {"standards.monotonic": {"arguments": {"order_by": "begins", "key": "country"}}},
    ]
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    assert factory("build").code == 0
    (contract,) = (root / "registry/products").glob("*/*/*/*/contract.odcs.yaml")
    first = contract.read_bytes()
    (table,) = yaml.safe_load(first)["schema"]
    found = {
        (spot, rule_kind(rule)): (rule["dimension"], rule["severity"])
        for spot, rules in [
            ("", table["quality"]),
            *((c["name"], c.get("quality", [])) for c in table["properties"]),
        ]
        for rule in rules
        if "standards." in json.dumps(rule)
    }
    assert found == {
        ("", "no_overlap"): ("consistency", "error"),
        ("", "reconciles_with"): ("consistency", "error"),
        ("country", "iso_country"): ("conformity", "error"),
        ("currency", "iso_currency"): ("conformity", "error"),
        ("price", "in_range"): ("conformity", "warning"),
        ("price", "monotonic"): ("consistency", "error"),
    }
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH + 1))
    assert factory("build", "--full").code == 0
    assert contract.read_bytes() == first


def rule_kind(rule: Mapping[str, Any]) -> str:
    kind = re.search(r"standards\.(\w+)", json.dumps(rule))
    assert kind is not None
    return kind[1]


@pytest.mark.parametrize(
    ("test", "dimension"),
    [
        ("in_range", "conformity"),
        ("iso_country", "conformity"),
        ("iso_currency", "conformity"),
        ("reconciles_with", "consistency"),
        ("no_overlap", "consistency"),
        ("monotonic", "consistency"),
    ],
)
def test_each_generic_test_has_a_dimension(test: str, dimension: str) -> None:
    assert dimension_of(f"standards.{test}") == dimension
