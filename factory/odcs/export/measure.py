"""The SQL and the thresholds that a contract's rules become in SodaCL.

Takes names, arguments and sets of numbers; gives text. The SQL measures what the standard means, as DuckDB spells it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from factory.odcs.intervals import Span, Spans

# Words that no column can be called in SQL or in SodaCL, unless they stand in quotes.
_RESERVED = (
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast",
    "check", "collate", "column", "constraint", "create", "default", "deferrable", "desc", "describe",
    "distinct", "do", "else", "end", "except", "false", "fetch", "for", "foreign", "from", "group", "having",
    "in", "initially", "intersect", "into", "lambda", "lateral", "leading", "limit", "not", "null", "offset",
    "on", "only", "or", "order", "pivot", "placing", "primary", "qualify", "references", "returning", "select",
    "show", "some", "summarize", "symmetric", "table", "then", "to", "trailing", "true", "union", "unique",
    "unpivot", "using", "variadic", "when", "where", "window", "with", "between", "warn", "fail", "pass",
    "change", "last", "avg", "min", "max", "filter", "percent", "must", "user", "values", "d", "h", "m",
)  # fmt: skip


def named(name: str) -> str:
    """Return a name as SQL and SodaCL take it: in quotes, if it needs some."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a string of SQL; no part of it is a variable of Soda."""
    text = text.replace("'", "''")
    return "'" + re.sub(r"([${])(?=[{%#])", r"\1' || '", text) + "'"


def has_variable(text: str) -> bool:
    """Say whether Soda would put a variable of its own into a text."""
    return re.search(r"\$\{|\{%|\{#", text) is not None


def is_in(column: str, values: Iterable[Any], logical: str) -> str:
    """Return the condition that a column has one of the values: numbers as numbers, all else as text."""
    known = [value for value in values if value is not None]
    if not known:
        return "false"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        cast = "cast" if logical in ("integer", "number") else "try_cast"
        return f"{cast}({column} as double) in ({', '.join(number(value) for value in known)})"
    texts = (str(value).lower() if isinstance(value, bool) else str(value) for value in known)
    return f"cast({column} as varchar) in ({', '.join(literal(text) for text in texts)})"


def invalid(column: str, arguments: Mapping[str, Any], logical: str) -> str:
    """Return the condition that a value is not valid; empty where nothing is said about it."""
    parts = []
    if arguments.get("validValues"):
        parts.append(f"not ({is_in(column, arguments['validValues'], logical)})")
    if arguments.get("pattern"):
        parts.append(
            f"not regexp_full_match(cast({column} as varchar), {literal(str(arguments['pattern']))})"
        )
    return " or ".join(parts)


def counting(table: str, condition: str) -> str:
    """Return the query for the number of rows that fulfil a condition."""
    return f"select count(*) from {table} where {condition}"  # noqa: S608  (names are quoted)


def duplicates(table: str, columns: Iterable[str]) -> str:
    """Return the query for the number of rows whose values stand in another row, too; NULL is no value."""
    names = list(columns)
    known = " and ".join(f"{name} is not null" for name in names)
    return (
        f"select coalesce(sum(n), 0) from (select count(*) as n from {table} where {known} "  # noqa: S608
        f"group by {', '.join(names)} having count(*) > 1) as repeated"
    )


def share(table: str, query: str) -> str:
    """Return the query for a number of rows as a percentage of all; of no rows, none is at fault."""
    return f"select coalesce(100.0 * ({query}) / nullif((select count(*) from {table}), 0), 0)"  # noqa: S608


def number(value: float) -> str:
    """Return a number as SQL and SodaCL take it: no exponent, and none of its digits lost."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def threshold(spans: Spans) -> str:
    """Return the threshold of SodaCL that a set of numbers is; empty where it takes more than one."""
    if not spans:
        return "between (0 and 0)"
    if len(spans) == 1:
        return _one(spans[0])
    below, above = spans[0], spans[-1]
    if len(spans) > 2 or math.isfinite(below.low) or math.isfinite(above.high):
        return ""
    if below.high == above.low:
        return f"!= {number(below.high)}"
    return f"not {_between(Span(below.high, not below.open_high, above.low, not above.open_low))}"


def _one(span: Span) -> str:
    if math.isinf(span.low) and math.isinf(span.high):
        return ""
    if span.low == span.high:
        return f"= {number(span.low)}"
    if math.isinf(span.high):
        return f"{'>' if span.open_low else '>='} {number(span.low)}"
    if math.isinf(span.low):
        return f"{'<' if span.open_high else '<='} {number(span.high)}"
    return _between(span)


def _between(span: Span) -> str:
    left, right = "(" if span.open_low else "", ")" if span.open_high else ""
    return f"between {left}{number(span.low)} and {number(span.high)}{right}"
