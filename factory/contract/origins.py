"""Where a port's columns come from, as the contract tells it: at the product's border, not at each step inside."""

from __future__ import annotations

from dataclasses import dataclass

from factory.artifacts import Artifacts, Relation
from factory.lineage import ColumnTrace, Lineage
from factory.lineage.graph import DIRECT

_WORDS = {
    "IDENTITY": "Copied from {sources}.",
    "TRANSFORMATION": "Computed from {sources}.",
    "AGGREGATION": "Aggregated from {sources}.",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a column is made of: objects outside the product, the SQL that makes it, and that in words."""

    sources: tuple[str, ...]
    expression: str
    words: str


class Origins:
    """Follows a port's columns through the product's own models to its sources and input ports."""

    def __init__(self, artifacts: Artifacts, lineage: Lineage, port: Relation) -> None:
        self._artifacts = artifacts
        self._lineage = lineage
        self._port = port

    def of(self, column: str) -> Origin | None:
        """Return a column's origin, or None where it could not be traced."""
        model = self._lineage.models.get(self._port.unique_id)
        trace = model.column(column) if model is not None else None
        if trace is None or trace.unknown:
            return None
        found: dict[str, int] = {}
        self._collect(self._port.unique_id, column, 0, found, set())
        names = tuple(sorted(found))
        if not names:
            deciding = self._deciding(column)
            words = (
                f"Made here, by {_shown(deciding)}."
                if deciding
                else "Made here: a constant, or a count of rows."
            )
            return Origin((), self._expression(column), words)
        kind = DIRECT[max(found.values())]
        return Origin(names, self._expression(column), _WORDS[kind].format(sources=_shown(names)))

    def _deciding(self, column: str) -> tuple[str, ...]:
        """Return what the value of a column is chosen by: the conditions and windows of the step that makes it."""
        trace = self._made(column)[0]
        found: dict[str, int] = {}
        for source in trace.sources if trace is not None else ():
            if not source.direct:
                self._collect(source.relation, source.column, 0, found, set())
        return tuple(sorted(found))

    def _collect(
        self, relation_id: str, column: str, kind: int, found: dict[str, int], seen: set[tuple[str, str, int]]
    ) -> None:
        if (relation_id, column, kind) in seen:
            return
        seen.add((relation_id, column, kind))
        model = self._lineage.models.get(relation_id)
        trace = model.column(column) if model is not None else None
        relation = self._artifacts.relations[relation_id]
        inside = relation.package == self._port.package and trace is not None and not trace.unknown
        if not inside:
            name = f"{relation.package}.{relation.name}.{column}"
            found[name] = max(found.get(name, 0), kind)
            return
        assert trace is not None  # noqa: S101  (for the type checker: `inside` says so)
        for source in trace.direct:
            step = max(kind, DIRECT.index(source.kind))
            self._collect(source.relation, source.column, step, found, seen)

    def _expression(self, column: str) -> str:
        """Return the SQL of the nearest step that does more than hand the column on."""
        trace, name = self._made(column)
        return trace.expression if trace is not None else name

    def _made(self, column: str) -> tuple[ColumnTrace | None, str]:
        """Return the step inside the product that does more than hand the column on; none where it comes from outside.

        The name is that of the column there.
        """
        relation_id, name = self._port.unique_id, column
        for _ in range(100):
            model = self._lineage.models.get(relation_id)
            trace = model.column(name) if model is not None else None
            if trace is None or trace.unknown:
                return None, name
            if trace.kind != "IDENTITY" or len(trace.direct) != 1:
                return trace, name
            relation_id, name = trace.direct[0].relation, trace.direct[0].column
            if self._artifacts.relations[relation_id].package != self._port.package:
                return None, name
        return None, name


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
