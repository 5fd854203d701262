"""Run SodaCL with soda-core. The only door to Soda.

Takes checks files and a connection to a product's tables; gives a `CheckResult` per check. Nothing is sent
anywhere: telemetry is off before Soda is imported, no sample rows are fetched, no cloud is configured.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from factory.contract import Rule
from factory.contract.rules import dimension_of
from factory.errors import QualityError
from factory.products import Product
from factory.quality.results import CheckResult, Outcome
from factory.tables import SCHEMA

# What the last SodaCL engine cannot do without a service or extra packages: refused by name, never ignored.
_UNSUPPORTED = ("anomaly", "distribution")

_OUTCOMES = {"pass": Outcome.PASS, "warn": Outcome.WARN, "fail": Outcome.FAIL}


def run_sodacl(
    files: Iterable[Path], rules: Iterable[Rule], product: Product, connection: Any
) -> tuple[CheckResult, ...]:
    """Run every check in the files; return the results of the known rules, then of checks made on the fly.

    Raises:
        QualityError: a file is not SodaCL, or Soda itself failed.

    """
    scan = _scan(product, connection)
    files = tuple(files)
    for file in files:
        text = file.read_text("utf-8")
        scan.add_sodacl_yaml_str(text, file_name=file.name)
    scan.execute()
    _parse_errors(scan, {file.name: file for file in files})
    by_place = {(rule.file.name, rule.line): rule for rule in rules}
    results: dict[str, CheckResult] = {}
    broken = _broken_tables(scan)
    for check in scan._checks:
        location = check.check_cfg.location
        name = _file_name(location)
        rule = by_place.get((name, location.line)) or _made_on_the_fly(check, product, files)
        result = _result(check, rule, scan, broken)
        # A check over many tables or groups is one rule: its worst result counts.
        other = results.get(rule.key)
        if other is None or _rank(result) > _rank(other):
            results[rule.key] = result
    for rule in by_place.values():
        if rule.key not in results:
            reason = f"Soda did not run it{_why(scan)}"
            unsupported = next((word for word in _UNSUPPORTED if word in rule.kind.lower()), "")
            if unsupported:
                reason = f"{unsupported} checks need a service or packages that are not part of this; remove the check"
            results[rule.key] = CheckResult(rule, Outcome.NOT_RUN, reason=reason)
    return tuple(results.values())


def _file_name(location: Any) -> str:
    """Return the name of a check's file; Soda adds a suffix to what it was given."""
    return Path(location.file_path or "").name.removesuffix(".yml")


def _broken_tables(scan: Any) -> dict[str, str]:
    """Return the tables with a query that failed, and why.

    Soda computes some metrics from what is missing then, and calls the check passed.
    """
    broken = {}
    for query in scan._queries:
        if query.exception is not None:
            table = getattr(query, "table", None) or getattr(getattr(query, "partition", None), "table", None)
            broken[str(getattr(table, "table_name", ""))] = " ".join(str(query.exception).split())[:250]
    return broken


def _rank(result: CheckResult) -> int:
    return [Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.NOT_RUN, Outcome.ERROR].index(result.outcome)


def _scan(product: Product, connection: Any) -> Any:
    scan_class = _import_soda()
    scan = scan_class()
    scan.disable_telemetry()
    scan.set_data_source_name(product.name)
    scan.set_scan_definition_name(product.name)
    properties = {"type": "duckdb", "duckdb_connection": connection, "schema": SCHEMA}
    scan._configuration.data_source_properties_by_name[product.name] = properties
    return scan


