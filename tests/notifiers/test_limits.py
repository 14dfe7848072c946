"""Limits out of settings, and the pace that a provider is gone at."""

import pytest

from belfry.notifiers.limits import LimitRefused, Limits, take_limits
from belfry.notifiers.pace import Pace


def test_the_pace_is_halved_once_a_second_and_won_back_by_the_clock():
    pace = Pace()
    pace.slow_down(10.0)
    pace.slow_down(10.5)  # the calls that were under way say the same
    assert pace.share(10.5) == 0.5
    pace.slow_down(11.1)
    assert pace.share(11.1) == 0.3
    assert [pace.share(11.1 + seconds) for seconds in (1, 3, 60)] == [0.4, 0.6, 1.0]
    for second in range(100, 200, 2):
        pace.slow_down(float(second))
    assert 0.1 <= pace.share(198.0) <= 0.2


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"rate": True}, "rate"),
        ({"rate": "nan"}, "rate"),
        ({"rate": 1, "burst": 1.5}, "burst"),
        ({"burst": 3}, "burst"),
        ({"concurrency": -1}, "concurrency"),
        ({"timeout_s": "inf"}, "timeout_s"),
    ],
)
def test_a_limit_that_makes_no_sense_is_named(given, named):
    with pytest.raises(LimitRefused, match=rf"^providers\.sms\.{named} "):
        take_limits("sms", given)


def test_limits_are_taken_out_and_the_rest_is_the_providers_own():
    given = {"rate": "2.5", "concurrency": "4", "timeout_s": 3, "account": "AC1"}
    limits, rest = take_limits("sms", given)
    assert limits == Limits(rate=2.5, concurrency=4, timeout_s=3.0)
    assert rest == {"account": "AC1"}
