"""Read one SQL statement: its output columns and what flows into them..

Takes compiled SQL, dbt's name of the dialect and the tables that the statement may name; gives a
`Statement`. The statement is parsed and qualified once; every column is then followed through the scopes
(CTEs, subqueries, set operations) with each result kept, so that no scope is visited twice for one column.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema, normalize_name

from factory.lineage.clauses import (
    columns_of_named_windows,
    is_inside,
    kept_by,
    names_of,
    own_columns,
    parts_of,
    pivots_of,
    row_clauses,
    row_names,
    selects_of,
    turned_by,
    used_scopes,
)
from factory.lineage.graph import DIRECT, ColumnTrace, Influence, Source

_DIALECTS = {"sqlserver": "tsql", "synapse": "tsql", "fabric": "tsql", "athena": "athena"}


@dataclass(frozen=True, slots=True)
class Table:
    """A relation that a statement may read: dbt's unique id, and its columns as far as they are known."""

    relation: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement says about its columns, or why it could not be read.

    Attributes:
        columns: its output columns.
        influences: what decides which rows it has.
        hidden: tables that it reads and that are none of those given.
        error: why it could not be read, or empty.
    """

    columns: tuple[ColumnTrace, ...] = ()
    influences: tuple[Influence, ...] = ()
    hidden: tuple[str, ...] = ()
    error: str = ""


@dataclass(slots=True)
class _Flow:
    """What flows into a column of a scope."""

    sources: set[Source] = field(default_factory=set)
    expression: str = ""
    unknown: str = ""

    def add(self, other: _Flow, kind: str) -> None:
        """Take over what flows into `other`, on a way of the given kind."""
        if kind == DIRECT[0]:
            self.sources |= other.sources
        else:
            for source in other.sources:
                self.sources.add(Source(source.relation, source.column, _along(source.kind, kind)))
        self.unknown = self.unknown or other.unknown


def read_statement(sql: str, adapter: str, tables: Mapping[str, Table]) -> Statement:
    """Return the lineage of one statement; a statement that cannot be read is one with an error."""
    dialect = _DIALECTS.get(adapter, adapter)
    try:
        trees = [tree for tree in parse(sql, dialect=dialect) if tree is not None]
        if len(trees) != 1:
            return Statement(error=f"{len(trees)} statements where there should be one")
        known = {_key_of(name, dialect): table for name, table in tables.items()}
        if not isinstance(trees[0], exp.Query):
            return Statement(error=f"{trees[0].key.upper()} is not followed: it is no SELECT")
        spelled = _spelled(trees[0], dialect)
        for written in trees[0].find_all(exp.Coalesce):
            written.meta["written"] = True  # any other comes from USING, and hands a value on
        tree = qualify(
            trees[0],
            schema=_schema(tables, dialect),
            dialect=dialect,
            identify=False,
            quote_identifiers=False,
            validate_qualify_columns=False,
            expand_alias_refs=True,
        )
        root = build_scope(tree)
        if root is None:
            return Statement(error="not a query")
        return _Reader(known, dialect, spelled).read(root)
    except ValueError as error:
        return Statement(error=f"no dialect for {adapter}: {error}")
    except SqlglotError as error:
        text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
        return Statement(error="SQL that sqlglot cannot read: " + " ".join(text.split())[:200])
    except RecursionError:
        return Statement(error="SQL nested too deeply to be read")


def _key_of(name: str, dialect: str) -> tuple[str, str, str]:
    return _key(_folded_table(name, dialect))


def _key(table: exp.Table) -> tuple[str, str, str]:
    return (table.catalog.lower(), table.db.lower(), table.name.lower())


def _schema(tables: Mapping[str, Table], dialect: str) -> MappingSchema:
    """Return the known columns as sqlglot wants them: names folded as the dialect folds those of the query."""
    schema = MappingSchema(dialect=dialect)
    for name, table in tables.items():
        if table.columns:
            folded = _folded_columns(table.columns, dialect)
            schema.add_table(_folded_table(name, dialect), folded, normalize=False, match_depth=False)
    return schema


@functools.lru_cache(maxsize=10_000)
def _folded_table(name: str, dialect: str) -> exp.Table:
    return normalize_identifiers(exp.to_table(name, dialect=dialect), dialect=dialect)


@functools.lru_cache(maxsize=10_000)
def _folded_columns(columns: tuple[str, ...], dialect: str) -> dict[str, str]:
    return {normalize_name(column, dialect=dialect).name: "unknown" for column in columns}


def _spelled(tree: exp.Query, dialect: str) -> dict[str, str]:
    """Return the query's aliases as they are written, by lower case, where the dialect keeps them so."""
    strategy = Dialect.get_or_raise(dialect).normalization_strategy
    if not strategy.name.startswith("CASE_INSENSITIVE"):
        return {}
    return {each.alias.lower(): each.alias for each in tree.selects if isinstance(each, exp.Alias)}


