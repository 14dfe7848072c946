"""Business hours: only open time counts."""

import datetime as dt

import pytest

from belfry.engine.business_hours import after
from belfry.engine.rulebook.model import Bank

BANK = Bank(time_zone="Asia/Shanghai", country="CN", opens=dt.time(9), closes=dt.time(18))
HOUR = dt.timedelta(hours=1)

CASES = [
    ("2026-03-02T10:00", 2, "2026-03-02T12:00", "inside a day"),
    ("2026-03-02T16:00", 2, "2026-03-02T18:00", "exactly at closing time"),
    ("2026-03-02T17:00", 2, "2026-03-03T10:00", "over the night"),
    ("2026-03-06T17:00", 2, "2026-03-09T10:00", "over a weekend"),
    ("2026-03-02T03:00", 2, "2026-03-02T11:00", "from before opening"),
    ("2026-03-02T18:00", 0, "2026-03-02T18:00", "nothing at closing time"),
    ("2026-03-02T20:00", 1, "2026-03-03T10:00", "from after closing"),
    ("2026-03-02T10:00", 24, "2026-03-04T16:00", "several days"),
    ("2026-02-13T17:00", 2, "2026-02-24T10:00", "over the Spring Festival"),
]


@pytest.mark.parametrize(("start", "hours", "end", "what"), CASES, ids=[c[3] for c in CASES])
def test_only_open_time_counts(start: str, hours: int, end: str, what: str) -> None:
    zone = dt.timezone(dt.timedelta(hours=8))
    moment = dt.datetime.fromisoformat(start).replace(tzinfo=zone)
    assert after(moment, hours * HOUR, BANK).astimezone(zone).isoformat()[:16] == end


def test_a_span_longer_than_ten_years_ends_somewhere() -> None:
    start = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert after(start, dt.timedelta(days=36500), BANK) > start
