"""Results of dbt's tests as results of rules. dbt has run them: nothing is run twice."""

from __future__ import annotations

from factory.contract import Rule
from factory.data_tests import DataTest
from factory.quality.results import NOT_BUILT, CheckResult, Outcome
from factory.tables import without_values

_OUTCOMES = {
    "pass": Outcome.PASS,
    "success": Outcome.PASS,
    "warn": Outcome.WARN,
    "fail": Outcome.FAIL,
    "error": Outcome.ERROR,
    "runtime error": Outcome.ERROR,
}


def dbt_result(rule: Rule, test: DataTest) -> CheckResult:
    """Return how a rule went that dbt ran as a test."""
    outcome = _OUTCOMES.get(test.status, Outcome.NOT_RUN)
    reason = ""
    if outcome is Outcome.NOT_RUN:
        skipped = test.status == "skipped"
        reason = NOT_BUILT if skipped else test.status
    elif outcome is not Outcome.PASS:
        reason = " ".join(without_values(test.message).split())[:300]
    return CheckResult(
        rule,
        outcome,
        failed_rows=test.failures,
        measured=test.failures,
        reason=reason,
        seconds=test.seconds,
        threshold=_threshold(test),
    )


def _threshold(test: DataTest) -> str:
    """Return what dbt holds the number of rows at fault to: none, unless the test says otherwise."""
    parts = [
        f"{word}: {str(test.thresholds[key]).strip()}"
        for word, key in (("warn", "warn_if"), ("error", "error_if"))
        if key in test.thresholds
    ]
    return ", ".join(parts) or "= 0"
