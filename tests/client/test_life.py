"""From ``create`` to ``close``: when a client is ready and says so, what it starts, what it tells of itself."""

import copy
import gc
import json
import multiprocessing
import pickle
import subprocess
import sys
import threading
import time
import weakref

import pytest

from fixtures.delivery_api import json_answer
from fixtures.loopback import NEVER
from target_decisioning import TargetClient
from target_decisioning.errors import ClientClosed, ConfigError
from tests.client.parts import ORGANIZATION, Heard, asking, places, until

LOCAL = asking(mboxes="local-1")
PREFETCH = asking(mode="prefetch", mboxes="local-1")


# -- creating ---------------------------------------------------------------------------------------------------------


def test_create_is_the_only_way_in():
    with pytest.raises(ConfigError, match=r"Please use TargetClient\.create static method instead"):
        TargetClient({"client": "acme", "organization_id": ORGANIZATION})


@pytest.mark.parametrize("options", [None, {}])
def test_options_are_needed(options):
    with pytest.raises(ConfigError, match="Options are required"):
        TargetClient.create(options)


def test_options_come_as_a_mapping_as_keywords_or_both():
    with TargetClient.create({"client": "acme"}, organization_id=ORGANIZATION) as client:
        assert client.status()["decisioning_method"] == "server-side"


def test_create_waits_for_the_first_artifact(make_client, cdn):
    client = make_client(artifact_location=cdn.location("rules.json"))
    assert client.status()["ready"]
    assert client.status()["source"] == "network"


def test_create_waits_no_longer_than_it_may_and_the_artifact_may_come_later(make_client, cdn):
    cdn.always(NEVER)
    began = time.monotonic()
    client = make_client(artifact_location=cdn.location("rules.json"), maximum_wait_ready=50)
    assert 0.05 <= time.monotonic() - began < 1
    assert not client.wait_until_ready(0)
    assert "No artifact for" in _why_not(client)


def _why_not(client):
    with pytest.raises(Exception, match="decisioning engine not ready") as caught:
        client.get_offers(request=LOCAL, decisioning_method="on-device")
    return str(caught.value)


def test_a_server_side_client_is_always_ready_and_has_no_engine(make_client):
    client = make_client(decisioning_method="server-side", artifact_payload=None)
    assert client.wait_until_ready(0)
    assert "created for server-side decisions" in _why_not(client)
    assert client.get_offers(request=LOCAL, decisioning_method="hybrid").meta.decisioning_method == "server-side"


def test_an_unsupported_artifact_is_named_and_hybrid_goes_to_the_server(make_client):
    client = make_client(artifact_payload={**places(), "version": "2.0.0"}, maximum_wait_ready=0)
    for _ in range(2):
        with pytest.raises(Exception, match=r"version \(2\.0\.0\) is not supported") as caught:
            client.get_offers(request=LOCAL, decisioning_method="on-device")
    assert len(caught.traceback) < 10
    assert client.get_offers(request=LOCAL).meta.decisioning_method == "server-side"


# -- threads ----------------------------------------------------------------------------------------------------------


def test_importing_starts_no_thread():
    program = "import threading, target_decisioning as t; t.TargetClient; print(threading.active_count())"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.mark.parametrize("telemetry", [True, False])
def test_a_server_side_client_starts_no_thread(make_client, api, begun, telemetry):
    """B2: not when it is made, and not for its calls."""
    client = make_client(decisioning_method="server-side", artifact_payload=None, telemetry_enabled=telemetry)
    client.get_offers(request=LOCAL)
    client.send_notifications(request={"notifications": [{"id": "n", "type": "click", "timestamp": 1}]})
    assert begun("target", "APScheduler") == []
    assert len(api.telemetry) == telemetry


def test_without_a_background_there_are_no_threads(make_client, api, cdn, begun):
    """The artifact is fetched and impressions are sent inside calls; ``client_ready`` is told there too."""
    heard, before = Heard(), threading.active_count()
    client = make_client(
        artifact_location=cdn.location("rules.json"),
        background=False,
        telemetry_enabled=True,
        learn_location_hint=True,
        events={"client_ready": heard, "artifact_download_succeeded": Heard()},
    )
    assert client.status()["ready"]
    client.get_offers(request=LOCAL)
    assert len(api.impressions) == 1
    assert heard.at == []
    time.sleep(0.1)
    client.get_offers(request=LOCAL)
    client.get_offers(request=LOCAL)
    assert heard.threads == [threading.current_thread()]
    assert client.flush(1)
    assert len(api.impressions) == 3
    assert threading.active_count() - before <= 2 + api.connections + cdn.connections  # the stand-ins'
    assert begun("target", "APScheduler") == []


