"""Incidents: they open, stay the same, are told once, are taken on, and close; what a crash leaves is mended."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from builders import PROPERTY, a_product
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mesh import write
from receivers import MailReceiver, WebReceiver, mail_receiver, web_receiver

from factory.contract import Rule
from factory.errors import FactoryError, RegistryError, WorkspaceError
from factory.incidents import (
    AfterRun,
    Cause,
    Incident,
    IncidentStore,
    Trouble,
    after_run,
    check_key,
    notify_pending,
    read_notify,
    refusal,
    troubles_of_checks,
)
from factory.incidents.cause import find_cause
from factory.incidents.follow import follow
from factory.incidents.listing import acknowledge, incidents_as_json, incidents_as_text, repair
from factory.incidents.notice import message_of, notice_of
from factory.incidents.notify import Message, send
from factory.incidents.route import later
from factory.incidents.values import Route, Said, clean
from factory.products import Product
from factory.quality import CheckResult, Outcome
from factory.standards import schema
from factory.workspace import Settings, Workspace, find_workspace

START = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OWNER = "orders-owner@example.org"


def a_trouble(key: str = "check:unique", **changes: Any) -> Trouble:
    values: dict[str, Any] = {
        "kind": "check", "domain": "retail", "product": "orders", "severity": "error",
        "subject": f"{key.partition(':')[2]} fails", "reason": "3 orders are there twice",
        "contract": "orders/1", "table": "orders", "column": "order_id",
        "measured": "3", "promised": "= 0", "guidance": "Look at the loader.",
        "file": "products/orders/models/_orders.yml", "line": 12, "last_good": START - DAY,
    }  # fmt: skip
    return Trouble(key, **{**values, **changes})


def an_incident(trouble: Trouble | None = None, **changes: Any) -> Incident:
    trouble = trouble or a_trouble()
    values = {"id": "20261120T230000-00000000", "opened": START, "first_route": Route((OWNER,)), **changes}
    return Incident(trouble=trouble, **values)


class Yard:
    """A workspace with the product `orders`, and a run per call."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.ws = Workspace(root, settings=Settings(**settings))
        self.product = a_product(root=root)
        self.store = IncidentStore(self.ws.registry)

    def run(
        self,
        hours: float,
        *troubles: Trouble,
        checked: tuple[str, ...] = ("check:unique",),
        known: tuple[str, ...] | None = None,
        product: Product | None = None,
        inputs: Mapping[tuple[str, str], list[tuple[str, str]]] | None = None,
        tell: bool = True,
    ) -> AfterRun:
        now = START + hours * HOUR
        product = product or self.product
        found = after_run(self.ws, product, troubles, checked, known, inputs or {}, now, "run")
        if tell:
            self.tell(hours)
        return found

    def tell(self, hours: float, patience: float = 5.0) -> int:
        return notify_pending(self.ws, {"orders": self.product}, START + hours * HOUR, patience)

    def all(self) -> tuple[Incident, ...]:
        return self.store.all("retail", "orders")

    def events(self) -> list[str]:
        files = sorted((self.ws.registry / "events").rglob("*.json"))
        return [json.loads(file.read_bytes())["type"].rpartition(".")[2] for file in files]

    def files(self) -> dict[str, bytes]:
        root = self.ws.registry
        return {f.relative_to(root).as_posix(): f.read_bytes() for f in root.rglob("*") if f.is_file()}


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path / "mesh")


# Its life

LIVES = {
    # per run: what is bad, what was looked at, what exists; then how many are open after each run, and how many in all
    "bad, good": ([("u", "u", "u"), ("", "u", "u")], [1, 0], 1),
    "bad, bad, good": ([("u", "u", "u"), ("u", "u", "u"), ("", "u", "u")], [1, 1, 0], 1),
    "bad, blocked, bad": ([("u", "u", "u"), ("", "", "u"), ("u", "u", "u")], [1, 1, 1], 1),
    "bad, good, bad": ([("u", "u", "u"), ("", "u", "u"), ("u", "u", "u")], [1, 0, 1], 2),
    "bad, the check is removed": ([("u", "u", "u"), ("", "v", "v")], [1, 0], 1),
    "bad, nothing is known": ([("u", "u", "u"), ("", "", None)], [1, 1], 1),
    "two of one run": ([("uv", "uv", "uv"), ("v", "uv", "uv"), ("", "uv", "uv")], [2, 1, 0], 2),
    "always good": ([("", "u", "u"), ("", "u", "u")], [0, 0], 0),
    "could not run, so it was not looked at, and is bad": ([("u", "", "u")], [1], 1),
}


