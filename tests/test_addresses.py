"""Addresses: they go round, and no hostile name leads out of the registry."""

# ruff: noqa: PT017, RUF001  (names that look alike are what is tested, and any error will do)

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
from builders import PROPERTY
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st

from factory.addresses import Address, address_of
from factory.errors import FactoryError, OutsideError, RegistryError
from factory.files import within
from factory.registry import Registry, control, current_snapshot, read_index
from factory.registry.control import Word
from factory.registry.events import events_folder, read_events, write_event
from factory.registry.ports import port_folder
from factory.registry.rollback import rollback
from factory.registry.runs import last_run, write_run
from factory.registry.store import Place
from factory.registry.views import open_ports, refresh_ports_database
from factory.workspace import Workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DOMAINS = st.from_regex(r"\A[a-z][a-z0-9-]{1,62}\Z")
NAMES = st.from_regex(r"\A[a-z][a-z0-9_]{1,62}\Z").filter(lambda name: name != "product")
TABLES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    parts = [
        draw(DOMAINS),
        draw(NAMES),
        draw(NAMES),
        str(draw(st.integers(0, 999_999))),
        draw(TABLES),
        draw(TABLES),
    ]
    return Address(*parts[: draw(st.integers(2, 6))])


@PROPERTY
@given(addresses())
def test_an_address_goes_round(address: Address) -> None:
    assert address_of(str(address)) == address
    assert address_of(str(address).replace("urn:dpf:", "URN:Dpf:")) == address
    assert str(address).isascii() and not any(c.isspace() for c in str(address))
    assert str(address).count(":") == 1 + sum(map(bool, (address.domain, address.product, address.contract,
                                                         address.major, address.table, address.column)))  # fmt: skip


@PROPERTY
@given(NAMES, NAMES, st.integers(0, 99), TABLES)
def test_a_short_form_goes_round(product: str, contract: str, major: int, table: str) -> None:
    assert address_of(product) == Address("", product)
    assert address_of(f"{product}.{contract}/{major}") == Address("", product, contract, str(major))
    if "." not in table and table == table.strip():
        assert address_of(f"{product}.{contract}/{major}.{table}.id").table == table


@PROPERTY
@given(st.text(max_size=80))
def test_any_text_is_an_address_or_is_told_why_not(text: str) -> None:
    for given_text in (text, f"urn:dpf:{text}", f"urn:dpf:trade:shop:shop:1:{text}"):
        try:
            address = address_of(given_text)
        except ValueError as error:
            assert str(error)
        else:
            assert address_of(str(address)) == address if address.domain else address.product


@pytest.mark.parametrize(
    ("urn", "table"),
    [
        ("urn:dpf:trade:shop:shop:1:order%20lines", "order lines"),
        ("urn:dpf:trade:shop:shop:1:%22Orders%22", '"Orders"'),
        ("urn:dpf:trade:shop:shop:1:a%3Ab", "a:b"),
        ("urn:dpf:trade:shop:shop:1:100%25", "100%"),
        ("urn:dpf:trade:shop:shop:1:%C3%BCber%2Fsicht", "über/sicht"),
        ("urn:dpf:trade:shop:shop:1:%c3%bcber%2fsicht", "über/sicht"),
        ("urn:dpf:trade:shop:shop:1:'%2E.%2F'", "'../'"),
        ("urn:dpf:trade:shop:shop:1:%E8%A1%A8", "表"),
    ],
)
def test_names_of_tables_are_percent_encoded(urn: str, table: str) -> None:
    assert address_of(urn).table == table
    assert address_of(str(address_of(urn))).table == table


#: Names that lead out of a folder, are none on some systems, or look like another (mark U4: sixty names).
HOSTILE = [
    "..", ".", "", "../x", "../../x", "../../../../etc/passwd", "/etc/passwd", "//etc/passwd", "/", "x/..", "x/../..",
    "x/../../../y", "./x", "x/./y", "x//y", "x/", "..\\x", "\\x", "x\\..\\y", "C:\\x", "C:x", "c:/x", "\\\\host\\x",
    "\\\\?\\C:\\x", "%2e%2e", "%2e%2e/x", "%2e%2e%2fx", "..%2fx", "..%5cx", "%252e%252e/x", "x\x00", "\x00", "x\x00/../y",
    "x\n", "x\ry", "x\ty", "\x1b[2J", "x" * 300, "ü" * 200, "CON", "con", "nul", "com1.txt", "aux.", "x.", "x ", " x",
    "...", "~", "~root", "$HOME", "`id`", "$(id)", "*", "?", "[a-z]", "ＡＢＣ", "．．", "‥", "\u202eshop", "shop\u200b", "ѕhop",
    "SHOP", "Shop", "shop:x", "-rf", "-", "\udcff", "{product}", "file:///etc/passwd", "http://127.0.0.1:9/x",
]  # fmt: skip


