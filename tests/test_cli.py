"""The command line itself: help, versions, and what it does not import."""

from __future__ import annotations

import subprocess
import sys

from conftest import Command

from factory import __version__
from factory.cli import cli

HEAVY = (
    "dbt", "soda", "sqlglot", "duckdb", "jsonschema", "pydantic", "copier", "yaml", "agate", "cryptography", "obstore",
    "requests", "openlineage",
)  # fmt: skip


def test_help_and_version(factory: Command) -> None:
    assert factory("--version").out.strip() == f"factory, version {__version__}"
    for name in ("", *cli.commands):
        result = factory(*name.split(), "--help")
        assert result.code == 0
        assert "Usage: factory" in result.out


def test_help_imports_nothing_heavy() -> None:
    program = f"import sys, factory.cli; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_wrong_option_is_a_usage_error(factory: Command) -> None:
    result = factory("build", "--fulll")
    assert result.code == 2
    assert "No such option" in result.err


def test_python_m_factory_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "factory", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "Usage: factory" in done.stdout


def test_a_target_with_a_strange_name_is_refused(factory: Command) -> None:
    result = factory("build", "--target", "../x")
    assert result.code == 2
    assert "is not a name" in result.err
