"""Moments as people name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from factory.periods import moment_before

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30d", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("12h", datetime(2026, 3, 31, 0, tzinfo=UTC)),
        (" 4W ", datetime(2026, 3, 3, 12, tzinfo=UTC)),
        ("0d", NOW),
        ("P30D", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("P1M", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("P1Y1M", datetime(2025, 2, 28, 12, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_moment_is_named_by_a_time_ago_or_a_date(text: str, moment: datetime) -> None:
    assert moment_before(text, NOW) == moment
    assert moment_before(text, NOW.astimezone(timezone(timedelta(hours=-8)))) == moment


@pytest.mark.parametrize(
    "text", ["", "30", "d", "-3d", "1.5d", "3 days", "P", "PT5H", "2026-02-30", "2026-W01-1", "20260131", "tomorrow", "\uff13d"]
)  # fmt: skip
def test_what_names_no_moment_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is no time: write 12h, 30d, 4w, P30D, or a date such as 2026-01-31"
    ):
        moment_before(text, NOW)


@pytest.mark.parametrize("text", ["P9999Y", "P2026Y", "99999w", "999999d"])
def test_a_time_before_all_calendars_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than the calendar"):
        moment_before(text, datetime(1900, 1, 1, tzinfo=UTC))
