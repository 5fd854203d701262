"""`factory new` at a real terminal: what the workspace has is offered, Copier asks the rest."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from stamping import stamped_workspace

from factory.scaffold import stamp_product
from factory.workspace import find_workspace

ENTER = "\r"
FINISH = "\x1b\r"  # a text of several lines ends with Escape and Enter
PATIENCE = 60.0


class Terminal:
    """A terminal with a command in it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def read(self, seconds: float) -> bool:
        """Read what is shown; say whether there was anything."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:
            return False
        if b"\x1b[6n" in data:  # where is the cursor?
            os.write(self._master, b"\x1b[1;1R")
        self.shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode(errors="replace"))
        return bool(data)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, and answer it."""
        deadline = time.monotonic() + PATIENCE
        while question not in self.shown:
            assert time.monotonic() < deadline, f"{question!r} was not asked:\n{self.shown}"
            self.read(0.2)
        while self.read(0.3):  # until it is drawn
            pass
        self.shown = self.shown.partition(question)[2]
        os.write(self._master, text.encode())

    def end(self) -> int:
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.shown
            self.read(0.2)
        while self.read(0.1):
            pass
        return self.process.returncode


@contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    made = Terminal([sys.executable, "-m", "factory", *arguments])
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = stamped_workspace(tmp_path / "mesh")
    ws = find_workspace(root)
    stamp_product(ws, "orders", {"domain": "sales", "team": "sales-people"})
    stamp_product(ws, "sites", {"domain": "estate", "source_kind": "entities"})
    return root


def test_domains_teams_and_ports_are_offered_and_the_rest_is_asked(root: Path) -> None:
    with terminal("-C", str(root), "new", "pipeline") as shell:
        shell.answer("What kind of data product is it?", f"aggregate{ENTER}")
        shell.answer("domains here: estate, sales", f"Sales & Co{ENTER}")
        shell.answer("Error: use 2 to 63 lower case letters", f"sales{ENTER}")
        shell.answer("teams of sales: sales-people", ENTER)
        shell.answer("sites.sites.sites_latest", f"1, sites.nothing{ENTER}")
        shell.answer("'nothing' is no contract of it", f"1, sites.sites{ENTER}")
        shell.answer("Title of the product", ENTER)
        shell.answer("What does it hold", FINISH)
        for question in (
            "Who answers for it?",
            "Which cost center",
            "Where do consumers",
            "Who may see its data?",
        ):
            shell.answer(question, ENTER)
        shell.answer("Does it hold personal data?", ENTER)
        shell.answer("When is it updated?", ENTER)
        assert shell.end() == 0
        assert "factory build +pipeline --target dev" in shell.shown
    answers = yaml.safe_load((root / "products/pipeline/.copier-answers.yml").read_text("utf-8"))
    assert (answers["domain"], answers["team"], answers["archetype"]) == (
        "sales",
        "sales-people",
        "aggregate",
    )
    assert answers["inputs"] == ["orders.orders", "sites.sites"]


def test_an_interrupted_dialogue_leaves_nothing(root: Path) -> None:
    with terminal("-C", str(root), "new", "pipeline") as shell:
        shell.answer("What kind of data product is it?", f"source-aligned{ENTER}")
        shell.answer("domains here", f"sales{ENTER}")
        shell.answer("Team that keeps it", ENTER)
        shell.answer("Title of the product", "\x03")
        assert shell.end() == 130
        assert "Traceback" not in shell.shown
    assert not (root / "products/pipeline").exists()
