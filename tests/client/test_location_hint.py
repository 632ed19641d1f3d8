"""The location hint: learnt once by the client itself; and nothing that a visitor brings steers a connection."""

import io
import json
import os
import re
import time
from urllib.parse import quote, urlsplit

import pytest
import requests
import urllib3

from fixtures.delivery_api import json_answer
from fixtures.faults import FaultServer, silence
from tests.client.parts import asking, places, until
from tests.forked import forked

PREFETCH = asking(mode="prefetch", mboxes="local-1")


# -- the location hint ------------------------------------------------------------------------------------------------


def test_the_location_hint_is_learnt_once_in_the_background(make_client, api, cdn):
    """With a session of its own, and without a visitor. E2: no visitor's answer changes it."""
    client = make_client(artifact_location=cdn.location("rules.json"), learn_location_hint=True)
    assert api.wait_until(lambda: api.calls)
    [call] = api.calls
    assert call.session_id == "ping123"
    assert call.body.keys() == {"requestId", "context", "experienceCloud"}
    assert until(lambda: _generated(client).endswith(".28_0"))
    api.edge_host = "mboxedge35.tt.omtrdc.net"
    client.get_offers(request=asking(mboxes="remote-1"), target_cookie="PC#other.44_0#9999999999")
    assert _generated(client).endswith(".28_0")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_was_forked_off_meanwhile_learns_it_for_itself(make_client, api, cdn):
    """B1: the thread that asks is not in the child."""
    api.delay_seconds = 0.3
    client = make_client(artifact_location=cdn.location("rules.json"), learn_location_hint=True)

    def learn():
        assert until(lambda: _generated(client).endswith(".28_0"))

    assert forked(learn)
    learn()
    assert forked(lambda: _generated(client))
    assert [call.session_id for call in api.calls] == ["ping123"] * 2


def _generated(client):
    return client.get_offers(request={**PREFETCH, "id": {}}).response.id.tnt_id


@pytest.mark.parametrize("hint", ["evil.com/", "edge", "mboxedge28x.tt.omtrdc.net", "mboxedge.tt.omtrdc.net", 28, None])
def test_an_edge_host_that_is_none_teaches_nothing(make_client, api, cdn, hint):
    api.edge_host = hint
    client = make_client(artifact_location=cdn.location("rules.json"), learn_location_hint=True)
    assert api.wait_until(lambda: api.calls)
    time.sleep(0.02)
    assert "." not in _generated(client)


def test_a_start_call_that_fails_harms_nothing(make_client, api, cdn):
    api.always(json_answer({}, status=403))
    client = make_client(artifact_location=cdn.location("rules.json"), learn_location_hint=True)
    assert api.wait_until(lambda: api.calls)
    time.sleep(0.02)
    assert "." not in _generated(client)


@pytest.mark.parametrize(
    "options", [{"learn_location_hint": False}, {"target_location_hint": "35"}, {"artifact_payload": places()}]
)
def test_no_start_call_is_made(make_client, api, cdn, options):
    """Where it is switched off, a hint is given, or the artifact does not come from the network."""
    location = {} if "artifact_payload" in options else {"artifact_location": cdn.location("rules.json")}
    make_client(**{"learn_location_hint": True, **location, **options})
    time.sleep(0.05)
    assert api.calls == []


# -- hostile ones -----------------------------------------------------------------------------------------------------


class Wire(requests.adapters.BaseAdapter):
    """Takes every request instead of a network, and remembers the hosts."""

    def __init__(self, edge_host):
        super().__init__()
        self.hosts, self.bodies, self.edge_host = [], [], edge_host

    def send(self, request, **_):
        self.hosts.append(urlsplit(request.url).netloc)
        self.bodies.append(json.loads(request.body))
        answer = requests.Response()
        answer.status_code = 200
        body = json.dumps({"id": self.bodies[-1].get("id"), "edgeHost": self.edge_host}).encode()
        answer.raw = urllib3.HTTPResponse(io.BytesIO(body), preload_content=False)
        return answer

    def close(self):
        pass


@pytest.fixture
def make_wired(make_client):
    """Make a client whose session lets nothing out, and give the hosts that it would have asked."""

    def make(edge_host=None, **options):
        wire = Wire(edge_host)
        session = requests.Session()
        session.mount("http://", wire)
        session.mount("https://", wire)
        return make_client(session=session, secure=True, **{"server_domain": None, **options}), wire

    return make


@pytest.fixture
def trap():
    with FaultServer(silence) as server:
        yield server


def hostile(port):
    return [
        f"x@localhost:{port}/",
        f"x.localhost:{port}/",
        f"@127.0.0.1:{port}",
        f"evil.com:{port}#",
        "[::1]",
        "2130706433",
        "0x7f000001",
        "28\x00",
        "28\r\nHost: evil",
        "28/",
        "28?",
        "28.evil.com",
        "..",
        "2" * 300,
        "٢٨",
        "²",
        "-1",
        " 28",
        "",
    ]


