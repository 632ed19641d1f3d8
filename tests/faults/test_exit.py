"""How a process with a client ends: falling off its end, by ``sys.exit``, a signal, a fault (cases 37 to 40)."""

from __future__ import annotations

import signal

import pytest

from fixtures.cdn import Cdn
from fixtures.delivery_api import json_answer
from fixtures.faults import FaultServer, silence
from fixtures.loopback import NEVER
from target_decisioning import TargetClient
from tests.faults.interpreters import VERSIONS, python
from tests.faults.parts import ROOT, child, ended, options, run

EXIT_SECONDS = 2.0
START_SECONDS = 4.0  # of an interpreter with everything imported, on a busy machine

DECIDE_ONCE = """
import sys
from tests.faults.parts import create, execute
create().get_offers(request=execute())
"""


def sent_at_next_start(api, outbox):
    """Start again on what the dead process left; return whether all of it could be sent."""
    with TargetClient.create(options(api, outbox_path=str(outbox))) as client:
        return client.flush(10)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("named", ["127.0.0.1", "localhost"])
def test_case_37_a_script_that_falls_off_its_end_has_sent_its_impression(api, version, named):
    """By name too: what looks a name up must work when the interpreter starts no thread any more (3.12 on)."""
    asked = options(api, server_domain=f"{named}:{api.port}")
    code, said, complained, seconds = run(DECIDE_ONCE, asked, python=python(version))
    assert (code, said, complained) == (0, "", "")
    assert len(api.impressions) == 1
    assert seconds < EXIT_SECONDS + 1 + START_SECONDS


@pytest.mark.parametrize("version", VERSIONS)
def test_case_37_a_script_that_polls_ends_in_silence(api, version):
    with Cdn(ROOT / "artifacts") as cdn:
        asked = options(api, cdn, polling_interval_seconds=0.01, decisioning_method="hybrid", telemetry_enabled=True)
        code, said, complained, _ = run(DECIDE_ONCE, asked, python=python(version))
    assert (code, said, complained) == (0, "", "")
    assert len(api.impressions) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_case_37_calls_with_a_callback_are_answered_before_a_script_ends(api, version):
    program = """
from tests.faults.parts import create, execute
client = create()
for _ in range(20):
    client.get_offers(request=execute(), callback=lambda answer: print(answer.response.status, flush=True))
"""
    code, said, complained, _ = run(program, options(api), python=python(version))
    assert (code, said.count("200"), complained) == (0, 20, "")  # lines of several threads may run into each other
    assert len(api.impressions) == 20


@pytest.mark.parametrize("version", VERSIONS)
def test_case_37_a_function_that_atexit_calls_may_make_calls_with_a_callback(api, version):
    program = """
import atexit
from tests.faults.parts import create, execute
client = create()

def ask():
    client.get_offers(request=execute(), callback=lambda answer: print(answer.response.status))

atexit.register(ask)
ask()
"""
    code, said, complained, _ = run(program, options(api), python=python(version))
    assert (code, said, complained) == (0, "200\n200\n", "")


def test_case_37_a_call_that_takes_too_long_does_not_hold_up_the_end_of_a_script(api):
    api.always(NEVER)
    program = """
from tests.faults.parts import create, execute
create().get_offers(request=execute(), callback=print, err_callback=print)
"""
    asked = options(api, decisioning_method="server-side", timeout_seconds=60)
    code, said, complained, seconds = run(program, asked)
    assert (code, said, complained) == (0, "", "")
    assert seconds < 2 * EXIT_SECONDS + 1 + START_SECONDS


