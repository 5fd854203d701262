"""Lineage as a picture, in the languages of Mermaid and of Graphviz.

Takes paths; gives text. Without steps the nodes are models and an arrow says that one reads columns of another; with
the steps of a tree the nodes are columns. Dashed arrows are indirect: they decide about rows or values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from factory.lineage.graph import DIRECT
from factory.lineage.paths import ROWS, Address, Paths, Step, version_name


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be drawn.

    Attributes:
        groups: per heading its nodes: key and label.
        arrows: from, to, label; dashed or not.
    """

    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    arrows: tuple[tuple[str, str, str, bool], ...]


def picture(paths: Paths, steps: Sequence[Step] = (), *, down: bool = False) -> Picture:
    """Return what is to be drawn: a tree of columns, or all models."""
    return _of_columns(paths, steps, down=down) if steps else _of_models(paths)


def _of_models(paths: Paths) -> Picture:
    groups: dict[str, list[tuple[str, str]]] = {}
    used: set[str] = set()
    arrows: dict[tuple[str, str], bool] = {}
    for model, trace in paths.lineage.models.items():
        used.add(model)
        for relation, direct in (
            *((s.relation, s.direct) for column in trace.columns for s in column.sources),
            *((i.relation, False) for i in trace.influences),
        ):
            used.add(relation)
            arrows[relation, model] = arrows.get((relation, model), False) or direct
    for unique_id in sorted(used):
        product, name = _names(paths, unique_id)
        groups.setdefault(product, []).append((unique_id, name))
    return Picture(
        tuple((product, tuple(nodes)) for product, nodes in sorted(groups.items())),
        tuple((source, model, "", not direct) for (source, model), direct in sorted(arrows.items())),
    )


def _of_columns(paths: Paths, steps: Sequence[Step], *, down: bool) -> Picture:
    groups: dict[str, dict[str, str]] = {}
    arrows: dict[tuple[str, str, str, bool], None] = {}
    above: list[Step] = []
    for step in steps:
        product, name = _names(paths, step.address.relation)
        groups.setdefault(f"{product}.{name}", {})[_key(step.address)] = step.address.column or "(rows)"
        del above[step.level :]
        if above:
            ends = (above[-1].address, step.address) if down else (step.address, above[-1].address)
            label = step.kind.lower().replace("_", " ") if step.kind not in (DIRECT[0], ROWS) else ""
            arrows[_key(ends[0]), _key(ends[1]), label, step.kind not in DIRECT] = None
        above.append(step)
    return Picture(tuple((heading, tuple(nodes.items())) for heading, nodes in groups.items()), tuple(arrows))


def _key(address: Address) -> str:
    return f"{address.relation}/{address.column.lower()}"


def _names(paths: Paths, unique_id: str) -> tuple[str, str]:
    node = paths.graph.nodes.get(unique_id)
    return (node.relation.package, version_name(node.relation)) if node is not None else ("", unique_id)


def mermaid(what: Picture) -> str:
    """Return a flowchart for Mermaid, from left to right."""
    ids = _ids(key for _, nodes in what.groups for key, _ in nodes)
    lines = ["flowchart LR"]
    for number, (heading, nodes) in enumerate(what.groups):
        lines.append(f'  subgraph g{number}["{_for_mermaid(heading)}"]')
        lines += [f'    {ids[key]}["{_for_mermaid(label)}"]' for key, label in nodes]
        lines.append("  end")
    for source, target, label, dashed in what.arrows:
        arrow = "-.->" if dashed else "-->"
        lines.append(f"  {ids[source]} {arrow}{f'|{_for_mermaid(label)}|' if label else ''} {ids[target]}")
    return "\n".join(lines) + "\n"


def dot(what: Picture) -> str:
    """Return a graph for Graphviz, from left to right."""
    ids = _ids(key for _, nodes in what.groups for key, _ in nodes)
    lines = ["digraph lineage {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for number, (heading, nodes) in enumerate(what.groups):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_quoted(heading)};")
        lines += [f"    {ids[key]} [label={_quoted(label)}];" for key, label in nodes]
        lines.append("  }")
    for source, target, label, dashed in what.arrows:
        style = [f"label={_quoted(label)}"] * bool(label) + ["style=dashed"] * dashed
        look = f" [{', '.join(style)}]" if style else ""
        lines.append(f"  {ids[source]} -> {ids[target]}{look};")
    return "\n".join([*lines, "}"]) + "\n"


def _ids(keys: Iterable[str]) -> dict[str, str]:
    return {key: f"n{number}" for number, key in enumerate(dict.fromkeys(keys))}


def _for_mermaid(text: str) -> str:
    return re.sub(r'["#<>|\[\]{}]', lambda match: f"#{ord(match[0])};", _visible(text))


def _quoted(text: str) -> str:
    return json.dumps(_visible(text), ensure_ascii=False)


def _visible(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
