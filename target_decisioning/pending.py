"""What a call with a callback returns at once. Imported at the first one: nobody else pays for ``multiprocessing``."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.pool import AsyncResult
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class PendingResult(AsyncResult[Answer]):
    """The answer that a call will have: ``ready``, ``wait``, ``successful`` and ``get``, as the standard library's."""

    def __init__(self) -> None:
        self._is_settled = threading.Event()
        self._answer: Any = None
        self._failure: BaseException | None = None

    def ready(self) -> bool:
        """Whether the call has ended and its callback has run."""
        return self._is_settled.is_set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the call has ended and its callback has run, at most *timeout* seconds."""
        self._is_settled.wait(timeout)

    def successful(self) -> bool:
        """Whether the call ended without an error.

        Raises:
            ValueError: it has not ended yet.
        """
        if not self.ready():
            raise ValueError("the call has not ended yet")
        return self._failure is None

    def get(self, timeout: float | None = None) -> Answer:
        """Return what the callback got, or raise what the error callback got.

        Raises:
            multiprocessing.TimeoutError: the call did not end within *timeout* seconds.
        """
        if not self._is_settled.wait(timeout):
            raise multiprocessing.TimeoutError
        if self._failure is not None:
            raise self._failure
        answer: Answer = self._answer
        return answer

    def settle(self, answer: Any = None, failure: BaseException | None = None) -> None:
        """Let every wait end."""
        self._answer, self._failure = answer, failure
        self._is_settled.set()
