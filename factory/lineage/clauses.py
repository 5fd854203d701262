"""What the parts of a query are: its columns, its windows, what turns tables, and how a column enters an expression.

Takes sqlglot's scopes and expressions; gives parts of them, and the kinds of lineage; touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

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


def names_of(scope: Scope) -> list[str]:
    """Return the names of a query's output columns, in order."""
    query = scope.expression
    return list(query.named_selects) if isinstance(query, exp.Query) else []


def selects_of(scope: Scope) -> list[exp.Expr]:
    """Return a query's projections, in order."""
    query = scope.expression
    return list(query.selects) if isinstance(query, exp.Query) else []


_CHOICES = (exp.Columns, exp.PositionalColumn, exp.Parameter)


@dataclass(slots=True)
class Parts:
    """What an expression holds, its subqueries' own left out.

    Attributes:
        columns: the columns that it names, and how each enters it.
        rows: tables that it takes as one value.
        windows, queries, choices: whether it has windows, subqueries, or a choice of columns (`columns(...)`, `* like`,
            `#1`).
    """

    columns: list[tuple[exp.Column, str]] = field(default_factory=list)
    rows: list[exp.TableColumn] = field(default_factory=list)
    windows: bool = False
    queries: bool = False
    choices: bool = False


def parts_of(body: exp.Expr) -> Parts:
    """Look through an expression once, however deep it is.

    A column is of the kind of the innermost clause that only decides (a condition, a window, an order) on its way; else
    it is summed up where an aggregate is on the way, else made from one row's values.
    """
    parts = Parts()
    waiting: list[tuple[exp.Expr, str]] = [(body, "TRANSFORMATION")]
    while waiting:
        node, kind = waiting.pop()
        if isinstance(node, exp.Column):
            parts.columns.append((node, kind))
            continue
        if isinstance(node, exp.Query):
            parts.queries = True
            continue
        if isinstance(node, exp.TableColumn):
            parts.rows.append(node)
        elif isinstance(node, exp.Window):
            parts.windows = True
        elif isinstance(node, _CHOICES) or (
            isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count)
        ):
            parts.choices = True
        if kind == "TRANSFORMATION" and (isinstance(node, exp.WithinGroup) or _is_aggregate(node)):
            kind = "AGGREGATION"
        waiting += [(child, _deciding(node, child) or kind) for child in node.iter_expressions()]
    return parts


def _deciding(parent: exp.Expr, child: exp.Expr) -> str:
    """Return the kind of a clause that only decides about a value, or an empty string."""
    if isinstance(parent, exp.Window) and child is not parent.this:
        return "WINDOW"
    if isinstance(parent, exp.If | exp.Case) and child.arg_key == "this":
        return "CONDITIONAL"
    if isinstance(parent, exp.Filter) and child.arg_key == "expression":
        return "CONDITIONAL"
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
    begin = args.get("from_") or args.get("from")
    for part in (begin, *(args.get("joins") or ())):
        if part is not None and part.this is not None:
            yield from part.this.args.get("pivots") or ()


def turned_by(pivot: exp.Pivot) -> list[exp.Column]:
    """Return the columns that a PIVOT sums up and turns, or that an UNPIVOT puts under each other.

    What stands in the IN of a PIVOT are values, even where they look like names.
    """
    fields = pivot.fields if pivot.args.get("unpivot") else [field.this for field in pivot.fields]
    return [column for part in (*pivot.expressions, *fields) for column in part.find_all(exp.Column)]


def kept_by(names: Iterable[str], parts: Iterable[exp.Column]) -> list[str]:
    """Return the columns that a PIVOT neither sums up nor turns, in lower case."""
    used = {column.name.lower() for column in parts}
    return [name.lower() for name in names if name.lower() not in used]


def _is_aggregate(node: Any) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _AGGREGATES
    return isinstance(node, exp.AggFunc) and not isinstance(node, _ROW_FUNCTIONS)


# Aggregates of DuckDB that sqlglot 30.30 has no class for (duckdb_functions() of 1.5.5).
_AGGREGATES = {
    "arbitrary", "arg_max_null", "arg_max_nulls_last", "arg_min_null", "arg_min_nulls_last", "bitstring_agg", "entropy",
    "favg", "fsum", "histogram", "histogram_exact", "kahan_sum", "kurtosis_pop", "mad", "mean", "product",
    "reservoir_quantile", "sem", "sum_no_overflow", "sumkahan",
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
        ("order", "SORT"),
    ):
        if args.get(clause) is not None:
            yield kind, args[clause]
    distinct = args.get("distinct")
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on") is not None:
        yield "FILTER", distinct.args["on"]
    for join in args.get("joins") or ():
        if join.args.get("on") is not None:
            yield "JOIN", join.args["on"]
        for column in join.args.get("using") or ():
            yield "JOIN", column


def row_names(scope: Scope) -> Iterator[tuple[str, list[str]]]:
    """Yield the output columns that a query is grouped or sorted by where it says ALL, or a position."""
    args, names = scope.expression.args, names_of(scope)
    group, order = args.get("group"), args.get("order")
    if group is not None and group.args.get("all"):
        sums = (exp.AggFunc, exp.Window, exp.Anonymous)
        plain = [s for s in selects_of(scope) if not any(_is_sum(node) for node in s.find_all(*sums))]
        yield "GROUP_BY", [projection.alias_or_name for projection in plain]
    for ordered in order.expressions if order is not None else ():
        key = ordered.this if isinstance(ordered, exp.Ordered) else ordered
        if isinstance(key, exp.Var) and key.name.upper() == "ALL":
            yield "SORT", names
        elif isinstance(key, exp.Literal) and key.is_int and 0 < int(key.name) <= len(names):
            yield "SORT", [names[int(key.name) - 1]]


def _is_sum(node: exp.Expr) -> bool:
    return isinstance(node, exp.Window) or _is_aggregate(node)
