"""What the parts of a query are: its columns, its windows, what turns tables, and how a column enters an expression.

Takes sqlglot's scopes and expressions; gives parts of them, and the kinds of lineage; touches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlglot import exp
from sqlglot.optimizer.scope import Scope


def used_scopes(root: Scope) -> Iterator[Scope]:
    """Yield the scopes that are read, inner ones first, each once: not those of a CTE that nobody names."""
    seen: set[int] = set()

    def visit(scope: Scope) -> Iterator[Scope]:
        if id(scope) in seen:
            return
        seen.add(id(scope))
        inner = [source for _, source in scope.selected_sources.values() if isinstance(source, Scope)]
        for each in (*inner, *scope.set_operation_scopes, *scope.subquery_scopes, *scope.udtf_scopes):
            yield from visit(each)
        if scope.sources or scope.set_operation_scopes or not scope.is_cte:
            yield scope

    return visit(root)


def selects_of(scope: Scope) -> list[exp.Expr]:
    """Return a query's projections, in order."""
    query = scope.expression
    return list(query.selects) if isinstance(query, exp.Query) else []


def joins_of(scope: Scope) -> list[exp.Join]:
    """Return a query's joins, in order."""
    return joins_in(scope.expression)


def joins_in(query: exp.Expr) -> list[exp.Join]:
    """Return the joins of a query's FROM clause in the order of the text, those in parentheses too."""
    found: list[exp.Join] = []

    def visit(node: exp.Expr | None) -> None:
        inner = node.this if isinstance(node, exp.Join | exp.From) else node
        if isinstance(inner, exp.Subquery | exp.Paren) and isinstance(
            inner.this, exp.Table | exp.Subquery | exp.Paren
        ):
            visit(inner.this)
        if isinstance(inner, exp.Table | exp.Subquery | exp.Paren):
            for join in inner.args.get("joins") or ():
                visit(join)
        if isinstance(node, exp.Join):
            found.append(node)

    for part in (query.args.get("from_"), *(query.args.get("joins") or ())):
        visit(part)
    return found


def is_star(projection: exp.Expr) -> bool:
    """Say whether a projection stands for all columns of something: `*`, `t.*`."""
    return isinstance(projection, exp.Star) or (
        isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
    )


_CHOICES = (exp.Columns, exp.PositionalColumn, exp.Parameter)


class Part(NamedTuple):
    """A column in an expression: how it enters it, and whether through a declared anonymiser."""

    column: exp.Column
    kind: str
    masking: bool


@dataclass(slots=True)
class Parts:
    """What an expression holds, its subqueries' own left out.

    Attributes:
        columns: the columns that it names, and how each enters it.
        queries: its subqueries, each with how it enters it, and whether through a declared anonymiser.
        stars: whole rows in functions (`hash(*)`, `to_json(t.*)`), each with how it enters it, and whether masked.
        windows, choices, generators: whether it has windows, a choice of columns (`columns(...)`, `* like`, `#1`), or
            something that gives values of its own (a count of rows, a number, a time).
    """

    columns: list[Part] = field(default_factory=list)
    queries: list[tuple[exp.Query, str, bool]] = field(default_factory=list)
    stars: list[tuple[exp.Expr, str, bool]] = field(default_factory=list)
    windows: bool = False
    choices: bool = False
    generators: bool = False


_MARK = re.compile(r"\s*anonymiser:\s*(\w+)\s*")


def is_masked(node: exp.Expr, anonymisers: Container[str]) -> bool:
    """Say whether a comment at an expression names a declared anonymiser that made it."""
    marks = (_MARK.fullmatch(comment) for comment in node.comments or ())
    return any(mark is not None and mark[1] in anonymisers for mark in marks)


