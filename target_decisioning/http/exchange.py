"""The time one exchange may take, and what happened in it so far.

The exchange under way is known to the connection that serves it through a thread-local: the layers between them
(``requests``, ``urllib3``) know only timeouts per read, which are no limit for a server that drips.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Exchange:
    """One request and its answer, seen as time.

    ``was_sent`` turns true just before the first byte of the request leaves; ``dns_seconds`` and ``tls_seconds`` stay
    None where a connection is used again. *in_background*: nobody waits for it, so it takes no connection from those
    for which somebody does. *may_start_threads*: else the name look-up takes as long as the system lets it.
    """

    __slots__ = (
        "_connect_seconds",
        "_ends",
        "_gap_seconds",
        "dns_seconds",
        "in_background",
        "may_start_threads",
        "tls_seconds",
        "was_sent",
    )

    def __init__(
        self,
        total_seconds: float,
        connect_seconds: float,
        gap_seconds: float | None,
        *,
        in_background: bool = False,
        may_start_threads: bool = True,
    ) -> None:
        self.in_background, self.may_start_threads = in_background, may_start_threads
        self._ends = time.monotonic() + total_seconds
        self._connect_seconds = connect_seconds
        self._gap_seconds = gap_seconds
        self.was_sent = False
        self.dns_seconds: float | None = None
        self.tls_seconds: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the whole exchange has run out of time."""
        return time.monotonic() >= self._ends

    def left(self) -> float:
        """Return the seconds left of the whole exchange, never less than a hair (0 would mean *do not block*)."""
        return max(self._ends - time.monotonic(), 0.0001)

    def left_to_connect(self) -> float:
        """Return the seconds that name look-up, connecting and TLS may take together, counted from now."""
        return min(self._connect_seconds, self.left())

    def left_to_read(self) -> float:
        """Return the seconds that the next read may take.

        Raises:
            TimeoutError: the exchange is over; a read that would succeed at once must not happen either.
        """
        if self.is_over:
            raise TimeoutError("timed out")
        left = self.left()
        return left if self._gap_seconds is None else min(self._gap_seconds, left)


_under_way = threading.local()


def current() -> Exchange | None:
    """Return the exchange that this thread is in."""
    exchange: Exchange | None = getattr(_under_way, "exchange", None)
    return exchange


@contextmanager
def under_way(exchange: Exchange) -> Iterator[None]:
    """Make *exchange* the one that this thread is in."""
    _under_way.exchange = exchange
    try:
        yield
    finally:
        _under_way.exchange = None
