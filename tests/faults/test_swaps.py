"""Artifacts that are swapped under load, and for a week (cases 29 and 30)."""

from __future__ import annotations

import itertools
import json
import sys
import threading

import pytest

from fixtures.faults import FaultServer, reply
from target_decisioning.forks import ProcessLock
from tests.builders import a_rule, an_artifact
from tests.faults.parts import execute, options, run, until
from tests.faults.started import SHOP_BYTES

LETTERS = "AB"
NAMES = [f"mbox-{number}" for number in range(4)]


def lettered(letter):
    """Return an artifact in which every text that can reach an answer holds *letter*."""

    def rule(name):
        metrics = [{"type": "click", "eventToken": f"{letter}-click"}]
        meta = {"activity.name": f"{letter}-activity", "experience.name": f"{letter}-experience"}
        condition = {"!=": [{"var": "mbox.letter"}, letter]}
        return a_rule(f"{letter}-{name}", activity=ord(letter), metrics=metrics, meta=meta, condition=condition)

    mboxes = {name: [rule(name)] for name in NAMES}
    frame = {"version": f"1.0.{ord(letter)}", "responseTokens": ["activity.name", "experience.name"]}
    return json.dumps(an_artifact(frame=frame, **mboxes)).encode()


def letters_of(answered):
    text = json.dumps(answered.response.to_wire()["prefetch"])
    return {letter for letter in LETTERS if f'"{letter}-' in text}


class Alternating:
    """Answers each request with the next of *bodies*."""

    def __init__(self, bodies):
        self.count, self._bodies = 0, itertools.cycle(bodies)

    def __call__(self, connection, _):
        self.count += 1
        connection.send(reply(body=next(self._bodies)))


@pytest.fixture
def brisk_threads():
    """Let threads take turns more often, so that seventeen of them get somewhere on one processor."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(usual)


class Asking:
    """Threads that ask all the time; what they met, and what went wrong."""

    def __init__(self, one, threads):
        self._one, self._is_over = one, threading.Event()
        self.letters, self.wrong = set(), []
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        while not self._is_over.wait(0.03):
            try:
                letters = letters_of(self._one.ask(*NAMES))
            except Exception as error:
                letters = {repr(error)}
            self.letters |= letters
            if len(letters) != 1:
                self.wrong.append(letters)


@pytest.mark.usefixtures("brisk_threads")
def test_case_29_every_answer_is_wholly_of_one_artifact(start):
    step = Alternating([lettered(letter) for letter in LETTERS])
    with FaultServer(step) as server:
        one = start(server.url, polling_interval_seconds=0.001)
        with Asking(one, threads=16) as asking:
            assert until(lambda: step.count > 1000 or asking.wrong, seconds=90)
        reasons = one.reasons  # once the server has ended, polls go on and fail
    assert asking.wrong == []
    assert asking.letters == set(LETTERS)
    assert reasons == []


def locks_of(thing, found, seen):
    """Gather every lock that objects of this package hold, from *thing* on."""
    if id(thing) in seen:
        return found
    seen.add(id(thing))
    if isinstance(thing, ProcessLock):
        thing = thing._lock
    if type(thing).__name__ in {"lock", "RLock"}:
        found.append(thing)
    for part in parts_of(thing):
        locks_of(part, found, seen)
    return found


def parts_of(thing):
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, list | tuple | set | frozenset):
        return list(thing)
    if not type(thing).__module__.startswith("target_decisioning"):
        return []
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if name != "__weakref__"]
    return [*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots)]


@pytest.mark.parametrize("request_", [execute(), {"context": {"channel": "web"}, "prefetch": {"views": [{}]}}])
def test_case_29_no_lock_of_ours_is_taken_on_the_way_of_a_request(start, request_):
    with FaultServer(Alternating([SHOP_BYTES])) as server:
        one = start(server.url, polling_interval_seconds=300)
        one.client.get_offers(request=execute())  # the senders are started
        locks, answered = locks_of(one.client, [], set()), []
        assert len(locks) > 5
        held = [lock for lock in locks if lock.acquire(blocking=False)]
        thread = threading.Thread(target=lambda: answered.append(one.client.get_offers(request=request_)))
        thread.start()
        thread.join(5)
        for lock in held:
            lock.release()
        assert answered


A_WEEK = 2016  # polls, one every five minutes
LIVE_FOR_A_WEEK = """
import gc, json, linecache, os, sys, threading, weakref
from target_decisioning import TargetClient

given, swaps, visitors = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
client = TargetClient.create(given)
programs = []

def measured():
    gc.collect()
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return {
        "mib": pages * os.sysconf("SC_PAGESIZE") / 2**20,
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "lines": len(linecache.cache),
    }

def visit(number):
    name = f"visitor-{number}"
    request = {
        "id": {"tntId": name},
        "context": {
            "channel": "web",
            "userAgent": f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{number}.0 Safari/537.36",
            "address": {"url": f"https://shop{number % 977}.example/{name}?from={name}"},
        },
        "prefetch": {"mboxes": [{"name": "home-hero", "index": 0, "parameters": {"user": name}}]},
    }
    client.get_offers(request=request, session_id=name)

count = last = 0
while count < swaps:
    program = client._keeper.current.program
    if program.version != last:
        programs.append(weakref.ref(program))
        last, count = program.version, count + 1
        del program
        for number in range(visitors * (count - 1) // swaps, visitors * count // swaps):
            visit(number)
        if count == 50:
            early = measured()
    else:
        del program
        client.status()
        threading.Event().wait(0.0005)
late = measured()
print(json.dumps([early, late, sum(program() is not None for program in programs)]))
"""


def lasting(swaps, visitors):
    """Serve *swaps* distinct artifacts to a process that decides for as many *visitors* meanwhile; what it measured."""
    artifact, numbers = json.loads(SHOP_BYTES), itertools.count()

    def step(connection, _):
        number = next(numbers)
        new = a_rule(f"offer-{number}", condition={"==": [{"var": "mbox.number"}, number]})
        artifact["rules"]["mboxes"]["home-hero"][:0] = [new] if number == 0 else []
        artifact["rules"]["mboxes"]["home-hero"][0] = new
        connection.send(reply(body=json.dumps({**artifact, "version": f"1.{number}.0"}).encode()))

    with FaultServer(step) as server:
        given = options(artifact_location=server.url, polling_interval_seconds=0.001)
        del given["artifact_payload"]
        code, said, complained, _ = run(LIVE_FOR_A_WEEK, given, swaps, visitors, seconds=600)
    assert (code, complained) == (0, "")
    return json.loads(said)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("visitors", [100_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_case_30_a_week_of_swaps_and_many_visitors_leave_no_trace(visitors):
    early, late, programs = lasting(A_WEEK, visitors)
    assert late["mib"] < 1.1 * early["mib"]
    assert late["threads"] <= early["threads"] + 1
    assert late["files"] <= early["files"] + 1
    assert late["lines"] <= early["lines"] + 1
    assert programs <= 2