def parts_of(body: exp.Expr, anonymisers: Container[str] = ()) -> Parts:
    """Look through an expression once, however deep it is.

    A column is of the kind of the innermost clause that only decides (a condition, a window, an order) on its way; else
    it is summed up where an aggregate is on the way, else made from one row's values.
    """
    parts = Parts()
    waiting: list[tuple[exp.Expr, str, bool]] = [(body, "TRANSFORMATION", False)]
    own: frozenset[str] = frozenset()
    while waiting:
        node, kind, masking = waiting.pop()
        if node.comments and anonymisers:
            masking = masking or is_masked(node, anonymisers)
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            if node.table or node.name not in own:
                parts.columns.append(Part(node, kind, masking))
            continue
        if isinstance(node, exp.Query):
            parts.queries.append((node, kind, masking))
            continue
        if isinstance(node, exp.Comprehension):
            own |= {each.name for each in (node.expression, node.args.get("position")) if each is not None}
        if isinstance(node, exp.Dot) and (part := field_of_struct(node.this, node.name)) is not None:
            waiting.append((part, kind, masking))
            continue
        if isinstance(node, exp.Dot) and (column := _field_of_column(node)) is not None:
            parts.columns.append(Part(column, kind, masking))
            continue
        if is_star(node) and not isinstance(node.parent, exp.Count):
            parts.stars.append((node, kind, masking))
        _mark(parts, node)
        if kind == "TRANSFORMATION" and (isinstance(node, exp.WithinGroup) or _is_aggregate(node)):
            kind = "AGGREGATION"
        waiting += [(child, _deciding(node, child) or kind, masking) for child in _inside(node)]
    return parts


def _field_of_column(dot: exp.Dot) -> exp.Column | None:
    """Return `(t.a).b` as `t.a.b`, which is a column with its field."""
    column = dot.this.unnest()
    if not isinstance(column, exp.Column) or not isinstance(dot.expression, exp.Identifier) or column.db:
        return None
    names = [part.copy() for part in (*column.parts, dot.expression)]
    return exp.Column(this=names[-1], table=names[-2], db=names[-3] if len(names) > 2 else None)


def _inside(node: exp.Expr) -> Iterable[exp.Expr]:
    return () if isinstance(node, exp.Column) else node.iter_expressions()


def _mark(parts: Parts, node: exp.Expr) -> None:
    """Note what an expression has, of one of its nodes."""
    if isinstance(node, exp.Window):
        parts.windows = parts.generators = True
    elif isinstance(node, _CHOICES):
        parts.choices = True
    elif isinstance(node, exp.Func) and not parts.generators:
        parts.generators = _generates(node)


def field_of_struct(body: exp.Expr, name: str) -> exp.Expr | None:
    """Return the part of a struct that is made and read in one expression; None where it is no such struct."""
    names: list[str] = []
    while isinstance(body, exp.Paren | exp.Cast):
        if isinstance(body, exp.Cast) and body.to.is_type(exp.DType.STRUCT):
            names = [field.name.lower() for field in body.to.expressions]
        body = body.this
    if not isinstance(body, exp.Struct):
        return None
    for number, part in enumerate(body.expressions):
        known = names[number] if number < len(names) else part.alias_or_name.lower()
        if isinstance(part, exp.PropertyEQ) and not names:
            known = part.this.name.lower()
        if known == name.lower():
            inner: exp.Expr = part.args["expression"] if isinstance(part, exp.PropertyEQ) else part.unalias()
            return inner
    return None


# What gives another value at another time or in another row, with nothing flowing in: by class in sqlglot, by name.
_GENERATORS = ("Current", "Exploding", "Generat", "Rand", "RowNumber", "Seq", "Uuid")
_GENERATING = {
    "clock_timestamp", "current_database", "current_role", "current_setting", "gen_random_uuid", "generate_uuid",
    "get_current_timestamp", "getvariable", "newid", "newsequentialid", "nextval", "now", "now64", "random", "range",
    "rownumberinallblocks", "row_number", "seq1", "seq2", "seq4", "seq8", "statement_timestamp", "txid_current",
    "uniform", "utc_timestamp", "uuid_string", "uuidv7",
}  # fmt: skip


