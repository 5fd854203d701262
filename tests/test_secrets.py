"""Secrets: what of a run's variables is one, how they are kept out of what is published, and what the gate finds."""

from __future__ import annotations

import base64
import importlib.util
import json
import random
import re
import string
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from mesh import add_product, add_shop, make_workspace, replace, write

from factory.documents import dump_yaml, read_yaml
from factory.errors import LeakError, WorkspaceError
from factory.pages import cut_catalog, cut_manifest
from factory.secrets import (
    Gate,
    Place,
    Secrecy,
    Variable,
    Veil,
    fingerprint,
    formats,
    hits_in,
    secrecy_of,
    variables_of,
)
from factory.secrets.variables import forms_of, is_drawn, says_secret
from factory.workspace import find_workspace

CASES = Path(__file__).parent / "cases/secrets"
NAMES = ("API_TOKEN", "warehouse_password", "DB_PASSWD", "DBT_ENV_SECRET_SALT", "AWS_SECRET_ACCESS_KEY", "dsn", "apiKey",
         "SNOWFLAKE_PRIVATE_KEY", "SENTRY_DSN", "GIT_CREDENTIALS", "DBT_ENV_SECRET_NAME", "githubToken")  # fmt: skip
NO_NAMES = ("REGION", "KEYBOARD", "MONKEY", "PASSWORD_FILE", "TOKEN_URL", "SECRET_NAME", "STAGE", "api_version", "key_column",
            "TOKENIZER", "AUTHOR", "COMPASS")  # fmt: skip


@pytest.fixture(scope="module")
def lots() -> ModuleType:
    spec = importlib.util.spec_from_file_location("secret_tokens", CASES / "tokens.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(seed: int, size: int = 20) -> str:
    """A value by lot, so that none stands in this file: letters of both cases and digits."""
    lot = random.Random(f"canary {seed}")
    letters = string.ascii_letters + string.digits
    return "x" + "".join(lot.choice(letters) for _ in range(size - 2)) + "7"


def secret(name: str, value: str, kind: str = "env") -> Variable:
    return Variable(kind, name, value, Secrecy.SECRET)


# What is a secret


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_that_its_value_is_a_secret(name: str) -> None:
    assert says_secret(name)
    assert secrecy_of(name, drawn(0)) is Secrecy.SECRET


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_says_nothing_of_a_secret(name: str) -> None:
    assert not says_secret(name)
    assert secrecy_of(name, "eu-central-1") is Secrecy.PLAIN


@pytest.mark.parametrize("value", ["", "EU", "2024", "true", "12345678", "2024-01-31", "1.11.16", "postgres", "password",
                                   "changeme", "orders", "ORDERS", "warehouse", "/run/secrets/token", "10.0.0.1"])  # fmt: skip
def test_a_value_that_stands_in_any_text_by_chance_is_no_secret(value: str) -> None:
    assert secrecy_of("API_TOKEN", value, named=True) is Secrecy.PLAIN


def test_a_value_is_a_secret_by_its_form_whatever_it_is_called(lots: ModuleType) -> None:
    for name, token in lots.tokens():
        if name.startswith(
            ("GitHub personal", "AWS access", "Databricks token", "Slack bot", "Password in a database")
        ):
            assert secrecy_of("INPUT", token) is Secrecy.SECRET, name
    assert secrecy_of("INPUT", drawn(1)) is Secrecy.SECRET
    assert not is_drawn("customer-orders-of-2024-q1")
    assert not is_drawn("s3://Bucket2/raw/Orders/part")
    for value in ("AcmeCorp/DataMesh2", "DataPlatformTeam1", "feature/ABC-1234-add-orders"):
        assert not is_drawn(value)
    # What no product names is a secret by its name or its format alone.
    assert variables_of({"SESSION": drawn(1)}, [], {}) == ()


def test_an_environment_variable_that_products_name_is_private_and_one_of_dbts_own_is_plain() -> None:
    assert secrecy_of("REGION", "eu-central-1", named=True) is Secrecy.PRIVATE
    assert secrecy_of("region", "eu-central-1") is Secrecy.PLAIN


def test_variables_are_found_in_the_environment_vars_projects_and_profiles_and_can_be_allowed() -> None:
    found = variables_of(
        {"API_TOKEN": drawn(1), "REGION": "eu-central-1", "HOME": "/home/somebody", "LC_ALL": "C"},
        ["REGION"],
        {"shop": {"partner_secret": drawn(2)}, "products_dir": "products", "years": [2023, 2024]},
        {"type": "postgres", "password": drawn(3), "user": "{{ env_var('LOADER') }}"},
    )
    assert [(v.label, str(v.secrecy)) for v in sorted(found, key=lambda v: v.label)] == [
        ("env:API_TOKEN", "secret"),
        ("env:REGION", "private"),
        ("profile:password", "secret"),
        ("var:shop.partner_secret", "secret"),
    ]
    assert variables_of({"API_TOKEN": drawn(1)}, [], {}, allowed=["env:API_TOKEN"]) == ()


# The veil


def test_a_literal_of_sql_says_which_variable_it_holds() -> None:
    variables = variables_of(
        {"API_TOKEN": drawn(1), "REGION": "eu-central-1", "WHO": "o'hara & sons"},
        ["REGION", "WHO"],
        {"k_secret": drawn(2)},
    )
    veil = Veil(variables)
    assert veil.sql(f"CONCAT('{drawn(1)}', id)") == "CONCAT('{{ env_var('API_TOKEN') }}', id)"
    assert veil.sql("region = 'eu-central-1'") == "region = '{{ env_var('REGION') }}'"
    assert veil.sql("who = 'o''hara & sons'") == "who = '{{ env_var('WHO') }}'"
    assert veil.sql(f"x = 'https://h/?k={drawn(2)}&r=1'") == "x = 'https://h/?k={{ var('k_secret') }}&r=1'"
    assert veil.sql(f"col_{drawn(1)}") == "col_{{ env_var('API_TOKEN') }}"
    # Outside of a literal a private value is a name in the database, which is no secret.
    assert veil.sql('"eu-central-1".orders') == '"eu-central-1".orders'
    assert veil.sql("'neu-central-10'") == "'neu-central-10'"


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=6, max_size=40).map(
    str.strip
)


