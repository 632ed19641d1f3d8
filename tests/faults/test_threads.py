"""Which threads there are, and when: none at import, none without need, none at all with ``background=False``.

Also what a caller may do to what he gave and got (case 31), and the promises B2, B3 and B9.
"""

from __future__ import annotations

import copy
import json
import pickle
import threading
import time

import pytest

from fixtures.delivery_api import json_answer
from fixtures.faults import FaultServer, drip, reply, silence
from target_decisioning import TargetClient
from target_decisioning.decisioning import decide, load_program
from tests.faults.parts import LOCAL, REMOTE, SHOP, execute, options, run, until

ENVELOPE = ("response", "request", "meta", "target_cookie")


def decided(client):
    """What a request of one visitor is answered with, but for what is new each time."""
    response = client.get_offers(request=execute(LOCAL, REMOTE, requestId="same")).to_wire()["response"]
    return json.dumps(response, sort_keys=True)


def test_case_31_what_a_caller_changes_afterwards_harms_no_later_decision(api):
    payload, asked = json.loads(SHOP.read_text(encoding="utf-8")), execute(LOCAL, REMOTE, requestId="same")
    with TargetClient.create(options(api, artifact_payload=payload)) as client:
        before = decided(client)
        answered = client.get_offers(request=asked)
        given, wire = copy.deepcopy(asked), answered.to_wire()
        answered.response.execute.mboxes[0].options[0].content = "changed"
        answered.response.execute.mboxes.clear()
        answered.meta.clear()
        answered.target_cookie["value"] = "changed"
        wreck(wire)
        wreck(payload)
        wreck(asked)
        assert decided(client) == before
        assert client.flush(10)
    assert given == execute(LOCAL, REMOTE, requestId="same")
    assert [impression["mbox"]["name"] for impression in api.impressions] == [LOCAL] * 3
    assert api.problems == []


def wreck(value):
    """Change everything in it."""
    parts = list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    for part in parts:
        wreck(part)
    if isinstance(value, dict):
        value.clear()
        value["wrecked"] = True
    elif isinstance(value, list):
        value[:] = ["wrecked"]


B2 = {
    "the import": "",
    "a server-side client": "client = create()",
    "its calls": "client = create()\nfor _ in range(3): client.get_offers(request=execute())",
    "its status and end": "client = create()\nclient.status()\nclient.flush(1)\nclient.close()",
    "a client with a payload": "client = create(local)",
}


@pytest.mark.parametrize("what", B2)
def test_b2_no_thread_is_started_without_need(api, what):
    program = f"""
import json, sys, threading
began = []
real = threading.Thread.start
threading.Thread.start = lambda thread: (began.append(thread), real(thread))
from tests.faults.parts import create, execute
local = sys.argv[2]
{B2[what]}
assert began == [], began
"""
    remote = options(api, decisioning_method="server-side", artifact_payload=None, telemetry_enabled=True)
    code, _, complained, _ = run(program, remote, options(api))
    assert code == 0, complained


def test_b2_all_threads_are_daemons_and_end_with_the_client(api, cdn):
    before = set(threading.enumerate())
    client = TargetClient.create(options(api, cdn, decisioning_method="hybrid", events={"client_ready": print}))
    client.get_offers(request=execute(LOCAL, REMOTE), callback=lambda _: None).get(10)
    client.flush(10)
    ours = {thread for thread in set(threading.enumerate()) - before if thread.name.startswith("target-")}
    assert ours
    assert all(thread.daemon for thread in ours)
    client.close()
    assert until(lambda: not any(thread.is_alive() for thread in ours), 5)


def test_b3_a_program_and_its_artifact_are_pickled_and_decide_the_same():
    program = load_program(SHOP.read_bytes(), "acme")
    again = pickle.loads(pickle.dumps(program))
    answers = [
        decide(one, execute(LOCAL), now_ms=1_700_000_000_000, new_id=lambda: "id", trace=None)
        for one in (program, again)
    ]
    told = [(one.execute, one.prefetch, one.impressions, one.errors) for one in answers]
    assert told[0] == told[1]


@pytest.fixture
def no_threads(monkeypatch):
    """Starting a thread of the package is a fault."""
    begun = []
    real = threading.Thread.start

    def start(thread):
        if thread.name.startswith("target-"):
            begun.append(thread.name)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    yield
    assert begun == []


