"""A sender whose server can be down, slow or picky, and what the outbox tells about it."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from target_decisioning.errors import DeliveryError, RequestError, TransportError
from target_decisioning.outbox import Outbox, OutboxLimits
from tests.logs import Log

QUICK = {"first_delay_seconds": 0.01, "longest_delay_seconds": 0.05, "drain_per_second": 2000.0}


class Server:
    """Takes items by their ``n``; what was taken is in ``taken``, every try in ``tried``."""

    def __init__(self):
        self.is_down = False
        self.taken, self.tried = [], Counter()
        self.refuses = {}
        self.seconds = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, item):
        if "n" not in item:
            raise RequestError("request", "no n", "an n")
        with self._lock:
            self.tried[item["n"]] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self._answer(item)
        finally:
            with self._lock:
                self.at_once -= 1

    def _answer(self, item):
        time.sleep(self.seconds)
        self.gate.wait()
        if self.is_down:
            raise TransportError("connect", "refused", was_sent=False)
        if item["n"] in self.refuses:
            raise DeliveryError("refused", self.refuses[item["n"]])
        with self._lock:
            self.taken.append(item["n"])


class Told:
    """The events, as (event, payload)."""

    def __init__(self):
        self.events = []

    def __call__(self, event, **payload):
        self.events.append((event, payload))

    def of(self, event):
        return [payload for name, payload in self.events if name == event]


@pytest.fixture
def server():
    server = Server()
    yield server
    server.gate.set()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def make_outbox(server, told, log):
    """Make an outbox that gives up waiting quickly; limits by keyword."""
    made = []

    def make(path=None, background=True, emit=told, owner="", **limits):
        bounds = OutboxLimits(**{**QUICK, **limits})
        outbox = Outbox(server, emit, log, path=path, owner=owner, limits=bounds, background=background)
        made.append(outbox)
        return outbox

    yield make
    server.gate.set()
    for outbox in made:
        outbox.close(0)


def wait_until(is_true, seconds=5.0):
    ends = time.monotonic() + seconds
    while not is_true() and time.monotonic() < ends:
        time.sleep(0.002)
    return is_true()


@pytest.fixture(name="wait_until")
def _wait_until():
    return wait_until
