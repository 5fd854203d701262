"""Custom rules of contracts: those for Soda are given to Soda, those for dbt are looked up in what dbt ran.

Takes custom rules, dbt's tests and what was run already; gives exactly one `CheckResult` for each rule. What a
contract repeats of a product's own dbt tests and SodaCL is not run a second time: its result is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from factory.contract import Rule
from factory.data_tests import DataTest
from factory.documents import dump_yaml, parse_yaml
from factory.errors import FactoryError
from factory.quality.dbt import dbt_result
from factory.quality.results import CheckResult, Outcome, worst

#: Runs SodaCL text for a rule; gives the rule's one result.
RunSoda = Callable[[str, Rule], CheckResult]


class _NotSodaError(Exception):
    """The implementation is nothing that Soda reads; the message says why."""


def run_custom(
    rules: Iterable[Rule],
    tests: Iterable[DataTest],
    done: Iterable[CheckResult] = (),
    run_soda: RunSoda | None = None,
) -> tuple[CheckResult, ...]:
    """Return how each custom rule went, in their order.

    `tests` are dbt's of the same product, `done` the results of its own dbt tests and SodaCL.
    """
    tests, done = tuple(tests), tuple(done)
    return tuple(_run(rule, tests, done, run_soda) for rule in rules)


def repeated(rule: Rule, done: Iterable[CheckResult]) -> CheckResult | None:
    """Return the result of the dbt test or SodaCL check that a rule repeats, as its own; None if it repeats none.

    A published contract marks such rules by the custom property `origin`.
    """
    for result in done:
        other = result.rule
        if other.origin == "soda" and _is_custom(rule, "soda"):
            same = _read(str(other.definition)) == _read(_text_of(rule))
        else:
            same = other.origin == _origin(rule) and other.name == rule.definition.get("name")
        if same and other.table.lower() == rule.table.lower():
            return replace(result, rule=rule, seconds=0.0)
    return None


def soda_runner(product_name: str, connection: Any) -> RunSoda:
    """Return what runs the SodaCL of a rule over a connection to the tables."""

    def run(text: str, rule: Rule) -> CheckResult:
        from factory.quality.soda import run_sodacl_text

        try:
            found = run_sodacl_text(text, rule, product_name, connection)
        except FactoryError as error:
            return CheckResult(rule, Outcome.ERROR, reason=f"not SodaCL: {error.message}"[:300])
        warns = found.outcome is Outcome.FAIL and rule.severity == "warning"
        return replace(found, outcome=Outcome.WARN) if warns else found

    return run


def _run(
    rule: Rule, tests: tuple[DataTest, ...], done: tuple[CheckResult, ...], run_soda: RunSoda | None
) -> CheckResult:
    same = repeated(rule, done)
    if same is not None:
        return same
    if _is_custom(rule, "dbt"):
        return _from_dbt(rule, tests)
    if not _is_custom(rule, "soda"):
        reason = f"its engine is {rule.definition.get('engine')}, which is not part of this"
        return CheckResult(rule, Outcome.NOT_RUN, reason=reason)
    try:
        text = sodacl_of(rule)
    except _NotSodaError as error:
        return CheckResult(rule, Outcome.NOT_RUN, reason=f"not SodaCL: {error}")
    if run_soda is None:
        return CheckResult(rule, Outcome.NOT_RUN, reason="Soda is not run here")
    return run_soda(text, rule)


def _is_custom(rule: Rule, engine: str) -> bool:
    called = str(rule.definition.get("engine") or "").lower().replace("-", "").replace("_", "")
    return rule.definition_type == "custom" and called in (
        engine,
        f"{engine}core",
        f"{engine}tests",
        f"{engine}cl",
    )


def _origin(rule: Rule) -> str:
    for entry in rule.definition.get("customProperties") or ():
        if isinstance(entry, Mapping) and entry.get("property") == "origin":
            return str(entry.get("value"))
    return ""


# Soda


def sodacl_of(rule: Rule) -> str:
    """Return the implementation of a rule as a SodaCL document.

    It may be a document, a list of checks or one check, as text or as values.
    """
    data = _read(_text_of(rule)) if isinstance(_implementation(rule), str) else _implementation(rule)
    heading = f'checks for "{rule.table}"' if not rule.table.isidentifier() else f"checks for {rule.table}"
    if isinstance(data, str) and data.strip():
        return dump_yaml({heading: [data.strip()]})
    if isinstance(data, list) and data:
        return dump_yaml({heading: data})
    if not isinstance(data, Mapping) or not data:
        raise _NotSodaError("the rule has no implementation")
    if any(str(key).startswith(("checks for ", "for each ", "checks")) for key in data):
        return dump_yaml(dict(data))
    if "type" in data:
        return dump_yaml({heading: [_typed(data, rule)]})
    if len(data) == 1:
        return dump_yaml({heading: [dict(data)]})
    raise _NotSodaError("write `checks for <table>:` and a list, or one check")


_COMPARED = {
    "must_be": "=", "must_not_be": "!=", "must_be_greater_than": ">", "must_be_greater_than_or_equal_to": ">=",
    "must_be_less_than": "<", "must_be_less_than_or_equal_to": "<=",
}  # fmt: skip


def _typed(data: Mapping[str, Any], rule: Rule) -> str:
    """Return a check that is written as the standard's own example has it: `type`, `columns`, `must_be_less_than`."""
    given = data.get("columns") or data.get("column") or ([rule.column] if rule.column else [])
    columns = [given] if isinstance(given, str) else [str(name) for name in given]
    signs = [(sign, data[key]) for key, sign in _COMPARED.items() if key in data]
    unknown = set(data) - {"type", "columns", "column", "name", *_COMPARED}
    if len(signs) != 1 or unknown:
        raise _NotSodaError("a check by `type` needs one of must_be, must_be_less_than and their like alone")
    call = f"({', '.join(columns)})" if columns else ""
    return f"{data['type']}{call} {signs[0][0]} {signs[0][1]}"


