"""The timer: what it costs to arm it, and that it runs when it should."""

from __future__ import annotations

import os
import time

import pytest

from target_decisioning.artifact.polling import SPARED_SECONDS, Polling
from tests.artifact.keeping import until


@pytest.fixture
def ran():
    """When the timer ran."""
    return []


@pytest.fixture
def polling(ran):
    polling = Polling(lambda: ran.append(time.monotonic()))
    yield polling
    polling.stop()


def test_the_scheduler_is_not_started_for_what_is_far_ahead(polling, begun):
    """Its import would take longer than all else that a process does which decides once and ends."""
    polling.arm(300)
    assert polling.is_alive
    assert 299 < polling.next_seconds <= 300
    assert begun("target", "APScheduler") == ["target-timer"]


@pytest.mark.slow
def test_a_process_that_goes_on_gets_its_scheduler(polling, begun):
    polling.arm(300)
    until(lambda: begun("target", "APScheduler") == ["APScheduler"], seconds=SPARED_SECONDS + 5)
    assert polling.is_alive
    assert 290 < polling.next_seconds < 300 - SPARED_SECONDS


@pytest.mark.slow
def test_what_was_armed_far_ahead_runs_when_it_is_due(polling, ran):
    due = time.monotonic() + SPARED_SECONDS + 0.3
    polling.arm(SPARED_SECONDS + 0.3)
    until(lambda: ran)
    assert 0 <= ran[0] - due < 0.5


def test_armed_again_for_soon_it_waits_no_longer(polling, ran, begun):
    polling.arm(300)
    polling.arm(0.01)
    until(lambda: ran)
    assert polling.next_seconds is None
    until(lambda: begun("target", "APScheduler") == ["APScheduler"])


def test_stopped_while_it_waits_it_leaves_no_thread(polling, begun):
    polling.arm(300)
    polling.stop()
    assert not polling.is_alive
    assert polling.next_seconds is None
    until(lambda: not begun("target", "APScheduler"))


@pytest.mark.slow
def test_armed_further_ahead_while_it_waits_it_runs_once(polling, ran):
    polling.arm(SPARED_SECONDS + 0.1)
    polling.arm(SPARED_SECONDS + 0.4)
    due = time.monotonic() + SPARED_SECONDS + 0.4
    until(lambda: ran)
    time.sleep(0.2)
    assert len(ran) == 1
    assert ran[0] > due - 0.1


@pytest.mark.slow
def test_a_wait_that_can_start_no_scheduler_is_no_longer_alive(polling, monkeypatch):
    """The keeper looks whether the timer lives, and arms it again."""

    def no_more(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr("apscheduler.schedulers.background.BackgroundScheduler.start", no_more)
        polling.arm(300)
        until(lambda: not polling.is_alive)
    polling.arm(0.01)
    until(lambda: polling.next_seconds is None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_wait_is_not_alive_in_a_forked_child(polling):
    from tests.http.test_fork import forked

    polling.arm(300)

    def child():
        assert not polling.is_alive
        polling.arm(0.01)
        until(lambda: polling.next_seconds is None)

    assert forked(child)
    assert polling.is_alive
