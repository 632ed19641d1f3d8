"""Name what went wrong in an exchange by one word, and say it in plain ones, whatever the libraries below call it."""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator

from target_decisioning.errors import TransportError
from target_decisioning.http.exchange import Exchange

Causes = list[BaseException]

_tunnel_status = re.compile(r"Tunnel connection failed: ([0-9]{3})").match


def transport_error(error: Exception, exchange: Exchange, host: str) -> TransportError:
    """Return the ``TransportError`` that says what *error* means.

    Its text names *host*, and holds no path, query, header or body; nor has it a cause that would show them.
    """
    if isinstance(error, TransportError):
        return TransportError(error.reason, f"{host}: {error.detail}", exchange.was_sent)
    causes = list(_causes(error))
    if _is_of_proxy(causes):
        exchange.was_sent = False  # no more than the wish for a tunnel was
    reason = _reason(causes, exchange)
    return TransportError(reason, _DETAILS[reason](causes, exchange, host), exchange.was_sent)


def _reason(causes: Causes, exchange: Exchange) -> str:
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


def _no_connection(causes: Causes, _exchange: Exchange, host: str) -> str:
    by_proxy = " through the proxy" if _is_of_proxy(causes) else ""
    why = next(filter(None, map(_why, causes)), "")
    return f"no connection to {host}{by_proxy}{why and f': {why}'}"


def _is_of_proxy(causes: Causes) -> bool:
    return any(type(cause).__name__ == "ProxyError" for cause in causes)  # of urllib3, which is imported late


def _why(cause: BaseException) -> str:
    if isinstance(cause, socket.gaierror):
        return "name look-up failed"
    if isinstance(cause, TimeoutError):
        return "nothing answered in time"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno).lower()
    refused = _tunnel_status(str(cause)) if isinstance(cause, OSError) else None
    return f"it answered with status {refused[1]}" if refused else ""


def _not_in_time(causes: Causes, exchange: Exchange, host: str) -> str:
    if exchange.was_sent:
        return f"no whole answer from {host} in time"
    return f"no connection to {host}{' through the proxy' if _is_of_proxy(causes) else ''} in time"


def _no_tls(causes: Causes, _exchange: Exchange, host: str) -> str:
    failed = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if isinstance(failed, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not accepted: {failed.verify_message.rstrip('.')}"
    why = (getattr(failed, "reason", None) or "").replace("_", " ").lower()
    return f"no TLS with {host}{why and f': {why}'}"


def _no_http(_causes: Causes, exchange: Exchange, host: str) -> str:
    if exchange.was_sent:
        return f"what came from {host} is no HTTP answer"
    return "the URL, a header or a proxy is not valid"


def _cut(place: str) -> Callable[[Causes, Exchange, str], str]:
    return lambda _causes, _exchange, host: f"the connection to {host} was cut {place} the answer"


_DETAILS: dict[str, Callable[[Causes, Exchange, str], str]] = {
    "timeout": _not_in_time,
    "connect": _no_connection,
    "tls": _no_tls,
    "reset": _cut("before"),
    "truncated": _cut("inside"),
    "protocol": _no_http,
}
