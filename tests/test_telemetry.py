"""A client's own work, told in bounded entries."""

from __future__ import annotations

import time
import weakref

import pytest

from fixtures.delivery_rules import problems_of
from target_decisioning.preparation import Call
from target_decisioning.telemetry import DUE_ENTRIES, DUE_SECONDS, LONGEST_ID, MOST_ENTRIES, Telemetry

NOW = 1_700_000_000_000
BEGAN = 500.0
"""``time.perf_counter()`` when preparing a call began."""


def a_call(method="on-device", *, parsing_ms=1.0, edge_host=None, server_token=None, timing=None, **asked):
    """A call that is answered."""
    call = Call()
    call.request, call.session_id, call.now_ms = {"requestId": "r1", **asked}, "session", NOW
    call.method = method
    call.began, call.prepared = BEGAN, BEGAN + parsing_ms / 1000
    call.edge_host, call.server_token, call.timing = edge_host, server_token, timing
    return call


class Part(dict):
    """Part of a request, of which can be told whether it is still there."""


@pytest.fixture
def telemetry():
    return Telemetry(enabled=True)


def test_an_on_device_decision_is_told_with_what_it_asked_for(telemetry):
    call = a_call(
        parsing_ms=0.0,
        execute={"mboxes": [{"name": "a"}, {"name": "b"}], "pageLoad": {}},
        prefetch={"views": [{}], "mboxes": [], "pageLoad": {}},
    )
    telemetry.add_decision(call, BEGAN + 1.23456 / 1000)
    assert telemetry.take() == [
        {
            "requestId": "r1",
            "timestamp": NOW,
            "execution": 1.23,
            "parsing": 0.0,
            "mode": "local",
            "features": {
                "decisioningMethod": "on-device",
                "executeMboxCount": 2,
                "executePageLoad": True,
                "prefetchPageLoad": True,
                "prefetchViewCount": 1,
            },
        }
    ]


@pytest.mark.parametrize(("given", "told"), [(7, "7"), (True, "True"), ("r" * 60_000, "r" * LONGEST_ID)])
def test_an_odd_request_id_of_the_callers_spoils_no_other_call(telemetry, given, told):
    telemetry.add_decision(a_call(requestId=given), BEGAN + 1.0 / 1000)
    assert [entry["requestId"] for entry in telemetry.take()] == [told]


def test_what_waits_keeps_neither_the_call_nor_what_it_asked_for(telemetry):
    """A request may be as large as its caller likes, and a thousand entries wait."""
    call = a_call(execute=Part(mboxes=[{"name": "a"}]), prefetch=Part(views=[{}, {}]), notifications=Part())
    call.context = Part()
    parts = (call.context, *call.request.values())
    kept = [weakref.ref(part) for part in parts if isinstance(part, Part)]
    del parts
    telemetry.add_decision(call, BEGAN)
    del call
    assert [part() for part in kept] == [None] * 4
    [entry] = telemetry.take()
    assert entry["features"] == {"decisioningMethod": "on-device", "executeMboxCount": 1, "prefetchViewCount": 2}


def test_a_call_to_the_edge_is_told_with_its_times(telemetry):
    timing = {"timeToFirstByte": 9.999, "responseSize": 812}
    call = a_call("server-side", edge_host="mboxedge28.tt.omtrdc.net", server_token="token", timing=timing)
    telemetry.add_decision(call, BEGAN + 12.0 / 1000)
    assert telemetry.take() == [
        {
            "requestId": "r1",
            "timestamp": NOW,
            "execution": 12.0,
            "parsing": 1.0,
            "request": {"timeToFirstByte": 10.0, "responseSize": 812},
            "mode": "edge",
            "telemetryServerToken": "token",
            "features": {"decisioningMethod": "server-side"},
        }
    ]


def test_a_download_is_told_under_a_name_of_its_own(telemetry):
    telemetry.add_download(NOW, 30.111, 4.999, {"dns": 1.0})
    assert telemetry.take() == [
        {
            "requestId": "ArtifactDownload",
            "timestamp": NOW,
            "execution": 30.11,
            "parsing": 5.0,
            "request": {"dns": 1.0},
        }
    ]


def test_entries_are_what_the_api_takes(telemetry):
    telemetry.add_decision(
        a_call("hybrid", execute={"pageLoad": {}}, edge_host="x", timing={"tls": 1.0}), BEGAN + 1.0 / 1000
    )
    telemetry.add_download(NOW, 1.0)
    body = {"requestId": "r2", "context": {"channel": "web"}, "telemetry": {"entries": telemetry.take()}}
    assert problems_of(body) == []


def test_what_was_taken_is_gone(telemetry):
    telemetry.add_download(NOW, 1.0)
    assert telemetry.waiting == 1
    assert len(telemetry.take()) == 1
    assert telemetry.take() == []


def test_nothing_is_told_when_telemetry_is_off():
    telemetry = Telemetry(enabled=False)
    telemetry.add_decision(a_call(), BEGAN + 1.0 / 1000)
    telemetry.add_download(NOW, 1.0)
    assert telemetry.waiting == 0


def test_the_oldest_entries_are_dropped_and_counted(telemetry):
    for number in range(MOST_ENTRIES + 7):
        telemetry.add_download(number, 1.0)
    assert telemetry.dropped == 7
    assert [entry["timestamp"] for entry in telemetry.take()] == list(range(7, MOST_ENTRIES + 7))


def test_entries_are_due_when_many_wait_or_one_waits_long(telemetry):
    now = time.monotonic()
    assert not telemetry.due(now + DUE_SECONDS)
    telemetry.add_download(NOW, 1.0)
    assert not telemetry.due(now)
    assert telemetry.due(now + DUE_SECONDS + 1)
    for _ in range(DUE_ENTRIES - 1):
        telemetry.add_download(NOW, 1.0)
    assert telemetry.due(now)
