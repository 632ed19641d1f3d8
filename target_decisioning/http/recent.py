"""Counts of what happened lately, in constant space."""

from __future__ import annotations

from collections import deque


class Recent:
    """How often something happened in the last *seconds*, and how often something else; to a tenth of the time.

    Not safe for threads by itself. Moments are given, never read: any clock that does not go back will do.
    """

    __slots__ = ("_slot_seconds", "_slots")

    def __init__(self, seconds: float) -> None:
        self._slot_seconds = seconds / 10
        self._slots: deque[list[int]] = deque()  # [number of the slot, ones, others]

    def add(self, now: float, *, ones: int = 0, others: int = 0) -> None:
        """Count what happens *now*."""
        number = self._forget(now)
        if not self._slots or self._slots[-1][0] != number:
            self._slots.append([number, 0, 0])
        self._slots[-1][1] += ones
        self._slots[-1][2] += others

    def totals(self, now: float) -> tuple[int, int]:
        """Return how many of both kinds there were lately."""
        self._forget(now)
        return sum(slot[1] for slot in self._slots), sum(slot[2] for slot in self._slots)

    def clear(self) -> None:
        """Forget everything."""
        self._slots.clear()

    def _forget(self, now: float) -> int:
        number = int(now / self._slot_seconds)
        while self._slots and self._slots[0][0] <= number - 10:
            self._slots.popleft()
        return number