@given(value=SECRETS, around=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_a_veiled_text_holds_no_secret_and_comes_out_of_the_veil_as_it_went_in(
    value: str, around: str
) -> None:
    if secrecy_of("API_TOKEN", value) is not Secrecy.SECRET:
        return
    veil = Veil([secret("API_TOKEN", value)])
    once = veil.sql(f"{around} '{value.replace(chr(39), chr(39) * 2)}' {around}")
    assert veil.sql(once) == once
    assert (
        not Gate([secret("API_TOKEN", value)])._hits(once.replace("{{ env_var('API_TOKEN') }}", ""))
        or value in around
    )


def test_values_inside_values_and_results_are_veiled_and_nothing_else_changes() -> None:
    veil = Veil([secret("API_TOKEN", drawn(1)), secret("LONG_TOKEN", drawn(1) + drawn(2))])
    assert veil.text(f"a {drawn(1)}{drawn(2)} b") == "a {{ env_var('LONG_TOKEN') }} b"
    value = {"reasons": (f"cannot cast {drawn(1)}", "fine"), "rows": [1, None, 2.5]}
    assert veil.over(value) == {
        "reasons": ("cannot cast {{ env_var('API_TOKEN') }}", "fine"),
        "rows": [1, None, 2.5],
    }
    assert Veil().over(value) is value


def test_of_a_contract_only_what_is_made_is_veiled() -> None:
    veil = Veil([secret("API_TOKEN", drawn(1)), Variable("env", "REGION", "eu-central-1", Secrecy.PRIVATE)])
    document = {
        "description": {"purpose": f"Ask with {drawn(1)} in eu-central-1"},
        "schema": [
            {
                "properties": [{"name": "a", "transformLogic": f"CONCAT('{drawn(1)}', 'eu-central-1')"}],
                "quality": [{"name": f"is {drawn(1)}", "query": f"select '{drawn(1)}'"}, {"mustBe": 1}],
                "customProperties": [
                    {"property": "relationName", "value": f"read_csv('https://h/{drawn(1)}')"}
                ],
            }
        ],
    }
    veiled = veil.document(document)
    table = veiled["schema"][0]
    assert (
        table["properties"][0]["transformLogic"]
        == "CONCAT('{{ env_var('API_TOKEN') }}', '{{ env_var('REGION') }}')"
    )
    assert table["quality"][0]["name"] == "is {{ env_var('API_TOKEN') }}"
    assert table["customProperties"][0]["value"] == "read_csv('https://h/{{ env_var('API_TOKEN') }}')"
    # People wrote these, or they are run again: the gate refuses them.
    assert [leak.path for leak in Gate([secret("API_TOKEN", drawn(1))]).look([Place("c", data=veiled)])] == [
        "description.purpose",
        "schema[0].quality[0].query",
    ]
    assert veiled["description"] == document["description"]


# The gate


def test_nearly_all_tokens_of_150_formats_are_found_wherever_they_stand(lots: ModuleType) -> None:
    gate = Gate()
    around = ("{}", "select '{}' as x from t", "key: {}\n", "the value {}, as told", "| {} |")
    missed, tried = [], 0
    for seed, text in enumerate(around):
        for name, token in lots.tokens(seed):
            tried += 1
            if not gate.look([Place("x", text.format(token))]):
                missed.append(name)
    assert tried >= 5 * 150
    assert len(missed) <= 0.02 * tried, missed


def test_no_token_is_shown_when_it_is_told(lots: ModuleType) -> None:
    for name, token in lots.tokens(3):
        text = f"first line\nsecond: {token} and more\n"
        for leak in Gate().look([Place("file.yml", text)]):
            told = leak.words()
            assert leak.line >= 2, name
            hidden = max(re.findall(r"[A-Za-z0-9]+", token), key=len)
            assert len(hidden) < 12 or hidden not in told, (name, told)


def test_hashes_ids_names_and_sql_are_no_secrets(lots: ModuleType) -> None:
    texts = list(lots.harmless())
    assert len(texts) >= 300
    gate = Gate()
    assert [(text, leak.kind) for text in texts for leak in gate.look([Place("x", text)])] == []


def test_the_repositorys_own_products_and_documents_hold_none() -> None:
    from factory.secrets.files import places

    root = Path(__file__).parents[1]
    folders = [
        root / name for name in ("products", "standards", "templates", "docs", "README.md", "factory/schemas")
    ]
    assert [leak.words() for leak in Gate().look(places(folders))] == []


def test_every_format_has_a_name_a_pattern_and_a_source_of_its_own() -> None:
    names = [each.name for each in formats()]
    assert len(names) == len(set(names)) >= 150
    for each in formats():
        assert each.source.startswith(("https://", "gitleaks:", "detect-secrets:")), each.name
        assert all(each.anchors), each.name


@pytest.mark.parametrize(
    "how", ["{}", "in base64", "URL-encoded", "in hexadecimal", "as HTML", "JSON", "SQL", "line"]
)
def test_a_variables_value_is_found_in_every_form(how: str) -> None:
    value = f"p&ss 'w\"ö{drawn(4)}"
    written = {
        "{}": value,
        "in base64": base64.b64encode(f"user:{value}!".encode()).decode(),
        "URL-encoded": f"https://h/?p={quote(value, safe='')}",
        "in hexadecimal": value.encode().hex(),
        "as HTML": value.replace("&", "&amp;").replace("'", "&#x27;").replace('"', "&quot;"),
        "JSON": json.dumps(value),
        "SQL": value.replace("'", "''"),
        "line": value,
    }[how]
    known = secret("DB_PASSWORD", f"first\n{value}\nlast" if how == "line" else value)
    (leak,) = Gate([known]).look([Place("a.txt", f"one\ntwo {written} three\n")])
    assert leak.kind.startswith("value of the environment variable DB_PASSWORD")
    assert (leak.line, leak.where) == (2, "a.txt")
    assert drawn(4) not in leak.words() and written not in leak.words()


@given(value=st.binary(min_size=8, max_size=30), before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_value_is_found_in_the_base64_of_anything_around_it(
    value: bytes, before: bytes, after: bytes
) -> None:
    text = value.hex()
    encoded = base64.urlsafe_b64encode(before + text.encode() + after).decode()
    assert any(form in encoded for form in forms_of(text))


def test_a_short_value_is_found_as_a_word_and_not_inside_one() -> None:
    gate = Gate([secret("DB_PASSWORD", "Tr0ub4")])
    assert len(gate.look([Place("x", "password Tr0ub4, and (Tr0ub4)")])) == 1  # once per line
    assert gate.look([Place("x", "aTr0ub4 Tr0ub4s")]) == ()


def test_a_leak_tells_file_line_column_field_and_a_masked_line() -> None:
    token = "ghp_" + drawn(5, 36)
    data = {"schema": [{"name": "orders", "description": f"Ask with {token}; not with {drawn(6)}"}]}
    text = dump_yaml(data)
    (first, second) = Gate([secret("OTHER_TOKEN", drawn(6))]).look([Place("c.odcs.yaml", text, data)])
    assert first.place == "c.odcs.yaml:3:25 (schema[0].description)"
    assert first.kind == "GitHub personal access token"
    assert first.excerpt == second.excerpt == "description: Ask with ghp_****; not with ****"
    assert second.kind == "value of the environment variable OTHER_TOKEN"
    assert re.fullmatch(r"[0-9a-f]{16}", first.fingerprint)
    assert set(first.values()) == {"where", "line", "column", "path", "kind", "excerpt", "fingerprint"}


def test_a_secret_that_yaml_breaks_over_lines_is_found_by_its_field() -> None:
    value = " ".join(drawn(n, 12) for n in range(12))
    data = {"description": {"usage": f"Say {value} to the door, and it opens."}}
    text = dump_yaml(data)
    assert value not in text
    (leak,) = Gate([secret("PASSPHRASE", value)]).look([Place("p.yaml", text, data)])
    assert leak.path == "description.usage"


def test_a_value_beside_its_name_is_an_assignment_in_a_document() -> None:
    data = {"customProperties": [{"property": "apiToken", "value": drawn(7, 12)}]}
    (leak,) = Gate().look([Place("p", data=data)])
    assert leak.path == "customProperties[0].value"


def test_a_false_alarm_is_allowed_by_its_fingerprint() -> None:
    token = "ghp_" + drawn(8, 36)
    gate = Gate(allowed=[fingerprint(token)])
    assert gate.look([Place("x", f"see {token}")]) == ()
    assert len(gate.look([Place("x", f"see {token[:-1]}8")])) == 1
    with pytest.raises(LeakError, match="GitHub personal") as caught:
        Gate().refuse([Place("x", f"see {token}")])
    assert caught.value.exit_code == 1
    assert fingerprint(token) in caught.value.message
    assert token not in caught.value.message


@pytest.mark.parametrize("entry", ['"hunter2-is-a-secret"', "17", '"env:"'])
def test_a_secret_cannot_be_allowed_by_writing_it_down(tmp_path: Path, entry: str) -> None:
    root = make_workspace(tmp_path / "mesh")
    write(root / "pyproject.toml", f"[tool.factory]\nsecrets_allowed = [{entry}]\n")
    with pytest.raises(WorkspaceError, match="secrets_allowed") as caught:
        find_workspace(root)
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=300))
def test_the_gate_reads_any_text(text: str) -> None:
    for hit in hits_in(text):
        assert 0 <= hit.start < hit.end <= len(text)


