"""How long to wait between tries, and how often to say that something fails."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from target_decisioning.http import OutageLog, backoff_seconds, retry_after_seconds


def test_waits_grow_differ_and_are_capped():
    rounds = [[backoff_seconds(failure, 1.0, 60.0) for failure in range(1, 12)] for _ in range(20)]
    for waits in rounds:
        assert waits[:6] == sorted(waits[:6])
        assert all(30.0 <= wait <= 60.0 for wait in waits[6:])
    assert len({waits[0] for waits in rounds}) > 10


def test_a_wait_after_a_million_failures_is_still_a_number():
    assert backoff_seconds(1_000_000, 1.0, 300.0) <= 300.0


@pytest.mark.parametrize(("text", "seconds"), [("2", 2), ("999999999", 3600), ("9" * 5000, 3600)])
def test_retry_after_is_obeyed_up_to_an_hour(text, seconds):
    assert retry_after_seconds({"retry-after": text}) == seconds


@pytest.mark.parametrize(("ahead_seconds", "seconds"), [(120, 120.0), (9999, 3600.0), (-1, None)])
def test_a_retry_after_may_be_a_date(monkeypatch, ahead_seconds, seconds):
    now = datetime(2024, 3, 4, 12, tzinfo=UTC)
    monkeypatch.setattr(time, "time", now.timestamp)
    date = format_datetime(now + timedelta(seconds=ahead_seconds), usegmt=True)
    assert retry_after_seconds({"retry-after": date}) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "Fri, 99 Foo 2025", "Mon, 01 Jan 1990 00:00:00 GMT", "²"])
def test_a_retry_after_that_is_past_or_unreadable_is_ignored(text):
    assert retry_after_seconds({"retry-after": text}) is None


class Log:
    def __init__(self):
        self.said = []

    def debug(self, message):
        self.said.append(message)

    error = debug


@pytest.fixture
def clock(monkeypatch):
    """What an outage's log takes for the time."""
    moment = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("target_decisioning.http.outage.time.monotonic", lambda: moment.now)
    return moment


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def outage(log):
    return OutageLog(log, "Artifact", "The artifact is there again")


def test_an_outage_is_told_once_then_each_minute_with_a_count(clock, log, outage):
    for _ in range(5):
        outage.failed("connect")
    clock.now += 61
    outage.failed("connect")
    outage.failed("timeout")
    outage.recovered()
    outage.recovered()
    assert log.said == [
        "Artifact: connect",
        "Artifact: connect (5 times)",
        "Artifact: timeout",
        "The artifact is there again",
    ]


def test_what_fails_now_and_then_is_told_once_a_minute_and_so_is_that_it_is_well_again(clock, log, outage):
    for second in range(122):
        clock.now = 1000.0 + second
        outage.failed("connect")
        outage.recovered()
    told = [say for say in log.said if "connect" in say]
    assert told == ["Artifact: connect", "Artifact: connect (60 times)", "Artifact: connect (60 times)"]
    assert len(log.said) == 2 * len(told)


def test_what_was_not_said_of_an_outage_that_is_over_is_not_counted_later(clock, log, outage):
    for _ in range(40):
        outage.failed("connect")
    outage.recovered()
    clock.now += 7 * 86_400
    outage.failed("connect")
    assert log.said == ["Artifact: connect", "The artifact is there again", "Artifact: connect"]


def test_kinds_of_failure_that_are_over_make_room_for_others(clock, log, outage):
    for kind in range(40):
        outage.failed(f"kind {kind}")
    assert len(log.said) == 16
    clock.now += 61
    outage.failed("another")
    assert log.said[16:] == ["Artifact: another"]


def test_a_recovery_is_said_where_info_is_shown(caplog):
    caplog.set_level(logging.INFO)
    outage = OutageLog(logging.getLogger("x"), "Artifact", "The artifact is there again")
    outage.failed("connect")
    outage.recovered()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "Artifact: connect"),
        ("INFO", "The artifact is there again"),
    ]
