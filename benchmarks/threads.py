"""Whether four threads decide as much as one does: the interpreter lets one at a time run, so no more than that.

What it costs to pass the interpreter from thread to thread shows in the floor, which has the least else to do.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.decisions import Bench
from benchmarks.rows import Row
from benchmarks.workloads import WORKLOADS

THREADS = 4
CALLS = 3_000
"""Of all threads together, per round; the outbox holds what two rounds owe."""

Json = dict[str, Any]


def measure(rounds: int = 24) -> list[Row]:
    """Compare W1 and W2 with one thread and with four, in turns."""
    return [_compare(name, rounds) for name in ("W1", "W2")]


def _compare(name: str, rounds: int) -> Row:
    bench = Bench(next(workload for workload in WORKLOADS if workload.name == name))
    ratios: dict[str, list[float]] = {"ours": [], "floor": []}
    per_second = []
    for turn in range(rounds + 1):
        for column, of_column in ratios.items():
            with bench.held():
                alone = _seconds(bench.requests(CALLS), bench.columns[column], 1)
                together = _seconds(bench.requests(CALLS), bench.columns[column], THREADS)
            if turn:
                of_column.append(alone / together)
                per_second += [CALLS / alone] if column == "ours" else []
    bench.close()
    ratio, floor = (statistics.median(ratios[column]) for column in ("ours", "floor"))
    throughput = statistics.median(per_second)
    numbers = {"ratio": ratio, "floor_ratio": floor, "one_thread_per_second": throughput}
    measured = f"{ratio:.2f} of one thread's {throughput:,.0f} calls/s (the floor: {floor:.2f} of its own)"
    return Row(f"{name}, throughput of {THREADS} threads", measured, "at least 0.9", numbers)


def _seconds(requests: list[Json], call: Callable[[Json], Any], threads: int) -> float:
    """Return how long it takes to make all calls, shared out among so many threads that start together."""
    gate = threading.Barrier(threads + 1)

    def work(mine: list[Json]) -> None:
        gate.wait()
        for request in mine:
            call(request)

    workers = [threading.Thread(target=work, args=(requests[at::threads],)) for at in range(threads)]
    for worker in workers:
        worker.start()
    gate.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began