def test_texts_that_are_made_to_be_slow_are_not() -> None:
    hostile = ["password=" + "a-" * 50_000 + "!", "://" + "a" * 100_000, "eyJ" * 30_000, "token: " * 20_000, "-" * 100_000,
               "a" * 200_000 + "AZDO", "[A-Za-z0-9]" * 10_000, "aws " * 30_000, "key-" * 30_000, 'secret="' * 20_000]  # fmt: skip
    for text in hostile:
        started = time.process_time()
        hits_in(text)
        assert time.process_time() - started < 2.0, text[:20]


# What dbt's documentation holds


def test_the_documentation_page_holds_only_fields_that_it_reads() -> None:
    node = {"name": "orders", "raw_code": "select 1", "config": {"materialized": "table", "pre_hook": ["set x = 'y'"]},
            "root_path": "/home/somebody", "unrendered_config": {"a": 1}, "columns": {"a": {"name": "a", "x": 1}},
            "test_metadata": {"name": "unique", "kwargs": {"column_name": "a"}, "y": 2}}  # fmt: skip
    cut = cut_manifest(
        {
            "metadata": {"env": {"A": "b"}, "adapter_type": "duckdb", "user_id": "u", "invocation_id": "i"},
            "nodes": {"model.a.b": node},
            "parent_map": {"model.a.b": []},
            "vars": {"x": "y"},
            "args": {"profiles_dir": "/home"},
        }
    )
    assert cut["metadata"] == {"adapter_type": "duckdb"}
    assert cut["nodes"]["model.a.b"] == {
        "name": "orders", "raw_code": "select 1", "config": {"materialized": "table"}, "columns": {"a": {"name": "a"}},
        "test_metadata": {"name": "unique", "kwargs": {"column_name": "a"}},
    }  # fmt: skip
    assert "vars" not in cut and "args" not in cut
    assert cut_catalog({"metadata": {"env": {"A": "b"}}, "nodes": {}, "errors": ["x"]}) == {
        "metadata": {}, "nodes": {}, "errors": None,
    }  # fmt: skip


