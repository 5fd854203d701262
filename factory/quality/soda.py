"""Run SodaCL with soda-core. The only door to Soda.

Takes checks files and a connection to a product's tables; gives a `CheckResult` per check, and what was measured
for later runs to compare with. Nothing is sent anywhere: telemetry is off before Soda is imported, no sample rows
are fetched, no cloud is configured.
"""

from __future__ import annotations

import importlib
import logging
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from factory.contract import Rule
from factory.contract.sodacl import Check, checks_in, checks_of_text
from factory.contract.sodacl_text import bare
from factory.errors import FactoryError, QualityError
from factory.products import Product
from factory.quality.results import CheckResult, Outcome, worst
from factory.quality.soda_documents import configurations_of, document_of, valued
from factory.quality.soda_history import History, earlier, earlier_schema, schema_names
from factory.quality.soda_results import Findings, group_of, messages_of, number_in, result_of, unrun
from factory.tables import SCHEMA

_REFERENCE = "see the SodaCL reference of soda-core 3.5 for how the check is written"


@dataclass(frozen=True, slots=True)
class SodaRun:
    """What a scan gives.

    Attributes:
        results: one for each check, in the order of the files.
        measurements: what was measured, by names that hold over runs; to be given back as history.
    """

    results: tuple[CheckResult, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)


def run_sodacl(
    files: Iterable[Path],
    rules: Iterable[Rule],
    product: Product,
    connection: Any,
    *,
    variables: Mapping[str, str],
    history: History,
) -> SodaRun:
    """Run every check in the files; return their results, and what was measured.

    Args:
        files: the checks files, in the product's `checks/`.
        rules: the checks as rules, as `read_checks` gives them; a check without one gets its own.
        product: whose checks these are.
        connection: to the product's tables; nothing is written to it.
        variables: values of variables, before those that the files state; `NOW` is the time of the run.
        history: the measurements of earlier runs by name, each with its time.

    Raises:
        FactoryError: a file is not SodaCL, uses a variable without a value, or holds what is not supported.

    """
    known = {rule.key: rule for rule in rules}
    found = checks_in(files, product.name, product.folder / "checks")
    checks = [replace(check, rule=known.get(check.rule.key, check.rule)) for check in found]
    run = _Scan(checks, product.name, connection, variables, history).run() if checks else SodaRun()
    read = {check.rule.key for check in checks}
    gone = [
        unrun(rule, "the checks files do not hold it any more")
        for rule in known.values()
        if rule.key not in read
    ]
    return replace(run, results=(*run.results, *gone))


def run_sodacl_text(
    text: str,
    rule: Rule,
    product_name: str,
    connection: Any,
    *,
    variables: Mapping[str, str] | None = None,
    history: History | None = None,
) -> CheckResult:
    """Run SodaCL that stands in a rule, of ODCS for example: a document, a list of checks or one check.

    A list and a single check speak of the rule's table. Of several checks the worst counts. Text that is no
    SodaCL is an error of this rule alone.
    """
    try:
        checks = checks_of_text(text, rule.file, product_name, rule.key, rule.table)
        checks = tuple(replace(c, rule=replace(rule, key=c.rule.key)) for c in checks)
        if not checks:
            return CheckResult(rule, Outcome.ERROR, reason="its SodaCL holds no check")
        run = _Scan(checks, product_name, connection, variables or {}, history or {}).run()
    except FactoryError as error:
        return CheckResult(rule, Outcome.ERROR, reason=f"not SodaCL: {error.message}")
    found = worst(run.results)
    return replace(found, rule=rule)


