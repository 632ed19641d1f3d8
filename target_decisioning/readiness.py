"""``client_ready``: told once, not before the name that the caller gives the client exists.

    artifact arrives | somebody subscribes  --announce-->  [100 ms after create]  -->  listeners

It is told on a thread of its own, so that a listener may use the client and take its time; without background threads
it is told inside the first call that comes late enough. Source: semantics.md 2.5.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from target_decisioning.events import CLIENT_READY, Listeners

EARLIEST_SECONDS = 0.1


class Readiness:
    """Tells the listeners once that the client can decide."""

    def __init__(self, listeners: Listeners, is_ready: Callable[[], bool], *, background: bool) -> None:
        self._listeners, self._is_ready, self._background = listeners, is_ready, background
        self._earliest = time.monotonic() + EARLIEST_SECONDS
        self._untold = [CLIENT_READY]  # whoever pops it tells it: exact among threads, and no lock to inherit by fork
        self._is_over = False

    def announce(self) -> None:
        """See to it that ``client_ready`` is told, if the client is ready and somebody listens."""
        if not self._untold or not self._listeners.has(CLIENT_READY) or not self._is_ready():
            return
        if self._background:
            thread = threading.Thread(target=self._tell_in_time, name="target-client-ready", daemon=True)
            with contextlib.suppress(RuntimeError):  # the interpreter ends: nobody is left to be told
                if self._take():
                    thread.start()
        elif time.monotonic() >= self._earliest and self._take():
            self._listeners.emit(CLIENT_READY)

    def end(self) -> None:
        """Tell nothing any more."""
        self._is_over = True
        self._untold.clear()

    def _take(self) -> bool:
        try:
            self._untold.pop()
        except IndexError:
            return False
        return True

    def _tell_in_time(self) -> None:
        time.sleep(max(0.0, self._earliest - time.monotonic()))
        if not self._is_over:
            self._listeners.emit(CLIENT_READY)
