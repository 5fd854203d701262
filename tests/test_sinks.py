"""Webhooks: every event arrives, in its product's order, and an endpoint that is down harms nobody."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from mesh import build_mesh, make_mesh, make_workspace
from receivers import WebReceiver, web_receiver

import factory.sinks
from factory.errors import WorkspaceError
from factory.registry.events import write_event
from factory.sinks import TOKEN, deliver_events, meet_sinks
from factory.workspace import Settings, Workspace, find_workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def hook() -> Iterator[WebReceiver]:
    with web_receiver() as receiver:
        yield receiver


def address(receiver: WebReceiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/hook"


def a_workspace(root: Path, *sinks: str) -> Workspace:
    return Workspace(root, settings=Settings(event_sinks=sinks))


def write_events(ws: Workspace, number: int, product: str = "shop", start: int = 0) -> list[str]:
    moments = [NOW + timedelta(seconds=start + n) for n in range(number)]
    return [
        write_event(ws.registry, f"urn:dpf:trade:{product}", "published", {"number": start + n}, moment).id
        for n, moment in enumerate(moments)
    ]


def arrived(receiver: WebReceiver, product: str = "shop") -> list[str]:
    return [body["id"] for body in receiver.bodies if body["source"] == f"urn:dpf:trade:{product}"]


def test_every_event_arrives_once_as_it_is_written_and_in_the_order_of_its_product(
    tmp_path: Path, hook: WebReceiver
) -> None:
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    ids = {product: write_events(ws, 20, product) for product in ("shop", "sales", "board")}
    assert deliver_events(ws, NOW) == ()
    assert {product: arrived(hook, product) for product in ids} == ids
    files = (tmp_path / "registry/events").glob("*/*/*.json")
    assert sorted(b["id"] for b in hook.bodies) == sorted(json.loads(f.read_bytes())["id"] for f in files)
    assert set(hook.types) == {"application/cloudevents+json; charset=utf-8"}
    assert deliver_events(ws, NOW) == ()
    assert len(hook.bodies) == 60
    (later,) = write_events(ws, 1, start=100)
    assert deliver_events(ws, NOW) == ()
    assert arrived(hook)[-1] == later and len(hook.bodies) == 61


def test_a_new_sink_gets_what_happens_from_then_on_and_older_events_on_purpose(
    tmp_path: Path, hook: WebReceiver
) -> None:
    ws = a_workspace(tmp_path, address(hook))
    before = write_events(ws, 3)
    assert deliver_events(ws, NOW + timedelta(minutes=1)) == ()
    assert hook.bodies == []
    after = write_events(ws, 2, start=120)
    assert deliver_events(ws, NOW) == ()
    assert arrived(hook) == after
    assert deliver_events(ws, NOW, since=NOW + timedelta(seconds=1)) == ()
    assert arrived(hook) == [*after, *before[1:], *after]
    assert deliver_events(ws, NOW) == ()
    assert len(hook.bodies) == 6


@pytest.mark.parametrize("status", [408, 429, 500, 503, 301, 307])
def test_what_an_endpoint_does_not_take_now_is_sent_after_the_next_run(
    tmp_path: Path, hook: WebReceiver, status: int
) -> None:
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    ids = write_events(ws, 3)
    hook.status = status
    (note,) = deliver_events(ws, NOW)
    assert f"it answers {status}" in note and "3 of 3 events wait" in note
    assert len(hook.paths) == 1  # what follows waits behind it, and nobody is led elsewhere
    hook.status = 200
    assert deliver_events(ws, NOW) == ()
    assert arrived(hook) == ids


def test_an_event_that_an_endpoint_refuses_is_given_up_and_told(tmp_path: Path, hook: WebReceiver) -> None:
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    write_events(ws, 1)
    hook.status = 422
    (note,) = deliver_events(ws, NOW)
    assert "it answers 422 to published of urn:dpf:trade:shop, which is given up" in note
    assert "factory events --send" in note and "wait" not in note
    hook.status = 200
    (second,) = write_events(ws, 1, start=10)
    assert deliver_events(ws, NOW) == ()
    assert arrived(hook) == [second]


def test_an_endpoint_that_is_gone_is_asked_once_a_run(tmp_path: Path, hook: WebReceiver) -> None:
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    write_events(ws, 5)
    hook.status = 410
    (note,) = deliver_events(ws, NOW)
    assert "gone for good; take it out of event_sinks" in note
    assert len(hook.paths) == 1


def test_an_endpoint_that_is_down_is_a_note(tmp_path: Path, hook: WebReceiver) -> None:
    ws = a_workspace(tmp_path, "http://127.0.0.1:9/hook", address(hook))
    meet_sinks(ws, NOW)
    ids = write_events(ws, 2)
    (note,) = deliver_events(ws, NOW)
    assert note.startswith("Webhook 127.0.0.1:9: it cannot be reached") and "2 of 2 events wait" in note
    assert arrived(hook) == ids  # the other sink has its own bookmark


def test_a_slow_endpoint_holds_up_a_run_for_so_long_and_no_longer(
    tmp_path: Path, hook: WebReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory.sinks, "ANSWER", 0.3)
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    ids = write_events(ws, 4)
    hook.delay = 1.0
    started = time.monotonic()
    (note,) = deliver_events(ws, NOW)
    assert time.monotonic() - started < 0.9
    assert "does not answer within 0.3 seconds; 4 of 4 events wait" in note
    hook.delay = 0.1
    started = time.monotonic()
    (note,) = deliver_events(ws, NOW, seconds=0.25)
    assert time.monotonic() - started < 0.8
    assert "it took too long" in note
    hook.delay = 0.0
    time.sleep(1.2)  # until the slow answers are over
    assert deliver_events(ws, NOW) == ()
    firsts = list(dict.fromkeys(arrived(hook)))
    assert firsts == ids and arrived(hook)[-1] == ids[-1]


def _killed_while_remembering(ws: Workspace) -> None:
    def die(self: Any) -> None:
        os._exit(9)

    factory.sinks._Bookmark.save = die  # type: ignore[method-assign]
    deliver_events(ws, NOW)


def test_a_run_that_is_killed_before_it_remembers_sends_the_same_event_again(
    tmp_path: Path, hook: WebReceiver
) -> None:
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    ids = write_events(ws, 3)
    child = multiprocessing.get_context("fork").Process(target=_killed_while_remembering, args=(ws,))
    child.start()
    child.join(30)
    assert child.exitcode == 9
    assert arrived(hook) == ids[:1]
    assert deliver_events(ws, NOW) == ()
    assert arrived(hook) == [ids[0], *ids]


def test_the_token_goes_to_this_machine_and_over_tls_alone() -> None:
    from factory.endpoints import may_have_token

    addresses = ["https://x.example.org/", "HTTPS://x.example.org", "http://localhost:8", "http://[::1]/"]
    assert all(map(may_have_token, addresses))
    for bad in (
        "http://x.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1.nip.io",
        "http://[",
        "",
    ):
        assert not may_have_token(bad)


def test_a_token_is_sent_as_bearer_and_netrc_is_not_read(tmp_path: Path, hook: WebReceiver) -> None:
    (Path(os.environ["HOME"]) / ".netrc").write_text("machine 127.0.0.1 login me password hush\n", "utf-8")
    ws = a_workspace(tmp_path, "env:HOOK")
    meet_sinks(ws, NOW)
    write_events(ws, 1)
    (note,) = deliver_events(ws, NOW, environment={})
    assert "env:HOOK: it holds no http or https address" in note
    assert deliver_events(ws, NOW, environment={"HOOK": address(hook), TOKEN: "t0ken"}) == ()
    write_events(ws, 1, start=5)
    assert deliver_events(ws, NOW, environment={"HOOK": address(hook)}) == ()
    assert hook.keys == ["Bearer t0ken", ""]


def test_a_bookmark_that_cannot_be_read_is_told_and_nothing_is_sent(
    tmp_path: Path, hook: WebReceiver
) -> None:
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    write_events(ws, 1)
    (file,) = (tmp_path / "target/prod/sinks").glob("*.json")
    file.write_text("{", "utf-8")
    (note,) = deliver_events(ws, NOW)
    assert str(file) in note and not hook.bodies


def test_an_event_that_was_changed_is_passed_over_and_told(tmp_path: Path, hook: WebReceiver) -> None:
    ws = a_workspace(tmp_path, address(hook))
    meet_sinks(ws, NOW)
    ids = write_events(ws, 2)
    file = min((tmp_path / "registry/events/trade/shop").iterdir())
    file.write_text(file.read_text("utf-8").replace('"number": 0', '"number": 7'), "utf-8")
    (note,) = deliver_events(ws, NOW)
    assert f"{file.name} was passed over" in note
    assert arrived(hook) == ids[1:]


@pytest.mark.parametrize(
    ("sink", "words"),
    [
        ("https://me:pw@hooks.example.org/x", "secret"),
        ("https://hooks.example.org/?token=x", "secret"),
        ("https://hooks.example.org/T0123456789abcdefghijkl", "secret"),
        ("ftp://hooks.example.org", "no http or https address"),
        ("hooks.example.org", "no http or https address"),
        ("env:NO NAME", "environment variable"),
        (7, "no text"),
    ],
)
def test_a_setting_that_is_no_webhook_is_refused(tmp_path: Path, sink: Any, words: str) -> None:
    make_workspace(tmp_path)
    with (tmp_path / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"event_sinks = [{json.dumps(sink)}]\n")
    with pytest.raises(WorkspaceError, match=words) as refusal:
        find_workspace(tmp_path)
    assert refusal.value.line and refusal.value.hint


def test_builds_and_commands_send_their_events(
    tmp_path: Path, factory: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_mesh(tmp_path / "mesh")
    monkeypatch.chdir(root)
    with ExitStack() as stack:
        hook, other = (stack.enter_context(web_receiver()) for _ in range(2))
        with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f'event_sinks = ["{address(hook)}", "env:OTHER_HOOK"]\n')
        monkeypatch.setenv("OTHER_HOOK", address(other))
        build_mesh(root)
        assert sorted(b["type"] for b in hook.bodies) == ["org.dataproductfactory.published"] * 3
        other.status = 500
        result = factory("yank", "shop", "1.0.0", "--reason", "wrong currency")
        assert result.code == 0
        assert "it answers 500" in result.err and "it answers" not in result.out
        assert hook.bodies[-1]["type"] == "org.dataproductfactory.yanked"
        other.status = 200
        assert factory("pause", "shop", "--reason", "a rest").code == 0
        kinds = [body["type"].rpartition(".")[2] for body in other.bodies]
        assert kinds[-2:] == ["yanked", "paused"] and len(hook.bodies) == len(other.bodies)
        sent = factory("events", "--send", "--since", "1d")
        assert sent.code == 0 and len(hook.bodies) == 10
