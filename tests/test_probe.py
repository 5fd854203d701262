"""The probe of published tables, on real Parquet files: what opens, how much there is, and from when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from factory.quality.probe import PortReading, Span, probe, probe_files, reading_of
from factory.tables import literal


def a_file(folder: Path, query: str, name: str = "t") -> Path:
    file = folder / f"{name}.parquet"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"copy ({query}) to {literal(file.as_posix())} (format parquet)")
    return file


def a_reading(folder: Path, query: str, *columns: str) -> PortReading:
    file = a_file(folder, query)
    return probe_files({"t": file}, {"t": columns}, "orders/1")[0]


def a_span(folder: Path, values: str, column: str = "x") -> Span:
    return a_reading(folder, f"select * from (values {values}) v(x)", column).elements[column]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_a_table_is_read_with_its_rows_bytes_and_time(tmp_path: Path) -> None:
    reading = a_reading(
        tmp_path, "select range as id, date '2024-01-01' + range::int as day from range(500)", "day"
    )
    assert (reading.table, reading.contract, reading.rows, reading.error) == ("t", "orders/1", 500, "")
    assert reading.bytes == (tmp_path / "t.parquet").stat().st_size
    assert reading.seconds > 0
    assert reading.elements == {"day": Span(utc(2024, 1, 1), utc(2025, 5, 14), "day")}


def test_a_missing_file_does_not_open(tmp_path: Path) -> None:
    (reading,) = probe_files({"t": tmp_path / "none.parquet"})
    assert reading.error == "its file cannot be opened: No such file or directory"
    assert (reading.rows, reading.bytes) == (0, 0)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_does_not_open(tmp_path: Path, keep: int) -> None:
    file = a_file(tmp_path, "select range as id, range::varchar as text from range(1000)")
    file.write_bytes(file.read_bytes()[:keep])
    (reading,) = probe_files({"t": file})
    assert reading.error
    assert reading.rows == 0


def test_a_page_that_is_damaged_is_found_since_every_column_is_read(tmp_path: Path) -> None:
    file = a_file(tmp_path, "select range as id, md5(range::varchar) as text from range(20000)")
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    file.write_bytes(content)
    (reading,) = probe_files({"t": file})
    assert reading.error


def test_a_folder_or_a_text_is_no_table(tmp_path: Path) -> None:
    folder, text = tmp_path / "folder.parquet", tmp_path / "text.parquet"
    folder.mkdir()
    text.write_text("id,day\n1,2024-01-01\n")
    assert all(reading.error for reading in probe_files({"a": folder, "b": text}))


def test_an_empty_table_opens_and_has_no_time(tmp_path: Path) -> None:
    reading = a_reading(tmp_path, "select 1 as id, date '2024-01-01' as day where false", "day")
    assert (reading.rows, reading.error) == (0, "")
    assert reading.elements["day"] == Span(problem="it has no values")


def test_every_type_of_column_can_be_read(tmp_path: Path) -> None:
    reading = a_reading(
        tmp_path,
        "select 1::hugeint h, 'x'::blob b, interval 1 day i, map {1: 2} m, [1, 2] l, {'a': [1]} s, uuid() u,"
        " 1.5::decimal(38, 10) d, time '10:00' t, '{}'::json j, true o, null n, 'nan'::double f",
    )
    assert (reading.rows, reading.error) == (1, "")


def test_names_may_hold_anything(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] *folder*"
    folder.mkdir()
    reading = a_reading(folder, """select 1 as "a ""b"", c", date '2024-01-01' as "Day Of" """, "day of")
    assert reading.error == ""
    assert reading.elements["day of"].newest == utc(2024, 1, 1)


@pytest.mark.parametrize(
    ("values", "oldest", "newest", "precision"),
    [
        ("(date '2020-02-29'), (null), (date '2024-04-07')", utc(2020, 2, 29), utc(2024, 4, 7), "day"),
        ("(date 'infinity'), (date '2024-04-07')", utc(2024, 4, 7), utc(2024, 4, 7), "day"),
        ("(timestamp '2024-04-07 10:30:00')", utc(2024, 4, 7, 10, 30), utc(2024, 4, 7, 10, 30), "time"),
        ("(timestamp_ns '2024-04-07 10:30:00')", utc(2024, 4, 7, 10, 30), utc(2024, 4, 7, 10, 30), "time"),
        ("(timestamptz '2024-04-07 10:30:00+02')", utc(2024, 4, 7, 8, 30), utc(2024, 4, 7, 8, 30), "time"),
        ("(2011), (2023)", utc(2011, 1, 1), utc(2023, 1, 1), "year"),
        ("(202402)", utc(2024, 2, 1), utc(2024, 2, 1), "month"),
        ("(20240229::bigint)", utc(2024, 2, 29), utc(2024, 2, 29), "day"),
        ("('2024-02'), ('2023-12')", utc(2023, 12, 1), utc(2024, 2, 1), "month"),
        ("('2024')", utc(2024, 1, 1), utc(2024, 1, 1), "year"),
        ("('2024-04-07'), (' 2024-04-08 ')", utc(2024, 4, 7), utc(2024, 4, 8), "day"),
        ("('2024-04-07T10:30:00Z')", utc(2024, 4, 7, 10, 30), utc(2024, 4, 7, 10, 30), "time"),
        ("('2024-04-07T10:30Z')", utc(2024, 4, 7, 10, 30), utc(2024, 4, 7, 10, 30), "time"),
        ("('2024-04-07T10:30:00+02:00')", utc(2024, 4, 7, 8, 30), utc(2024, 4, 7, 8, 30), "time"),
        (
            "('2024-04-07 10:30:00.5')",
            utc(2024, 4, 7, 10, 30, 0, 500000),
            utc(2024, 4, 7, 10, 30, 0, 500000),
            "time",
        ),
    ],
)
def test_times_are_found_in_many_types(
    tmp_path: Path, values: str, oldest: datetime, newest: datetime, precision: str
) -> None:
    assert a_span(tmp_path, values) == Span(oldest, newest, precision)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ("('06/01/2009'), ('2009-06-01')", "1 of its 2 values are no dates"),
        ("('2024-02-30')", "1 of its 1 values are no dates"),
        ("(3), (17)", "2 of its 2 values are no dates"),
        ("(1.5::double)", "its type DOUBLE is no time"),
        ("(true)", "its type BOOLEAN is no time"),
        ("(time '10:00')", "its type TIME is no time"),
        ("(null::date)", "it has no values"),
        ("(date '0044-03-15 (BC)')", "its values cannot be read as times: date value out of range"),
        ("(date '20000-01-01')", "its values cannot be read as times: date value out of range"),
    ],
)
def test_what_is_no_time_is_said(tmp_path: Path, values: str, problem: str) -> None:
    assert a_span(tmp_path, values) == Span(problem=problem)


def test_a_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert (
        a_reading(tmp_path, "select 1 as id", "day").elements["day"].problem == "the table has no column day"
    )


def test_tables_of_a_connection_are_read_alike() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table orders as select date '2024-04-07' as day, 1 as id")
        found = probe(connection, {"orders": ["day"], "gone": []}, "orders/1")
    assert (found[0].rows, found[0].elements["day"].newest) == (1, utc(2024, 4, 7))
    assert found[1].error


def test_the_probe_can_read_no_other_file(tmp_path: Path) -> None:
    """A Parquet file holds no SQL, but its path stands in some."""
    other = a_file(tmp_path, "select 1 as id", "other")
    name = tmp_path / f"t.parquet') union all select * from read_parquet('{other.name}"
    (reading,) = probe_files({"t": name})
    assert reading.error.startswith("its file cannot be opened")


def test_a_reading_is_kept_in_a_run_record(tmp_path: Path) -> None:
    reading = a_reading(tmp_path, "select date '2024-04-07' as day, 1 as id", "day", "gone")
    kept = reading_of(reading.values())
    assert kept.elements == dict(reading.elements)
    assert (kept.rows, kept.bytes, kept.table) == (reading.rows, reading.bytes, reading.table)
    assert reading.values()["elements"]["day"]["newest"] == "2024-04-07T00:00:00Z"
    assert reading_of({}) == PortReading("")
    assert reading_of({"rows": "many", "elements": [1], "bytes": None}) == PortReading("")
