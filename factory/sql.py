"""Judge a query that somebody wrote: does it parse, and does it only read. And what sqlglot says of SQL that it cannot.

Takes SQL and sqlglot's name of a dialect; gives a `Judgement`. The SQL comes from anywhere; it is never run here.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from sqlglot import exp, parse
from sqlglot.errors import ParseError, SqlglotError

# A statement that sqlglot does not know would be printed to the terminal, as somebody wrote it.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

#: What a statement may raise in sqlglot, beside its own errors: one statement costs only itself.
SQL_FAULTS = (
    SqlglotError, ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError,
)  # fmt: skip

#: sqlglot calls itself for each bracket; far deeper than any query that a person wrote.
DEEPEST_BRACKETS = 100


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a query is.

    Attributes:
        syntax: why it does not parse, or empty.
        statements: how many statements it is.
        writes: the part that does more than read, or empty.
        tables: how many tables it reads.
    """

    syntax: str = ""
    statements: int = 0
    writes: str = ""
    tables: int = 0


_READS = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values, exp.With)
_WRITES = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.TruncateTable, exp.Copy,
    exp.Command, exp.Into, exp.Set, exp.Use, exp.Attach, exp.Detach, exp.Pragma, exp.Grant, exp.LoadData, exp.Export,
    exp.Transaction, exp.Commit, exp.Rollback, exp.Kill, exp.Lock,
)  # fmt: skip


def judge_query(sql: str, dialect: str) -> Judgement:
    """Judge a query in one dialect."""
    if _deepest(sql) > DEEPEST_BRACKETS:
        return Judgement(syntax=f"brackets within each other more than {DEEPEST_BRACKETS} times")
    try:
        found = [tree for tree in parse(sql, dialect=dialect) if tree is not None]
    except RecursionError:
        return Judgement(syntax="nested too deeply")
    except SQL_FAULTS as error:
        return Judgement(syntax=why_unreadable(error))
    if not found:
        return Judgement(syntax="there is no statement in it")
    writes = ""
    tables = 0
    for tree in found:
        if not isinstance(tree, _READS) and not _is_query(tree):
            writes = writes or tree.key.upper()
        made = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
        for part in tree.walk():
            if isinstance(part, _WRITES):
                writes = writes or part.key.upper()
            elif isinstance(part, exp.Table):
                tables += part.name.lower() not in made or bool(part.db)
    return Judgement(statements=len(found), writes=writes, tables=tables)


def _is_query(tree: object) -> bool:
    return isinstance(tree, exp.Query | exp.From)


def _deepest(sql: str) -> int:
    """Return how deep brackets stand within each other; those in quotes count too, which errs to the safe side."""
    depth = deepest = 0
    for bracket in re.findall(r"[(){}\[\]]|\bcase\b|\bend\b", sql, re.IGNORECASE):
        depth += 1 if bracket.lower() in "([{case" else -1
        deepest = max(deepest, depth)
    return deepest


def why_unreadable(error: Exception) -> str:
    """Return why sqlglot cannot read a statement, and where; nothing of the statement's own text."""
    if isinstance(error, ParseError) and error.errors:
        first = error.errors[0]
        where = f"Line {first.get('line')}, Col: {first.get('col')}"
        return f"SQL that sqlglot cannot read: {first.get('description')} {where}"
    place = re.search(r"[Ll]ine:? (\d+),? [Cc]ol(?:umn)?:? (\d+)", str(error))
    where = f", Line {place[1]}, Col: {place[2]}" if place else ""
    return f"SQL that sqlglot cannot read: {type(error).__name__}{where}"
