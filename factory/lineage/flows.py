"""What flows into a column, as it is gathered on the way through the queries of a statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from factory.lineage.graph import DIRECT, ColumnTrace, Influence, Source


@dataclass(slots=True)
class Flow:
    """What flows into a column of a query.

    Attributes:
        sources: the columns of tables.
        expression: the SQL that makes it, or the column that is passed on.
        unknown: why it, or a part of it, could not be followed.
        generator: something on the way gives values of its own.
        makes: the expression is one, and not a column passed on, nor several of a set operation.
        whole: the expression needs no parentheses, wherever it stands.
    """

    sources: set[Source] = field(default_factory=set)
    expression: str = ""
    unknown: str = ""
    generator: bool = False
    makes: bool = False
    whole: bool = False

    def add(self, other: Flow, kind: str, masking: bool = False) -> None:
        """Take over what flows into `other`, on a way of the given kind."""
        if kind == DIRECT[0] and not masking:
            self.sources |= other.sources
        else:
            for source in other.sources:
                along = _along(source.kind, kind)
                self.sources.add(Source(source.relation, source.column, along, masking or source.masking))
        self.unknown = self.unknown or other.unknown
        self.generator = self.generator or other.generator


def _along(kind: str, way: str) -> str:
    """Return the kind of a source that is reached over one more step."""
    if kind not in DIRECT:
        return kind
    if way not in DIRECT:
        return way
    return DIRECT[max(DIRECT.index(kind), DIRECT.index(way))]


def strongest(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return sources sorted, of each column one direct kind, the strongest; masked if every way is."""
    kinds: dict[tuple[str, str, str], tuple[int, bool]] = {}
    for source in sources:
        strength = DIRECT.index(source.kind) if source.direct else 0
        key = (source.relation, source.column, "" if source.direct else source.kind)
        known = kinds.get(key)
        kinds[key] = (
            (strength, source.masking)
            if known is None
            else (max(known[0], strength), known[1] and source.masking)
        )
    return tuple(
        sorted(Source(*key[:2], key[2] or DIRECT[n], masking) for key, (n, masking) in kinds.items())
    )


def merged(influences: Iterable[Influence]) -> tuple[Influence, ...]:
    """Return influences sorted, one per column and kind, with all clauses that name it; masked if every way is."""
    found: dict[tuple[str, str, str], tuple[bool, set[str]]] = {}
    for each in influences:
        masking, texts = found.get(each[:3], (True, set()))
        found[each[:3]] = (masking and each.masking, texts | {each.expression})
    return tuple(
        Influence(*key, masking, "; ".join(sorted(texts))) for key, (masking, texts) in sorted(found.items())
    )


def trace_of(name: str, flow: Flow) -> ColumnTrace:
    """Return a column's trace."""
    sources = strongest(flow.sources)
    made = ""
    if not flow.unknown and not any(source.direct for source in sources):
        made = "generator" if flow.generator else "constant"
    return ColumnTrace(name, sources, flow.expression, flow.unknown, made)


def field_of(flow: Flow) -> Flow:
    """Return what flows into a field of a column."""
    made = Flow()
    made.add(flow, "TRANSFORMATION")
    return made
