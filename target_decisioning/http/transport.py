"""Send one request and read its answer, within limits of time and size that hold.

Everything that leaves this package leaves through one ``Transport`` per client: artifact, geo look-up, Delivery API.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit

from target_decisioning.errors import TransportError
from target_decisioning.forks import ProcessLock, late_import
from target_decisioning.http.body import decode, read_wire
from target_decisioning.http.exchange import Exchange, under_way
from target_decisioning.http.message import Headers, HttpAnswer, HttpRequest
from target_decisioning.log import STANDARD, Logger, warn

if TYPE_CHECKING:
    import requests

MiB = 1024 * 1024
CONNECT_SECONDS = 3.0
MOST_REDIRECTS = 3
REFUSAL_BYTES = 64 * 1024  # read of an answer that is no success: enough for its reason
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HIDDEN_LOCATION = "location (hidden)"  # no header can have this name
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

WantsBody = Callable[[int, Mapping[str, str]], bool]
"""``(status, headers) -> bool``: False gives the answer without its body, and closes the connection."""


class Transport:
    """The one way out: a pooled ``requests.Session`` per process.

    A *session* of the caller's is used as it is, its cookies, adapters and TLS settings included; the deadline is then
    checked between reads only. Proxies come from *proxies*, else from the environment; credentials never come from a
    ``.netrc``, and certificates are always verified: against *ca_bundle*, ``REQUESTS_CA_BUNDLE`` or certifi's list.
    Names are looked up on a thread, within the deadline, unless it may start none.
    """

    def __init__(
        self,
        *,
        session: requests.Session | None = None,
        proxies: Mapping[str, str] | None = None,
        ca_bundle: str | None = None,
        client_cert: str | tuple[str, str] | None = None,
        logger: Logger = STANDARD,
        may_start_threads: bool = True,
    ) -> None:
        self._callers_session = session
        self._proxies, self._ca_bundle, self._client_cert = proxies, ca_bundle, client_cert
        self._logger, self._may_start_threads = logger, may_start_threads
        self._warned_hosts: set[str | None] = set()
        self._own: tuple[int, requests.Session] | None = None
        self._pid = os.getpid()
        self._lock = ProcessLock()

    def send(
        self,
        request: HttpRequest,
        *,
        total_seconds: float,
        connect_seconds: float = CONNECT_SECONDS,
        gap_seconds: float | None = None,
        max_wire_bytes: int = 32 * MiB,
        max_body_bytes: int = 64 * MiB,
        redirects: int = 0,
        wants_body: WantsBody | None = None,
        in_background: bool = False,
    ) -> HttpAnswer:
        """Send *request* and return its answer, of whatever status.

        Args:
            request: what to send.
            total_seconds: for everything: name look-up, connecting, TLS, redirects, the last byte of the body.
            connect_seconds: for name look-up, connecting and TLS together.
            gap_seconds: longest silence of the server while it answers; None: as long as the total allows.
            max_wire_bytes: cap on the body as it comes.
            max_body_bytes: cap on the body after decoding.
            redirects: how many redirects of a GET to the same scheme, host and port are followed, at most 3.
            wants_body: may decline the body once status and headers are known.
            in_background: nobody waits for the answer; it comes over other connections than those that somebody needs.

        Raises:
            TransportError: no whole answer came. Of an answer that is no success (status 300 and up) the body is
                only the start, and empty where it could not be read.
        """
        exchange = Exchange(
            total_seconds,
            connect_seconds,
            gap_seconds,
            in_background=in_background,
            may_start_threads=self._may_start_threads,
        )
        limits = (max_wire_bytes, max_body_bytes)
        for followed in range(min(redirects, MOST_REDIRECTS) + 1):
            answer = self._exchange(request, exchange, limits, wants_body)
            if answer.status not in _REDIRECTS:
                return answer
            if request.method != "GET" or followed == min(redirects, MOST_REDIRECTS):
                break
            request = _redirected(request, answer)
        raise _not_followed(request, answer)

    def close(self) -> None:
        """Close the connections of this process; a later ``send`` opens new ones."""
        with self._lock:
            own, self._own = self._own, None
        if own is not None and own[0] == os.getpid():
            own[1].close()

    def _exchange(
        self, request: HttpRequest, exchange: Exchange, limits: tuple[int, int], wants_body: WantsBody | None
    ) -> HttpAnswer:
        session = self._session()
        try:
            self._warn_of_plain_http(request.url)
            with under_way(exchange):
                return self._speak(session, request, exchange, limits, wants_body)
        except Exception as error:  # whatever requests, urllib3 or a caller's session raise
            failure = _transport_error(error, exchange, request.host)
        raise failure  # here it has no cause: the libraries' texts hold the URL, and with it the session id

    def _speak(
        self,
        session: requests.Session,
        request: HttpRequest,
        exchange: Exchange,
        limits: tuple[int, int],
        wants_body: WantsBody | None,
    ) -> HttpAnswer:
        began = time.monotonic()
        with self._ask(session, request, exchange) as response:
            answered = time.monotonic()
            status, headers = response.status_code, Headers(response.headers)
            if status in _REDIRECTS or (wants_body is not None and not wants_body(status, headers)):
                body, size = b"", 0
            else:
                body, size = _read(response, status, headers, limits, exchange)
        timing = _timing(exchange, answered - began, time.monotonic() - answered, size)
        return HttpAnswer(status, headers, body, timing)

    def _ask(self, session: requests.Session, request: HttpRequest, exchange: Exchange) -> requests.Response:
        """Return the answer's head; its body is still on the connection."""
        requests = _requests()
        headers = {**request.headers, "Accept-Encoding": "gzip, identity"}
        auth = None if session.auth else _no_credentials
        asked = requests.Request(request.method, request.url, headers, data=request.body, auth=auth)
        prepared = session.prepare_request(asked)
        prepared.hooks.setdefault("response", []).append(_hide_redirect)
        settings = self._settings(session, request.url)
        timeout = (exchange.left_to_connect(), exchange.left_to_read())
        response = session.send(prepared, timeout=timeout, allow_redirects=False, **settings)
        return _show_redirect(response)

    def _settings(self, session: requests.Session, url: str) -> Mapping[str, Any]:
        requests = _requests()
        ca_bundle = self._ca_bundle
        proxies = dict(self._proxies or {})
        if session is not self._callers_session:
            ca_bundle = ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
            proxies = proxies or requests.utils.get_environ_proxies(url, no_proxy=None)
        return session.merge_environment_settings(url, proxies, True, ca_bundle, self._client_cert)

    def _session(self) -> requests.Session:
        """Return this process's session; what a parent process opened is never spoken over."""
        if self._callers_session is not None:
            if self._pid != os.getpid():
                self._let_go_of_the_parents(self._callers_session)
            return self._callers_session
        own = self._own
        if own is not None and own[0] == os.getpid():
            return own[1]
        with self._lock:
            if self._own is None or self._own[0] != os.getpid():
                self._own = (os.getpid(), _new_session())
            return self._own[1]

    def _let_go_of_the_parents(self, session: requests.Session) -> None:
        """Close this process's ends of the connections that a parent process opened; the parent's stay open."""
        with self._lock:
            close = getattr(session, "close", None)
            if self._pid != os.getpid() and callable(close):
                close()
            self._pid = os.getpid()

    def _warn_of_plain_http(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK | self._warned_hosts:
            self._warned_hosts.add(parts.hostname)
            warn(self._logger, f"Requests to {parts.hostname} leave unencrypted (http)")


def _requests() -> Any:
    """Return the module, which takes a tenth of a second to import: paid by the first request."""
    with late_import:
        import requests

        import target_decisioning.http.failure  # noqa: F401 -- not when something fails: no file may open any more then

        return requests


def _new_session() -> requests.Session:
    with late_import:
        from target_decisioning.http.pool import new_session

        return new_session()


def _transport_error(error: Exception, exchange: Exchange, host: str) -> TransportError:
    with late_import:  # with the errors of TLS and HTTP, whose modules are slow to import too
        from target_decisioning.http.failure import transport_error

    return transport_error(error, exchange, host)


def _read(
    response: requests.Response, status: int, headers: Headers, limits: tuple[int, int], exchange: Exchange
) -> tuple[bytes, int]:
    """Return the body and its size on the wire; a refusal's body is cut short rather than refused."""
    size = 0

    def counted(max_bytes: int) -> Any:
        nonlocal size
        for step in read_wire(response.raw, headers, max_bytes):
            exchange.left_to_read()
            size += len(step)
            yield step

    encoding = headers.get("content-encoding", "")
    if status < 300:
        return decode(counted(limits[0]), encoding, limits[1]), size
    try:
        return decode(counted(REFUSAL_BYTES), encoding, REFUSAL_BYTES), size
    except Exception:  # the status says enough
        return b"", size


def _hide_redirect(response: requests.Response, **_: Any) -> None:
    """Let ``requests`` see no redirect: of one that it does not follow it would read and decode the whole body."""
    if "location" in response.headers:
        response.headers[_HIDDEN_LOCATION] = response.headers.pop("location")


def _show_redirect(response: requests.Response) -> requests.Response:
    if _HIDDEN_LOCATION in response.headers:
        response.headers["location"] = response.headers.pop(_HIDDEN_LOCATION)
    return response


def _redirected(request: HttpRequest, answer: HttpAnswer) -> HttpRequest:
    """Return *request* for the place that *answer* names.

    Raises:
        TransportError: ``redirect``, if that is another scheme, host or port.
    """
    url = urljoin(request.url, answer.headers.get("location", ""))
    if _origin(urlsplit(url)) != _origin(urlsplit(request.url)):
        raise _not_followed(request, answer, " to another origin")
    return HttpRequest(request.method, url, request.headers, request.body)


def _not_followed(request: HttpRequest, answer: HttpAnswer, to: str = "") -> TransportError:
    return TransportError("redirect", f"{request.host} redirects{to} (status {answer.status}), which is not followed")


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)


def _timing(exchange: Exchange, first_byte_seconds: float, download_seconds: float, size: int) -> dict[str, float]:
    timing: dict[str, float] = {
        "timeToFirstByte": round(first_byte_seconds * 1000, 2),
        "download": round(download_seconds * 1000, 2),
        "responseSize": size,
    }
    if exchange.dns_seconds is not None:
        timing["dns"] = round(exchange.dns_seconds * 1000, 2)
    if exchange.tls_seconds is not None:
        timing["tls"] = round(exchange.tls_seconds * 1000, 2)
    return timing


def _no_credentials(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand where ``requests`` would otherwise put the credentials of a ``.netrc``."""
    return prepared
