"""A Delivery call is built from data, and its answer read as data."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from target_decisioning._version import __version__
from target_decisioning.config import read_config
from target_decisioning.errors import ConfigError, DeliveryError, RequestError
from target_decisioning.http import HttpAnswer
from target_decisioning.preparation import prepare, read_call
from target_decisioning.remote import build_call, read_answer
from tests.shared import vectors

NOW = 1_700_000_000_000


def config(**options):
    usual = {
        "client": "acme",
        "organization_id": "ORG@AdobeOrg",
        "server_domain": None,
        "secure": True,
        "version": None,
    }
    return SimpleNamespace(**{**usual, **options})


def call(body=None, session_id="s1", cluster=None, **options):
    return build_call(config(**options), {} if body is None else body, session_id, cluster, "request-1")


SNAKE = {"serverDomain": "server_domain", "targetLocationHint": "hint", "secure": "secure", "version": "version"}


def test_every_recorded_call_goes_to_the_recorded_url():
    for case in vectors("delivery_requests"):
        asked = case["options"]
        options = {SNAKE[name]: value for name, value in case["client_options"].items() if name in SNAKE}
        given = {
            "request": {"execute": {"pageLoad": {}}},
            "target_cookie": asked.get("targetCookie"),
            "target_location_hint": asked.get("targetLocationHint"),
            "session_id": asked.get("sessionId"),
        }
        owner = read_config({"client": "acme", "organization_id": "ORG@AdobeOrg"}, {})
        ready = prepare(read_call(given, {}), owner, options.pop("hint", None), NOW, lambda: "new")
        made = call(session_id=ready.session_id, cluster=ready.cluster, **options)
        assert made.url == case["url"], case["label"]


def test_the_headers_are_our_own_and_the_body_is_json():
    request = call({"execute": {"pageLoad": {}}, "name": "\u00e9\ud83d"})
    assert request.method == "POST"
    assert request.headers == {
        "Content-Type": "application/json",
        "X-EXC-SDK": "TargetDecisioningPython",
        "X-EXC-SDK-Version": __version__,
        "X-Request-Id": "request-1",
    }
    assert request.body == b'{"execute":{"pageLoad":{}},"name":"\\u00e9\\ud83d"}'


def test_whatever_a_session_id_holds_stays_one_query_value():
    request = call(session_id="a&b=c#d\r\nX: y\ud800")
    assert request.url.endswith("&sessionId=a%26b%3Dc%23d%0D%0AX%3A%20y%3F")


@pytest.mark.parametrize("value", [float("nan"), {1}, object()])
def test_a_body_that_json_cannot_hold_is_refused(value):
    with pytest.raises(RequestError) as caught:
        call({"execute": {"mboxes": [{"parameters": {"a": value}}]}})
    assert caught.value.where == "request"


@pytest.mark.parametrize(
    "client", ["evil.com/", "evil.com#", "evil.com?", "user@evil", "evil.com\\", "a b", "[::1]:80/", "a\r\nb"]
)
def test_a_client_that_makes_another_host_never_gets_as_far_as_a_call(client):
    with pytest.raises(ConfigError) as caught:
        call(client=client)
    assert caught.value.option == "client"


@pytest.mark.parametrize("domain", ["evil.com/x", "user@evil.com", "evil.com:80:90", "a b"])
def test_a_server_domain_that_is_no_host_never_gets_as_far_as_a_call(domain):
    with pytest.raises(ConfigError) as caught:
        call(server_domain=domain)
    assert caught.value.option == "server_domain"


def test_an_answer_is_its_json_object():
    assert read_answer(HttpAnswer(206, {}, b'{"status": 206}'), "api.test") == {"status": 206}
    assert read_answer(HttpAnswer(200, {}, b"{}"), "api.test") == {}


def test_an_answer_without_a_body_is_empty():
    assert read_answer(HttpAnswer(204, {}, b""), "api.test") == {}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"a": NaN}', b"\xff", b'{"a":' + b"9" * 5000 + b"}", b"[" * 100_000],
    ids=lambda body: body[:9].decode("latin-1"),
)
def test_an_answer_that_is_no_json_object_is_an_error(body):
    with pytest.raises(DeliveryError) as caught:
        read_answer(HttpAnswer(200, {}, body), "api.test")
    assert (caught.value.status, caught.value.reason) == (200, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "t"}',
        b'{"execute": []}',
        b'{"execute": "x"}',
        b'{"execute": {"mboxes": {}}}',
        b'{"execute": {"mboxes": ["x"]}}',
        b'{"execute": {"mboxes": [null]}}',
        b'{"execute": {"mboxes": [{"options": {}}]}}',
        b'{"execute": {"mboxes": [{"options": ["x"]}]}}',
        b'{"prefetch": {"views": 1}}',
        b'{"prefetch": {"pageLoad": []}}',
    ],
    ids=lambda body: body.decode(),
)
def test_an_answer_in_another_shape_is_an_error(body):
    """Nothing that reads the answer later may fail of it."""
    with pytest.raises(DeliveryError) as caught:
        read_answer(HttpAnswer(200, {}, body), "api.test")
    assert (caught.value.status, caught.value.reason) == (200, "invalid")


def test_an_answer_may_leave_out_or_null_any_part():
    body = b'{"id": null, "execute": {"mboxes": null, "pageLoad": {"options": null}}, "prefetch": {}}'
    assert read_answer(HttpAnswer(200, {}, body), "api.test")["execute"]["mboxes"] is None


@pytest.mark.parametrize("status", [100, 301, 400, 401, 403, 404, 429, 500, 503, 599])
def test_a_refusal_keeps_its_status_and_the_start_of_its_body(status):
    with pytest.raises(DeliveryError) as caught:
        read_answer(HttpAnswer(status, {}, b"No\r\n\x00way \xff" + b"x" * 1000), "api.test")
    assert (caught.value.status, caught.value.reason) == (status, "status")
    assert caught.value.body.startswith("No way \ufffdxxx")
    assert len(caught.value.body) == 200
    assert str(status) in str(caught.value)
    assert "way" not in str(caught.value)
    assert "way" not in repr(caught.value)
