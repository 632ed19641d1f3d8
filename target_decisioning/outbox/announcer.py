"""Tell listeners about items, on a thread of its own: a slow listener must not hold up what is sent."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_decisioning.events import Emit

MOST_WAITING = 1_000


class Announcer:
    """Emits events in order, on a daemon thread that starts with the first; beyond 1,000 waiting it is silent."""

    def __init__(self, emit: Emit, *, background: bool) -> None:
        self._emit, self._background = emit, background
        self._waiting: SimpleQueue[tuple[str, dict[str, Any]] | None] = SimpleQueue()
        self._is_quiet = threading.Event()
        self._is_quiet.set()
        self._thread: threading.Thread | None = None

    def announce(self, event: str, **payload: Any) -> None:
        """Emit *event*: soon if there is a background, else now. One thread at a time may call this."""
        if not self._background:
            self._emit(event, **payload)
        elif self._waiting.qsize() < MOST_WAITING:
            self._is_quiet.clear()
            self._waiting.put((event, payload))
            self._start()

    def wait(self, seconds: float) -> None:
        """Wait until everything announced was emitted, but not longer; a listener that asks is not waited for."""
        if threading.current_thread() is not self._thread:
            self._is_quiet.wait(seconds)

    def stop(self) -> None:
        """End the thread once everything announced was emitted."""
        self._waiting.put(None)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="target-outbox-events", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter ends: no thread starts any more
                self._emit_all()

    def _run(self) -> None:
        while (announcement := self._waiting.get()) is not None:
            self._emit_one(*announcement)

    def _emit_all(self) -> None:
        while not self._waiting.empty() and (announcement := self._waiting.get()) is not None:
            self._emit_one(*announcement)

    def _emit_one(self, event: str, payload: dict[str, Any]) -> None:
        self._emit(event, **payload)
        if self._waiting.empty():
            self._is_quiet.set()
