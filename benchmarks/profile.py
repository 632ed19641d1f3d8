"""What a decision spends its time on: by part of the package, and by function.

    python -m benchmarks.profile              W1, W2, W4 and W7, by part
    python -m benchmarks.profile W1 --functions 25

A timer interrupts calls ten thousand times a second and notes which function runs. Python takes the interrupt at the
next call or loop, so some of it may stand with a neighbour. The garbage collector would stand with whatever it
interrupts; it is off meanwhile. The shares are scaled to the median of calls that nothing interrupts, taken as ``make
bench`` takes its p50.
"""

from __future__ import annotations

import argparse
import gc
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from benchmarks.decisions import BURST, Bench
from benchmarks.results import keep
from benchmarks.tables import Sheet
from benchmarks.timing import Timings, burst
from benchmarks.workloads import WORKLOADS

EVERY_SECONDS = 0.000_097
"""Not a divisor of anything that runs at a round rate."""
SECONDS = 10.0
INTERRUPTED = 3
"""Bursts between two pauses; with more of them calls would meet full queues, as they seldom do."""
PACKAGE = "target_decisioning."
PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("carry the call through", ("client",)),
    ("read the options of the call", ("preparation.options",)),
    ("read and check the request", ("preparation.reading", "preparation.shapes")),
    ("prepare it: defaults, visitor, cookie", ("preparation",)),
    ("make ids", ("ids",)),
    ("route the call, wrap the answer", ("answering", "on_device", "artifact", "delivery")),
    ("see what needs the server", ("decisioning.dependency", "routing")),
    ("walk rules, lay out the answer", ("decisioning",)),
    ("work out facts: time, URL, browser, parameters", (
        "decisioning.context", "decisioning.clock", "decisioning.urls", "decisioning.user_agent",
        "decisioning.parameters", "decisioning.spelling",
    )),
    ("place the visitor (allocation)", ("decisioning.allocation", "decisioning.visitor")),
    ("evaluate conditions", ("decisioning.conditions", "decisioning.javascript")),
    ("note impressions", ("decisioning.impressions",)),
    ("copy offers, fill macros", ("decisioning.offers", "decisioning.fresh", "decisioning.macros")),
    ("hand over impressions and telemetry", ("reporting", "outbox", "telemetry")),
)  # fmt: skip
"""Part of a decision -> the modules whose functions do it, in the order a call comes to them; a file stands for itself
before its folder does."""
CONDITIONS = "<conditions>"
REST = "the rest"

Json = dict[str, Any]
Place = tuple[str, str]
"""Module (without the package's name) and function."""


def measure(name: str, seconds: float = SECONDS) -> Json:
    """Return ``{workload, p50_us, samples, parts: {part: µs}, functions: {"module:function": µs}}``."""
    workload = next(workload for workload in WORKLOADS if workload.name == name)
    bench, quiet, seen = Bench(workload), Timings(), Counter[Place]()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with bench.held():
            quiet.bursts.append(burst(bench.columns["ours"], bench.requests(BURST)))
            for _ in range(INTERRUPTED):
                _interrupt(bench, seen)
    bench.close()
    each = quiet.p50_us / max(seen.total(), 1)
    parts = Counter[str]()
    for (module, _), count in seen.items():
        parts[part_of(module)] += count
    return {
        "workload": name,
        "p50_us": quiet.p50_us,
        "samples": seen.total(),
        "parts": {part: parts[part] * each for part in (*(part for part, _ in PARTS), REST) if parts[part]},
        "functions": {f"{module}:{function}": count * each for (module, function), count in seen.most_common()},
    }


def _interrupt(bench: Bench, seen: Counter[Place]) -> None:
    """Count in *seen* what runs during a burst."""
    requests = bench.requests(BURST)
    gc.collect()
    gc.disable()
    with _interrupted(seen):
        for request in requests:
            bench.columns["ours"](request)
    gc.enable()


def part_of(module: str) -> str:
    """Return the part of a decision that *module* does."""
    fitting = [(len(known), part) for part, modules in PARTS for known in modules if _is_in(module, known)]
    return max(fitting, default=(0, REST))[1]


def _is_in(module: str, known: str) -> bool:
    return module == known or module.startswith(f"{known}.")


@contextmanager
def _interrupted(seen: Counter[Place]) -> Iterator[None]:
    """Count in *seen* what runs whenever the timer interrupts."""

    def note(_number: int, frame: FrameType | None) -> None:
        place = _place(frame)
        if place is not None:
            seen[place] += 1

    before = signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, EVERY_SECONDS, EVERY_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place(frame: FrameType | None) -> Place | None:
    """Return the innermost function of the package that *frame* is in; None outside of a call."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(PACKAGE):
            return module.removeprefix(PACKAGE), frame.f_code.co_qualname
        if _is_compiled(frame):
            return "decisioning.conditions", CONDITIONS
        frame = frame.f_back
    return None


def _is_compiled(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith("<condition")


def sheet(profiles: list[Json]) -> Sheet:
    """Return the table by part, a column for each workload."""
    parts = [part for part in (*(part for part, _ in PARTS), REST) if any(part in one["parts"] for one in profiles)]
    where = {part: ", ".join(module.replace(".", "/") for module in modules) for part, modules in PARTS}
    rows = [(part, where.get(part, ""), *(f"{one['parts'].get(part, 0):.1f}" for one in profiles)) for part in parts]
    total = ("whole call", "", *(f"{one['p50_us']:.1f}" for one in profiles))
    head = ("part", "where", *(one["workload"] for one in profiles))
    return Sheet("what a call spends its time on, in µs", head, (*rows, total), words=2)


def functions_sheet(profile: Json, most: int) -> Sheet:
    """Return the functions that a workload spends most of its time in, without what they call."""
    rows = tuple((name, f"{us:.2f}") for name, us in list(profile["functions"].items())[:most])
    return Sheet(f"{profile['workload']}, by function, in µs", ("function", "itself"), rows)


def main() -> None:
    """Profile what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("workloads", nargs="*", help="names, such as W1 W5 (default: W1 W2 W4 W7)")
    parser.add_argument("--functions", type=int, default=0, help="also the functions that take most")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each workload")
    options = parser.parse_args()
    profiles = [measure(name, options.seconds) for name in options.workloads or ("W1", "W2", "W4", "W7")]
    sheet(profiles).show()
    for profile in profiles if options.functions else ():
        functions_sheet(profile, options.functions).show()
    if not options.workloads:
        print(f"kept in {keep('profile', {'profiles': profiles})}")


if __name__ == "__main__":
    main()
