"""What a thread that decides back to back notices of a swap: a new 5 MB artifact is read, compiled and made current."""

from __future__ import annotations

import gc
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from artifacts.make_large import many_activities
from benchmarks.decisions import new_client
from benchmarks.rows import Row
from benchmarks.timing import percentile
from benchmarks.wire import HeldSession
from benchmarks.workloads import Workload
from target_decisioning import TargetClient

ACTIVITIES = 3_350
"""So many make 5 MB."""
QUIET_CALLS = 20_000
NEVER_SECONDS = 86_400.0

Json = dict[str, Any]


def measure(swaps: int = 5) -> list[Row]:
    """Time calls over so many swaps, and as many calls in quiet before each."""
    bodies = [json.dumps(many_activities(ACTIVITIES, seed), separators=(",", ":")).encode() for seed in (1, 2)]
    quiet, busy, seconds = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.json"
        _replace(path, bodies[0])
        client = new_client(None, HeldSession(), artifact_location=str(path), polling_interval_seconds=NEVER_SECONDS)
        for turn in range(swaps):
            quiet.append(_calls(client, QUIET_CALLS))
            _replace(path, bodies[1 - turn % 2])
            took, in_swap = _over_a_swap(client)
            busy.append(in_swap)
            seconds.append(took)
        client.close()
    parsing = min(_seconds_of(json.loads, bodies[0]) for _ in range(5))
    return [_row(quiet, busy, statistics.median(seconds), parsing, len(bodies[0]) / 1_000_000)]


def _row(quiet: list[list[int]], busy: list[list[int]], seconds: float, parsing: float, megabytes: float) -> Row:
    numbers = {
        "quiet_p99_us": statistics.median(percentile(calls, 99) for calls in quiet) / 1000,
        "swap_p99_us": statistics.median(percentile(calls, 99) for calls in busy) / 1000,
        "longest_quiet_ms": statistics.median(max(calls) for calls in quiet) / 1e6,
        "longest_pause_ms": statistics.median(max(calls) for calls in busy) / 1e6,
        "swap_seconds": seconds,
        "parsing_ms": parsing * 1000,
    }
    ratio = numbers["swap_p99_us"] / numbers["quiet_p99_us"]
    measured = (
        f"{numbers['swap_p99_us']:.0f} µs over {seconds:.2f} s, "
        f"{ratio:.1f}x the quiet {numbers['quiet_p99_us']:.0f} µs; "
        f"longest pause {numbers['longest_pause_ms']:.0f} ms (parsing the JSON: {numbers['parsing_ms']:.0f} ms)"
    )
    what = f"p99 of calls back to back over a whole swap of {megabytes:.1f} MB"
    return Row(what, measured, "3x; no pause beyond parsing + 50 ms", {**numbers, "ratio": ratio})


def _over_a_swap(client: TargetClient) -> tuple[float, list[int]]:
    """Swap on another thread, as the timer does; return how long it took, and the calls that were made meanwhile."""
    keeper = client._keeper
    assert keeper is not None
    before = keeper.current
    poll = threading.Thread(target=keeper._poll)
    began = time.perf_counter()
    poll.start()
    took = _calls(client, None, while_alive=poll)
    seconds = time.perf_counter() - began
    assert keeper.current is not before
    return seconds, took


def _calls(client: TargetClient, count: int | None, *, while_alive: threading.Thread | None = None) -> list[int]:
    workload = Workload("", "", dict, _advance)
    took: list[int] = []
    clock = time.perf_counter_ns
    gc.collect()
    while len(took) != count and (while_alive is None or while_alive.is_alive()):
        request = workload.request(len(took))
        began = clock()
        client.get_offers(request=request)
        took.append(clock() - began)
    return took


def _advance(n: int) -> Json:
    """Ask in advance, which owes no impression: what is measured is the swap."""
    return {"prefetch": {"mboxes": [{"name": f"box-{n % ACTIVITIES:05}", "index": 0}]}}


def _replace(path: Path, body: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(body)
    new.replace(path)


def _seconds_of(work: Any, *arguments: Any) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began