def _along(kind: str, way: str) -> str:
    """Return the kind of a source that is reached over one more step."""
    if kind not in DIRECT:
        return kind
    if way not in DIRECT:
        return way
    return DIRECT[max(DIRECT.index(kind), DIRECT.index(way))]


class _Reader:
    """Follows columns through the scopes of one qualified statement."""

    def __init__(
        self, known: Mapping[tuple[str, str, str], Table], dialect: str, spelled: Mapping[str, str]
    ) -> None:
        self.known = known
        self.spelled = spelled
        self.dialect = dialect
        self.done: dict[tuple[int, str], _Flow] = {}
        self.before: dict[tuple[int, str], _Flow] = {}
        self.writer = Dialect.get_or_raise(dialect).generator(comments=False)
        self.folded: dict[str, dict[str, str]] = {}
        self.indexed: dict[int, dict[str, exp.Expr]] = {}
        self.named: dict[int, list[str]] = {}
        self.placed: dict[int, dict[str, int]] = {}
        self.turning: dict[int, tuple[exp.Pivot, ...]] = {}
        self.recursive: dict[int, Scope] = {}
        self.waited = False

    def read(self, root: Scope) -> Statement:
        """Return what the statement says.

        A recursive query reads itself: it is read again with what was found before, until nothing is added. The kinds
        only grow and are few, so that is soon.
        """
        scopes = list(used_scopes(root))
        for scope in scopes:
            if isinstance(scope.expression, exp.SetOperation) and scope.set_operation_scopes:
                self.recursive[id(scope.expression.this)] = scope
        while True:
            self.waited = False
            statement = Statement(self.columns(root), self.influences(scopes), self.hidden(root))
            found = {key: (flow.sources, flow.unknown) for key, flow in self.done.items()}
            if not self.waited or found == {k: (f.sources, f.unknown) for k, f in self.before.items()}:
                return statement
            self.before, self.done = self.done, {}

    def columns(self, root: Scope) -> tuple[ColumnTrace, ...]:
        """Return the traces of the statement's output columns, in order."""
        traces: list[ColumnTrace] = []
        projections = selects_of(root)
        seen: set[str] = set()
        for position, name in enumerate(names_of(root)):
            if name == "*":
                traces.append(ColumnTrace("*", (), "", "a star over a table whose columns are not known"))
                continue
            again = name.lower() in seen and not root.set_operation_scopes
            flow = self.project(root, projections[position]) if again else self.flow(root, name)
            seen.add(name.lower())
            sources = tuple(sorted(flow.sources))
            traces.append(ColumnTrace(self.spell(name, sources), sources, flow.expression, flow.unknown))
        return tuple(traces)

    def spell(self, name: str, sources: tuple[Source, ...]) -> str:
        """Return a column's name as its alias writes it, or as the table behind it has it."""
        if name.lower() in self.spelled:
            return self.spelled[name.lower()]
        same = [source.column for source in sources if source.column.lower() == name.lower()]
        return same[0] if same else name

    def influences(self, scopes: Iterable[Scope]) -> tuple[Influence, ...]:
        """Return what decides which rows there are, over all scopes that are read."""
        found: set[Influence] = set()
        for scope in scopes:
            for kind, part in row_clauses(scope.expression):
                found |= self.sources_in(scope, part, kind)
            for kind, names in row_names(scope):
                for name in names:
                    found |= {Source(s.relation, s.column, kind) for s in self.flow(scope, name).sources}
            if isinstance(scope.expression, exp.Except) and len(scope.set_operation_scopes) > 1:
                other = scope.set_operation_scopes[1]
                for name in names_of(other):
                    found |= {Source(s.relation, s.column, "FILTER") for s in self.flow(other, name).sources}
            for pivot in pivots_of(scope):
                found |= self.pivot_groups(scope, pivot)
        return tuple(sorted(found))

    def hidden(self, root: Scope) -> tuple[str, ...]:
        """Return the tables that are read past dbt's ref() and source()."""
        found = set()
        for scope in root.traverse():
            for source in scope.sources.values():
                if not isinstance(source, exp.Table) or isinstance(source.this, exp.Func):
                    continue
                if _key(source) not in self.known:
                    found.add(".".join(part for part in (source.catalog, source.db, source.name) if part))
        return tuple(sorted(found))

    def sources_in(self, scope: Scope, part: exp.Expr, kind: str) -> set[Influence]:
        """Return the columns that a clause names, its subqueries' own included, as sources of one indirect kind."""
        found: set[Source] = set()
        names = self.projections(scope)
        for column in (*own_columns(part), *columns_of_named_windows(scope, part)):
            # ORDER BY and the like may name a column of the result.
            own = not column.table and column.name.lower() in names
            found |= (self.flow(scope, column.name) if own else self.column(scope, column)).sources
        for inner in scope.subquery_scopes:
            if is_inside(inner.expression, part):
                for name in names_of(inner):
                    found |= self.flow(inner, name).sources
        return {Source(source.relation, source.column, kind) for source in found}

    def flow(self, scope: Scope, name: str) -> _Flow:
        """Return what flows into one output column of a scope; a column on its own way in adds what it had before."""
        key = (id(scope), name.lower())
        if key not in self.done:
            self.done[key] = self.before.get(key, _Flow())
            made = self.set_operation(scope, name) if scope.set_operation_scopes else self.select(scope, name)
            self.done[key] = made
        return self.done[key]

    def set_operation(self, scope: Scope, name: str) -> _Flow:
        """Columns of a set operation go together by position, or by name where the SQL says so.

        What EXCEPT takes away gives no values.
        """
        position = self.positions(scope).get(name.lower(), -1)
        by_name = bool(scope.expression.args.get("by_name"))
        branches = scope.set_operation_scopes
        if isinstance(scope.expression, exp.Except):
            branches = branches[:1]
        result = _Flow()
        for branch in branches:
            names = self.names(branch)
            if by_name:
                wanted = name if name.lower() in self.positions(branch) else ""
            else:
                wanted = names[position] if 0 <= position < len(names) else ""
            if wanted:
                flow = self.flow(branch, wanted)
                result.add(flow, "IDENTITY")
                result.expression = result.expression or flow.expression
        return result

    def select(self, scope: Scope, name: str) -> _Flow:
        projection = self.projections(scope).get(name.lower())
        if projection is None:
            return _Flow(unknown=f"the column {name} is not in the query it is read from")
        return self.project(scope, projection)

    def project(self, scope: Scope, projection: exp.Expr) -> _Flow:
        """Return what flows into one projection of a query."""
        body = projection.unalias()
        while isinstance(body, exp.Paren):
            body = body.this
        result = _Flow()
        if isinstance(body, exp.Column):
            result.add(passed := self.column(scope, body), "IDENTITY")
            result.expression = passed.expression or body.name
            return result
        parts = parts_of(body)
        if parts.choices:
            return _Flow(unknown="a choice of columns, or one by its position, which is not followed")
        shared = isinstance(body, exp.Coalesce) and "written" not in body.meta
        for column, kind in parts.columns:
            result.add(self.column(scope, column), "IDENTITY" if shared else kind)
        if parts.windows:
            for column in columns_of_named_windows(scope, body):
                result.add(self.column(scope, column), "WINDOW")
        for row in parts.rows:
            result.add(self.whole_row(scope, row.name), "TRANSFORMATION")
        if parts.queries:
            self.add_subqueries(scope, body, result)
        # Writing a query out may change it, and that of a subquery is still to be read.
        result.expression = self.writer.generate(body, copy=parts.queries)
        return result

    def add_subqueries(self, scope: Scope, body: exp.Expr, result: _Flow) -> None:
        """Add what the subqueries in an expression give; whether there is a row (EXISTS) is a condition."""
        for inner in scope.subquery_scopes:
            if not is_inside(inner.expression, body):
                continue
            for name in names_of(inner):
                result.add(self.flow(inner, name), "TRANSFORMATION")
            if isinstance(inner.expression.parent, exp.Exists):
                for _, part in row_clauses(inner.expression):
                    result.sources |= self.sources_in(inner, part, "CONDITIONAL")

    def names(self, scope: Scope) -> list[str]:
        """Return the names of a query's output columns; looked for once."""
        if id(scope) not in self.named:
            self.named[id(scope)] = names_of(scope)
        return self.named[id(scope)]

    def positions(self, scope: Scope) -> Mapping[str, int]:
        """Return the place of each of a query's output columns, by name in lower case; the first of each name."""
        if id(scope) not in self.placed:
            names = self.names(scope)
            self.placed[id(scope)] = {names[n].lower(): n for n in reversed(range(len(names)))}
        return self.placed[id(scope)]

    def projections(self, scope: Scope) -> Mapping[str, exp.Expr]:
        """Return a query's projections by name in lower case, the first of each name."""
        found = self.indexed.get(id(scope))
        if found is None:
            found = {}
            for projection in selects_of(scope):
                found.setdefault(projection.alias_or_name.lower(), projection)
            self.indexed[id(scope)] = found
        return found

    def whole_row(self, scope: Scope, name: str) -> _Flow:
        """Return what flows into a row that is taken as one value."""
        source = scope.sources.get(name)
        made = _Flow()
        if isinstance(source, Scope):
            for column in names_of(source):
                made.add(self.flow(source, column), "TRANSFORMATION")
            return made
        table = self.known.get(_key(source)) if isinstance(source, exp.Table) else None
        if table is None or not table.columns:
            return _Flow(unknown=f"a whole row of {name}, whose columns are not known")
        made.sources = {Source(table.relation, column, "TRANSFORMATION") for column in table.columns}
        return made

    def column(self, scope: Scope | None, column: exp.Column) -> _Flow:
        """Return what flows into a column reference: the column of a table, or of an inner scope."""
        while scope is not None:
            for pivot in self.pivots(scope):
                if column.table in (pivot.alias, pivot.parent.alias_or_name if pivot.parent else ""):
                    return self.pivoted(scope, pivot, column.name)
            source = scope.sources.get(column.table) or self.only_source(scope, column)
            if isinstance(source, exp.Table):
                return self.leaf(scope, source, column)
            if isinstance(source, Scope):
                if source.is_udtf:
                    return self.table_function(source, column.name)
                return self.flow(self.itself(source), column.name)
            scope = scope.parent  # a correlated subquery names its parent's tables
        if not column.table:
            return _Flow(unknown=f"the column {column.name} cannot be given to one table")
        return _Flow(unknown=f"{column.table}, where {column.name} comes from, cannot be followed")

    def pivots(self, scope: Scope) -> tuple[exp.Pivot, ...]:
        """Return what turns tables in a query; looked for once."""
        if id(scope) not in self.turning:
            self.turning[id(scope)] = tuple(pivots_of(scope))
        return self.turning[id(scope)]

    def only_source(self, scope: Scope, column: exp.Column) -> exp.Table | None:
        """Return the one table in a query that has a column which nothing says whose it is."""
        if column.table:
            return None
        tables = [s for s in scope.sources.values() if isinstance(s, exp.Table) and _key(s) in self.known]
        having = [t for t in tables if column.name.lower() in self.columns_of(self.known[_key(t)])]
        return having[0] if len(having) == 1 else None

    def itself(self, source: Scope) -> Scope:
        """Return the whole of a recursive query where one of its branches names it; else the scope as it is."""
        if source.sources or source.set_operation_scopes or id(source.expression) not in self.recursive:
            return source
        self.waited = True
        return self.recursive[id(source.expression)]

    def pivoted(self, scope: Scope, pivot: exp.Pivot, name: str) -> _Flow:
        """Return what flows into a column of a turned table: what is kept, what is summed up, what is turned back."""
        parts = turned_by(pivot)
        made = _Flow()
        if pivot.args.get("unpivot"):
            if name.lower() in (part.name.lower() for part in pivot.expressions):
                for column in parts:
                    made.add(self.turned(scope, pivot, column.name), "IDENTITY")
                return made
            if name.lower() in (
                field.this.name.lower() for field in pivot.fields if isinstance(field, exp.In)
            ):
                return made  # the names of the columns
            return self.turned(scope, pivot, name)
        if name.lower() in kept_by(self.behind(scope, pivot), parts):
            return self.turned(scope, pivot, name)
        for part in pivot.expressions:
            for column in part.find_all(exp.Column):
                made.add(self.turned(scope, pivot, column.name), "AGGREGATION")
        for field_ in pivot.fields:
            for column in field_.this.find_all(exp.Column):
                made.add(self.turned(scope, pivot, column.name), "CONDITIONAL")
        return made

    def pivot_groups(self, scope: Scope, pivot: exp.Pivot) -> set[Influence]:
        """Return what a turned table is grouped by: all columns that it keeps."""
        if pivot.args.get("unpivot"):
            return set()
        parts = turned_by(pivot)
        found: set[Source] = set()
        for name in kept_by(self.behind(scope, pivot), parts):
            found |= self.turned(scope, pivot, name).sources
        return {Source(source.relation, source.column, "GROUP_BY") for source in found}

    def behind(self, scope: Scope, pivot: exp.Pivot) -> tuple[str, ...]:
        """Return the columns of the table that is turned."""
        source = scope.sources.get(pivot.parent.alias_or_name) if pivot.parent is not None else None
        if isinstance(source, Scope):
            return tuple(names_of(source))
        table = self.known.get(_key(source)) if isinstance(source, exp.Table) else None
        return table.columns if table is not None else ()

    def turned(self, scope: Scope, pivot: exp.Pivot, name: str) -> _Flow:
        """Return what flows into a column of the table that is turned."""
        source = scope.sources.get(pivot.parent.alias_or_name) if pivot.parent is not None else None
        if isinstance(source, Scope):
            return self.flow(self.itself(source), name)
        if isinstance(source, exp.Table):
            return self.leaf(scope, source, exp.column(name))
        return _Flow(unknown="a turned table that cannot be followed")

    def leaf(self, scope: Scope, source: exp.Table, column: exp.Column) -> _Flow:
        table = self.known.get(_key(source))
        if table is None:
            if isinstance(source.this, exp.Func):
                # A table function such as range(1, o.id) is made of what goes into it, if anything does.
                made = _Flow()
                for argument in source.this.find_all(exp.Column):
                    made.add(self.column(scope, argument), "TRANSFORMATION")
                return made
            return _Flow(
                unknown=f"{source.sql(dialect=self.dialect)} is not a ref() or source() of the model"
            )
        if table.columns:
            match = self.columns_of(table).get(column.name.lower())
            if match is None:
                return _Flow(unknown=f"{column.name} is not a known column of {table.relation}")
            name = match
        else:
            name = column.name
        return _Flow({Source(table.relation, name, "IDENTITY")}, name)

    def columns_of(self, table: Table) -> Mapping[str, str]:
        """Return a table's columns by their names in lower case."""
        found = self.folded.get(table.relation)
        if found is None:
            found = self.folded[table.relation] = {name.lower(): name for name in reversed(table.columns)}
        return found

    def table_function(self, scope: Scope, name: str) -> _Flow:
        """Columns of unnest() and lateral functions are made of what goes in; those of a lateral query are its own."""
        for inner in scope.subquery_scopes:
            names = names_of(inner)
            alias = scope.expression.args.get("alias")
            given = [column.name.lower() for column in alias.columns] if alias is not None else []
            called = given or [each.lower() for each in names]
            if name.lower() in called:
                return self.flow(inner, names[called.index(name.lower())])
            return _Flow(unknown=f"the column {name} is not in the query it is read from")
        result = _Flow()
        for column in own_columns(scope.expression):
            result.add(self.column(scope.parent, column), "TRANSFORMATION")
        return result
