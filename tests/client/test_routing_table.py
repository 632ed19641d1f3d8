"""Which part of a call is decided where: method x what is asked x whether there is an artifact x how the server does.

One table, every cell of it run: the answer and its order, ``meta``, and what the stand-in of the server saw.
"""

import socket
import uuid
from dataclasses import dataclass, field
from unittest.mock import ANY

import pytest

from fixtures.delivery_api import DeliveryApi, json_answer
from fixtures.loopback import NEVER, Answer
from target_decisioning import errors
from target_decisioning.errors import ArtifactUnavailable, DeliveryError, DeliveryTimeout
from tests.builders import GLOBAL_MBOX
from tests.client.parts import REMOTE_VIEWS, asked, asking, entries, here, offered, places, there

TIMEOUT_MS = 80


@dataclass(frozen=True)
class Ask:
    """A request, and what of it only the server can decide: by name; None is an unnamed view or a page load."""

    name: str
    request: dict
    remote: tuple = ()
    mboxes: tuple = ()
    views: tuple = ()
    artifact: dict = field(default_factory=places)

    @property
    def parts(self):
        names = [name for _, _, name in asked(self.request)]
        gone = [name for name in names if name in self.remote]
        return "local" if not gone else "remote" if len(gone) == len(names) else "mixed"


def _both_modes():
    return {**asking(mboxes="local-1 remote-1"), **asking(mode="prefetch", mboxes="remote-2 local-2", views=["view-1"])}


ASKS = [
    Ask("local mboxes", asking(mboxes="local-2 local-1")),
    Ask("a remote mbox", asking(mboxes="remote-1"), ("remote-1",), ("remote-1",)),
    Ask("an unknown mbox", asking(mboxes="unheard-of"), ("unheard-of",), ("unheard-of",)),
    Ask("an mbox in both lists", asking(mboxes="local-1 both"), ("both",), ("both",)),
    Ask(
        "mixed mboxes",
        asking(mboxes="remote-2 local-1 unheard-of local-2 remote-1"),
        ("remote-1", "remote-2", "unheard-of"),
        ("remote-1", "remote-2", "unheard-of"),
    ),
    Ask("prefetched mboxes", asking(mode="prefetch", mboxes="local-1 remote-1"), ("remote-1",), ("remote-1",)),
    Ask("local views", asking(mode="prefetch", views=["view-2", "view-1"])),
    Ask("a remote view", asking(mode="prefetch", views=["remote-view"]), ("remote-view",), (), ("remote-view",)),
    Ask(
        "mixed views",
        asking(mode="prefetch", views=["remote-view", "view-1"]),
        ("remote-view",),
        (),
        ("remote-view",),
    ),
    Ask("an unnamed view", asking(mode="prefetch", views=[None]), (None,), (), ("remote-view",)),
    Ask("a named and an unnamed view", asking(mode="prefetch", views=["view-2", None]), (None,), (), ("remote-view",)),
    Ask(
        "an unnamed view where all views are local",
        asking(mode="prefetch", views=[None]),
        artifact=places(remote_views=False),
    ),
    Ask(
        "an unnamed view beside an unknown one where all views are local",
        asking(mode="prefetch", views=["unheard-of", None]),
        ("unheard-of",),
        (),
        ("unheard-of",),
        artifact=places(remote_views=False),
    ),
    Ask("a page load", asking(page_load=True)),
    Ask(
        "a remote page load",
        asking(page_load=True),
        (None,),
        (GLOBAL_MBOX,),
        artifact=places(page_load="remote"),
    ),
    Ask(
        "a remote page load beside a local mbox",
        asking(mboxes="local-1", page_load=True),
        (None,),
        (GLOBAL_MBOX,),
        artifact=places(page_load="remote"),
    ),
    Ask("a page load beside a remote mbox", asking(mboxes="remote-1", page_load=True), ("remote-1",), ("remote-1",)),
    Ask("the global mbox as an mbox", asking(mboxes=GLOBAL_MBOX)),
    Ask(
        "the remote global mbox as an mbox",
        asking(mboxes=f"local-1 {GLOBAL_MBOX}"),
        (GLOBAL_MBOX,),
        (GLOBAL_MBOX,),
        artifact=places(page_load="remote"),
    ),
    Ask("both modes", _both_modes(), ("remote-1", "remote-2"), ("remote-1", "remote-2")),
]

SERVERS = {
    "up": (None, None),
    "down": (None, DeliveryError),
    "slow": (NEVER, DeliveryTimeout),
    "refusing": (json_answer({"message": "no"}, status=403), DeliveryError),
    "talking nonsense": (Answer(body=b"<html>"), DeliveryError),
}

OUTCOMES = {
    # method, parts, artifact ready -> where it is decided if the server answers, and if it does not
    ("on-device", "local", True): ("here", "here"),
    ("on-device", "remote", True): ("here", "here"),
    ("on-device", "mixed", True): ("here", "here"),
    ("on-device", "local", False): (ArtifactUnavailable, ArtifactUnavailable),
    ("on-device", "remote", False): (ArtifactUnavailable, ArtifactUnavailable),
    ("on-device", "mixed", False): (ArtifactUnavailable, ArtifactUnavailable),
    ("hybrid", "local", True): ("here", "here"),
    ("hybrid", "remote", True): ("there", DeliveryError),
    ("hybrid", "mixed", True): ("shared", "partly"),
    ("hybrid", "local", False): ("there", DeliveryError),
    ("hybrid", "remote", False): ("there", DeliveryError),
    ("hybrid", "mixed", False): ("there", DeliveryError),
    ("server-side", "local", True): ("there", DeliveryError),
    ("server-side", "remote", True): ("there", DeliveryError),
    ("server-side", "mixed", True): ("there", DeliveryError),
    ("server-side", "local", False): ("there", DeliveryError),
    ("server-side", "remote", False): ("there", DeliveryError),
    ("server-side", "mixed", False): ("there", DeliveryError),
}
DONE = {"here": "on-device", "there": "server-side", "shared": "hybrid", "partly": "on-device"}