# Twenty canaries through ten channels


def canaries() -> dict[str, str]:
    """Name and value of each canary; those of dbt's secrets, of custom variables and of passwords among them."""
    names = ("SQL_TOKEN", "JOIN_TOKEN", "FILTER_PASSWORD", "MACRO_SECRET", "CONFIG_TOKEN", "HOOK_PASSWORD", "TAG_API_KEY",
             "META_TOKEN", "COLUMN_META_SECRET", "DESCRIPTION_TOKEN", "DBT_ENV_CUSTOM_ENV_TOKEN", "DBT_ENV_SECRET_SALT",
             "DBT_ENV_SECRET_GIT", "LOG_TOKEN", "ERROR_PASSWORD", "ERROR_TOKEN", "NOTEBOOK_TOKEN", "CHECK_SECRET", "vars_token",
             "project_secret")  # fmt: skip
    return {name: drawn(100 + number, 24) for number, name in enumerate(names)}


def make_watched_mesh(root: Path) -> Path:
    """A mesh with canaries where nobody means to publish them (`shop`), where people did (`told`), and in errors (`broken`)."""
    make_workspace(root)
    shop = add_shop(root)
    values = canaries()
    write(
        shop / "models/orders.sql",
        """\
        {{ config(pre_hook="select '{{ env_var(\\"HOOK_PASSWORD\\") }}'") }}
        {% do log(env_var('LOG_TOKEN'), info=True) %}
        with source as (
            select * from {{ source('raw', 'orders') }}
            where 'x{{ env_var("FILTER_PASSWORD") }}' <> amount::varchar
        )
        select
            cast(order_id as integer) as order_id,
            cast(customer_id as integer) as customer_id,
            cast(amount as double) as amount,
            {{ secretive() }} || customer_id::varchar as badge,
            md5('{{ env_var("SQL_TOKEN") }}' || order_id::varchar) as mark,
            '{{ var("vars_token") }}' || '{{ var("project_secret") }}' || customer_id as code,
            case when customer_id::varchar = '{{ env_var("JOIN_TOKEN") }}' then '{{ env_var("DBT_ENV_CUSTOM_ENV_TOKEN") }}'
                 else 'eu-central-1' end as place
        from source
        """,
    )
    write(
        shop / "macros/secretive.sql",
        "{% macro secretive() %}'{{ env_var('MACRO_SECRET') }}'{% endmacro %}\n",
    )
    replace(
        shop / "models/_orders.yml",
        "description: The amount.\n",
        "description: The amount.\n"
        + "".join(
            f"      - {{name: {n}, data_type: varchar, description: The {n}.}}\n"
            for n in ("badge", "mark", "code", "place")
        ),
    )
    replace(
        shop / "models/_orders.yml",
        "    columns:\n",
        "    data_tests:\n      - dbt_expression:\n          arguments: {expression: \"amount::varchar <> '{{ env_var('CHECK_SECRET') }}'\"}\n    columns:\n",
    )
    write(
        shop / "macros/expression.sql",
        "{% test dbt_expression(model, expression) %}select * from {{ model }} where not ({{ expression }}){% endtest %}\n",
    )
    with (shop / "dbt_project.yml").open("a", encoding="utf-8") as file:
        file.write(f"vars:\n  project_secret: {values['project_secret']}\n  vars_token: none\n")
    add_product(root, "told", sql="select 1 as a\n", columns="a:integer")
    replace(
        root / "products/told/models/_told.yml",
        "    description: The output port told.\n",
        "    description: \"Ask with {{ env_var('DESCRIPTION_TOKEN') }}.\"\n",
    )
    replace(
        root / "products/told/models/_told.yml",
        "materialized: table,",
        "materialized: table, meta: {door: \"{{ env_var('META_TOKEN') }}\"}, tags: [\"{{ env_var('TAG_API_KEY') }}\"],",
    )
    replace(
        root / "products/told/models/_told.yml",
        "description: The a.\n",
        "description: The a.\n        config: {meta: {way: \"{{ env_var('COLUMN_META_SECRET') }}\"}}\n",
    )
    replace(
        root / "products/told/product.odps.yaml",
        "  purpose: What told is for.",
        f"  purpose: Clone https://x-access-token:{values['DBT_ENV_SECRET_GIT']}@git.example.org/told.git",
    )
    write(
        root / "products/told/models/exposures.yml",
        f"""\
        exposures:
          - name: notebook
            type: notebook
            url: https://notebooks.example.org/?output={values["NOTEBOOK_TOKEN"]}
            owner: {{email: a@example.org}}
            depends_on: ["ref('told')"]
        """,
    )
    add_product(
        root,
        "broken",
        sql="""\
            {{ config(tags=[env_var("CONFIG_TOKEN")]) }}
            select cast('{{ env_var("ERROR_PASSWORD") }}' || '{{ env_var("ERROR_TOKEN") }}' as integer) as a
        """,
        columns="a:integer",
    )
    return root


