"""Read one SQL statement: its output columns and what flows into them. The only door to sqlglot.

Takes compiled SQL, dbt's name of the dialect and the tables that the statement may name; gives a
`Statement`. The statement is parsed and qualified once; every column is then followed through the scopes
(CTEs, subqueries, set operations) with each result kept, so that no scope is visited twice for one column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

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
        known = {_key(exp.to_table(name, dialect=dialect)): table for name, table in tables.items()}
        tree = qualify(
            trees[0],
            schema=_schema(known, dialect),
            dialect=dialect,
            identify=False,
            quote_identifiers=False,
            validate_qualify_columns=False,
            expand_alias_refs=True,
        )
        root = build_scope(tree)
        if root is None:
            return Statement(error="not a query")
        reader = _Reader(known, dialect)
        return Statement(reader.columns(root), reader.influences(root), reader.hidden(root))
    except ValueError as error:
        return Statement(error=f"no dialect for {adapter}: {error}")
    except SqlglotError as error:
        text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
        return Statement(error="SQL that sqlglot cannot read: " + " ".join(text.split())[:200])
    except RecursionError:
        return Statement(error="SQL nested too deeply to be read")


def _key(table: exp.Table) -> tuple[str, str, str]:
    return (table.catalog.lower(), table.db.lower(), table.name.lower())


def _schema(known: Mapping[tuple[str, str, str], Table], dialect: str) -> MappingSchema:
    schema = MappingSchema(dialect=dialect)
    for (catalog, db, name), table in known.items():
        if table.columns:
            parts = [exp.to_identifier(part, quoted=True) for part in (catalog, db, name)]
            node = exp.Table(
                this=parts[2], db=parts[1] if db else None, catalog=parts[0] if catalog else None
            )
            schema.add_table(node, dict.fromkeys(table.columns, "unknown"), match_depth=False)
    return schema


def _along(kind: str, way: str) -> str:
    """Return the kind of a source that is reached over one more step."""
    if kind not in DIRECT:
        return kind
    if way not in DIRECT:
        return way
    return DIRECT[max(DIRECT.index(kind), DIRECT.index(way))]


class _Reader:
    """Follows columns through the scopes of one qualified statement."""

    def __init__(self, known: Mapping[tuple[str, str, str], Table], dialect: str) -> None:
        self.known = known
        self.dialect = dialect
        self.done: dict[tuple[int, str], _Flow] = {}

    def columns(self, root: Scope) -> tuple[ColumnTrace, ...]:
        """Return the traces of the statement's output columns, in order."""
        traces = []
        for name in _names(root):
            if name == "*":
                traces.append(ColumnTrace("*", (), "", "a star over a table whose columns are not known"))
                continue
            flow = self.flow(root, name)
            traces.append(ColumnTrace(name, tuple(sorted(flow.sources)), flow.expression, flow.unknown))
        return tuple(traces)

    def influences(self, root: Scope) -> tuple[Influence, ...]:
        """Return what decides which rows there are, over all scopes."""
        found: set[Influence] = set()
        for scope in root.traverse():
            for kind, part in _row_parts(scope.expression):
                found |= self.sources_in(scope, part, kind)
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
        for column in _own_columns(part):
            found |= self.column(scope, column).sources
        for inner in scope.subquery_scopes:
            if _is_inside(inner.expression, part):
                for name in _names(inner):
                    found |= self.flow(inner, name).sources
        return {Source(source.relation, source.column, kind) for source in found}

    def flow(self, scope: Scope, name: str) -> _Flow:
        """Return what flows into one output column of a scope; a column on its own way in adds nothing."""
        key = (id(scope), name.lower())
        if key not in self.done:
            self.done[key] = _Flow()
            self.done[key] = (
                self.set_operation(scope, name) if scope.set_operation_scopes else self.select(scope, name)
            )
        return self.done[key]

    def set_operation(self, scope: Scope, name: str) -> _Flow:
        """Columns of a set operation go together by position, or by name where the SQL says so."""
        names = [n.lower() for n in _names(scope)]
        position = names.index(name.lower()) if name.lower() in names else -1
        by_name = bool(scope.expression.args.get("by_name"))
        result = _Flow()
        for branch in scope.set_operation_scopes:
            branch_names = _names(branch)
            if by_name:
                wanted = name if name.lower() in (n.lower() for n in branch_names) else ""
            else:
                wanted = branch_names[position] if 0 <= position < len(branch_names) else ""
            if wanted:
                flow = self.flow(branch, wanted)
                result.add(flow, "IDENTITY")
                result.expression = result.expression or flow.expression
        return result

    def select(self, scope: Scope, name: str) -> _Flow:
        projection = next((s for s in _selects(scope) if s.alias_or_name.lower() == name.lower()), None)
        if projection is None:
            return _Flow(unknown=f"the column {name} is not in the query it is read from")
        body = projection.unalias()
        while isinstance(body, exp.Paren):
            body = body.this
        result = _Flow()
        if body.find(exp.Columns, exp.TableColumn):
            return _Flow(unknown="a choice of columns or a whole row, which is not followed")
        if isinstance(body, exp.Column):
            result.add(passed := self.column(scope, body), "IDENTITY")
            result.expression = passed.expression or body.name
            return result
        for column in _own_columns(body):
            result.add(self.column(scope, column), _kind(column, body))
        for inner in scope.subquery_scopes:
            if _is_inside(inner.expression, body):
                for inner_name in _names(inner):
                    result.add(self.flow(inner, inner_name), "TRANSFORMATION")
        result.expression = body.sql(dialect=self.dialect, comments=False)
        return result

    def column(self, scope: Scope | None, column: exp.Column) -> _Flow:
        """Return what flows into a column reference: the column of a table, or of an inner scope."""
        if scope is not None and not scope.sources and column.table:
            return _Flow()  # a recursive query reading itself: its first branch tells the rest
        while scope is not None:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table):
                return self.leaf(scope, source, column)
            if isinstance(source, Scope):
                if source.is_udtf:
                    return self.table_function(source)
                return self.flow(source, column.name)
            scope = scope.parent  # a correlated subquery names its parent's tables
        if not column.table:
            return _Flow(unknown=f"the column {column.name} cannot be given to one table")
        return _Flow(unknown=f"{column.table}, where {column.name} comes from, cannot be followed")

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
            match = next((c for c in table.columns if c.lower() == column.name.lower()), None)
            if match is None:
                return _Flow(unknown=f"{column.name} is not a known column of {table.relation}")
            name = match
        else:
            name = column.name
        return _Flow({Source(table.relation, name, "IDENTITY")}, name)

    def table_function(self, scope: Scope) -> _Flow:
        """Columns of unnest() and lateral functions are made of the columns that go into the function."""
        if scope.expression.find(exp.Query):
            return _Flow(unknown="a lateral subquery, which is not followed")
        result = _Flow()
        for column in _own_columns(scope.expression):
            result.add(self.column(scope.parent, column), "TRANSFORMATION")
        return result