@pytest.mark.parametrize("name", LIVES)
def test_an_incident_lasts_as_long_as_its_check_is_bad(yard: Yard, name: str) -> None:
    runs, counts, total = LIVES[name]
    for hour, ((bad, checked, known), count) in enumerate(zip(runs, counts, strict=True)):
        found = yard.run(
            hour, *map(a_trouble, bad), checked=tuple(checked), known=None if known is None else tuple(known)
        )
        assert len(found.open) == count
        assert [i.id for i in found.open] == [i.id for i in yard.store.open_incidents("retail", "orders")]
    assert len(yard.all()) == total


def test_times_to_detect_notify_and_repair_come_from_its_facts(yard: Yard) -> None:
    (opened,) = yard.run(0, a_trouble(), tell=False).opened
    assert (opened.time_to_detect, opened.time_to_notify, opened.time_to_repair) == (DAY, None, None)
    yard.tell(0.5)
    yard.run(2, a_trouble())
    (closed,) = yard.run(5).closed
    assert (closed.opened, closed.closed, closed.closed_reason) == (
        START,
        START + 5 * HOUR,
        "the check is good again",
    )
    assert (closed.time_to_notify, closed.time_to_repair) == (HOUR / 2, 5 * HOUR)
    assert yard.events() == ["breach", "closed"]


def test_a_run_that_finds_the_same_changes_no_file(yard: Yard) -> None:
    yard.run(0, a_trouble())
    before = yard.files()
    yard.run(0, a_trouble())
    yard.run(1, a_trouble(reason="4 orders are there twice", measured="4"))
    assert yard.files() == before


def test_no_fact_is_ever_rewritten(yard: Yard) -> None:
    yard.run(0, a_trouble(severity="warning"))
    before = yard.files()
    yard.run(1, a_trouble())
    (incident,) = yard.all()
    repair(yard.ws, incident.id, Said(START + 2 * HOUR, "me"))
    acknowledge(yard.ws, incident.id, Said(START + 2 * HOUR, "me"))
    yard.run(3, a_trouble())
    yard.run(4)
    after = yard.files()
    assert {name: after[name] for name in before if "_unfinished" not in name} == {
        name: text for name, text in before.items() if "_unfinished" not in name
    }


def test_a_warning_may_become_an_error_and_does_not_go_back(yard: Yard) -> None:
    write(yard.product.folder / "notify.yml", NOTIFY)
    yard.run(0, a_trouble(severity="warning"))
    (incident,) = yard.run(1, a_trouble(reason="now 9", measured="9")).open
    assert (incident.severity, incident.reason, incident.measured) == ("error", "now 9", "9")
    assert incident.route.repair_by == START + HOUR + DAY
    assert incident.route.told == (OWNER, "help")
    (incident,) = yard.run(2, a_trouble(severity="warning")).open
    assert incident.severity == "error"
    assert yard.events() == ["breach", "worsened"]
    assert (yard.store.notice(incident, "worsened")).is_file()


def test_somebody_takes_it_on_and_says_that_it_is_repaired(yard: Yard) -> None:
    (incident,) = yard.run(0, a_trouble()).opened
    found, news = acknowledge(yard.ws, incident.id, Said(START + HOUR, "ann@example.org", "looking"))
    assert news and found.acknowledged == START + HOUR
    found, news = acknowledge(yard.ws, incident.id, Said(START + 2 * HOUR, "bob@example.org"))
    assert not news and found.acknowledgement and found.acknowledgement.by == "ann@example.org"
    found, news = repair(yard.ws, incident.id[-8:], Said(START + 3 * HOUR, "ann@example.org"))
    assert news and found.is_open and found.time_to_repair == 3 * HOUR
    (closed,) = yard.run(9).closed
    assert closed.time_to_repair == 3 * HOUR
    assert sorted(yard.events()) == ["acknowledged", "breach", "closed", "repaired"]
    with pytest.raises(RegistryError, match="is closed since"):
        repair(yard.ws, incident.id, Said(START, "ann@example.org"))


def test_what_is_said_to_be_repaired_and_is_bad_stays_the_same_incident(yard: Yard) -> None:
    (incident,) = yard.run(0, a_trouble()).opened
    repair(yard.ws, incident.id, Said(START + HOUR, "ann@example.org"))
    yard.run(2, a_trouble())
    before = yard.files()
    (again,) = yard.run(3, a_trouble()).open
    assert yard.files() == before
    assert again.id == incident.id and again.is_disproved and again.time_to_repair is None
    assert "said to be repaired, and still bad: ann@example.org" in incidents_as_text(
        [again], START + 4 * HOUR
    )
    found, news = repair(yard.ws, incident.id, Said(START + 4 * HOUR, "bob@example.org"))
    assert news and found.claim and found.claim.by == "bob@example.org"
    (closed,) = yard.run(6).closed
    assert closed.time_to_repair == 4 * HOUR


def test_one_that_opened_on_two_branches_goes_on_as_one() -> None:
    first, second = an_incident(), an_incident(id="20261121T000000-00000001", opened=START + HOUR)
    steps = follow([second, first], [a_trouble()], ["check:unique"], ["check:unique"])
    assert steps.still == (first,)
    assert steps.closed == ((second, f"the same as {first.id}"),)


