"""Several dbt projects as one graph: what one project builds is another one's source.

Takes the artifacts of projects; gives a `Graph` of their models, seeds, snapshots and sources, in order of dependency.
Two relations are the same where they have the same name in the database. The graph of projects may have rings.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from factory.artifacts import Artifacts, Exposure, Relation, in_order

#: What tells a relation in a database from others: catalog, schema and name in lower case.
Key: TypeAlias = tuple[str, str, str]

_PART = r"""(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|[\w$-]+)"""
_NAME = re.compile(rf"{_PART}(?:\.{_PART}){{0,2}}")


@functools.lru_cache(maxsize=50_000)
def relation_key(name: str) -> Key | None:
    """Return what tells a relation from others, from its name in SQL; None for files and table functions."""
    if _NAME.fullmatch(name) is None:
        return None
    parts = [part.strip('"`[]').lower() for part in re.findall(_PART, name)]
    if len(parts) == 1 and name.startswith("`"):
        parts = parts[0].split(".")  # BigQuery may have all of a name in one pair of quotes
    catalog, schema, table = ["", "", *parts][-3:]
    return (catalog, schema, table)


@dataclass(frozen=True, slots=True)
class Node:
    """A relation in the graph.

    Attributes:
        relation: as its project has it; its id, and the ids that it reads, are those of the graph.
        dialect: dbt's name of the database, or the dialect that was asked for.
        project: the project whose manifest it is from.
        anonymisers: macros that this project declares to make values anonymous.
        generated_at: when the manifest was written, as it says.
    """

    relation: Relation
    dialect: str
    project: str
    anonymisers: frozenset[str] = frozenset()
    generated_at: str = ""


class Graph:
    """The relations of one or more projects.

    Attributes:
        nodes: by id, each behind what it reads; in a ring, behind as much of it as can be.
        exposures: known uses, with the graph's ids.
    """

    def __init__(self, nodes: Mapping[str, Node], exposures: Sequence[Exposure] = ()) -> None:
        self.nodes = nodes
        self.exposures = tuple(exposures)
        self._by_key: dict[tuple[str, ...], set[str]] = {}
        for unique_id, node in nodes.items():
            key = relation_key(node.relation.relation_name) if node.relation.relation_name else None
            if key is not None:
                for part in (key, key[1:], key[2:]):
                    self._by_key.setdefault(part, set()).add(unique_id)

    def named(self, name: str) -> str:
        """Return the id of the one relation that a name in SQL, whole or without its first parts, can mean."""
        key = relation_key(name)
        if key is None:
            return ""
        found = self._by_key.get(tuple(part for part in key if part) if "" in key else key, set())
        return next(iter(found)) if len(found) == 1 else ""


def graph_of(artifacts: Artifacts) -> Graph:
    """Return one project as a graph, its ids as they are."""
    nodes = {
        unique_id: _node(relation, artifacts, artifacts.adapter)
        for unique_id, relation in artifacts.relations.items()
    }
    return Graph(nodes, artifacts.exposures)


def _node(relation: Relation, artifacts: Artifacts, dialect: str) -> Node:
    return Node(relation, dialect, artifacts.project, artifacts.anonymisers, artifacts.generated_at)


def stitch(projects: Sequence[Artifacts], dialect: str = "") -> Graph:
    """Return projects as one graph.

    A source that another project, or the same one, builds as a model, seed or snapshot is that relation, and so is a
    relation of a name in the database that another project only knows from afar. Where an id stands for different
    relations (a package that two projects install), the later ones are called `id@project`.
    """
    renamed, taken = _ids(projects)
    nodes: dict[str, Node] = {}
    built: dict[Key, str] = {}
    for number, unique_id, relation in taken:
        artifacts = projects[number]
        nodes[unique_id] = _node(relation, artifacts, dialect or artifacts.adapter)
        key = relation_key(relation.relation_name) if relation.relation_name else None
        if key is not None and relation.kind != "source":
            built.setdefault(key, unique_id)
    same: dict[str, str] = {}
    for unique_id, node in nodes.items():
        key = relation_key(node.relation.relation_name) if node.relation.kind == "source" else None
        if key is not None and key in built:
            same[unique_id] = built[key]
    of_project = [{old: same.get(new, new) for old, new in names.items()} for names in renamed]
    number_of = {unique_id: number for number, unique_id, _ in taken}
    linked: dict[str, Node] = {}
    for unique_id, node in nodes.items():
        if unique_id in same:
            continue
        names = of_project[number_of[unique_id]]
        upstream = tuple(dict.fromkeys(names.get(each, each) for each in node.relation.upstream))
        relation = replace(node.relation, unique_id=unique_id, upstream=upstream)
        linked[unique_id] = replace(node, relation=relation)
    exposures = [
        replace(
            exposure, upstream=tuple(dict.fromkeys(of_project[number].get(e, e) for e in exposure.upstream))
        )
        for number, artifacts in enumerate(projects)
        for exposure in artifacts.exposures
    ]
    order = in_order({unique_id: node.relation.upstream for unique_id, node in linked.items()})
    return Graph(
        {unique_id: linked[unique_id] for unique_id in order},
        list(dict.fromkeys(exposures)),
    )


def _ids(projects: Sequence[Artifacts]) -> tuple[list[dict[str, str]], list[tuple[int, str, Relation]]]:
    """Return per project what each of its ids is called in the graph, and the relations that are taken."""
    renamed: list[dict[str, str]] = []
    taken: dict[str, tuple[int, Relation]] = {}
    for number, artifacts in enumerate(projects):
        names: dict[str, str] = {}
        for old, relation in artifacts.relations.items():
            new = old
            known = taken.get(old)
            if known is not None and not _same(known[1], relation):
                new = _free(f"{old}@{artifacts.project or number + 1}", taken)
                known = None
            if known is None or (relation.sql and not known[1].sql):
                taken[new] = (number, relation)
            names[old] = new
        renamed.append(names)
    return renamed, [(number, unique_id, relation) for unique_id, (number, relation) in taken.items()]


def _same(one: Relation, other: Relation) -> bool:
    keys = relation_key(one.relation_name), relation_key(other.relation_name)
    return None in keys or keys[0] == keys[1]


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free
