"""Stop asking a host that does not answer, and find out cheaply when it does again.

    closed --5 failures in a row, or half of 20 calls in 10 s--> open --5 s--> one probe --works--> closed
                                                                  ^---- fails: twice as long, 60 s at most

Each process judges for itself; a forked child begins with what its parent knew. Source: faults.md C4.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

from target_decisioning.errors import TransportError
from target_decisioning.forks import ProcessLock
from target_decisioning.http.recent import Recent

CIRCUIT_OPEN = "circuit_open"


class BreakerLimits(NamedTuple):
    """When a breaker opens, and for how long; times in seconds."""

    failures_in_a_row: int = 5
    window_seconds: float = 10.0
    least_calls: int = 20
    failing_share: float = 0.5
    first_open_seconds: float = 5.0
    longest_open_seconds: float = 60.0
    shortest_share: float = 0.9
    """Of an open time: it is shortened at random to this, so that a fleet does not come back as one."""


_DEFAULT_LIMITS = BreakerLimits()


class Leave(NamedTuple):
    """Permission for one call; ``is_probe``: it is the one that finds out, so it is made once."""

    era: int
    is_probe: bool = False


class Breaker:
    """Judges the calls to one host. Any number of threads may share it."""

    def __init__(self, limits: BreakerLimits = _DEFAULT_LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._lock = ProcessLock()
        self._recent = Recent(limits.window_seconds)
        self._failures_in_a_row = 0
        self._open_seconds = limits.first_open_seconds
        self._probe_at: float | None = None  # None: closed
        self._leave = Leave(0)

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for probes."""
        return self._probe_at is not None

    def enter(self) -> Leave:
        """Return the leave to make one call, whose outcome must then be told by ``report``.

        A probe whose outcome is never told holds up the next one as long as the circuit was open.

        Raises:
            TransportError: ``circuit_open``; nothing was sent.
        """
        if self._probe_at is None:
            return self._leave
        with self._lock:
            now = self._clock()
            if self._probe_at is None:
                return self._leave
            if now < self._probe_at:
                raise TransportError(CIRCUIT_OPEN, "the host failed too often lately", was_sent=False)
            self._probe_at = now + self._open_seconds
            return Leave(self._leave.era, is_probe=True)

    def report(self, leave: Leave, *, has_worked: bool) -> None:
        """Take the outcome of the call that *leave* was for."""
        with self._lock:
            if leave.era != self._leave.era or leave.is_probe != self.is_open:
                return  # began before the circuit opened or closed: says nothing of now
            if leave.is_probe:
                self._judge_probe(has_worked)
            else:
                self._judge(has_worked)

    def _judge(self, has_worked: bool) -> None:
        now, limits = self._clock(), self._limits
        self._failures_in_a_row = 0 if has_worked else self._failures_in_a_row + 1
        self._recent.add(now, ones=1, others=not has_worked)
        if has_worked:
            return
        calls, failures = self._recent.totals(now)
        is_mostly_failing = calls >= limits.least_calls and failures >= limits.failing_share * calls
        if self._failures_in_a_row >= limits.failures_in_a_row or is_mostly_failing:
            self._open(limits.first_open_seconds)

    def _judge_probe(self, has_worked: bool) -> None:
        if not has_worked:
            self._open(min(2 * self._open_seconds, self._limits.longest_open_seconds))
            return
        self._probe_at = None
        self._next_era()

    def _open(self, seconds: float) -> None:
        shortened = seconds * random.uniform(self._limits.shortest_share, 1.0)  # noqa: S311  # spreads load
        self._open_seconds, self._probe_at = seconds, self._clock() + shortened
        self._next_era()

    def _next_era(self) -> None:
        self._failures_in_a_row = 0
        self._recent.clear()
        self._leave = Leave(self._leave.era + 1)


class Breakers:
    """One breaker per host."""

    def __init__(self, limits: BreakerLimits = _DEFAULT_LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._by_host: dict[str, Breaker] = {}

    def of(self, host: str) -> Breaker:
        """Return the breaker of *host* (with its port)."""
        breaker = self._by_host.get(host)
        return breaker if breaker is not None else self._by_host.setdefault(host, Breaker(self._limits, self._clock))
