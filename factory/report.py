"""Show values to people and to programs. The only place that knows what a screen looks like.

Takes what the core returned; gives text or JSON with the same facts.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from factory.errors import FactoryError, Problems
from factory.questions.tables import plain, table
from factory.results import Count, ProductOutcome, ProductResult, Run
from factory.workspace import Workspace

if TYPE_CHECKING:
    from factory.rehearse import Rehearsal, Rehearsed

_MARKS = {
    "certified": "✓",
    "unchanged": "=",
    "paused": "-",
    "refused": "✗",
    "blocked": "!",
    "checked": "✓",
    "broken": "✗",
}


_STEERING = re.compile("[\x7f-\x9f]")


def as_json(value: Any) -> str:
    """Return a value as JSON, without control characters: those from 0x7f to 0x9f steer a terminal too."""
    return _STEERING.sub(lambda c: f"\\u{ord(c[0]):04x}", json.dumps(value, indent=2, ensure_ascii=False))


def run_as_json(run: Run) -> dict[str, Any]:
    """Return a run in the shape of `factory/schemas/run.schema.json`."""
    return {
        "products": [
            {
                "name": p.name,
                "domain": p.domain,
                "archetype": p.archetype,
                "outcome": str(p.outcome),
                "reasons": list(p.reasons),
                "version": p.version,
                "advice": list(p.advice),
                "tests": {"passed": p.tests.good, "total": p.tests.of},
                "checks": {"passed": p.checks.good, "total": p.checks.of},
                "columns": {"traced": p.columns.good, "total": p.columns.of},
                "contracts": list(p.contracts),
                "published": p.published,
                "seconds": round(p.seconds, 3),
            }
            for p in run.products
        ],
        "cpu_seconds": {
            "dbt": round(run.dbt_seconds, 3),
            "checks": round(run.soda_seconds, 3),
            "factory": round(run.own_seconds, 3),
        },
        "seconds": round(run.seconds, 3),
        "incidents": run.incidents,
    }


#: The columns of a run's summary; those that a narrow terminal does without come with their order of leaving.
_COLUMNS = (
    "",
    "product",
    "archetype",
    "version",
    "tests",
    "checks",
    "columns",
    "contract",
    "outcome",
    "seconds",
)
_RIGHT = {"tests", "checks", "columns", "seconds"}
_LEAVE_FIRST = ("contract", "archetype", "columns", "checks", "tests")


def run_as_text(run: Run, ws: Workspace, color: bool, width: int | None = None) -> str:
    """Return the summary of a run: a row per product, then every reason, then where to look.

    In less than `width` columns, what other commands tell too is left out of the rows.
    """
    if not run.products:
        empty = not ws.products.is_dir() or not any(entry.is_dir() for entry in ws.products.iterdir())
        return "No product to build: " + (
            "products/ is empty." if empty else "none of those chosen has changed."
        )
    names = list(_COLUMNS)
    lines = _rows(run, names)
    for leaving in _LEAVE_FIRST:
        if width is not None and max(map(len, lines)) > width:
            names.remove(leaving)
            lines = _rows(run, names)
    lines = [
        lines[0],
        *(_colored(line, p.outcome, color) for line, p in zip(lines[1:], run.products, strict=True)),
    ]
    for product in run.products:
        for label, texts in (("why not", product.reasons), ("advice", product.advice)):
            if texts:
                lines += ["", f"{product.name}, {label}:"]
                lines += [line for text in texts[:10] for line in _bullet(plain(text), width)]
                lines += [f"  … and {len(texts) - 10} more" for _ in texts[10:11]]
    lines += ["", _closing(run, ws)]
    return "\n".join(lines)


def _bullet(text: str, width: int | None) -> list[str]:
    """Return a point of a list, in lines of a terminal's width; in one line where there is no terminal."""
    if width is None:
        return [f"  - {text}"]
    return textwrap.wrap(
        text, max(40, width), initial_indent="  - ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _rows(run: Run, names: Sequence[str]) -> list[str]:
    rows = [[_cells(product)[name] for name in names] for product in run.products]
    return table(names, rows, right={n for n, name in enumerate(names) if name in _RIGHT})


def _cells(product: ProductResult) -> dict[str, str]:
    idle = product.outcome in (ProductOutcome.UNCHANGED, ProductOutcome.PAUSED)
    return {
        "": _MARKS[product.outcome],
        "product": product.name,
        "archetype": product.archetype,
        "version": product.version,
        "tests": "" if idle else _count(product.tests),
        "checks": "" if idle else _count(product.checks),
        "columns": "" if idle else _count(product.columns),
        "contract": ", ".join(c.split(" ")[0] for c in product.contracts) or "none",
        "outcome": str(product.outcome),
        "seconds": "" if idle else f"{product.seconds:.1f}",
    }


def _count(count: Count) -> str:
    return str(count.of) if count.good == count.of else f"{count.good} of {count.of}"


def _closing(run: Run, ws: Workspace) -> str:
    parts = []
    for outcome in ProductOutcome:
        found = run.with_outcome(outcome)
        if found:
            parts.append(f"{len(found)} {outcome}")
    text = f"{', '.join(parts)} in {run.seconds:.1f} s."
    if run.with_outcome(ProductOutcome.UNCHANGED):
        text += "\nWhat is unchanged was not run again (--full runs everything)."
    if run.incidents:
        text += f"\n{run.incidents} {'incident is' if run.incidents == 1 else 'incidents are'} open: factory incidents"
    if run.published:
        text += (
            f"\nRegistry: {ws.relative(ws.registry)}/registry.json   Tables: {ws.relative(ws.ports_database)}"
            "\nLook closer: factory list, factory show PRODUCT, factory docs"
        )
    else:
        text += "\nNothing was published: this was a check."
    return text


_COLORS = {
    "certified": "32",
    "unchanged": "2",
    "paused": "2",
    "refused": "31",
    "blocked": "33",
    "checked": "32",
    "broken": "31",
}


def _colored(line: str, outcome: str, color: bool) -> str:
    return f"\x1b[{_COLORS[outcome]}m{line}\x1b[0m" if color else line


def rehearsal_as_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return a rehearsal in the shape of `factory/schemas/consumers.schema.json`."""
    return {
        "product": rehearsal.product.name,
        "outcome": str(rehearsal.outcome),
        "reasons": list(rehearsal.product.reasons),
        "consumers": [
            {
                "name": each.name,
                "outcome": str(each.outcome),
                "reasons": list(each.reasons),
                "advice": list(each.advice),
            }
            for each in rehearsal.consumers
        ],
    }


_REHEARSED = {
    "passes": ("✓", "certified"),
    "breaks": ("✗", "refused"),
    "refused": ("✗", "refused"),
    "not built": ("!", "blocked"),
}


def rehearsal_as_text(rehearsal: Rehearsal, color: bool) -> str:
    """Return how a product's direct consumers came out: a row for each, then every reason."""
    product, consumers = rehearsal.product, rehearsal.consumers
    if not consumers:
        return f"No product reads {product.name}, so nobody can be harmed. Nothing was built."
    told = [product, *consumers] if product.reasons else list(consumers)
    rows = [[_REHEARSED[each.outcome][0], each.name, str(each.outcome)] for each in told]
    head, *lines = table(("", "product" if product.reasons else "consumer", "outcome"), rows)
    out = [head]
    out += [_colored(line, _REHEARSED[p.outcome][1], color) for line, p in zip(lines, told, strict=True)]
    for each in told:
        out += _told("why not", each, each.reasons) + _told("advice", each, each.advice)
    count = sum(str(each.outcome) == "passes" for each in consumers)
    some = "consumer passes" if len(consumers) == 1 else "direct consumers pass"
    out += ["", f"{count} of {len(consumers)} {some} with {product.name} as it is now."]
    return "\n".join([*out, "Built in a scratch folder: nothing was published or changed."])


def _told(label: str, product: Rehearsed, texts: Sequence[str]) -> list[str]:
    return ["", f"{product.name}, {label}:", *(f"  - {plain(text)}" for text in texts)] if texts else []


def error_as_text(error: FactoryError, ws_root: Any = None) -> str:
    """Return an error as people need it: where, what, what next; one line for each problem."""
    problems = error.problems if isinstance(error, Problems) else (error,)
    return "\n".join(_one_error(problem, ws_root) for problem in problems)


def _one_error(error: FactoryError, ws_root: Any) -> str:
    place = error.place(ws_root)
    text = f"error: {place}: {error.message}" if place else f"error: {error.message}"
    return plain(text + (f"\n  → {error.hint}" if error.hint else ""))


def error_as_json(error: FactoryError, ws_root: Any = None) -> dict[str, Any]:
    """Return an error for programs."""
    problems = error.problems if isinstance(error, Problems) else (error,)
    return {
        "errors": [
            {"message": p.message, "place": p.place(ws_root), "hint": p.hint, "exit_code": p.exit_code}
            for p in problems
        ]
    }


class ProgressLine:
    """Tells on stderr how far a run is: one line that is written over on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None, enabled: bool | None = None) -> None:
        self._stream = stream or sys.stderr
        self._rewrite = self._stream.isatty() if enabled is None else enabled
        self._stage = ""
        self._count = 0
        self._shown = 0.0
        self._told: set[tuple[str, str]] = set()

    def __call__(self, stage: str, detail: str = "") -> None:
        """Show a stage, and what it is at."""
        self._count = self._count + 1 if stage == self._stage else 1
        new = stage != self._stage
        self._stage = stage
        if self._rewrite:
            now = time.monotonic()
            if new or now - self._shown > 0.05:
                self._shown = now
                text = plain(f"{stage:<10} {self._count if detail else '':>5} {detail}")[:100]
                self._stream.write(f"\r\x1b[2K{text}")
                self._stream.flush()
        else:
            # One line per stage and product: dbt tells of every node, named kind.product.name.
            about = detail.split(".")[1] if stage == "build" and detail.count(".") > 1 else detail
            if (stage, about) not in self._told:
                self._told.add((stage, about))
                self._stream.write(plain(f"{stage} {about}".rstrip()) + "\n")
                self._stream.flush()

    def done(self) -> None:
        """Clear the line."""
        if self._rewrite:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


def products_as_text(entries: Sequence[Mapping[str, Any]], width: int | None = None) -> str:
    """Return the published products as a table, in less than `width` columns with fewer facts each."""
    if not entries:
        return "Nothing is published yet. Publish with: factory build"
    names = ["name", "domain", "archetype", "version", "status", "owner", "title"]
    lines = _entry_rows(entries, names)
    for leaving in ("title", "owner", "status", "archetype"):
        if width is not None and max(map(len, lines)) > width:
            names.remove(leaving)
            lines = _entry_rows(entries, names)
    return "\n".join(lines)


def _entry_rows(entries: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    return table(["product", *names[1:]], [[_cell(entry, name) for name in names] for entry in entries])


def _cell(entry: Mapping[str, Any], name: str) -> str:
    return _stands(entry) if name == "status" else str(entry[name])


def _stands(entry: Mapping[str, Any]) -> str:
    """Return how a product stands, shortly: its status, and what later records say of it."""
    status = str(entry["status"])
    words = [status, *(["paused"] if "paused" in entry else [])]
    for contract in entry["contracts"]:
        words += ["yanked"] if contract.get("yanked") else []
        words += [contract["status"]] if contract["status"] in ("deprecated", "retired") else []
    return ", ".join(dict.fromkeys(words))
