"""``client_ready``: once, at the earliest 100 ms after ``create``, on a thread of its own; and who else listens."""

import time

import pytest

from fixtures.loopback import Answer
from target_decisioning.errors import RequestError
from tests.client.parts import Heard, asking, until

LOCAL = asking(mboxes="local-1")
PREFETCH = asking(mode="prefetch", mboxes="local-1")


@pytest.mark.parametrize("method", ["on-device", "hybrid", "server-side"])
def test_client_ready_is_told_once_100_ms_after_create_on_a_thread_of_its_own(make_client, method):
    heard, began = Heard(), time.monotonic()
    client = make_client(decisioning_method=method, events={"client_ready": heard})
    assert heard.at == []
    assert until(lambda: heard.at)
    assert heard.at[0] - began >= 0.1
    assert heard.threads[0].name == "target-client-ready"
    client.subscribe("client_ready", heard)
    time.sleep(0.15)
    assert len(heard.at) == 1


def test_client_ready_comes_with_the_first_artifact(make_client, cdn):
    cdn.script(Answer(status=503))
    heard = Heard()
    client = make_client(
        artifact_location=cdn.location("rules.json"), maximum_wait_ready=0, events={"client_ready": heard}
    )
    assert client.wait_until_ready(10)
    assert until(lambda: heard.at)
    assert client.get_offers(request=LOCAL, decisioning_method="on-device").meta.decisioning_method == "on-device"


def test_the_example_of_the_earlier_sdk(make_client):
    """A callable without an argument that uses the client by the name that it gets from ``create``."""
    answers = []

    def when_ready():
        answers.append(client.get_offers(request=LOCAL))

    client = make_client(events={"client_ready": when_ready})
    assert until(lambda: answers)
    assert answers[0].response.status == 200


def test_who_subscribes_late_hears_of_it(make_client):
    client, heard = make_client(), Heard()
    client.subscribe("client_ready", heard)
    assert until(lambda: heard.at)


def test_a_client_that_is_closed_tells_nothing_more(make_client):
    heard = Heard()
    make_client(events={"client_ready": heard}).close()
    time.sleep(0.15)
    assert heard.at == []


def test_a_listener_that_raises_or_is_slow_harms_no_request(make_client):
    def fail():
        time.sleep(1.0)
        raise ValueError

    client = make_client(events={"client_ready": fail})
    time.sleep(0.11)
    began = time.monotonic()
    assert client.get_offers(request=PREFETCH).response.status == 200
    assert time.monotonic() - began < 0.8


def test_subscriptions_end(make_client):
    client, heard = make_client(), Heard()
    token = client.subscribe("client_ready", heard)
    client.unsubscribe(token)
    client.unsubscribe(token)
    client.unsubscribe(12345)
    time.sleep(0.15)
    assert heard.at == []


@pytest.mark.parametrize(("event", "listener"), [("ready", print), ([], print), (None, print), ("client_ready", "f")])
def test_what_cannot_be_subscribed_to(client, event, listener):
    with pytest.raises(RequestError):
        client.subscribe(event, listener)


@pytest.mark.parametrize(
    ("event", "nearest"),
    [("clientReady", "client_ready"), ("artifact_download_success", "artifact_download_succeeded")],
)
def test_a_misspelt_event_is_told_the_nearest(client, event, nearest):
    with pytest.raises(RequestError, match=f"did you mean '{nearest}'\\?$"):
        client.subscribe(event, print)


# -- waiting in vain --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [{}, b"<html>", {"version": "2.0.0", "meta": {}}], ids=["empty", "html", "newer"])
@pytest.mark.parametrize("background", [True, False])
def test_nobody_waits_for_a_payload_that_cannot_be_used(make_client, payload, background):
    """Nothing is fetched in its place, so nothing can come any more."""
    began = time.monotonic()
    client = make_client(artifact_payload=payload, maximum_wait_ready=30_000, background=background)
    assert not client.wait_until_ready()
    assert time.monotonic() - began < 10
    assert client.status()["last_error"]["reason"] in ("invalid", "unsupported")


def test_a_client_that_is_closed_is_not_ready(client):
    assert client.status()["ready"]
    client.close()
    assert client.status()["ready"] is False