def _implementation(rule: Rule) -> Any:
    return rule.definition.get("implementation")


def _text_of(rule: Rule) -> str:
    found = _implementation(rule)
    return found if isinstance(found, str) else dump_yaml(found) if found else ""


def _read(text: str) -> Any:
    """Return the values of a YAML text; the text itself if it is no YAML."""
    try:
        return parse_yaml(text, Path("implementation.yml")).data
    except FactoryError:
        return text


# dbt


def _from_dbt(rule: Rule, tests: tuple[DataTest, ...]) -> CheckResult:
    wanted = _implementation(rule)
    data = _read(wanted) if isinstance(wanted, str) else wanted
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    found = [test for test in tests if _is_meant(data, test, rule)]
    if not found:
        reason = "dbt ran no test of this name for the table" if tests else "dbt runs it, in a build"
        return CheckResult(rule, Outcome.NOT_RUN, reason=reason, counts=bool(tests))
    results = [dbt_result(rule, test) for test in found]
    return worst(results)


def _is_meant(data: Any, test: DataTest, rule: Rule) -> bool:
    """Say whether dbt's test is what an implementation names: by name, unique id, or as dbt writes it in YAML."""
    if isinstance(data, str):
        return data in (test.name, test.unique_id) or (data == test.kind and _speaks_of(test, rule))
    if not isinstance(data, Mapping):
        return False
    if data.get("unique_id") or data.get("name"):
        return data.get("unique_id") == test.unique_id or data.get("name") == test.name
    kind, arguments = data.get("test"), data.get("arguments")
    if kind is None and len(data) == 1:
        kind, arguments = next(iter(data.items()))
    if isinstance(arguments, Mapping) and isinstance(arguments.get("arguments"), Mapping):
        arguments = arguments["arguments"]
    given = arguments if isinstance(arguments, Mapping) else {}
    same = all(test.arguments.get(key) == value for key, value in given.items() if key in test.arguments)
    return kind == test.kind and same and _speaks_of(test, rule)


def _speaks_of(test: DataTest, rule: Rule) -> bool:
    names = {part.lower() for part in test.attached.split(".")[2:]}
    called = {rule.table.lower(), str(rule.facts.get("model") or rule.table).lower()}
    return bool(names & called) and test.column.lower() == rule.column.lower()
