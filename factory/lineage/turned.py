"""PIVOT and UNPIVOT: which columns a turned table has, and what each is made of.

Takes sqlglot's pivot and the columns of the table that it turns, as far as they are known; gives its columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Turned:
    """A column of a turned table.

    Attributes:
        name: its name; `*` for those that are not known by name.
        kept: the column that it is passed on from; `*` for all that are kept; empty where it is made.
        sums: for a made column of a PIVOT, the aggregates that it may be.
        under: for a made column of an UNPIVOT, the columns that are put under each other.
    """

    name: str
    kept: str = ""
    sums: tuple[exp.Expr, ...] = ()
    under: tuple[str, ...] = ()


def turned_columns(pivot: exp.Pivot, behind: Sequence[str], *, open_: bool) -> list[Turned]:
    """Return the columns of a turned table.

    Args:
        pivot: what turns it.
        behind: the known columns of the table that is turned.
        open_: there may be more of them.

    """
    made, used = _unpivoted(pivot) if pivot.args.get("unpivot") else _pivoted(pivot)
    group = pivot.args.get("group")
    if group is not None:
        kept = [Turned(column.name, column.name) for column in group.find_all(exp.Column)]
    else:
        kept = [Turned(name, name) for name in behind if name.lower() not in used]
        kept += [Turned("*", "*")] if open_ else []
    given = pivot.alias_column_names
    if not given:
        return [*kept, *made]
    # The names behind the alias are for all columns, from the first to the last.
    before = given[: len(given) - len(made)]
    known = [column for column in kept if column.name != "*"]
    named = [
        Turned(name, known[number].kept if number < len(known) and not open_ else "?")
        for number, name in enumerate(before)
    ]
    last = given[len(before) :]
    return [
        *named,
        *(Turned(new, old.kept, old.sums, old.under) for new, old in zip(last, made, strict=False)),
    ]


def _pivoted(pivot: exp.Pivot) -> tuple[list[Turned], set[str]]:
    parts = [*pivot.expressions, *(field.this for field in pivot.fields)]
    used = {column.name.lower() for part in parts for column in part.find_all(exp.Column)}
    sums = tuple(pivot.expressions)
    names = [column.name for column in pivot.args.get("columns") or ()]
    open_values = any(
        isinstance(value, exp.PivotAny | exp.Query)
        for field in pivot.fields
        for value in (field.expressions if isinstance(field, exp.In) else [exp.PivotAny()])
    ) or any(isinstance(field, exp.In) and field.args.get("query") is not None for field in pivot.fields)
    if open_values or not names:
        return [Turned("*", sums=sums)], used
    # The aggregates go through for each value.
    return [Turned(name, sums=(sums[number % len(sums)],)) for number, name in enumerate(names)], used


def _unpivoted(pivot: exp.Pivot) -> tuple[list[Turned], set[str]]:
    values = [
        each.name
        for part in pivot.expressions
        for each in (part.expressions if isinstance(part, exp.Tuple) else [part])
    ]
    made: list[Turned] = []
    labels: list[Turned] = []
    used: set[str] = set()
    for field in pivot.fields:
        rows = [list(_names(each)) for each in (field.expressions if isinstance(field, exp.In) else ())]
        used |= {name.lower() for row in rows for name in row}
        for number, value in enumerate(values):
            under = [row[number] if len(row) == len(values) else name for row in rows for name in row[:1]]
            made.append(Turned(value, under=tuple(dict.fromkeys(under))))
        if isinstance(field, exp.In):
            labels.append(Turned(field.this.name))
    first = bool(pivot.args.get("value_columns_first"))
    return ([*made, *labels] if first else [*labels, *made]), used


def _names(part: exp.Expr) -> Iterator[str]:
    yield from (column.name for column in part.find_all(exp.Column))