def _names(scope: Scope) -> list[str]:
    query = scope.expression
    return list(query.named_selects) if isinstance(query, exp.Query) else []


def _selects(scope: Scope) -> list[exp.Expr]:
    query = scope.expression
    return list(query.selects) if isinstance(query, exp.Query) else []


def _own_columns(body: exp.Expr) -> Iterator[exp.Column]:
    """Yield the columns of an expression, those of its subqueries left out."""
    for node in body.walk(prune=lambda n: n is not body and isinstance(n, exp.Query)):
        if isinstance(node, exp.Column):
            yield node


def _is_inside(node: exp.Expr, body: exp.Expr) -> bool:
    at: Any = node
    while at is not None:
        if at is body:
            return True
        at = at.parent
    return False


def _kind(column: exp.Column, body: exp.Expr) -> str:
    """Say how a column enters an expression, by what stands between the two."""
    kind = "TRANSFORMATION"
    child: Any = column
    parent: Any = column.parent
    while child is not body and parent is not None:
        if isinstance(parent, exp.Window) and child is not parent.this:
            return "WINDOW"
        if isinstance(parent, exp.If) and child.arg_key == "this":
            return "CONDITIONAL"
        if isinstance(parent, exp.Case) and child.arg_key == "this":
            return "CONDITIONAL"
        if isinstance(parent, exp.Filter) and child.arg_key == "expression":
            return "CONDITIONAL"
        if isinstance(parent, exp.AggFunc) and not isinstance(parent, _ROW_FUNCTIONS):
            kind = "AGGREGATION"
        child, parent = parent, parent.parent
    if child is body and isinstance(body, exp.AggFunc) and not isinstance(body, _ROW_FUNCTIONS):
        kind = "AGGREGATION"
    return kind


# Aggregates by class in sqlglot that hand on the value of one row.
_ROW_FUNCTIONS = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)


def _row_parts(expression: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    """Yield the clauses of a query that decide about its rows, with the kind of their influence."""
    args = expression.args
    for clause, kind in (
        ("where", "FILTER"),
        ("having", "FILTER"),
        ("qualify", "FILTER"),
        ("group", "GROUP_BY"),
        ("order", "SORT"),
    ):
        if args.get(clause) is not None:
            yield kind, args[clause]
    for join in args.get("joins") or ():
        if join.args.get("on") is not None:
            yield "JOIN", join.args["on"]
        for column in join.args.get("using") or ():
            yield "JOIN", column
