"""The report of `factory registry verify`, for people: by product, at most so wide, at most so long. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from factory.registry.faults import Fault, Report, Weight

WIDTH = 80
MOST = 50
_PLURALS = {"fault": "faults", "warning": "warnings", "note": "notes"}
_ELSEWHERE = "the registry"
_WITH_NAMES = ("products", "certificates", "events", "status", "runs", "incidents")


def report_as_text(report: Report, *, everything: bool = False, width: int = WIDTH) -> str:
    """Return the report in lines: a summary last, of more than fifty faults the first fifty unless `everything`."""
    shown = report.faults if everything else report.faults[:MOST]
    lines: list[str] = []
    for owner in sorted(
        {_owner(fault, report) for fault in shown}, key=lambda name: (name == _ELSEWHERE, name)
    ):
        lines.append(owner)
        for fault in shown:
            if _owner(fault, report) == owner:
                lines += _lines_of(fault, width)
        lines.append("")
    if len(shown) < len(report.faults):
        more = len(report.faults) - len(shown)
        lines += [f"... and {more:,} more: --all shows them, and so does --format json.", ""]
    return "\n".join([*lines, *_closing(report, width)])


def _owner(fault: Fault, report: Report) -> str:
    parts = fault.place.removeprefix(f"{report.registry}/").split("/")
    if parts[0] in _WITH_NAMES and len(parts) > 2 and not parts[1][:1].isdigit():
        return f"{parts[1]}/{parts[2]}"
    at = parts.index("ports") if "ports" in parts else -1
    if at >= 0 and len(parts) > at + 2:
        return f"{parts[at + 1]}/{parts[at + 2]}"
    return _ELSEWHERE


def _lines_of(fault: Fault, width: int) -> Iterator[str]:
    mark = {Weight.FAULT: "✗", Weight.WARNING: "!", Weight.NOTE: "·"}[fault.weight]
    yield from _wrapped(f"{mark} {fault.code}: {fault.what}", "  ", "    ", width)
    yield from _wrapped(f"at {fault.place}", "    ", "       ", width)
    if fault.remedy:
        yield from _wrapped(f"→ {fault.remedy}", "    ", "      ", width)


def _wrapped(text: str, first: str, then: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=True,
        break_on_hyphens=False,
    )


def _closing(report: Report, width: int) -> Iterable[str]:
    looked = ", ".join(f"{count:,} {name}" for name, count in report.counts.items())
    told = [
        f"{len(found):,} {str(weight) if len(found) == 1 else _PLURALS[weight]}"
        for weight in Weight
        if (found := report.of(weight))
    ]
    state = "is as it was published" if report.clean else "is NOT as it was published"
    yield from _wrapped(f"{report.registry} {state}: {', '.join(told) or 'nothing is wrong'}.", "", "", width)
    yield from _wrapped(f"Looked at {looked}.", "", "", width)
    if report.checkpoint:
        facts = report.checkpoint
        words = f"Checkpoint {facts['number']} of {facts['issued']}, until {facts['expires']},"
        words = f"{words} {facts['count']:,} files."
        yield from _wrapped(words, "", "", width)
