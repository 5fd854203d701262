"""The linter of contracts: what it finds, where, in which words and forms, and what it leaves alone."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from builders import PROPERTY
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from linting import VERSIONS, base, cases, contract_text, marked_lines

from factory.documents import scan_text
from factory.odcs.lint import CODES, LintFinding, contract_faults, lint_file
from factory.odcs.lint.codes import HINTS
from factory.odcs.lint.linter import LONGEST_MESSAGE, MOST_FINDINGS
from factory.questions.lint import lint_as_annotations, lint_as_json, lint_as_sarif, lint_as_text
from factory.standards import schema

BAD = {**cases("bad"), **cases("more")}
GOOD = cases("good")
ROOT = Path(__file__).parents[1]


def linted(text: str, name: str = "x.odcs.yaml") -> tuple[LintFinding, ...]:
    """Return the findings of a text, which is written to the working folder as a file is."""
    Path(name).write_bytes(text.encode())
    return lint_file(Path(name))


def errors(findings: tuple[LintFinding, ...]) -> list[LintFinding]:
    return [finding for finding in findings if finding.severity == "error"]


def codes(findings: tuple[LintFinding, ...]) -> list[str]:
    return [finding.code for finding in findings]


# Every kind of fault, and what only looks like one


@pytest.mark.parametrize("name", BAD)
def test_a_fault_is_found_in_its_line_and_has_its_code(name: str) -> None:
    case = BAD[name]
    text = contract_text(case)
    lines = marked_lines(text) | set(case.get("lines", ()))
    findings = linted(text)
    severity = case.get("severity", "error")
    for code in [case["code"]] if isinstance(case["code"], str) else case["code"]:
        assert [f for f in findings if (f.code, f.severity) == (code, severity) and f.line in lines], findings
    assert all(f.hint and f.message and f.code in CODES for f in findings), findings
    assert all(f.column <= len(text.split("\n")[f.line - 1]) + 1 for f in findings)
    assert bool(errors(findings)) == (severity == "error")


@pytest.mark.parametrize("name", GOOD)
def test_what_the_standard_permits_has_no_error(name: str) -> None:
    findings = linted(contract_text(GOOD[name]))
    assert errors(findings) == []
    assert all(finding.hint for finding in findings)


def test_there_are_enough_cases_for_every_version() -> None:
    assert len(BAD) >= 300
    assert len(GOOD) >= 100
    for version in VERSIONS:
        assert len([case for case in BAD.values() if case["version"] == version]) >= 15, version


@pytest.mark.parametrize("version", VERSIONS)
def test_the_base_of_the_cases_is_a_contract_without_a_finding(version: str) -> None:
    assert linted(contract_text({"version": version})) == ()
    assert "#@" in base(version)


def limits() -> dict[str, tuple[bytes, str]]:
    """Return files that no reader takes, with the code that each has."""
    head = HEAD.encode()
    endless = b"a" * 21_000
    rule = b"    quality:\n      - {type: sql, mustBe: 0, query: 'select '%s' from t'}\n".replace(
        b"'%s'", b"%s"
    )
    return {
        "text of another encoding": (head + "domain: größe\n".encode("latin-1"), "yaml-encoding"),
        "too large": (head + b"# " + b"x" * 2_000_000, "yaml-too-large"),
        "too many values": (head + b"tags: [" + b"1," * 250_000 + b"]\n", "yaml-too-many"),
        "too much SQL": (head + b"schema:\n  - name: t\n" + rule % endless, "sql-too-long"),
    }


HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: draft\n"


@pytest.mark.parametrize("what", limits())
def test_a_file_beyond_a_limit_is_told(what: str, tmp_path: Path) -> None:
    data, code = limits()[what]
    (tmp_path / "x.odcs.yaml").write_bytes(data)
    findings = lint_file(tmp_path / "x.odcs.yaml")
    assert code in codes(findings)
    assert all(finding.hint for finding in findings)


def test_a_file_that_is_not_there_is_told(factory: Command) -> None:
    result = factory("contract", "lint", "nowhere.odcs.yaml", "--format", "json")
    assert result.code == 1
    assert [finding["code"] for finding in result.json["findings"]] == ["unreadable-file"]


def test_every_code_has_a_case_and_every_case_a_code() -> None:
    expected = {"unreadable-file", *(code for _, code in limits().values())}
    for case in BAD.values():
        expected |= {case["code"]} if isinstance(case["code"], str) else set(case["code"])
    assert expected == set(CODES)


def test_every_code_in_the_program_is_in_the_list_of_codes() -> None:
    written: set[str] = set()
    for file in (*(ROOT / "factory/odcs/lint").glob("*.py"), ROOT / "factory/standards.py"):
        tree = ast.parse(file.read_text("utf-8"))
        found = [
            word.value for word in ast.walk(tree) if isinstance(word, ast.keyword) and word.arg == "code"
        ]
        written |= {value.value for value in found if isinstance(value, ast.Constant)}
    assert written <= set(CODES)
    assert set(HINTS) <= set(CODES)


# Values of any kind

NAMES = st.sampled_from(["a", "t.a", "dpo", "cron", "²", "2024-13-45", "string", "9" * 5000, "\x1b[31m", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.just(10**99) | st.floats(-2, 2) | NAMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [
        *([path] if path else []),
        *(found for key, each in inside for found in places(each, (*path, key))),
    ]


def whole_contract(version: str) -> Any:
    return scan_text(contract_text({"version": version}), Path("x")).documents[0].data


@PROPERTY
@given(st.sampled_from(VERSIONS), st.randoms(use_true_random=False), VALUES)
def test_no_value_at_any_place_is_beyond_the_linter(version: str, random: Any, value: Any) -> None:
    data = whole_contract(version)
    *above, last = random.choice(places(data))
    holder = data
    for key in above:
        holder = holder[key]
    holder[last] = value
    for fault in contract_faults(data):
        assert fault.message
        assert fault.code in CODES
        assert fault.severity in ("error", "warning")


# Many at once


def test_all_faults_are_told_at_once_in_the_order_of_lines() -> None:
    findings = linted(
        """\
