"""The asynchronous form of a call: work and callback run on a few threads that are kept, the caller goes on.

Source: semantics.md 1.2, "Asynchronous form".
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import Any

from target_decisioning.log import Logger

MOST_THREADS = 8


class CallbackPool:
    """Runs calls off the caller's thread; nothing is started before the first, nor shared with a parent process."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._pool: ThreadPool | None = None
        self._pid = 0

    def run(
        self,
        work: Callable[[], Any],
        callback: Callable[[Any], Any] | None,
        err_callback: Callable[[Exception], Any] | None,
    ) -> AsyncResult[Any]:
        """Run *work*; then *callback* with its result or *err_callback* with its error, once, before a wait ends."""

        def task() -> Any:
            try:
                result = work()
            except Exception as error:
                self._call(err_callback, error)
                raise
            self._call(callback, result)
            return result

        return self._threads().apply_async(task)

    def close(self) -> None:
        """Take no more calls; those under way are finished."""
        with self._lock:
            if self._pool is not None and self._pid == os.getpid():
                self._pool.close()
            self._pool = None

    def _threads(self) -> ThreadPool:
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool, self._pid = ThreadPool(MOST_THREADS), os.getpid()
            return self._pool

    def _call(self, callback: Callable[[Any], Any] | None, result: Any) -> None:
        try:
            if callback is not None:
                callback(result)
        except Exception as error:  # a callback's fault is the callback's
            self._logger.error(f"A callback failed: {type(error).__name__}")
