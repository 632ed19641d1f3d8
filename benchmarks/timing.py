"""Timing calls so that two sides can be compared on a machine that does other things too.

    side, side, side  --in turns, a burst of each-->  Timings of each  --> medians over the bursts

A burst is short, so whatever slows the machine slows all sides. What is reported is the median over bursts, of their
medians and of their 99th percentiles: one disturbed burst changes nothing. The garbage collector runs for every side as
it does for a program; what stood before the measuring began is frozen, or each collection would walk the artifacts of
all workloads.
"""

from __future__ import annotations

import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

QUIET_LOAD = 0.5
"""Load per core below which a machine counts as quiet."""

Json = dict[str, Any]


@dataclass
class Timings:
    """Nanoseconds of single calls, by burst."""

    bursts: list[list[int]] = field(default_factory=list)

    @property
    def p50_us(self) -> float:
        """The median burst's median, in microseconds."""
        return statistics.median(self._medians()) / 1000

    @property
    def p99_us(self) -> float:
        """The median burst's 99th percentile, in microseconds."""
        return statistics.median(percentile(burst, 99) for burst in self.bursts) / 1000

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles of the bursts' medians, as a share of their median."""
        medians = self._medians()
        if len(medians) < 2:
            return 0.0
        low, middle, high = statistics.quantiles(medians, n=4)
        return (high - low) / 2 / middle

    @property
    def all_p99_us(self) -> float:
        """The 99th percentile of all calls, whatever disturbed them, in microseconds."""
        return percentile([ns for burst in self.bursts for ns in burst], 99) / 1000

    def numbers(self) -> Json:
        """Return what is kept."""
        return {"p50_us": self.p50_us, "p99_us": self.p99_us, "spread": self.spread, "all_p99_us": self.all_p99_us}

    def _medians(self) -> list[float]:
        return [statistics.median(burst) for burst in self.bursts]


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that *percent* of *values* do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


WARM_UP = 5
"""Calls at the start of a burst that are not counted: the garbage collection before it has emptied the caches."""


def burst(call: Callable[[Any], Any], requests: Iterable[Any], warm_up: int = WARM_UP) -> list[int]:
    """Call with each of *requests*; return how many nanoseconds each call took, the end of its answer included."""
    took: list[int] = []
    clock, record = time.perf_counter_ns, took.append
    waiting = iter(requests)
    gc.collect()
    for request in itertools.islice(waiting, warm_up):
        call(request)
    for request in waiting:
        began = clock()
        call(request)
        record(clock() - began)
    return took


def settle() -> None:
    """Set what stands apart from what the measured calls will make."""
    gc.collect()
    gc.freeze()


def load_hint() -> str:
    """Return a warning if the machine is not quiet, else ``""``."""
    if not hasattr(os, "getloadavg"):
        return ""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load < QUIET_LOAD * cores:
        return ""
    return f"The machine is not quiet (load {load:.1f} on {cores} cores): times are too long, ratios hold."
