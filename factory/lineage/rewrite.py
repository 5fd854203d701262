"""Bring a parsed statement into a form that can be followed: what sqlglot leaves as it was written, or misreads.

Takes sqlglot's trees; gives one query, or says that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

_ARROW = re.compile(r"->")
_PIVOT = re.compile(r"\b(un)?pivot\b", re.IGNORECASE)


def one_query(trees: Sequence[exp.Expr | None], sql: str) -> exp.Query | str:
    """Return the one query of a statement, ready to be followed; or why there is none."""
    found = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(found) > 1 and isinstance(found[-1], exp.Query) and all(map(_prepares, found[:-1])):
        found = found[-1:]
    if len(found) != 1:
        return f"{len(found)} statements where there should be one"
    tree = found[0]
    if _ARROW.search(sql):
        _mend_arrows(tree)
    if _PIVOT.search(sql):
        tree = _mend_pivots(tree)
    if isinstance(tree, exp.Subquery):
        tree = _without_parentheses(tree)
    if not isinstance(tree, exp.Query):
        return f"{tree.key.upper()} is not followed: it is no SELECT"
    return tree


def _prepares(tree: exp.Expr) -> bool:
    """Say whether a statement only prepares for a query behind it: a function of its own, a variable."""
    function = isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() == "FUNCTION"
    return function or isinstance(tree, exp.Declare | exp.Set)


def _without_parentheses(tree: exp.Subquery) -> exp.Expr:
    """Return what stands in parentheses; with an ORDER BY behind them, a SELECT over it."""
    inner = tree.this
    while isinstance(inner, exp.Subquery) and not _has_more(inner):
        inner = inner.this
    if not _has_more(tree):
        if tree.args.get("with_") is not None and not inner.args.get("with_"):
            inner.set("with_", tree.args["with_"].pop())
        inner.pop()
        return inner if isinstance(inner, exp.Expr) else tree
    around = exp.Select(expressions=[exp.Star()])
    for key in ("with_", "order", "limit", "offset"):
        if tree.args.get(key) is not None:
            around.set(key, tree.args[key].pop())
    tree.set("alias", exp.TableAlias(this=exp.to_identifier("in_parentheses")))
    around.set("from_", exp.From(this=tree))
    return around


def _has_more(tree: exp.Subquery) -> bool:
    return any(tree.args.get(key) is not None for key in ("order", "limit", "offset"))


def _mend_arrows(tree: exp.Expr) -> None:
    """Make `f(data->'key')` a value out of JSON again: sqlglot reads it as a function without a name.

    A lambda whose body does not use its parameters is none.
    """
    for node in list(tree.find_all(exp.Lambda)):
        names = {parameter.name.lower() for parameter in node.expressions}
        body = node.this
        used = {each.name.lower() for each in body.find_all(exp.Identifier, exp.Column)}
        first = node.expressions[0] if len(node.expressions) == 1 else None
        inner = body
        while isinstance(inner, exp.JSONExtract | exp.JSONExtractScalar | exp.Cast | exp.Paren):
            inner = inner.this
        if first is None or used & names or not isinstance(inner, exp.Literal):
            continue
        column = exp.Column(this=exp.to_identifier(first.name, quoted=bool(first.args.get("quoted"))))
        node.replace(exp.JSONExtract(this=column, expression=body.copy()))


def _mend_pivots(tree: exp.Expr) -> exp.Expr:
    """Write DuckDB's statements PIVOT and UNPIVOT as what they are in a FROM clause."""
    for node in list(tree.find_all(exp.Pivot)):
        if node.args.get("this") is None or node.arg_key == "pivots":
            continue
        made = _unpivoted(node) if node.args.get("unpivot") else _pivoted(node)
        if made is None:
            continue
        if node is tree:
            if node.args.get("with_") is not None:
                made.set("with_", node.args["with_"].pop())
            tree = made
        else:
            node.replace(made)
    return tree


def _pivoted(node: exp.Pivot) -> exp.Select | None:
    sums = node.args.get("using") or [exp.Count(this=exp.Star())]
    fields: list[exp.Expr] = []
    names: list[str] | None = [""]
    for on in node.expressions:
        if isinstance(on, exp.In) and all(isinstance(value, exp.Literal) for value in on.expressions):
            fields.append(on.copy())
            values = [value.name for value in on.expressions]
            names = (
                [f"{name}_{v}".lstrip("_") for name in names for v in values] if names is not None else None
            )
        else:
            names = None
            column = on.this if isinstance(on, exp.In) else on
            fields.append(exp.In(this=column.copy(), expressions=[exp.PivotAny()]))
    plain = len(sums) == 1 and not isinstance(sums[0], exp.Alias)
    columns = [
        exp.to_identifier(name if plain else f"{name}_{each.alias or each.sql('duckdb')}", quoted=True)
        for name in names or ()
        for each in sums
    ]
    pivot = exp.Pivot(
        expressions=[each.copy() for each in sums],
        fields=fields,
        columns=columns,
        group=node.args["group"].copy() if node.args.get("group") is not None else None,
    )
    return _select_from(node.this, pivot)


def _unpivoted(node: exp.Pivot) -> exp.Select | None:
    if not all(isinstance(each, exp.Column) for each in node.expressions):
        return None
    into = node.args.get("into")
    label = into.this.name if into is not None else "name"
    values = [each.name for each in into.expressions] if into is not None else ["value"]
    pivot = exp.Pivot(
        unpivot=True,
        expressions=[exp.to_identifier(value) for value in values],
        fields=[
            exp.In(this=exp.to_identifier(label), expressions=[each.copy() for each in node.expressions])
        ],
    )
    return _select_from(node.this, pivot)


def _select_from(table: exp.Expr, pivot: exp.Pivot) -> exp.Select:
    source = table.copy()
    source.set("pivots", [pivot])
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=source))
