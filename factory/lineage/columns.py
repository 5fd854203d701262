"""Follow the columns of one statement through its queries: CTEs, subqueries, set operations, lateral functions.

Takes sqlglot's scopes and the tables that are known; gives what flows into a column. What flows into a column of a
query is looked for once and kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from factory.lineage.clauses import (
    Parts,
    columns_of_named_windows,
    field_of_struct,
    is_inside,
    is_masked,
    joins_of,
    parts_of,
    positions_in,
    row_clauses,
    says_all,
    selects_of,
    sums_up,
)
from factory.lineage.flows import Flow, field_of
from factory.lineage.graph import Source
from factory.lineage.names import Has, Output, Relation
from factory.lineage.sources import Sources

UNKNOWN_CHOICE = "a choice of columns that cannot be followed"

#: So long an expression is written with those of inner queries in it.
LONGEST = 400

# Dialects in which a projection may name the aliases before it.
_LATERAL_ALIASES = {"clickhouse", "databricks", "duckdb", "redshift", "snowflake", "spark", "teradata"}
# Names without parentheses that databases answer themselves.
_ANSWERED = {
    "oracle": {"level", "rownum", "rowid", "sysdate", "systimestamp", "user"},
    "postgres": {"localtime", "localtimestamp", "session_user", "user"},
    "redshift": {"session_user", "sysdate", "user"},
    "tsql": {"session_user", "user"},
}

# Units of time stand as bare names in functions that sqlglot does not know.
_UNITS = {
    "day", "days", "dayofweek", "dayofyear", "doy", "dow", "epoch", "hour", "hours", "microsecond", "millisecond",
    "minute", "minutes", "month", "months", "quarter", "second", "seconds", "week", "weeks", "year", "years",
}  # fmt: skip


class Columns(Sources):
    """Follows columns through the scopes of one statement."""

    def inner_queries(self, scope: Scope, parts: Parts) -> Iterator[tuple[Scope, str, bool, bool]]:
        """Yield the subqueries in an expression: how each enters it, masked or not, and if only having a row counts."""
        if not parts.queries:
            return
        scopes = {id(inner.expression): inner for inner in scope.subquery_scopes}
        for query, kind, masking in parts.queries:
            exists = isinstance(query.parent, exp.Exists)
            node: exp.Expr = query
            while id(node) not in scopes and isinstance(node, exp.Subquery):
                node = node.this
            if id(node) in scopes:
                yield scopes[id(node)], kind, masking, exists

    def flow(self, scope: Scope, name: str) -> Flow:
        """Return what flows into one output column of a scope; a column on its own way in adds what it had before."""
        key = (id(scope), name.lower())
        if key not in self.done:
            self.done[key] = self.before.get(key, Flow())
            made = self.set_operation(scope, name) if scope.set_operation_scopes else self.select(scope, name)
            self.done[key] = made
        return self.done[key]

    def sources_in(self, scope: Scope, part: exp.Expr, kind: str) -> set[Source]:
        """Return the columns that a clause names, its subqueries' own included, as sources of one indirect kind."""
        found: set[Source] = set()
        for each in parts_of(part, self.anonymisers).columns:
            flow = self.column(scope, each.column, part=part)
            found |= {Source(s.relation, s.column, kind, each.masking or s.masking) for s in flow.sources}
        flows = [self.column(scope, column, part=part) for column in columns_of_named_windows(scope, part)]
        flows += [
            self.flow(inner, name)
            for inner, _, _, exists in self.inner_queries(scope, parts_of(part, self.anonymisers))
            if not exists
            for name in self.names.names(inner)
        ]
        names = self.names
        if kind in ("GROUP_BY", "SORT") or isinstance(part, exp.Tuple):
            flows += [self.flow(scope, name) for n in positions_in(part) if (name := names.at(scope, n - 1))]
        if kind == "GROUP_BY" and says_all(part):
            flows += [self.project(scope, p) for p in selects_of(scope) if not sums_up(p)]
        if kind == "SORT" and says_all(part):
            flows += [self.flow(scope, name) for name in names.names(scope)]
        for flow in flows:
            found |= {Source(s.relation, s.column, kind, s.masking) for s in flow.sources}
        return found

    def set_operation(self, scope: Scope, name: str) -> Flow:
        """Columns of a set operation go together by position, or by name where the SQL says so.

        What EXCEPT takes away gives no values.
        """
        branches = list(scope.set_operation_scopes)
        if isinstance(scope.expression, exp.Except):
            branches = branches[:1]
        by_name = self.names.goes_by_name(scope)
        position = self.names.positions(scope).get(name.lower(), -1)
        result = Flow()
        made: dict[str, bool] = {}
        for number, inner in enumerate(branches):
            if by_name:
                known = self.names.output(inner, name) is not None
                wanted = name if known or self.names.through_star(inner, name) else ""
            else:
                wanted = self.names.at(inner, position) if position >= 0 else "" if number else name
                if not wanted:
                    result.unknown = result.unknown or f"which column of a star goes to {name} is not known"
            if wanted:
                flow = self.flow(inner, wanted)
                result.add(flow, "IDENTITY")
                made[flow.expression] = flow.makes
        made.pop("", None)
        result.expression = "; ".join(made)
        result.makes = len(made) == 1 and all(made.values())
        return result

    def select(self, scope: Scope, name: str) -> Flow:
        """Return what flows into a column of a SELECT, by name."""
        output = self.names.output(scope, name)
        if output is not None:
            return self.output(scope, output)
        stars = self.names.through_star(scope, name)
        if len(stars) == 1 and stars[0].pivot is not None:
            return self.pivoted(scope, stars[0].pivot, name)
        if len(stars) == 1 and stars[0].source is not None:
            return self.from_source(scope, stars[0].source, name)
        if stars:
            return Flow(unknown=f"the column {name} comes through a star over columns that are not known")
        return Flow(unknown=f"the column {name} is not in the query it is read from")

    def output(self, scope: Scope, output: Output) -> Flow:
        """Return what flows into a column of a query: what a projection makes, or what a star takes."""
        if output.projection is not None:
            return self.project(output.within or scope, output.projection)
        if output.source is not None:
            return self.from_source(scope, output.source, output.column)
        return Flow(unknown=f"which column is called {output.name} is not known")

    def project(self, scope: Scope, projection: exp.Expr) -> Flow:
        """Return what flows into one projection of a query."""
        body = projection.unalias()
        masking = False
        while isinstance(body, exp.Paren):
            masking = masking or is_masked(body, self.anonymisers)
            body = body.this
        result = Flow()
        if isinstance(body, exp.Column) and not isinstance(body.this, exp.Star):
            masking = masking or is_masked(body, self.anonymisers)
            result.add(passed := self.column(scope, body, projection=projection), "IDENTITY", masking)
            result.expression = passed.expression or body.name
            result.makes, result.whole = passed.makes, passed.whole
            return result
        parts = parts_of(body, self.anonymisers)
        if parts.choices:
            return Flow(unknown=UNKNOWN_CHOICE)
        for part in parts.columns:
            flow = self.column(scope, part.column, projection=projection)
            result.add(flow, part.kind, masking or part.masking)
        for star, kind, star_masking in parts.stars:
            result.add(self.all_of(scope, star), kind, masking or star_masking)
        if parts.windows:
            for column in columns_of_named_windows(scope, body):
                result.add(self.column(scope, column, projection=projection), "WINDOW", masking)
        if parts.queries:
            self.add_subqueries(scope, parts, result, masked=masking)
        result.generator = result.generator or parts.generators
        result.expression = self.written(scope, projection, body, parts)
        result.makes = True
        result.whole = isinstance(body, exp.Func | exp.Literal | exp.Window) and not isinstance(
            body, exp.Binary
        )
        return result

    def written(self, scope: Scope, projection: exp.Expr, body: exp.Expr, parts: Parts) -> str:
        """Return an expression as SQL, with what inner queries make of its columns in their place, if that is short."""
        # Writing a query out may change it, and that of a subquery is still to be read.
        text = self.writer.generate(body, copy=bool(parts.queries))
        inner: dict[int, str] = {}
        for part in parts.columns:
            made = self.column(scope, part.column, projection=projection)
            if made.makes and len(text) + sum(map(len, inner.values())) + len(made.expression) < LONGEST:
                inner[id(part.column)] = made.expression if made.whole else f"({made.expression})"
        if not inner:
            return text
        places: list[tuple[exp.Expr, exp.Column]] = []
        for part in parts.columns:
            if id(part.column) in inner:
                place: exp.Expr = exp.Var(this=inner[id(part.column)])
                places.append((place, part.column))
                part.column.replace(place)
        text = self.writer.generate(body, copy=bool(parts.queries))
        for place, column in places:
            place.replace(column)
        return text

    def add_subqueries(self, scope: Scope, parts: Parts, result: Flow, *, masked: bool) -> None:
        """Add what the subqueries in an expression give; whether there is a row (EXISTS) is a condition."""
        for inner, kind, masking, exists in self.inner_queries(scope, parts):
            if not exists:
                for name in self.names.names(inner):
                    result.add(self.flow(inner, name), kind, masking or masked)
                continue
            for _, part in row_clauses(inner.expression):
                result.sources |= self.sources_in(inner, part, "CONDITIONAL")

    def column(
        self,
        scope: Scope,
        column: exp.Column,
        *,
        projection: exp.Expr | None = None,
        part: exp.Expr | None = None,
    ) -> Flow:
        """Return what flows into a column reference: a column of a table or an inner query, or an alias beside it."""
        parts = [self.folded(each) for each in column.parts]
        for number in range(len(parts) - 2, -1, -1):
            # a.b.c may be a column of a table, or a field of a column; the longest name of a table is tried first
            pivot = self.pivot_called(scope, parts[number])
            source = self.names.visible(scope, parts[number]) if pivot is None else None
            if pivot is None and (source is None or not _fits(source, parts[:number])):
                continue
            name = parts[number + 1]
            if pivot is None and number < len(parts) - 2:
                found = self.field(source, name, parts[number + 2])
                if found is not None:
                    return found
            flow = self.pivoted(scope, pivot, name) if pivot else self.from_source(scope, source, name)
            return flow if number == len(parts) - 2 else field_of(flow)
        if len(parts) > 1:
            having = [s for s in self.names.sources(scope).values() if self.names.has(s, parts[0]) is Has.YES]
            found = self.field(having[0], parts[0], parts[1]) if len(having) == 1 else None
            if found is not None:
                return found
        flow = self.bare(scope, parts[0], column, projection, part)
        if len(parts) == 1:
            return flow
        if flow.unknown:
            return Flow(unknown=f"{parts[-2]}, where {parts[-1]} comes from, cannot be followed")
        return field_of(flow)

    def field(self, source: Relation | None, name: str, field: str) -> Flow | None:
        """Return what flows into a field of a struct that an inner query makes; None where it makes none."""
        if not isinstance(source, Scope) or not isinstance(source.expression, exp.Select):
            return None
        output = self.names.output(source, name)
        if output is None or output.projection is None:
            return None
        part = field_of_struct(output.projection.unalias(), field)
        return None if part is None else field_of(self.project(source, part))

    def bare(
        self, scope: Scope, name: str, column: exp.Column, projection: exp.Expr | None, part: exp.Expr | None
    ) -> Flow:
        """Return what flows into a name without a table: a column of what is read, an alias, or a row of a source."""
        alias = self.alias(scope, name, projection, part)
        if (
            alias
            and (self.alias_first or _is_order(part) or self.is_late(part))
            and not isinstance(part, exp.Where)
        ):
            return self.flow(scope, alias)
        flow = self.around(scope, name, column, alias)
        if flow is not None:
            return flow
        if _is_word(column, name) or self.answers(column, name):
            return Flow(generator=True)
        return Flow(unknown=f"the column {name} cannot be given to one table")

    def around(self, scope: Scope, name: str, column: exp.Column, alias: str) -> Flow | None:
        """Return what flows into a name, looked for in a query and then around it: what has it goes before what may."""
        at: Scope | None = scope
        perhaps: Flow | None = None
        while at is not None:
            flow = self.of_query(at, name, column)
            if flow is not None:
                return flow
            flow = self.given(at, name)
            if flow is not None:
                return flow
            maybe = self.maybe(at, name)
            if alias and at is scope and not (maybe and name.lower() in self.names.surely_read(scope)):
                return self.flow(scope, alias)
            if name.lower() in self.names.sources(at) and (not maybe or isinstance(column.parent, exp.Func)):
                return self.whole_row(at, self.names.sources(at)[name.lower()], name)
            if perhaps is None and maybe and not _is_word(column, name) and not self.answers(column, name):
                several = Flow(unknown=f"the column {name} cannot be given to one table")
                perhaps = self.from_source(at, maybe[0], name) if len(maybe) == 1 else several
            if at.is_udtf and at.parent is not None:
                # What a table function takes stands before it in FROM, or around the whole query.
                at = at.parent.parent if at.parent.can_be_correlated else None
            else:
                at = at.parent if at.can_be_correlated else None
        return perhaps

    def given(self, scope: Scope, name: str) -> Flow | None:
        """Return what flows into a name that ClickHouse gives to an array (ARRAY JOIN) or a value (WITH)."""
        if self.dialect != "clickhouse":
            return None
        for join in joins_of(scope):
            for each in (join.this, *join.expressions) if join.kind == "ARRAY" else ():
                if each.alias_or_name.lower() == name.lower() and isinstance(each, exp.Alias):
                    return field_of(self.project(scope, each))
        with_ = scope.expression.args.get("with_")
        for cte in with_.expressions if with_ is not None else ():
            if cte.args.get("scalar") and cte.alias.lower() == name.lower():
                inner = next((s for s in scope.subquery_scopes if is_inside(s.expression, cte)), None)
                if inner is None and isinstance(cte.this, exp.Query):
                    inner = build_scope(cte.this.unnest())
                if inner is None:
                    return self.project(scope, cte.this)
                flow = Flow()
                for each in self.names.names(inner):
                    flow.add(self.flow(inner, each), "TRANSFORMATION")
                return flow
        return None

    def answers(self, column: exp.Column, name: str) -> bool:
        """Say whether a name is no column, but a word that the database answers itself."""
        words = _ANSWERED.get(self.dialect, set())
        query = column.find_ancestor(exp.Select)
        climbs = query is not None and query.args.get("connect") is not None
        plain = len(column.parts) == 1 and not column.this.args.get("quoted")
        return plain and (name.lower() in words or (climbs and name.lower() in ("level", "connect_by_root")))

    def of_query(self, scope: Scope, name: str, column: exp.Column) -> Flow | None:
        """Return what flows into a column that something in FROM has for certain, or that its joins share."""
        shared = self.names.shared(scope).get(name.lower())
        sources = self.names.sources(scope)
        if shared:
            made = Flow()
            for each in shared:
                flow = self.from_source(scope, sources[each], name)
                made.add(flow, "IDENTITY")
                made.expression = made.expression or flow.expression
            return made
        pivots = self.pivots(scope)
        if pivots and len(sources) == 1:
            return self.pivoted(scope, pivots[-1], name)
        having = [alias for alias, source in sources.items() if self.names.has(source, name) is Has.YES]
        if len(having) > 1:
            # In a condition of a join, only what stands before it can be meant; a semi-join's own is seen there alone.
            hidden = {join.alias_or_name.lower() for join in joins_of(scope) if join.is_semi_or_anti_join}
            seen = self.joined_before(scope, column)
            having = [a for a in having if a not in hidden and (seen is None or a in seen)] or having
        if len(having) == 1:
            return self.from_source(scope, sources[having[0]], name)
        return Flow(unknown=f"the column {name} cannot be given to one table") if having else None

    def joined_before(self, scope: Scope, column: exp.Column) -> set[str] | None:
        """Return what a condition of a join can name, or None where the column is in no such condition."""
        join = column.find_ancestor(exp.Join, exp.Select)
        joins = joins_of(scope)
        places = [number for number, each in enumerate(joins) if each is join]
        if not places:
            return None
        after = {each.alias_or_name.lower() for each in joins[places[0] + 1 :]}
        return set(self.names.sources(scope)) - after

    def maybe(self, scope: Scope, name: str) -> list[Relation]:
        """Return what a query reads from that may have a column of that name."""
        sources = self.names.sources(scope).values()
        found = [source for source in sources if self.names.has(source, name) is Has.MAYBE]
        # A field of an unnested struct may be named without it, but more often it is a column of a table.
        tables = [source for source in found if not (isinstance(source, Scope) and source.is_udtf)]
        return tables or found

    def alias(self, scope: Scope, name: str, projection: exp.Expr | None, part: exp.Expr | None) -> str:
        """Return the alias in the same query that a name may mean, or an empty string."""
        place = self.names.aliases(scope).get(name.lower())
        if part is not None and not isinstance(part, exp.Where) and _is_order(part):
            return name if self.names.output(scope, name) is not None else ""
        if place is None or isinstance(part.parent if part is not None else None, exp.Join):
            return ""
        if projection is None:
            return name
        lateral = self.dialect in _LATERAL_ALIASES
        return name if lateral and any(p is projection for p in selects_of(scope)[place + 1 :]) else ""

    def is_late(self, part: exp.Expr | None) -> bool:
        """Say whether a clause looks at the result's columns first: HAVING and QUALIFY, in most databases."""
        return isinstance(part, exp.Having | exp.Qualify) and not self.prefers_columns


def _fits(source: Relation, before: list[str]) -> bool:
    """Say whether what stands before a table's name, in a column, can be its schema and catalog."""
    if not before or not isinstance(source, exp.Table):
        return not before
    places = [source.catalog.lower(), source.db.lower()]
    return [each.lower() for each in before] == places[-len(before) :]


def _is_order(part: exp.Expr | None) -> bool:
    """Say whether a clause is ORDER BY or DISTINCT ON, which look at the result's columns first."""
    return isinstance(part, exp.Order | exp.Sort) or (
        isinstance(part, exp.Tuple) and isinstance(part.parent, exp.Distinct)
    )


def _is_word(column: exp.Column, name: str) -> bool:
    """Say whether a name is a unit of time in a function that sqlglot does not know."""
    return name.lower() in _UNITS and isinstance(column.parent, exp.Anonymous)
