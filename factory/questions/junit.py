"""Results of checks as JUnit's XML, which every build server reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

PASSED, FAILURE, ERROR, SKIPPED = "", "failure", "error", "skipped"
_KINDS = {"failures": FAILURE, "errors": ERROR, "skipped": SKIPPED}


@dataclass(frozen=True, slots=True)
class Case:
    """One check.

    Attributes:
        subject: what it is about, such as `orders.amount`.
        name: what it is called.
        seconds: what it took.
        kind: failure for what does not hold, error for what could not run, skipped for what says nothing here, or
            empty for what passed; a warning has passed, and its message says so.
        message: why.
        file, line: where it is written, or empty.
    """

    subject: str
    name: str
    seconds: float
    kind: str = PASSED
    message: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases under one name; `timestamp` is ISO 8601, or empty."""

    name: str
    cases: tuple[Case, ...]
    timestamp: str = ""


def junit(name: str, suites: Iterable[Suite]) -> str:
    """Return suites of checks as JUnit's XML."""
    root = ET.Element("testsuites", name=_clean(name))
    everything: list[Case] = []
    for suite in suites:
        everything += suite.cases
        element = ET.SubElement(root, "testsuite", name=_clean(suite.name))
        _count(element, suite.cases)
        if suite.timestamp:
            element.set("timestamp", suite.timestamp)
        for case in suite.cases:
            _add(element, case)
    _count(root, everything)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _count(element: ET.Element, cases: Iterable[Case]) -> None:
    cases = tuple(cases)
    element.set("tests", str(len(cases)))
    for name, kind in _KINDS.items():
        element.set(name, str(sum(case.kind == kind for case in cases)))
    element.set("time", f"{sum(case.seconds for case in cases):.6f}")


def _add(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(suite, "testcase", classname=_clean(case.subject), name=_clean(case.name))
    if case.file:
        element.set("file", _clean(case.file))
        element.set("line", str(case.line))
    element.set("time", f"{case.seconds:.6f}")
    if case.kind:
        ET.SubElement(element, case.kind, message=_clean(case.message))
    elif case.message:
        ET.SubElement(element, "system-out").text = _clean(case.message)


def _clean(text: str) -> str:
    """Return text without the signs that no XML 1.0 may hold."""
    return "".join(
        c if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "?"
        for c in text
    )
