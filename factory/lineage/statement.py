"""Read one SQL statement: its output columns, what flows into them, what decides about its rows.

Takes compiled SQL, dbt's name of the dialect and the tables that the statement may name; gives a `Statement`. sqlglot
parses the statement and finds its scopes; whose a name is, is looked for here (`names.py`), since columns are often
not all known and sqlglot refuses such statements.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialects
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.optimizer.scope import Scope, build_scope

from factory.lineage.choices import HAS_CHOICES
from factory.lineage.graph import TOO_DEEP, Statement, Table
from factory.lineage.reader import Reader
from factory.lineage.rewrite import one_query
from factory.sql import SQL_FAULTS, why_unreadable

#: Bounds of what is read; what is beyond them is said to be unknown. Time and memory of sqlglot grow with the square of
#: the number of set operations: 2,000 take some 4 seconds.
LONGEST = 4_000_000
MOST_SET_OPERATIONS = 2_000
#: So many operators within each other, such as the terms of a sum, take sqlglot some 4 seconds; it, too, is squared.
DEEPEST = 6_000

# sqlglot tells of what it cannot follow in a log; we tell it in what is unknown.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

# Adapters whose SQL sqlglot knows under another name.
_DIALECTS = {
    "alloydb": "postgres", "cratedb": "postgres", "decodable": "spark", "fabric": "tsql", "fabricspark": "spark",
    "glue": "spark", "greenplum": "postgres", "impala": "hive", "mariadb": "mysql", "postgresql": "postgres",
    "rockset": "postgres", "sqlserver": "tsql", "starburst": "trino", "synapse": "tsql", "timescaledb": "postgres",
    "upsolver": "athena", "vertica": "postgres", "yellowbrick": "postgres",
}  # fmt: skip


def dialects() -> set[str]:
    """Return the names of databases whose SQL can be read: those of dbt's adapters and those of sqlglot."""
    return {str(dialect.value) for dialect in Dialects if dialect.value} | set(_DIALECTS)


def read_statement(
    sql: str,
    adapter: str,
    tables: Mapping[tuple[str, str, str], Table],
    *,
    inlined: Mapping[str, Table] | None = None,
    wanted: Collection[str] = (),
    anonymisers: Collection[str] = (),
) -> Statement:
    """Return the lineage of one statement; a statement that cannot be read is one with an error.

    Args:
        sql: compiled SQL.
        adapter: dbt's name of the database, or sqlglot's of the dialect.
        tables: what the statement may read, by catalog, schema and name in lower case.
        inlined: ephemeral models, by the name of the CTE that dbt put them in, in lower case.
        wanted: columns to trace, if a star over unknown columns lets them through.
        anonymisers: macros whose comment says that a value was made anonymous.

    """
    try:
        dialect, known, root = _opened(sql, adapter, tables, inlined or {})
        choices = HAS_CHOICES.search(sql) is not None
        found = Reader(known, dialect, anonymisers, choices=choices).read(root, wanted)
        return Statement(found.columns, found.influences, found.hidden, complete=found.complete)
    except _UnreadableError as error:
        return Statement(error=str(error))
    except RecursionError:
        return Statement(error=TOO_DEEP)
    except SQL_FAULTS as error:
        return Statement(error=why_unreadable(error))


def named_columns(
    sql: str,
    adapter: str,
    tables: Mapping[tuple[str, str, str], Table],
    inlined: Mapping[str, Table],
) -> frozenset[tuple[str, str]] | None:
    """Return the columns that a statement names and does not only take by a star; None where it cannot be read."""
    try:
        dialect, known, root = _opened(sql, adapter, tables, inlined)
        return Reader(known, dialect, choices=HAS_CHOICES.search(sql) is not None).named(root)
    except (_UnreadableError, *SQL_FAULTS):
        return None


_SET_OPERATION = re.compile(
    r"\b(union|except|intersect)\s+(all\b|distinct\b|by\b|select\b|\()", re.IGNORECASE
)


class _UnreadableError(Exception):
    """The statement cannot be read, for a reason that can be told."""


def _opened(
    sql: str, adapter: str, tables: Mapping[tuple[str, str, str], Table], inlined: Mapping[str, Table]
) -> tuple[str, dict[tuple[str, str, str], Table], Scope]:
    """Parse a statement and find its scopes."""
    dialect = _DIALECTS.get(adapter, adapter)
    if len(sql) > LONGEST:
        raise _UnreadableError(f"{len(sql):,} characters of SQL; {LONGEST:,} are read at most")
    branches = len(_SET_OPERATION.findall(sql))
    if branches > MOST_SET_OPERATIONS:
        raise _UnreadableError(f"{branches:,} set operations; {MOST_SET_OPERATIONS:,} are followed at most")
    try:
        sql = sql.lstrip("\ufeff")
        tree = one_query(parse(sql, dialect=dialect), sql)
        if isinstance(tree, str):
            raise _UnreadableError(tree)
        if len(sql) > DEEPEST and (depth := _depth(tree)) > DEEPEST:
            raise _UnreadableError(f"SQL nested {depth:,} deep; {DEEPEST:,} are followed at most")
        known = {**tables, **_without(tree, inlined)}
        root = build_scope(qualify_tables(tree, dialect=dialect))
    except ValueError as error:
        raise _UnreadableError(f"no dialect for {adapter} ({error}); name one with --dialect") from error
    except SqlglotError as error:
        raise _UnreadableError(why_unreadable(error)) from error
    if root is None:
        raise _UnreadableError("not a query")
    return dialect, known, root


def _depth(tree: exp.Expr) -> int:
    """Return how many parts of a statement stand within each other at most."""
    deepest = 0
    waiting: list[tuple[exp.Expr, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in node.iter_expressions()]
    return deepest


def _without(tree: exp.Query, inlined: Mapping[str, Table]) -> dict[tuple[str, str, str], Table]:
    """Take the SQL of ephemeral models out of a statement; return them as the tables that they are."""
    found: dict[tuple[str, str, str], Table] = {}
    with_ = tree.args.get("with_")
    if with_ is None or not inlined:
        return found
    for cte in list(with_.expressions):
        table = inlined.get(cte.alias.lower())
        if table is not None:
            found["", "", cte.alias.lower()] = table
            cte.pop()
    if not with_.expressions:
        with_.pop()
    return found
