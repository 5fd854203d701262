"""Compute many aggregates in few scans.

Takes aggregates of SQL, each with what it is read from; gives a value for each, or why it failed. Aggregates of the
same relation share one scan; if that fails, it is halved until only the faulty one is left without a value.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from factory.quality.columns import in_one_line

#: So many aggregates are computed in one scan: more of them make a plan that takes longer than another scan.
MOST_IN_A_SCAN = 200


class Aggregate(NamedTuple):
    """One value over all rows of a relation, such as `count(*)` over `"orders"`."""

    relation: str
    sql: str


class Answer(NamedTuple):
    """The value of an aggregate, or why there is none; `seconds` is its share of the scan."""

    value: Any = None
    error: str = ""
    seconds: float = 0.0


def answers(aggregates: Iterable[Aggregate], connection: Any) -> dict[Aggregate, Answer]:
    """Return the answer to each aggregate; each is computed once, however often it is asked for."""
    by_relation: dict[str, list[Aggregate]] = {}
    for aggregate in dict.fromkeys(aggregates):
        by_relation.setdefault(aggregate.relation, []).append(aggregate)
    found: dict[Aggregate, Answer] = {}
    for asked in by_relation.values():
        for first in range(0, len(asked), MOST_IN_A_SCAN):
            found |= _scanned(asked[first : first + MOST_IN_A_SCAN], connection)
    return found


def _scanned(asked: Sequence[Aggregate], connection: Any) -> dict[Aggregate, Answer]:
    import duckdb

    listed = ", ".join(aggregate.sql for aggregate in asked)
    started = time.perf_counter()
    try:
        row = connection.execute(f"select {listed} from {asked[0].relation}").fetchone()  # noqa: S608
    except duckdb.Error as error:
        share = (time.perf_counter() - started) / len(asked)
        if len(asked) == 1:
            return {asked[0]: Answer(error=in_one_line(error), seconds=share)}
        half = len(asked) // 2
        halves = _scanned(asked[:half], connection) | _scanned(asked[half:], connection)
        return {each: answer._replace(seconds=answer.seconds + share) for each, answer in halves.items()}
    share = (time.perf_counter() - started) / len(asked)
    return {each: Answer(value, seconds=share) for each, value in zip(asked, row, strict=True)}
