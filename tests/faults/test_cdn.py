"""A CDN that refuses, fails, drips, redirects or shows a wrong certificate (cases 17 to 24)."""

from __future__ import annotations

import itertools
import time

import pytest

from fixtures.faults import (
    FaultServer,
    answer,
    cut_after,
    drip,
    gzip_bomb,
    not_modified_or,
    reply,
    reset_after,
)
from target_decisioning.errors import ArtifactUnavailable
from tests.faults.certificates import OPENSSL, certificate, server_context
from tests.faults.memory import watched
from tests.faults.parts import LOCAL, until
from tests.faults.started import SHOP_BYTES, percentile

GOOD = not_modified_or(SHOP_BYTES, '"good"')


def gaps(server, since=0):
    moments = [request.at for request in server.requests[since:]]
    return [later - one for one, later in itertools.pairwise(moments)]


def test_case_17_a_refusal_slows_polling_down_but_never_ends_it(start):
    interval = 0.03
    with FaultServer(GOOD) as server:
        one = start(server.url, polling_interval_seconds=interval)
        before = one.answers()
        server.then(*[answer(403)] * 10, GOOD)
        asked = len(server.requests)
        assert until(lambda: len(one.reasons) >= 10, seconds=20)
        assert one.answers() == before
        assert set(one.reasons) == {"forbidden"}
        assert until(lambda: len(server.requests) >= asked + 18)
    slow = gaps(server, asked)
    assert all(gap >= 9 * interval for gap in slow[1:10])  # after each refusal ...
    assert slow[10] >= 9 * interval  # ... and after the first good poll
    assert sum(gap < 5 * interval for gap in slow[11:]) >= 4  # the second one was enough
    failed = one.of("artifact_download_failed")[0]
    assert failed["status"] == 403
    assert "On-Device-Decisioning being disabled" in str(failed.error)


def test_case_17_who_must_obey_a_revocation_decides_nothing_after_the_first_refusal(start):
    with FaultServer(GOOD) as server:
        one = start(server.url, on_forbidden="clear", polling_interval_seconds=0.05)
        server.then(answer(403), GOOD)
        assert until(lambda: not one.status["ready"])
        with pytest.raises(ArtifactUnavailable):
            one.ask(LOCAL)
        assert one.client.wait_until_ready(5)
        assert one.ask(LOCAL)
    assert len(one.of("client_ready")) == 1


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        pytest.param(answer(500), "status", id="500"),
        pytest.param(answer(502, b"<html>"), "status", id="502"),
        pytest.param(reset_after(b"HTTP/1.1 200 OK\r\nX-A: b"), "reset", id="reset"),
        pytest.param(cut_after(b""), "reset", id="empty"),
        pytest.param(cut_after(b"220 ftp.example.com ready\r\n"), "protocol", id="garbage"),
    ],
)
def test_case_18_each_failure_has_its_reason_and_leaves_the_old_program(start, step, reason):
    with FaultServer(GOOD) as server:
        one = start(server.url)
        before = one.answers()
        server.then(step)
        assert until(lambda: len(one.reasons) >= 2)
        assert one.answers() == before
        assert set(one.reasons) == {reason}


def test_case_18_tries_move_apart_and_no_two_clients_keep_step(start):
    with FaultServer(answer(500)) as first, FaultServer(answer(500)) as second:
        for server in (first, second):
            start(server.url, polling_interval_seconds=300, maximum_wait_ready=0)
        assert until(lambda: min(len(first.requests), len(second.requests)) >= 4, seconds=20)
    for server in (first, second):
        one, two, three = gaps(server)[:3]
        assert 0.45 < one < 1.3
        assert 0.95 < two < 2.3
        assert 1.95 < three < 4.3
    assert gaps(first)[:3] != gaps(second)[:3]


def test_case_19_the_wait_that_a_server_asks_for_is_kept_and_capped_at_an_hour(start):
    def busy(wait):
        return answer(503, headers={"Retry-After": wait})

    with FaultServer(busy("2"), busy("999999999")) as server:
        one = start(server.url, polling_interval_seconds=300, maximum_wait_ready=0)
        assert until(lambda: len(one.reasons) >= 2)
        assert 1.95 < gaps(server)[0] < 3
        assert 3500 < one.status["next_poll_seconds"] <= 3600


def test_case_19_a_wait_that_nobody_can_read_is_ignored(start):
    with FaultServer(answer(503, headers={"Retry-After": "Thu, 99 Foo 2026 25:61:00 GMT"})) as server:
        one = start(server.url, polling_interval_seconds=300, maximum_wait_ready=0)
        assert until(lambda: one.reasons)
        assert one.status["next_poll_seconds"] <= 1


