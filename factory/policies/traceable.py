"""That one can say where the product's columns come from."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity


def traceable(evidence: Evidence) -> Iterator[Finding]:
    """Every column of an output port can be traced to what it is made of.

    A table that is read past dbt's ref() and source() blocks, since nobody downstream could know of it; what
    no tool can read (a Python model, for example) is advice.
    """
    for model in evidence.models:
        trace = evidence.lineage.models.get(model.unique_id)
        if trace is None:
            continue
        for table in trace.hidden:
            message = f"{model.name} reads {table}, which is not a ref() or source() of the model"
            hint = "declare it as a source, or use ref()"
            yield Finding("traceable", Severity.BLOCKS, message, evidence.place(model.file), hint)
        others = [c for c in trace.columns if c.unknown and "not a ref() or source()" not in c.unknown]
        if others and model in evidence.ports:
            first = f"{others[0].column}: {others[0].unknown}"
            message = f"{model.name}: the origin of {len(others)} columns is unknown ({first})"
            yield Finding("traceable", Severity.ADVISES, message, evidence.place(model.file))
