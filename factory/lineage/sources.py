"""What flows into the columns of what a query reads from: tables, inner queries, table functions, turned tables."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.optimizer.scope import Scope

from factory.lineage.clauses import Parts, function_columns, own_columns, parts_of, pivots_of, values_in
from factory.lineage.flows import Flow
from factory.lineage.graph import TABLE, Source, Table
from factory.lineage.names import Names, Relation, key_of


class Sources(ABC):
    """Follows columns into what queries read from; how a query makes its own is for the subclass to say."""

    def __init__(
        self,
        known: Mapping[tuple[str, str, str], Table],
        dialect: str,
        anonymisers: Container[str] = (),
        *,
        choices: bool = False,
    ) -> None:
        self.known = known
        self.dialect = dialect
        self.anonymisers = anonymisers
        rules = Dialect.get_or_raise(dialect)
        self.names = Names(known, rules, choices=choices)
        self.writer = rules.generator(comments=False)
        self.alias_first = rules.FORCE_EARLY_ALIAS_REF_EXPANSION
        self.prefers_columns = rules.PREFER_COLUMNS_TO_ALIASES_IN_HAVING_AND_QUALIFY
        self.done: dict[tuple[int, str], Flow] = {}
        self.before: dict[tuple[int, str], Flow] = {}
        self.turning: dict[int, tuple[exp.Pivot, ...]] = {}
        self.waited = False
        self.seen: dict[tuple[str, str], str] = {}
        self.open: set[int] = set()

    @abstractmethod
    def flow(self, scope: Scope, name: str) -> Flow:
        """Return what flows into one output column of a query."""

    @abstractmethod
    def column(self, scope: Scope, column: exp.Column) -> Flow:
        """Return what flows into a column reference."""

    @abstractmethod
    def inner_queries(self, scope: Scope, parts: Parts) -> Iterator[tuple[Scope, str, bool, bool]]:
        """Yield the subqueries in an expression."""

    def from_source(self, scope: Scope, source: Relation | None, name: str) -> Flow:
        """Return what flows into a column of something that a query reads from."""
        if isinstance(source, exp.Table):
            return self.leaf(scope, source, name)
        if source is None:
            return Flow(unknown=f"where {name} comes from cannot be followed")
        inner = self.names.itself(source)
        if inner is not source:
            self.waited = True
        return (
            self.flow(inner, name)
            if isinstance(inner.expression, exp.Query)
            else self.table_function(inner, name)
        )

    def leaf(self, scope: Scope, source: exp.Table, name: str) -> Flow:
        """Return a table's column as a source; of a table function, what goes into it."""
        table = self.known.get(key_of(source))
        if table is None:
            if isinstance(source.this, exp.Func):
                # A table function such as range(1, o.id) is made of what goes into it, if anything does.
                made = Flow(generator=True)
                for argument in source.this.find_all(exp.Column):
                    made.add(self.column(scope, argument), "TRANSFORMATION")
                return made
            return Flow({Source(TABLE + called(source), name, "IDENTITY")}, name)
        given = [each.lower() for each in source.alias_column_names]
        if name.lower() in given and given.index(name.lower()) < len(table.columns):
            name = table.columns[given.index(name.lower())]
        match = self.names.columns_of(table).get(name.lower())
        if match is None and (table.open or not table.columns):
            match = self.seen.setdefault((table.relation, name.lower()), name)
        if match is None and table.columns and not table.open:
            return Flow(unknown=f"{name} is not a known column of {table.relation}")
        return Flow({Source(table.relation, match or name, "IDENTITY")}, match or name)

    def folded(self, part: exp.Expr) -> str:
        """Return a name as the database folds it, unless it is written in quotes."""
        name = part.name
        if part.args.get("quoted"):
            return name
        strategy = self.names.dialect.normalization_strategy.name
        if strategy == "UPPERCASE":
            return name.upper()
        return name.lower() if strategy in ("LOWERCASE", "CASE_INSENSITIVE") else name

    def all_of(self, scope: Scope, star: exp.Expr) -> Flow:
        """Return what flows into a star that is taken as one value."""
        made = Flow()
        wanted = star.table.lower() if isinstance(star, exp.Column) else ""
        for alias, source in self.names.sources(scope).items():
            if wanted in ("", alias):
                made.add(self.whole_row(scope, source, alias), "TRANSFORMATION")
        return made

    def whole_row(self, scope: Scope, source: Relation, name: str) -> Flow:
        """Return what flows into a row that is taken as one value."""
        made = Flow()
        if isinstance(source, Scope) and not isinstance(source.expression, exp.Query):
            return self.table_function(source, name)
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Func):
            return self.leaf(scope, source, name)
        columns = self.names.columns(source)
        if not columns:
            return Flow(unknown=f"a whole row of {name}, whose columns are not known")
        for column in columns:
            made.add(self.from_source(scope, source, column), "TRANSFORMATION")
        return made

    def table_function(self, scope: Scope, name: str) -> Flow:
        """Columns of unnest() and lateral functions are made of what goes in; those of a lateral query are its own."""
        if id(scope) in self.open:
            return Flow(unknown=f"the column {name} is made of itself")
        self.open.add(id(scope))
        try:
            return self.made_by_function(scope, name)
        finally:
            self.open.discard(id(scope))

    def made_by_function(self, scope: Scope, name: str) -> Flow:
        """Return what flows into a column of a table function."""
        called = [each.lower() for each in function_columns(scope, self.names.name)]
        place = called.index(name.lower()) if name.lower() in called else None
        values = values_in(scope.expression)
        if values is not None:
            return self.made_by_values(scope, values, place)
        lateral = scope.expression.this if isinstance(scope.expression, exp.Lateral) else None
        for inner in scope.subquery_scopes if isinstance(lateral, exp.Query) else ():
            names = self.names.names(inner)
            given = called or [each.lower() for each in names]
            if name.lower() in given and given.index(name.lower()) < len(names):
                return self.flow(inner, names[given.index(name.lower())])
            return Flow(unknown=f"the column {name} is not in the query it is read from")
        offset = scope.expression.args.get("offset")
        if isinstance(offset, exp.Identifier) and offset.name.lower() == name.lower():
            return Flow(generator=True)
        result = Flow()
        parts = parts_of(scope.expression, self.anonymisers)
        for part in parts.columns:
            result.add(self.column(scope, part.column), "TRANSFORMATION", part.masking)
        for inner, _, masking, _ in self.inner_queries(scope, parts):
            for each in self.names.names(inner):
                result.add(self.flow(inner, each), "TRANSFORMATION", masking)
        result.generator = not result.sources
        return result

    def made_by_values(self, scope: Scope, values: exp.Values, place: int | None) -> Flow:
        """Return what flows into a column of a list of values: what stands at its place in each row."""
        result = Flow()
        for row in values.expressions:
            parts = row.expressions if isinstance(row, exp.Tuple) else [row]
            for part in parts if place is None else parts[place : place + 1]:
                plain = isinstance(part, exp.Column)
                for column in own_columns(part):
                    result.add(self.column(scope, column), "IDENTITY" if plain else "TRANSFORMATION")
        return result

    def pivots(self, scope: Scope) -> tuple[exp.Pivot, ...]:
        """Return what turns tables in a query; looked for once."""
        if id(scope) not in self.turning:
            self.turning[id(scope)] = tuple(pivots_of(scope))
        return self.turning[id(scope)]

    def pivot_called(self, scope: Scope, alias: str) -> exp.Pivot | None:
        """Return the PIVOT whose result, or whose table, has an alias."""
        for pivot in self.pivots(scope):
            names = (pivot.alias, pivot.parent.alias_or_name if pivot.parent else "")
            if alias.lower() in (name.lower() for name in names if name):
                return pivot
        return None

    def pivoted(self, scope: Scope, pivot: exp.Pivot, name: str) -> Flow:
        """Return what flows into a column of a turned table: what is kept, what is summed up, what is turned back."""
        columns = self.names.turned(scope, pivot)
        column = next((each for each in columns if each.name.lower() == name.lower()), None)
        stars = [each for each in columns if each.name == "*"]
        if column is None and stars:
            made = [each for each in stars if each.sums]
            column = stars[0] if len(stars) == 1 else None
            if column is None:
                return Flow(unknown=f"whether {name} is kept by a PIVOT or made by it is not known")
            if not made:
                return self.turned(scope, pivot, name)
        if column is None:
            return Flow(unknown=f"the column {name} is not in what a PIVOT gives")
        if column.kept == "?":
            return Flow(unknown=f"which column is called {name} is not known")
        if column.kept:
            return self.turned(scope, pivot, column.kept)
        result = Flow()
        for each in column.under:
            result.add(self.turned(scope, pivot, each), "IDENTITY")
        for sum_ in column.sums:
            for part in sum_.find_all(exp.Column):
                result.add(self.turned(scope, pivot, part.name), "AGGREGATION")
        for field_ in pivot.fields if column.sums else ():
            for part in field_.this.find_all(exp.Column):
                result.add(self.turned(scope, pivot, part.name), "CONDITIONAL")
        result.generator = bool(column.sums)
        return result

    def pivot_groups(self, scope: Scope, pivot: exp.Pivot) -> set[Source]:
        """Return what a turned table is grouped by: all columns that it keeps, as far as they are known."""
        if pivot.args.get("unpivot"):
            return set()
        found: set[Source] = set()
        for column in self.names.turned(scope, pivot):
            if column.kept and column.kept not in ("*", "?"):
                found |= self.turned(scope, pivot, column.kept).sources
        return found

    def turned(self, scope: Scope, pivot: exp.Pivot, name: str) -> Flow:
        """Return what flows into a column of the table that is turned."""
        return self.from_source(scope, self.names.behind_pivot(scope, pivot), name)


def called(table: exp.Table) -> str:
    """Return a table's name as SQL has it, in quotes where it needs them."""
    parts = (part for part in (table.catalog, table.db, table.name) if part)
    return ".".join(part if re.fullmatch(r"[\w$-]+", part) else f'"{part}"' for part in parts)
