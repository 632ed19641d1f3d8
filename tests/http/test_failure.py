"""How a failure of an exchange is told: in plain words, with the host, and with nothing else of the request."""

from __future__ import annotations

import socket
import traceback
from contextlib import closing

import pytest

from fixtures.faults import FaultServer, answer, cut_after, drip, reply, reset_after, silence
from target_decisioning.http import HttpRequest, Transport, TransportError

PRIVATE = "session-of-emma"


@pytest.fixture
def free_port():
    """A port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free.getsockname()[1]


def failure(authority, *, scheme="http", total_seconds=5.0, **options):
    """How a request with something private in it fails."""
    request = HttpRequest("GET", f"{scheme}://{authority}/{PRIVATE}?sessionId={PRIVATE}", {"X-Id": PRIVATE})
    with closing(Transport(**options)) as transport, pytest.raises(TransportError) as caught:
        transport.send(request, total_seconds=total_seconds, max_body_bytes=64)
    shown = "".join(traceback.format_exception(caught.value))
    assert PRIVATE not in shown
    assert "urllib3" not in shown
    return caught.value


def test_a_refused_connection(free_port):
    assert str(failure(f"127.0.0.1:{free_port}")) == f"no connection to 127.0.0.1:{free_port}: connection refused"


def test_a_name_that_nobody_knows(monkeypatch):
    real = socket.getaddrinfo

    def look_up(host, *arguments, **keywords):
        if host == "nowhere.test":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = failure("nowhere.test")
    assert (error.reason, str(error)) == ("connect", "no connection to nowhere.test: name look-up failed")


def test_a_proxy_that_cannot_be_reached(free_port):
    error = failure("shop.test", proxies={"http": f"http://127.0.0.1:{free_port}"})
    assert str(error) == "no connection to shop.test through the proxy: connection refused"


def test_a_proxy_that_refuses():
    with FaultServer(answer(407)) as proxy:
        error = failure("shop.test", scheme="https", proxies={"https": proxy.url})
    assert (error.reason, error.was_sent) == ("connect", False)
    assert str(error) == "no connection to shop.test through the proxy: it answered with status 407"


FAILING = {
    "silent": (silence, "no whole answer from {} in time"),
    "dripping": (drip(reply(body=b"abc"), seconds_per_byte=0.05), "no whole answer from {} in time"),
    "closing": (cut_after(b""), "the connection to {} was cut before the answer"),
    "resetting": (reset_after(b""), "the connection to {} was cut before the answer"),
    "cut in a header": (cut_after(b"HTTP/1.1 200 OK\r\nX-A: "), "the connection to {} was cut inside the answer"),
    "cut in the body": (cut_after(reply(body=b"abc")[:-1]), "the connection to {} was cut inside the answer"),
    "no HTTP": (cut_after(b"SSH-2.0-OpenSSH\r\n"), "what came from {} is no HTTP answer"),
    "too large": (answer(body=b"x" * 65), "{}: the body exceeds 64 bytes"),
    "encoded": (
        answer(headers={"Content-Encoding": "br"}),
        "{}: the body is encoded in a way that was not asked for",
    ),
    "redirecting": (
        answer(302, headers={"Location": f"/{PRIVATE}"}),
        "{} redirects (status 302), which is not followed",
    ),
}


@pytest.mark.parametrize("how", FAILING)
def test_an_answer_that_fails(how):
    step, told = FAILING[how]
    with FaultServer(step) as server:
        host = f"127.0.0.1:{server.port}"
        error = failure(host, total_seconds=0.3)
    assert str(error) == told.format(host)


def test_a_server_that_speaks_no_tls():
    with FaultServer(answer()) as server:
        error = failure(f"127.0.0.1:{server.port}", scheme="https")
    assert str(error).startswith(f"no TLS with 127.0.0.1:{server.port}: ")


def test_credentials_in_a_url_are_not_told(free_port):
    authority = f"emma:{PRIVATE}@127.0.0.1:{free_port}"
    assert str(failure(authority)) == f"no connection to 127.0.0.1:{free_port}: connection refused"
