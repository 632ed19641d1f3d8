"""Listeners that raise, block or close the client (case 27)."""

from __future__ import annotations

import threading
import time

import pytest

from fixtures.faults import FaultServer, answer
from target_decisioning.errors import ClientClosed
from tests.faults.parts import LOCAL, until
from tests.faults.started import SHOP_BYTES, changed_shop, percentile


def fail(_):
    raise RuntimeError("a listener's own fault")


def test_case_27_a_listener_that_raises_at_success_stops_neither_polling_nor_the_swap(start):
    with FaultServer(answer(body=SHOP_BYTES)) as server:
        one = start(server.url, events={"artifact_download_succeeded": fail, "geo_location_updated": fail})
        server.then(answer(body=changed_shop(version="1.0.7")))
        assert until(lambda: one.status["version"] == "1.0.7")
        asked = len(server.requests)
        assert until(lambda: len(server.requests) >= asked + 3)
        assert one.ask(LOCAL).response.prefetch.mboxes
    assert any("RuntimeError" in line for line in one.log.errors)
    assert "own fault" not in "".join(one.log.errors)


def test_case_27_a_listener_that_raises_at_failure_stops_no_polling(start):
    with FaultServer(answer(500)) as server:
        one = start(server.url, maximum_wait_ready=0, events={"artifact_download_failed": fail})
        assert until(lambda: len(server.requests) >= 4)
        server.then(answer(body=SHOP_BYTES))
        assert one.client.wait_until_ready(5)


def test_case_27_a_listener_that_blocks_holds_up_neither_requests_nor_polling_nor_close(start):
    begun, release = threading.Event(), threading.Event()

    def block(_):
        begun.set()
        release.wait(60)

    with FaultServer(answer(body=SHOP_BYTES)) as server:
        one = start(server.url, events={"artifact_download_succeeded": block})
        assert begun.wait(5)
        server.then(answer(body=changed_shop(version="1.0.7")))
        assert until(lambda: one.status["version"] == "1.0.7")
        asked = len(server.requests)
        assert until(lambda: len(server.requests) >= asked + 5)
        took = []
        for _ in range(500):
            began = time.perf_counter()
            one.ask(LOCAL)
            took.append(time.perf_counter() - began)
        assert percentile(took) < 0.02
        threads = threading.active_count()
        assert until(lambda: len(server.requests) >= asked + 15)
        assert threading.active_count() <= threads + 1  # no thread waits behind the listener
        began = time.monotonic()
        one.client.close(0.5)
        assert time.monotonic() - began < 2
    release.set()


def test_case_27_a_slow_listener_for_geo_look_ups_holds_up_no_request(start):
    release = threading.Event()
    with FaultServer(answer(body=SHOP_BYTES)) as server, FaultServer(answer(body=b'{"x-geo-city": "ROME"}')) as geo:
        one = start(
            server.url,
            polling_interval_seconds=0,
            geo_lookup_url=geo.url,
            events={"geo_location_updated": lambda _: release.wait(60)},
        )
        mboxes = [{"name": LOCAL, "index": 0}]
        began = time.monotonic()
        for _ in range(20):
            context = {"channel": "web", "geo": {"ipAddress": "1.2.3.4"}}
            one.client.get_offers(request={"context": context, "prefetch": {"mboxes": mboxes}})
        assert time.monotonic() - began < 5
        assert len(geo.requests) == 20
    release.set()


@pytest.mark.parametrize("event", ["artifact_download_succeeded", "artifact_download_failed", "client_ready"])
def test_case_27_a_listener_that_closes_the_client_ends_its_polling(start, event):
    closed, clients = threading.Event(), []

    def close(_):
        until(lambda: clients)
        clients[0].close()
        closed.set()

    step = answer(500) if event == "artifact_download_failed" else answer(body=SHOP_BYTES)
    with FaultServer(step) as server:
        one = start(server.url, maximum_wait_ready=0, events={event: close})
        clients.append(one.client)
        assert closed.wait(10)
        asked = len(server.requests)
        time.sleep(0.5)
        assert len(server.requests) <= asked + 1
        with pytest.raises(ClientClosed):
            one.ask(LOCAL)


def test_case_27_a_listener_may_ask_for_offers_and_change_who_listens(start):
    said = []
    with FaultServer(answer(body=SHOP_BYTES)) as server:
        one = start(server.url)

        def listen(event):
            said.append((event["type"], one.ask(LOCAL).response.prefetch.mboxes[0].name))
            one.client.unsubscribe(token)
            one.client.subscribe("artifact_download_failed", lambda failed: said.append(failed["reason"]))

        token = one.client.subscribe("artifact_download_succeeded", listen)
        assert until(lambda: said == [("artifact_download_succeeded", LOCAL)])
        server.then(answer(500), answer(body=SHOP_BYTES))
        assert until(lambda: said[1:] == ["status"])
