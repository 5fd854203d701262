"""The quality of products for people and for tools: text, JSON, Markdown and JUnit, from the same values."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from factory.dimensions import DIMENSIONS
from factory.levels import ElementState
from factory.questions.junit import ERROR, FAILURE, PASSED, SKIPPED, Case, Suite, junit
from factory.questions.quality import Point, Quality
from factory.questions.tables import fitted
from factory.score import Score

_BARS = "▁▂▃▄▅▆▇█"
#: Accuracy, then consistency, then uniqueness, as in the Data QoS table; what is at rest follows.
SEQUENCE = ("accuracy", "consistency", "uniqueness", "completeness", "conformity", "coverage", "timeliness")


def quality_as_text(found: Sequence[Quality], width: int) -> str:
    """Return the quality for people: a page of one product, a row each of several."""
    if not found:
        return "Nothing was measured yet. Measure with: factory build"
    return _page(found[0], width) if len(found) == 1 else _overview(found, width)


def _overview(found: Sequence[Quality], width: int) -> str:
    names = ["product", "score", "trend", "checks", "levels", "incidents", "last run", "measured"]
    rows = [
        {
            "product": str(each.entry["name"]),
            "score": each.score.words(),
            "trend": _trend(each),
            "checks": f"{each.good} of {len(each.checks)}" if each.checks else "none",
            "levels": _levels_words(each.levels),
            "incidents": str(len(each.incidents) or ""),
            "last run": each.last,
            "measured": _moment(each),
        }
        for each in found
    ]
    lines = fitted(names, rows, width, ("measured", "trend", "levels"))
    for each in found:
        bad = [c for c in each.checks if c.get("outcome") != "pass" and c.get("counts", True)]
        if bad:
            lines += ["", f"{each.entry['name']}:", *_bullets((_check_words(c) for c in bad), width)]
    lines += _fault_lines(found, width)
    return "\n".join(lines)


def _page(quality: Quality, width: int) -> str:
    entry = quality.entry
    if quality.at is None:
        lines = [f"{entry['name']}: quality not measured. No run has checked its data yet."]
        return "\n".join([*lines, *_fault_lines([quality], width)])
    version = f" {quality.version}" if quality.version else ""
    lines = [
        f"{entry['name']}{version}: quality {quality.score.words()}{change_words(quality)}",
        f"measured {_moment(quality)} UTC, {_kind(quality)}; {quality.good} of {len(quality.checks)} checks pass",
    ]
    if _is_outdated(quality):
        lines.append(f"the last run was {quality.last}: what is told here is of data before it")
    if len(quality.trend) > 1:
        lines.append(
            f"trend {sparkline(quality.trend)}  {quality.trend[0].at:%Y-%m-%d} to {quality.trend[-1].at:%Y-%m-%d}"
        )
    lines += ["", *_score_rows(quality, width)]
    if quality.score.losses:
        lines += ["", "What costs points (and how many)", *_losses(quality.score, width)]
    waiting = [c for c in quality.checks if not c.get("counts", True)]
    if waiting:
        lines += ["", "Neither good nor bad", *_bullets((_check_words(c) for c in waiting), width)]
    lines += ["", "The elements of data quality of service", *_element_lines(quality, width)]
    if quality.incidents:
        words = (
            f"{i.id}: {i.severity}, {i.trouble.subject}, since {i.opened:%Y-%m-%d %H:%M} UTC"
            for i in quality.incidents
        )
        lines += ["", "Open incidents (factory incidents)", *_bullets(words, width)]
    return "\n".join([*lines, *_fault_lines([quality], width)])


def _score_rows(quality: Quality, width: int) -> list[str]:
    measured = [d for d in SEQUENCE if any(c.get("dimension") == d for c in quality.checks)]
    names = ["", "score", "checks", *measured]
    subjects: list[tuple[str, Score]] = [("product", quality.score)]
    subjects += [(f"contract {name}", score) for name, score in quality.contracts.items()]
    subjects += [(f"  {name}", score) for name, score in quality.tables.items()]
    rows = []
    for label, score in subjects:
        parts = {part.dimension: part for part in score.parts}
        row = {"": label, "score": score.words()}
        row["checks"] = str(sum(part.checks for part in score.parts))
        for name in measured:
            value = parts[name].value
            row[name] = "" if value is None else f"{value:.4g}"
        rows.append(row)
    return fitted(names, rows, width, tuple(reversed(measured)))


def _losses(score: Score, width: int) -> list[str]:
    texts = []
    for loss in score.losses:
        spot = ".".join(part for part in (loss.table, loss.column) if part)
        about = f"{spot}: " if spot else ""
        place = f" ({loss.place})" if loss.place else ""
        reason = f": {loss.reason}" if loss.reason else ""
        texts.append(f"{loss.points:.2g} {about}{loss.name} [{loss.outcome}]{reason}{place}")
    return _bullets(texts, width)


def _element_lines(quality: Quality, width: int) -> list[str]:
    room = max((len(element.name) for element, _ in quality.elements), default=0)
    lines = []
    for element, state in quality.elements:
        text = f"  {element.abbreviation:<2} {element.name:<{room}}  {state.state}"
        text += f": {_why(state)}" if state.reasons else ""
        lines += textwrap.wrap(
            text, width, subsequent_indent=" " * (room + 7), break_long_words=False, break_on_hyphens=False,
            drop_whitespace=True, initial_indent="",
        ) if len(text) > width else [text]  # fmt: skip
    return lines


def _is_outdated(quality: Quality) -> bool:
    """Say whether the product was refused or blocked since, by a run that did not get as far as its checks."""
    return quality.last in ("refused", "blocked") and quality.outcome != quality.last


def _why(state: ElementState) -> str:
    more = f" (and {len(state.reasons) - 2} more)" if len(state.reasons) > 2 else ""
    return "; ".join(state.reasons[:2]) + more


def why_lines(quality: Quality, width: int) -> list[str]:
    """Return how the score came about: the formula, the dimensions, and every check that costs points."""
    formula = (
        "The score is the mean of the dimensions that checks measure, each by its weight. In a dimension, a check of "
        "severity error weighs 3 and one of severity warning 1; it earns all if it passes, half if it is an error "
        "that only warns, and nothing if it fails or could not run."
    )
    lines = ["Why this score", *(f"  {line}" for line in textwrap.wrap(formula, width - 2))]
    for part in quality.score.parts:
        value = "not measured" if part.value is None else f"{part.value:.4g}"
        count = f", {part.good} of {part.checks} checks pass" if part.checks else ""
        lines.append(f"  {part.dimension:<12} {value} (weight {part.weight:g}{count})")
    if quality.score.losses:
        lines += ["  What costs points (and how many)", *_losses(quality.score, width)]
    return lines


def change_words(quality: Quality) -> str:
    """Return how the score changed since the trend began, or nothing."""
    change = quality.change
    if change is None:
        return ""
    since = f"since {quality.trend[0].at:%Y-%m-%d}"
    return f", {'up' if change > 0 else 'down'} {abs(change):g} {since}" if change else f", the same {since}"


def _trend(quality: Quality) -> str:
    change = quality.change
    if change is None:
        return ""
    return "=" if not change else f"{change:+g}"


def sparkline(points: Sequence[Point]) -> str:
    """Return the course of a score as small bars, the lowest and the highest of it as the ends of the scale."""
    scores = [point.score for point in points][-40:]
    low, high = min(scores), max(scores)
    if low == high:
        return _BARS[-1] * len(scores)
    return "".join(_BARS[round((score - low) / (high - low) * (len(_BARS) - 1))] for score in scores)


def _levels_words(levels: Iterable[Mapping[str, Any]]) -> str:
    verdicts = [str(level.get("verdict")) for level in levels]
    of = [verdict for verdict in verdicts if verdict != "no target"]
    return f"{of.count('met')} of {len(of)}" if of else "none"


def _moment(quality: Quality) -> str:
    return f"{quality.at:%Y-%m-%d %H:%M}" if quality.at else "never"


def _kind(quality: Quality) -> str:
    if quality.kind == "published":
        return "as it is published"
    return f"by a build ({quality.outcome})"


def _check_words(check: Mapping[str, Any]) -> str:
    spot = ".".join(str(part) for part in (check.get("table"), check.get("column")) if part)
    reason = f": {check['reason']}" if check.get("reason") else ""
    place = (
        f"{check['file']}:{check['line']}" if check.get("file") and check.get("line") else check.get("file")
    )
    return f"{check.get('outcome')}: {spot + ': ' if spot else ''}{check.get('name')}{reason}" + (
        f" ({place})" if place else ""
    )


def _bullets(texts: Iterable[str], width: int) -> list[str]:
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, width, initial_indent="  - ", subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False,
        )
    ]  # fmt: skip


def _fault_lines(found: Iterable[Quality], width: int) -> list[str]:
    faults = [fault for each in found for fault in each.faults]
    return ["", "Not read:", *_bullets(dict.fromkeys(faults), width)] if faults else []


# For programs


def quality_as_json(found: Sequence[Quality]) -> dict[str, Any]:
    """Return the quality in the shape of `factory/schemas/quality.schema.json`."""
    return {"products": [quality_values(each) for each in found]}


def quality_values(quality: Quality, *, checks: bool = True) -> dict[str, Any]:
    """Return the quality of one product as values, with or without a row per check."""
    values = {
        "name": quality.entry["name"],
        "domain": quality.entry["domain"],
        "version": quality.version,
        "measured": quality.at.isoformat() if quality.at else None,
        "kind": quality.kind if quality.at else None,
        "outcome": quality.outcome or None,
        **_score_values(quality.score),
        "contracts": [{"name": n, **_score_values(s)} for n, s in quality.contracts.items()],
        "tables": [{"name": n, **_score_values(s)} for n, s in quality.tables.items()],
        "trend": [{"at": p.at.isoformat(), "score": p.score} for p in quality.trend],
        "change": quality.change,
        "checks": [dict(check) for check in quality.checks],
        "levels": [dict(level) for level in quality.levels],
        "elements": [
            {
                "abbreviation": e.abbreviation,
                "name": e.name,
                "category": e.category,
                "group": e.group,
                "order": e.order,
                "period": e.period,
                "state": str(s.state),
                "reasons": list(s.reasons),
            }
            for e, s in quality.elements
        ],
        "incidents": [i.id for i in quality.incidents],
        "runs": {"count": quality.runs, "failed": quality.failed},
        "faults": list(quality.faults),
    }
    if not checks:
        del values["checks"]
    return values


def _score_values(score: Score) -> dict[str, Any]:
    return {
        "score": score.rounded,
        "dimensions": {part.dimension: part.value for part in score.parts},
        "losses": [
            {
                "points": round(loss.points, 3),
                "table": loss.table,
                "column": loss.column,
                "name": loss.name,
                "dimension": loss.dimension,
                "outcome": loss.outcome,
                "reason": loss.reason,
                "place": loss.place,
            }
            for loss in score.losses
        ],
    }


def quality_as_markdown(found: Sequence[Quality]) -> str:
    """Return the quality as Markdown, for a pull request or the summary of a CI run."""
    lines = ["# Quality", ""]
    lines += _markdown_table(
        ("Product", "Score", "Trend", "Checks", "Levels", "Incidents", "Measured (UTC)"),
        [
            (
                str(q.entry["name"]), q.score.words(), _trend(q), f"{q.good} of {len(q.checks)}",
                _levels_words(q.levels), str(len(q.incidents)), _moment(q),
            )
            for q in found
        ],
    )  # fmt: skip
    for quality in found:
        lines += ["", f"## {_escaped(str(quality.entry['name']))}", ""]
        if quality.at is None:
            lines.append("Not measured: no run has checked its data yet.")
            continue
        if _is_outdated(quality):
            lines += [f"The last run was **{quality.last}**: what is told here is of data before it.", ""]
        lines += _markdown_table(
            ("", "Score", *(name.capitalize() for name in DIMENSIONS)),
            [
                (label, score.words(), *("" if p.value is None else f"{p.value:.4g}" for p in score.parts))
                for label, score in (("product", quality.score), *quality.contracts.items(), *quality.tables.items())
            ],
        )  # fmt: skip
        bad = [c for c in quality.checks if c.get("outcome") != "pass"]
        if bad:
            lines += ["", *(f"- {_escaped(_check_words(check))}" for check in bad)]
        states = [(e.name, str(s.state), _why(s)) for e, s in quality.elements]
        lines += ["", *_markdown_table(("Element", "State", "Why"), states)]
    return "\n".join(lines) + "\n"


def _markdown_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(names)} |", f"| {' | '.join('---' for _ in names)} |"]
    return [*lines, *(f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in rows)]


def _escaped(text: str) -> str:
    """Return text from others so that it is only text in Markdown."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!~" else c for c in flat)