def published_files(root: Path) -> Iterator[Path]:
    for name in (
        "registry",
        "ports",
        "target/prod/docs/index.html",
        "target/prod/openlineage",
        "ports.duckdb",
    ):
        path = root / name
        yield from (
            sorted(f for f in path.rglob("*") if f.is_file())
            if path.is_dir()
            else [path]
            if path.is_file()
            else []
        )


def found_in(files: Iterator[Path] | list[Path], values: dict[str, str]) -> list[str]:
    """Where a value stands: as it is, in base64 or URL-encoded. Tables are for checks: their rows are what a product makes."""
    found = []
    for file in files:
        if file.suffix in (".parquet", ".duckdb"):
            continue
        text = file.read_bytes().decode("utf-8", "replace")
        found += [
            f"{name} in {file}"
            for name, value in values.items()
            if any(form in text for form in forms_of(value))
        ]
    return found


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_watched_mesh(tmp_path / "mesh")
    for name, value in canaries().items():
        if name.isupper():
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(root)
    return root


def test_twenty_canaries_through_ten_channels_reach_no_published_file(
    watched: Path, factory: Command
) -> None:
    values = canaries()
    assert len(values) == 20
    variables = json.dumps({"vars_token": values["vars_token"]})
    result = factory("build", "--vars", variables, "--format", "json")
    outcomes = {product["name"]: product for product in result.json["products"]}
    assert {name: product["outcome"] for name, product in outcomes.items()} == {
        "shop": "certified", "told": "refused", "broken": "refused",
    }, result.out  # fmt: skip
    assert found_in(published_files(watched), values) == []
    assert not any(value in result.out + result.err for value in values.values())

    # What is made from SQL says which variable it holds, and where a person wrote one, the place is told.
    contract = watched / "registry/products/trade/shop/shop/1.0.0/contract.odcs.yaml"
    columns = {c["name"]: c for c in read_yaml(contract).data["schema"][0]["properties"]}
    assert "'{{ env_var('SQL_TOKEN') }}'" in columns["mark"]["transformLogic"]
    assert "'{{ env_var('MACRO_SECRET') }}'" in columns["badge"]["transformLogic"]
    assert "'{{ var('vars_token') }}'" in columns["code"]["transformLogic"]
    assert "'eu-central-1'" in columns["place"]["transformLogic"]
    reasons = " ".join(outcomes["told"]["reasons"])
    for place in (
        "schema[0].description",
        "environment variable DESCRIPTION_TOKEN",
        "environment variable META_TOKEN",
    ):
        assert place in reasons
    assert not (watched / "registry/products/trade/told").exists()
    assert "broken could not be built" in " ".join(outcomes["broken"]["reasons"])

    # A published contract is the same on the next run.
    before = contract.read_bytes()
    again = factory("build", "shop", "--full", "--vars", variables, "--format", "json")
    assert again.code == 0, again.out
    assert contract.read_bytes() == before
    assert [p["published"] for p in again.json["products"]] == [False]


def test_the_documentation_is_refused_with_the_place_and_written_when_the_secret_is_gone(
    watched: Path, factory: Command
) -> None:
    values = canaries()
    refused = factory("docs")
    assert refused.code == 1, refused.out
    assert "model.broken.broken in broken/models/broken.sql: config.tags[0]" in refused.err
    assert "environment variable CONFIG_TOKEN" in refused.err
    assert "model.told.told in told/models/told.sql: description" in refused.err
    assert not any(value in refused.err for value in values.values())
    assert not (watched / "target/prod/docs/index.html").exists()
    for file in sorted((watched / "products/told").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    (watched / "products/told").rmdir()
    replace(watched / "products/broken/models/broken.sql", '{{ config(tags=[env_var("CONFIG_TOKEN")]) }}', "")
    written = factory("docs")
    assert written.code == 0, written.err
    page = (watched / "target/prod/docs/index.html").read_text("utf-8")
    assert found_in([watched / "target/prod/docs/index.html"], values) == []
    assert "env_var('ERROR_PASSWORD')" in page
    assert str(watched) not in page


def test_what_dbt_says_of_a_mistake_holds_no_secret(watched: Path, factory: Command) -> None:
    write(
        watched / "products/broken/models/broken.sql",
        """{{ exceptions.raise_compiler_error('cannot reach ' ~ env_var('ERROR_PASSWORD')) }}\n""",
    )
    result = factory("build")
    assert result.code == 2
    assert "cannot reach {{ env_var('ERROR_PASSWORD') }}" in result.err
    assert canaries()["ERROR_PASSWORD"] not in result.out + result.err


def test_an_error_of_the_database_is_recorded_without_the_value(watched: Path, factory: Command) -> None:
    write(
        watched / "products/broken/models/broken.sql",
        """select error('no row for ' || '{{ env_var("ERROR_TOKEN") }}') as a\n""",
    )
    result = factory("build", "broken", "--format", "json")
    assert result.code == 1, result.err
    assert found_in(published_files(watched), canaries()) == []
    assert canaries()["ERROR_TOKEN"] not in result.out


def test_a_token_that_stands_in_sql_itself_is_refused_and_not_recorded(
    tmp_path: Path, factory: Command
) -> None:
    root = make_workspace(tmp_path / "mesh")
    token = "ghp_" + drawn(11, 36)
    add_product(root, "plain", sql=f"select 1 as a, '{token}' as b\n", columns="a:integer,b:varchar")
    add_product(root, "noisy", sql=f"select error('cannot clone with {token}') as a\n", columns="a:varchar")
    result = factory("-C", root, "build", "--format", "json")
    assert result.code == 2  # the gravest: SQL that does not run
    reasons = {product["name"]: " ".join(product["reasons"]) for product in result.json["products"]}
    assert "contract plain 1.0.0: schema[0].properties[1].transformLogic" in reasons["plain"]
    assert "GitHub personal access token" in reasons["plain"]
    codes = {
        product["name"]: product["exit_code"] for product in result.json["products"] if "exit_code" in product
    }
    assert codes.get("plain", 1) == 1
    assert token not in result.out + result.err
    assert found_in(published_files(root), {"token": token}) == []
    assert not (root / "registry/products/trade/plain").exists()


def test_the_command_finds_what_somebody_put_into_the_registry(watched: Path, factory: Command) -> None:
    token = "ghp_" + drawn(9, 36)
    write(watched / "registry/products/a/b/note.json", json.dumps({"note": [f"clone with {token}"]}))
    write(watched / "elsewhere.md", f"# Notes\n\nThe token is {canaries()['LOG_TOKEN']}.\n")
    found = factory("secrets", "--format", "json")
    assert found.code == 1
    (leak,) = found.json["leaks"]
    assert (leak["where"], leak["path"], leak["kind"]) == (
        "registry/products/a/b/note.json", "note[0]", "GitHub personal access token",
    )  # fmt: skip
    assert token not in found.out
    text = factory("secrets", "elsewhere.md")
    assert text.code == 1
    assert "elsewhere.md:3:14" in text.out
    assert "environment variable LOG_TOKEN" in text.out
    assert canaries()["LOG_TOKEN"] not in text.out
    clean = factory("secrets", "products/shop/models")
    assert (clean.code, clean.out[:9]) == (0, "No secret"), clean.out
    with (watched / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'secrets_allowed = ["{leak["fingerprint"]}"]\n')
    assert factory("secrets").code == 0


def test_looking_is_small_beside_a_build() -> None:
    """A contract of 100 kB in well under a tenth of a second of CPU."""
    columns = [
        {
            "name": f"column_{n}",
            "description": "How much it is, in USD.",
            "transformLogic": f"SUM(amount_{n}) * 2",
        }
        for n in range(700)
    ]
    data: dict[str, Any] = {"schema": [{"name": "orders", "properties": columns}]}
    formats()
    gate = Gate([secret(f"TOKEN_{n}", drawn(n)) for n in range(20)])
    assert gate.look([Place("contract", data=data)]) == ()