apiVersion: v3.2.0
kind: DataContract
id: x
version: "1.0"
status: actve
descripton: misspelled
schema:
  - name: t
    properties:
      - name: a
        logicalType: strin
      - name: a
        logicalType: string
        logicalTypeOptions: {minLength: 5, maxLength: 3, pattern: '['}
    quality:
      - {metric: nullValues, mustBe: 0}
      - {type: sql, query: drop table t, mustBe: 0}
"""
    )
    assert [(f.line, f.column, f.code) for f in findings] == [
        (4, 1, "not-semver"),
        (5, 1, "unusual-status"),
        (6, 1, "unknown-field"),
        (11, 9, "wrong-value"),
        (12, 9, "duplicate-column"),
        (14, 30, "min-above-max"),
        (14, 58, "wrong-pattern"),
        (16, 10, "wrong-level"),
        (17, 21, "sql-writes"),
    ]
    assert "descripton" in findings[2].message
    assert "description" in findings[2].hint


def test_a_fault_of_syntax_does_not_hide_keys_that_stand_twice() -> None:
    findings = linted("id: a\nid: b\nkind: [\n")
    assert codes(findings)[0] == "yaml-duplicate-key"
    assert "yaml-syntax" in codes(findings)


def test_every_document_of_a_file_is_read() -> None:
    one = HEAD.replace("status", "statis")
    findings = linted(f"{HEAD}---\n{one}---\n- a\n")
    assert [(f.line, f.code) for f in errors(findings)] == [(11, "unknown-field"), (13, "not-a-contract")]


def test_a_folder_stands_for_the_contracts_below_it(tmp_path: Path, factory: Command) -> None:
    folder = tmp_path / "many"
    for name, text in {
        "b/deep/two.odcs.yaml": HEAD,
        "a/one.odcs.yml": HEAD.replace("id: x\n", ""),
        "a/other.yaml": "no: contract\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    result = factory(
        "contract", "lint", folder, folder / "b", folder / "b/deep/two.odcs.yaml", "--format", "json"
    )
    assert result.code == 1
    assert result.json["files"] == 2
    assert [(Path(f["file"]).name, f["code"]) for f in result.json["findings"]] == [
        ("one.odcs.yml", "missing-field")
    ]


def test_a_folder_without_a_contract_is_told(tmp_path: Path, factory: Command) -> None:
    (tmp_path / "none").mkdir()
    result = factory("contract", "lint", tmp_path / "none")
    assert result.code == 2
    assert "no *.odcs.yaml lies in the folder" in result.err


def test_a_file_has_at_most_so_many_findings() -> None:
    findings = linted(HEAD + "".join(f"field{number}: 1\n" for number in range(2 * MOST_FINDINGS)))
    assert len(findings) == MOST_FINDINGS + 1
    assert "more findings in this file" in findings[-1].message


def test_a_message_is_short_though_the_value_is_long() -> None:
    long = "9" * 5000
    findings = linted(
        HEAD.replace("1.0.0", f'"{long}"')
        + f"slaProperties:\n  - {{property: endOfLife, value: '{long}'}}\nprice: {{priceCurrency: '{long}'}}\n"
    )
    assert codes(findings) == ["not-semver", "wrong-date", "wrong-form"]
    assert all(len(finding.message) <= LONGEST_MESSAGE for finding in findings)


def test_a_status_that_is_missing_is_told_once() -> None:
    for version, code in (("v3.1.0", "missing-field"), ("v3.2.0", "no-status")):
        text = HEAD.replace("status: draft\n", "").replace("v3.2.0", version)
        assert codes(linted(text)) == [code]


def test_an_error_exits_with_1_and_a_warning_with_0(tmp_path: Path, factory: Command) -> None:
    file = tmp_path / "x.odcs.yaml"
    for text, code, told in (
        (HEAD, 0, "1 file: nothing to complain of"),
        (HEAD.replace("draft", "in review"), 0, "1 file: 1 warning"),
        (HEAD.replace("1.0.0", "latest"), 1, "1 file: 1 error"),
    ):
        file.write_text(text, "utf-8")
        result = factory("contract", "lint", file)
        assert result.code == code
        assert told in result.out
    assert f"{file}:4:1: error: version: 'latest' is not a semantic version [not-semver]" in result.out


@pytest.mark.parametrize("what", ["bad", "good"])
def test_the_command_says_what_the_linter_says(what: str, tmp_path: Path, factory: Command) -> None:
    for number, case in enumerate(list({"bad": BAD, "good": GOOD}[what].values())[::10]):
        (tmp_path / f"{number:03}.odcs.yaml").write_bytes(contract_text(case).encode())
    result = factory("contract", "lint", tmp_path, "--format", "json")
    assert result.code == (1 if what == "bad" else 0)
    Draft202012Validator(schema("lint.schema.json")).validate(result.json)
    told = [LintFinding(**finding) for finding in result.json["findings"]]
    assert told == [finding for file in sorted(tmp_path.glob("*.odcs.yaml")) for finding in lint_file(file)]


# Columns


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("descripton: x", 1, "unknown-field"),
        ('"descripton": x', 1, "unknown-field"),
        ("price: {priceAmount: 1, priceamount: 2}", 25, "unknown-field"),
        ("tags: [größe, 漢字, 😀, {a: 1}]", 22, "wrong-type"),
        ("tags: [a, [b]]", 11, "wrong-type"),
        ("id: y", 1, "yaml-duplicate-key"),
    ],
)
def test_a_column_is_counted_in_characters_from_1(line: str, column: int, code: str) -> None:
    findings = linted(HEAD + line + "\n")
    assert [(f.line, f.column, f.code) for f in findings] == [(6, column, code)]


# Forms of the answer

FINDING = LintFinding("a,b:c%d\n.yaml", 3, 7, "unknown-field", "error", "100% of\r\n::error::x, y: z", "a\nb")


def test_json_is_as_its_schema_says() -> None:
    check = Draft202012Validator(schema("lint.schema.json"))
    check.validate(lint_as_json([FINDING], 1))
    assert not check.is_valid({**lint_as_json([FINDING], 1), "more": 1})
    assert not check.is_valid(lint_as_json([replace(FINDING, line=0)], 1))
    assert lint_as_json([], 3) == {"files": 3, "findings": []}


def test_sarif_has_what_code_scanning_reads() -> None:
    warning = replace(FINDING, file="contracts/größe x.yaml", code="no-status", severity="warning", hint="")
    absolute = replace(FINDING, file="/a b/c.yaml", line=9)
    sarif = json.loads(json.dumps(lint_as_sarif([FINDING, warning, absolute], "1.2.3")))
    assert sarif["version"] == "2.1.0"
    assert sarif["$schema"].endswith("/sarif-schema-2.1.0.json")
    (run,) = sarif["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("factory contract lint", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["no-status", "unknown-field"]
    assert all(rule["shortDescription"]["text"] == CODES[rule["id"]] for rule in driver["rules"])
    assert run["columnKind"] == "unicodeCodePoints"
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] == 7
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]]
    assert uris == ["a%2Cb%3Ac%25d%0A.yaml", "contracts/gr%C3%B6%C3%9Fe%20x.yaml", "file:///a%20b/c.yaml"]


def test_an_annotation_cannot_start_another_command() -> None:
    (line,) = lint_as_annotations([FINDING]).split("\n")
    assert line == (
        "::error file=a%2Cb%3Ac%25d%0A.yaml,line=3,col=7,title=unknown-field::"
        "100%25 of%0D%0A::error::x, y: z (a%0Ab)"
    )


def test_text_has_a_line_per_finding() -> None:
    first, hint, *_ = lint_as_text([replace(FINDING, file="x.yaml")], 1).splitlines()
    assert first == "x.yaml:3:7: error: 100% of ::error::x, y: z [unknown-field]"
    assert hint.startswith("    a")


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_no_control_character_reaches_the_terminal(form: str, tmp_path: Path, factory: Command) -> None:
    file = tmp_path / "x\x1b[31m\u009b.odcs.yaml"
    file.write_text(
        HEAD
        + """\