@pytest.fixture(scope="module")
def published(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "yard/mesh"
    shutil.copytree(published, copy, symlinks=True)
    (tmp_path / "yard/x").mkdir()
    (tmp_path / "yard/x/secret.json").write_text('{"secret": true}', "utf-8")
    monkeypatch.chdir(copy)
    return copy


def content(folder: Path) -> dict[str, str]:
    return {
        f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() if f.is_file() else ""
        for f in sorted(folder.rglob("*"))
    }


def attempts(ws: Workspace, name: str) -> Iterator[Callable[[], Any]]:
    """Yield whatever makes a path of a name."""
    registry, place = Registry(ws), Place("trade", "shop")
    yield lambda: registry.versions(name, "shop")
    yield lambda: registry.versions("trade", name)
    yield lambda: registry.published_text(Place(name, "shop"), "shop", "1.0.0")
    yield lambda: registry.published_text(place, name, "1.0.0")
    yield lambda: registry.published_text(place, "shop", name)
    yield lambda: registry.published_product(place, name)
    yield lambda: registry.expires(place, name, "1.0.0")
    yield lambda: registry.revoke(place, "shop", name, ["no"], NOW)
    yield lambda: registry.first_published("trade", name)
    yield lambda: read_events(ws.registry, "trade", name)
    yield lambda: read_events(ws.registry, name, "shop")
    yield lambda: last_run(ws.registry, "trade", name)
    yield lambda: current_snapshot(ws, "trade", name, "shop", 1)
    yield lambda: current_snapshot(ws, name, "shop", "shop", 1)
    yield lambda: current_snapshot(ws, "trade", "shop", name, 1)
    word = Word("ann", "why", NOW)
    yield lambda: control.yank(ws, name, "1.0.0", word)
    yield lambda: control.yank(ws, "shop", name, word)
    yield lambda: control.pause(ws, f"urn:dpf:trade:{name}", word)
    yield lambda: control.remove(ws, f"urn:dpf:{name}:shop", word)
    if name not in ("con", "nul"):  # which are names like others
        yield lambda: control.remove(ws, "shop", word, f"urn:dpf:trade:{name}")
    yield lambda: rollback(ws, name, word)
    yield lambda: rollback(ws, "shop", word, name or "../x")
    yield lambda: rollback(ws, "shop", word, "", name or "../x")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_reads_and_writes_nothing_outside_its_folder(mesh: Path, name: str) -> None:
    ws = Workspace(mesh)
    before = content(mesh.parent)
    for attempt in attempts(ws, name):
        try:
            found = attempt()
        except FactoryError as error:
            assert error.message and "\x1b" not in error.message and "\x00" not in error.message
        else:
            assert not found or found == {"secret": False}
    after = content(mesh.parent)
    assert after.pop("mesh/registry/.lock", "") == before.pop("mesh/registry/.lock", "")
    assert after == before


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_what_is_written_under_a_hostile_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / "a/b/registry"
    root.mkdir(parents=True)
    for attempt in (
        lambda: write_event(root, f"urn:dpf:{name}:shop", "yanked", {}, NOW),
        lambda: write_event(root, f"urn:dpf:trade:{name}", "yanked", {}, NOW),
        lambda: write_run(root, "trade", name, {}, NOW),
        lambda: write_run(root, "trade", "shop", {}, NOW, name or "x"),
    ):
        try:
            attempt()
        except FactoryError as error:
            assert error.message
    outside = [f for f in tmp_path.rglob("*") if not f.is_relative_to(root) and f not in root.parents]
    assert [f for f in outside if f != tmp_path / "home"] == []


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_commands_refuse_a_hostile_name(mesh: Path, factory: Command, name: str) -> None:
    before = content(mesh.parent)
    for command in (
        ["resolve", "--", name],
        ["show", "--", name],
        ["events", f"--product={name}", "--since=1d"],
    ):
        if "\x00" not in name and name:
            assert factory(*command).code in (0, 1, 2)
    assert factory("resolve", f"urn:dpf:trade:shop:shop:1:{quote(name, errors='surrogateescape')}").code == 2
    assert content(mesh.parent) == before


@pytest.mark.parametrize(
    "path", ["../../../../../x/secret.json", "/etc/passwd", "..\\x", "link/secret.json", "x\x00"]
)
def test_a_pointer_that_leads_elsewhere_is_no_view(mesh: Path, path: str) -> None:
    ws = Workspace(mesh)
    file = mesh / "ports/trade/shop/shop/v1/current.json"
    (file.parent / "link").symlink_to(mesh.parent / "x")
    pointer = json.loads(file.read_bytes())
    pointer["tables"]["stolen"] = path
    file.write_text(json.dumps(pointer), "utf-8")
    (mesh / "ports/.views").unlink()
    refresh_ports_database(ws)
    with duckdb.connect(str(ws.ports_database), read_only=True) as ports:
        views = ports.sql(
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
    assert sorted(views) == [("board.board",), ("sales.sales",)]
    assert any("shop.shop/1 is not whole" in problem for problem in open_ports(ws).problems)
    with pytest.raises(RegistryError):
        rollback(ws, "shop", Word("ann", "", NOW))


@pytest.mark.parametrize(
    "change",
    [
        {"snapshot": "../../../../../x"},
        {"schema": "sales"},
        {"tables": ["x"]},
        {"snapshots": [{"snapshot": "..", "version": "1.0.0", "tables": {}}]},
        {"snapshots": [{"snapshot": "a", "version": "1.0.0", "tables": {"x": "../../y"}}]},
    ],
)
def test_a_pointer_with_a_strange_name_is_not_used(mesh: Path, change: dict[str, Any]) -> None:
    file = mesh / "ports/trade/shop/shop/v1/current.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **change}), "utf-8")
    assert current_snapshot(Workspace(mesh), "trade", "shop", "shop", 1) == {}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("contracts", 0, "path"), "../../../x/secret.json"),
        (("contracts", 0, "path"), "/etc/passwd"),
        (("contracts", 0, "name"), "../x"),
        (("contracts", 0, "version"), "../1.0.0"),
        (("domain",), "../.."),
        (("name",), ".."),
        (("id",), "urn:dpf:trade:other"),
        (("contracts",), 7),
    ],
)
def test_a_registry_file_with_a_strange_entry_is_refused(
    mesh: Path, where: tuple[Any, ...], value: Any
) -> None:
    file = mesh / "registry/registry.json"
    data = json.loads(file.read_bytes())
    place = data["products"][0]
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(RegistryError, match="wrong entry") as refusal:
        read_index(Workspace(mesh))
    assert "delete registry/registry.json" in refusal.value.hint


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("published", {"contracts": {"../../x/1": {"version": "1.0.0", "snapshot": ""}}}),
        ("published", {"contracts": {"shop/1": {"version": "../x", "snapshot": ""}}}),
        ("published", {"contracts": {"shop/1": {"version": "1.0.0", "snapshot": "../x"}}}),
        (
            "rolled-back",
            {"contract": "shop", "major": "1/../..", "to": {"version": "1.0.0", "snapshot": "a"}},
        ),
        ("yanked", {"contract": "..", "version": "1.0.0"}),
        ("deprecated", {"contract": "shop", "major": "x"}),
        ("removed", {"moved_to": "../../x"}),
    ],
)
def test_an_event_with_a_strange_name_is_refused(mesh: Path, kind: str, data: dict[str, Any]) -> None:
    event = write_event(mesh / "registry", "urn:dpf:trade:shop", kind, data, datetime.now(UTC))
    with pytest.raises(RegistryError, match="it names no") as refusal:
        Registry(Workspace(mesh)).standing("trade", "shop")
    assert refusal.value.where == event.file


def test_a_link_out_of_the_registry_is_not_followed(mesh: Path) -> None:
    ws = Workspace(mesh)
    folder = mesh / "registry/products/trade/shop/shop"
    shutil.rmtree(folder)
    folder.symlink_to(mesh.parent / "x")
    with pytest.raises(OutsideError):
        Registry(ws).published_text(Place("trade", "shop"), "shop", "1.0.0")
    with pytest.raises(OutsideError):
        port_folder(ws, "trade", "../shop", "shop", 1)
    with pytest.raises(OutsideError):
        events_folder(ws.registry, "/etc", "shop")


def test_a_registry_that_lies_behind_a_link_is_in_its_folder(mesh: Path) -> None:
    (mesh / "registry").rename(mesh.parent / "registry")
    (mesh / "registry").symlink_to(mesh.parent / "registry")
    assert Registry(Workspace(mesh)).published_text(Place("trade", "shop"), "shop", "1.0.0")
    assert within(Path(os.sep), "tmp") == Path("/tmp")
