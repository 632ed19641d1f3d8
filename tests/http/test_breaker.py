"""When a host is left alone, and when it is asked again; how many retries there may be."""

from __future__ import annotations

import os
import time

import pytest

from target_decisioning.http import Breaker, BreakerLimits, Breakers, RetryBudget, TransportError


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(clock=clock)


def call(breaker, has_worked):
    breaker.report(breaker.enter(), has_worked=has_worked)


def is_refused(breaker):
    try:
        breaker.enter()
    except TransportError as error:
        return (error.reason, error.was_sent) == ("circuit_open", False)
    return False


def opened(breaker):
    for _ in range(5):
        call(breaker, has_worked=False)
    return breaker


def test_five_failures_in_a_row_open_it(breaker):
    for _ in range(4):
        call(breaker, has_worked=False)
    assert not is_refused(breaker)
    call(breaker, has_worked=False)
    assert is_refused(breaker)


def test_a_success_ends_the_row(breaker):
    for _ in range(4):
        for _ in range(4):
            call(breaker, has_worked=False)
        for _ in range(9):
            call(breaker, has_worked=True)
    assert not is_refused(breaker)


def test_half_of_twenty_calls_in_ten_seconds_open_it(breaker):
    for number in range(19):
        call(breaker, has_worked=number % 2 == 0)
    assert not is_refused(breaker)
    call(breaker, has_worked=False)
    assert is_refused(breaker)


def test_failures_of_long_ago_do_not_count(breaker, clock):
    for number in range(100):
        clock.now += 1
        call(breaker, has_worked=number % 2 == 0)
    assert not is_refused(breaker)


def test_it_stays_open_for_five_seconds_less_a_tenth_at_most(breaker, clock):
    opened(breaker)
    clock.now += 4.49
    assert is_refused(breaker)
    clock.now += 0.52
    assert not is_refused(breaker)


def test_open_times_differ_so_that_a_fleet_does_not_come_back_as_one(clock):
    assert len({opened(Breaker(clock=clock))._probe_at for _ in range(20)}) > 10


def test_one_probe_goes_out_and_the_rest_is_refused_meanwhile(breaker, clock):
    opened(breaker)
    clock.now += 5.01
    assert breaker.enter().is_probe
    assert all(is_refused(breaker) for _ in range(10))


def test_a_probe_that_works_closes_it(breaker, clock):
    opened(breaker)
    clock.now += 5.01
    call(breaker, has_worked=True)
    assert not breaker.is_open
    for _ in range(4):
        call(breaker, has_worked=False)
    assert not breaker.is_open  # the row begins anew


def test_each_probe_that_fails_doubles_the_time_up_to_a_minute(breaker, clock):
    opened(breaker)
    clock.now += 5.01
    for longest in (10, 20, 40, 60, 60):
        call(breaker, has_worked=False)
        clock.now += 0.89 * longest
        assert is_refused(breaker)
        clock.now += 0.12 * longest
    call(breaker, has_worked=True)
    opened(breaker)
    clock.now += 5.01
    assert not is_refused(breaker)  # it begins with five seconds again


def test_a_probe_that_never_tells_is_followed_by_another(breaker, clock):
    opened(breaker)
    clock.now += 5.01
    breaker.enter()
    clock.now += 5.01
    assert breaker.enter().is_probe


def test_what_began_before_it_opened_changes_nothing_any_more(breaker, clock):
    early = breaker.enter()
    opened(breaker)
    breaker.report(early, has_worked=True)
    assert is_refused(breaker)
    clock.now += 5.01
    probe = breaker.enter()
    breaker.report(early, has_worked=False)
    breaker.report(probe, has_worked=True)
    breaker.report(early, has_worked=False)
    assert not breaker.is_open


def test_each_host_has_its_own(clock):
    breakers = Breakers(BreakerLimits(failures_in_a_row=1), clock)
    call(breakers.of("a:1"), has_worked=False)
    assert is_refused(breakers.of("a:1"))
    assert not is_refused(breakers.of("b:1"))


def test_refusing_costs_next_to_nothing(breaker):
    opened(breaker)
    began = time.thread_time()
    assert all(is_refused(breaker) for _ in range(1000))
    assert time.thread_time() - began < 0.1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_not_held_up_by_what_its_parents_threads_did():
    from tests.http.test_fork import forked

    breaker = Breaker()
    with breaker._lock:  # as another thread might, at the moment of the fork
        assert forked(lambda: call(breaker, has_worked=True))


def test_a_quiet_service_may_retry_ten_times_a_minute(clock):
    budget = RetryBudget(clock)
    assert [budget.take() for _ in range(11)] == [True] * 10 + [False]
    clock.now += 61
    assert budget.take()


def test_a_busy_service_may_retry_one_call_in_ten(clock):
    budget = RetryBudget(clock)
    for _ in range(1000):
        budget.note_call()
    assert sum(budget.take() for _ in range(500)) == 100
    clock.now += 61
    assert sum(budget.take() for _ in range(500)) == 10