def quality_as_junit(found: Sequence[Quality]) -> str:
    """Return the checks as JUnit's XML: a suite per product, a case per check.

    A check of severity error that does not hold is a failure, and so is a service level that is breached. A check
    that could not run is an error, a warning a passed case that says so. What by its nature is neither good nor bad,
    and a level that was not measured, is skipped.
    """
    return junit("factory quality", (_suite(quality) for quality in found))


def _suite(quality: Quality) -> Suite:
    name = str(quality.entry["name"])
    at = f"{quality.at:%Y-%m-%dT%H:%M:%S}" if quality.at else ""
    cases = [_case(name, check) for check in quality.checks]
    if not cases:  # none at all would be told as good
        cases = [Case(name, "quality", 0.0, ERROR, "not measured: no run has checked its data")]
    if _is_outdated(quality):
        words = f"the last run was {quality.last}, so these results are of data before it"
        cases.append(Case(name, "the last run", 0.0, ERROR, words))
    cases += [_level_case(name, level) for level in quality.levels if level.get("verdict") != "no target"]
    return Suite(name, tuple(cases), at)


def _level_case(product: str, level: Mapping[str, Any]) -> Case:
    """Return a service level: one that is breached is a failure, one that was not measured says nothing."""
    verdict = str(level.get("verdict"))
    subject = f"{product}.{level['element']}" if level.get("element") else product
    kind = {"met": PASSED, "breached": FAILURE}.get(verdict, SKIPPED)
    message = "" if verdict == "met" else f"{verdict}: {level.get('reason')}"
    return Case(subject, f"service level {level.get('property')}", 0.0, kind, message)


def _case(product: str, check: Mapping[str, Any]) -> Case:
    spot = ".".join(str(p) for p in (check.get("table"), check.get("column")) if p)
    outcome = str(check.get("outcome"))
    kind = {"pass": PASSED, "warn": PASSED, "fail": FAILURE}.get(outcome, ERROR)
    return Case(
        subject=f"{product}.{spot}" if spot else product,
        name=str(check.get("name")),
        seconds=float(check.get("milliseconds") or 0) / 1000,
        kind=kind if check.get("counts", True) else SKIPPED,
        message="" if outcome == "pass" else _check_words(check),
        file=str(check.get("file") or ""),
        line=int(check.get("line") or 0),
    )
