"""Who is asked how often, within one total time; over loopback."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from fixtures.delivery_api import DeliveryApi as StandIn
from fixtures.delivery_api import json_answer
from fixtures.loopback import NEVER, Answer
from target_decisioning.errors import DeliveryError, DeliveryTimeout
from target_decisioning.http import BreakerLimits, Breakers, Transport
from target_decisioning.log import STANDARD
from target_decisioning.remote import DeliveryApi
from tests.artifact.keeping import until
from tests.promptness import promptly

BODY = {"requestId": "r", "context": {"channel": "web"}}
GOOD = json_answer({"status": 200})
CUT = Answer(hang_up=True)
BRIEF = BreakerLimits(first_open_seconds=1.0)


@pytest.fixture
def stand_in():
    with StandIn() as api:
        yield api


@pytest.fixture
def transport():
    transport = Transport()
    yield transport
    transport.close()


@pytest.fixture
def deliver(stand_in, transport):
    return deliverer(stand_in.authority, transport)


def deliverer(authority, transport, timeout_seconds=3.0, breakers=None):
    config = SimpleNamespace(
        client="acme",
        organization_id="ORG@AdobeOrg",
        server_domain=authority,
        secure=False,
        version=None,
        timeout_seconds=timeout_seconds,
        log_bodies=False,
    )
    api = DeliveryApi(config, transport, STANDARD, breakers)

    def deliver(*, safe_to_repeat=False, timeout_seconds=None, cluster=None, in_background=False):
        return api.deliver(
            BODY,
            "s1",
            cluster,
            safe_to_repeat=safe_to_repeat,
            timeout_seconds=timeout_seconds,
            in_background=in_background,
        )

    return deliver


def ids(stand_in):
    return {call.received.headers["x-request-id"] for call in stand_in.calls}


def test_a_call_brings_the_answer_and_its_times(stand_in, deliver):
    response, timing = deliver()
    assert response["client"] == "acme"
    assert {"timeToFirstByte", "download", "responseSize"} <= timing.keys()
    assert [call.problems for call in stand_in.calls] == [[]]


def test_a_visitors_cluster_never_leads_away_from_a_stand_in(stand_in, deliver):
    deliver(cluster="28")
    assert len(stand_in.calls) == 1


def test_many_calls_share_one_connection(stand_in, deliver):
    for _ in range(20):
        deliver()
    assert stand_in.connections == 1
    assert len(ids(stand_in)) == 20


@pytest.mark.parametrize("trouble", [json_answer({}, status=503), json_answer({}, status=429), CUT])
def test_a_call_with_effects_is_sent_once_whatever_the_answer(stand_in, deliver, trouble):
    stand_in.script(trouble, GOOD)
    with pytest.raises(DeliveryError):
        deliver()
    assert len(stand_in.calls) == 1


@pytest.mark.parametrize("trouble", [json_answer({}, status=503), json_answer({}, status=429), CUT])
def test_a_call_without_effects_is_sent_again_under_the_same_id(stand_in, deliver, trouble):
    stand_in.script(trouble, trouble, GOOD)
    assert deliver(safe_to_repeat=True)[0] == {"status": 200}
    assert len(stand_in.calls) == 3
    assert len(ids(stand_in)) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_the_server_will_not_take_is_not_sent_again(stand_in, deliver, status):
    stand_in.always(json_answer({"message": "no"}, status=status))
    with pytest.raises(DeliveryError) as caught:
        deliver(safe_to_repeat=True)
    assert (caught.value.status, caught.value.body) == (status, '{"message": "no"}')
    assert len(stand_in.calls) == 1


def test_a_server_that_stays_in_trouble_is_given_up_with_its_status(stand_in, deliver):
    stand_in.always(json_answer({}, status=500))
    with pytest.raises(DeliveryError) as caught:
        deliver(safe_to_repeat=True)
    assert caught.value.status == 500
    assert len(stand_in.calls) == 3


def test_a_closed_port_is_an_error_that_says_so():
    with StandIn() as gone:
        authority = gone.authority
    with pytest.raises(DeliveryError) as caught:
        deliverer(authority, Transport())()
    assert (caught.value.reason, caught.value.status) == ("connect", None)


def test_a_connection_that_could_not_be_made_is_tried_once_more():
    sent = []

    class NoConnection:
        def send(self, request, **_):
            from target_decisioning.errors import TransportError

            sent.append(request)
            raise TransportError("connect", "refused", was_sent=False)

    with pytest.raises(DeliveryError):
        deliverer("127.0.0.1:1", NoConnection())()
    assert len(sent) == 2


@pytest.mark.parametrize("safe_to_repeat", [False, True])
@pytest.mark.parametrize(
    "answer", [NEVER, json_answer({"drip": "drip" * 20}, drip_seconds=0.05)], ids=["silent", "drip"]
)
def test_the_timeout_is_a_total_and_holds(stand_in, deliver, answer, safe_to_repeat):
    stand_in.always(answer)

    def time_out():
        stand_in.calls.clear()
        with pytest.raises(DeliveryTimeout) as caught:
            deliver(timeout_seconds=0.3, safe_to_repeat=safe_to_repeat)
        assert len(stand_in.calls) == 1
        return caught.value

    error = promptly(time_out, least=0.29, most=0.4)
    assert error.timeout_seconds == 0.3
    assert str(error) == f"Request timed out: no whole answer from {stand_in.authority} in time"


def test_repeating_stays_within_the_total_time(stand_in, deliver):
    stand_in.always(json_answer({}, status=503, delay_seconds=0.2))

    def fail():
        with pytest.raises(DeliveryError):
            deliver(timeout_seconds=0.3, safe_to_repeat=True)

    promptly(fail, most=0.4)


def test_an_endless_answer_is_cut_off(stand_in, deliver):
    stand_in.script(Answer(body=b'{"a":"' + b"x" * (17 * 1024 * 1024)))
    with pytest.raises(DeliveryError) as caught:
        deliver()
    assert caught.value.reason == "too_large"


def test_a_redirect_is_not_followed(stand_in, deliver):
    stand_in.script(Answer(status=302, headers={"Location": stand_in.url + "/elsewhere"}))
    with pytest.raises(DeliveryError) as caught:
        deliver()
    assert caught.value.reason == "redirect"
    assert len(stand_in.received) == 1


def test_many_threads_may_deliver_at_once(stand_in, deliver):
    threads = [threading.Thread(target=deliver) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(stand_in)) == 16


def failing(deliver):
    with pytest.raises(DeliveryError) as caught:
        deliver()
    return caught.value.reason


def test_a_host_that_keeps_failing_is_left_alone_until_one_probe_works(stand_in, transport):
    deliver = deliverer(stand_in.authority, transport, breakers=Breakers(BRIEF))
    stand_in.always(json_answer({}, status=500))
    assert [failing(deliver) for _ in range(8)] == ["status"] * 5 + ["circuit_open"] * 3
    assert len(stand_in.calls) == 5
    time.sleep(BRIEF.first_open_seconds)
    others_are_through, outcomes = threading.Event(), []
    stand_in.always(lambda _: others_are_through.wait(10) and json_answer({}))
    threads = [threading.Thread(target=lambda: outcomes.append(tried(deliver))) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: len(outcomes) == 7)
    others_are_through.set()
    for thread in threads:
        thread.join()
    assert outcomes == ["circuit_open"] * 7 + ["answered"]
    assert len(stand_in.calls) == 6
    assert tried(deliver) == "answered"


def test_a_probe_is_not_repeated(stand_in, transport):
    deliver = deliverer(stand_in.authority, transport, breakers=Breakers(BRIEF))
    stand_in.always(json_answer({}, status=500))
    for _ in range(5):
        failing(deliver)
    time.sleep(BRIEF.first_open_seconds)
    with pytest.raises(DeliveryError):
        deliver(safe_to_repeat=True)
    assert len(stand_in.calls) == 6


def test_what_is_sent_in_the_background_neither_heeds_nor_moves_the_breaker(stand_in, deliver):
    """It has waits of its own: what a flush or an exit still sends must not wait for a probe."""
    stand_in.always(json_answer({}, status=500))
    for _ in range(10):
        with pytest.raises(DeliveryError):
            deliver(in_background=True)
    assert [failing(deliver) for _ in range(6)] == ["status"] * 5 + ["circuit_open"]
    stand_in.always(None)
    assert deliver(in_background=True)
    assert failing(deliver) == "circuit_open"


def test_what_the_server_refuses_for_a_reason_says_nothing_against_the_server(stand_in, deliver):
    stand_in.always(json_answer({}, status=400))
    assert {failing(deliver) for _ in range(30)} == {"status"}


def test_retries_stay_within_their_budget(stand_in, transport):
    never_opens = Breakers(BreakerLimits(failures_in_a_row=10_000, least_calls=10_000))
    deliver = deliverer(stand_in.authority, transport, breakers=never_opens)
    stand_in.always(CUT)
    for _ in range(40):
        with pytest.raises(DeliveryError):
            deliver(safe_to_repeat=True, timeout_seconds=0.2)
    assert len(stand_in.calls) <= 50


def tried(deliver):
    try:
        deliver()
    except DeliveryError as error:
        return error.reason
    return "answered"