def test_without_a_background_a_server_that_hangs_costs_no_more_than_the_timeout(make_client, api):
    client = make_client(background=False, timeout=100)
    client.get_offers(request=LOCAL)
    api.always(NEVER)
    began = time.monotonic()
    client.get_offers(request=LOCAL)
    assert time.monotonic() - began < 0.3


# -- status and flush -------------------------------------------------------------------------------------------------


def test_the_status_of_a_client(make_client, cdn):
    client = make_client(artifact_location=cdn.location("rules.json"), telemetry_enabled=True)
    client.get_offers(request=LOCAL)
    assert client.flush(5)
    client.get_offers(request=PREFETCH)
    status = client.status()
    json.dumps(status)
    assert {
        key: status[key] for key in ("ready", "version", "source", "stale", "last_error", "decisioning_method")
    } == {
        "ready": True,
        "version": "1.0.0",
        "source": "network",
        "stale": False,
        "last_error": None,
        "decisioning_method": "hybrid",
    }
    assert status["outbox"]["sent"] >= 1
    assert status["outbox"]["pending"] == 0
    assert status["telemetry"] == {"waiting": 1, "dropped": 0}


def test_the_status_names_what_is_undecidable_and_what_failed(make_client):
    artifact = places()
    unknown, failing = artifact["rules"]["mboxes"]["local-1"][0], artifact["rules"]["mboxes"]["local-2"][0]
    unknown["condition"] = {"regex": ["a", "b"]}
    failing["condition"] = {"*": []}
    client = make_client(artifact_payload=artifact)
    client.get_offers(request=asking(mboxes="local-2 local-2"))
    [(place, reasons)] = client.status()["undecidable"].items()
    assert place == 'rules.mboxes["local-1"]'
    assert "regex" in reasons[0]
    assert list(client.status()["failed_rules"].values()) == [2]


def test_flush_tells_the_truth(make_client, api):
    client = make_client(telemetry_enabled=True)
    assert client.flush(1)
    api.always(json_answer({}, status=503))
    client.get_offers(request=LOCAL)
    assert not client.flush(0.05)
    assert client.status()["outbox"]["pending"] >= 1
    api.always(None)
    assert client.flush(10)
    assert len(api.impressions) == 1


def test_flush_takes_telemetry_along(make_client, api):
    client = make_client(telemetry_enabled=True)
    client.get_offers(request={**PREFETCH, "requestId": "r1"})
    assert api.calls == []
    assert client.flush(5)
    assert [entry["requestId"] for entry in api.telemetry] == ["r1"]
    assert client.status()["telemetry"]["waiting"] == 0


def test_a_hundred_entries_of_telemetry_leave_by_themselves(make_client, api):
    client = make_client(telemetry_enabled=True)
    for _ in range(100):
        client.get_offers(request=PREFETCH)
    assert api.wait_until(lambda: len(api.telemetry) == 100)
    assert len(api.calls) == 1


# -- the end ----------------------------------------------------------------------------------------------------------


def test_closing_sends_what_waits(make_client, api):
    client = make_client(telemetry_enabled=True)
    client.get_offers(request=LOCAL)
    client.get_offers(request=PREFETCH)
    client.close()
    assert len(api.impressions) == 1
    assert len(api.telemetry) == 2
    assert client.flush() is True


def test_flush_tells_of_what_closing_lost(make_client, api):
    api.always(json_answer({}, status=503))
    client = make_client()
    client.get_offers(request=LOCAL)
    client.close(0.05)
    assert client.flush() is False
    assert client.status()["outbox"]["dropped_by_reason"] == {"closed": 1}


def test_closing_again_does_nothing(client):
    client.close()
    client.close()
    assert repr(client) == "<TargetClient hybrid closed>"


CALLS = {
    "get_offers": {"request": LOCAL},
    "get_attributes": {"mbox_names": ["local-1"]},
    "send_notifications": {"request": {"notifications": [{}]}},
    "wait_until_ready": {},
}


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_client_takes_no_calls(client, call):
    client.close()
    with pytest.raises(ClientClosed, match=f"{call} was called on a client that is closed"):
        getattr(client, call)(**CALLS[call])


