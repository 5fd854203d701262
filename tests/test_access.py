"""Who may read what: asked for, decided, ended; and nobody decides about a wish of their own."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Command
from mesh import write

from factory.errors import RegistryError
from factory.registry.access import (
    Access,
    State,
    Wish,
    all_accesses,
    decide,
    request_access,
    subscribers,
)
from factory.registry.control import Word
from factory.registry.events import read_events
from factory.workspace import Workspace

OWNER = "shop-owner@example.org"
ANN = "ann@example.org"
NOW = datetime(2028, 2, 28, 23, 30, tzinfo=UTC)  # the eve of a leap day


@pytest.fixture(scope="module")
def published(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def mesh(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "mesh"
    shutil.copytree(published, copy, symlinks=True)
    monkeypatch.chdir(copy)
    return copy


def asked(mesh: Path, until: date | None = None, consumer: str = "finance", by: str = ANN) -> Access:
    word = Word(by, "the monthly report", NOW)
    return request_access(Workspace(mesh), "shop", Wish(consumer, "fin@example.org", until), word)[0]


def said(mesh: Path, request: Access, decision: State, by: str = OWNER, now: datetime = NOW) -> Access:
    return decide(Workspace(mesh), request.id, decision, Word(by, "because", now))[0]


def test_access_is_asked_for_and_given(mesh: Path, factory: Command) -> None:
    asks = factory("access", "request", "shop", "--for", "finance", "--purpose", "report", "--by", ANN)
    assert asks.code == 0, asks.err
    (request,) = factory("access", "list", "--format", "json").json["requests"]
    assert (request["state"], request["about"]) == ("requested", "urn:dpf:trade:shop")
    assert factory("access", "approve", request["id"][:6], "--by", OWNER).code == 0
    assert "finance: approved by shop-owner@example.org" in factory("access", "list").out
    assert subscribers(Workspace(mesh), {"shop"})[0].state == "has access"
    kinds = [e.kind for e in read_events(mesh / "registry", "trade", "shop")]
    assert kinds == ["published", "access-requested", "access-approved"]
    assert factory("registry", "verify").code == 0


def test_the_same_wish_is_one_request(mesh: Path) -> None:
    assert asked(mesh).id == asked(mesh).id
    assert asked(mesh, consumer="sales").id != asked(mesh).id
    assert len(all_accesses(Workspace(mesh), NOW.date())) == 2


def test_a_wish_for_a_contract_is_another_one(mesh: Path) -> None:
    word = Word("a@b", "x", NOW)
    found, is_news = request_access(Workspace(mesh), "shop.shop", Wish("finance"), word)
    assert is_news
    assert found.about == "urn:dpf:trade:shop:shop"
    assert asked(mesh).id != found.id


@pytest.mark.parametrize("by", [ANN, ANN.upper(), "fin@example.org", "finance", f" {ANN} "])
def test_nobody_decides_about_a_request_of_their_own(mesh: Path, by: str) -> None:
    request = asked(mesh)
    with pytest.raises(RegistryError) as refusal:
        said(mesh, request, State.APPROVED, by)
    assert "of their own" in refusal.value.message


def test_an_owner_who_asks_does_not_approve(mesh: Path) -> None:
    request = asked(mesh, by=OWNER)
    with pytest.raises(RegistryError):
        said(mesh, request, State.APPROVED, OWNER)


def test_who_is_not_in_the_team_decides_nothing(mesh: Path) -> None:
    request = asked(mesh)
    for decision in (State.APPROVED, State.DENIED):
        with pytest.raises(RegistryError) as refusal:
            said(mesh, request, decision, "sales-owner@example.org")
        assert OWNER in refusal.value.hint


def who(step: State) -> str:
    return ANN if step is State.WITHDRAWN else OWNER


@pytest.mark.parametrize(
    "steps",
    [
        [State.APPROVED],
        [State.DENIED],
        [State.APPROVED, State.REVOKED],
        [State.WITHDRAWN],
        [State.APPROVED, State.WITHDRAWN],
    ],
)
def test_what_is_decided_is_so_and_is_said_once(mesh: Path, steps: list[State]) -> None:
    request = asked(mesh)
    for step in [*steps, steps[-1]]:
        found = said(mesh, request, step, who(step))
    assert found.state is steps[-1]
    assert len(read_events(mesh / "registry", "trade", "shop")) == 2 + len(steps)


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (State.DENIED, State.APPROVED),
        (State.DENIED, State.REVOKED),
        (State.REVOKED, State.APPROVED),
        (State.APPROVED, State.DENIED),
        (State.WITHDRAWN, State.APPROVED),
    ],
)
def test_what_is_decided_is_not_decided_otherwise(mesh: Path, before: State, then: State) -> None:
    request = asked(mesh)
    if before is State.REVOKED:
        said(mesh, request, State.APPROVED)
    said(mesh, request, before, who(before))
    with pytest.raises(RegistryError) as refusal:
        said(mesh, request, then)
    assert "cannot be" in refusal.value.message


def test_what_was_denied_can_be_asked_for_anew(mesh: Path) -> None:
    request = asked(mesh)
    said(mesh, request, State.DENIED)
    assert asked(mesh).id != request.id


def test_access_ends_after_its_last_day(mesh: Path) -> None:
    request = said(mesh, asked(mesh, until=date(2028, 2, 29)), State.APPROVED)
    ws = Workspace(mesh)
    for day, state, count in (
        (date(2028, 2, 29), State.APPROVED, 1),
        (date(2028, 3, 1), State.EXPIRED, 0),
    ):
        assert [a.state for a in all_accesses(ws, day)] == [state]
        assert len(subscribers(ws, {"shop"}, day)) == count
    with pytest.raises(RegistryError):
        said(mesh, request, State.REVOKED, now=NOW + timedelta(days=3))


def test_a_day_that_is_over_and_an_empty_wish_are_refused(mesh: Path, factory: Command) -> None:
    with pytest.raises(RegistryError):
        asked(mesh, until=date(2028, 2, 27))
    for arguments in (
        ["shop", "--for", " ", "--purpose", "x"],
        ["shop", "--for", "finance", "--purpose", " "],
        ["shop", "--for", "finance", "--purpose", "x", "--until", "soon"],
        ["nothing", "--for", "finance", "--purpose", "x"],
    ):
        assert factory("access", "request", *arguments).code == 2


def test_files_of_other_tools_count_too(mesh: Path) -> None:
    write(mesh / "registry/access/a1.yaml", "product: urn:dpf:trade:shop\nconsumer: lab\n")
    write(mesh / "registry/access/a1.approved.yaml", "by: owner\n")
    said(mesh, asked(mesh), State.APPROVED)
    assert {(s.who, s.state) for s in subscribers(Workspace(mesh), {"shop"}, NOW.date())} == {
        ("lab", "has access"),
        ("finance", "has access"),
    }


def test_whoever_has_access_is_told_by_impact(mesh: Path, factory: Command) -> None:
    asks = factory("access", "request", "shop", "--for", "lab", "--purpose", "x", "--by", "a@b.org")
    assert asks.code == 0
    found = factory("impact", "shop.orders.amount", "--format", "json").json["subscribers"]
    assert "lab" in json.dumps(found)