def decided(one, seconds):
    """Decide for so long; return how long each call took."""
    took, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.perf_counter()
        one.ask(LOCAL)
        took.append(time.perf_counter() - began)
        time.sleep(0.001)
    return took


def test_case_20_a_server_that_drips_is_given_up_at_the_total_deadline_and_slows_no_call(start):
    whole = reply(body=SHOP_BYTES)
    drips = {
        "head": drip(whole, seconds_per_byte=0.3),
        "body": drip(whole, seconds_per_byte=0.3, at_once=len(whole) - len(SHOP_BYTES)),
    }
    with FaultServer(GOOD) as head, FaultServer(GOOD) as body:
        servers = {"head": head, "body": body}
        clients = {name: start(server.url, polling_interval_seconds=1.5) for name, server in servers.items()}
        quiet = percentile(decided(clients["head"], 0.5))
        asked = {name: len(server.requests) for name, server in servers.items()}
        for name, server in servers.items():
            server.then(drips[name], GOOD)
        assert until(lambda: all(len(servers[name].requests) > asked[name] for name in servers))
        dripping = percentile(decided(clients["head"], 5))
        assert not any(one.reasons for one in clients.values())
        assert until(lambda: all(one.reasons for one in clients.values()), seconds=25)
        for name, server in servers.items():
            given_up = clients[name].of("artifact_download_failed")[0]
            assert given_up["reason"] == "timeout"
            assert until(lambda name=name: len(servers[name].requests) > asked[name] + 1)
            began, next_try = (request.at for request in server.requests[asked[name] : asked[name] + 2])
            assert 20 + 0.5 <= next_try - began <= 20.5 + 1.0 + 0.5  # the deadline, then the first back-off
            assert until(lambda name=name: clients[name].status["last_error"] is None)
    assert dripping < max(3 * quiet, 0.005)


@pytest.mark.parametrize("follows", [False, True])
def test_case_22_a_redirect_to_another_origin_is_never_followed(start, follows):
    with FaultServer(GOOD) as trap, FaultServer(answer(302, headers={"Location": f"{trap.url}/rules.json"})) as server:
        one = start(server.url, follow_artifact_redirects=follows, maximum_wait_ready=0)
        assert until(lambda: len(one.reasons) >= 2)
        assert set(one.reasons) == {"redirect"}
    assert trap.connections == 0


def test_case_22_a_redirect_within_the_origin_is_followed_on_demand(start):
    with FaultServer(answer(302, headers={"Location": "/there"}), GOOD) as server:
        one = start(server.url, follow_artifact_redirects=True)
        assert one.status["ready"]
    assert [request.target for request in server.requests[:2]] == ["/", "/there"]


def test_case_23_the_body_of_a_redirect_is_not_decoded():
    step = answer(302, gzip_bomb(200), {"Location": "/there", "Content-Encoding": "gzip"})
    with FaultServer(step) as server:
        reason, grown_mib, seconds = watched(server.url, follow_artifact_redirects=True)
    assert reason == "redirect"
    assert grown_mib < 8
    assert seconds < 1


needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make certificates")


@needs_openssl
@pytest.mark.parametrize(
    ("made", "is_known"),
    [
        pytest.param({}, False, id="self-signed"),
        pytest.param({"ends": "20200102000000Z"}, True, id="expired"),
        pytest.param({"name": "DNS:other.example"}, True, id="wrong-name"),
    ],
)
def test_case_24_a_certificate_that_does_not_fit_is_refused_and_nothing_falls_back(start, tmp_path, made, is_known):
    cert, key = certificate(tmp_path / "tls", **made)
    trust = {"ca_bundle": str(cert)} if is_known else {}
    with FaultServer(GOOD, tls=server_context(cert, key)) as server:
        one = start(f"{server.url}/rules.json", maximum_wait_ready=0, **trust)
        assert until(lambda: len(one.reasons) >= 2)
        assert set(one.reasons) == {"tls"}
        assert server.requests == []
        assert not one.status["ready"]


@needs_openssl
def test_case_24_with_the_right_bundle_it_works(start, tmp_path):
    cert, key = certificate(tmp_path / "tls")
    with FaultServer(GOOD, tls=server_context(cert, key)) as server:
        assert start(f"{server.url}/rules.json", ca_bundle=str(cert)).status["source"] == "network"