"\\e[2J\\a\\u009b\\n::error::x": 1
schema:
  - name: "t\\e[31m"
    physicalNam: x
    quality:
      - {type: sql, mustBe: 0, query: "call \\e[31mcleanup()"}
    properties:
      - {name: "a\\u202e\\e]0;x\\a", logicalType: "str\\eing"}
      - {name: "a\\u202e\\e]0;x\\a", logicalType: string}
""",
        "utf-8",
    )
    result = factory("contract", "lint", file, "--format", form)
    assert result.code == 1
    assert result.err == ""
    shown = result.out.replace("\n", "")
    assert not [c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160], result.out
    if form == "github":
        assert all(line.startswith("::") for line in result.out.splitlines())
    if form in ("json", "sarif"):
        json.loads(result.out)


# The hand-kept part of a product's contract


PART = "apiVersion: v3.2.0\nkind: DataContract\nversion: 1.0.0\nschema:\n  - name: t\n    properties:\n      - name: a\n"


def test_the_hand_kept_part_of_a_contract_leaves_out_what_dbt_knows(tmp_path: Path, factory: Command) -> None:
    folder = tmp_path / "products/shop/contracts"
    folder.mkdir(parents=True)
    (folder / "shop.odcs.yaml").write_text(PART, "utf-8")
    assert {"missing-field", "no-logical-type"} <= set(codes(lint_file(folder / "shop.odcs.yaml")))
    (folder.parent / "product.odps.yaml").write_text("kind: DataProduct\n", "utf-8")
    assert lint_file(folder / "shop.odcs.yaml") == ()
    assert factory("contract", "lint", folder).code == 0


def test_the_hand_kept_part_of_a_contract_has_its_own_faults_still(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    (tmp_path / "product.odps.yaml").touch()
    (folder / "x.odcs.yaml").write_text(PART + "        logicalTyp: string\n", "utf-8")
    assert codes(lint_file(folder / "x.odcs.yaml")) == ["unknown-field"]


def test_the_contracts_of_this_workspace_have_no_error() -> None:
    files = sorted((ROOT / "products").glob("*/contracts/*.odcs.yaml"))
    assert files
    assert [errors(lint_file(file)) for file in files] == [[] for _ in files]


# The schemas of the standard

# As they lie in the PyPI package open-data-contract-standard, by the version of the package.
PUBLISHED = {
    "odcs-3.0.1.schema.json": ("3.0.1", "25cc0f4be6d803c4339d77e53b64addb5e9a834562772a6b6ab53d1be56227a5"),
    "odcs-3.0.2.schema.json": ("3.0.4", "8d2de931527197e8206a581483fb06d5b6267db4cb24d24b86dbb65ae47051a5"),
    "odcs-3.1.0.schema.json": ("3.1.2", "2cb7dd6fe43344d2233e0406438622681dc3ebadcf8f0d606a15b40c8f6752c0"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_schemas_of_the_standard_are_unchanged(name: str) -> None:
    found = resources.files("factory").joinpath("schemas", name).read_bytes()
    assert hashlib.sha256(found).hexdigest() == PUBLISHED[name][1]


@pytest.mark.parametrize("name", [*PUBLISHED, "odcs-3.2.0.schema.json"])
def test_the_schemas_of_the_standard_name_their_own_version(name: str) -> None:
    version = "v" + name.removeprefix("odcs-").removesuffix(".schema.json")
    assert version in schema(name)["properties"]["apiVersion"]["enum"]


# Files from anywhere


def hostile() -> dict[str, str]:
    """Return texts that are made to crash, to stall or to fill the memory of what reads them."""
    column = HEAD + "schema:\n  - name: t\n    properties:\n      - name: c\n        logicalType: string\n"
    rule = HEAD + "schema:\n  - name: t\n    quality:\n      - {type: sql, mustBe: 0, query: 'QUERY'}\n"
    nested = "{name: a, logicalType: object, properties: ["
    pattern = "        logicalTypeOptions: {pattern: 'PATTERN'}\n        enum: [{value: %s!}]\n" % ("a" * 40)
    doubled = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 11))
    columns = "".join(
        f"      - &p{n} {{name: x{n}, logicalType: object, properties: [*p{n - 1}, *p{n - 1}]}}\n"
        for n in range(1, 40)
    )
    merges = "".join(
        f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}], x{n}: 1}}\n" for n in range(1, 9)
    )
    member = '    - {username: u%d, role: dpo, dateIn: "2024-01-01", dateOut: "2024-01-01", replacedByUsername: u%d}\n'
    ring = "".join(member % (n, (n + 1) % 5000) for n in range(5000))
    return {
        "brackets without an end": HEAD + "schema: " + "[" * 500_000,
        "keys within keys": HEAD + "schema:\n  " + "? " * 200_000 + "x\n",
        "aliases that double": HEAD + "a0: &a0 [x, x, x, x, x]\n" + doubled + "tags: *a10\n",
        "columns that double": HEAD
        + "schema:\n  - name: t\n    properties:\n      - &p0 {name: x}\n"
        + columns,
        "merges that double": HEAD + "m0: &m0 {a: 1, b: 2}\n" + merges,
        "an alias of itself": HEAD + "customProperties:\n  - property: p\n    value: &v\n      self: *v\n",
        "a number of half a million digits": HEAD + "price:\n  priceAmount: " + "9" * 500_000 + "\n",
        "a size of many digits": column + "        physicalType: decimal(" + "9" * 5000 + ",0)\n",
        "a bound of many digits": column
        + "        physicalType: decimal(999999999)\n        logicalTypeOptions: {maximum: 1.0e+300}\n",
        "ten thousand documents": (HEAD + "---\n") * 10_000,
        "a fault for each of many values": HEAD + "tags: [" + "1," * 90_000 + "1]\n",
        "a pattern that backtracks": column + pattern.replace("PATTERN", "^(a+)+$"),
        "a pattern that repeats": column + pattern.replace("PATTERN", "((a{1,1000}){1,1000}){1,1000}"),
        "brackets in SQL": rule.replace("QUERY", "select " + "(" * 9000 + "1" + ")" * 9000),
        "conditions in SQL": rule.replace("QUERY", "select 1 where " + " or ".join(["c = 1"] * 1800)),
        "statements in SQL": rule.replace("QUERY", "select 1;" * 2000),
        "bad rules": rule + "      - {type: sql, query: select count(* from t whre c, mustBe: 0}\n" * 2000,
        "columns of one name": column + "      - {name: c, logicalType: string}\n" * 5000,
        "fields that nearly are some": HEAD + "".join(f"descriptio{'n' * 300}{n}: 1\n" for n in range(3000)),
        "columns within columns": HEAD
        + "schema: [{name: t, properties: ["
        + nested * 3000
        + "]}" * 3000
        + "]}]\n",
        "owners in a ring": HEAD + "team:\n  members:\n" + ring,
        "a schedule of many parts": rule.replace("QUERY", "select count(*) from t")
        + "      - {metric: rowCount, mustBe: 5, scheduler: cron, schedule: '"
        + "*/1," * 100_000
        + "'}\n",
    }


_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))
from factory.cli import cli
from factory.cli.frame import run_guarded
code = run_guarded(cli, ["contract", "lint", "--format", "json", *sys.argv[1:]])
# What the process itself held at most; the kernel's other figure begins with that of the parent.
most = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(code, most, file=sys.stderr)
"""


