"""What happens in the background, told to whoever listens.

    emit(event) --bounded queue--> one daemon thread --> each listener        (without a background: told at once)

A callable gets one ``Event`` with ``type`` and the event's payload, or nothing if it takes no argument. However long it
takes, and whatever it raises, whoever emitted goes on. Source: semantics.md 2.6, faults.md B9.
"""

from __future__ import annotations

import inspect
import itertools
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from target_decisioning.forks import ProcessLock
from target_decisioning.log import Logger, fault_of, warn

CLIENT_READY = "client_ready"
ARTIFACT_DOWNLOAD_SUCCEEDED = "artifact_download_succeeded"
ARTIFACT_DOWNLOAD_FAILED = "artifact_download_failed"
ARTIFACT_STALE = "artifact_stale"
GEO_LOCATION_UPDATED = "geo_location_updated"
SEND_NOTIFICATION_ERROR = "send_notification_error"
NOTIFICATIONS_DROPPED = "notifications_dropped"

EVENTS = frozenset(
    {
        CLIENT_READY,
        ARTIFACT_DOWNLOAD_SUCCEEDED,
        ARTIFACT_DOWNLOAD_FAILED,
        ARTIFACT_STALE,
        GEO_LOCATION_UPDATED,
        SEND_NOTIFICATION_ERROR,
        NOTIFICATIONS_DROPPED,
    }
)

Emit = Callable[..., None]
"""``emit(event, **payload)``: never raises, and never waits where there is a background."""

MOST_WAITING = 1_000  # of one event
MOST_ARTIFACTS_WAITING = 10  # each holds a whole document


class Event(dict[str, Any]):
    """What a listener is told: a dict whose keys are attributes too (``event.error``)."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                raise AttributeError(f"the event {self.get('type')} has no {name!r}") from None


class Listeners:
    """Who listens to what. Subscribing and emitting may happen on any thread, also from inside a callable.

    With *background*, callables run on one thread, which starts with the first event that somebody listens to and is
    never shared with a parent process. What waits is bounded per event; beyond that an event is dropped, and said so.
    """

    def __init__(
        self,
        logger: Logger,
        events: Mapping[str, Callable[..., Any]] | None = None,
        *,
        background: bool = True,
    ) -> None:
        self._logger = logger
        self._tokens = itertools.count(1)
        self._lock = ProcessLock()
        self._by_event: dict[str, dict[int, Callable[..., Any]]] = {}
        self._teller = _Teller(self.tell, logger) if background else None
        for event, listener in (events or {}).items():
            self.subscribe(event, listener)

    def subscribe(self, event: str, listener: Callable[..., Any]) -> int:
        """Call *listener* at each *event* from now on; return the token that ends it."""
        token = next(self._tokens)
        with self._lock:
            self._by_event[event] = {**self._by_event.get(event, {}), token: listener}
        return token

    def unsubscribe(self, token: int) -> None:
        """End the subscription; an unknown token is no error."""
        with self._lock:
            for event, listeners in self._by_event.items():
                self._by_event[event] = {other: listener for other, listener in listeners.items() if other != token}

    def has(self, event: str) -> bool:
        """Whether somebody listens to *event*."""
        return bool(self._by_event.get(event))

    def emit(self, event: str, **payload: Any) -> None:
        """Have everyone told who listens to *event*: soon if there is a background, else now.

        ``client_ready`` is told now: whoever emits it does so on a thread made for it.
        """
        if not self.has(event):
            return
        if self._teller is None or event == CLIENT_READY:
            self.tell(event, **payload)
        else:
            self._teller.put(event, payload)

    def tell(self, event: str, **payload: Any) -> None:
        """Tell everyone who listens to *event*, on this thread, in the order they subscribed."""
        for listener in list(self._by_event.get(event, {}).values()):
            try:
                if _takes_an_argument(listener):
                    listener(Event(type=event, **payload))
                else:
                    listener()
            except (Exception, SystemExit) as error:  # a listener's fault is the listener's
                self._logger.error(f"A listener of {event} failed: {fault_of(error)}")

    def close(self, timeout_seconds: float) -> bool:
        """Take no more events; return whether what waited was told within *timeout_seconds*.

        A listener that closes is not waited for: what waits is told after it returns.
        """
        return self._teller is None or self._teller.close(timeout_seconds)


class _Teller:
    """Tells events in the order they came, on a daemon thread of this process."""

    def __init__(self, tell: Emit, logger: Logger) -> None:
        self._tell, self._logger = tell, logger
        self._lock = ProcessLock()
        self._is_closed = False
        self._begin()

    def put(self, event: str, payload: dict[str, Any]) -> None:
        """Have *event* told; dropped when too many of its kind wait, and after ``close``."""
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            if self._is_closed or self._is_full(event):
                return
            self._waiting[event] += 1
            self._queue.put((event, payload))
            new = self._new_thread() if self._thread is None else None
        if new is not None:
            self._start(new)

    def close(self, timeout_seconds: float) -> bool:
        """End the thread once all that waits was told; wait for that at most *timeout_seconds*."""
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            self._is_closed = True
            self._queue.put(None)
            if self._thread is None:
                return True
        if threading.current_thread() is self._thread:
            return False
        return self._is_done.wait(max(timeout_seconds, 0.0))

    def _begin(self) -> None:
        """Start empty in this process: what the parent emitted, the parent tells."""
        self._pid = os.getpid()
        self._queue: SimpleQueue[tuple[str, dict[str, Any]] | None] = SimpleQueue()
        self._waiting: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._is_done = threading.Event()

    def _is_full(self, event: str) -> bool:
        most = MOST_ARTIFACTS_WAITING if event == ARTIFACT_DOWNLOAD_SUCCEEDED else MOST_WAITING
        if self._waiting[event] < most:
            return False
        self._dropped[event] += 1
        if self._dropped[event] == 1:
            warn(self._logger, f"A listener takes so long that events are dropped: {event}")
        return True

    def _new_thread(self) -> threading.Thread:
        self._is_done.clear()
        self._thread = threading.Thread(target=self._run, name="target-events", daemon=True)
        return self._thread

    def _start(self, thread: threading.Thread) -> None:
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends: no thread starts any more
            self._queue.put(None)
            self._run()
            self._thread = None

    def _run(self) -> None:
        pid, queue, waiting, is_done = self._pid, self._queue, self._waiting, self._is_done
        while (told := queue.get()) is not None and pid == os.getpid():  # a listener may fork
            event, payload = told
            try:
                self._tell(event, **payload)
            except BaseException as error:  # even one that means to end the thread
                self._logger.error(f"A listener of {event} ended in {fault_of(error)}")
            with self._lock:
                waiting[event] -= 1
        is_done.set()


def _takes_an_argument(listener: Callable[..., Any]) -> bool:
    try:
        inspect.signature(listener).bind({})
    except TypeError:
        return False
    except ValueError:  # some builtins tell no signature
        return True
    return True
