"""Which item goes next, and when.

    add(entry) --> [fresh | followers of a lane] --next(now)--> in flight --sent | failed | dropped-->

* Entries of one lane (one visitor) never overtake each other and are never in flight together.
* A failed entry waits for itself: full jitter over a pause that doubles.
* When ``OUTAGE_AFTER`` entries in a row failed for the first time, the server is taken to be down: one entry at a time
  then probes, again with growing pauses. With the first success the entries that had to wait leave at a limited rate,
  so that a fleet does not stampede; later ones are not held up by them.

Pure but for the jitter: the clock is an argument (``now``, seconds, monotonic). Not for several threads.

Source: faults.md D5 to D7.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_decisioning.outbox.limits import OutboxLimits

OUTAGE_AFTER = 3
TELEMETRY = "\x00telemetry"
"""The lane of telemetry (no visitor's id has such a character): what is lost of it, nobody misses."""


@dataclass(slots=True, eq=False, kw_only=True)
class Entry:
    """One accepted item on its way; ``packed`` holds it (bytes, if it is plain JSON), None while it is on disk."""

    number: int
    packed: bytes | dict[str, Any] | None
    lane: str
    size_bytes: int
    expires_at: float
    failures: int = 0

    @property
    def is_missed(self) -> bool:
        """Whether somebody should hear of it when it gets lost."""
        return self.lane != TELEMETRY


class Schedule:
    """All accepted entries that are neither sent nor given up."""

    def __init__(self, limits: OutboxLimits, jitter: Callable[[], float] = random.random) -> None:
        self._limits, self._jitter = limits, jitter
        self._fresh: deque[Entry] = deque()
        self._backlog: deque[Entry] = deque()
        self._later: list[tuple[float, int, Entry]] = []
        self._followers: dict[str, deque[Entry]] = {}
        self._in_flight = 0
        self._first_failures_in_a_row = 0
        self._is_down = False
        self._failed_probes = 0
        self._probe_at = 0.0
        self._drain_at = 0.0
        self._newest = self._waited_up_to = 0

    @property
    def is_down(self) -> bool:
        """Whether the server is taken to be down."""
        return self._is_down

    def add(self, entry: Entry) -> None:
        """Take *entry* in, behind those of its lane."""
        self._newest = max(self._newest, entry.number)
        followers = self._followers.get(entry.lane)
        if followers is not None:
            followers.append(entry)
            return
        if entry.lane:
            self._followers[entry.lane] = deque()
        self._fresh.append(entry)

    def next(self, now: float) -> Entry | None:
        """Return the entry to send now, which is in flight from then on; None if none is due."""
        entry = self._probe(now) if self._is_down else self._due(now)
        if entry is not None:
            self._in_flight += 1
        return entry

    def seconds_to_next(self, now: float) -> float | None:
        """Return how long nothing will be due, None if only a new entry or an outcome can change that."""
        if self._is_down:
            return None if self._in_flight or not self._has_waiting() else max(0.0, self._probe_at - now)
        moments = [self._later[0][0]] if self._later else []
        if self._backlog:
            moments.append(self._drain_at)
        return 0.0 if self._fresh else min((max(0.0, moment - now) for moment in moments), default=None)

    def sent(self, entry: Entry, now: float) -> None:
        """Note that *entry* in flight arrived."""
        self._first_failures_in_a_row = 0
        if self._is_down:
            self._recover(now)
        self.dropped(entry)

    def dropped(self, entry: Entry) -> None:
        """Note that *entry* in flight is done with, whatever became of it; the next of its lane may go."""
        self._in_flight -= 1
        if not entry.lane:
            return
        followers = self._followers[entry.lane]
        if not followers:
            del self._followers[entry.lane]
        elif followers[0].number <= self._waited_up_to:
            self._backlog.append(followers.popleft())
        else:
            self._fresh.appendleft(followers.popleft())

    def failed(self, entry: Entry, now: float) -> None:
        """Note that *entry* in flight must be sent again; it keeps its place in its lane."""
        self._in_flight -= 1
        entry.failures += 1
        self._first_failures_in_a_row += entry.failures == 1
        if self._is_down:
            self._fresh.append(entry)
            self._put_off_the_probe(now)
            return
        due = now + self._pause(entry.failures - 1)
        heapq.heappush(self._later, (due, entry.number, entry))
        if self._first_failures_in_a_row >= OUTAGE_AFTER:
            self._is_down, self._failed_probes, self._probe_at = True, 0, due

    def hurry(self, now: float) -> None:
        """Make due whatever waits after a failure. The rate after an outage stays."""
        self._probe_at = min(self._probe_at, now)
        self._fresh.extend(entry for _, _, entry in sorted(self._later))
        self._later.clear()

    def _due(self, now: float) -> Entry | None:
        while self._later and self._later[0][0] <= now:
            self._fresh.append(heapq.heappop(self._later)[2])
        if self._fresh:
            return self._fresh.popleft()
        if not self._backlog or now < self._drain_at:
            return None
        self._drain_at = max(self._drain_at, now - 0.1) + 1.0 / self._limits.drain_per_second
        return self._backlog.popleft()

    def _probe(self, now: float) -> Entry | None:
        if self._in_flight or now < self._probe_at:
            return None
        for queue in (self._fresh, self._backlog):
            if queue:
                return queue.popleft()
        return heapq.heappop(self._later)[2] if self._later else None

    def _put_off_the_probe(self, now: float) -> None:
        if not self._in_flight:  # others in flight left before the outage was known: they are no probes
            self._failed_probes += 1
            self._probe_at = now + self._pause(self._failed_probes)

    def _recover(self, now: float) -> None:
        waiting = [*self._backlog, *self._fresh, *(entry for _, _, entry in self._later)]
        self._fresh.clear()
        self._later.clear()
        self._backlog = deque(sorted(waiting, key=lambda entry: entry.number))
        self._is_down, self._drain_at, self._waited_up_to = False, now, self._newest

    def _has_waiting(self) -> bool:
        return bool(self._fresh or self._backlog or self._later)

    def _pause(self, doublings: int) -> float:
        longest = min(self._limits.longest_delay_seconds, self._limits.first_delay_seconds * 2.0 ** min(doublings, 60))
        return longest * self._jitter()
