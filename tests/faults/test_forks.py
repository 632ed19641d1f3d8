"""Processes that copy themselves: preforked servers, children of children, spawned pools (cases 32 to 36)."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
from collections import defaultdict

import pytest

from fixtures.delivery_api import json_answer
from target_decisioning import TargetClient
from tests.faults.parts import LOCAL, ROOT, SHOP, child, ended, options, run
from tests.faults.serving import Gunicorn

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

WORKERS = 4


def owners(api):
    """Return the sessions that spoke over each connection; a session is one process here."""
    sessions = defaultdict(set)
    for call in api.calls:
        sessions[call.received.connection].add(call.session_id)
    return sessions


def test_case_32_workers_of_a_preloaded_client_decide_poll_and_report_by_themselves(api, cdn):
    with Gunicorn("tests.faults.preloaded:application", options(api, cdn)) as server:
        first = server.ask_until(WORKERS, version="1.0.0")
        cdn.swap("shop.json", SHOP.read_text(encoding="utf-8").replace('"1.0.0"', '"1.7.0"', 1))
        later = server.ask_until(WORKERS, version="1.7.0")
        said = server.stop()
    assert said == ""
    assert set(first) == set(later)
    assert len(first) == WORKERS
    for told in [*first.values(), *later.values()]:
        (mbox,) = told["answer"]["response"]["execute"]["mboxes"]
        assert (mbox["name"], mbox["options"][0]["type"]) == (LOCAL, "html")
    sessions = [call.session_id for call in api.calls]
    assert {f"p{pid}" for pid in first} <= set(sessions)
    assert len({impression["id"] for impression in api.impressions}) == len(api.impressions) == len(sessions)
    assert all(len(who) == 1 for who in owners(api).values())


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1])
def test_case_32_a_fork_while_the_first_artifact_is_fetched_leaves_a_child_that_becomes_ready(cdn, seconds):
    """Whatever thread of the parent was inside an import or held a lock: nothing of that hangs in the child."""
    program = """
