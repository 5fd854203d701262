"""That people can understand the product."""

from __future__ import annotations

from collections.abc import Iterator

from factory.evidence import Evidence, Finding, Severity
from factory.odcs.coverage import coverage_of


def documented(evidence: Evidence) -> Iterator[Finding]:
    """A product has a summary, and every table and column of its models a description and a type.

    What is missing in an output port blocks; what is missing inside the product is advice, and so is what is missing
    in a contract of which as much is described as the setting `documented_percent` asks for.
    """
    if not evidence.product.summary:
        hint = "write description.purpose: what it is, and what one uses it for"
        place = evidence.place(evidence.product.file.name)
        yield Finding("documented", Severity.BLOCKS, "the product has no summary", place, hint)
    wanted = evidence.documented_percent
    short = [c for c in evidence.contracts if wanted == 100 or coverage_of(c.data).described < wanted]
    ports = {table for contract in short for table in contract.tables}
    for model in evidence.models:
        severity = Severity.BLOCKS if model.unique_id in ports else Severity.ADVISES
        where = evidence.place(model.file)
        if not model.description:
            yield Finding("documented", severity, f"{model.name} has no description", where)
        missing = [column.name for column in model.columns if not column.description]
        if missing:
            yield Finding("documented", severity, f"{model.name}: no description of {_names(missing)}", where)
        untyped = [column.name for column in model.columns if column.declared and not column.data_type]
        if untyped and model.kind != "source":
            yield Finding("documented", severity, f"{model.name}: no data_type of {_names(untyped)}", where)


def _names(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
