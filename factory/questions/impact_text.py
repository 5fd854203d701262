"""An impact for people: on a terminal, and as Markdown for a pull request; and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from factory.lineage.effects import Effect, Fate
from factory.lineage.graph import DIRECT
from factory.lineage.paths import Address, Paths, version_name
from factory.questions.impact import Impact

#: So many uses are listed in Markdown.
LONGEST = 100

_HOW = {
    "READS": "reads it",
    "IDENTITY": "passes it on",
    "TRANSFORMATION": "computes with it",
    "AGGREGATION": "aggregates it",
    "JOIN": "joins by it",
    "FILTER": "filters by it",
    "GROUP_BY": "groups by it",
    "SORT": "sorts by it",
    "WINDOW": "windows by it",
    "CONDITIONAL": "decides by it",
}


def how(kind: str) -> str:
    """Return a kind of lineage in words."""
    return _HOW.get(kind, kind.lower())


def impact_as_json(impact: Impact, paths: Paths) -> dict[str, Any]:
    """Return an impact for programs."""
    return {
        "target": {
            "relation": impact.change.address.relation,
            "column": impact.change.address.column or None,
        },
        "change": impact.change.kind or None,
        "uses": [
            {
                "model": effect.address.relation,
                "column": effect.address.column or None,
                "product": _product(paths, effect.address),
                "distance": effect.distance,
                "subtype": effect.kind,
                "type": "DIRECT" if effect.kind in DIRECT else "INDIRECT",
                "through": {"model": effect.through.relation, "column": effect.through.column},
                "expression": effect.expression,
                "removed": str(effect.removed),
                "renamed": str(effect.removed),
                "retyped": str(effect.retyped),
            }
            for effect in impact.effects
        ],
        "behind": list(impact.behind),
        "contracts": [
            {
                "product": port.product,
                "contract": port.contract,
                "version": port.version,
                "table": port.table,
                "columns": list(port.columns),
                "removed": str(port.removed),
                "renamed": str(port.removed),
                "retyped": str(port.retyped),
            }
            for port in impact.ports
        ],
        "products": list(impact.products),
        "exposures": [
            {"name": e.name, "type": e.type, "owner": e.owner, "url": e.url, "product": e.package}
            for e in impact.exposures
        ],
        "subscribers": [{"product": s.product, "who": s.who, "state": s.state} for s in impact.subscribers],
        "owners": dict(impact.owners),
    }


def impact_as_text(impact: Impact, paths: Paths, width: int = 100) -> str:
    """Return an impact for a terminal so many columns wide."""
    lines = [_title(impact, paths), ""]
    rows = _rows(impact, paths)
    if rows:
        table = [("", "how", "removed, renamed", "retyped"), *(row[1:] for row in rows)]
        wide = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
        wide[0] = max(20, min(wide[0], width - sum(wide[1:]) - 2 * len(wide)))
        lines.append(_line(table[0], wide))
    elif not impact.behind:
        lines.append("Nothing downstream uses it.")
    product = ""
    for row in rows:
        if row[0] != product:
            product = row[0]
            owner = impact.owners.get(product, "")
            lines.append(f"{product}{f'  ({owner})' if owner else ''}")
        lines.append(_line(row[1:], wide))
    if impact.behind:
        named = ", ".join(_name(paths, Address(each)) for each in impact.behind[:8])
        more = f" and {len(impact.behind) - 8} more" if len(impact.behind) > 8 else ""
        lines += ["", *_wrapped(f"Behind these, without new data if one breaks: {named}{more}", width)]
    for line in _consumers(impact):
        lines += _wrapped(line, width)
    return "\n".join(lines)


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=" " * 11, break_on_hyphens=False) or [""]


def _line(cells: Sequence[str], wide: Sequence[int]) -> str:
    """Return a row of the table; a name that is too long has a line of its own."""
    line = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, wide, strict=True)).rstrip()
    if len(cells[0]) > wide[0]:
        return f"  {cells[0]}\n" + _line(("", *cells[1:]), wide)
    return f"  {line}"


def _rows(impact: Impact, paths: Paths) -> list[tuple[str, str, str, str, str]]:
    """Return the uses, one row per column: product, column, how, and what becomes of it; products nearest first."""
    merged: dict[Address, list[Effect]] = {}
    for effect in impact.effects:
        merged.setdefault(effect.address, []).append(effect)
    products = list(dict.fromkeys(_product(paths, address) for address in merged))
    rows = [
        (
            _product(paths, address),
            _name(paths, address, product=False),
            ", ".join(dict.fromkeys(how(effect.kind) for effect in effects)),
            str(_worst(effect.removed for effect in effects)),
            str(_worst(effect.retyped for effect in effects)),
        )
        for address, effects in merged.items()
    ]
    return sorted(rows, key=lambda row: products.index(row[0]))


def _worst(fates: Iterable[Fate]) -> Fate:
    return min(fates, key=list(Fate).index)


def _title(impact: Impact, paths: Paths) -> str:
    name = _name(paths, impact.change.address)
    return f"{name} {impact.change.words}" if impact.change.words else name


def _consumers(impact: Impact) -> Iterable[str]:
    if impact.ports:
        yield ""
        for port in impact.ports:
            columns = ", ".join(port.columns[:6]) + (
                f" and {len(port.columns) - 6} more" if len(port.columns) > 6 else ""
            )
            where = f"{port.product}, contract {port.contract} {port.version}: {port.table}"
            yield f"Promised   {where}{f' ({columns})' if columns else ''}; {_of_port(port.removed, port.retyped)}"
    for exposure in impact.exposures:
        owner = f", {exposure.owner}" if exposure.owner else ""
        yield f"Used by    {exposure.type} {exposure.name} of {exposure.package}{owner}"
    for subscriber in impact.subscribers:
        yield f"Subscriber {subscriber.who} {subscriber.state} to {subscriber.product}"
    told = [f"{owner} ({product})" for product, owner in impact.owners.items() if owner]
    if told:
        yield ""
        yield f"Tell       {', '.join(told)}"


def _of_port(removed: Fate, retyped: Fate) -> str:
    words = {Fate.BREAKS: "breaks the promise", Fate.FOLLOWS: "breaks the promise"}
    one, other = words.get(removed, str(removed)), words.get(retyped, str(retyped))
    return f"removed, renamed: {one}; retyped: {other}"


def _name(paths: Paths, address: Address, *, product: bool = True) -> str:
    node = paths.graph.nodes.get(address.relation)
    name = version_name(node.relation) if node is not None else address.relation.rpartition(".")[2]
    package = f"{_product(paths, address)}." if product else ""
    return f"{package}{name}.{address.column}" if address.column else f"{package}{name}"


def _product(paths: Paths, address: Address) -> str:
    node = paths.graph.nodes.get(address.relation)
    if node is not None:
        return node.relation.package
    return address.relation.split(".")[1] if "." in address.relation else ""


def impacts_as_markdown(impacts: Sequence[Impact], paths: Paths) -> str:
    """Return impacts as Markdown, made for a comment on a pull request."""
    if not impacts:
        return "### Impact\n\nNothing that is published is taken away.\n"
    lines = ["### Impact", ""]
    for impact in impacts:
        lines += [f"#### {_code(_name(paths, impact.change.address))}", ""]
        if impact.change.words:
            lines += [f"{_plain(impact.change.words)[:1].upper()}{_plain(impact.change.words)[1:]}.", ""]
        lines += _markdown(impact, paths)
    return "\n".join(lines).rstrip() + "\n"


def _markdown(impact: Impact, paths: Paths) -> Iterable[str]:
    kind = impact.change.kind
    rows = _rows(impact, paths)
    if rows:
        heads = {"retyped": ("retyped",), "removed": ("removed or renamed",)}.get(
            kind, ("removed or renamed", "retyped")
        )
        yield f"| product | used by | how | {' | '.join(heads)} |"
        yield "| --- " * (3 + len(heads)) + "|"
        for product, name, ways, removed, retyped in rows[:LONGEST]:
            fates = {"retyped": (retyped,), "removed": (removed,)}.get(kind, (removed, retyped))
            marked = (f"**{fate}**" if fate == Fate.BREAKS else fate for fate in fates)
            yield f"| {_plain(product)} | {_code(name)} | {ways} | {' | '.join(marked)} |"
        if len(rows) > LONGEST:
            yield ""
            yield f"and {len(rows) - LONGEST} more."
    else:
        yield "Nothing downstream uses it."
    yield ""
    for port in impact.ports:
        fate = port.retyped if kind == "retyped" else port.removed
        promised = (
            "the promise is broken: a new major version" if fate in (Fate.BREAKS, Fate.FOLLOWS) else str(fate)
        )
        promised = promised if kind else f"removed, renamed: {promised}"
        contract = f"contract {_code(port.contract)} {_plain(port.version)} of {_code(port.product)}"
        yield f"- {contract}, table {_code(port.table)}: {promised}"
    for exposure in impact.exposures:
        owner = f", {_plain(exposure.owner)}" if exposure.owner else ""
        yield f"- {_plain(exposure.type)} {_code(exposure.name)} of {_code(exposure.package)}{owner}"
    for subscriber in impact.subscribers:
        yield f"- {_plain(subscriber.who)} {subscriber.state} to {_code(subscriber.product)}"
    if impact.behind:
        yield f"- {len(impact.behind)} more models read these"
    told = [f"{_plain(owner)} ({_code(product)})" for product, owner in impact.owners.items() if owner]
    if told:
        yield f"- tell: {', '.join(told)}"
    yield ""


def _code(text: str) -> str:
    """Return text from others as code, which is shown as it is."""
    return f"`{' '.join(_visible(text).replace('`', '').split())}`".replace("|", "¦")


def _plain(text: str) -> str:
    """Return text from others so that it cannot be Markdown, HTML, a mention or a new line."""
    flat = " ".join(_visible(text).split())
    return "".join(f"&#{ord(each)};" if each in "\\`*_[]!@#<>|&~" else each for each in flat)


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
