"""Service levels: what is promised, what was measured, and the verdict, by cases worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.documents import read_yaml
from factory.levels import (
    ELEMENTS,
    GROUPS,
    Facts,
    IncidentTimes,
    Level,
    RunFact,
    State,
    Verdict,
    contract_key,
    element_states,
    elements_of,
    indicators,
    measure,
    purges,
    run_of,
    runs_of,
    schedule_of,
    targets_of,
    time_columns,
)
from factory.levels.durations import Duration, duration_in, elapsed
from factory.levels.schedule import TimeOfDay, time_in, zone_in
from factory.quality.probe import PortReading, Span
from factory.workspace import Settings

PRODUCTS = Path(__file__).parents[1] / "products"
MET, BREACHED = Verdict.MET, Verdict.BREACHED
NOT_MEASURED, NO_TARGET = Verdict.NOT_MEASURED, Verdict.NO_TARGET


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


NOW = utc(2026, 11, 20, 12)


def a_contract(*entries: Any, **more: Any) -> dict[str, Any]:
    table = {"name": "orders", "properties": [{"name": "id"}, {"name": "day"}]}
    return {
        "name": "orders",
        "version": "1.2.0",
        "schema": [table],
        "slaProperties": list(entries),
        **more,
    }


def a_level(entry: dict[str, Any], facts: Facts | None = None, now: datetime = NOW, **more: Any) -> Level:
    levels = measure(a_contract(entry, **more), facts or Facts(), now)
    assert len(levels) == 1
    return levels[0]


def a_port(**values: Any) -> PortReading:
    return PortReading(
        "orders", **{"contract": "orders/1", "rows": 1000, "bytes": 8000, "seconds": 0.5, **values}
    )


def with_days(oldest: datetime, newest: datetime, precision: str = "day") -> Facts:
    return Facts(ports=(a_port(elements={"day": Span(oldest, newest, precision)}),), published_at=NOW)


def a_run(at: datetime, outcome: str = "certified", kind: str = "build", **more: Any) -> RunFact:
    return RunFact(at, kind, outcome, **more)


def test_the_nineteen_elements_are_those_of_the_data_qos_table() -> None:
    table = [(e.abbreviation, e.name, e.category, e.place, e.period) for e in ELEMENTS]
    assert table == [
        ("Av", "Availability", "SLI", "R1", 1),
        ("Cv", "Coverage", "DQ", "R2", 2),
        ("Cf", "Conformity", "DQ", "R3", 3),
        ("Cp", "Completeness", "DQ", "R4", 4),
        ("Ac", "Accuracy", "DQ", "M1", 2),
        ("Cs", "Consistency", "DQ", "M2", 3),
        ("Uq", "Uniqueness", "DQ", "M3", 4),
        ("Th", "Throughput", "SLI", "P1", 3),
        ("Er", "Error rate", "SLI", "P2", 4),
        ("Ga", "General availability", "SLI", "L1", 2),
        ("Es", "End of support", "SLI", "L2", 3),
        ("El", "End of life", "SLI", "L3", 4),
        ("Re", "Retention", "SLI", "B1", 2),
        ("Fy", "Frequency of update", "SLI", "B2", 3),
        ("Ly", "Latency", "SLI", "B3", 4),
        ("Td", "Time to detect", "SLI", "T1", 1),
        ("Tn", "Time to notify", "SLI", "T2", 2),
        ("Tr", "Time to repair", "SLI", "T3", 3),
        ("Tm", "Timeliness", "DQ", "T4", 4),
    ]
    assert {e.group for e in ELEMENTS} == set(GROUPS)
    assert len({(e.group, e.order) for e in ELEMENTS}) == 19


def test_a_team_adds_elements_and_replaces_built_in_ones() -> None:
    own = {"abbreviation": "Cb", "group": "B", "order": 4, "category": "SLI", "period": 5}
    other = {**own, "abbreviation": "Th", "name": "Throughput of ours"}
    elements = elements_of(Settings(elements={"carbon_per_run": own, "throughput": other}))
    assert [e.abbreviation for e in elements][-2:] == ["Cb", "Th"]
    assert len(elements) == 20
    assert elements[-2].name == "Carbon per run"
    assert elements[-2].properties == ("carbon_per_run",)


@pytest.mark.parametrize(
    ("direction", "value", "verdict"),
    [("at_most", 5, MET), ("at_most", 3, BREACHED), ("at_least", 5, BREACHED), ("at_least", 3, MET)],
)
def test_a_check_measures_an_element_of_a_team(direction: str, value: float, verdict: Verdict) -> None:
    own = {
        "abbreviation": "Cb", "group": "B", "order": 4, "category": "SLI", "period": 5, "property": "carbon",
        "direction": direction, "check": "grams of carbon",
    }  # fmt: skip
    elements = elements_of(Settings(elements={"carbon": own}))
    contract = a_contract({"property": "Carbon", "value": value, "unit": "g"})
    (unknown,) = measure(contract, Facts(), NOW, elements)
    assert (unknown.verdict, unknown.reason) == (NOT_MEASURED, "the check 'grams of carbon' has no value")
    (level,) = measure(contract, Facts(measurements={"grams of carbon": 4.0}), NOW, elements)
    assert (level.verdict, level.measured, level.abbreviation) == (verdict, 4.0, "Cb")


def test_a_property_that_nobody_knows_is_not_measured() -> None:
    level = a_level({"property": "karma", "value": 3})
    assert (level.verdict, level.reason) == (NOT_MEASURED, "the factory has no measurement for it")


# The fixture of SLA-1


def test_the_service_levels_of_the_air_quality_example() -> None:
    contract = a_contract(
        {"property": "endOfSupport", "value": "2030-01-01T00:00:00-04:00"},
        {"property": "retention", "value": 100, "unit": "y"},
        {"property": "generalAvailability", "value": "2014-10-23T00:00:00-04:00"},
        {"property": "latency", "value": -1, "unit": "As needed"},
        schema=[{"name": "air_quality", "properties": [{"name": "StartDate"}]}],
        slaDefaultColumn="StartDate",
    )
    span = Span(utc(2005, 1, 1), utc(2023, 1, 1), "day")
    assert time_columns(contract) == {"air_quality": ("StartDate",)}
    facts = Facts(ports=(PortReading("air_quality", elements={"StartDate": span}),))
    found = {level.property: level for level in measure(contract, facts, NOW)}
    assert {name: level.verdict for name, level in found.items()} == {
        "endOfSupport": MET,
        "retention": MET,
        "generalAvailability": MET,
        "latency": NO_TARGET,
    }
    assert found["latency"].measured is None
    assert found["latency"].target is None
    assert found["latency"].reason == "nothing is promised: -1 As needed"
    assert found["endOfSupport"].target == "2030-01-01T00:00:00-04:00"
    assert found["retention"].reason == "oldest StartDate is 2005-01-01, 21 years 323 days before now"


@pytest.mark.parametrize(
    "entry",
    [
        {"value": -1},
        {"value": "-1"},
        {"value": -1.0, "unit": "d"},
        {"value": "As needed"},
        {"value": 5, "unit": "as needed"},
        {"value": "n/a"},
    ],
)
@pytest.mark.parametrize("name", ["latency", "availability", "frequency", "endOfLife", "errorRate", "karma"])
def test_what_promises_nothing_is_neither_measured_nor_breached(name: str, entry: dict[str, Any]) -> None:
    level = a_level({"property": name, **entry}, with_days(utc(1900, 1, 1), utc(1900, 1, 1)))
    assert (level.verdict, level.measured, level.target) == (NO_TARGET, None, None)


# R1 availability


def opened(*days: int) -> tuple[RunFact, ...]:
    """One look a day before NOW; in those of `days` it did not open."""
    return tuple(
        a_run(NOW - timedelta(days=day), ports=(a_port(error="no file" if day in days else ""),))
        for day in range(1, 20)
    )


@pytest.mark.parametrize(
    ("target", "shut", "measured", "verdict"),
    [
        (99.5, (), 100.0, MET),
        (99.5, (3,), 95.0, BREACHED),
        (95, (3,), 95.0, MET),
        (95, (3, 4), 90.0, BREACHED),
    ],
)
def test_availability_is_the_share_of_looks_in_which_every_table_opened(
    target: float, shut: tuple[int, ...], measured: float, verdict: Verdict
) -> None:
    facts = Facts(ports=(a_port(),), runs=opened(*shut))
    level = a_level({"property": "availability", "value": target, "unit": "percent"}, facts)
    assert (level.measured, level.measured_unit, level.verdict) == (measured, "percent", verdict)
    if not shut:
        assert level.reason == "it opened every time in the last 30 days"
    elif shut == (3,):
        assert level.reason == (
            "it opened 19 of 20 times in the last 30 days; orders did not open at 2026-11-17 12:00 UTC: no file"
        )


def test_availability_counts_the_present_look_once_and_a_window_of_its_own() -> None:
    closed = Facts(ports=(a_port(error="gone"),), runs=(*opened(), a_run(NOW, ports=(a_port(error="gone"),))))
    entry = {"property": "Av", "value": 99, "unit": "%"}
    assert a_level(entry, closed).measured == 95.0
    assert a_level({**entry, "valueExt": "4 d"}, closed).measured == 80.0
    assert a_level({**entry, "valueExt": "P4D"}, closed).measured == 80.0


def test_availability_is_of_the_tables_that_are_named() -> None:
    other = replace(a_port(error="gone"), table="lines")
    schema = [{"name": "orders", "properties": []}, {"name": "lines", "properties": []}]
    entry = {"property": "availability", "value": 99, "unit": "percent"}
    facts = Facts(ports=(a_port(), other))
    assert a_level({**entry, "element": "orders.id"}, facts, schema=schema).verdict is MET
    assert a_level({**entry, "element": "orders.id,lines.id"}, facts, schema=schema).verdict is BREACHED
    assert a_level(entry, Facts(ports=(a_port(), replace(other, contract="orders/2")))).verdict is MET


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"value": "many"}, "'many' is no number"),
        ({"value": 0.995, "unit": "stars"}, "'stars' is no unit of a share: use percent"),
        ({"value": 120}, "120 percent is more than all"),
        ({"value": "99.5%"}, ""),
        ({"value": 0.995, "unit": "fraction"}, ""),
        ({"value": "99.5", "unit": "percent"}, ""),
    ],
)
def test_a_share_has_its_unit(entry: dict[str, Any], reason: str) -> None:
    level = a_level({"property": "availability", **entry}, Facts(ports=(a_port(),)))
    assert level.verdict is (NOT_MEASURED if reason else MET)
    assert level.reason == (reason or "it opened 1 of 1 time in the last 30 days")


# P1 throughput, P2 error rate


@pytest.mark.parametrize(
    ("value", "unit", "measured", "verdict"),
    [
        (1000, "rows/s", 2000.0, MET),
        (3000, "rows/s", 2000.0, BREACHED),
        (2000, None, 2000.0, MET),
        (100_000, "rows per minute", 120_000.0, MET),
        (16, "kB/s", 16.0, MET),
        (17, "kB/s", 16.0, BREACHED),
        (15.6, "KiB/s", 15.625, MET),
        (1, "MB/s", 0.016, BREACHED),
        (16000, "bytes/s", 16000.0, MET),
    ],
)
def test_throughput_is_rows_or_bytes_of_a_full_read(
    value: float, unit: str | None, measured: float, verdict: Verdict
) -> None:
    level = a_level({"property": "throughput", "value": value, "unit": unit}, Facts(ports=(a_port(),)))
    assert (level.measured, level.measured_unit, level.verdict) == (measured, unit or "rows/s", verdict)
    assert level.reason == "1000 rows, 8000 bytes, read in 500.0 ms"


@pytest.mark.parametrize(
    ("facts", "unit", "reason"),
    [
        (Facts(), "rows/s", "nobody read the tables"),
        (Facts(ports=()), "rows/s", "there was nothing to read"),
        (Facts(ports=(a_port(rows=0),)), "rows/s", "there was nothing to read"),
        (Facts(ports=(a_port(error="no file"),)), "rows/s", "orders does not open: no file"),
        (Facts(), "miles/h", "'miles/h' is no unit of throughput: use rows/s or MB/s"),
    ],
)
def test_throughput_that_cannot_be_measured_is_never_good(facts: Facts, unit: str, reason: str) -> None:
    level = a_level({"property": "throughput", "value": 1, "unit": unit}, facts)
    assert (level.verdict, level.reason) == (NOT_MEASURED, reason)


def test_the_error_rate_is_the_share_of_runs_that_failed() -> None:
    runs = (
        a_run(NOW - timedelta(days=1)),
        a_run(NOW - timedelta(days=2), "refused"),
        a_run(NOW - timedelta(days=3), "checked", "published", broken=2),
        a_run(NOW - timedelta(days=4), "unchanged"),
        a_run(NOW - timedelta(days=5), "blocked", "watch"),
        a_run(NOW - timedelta(days=31), "refused"),
    )
    entry = {"property": "errorRate", "value": 50, "unit": "percent"}
    level = a_level(entry, Facts(runs=runs))
    assert (level.measured, level.verdict) == (50.0, MET)
    assert level.reason == "2 of 4 runs in the last 30 days failed, the last at 2026-11-18 12:00 UTC: refused"
    assert a_level({**entry, "value": 49}, Facts(runs=runs)).verdict is BREACHED
    assert a_level({**entry, "value": 0.5, "unit": "fraction"}, Facts(runs=runs)).measured == 0.5
    assert a_level({**entry, "valueExt": "36 h"}, Facts(runs=runs)).measured == 0.0
    assert a_level(entry).reason == "no run in the last 30 days is known"


# L1 general availability, L2 end of support, L3 end of life


def test_general_availability_has_come_or_lies_ahead() -> None:
    entry = {"property": "generalAvailability", "value": "2026-11-20T00:00:00-04:00"}
    assert a_level(entry, now=utc(2026, 11, 20)).verdict is MET
    before = a_level(entry, now=utc(2026, 11, 19, 23))
    assert (before.verdict, before.reason) == (NOT_MEASURED, "available from 2026-11-20, in 1 day")


def test_support_counts_its_last_day_and_its_end_is_no_breach() -> None:
    entry = {"property": "endOfSupport", "value": "2026-11-20"}
    assert a_level(entry, now=utc(2026, 11, 20, 23, 59)).verdict is MET
    after = a_level(entry, now=utc(2026, 11, 21))
    assert (after.verdict, after.measured) == (NO_TARGET, "2026-11-21")
    assert after.reason == "support ended on 2026-11-20, 1 day ago: nothing is promised since"


def test_after_the_end_of_life_the_port_has_to_be_closed() -> None:
    entry = {"property": "endOfLife", "value": "2026-11-20"}
    later = utc(2026, 11, 22)
    assert a_level(entry, Facts(ports=(a_port(),))).verdict is MET
    still = a_level(entry, Facts(ports=(a_port(),)), later)
    assert (still.verdict, still.reason) == (
        BREACHED,
        "end of life was 2026-11-20, 2 days ago, and orders still opens",
    )
    assert a_level(entry, Facts(ports=()), later).verdict is MET
    assert a_level(entry, Facts(ports=(a_port(error="no file"),)), later).verdict is MET
    assert a_level(entry, Facts(), later).verdict is NOT_MEASURED


# B1 retention


@pytest.mark.parametrize(
    ("oldest", "precision", "verdict"),
    [
        (utc(2023, 11, 20), "day", MET),
        (utc(2023, 11, 19), "day", BREACHED),
        (utc(2023, 11, 20, 12), "time", MET),
        (utc(2023, 11, 20, 11, 59), "time", BREACHED),
        (utc(2023, 1, 1), "year", MET),
        (utc(2022, 1, 1), "year", BREACHED),
        (utc(2023, 11, 1), "month", MET),
        (utc(2023, 10, 1), "month", BREACHED),
    ],
)
def test_retention_is_breached_by_rows_that_are_older(
    oldest: datetime, precision: str, verdict: Verdict
) -> None:
    entry = {"property": "retention", "value": 3, "unit": "y", "element": "orders.day"}
    level = a_level(entry, with_days(oldest, NOW, precision))
    assert level.verdict is verdict
    assert ("rows from before 2023-11-20 are to be purged" in level.reason) == (verdict is BREACHED)


def test_retention_goes_by_the_calendar_over_a_leap_day() -> None:
    entry = {"property": "retention", "value": 1, "unit": "y", "element": "day"}
    leap = with_days(utc(2024, 2, 29), NOW)
    assert a_level(entry, leap, utc(2025, 2, 28)).verdict is MET
    assert a_level(entry, leap, utc(2025, 3, 1)).verdict is BREACHED
    assert a_level({**entry, "value": 12, "unit": "mo"}, leap, utc(2025, 2, 28)).verdict is MET


def test_retention_without_a_column_takes_those_of_other_levels_or_is_not_measured() -> None:
    entry = {"property": "retention", "value": 3, "unit": "y"}
    alone = a_level(entry)
    assert alone.reason == "no column says from when a row is: name one in `element`"
    contract = a_contract(entry, {"property": "latency", "value": -1, "element": "orders.day"})
    assert measure(contract, with_days(NOW, NOW), NOW)[0].verdict is MET
    assert time_columns(contract) == {"orders": ("day",)}


def test_what_is_to_be_purged_is_planned_and_can_be_counted() -> None:
    entry = {"property": "retention", "value": 3, "unit": "y", "element": "day", "driver": "regulatory"}
    assert purges(a_contract(entry), with_days(utc(2023, 11, 20), NOW), NOW) == ()
    assert purges(a_contract(entry, {"property": "latency", "value": 0, "unit": "d"}, 3), Facts(), NOW) == ()
    (plan,) = purges(a_contract(entry), with_days(utc(2020, 1, 1), NOW), NOW)
    assert (plan.before, plan.oldest, plan.promise, plan.driver) == (
        date(2023, 11, 20),
        date(2020, 1, 1),
        "3 years",
        "regulatory",
    )
    with duckdb.connect() as connection:
        for kind in ("date", "timestamp", "timestamptz", "varchar"):
            values = "('2020-01-01'), ('2023-11-19'), ('2023-11-20')"
            connection.execute(
                f"create or replace table orders as select day::{kind} as day from (values {values}) v(day)"
            )
            assert connection.execute(plan.query).fetchall() == [(2,)]
        (plan,) = purges(a_contract(entry), with_days(utc(2020, 1, 1), NOW, "year"), NOW)
        connection.execute(
            "create or replace table orders as select * from (values (2020), (2022), (2023)) v(day)"
        )
        assert connection.execute(plan.query).fetchall() == [(2,)]


# B2 frequency and time of availability

DAILY = {"property": "frequency", "value": 1, "unit": "d"}
SIX = {"property": "timeOfAvailability", "value": "06:00"}


@pytest.mark.parametrize(
    ("last", "verdict"),
    [(utc(2026, 11, 19, 12), MET), (utc(2026, 11, 19, 11, 1), MET), (utc(2026, 11, 19, 11), BREACHED)],
)
def test_frequency_without_a_schedule_goes_by_the_last_update(last: datetime, verdict: Verdict) -> None:
    """Seconds and minutes above a day do not count, an hour does."""
    assert a_level(DAILY, Facts(runs=(a_run(last),))).verdict is verdict


def test_frequency_says_since_when_nothing_came() -> None:
    facts = Facts(
        runs=(a_run(utc(2026, 11, 18, 5, 1)), a_run(utc(2026, 11, 19, 5), "refused")),
        schedule="0 6 * * *",
        time_zone="Europe/Rome",
    )
    level = a_level(DAILY, facts)
    assert (level.verdict, level.measured, level.measured_unit) == (BREACHED, 2.29097, "d")
    assert level.reason == ("nothing since 2026-11-18 06:01 Europe/Rome, due at 2026-11-19 06:00 Europe/Rome")


@pytest.mark.parametrize(
    ("outcome", "kind", "verdict"),
    [
        ("certified", "build", MET),
        ("unchanged", "build", MET),
        ("refused", "build", BREACHED),
        ("blocked", "build", BREACHED),
        ("unchanged", "watch", BREACHED),
        ("checked", "published", BREACHED),
    ],
)
def test_what_counts_as_an_update(outcome: str, kind: str, verdict: Verdict) -> None:
    runs = (a_run(NOW - timedelta(days=9)), a_run(NOW - timedelta(hours=1), outcome, kind))
    assert a_level(DAILY, Facts(runs=runs)).verdict is verdict


def test_nothing_is_late_before_the_schedule_says_so() -> None:
    """Friday 06:00 is the last run of a schedule of weekdays: on Sunday nothing is due, on Monday it is."""
    friday = Facts(runs=(a_run(utc(2026, 11, 20, 6)),), schedule="0 6 * * 1-5")
    assert a_level(DAILY, friday, utc(2026, 11, 22, 12)).verdict is MET
    late = a_level(DAILY, friday, utc(2026, 11, 23, 12))
    assert (late.verdict, late.reason) == (
        BREACHED,
        "nothing since 2026-11-20 06:00 UTC, due at 2026-11-23 06:00 UTC",
    )


def test_a_run_of_now_is_an_update_and_tells_of_one_that_was_left_out() -> None:
    now = utc(2026, 11, 20, 6, 0, 5)
    facts = Facts(schedule="0 6 * * *", runs=(a_run(utc(2026, 11, 19, 6)), a_run(now)))
    fine = a_level(DAILY, facts, now)
    assert (fine.verdict, fine.measured, fine.reason) == (MET, 0.0, "updated now")
    gap = replace(facts, runs=(a_run(utc(2026, 11, 18, 6, 0, 9)), a_run(now)))
    late = a_level(DAILY, gap, now)
    assert (late.verdict, late.measured) == (BREACHED, 1.99995)
    assert late.reason == (
        "updated now; nothing between 2026-11-18 06:00 UTC and now, due at 2026-11-19 06:00 UTC"
    )
    assert a_level(DAILY, replace(gap, schedule=""), now).verdict is MET
    longer = replace(gap, schedule="", runs=(a_run(utc(2026, 11, 17, 6)), a_run(now)))
    assert a_level(DAILY, longer, now).verdict is BREACHED


def test_months_of_frequency_are_those_of_the_calendar() -> None:
    entry = {"property": "frequency", "value": 1, "unit": "month"}
    facts = Facts(runs=(a_run(utc(2026, 1, 31, 6)),))
    assert a_level(entry, facts, utc(2026, 2, 28, 6, 30)).verdict is MET
    assert a_level(entry, facts, utc(2026, 2, 28, 7)).verdict is BREACHED


def test_daily_at_six_is_read_from_the_text() -> None:
    entry = {"property": "frequency", "value": "Data is refreshed daily at 6am."}
    facts = Facts(runs=(a_run(utc(2026, 11, 19, 5)),), time_zone="Europe/Rome")
    assert a_level(entry, facts, utc(2026, 11, 20, 4, 59)).verdict is MET
    level = a_level(entry, facts, utc(2026, 11, 20, 6, 1))
    assert (level.verdict, level.target) == (BREACHED, "Data is refreshed daily at 6am.")
    assert level.reason.endswith("due at 2026-11-20 06:00 Europe/Rome")


def test_an_entry_has_a_schedule_of_its_own() -> None:
    entry = {
        "property": "frequency",
        "value": 1,
        "unit": "month",
        "scheduler": "cron",
        "schedule": "0 7 2 * *",
    }
    facts = Facts(runs=(a_run(utc(2026, 9, 2, 7)),), schedule="0 6 * * *")
    level = a_level(entry, facts, utc(2026, 10, 2, 9))
    assert (level.verdict, level.reason) == (
        BREACHED,
        "nothing since 2026-09-02 07:00 UTC, due at 2026-10-02 07:00 UTC",
    )
    assert a_level({**entry, "value": None}, facts, utc(2026, 10, 2, 6, 59)).verdict is MET


@pytest.mark.parametrize(
    ("runs", "verdict", "measured"),
    [
        ((utc(2026, 11, 20, 4, 59),), MET, "05:59"),
        ((utc(2026, 11, 20, 5),), MET, "06:00"),
        ((utc(2026, 11, 20, 5, 0, 1),), BREACHED, "06:00"),
        ((utc(2026, 11, 20, 8), utc(2026, 11, 20, 9)), BREACHED, "09:00"),
        ((utc(2026, 11, 19, 22, 59),), BREACHED, "none"),
        ((utc(2026, 11, 19, 23),), MET, "00:00"),
        ((), BREACHED, "none"),
    ],
)
def test_the_time_of_availability_is_that_of_the_first_update_of_the_day(
    runs: tuple[datetime, ...], verdict: Verdict, measured: str
) -> None:
    known = (a_run(utc(2026, 11, 18, 5)), *(a_run(at) for at in runs))
    facts = Facts(runs=known, schedule="30 5 * * *", time_zone="Europe/Rome")
    level = a_level(SIX, facts)
    assert (level.verdict, level.measured, level.measured_unit) == (verdict, measured, "Europe/Rome")
    if not runs:
        assert level.reason == (
            "nothing since 2026-11-18 06:00 Europe/Rome, due at 2026-11-20 06:00 Europe/Rome"
        )
    if len(runs) == 2:
        assert level.reason == (
            "there at 2026-11-20 09:00 Europe/Rome, 3 hours after it was due at 2026-11-20 06:00 Europe/Rome"
        )


def test_late_injection_is_detected() -> None:
    """Freshness daily at six: the run of nine is late on its day, and the next one in time mends it."""
    facts = Facts(runs=(a_run(utc(2026, 11, 19, 5, 50)), a_run(utc(2026, 11, 20, 9))), schedule="0 5 * * *")
    assert a_level(SIX, facts, utc(2026, 11, 20, 9)).verdict is BREACHED
    assert a_level(SIX, facts, utc(2026, 11, 21, 5, 55)).verdict is BREACHED
    mended = replace(facts, runs=(*facts.runs, a_run(utc(2026, 11, 21, 5, 50))))
    assert a_level(SIX, mended, utc(2026, 11, 21, 5, 55)).verdict is MET


def test_before_the_time_the_day_before_is_judged() -> None:
    facts = Facts(runs=(a_run(utc(2026, 11, 18, 5)), a_run(utc(2026, 11, 19, 5, 30))), schedule="0 5 * * *")
    level = a_level(SIX, facts, utc(2026, 11, 20, 5, 59))
    assert (level.verdict, level.reason) == (MET, "there at 2026-11-19 05:30 UTC, promised by 06:00")
    assert a_level(SIX, facts, utc(2026, 11, 20, 6)).verdict is BREACHED


def test_a_run_of_the_evening_is_for_the_next_morning() -> None:
    facts = Facts(
        runs=(a_run(utc(2026, 11, 18, 22, 30)), a_run(utc(2026, 11, 19, 22, 30))), schedule="0 22 * * *"
    )
    assert a_level(SIX, facts).verdict is MET
    assert a_level(SIX, facts, utc(2026, 11, 21, 6)).verdict is BREACHED


def test_only_scheduled_days_are_due() -> None:
    facts = Facts(runs=(a_run(utc(2026, 10, 1, 4)), a_run(utc(2026, 11, 2, 5))), schedule="0 5 2 * *")
    assert a_level(SIX, facts).verdict is MET
    assert a_level(SIX, facts, utc(2026, 12, 2, 5, 59)).verdict is MET
    assert a_level(SIX, facts, utc(2026, 12, 2, 6)).verdict is BREACHED


def test_a_monthly_product_without_a_schedule_is_not_asked_every_day() -> None:
    monthly = {"property": "frequency", "value": 1, "unit": "month"}
    facts = Facts(runs=(a_run(utc(2026, 11, 2, 5)),))
    levels = measure(a_contract(monthly, SIX), facts, NOW)
    assert levels[1].reason == "no schedule says on which days, and it is updated every 1 month only"


def test_what_was_before_the_first_known_run_is_not_judged() -> None:
    first = Facts(runs=(a_run(utc(2026, 11, 20, 11)),), schedule="0 5 * * *")
    level = a_level(SIX, first)
    assert (level.verdict, level.reason) == (NOT_MEASURED, "no run is known from before 2026-11-20 06:00 UTC")
    assert a_level(SIX).reason == "no run is known"


def test_grace_is_given_only_where_it_is_named() -> None:
    facts = Facts(runs=(a_run(utc(2026, 11, 19, 5)), a_run(utc(2026, 11, 20, 6, 10))))
    assert a_level(SIX, facts).verdict is BREACHED
    assert a_level({**SIX, "valueExt": "15 min"}, facts).verdict is MET
    assert a_level({**SIX, "valueExt": "PT15M"}, facts).verdict is MET
    assert a_level({**SIX, "valueExt": "5 min"}, facts).verdict is BREACHED


@pytest.mark.parametrize(
    ("entry", "unit"),
    [
        ({"value": "06:00", "description": "Etc/UTC"}, "Etc/UTC"),
        (
            {"value": "06:00", "description": "Time of day, Europe/London, at which it is there."},
            "Europe/London",
        ),
        ({"value": "06:00", "unit": "America/New_York"}, "America/New_York"),
        ({"value": "06:00", "valueExt": "Asia/Tokyo", "description": "Etc/UTC"}, "Asia/Tokyo"),
        ({"value": "06:00+02:00"}, "+02:00"),
        ({"value": "06:00Z"}, "UTC"),
        ({"value": "6am Europe/Paris"}, "Europe/Paris"),
        ({"value": "06:00", "description": "Client/Server and/or Nowhere/Land"}, "Europe/Rome"),
    ],
)
def test_the_zone_of_a_time_is_the_nearest_that_is_named(entry: dict[str, Any], unit: str) -> None:
    facts = Facts(runs=(a_run(utc(2026, 11, 10)), a_run(NOW)), time_zone="Europe/Rome")
    assert a_level({"property": "timeOfAvailability", **entry}, facts).measured_unit == unit


@pytest.mark.parametrize(
    ("day", "six"),
    [
        (date(2026, 3, 28), utc(2026, 3, 28, 5)),
        (date(2026, 3, 29), utc(2026, 3, 29, 4)),
        (date(2026, 10, 24), utc(2026, 10, 24, 4)),
        (date(2026, 10, 25), utc(2026, 10, 25, 5)),
    ],
)
def test_six_in_rome_moves_with_summer_time(day: date, six: datetime) -> None:
    facts = Facts(
        runs=(a_run(six - timedelta(days=2)), a_run(six)), schedule="0 5 * * *", time_zone="Europe/Rome"
    )
    assert TimeOfDay(datetime(2000, 1, 1, 6).time(), "Europe/Rome").on(day) == six  # noqa: DTZ001
    assert a_level(SIX, facts, six + timedelta(hours=1)).measured == "06:00"
    assert a_level(SIX, facts, six + timedelta(hours=1)).verdict is MET
    late = replace(facts, runs=(facts.runs[0], a_run(six + timedelta(seconds=1))))
    assert a_level(SIX, late, six + timedelta(hours=1)).verdict is BREACHED


def test_a_time_that_is_skipped_or_repeated_is_due_once() -> None:
    half_past_two = schedule_of("30 2 * * *", "Europe/Rome")
    assert half_past_two.next_due(utc(2026, 3, 28, 12)) == utc(2026, 3, 29, 1)  # 03:00 in summer
    assert half_past_two.last_due(utc(2026, 3, 29, 12)) == utc(2026, 3, 29, 1)
    assert half_past_two.next_due(utc(2026, 10, 24, 12)) == utc(2026, 10, 25, 0, 30)  # the first of two
    assert half_past_two.last_due(utc(2026, 10, 25, 1, 15)) == utc(2026, 10, 25, 0, 30)
    assert half_past_two.next_due(utc(2026, 10, 25, 0, 45)) == utc(2026, 10, 26, 1, 30)


@pytest.mark.parametrize(
    ("cron", "last", "next_"),
    [
        ("0 6 * * *", utc(2026, 11, 20, 6), utc(2026, 11, 21, 6)),
        ("0 12 * * *", utc(2026, 11, 20, 12), utc(2026, 11, 21, 12)),
        ("@daily", utc(2026, 11, 20), utc(2026, 11, 21)),
        ("@hourly", utc(2026, 11, 20, 12), utc(2026, 11, 20, 13)),
        ("@weekly", utc(2026, 11, 15), utc(2026, 11, 22)),
        ("@monthly", utc(2026, 11, 1), utc(2026, 12, 1)),
        ("@yearly", utc(2026, 1, 1), utc(2027, 1, 1)),
        ("*/5 * * * *", utc(2026, 11, 20, 12), utc(2026, 11, 20, 12, 5)),
        ("0 0 29 2 *", utc(2024, 2, 29), utc(2028, 2, 29)),
        ("0 0 6 * * ?", utc(2026, 11, 20, 6), utc(2026, 11, 21, 6)),
        ("0 6 * * MON", utc(2026, 11, 16, 6), utc(2026, 11, 23, 6)),
    ],
)
def test_schedules_are_read_as_cron_reads_them(cron: str, last: datetime, next_: datetime) -> None:
    schedule = schedule_of(cron)
    assert (schedule.last_due(NOW), schedule.next_due(NOW)) == (last, next_)


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "daily",
        "0 6 * *",
        "0 25 * * *",
        "0 0 30 2 *",
        "@reboot",
        "9" * 5000,
        "* " * 999,
        "0 6 * * ²L",
        "a b c d e",
    ],
)
def test_what_is_no_schedule_is_said(cron: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|due"):
        schedule_of(cron)
    level = a_level({**DAILY, "schedule": cron or "x"}, Facts(runs=(a_run(NOW),)))
    assert level.verdict is NOT_MEASURED


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "Europe", "\0", "x" * 500, "/etc/localtime"]
)
def test_what_is_no_zone_is_said(zone: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        schedule_of("@daily", zone)
    facts = Facts(runs=(a_run(NOW),), time_zone=zone, schedule="@daily")
    assert a_level(SIX, facts).verdict is NOT_MEASURED
    assert a_level(DAILY, facts).verdict is NOT_MEASURED
    assert a_level(DAILY, replace(facts, schedule="")).verdict is MET


@pytest.mark.parametrize(
    ("text", "hour", "zone"),
    [
        ("06:00", (6, 0), ""),
        ("6am", (6, 0), ""),
        ("12 a.m.", (0, 0), ""),
        ("12pm UTC", (12, 0), "UTC"),
        ("6:30 PM Europe/Rome", (18, 30), "Europe/Rome"),
        ("daily at 06:15", (6, 15), ""),
        ("24:00", None, ""),
        ("13pm", None, ""),
        ("noon", None, ""),
        ("360", None, ""),
    ],
)
def test_times_of_day_are_found_in_texts(text: str, hour: tuple[int, int] | None, zone: str) -> None:
    found = time_in(text)
    assert (found and (found[0].hour, found[0].minute)) == hour
    assert found is None or found[1] == zone


# B3 latency, T4 timeliness


@pytest.mark.parametrize(
    ("newest", "precision", "value", "measured", "verdict"),
    [
        (utc(2026, 11, 19), "day", 1, 1.0, MET),
        (utc(2026, 11, 18), "day", 1, 2.0, BREACHED),
        (utc(2026, 11, 19, 12), "time", 1, 1.0, MET),
        (utc(2026, 11, 19, 11, 30), "time", 1, 1.02083, MET),
        (utc(2026, 11, 19, 11), "time", 1, 1.04167, BREACHED),
        (utc(2026, 10, 1), "month", 20, 20.0, MET),
        (utc(2026, 10, 1), "month", 19, 20.0, BREACHED),
        (utc(2026, 11, 1), "month", 0, 0.0, MET),
        (utc(2025, 1, 1), "year", 324, 324.0, MET),
        (utc(2026, 11, 21), "day", 1, 0.0, MET),
    ],
)
def test_latency_is_from_the_newest_data_to_its_publication(
    newest: datetime, precision: str, value: float, measured: float, verdict: Verdict
) -> None:
    entry = {"property": "latency", "value": value, "unit": "d", "element": "orders.day"}
    level = a_level(entry, with_days(newest, newest, precision), NOW + timedelta(days=30))
    assert (level.measured, level.verdict) == (measured, verdict)


def test_latency_says_what_was_promised() -> None:
    entry = {"property": "latency", "value": 1, "unit": "d", "element": "orders.day"}
    level = a_level(entry, with_days(utc(2010, 1, 1), utc(2024, 4, 7)))
    assert level.reason == "newest day is 2024-04-07, 957 days before publication; promised 1 day"


def test_latency_without_a_column_is_that_of_the_sources() -> None:
    entry = {"property": "latency", "value": 2, "unit": "h", "element": "orders"}
    facts = Facts(published_at=NOW, loaded_at=NOW - timedelta(hours=2))
    assert a_level(entry, facts).verdict is MET
    late = a_level(entry, replace(facts, loaded_at=NOW - timedelta(hours=3)))
    assert late.reason == (
        "sources were loaded until 2026-11-20 09:00 UTC, 3 hours before publication; promised 2 hours"
    )
    assert a_level(entry, replace(facts, loaded_at=None)).verdict is NOT_MEASURED
    assert a_level(entry).reason == "it is not known when the data was published"


def test_latency_is_measured_for_each_column() -> None:
    entry = {"property": "ly", "value": 1, "unit": "d", "element": "orders.day,orders.id"}
    facts = with_days(NOW, NOW)
    levels = measure(a_contract(entry), facts, NOW)
    assert [(level.element, level.verdict) for level in levels] == [
        ("orders.day", MET),
        ("orders.id", NOT_MEASURED),
    ]


def test_the_day_of_publication_is_that_of_the_products_zone() -> None:
    entry = {"property": "latency", "value": 0, "unit": "d", "element": "day"}
    facts = replace(with_days(utc(2026, 11, 20), utc(2026, 11, 20)), published_at=utc(2026, 11, 20, 20))
    assert a_level(entry, facts).measured == 0.0
    assert a_level(entry, replace(facts, time_zone="Asia/Tokyo")).measured == 1.0


def test_data_from_the_future_says_nothing_of_its_age() -> None:
    entry = {"property": "latency", "value": 1, "unit": "d", "element": "day"}
    level = a_level(entry, with_days(utc(2020, 1, 1), utc(9999, 12, 31)))
    assert (level.verdict, level.reason) == (
        NOT_MEASURED,
        "newest day is 9999-12-31, which lies ahead: it does not say how old the data is",
    )


@pytest.mark.parametrize("name", ["timeliness", "freshness", "Tm"])
def test_timeliness_is_the_age_now(name: str) -> None:
    entry = {"property": name, "value": 1, "unit": "d", "element": "day"}
    facts = with_days(NOW, NOW, "time")
    assert a_level(entry, facts).verdict is MET
    level = a_level(entry, facts, NOW + timedelta(days=2))
    assert (level.verdict, level.measured, level.abbreviation) == (BREACHED, 2.0, "Tm")
    assert a_level(entry, with_days(utc(2026, 11, 19), utc(2026, 11, 19))).reason == (
        "newest day is 2026-11-19, 1 day before now"
    )


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(), "nobody read the tables"),
        (Facts(ports=()), "orders was not read"),
        (Facts(ports=(a_port(error="no file"),)), "orders does not open: no file"),
        (Facts(ports=(a_port(),)), "orders.day was not read"),
        (
            Facts(ports=(a_port(elements={"day": Span(problem="its type BOOLEAN is no time")}),)),
            "orders.day: its type BOOLEAN is no time",
        ),
    ],
)
def test_an_age_that_is_not_known_is_never_good(facts: Facts, reason: str) -> None:
    for name in ("retention", "freshness", "latency"):
        entry = {"property": name, "value": 1, "unit": "d", "element": "day"}
        level = a_level(entry, replace(facts, published_at=NOW))
        assert (level.verdict, level.reason) == (NOT_MEASURED, reason)


# T1 to T3


def an_incident(days: float, **more: Any) -> IncidentTimes:
    opened_at = NOW - timedelta(days=days)
    return IncidentTimes(
        **{
            "key": f"i{days}",
            "opened": opened_at,
            "last_good": opened_at - timedelta(hours=20),
            "notified": opened_at + timedelta(minutes=30),
            "repaired": opened_at + timedelta(hours=5),
            **more,
        }
    )


@pytest.mark.parametrize(
    ("name", "value", "unit", "measured", "verdict"),
    [
        ("timeToDetect", 1, "d", 0.833333, MET),
        ("timeToDetect", 19, "h", 20.0, BREACHED),
        ("timeToNotify", 1, "h", 0.5, MET),
        ("Tn", 29, "min", 30.0, BREACHED),
        ("timeToRepair", 5, "h", 5.0, MET),
        ("timeToRepair", 4, "h", 5.0, BREACHED),
    ],
)
def test_times_of_incidents(name: str, value: float, unit: str, measured: float, verdict: Verdict) -> None:
    facts = Facts(incidents=(an_incident(2),))
    level = a_level({"property": name, "value": value, "unit": unit}, facts)
    assert (level.measured, level.measured_unit, level.verdict) == (measured, unit, verdict)


def test_the_worst_incident_of_ninety_days_counts_and_open_ones_run_on() -> None:
    entry = {"property": "timeToRepair", "value": 1, "unit": "d"}
    old, fine = an_incident(100, repaired=NOW - timedelta(days=91)), an_incident(10)
    assert a_level(entry, Facts(incidents=(old,))).reason == "no incident in the last 90 days"
    assert a_level(entry, Facts(incidents=(old, fine))).measured == 0.208333
    open_ = a_level(entry, Facts(incidents=(fine, an_incident(3, repaired=None))))
    assert (open_.verdict, open_.measured) == (BREACHED, 3.0)
    assert open_.reason == "i3 is not repaired after 3 days, the longest of 2 incidents; promised 1 day"
    very_old = a_level(entry, Facts(incidents=(an_incident(200, repaired=None),)))
    assert very_old.measured == 200.0


def test_incidents_are_of_their_contract_and_what_nobody_saw_is_not_measured() -> None:
    entry = {"property": "timeToNotify", "value": 1, "unit": "h"}
    assert a_level(entry).reason == "nobody looked for incidents"
    assert a_level(entry, Facts(incidents=())).verdict is NOT_MEASURED
    assert a_level(entry, Facts(incidents=(an_incident(2, contract="orders/2"),))).verdict is NOT_MEASURED
    never = a_level(entry, Facts(incidents=(an_incident(2, notified=None),)))
    assert (never.verdict, never.measured) == (BREACHED, 5.0)
    unknown = {"property": "timeToDetect", "value": 1, "unit": "d"}
    level = a_level(unknown, Facts(incidents=(an_incident(2, last_good=None),)))
    assert level.verdict is NOT_MEASURED


# Targets


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            {"property": "latency", "value": 1, "element": "day"},
            "the value has no unit: add `unit: d`, for example",
        ),
        ({"property": "latency", "value": 1, "unit": "dd", "element": "day"}, "'dd' is no unit of time"),
        ({"property": "latency", "value": "soon", "unit": "d", "element": "day"}, "'soon' is no number"),
        ({"property": "latency", "value": -5, "unit": "d"}, "-5 is below zero"),
        ({"property": "latency", "value": float("nan"), "unit": "d"}, "the value 'nan' cannot be read"),
        ({"property": "latency", "value": True, "unit": "d"}, "the value 'True' cannot be read"),
        ({"property": "latency", "unit": "d"}, "no value"),
        ({"value": 1, "unit": "d"}, "the entry names no property"),
        ({"property": "", "value": "06:00"}, "the entry names no property"),
        ({"property": "endOfLife", "value": "soon"}, "'soon' is no date"),
        ({"property": "endOfLife", "value": 2030}, "2030.0 is no date"),
        ({"property": "timeOfAvailability", "value": 360}, "360.0 is no time of day: write it as '06:00'"),
        ({"property": "frequency", "value": "often"}, "'often' names no rhythm, such as `daily`"),
        ({"property": "completeness", "value": 99}, "its checks measure it: see the rules of the contract"),
    ],
)
def test_nonsense_is_said_and_never_good(entry: dict[str, Any], reason: str) -> None:
    facts = replace(with_days(NOW, NOW), runs=(a_run(NOW),))
    level = a_level(entry, facts)
    assert (level.verdict, level.reason) == (NOT_MEASURED, reason)


def test_an_element_names_tables_and_columns() -> None:
    schema = [
        {"name": "orders", "properties": [{"name": "id"}, {"name": "day"}]},
        {"name": "lines", "properties": [{"name": "id"}, {"name": "sold"}]},
    ]

    def places(element: Any) -> list[tuple[str, str]]:
        entry = {"property": "retention", "value": 1, "unit": "y", "element": element}
        (target,) = targets_of(a_contract(entry, schema=schema))
        return [(target.fault, "")] if target.fault else [(p.table, p.column) for p in target.places]

    assert places("orders.day, lines.sold") == [("orders", "day"), ("lines", "sold")]
    assert places(["orders.day"]) == [("orders", "day")]
    assert places("Orders.Day") == [("orders", "Day")]
    assert places("sold") == [("lines", "sold")]
    assert places("lines") == [("lines", "")]
    assert places("id") == [("'id' is no table or column of the contract", "")]
    assert places("gone.id") == [("'gone.id' is no table or column of the contract", "")]


def test_what_is_measured_without_a_promise_has_no_target() -> None:
    facts = Facts(
        ports=(a_port(),),
        runs=(a_run(NOW - timedelta(hours=36)),),
        incidents=(an_incident(2),),
        schedule="@daily",
    )
    found = indicators(a_contract({"property": "av", "value": -1}), facts, NOW)
    assert {level.verdict for level in found} == {NO_TARGET}
    assert {level.target for level in found} == {None}
    assert {level.property: (level.measured, level.measured_unit) for level in found} == {
        "throughput": (2000.0, "rows/s"),
        "errorRate": (0.0, "percent"),
        "frequency": (1.5, "d"),
        "timeToDetect": (20.0, "h"),
        "timeToNotify": (0.5, "h"),
        "timeToRepair": (5.0, "h"),
    }
    assert found[-1].reason == "i2 was repaired after 5 hours; nothing is promised"
    assert indicators(a_contract(), Facts(), NOW) == ()


def test_a_contract_is_called_by_its_name_and_major() -> None:
    assert contract_key({"name": "orders", "version": "2.1.0"}) == "orders/2"
    assert contract_key({"name": "orders", "version": "next"}) == "orders/0"


def test_levels_are_kept_as_the_run_record_has_them() -> None:
    values = a_level({"property": "fy", "value": 1, "unit": "d", "description": "Daily."}).values()
    assert json.loads(json.dumps(values, allow_nan=False)) == {
        "contract": "orders/1",
        "property": "frequency",
        "abbreviation": "Fy",
        "element": "",
        "target": 1.0,
        "unit": "d",
        "description": "Daily.",
        "measured": None,
        "measured_unit": "",
        "verdict": "not measured",
        "reason": "no run that updated the data is known",
    }


@pytest.mark.parametrize(
    "file", sorted(PRODUCTS.glob("*/contracts/*.odcs.yaml")), ids=lambda file: file.stem.split(".")[0]
)
def test_the_contracts_of_the_examples_are_understood(file: Path) -> None:
    contract = read_yaml(file).data
    assert [target.fault for target in targets_of(contract) if target.fault] == []
    levels = measure(contract, Facts(), NOW)
    assert all(level.abbreviation for level in levels)
    assert {level.verdict for level in levels} <= {NOT_MEASURED, NO_TARGET, MET}


# Run records


def test_runs_are_read_from_records_of_today_and_of_old() -> None:
    record = {
        "at": "2026-11-20T06:00:00+00:00",
        "kind": "published",
        "outcome": "checked",
        "milliseconds": 1500,
        "ports": [{"table": "orders", "error": "no file"}],
        "checks": [{"outcome": "pass"}, {"outcome": "fail"}, {"outcome": "error"}, {"outcome": "not run"}, 3],
    }
    run = run_of(record)
    assert run == RunFact(
        utc(2026, 11, 20, 6), "published", "checked", 1.5, (PortReading("orders", error="no file"),), 2
    )
    old = {"at": "2025-01-01T00:00:00Z", "outcome": "certified"}
    assert [found.at for found in runs_of([record, {}, {"at": "soon"}, old])] == [
        utc(2025, 1, 1),
        utc(2026, 11, 20, 6),
    ]
    assert run_of(old) == RunFact(utc(2025, 1, 1), "build", "certified")


# The table


def test_an_element_stands_as_its_checks_and_levels_do() -> None:
    checks = [
        {"dimension": "uniqueness", "outcome": "pass", "name": "unique id"},
        {"dimension": "completeness", "outcome": "pass"},
        {
            "dimension": "completeness",
            "outcome": "warn",
            "table": "orders",
            "column": "id",
            "name": "n",
            "reason": "3",
        },
        {"dimension": "accuracy", "outcome": "fail"},
        {"dimension": "conformity", "outcome": "error"},
        {"dimension": "coverage", "outcome": "pass"},
        {"dimension": "coverage", "outcome": "not run"},
        {"dimension": "beauty", "outcome": "fail"},
        {},
    ]
    levels = [
        {"property": "availability", "verdict": "met"},
        {"property": "timeOfAvailability", "verdict": "breached", "reason": "late"},
        {"property": "frequency", "verdict": "met"},
        {"property": "latency", "verdict": "no target"},
        {"property": "retention", "verdict": "not measured"},
        {"property": "freshness", "verdict": "met"},
        {"property": "karma", "verdict": "breached"},
        {},
    ]
    states = {s.element.abbreviation: s for s in element_states(ELEMENTS, checks, levels)}
    assert list(states) == [element.abbreviation for element in ELEMENTS]
    assert {letters: str(s.state) for letters, s in states.items()} == {
        "Av": "good", "Cv": "not measured", "Cf": "bad", "Cp": "warn", "Ac": "bad", "Cs": "not measured", "Uq": "good",
        "Th": "no target", "Er": "no target", "Ga": "no target", "Es": "no target", "El": "no target",
        "Re": "not measured", "Fy": "bad", "Ly": "no target", "Td": "no target", "Tn": "no target", "Tr": "no target",
        "Tm": "good",
    }  # fmt: skip
    assert states["Cp"].counts == {State.GOOD: 1, State.WARN: 1}
    assert states["Cp"].reasons == ("orders.id: n: 3",)
    assert states["Fy"].reasons == ("timeOfAvailability: late",)
    assert states["Uq"].reasons == ()


# Durations


def test_durations_are_read_and_told() -> None:
    assert duration_in("P30D") == duration_in("30 d") == Duration(30, "d")
    assert duration_in("PT6H") == Duration(6, "h")
    assert duration_in("P1Y6M") == Duration(18, "mo")
    assert duration_in("PT1H30M") == Duration(90, "min")
    assert duration_in("Asia/Tokyo") is None
    assert Duration(1, "mo").after(utc(2024, 1, 31)) == utc(2024, 2, 29)
    assert Duration(1, "y").before(utc(2024, 2, 29)) == utc(2023, 2, 28)
    assert Duration(1e9, "y").before(NOW).year == 1
    assert Duration(9000, "y").after(NOW).year == 9999
    assert [Duration(n, u).words() for n, u in ((30, "d"), (1, "q"), (0.5, "ms"))] == [
        "30 days",
        "1 quarter",
        "0.5 milliseconds",
    ]
    assert [elapsed(s) for s in (0.012, 12, 3600, 97200, 957 * 86400, 4 * 31556952)] == [
        "12 milliseconds",
        "12 seconds",
        "1 hour",
        "1 day 3 hours",
        "957 days",
        "4 years",
    ]
    assert zone_in("no zone here, and/or there") == ""


# Whatever is thrown at it

_names = st.sampled_from(
    [
        *(name for element in ELEMENTS for name in (*element.properties, element.abbreviation)),
        "karma",
        "",
    ]
)
_odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["06:00", "2030-01-01", "0001-01-01", "9999-12-31T23:59:59-14:00", "daily", "1 d", "99%", "-1"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.dates(),
)
_units = st.one_of(
    _odd, st.sampled_from(["d", "y", "mo", "h", "ms", "percent", "fraction", "rows/s", "MB/s"])
)
_entries = st.one_of(
    _odd,
    st.fixed_dictionaries(
        {"property": st.one_of(_names, _odd)},
        optional={
            "value": st.one_of(_odd, st.floats(0, 1e308), st.integers(0, 100)),
            "unit": _units,
            "valueExt": _units,
            "element": st.one_of(
                _odd, st.sampled_from(["day", "orders.day", "orders", "orders.day,orders.id"])
            ),
            "description": st.text(max_size=20),
            "schedule": st.one_of(_odd, st.sampled_from(["@daily", "0 6 * * *", "*/7 3 1-9 * 5#2"])),
        },
    ),
)
_moments = st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Europe/Rome"), ZoneInfo("Pacific/Apia")]))
_nows = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_times = st.one_of(st.none(), _moments)
_facts = st.builds(
    Facts,
    ports=st.one_of(
        st.none(),
        st.lists(
            st.builds(
                PortReading,
                st.just("orders"),
                rows=st.integers(0, 10**12),
                seconds=st.floats(0, 1e6),
                elements=st.fixed_dictionaries(
                    {
                        "day": st.builds(
                            Span, _times, _times, st.sampled_from(["time", "day", "month", "year"])
                        )
                    }
                ),
                error=st.sampled_from(["", "no file"]),
            ),
            max_size=2,
        ).map(tuple),
    ),
    published_at=_times,
    loaded_at=_times,
    runs=st.lists(
        st.builds(
            RunFact,
            _moments,
            st.sampled_from(["build", "watch", "published"]),
            st.sampled_from(["certified", "refused", "unchanged", ""]),
        ),
        max_size=4,
    ).map(tuple),
    incidents=st.one_of(
        st.none(),
        st.lists(
            st.builds(IncidentTimes, st.text(max_size=3), _moments, _times, _times, _times, _times),
            max_size=2,
        ).map(tuple),
    ),
    schedule=st.sampled_from(["", "@daily", "0 6 1 * *", "nonsense"]),
    time_zone=st.sampled_from(["", "Europe/Rome", "Nowhere/Land"]),
)


@settings(max_examples=400, deadline=None)
@given(entries=st.lists(_entries, max_size=3), default=_odd, facts=_facts, now=_nows)
def test_no_contract_and_no_fact_makes_it_fail(
    entries: list[Any], default: Any, facts: Facts, now: datetime
) -> None:
    contract = a_contract(*entries, slaDefaultElement=default)
    time_columns(contract)
    purges(contract, facts, now)
    indicators(contract, facts, now)
    levels = measure(contract, facts, now)
    assert levels == measure(contract, facts, now)
    for level in levels:
        json.dumps(level.values(), allow_nan=False)
        assert level.reason
        assert (level.measured is None) or level.verdict is not NOT_MEASURED
    element_states(ELEMENTS, (), [level.values() for level in levels])


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(["latency", "freshness", "retention", "frequency", "timeToRepair"]),
    value=st.floats(0, 100),
    unit=st.sampled_from(["h", "d", "mo", "y"]),
    hours=st.tuples(st.integers(0, 100_000), st.integers(0, 100_000)),
)
def test_what_is_longer_is_never_better(name: str, value: float, unit: str, hours: tuple[int, int]) -> None:
    def level(back: int) -> Level:
        at = NOW - timedelta(hours=back)
        facts = replace(
            with_days(at, at, "time"),
            runs=(a_run(at),),
            incidents=(IncidentTimes("i", at, notified=at),),
        )
        # A moment later: a run of now is an update however long it was away.
        entry = {"property": name, "value": value, "unit": unit, "element": "day"}
        return a_level(entry, facts, NOW + timedelta(seconds=1))

    shorter, longer = (level(back) for back in sorted(hours))
    if NOT_MEASURED not in (shorter.verdict, longer.verdict):
        assert not (shorter.verdict is BREACHED and longer.verdict is MET)
        assert isinstance(shorter.measured, float)
        assert isinstance(longer.measured, float)
        assert shorter.measured <= longer.measured


@settings(max_examples=200, deadline=None)
@given(goal=st.floats(0, 100), shut=st.tuples(st.integers(0, 19), st.integers(0, 19)))
def test_what_opens_less_often_is_never_better(goal: float, shut: tuple[int, int]) -> None:
    def level(count: int) -> Level:
        facts = Facts(ports=(a_port(),), runs=opened(*range(1, count + 1)))
        return a_level({"property": "availability", "value": goal, "unit": "percent"}, facts)

    fewer, more = (level(count) for count in sorted(shut))
    assert not (fewer.verdict is BREACHED and more.verdict is MET)
    assert float(fewer.measured or 0) >= float(more.measured or 0)
