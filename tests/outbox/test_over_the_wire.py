"""The outbox in front of the real wire: one item, one call, over a bounded few connections."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from fixtures.delivery_api import DeliveryApi as StandIn
from fixtures.delivery_api import json_answer
from fixtures.loopback import Answer
from target_decisioning.http import Transport
from target_decisioning.outbox import Outbox, OutboxLimits
from target_decisioning.remote import DeliveryApi

QUICK = OutboxLimits(first_delay_seconds=0.01, longest_delay_seconds=0.05, drain_per_second=2000.0)


@pytest.fixture
def stand_in():
    with StandIn() as api:
        yield api


@pytest.fixture
def outbox(stand_in, told, log):
    config = SimpleNamespace(
        client="acme",
        organization_id="ORG@AdobeOrg",
        server_domain=stand_in.authority,
        secure=False,
        version=None,
        timeout_seconds=3.0,
        log_bodies=False,
    )
    transport = Transport()
    api = DeliveryApi(config, transport, log)

    def send(body):
        api.deliver(body, "s1", None, safe_to_repeat=False, in_background=True)

    outbox = Outbox(send, told, log, limits=QUICK)
    yield outbox
    outbox.close(0)
    transport.close()


def impression(number):
    return {
        "requestId": f"request {number}",
        "context": {"channel": "web"},
        "notifications": [
            {
                "id": f"n{number}",
                "impressionId": f"i{number}",
                "timestamp": 1_700_000_000_000,
                "type": "display",
                "mbox": {"name": "home"},
                "tokens": ["token"],
            }
        ],
    }


def arrived(stand_in):
    return [entry["id"] for entry in stand_in.impressions]


def test_every_impression_arrives_once_over_few_connections(stand_in, outbox):
    began = time.monotonic()
    for number in range(1000):
        assert outbox.offer(impression(number))
    assert outbox.flush(20)
    assert time.monotonic() - began < 10
    assert sorted(arrived(stand_in)) == sorted(f"n{number}" for number in range(1000))
    assert stand_in.problems == []
    assert stand_in.connections <= QUICK.senders


def test_an_impression_whose_answer_was_lost_is_sent_again_as_it_was(stand_in, outbox):
    stand_in.script(Answer(hang_up=True))
    outbox.offer(impression(1))
    assert outbox.flush(5)
    first, second = stand_in.calls
    assert first.received.body == second.received.body


@pytest.mark.parametrize("answer", [Answer(status=204), Answer(body=b"<html>"), json_answer({})])
def test_any_success_is_sent(stand_in, outbox, answer):
    stand_in.always(answer)
    outbox.offer(impression(1))
    assert outbox.flush(5)
    assert outbox.status()["sent"] == 1
    assert len(stand_in.calls) == 1


def test_what_the_server_will_never_take_does_not_hold_up_the_rest(stand_in, outbox, told):
    def picky(call):
        poison = {"n3": 400, "n7": 413}.get(call.body["notifications"][0]["id"])
        return json_answer({"message": "no"}, status=poison) if poison else json_answer({"status": 200})

    stand_in.always(picky)
    for number in range(100):
        outbox.offer(impression(number))
    assert outbox.flush(10)
    assert len(set(arrived(stand_in))) == 98
    assert outbox.status()["dead"] == 2
    assert [payload["error"].body for payload in told.of("send_notification_error")] == ['{"message": "no"}'] * 2


def test_an_outage_ends_with_everything_sent_once(stand_in, outbox, log):
    stand_in.always(json_answer({}, status=503))
    for number in range(200):
        outbox.offer(impression(number))
    assert not outbox.flush(0.1)
    stand_in.always(None)
    assert outbox.flush(10)
    assert sorted(arrived(stand_in)) == sorted(f"n{number}" for number in range(200))
    assert len(log.errors) == 1
