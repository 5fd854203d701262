"""Open published tables as a consumer would, read each once, and see how old and how new its rows are.

Takes Parquet files, or a connection with tables, and the columns that say when a row is from; gives a
`PortReading` per table. A table that does not open is a reading with its error. Only reads.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from factory.periods import moment_of
from factory.tables import literal, quoted, without_values

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
)
# A number or text of four digits is a year, of six a month, of eight a day.
_TEXT_FORMS = (
    "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M%z", "%Y-%m-%dT%H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """From when the rows of a table are, by one column.

    Attributes:
        oldest, newest: the start of the earliest and latest period that the column names, in UTC; None where the
            column has no values or is no time.
        precision: what one value names: `time`, `day`, `month` or `year`.
        problem: why there is no time to be had, or empty.
    """

    oldest: datetime | None = None
    newest: datetime | None = None
    precision: str = "time"
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PortReading:
    """A published table, opened and read once in full.

    Attributes:
        table: its name.
        contract: the contract that covers it, as `name/major`, or empty.
        rows: how many rows it has.
        bytes: the size of its file, 0 for what is no file.
        seconds: how long it took to read every column of every row.
        elements: from when its rows are, by column.
        error: why it does not open, or empty.
    """

    table: str
    contract: str = ""
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    elements: Mapping[str, Span] = field(default_factory=dict)
    error: str = ""

    def values(self) -> dict[str, Any]:
        """Return it as a run record has it."""
        elements = {
            name: {
                "oldest": _text(span.oldest),
                "newest": _text(span.newest),
                "precision": span.precision,
                "problem": span.problem,
            }
            for name, span in self.elements.items()
        }
        return {
            "contract": self.contract,
            "table": self.table,
            "rows": self.rows,
            "bytes": self.bytes,
            "read_milliseconds": round(self.seconds * 1000, 3),
            "elements": elements,
            "error": self.error,
        }


def probe(
    connection: Any, tables: Mapping[str, Sequence[str]], contract: str = ""
) -> tuple[PortReading, ...]:
    """Read tables of a connection; `tables` has, by table, the columns that say when a row is from."""
    return tuple(
        _read(connection, quoted(table), table, contract, columns, 0) for table, columns in tables.items()
    )


def probe_files(
    files: Mapping[str, Path], columns: Mapping[str, Sequence[str]] | None = None, contract: str = ""
) -> tuple[PortReading, ...]:
    """Read published tables; `files` has the Parquet file of each, `columns` those that say when a row is from.

    They are opened by a connection that can read nothing else.
    """
    import duckdb

    found = []
    with duckdb.connect() as connection:
        paths = ", ".join(literal(file.absolute().as_posix()) for file in files.values())
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set allowed_paths = [{paths}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        for table, file in files.items():
            try:
                size = file.stat().st_size
            except OSError as error:
                reason = f"its file cannot be opened: {error.strerror}"
                found.append(PortReading(table, contract, error=reason))
                continue
            relation = f"read_parquet({literal(file.absolute().as_posix())})"
            wanted = (columns or {}).get(table, ())
            found.append(_read(connection, relation, table, contract, wanted, size))
    return tuple(found)


def reading_of(values: Mapping[str, Any]) -> PortReading:
    """Return a reading from a run record; what is not as expected is left out, and old records have less."""
    elements = values.get("elements")
    return PortReading(
        table=str(values.get("table") or ""),
        contract=str(values.get("contract") or ""),
        rows=int(_number(values.get("rows"))),
        bytes=int(_number(values.get("bytes"))),
        seconds=_number(values.get("read_milliseconds")) / 1000,
        elements={
            str(name): Span(
                moment_of(span.get("oldest")),
                moment_of(span.get("newest")),
                str(span.get("precision") or "time"),
                str(span.get("problem") or ""),
            )
            for name, span in (elements.items() if isinstance(elements, Mapping) else ())
            if isinstance(span, Mapping)
        },
        error=str(values.get("error") or ""),
    )


def _read(
    connection: Any, relation: str, table: str, contract: str, columns: Sequence[str], size: int
) -> PortReading:
    import duckdb

    started = time.perf_counter()
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()  # noqa: S608
        types = {str(row[0]): str(row[1]) for row in described}
        # A hash of everything: no column can be left out, as it could be for a count alone.
        listed = ", ".join(quoted(name) for name in types)
        query = f"select count(*), bit_xor(hash({listed})) from {relation}"  # noqa: S608
        rows = int(connection.execute(query).fetchone()[0])
        seconds = time.perf_counter() - started
        elements = {name: _span(connection, relation, name, types) for name in dict.fromkeys(columns)}
    except duckdb.Error as error:
        return PortReading(table, contract, bytes=size, error=_first_line(error))
    return PortReading(table, contract, rows, size, seconds, elements)


def _span(connection: Any, relation: str, column: str, types: Mapping[str, str]) -> Span:
    """Return from when rows are by a column, whose name may be written in another case."""
    import duckdb

    own = {name.lower(): name for name in types}.get(column.lower())
    if own is None:
        return Span(problem=f"the table has no column {column}")
    source, precision = _as_time(types[own])
    if not source:
        return Span(problem=f"its type {types[own]} is no time")
    query = (
        "select epoch_us(min(moment) filter (isfinite(moment))), epoch_us(max(moment) filter (isfinite(moment))),"  # noqa: S608
        f" count(value), count(value) - count(moment), min(precision)"
        f" from (select value, {source} as moment, {precision} as precision"
        f" from (select {quoted(own)} as value from {relation}))"
    )
    try:
        oldest, newest, values, unread, finest = connection.execute(query).fetchone()
        if values and unread:
            return Span(problem=f"{unread} of its {values} values are no dates")
        if oldest is None or newest is None:
            return Span(problem="it has no values")
        # Where values differ, the finest is what they are compared by; a digit in front keeps the order.
        return Span(_from_epoch(oldest), _from_epoch(newest), str(finest)[2:])
    except (duckdb.Error, OverflowError) as error:
        return Span(problem=f"its values cannot be read as times: {_first_line(error)}")


def _as_time(type_: str) -> tuple[str, str]:
    """Return the SQL of a value as a time in UTC and of its precision; nothing for what is no time."""
    if type_ == "DATE":
        return "try_cast(value as timestamp)", "'1 day'"
    if type_.startswith("TIMESTAMP"):
        plain = "value" if type_ == "TIMESTAMP WITH TIME ZONE" else "try_cast(value as timestamp)"
        return plain, "'0 time'"
    if type_ not in _WHOLE and type_ != "VARCHAR":
        return "", ""
    text = "trim(value::varchar)"
    digits = "when regexp_full_match({0}, '{1}') then {2}"
    year, month, day = (
        digits.format(text, pattern, f"try_strptime({text}, '{form}')")
        for pattern, form in (
            ("[12]\\d{3}", "%Y"),
            ("[12]\\d{3}-?\\d{2}", "%Y%m"),
            ("[12]\\d{7}", "%Y%m%d"),
        )
    )
    month = month.replace(f"try_strptime({text}", f"try_strptime(replace({text}, '-', '')")
    other = "null::timestamp"
    if type_ == "VARCHAR":
        # With a zone or an offset it is a moment; without one it is read as UTC.
        parsed = f"try_strptime({text}, {list(_TEXT_FORMS)})"
        other = f"coalesce(try_cast({text} as timestamptz), {parsed}) at time zone 'UTC'"
    moment = f"case {year} {month} {day} else {other} end"
    precision = (
        f"case when regexp_full_match({text}, '\\d{{4}}') then '3 year'"
        f" when regexp_full_match({text}, '\\d{{4}}-?\\d{{2}}') then '2 month'"
        f" when regexp_full_match({text}, '\\d{{8}}|\\d{{4}}[-/]\\d{{1,2}}[-/]\\d{{1,2}}') then '1 day'"
        " else '0 time' end"
    )
    return moment, precision


def _from_epoch(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _first_line(error: Exception) -> str:
    """Return what DuckDB says first, without the folders of this machine."""
    lines = without_values(str(error)).splitlines()
    return re.sub(r"/\S*/(?=[^/\s]+)", "", lines[0])[:300] if lines else type(error).__name__


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat().replace("+00:00", "Z")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