class _Scan:
    """Checks that are run together."""

    def __init__(
        self,
        checks: Sequence[Check],
        name: str,
        connection: Any,
        variables: Mapping[str, str],
        history: History,
    ) -> None:
        self.checks = checks
        self.name = name
        self.connection = connection
        self.now = variables.get("NOW") or datetime.now(UTC).isoformat()
        self.variables = {**variables, "NOW": self.now}
        self.history = history
        self.answers: dict[str, Any] = {}
        self.without_history: set[int] = set()
        self.measurements: dict[str, float] = {}

    def run(self) -> SodaRun:
        """Run them; if one stops them all, each on its own."""
        documents = [document_of(check, self.variables) for check in self.checks]
        scan = self._scan()
        if common := configurations_of(self.checks, self.variables):
            self._add(scan, common, "configurations", self.checks[0])
        for number, (check, document) in enumerate(zip(self.checks, documents, strict=True)):
            self._add(scan, document, f"check-{number}", check)
        scan.execute()
        stopped = _stopped(scan)
        if stopped and len(self.checks) > 1:
            runs = [
                _Scan([check], self.name, self.connection, self.variables, self.history).run()
                for check in self.checks
            ]
            measured = {name: value for run in runs for name, value in run.measurements.items()}
            return SodaRun(tuple(result for run in runs for result in run.results), measured)
        if stopped:
            reason = f"Soda could not evaluate it: {stopped}"
            return SodaRun((CheckResult(self.checks[0].rule, Outcome.ERROR, reason=reason),))
        self._measure(scan)
        return SodaRun(self._results(scan), self.measurements)

    def _scan(self) -> Any:
        scan = _import_soda()()
        scan.disable_telemetry()
        scan.set_data_source_name(self.name)
        scan.set_scan_definition_name(self.name)
        scan._configuration.samples_limit = 0
        scan._configuration.data_source_properties_by_name[self.name] = {
            "type": "duckdb",
            "duckdb_connection": self.connection,
            "schema": SCHEMA,
            "before_evaluation": lambda queries: self._before_evaluation(scan, queries),
        }
        stated = {name: value for check in self.checks for name, value in check.variables.items()}
        values = {**stated, **self.variables}
        scan.add_variables({"NOW": self.now})
        # Soda would look into the environment first, ask its service, and describe every check for it.
        scan.get_variable = lambda name, default=None: values.get(name, default)
        scan._Scan__get_historic_data_from_soda_cloud_metric_store = lambda asked: self.answers.get(
            asked.metric_identity, {"measurements": {"results": []}}
        )
        scan.build_scan_results = dict
        scan._Scan__log_checks = scan._Scan__log_queries = lambda *_, **__: 0
        return scan

    def _add(self, scan: Any, document: str, name: str, check: Check) -> None:
        """Give Soda a document; what it says against it is said of the check."""
        before = len(scan.get_error_logs())
        scan.add_sodacl_yaml_str(document, file_name=name)
        errors = scan.get_error_logs()[before:]
        if not errors:
            return
        log = errors[0]
        message = " ".join(f"{log.message} {log.exception or ''}".split())[:300]
        rule = check.rule
        raise QualityError(f"not SodaCL: {message}", where=rule.file, line=rule.line, hint=_REFERENCE)

    def _before_evaluation(self, scan: Any, queries: Any) -> None:
        """Answer what Soda will ask of earlier runs; a table's columns are kept for later ones."""
        module = importlib.import_module("soda.cloud.historic_descriptor")
        now = _time(self.now)
        for check in scan._checks:
            for key, asked in list(check.historic_descriptors.items()):
                metric = next(iter(check.metrics.values()))
                if id(metric) in queries.faults:
                    continue
                change = asked.change_over_time_cfg
                table = bare(check.partition.table.table_name)
                if key == "schema_previous":
                    name, found = f"{table}.schema", self._earlier_schema(check, table, metric.value, now)
                else:
                    name = self._check_of(check).measurement(table)
                    found = earlier(self.history, name, change, now)
                    self.without_history |= {id(check)} if found is None else set()
                # What is asked of one metric may differ: the last value, or the mean of seven.
                identity = f"{name} {vars(change)}"
                results = [] if found is None else [{"value": found}]
                self.answers[identity] = {"measurements": {"results": results}}
                check.historic_descriptors[key] = module.HistoricChangeOverTimeDescriptor(identity, change)

    def _earlier_schema(self, check: Any, table: str, columns: Any, now: datetime) -> Any:
        """Return a table's columns in the last run; those of this one if there was none, so that nothing changed."""
        if not isinstance(columns, list):
            return None
        self.measurements |= schema_names(table, columns)
        found = earlier_schema(self.history, table, now)
        if found is None:
            self.without_history.add(id(check))
            found = [{"columnName": column["name"], "sourceDataType": column["type"]} for column in columns]
        return found

    def _check_of(self, check: Any) -> Check:
        return self.checks[number_in(check.check_cfg.location.file_path)]

    def _measure(self, scan: Any) -> None:
        """Keep what was measured, by names that hold over runs; groups have none."""
        for check in scan._checks:
            metric = check.metrics.get(getattr(check.check_cfg, "metric_name", None))
            value = getattr(metric, "value", None)
            if check.partition is None or isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if math.isfinite(value) and group_of(check) is None:
                name = self._check_of(check).measurement(bare(check.partition.table.table_name))
                self.measurements[name] = float(value)

    def _results(self, scan: Any) -> tuple[CheckResult, ...]:
        queries = scan._data_source_scans[0] if scan._data_source_scans else None
        findings = Findings(queries, messages_of(scan.get_error_logs()), frozenset(self.without_history))
        found: dict[int, list[CheckResult]] = {}
        for check in scan._checks:
            number = number_in(check.check_cfg.location.file_path)
            result = result_of(check, self.checks[number], number, findings)
            is_whole = type(check).__name__ == "GroupByCheck"
            # The groups of a check speak for it.
            if is_whole and result.outcome is not Outcome.ERROR:
                result = replace(result, outcome=Outcome.PASS, reason="", measured=None)
            found.setdefault(number, []).append(result)
        results = []
        for number, check in enumerate(self.checks):
            if number in found:
                result = worst(found[number])
                results.append(replace(result, threshold=valued(check, result.threshold, self.variables)))
                continue
            reason = findings.messages.get(number, "") or "Soda did not run it"
            if check.alias:
                reason = f"no table is called as {', '.join(check.datasets)} says"
            results.append(unrun(check.rule, reason))
        return tuple(results)


def _stopped(scan: Any) -> str:
    """Return why Soda stopped in the middle of a scan, or nothing."""
    for log in scan.get_error_logs():
        if str(log.message).startswith(("Error occurred while executing scan", "Could not connect")):
            return " ".join(f"{type(log.exception).__name__}: {log.exception}".split())[:250]
    return ""


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC)


def _import_soda() -> Any:
    os.environ.setdefault("SODA_CORE_TELEMETRY_DISABLED", "true")
    os.environ.setdefault("OTEL_SDK_DISABLED", "true")
    if sys.version_info >= (3, 12):
        importlib.import_module("setuptools")  # brings back distutils, which Soda imports
    config = importlib.import_module("soda.common.config_helper")
    with resources.as_file(resources.files("factory.quality").joinpath("soda_config.yml")) as path:
        config.ConfigHelper.get_instance(str(path))
    # Soda would put what a `.env` file says above the environment of this process.
    environment: Any = importlib.import_module("soda.common.env_helper")
    environment.load_dotenv = lambda **_: False
    if "soda.data_sources.duckdb_data_source" not in sys.modules:
        sys.modules["soda.data_sources.duckdb_data_source"] = importlib.import_module(
            "factory.quality.duckdb_source"
        )
    for name in ("soda", "soda.scan", "opentelemetry"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return importlib.import_module("soda.scan").Scan