import os, signal, sys, time
from tests.faults.parts import create, execute, until
client = create()
time.sleep(float(sys.argv[2]))
child = os.fork()
if child == 0:
    signal.alarm(20)
    def is_ready():
        try:
            return client.get_offers(request=execute())
        except Exception:
            return None
    os._exit(0 if until(is_ready, 15) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    asked = options(None, cdn, maximum_wait_ready=0, server_domain="127.0.0.1:1")
    code, _, complained, _ = run(program, asked, seconds)
    assert code == 0, complained


@pytest.mark.skipif(sys.platform != "linux", reason="calls the C library's fork")
def test_case_32_a_fork_that_python_does_not_hear_of_is_noticed_by_the_process_id(api, cdn):
    """As a server in C may fork: none of the hooks for forks run."""
    program = """
import ctypes, os, sys, time
from tests.faults.parts import create, execute, until
client = create()

def live(name):
    assert client.get_offers(request=execute(), session_id=name).response.execute.mboxes[0].options
    assert client.flush(10)

live("parent")
child = ctypes.PyDLL(None).fork()
if child == 0:
    live("child")
    time.sleep(1.2)
    polled = until(lambda: client.get_offers(request=execute()) and client.status()["age_seconds"] < 1.0, 10)
    os._exit(0 if polled else 1)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
live("parent")
sys.exit(code)
"""
    code, _, complained, _ = run(program, options(api, cdn))
    assert code == 0, complained
    both = {"parent", "child"}
    assert all(len(who & both) <= 1 for who in owners(api).values())


QUEUE_AND_FORK = """
import os, sys, warnings
from tests.faults.parts import create, execute
warnings.simplefilter("ignore")
client = create()
for number in range(100):
    client.get_offers(request=execute(tnt_id=f"v{number}"))
assert client.status()["outbox"]["pending"] == 100
child = os.fork()
if child == 0:
    assert client.status()["outbox"]["pending"] == 0
    assert client.flush(1)
    client.close()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print("forked", flush=True)
sys.stdin.readline()
assert client.flush(20)
"""


@pytest.mark.parametrize("durable", [False, True], ids=["in memory", "durable"])
def test_case_34_what_waits_at_a_fork_is_sent_by_the_parent_alone(api, tmp_path, durable):
    gate = threading.Event()
    api.always(lambda _: gate.wait(20) and json_answer({"status": 200}))
    asked = options(api, **({"outbox_path": str(tmp_path / "outbox")} if durable else {}))
    with ended(child(QUEUE_AND_FORK, asked)) as process:
        assert process.stdout.readline() == "forked\n"
        gate.set()
        _, complained = process.communicate("\n", timeout=30)
    assert (process.returncode, complained) == (0, "")
    assert len(api.impressions) == len({impression["id"] for impression in api.impressions}) == 100


def test_case_34_a_session_of_the_callers_is_not_spoken_over_by_a_child(api):
    """The connections that the parent opened in it stay the parent's; the session itself is used on."""
    program = """
import json, os, sys
import requests
from target_decisioning import TargetClient
from tests.faults.parts import execute
client = TargetClient.create(json.loads(sys.argv[1]), session=requests.Session())

def live(name):
    client.get_offers(request=execute(), session_id=name)
    assert client.flush(10)

live("parent")
child = os.fork()
if child == 0:
    live("child")
    live("child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
live("parent")
"""
    code, _, complained, _ = run(program, options(api))
    assert code == 0, complained
    assert [call.session_id for call in api.calls] == ["parent", "child", "child", "parent"]
    assert [len(who) for who in owners(api).values()] == [1, 1]


def test_case_34_telemetry_that_waits_at_a_fork_is_the_parents(api):
    program = """
import os, sys
from tests.faults.parts import create, execute
client = create()
for number in range(20):
    client.get_offers(request={**execute(), "execute": None, "prefetch": {"mboxes": [{"name": "home-hero"}]}})
assert client.status()["telemetry"]["waiting"] == 20
child = os.fork()
if child == 0:
    assert client.status()["telemetry"]["waiting"] == 0
    assert client.flush(5)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert client.flush(5)
"""
    code, _, complained, _ = run(program, options(api, telemetry_enabled=True))
    assert code == 0, complained
    assert len(api.telemetry) == 20


FORK_IN_THE_THICK_OF_IT = """
import os, signal, sys, threading, time, warnings
from tests.faults.parts import create, execute
warnings.simplefilter("ignore")
client = create()
is_over = threading.Event()

def busy(work):
    def go_on():
        while not is_over.is_set():
            work()
            time.sleep(0)
    threading.Thread(target=go_on, daemon=True).start()

busy(lambda: client.get_offers(request=execute(context={"channel": "web", "address": {"url": "http://x.example/"}})))
busy(lambda: client.get_offers(request=execute(), callback=lambda _: None).wait(5))
busy(lambda: client.unsubscribe(client.subscribe("send_notification_error", lambda event: None)))
busy(lambda: client.flush(0.01))
busy(client.status)
for generation in range(40):
    child = os.fork()
    if child == 0:
        signal.alarm(15)
        assert client.get_offers(request=execute(tnt_id="child"), callback=lambda _: None).get(10)
        client.unsubscribe(client.subscribe("client_ready", lambda: None))
        assert client.flush(10)
        client.status()
        client.close(5)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, (generation, code)
is_over.set()
os._exit(0)
"""


@pytest.mark.parametrize("durable", [False, True], ids=["in memory", "durable"])
def test_case_34_a_child_forked_in_the_thick_of_it_never_hangs(api, cdn, tmp_path, durable):
    """At each fork other threads are inside calls, callbacks, subscriptions, flushes and polls."""
    more = {"outbox_path": str(tmp_path / "outbox")} if durable else {}
    asked = options(api, cdn, polling_interval_seconds=0.01, telemetry_enabled=True, **more)
    code, _, complained, _ = run(FORK_IN_THE_THICK_OF_IT, asked, seconds=90)
    assert code == 0, complained


def test_case_35_a_child_of_a_child_decides_polls_and_reports(api, cdn):
    program = """
import os, sys, warnings
from tests.faults.parts import create, execute, until
warnings.simplefilter("ignore", DeprecationWarning)  # of 3.12 on: there are threads
client = create()

def live():
    pid = os.getpid()
    print(pid, flush=True)
    assert client.get_offers(request=execute(), session_id=f"p{pid}").response.execute.mboxes[0].options
    assert client.flush(10)

def wait_for(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

live()
child = os.fork()
if child == 0:
    live()
    grandchild = os.fork()
    if grandchild == 0:
        live()
        polled = client.status()["age_seconds"]
        assert until(lambda: client.get_offers(request=execute()) and client.status()["version"] == "1.7.0", 10)
        sys.exit(0)
    sys.exit(wait_for(grandchild))
sys.exit(wait_for(child))
"""
    with ended(child(program, options(api, cdn))) as process:
        pids = [int(process.stdout.readline()) for _ in range(3)]
        cdn.swap("shop.json", SHOP.read_text(encoding="utf-8").replace('"1.0.0"', '"1.7.0"', 1))
        _, complained = process.communicate(timeout=30)
    assert (process.returncode, complained) == (0, "")
    assert len(set(pids)) == 3
    assert {f"p{pid}" for pid in pids} <= {call.session_id for call in api.calls}
    assert all(len(who & {f"p{pid}" for pid in pids}) <= 1 for who in owners(api).values())


@pytest.mark.parametrize("generations", [1, 2])
def test_case_35_what_was_closed_before_a_fork_stays_closed(api, tmp_path, generations):
    program = """
import os, sys, threading
from tests.faults.parts import create, execute
from target_decisioning import ClientClosed
client = create()
client.get_offers(request=execute())
client.close()
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
asked = {**execute(), "notifications": [{"id": "1", "timestamp": 1, "type": "click"}]}
for call in (client.get_offers, client.send_notifications, lambda **one: client.get_attributes(["home-hero"], **one)):
    try:
        call(request=asked)
    except ClientClosed as error:
        assert "create a new one" in str(error)
    else:
        sys.exit("answered")
assert client.status()["outbox"]["pending"] == 0
assert client.flush(1)
client.close()
assert threading.active_count() == 1, threading.enumerate()
"""
    asked = options(api, outbox_path=str(tmp_path / "outbox"))
    code, _, complained, _ = run(program, asked, generations)
    assert (code, complained) == (0, "")
    assert len(api.impressions) == 1


def test_case_36_a_client_is_not_pickled_and_says_what_to_do(api):
    with TargetClient.create(options(api)) as client, pytest.raises(TypeError, match="in each process"):
        pickle.dumps(client)


SPAWN = """
import json, multiprocessing, sys
from tests.faults import spawned

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    context = multiprocessing.get_context(sys.argv[2])
    try:
        with spawned.create_client(asked):
            context.Process(target=spawned.decide, args=(spawned.client,)).start()
    except TypeError as error:
        assert "in each process" in str(error), error
    else:
        sys.exit("was pickled")
    with context.Pool(2, initializer=spawned.create_client, initargs=(asked,)) as pool:
        names = pool.map(spawned.decide_for, [f"v{number}" for number in range(20)])
        pool.close()
        pool.join()
    assert set(names) == {"home-hero"}, names
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_case_36_the_initializer_of_a_pool_creates_the_client(api, tmp_path, method):
    script = tmp_path / "script.py"
    script.write_text(SPAWN, encoding="utf-8")
    command = [sys.executable, str(script), json.dumps(options(api)), method]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len({impression["id"] for impression in api.impressions}) == 20