@pytest.fixture(scope="module")
def api():
    with DeliveryApi(views=REMOTE_VIEWS) as server:
        yield server


@pytest.fixture
def ask_client(make_client, api, unused_port, tmp_path):
    """Ask a client with that artifact, or none yet, of a server in that state; the session tells whose call it is."""

    def ask(case, method, is_ready, server, session_id):
        api.always(SERVERS[server][0])
        artifact = {"artifact_payload": case.artifact} if is_ready else {"artifact_location": str(tmp_path / "absent")}
        address = {"server_domain": f"127.0.0.1:{unused_port}"} if server == "down" else {}
        timeout = {"timeout": TIMEOUT_MS} if server in ("down", "slow") else {}
        client = make_client(**artifact, **address, **timeout, maximum_wait_ready=0)
        return client.get_offers(request=case.request, decisioning_method=method, session_id=session_id)

    return ask


@pytest.fixture(scope="module")
def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("is_ready", [True, False], ids=["ready", "not ready"])
@pytest.mark.parametrize("method", ["on-device", "hybrid", "server-side"])
@pytest.mark.parametrize("case", ASKS, ids=lambda case: case.name)
def test_routing(case, method, is_ready, server, ask_client, api):
    session = uuid.uuid4().hex
    error = SERVERS[server][1]
    outcome = OUTCOMES[method, case.parts, is_ready][error is not None]
    if isinstance(outcome, type):
        with pytest.raises(outcome if outcome is ArtifactUnavailable else error):
            ask_client(case, method, is_ready, server, session)
    else:
        envelope = ask_client(case, method, is_ready, server, session)
        wire = envelope.to_wire()
        assert offered(wire["response"]) == _offers(case, outcome)
        assert wire["response"]["status"] == (206 if case.remote and outcome in ("here", "partly") else 200)
        assert wire["response"]["id"] == case.request["id"]
        assert wire["meta"] == _meta(case, method, outcome, is_ready=is_ready)
        if outcome == "partly":
            assert issubclass(getattr(errors, wire["meta"]["remoteError"]["type"]), error)
    sent = _sent(case, outcome, server)
    came = api.wait_until(lambda: len(_seen(api, session)) >= len(sent), timeout_seconds=1 if server == "slow" else 5)
    assert _seen(api, session) == sent or (server == "slow" and not came)  # a busy machine may not get to send in time
    assert api.problems == []


def _seen(api, session):
    return [asked(call.body) for call in list(api.calls) if call.asks and call.session_id == session]


def _offers(case, outcome):
    """What is offered, item by item in the order asked; a view that is not answered is not there."""
    return [
        (mode, kind, answered, offers)
        for mode, kind, name in asked(case.request)
        for answered, offers in _answers(case, kind, name, outcome)
    ]


def _answers(case, kind, name, outcome):
    is_remote = outcome == "there" or name in case.remote
    if is_remote and outcome == "partly":
        return []
    offer = there if is_remote and outcome != "here" else here
    if kind == "views" and name is None:
        return [(view, [offer(view)]) for view in (REMOTE_VIEWS if offer is there else ["view-1", "view-2"])]
    if is_remote and outcome == "here" and name != "both":
        return [] if kind == "views" or name == GLOBAL_MBOX else [(name, [])]
    return [(name, [offer(None if offer is here and name == GLOBAL_MBOX else name)])]


def _meta(case, method, outcome, *, is_ready):
    meta = {"decisioningMethod": DONE[outcome], "remoteMboxes": [], "remoteViews": []}
    if is_ready:
        meta |= {"remoteMboxes": list(case.mboxes), "remoteViews": list(case.views)}
    if method == "hybrid" and outcome != "here":
        meta["sources"] = _sources(case, outcome)
    if outcome == "partly":
        meta["remoteError"] = {"type": ANY, "message": ANY}
    return meta


def _sources(case, outcome):
    remote = {"there": "server-side", "shared": "server-side", "partly": "failed"}[outcome]
    return [
        {
            "mode": mode,
            "kind": {"mboxes": "mbox", "views": "view", "pageLoad": "pageLoad"}[kind],
            "name": entry.get("name"),
            "index": entry.get("index"),
            "source": remote if outcome == "there" or entry.get("name") in case.remote else "on-device",
        }
        for mode, kind, entry in entries(case.request)
    ]


def _sent(case, outcome, server):
    """What the stand-in saw: nothing, everything, or exactly the remote part; what has effects once."""
    everything = asked(case.request)
    if server == "down" or outcome in ("here", ArtifactUnavailable):
        return []
    if outcome in ("shared", "partly"):
        return [[item for item in everything if item[2] in case.remote]]
    return [everything]
