"""The yard: every test works in a folder of its own, and the real workspace and home are out of reach."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FULL = os.environ.get("FACTORY_TEST_COUNTS") == "full"


@pytest.fixture(autouse=True)
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    assert not (home / ".soda").exists(), "Soda wrote to the home folder"


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of a test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def example(common: Path) -> Path:
    """The published example mesh, built once for all workers."""
    from examples import example_mesh

    return example_mesh(common)


@pytest.fixture(scope="session")
def small_mesh(common: Path) -> Path:
    """The mesh of `mesh.make_mesh`, built and published once for all workers: to be copied, never changed."""
    from filelock import FileLock
    from mesh import build_mesh, make_mesh

    root = common / "small-mesh"
    with FileLock(common / "small-mesh.lock"):
        if not (common / "small-mesh.done").is_file():
            build_mesh(make_mesh(root))
            (common / "small-mesh.done").touch()
    return root


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture
def factory(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command of the factory in this process, as the console command does."""
    from factory.cli import cli
    from factory.cli.frame import run_guarded

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        code = run_guarded(cli, [str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err + captured.out, captured.err
        return Outcome(code, captured.out, captured.err)

    return run
