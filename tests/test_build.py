"""dbt's words for a failure, turned into what, where and what next; the runs themselves are in test_errors.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from mesh import write

from factory.build import explain
from factory.errors import DbtError, LockedError
from factory.workspace import Workspace


def test_a_lock_names_the_file_and_its_holder(tmp_path: Path) -> None:
    text = (
        'Runtime Error\n  IO Error: Could not set lock on file "/data/shop.duckdb": Conflicting lock is held in '
        "/usr/bin/python3 (PID 4711). See also https://duckdb.org/docs/connect/concurrency"
    )
    error = explain(text, Workspace(tmp_path))
    assert isinstance(error, LockedError)
    assert error.where == Path("/data/shop.duckdb")
    assert "/usr/bin/python3 (PID 4711)" in error.message


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    error = explain("IO Error: could not write: No space left on device", Workspace(tmp_path))
    assert (error.message, "free some space" in error.hint) == ("no disk space left", True)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "Compilation Error\n  Model 'model.shop.a' (models/a.sql) depends on a node named 'b' which was not found",
            3,
        ),
        ("Node model.shop.a attempted to reference node model.other.b, which is not allowed", 3),
        ("Compilation Error in model a (models/a.sql)\n  unexpected '}'\n  line 2\n    x", 2),
    ],
)
def test_a_file_and_line_are_found_below_the_product(tmp_path: Path, text: str, place: int) -> None:
    file = write(tmp_path / "products/shop/models/a.sql", "-- one\n-- two\nselect * from {{ ref('b') }}\n")
    error = explain(text, Workspace(tmp_path))
    assert isinstance(error, DbtError)
    assert (error.where, error.line) == (file, place)
    assert not error.message.startswith("dbt: Compilation Error")


def test_colours_and_headings_are_left_out_and_length_is_bounded(tmp_path: Path) -> None:
    error = explain("\x1b[31mRuntime Error\x1b[0m\n  " + "word " * 400, Workspace(tmp_path))
    assert error.message.startswith("dbt: word word")
    assert len(error.message) < 620
