"""The asynchronous form of a call: the same in every mode, its callback run once, off the caller's thread."""

import multiprocessing
import threading
import time
from multiprocessing.pool import AsyncResult

import pytest

from fixtures.delivery_api import json_answer
from target_decisioning.callbacks import MOST_THREADS, CallbackPool
from target_decisioning.errors import ArtifactUnavailable, ClientClosed, DeliveryError, RequestError, TargetError
from target_decisioning.log import STANDARD
from tests.client.parts import asking, here, offered, there

REQUESTS = {
    "on-device": asking(mboxes="local-1"),
    "hybrid": asking(mboxes="local-1 remote-1"),
    "server-side": asking(mboxes="remote-1"),
}
SEEN = {"notifications": [{"id": "n", "type": "click", "timestamp": 1, "tokens": ["t"], "mbox": {"name": "a"}}]}


class Heard:
    """What a callback and an error callback got, on which threads."""

    def __init__(self):
        self.answers, self.errors, self.threads = [], [], []

    def callback(self, answer):
        self.threads.append(threading.current_thread())
        self.answers.append(answer)

    def err_callback(self, error):
        self.threads.append(threading.current_thread())
        self.errors.append(error)

    @property
    def options(self):
        return {"callback": self.callback, "err_callback": self.err_callback}


@pytest.fixture
def heard():
    return Heard()


@pytest.mark.parametrize("method", REQUESTS)
def test_a_call_with_a_callback_answers_through_it(client, heard, method):
    """The callback gets what ``get`` gives: the very same envelope."""
    result = client.get_offers(request=REQUESTS[method], decisioning_method=method, **heard.options)
    assert isinstance(result, AsyncResult)
    envelope = result.get(5)
    assert heard.answers == [envelope]
    assert heard.answers[0] is envelope
    assert envelope.meta.decisioning_method == method
    assert result.ready()
    assert result.successful()
    assert heard.errors == []
    assert threading.current_thread() not in heard.threads


def test_the_answer_is_that_of_the_call_without_a_callback(client, heard):
    response = client.get_offers(request=REQUESTS["hybrid"], **heard.options).get(5).to_wire()["response"]
    assert [offers for *_, offers in offered(response)] == [[here("local-1")], [there("remote-1")]]


FAILURES = {
    "on-device": ({"decisioning_method": "on-device"}, ArtifactUnavailable),
    "hybrid": ({"decisioning_method": "hybrid"}, DeliveryError),
    "server-side": ({"decisioning_method": "server-side"}, DeliveryError),
}


@pytest.mark.parametrize("method", FAILURES)
def test_an_error_goes_to_the_error_callback_and_is_raised_by_get(make_client, api, heard, tmp_path, method):
    options, expected = FAILURES[method]
    api.always(json_answer({}, status=403))
    client = make_client(artifact_location=str(tmp_path / "absent"), maximum_wait_ready=0)
    result = client.get_offers(request=asking(mboxes="remote-1"), **options, **heard.options)
    with pytest.raises(expected):
        result.get(5)
    [error] = heard.errors
    assert isinstance(error, expected)
    assert not result.successful()
    assert heard.answers == []


def test_without_an_error_callback_only_get_tells(make_client, api):
    api.always(json_answer({}, status=403))
    heard = []
    result = make_client().get_offers(request=asking(mboxes="remote-1"), callback=heard.append)
    result.wait(5)
    assert (result.ready(), result.successful(), heard) == (True, False, [])


def test_an_error_callback_alone_makes_no_call_asynchronous(make_client, api, heard):
    """As with the earlier SDK: the error is raised."""
    api.always(json_answer({}, status=403))
    with pytest.raises(DeliveryError):
        make_client().get_offers(request=asking(mboxes="remote-1"), err_callback=heard.err_callback)
    assert heard.errors == []


