"""When to ask for the artifact next.

    confirmed   interval                                      (x 0.9 to 1.1, as all below that are not back-off)
    busy        soon: another process of this host is downloading
    refused     10 intervals, at most an hour                 401, 403, 404 where there was an artifact: stays so until
                                                              two good polls
    failed      back-off 1 s to 60 s, never past an interval  anything else; ``Retry-After`` goes first

Without polling (interval 0) there is no next time once there is something to decide from.
"""

from __future__ import annotations

import random

from target_decisioning.http import backoff_seconds

FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 1.0, 60.0
LONGEST_SLOW_SECONDS = 3600.0
SLOW_INTERVALS = 10
DEFAULT_INTERVAL_SECONDS = 300.0  # what the slow cadence is reckoned from where there is no polling
GOOD_POLLS_TO_TRUST = 2
LEAST_RETRY_SECONDS = 0.5
BUSY_SECONDS = 0.25
APART = 0.02  # of an interval, at most: how far apart those poll who agree on a time


class Cadence:
    """Counts how polls went and answers each with the seconds to the next one (None: none)."""

    def __init__(self, interval_seconds: float) -> None:
        self.interval_seconds = interval_seconds
        self.failures_in_a_row = 0
        self._good_polls_owed = 0

    @property
    def slow_seconds(self) -> float:
        """The slow cadence, never faster than the usual one."""
        interval = self.interval_seconds or DEFAULT_INTERVAL_SECONDS
        return max(interval, min(SLOW_INTERVALS * interval, LONGEST_SLOW_SECONDS))

    def first(self, *, is_fresh: bool) -> float:
        """Return the wait before the first poll; fleets that start with fresh artifacts are spread."""
        return random.uniform(0.0, self.interval_seconds) if is_fresh else 0.0  # noqa: S311

    def confirmed(self, *, age_seconds: float = 0.0, seed: object = None) -> float | None:
        """Take a poll that brought an artifact, or said that nothing changed.

        Args:
            age_seconds: how long ago another process had that poll.
            seed: the same for all processes that share the artifact: they agree on the next time, but for a little.
        """
        self.failures_in_a_row = 0
        self._good_polls_owed = max(self._good_polls_owed - 1, 0)
        if not self.interval_seconds:
            return None
        seconds = self.slow_seconds if self._good_polls_owed else self.interval_seconds
        return max((_jittered(seconds) if seed is None else _agreed(seconds, seed)) - age_seconds, 0.0)

    def busy(self) -> float:
        """Return the wait until another process will probably have downloaded."""
        longest = min(BUSY_SECONDS, self.interval_seconds / 4 or BUSY_SECONDS)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def refused(self, *, is_ready: bool) -> float | None:
        """Take an answer that will not change by asking again soon."""
        self.failures_in_a_row += 1
        self._good_polls_owed = GOOD_POLLS_TO_TRUST
        return None if is_ready and not self.interval_seconds else _jittered(self.slow_seconds)

    def failed(self, *, is_ready: bool, retry_after_seconds: float | None = None) -> float | None:
        """Take any other failure."""
        self.failures_in_a_row += 1
        if is_ready and not self.interval_seconds:
            return None
        if retry_after_seconds is not None:
            return max(retry_after_seconds, LEAST_RETRY_SECONDS)
        wait = backoff_seconds(self.failures_in_a_row, FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS)
        return min(wait, _jittered(self.interval_seconds)) if self.interval_seconds else wait


def _agreed(seconds: float, seed: object) -> float:
    agreed = random.Random(repr(seed)).uniform(0.9, 1.1 - APART)  # noqa: S311
    return seconds * (agreed + random.uniform(0.0, APART))  # noqa: S311


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311
