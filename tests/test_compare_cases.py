"""Pairs of contracts with what lies between them, and `factory diff` as people and programs read it."""

from __future__ import annotations

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Command
from jsonschema import Draft202012Validator
from mesh import make_mesh

from factory.documents import dump_yaml
from factory.odcs.compare import (
    BREAKING,
    RULES,
    SEVERITIES,
    Change,
    Difference,
    breaks_consumers,
    difference,
    severity_of,
)
from factory.questions.diff import contract_in, difference_as_json, difference_as_markdown
from factory.standards import schema

HERE = Path(__file__).parent
KNOWN = yaml.load((HERE / "cases/compare.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
CASES = {case["name"]: case for case in KNOWN["cases"]}
BOOK = HERE / "cases/contracts"
_NAMES = ("name", "property", "server", "username", "role", "channel", "value", "synonym")


def key_in(holder: Any, step: str) -> Any:
    """Return the key or the index that a step of a path means: in a list an item's name, a number, or `+`."""
    if isinstance(holder, dict):
        return step
    named = [
        next((str(item[k]) for k in _NAMES if k in item), "") for item in holder if isinstance(item, dict)
    ]
    return len(holder) if step == "+" else named.index(step) if step in named else int(step)


def edited(data: Any, case: dict[str, Any], how: str) -> Any:
    """Return a contract with what a case sets, and without what it takes away."""
    data = copy.deepcopy(data)
    changes = [(path, None) for path in case.get(f"{how}_without", ())]
    for path, value in [*changes, *case.get(how, {}).items()]:
        *above, last = path.split("/")
        holder = data
        for step in above:
            holder = holder[key_in(holder, step)]
        key = key_in(holder, last)
        if value is None and path in case.get(f"{how}_without", ()):
            del holder[key]
        elif isinstance(holder, list) and key == len(holder):
            holder.append(copy.deepcopy(value))
        else:
            holder[key] = copy.deepcopy(value)
    return data


def turned(value: Any) -> Any:
    """Return a value with the keys of every mapping in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


def pair(case: dict[str, Any]) -> tuple[Any, Any]:
    """Return the two contracts of a case; whole texts are read from files, as any are."""
    if "new_text" in case:
        found = []
        for number, text in enumerate((case.get("old_text", KNOWN["plain"]), case["new_text"])):
            file = Path(f"{number}.odcs.yaml")
            file.write_bytes(text.encode())
            found.append(contract_in(file).data)
        return found[0], found[1]
    old = edited(KNOWN["base"], case, "given")
    new = edited(old, case, "edit")
    return old, turned(new) if case.get("turned_keys") else new


def told(change: Change) -> str:
    return f"{change.path} " + (f"renamed to {change.new}" if change.kind == "renamed" else change.kind)


def test_there_are_enough_cases() -> None:
    assert len(CASES) == len(KNOWN["cases"]) >= 400
    assert {case["severity"] for case in CASES.values()} == set(SEVERITIES)


@pytest.mark.parametrize("name", CASES)
def test_a_change_has_its_severity_its_place_and_its_sides(name: str) -> None:
    case = CASES[name]
    old, new = pair(case)
    found = difference(old, new)
    assert found.severity == case["severity"]
    assert [told(change) for change in found.changes] == case.get("changes", [])
    assert breaks_consumers(found.changes) == case.get("breaks", case["severity"] == "major")
    if "suggested" in case:
        assert found.suggested_version == case["suggested"]
    if "sufficient" in case:
        assert found.sufficient == case["sufficient"]
    assert all(change.rule in RULES and change.why for change in found.changes)
    assert difference(old, old).changes == difference(new, new).changes == ()
    back = difference(new, old)
    assert (back.severity == "none") == (found.severity == "none")


def test_every_rule_has_a_case() -> None:
    used = set()
    for case in CASES.values():
        old, new = pair(case)
        used |= {c.rule for c in (*difference(old, new).changes, *difference(new, old).changes)}
    assert used == set(RULES)


def test_what_any_pair_prints_is_as_its_schema_says() -> None:
    check = Draft202012Validator(schema("diff.schema.json"))
    for case in CASES.values():
        check.validate(json.loads(json.dumps(difference_as_json(difference(*pair(case))))))


# The three worked bumps of the book, through the command


@pytest.mark.parametrize(
    ("old", "new", "severity", "suggested", "first"),
    [
        ("1.0.1", "1.0.2", "patch", "1.0.2", "team"),
        ("1.0.2", "1.1.0", "minor", "1.1.0", ""),
        ("1.1.0", "2.0.0", "major", "2.0.0", ""),
    ],
)
def test_the_worked_bumps_of_the_book(
    old: str, new: str, severity: str, suggested: str, first: str, factory: Command
) -> None:
    files = [BOOK / f"prospect-{version}.odcs.yaml" for version in (old, new)]
    for command in (["diff"], ["contract", "diff"]):
        result = factory(*command, *files, "--format", "json")
        assert result.code == 0
        Draft202012Validator(schema("diff.schema.json")).validate(result.json)
        assert (result.json["old_version"], result.json["new_version"]) == (old, new)
        assert (result.json["severity"], result.json["suggested_version"]) == (severity, suggested)
        assert result.json["sufficient"] is True
        assert result.json["changes"][0]["path"].startswith(first)
    text = factory("diff", *files).out
    assert f"{severity}: {new} says enough (" in text
    assert re.search(rf"asks? for {suggested}\)", text)


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        ("patch", ("patch", "minor", "major")),
        ("minor", ("minor", "major")),
        ("major", ("major",)),
        ("breaking", ("major",)),
        ("insufficient", ()),
    ],
)
def test_a_grave_change_can_fail_a_pipeline(fail_on: str, failing: tuple[str, ...], factory: Command) -> None:
    bumps = {"patch": ("1.0.1", "1.0.2"), "minor": ("1.0.2", "1.1.0"), "major": ("1.1.0", "2.0.0")}
    for severity, versions in bumps.items():
        files = [BOOK / f"prospect-{version}.odcs.yaml" for version in versions]
        assert factory("diff", *files, "--fail-on", fail_on).code == int(severity in failing), severity
        assert factory("diff", files[1], files[1], "--fail-on", fail_on).code == 0


def files_of(name: str, tmp_path: Path) -> tuple[Path, Path]:
    """Return the two contracts of a case as files."""
    for side, data in zip(("old", "new"), pair(CASES[name]), strict=True):
        (tmp_path / f"{side}.odcs.yaml").write_text(dump_yaml(data), "utf-8")
    return tmp_path / "old.odcs.yaml", tmp_path / "new.odcs.yaml"


def test_a_version_that_is_too_small_can_fail_a_pipeline(tmp_path: Path, factory: Command) -> None:
    files = files_of("golden-minor-declared-patch", tmp_path)
    assert factory("diff", *files).code == 0
    result = factory("diff", *files, "--fail-on", "insufficient")
    assert result.code == 1
    assert "minor: set version 1.3.0 (1 minor change); 1.2.4 is too small" in result.out
    assert factory("diff", *files, "--fail-on", "breaking").code == 0
    assert factory("diff", *files, "--fail-on", "none").code == 2


def test_consumers_are_told_though_the_table_of_the_book_says_minor(tmp_path: Path, factory: Command) -> None:
    name = next(n for n, c in CASES.items() if c["severity"] == "minor" and c.get("breaks"))
    files = files_of(name, tmp_path)
    assert factory("diff", *files, "--fail-on", "breaking").code == 1
    assert factory("diff", *files, "--fail-on", "major").code == 0
    assert "consumers: breaking" in factory("diff", *files).out


# Forms


def test_markdown_shows_names_and_values_as_they_are() -> None:
    name = "a|b`c*d_[x](y)<img src=x>~#\n| new row |"
    changes = (Change(f"{name}.x", "changed", "minor", name, "\\|", why=name),)
    lines = difference_as_markdown(
        Difference(changes, "1.0.0", "1.0.1", "1.1.0", False), name, "b"
    ).splitlines()
    assert len(lines) == 5
    assert lines[2:4] == ["| severity | change | consumers | why |", "| --- | --- | --- | --- |"]
    for line in (lines[0], lines[4]):
        for sign in "|`*_[]<>~#":
            plain = line.replace(f"\\{sign}", "").strip("*")
            if sign == "|" and line is lines[4]:
                assert plain.count(sign) == 5
            elif sign != "*":
                assert sign not in plain, sign


def test_markdown_of_no_change_has_no_table() -> None:
    text = difference_as_markdown(Difference((), "1.0.0", "1.0.0", "1.0.0", True), "a", "b")
    assert text == "**a** → **b**: none: 1.0.0 stays\n\n"


def test_no_control_character_of_a_contract_reaches_the_terminal(tmp_path: Path, factory: Command) -> None:
    files = files_of("golden-age-column", tmp_path)
    data = yaml.safe_load(files[1].read_text("utf-8"))
    data["schema"][0]["properties"][0]["name"] = "a\x1b[31m\x07\u009b"
    files[1].write_text(json.dumps(data), "utf-8")
    for form in ("text", "json", "markdown"):
        out = factory("diff", *files, "--format", form).out.replace("\n", "")
        assert not [c for c in out if ord(c) < 32 or 127 <= ord(c) < 160], form


def test_json_of_several_contracts_is_as_its_schema_says() -> None:
    one = difference_as_json(difference(*pair(CASES["golden-age-column"])))
    check = Draft202012Validator(schema("diff.schema.json"))
    check.validate({"differences": [one, one]})
    assert not check.is_valid({"differences": [{**one, "severity": "grave"}]})
    assert not check.is_valid({**one, "more": 1})


# What is compared


@pytest.mark.parametrize("name", ["full-2.2.2.yaml", "orders-latest-1.1.0.yaml"])
def test_a_contract_of_an_older_standard_is_as_its_conversion(
    name: str, tmp_path: Path, factory: Command
) -> None:
    converted = tmp_path / "converted.odcs.yaml"
    assert factory("contract", "import", BOOK / name, "-o", converted).code == 0
    result = factory("diff", BOOK / name, converted, "--format", "json")
    assert result.code == 0
    assert (result.json["severity"], result.json["changes"]) == ("none", [])


def test_what_is_no_contract_is_told(tmp_path: Path, factory: Command) -> None:
    file, other = tmp_path / "a.yaml", BOOK / "prospect-1.0.1.odcs.yaml"
    file.write_text("some: thing\n", "utf-8")
    for arguments, message in (
        ((file, other), f"{file}:1: the file holds no data contract"),
        ((other, file), f"{file}:1: the file holds no data contract"),
        ((tmp_path / "nowhere.yaml", other), "nowhere.yaml"),
        ((other,), "stands alone"),
        (("shop@1.0.0", "shop@1.1.0"), "is not in a workspace"),
        ((other, "shop@1.0.0"), "is not in a workspace"),
    ):
        result = factory("diff", *arguments)
        assert result.code == 2, message
        assert message in result.err, result.err
        assert "→" in result.err or message == "nowhere.yaml", result.err


def test_two_files_need_no_workspace(tmp_path: Path, factory: Command) -> None:
    assert not (tmp_path / "pyproject.toml").exists()
    assert factory("diff", *files_of("golden-age-column", tmp_path)).code == 0


@pytest.fixture(scope="module")
def published(small_mesh: Path) -> Path:
    return small_mesh


@pytest.fixture
def mesh(published: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(published)
    return published


def test_published_versions_are_named_by_product_and_version(mesh: Path, factory: Command) -> None:
    file = mesh / "registry/products/trade/shop/shop/1.0.0/contract.odcs.yaml"
    for named in ("shop@1.0.0", "shop.shop@1.0.0", "shop@published"):
        result = factory("diff", named, file, "--format", "json")
        assert result.code == 0, result.err
        assert result.json["severity"] == "none"
    for named, message, hint in (
        ("shop@9.9.9", "shop.shop 9.9.9 is not published", "published: 1.0.0"),
        ("shop.other@1.0.0", "shop has no contract 'other'", "it has shop"),
        ("nobody@1.0.0", "'nobody' is not published", "factory list"),
        ("shopp", "'shopp' is no file, no version and no product", "did you mean 'shop'?"),
    ):
        result = factory("diff", named, file)
        assert result.code == 2
        assert message in result.err
        assert hint in result.err


# What a workspace sets otherwise


@pytest.fixture
def strict(mesh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of its own that sets severities, with a column added to what is published."""
    root = make_mesh(tmp_path / "strict")
    monkeypatch.chdir(root)
    shutil.copytree(mesh / "registry", root / "registry")
    return root


def with_severities(root: Path, table: str) -> None:
    file = root / "pyproject.toml"
    file.write_text(file.read_text("utf-8") + f"\n[tool.factory.severities]\n{table}\n", "utf-8")


def grown(root: Path) -> Path:
    """Return the published contract of shop with a column more, as a file."""
    file = root / "grown.odcs.yaml"
    data = yaml.safe_load((root / "registry/products/trade/shop/shop/1.0.0/contract.odcs.yaml").read_bytes())
    data["schema"][0]["properties"].append({"name": "more", "logicalType": "string"})
    file.write_text(dump_yaml(data), "utf-8")
    return file


def test_a_workspace_sets_the_severity_of_a_rule(strict: Path, factory: Command) -> None:
    file = grown(strict)
    assert factory("diff", "shop@1.0.0", file, "--format", "json").json["severity"] == "minor"
    with_severities(strict, 'column-added = "major"')
    result = factory("diff", "shop@1.0.0", file, "--format", "json")
    assert (result.json["severity"], result.json["suggested_version"]) == ("major", "2.0.0")
    (change,) = result.json["changes"]
    assert (change["rule"], change["consumer"]) == ("column-added", "compatible")


def test_a_severity_that_does_not_exist_is_refused(strict: Path, factory: Command) -> None:
    with_severities(strict, 'column-added = "grave"')
    result = factory("diff", "shop@1.0.0", grown(strict))
    assert result.code == 2
    assert "'grave' is no severity of the rule 'column-added'" in result.err


def test_a_rule_that_does_not_exist_is_refused(strict: Path, factory: Command) -> None:
    with_severities(strict, 'colum-added = "major"')
    line = (strict / "pyproject.toml").read_text("utf-8").splitlines().index('colum-added = "major"') + 1
    for command in (["diff", "shop@1.0.0", str(grown(strict))], ["contract", "bump", "shop"]):
        result = factory(*command)
        assert result.code == 2, command
        assert f"pyproject.toml:{line}" in result.err
        assert "there is no rule 'colum-added'" in result.err
        assert "did you mean 'column-added'?" in result.err


def test_severities_of_changes_are_the_gravest_of_theirs() -> None:
    changes = [Change("x", "added", severity, None, 1) for severity in ("patch", "major", "minor")]
    assert severity_of(changes) == "major"
    assert severity_of([]) == "none"
    assert BREAKING == "breaking"
