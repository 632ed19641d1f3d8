"""What a caller of the transport can rely on, whatever the server does."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from contextlib import closing

import pytest

from fixtures.faults import (
    FaultServer,
    answer,
    cut_after,
    drip,
    endless,
    gzip_bomb,
    reply,
    reset_after,
    silence,
)
from target_decisioning.http import HttpRequest, Transport, TransportError
from tests.promptness import promptly

MiB = 1024 * 1024
CHUNKED = {"Transfer-Encoding": "chunked"}
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture
def transport():
    with closing(Transport()) as transport:
        yield transport


def get(transport, server, path="/", *, headers=None, **limits):
    limits.setdefault("total_seconds", 5.0)
    return transport.send(HttpRequest("GET", f"{server.url}{path}", headers or {}), **limits)


def failure(transport, server, **limits):
    with pytest.raises(TransportError) as caught:
        get(transport, server, **limits)
    return caught.value


def test_an_answer_is_handed_over_as_it_came(transport):
    with FaultServer(answer(404, b"gone", {"X-Why": "a", "ETag": '"1"'})) as server:
        got = transport.send(HttpRequest("POST", f"{server.url}/x?y=1", {"X-A": "b"}, b"body"), total_seconds=5)
    assert (got.status, got.body, got.headers["x-why"], got.headers["etag"]) == (404, b"gone", "a", '"1"')
    received = server.requests[0]
    assert (received.method, received.target, received.body) == ("POST", "/x?y=1", b"body")
    assert received.headers["x-a"] == "b"


def test_only_gzip_and_identity_are_asked_for(transport):
    with FaultServer(answer()) as server:
        get(transport, server)
    assert server.requests[0].headers["accept-encoding"] == "gzip, identity"


def test_calls_in_a_row_share_one_connection(transport):
    chunked = reply(200, b"3\r\nabc\r\n0\r\n\r\n", CHUNKED, length=-1)
    script = [answer(200, b"x" * 100_000), answer(204, length=-1), answer(304, length=-1)]
    script += [
        lambda connection, _: connection.send(chunked),
        answer(500, b"no"),
        answer(200, gzip.compress(b"z"), GZIP),
    ]
    with FaultServer(*script, answer()) as server:
        for _ in range(8):
            get(transport, server)
    assert server.connections == 1


def test_timing_says_where_the_milliseconds_went(transport):
    with FaultServer(drip(reply(body=b"abc"), seconds_per_byte=0.05, at_once=len(reply(body=b"abc")) - 1)) as server:
        first, second = get(transport, server), get(transport, server)
    assert first.timing.keys() == {"dns", "timeToFirstByte", "download", "responseSize"}
    assert first.timing["responseSize"] == 3
    assert first.timing["download"] >= 45
    assert "dns" not in second.timing


@pytest.mark.parametrize(
    "at_once",
    [pytest.param(0, id="headers"), pytest.param(len(reply(body=b"x" * 99)) - 99, id="body")],
)
def test_a_server_that_drips_is_given_up_at_the_total_deadline(transport, at_once):
    with FaultServer(drip(reply(body=b"x" * 99), seconds_per_byte=0.05, at_once=at_once)) as server:
        error = promptly(lambda: failure(transport, server, total_seconds=0.4), least=0.38, most=0.5)
    assert error.reason == "timeout"
    assert error.was_sent


def test_a_server_that_never_answers_is_given_up_at_the_total_deadline(transport):
    with FaultServer(silence) as server:
        error = promptly(lambda: failure(transport, server, total_seconds=0.3), least=0.29, most=0.4)
    assert error.reason == "timeout"


def test_a_pause_longer_than_the_gap_is_a_timeout(transport):
    with FaultServer(drip(reply(body=b"ab"), seconds_per_byte=1.0, at_once=len(reply(body=b"ab")) - 1)) as server:
        error = promptly(lambda: failure(transport, server, gap_seconds=0.2), most=0.5)
    assert error.reason == "timeout"


def test_a_host_that_does_not_accept_is_given_up_at_the_connect_limit(transport):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        request = HttpRequest("GET", f"http://127.0.0.1:{full.getsockname()[1]}/")

        def send():
            with pytest.raises(TransportError) as caught:
                transport.send(request, total_seconds=5, connect_seconds=0.3)
            return caught.value

        error = promptly(send, most=0.5)
        for sock in waiting:
            sock.close()
    assert (error.reason, error.was_sent) == ("connect", False)


def test_a_resolver_that_hangs_costs_no_more_than_the_deadline(transport, monkeypatch):
    asked, release = [], threading.Event()

    def hang(host, *_, flags=0, **__):
        if flags:
            raise socket.gaierror
        asked.append(host)
        release.wait(10)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    def send():
        with pytest.raises(TransportError) as caught:
            transport.send(HttpRequest("GET", "https://slow.example/"), total_seconds=0.2)
        assert (caught.value.reason, caught.value.was_sent) == ("timeout", False)

    for _ in range(2):
        promptly(send, most=0.3)
    release.set()
    assert asked == ["slow.example"]  # who waits for the same name shares the thread


@pytest.mark.parametrize("may_start_threads", [True, False])
def test_a_name_is_looked_up_on_a_thread_where_one_may_be_started(monkeypatch, may_start_threads):
    real, threads = socket.getaddrinfo, []

    def look_up(host, *arguments, flags=0, **keywords):
        if host != "shop.test":
            return real(host, *arguments, flags=flags, **keywords)
        if flags:
            raise socket.gaierror
        threads.append(threading.current_thread().name)
        return real("127.0.0.1", *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with FaultServer(answer(204)) as server, closing(Transport(may_start_threads=may_start_threads)) as transport:
        request = HttpRequest("GET", f"http://shop.test:{server.port}/")
        assert transport.send(request, total_seconds=5).status == 204
    assert threads == ["target-dns" if may_start_threads else threading.current_thread().name]


def test_a_closed_port_is_no_connection_and_nothing_was_sent(transport):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransportError) as caught:
        transport.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"), total_seconds=5)
    assert (caught.value.reason, caught.value.was_sent) == ("connect", False)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        pytest.param(cut_after(b""), "reset", id="empty reply"),
        pytest.param(reset_after(b""), "reset", id="reset"),
        pytest.param(reset_after(b"HTTP/1.1 200 OK\r\nX-A: b"), "reset", id="reset in the headers"),
        pytest.param(cut_after(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"), "truncated", id="cut in the headers"),
        pytest.param(cut_after(b"SSH-2.0-OpenSSH\r\n"), "protocol", id="garbage status line"),
        pytest.param(cut_after(reply(body=b"half", length=8)), "truncated", id="shorter than Content-Length"),
        pytest.param(
            cut_after(reply(body=b"5\r\nhello\r\n", headers=CHUNKED, length=-1)), "truncated", id="no last chunk"
        ),
        pytest.param(
            cut_after(reply(body=b"zz\r\nhello\r\n", headers=CHUNKED, length=-1)), "truncated", id="bad chunk"
        ),
        pytest.param(answer(body=gzip.compress(b"x" * 999)[:-8], headers=GZIP), "truncated", id="gzip without trailer"),
        pytest.param(answer(body=b"plain", headers=GZIP), "encoding", id="gzip that is none"),
        pytest.param(answer(body=b"x", headers={"Content-Encoding": "br"}), "encoding", id="br"),
        pytest.param(answer(body=b"x", headers={"Content-Encoding": "gzip, gzip"}), "encoding", id="gzip twice"),
        pytest.param(answer(body=gzip_bomb(4), headers=GZIP), "too_large", id="bomb"),
        pytest.param(answer(body=b"x" * (MiB + 1)), "too_large", id="long"),
        pytest.param(endless(reply(length=-1), (b"x" * 65536 for _ in range(999))), "too_large", id="endless"),
        pytest.param(answer(302, headers={"Location": "/other"}), "redirect", id="redirect"),
    ],
)
def test_what_a_server_does_wrong_has_one_name(transport, step, reason):
    with FaultServer(step) as server:
        error = failure(transport, server, max_wire_bytes=MiB, max_body_bytes=2 * MiB)
    assert error.reason == reason
    assert error.was_sent
    assert server.url not in str(error)


def test_reading_stops_at_the_cap(transport):
    with FaultServer(endless(reply(length=-1), (b"x" * 65536 for _ in range(999)))) as server:
        failure(transport, server, max_wire_bytes=MiB)
        most_in_flight = 8 * MiB  # what the sockets' buffers hold
        assert server.bytes_sent < most_in_flight


def test_gzip_is_undone_member_by_member(transport):
    body = gzip.compress(b"a" * 200_000) + gzip.compress(b"b")
    with FaultServer(answer(body=body, headers=GZIP)) as server:
        got = get(transport, server)
    assert got.body == b"a" * 200_000 + b"b"
    assert got.timing["responseSize"] == len(body)


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072])
def test_gzip_is_undone_to_the_last_byte(transport, size):
    with FaultServer(answer(body=gzip.compress(b"x" * size), headers=GZIP)) as server:
        assert get(transport, server).body == b"x" * size


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(cut_after(reply(403, b"half", length=8)), id="cut"),
        pytest.param(answer(403, b"x", {"Content-Encoding": "br"}), id="br"),
        pytest.param(answer(403, gzip_bomb(4), GZIP), id="bomb"),
    ],
)
def test_the_status_of_a_refusal_is_told_even_if_its_body_cannot_be_read(transport, step):
    with FaultServer(step) as server:
        got = get(transport, server)
    assert (got.status, got.body) == (403, b"")


def test_a_body_can_be_declined_by_its_headers(transport):
    with FaultServer(answer(body=b"x" * 1000, headers={"ETag": '"1"'}), answer(body=b"y")) as server:
        got = get(transport, server, wants_body=lambda _, headers: headers.get("etag") != '"1"')
        assert (got.status, got.body) == (200, b"")
        assert get(transport, server).body == b"y"


@pytest.mark.parametrize("is_callers", [False, True])
def test_of_a_redirect_neither_the_body_nor_the_location_is_looked_into(is_callers):
    import requests

    step = endless(reply(302, b"", {"Location": "http://[::1/", **GZIP}, length=-1), [gzip_bomb(64)] * 999)
    with FaultServer(step) as server, requests.Session() as session:
        with closing(Transport(session=session if is_callers else None)) as transport:
            began = time.thread_time()
            assert failure(transport, server).reason == "redirect"
            assert time.thread_time() - began < 0.5
        assert server.bytes_sent < 8 * MiB


def test_a_redirect_within_the_origin_is_followed_on_demand(transport):
    with FaultServer(answer(302, headers={"Location": "/there"}), answer(body=b"here")) as server:
        assert get(transport, server, redirects=3).body == b"here"
    assert [request.target for request in server.requests] == ["/", "/there"]


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{port}/", "https://127.0.0.1:{own}/", "http://localhost:{own}/", "//127.0.0.1:{port}/"],
)
def test_a_redirect_to_another_origin_is_never_followed(transport, location):
    with FaultServer(answer()) as trap, FaultServer(answer()) as server:
        server.then(answer(302, headers={"Location": location.format(port=trap.port, own=server.port)}))
        assert failure(transport, server, redirects=3).reason == "redirect"
    assert trap.connections == 0
    assert len(server.requests) == 1


def test_no_more_than_three_redirects_are_followed(transport):
    with FaultServer(answer(302, headers={"Location": "/again"})) as server:
        assert failure(transport, server, redirects=99).reason == "redirect"
    assert len(server.requests) == 4


def test_a_cookie_of_the_server_is_not_kept(transport):
    with FaultServer(answer(headers={"Set-Cookie": "visitor=1; Path=/"})) as server:
        get(transport, server)
        get(transport, server)
    assert "cookie" not in server.requests[1].headers


def test_credentials_never_come_from_a_netrc(transport, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with FaultServer(answer()) as server:
        get(transport, server)
    assert "authorization" not in server.requests[0].headers


def test_a_proxy_comes_from_the_option_else_from_the_environment(monkeypatch):
    request = HttpRequest("GET", "http://target.example/x")
    with FaultServer(answer(body=b"by proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        for transport in (Transport(), Transport(proxies={"http": proxy.url})):
            with closing(transport):
                assert transport.send(request, total_seconds=5).body == b"by proxy"
    assert [request.target for request in proxy.requests] == ["http://target.example/x"] * 2


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(transport):
    with FaultServer(cut_after(reply(body=b"1")), answer(body=b"2")) as server:
        assert get(transport, server).body == b"1"
        time.sleep(0.05)
        assert get(transport, server).body == b"2"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "url", ["no url", "ftp://127.0.0.1/", "http://", "http://[::1/", "http://a\x00b/", "http://" + "a" * 300]
)
def test_what_is_no_url_is_a_transport_error(transport, url):
    with pytest.raises(TransportError) as caught:
        transport.send(HttpRequest("GET", url), total_seconds=1)
    assert not caught.value.was_sent


def test_plain_http_to_another_host_is_warned_of_once():
    said = []

    class Log:
        def debug(self, message):
            pass

        def error(self, message):
            said.append(message)

    with closing(Transport(logger=Log(), proxies={"http": "http://127.0.0.1:1"})) as transport:
        for _ in range(2):
            with pytest.raises(TransportError):
                transport.send(HttpRequest("GET", "http://target.example/?secret"), total_seconds=1)
    assert said == ["Requests to target.example leave unencrypted (http)"]


def test_a_session_of_the_callers_is_used():
    import requests

    with requests.Session() as session, FaultServer(answer(body=b"x")) as server:
        session.headers["X-Theirs"] = "1"
        assert get(Transport(session=session), server).body == b"x"
    assert server.requests[0].headers["x-theirs"] == "1"