@pytest.mark.parametrize(
    "options",
    [
        {"request": {}},
        {"request": {"execute": []}},
        {"request": asking(mboxes="a"), "session_id": "a\n"},
        {"request": asking(mboxes="a"), "customer_ids": 5},
    ],
)
def test_what_cannot_be_read_is_raised_at_once(client, heard, options):
    with pytest.raises(RequestError):
        client.get_offers(**options, **heard.options)
    assert heard.errors == []


def test_a_request_that_is_changed_after_the_call_is_answered_as_it_was(make_client, api, heard):
    api.delay_seconds = 0.05
    request = asking(mboxes="local-1 remote-1")
    result = make_client().get_offers(request=request, **heard.options)
    request["execute"]["mboxes"][0]["name"] = "changed"
    request["execute"]["mboxes"].clear()
    assert [name for _, _, name, _ in offered(result.get(5).to_wire()["response"])] == ["local-1", "remote-1"]


def test_a_callback_that_raises_harms_nothing(client, caplog):
    """Not the answer, not the thread, not the next call; the log names the error, not what it says."""

    def fail(_):
        raise ValueError("secret")

    for _ in range(2 * MOST_THREADS):
        assert client.get_offers(request=REQUESTS["on-device"], callback=fail).get(5).response.status == 200
    line = fail.__code__.co_firstlineno + 1
    assert f"A callback failed: ValueError at {__file__}:{line}" in caplog.text
    assert "secret" not in caplog.text


def test_an_error_callback_that_raises_harms_nothing(make_client, api):
    def fail(_):
        raise SystemExit

    api.always(json_answer({}, status=403))
    client = make_client()
    for _ in range(2 * MOST_THREADS):
        result = client.get_offers(request=asking(mboxes="remote-1"), callback=fail, err_callback=fail)
        with pytest.raises(DeliveryError):
            result.get(5)


def test_wait_and_get_return_after_the_callback_has_run(client):
    ran = threading.Event()

    def slow(_):
        time.sleep(0.05)
        ran.set()

    result = client.get_offers(request=REQUESTS["on-device"], callback=slow)
    assert not result.ready()
    with pytest.raises(ValueError, match="not ended"):
        result.successful()
    result.wait(5)
    assert ran.is_set()


def test_a_wait_has_its_limit(make_client, api):
    api.delay_seconds = 1.0
    result = make_client().get_offers(request=asking(mboxes="remote-1"), callback=lambda _: None)
    began = time.monotonic()
    result.wait(0.02)
    with pytest.raises(multiprocessing.TimeoutError):
        result.get(0.02)
    assert time.monotonic() - began < 0.8
    assert result.get(5)


def test_threads_are_bounded_and_used_again(make_client, api, begun):
    api.delay_seconds = 0.01
    client = make_client()
    threads = set()
    results = [
        client.get_offers(request=asking(mboxes="remote-1"), callback=lambda _: threads.add(threading.get_ident()))
        for _ in range(5 * MOST_THREADS)
    ]
    for result in results:
        result.get(5)
    assert len(threads) <= MOST_THREADS
    assert len(begun("target-callback")) <= MOST_THREADS


def test_one_idle_thread_is_enough_for_calls_one_after_the_other():
    pool = CallbackPool(STANDARD)
    threads = set()
    for _ in range(20):
        pool.run(threading.get_ident, threads.add, None).get(5)
        time.sleep(0.001)  # until the thread is idle again
    pool.close(5)
    assert len(threads) <= 2


def test_a_callback_may_call_the_client(client):
    inner = []
    result = client.get_offers(
        request=REQUESTS["on-device"],
        callback=lambda _: inner.append(client.get_offers(request=REQUESTS["on-device"])),
    )
    result.get(5)
    assert inner[0].response.status == 200


