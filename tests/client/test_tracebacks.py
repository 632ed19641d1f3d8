"""A traceback of a call that failed shows nobody's ids: not in its last line, nor in what led to it."""

from __future__ import annotations

import socket
import traceback

import pytest

from fixtures.delivery_api import json_answer
from fixtures.loopback import NEVER, Answer
from target_decisioning import TargetError
from tests.client.parts import ORGANIZATION, asking

SESSION, TNT_ID = "session-of-emma", "visitor-of-emma.28_0"
REFUSED = "127.0.0.1:1"
UNKNOWN = "nowhere.test"

ANSWERS = {
    "refused": json_answer({"id": TNT_ID, "session": SESSION}, status=400),
    "failing": Answer(status=500, body=f"{TNT_ID} {SESSION} {ORGANIZATION}".encode()),
    "silent": NEVER,
    "cut": Answer(body=b"{}" * 99, cut_after=5),
    "hung up": Answer(hang_up=True),
    "no JSON": Answer(body=f"<{TNT_ID} {SESSION}>".encode()),
    "another shape": json_answer({"execute": TNT_ID}),
    "redirect": Answer(status=302, headers={"Location": f"https://elsewhere.test/{TNT_ID}?{SESSION}"}),
    "encoded": Answer(headers={"Content-Encoding": "br"}, body=SESSION.encode()),
}
UNREADABLE = {
    "a wrong container": asking(mboxes="a", context="web"),
    "a wrong id": {**asking(mboxes="a"), "id": {"tntId": [TNT_ID]}},
    "a control character": {**asking(mboxes="a"), "id": {"tntId": f"{TNT_ID}\n"}},
    "no JSON": {**asking(mboxes="a"), "context": {"channel": "web", "userAgent": object()}},
    "nothing asked": {"id": {"tntId": TNT_ID}, "execute": {"mboxes": [], "pageLoad": None, "x": 1}},
}


def shown_by(client, request):
    """The traceback as a program would log it."""
    try:
        client.get_offers(request=request, session_id=SESSION)
    except TargetError:
        return traceback.format_exc()
    raise AssertionError("the call did not fail")


def personal():
    return {**asking(mboxes="remote-1"), "id": {"tntId": TNT_ID}}


def is_clean(shown):
    return not any(private in shown for private in (SESSION, TNT_ID, ORGANIZATION, "sessionId", "imsOrgId"))


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("strict", [True, False], ids=["hybrid", "server-side"])
def test_an_answer_that_is_none(make_client, api, answer, strict):
    api.always(ANSWERS[answer])
    client = make_client(decisioning_method="hybrid" if strict else "server-side", strict=strict, timeout=200)
    assert is_clean(shown_by(client, personal()))


@pytest.mark.parametrize("domain", [REFUSED, UNKNOWN])
def test_a_server_that_is_not_there(make_client, monkeypatch, domain):
    real = socket.getaddrinfo

    def look_up(host, *arguments, **keywords):
        if host == UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    shown = shown_by(make_client(server_domain=domain), personal())
    assert is_clean(shown)
    assert f"no connection to {domain}: " in shown


def test_a_time_that_is_over_names_the_option_and_the_host(make_client, api):
    api.always(NEVER)
    shown = shown_by(make_client(timeout=200), personal())
    limit = "(at most 0.2 s: option timeout)"
    assert shown.endswith(f"Request timed out: no whole answer from {api.authority} in time {limit}\n")


def test_a_proxy_that_refuses(make_client):
    proxies = {"http": f"http://emma:{SESSION}@{REFUSED}"}
    shown = shown_by(make_client(server_domain="shop.test", proxies=proxies), personal())
    assert is_clean(shown)
    assert "no connection to shop.test through the proxy: connection refused" in shown


def test_a_session_of_the_callers_that_breaks(make_client):
    class Broken:
        auth = None

        def prepare_request(self, request):
            raise ValueError(request.url)

        def send(self, *_arguments, **_keywords):
            raise AssertionError

    assert is_clean(shown_by(make_client(session=Broken()), personal()))


@pytest.mark.parametrize("wrong", UNREADABLE)
def test_a_request_that_cannot_be_read(client, wrong):
    assert is_clean(shown_by(client, UNREADABLE[wrong]))


def test_a_client_without_an_artifact(make_client, tmp_path):
    client = make_client(decisioning_method="on-device", artifact_location=tmp_path / "none.json", maximum_wait_ready=0)
    shown = shown_by(client, personal())
    assert is_clean(shown)
    assert f"{tmp_path / 'none.json'}: no such file or directory; next try in" in shown


def test_a_client_that_is_closed(client):
    client.close()
    assert is_clean(shown_by(client, personal()))
