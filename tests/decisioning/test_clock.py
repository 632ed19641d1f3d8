"""What a moment looks like to a condition (semantics.md 3.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from target_decisioning.decisioning.clock import time_of
from tests.shared import vectors

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_every_known_moment_gives_its_time_and_day():
    for case in vectors("time"):
        expected = (case["current_timestamp"], case["current_time"], case["current_day"])
        assert time_of(case["now_ms"]) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_read_as_the_calendar_has_it(moment):
    now_ms = (moment - EPOCH) // timedelta(milliseconds=1)
    assert time_of(now_ms) == (now_ms, f"{moment:%H%M}", moment.isoweekday())