@pytest.mark.parametrize("what", hostile())
def test_no_file_takes_much_time_or_memory(what: str, tmp_path: Path) -> None:
    file = tmp_path / "x.odcs.yaml"
    file.write_text(hostile()[what], "utf-8")
    program = _LIMITED.replace("SECONDS", "5")
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    code, kilobytes = map(int, done.stderr.split("\n")[-2].split())
    assert code in (0, 1), done.stderr[-500:]
    assert kilobytes < 300_000
    assert len(done.stdout) < 2_000_000
    findings = json.loads(done.stdout)["findings"]
    assert len(findings) <= MOST_FINDINGS + 1
    assert code == int(any(finding["severity"] == "error" for finding in findings))


def test_nothing_is_looked_up_on_the_network(tmp_path: Path) -> None:
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(
        "import socket\n\n\ndef refuse(*_, **__):\n    raise SystemExit('a look at the network')\n\n\n"
        "socket.socket = socket.create_connection = socket.getaddrinfo = refuse\n",
        "utf-8",
    )
    address = "https://contracts.example.org/x.odcs.yaml"
    file = tmp_path / "x.odcs.yaml"
    file.write_text(
        "$schema: https://example.org/schema.json\n"
        + HEAD
        + f"""\
authoritativeDefinitions: [{{url: "{address}", type: canonicalUrl}}]
support: [{{channel: a, url: "{address}"}}]
servers: [{{server: s, type: api, location: "{address}"}}]
schema:
  - name: t
    $ref: {address}
    properties:
      - name: a
        logicalType: string
        relationships: [{{to: "{address}#/schema/t/properties/a"}}]
""",
        "utf-8",
    )
    paths = os.pathsep.join([str(guard), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "factory", "contract", "lint", str(file), "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    assert {finding["code"] for finding in json.loads(done.stdout)["findings"]} == {"unknown-field"}
    check = subprocess.run(
        [sys.executable, "-c", "import socket; socket.socket()"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert "a look at the network" in check.stderr