LAST_WORDS = {
    "closed by atexit": """
import atexit
atexit.register(client.close)
client.get_offers(request=execute())
""",
    "a thread outlives the main one": """
import threading, time
threading.Thread(target=lambda: (time.sleep(0.2), client.get_offers(request=execute()))).start()
""",
    "nobody holds the client": """
import gc
client.get_offers(request=execute())
del client
gc.collect()
""",
    "a callback": """
client.get_offers(request=execute(), callback=lambda _: None).wait(5)
""",
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("words", LAST_WORDS.values(), ids=LAST_WORDS)
def test_case_37_whatever_a_script_does_last_its_impression_is_sent(api, version, words):
    program = f"from tests.faults.parts import create, execute\nclient = create()\n{words}"
    code, said, complained, _ = run(program, options(api, telemetry_enabled=True), python=python(version))
    assert (code, said, complained) == (0, "", "")
    assert len(api.impressions) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_case_37_a_call_while_the_interpreter_ends_is_answered(api, version):
    """Also one whose process has had no thread of ours before: its impression leaves without any."""
    program = """
import atexit, sys
from tests.faults.parts import create, execute
client = create()
atexit.register(lambda: client.get_offers(request=execute()))
"""
    code, said, complained, _ = run(program, options(api, telemetry_enabled=True), python=python(version))
    assert (code, said, complained) == (0, "", "")
    assert len(api.impressions) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("silent", [False, True], ids=["refusing", "never answering"])
def test_case_38_without_a_server_the_end_is_in_time_and_the_loss_is_told(version, silent):
    with FaultServer(silence) as server:
        asked = options(server_domain=f"127.0.0.1:{server.port if silent else 1}")
        code, _, complained, seconds = run(DECIDE_ONCE, asked, python=python(version))
    assert code == 0
    assert seconds < EXIT_SECONDS + 1 + START_SECONDS
    assert complained.count("with 1 impression that could not be sent; it is lost") == 1
    assert "Traceback" not in complained


def test_case_38_what_is_durable_is_still_there(api, tmp_path):
    asked = options(server_domain="127.0.0.1:1", outbox_path=str(tmp_path / "outbox"))
    code, _, complained, seconds = run(DECIDE_ONCE, asked)
    assert (code, complained.count("lost"), complained.count("Traceback")) == (0, 0, 0)
    assert seconds < EXIT_SECONDS + 1 + START_SECONDS
    assert sent_at_next_start(api, tmp_path / "outbox")
    assert len(api.impressions) == 1


ENDS = {
    "sys.exit in a handler": """
client.subscribe("send_notification_error", lambda event: sys.exit(3))
""",
    "an exception in main": """
raise KeyError("in main")
""",
    "os._exit": """
os._exit(0)
""",
    "sys.exit in a thread": """
thread = threading.Thread(target=sys.exit, args=(3,))
thread.start()
thread.join()
""",
    "os.abort": """
os.abort()
""",
}


@pytest.mark.parametrize("how", ENDS)
def test_case_39_however_a_process_ends_the_next_start_sends_all(api, tmp_path, how):
    program = f"""
import os, sys, threading
from tests.faults.parts import create, execute
client = create()
for number in range(20):
    client.get_offers(request=execute(tnt_id=f"v{{number}}"))
{ENDS[how]}
"""
    api.always(json_answer({}, status=503))
    outbox = tmp_path / "outbox"
    run(program, options(api, outbox_path=str(outbox)))
    api.always(None)
    assert sent_at_next_start(api, outbox)
    assert len({impression["id"] for impression in api.impressions}) == 20


def test_case_39_a_handler_that_exits_stops_nobody_else(api):
    """``SystemExit`` in a handler is the handler's: the outbox goes on, and so do the other handlers."""
    program = """
import sys
from tests.faults.parts import create, execute, until
client = create()
heard = []
client.subscribe("send_notification_error", lambda event: sys.exit(3))
client.subscribe("send_notification_error", heard.append)
client.get_offers(request=execute())
assert client.flush(10)
client.get_offers(request=execute())
assert client.flush(10)
assert until(lambda: len(heard) == 2), heard
"""
    api.always(json_answer({}, status=400))
    code, _, complained, _ = run(program, options(api))
    assert code == 0, complained
    assert "Traceback" not in complained


def test_case_39_a_callback_that_exits_leaves_nobody_waiting(api):
    program = """
import sys
from tests.faults.parts import create, execute
with create() as client:
    for _ in range(20):
        assert client.get_offers(request=execute(), callback=lambda answer: sys.exit(3)).get(5)
        assert client.get_offers(request=execute(), callback=lambda answer: None).get(5)
"""
    code, _, complained, _ = run(program, options(api))
    assert code == 0, complained


@pytest.mark.parametrize("fatal", [signal.SIGTERM, signal.SIGKILL])
def test_case_40_a_signal_ends_the_process_at_once_and_loses_nothing_durable(api, tmp_path, fatal):
    program = """
import time
from tests.faults.parts import create, execute
client = create()
for number in range(20):
    client.get_offers(request=execute(tnt_id=f"v{number}"))
print("accepted", flush=True)
time.sleep(60)
"""
    api.always(json_answer({}, status=503))
    outbox = tmp_path / "outbox"
    with ended(child(program, options(api, outbox_path=str(outbox)))) as process:
        assert process.stdout.readline() == "accepted\n"
        process.send_signal(fatal)
        assert process.wait(1.0) == -fatal
    api.always(None)
    assert sent_at_next_start(api, outbox)
    assert len({impression["id"] for impression in api.impressions}) == 20


def test_case_40_no_signal_handler_is_installed():
    program = """
import signal
before = [signal.getsignal(each) for each in signal.valid_signals()]
from tests.faults.parts import create, execute
with create() as client:
    client.get_offers(request=execute())
    client.close(timeout=0)
assert [signal.getsignal(each) for each in signal.valid_signals()] == before
"""
    code, _, complained, _ = run(program, options(server_domain="127.0.0.1:1"))
    assert code == 0, complained


def test_b5_the_interpreters_are_told():
    """Nothing is promised for builds without a global lock; should one be found, this test asks for one that does."""
    for version in VERSIONS:
        code, said, _, _ = run(
            "import sys; print(getattr(sys, '_is_gil_enabled', lambda: True)())", python=python(version)
        )
        assert (code, said) == (0, "True\n")
