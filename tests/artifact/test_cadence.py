from __future__ import annotations

import pytest

from target_decisioning.artifact.cadence import Cadence


def test_polls_are_spread_by_a_tenth_either_way():
    waits = [Cadence(300).confirmed() for _ in range(200)]
    assert min(waits) < 285
    assert max(waits) > 315
    assert all(270 <= wait <= 330 for wait in waits)


def test_without_polling_nothing_follows_a_success():
    assert Cadence(0).confirmed() is None


def test_a_fleet_that_starts_with_fresh_artifacts_is_spread_over_an_interval():
    waits = [Cadence(100).first(is_fresh=True) for _ in range(200)]
    per_second = [sum(second <= wait < second + 1 for wait in waits) for second in range(100)]
    assert max(per_second) <= 10
    assert Cadence(100).first(is_fresh=False) == 0


@pytest.mark.parametrize(("interval", "slow"), [(300, 3000), (1, 10), (1000, 3600), (7200, 7200), (0, 3000)])
def test_a_refusal_slows_down_tenfold_to_an_hour_at_most(interval, slow):
    assert 0.9 * slow <= Cadence(interval).refused(is_ready=False) <= 1.1 * slow


def test_two_good_polls_end_the_slow_cadence():
    cadence = Cadence(10)
    cadence.refused(is_ready=True)
    assert cadence.confirmed() >= 90
    assert cadence.confirmed() <= 11


def test_failures_back_off_but_never_past_an_interval():
    cadence = Cadence(300)
    waits = [cadence.failed(is_ready=True) for _ in range(10)]
    assert 0.5 <= waits[0] <= 1
    assert waits[:6] == sorted(waits[:6])
    assert all(30 <= wait <= 60 for wait in waits[6:])
    assert all(Cadence(0.1).failed(is_ready=True) <= 0.11 for _ in range(5))


def test_without_polling_the_first_artifact_is_tried_for_until_it_comes():
    cadence = Cadence(0)
    assert 0.5 <= cadence.failed(is_ready=False) <= 1
    assert cadence.confirmed() is None
    assert cadence.failed(is_ready=True) is None


def test_what_the_server_asks_for_goes_first():
    assert Cadence(300).failed(is_ready=True, retry_after_seconds=1234) == 1234
    assert Cadence(300).failed(is_ready=True, retry_after_seconds=0.01) == 0.5


def test_failures_are_counted_until_a_success():
    cadence = Cadence(300)
    cadence.failed(is_ready=True)
    cadence.refused(is_ready=True)
    assert cadence.failures_in_a_row == 2
    cadence.confirmed()
    assert cadence.failures_in_a_row == 0
