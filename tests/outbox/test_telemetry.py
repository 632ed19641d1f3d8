"""Telemetry leaves through the outbox too, but nobody misses it: only what is owed counts as lost, and is told."""

from __future__ import annotations

import pytest

from target_decisioning.outbox import TELEMETRY


@pytest.fixture(params=["memory", "disk"])
def outbox(request, make_outbox, tmp_path):
    return make_outbox(tmp_path / "outbox" if request.param == "disk" else None)


def test_it_is_sent_as_any_item_is(outbox, server):
    outbox.offer({"n": 1}, lane=TELEMETRY)
    assert outbox.flush(5)
    assert server.taken == [1]


def test_while_the_server_is_down_nothing_is_logged_as_an_impression(outbox, server, log, wait_until):
    server.is_down = True
    outbox.offer({"n": 1}, lane=TELEMETRY)
    assert wait_until(lambda: server.tried[1] > 2)
    assert (log.errors, log.warnings) == ([], [])
    assert not outbox.close(0)


@pytest.mark.parametrize("status", [400, 403])
def test_what_is_refused_is_no_dead_letter(outbox, server, log, told, status):
    server.refuses[1] = status
    outbox.offer({"n": 1}, lane=TELEMETRY)
    assert outbox.flush(5)
    assert (outbox.status()["dead"], outbox.status()["dropped"], outbox.dead_letters) == (0, 0, ())
    assert (log.errors, log.warnings, told.events) == ([], [], [])


def test_what_is_too_old_is_no_lost_notification(make_outbox, told):
    outbox = make_outbox(expiry_seconds=0.0)
    outbox.offer({"n": 1}, lane=TELEMETRY)
    assert outbox.flush(5)
    outbox.close()
    assert (outbox.status()["dropped"], told.events) == (0, [])


@pytest.mark.parametrize(
    ("owed", "message"),
    [
        (0, None),
        (1, "The outbox was closed with 1 impression that could not be sent; it is lost"),
        (2, "The outbox was closed with 2 impressions that could not be sent; they are lost"),
    ],
)
@pytest.mark.parametrize("background", [True, False])
def test_only_what_is_owed_is_lost_at_the_end(make_outbox, server, log, told, background, owed, message):
    outbox = make_outbox(background=background)
    server.is_down = True
    for number in range(owed):
        outbox.offer({"n": number}, lane=f"v{number}")
    outbox.offer({"n": 9}, lane=TELEMETRY)
    outbox.close(0)
    outbox.offer({"n": 10}, lane=TELEMETRY)
    assert log.warnings == ([message] if message else [])
    assert outbox.status()["dropped_by_reason"] == ({"closed": owed} if owed else {})
    assert told.of("notifications_dropped") == ([{"counts": {"closed": owed}}] if owed else [])
    assert outbox.status()["pending"] == 0


def test_what_an_earlier_process_left_is_known_again(make_outbox, server, tmp_path, log):
    server.is_down = True
    first = make_outbox(tmp_path / "outbox")
    first.offer({"n": 1}, lane=TELEMETRY)
    first.close(0)
    server.is_down = False
    server.refuses[1] = 400
    second = make_outbox(tmp_path / "outbox")
    assert second.flush(5)
    assert (second.status()["dead"], log.errors) == (0, [])