@pytest.mark.usefixtures("no_threads")
def test_without_a_background_no_thread_is_ever_started(api, cdn, tmp_path):
    told = []
    events = {
        name: lambda event: told.append(event["type"])
        for name in ("client_ready", "artifact_download_succeeded", "artifact_download_failed", "geo_location_updated",
                     "send_notification_error", "notifications_dropped", "artifact_stale")
    }  # fmt: skip
    asked = options(
        api, cdn, decisioning_method="hybrid", background=False, telemetry_enabled=True, learn_location_hint=True
    )
    more = {"cache_dir": str(tmp_path), "outbox_path": str(tmp_path / "outbox"), "geo_lookup_url": cdn.geo_url}
    with TargetClient.create(asked, events=events, polling_interval_seconds=0.05, **more) as client:
        assert client.wait_until_ready(5)
        place = {"channel": "web", "geo": {"ipAddress": "93.184.216.34"}}
        for number in range(50):
            client.get_offers(request=execute(LOCAL, REMOTE, tnt_id=f"v{number}", context=place))
            time.sleep(0.01)
        cdn.swap("shop.json", SHOP.read_text(encoding="utf-8").replace('"1.0.0"', '"1.7.0"', 1))
        assert until(lambda: client.get_offers(request=execute()) and client.status()["version"] == "1.7.0", 5)
        api.script(json_answer({}, status=400))
        client.get_offers(request=execute())
        assert client.flush(10)
        assert client.status()["outbox"]["dead"] == 1
    assert {"client_ready", "artifact_download_succeeded", "send_notification_error"} <= set(told)
    assert api.impressions


SLOW = {
    "hangs": silence,
    "drips": drip(reply(body=b"{" + b" " * 5000 + b"}"), seconds_per_byte=0.05, at_once=60),
}


@pytest.mark.usefixtures("no_threads")
@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW)
def test_without_a_background_a_call_is_held_up_by_a_poll_for_its_timeout_at_most(api, step):
    with FaultServer(step) as server:
        asked = options(
            api, artifact_location=f"{server.url}/shop.json", background=False, polling_interval_seconds=0.05
        )
        asked |= {"artifact_payload": None, "timeout": 200, "decisioning_method": "hybrid", "maximum_wait_ready": 0}
        with TargetClient.create(asked) as client:
            costs = [timed(client.get_offers, request=execute(REMOTE)) for _ in range(8)]
            client.close(timeout=0)
        assert server.requests
    assert max(costs) < 0.2 + 0.25


@pytest.mark.usefixtures("no_threads")
@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW)
def test_without_a_background_a_call_is_held_up_by_a_sending_for_its_timeout_at_most(step):
    with FaultServer(step) as server:
        asked = options(server_domain=f"127.0.0.1:{server.port}", background=False, timeout=200)
        with TargetClient.create(asked) as client:
            costs = [timed(client.get_offers, request=execute(tnt_id=f"v{number}")) for number in range(8)]
            began = time.monotonic()
            client.close(timeout=0.3)
            closing = time.monotonic() - began
        assert server.requests
    assert max(costs) < 0.2 + 0.25
    assert closing < 0.3 + 0.35


def timed(call, **keywords):
    began = time.monotonic()
    call(**keywords)
    return time.monotonic() - began


def test_without_a_background_the_end_of_the_interpreter_sends_what_waits(api):
    program = """
from tests.faults.parts import create, execute
client = create()
client.get_offers(request=execute())
assert client.status()["outbox"]["pending"] == 1
"""
    api.script(json_answer({}, status=503))
    code, _, complained, _ = run(program, options(api, background=False))
    assert code == 0, complained
    assert len(api.impressions) == 1


@pytest.mark.parametrize("background", [True, False], ids=["threads", "no threads"])
def test_b9_a_logger_that_raises_harms_no_call(api, background):
    class Broken:
        def debug(self, *_):
            raise RuntimeError("no log here")

        error = debug

    api.always(json_answer({}, status=400))
    with TargetClient.create(options(api, logger=Broken(), background=background)) as client:
        request = {**execute(LOCAL), "execute": {"mboxes": [{"name": LOCAL}, {"name": ""}]}}
        assert client.get_offers(request=request).response.execute.mboxes[0].options
        assert client.flush(10)
        assert client.get_offers(request=request).response.execute.mboxes[0].options
