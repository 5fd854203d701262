"""The shape of the code: imports run one way, and each big dependency has one door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = Path(__file__).parents[1] / "factory"

#: Modules and shelves in the order in which data flows; each imports only what stands above it.
ORDER = (
    "errors", "dimensions", "files", "git", "documents", "standards", "tools", "periods", "endpoints", "addresses", "workspace", "secrets", "products", "umbrella", "locking", "clock", "declared", "build", "loose_json", "data_tests",
    "artifacts", "parse", "undo", "sql", "lineage", "odcs", "handkept", "contract", "lifecycle", "tables", "drift", "quality", "levels", "score", "record", "freshness", "evidence", "notices", "policies", "certify", "registry", "incidents", "changes", "selection", "current", "results", "verdict", "openlineage", "sinks", "publish", "past", "watch", "plan", "guard", "passage", "pipeline", "recheck", "rehearse", "bump", "succession", "pages", "docs", "scaffold",
    "questions", "report", "cli", "__main__",
)  # fmt: skip

#: Where each big dependency may be imported.
DOORS = {
    "dbt": {"build"},
    "sqlglot": {"lineage", "sql"},
    "soda": {"quality"},
    "copier": {"scaffold"},
    "click": {"cli"},
    "jsonschema_rs": {"standards"},
    "yaml": {"documents"},
    "filelock": {"locking"},
    "obstore": {"registry"},
    "apprise": {"incidents"},
    "cronsim": {"levels"},
    "openlineage": {"openlineage"},
    "requests": {"endpoints", "sinks"},
    "duckdb": {"tables", "quality", "registry"},
    "cryptography": {"registry"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted(CODE.rglob("*.py")):
        parts = file.relative_to(CODE).with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], file


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "factory":
                yield from (f"factory.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def test_every_module_has_its_place_in_the_order() -> None:
    assert {name for name, _ in modules()} == set(ORDER)


@pytest.mark.parametrize(
    ("name", "file"), list(modules()), ids=lambda value: value if isinstance(value, str) else value.stem
)
def test_imports_run_against_the_data(name: str, file: Path) -> None:
    for imported in imports(file):
        parts = imported.split(".")
        if parts[0] == "factory" and len(parts) > 1 and parts[1] in ORDER and parts[1] != name:
            assert ORDER.index(parts[1]) < ORDER.index(name), f"{file.name} imports {imported}"


@pytest.mark.parametrize("package", DOORS)
def test_a_big_dependency_has_one_door(package: str) -> None:
    doors = {
        name for name, file in modules() for imported in imports(file) if imported.split(".")[0] == package
    }
    assert doors == DOORS[package]


def test_only_the_command_line_catches_everything() -> None:
    broad = []
    for name, file in modules():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "BaseException"
                reraises = any(isinstance(n, ast.Raise) and n.exc is None for n in ast.walk(node))
                if caught in ("Exception", "BaseException") and not reraises:
                    broad.append(name)
    assert broad == ["cli"]


def test_modules_stay_small() -> None:
    large = {
        str(f.relative_to(CODE)): n
        for _, f in modules()
        if (n := len(f.read_text("utf-8").splitlines())) > 560
    }
    assert large == {}
