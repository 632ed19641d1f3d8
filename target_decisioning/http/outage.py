"""Tell an operator of an outage once, not once per failed try."""

from __future__ import annotations

import threading
import time

from target_decisioning.log import Logger

REMINDER_SECONDS = 60.0


class OutageLog:
    """Logs the first failure, the same failure again at most once a minute with its count, and the recovery."""

    def __init__(self, logger: Logger, subject: str) -> None:
        self._logger, self._subject = logger, subject
        self._lock = threading.Lock()
        self._failure: str | None = None
        self._unsaid, self._said_at = 0, 0.0

    def failed(self, failure: str) -> None:
        """Take one failed try; *failure* says why, without anything personal."""
        with self._lock:
            self._unsaid += 1
            now = time.monotonic()
            if failure == self._failure and now - self._said_at < REMINDER_SECONDS:
                return
            count, self._unsaid = self._unsaid, 0
            self._failure, self._said_at = failure, now
        times = f" ({count} times)" if count > 1 else ""
        message = f"{self._subject}: {failure}{times}"
        self._logger.error(message)

    def recovered(self) -> None:
        """Take one successful try."""
        if self._failure is None:
            return
        with self._lock:
            self._failure, self._unsaid = None, 0
        message = f"{self._subject}: works again"
        self._logger.debug(message)
