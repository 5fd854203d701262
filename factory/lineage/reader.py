"""Read a statement whole: its output columns, and what decides which rows there are.

Takes sqlglot's scopes and the tables that are known; gives what was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from factory.lineage.clauses import (
    columns_of_named_windows,
    is_star,
    joins_of,
    own_columns,
    parts_of,
    pivots_of,
    row_clauses,
    selects_of,
    used_scopes,
)
from factory.lineage.columns import UNKNOWN_CHOICE, Columns
from factory.lineage.flows import Flow, merged, trace_of
from factory.lineage.graph import ColumnTrace, Influence, Source
from factory.lineage.names import Has, Output, key_of
from factory.lineage.sources import called

UNKNOWN_STAR = "a star over a table whose columns are not known"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about a statement: its columns, what decides about its rows, and whether these are all columns."""

    columns: tuple[ColumnTrace, ...]
    influences: tuple[Influence, ...]
    hidden: tuple[str, ...]
    complete: bool


class Reader(Columns):
    """Reads one statement."""

    def read(self, root: Scope, wanted: Iterable[str] = ()) -> Found:
        """Return what the statement says; of a star over unknown columns, those that are wanted by name too.

        A recursive query reads itself: it is read again with what was found before, until nothing is added. The kinds
        only grow and are few, so that is soon.
        """
        scopes = list(used_scopes(root))
        for scope in scopes:
            if isinstance(scope.expression, exp.SetOperation) and scope.set_operation_scopes:
                self.names.recursive[id(scope.expression.this)] = scope
        while True:
            self.waited = False
            columns, complete = self.columns(root, wanted)
            found = Found(columns, self.influences(scopes), self.hidden(root), complete)
            reached = {key: (flow.sources, flow.unknown) for key, flow in self.done.items()}
            if not self.waited or reached == {k: (f.sources, f.unknown) for k, f in self.before.items()}:
                return found
            self.before, self.done = self.done, {}

    def columns(self, root: Scope, wanted: Iterable[str]) -> tuple[tuple[ColumnTrace, ...], bool]:
        """Return the traces of the statement's output columns, in order, and whether these are all."""
        traces: list[ColumnTrace] = []
        complete = True
        seen: set[str] = set()
        for output in self.names.outputs(root):
            if output.name == "*":
                complete = False
                if not output.declared and not any(trace.column == "*" for trace in traces):
                    star = output.projection is None or is_star(output.projection)
                    traces.append(ColumnTrace("*", (), "", UNKNOWN_STAR if star else UNKNOWN_CHOICE))
                continue
            again = output.name.lower() in seen and not root.set_operation_scopes
            flow = self.output(root, output) if again else self.flow(root, output.name)
            seen.add(output.name.lower())
            traces.append(trace_of(self.spell(output, flow), flow))
        more = [name for name in wanted if name.lower() not in seen] if not complete else []
        traces += [trace_of(name, self.flow(root, name)) for name in more]
        return tuple(traces), complete

    def spell(self, output: Output, flow: Flow) -> str:
        """Return a column's name as the table behind it has it, or as the database folds it."""
        same = [s.column for s in flow.sources if s.column.lower() == output.name.lower() and s.direct]
        if same and isinstance(output.projection, exp.Column | None):
            return min(same)
        strategy = self.names.dialect.normalization_strategy.name
        if output.quoted or strategy.startswith(("CASE_", "SNOWFLAKE_NO")):
            return output.name
        return output.name.upper() if strategy == "UPPERCASE" else output.name.lower()

    def named(self, root: Scope) -> frozenset[tuple[str, str]]:
        """Return the columns that the statement names, wherever, and does not only take by a star.

        Each is a relation and a column in lower case.
        """
        flows: list[Flow] = []
        for scope in root.traverse():
            query = scope.expression
            if not isinstance(query, exp.Query):
                flows += [self.column(scope, column) for column in own_columns(query)]
                continue
            for projection in selects_of(scope):
                if is_star(projection):
                    flows += self.named_by_star(scope, projection)
                    continue
                columns = [part.column for part in parts_of(projection.unalias()).columns]
                columns += columns_of_named_windows(scope, projection)
                flows += [self.column(scope, column, projection=projection) for column in columns]
            for _, clause in row_clauses(query):
                flows += [self.column(scope, part.column, part=clause) for part in parts_of(clause).columns]
            flows += [
                self.from_source(scope, self.names.sources(scope).get(alias), name)
                for name, aliases in self.names.shared(scope).items()
                for alias in aliases
            ]
        return frozenset((s.relation, s.column.lower()) for flow in flows for s in flow.sources)

    def named_by_star(self, scope: Scope, star: exp.Expr) -> list[Flow]:
        """Return the columns that a star names: those that it leaves out, renames or replaces.

        In a set operation by position it names all: without one, the branches do not fit.
        """
        node = star if isinstance(star, exp.Star) else star.this
        names = [each.name for each in node.args.get("except_") or ()]
        names += [each.this.name for each in node.args.get("rename") or ()]
        replaced = node.args.get("replace") or ()
        names += [each.alias for each in replaced]
        around = scope.parent
        if (
            around is not None
            and scope in around.set_operation_scopes
            and not around.expression.args.get("by_name")
        ):
            names += self.names.names(scope)
        sources = self.names.sources(scope).values()
        flows = [
            self.from_source(scope, source, name)
            for name in names
            for source in sources
            if self.names.has(source, name) is not Has.NO
        ]
        columns = [part.column for each in replaced for part in parts_of(each.this).columns]
        return flows + [self.column(scope, column) for column in columns]

    def influences(self, scopes: Iterable[Scope]) -> tuple[Influence, ...]:
        """Return what decides which rows there are, over all scopes that are read."""
        found: list[Influence] = []
        for scope in scopes:
            written = (
                (kind, self.text(part), sources)
                for kind, part in row_clauses(scope.expression)
                if (sources := self.sources_in(scope, part, kind))
            )
            for kind, text, sources in (*written, *self.unwritten(scope)):
                found += [Influence(s.relation, s.column, kind, s.masking, text) for s in sources]
        return merged(found)

    def unwritten(self, scope: Scope) -> Iterator[tuple[str, str, set[Source]]]:
        """Yield what decides about rows and is in no expression: shared columns, EXCEPT, what PIVOT groups by."""
        for name, aliases in self.names.shared(scope).items():
            for alias in aliases:
                source = self.names.sources(scope).get(alias)
                if source is not None:
                    yield "JOIN", f"USING ({name})", self.from_source(scope, source, name).sources
        for join in joins_of(scope):
            if join.is_semi_or_anti_join and join.args.get("using"):
                source = self.names.sources(scope).get(join.alias_or_name.lower())
                for column in join.args["using"] if source is not None else ():
                    flow = self.from_source(scope, source, column.name)
                    yield "JOIN", f"USING ({column.name})", flow.sources
        if isinstance(scope.expression, exp.Except) and len(scope.set_operation_scopes) > 1:
            other = self.names.itself(scope.set_operation_scopes[1])
            for name in self.names.names(other):
                yield "FILTER", "EXCEPT", self.flow(other, name).sources
        for pivot in pivots_of(scope):
            yield "GROUP_BY", "PIVOT", self.pivot_groups(scope, pivot)

    def text(self, part: exp.Expr) -> str:
        """Return a clause as SQL, without its keyword."""
        copied = part.find(exp.Query) is not None
        inner = (
            part.args.get("this")
            if isinstance(part, exp.Where | exp.Having | exp.Qualify | exp.PreWhere)
            else None
        )
        if isinstance(part, exp.Order | exp.Sort | exp.Tuple):
            return ", ".join(self.writer.generate(each, copy=copied) for each in part.expressions)
        text = self.writer.generate(inner if isinstance(inner, exp.Expr) else part, copy=copied).strip()
        return text.removeprefix("GROUP BY ") if isinstance(part, exp.Group) else text

    def hidden(self, root: Scope) -> tuple[str, ...]:
        """Return the tables that are read past dbt's ref() and source()."""
        found = set()
        for scope in root.traverse():
            for source in scope.sources.values():
                if not isinstance(source, exp.Table) or isinstance(source.this, exp.Func):
                    continue
                inner = not source.db and source.name in scope.cte_sources
                if key_of(source) not in self.known and not inner:
                    found.add(called(source))
        return tuple(sorted(found))
