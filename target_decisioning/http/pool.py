"""Pooled connections that keep the deadline of the exchange they serve.

Imported at the first request only: ``requests`` takes a tenth of a second to import.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from target_decisioning._version import __version__
from target_decisioning.http.exchange import Exchange, current
from target_decisioning.http.resolve import Address, resolve

KEPT_CONNECTIONS = 64
"""Idle connections kept per host: as many threads can speak to it at once without connecting anew."""
_NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # through a proxy urllib3 leaves it out: 40 ms for each body
_BACKGROUND = "background://"


def new_session() -> requests.Session:
    """Return a session that stores no cookie, reads no ``.netrc``, and keeps deadlines.

    A stored cookie would show one visitor's state to the next visitor.
    """
    session = _Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update({"User-Agent": f"target_decisioning/{__version__}", "Accept": "*/*"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_maxsize=KEPT_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.mount(_BACKGROUND, _Adapter(pool_maxsize=KEPT_CONNECTIONS))
    return session


class _Session(requests.Session):
    """Has connections of its own for what happens in the background: no caller finds one taken."""

    def get_adapter(self, url: str) -> BaseAdapter:
        exchange = current()
        is_apart = exchange is not None and exchange.in_background
        return super().get_adapter(_BACKGROUND if is_apart else url)


class _TimedReader(io.RawIOBase):
    """The receiving side of a socket: each read waits no longer than the exchange allows."""

    def __init__(self, inner: io.RawIOBase, sock: socket.socket) -> None:
        self._inner, self._sock = inner, sock
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        exchange = current()
        if exchange is not None:
            self._sock.settimeout(exchange.left_to_read())
        count: int | None = self._inner.readinto(buffer)
        self.has_ended = count == 0
        return count

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            super().close()


class _Response(http.client.HTTPResponse):
    """An answer that is read through a ``_TimedReader``, and whose headers must be whole."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._timed = _TimedReader(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._timed)

    def begin(self) -> None:
        super().begin()  # takes the end of the stream for the end of the headers
        if self._timed.has_ended:
            raise http.client.IncompleteRead(b"")


class _Connection(HTTPConnection):
    response_class = _Response
    connected_at = 0.0

    def _new_conn(self) -> socket.socket:
        exchange = current()
        return super()._new_conn() if exchange is None else _connect(self, exchange)

    def connect(self) -> None:
        super().connect()
        exchange = current()
        if exchange is not None and isinstance(self, HTTPSConnection):
            exchange.tls_seconds = time.monotonic() - self.connected_at

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = current()
        if exchange is not None:
            self.sock.settimeout(exchange.left_to_read())
            exchange.was_sent = True
        super().send(data)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _keep_deadlines(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            _keep_deadlines(manager)
        return manager


def _keep_deadlines(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def _connect(connection: _Connection, exchange: Exchange) -> socket.socket:
    """Open the socket of *connection*; its timeout is then what is left for TLS."""
    ends = time.monotonic() + exchange.left_to_connect()
    try:
        addresses = _resolve(connection, exchange)
        sock = _first_that_answers(connection, addresses, ends)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "no connection in time") from error
    except OSError as error:
        raise NewConnectionError(connection, os.strerror(error.errno) if error.errno else "failed") from error
    sock.settimeout(max(ends - time.monotonic(), 0.0001))
    connection.connected_at = time.monotonic()
    return sock


def _resolve(connection: _Connection, exchange: Exchange) -> list[Address]:
    began = time.monotonic()
    question = (connection._dns_host, connection.port, allowed_gai_family())
    seconds = exchange.left_to_connect() if exchange.may_start_threads else None
    addresses = resolve(*question, seconds)
    exchange.dns_seconds = time.monotonic() - began
    return addresses


def _first_that_answers(connection: _Connection, addresses: list[Address], ends: float) -> socket.socket:
    """Try each address in turn; each gets an equal share of the time that is left."""
    failure: OSError = OSError("no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        share = max(ends - time.monotonic(), 0.0001) / (len(addresses) - position)
        sock = socket.socket(family, kind, protocol)
        try:
            for option in (_NO_DELAY, *(connection.socket_options or ())):
                sock.setsockopt(*option)
            sock.settimeout(share)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure
