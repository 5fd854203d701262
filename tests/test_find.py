"""`factory search`, `resolve` and `events`: what is published is found, by words, by address and by time."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builders import PROPERTY
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mesh import replace

from factory.periods import moment_of
from factory.questions.search import Corpus, contract_words, find, standing_of
from factory.registry.events import write_event
from factory.standards import schema

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def published(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def checked(name: str, data: Any) -> Any:
    Draft202012Validator(schema(f"{name}.schema.json")).validate(data)
    return data


# resolve


def resolved(factory: Command, address: str, code: int = 0) -> Any:
    result = factory("resolve", address, "--format", "json")
    assert result.code == code, result.err
    return checked("resolve", result.json)


@pytest.mark.parametrize(
    ("address", "urn", "kind"),
    [
        ("shop", "urn:dpf:trade:shop", "product"),
        ("URN:DPF:trade:shop", "urn:dpf:trade:shop", "product"),
        ("shop.shop", "urn:dpf:trade:shop:shop", "contract"),
        ("shop.shop/1", "urn:dpf:trade:shop:shop:1", "port"),
        ("shop.shop/1.orders", "urn:dpf:trade:shop:shop:1:orders", "table"),
        ("urn:dpf:trade:shop:shop:1:orders:amount", "urn:dpf:trade:shop:shop:1:orders:amount", "column"),
    ],
)
def test_an_address_leads_to_what_it_names_and_where_it_lies(
    mesh: Path, factory: Command, address: str, urn: str, kind: str
) -> None:
    found = resolved(factory, address)
    assert (found["address"], found["kind"], found["domain"]) == (urn, kind, "trade")
    (port,) = found["ports"]
    (table,) = port["tables"]
    assert (mesh / port["contract_file"]).is_file() and port["certified_until"]
    assert duckdb.sql(f"from '{table['file']}'").fetchall()
    with duckdb.connect(str(mesh / "ports.duckdb"), read_only=True) as ports:
        assert ports.sql(f"from {table['sql']}").fetchall()
    assert urn in factory("resolve", address).out


def test_a_column_has_its_type_and_a_table_its_columns(mesh: Path, factory: Command) -> None:
    columns = resolved(factory, "shop.shop/1.orders")["columns"]
    assert [c["name"] for c in columns] == ["order_id", "customer_id", "amount"]
    (amount,) = resolved(factory, columns[2]["address"])["columns"]
    assert (amount["type"], amount["physical_type"], amount["description"]) == (
        "number",
        "DOUBLE",
        "The amount.",
    )


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("shpo", "did you mean urn:dpf:trade:shop"),
        ("urn:dpf:other:shop", "did you mean urn:dpf:trade:shop"),
        ("shop.shpo", "did you mean 'shop'"),
        ("shop.shop/7", "there is urn:dpf:trade:shop:shop:1"),
        ("shop.shop/1.order", "did you mean 'orders'"),
        ("shop.shop/1.orders.amout", "did you mean 'amount'"),
        ("urn:isbn:1", "does not begin with"),
        ("SHOP", "is not the name of a product"),
    ],
)
def test_what_is_unknown_is_an_error_with_near_names(
    mesh: Path, factory: Command, address: str, words: str
) -> None:
    result = factory("resolve", address)
    assert result.code == 2 and words in result.err


def test_later_records_are_told_with_who_and_why(mesh: Path, factory: Command) -> None:
    say = ("--by", "ann@example.org", "--reason")
    factory("yank", "shop", "1.0.0", *say, "wrong\x1b[31m currency")
    factory("pause", "shop", *say, "holidays")
    factory("deprecate", "shop.shop/1", *say, "a better one")
    found = resolved(factory, "shop.shop/1")
    assert [s["what"] for s in found["standing"]] == ["paused", "yanked", "deprecated"]
    assert {s["by"] for s in found["standing"]} == {"ann@example.org"}
    result = factory("resolve", "shop.shop/1")
    assert re.search(r"shop/1 yanked 1\.0\.0 on \d{4}-\d\d-\d\d by ann@example.org: wrong", result.out)
    assert "\x1b" not in result.out
    page = factory("show", "shop").out
    assert "Paused on" in page and "holidays" in page and "Shop/1 yanked 1.0.0" in page
    shown = checked("show", factory("show", "shop", "--format", "json").json)
    assert [s["what"] for s in shown["standing"]] == ["paused", "yanked", "deprecated"]
    assert "active, paused, yanked, deprecated" in factory("list").out
    checked("list", factory("list", "--format", "json").json)
    checked("registry", json.loads((mesh / "registry/registry.json").read_bytes()))


def test_a_product_that_was_removed_says_when_and_why(mesh: Path, factory: Command) -> None:
    from factory.registry.control import Word, remove
    from factory.workspace import Workspace

    remove(Workspace(mesh), "board", Word("ann", "nobody reads it", NOW))
    for address in ("board", "urn:dpf:trade:board", "urn:dpf:trade:board:board:1"):
        found = resolved(factory, address, code=1)
        assert found["status"] == "removed" and found["standing"][0]["reason"] == "nobody reads it"
    result = factory("resolve", "board")
    assert (result.code, "removed" in result.out, "nobody reads it" in result.out) == (1, True, True)


def test_a_product_that_moved_answers_to_its_old_address(mesh: Path, factory: Command) -> None:
    from factory.registry.control import Word, remove
    from factory.workspace import Workspace

    remove(Workspace(mesh), "board", Word("ann", "renamed", NOW), "urn:dpf:trade:sales")
    found = resolved(factory, "urn:dpf:trade:board")
    assert found["address"] == "urn:dpf:trade:sales"
    assert (found["standing"][0]["what"], found["standing"][0]["about"]) == ("moved", "urn:dpf:trade:board")
    assert "moved from urn:dpf:trade:board" in factory("resolve", "board").out


def test_moves_in_a_ring_end(mesh: Path, factory: Command) -> None:
    for one, other in (("aa", "bb"), ("bb", "aa")):
        told = {"moved_to": f"urn:dpf:trade:{other}", "reason": "x"}
        write_event(mesh / "registry", f"urn:dpf:trade:{one}", "removed", told, NOW)
    assert factory("resolve", "urn:dpf:trade:aa").code == 2


# search


def hits(factory: Command, *words: str, code: int = 0) -> list[str]:
    result = factory("search", *words, "--format", "json")
    assert result.code == code, result.err
    return [hit["name"] for hit in checked("search", result.json)["hits"]]


def test_all_words_must_be_found_in_names_people_tables_and_columns(mesh: Path, factory: Command) -> None:
    assert hits(factory, "shop") == ["shop"]
    assert hits(factory, "ORDERS", "amount") == ["shop"]
    assert hits(factory, "sales-owner@example.org") == ["sales"]
    assert hits(factory, "rev") == ["board"]
    assert hits(factory, "revenue", "shop", code=1) == []
    assert set(hits(factory, "trade")) == {"shop", "sales", "board"}
    assert hits(factory, "--limit", "1", "trade") == hits(factory, "trade")[:1]


def test_a_search_says_where_it_hit_and_what_it_took_a_word_for(mesh: Path, factory: Command) -> None:
    text = factory("search", "amout").out
    assert "column amount" in text and "Nothing has 'amout'; this is for amount." in text
    nothing = factory("search", "ordrrrs")
    assert nothing.code == 1 and "Did you mean orders" in nothing.out
    assert max(map(len, factory("search", "trade").out.splitlines())) <= 100


def test_what_is_yanked_or_retired_is_not_offered_unless_asked_for(mesh: Path, factory: Command) -> None:
    factory("yank", "shop", "1.0.0", "--reason", "wrong")
    assert hits(factory, "orders", code=1) == []
    assert hits(factory, "orders", "--all") == ["shop"]
    factory("deprecate", "board", "--reason", "old")
    assert hits(factory, "trade") == ["sales", "board"]


def test_the_cache_of_columns_is_made_anew_where_it_is_missing_wrong_or_out_of_date(
    mesh: Path, factory: Command
) -> None:
    cache = mesh / "target/prod/search.json"
    assert hits(factory, "amount") == ["shop"]
    good = cache.read_bytes()
    for bad in (b"", b"{", b"[]", b'{"version": 1, "contracts": {}}', b'{"version": 9, "contracts": 7}',
                re.sub(rb'"words": \{[^}]*\}', b'"words": 7', good)):  # fmt: skip
        cache.write_bytes(bad)
        assert hits(factory, "amount") == ["shop"]
        assert cache.read_bytes() == good
    file = mesh / "products/shop/models/_orders.yml"
    replace(file, "description: The amount.", "description: What it cost in guilders.")
    replace(mesh / "products/shop/contracts/shop.odcs.yaml", "version: 1.0.0", "version: 1.0.1")
    assert factory("build", "shop").code == 0
    assert hits(factory, "guilders") == ["shop"]


def an_entry(name: str, **changes: Any) -> dict[str, Any]:
    contract = {"name": name, "version": "1.0.0", "status": "active", "sha256": name, "ports": []}
    entry = {"id": f"urn:dpf:trade:{name}", "name": name, "domain": "trade", "title": name, "summary": "",
             "owner": "", "team": "", "tags": [], "status": "active", "contracts": [contract]}  # fmt: skip
    return {**entry, **changes}


def found(entries: list[dict[str, Any]], text: str, columns: dict[str, Any] | None = None) -> list[str]:
    return [name for _, _, name, _ in sorted(find(Corpus(entries, columns), text).ranks)]


def test_names_count_more_than_descriptions_and_whole_words_more_than_beginnings() -> None:
    entries = [
        an_entry("alpha", summary="about weather"),
        an_entry("weather"),
        an_entry("weathered"),
        an_entry("beta", title="The weather"),
    ]
    assert found(entries, "weather") == ["weather", "weathered", "beta", "alpha"]


@pytest.mark.parametrize("typo", ["wether", "weathr", "weatherr", "waether", "wexther"])
def test_a_word_may_have_one_letter_wrong(typo: str) -> None:
    assert found([an_entry("weather"), an_entry("rain")], typo) == ["weather"]


def test_texts_with_odd_characters_do_no_harm() -> None:
    entries = [
        an_entry("one", summary="a\x01b\nc\x00"),
        an_entry("two", title="Übersicht ÄÖ 表"),
        an_entry("three"),
    ]
    assert found(entries, "b") == ["one"]
    assert found(entries, "übersicht") == ["two"] == found(entries, "表")
    assert found(entries, "\x01") == [] == found(entries, "...")


@PROPERTY
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.text(max_size=20))
def test_any_text_can_be_looked_for_in_any_text(texts: list[str], text: str) -> None:
    entries = [an_entry(f"p{i}", summary=each) for i, each in enumerate(texts)]
    match = find(Corpus(entries), text)
    assert all(match.where(number) for *_, number in match.ranks)
    for i, each in enumerate(texts):
        words = re.findall(r"[a-z0-9]+", each) if each.isascii() and each == each.lower() else []
        if words:
            assert f"p{i}" in found(entries, words[0])


def test_a_product_stands_as_the_best_of_its_contracts() -> None:
    contracts = [{"status": "active", "yanked": "x"}, {"status": "deprecated"}]
    assert standing_of(an_entry("one", contracts=contracts)) == "deprecated"
    assert standing_of(an_entry("one", contracts=contracts[:1])) == "yanked"
    assert standing_of(an_entry("one", contracts=[], status="draft")) == "draft"


def test_words_of_a_contract_without_tables_are_none() -> None:
    assert contract_words(None)["tables"] == contract_words({"schema": None})["columns"] == []


# events


def faults(event: dict[str, Any]) -> list[str]:
    """Return how an event breaks the rules of CloudEvents 1.0.2 and its JSON format."""
    required = [event.get(name) for name in ("id", "source", "specversion", "type")]
    source, time = str(event.get("source", "")), str(event.get("time", ""))
    texts = [value for name, value in event.items() if isinstance(value, str) and name != "data"]
    rules = {
        "id, source, specversion and type are texts with something in them": all(
            isinstance(value, str) and value for value in required
        ),
        "specversion is 1.0": event.get("specversion") == "1.0",
        "names are up to 20 lower-case letters and digits": all(
            re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event
        ),
        "attributes are texts, booleans or integers": all(
            isinstance(value, str | bool | int) for name, value in event.items() if name != "data"
        ),
        "texts are not empty and have no control characters": all(
            value and not re.search(r"[\x00-\x1f\x7f-\x9f]", value) for value in texts
        ),
        "source is a URI": re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", source),
        "time is by RFC 3339": re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", time)
        and moment_of(time),
        "there is one kind of data": not {"data", "data_base64"} <= event.keys(),
        "datacontenttype is by RFC 2046": re.fullmatch(
            r"[a-z]+/[a-z0-9.+-]+", event.get("datacontenttype", "a/b")
        ),
    }
    return [rule for rule, holds in rules.items() if not holds]


def test_events_are_cloudevents_as_they_lie_there(mesh: Path, factory: Command) -> None:
    factory("yank", "shop", "1.0.0", "--reason", "wrong")
    factory("pause", "shop", "--reason", "holidays")
    told = checked("events", factory("events", "--format", "json").json)
    assert len(told) == 5 and [faults(event) for event in told] == [[]] * 5
    files = [json.loads(f.read_bytes()) for f in (mesh / "registry/events").glob("*/*/*.json")]
    assert sorted(e["id"] for e in files) == sorted(e["id"] for e in told)
    assert all(event in files for event in told)
    assert [e["time"] for e in told] == sorted(e["time"] for e in told)
    assert len({(e["source"], e["id"]) for e in told}) == 5
    lines = factory("events", "--format", "ndjson").out.splitlines()
    assert [json.loads(line) for line in lines] == told


def test_events_are_chosen_by_time_product_and_kind(mesh: Path, factory: Command) -> None:
    factory("yank", "shop", "1.0.0", "--reason", "wrong")
    old = datetime.now(UTC) - timedelta(days=20)
    write_event(mesh / "registry", "urn:dpf:trade:late", "refused", {"reasons": ["no\x1b owner"]}, old)

    def kinds(*arguments: str) -> list[str]:
        data = factory("events", "--format", "json", *arguments).json
        return [event["type"].rpartition(".")[2] for event in data]

    assert kinds("--type", "yanked") == kinds("--type", "org.dataproductfactory.yanked") == ["yanked"]
    assert kinds("--product", "shop") == kinds("--product", "urn:dpf:trade:shop") == ["published", "yanked"]
    assert kinds("--product", "urn:dpf:other:shop") == []
    assert kinds("--type", "refused") == [] and kinds("--type", "refused", "--since", "30d") == ["refused"]
    text = factory("events", "--since", "30d").out
    assert "\x1b" not in text and "no  owner" in text.replace("no owner", "no  owner")
    assert re.search(r"shop +yanked +shop/1 1\.0\.0 +wrong", text)
    assert max(map(len, text.splitlines())) <= 100
    assert factory("events", "--product", "../x").code == 2
    assert factory("events", "--since", "soon").code == 2
    assert "Nothing happened" in factory("events", "--product", "nobody").out


def test_an_event_that_cannot_be_read_is_told_after_the_rest(mesh: Path, factory: Command) -> None:
    file = next((mesh / "registry/events/trade/shop").iterdir())
    file.write_text(file.read_text("utf-8").replace("1.0.0", "1.0.9"), "utf-8")
    result = factory("events")
    assert result.code == 1 and file.name in result.err
    assert "board" in result.out and "sales" in result.out and "shop" not in result.out
    assert factory("events", "--send").code == 2  # there is no webhook
