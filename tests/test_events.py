"""Who listens is told, in order, whatever another listener does; and nobody who emits waits for it."""

from __future__ import annotations

import os
import threading
import time

import pytest

from target_decisioning.events import (
    ARTIFACT_DOWNLOAD_FAILED,
    ARTIFACT_DOWNLOAD_SUCCEEDED,
    ARTIFACT_STALE,
    CLIENT_READY,
    MOST_ARTIFACTS_WAITING,
    MOST_WAITING,
    Listeners,
)
from tests.artifact.keeping import Log, until


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def listeners(log):
    listeners = Listeners(log)
    yield listeners
    listeners.close(5)


def test_every_listener_is_told_in_order_and_off_the_callers_thread(listeners):
    told, threads = [], set()

    def listen(event):
        told.append((event.type, event["age_seconds"]))
        threads.add(threading.current_thread().name)

    listeners.subscribe(ARTIFACT_STALE, listen)
    for age in range(100):
        listeners.emit(ARTIFACT_STALE, age_seconds=age)
    until(lambda: len(told) == 100)
    assert told == [(ARTIFACT_STALE, age) for age in range(100)]
    assert threads == {"target-events"}


def test_a_listener_without_a_parameter_is_told_too(listeners):
    told = []
    listeners.subscribe(ARTIFACT_STALE, lambda: told.append("told"))
    listeners.emit(ARTIFACT_STALE)
    until(lambda: told == ["told"])


def test_no_thread_is_started_while_nobody_listens(listeners, begun):
    listeners.subscribe(ARTIFACT_STALE, print)
    listeners.emit(ARTIFACT_DOWNLOAD_FAILED)
    assert begun("target-events") == []


@pytest.mark.parametrize("fault", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_listener_that_raises_is_logged_and_the_others_are_told(listeners, log, fault):
    told = []

    def fail():
        raise fault("secret")

    listeners.subscribe(ARTIFACT_STALE, fail)
    listeners.subscribe(ARTIFACT_DOWNLOAD_FAILED, lambda: told.append("told"))
    listeners.emit(ARTIFACT_STALE)
    listeners.emit(ARTIFACT_DOWNLOAD_FAILED)
    until(lambda: told == ["told"])
    assert len(log.said) == 1
    line = fail.__code__.co_firstlineno + 1
    assert log.said[0].endswith(f"{fault.__name__} at {__file__}:{line}")


def test_a_listener_that_hangs_holds_nobody_up_and_what_waits_is_bounded(listeners, log):
    told, release = [], threading.Event()
    listeners.subscribe(ARTIFACT_STALE, lambda event: (release.wait(10), told.append(event.age_seconds)))
    listeners.subscribe(ARTIFACT_DOWNLOAD_SUCCEEDED, lambda: told.append("artifact"))
    began = time.monotonic()
    for age in range(2 * MOST_WAITING):
        listeners.emit(ARTIFACT_STALE, age_seconds=age)
        listeners.emit(ARTIFACT_DOWNLOAD_SUCCEEDED)
    assert time.monotonic() - began < 5  # far from the ten seconds that each event would take
    release.set()
    until(lambda: told and told[-1] == MOST_WAITING - 1)
    assert told.count("artifact") == MOST_ARTIFACTS_WAITING
    assert [age for age in told if age != "artifact"] == list(range(MOST_WAITING))
    assert len(log.said) == 2  # once for each kind of event


def test_a_listener_may_subscribe_unsubscribe_emit_and_close(listeners):
    told = []

    def listen(event):
        told.append(event.type)
        listeners.unsubscribe(token)
        listeners.subscribe(ARTIFACT_DOWNLOAD_FAILED, lambda: told.append("second"))
        listeners.emit(ARTIFACT_DOWNLOAD_FAILED)
        assert not listeners.close(5)

    token = listeners.subscribe(ARTIFACT_STALE, listen)
    listeners.emit(ARTIFACT_STALE)
    until(lambda: told == [ARTIFACT_STALE, "second"])


def test_closing_tells_what_waits_and_takes_no_more(listeners, begun):
    told = []
    listeners.subscribe(ARTIFACT_STALE, lambda event: (time.sleep(0.01), told.append(event.age_seconds)))
    for age in range(10):
        listeners.emit(ARTIFACT_STALE, age_seconds=age)
    assert listeners.close(30)
    listeners.emit(ARTIFACT_STALE, age_seconds=99)
    assert told == list(range(10))
    until(lambda: not begun("target-events"))


def test_closing_waits_no_longer_than_it_may(listeners):
    release = threading.Event()
    listeners.subscribe(ARTIFACT_STALE, lambda: release.wait(10))
    listeners.emit(ARTIFACT_STALE)
    began = time.monotonic()
    assert not listeners.close(0.1)
    assert time.monotonic() - began < 5
    release.set()


def test_client_ready_is_told_on_the_thread_that_emits_it(listeners):
    threads = []
    listeners.subscribe(CLIENT_READY, lambda: threads.append(threading.current_thread()))
    listeners.emit(CLIENT_READY)
    assert threads == [threading.current_thread()]


def test_without_a_background_listeners_are_told_at_once(log):
    told = []
    listeners = Listeners(log, {ARTIFACT_STALE: lambda: told.append(threading.current_thread())}, background=False)
    listeners.emit(ARTIFACT_STALE)
    assert told == [threading.current_thread()]
    assert listeners.close(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_tells_its_own_events_and_the_parent_those_from_before(listeners):
    from tests.http.test_fork import forked

    told, release = [], threading.Event()
    listeners.subscribe(ARTIFACT_STALE, lambda event: (release.wait(10), told.append(event.whose)))
    for _ in range(3):
        listeners.emit(ARTIFACT_STALE, whose="parent")

    def child():
        release.set()
        listeners.emit(ARTIFACT_STALE, whose="child")
        assert listeners.close(5)
        assert told == ["child"], told

    assert forked(child)
    release.set()
    assert listeners.close(5)
    assert told == ["parent"] * 3
