"""One statement to read, and what was found about it, as text: for the cache, and between processes."""

from __future__ import annotations

import functools
import json
import sys
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from factory.lineage.graph import TOO_DEEP, ColumnTrace, Influence, Source, Statement, Table

#: Room for statements that are nested deeply: bytes of stack, and calls within each other.
STACK = 512 * 1024 * 1024
DEPTH = 30_000


@dataclass(frozen=True)
class Task:
    """All that a finding depends on; see `read_statement`."""

    sql: str
    dialect: str
    tables: tuple[tuple[tuple[str, str, str], Table], ...]
    inlined: tuple[tuple[str, Table], ...]
    wanted: tuple[str, ...]
    anonymisers: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        """The task as text, for its fingerprint."""
        tables = [f"{key}{_text(table)}" for key, table in self.tables]
        inlined = [f"{name!r}{_text(table)}" for name, table in self.inlined]
        return "\0".join([self.sql, self.dialect, *tables, "", *inlined, f"{self.wanted}{self.anonymisers}"])


@functools.lru_cache(maxsize=20_000)
def _text(table: Table) -> str:
    return f"{table.relation!r}{table.open}{table.columns}"


def answer(task: Task) -> str:
    """Read a task's statement; return what was found as one line of JSON."""
    statement = _read(task)
    if statement.error == TOO_DEEP:
        statement = _with_room(task)
    columns = [
        [c.column, [_packed(s) for s in c.sources], c.expression, c.unknown, c.made]
        for c in statement.columns
    ]
    influences = [[*_packed(i), i.expression] for i in statement.influences]
    values = [columns, influences, statement.hidden, statement.error, statement.complete]
    return json.dumps(values, separators=(",", ":"))


def _read(task: Task) -> Statement:
    from factory.lineage.statement import read_statement  # sqlglot is of no use where all is known

    return read_statement(
        task.sql,
        task.dialect,
        dict(task.tables),
        inlined=dict(task.inlined),
        wanted=task.wanted,
        anonymisers=frozenset(task.anonymisers),
    )


def _with_room(task: Task) -> Statement:
    """Read a deeply nested statement in a thread with room for it: sqlglot and this reader go as deep as the SQL."""
    found: list[Statement] = []
    limit = sys.getrecursionlimit()
    size = threading.stack_size(STACK)
    try:
        sys.setrecursionlimit(max(limit, DEPTH))
        thread = threading.Thread(target=lambda: found.append(_read(task)))
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    return found[0] if found else Statement(error=TOO_DEEP)


def _packed(source: Source | Influence) -> list[Any]:
    return [source.relation, source.column, source.kind, int(source.masking)]


def decode(text: str) -> Statement:
    """Return what was found."""
    columns, influences, hidden, error, complete = json.loads(text)
    return Statement(
        tuple(
            ColumnTrace(
                name, tuple(Source(r, c, k, bool(m)) for r, c, k, m in sources), expression, unknown, made
            )
            for name, sources, expression, unknown, made in columns
        ),
        tuple(Influence(r, c, k, bool(m), expression) for r, c, k, m, expression in influences),
        tuple(hidden),
        error,
        complete,
    )