def test_callbacks_may_wait_for_calls_with_callbacks_however_many_do(client):
    asked = REQUESTS["on-device"]
    inner = []

    def ask_again(_):
        inner.append(client.get_offers(request=asked, callback=lambda _: None).get(5))

    outer = [client.get_offers(request=asked, callback=ask_again) for _ in range(3 * MOST_THREADS)]
    for result in outer:
        result.get(10)
    assert [answer.response.status for answer in inner] == [200] * (3 * MOST_THREADS)


# -- the other calls --------------------------------------------------------------------------------------------------


def test_get_attributes_gives_the_attributes_to_its_callback(client, heard):
    attributes = client.get_attributes(["local-1"], **heard.options).get(5)
    assert heard.answers == [attributes]
    assert attributes.get_response().meta.decisioning_method == "on-device"


def test_send_notifications_gives_its_envelope_to_its_callback(client, api, heard):
    envelope = client.send_notifications(request=SEEN, **heard.options).get(5)
    assert heard.answers == [envelope]
    assert len(api.impressions) == 1


def test_send_notifications_gives_its_error_to_its_error_callback(make_client, api, heard):
    api.always(json_answer({}, status=403))
    result = make_client().send_notifications(request=SEEN, **heard.options)
    with pytest.raises(DeliveryError):
        result.get(5)
    assert len(heard.errors) == 1


# -- closing ----------------------------------------------------------------------------------------------------------


def test_closing_waits_for_calls_under_way(make_client, api, heard):
    api.delay_seconds = 0.05
    client = make_client()
    results = [client.get_offers(request=asking(mboxes="local-1 remote-1"), **heard.options) for _ in range(4)]
    client.close()
    assert len(heard.answers) == 4
    assert all(result.successful() for result in results)
    assert len(api.impressions) == 4


def test_what_closing_leaves_undone_is_told_so(make_client, api, heard):
    """Exactly once, as everything else."""
    api.delay_seconds = 0.2
    client = make_client()
    results = [client.get_offers(request=asking(mboxes="remote-1"), **heard.options) for _ in range(3 * MOST_THREADS)]
    client.close(0.05)
    for result in results:
        result.wait(5)
    assert all(result.ready() for result in results)
    assert len(heard.answers) + len(heard.errors) == 3 * MOST_THREADS
    assert {type(error) for error in heard.errors} >= {ClientClosed}
    assert all(isinstance(error, TargetError) for error in heard.errors)


def test_a_callback_may_close_the_client(make_client):
    client = make_client()
    client.get_offers(request=REQUESTS["on-device"], callback=lambda _: client.close()).get(10)
    with pytest.raises(ClientClosed):
        client.get_offers(request=REQUESTS["on-device"])


# -- without a background: no thread is started, so all happens in the caller's ---------------------------------------


@pytest.mark.parametrize("method", REQUESTS)
def test_without_a_background_a_call_and_its_callback_run_in_the_callers_thread(make_client, heard, method, begun):
    client = make_client(background=False)
    result = client.get_offers(request=REQUESTS[method], decisioning_method=method, **heard.options)
    assert result.ready()
    assert result.get(0) is heard.answers[0]
    assert heard.threads == [threading.current_thread()]
    assert begun("target-") == []


def test_without_a_background_an_error_goes_to_its_callback_too(make_client, api, heard):
    api.always(json_answer({}, status=403))
    result = make_client(background=False).get_offers(request=asking(mboxes="remote-1"), **heard.options)
    assert (result.ready(), result.successful()) == (True, False)
    assert heard.errors[0].status == 403
    with pytest.raises(DeliveryError):
        result.get(0)


def test_without_a_background_a_callback_may_interrupt_the_program(make_client, caplog):
    def interrupt(_):
        raise KeyboardInterrupt

    def leave(_):
        raise SystemExit

    client = make_client(background=False)
    assert client.get_offers(request=REQUESTS["on-device"], callback=leave).ready()
    assert "A callback failed: SystemExit at " in caplog.text
    with pytest.raises(KeyboardInterrupt):
        client.get_offers(request=REQUESTS["on-device"], callback=interrupt)
