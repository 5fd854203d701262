"""What a product promises beside its data, measured now: `factory slo`.

Takes a workspace, products' names and a moment; gives a `Promised` per product; reads the registry and the ports.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from factory.errors import RegistryError
from factory.levels import (
    Level,
    Purge,
    RunFact,
    Verdict,
    element_for,
    elements_of,
    indicators,
    measure,
    purges,
)
from factory.levels.durations import elapsed
from factory.levels.elements import AT_LEAST, AT_MOST
from factory.odcs.lint.terms import UNITS
from factory.past import facts_of, incident_times, recent_runs
from factory.periods import moment_of
from factory.products import Product, discover
from factory.questions.tables import fitted
from factory.registry import Registry, read_index
from factory.registry.runs import last_run
from factory.standards import nearest
from factory.watch import newest_of, read_ports
from factory.workspace import Workspace

_MARKS = {Verdict.MET: "✓", Verdict.BREACHED: "✗", Verdict.NOT_MEASURED: "?", Verdict.NO_TARGET: "·"}


@dataclass(frozen=True, slots=True)
class Promised:
    """The service levels of one product.

    Attributes:
        product: its name.
        version: its published version.
        levels: one per promise, measured at the moment of asking; then what is known and nothing is promised of.
        purges: rows that are kept for longer than promised; nothing deletes them.
    """

    product: str
    version: str
    levels: tuple[Level, ...]
    purges: tuple[Purge, ...] = ()


def levels_of(ws: Workspace, names: Sequence[str], now: datetime) -> tuple[Promised, ...]:
    """Return the service levels of products, or of all that are published, sorted by name.

    Raises:
        RegistryError: one of them is not published.

    """
    entries = {str(entry["name"]): entry for entry in read_index(ws)["products"]}
    for name in names:
        if name not in entries:
            near = nearest(name, entries)
            hint = f"did you mean {near!r}?" if near else "see what is published with: factory list"
            raise RegistryError(f"no product {name!r} is published", hint=hint)
    products = {product.name: product for product in discover(ws)}
    return tuple(_measured(ws, entries[name], products, now) for name in sorted(set(names) or entries))


def _measured(
    ws: Workspace, entry: Mapping[str, Any], products: Mapping[str, Product], now: datetime
) -> Promised:
    name, domain, version = str(entry["name"]), str(entry["domain"]), str(entry["version"])
    product = products.get(name)
    if product is None or product.domain != domain:
        return Promised(name, version, ())
    elements = elements_of(ws.settings)
    documents = newest_of(Registry(ws).published(product).values())
    readings = read_ports(ws, product, documents, elements, now)
    before = last_run(ws.registry, domain, name) or {}
    facts = facts_of(ws, product, documents, now, elements)
    recent = [run for run in recent_runs(ws, product, now) if run not in facts.runs]
    facts = replace(
        facts,
        ports=readings,
        published_at=moment_of(before.get("published_at")),
        loaded_at=moment_of(before.get("loaded_at")),
        # Asking is no run; that the ports opened now is known all the same.
        runs=(*facts.runs, *recent, RunFact(now, "watch", "", ports=readings)),
        incidents=incident_times(ws, product, now),
        measurements={
            str(row["name"]): float(row["measured"])
            for row in before.get("checks") or ()
            if isinstance(row.get("measured"), int | float)
        },
    )
    levels = [level for each in documents for level in measure(each, facts, now, elements)]
    levels += [level for each in documents for level in indicators(each, facts, now, elements)]
    plan = tuple(purge for each in documents for purge in purges(each, facts, now, elements))
    return Promised(name, version, tuple(levels), plan)


def misses(found: Iterable[Promised], what: str) -> bool:
    """Say whether a level is breached, or, for `unmeasured`, one with a target could not be measured either."""
    bad = {Verdict.BREACHED} if what == "breach" else {Verdict.BREACHED, Verdict.NOT_MEASURED}
    return any(level.verdict in bad for each in found for level in each.levels)


def levels_as_text(found: Sequence[Promised], width: int) -> str:
    """Return the service levels for people: a table per product, and why a level is not kept."""
    if not found:
        return "Nothing is published yet. Publish with: factory build"
    lines: list[str] = []
    for each in found:
        if lines:
            lines.append("")
        lines.append(f"{each.product} {each.version}")
        if not each.levels:
            lines.append("  promises nothing: write slaProperties into its contract")
            continue
        rows = [_row(level) for level in each.levels]
        lines += [f"  {line}" for line in fitted(list(rows[0]), rows, width - 2, ("contract", "column"))]
        lines += _told(each.levels, width)
        for purge in each.purges:
            words = f"kept for longer than {purge.promise}: rows of {purge.table} before {purge.before}"
            lines.append(f"  - {words}: {purge.query}")
    levels = [level for each in found for level in each.levels]
    counts = {verdict: sum(level.verdict is verdict for level in levels) for verdict in Verdict}
    lines += ["", ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count) + "."]
    return "\n".join(lines)


def _told(levels: Iterable[Level], width: int) -> list[str]:
    """Return why levels are not kept, or not measured; those with one reason share a line."""
    reasons: dict[tuple[Verdict, str], list[str]] = {}
    for level in levels:
        if level.verdict in (Verdict.BREACHED, Verdict.NOT_MEASURED):
            reasons.setdefault((level.verdict, level.reason), []).append(_name(level))
    return [
        line
        for (verdict, reason), names in sorted(reasons.items(), key=lambda item: item[0][0])
        for line in textwrap.wrap(
            f"{verdict}: {', '.join(names)}: {reason}", width, initial_indent="  - ", subsequent_indent="    ",
            break_long_words=False, break_on_hyphens=False,
        )
    ]  # fmt: skip


def _row(level: Level) -> dict[str, str]:
    return {
        "": _MARKS[level.verdict],
        "level": level.property,
        "contract": level.contract,
        "column": level.element,
        "target": _target(level),
        "measured": _value(level.measured, level.measured_unit),
        "verdict": str(level.verdict),
    }


_BOUNDS = {AT_LEAST: "≥ ", AT_MOST: "≤ "}


def _target(level: Level) -> str:
    """Return what is promised, as a bound where a number is compared with it."""
    if level.target is None:
        return "none"
    element = element_for(level.property)
    is_bound = element is not None and isinstance(level.target, float)
    bound = _BOUNDS.get(element.direction, "") if element is not None and is_bound else ""
    return bound + _value(level.target, level.unit)


def _value(value: float | str | None, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and unit in UNITS and value != round(value):
        return elapsed(value * UNITS[unit])
    if unit == "date":
        return ""  # the day of asking says nothing
    if isinstance(value, str):
        return f"{value} {unit}".strip()
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"
    return f"{text} {unit}".strip()


def _name(level: Level) -> str:
    return f"{level.property} of {level.element}" if level.element else level.property


def levels_as_json(found: Sequence[Promised]) -> dict[str, Any]:
    """Return the service levels in the shape of `factory/schemas/slo.schema.json`."""
    return {
        "products": [
            {
                "name": each.product,
                "version": each.version,
                "levels": [level.values() for level in each.levels],
                "purge": [_purge_values(purge) for purge in each.purges],
            }
            for each in found
        ]
    }


def _purge_values(purge: Purge) -> dict[str, str]:
    return {
        "contract": purge.contract,
        "table": purge.table,
        "column": purge.column,
        "before": purge.before.isoformat(),
        "oldest": purge.oldest.isoformat(),
        "promise": purge.promise,
        "driver": purge.driver,
        "query": purge.query,
    }