def _generates(node: exp.Func) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _GENERATING
    return isinstance(node, exp.AggFunc) or type(node).__name__.startswith(_GENERATORS)


def _deciding(parent: exp.Expr, child: exp.Expr) -> str:
    """Return the kind of a clause that only decides about a value, or an empty string."""
    if isinstance(parent, exp.Window) and child is not parent.this:
        return "WINDOW"
    if isinstance(parent, exp.If | exp.Case) and child.arg_key == "this":
        return "CONDITIONAL"
    if isinstance(parent, exp.Filter) and child.arg_key == "expression":
        return "CONDITIONAL"
    if isinstance(parent, exp.Anonymous) and parent.name.lower() == "multiif":
        place = next((n for n, each in enumerate(parent.expressions) if each is child), 1)
        return "CONDITIONAL" if place % 2 == 0 and place < len(parent.expressions) - 1 else ""
    inside = isinstance(parent.parent, exp.Window | exp.WithinGroup)
    return "SORT" if isinstance(parent, exp.Order) and child.arg_key == "expressions" and not inside else ""


def own_columns(body: exp.Expr) -> Iterator[exp.Column]:
    """Yield the columns of an expression, those of its subqueries left out."""
    for node in body.walk(prune=lambda n: n is not body and isinstance(n, exp.Query)):
        if isinstance(node, exp.Column):
            yield node


def is_inside(node: exp.Expr, body: exp.Expr) -> bool:
    """Say whether a node is part of an expression."""
    at: Any = node
    while at is not None:
        if at is body:
            return True
        at = at.parent
    return False


def columns_of_named_windows(scope: Scope, part: exp.Expr) -> Iterator[exp.Column]:
    """Yield the columns of the named windows that an expression uses, and of those that they build on."""
    named = {window.name.lower(): window for window in scope.expression.args.get("windows") or ()}
    waiting = [window.alias.lower() for window in part.find_all(exp.Window) if window.args.get("alias")]
    while named and waiting:
        window = named.pop(waiting.pop(), None)
        if window is not None:
            yield from own_columns(window)
            if window.args.get("alias"):
                waiting.append(window.alias.lower())


def pivots_of(scope: Scope) -> Iterator[exp.Pivot]:
    """Yield the PIVOTs and UNPIVOTs of a query's own FROM clause."""
    args = scope.expression.args
    for part in (args.get("from_"), *joins_in(scope.expression)):
        if part is not None and part.this is not None:
            yield from part.this.args.get("pivots") or ()


def _is_aggregate(node: Any) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _AGGREGATES
    return isinstance(node, exp.AggFunc) and not isinstance(node, _ROW_FUNCTIONS)


# Aggregates of DuckDB that sqlglot 30.30 has no class for (duckdb_functions() of 1.5.5).
_AGGREGATES = {
    "arbitrary", "arg_max_null", "arg_max_nulls_last", "arg_min_null", "arg_min_nulls_last", "bitstring_agg", "entropy",
    "favg", "fsum", "histogram", "histogram_exact", "kahan_sum", "kurtosis_pop", "mad", "mean", "product",
    "ratio_to_report", "reservoir_quantile", "sem", "sum_no_overflow", "sumkahan",
}  # fmt: skip

# Aggregates by class in sqlglot that hand on the value of one row.
_ROW_FUNCTIONS = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)