def test_of_two_troubles_with_one_key_the_worst_severity_counts() -> None:
    (opened,) = follow([], [a_trouble(severity="warning"), a_trouble()], [], []).opened
    assert opened.severity == "error"


def test_a_refusal_for_another_reason_closes_when_the_next_run_gets_past_it(yard: Yard) -> None:
    broken = refusal(yard.product, "build", ["orders.sql does not compile"])
    yard.run(0, broken, checked=("run:build",), known=())
    assert len(yard.run(1, checked=("check:unique",), known=("check:unique",)).open) == 1
    assert len(yard.run(2, checked=("check:unique", "run:build"), known=("check:unique",)).open) == 0


def test_opened_closed_and_opened_within_a_second_are_two(yard: Yard) -> None:
    for _ in range(3):
        yard.run(0, a_trouble())
        yard.run(0)
    assert len({i.id for i in yard.all()}) == 3


@PROPERTY
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["bad", "warns", "good", "not checked"])),
        max_size=8,
    )
)
def test_whatever_runs_find_a_key_has_one_open_incident_at_most(runs: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        yard = Yard(Path(folder))
        expected: dict[str, bool] = {}
        for hour, states in enumerate(runs):
            bad = {key for key, state in states.items() if state in ("bad", "warns")}
            checked = {key for key, state in states.items() if state != "not checked"}
            troubles = [
                a_trouble(key, severity="error" if states[key] == "bad" else "warning") for key in bad
            ]
            for _ in range(2):  # the second changes nothing
                found = yard.run(hour, *troubles, checked=tuple(checked), known=("a", "b", "c"))
                expected |= {key: key in bad for key in checked}
                assert sorted(i.key for i in found.open) == sorted(
                    k for k, is_bad in expected.items() if is_bad
                )
        for key in "abc":
            mine = [i for i in yard.all() if i.key == key]
            assert sum(i.is_open for i in mine) <= 1
            for before, after in itertools.pairwise(mine):
                assert before.closed and before.closed <= after.opened


# What lies in the registry


def test_years_of_closed_incidents_are_not_read(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(40):
        yard.run(
            hour, a_trouble() if hour % 2 == 0 else a_trouble("other"), checked=("check:unique", "other")
        )
    yard.run(50, checked=("check:unique", "other"))
    yard.run(51, a_trouble())
    read: list[str] = []
    before = IncidentStore.read

    def counted(self: IncidentStore, domain: str, product: str, name: str) -> Incident | None:
        read.append(name)
        return before(self, domain, product, name)

    monkeypatch.setattr(IncidentStore, "read", counted)
    assert len(yard.store.open_incidents("retail", "orders")) == len(read) == 1
    assert len(yard.all()) == 41


def test_a_registry_without_the_marks_of_open_incidents_makes_them_anew(yard: Yard) -> None:
    yard.run(0, a_trouble())
    yard.run(1, checked=("check:unique",))
    yard.run(2, a_trouble("b"), checked=())
    for file in sorted((yard.ws.registry / "incidents/_unfinished").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    (yard.ws.registry / "incidents/_unfinished").rmdir()
    assert [i.key for i in yard.store.open_incidents("retail", "orders")] == ["b"]
    yard.run(3, a_trouble("b"), a_trouble("c"), checked=())
    assert [i.key for i in yard.store.open_incidents("retail", "orders")] == ["b", "c"]


def test_a_fact_that_a_power_cut_left_empty_is_written_anew(yard: Yard) -> None:
    (incident,) = yard.run(0, a_trouble()).opened
    folder = yard.ws.registry / "incidents/retail/orders" / incident.id
    (folder / "closed.json").write_bytes(b"")
    yard.run(1)
    assert not yard.store.open_incidents("retail", "orders")
    (folder / "opened.json").write_bytes(b"")
    assert yard.all() == ()


def test_an_incident_is_found_by_a_part_of_its_id(yard: Yard) -> None:
    one, two = yard.run(0, a_trouble(), a_trouble("b")).opened
    assert yard.store.find(one.id) == yard.store.find(one.id[-8:]) == yard.store.find(one.id[:18])
    with pytest.raises(RegistryError, match="2 incidents begin with") as caught:
        yard.store.find("20261120T23")
    assert one.id in caught.value.hint and two.id in caught.value.hint
    for nothing in ("", "..", "../../x", "*", "99999999"):
        with pytest.raises(RegistryError, match="there is no incident"):
            yard.store.find(nothing)


CRASH = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
sys.path[:0] = [{tests!r}]
import factory.incidents.store as store
from test_incidents import Yard, a_trouble

left = int(sys.argv[2])
before = store.write_whole

def write_whole(*arguments, **options):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    before(*arguments, **options)

store.write_whole = write_whole
yard = Yard(Path(sys.argv[1]), channels={{"default": sys.argv[3]}})
if sys.argv[4] == "open":
    yard.run(0, a_trouble(), a_trouble("b"), checked=("check:unique", "b"))
else:
    yard.run(1, checked=("check:unique", "b"))
"""


@pytest.mark.parametrize("stage", ["open", "close"])
def test_a_run_that_is_killed_between_any_two_facts_is_made_good_by_the_next(
    tmp_path: Path, web: WebReceiver, stage: str
) -> None:
    program = CRASH.format(tests=str(Path(__file__).parent))
    for writes in range(12):
        root = tmp_path / str(writes)
        yard = Yard(root, channels={"default": web.url})
        if stage == "close":
            yard.run(0, a_trouble(), a_trouble("b"), checked=("check:unique", "b"))
        web.bodies.clear()
        done = subprocess.run(
            [sys.executable, "-c", program, str(root), str(writes), web.url, stage],
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        bad = [a_trouble(), a_trouble("b")] if stage == "open" else []
        yard.run(2, *bad, checked=("check:unique", "b"))
        assert len(yard.store.open_incidents("retail", "orders")) == len(bad)
        assert len(yard.all()) == 2
        assert {d.news for i in yard.all() for d in i.deliveries if d.ok and d.channel == "default"} >= {
            "opened" if bad else "closed"
        }
        assert 1 <= len(web.bodies) <= 2  # never lost; twice at most
        if done.returncode == 0:
            return
    pytest.fail("the run was killed every time")


# Where it comes from

INPUTS = {
    ("board", "kpis"): [("board", "stage")],
    ("board", "stage"): [("sales", "sales"), ("places", "places")],
    ("sales", "sales"): [("shop", "orders"), ("shop", "customers")],
    ("shop", "orders"): [("shop", "raw")],
}


def upstream(product: str, table: str, **changes: Any) -> Incident:
    trouble = a_trouble(product=product, table=table, severity=changes.pop("severity", "error"))
    return an_incident(trouble, **{"id": f"20261120T230000-{product}-{table}", **changes})


@pytest.mark.parametrize(
    ("incidents", "cause"),
    [
        ([], None),
        ([upstream("sales", "sales")], "sales"),
        ([upstream("sales", "sales"), upstream("shop", "orders")], "shop"),
        ([upstream("shop", "raw")], "shop"),
        ([upstream("shop", "unread")], None),
        ([upstream("shop", "")], "shop"),
        ([upstream("shop", "orders", severity="warning")], None),
        ([upstream("shop", "orders", closed=START)], None),
        ([upstream("elsewhere", "orders")], None),
        ([upstream("board", "stage")], None),
        ([upstream("places", "places", opened=START + HOUR), upstream("sales", "sales")], "sales"),
        ([upstream("places", "places"), upstream("sales", "sales", opened=START + HOUR)], "places"),
    ],
)
def test_the_cause_is_the_furthest_upstream_that_is_read(
    incidents: list[Incident], cause: str | None
) -> None:
    for table in ("kpis", ""):
        found = find_cause("board", table, INPUTS, incidents)
        assert (found.product if found else None) == cause


def test_an_incident_names_the_incident_upstream(yard: Yard) -> None:
    shop = a_product(root=yard.ws.root, name="shop")
    (first,) = yard.run(0, a_trouble(product="shop"), product=shop).opened
    inputs = {("orders", "orders"): [("orders", "stage")], ("orders", "stage"): [("shop", "orders")]}
    (second,) = yard.run(0, a_trouble(), inputs=inputs).opened
    assert second.cause == Cause("shop", first.id)
    assert f"perhaps:   because of shop, upstream (incident {first.id})" in notice_of(second, "opened", {})


# Who is told

NOTIFY = """\
severities:
  - severity: error
    meaning: A promise does not hold.
    notify: [orders-owner@example.org, help]
    notify_within: PT1H
    repair_within: P1D
  - severity: warning
    notify: [orders-owner@example.org]
    repair_within: P1DT12H
"""


def routed(product: Product, severity: str = "error", **settings: Any) -> Route:
    return read_notify(product, Settings(**settings)).route(severity, START)


def test_without_a_notify_file_the_owner_and_the_support_channel_are_told(tmp_path: Path) -> None:
    route = routed(a_product(root=tmp_path))
    assert (route.told, route.notify_by, route.repair_by) == ((OWNER, "help"), None, None)


def test_the_notify_file_says_who_by_severity_and_by_when(tmp_path: Path) -> None:
    product = a_product(root=tmp_path)
    write(product.folder / "notify.yml", NOTIFY)
    error, warning = routed(product), routed(product, "warning")
    assert (error.first_line, error.second_line) == ((OWNER, "help"), ())
    assert (error.notify_by, error.repair_by) == (START + HOUR, START + DAY)
    assert (warning.told, warning.notify_by, warning.repair_by) == ((OWNER,), None, START + 1.5 * DAY)


def test_the_platform_team_comes_first_where_there_is_one(tmp_path: Path) -> None:
    product = a_product(root=tmp_path)
    write(product.folder / "notify.yml", NOTIFY)
    route = routed(product, first_line="platform@example.org")
    assert (route.first_line, route.second_line) == (("platform@example.org",), (OWNER, "help"))
    write(
        product.folder / "notify.yml", NOTIFY + "first_line: [ops@example.org]\nsecond_line: [sales, duty]\n"
    )
    route = routed(product, first_line="platform@example.org", channels={"duty": "env:DUTY"})
    assert route.told == ("ops@example.org", "sales", "duty")


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("- error\n", 1, "this is no mapping", "write severities"),
        ("severitys: []\n", 1, "notify.yml has no key 'severitys' here", "did you mean 'severities'?"),
        ("severities: error\n", 1, "`severities` is no list", "write an entry"),
        ("severities:\n  - severity: eror\n", 2, "'eror' is no severity", "did you mean 'error'?"),
        ("severities:\n  - severity: fatal\n", 2, "'fatal' is no severity", "use one of error, warning"),
        ("severities:\n  - meaning: x\n", 2, "an entry has no severity", "use one of"),
        ("severities:\n  - error\n", 2, "this is no mapping", "write severity"),
        ("severities:\n  - severity: error\n  - severity: error\n", 3, "the severity 'error' is there twice", "keep one"),
        ("severities:\n  - severity: error\n    notfy: []\n", 3, "notify.yml has no key 'notfy' here", "did you mean 'notify'?"),
        ("severities:\n  - severity: error\n    notify: help\n", 3, "`notify` is no list", "write a list"),
        ("severities:\n  - severity: error\n    notify:\n      - hlep\n", 4, "nobody knows who 'hlep' is", "did you mean 'help'?"),
        ("first_line:\n  - zzz zzz\n", 2, "nobody knows who 'zzz zzz' is", "name a mail address"),
        ("severities:\n  - severity: error\n    repair_within: 1 day\n", 3, "repair_within: '1 day' is no period", "write it by ISO 8601"),
        ("severities:\n  - severity: error\n    notify_within: PT\n", 3, "notify_within: 'PT' is no period", "write it by"),
        ("severities:\n  - severity: error\n    notify_within: 5\n", 3, "notify_within: '5' is no period", "write it by"),
    ],
)  # fmt: skip
def test_a_wrong_notify_file_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, message: str, hint: str
) -> None:
    product = a_product(root=tmp_path)
    write(product.folder / "notify.yml", text)
    with pytest.raises(FactoryError) as caught:
        read_notify(product, Settings())
    assert caught.value.place(tmp_path) == f"products/orders/notify.yml:{line}"
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("period", "moment"),
    [
        ("PT1H", "2027-01-31T01:00:00"),
        ("PT90M", "2027-01-31T01:30:00"),
        ("P1D", "2027-02-01T00:00:00"),
        ("P1M", "2027-02-28T00:00:00"),
        ("P1WT12H30M5S", "2027-02-07T12:30:05"),
    ],
)
def test_a_period_by_iso_8601_leads_to_a_moment(period: str, moment: str) -> None:
    assert later(datetime(2027, 1, 31, tzinfo=UTC), period) == datetime.fromisoformat(f"{moment}+00:00")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("channels.a = 3", "the channel 'a' must be a"),
        ("channels.a = 'env:'", "the channel 'a': '' is not the name of an environment variable"),
        ("channels.a = 'env:A B'", "the channel 'a': 'A B' is not the name of an environment variable"),
        ("channels.a = 'hooks.example.org'", "the channel 'a' is no Apprise URL"),
        ("channels.a = 'json://me:secret@example.org'", "the URL of the channel 'a' may hold a secret"),
        ("channels.a = 'slack://T1/B1/XXX'", "the URL of the channel 'a' may hold a secret"),
        ("channels.a = 'jsons://example.org/?token=x'", "the URL of the channel 'a' may hold a secret"),
        ("channels.a = 'jsons://example.org/?%2BAuthorization=x'", "the URL of the channel 'a' may hold a secret"),
        ("channels.a = 'jsons://example.org/h/0123456789abcdef0123456789'", "the URL of the channel 'a' may hold"),
        ("channels.a = 'mailtos://example.org/?pass=x'", "the URL of the channel 'a' may hold a secret"),
        ("channels = 'x'", "the setting 'channels' must be a"),
        ("first_line = ['x']", "the setting 'first_line' must be a"),
    ],
)  # fmt: skip
def test_a_secret_never_stands_in_the_settings(tmp_path: Path, setting: str, message: str) -> None:
    write(tmp_path / "pyproject.toml", f"[tool.factory]\n{setting}\n")
    with pytest.raises(WorkspaceError) as caught:
        find_workspace(tmp_path)
    assert caught.value.message.startswith(message)
    assert "secret" not in caught.value.message or "me:secret" not in caught.value.message


def test_channels_of_the_settings_are_open_addresses_or_names_of_variables(tmp_path: Path) -> None:
    text = """\
    [tool.factory]
    first_line = "platform@example.org"

    [tool.factory.channels]
    mail = "env:FACTORY_MAIL_URL"
    default = "jsons://hooks.example.org/incidents?method=POST"
    """
    write(tmp_path / "pyproject.toml", dedent(text))
    settings = find_workspace(tmp_path).settings
    assert settings.first_line == "platform@example.org"
    assert settings.channels["mail"] == "env:FACTORY_MAIL_URL"


# Telling them


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with web_receiver() as receiver:
        yield receiver


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


def test_without_channels_the_notice_is_a_file_and_nothing_is_sent(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    write(yard.product.folder / "notify.yml", NOTIFY)
    write(yard.product.folder / "docs/runbook.md", "# Runbook\n")
    (incident,) = yard.run(0, a_trouble()).opened
    (incident,) = yard.store.open_incidents("retail", "orders")
    assert incident.notified == START
    text = yard.store.notice(incident, "opened").read_text("utf-8")
    for words in (
        "# [error] orders: unique fails",
        "severity:  error (A promise does not hold.)",
        "reason:    3 orders are there twice",
        "measured:  3, promised = 0",
        "in:        orders.order_id of orders/1",
        "written:   products/orders/models/_orders.yml:12",
        "opened:    2026-11-20 23:00 UTC, last good 2026-11-19 23:00 UTC",
        "do:        Look at the loader.",
        "runbook:   products/orders/docs/runbook.md",
        "repair by: 2026-11-21 23:00 UTC",
        f"take it on: factory incidents acknowledge {incident.id}",
        "first:     orders-owner@example.org, help (https://support.example.org/orders)",
        "told by:   2026-11-21 00:00 UTC",
    ):
        assert words in text
    yard.run(1)
    closed = yard.store.notice(incident, "closed").read_text("utf-8")
    assert "# [good again] orders: unique fails" in closed
    assert "closed:    2026-11-21 00:00 UTC, the check is good again" in closed
    assert not list((yard.ws.registry / "incidents/_unfinished").rglob("2026*"))


def test_a_webhook_hears_once_of_the_opening_and_once_of_the_end(tmp_path: Path, web: WebReceiver) -> None:
    yard = Yard(tmp_path / "mesh", channels={"help": web.url})
    for hour in range(3):
        yard.run(hour, a_trouble())
    assert [body["title"] for body in web.bodies] == ["[error] orders: unique fails"]
    assert web.bodies[0]["type"] == "warning"
    assert "3 orders are there twice" in web.bodies[0]["message"]
    yard.run(3)
    yard.run(4)
    assert [body["title"] for body in web.bodies[1:]] == ["[good again] orders: unique fails"]
    (incident,) = yard.all()
    assert incident.notified == START


def test_a_warning_that_becomes_an_error_is_told_once_more(tmp_path: Path, web: WebReceiver) -> None:
    yard = Yard(tmp_path / "mesh", channels={"default": web.url})
    yard.run(0, a_trouble(severity="warning"))
    for hour in (1, 2):
        yard.run(hour, a_trouble())
    assert [body["title"].partition("]")[0] for body in web.bodies] == ["[warning", "[error, worse"]


def test_fifty_checks_that_fail_for_one_file_are_one_message(tmp_path: Path, web: WebReceiver) -> None:
    yard = Yard(tmp_path / "mesh", channels={"default": web.url})
    yard.run(0, *(a_trouble(f"check:c{n}") for n in range(50)))
    (body,) = web.bodies
    assert body["title"] == "[error] orders: 50 incidents"
    assert body["message"].count("incident: ") == 10
    assert "... and 40 more. See all: factory incidents orders" in body["message"]
    assert len(yard.all()) == 50 and all(i.notified for i in yard.all())


@pytest.mark.parametrize("status", [500, 302, 404])
def test_a_channel_that_fails_is_tried_again_in_the_next_run(
    tmp_path: Path, web: WebReceiver, status: int
) -> None:
    yard = Yard(tmp_path / "mesh", channels={"default": web.url})
    web.status = status
    yard.run(0, a_trouble())
    (incident,) = yard.all()
    assert incident.notified is None
    assert incident.deliveries[-1].reason == f"the receiver answered {status}"
    before = yard.files()
    yard.run(1, a_trouble())
    assert yard.files() == before
    web.status = 200
    yard.run(2, a_trouble())
    yard.run(3, a_trouble())
    assert len(web.bodies) == 1
    (incident,) = yard.all()
    assert incident.time_to_notify == 2 * HOUR


def test_a_receiver_that_is_gone_is_named_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOOK", "json://me:s3cr3t@127.0.0.1:9/hidden")
    yard = Yard(tmp_path / "mesh", channels={"default": "env:HOOK", "help": "env:NOT_SET"})
    yard.run(0, a_trouble())
    (incident,) = yard.all()
    assert {d.channel: d.reason for d in incident.deliveries if not d.ok} == {
        "default": "no connection, or no answer in time",
        "help": "the environment variable NOT_SET is not set",
    }
    assert "not yet: orders-owner@example.org, help (" in incidents_as_text([incident], START)
    everything = b"".join(yard.files().values()).decode() + "".join(capfd.readouterr())
    for secret in ("s3cr3t", "hidden", "127.0.0.1"):
        assert secret not in everything


def test_a_receiver_that_never_answers_holds_up_a_run_for_seconds_only(
    tmp_path: Path, web: WebReceiver
) -> None:
    yard = Yard(tmp_path / "mesh", channels={"default": web.url})
    web.delay = 3.0
    yard.run(0, a_trouble(), tell=False)
    started = time.monotonic()
    assert yard.tell(0, patience=0.5) == 0
    assert time.monotonic() - started < 2.0
    (incident,) = yard.all()
    assert incident.deliveries[-1].reason == "not sent: sending took too long"


def test_each_address_gets_a_mail_and_one_that_is_turned_away_stops_no_other(
    tmp_path: Path, mail: MailReceiver
) -> None:
    yard = Yard(tmp_path / "mesh", channels={"mail": mail.url}, first_line="platform@example.org")
    mail.refused.add("platform@example.org")
    yard.run(0, a_trouble(subject="Größe fails", reason="<b>3</b> orders"))
    ((to, message),) = mail.mails
    assert to == OWNER == message["To"]
    assert message["Subject"] == "[error] orders: Größe fails"
    body = message.get_body(("plain",))
    assert body is not None and "reason:    <b>3</b> orders" in body.get_content()
    (incident,) = yard.all()
    assert {d.channel: d.reason for d in incident.deliveries} == {
        "file": "",
        OWNER: "",
        "platform@example.org": "the receiver answered 550",
    }
    mail.refused.clear()
    yard.run(1, a_trouble())
    assert [to for to, _ in mail.mails] == [OWNER, "platform@example.org"]


def test_only_prod_sends(tmp_path: Path, web: WebReceiver) -> None:
    yard = Yard(tmp_path / "mesh", channels={"default": web.url})
    yard.ws = replace(yard.ws, target="ci")
    yard.store = IncidentStore(yard.ws.registry)
    yard.run(0, a_trouble())
    assert not web.bodies
    assert yard.all()[0].notified == START


def test_one_that_is_over_before_anybody_heard_is_told_as_over(tmp_path: Path, web: WebReceiver) -> None:
    yard = Yard(tmp_path / "mesh", channels={"default": web.url})
    web.status = 503
    yard.run(0, a_trouble())
    yard.run(1)
    web.status = 200
    yard.run(2)
    yard.run(3)
    (body,) = web.bodies
    assert body["title"] == "[good again] orders: unique fails"
    assert "opened:    2026-11-20 23:00 UTC" in body["message"]


def test_after_a_week_nobody_is_told_of_what_is_over(tmp_path: Path, web: WebReceiver) -> None:
    yard = Yard(tmp_path / "mesh", channels={"default": web.url})
    web.status = 503
    yard.run(0, a_trouble())
    yard.run(1)
    web.status = 200
    yard.run(24 * 9)
    assert not web.bodies
    assert not list((yard.ws.registry / "incidents/_unfinished").rglob("2026*"))


@pytest.mark.parametrize("url", ["nonsense://x", "json://", "mailto://", "://", "json://[", "slack://x"])
def test_a_setting_that_apprise_does_not_know_is_a_reason_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    from factory.incidents.channels import Channel

    monkeypatch.setenv("HOOK", url)
    (reason,) = send([Message(Channel("a", "env:HOOK"), "title", "body")])
    assert reason == "the channel's setting is no URL that Apprise knows"


def test_texts_of_others_steer_neither_terminal_nor_markup() -> None:
    evil = "x\x1b[31m\n# heading\u202e\u2028![i](http://evil.example)\x00\ud800"
    trouble = a_trouble(subject=evil, reason=evil * 900, guidance=evil, table=evil, measured=evil)
    incident = an_incident(trouble)
    title, body = message_of([incident] * 3, "opened")
    assert "\n" not in title
    for text in (title, body, notice_of(incident, "opened", {})):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert len(text) < 9000
    assert not any(line.startswith("# heading") for line in notice_of(incident, "opened", {}).splitlines())
    assert len(clean("a" * 10_000)) == 2000


@PROPERTY
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_makes_an_incident_that_can_be_written_and_read(subject: str, reason: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        yard = Yard(Path(folder))
        yard.run(0, a_trouble(subject=subject, reason=reason))
        (incident,) = yard.all()
        assert incident.trouble.subject == clean(subject)


# From results of checks


def a_result(outcome: Outcome, severity: str = "error", **changes: Any) -> CheckResult:
    rule = Rule(
        key="test.unique", origin="dbt", product="orders", table="orders", column="order_id", name="unique order_id",
        kind="unique", dimension="uniqueness", severity=severity, definition={}, description="",
        file=Path("/mesh/products/orders/models/_orders.yml"), line=7,
    )  # fmt: skip
    return CheckResult(rule, outcome, **changes)


@pytest.mark.parametrize(
    ("outcome", "severity", "bad"),
    [
        (Outcome.PASS, "error", None),
        (Outcome.WARN, "error", "warning"),
        (Outcome.FAIL, "error", "error"),
        (Outcome.FAIL, "warning", "warning"),
        (Outcome.ERROR, "warning", "error"),
        (Outcome.NOT_RUN, "warning", "error"),
    ],
)
def test_a_check_that_is_no_pass_is_a_trouble(outcome: Outcome, severity: str, bad: str | None) -> None:
    result = a_result(outcome, severity, measured=3.0, failed_rows=3, checked_rows=9, threshold="= 0")
    troubles = troubles_of_checks(Workspace(Path("/mesh")), a_product(), [result], {"test.unique": START})
    assert [t.severity for t in troubles] == ([bad] if bad else [])
    for trouble in troubles:
        assert trouble.key == check_key(result) == "check:test.unique"
        assert (trouble.file, trouble.line) == ("products/orders/models/_orders.yml", 7)
        assert (trouble.measured, trouble.promised) == ("3, 3 of 9 rows at fault", "= 0")
        assert trouble.last_good == START and trouble.guidance


# On the command line


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    root = tmp_path / "mesh"
    write(root / "pyproject.toml", "[tool.factory]\n")
    (root / "products/orders").mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.email")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "ann@example.org")
    return Yard(root)


def test_the_command_lists_what_is_open_or_all(workspace: Yard, factory: Command) -> None:
    assert factory("incidents").out == "No open incidents.\n"
    (incident,) = workspace.run(0, a_trouble()).opened
    for arguments in ((), ("orders",), ("list",), ("list", "orders"), ("--all",)):
        out = factory("incidents", *arguments).out
        assert f"{incident.id}  error  orders: unique fails" in out
        assert "told: orders-owner@example.org, help" in out
    workspace.run(1)
    assert factory("incidents", "orders").out == "No open incidents.\n"
    assert "closed " in factory("incidents", "orders", "--all").out
    assert factory("incidents", "--since", "1h", "-t", "ci").out == "No incidents.\n"
    wrong = factory("incidents", "order")
    assert wrong.code == 2 and "did you mean 'orders'?" in wrong.err
    assert "is no time" in factory("incidents", "--since", "soon").err


def test_json_has_its_published_shape(workspace: Yard, factory: Command) -> None:
    check = Draft202012Validator(
        schema("incidents.schema.json"), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    check.validate(factory("incidents", "--format", "json").json)
    (incident,) = workspace.run(0, a_trouble()).opened
    factory("incidents", "acknowledge", incident.id)
    factory("incidents", "repair", incident.id, "--by", "bob", "--note", "a new loader")
    check.validate(factory("incidents", "--format", "json").json)
    workspace.run(1)
    data = factory("incidents", "--all", "--format", "json").json
    check.validate(data)
    (entry,) = data["incidents"]
    assert (entry["state"], entry["time_to_detect"]) == ("closed", 86400.0)
    assert entry["acknowledged"]["by"] == "ann@example.org"
    assert entry["repaired"]["by"] == "bob" and entry["repaired"]["note"] == "a new loader"
    assert incidents_as_json([])["incidents"] == []


def test_the_command_notes_who_took_it_on_and_who_says_it_is_repaired(
    workspace: Yard, factory: Command
) -> None:
    (incident,) = workspace.run(0, a_trouble()).opened
    part = incident.id[-8:]
    assert "is acknowledged" in factory("incidents", "acknowledge", part).out
    assert (
        "was acknowledged before: ann@example.org"
        in factory("incidents", "acknowledge", part, "--by", "bob").out
    )
    assert "is said to be repaired" in factory("incidents", "repair", part, "--note", "new\x1b[2Jloader").out
    assert "was said to be repaired before" in factory("incidents", "repair", part).out
    out = factory("incidents").out
    assert "acknowledged: ann@example.org" in out and "said to be repaired: ann@example.org" in out
    assert "\x1b" not in out
    gone = factory("incidents", "acknowledge", "0badc0de")
    assert gone.code == 2 and "there is no incident '0badc0de'" in gone.err
