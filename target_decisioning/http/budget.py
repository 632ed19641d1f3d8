"""How many retries a process may add to a server's troubles."""

from __future__ import annotations

import time
from collections.abc import Callable

from target_decisioning.forks import ProcessLock
from target_decisioning.http.recent import Recent

WINDOW_SECONDS = 60.0
SHARE = 0.1  # of the calls of the last minute
FLOOR = 10  # retries a minute that a quiet service may make


class RetryBudget:
    """Allows at most one retry per ten calls of the last minute, and ten a minute in any case.

    Source: faults.md C3.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = ProcessLock()
        self._recent = Recent(WINDOW_SECONDS)

    def note_call(self) -> None:
        """Count a call (not its retries)."""
        with self._lock:
            self._recent.add(self._clock(), ones=1)

    def take(self) -> bool:
        """Return whether one more retry may be made now, and count it."""
        with self._lock:
            now = self._clock()
            calls, retries = self._recent.totals(now)
            if retries >= max(FLOOR, SHARE * calls):
                return False
            self._recent.add(now, others=1)
            return True