def test_closing_ends_a_wait_for_an_artifact(make_client, tmp_path):
    client = make_client(artifact_location=str(tmp_path / "absent"), maximum_wait_ready=0)
    threading.Timer(0.05, client.close).start()
    assert client.wait_until_ready() is False


def test_closing_ends_every_thread(make_client, cdn, begun):
    client = make_client(
        artifact_location=cdn.location("rules.json"), telemetry_enabled=True, polling_interval_seconds=9
    )
    client.get_offers(request=LOCAL, callback=print).get(5)
    client.close()
    assert until(lambda: begun("target", "APScheduler") == []), begun("target", "APScheduler")


def test_a_client_is_a_context_manager(api):
    with TargetClient.create(
        client="acme", organization_id=ORGANIZATION, server_domain=api.authority, secure=False
    ) as it:
        assert it.get_offers(request=LOCAL).response.status == 200
    with pytest.raises(ClientClosed):
        it.get_offers(request=LOCAL)


def test_a_client_is_not_pickled(client):
    """Case 36: and the error says what to do instead."""
    with pytest.raises(TypeError, match="create one in each process, for instance in the initializer of a pool"):
        pickle.dumps(client)
    with pytest.raises(TypeError, match="cannot be pickled"):
        multiprocessing.get_context("spawn").Process(target=print, args=(client,)).start()


def test_its_answers_are_pickled(client):
    envelope = client.get_offers(request=asking(mboxes="local-1 remote-1"))
    assert pickle.loads(pickle.dumps(envelope)).to_wire() == envelope.to_wire()


class _Lock:
    """A visitor object that cannot be copied."""

    def __init__(self):
        self.lock = threading.Lock()

    def get_visitor_values(self):
        return {"MCMID": "1234"}

    def get_state(self):
        return {}

    def get_supplemental_data_id(self, _consumer):
        return "sdid"


@pytest.mark.parametrize("name", [None, "outbox.db"])
def test_close_waits_for_a_call_that_is_under_way_and_sends_what_it_owes(make_client, api, tmp_path, name):
    api.delay_seconds = 0.2
    client = make_client(outbox_path=name and tmp_path / name)
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(client.get_offers(request=asking(mboxes="local-1 remote-1")))
    )
    caller.start()
    assert until(lambda: api.decisions)
    client.close()
    assert client.flush()
    assert len(api.impressions) == 1
    caller.join()
    assert answers[0].meta.decisioning_method == "hybrid"


class _Closing(_Lock):
    """A visitor object that ends the client in the middle of a call, as a signal may."""

    def __init__(self, client):
        super().__init__()
        self.client = client

    def get_visitor_values(self):
        self.client.close(60)
        return super().get_visitor_values()


def test_a_call_that_closes_its_own_client_is_not_waited_for(client, caplog):
    began = time.monotonic()
    assert client.get_offers(request=asking(mboxes="local-1"), visitor=_Closing(client)).response
    assert time.monotonic() - began < 30
    assert "A call ended after its client was closed; what it owed is lost" in caplog.text


def test_an_answer_holds_nothing_of_the_callers_own(client):
    """A callback or a visitor object that went along with the call may be anything, also the owner of the answer."""
    answers, visitor = [], _Lock()
    told = client.get_offers(
        request=asking(mboxes="local-1"), visitor=visitor, callback=lambda one: answers.append(one)
    )
    envelope = told.get(5)
    for copied in (pickle.loads(pickle.dumps(envelope)), copy.deepcopy(envelope)):
        assert copied.target_cookie == envelope.target_cookie
        assert copied.meta == envelope.meta
    told = answers = None
    kept = weakref.ref(visitor)
    del visitor
    gc.collect()
    assert kept() is None


def test_threads_that_read_a_part_at_once_get_the_same_one(client):
    envelope = client.get_offers(request=asking(mboxes="local-1"))
    barrier, read = threading.Barrier(8), []

    def look():
        barrier.wait()
        read.append((envelope.response, envelope.meta, envelope.response_tokens, envelope.to_wire()))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 8
    assert all(len({id(part) for part in parts}) == 1 for parts in list(zip(*read, strict=True))[:2])
