"""Every file operation of what writes to the registry fails in turn, or is the last one before the process is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import torture
from conftest import FULL
from faults import BUDGET, ERRNOS, KILL, LASTING, SHORT, TORN, Fault, Outcome, Step, in_child
from torture import Yard, age, faults_in, litter_in, state_of, traces_of

from factory.registry.compaction import compact
from factory.registry.control import Word, deprecate, pause, remove, retire, yank
from factory.registry.rebuild import rebuild
from factory.registry.rollback import rollback
from factory.registry.runs import write_run
from factory.registry.views import open_ports
from factory.workspace import find_workspace

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTRACT = "shop.shop/1"


def a_word(seconds: int) -> Word:
    return Word("somebody@example.org", "the amounts are wrong", NOW + timedelta(days=365, seconds=seconds))


@dataclass(frozen=True)
class Action:
    """Something that writes to the registry.

    Attributes:
        act: does it; the second time some seconds later.
        second: whether two batches are published before.
        prepare: makes what else it needs.
    """

    act: Callable[[Yard, int], Any]
    second: bool = True
    prepare: Callable[[Path], Any] | None = None


def _rebuild(yard: Yard, _: int) -> None:
    ws = find_workspace(yard.root)
    rebuild(ws)


def _without_caches(root: Path) -> None:
    for name in ("registry/registry.json", "ports.duckdb", "ports/.views"):
        (root / name).unlink()


def _without_registry(root: Path) -> None:
    for name in ("registry", "ports"):
        shutil.rmtree(root / name)
    (root / "ports.duckdb").unlink()


def _with_runs(root: Path) -> None:
    for number in range(6):
        record = {
            "schema_version": 1,
            "product": "urn:dpf:trade:shop",
            "at": f"2026-11-0{number + 1}T00:00:00+00:00",
        }
        at = datetime(2026, 11, number + 1, tzinfo=UTC)
        write_run(root / "registry", "trade", "shop", record, at)


ACTIONS = {
    "publish": Action(lambda yard, later: yard.publish(later), second=False),
    "publish the first time": Action(
        lambda yard, later: yard.publish(later), second=False, prepare=_without_registry
    ),
    "yank": Action(lambda yard, later: yank(_ws(yard), "shop", "1.0.0", a_word(later))),
    "deprecate": Action(
        lambda yard, later: deprecate(
            _ws(yard), CONTRACT, a_word(later), {"endOfSupport": date(2029, 6, 1), "endOfLife": date(2029, 9, 1)}
        )
    ),
    "retire": Action(lambda yard, later: retire(_ws(yard), CONTRACT, a_word(later), early=True)),
    "pause": Action(lambda yard, later: pause(_ws(yard), "shop", a_word(later))),
    "rollback": Action(lambda yard, later: rollback(_ws(yard), "shop", a_word(later), to="1.0.0")),
    "remove": Action(lambda yard, later: remove(_ws(yard), "urn:dpf:trade:shop", a_word(later))),
    "rebuild": Action(_rebuild, prepare=_without_caches),
    "compact": Action(lambda yard, later: compact(_ws(yard)), prepare=_with_runs),
    "ports open": Action(lambda yard, later: open_ports(_ws(yard))),
}  # fmt: skip

#: Steps that may fail without a word, since what they do is not what the command is for.
#: Folders that are there already are made again, and who holds a lock is noted where that can be; what a command
#: leaves behind is looked at in any case.
OPTIONAL = ("remove", "rmdir", "list", "stat", "open", "close", "mkdir", "write")


def _ws(yard: Yard) -> Any:
    return find_workspace(yard.root)


@pytest.fixture(scope="session")
def origin(common: Path) -> Path:
    torture.warm()
    return torture.published_mesh(common)


@pytest.fixture
def yard(origin: Path) -> Yard:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    found = Yard(origin, int(worker) + 1)
    found.fresh()
    return found


def prepared(yard: Yard, action: Action) -> None:
    """Let every copy from now on be what the action finds."""
    yard.fresh()
    first = in_child(lambda: open_ports(_ws(yard)))  # the copy has paths of its own
    assert first.status == "done", first
    if action.second:
        done = in_child(yard.publish)
        assert done.status == "done", done
    if action.prepare is not None:
        action.prepare(yard.root)
    yard.keep()


@dataclass(frozen=True)
class Ends:
    """What a registry says before an action and after it."""

    old: dict[str, Any]
    new: dict[str, Any]
    steps: list[Step]
    known: dict[tuple[str, bool], list[str]] = field(default_factory=dict)


def ends_of(yard: Yard, action: Action) -> Ends:
    old = asserted(in_child(lambda: state_of(yard.fresh())))
    first = in_child(lambda: action.act(yard, 0), yard.root)
    assert first.status == "done", first.trace
    new = asserted(in_child(lambda: state_of(yard.root)))
    again = in_child(lambda: action.act(yard, 1))
    assert again.status == "done", again.trace
    assert asserted(in_child(lambda: state_of(yard.root))) == new, "the same command again changes something"
    assert litter_in(yard.root) == []
    return Ends(old, new, first.steps)


def asserted(outcome: Outcome) -> Any:
    assert outcome.status == "done", outcome.trace
    return outcome.value


def between(found: dict[str, Any], ends: Ends, acknowledged: bool) -> list[str]:
    """Return in words what is neither as it was nor as it is to be."""
    old, new, wrong = ends.old, ends.new, []
    if acknowledged and found != new:
        parts = [part for part in new if found[part] != new[part]]
        return [f"it said that it was done, but {', '.join(parts)} are not: {[found[p] for p in parts]}"]
    for part in ("versions", "documents", "pointers", "links", "views"):
        here = found[part] or {}
        for name in {*here, *(old[part] or {}), *(new[part] or {})}:
            allowed = [(side[part] or {}).get(name) for side in (old, new)]
            if here.get(name) not in allowed:
                wrong.append(f"{part} {name} is neither old nor new: {here.get(name)}")
    if found["index"] not in (old["index"], new["index"]):
        wrong.append(f"the index is neither old nor new: {found['index']}")
    if found["events"] not in (old["events"], new["events"]):
        wrong.append(f"events: {found['events']}")
    if found["runs"] != old["runs"]:
        wrong.append("a run of the history is lost or there twice")
    return wrong


def suffered(yard: Yard, action: Action, ends: Ends, fault: Fault) -> tuple[list[str], Outcome]:
    """Let a fault happen; return all that is wrong afterwards, in words."""
    yard.fresh()
    outcome = in_child(lambda: action.act(yard, 0), yard.root, fault)
    wrong = []
    if outcome.status == "raised":
        wrong.append(f"no error of the factory: {outcome.trace}")
    if outcome.status == "told" and not (outcome.code == 2 and outcome.where and outcome.hint):
        wrong.append(
            f"told without a place or a remedy: {outcome.code} {outcome.message} {outcome.where} {outcome.hint}"
        )
    left = (traces_of(yard.root), outcome.status == "done")
    if left not in ends.known:  # else the same was left behind before
        ends.known[left] = aftermath(yard, action, ends, outcome.status == "done")
    return wrong + ends.known[left], outcome


def aftermath(yard: Yard, action: Action, ends: Ends, acknowledged: bool) -> list[str]:
    """Return all that is wrong with what a fault left behind, and after the same command again."""
    checks = in_child(lambda: (faults_in(yard.root), state_of(yard.root)))
    if checks.status != "done":
        return [f"the registry cannot be read: {checks.trace}"]
    broken, found = checks.value
    wrong = broken + between(found, ends, acknowledged)
    again = in_child(lambda: (action.act(yard, 1), faults_in(yard.root), state_of(yard.root)))
    if again.status != "done":
        return [*wrong, f"the same command again failed: {again.trace}"]
    _, broken, found = again.value
    wrong += broken + [
        f"after the same command again, {part} are not as they should be: {found[part]}, not {ends.new[part]}"
        for part in found
        if found[part] != ends.new[part]
    ]
    if litter_in(yard.root):
        age(yard.root)
        asserted(in_child(lambda: (_rebuild(yard, 0), action.act(yard, 2))))
        wrong += [f"litter that stays: {name}" for name in litter_in(yard.root)]
    return wrong


def report(found: dict[Fault, tuple[list[str], Outcome]]) -> str:
    lines = []
    for fault, (wrong, outcome) in found.items():
        if wrong:
            lines.append(f"{fault} {outcome.hit}\n      " + "\n      ".join(wrong))
    return f"{len(lines)} of {len(found)}\n" + "\n".join(lines[:40])


def tally(name: str, found: dict[Fault, tuple[list[str], Outcome]]) -> None:
    """Say what was tried, and which steps failed without a word."""
    silent = Counter(
        outcome.hit.kind
        for _, outcome in found.values()
        if outcome.status == "done" and outcome.hit is not None
    )
    statuses = Counter(outcome.status for _, outcome in found.values())
    print(json.dumps({"action": name, "faults": len(found), **statuses, "silent": silent}))


@pytest.mark.parametrize("name", ACTIONS)
def test_a_process_that_is_killed_at_any_step_loses_nothing_and_the_next_one_completes_it(
    yard: Yard, name: str
) -> None:
    action = ACTIONS[name]
    prepared(yard, action)
    ends = ends_of(yard, action)
    faults = [Fault(KILL, number) for number in range(len(ends.steps))]
    faults += [Fault(TORN, number) for number, step in enumerate(ends.steps) if step.kind == "write"]
    if not FULL:
        faults = random.Random(7).sample(faults, min(10 if "publish" in name else 3, len(faults)))
    found = {fault: suffered(yard, action, ends, fault) for fault in faults}
    tally(name, found)
    assert not any(wrong for wrong, _ in found.values()), report(found)
    assert all(outcome.status == "killed" for _, outcome in found.values())


@pytest.mark.parametrize("name", ACTIONS)
def test_an_error_of_the_disk_at_any_step_is_told_and_leaves_what_was_there(yard: Yard, name: str) -> None:
    action = ACTIONS[name]
    prepared(yard, action)
    ends = ends_of(yard, action)
    faults = [Fault(how, number, lasts=how in LASTING) for number in range(len(ends.steps)) for how in ERRNOS]
    if not FULL:
        faults = random.Random(8).sample(faults, min(12 if "publish" in name else 4, len(faults)))
    found = {fault: suffered(yard, action, ends, fault) for fault in faults}
    tally(name, found)
    assert not any(wrong for wrong, _ in found.values()), report(found)
    silent = {o.hit.kind for _, o in found.values() if o.status == "done" and o.hit is not None}
    assert silent <= set(OPTIONAL)


def test_a_disk_that_takes_half_of_every_write_takes_all_in_the_end(yard: Yard) -> None:
    action = ACTIONS["publish"]
    prepared(yard, action)
    ends = ends_of(yard, action)
    wrong, outcome = suffered(yard, action, ends, Fault(SHORT))
    assert (wrong, outcome.status) == ([], "done")


@pytest.mark.parametrize("room", [0, 1, 700, 2_500, 5_000, 20_000])
def test_a_disk_with_little_room_keeps_what_it_has(yard: Yard, room: int) -> None:
    action = ACTIONS["publish"]
    prepared(yard, action)
    ends = ends_of(yard, action)
    wrong, outcome = suffered(yard, action, ends, Fault(BUDGET, room))
    assert wrong == []
    assert outcome.status == ("done" if room == 20_000 else "told")
