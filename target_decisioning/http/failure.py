"""Name what went wrong in an exchange by one word, whatever the libraries below call it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

from target_decisioning.errors import TransportError
from target_decisioning.http.exchange import Exchange

_DETAILS = {
    "timeout": "no whole answer in time",
    "connect": "no connection could be made",
    "tls": "the server's certificate or its TLS could not be accepted",
    "reset": "the connection was cut before the answer",
    "truncated": "the connection was cut inside the answer",
    "protocol": "what came is no HTTP answer",
}


def transport_error(error: Exception, exchange: Exchange) -> TransportError:
    """Return the ``TransportError`` that says what *error* means. Its text holds no URL, header or body."""
    if isinstance(error, TransportError):
        return TransportError(error.reason, error.detail, exchange.was_sent)
    reason = _reason(list(_causes(error)), exchange)
    return TransportError(reason, _DETAILS[reason], exchange.was_sent)


def _reason(causes: list[BaseException], exchange: Exchange) -> str:
    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if exchange.is_over:
        return "timeout"
    if caused_by(ssl.SSLError) and not caused_by(TimeoutError):
        return "tls"
    if not exchange.was_sent:
        return "protocol" if caused_by(ValueError) else "connect"  # ValueError: the URL or a header is none
    if caused_by(TimeoutError):
        return "timeout"
    if caused_by(http.client.IncompleteRead):
        return "truncated"
    return "reset" if caused_by(ConnectionError) else "protocol"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give *error* and every exception it was made from: ``requests`` and ``urllib3`` wrap by argument too."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        wrapped = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting.extend(inner for inner in wrapped if isinstance(inner, BaseException))
