"""Tell an operator of an outage once, not once per failed try."""

from __future__ import annotations

import time

from target_decisioning.forks import ProcessLock
from target_decisioning.log import Logger, inform

REMINDER_SECONDS = 60.0
MOST_KINDS = 16  # of failure within a minute that are told apart


class OutageLog:
    """Logs each kind of failure once, again at most once a minute with its count, and the recovery of what was logged.

    So a host that fails now and then is told of once a minute too. *subject* is how the message of a failure begins;
    *recovery* is said when all is well again.
    """

    def __init__(self, logger: Logger, subject: str, recovery: str) -> None:
        self._logger, self._subject, self._recovery = logger, subject, recovery
        self._lock = ProcessLock()
        self._told: dict[str, _Told] = {}
        self._is_out = False

    def failed(self, failure: str) -> None:
        """Take one failed try; *failure* says why, without anything personal."""
        with self._lock:
            count = self._count(failure)
            self._is_out = self._is_out or count > 0
        if count:
            times = f" ({count} times)" if count > 1 else ""
            message = f"{self._subject}: {failure}{times}"
            self._logger.error(message)

    def recovered(self) -> None:
        """Take one successful try."""
        if not self._is_out:
            return
        with self._lock:
            was_out, self._is_out = self._is_out, False
        if was_out:
            inform(self._logger, self._recovery)

    def _count(self, failure: str) -> int:
        """Return how many failures of this kind are to be told now; 0: none, it was told lately."""
        now = time.monotonic()
        if failure not in self._told and len(self._told) >= MOST_KINDS:
            self._told = {kind: told for kind, told in self._told.items() if now < told.silent_until}
            if len(self._told) >= MOST_KINDS:
                return 0
        told = self._told.setdefault(failure, _Told())
        told.unsaid += 1
        if now < told.silent_until:
            return 0
        if now > told.silent_until + REMINDER_SECONDS:  # what was not said then is of an outage that is over
            told.unsaid = 1
        count, told.unsaid, told.silent_until = told.unsaid, 0, now + REMINDER_SECONDS
        return count


class _Told:
    """When a kind of failure may be told again, and how many were kept silent."""

    __slots__ = ("silent_until", "unsaid")

    def __init__(self) -> None:
        self.silent_until, self.unsaid = 0.0, 0
