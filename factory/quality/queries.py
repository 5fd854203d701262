"""Rules that are SQL of people: what may be run, and what it gives.

Takes a rule and a connection; gives the one value of its query. A query is one SELECT and nothing else, DuckDB says
so; that it reads no files is the connection's business (see `tables.opened`).
"""

from __future__ import annotations

import re
from typing import Any

from factory.contract import Rule
from factory.quality.columns import NotThereError, Tables, in_one_line
from factory.quality.measures import NotExecutableError
from factory.tables import literal, quoted

_PLACEHOLDER = re.compile(
    r"""(?P<quote>["'`]?)\$?\{\s*(?P<name>table|object|model|column|property|field|schema)\s*\}(?P=quote)"""
)
_SELECT = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|from|values)\b", re.IGNORECASE | re.DOTALL)


class NoSingleValueError(Exception):
    """The query gave no row, or more than one value; the message says which."""


def value_of(rule: Rule, tables: Tables) -> Any:
    """Return the value that a rule's query gives.

    Raises:
        NotExecutableError: it is not one SELECT.
        NoSingleValueError: it gave more or less than one value.
        duckdb.Error: it failed.

    """
    query = _readable(str(rule.definition.get("query") or ""), rule, tables)
    result = tables.connection.execute(query)
    columns = len(result.description)
    if columns != 1:
        raise NoSingleValueError(f"it gave {columns} columns; a rule's query gives one row of one column")
    rows = result.fetchmany(2)
    if not rows:
        raise NoSingleValueError("it gave no row; a rule's query gives one row of one column")
    if len(rows) > 1:
        raise NoSingleValueError("it gave more than one row; a rule's query gives one row of one column")
    return rows[0][0]


def _readable(query: str, rule: Rule, tables: Tables) -> str:
    import duckdb

    connection = tables.connection
    query = filled(query, rule, tables)
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise NotExecutableError(f"its SQL does not parse: {in_one_line(error)[:200]}") from error
    # DuckDB takes PRAGMA and DESCRIBE for a SELECT, too.
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT or not _SELECT.match(query):
        raise NotExecutableError("a rule is one SELECT and nothing else")
    model = str(rule.facts.get("model") or "")
    if model and model.lower() != rule.table.lower():
        # People write the name that the table has in the contract.
        inner = str(statements[0].query).strip().rstrip(";")
        return f"with {quoted(model)} as (from {quoted(rule.table)}) select * from ({inner}\n)"  # noqa: S608
    return query


def filled(query: str, rule: Rule, tables: Tables) -> str:
    """Return a query with names in the places that are left for them; what stands in quotes stays in one pair."""
    names = {"table": rule.table, "column": rule.column}

    def fill(found: re.Match[str]) -> str:
        word = found["name"]
        word = {"object": "table", "model": "table", "property": "column", "field": "column"}.get(word, word)
        if word == "schema":
            name = str(tables.connection.execute("select current_schema()").fetchone()[0])
        else:
            name = names[word]
        if found["quote"] == "'":
            return literal(name)
        if word == "column" and ("." in name or "[" in name):
            return _expression(rule, tables)
        return quoted(name)

    return _PLACEHOLDER.sub(fill, query)


def _expression(rule: Rule, tables: Tables) -> str:
    """Return a field of a struct as SQL; what is inside a list has no name there."""
    try:
        place = tables.place(rule.table, rule.column)
    except NotThereError:
        return quoted(rule.column)
    if place.inside:
        raise NotExecutableError(f"{rule.column} is inside a list, and has no name of its own in SQL")
    return place.expression
