"""DuckDB's choices of columns: `columns('a.*')`, `* like 'a%'`, `#2`. Each stands for columns that are chosen by name.

Takes a projection and the columns that FROM gives; returns the projections that it stands for, one per column. What a
pattern means is as in DuckDB 1.5: `columns()` searches a regular expression, `similar to` matches a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sqlglot import exp

#: Statements without these have no choices, and their projections need not be searched for them.
HAS_CHOICES = re.compile(r"columns\s*\(|#\d|\*\s*(not\s+)?(i?like|similar|glob)\b", re.IGNORECASE)

#: A repetition of a repetition takes Python's engine a time that doubles with every letter; DuckDB's own is linear.
_SLOW = re.compile(r"\([^()]*[+*{][^()]*\)\s*[+*{]")

_PATTERNS = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob)


def chosen(projection: exp.Expr, given: Sequence[exp.Column]) -> list[tuple[str, exp.Expr]] | None:
    """Return the names and projections that a projection with a choice stands for.

    Args:
        projection: the projection as it is written.
        given: the columns that FROM gives, in order.

    Returns:
        None where it has no choice; an empty list where the choice cannot be followed.

    """
    body = projection.unalias()
    negated = isinstance(body, exp.Not)
    pattern = body.this if negated else body
    if isinstance(pattern, _PATTERNS) and isinstance(pattern.this, exp.Star):
        fits = _fits(pattern)
        wanted = not (negated or pattern.args.get("negate"))
        return [(c.name, c) for c in given if fits is not None and fits(c.name) is wanted]
    found = projection.find(exp.Columns, exp.PositionalColumn)
    if found is None:
        return None
    if isinstance(found, exp.PositionalColumn):
        number = int(found.this.name) if found.this.is_int else 0
        columns = list(given[number - 1 : number]) if number else []
    else:
        columns = _columns(found, given)
    if found.args.get("unpack"):
        changed = projection.copy()
        for node in list(changed.find_all(exp.Columns)):
            parent, key = node.parent, node.arg_key or ""
            around = parent.args.get(key) if parent is not None else None
            if parent is None:
                return []
            others = [each for each in around if each is not node] if isinstance(around, list) else []
            if isinstance(around, list):
                parent.set(key, [*(c.copy() for c in columns), *others])
            elif columns:
                node.replace(columns[0].copy())
                rest = parent.args.get("expressions")
                parent.set("expressions", [*(c.copy() for c in columns[1:]), *(rest or ())])
        return [(projection.alias_or_name, changed.unalias())] if columns else []
    return [(_name(projection, found, column), _instead(projection.unalias(), column)) for column in columns]


def _columns(choice: exp.Expr, given: Sequence[exp.Column]) -> list[exp.Column]:
    what = choice.this
    star = what.this if isinstance(what, exp.Column) else what
    if isinstance(star, exp.Star):
        gone = {each.name.lower() for each in star.args.get("except_") or ()}
        table = what.table.lower() if isinstance(what, exp.Column) else ""
        return [c for c in given if c.name.lower() not in gone and table in ("", c.table.lower())]
    if isinstance(what, exp.Literal) and what.is_string:
        expression = _compiled(what.name)
        return [c for c in given if expression is not None and expression.search(c.name)]
    if isinstance(what, exp.Array):
        names = [each.name.lower() for each in what.expressions]
        return [c for name in names for c in given if c.name.lower() == name]
    if isinstance(what, exp.Lambda) and isinstance(what.this, _PATTERNS):
        fits = _fits(what.this)
        wanted = not what.this.args.get("negate")
        return [c for c in given if fits is not None and fits(c.name) is wanted]
    return []


def _fits(pattern: exp.Expr) -> Callable[[str], bool] | None:
    """Return what says whether a name fits a pattern, or None where it is no plain text."""
    other = pattern.args.get("expression")
    if not isinstance(other, exp.Literal) or not other.is_string:
        return None
    text = other.name
    if isinstance(pattern, exp.SimilarTo):
        written = text
    elif isinstance(pattern, exp.Glob):
        written = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in text)
    else:
        written = "".join({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in text)
    expression = _compiled(written, re.IGNORECASE if isinstance(pattern, exp.ILike) else 0)
    return None if expression is None else lambda name: expression.fullmatch(name) is not None


def _compiled(text: str, flags: int = 0) -> re.Pattern[str] | None:
    if len(text) > 200 or _SLOW.search(text):
        return None
    try:
        return re.compile(text, flags | re.DOTALL)
    except re.error:
        return None


def _name(projection: exp.Expr, choice: exp.Expr, column: exp.Column) -> str:
    """Return the name of one of the columns: its own, or what an alias with groups of the pattern makes of it."""
    alias = projection.alias if isinstance(projection, exp.Alias) else ""
    pattern = choice.this
    if alias and "\\" in alias and isinstance(pattern, exp.Literal):
        expression = _compiled(pattern.name)
        match = expression.search(column.name) if expression is not None else None
        if match is not None:
            groups = [match[0], *match.groups()]
            return re.sub(
                r"\\(\d)", lambda m: groups[int(m[1])] or "" if int(m[1]) < len(groups) else "", alias
            )
    return alias or column.name


def _instead(body: exp.Expr, column: exp.Column) -> exp.Expr:
    """Return a projection with a column where its choice was."""
    if isinstance(body, exp.Columns | exp.PositionalColumn):
        return column.copy()
    changed = body.copy()
    for node in list(changed.find_all(exp.Columns, exp.PositionalColumn)):
        node.replace(column.copy())
    return changed
