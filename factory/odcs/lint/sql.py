"""The SQL of quality rules: one statement, that parses and only reads.

Takes the contract (its servers say which dialects) and queries; gives faults. SQL is parsed only as far as a bound
allows: a contract may come from anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from factory.documents import Path_
from factory.odcs.lint.walk import Values, items, text
from factory.standards import Fault

#: SQL of one rule, and of all rules of a file, is parsed up to so many characters.
MOST_SQL = 20_000
MOST_SQL_OF_A_FILE = 200_000
MOST_UNREAD = 20

# {table}, {object}, {column}, {property} as the standard's text and schema have them, with or without a dollar.
_PLACEHOLDER = re.compile(r"\$?\{\s*(\w+)\s*\}")
_KNOWN = ("table", "object", "model", "schema", "column", "property", "field")
_OF_COLUMN = ("column", "property", "field")

# One output that is a count, and nothing done to it.
_COUNTS = re.compile(r"\s*select\s+count\s*\(\s*(\*|[\w.${} \"]+)\s*\)\s*(as\s+\w+\s+)?from\b", re.IGNORECASE)

_DIALECTS = {
    "athena": "athena", "bigquery": "bigquery", "clickhouse": "clickhouse", "databricks": "databricks",
    "dremio": "dremio", "duckdb": "duckdb", "hive": "hive", "mysql": "mysql", "oracle": "oracle",
    "postgres": "postgres",
    "postgresql": "postgres", "presto": "presto", "redshift": "redshift", "snowflake": "snowflake", "sqlserver": "tsql",
    "synapse": "tsql", "trino": "trino", "exasol": "exasol", "teradata": "teradata", "local": "duckdb", "s3": "duckdb",
}  # fmt: skip
# sqlglot's own dialect first: it takes most of what any database takes, and loads no module of another.
_ANY = ("", "duckdb", "bigquery", "snowflake", "spark", "tsql", "oracle")


class SqlReader:
    """Reads the rules of one contract, in the dialects of its servers."""

    def __init__(self, data: Values) -> None:
        kinds = (text(server, "type") for _, server in items(data, "servers"))
        self._dialects = tuple(dict.fromkeys(_DIALECTS[kind] for kind in kinds if kind in _DIALECTS))
        self._read = 0
        self._unread = 0

    def counts(self, query: str) -> bool:
        """Say whether a query gives a count of rows, which is a whole number from 0."""
        return _COUNTS.match(query) is not None

    def faults(self, path: Path_, query: str, here: str, *, in_column: bool) -> Iterator[Fault]:
        """Yield what is wrong with a rule's query."""
        if not query.strip():
            yield Fault(path, f"{here}: the query is empty", code="sql-syntax")
            return
        unknown = [n for n in _PLACEHOLDER.findall(query) if n.lower() not in _KNOWN]
        if unknown:
            message = (
                f"{here}: the query has the placeholder {{{unknown[0]}}}, which the standard does not have"
            )
            yield Fault(
                path, message, "use {object} and {property}", code="sql-placeholder", severity="warning"
            )
        if not in_column and any(n.lower() in _OF_COLUMN for n in _PLACEHOLDER.findall(query)):
            message = f"{here}: the query names its column by a placeholder, and the rule stands on a table"
            yield Fault(path, message, "move the rule to its column", code="sql-placeholder")
        self._read += len(query)
        if len(query) > MOST_SQL or self._read > MOST_SQL_OF_A_FILE:
            message = f"{here}: the query was not checked: a rule's SQL is read up to {MOST_SQL:,} characters"
            hint = "make it a view, and ask that"
            yield Fault(path, message, hint, code="sql-too-long")
            return
        yield from self._judged(path, query, here)

    def _judged(self, path: Path_, query: str, here: str) -> Iterator[Fault]:
        from factory.sql import judge_query

        # A contract with this much that is no SQL is not looked at in every dialect.
        others = ("", *self._dialects, *(d for d in _ANY[1:] if d not in self._dialects))
        plain = _PLACEHOLDER.sub("placeholder_", query)
        judged: Any = None
        for dialect in others if self._unread < MOST_UNREAD else others[:1]:
            found = judge_query(plain, dialect)
            judged = judged or found
            if not found.syntax:
                judged = found
                break
        if judged.syntax:
            self._unread += 1
            yield Fault(
                path, f"{here}: the query is no SQL: {judged.syntax}", "try it in a client", code="sql-syntax"
            )
        elif judged.statements != 1:
            message = f"{here}: the query is {judged.statements} statements"
            yield Fault(path, message, "a rule asks one query", code="sql-statements")
        elif judged.writes:
            message = f"{here}: the query does more than read: {judged.writes}"
            yield Fault(path, message, "a rule is one SELECT", code="sql-writes")
        elif not judged.tables:
            message = f"{here}: the rule cannot tell good data from bad: its query reads no table"
            yield Fault(path, message, "select from {object}", code="cannot-fail")
