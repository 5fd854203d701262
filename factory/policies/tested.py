"""That the product's data is checked, and good."""

from __future__ import annotations

from collections.abc import Iterator

from factory.artifacts import Relation
from factory.evidence import Evidence, Finding, Severity
from factory.quality import Outcome


def tested(evidence: Evidence) -> Iterator[Finding]:
    """Every output port is checked, and every check holds.

    A check of severity error that does not hold blocks, one of severity warning advises. A check that could
    not run is not a pass: it blocks.
    """
    for port in evidence.ports:
        names = (port.identifier.lower(), port.name.lower())
        if not any(result.rule.table.lower() in names for result in evidence.checks):
            hint = f"add a test in YAML, or `checks for {port.identifier}:` in checks/"
            message = f"the output port {port.identifier} has no test and no check"
            yield Finding("tested", Severity.BLOCKS, message, evidence.place(port.file), hint)
        yield from _unenforced(port, evidence)
    unbuilt = _unbuilt(evidence)
    waiting = [
        r
        for r in evidence.checks
        if r.is_consequence or (r.rule.table.lower() in unbuilt and r.outcome in _CONSEQUENCES)
    ]
    if waiting:
        message = f"{len(waiting)} checks could not run, because what they check was not built"
        yield Finding("tested", Severity.BLOCKS, message, evidence.folder)
    for result in evidence.checks:
        if result.outcome is Outcome.PASS or not result.counts or result in waiting:
            continue
        severity = Severity.BLOCKS if result.refuses else Severity.ADVISES
        yield Finding("tested", severity, result.words(), evidence.place_of(result.rule))


def _unenforced(port: Relation, evidence: Evidence) -> Iterator[Finding]:
    """Yield what a view promises by constraints alone, which no database enforces on a view."""
    if port.materialized not in ("view", "materialized_view"):
        return
    rules = [result.rule for result in evidence.checks if result.rule.table == port.identifier]
    unique = {rule.column.lower() for rule in rules if rule.dimension == "uniqueness"}
    filled = {
        rule.column.lower() for rule in rules if rule.kind in ("not_null", "nullValues", "missing_count")
    }
    key = [name.lower() for name in port.primary_key]
    open_ = [name for name in port.primary_key if not unique & {"", name.lower()}][:1] if key else []
    open_ += [c.name for c in port.columns if "not_null" in c.constraints and c.name.lower() not in filled]
    for name in dict.fromkeys(open_):
        message = f"{port.identifier}.{name} is promised by a constraint, which is not enforced on a view"
        hint = "add a unique or not_null test, or make it a table"
        yield Finding("tested", Severity.BLOCKS, message, evidence.place(port.file), hint)


_CONSEQUENCES = (Outcome.NOT_RUN, Outcome.ERROR)


def _unbuilt(evidence: Evidence) -> set[str]:
    """Return the names of tables that this run did not build: their checks have nothing new to say."""
    failed = {run.unique_id for run in evidence.runs if run.status not in ("success", "pass", "no-op")}
    models = [model for model in evidence.models if model.unique_id in failed]
    return {name.lower() for model in models for name in (model.name, model.identifier)}
