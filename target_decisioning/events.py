"""What happens in the background, told to whoever listens.

A callable gets one ``Event`` with ``type`` and the event's payload, or nothing if it takes no argument. An exception
in a callable is logged and goes no further. Source: semantics.md 2.6.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from target_decisioning.log import Logger

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
"""``emit(event, **payload)``: never raises."""


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
    """Who listens to what. Subscribing and emitting may happen on any thread, also from inside a callable."""

    def __init__(self, logger: Logger, events: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self._logger = logger
        self._tokens = itertools.count(1)
        self._by_event: dict[str, dict[int, Callable[..., Any]]] = {}
        for event, listener in (events or {}).items():
            self.subscribe(event, listener)

    def subscribe(self, event: str, listener: Callable[..., Any]) -> int:
        """Call *listener* at each *event* from now on; return the token that ends it."""
        token = next(self._tokens)
        self._by_event[event] = {**self._by_event.get(event, {}), token: listener}
        return token

    def unsubscribe(self, token: int) -> None:
        """End the subscription; an unknown token is no error."""
        for event, listeners in list(self._by_event.items()):
            self._by_event[event] = {other: listener for other, listener in listeners.items() if other != token}

    def has(self, event: str) -> bool:
        """Whether somebody listens to *event*."""
        return bool(self._by_event.get(event))

    def emit(self, event: str, **payload: Any) -> None:
        """Tell everyone who listens to *event*, in the order they subscribed."""
        for listener in list(self._by_event.get(event, {}).values()):
            try:
                if _takes_an_argument(listener):
                    listener(Event(type=event, **payload))
                else:
                    listener()
            except Exception as error:  # a listener's fault is the listener's
                self._logger.error(f"A listener of {event} failed: {type(error).__name__}")


def _takes_an_argument(listener: Callable[..., Any]) -> bool:
    try:
        inspect.signature(listener).bind({})
    except TypeError:
        return False
    except ValueError:  # some builtins tell no signature
        return True
    return True
