"""Walk lineage up to the sources and down to the uses of a column.

Takes traces and a column's address; gives trees of steps. A step that stands in the tree already is not walked again,
so that a tree is never longer than the graph, whatever its rings and diamonds.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

from factory.artifacts import Relation
from factory.errors import FactoryError
from factory.lineage.graph import DIRECT, Influence, Lineage, ModelTrace, Source
from factory.lineage.projects import Graph

#: The kind of a step to all that decides about the rows of a model.
ROWS = "ROWS"


class LineageError(FactoryError):
    """A question about lineage names what is not there."""


class Address(NamedTuple):
    """A column of a relation, or (without one) the relation.

    Attributes:
        relation: its id in the graph.
        column: the column, as the relation spells it, or empty.
    """

    relation: str
    column: str = ""


class Use(NamedTuple):
    """One hop: what a column (or, without one, all rows) of a model takes from a source."""

    model: str
    column: str
    source: Source | Influence
    expression: str


@dataclass(frozen=True, slots=True)
class Step:
    """A place in a tree; the steps of a tree follow each other, each before those below it.

    Attributes:
        level: 0 for the column that was asked for, 1 for what is next to it, and so on.
        address: the column, or the relation where all of its rows are meant.
        kind: how it is used by, or uses, the step above: a kind of lineage, or ROWS for all that decides about the
            rows of the model above; empty for the first.
        masking: through a declared anonymiser.
        expression: the SQL that makes the column, unless it is only passed on.
        clause: the SQL in which it decides about the rows above, or of the model.
        again: it was walked elsewhere in the tree.
        cut: there is more, beyond the depth that was asked for.
        note: why nothing is further up: unknown, constant, generator.
    """

    level: int
    address: Address
    kind: str = ""
    masking: bool = False
    expression: str = ""
    clause: str = ""
    again: bool = False
    cut: bool = False
    note: str = ""


_Next: TypeAlias = Callable[[Step, bool], Iterable[Step]]


def version_name(relation: Relation) -> str:
    """Return what a relation is called among people: with its version, where it has one."""
    return f"{relation.name}.v{relation.version}" if relation.version else relation.name


class Paths:
    """The lineage of a graph, to be walked in both directions.

    Attributes:
        graph, lineage: what is walked.
        elsewhere: models whose lineage is not that of the SQL in the graph, but of what was published.
    """

    def __init__(self, graph: Graph, lineage: Lineage, elsewhere: frozenset[str] = frozenset()) -> None:
        self.graph = graph
        self.lineage = lineage
        self.elsewhere = elsewhere

    @cached_property
    def _uses(self) -> dict[tuple[str, str], list[Use]]:
        found: dict[tuple[str, str], list[Use]] = {}

        def add(use: Use) -> None:
            found.setdefault((use.source.relation, use.source.column.lower()), []).append(use)

        for trace in self.lineage.models.values():
            for column in trace.columns:
                for source in column.sources:
                    add(Use(trace.relation, column.column, source, column.expression))
            for influence in trace.influences:
                add(Use(trace.relation, "", influence, influence.expression))
        return found

    def uses(self, address: Address) -> tuple[Use, ...]:
        """Return where a column is used, one hop away, sorted."""
        found = self._uses.get((address.relation, address.column.lower()), ())
        return tuple(sorted(found, key=lambda use: (use.model, use.column, use.source.kind)))

    def up(self, address: Address, depth: int = 0, *, indirect: bool = False) -> tuple[Step, ...]:
        """Return the tree of what a column is made of; `depth` 0 is all the way to the sources."""
        return self._walk(address, self._sources, depth, indirect)

    def down(self, address: Address, depth: int = 0, *, indirect: bool = False) -> tuple[Step, ...]:
        """Return the tree of where a column goes."""
        return self._walk(address, self._targets, depth, indirect)

    def _walk(self, first: Address, next_: _Next, depth: int, indirect: bool) -> tuple[Step, ...]:
        seen: set[Address] = set()
        result: list[Step] = []
        waiting = [Step(0, first)]
        while waiting:
            step = waiting.pop()
            further = list(next_(step, indirect))
            key = Address(step.address.relation, step.address.column.lower())
            again = key in seen and bool(further)
            seen.add(key)
            cut = bool(further) and not again and 0 < depth <= step.level
            note = self._note(step.address) if not further and next_ == self._sources else ""
            made = "" if again else self._made(step.address)
            result.append(replace(step, again=again, cut=cut, note=note, expression=made))
            if not again and not cut:
                waiting += reversed(further)
        return tuple(result)

    def _sources(self, step: Step, indirect: bool) -> Iterable[Step]:
        address, level = step.address, step.level + 1
        trace = self.lineage.models.get(address.relation)
        if trace is None:
            return
        if not address.column:
            for influence in trace.influences if indirect else ():
                there = Address(influence.relation, influence.column)
                yield Step(level, there, influence.kind, influence.masking, clause=influence.expression)
            return
        column = trace.column(address.column)
        for source in sorted(column.sources, key=lambda s: (not s.direct, s)) if column is not None else ():
            if source.direct or indirect:
                yield Step(level, Address(source.relation, source.column), source.kind, source.masking)
        if indirect and trace.influences:
            yield Step(level, Address(address.relation), ROWS)

    def _targets(self, step: Step, indirect: bool) -> Iterable[Step]:
        if not step.address.column and step.level:
            return
        for use in self.uses(step.address):
            direct = isinstance(use.source, Source) and use.source.direct
            if direct or indirect:
                clause = "" if use.column else use.expression
                yield Step(
                    step.level + 1,
                    Address(use.model, use.column),
                    use.source.kind,
                    use.source.masking,
                    clause=clause,
                )

    def _made(self, address: Address) -> str:
        """Return the SQL that makes a column, or an empty string where it is only passed on."""
        trace = self.lineage.models.get(address.relation)
        column = trace.column(address.column) if trace is not None and address.column else None
        return column.expression if column is not None and column.kind != DIRECT[0] else ""

    def _note(self, address: Address) -> str:
        trace = self.lineage.models.get(address.relation)
        column = trace.column(address.column) if trace is not None and address.column else None
        if column is None:
            return ""
        return f"unknown: {column.unknown}" if column.unknown else column.made

    def only(self, steps: Iterable[Step]) -> Paths:
        """Return the part of the lineage that a tree has: its columns, and of each what the tree shows."""
        places = {(step.address.relation, step.address.column.lower()) for step in steps}
        models: dict[str, ModelTrace] = {}
        for unique_id, trace in self.lineage.models.items():
            columns = tuple(
                c._replace(sources=tuple(s for s in c.sources if (s.relation, s.column.lower()) in places))
                for c in trace.columns
                if (unique_id, c.column.lower()) in places
            )
            all_rows = (unique_id, "") in places
            rows = tuple(i for i in trace.influences if all_rows and (i.relation, i.column.lower()) in places)
            if columns or all_rows:
                models[unique_id] = replace(trace, columns=columns, influences=rows)
        return Paths(self.graph, Lineage(models))

    # Names

    def columns(self, relation: str) -> list[str]:
        """Return the columns of a relation, as traced, as declared, or as others read them."""
        trace = self.lineage.models.get(relation)
        if trace is not None:
            names = [column.column for column in trace.columns if column.column != "*"]
        else:
            node = self.graph.nodes.get(relation)
            names = [column.name for column in node.relation.columns] if node is not None else []
        seen = {name.lower() for name in names}
        read = {uses[0].source.column for (source, _), uses in self._uses.items() if source == relation}
        return names + sorted(name for name in read if name.lower() not in seen)

    def find(self, text: str) -> Address:
        """Return the relation or column that a person means.

        Forms: `product.model.column`, `product.model`, `model.column`, `model`, a source as `source.table` with or
        without its product before and a column behind it, any of dbt's unique ids with or without a column behind it.

        Raises:
            LineageError: nothing has that name, or several things have it.

        """
        text = text.replace('"', "").replace("`", "")
        for relation, rest in self._candidates(text):
            if not rest:
                return Address(relation)
            match = next((name for name in self.columns(relation) if name.lower() == rest.lower()), None)
            if match is not None:
                return Address(relation, match)
        raise self._nothing(text)

    def _candidates(self, text: str) -> Iterator[tuple[str, str]]:
        names = self._names()
        folded = text.lower()
        dots = [number for number, letter in enumerate(folded) if letter == "."]
        for end in (len(folded), *reversed(dots)):
            rest = text[end + 1 :]
            called = names.get(folded[:end], [])
            having = [
                each for each in called if not rest or rest.lower() in map(str.lower, self.columns(each))
            ]
            built = [each for each in having if self.graph.nodes[each].relation.kind != "source"]
            # A source's table may be called like a model; then the model is meant.
            found = built or having or called
            if len(found) > 1 and having:
                wanted = ", ".join(sorted(found))
                hint = "put the product's name, or dbt's unique id, before it"
                raise LineageError(f"{text!r} may be {wanted}", hint=hint)
            for relation in sorted(found):
                yield relation, rest

    def _names(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for unique_id, node in self.graph.nodes.items():
            relation = node.relation
            short = {relation.identifier, version_name(relation)}
            if relation.version in ("", relation.latest_version):
                short.add(relation.name)
            for name in {unique_id, *short, *(f"{relation.package}.{each}" for each in short)}:
                found.setdefault(name.lower(), []).append(unique_id)
        return found

    def _near(self, relation: str, column: str) -> bool:
        return bool(difflib.get_close_matches(column, self.columns(relation), 1))

    def _nothing(self, text: str) -> LineageError:
        names = [f"{n.relation.package}.{n.relation.name}" for n in self.graph.nodes.values()]
        for relation, rest in sorted(self._candidates(text), key=lambda pair: not self._near(*pair)):
            node = self.graph.nodes[relation].relation
            columns = self.columns(relation)
            near = difflib.get_close_matches(rest, columns, 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"its columns: {', '.join(columns[:12]) or 'none known'}"
            )
            return LineageError(f"{node.package}.{node.name} has no column {rest!r}", hint=hint)
        first = ".".join(text.split(".")[:2])
        near = difflib.get_close_matches(first, names, 1, 0.6) or difflib.get_close_matches(
            text.partition(".")[0], [name.partition(".")[2] for name in names], 1, 0.6
        )
        hint = f"did you mean {near[0]!r}?" if near else "name it as product.model.column, or product.model"
        return LineageError(f"no model or source is called {text!r}", hint=hint)
