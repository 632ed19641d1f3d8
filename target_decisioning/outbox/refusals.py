"""What was not accepted, or was given up: counted by reason, and told at most once a second.

    count(reason) -> whether it is the first that is untold     untold(now) -> {reason: how many}, when it is due

Threads may share it. Source: faults.md D2.
"""

from __future__ import annotations

import threading
from collections import Counter

REPORT_SECONDS = 1.0


class Refusals:
    """``by_reason`` holds all of them."""

    def __init__(self) -> None:
        self.by_reason: Counter[str] = Counter()
        self._untold: Counter[str] = Counter()
        self._report_at = 0.0
        self._lock = threading.Lock()

    def count(self, reason: str) -> bool:
        """Count one; return whether nothing else was untold."""
        with self._lock:
            self.by_reason[reason] += 1
            self._untold[reason] += 1
            return self._untold.total() == 1

    def seconds_to_report(self, now: float) -> float | None:
        """Return how long there is nothing to tell; None if only another refusal can change that."""
        return self._report_at - now if self._untold else None

    def untold(self, now: float) -> dict[str, int]:
        """Return what to tell at *now*, which counts as told then; ``{}`` if there is nothing, or it is too soon."""
        if not self._untold or now < self._report_at:
            return {}
        self._report_at = now + REPORT_SECONDS
        with self._lock:
            counts, self._untold = dict(self._untold), Counter()
        return counts