def row_clauses(expression: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    """Yield the clauses of a query that decide about its rows, with the kind of their influence."""
    args = expression.args
    for clause, kind in (
        ("where", "FILTER"),
        ("prewhere", "FILTER"),
        ("having", "FILTER"),
        ("qualify", "FILTER"),
        ("group", "GROUP_BY"),
        ("connect", "JOIN"),
        ("order", "SORT"),
        ("sort", "SORT"),
    ):
        if args.get(clause) is not None:
            yield kind, args[clause]
    distinct = args.get("distinct")
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on") is not None:
        yield "FILTER", distinct.args["on"]
    for join in joins_in(expression):
        if join.args.get("on") is not None:
            yield "JOIN", join.args["on"]
        if join.args.get("match_condition") is not None:
            yield "JOIN", join.args["match_condition"]


def positions_in(clause: exp.Expr) -> Iterator[int]:
    """Yield the places, counted from 1, that GROUP BY or ORDER BY names instead of columns."""
    waiting: list[exp.Expr] = [clause]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Literal) and node.is_int:
            yield int(node.name)
        elif isinstance(node, _HOLDERS):
            waiting += [part for part in node.iter_expressions() if part.arg_key != "with_fill"]


_HOLDERS = (
    exp.Group,
    exp.Order,
    exp.Ordered,
    exp.Tuple,
    exp.Paren,
    exp.Cube,
    exp.Rollup,
    exp.GroupingSets,
    exp.Distinct,
)


def says_all(clause: exp.Expr) -> bool:
    """Say whether a GROUP BY or ORDER BY says ALL."""
    if isinstance(clause, exp.Group):
        return bool(clause.args.get("all"))
    keys = [each.this if isinstance(each, exp.Ordered) else each for each in clause.expressions]
    return any(isinstance(key, exp.Var | exp.Column) and key.name.upper() == "ALL" and not key.args.get("table")
               and not getattr(key.this, "quoted", False) for key in keys)  # fmt: skip


def sums_up(projection: exp.Expr) -> bool:
    """Say whether a projection has an aggregate or a window: GROUP BY ALL leaves it out."""
    found = projection.find_all(exp.AggFunc, exp.Window, exp.Anonymous)
    return any(isinstance(node, exp.Window) or _is_aggregate(node) for node in found)


#: The columns of Snowflake's FLATTEN.
_FLATTEN = ("seq", "key", "path", "index", "value", "this")
#: What databases call the columns of a list of values: what stands before the number, and the first number.
_VALUES = {
    "duckdb": ("col", 0),
    "databricks": ("col", 1),
    "spark": ("col", 1),
    "trino": ("_col", 0),
    "athena": ("_col", 0),
}


def joined_by(join: exp.Join) -> list[str]:
    """Return the aliases of what a join adds: one, or those of joins in parentheses."""
    if join.alias_or_name or not isinstance(join.this, exp.Subquery | exp.Paren):
        return [join.alias_or_name.lower()]
    return [table.alias_or_name.lower() for table in join.this.find_all(exp.Table)]


def function_columns(scope: Scope, dialect: str = "") -> list[str]:
    """Return the columns of a table function, as far as its alias, or what it is, tells them."""
    expression = scope.expression
    names = list(expression.alias_column_names)
    offset = expression.args.get("offset") if isinstance(expression, exp.Unnest) else None
    if isinstance(offset, exp.Identifier) and offset.name not in names:
        names.append(offset.name)
    values = values_in(expression)
    if values is not None and all(name.startswith("_col_") for name in names):
        first = values.expressions[0] if values.expressions else None
        width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
        prefix, begin = _VALUES.get(dialect, ("column", 1))
        return [f"{prefix}{number}" for number in range(begin, begin + width)]
    if not names and isinstance(expression, exp.Lateral) and isinstance(expression.this, exp.Explode):
        if "flatten" in type(expression.this).__name__.lower():
            return list(_FLATTEN)
        return ["pos", "col"] if isinstance(expression.this, exp.Posexplode) else ["col"]
    return names


def values_in(expression: exp.Expr) -> exp.Values | None:
    """Return the list of values that something in FROM is: by itself, or behind LATERAL or APPLY."""
    while isinstance(expression, exp.Lateral | exp.Subquery | exp.Paren):
        expression = expression.this
    return expression if isinstance(expression, exp.Values) else None
