"""How long whole ``get_offers`` calls take, on each workload, beside the floor.

Columns: a wire dict in; a typed request in; a wire dict in and the whole envelope out as wire; a wire dict in and every
field read; the floor. Every request is new. No sender works while calls are timed (``wire``).

python -m benchmarks.decisions W1 30      one workload, 30 bursts of each column, as JSON
"""

from __future__ import annotations

import contextlib
import json
import logging
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.counting import instructions
from benchmarks.floor import Call, floor_of
from benchmarks.reading import read_every_field
from benchmarks.timing import Timings, burst, settle
from benchmarks.wire import HeldSession
from benchmarks.workloads import WORKLOADS, Workload
from target_decisioning import DeliveryRequest, TargetClient

BURST = 200
"""Calls in a row before the next column has its turn; small enough for the outbox to hold what a turn owes."""
COUNTED = 25
"""Calls whose instructions are counted."""
SENDERS_ASLEEP_SECONDS = 0.02
FLOOR_QUEUE = 1000
"""Impressions that wait beside the floor; the oldest go."""

Json = dict[str, Any]


class Bench:
    """One workload, its client and its floor."""

    def __init__(self, workload: Workload, **options: Any) -> None:
        self.workload = workload
        self.session = HeldSession()
        self.client = new_client(workload.artifact(), self.session, **options)
        self._asked = 0
        self.queue: deque[Json] = deque(maxlen=FLOOR_QUEUE)
        self.typical, self.floor = self._new_floor()
        self.columns: dict[str, Callable[[Any], Any]] = {
            "ours": lambda request: self.client.get_offers(request=request),
            "typed": lambda request: self.client.get_offers(request=request),
            "to_wire": lambda request: self.client.get_offers(request=request).to_wire(),
            "fields": lambda request: read_every_field(self.client.get_offers(request=request)),
            "floor": self.floor,
        }
        self.forget()

    def forget(self) -> None:
        """Begin the measurement anew."""
        self.timings = {column: Timings() for column in self.columns}

    def turn(self) -> None:
        """Measure a burst of each column."""
        with self.held():
            for column, call in self.columns.items():
                requests: list[Any] = self.requests(BURST)
                if column == "typed":
                    requests = [DeliveryRequest.from_wire(request) for request in requests]
                self.timings[column].bursts.append(burst(call, requests))

    def result(self) -> Json:
        """Return what was measured."""
        timings = self.timings
        return {
            "workload": self.workload.name,
            "shows": self.workload.shows,
            "aim_us": self.workload.aim_us,
            **timings["ours"].numbers(),
            **{f"{column}_p50_us": timings[column].p50_us for column in ("typed", "to_wire", "fields", "floor")},
            "ratio_to_floor": timings["ours"].p50_us / timings["floor"].p50_us,
        }

    def instructions(self, column: str) -> float:
        """Return how many instructions of the interpreter a call of *column* takes, the median of some."""
        with self.held():
            return statistics.median(instructions(self.columns[column], request) for request in self.requests(COUNTED))

    def close(self, timeout: float = 5.0) -> None:
        """End the client; what could not be sent in *timeout* seconds is lost, and nobody told."""
        self.session.release()
        self.client.close(timeout)

    def requests(self, count: int) -> list[Json]:
        """Return so many requests that were never seen before."""
        self._asked += count
        return [self.workload.request(n) for n in range(self._asked - count, self._asked)]

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let no sender work; in the end send what was owed."""
        self.hold()
        yield
        self._drain()

    def hold(self) -> None:
        """Give every sender a call that waits."""
        self.session.hold()
        for request in self.requests(BURST):
            self.client.get_offers(request=request)
        time.sleep(SENDERS_ASLEEP_SECONDS)

    def _drain(self) -> None:
        self.session.release()
        self.client.flush(timeout=60)

    def _new_floor(self) -> tuple[Json, Call]:
        """Build the floor from a typical request, the one with an answer of median size among fifty-one."""
        self.session.record(on=True)
        asked = {request["id"]["tntId"]: request for request in self.requests(51)}
        answers = {
            visitor: self.client.get_offers(request=request).to_wire()["response"] for visitor, request in asked.items()
        }
        self._drain()
        self.session.record(on=False)
        owed = {sent["id"]["tntId"]: sent.get("notifications", []) for sent in self.session.sent}
        typical = sorted(answers, key=lambda visitor: len(json.dumps(answers[visitor])))[len(answers) // 2]
        return asked[typical], floor_of(asked[typical], answers[typical], owed.get(typical, []), self.queue)


_SILENT = logging.getLogger("benchmarks.silent")
_SILENT.disabled = True


def new_client(artifact: Any, session: HeldSession, **options: Any) -> TargetClient:
    """Return an on-device client of *artifact* whose reports end in *session*."""
    given = {
        "client": "acme",
        "organization_id": "1234567890@AdobeOrg",
        "decisioning_method": "on-device",
        "artifact_payload": artifact,
        "server_domain": "127.0.0.1:9",
        "secure": False,
        "session": session,
        "logger": _SILENT,
        **options,
    }
    return TargetClient.create(given)


def run(workloads: list[Workload], rounds: int) -> list[Json]:
    """Measure each workload in a process of its own: another's artifact would scatter what it has in memory."""
    command = [sys.executable, "-m", "benchmarks.decisions"]
    return [
        json.loads(subprocess.run([*command, workload.name, str(rounds)], check=True, stdout=subprocess.PIPE).stdout)
        for workload in workloads
    ]


def measure(workload: Workload, rounds: int) -> Json:
    """Measure the columns of *workload* in turns, *rounds* times each after one round to warm up."""
    bench = Bench(workload)
    bench.turn()
    bench.forget()
    settle()
    for _ in range(rounds):
        bench.turn()
    counted = {column: bench.instructions(column) for column in ("ours", "floor")}
    bench.close()
    return {**bench.result(), "instructions_to_floor": counted["ours"] / counted["floor"]}


if __name__ == "__main__":
    measured = next(workload for workload in WORKLOADS if workload.name == sys.argv[1])
    print(json.dumps(measure(measured, int(sys.argv[2]))))