SOURCES = {
    "cookie": lambda text: {
        "target_cookie": f"session#s1#9999999999|PC#{quote(f'device.{text}_0', safe='')}#9999999999"
    },
    "option": lambda text: {"target_location_hint": text},
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_hostile_hint_never_steers_a_connection(make_wired, trap, source):
    """Case 59: the default host is asked, and what else the cookie says still counts."""
    client, wire = make_wired()
    for text in hostile(trap.port):
        envelope = client.get_offers(request=asking(mboxes="remote-1"), session_id="s1", **SOURCES[source](text))
        assert "session#s1#" in envelope.target_cookie.value
        assert envelope.target_location_hint_cookie is None
    assert set(wire.hosts) == {"acme.tt.omtrdc.net"}
    assert trap.connections == 0


@pytest.mark.parametrize("source", SOURCES)
def test_a_hostile_hint_never_reaches_a_real_connection(make_client, trap, api, source):
    client = make_client()
    for text in hostile(trap.port):
        client.get_offers(request=asking(mboxes="remote-1"), **SOURCES[source](text))
    assert len(api.calls) == len(hostile(trap.port))
    assert trap.connections == 0


def test_a_hostile_edge_host_is_no_hint(make_wired, trap):
    for text in [
        *hostile(trap.port),
        "evil.tt.omtrdc.net",
        f"mboxedge@localhost:{trap.port}.a.b",
    ]:
        client, wire = make_wired(edge_host=text)
        envelope = client.get_offers(request=asking(mboxes="remote-1"))
        assert envelope.target_location_hint_cookie is None
        client.get_offers(request=asking(mboxes="remote-1"))
        assert set(wire.hosts) == {"acme.tt.omtrdc.net"}


@pytest.mark.parametrize(
    ("call", "options", "host"),
    [
        ({}, {}, "acme.tt.omtrdc.net"),
        ({}, {"server_domain": "target.acme.com"}, "target.acme.com"),
        ({}, {"target_location_hint": "66"}, "mboxedge66.tt.omtrdc.net"),
        ({"target_location_hint": "77"}, {"target_location_hint": "66"}, "mboxedge77.tt.omtrdc.net"),
        (SOURCES["cookie"]("28"), {"target_location_hint": "66"}, "mboxedge28.tt.omtrdc.net"),
        (SOURCES["cookie"]("28"), {"server_domain": "target.acme.com"}, "mboxedge28.tt.omtrdc.net"),
        (SOURCES["cookie"]("28"), {"server_domain": "localhost"}, "localhost"),
        (SOURCES["cookie"]("28"), {"server_domain": "target.acme.com:8443"}, "target.acme.com:8443"),
    ],
)
def test_the_host_of_a_call(make_wired, call, options, host):
    """The cookie's cluster, else the call's hint, else the client's; a stand-in is never replaced."""
    client, wire = make_wired(**options)
    client.get_offers(request=asking(mboxes="remote-1"), **call)
    assert wire.hosts == [host]


def test_the_tnt_id_of_a_request_gives_no_cluster(make_wired):
    client, wire = make_wired()
    client.get_offers(request={**asking(mboxes="remote-1"), "id": {"tntId": "t.44_0"}})
    assert wire.hosts == ["acme.tt.omtrdc.net"]


def test_impressions_go_where_the_decision_would_have_gone(make_wired):
    client, wire = make_wired()
    client.get_offers(request=asking(mboxes="local-1"), target_location_hint="35")
    assert client.flush(5)
    assert wire.hosts == ["mboxedge35.tt.omtrdc.net"]


HUGE = [
    "|" * (1 << 20),
    "|".join(f"n{at}#v#9999999999" for at in range(10_000)),
    "session#s#1e5|PC#t#-1|x#y#" + "9" * 5000,
    "session#a\r\nX: y#9999999999|PC#b%0d%0aX: y#9999999999",
    "#" * 10_000,
    "PC#%#9999999999",
]


@pytest.mark.parametrize("cookie", HUGE, ids=range(len(HUGE)))
def test_a_cookie_of_any_kind_costs_little_and_leaves_nothing_behind(client, cookie):
    """Case 61."""
    client.get_offers(request=PREFETCH)
    began = time.thread_time()
    envelope = client.get_offers(request={**PREFETCH, "id": {}}, target_cookie=cookie)
    assert time.thread_time() - began < 0.02
    assert re.fullmatch(r"session#[0-9a-f]{32}#\d+\|PC#[0-9a-f]{32}#\d+", envelope.target_cookie.value)
