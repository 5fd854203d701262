"""Whether what the product reads of others still lives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from factory.evidence import Evidence, Finding, Severity
from factory.lifecycle import Input, Stage


def alive(evidence: Evidence) -> Iterator[Finding]:
    """A product reads no port that is closed: whose contract is retired, or past its end of life.

    It blocks before anything is built. A port that is deprecated or out of support is advice.
    """
    yield from findings_of(evidence.inputs, evidence.today, evidence.folder)


def findings_of(inputs: Iterable[Input], today: date, folder: str) -> Iterator[Finding]:
    """Return what is wrong with inputs as findings: the build asks before it starts, when there is no evidence yet."""
    for each in inputs:
        stage = each.life.stage(today)
        what = (
            f"{each.reader} reads {each.product}.{each.table}, whose contract {each.contract} {each.version}"
        )
        where = f"{folder}/{each.file}" if each.file else folder
        if each.life.is_closed(today):
            hint = f"read its successor: see `factory show {each.product}`, or ask its owner"
            message = f"{what} is {each.life.words(today)}"
            yield Finding("alive", Severity.BLOCKS, message, where, hint, input_fault=False)
        elif stage in (Stage.DEPRECATED, Stage.OUT_OF_SUPPORT):
            hint = f"move to its successor: see `factory show {each.product}`"
            yield Finding("alive", Severity.ADVISES, f"{what} is {each.life.words(today)}", where, hint)