def _import_soda() -> Any:
    os.environ.setdefault("SODA_CORE_TELEMETRY_DISABLED", "true")
    os.environ.setdefault("OTEL_SDK_DISABLED", "true")
    if sys.version_info >= (3, 12):
        importlib.import_module("setuptools")  # brings back distutils, which Soda imports
    config = importlib.import_module("soda.common.config_helper")
    with resources.as_file(resources.files("factory.quality").joinpath("soda_config.yml")) as path:
        config.ConfigHelper.get_instance(str(path))
    if "soda.data_sources.duckdb_data_source" not in sys.modules:
        sys.modules["soda.data_sources.duckdb_data_source"] = importlib.import_module(
            "factory.quality.duckdb_source"
        )
    for name in ("soda", "soda.scan", "opentelemetry"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return importlib.import_module("soda.scan").Scan


def _parse_errors(scan: Any, files: dict[str, Path]) -> None:
    """Raise for what is wrong with a file; a query that fails belongs to its check."""
    for log in scan.get_error_logs():
        location = getattr(log, "location", None)
        if location is None or str(log.message).startswith("Query execution error"):
            continue
        file = files.get(_file_name(location))
        raise QualityError(
            f"not SodaCL: {' '.join(str(log.message).split())[:300]}",
            where=file,
            line=int(location.line or 0),
            hint="see the SodaCL reference of soda-core 3.5 for how the check is written",
        )


def _why(scan: Any) -> str:
    messages = [" ".join(f"{log.message} {log.exception or ''}".split()) for log in scan.get_error_logs()]
    return f": {messages[0][:250]}" if messages else ""


def _result(check: Any, rule: Rule, scan: Any, broken: dict[str, str]) -> CheckResult:
    outcome = _OUTCOMES.get(str(getattr(check.outcome, "value", "") or ""))
    value = getattr(check, "check_value", None)
    measured = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    partition = getattr(check, "partition", None)
    failure = broken.get(partition.table.table_name if partition is not None else "")
    if outcome is None or failure:
        why = failure or "it gave no result" + _why(scan)
        return CheckResult(rule, Outcome.ERROR, reason=f"Soda could not evaluate it: {why}")
    reason = ""
    if outcome is not Outcome.PASS:
        reason = f"measured {value}" if value is not None else _details(check)
    return CheckResult(rule, outcome, measured=measured, reason=reason)


def _details(check: Any) -> str:
    """Return why a check without a measured value did not hold: a schema check's differences, for example."""
    reasons = [str(reason) for reason in getattr(check, "outcome_reasons", None) or ()]
    result = getattr(check, "fail_result", None) or getattr(check, "warn_result", None)
    if missing := getattr(result, "missing_column_names", None):
        reasons.append("missing: " + ", ".join(sorted(missing)))
    if present := getattr(result, "present_column_names", None):
        reasons.append("not allowed: " + ", ".join(present))
    for name, types in (getattr(result, "column_type_mismatches", None) or {}).items():
        reasons.append(f"{name} is {types['actual_type']}, not {types['expected_type']}")
    for name, places in (getattr(result, "column_index_mismatches", None) or {}).items():
        reasons.append(f"{name} is at {places['actual_index']}, not {places['expected_index']}")
    return "; ".join(reasons)[:300] or "see the check's definition"


def _made_on_the_fly(check: Any, product: Product, files: tuple[Path, ...]) -> Rule:
    """Return the rule of a check that Soda made itself, from `for each` for example."""
    location = check.check_cfg.location
    file = next((f for f in files if f.name == _file_name(location)), product.folder / "checks")
    partition = getattr(check, "partition", None)
    table = partition.table.table_name if partition is not None else ""
    text = str(check.name or check.check_cfg.source_line)
    column = getattr(check, "column", None)
    return Rule(
        key=f"soda:{file.name}:{location.line}:{table}",
        origin="soda",
        product=product.name,
        table=table,
        column=str(column.column_name) if column is not None else "",
        name=text,
        kind=str(check.check_cfg.source_line).split("(", 1)[0].strip(),
        dimension=dimension_of(str(check.check_cfg.source_line).split("(", 1)[0]),
        severity="error",
        definition=str(check.check_cfg.source_line),
        description="",
        file=file,
        line=int(location.line or 0),
    )
