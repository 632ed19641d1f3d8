"""What a client can rely on, whatever the source of its artifact does."""

from __future__ import annotations

import gc
import gzip
import json
import os
import threading
import time
import weakref

import pytest

from fixtures.faults import FaultServer, answer, cut_after, gzip_bomb, not_modified_or, reply, reset_after, silence
from target_decisioning.errors import ArtifactUnavailable, ArtifactUnsupported
from tests.artifact.keeping import artifact, until

A, B = artifact("a"), artifact("b")


def tagged(body, etag):
    return answer(body=body, headers={"ETag": etag})


# --- the first artifact


def test_the_first_download_makes_it_ready_once_and_is_told(keep):
    with FaultServer(answer(body=A, headers={"ETag": '"a"', "X-Geo-City": "ROME"}), tagged(B, '"b"')) as server:
        kept = keep(server.url)
        assert kept.keeper.wait_until_ready(5)
        until(lambda: kept.name == "b")
        until(lambda: len(kept.events) >= 4)
    assert kept.events[0] == (
        "artifact_download_succeeded",
        {"artifact_location": server.url, "artifact_payload": json.loads(A)},
    )
    assert kept.events[1] == ("geo_location_updated", {"geo_context": {"city": "ROME"}})
    assert len(kept.ready) == 1
    assert kept.keeper.current.retrieval_count == 2
    assert (kept.status["source"], kept.status["version"], kept.status["etag"]) == ("network", "1.0.0", '"b"')
    execution_ms, parsing_ms, timing = kept.downloads[0]
    assert execution_ms >= parsing_ms >= 0
    assert timing["responseSize"] == len(A)


def test_a_server_that_is_down_at_the_start_is_asked_until_it_answers(keep):
    with FaultServer(cut_after(b""), answer(500), answer(body=A)) as server:
        kept = keep(server.url)
        assert kept.keeper.wait_until_ready(5)
        assert kept.reasons[:2] == ["reset", "status"]
        assert len(kept.ready) == 1
        assert kept.keeper.last_error() is None


def test_who_waits_in_vain_learns_since_when_why_and_when_next(keep):
    with FaultServer(answer(503)) as server:
        kept = keep(server.url, polling_interval_seconds=300)
        began = time.monotonic()
        assert not kept.keeper.wait_until_ready(0.1)
        assert 0.09 <= time.monotonic() - began < 0.5
        until(lambda: kept.keeper.last_error())
    why = kept.keeper.why_not_ready()
    assert why.startswith("No artifact for 0.")
    assert "last error: status: 127.0.0.1:" in why
    assert "status 503" in why
    assert "; next try in " in why
    assert isinstance(kept.keeper.last_error(), ArtifactUnavailable)


def test_without_polling_it_retries_until_the_first_artifact_and_then_stops(keep, begun):
    with FaultServer(answer(500), answer(body=A)) as server:
        kept = keep(server.url, polling_interval_seconds=0)
        assert kept.keeper.wait_until_ready(5)
        until(lambda: kept.status["next_poll_seconds"] is None)
        until(lambda: not begun("APScheduler"))
    assert len(server.requests) == 2
    assert server.requests[1].at - server.requests[0].at >= 0.5


# --- what comes later


def test_an_etag_belongs_to_the_program_that_decides(keep):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        kept = keep(server.url)
        until(lambda: len(server.requests) >= 4)
        assert kept.compiled == [A]
        assert kept.status["age_seconds"] < 1
    assert [request.headers.get("if-none-match") for request in server.requests[:3]] == [None, '"a"', '"a"']
    assert kept.names_of_events() == ["artifact_download_succeeded", "geo_location_updated"]


def test_a_server_that_stops_sending_etags_gets_no_condition_any_more(keep):
    with FaultServer(tagged(A, '"a"'), answer(body=B)) as server:
        kept = keep(server.url)
        until(lambda: len(server.requests) >= 4)
    assert [request.headers.get("if-none-match") for request in server.requests[:4]] == [None, '"a"', None, None]
    assert kept.name == "b"
    assert kept.compiled == [A, B]  # the same bytes again are not compiled again
    assert kept.keeper.current.retrieval_count == 2


def test_a_304_that_was_not_asked_for_is_a_failure(keep):
    with FaultServer(answer(304, length=-1), answer(body=A)) as server:
        kept = keep(server.url)
        assert kept.keeper.wait_until_ready(5)
        assert kept.reasons == ["unexpected_304"]
    assert "if-none-match" not in server.requests[1].headers


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{}", b"<html>", b"", b"\xff\xfe", b"[" * 100_000])
def test_what_cannot_be_compiled_leaves_the_old_program_and_its_etag(keep, body):
    with FaultServer(tagged(A, '"a"'), tagged(body, '"bad"')) as server:
        kept = keep(server.url)
        until(lambda: len(server.requests) >= 4)
        before = kept.keeper.current
        until(lambda: len(kept.reasons) >= 2)
        assert kept.keeper.current is before
        assert set(kept.reasons) == {"invalid"}
        assert {request.headers.get("if-none-match") for request in server.requests[1:]} == {'"a"'}
        assert kept.compiled == [A, body]  # a body that was rejected is not tried again until it changes
        assert kept.status["last_error"]["reason"] == "invalid"


def test_a_mended_artifact_is_taken_at_the_next_poll(keep):
    with FaultServer(tagged(A, '"a"'), tagged(b"{}", '"bad"'), tagged(b"{}", '"bad"'), tagged(B, '"b"')) as server:
        kept = keep(server.url)
        until(lambda: kept.name == "b")
        assert kept.status["last_error"] is None


def test_an_artifact_of_a_newer_major_version_is_kept_out(keep):
    with FaultServer(
        answer(body=A), answer(body=artifact("c", "2.0.0")), answer(body=artifact("d", "1.9.7"))
    ) as server:
        kept = keep(server.url)
        until(lambda: kept.name == "d")
        assert kept.reasons == ["unsupported"]
    error = next(payload["error"] for event, payload in kept.events if event == "artifact_download_failed")
    assert isinstance(error, ArtifactUnsupported)
    assert (error.found, error.supported) == ("2.0.0", "1")


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (cut_after(reply(body=B, length=999)), "truncated"),
        (answer(body=gzip.compress(B)[:-4], headers={"Content-Encoding": "gzip"}), "truncated"),
        (answer(body=gzip_bomb(65), headers={"Content-Encoding": "gzip"}), "too_large"),
        (reset_after(b"HTTP/1.1 2"), "reset"),
        (answer(302, headers={"Location": "/elsewhere"}), "redirect"),
        (answer(404), "not_found"),
        (answer(206, B), "status"),
    ],
)
def test_a_poll_that_fails_leaves_the_old_program(keep, step, reason):
    with FaultServer(tagged(A, '"a"'), step) as server:
        kept = keep(server.url)
        until(lambda: kept.reasons)
        assert kept.name == "a"
    assert kept.reasons[0] == reason


@pytest.mark.parametrize("status", [401, 403, 404])
def test_before_the_first_artifact_a_refusal_is_tried_again_soon(keep, status):
    """A deploy that is a moment late must not cost an hour."""
    with FaultServer(answer(status), answer(body=A)) as server:
        kept = keep(server.url, polling_interval_seconds=600)
        until(lambda: kept.keeper.status()["failures_in_a_row"] == 1)
        assert kept.keeper.status()["next_poll_seconds"] <= 60


def test_a_refusal_says_that_the_account_is_off_and_polling_slows_down_until_two_good_polls(keep):
    with FaultServer(answer(body=A), answer(403), answer(403), *[answer(body=A)] * 3) as server:
        kept = keep(server.url, polling_interval_seconds=0.02)
        until(lambda: len(server.requests) >= 6)
        assert kept.name == "a"
    gaps = [later.at - one.at for one, later in zip(server.requests, server.requests[1:], strict=False)]
    assert gaps[0] < 0.15
    assert all(gap >= 0.18 for gap in gaps[1:4])  # after each refusal, and after the first good poll
    assert gaps[4] < 0.15
    failed = next(payload for event, payload in kept.events if event == "artifact_download_failed")
    assert (failed["reason"], failed["status"]) == ("forbidden", 403)
    assert "On-Device-Decisioning being disabled" in str(failed["error"])


def test_who_must_obey_a_revocation_stops_deciding(keep, tmp_path):
    with FaultServer(answer(body=A), answer(403), answer(body=B)) as server:
        kept = keep(server.url, on_forbidden="clear", cache_dir=tmp_path)
        assert kept.keeper.wait_until_ready(5)
        until(lambda: kept.name is None)
        assert not kept.keeper.wait_until_ready(0)
        until(lambda: not any(path.suffix == "" for path in tmp_path.iterdir()))
        until(lambda: kept.name == "b")
    assert len(kept.ready) == 1  # ready is told once


def test_the_wait_that_a_server_asks_for_is_kept(keep):
    with FaultServer(answer(503, headers={"Retry-After": "1"}), answer(body=A)) as server:
        kept = keep(server.url, polling_interval_seconds=300)
        assert kept.keeper.wait_until_ready(5)
    assert server.requests[1].at - server.requests[0].at >= 0.99


def test_a_redirect_is_followed_on_demand(keep):
    with FaultServer(answer(302, headers={"Location": "/there"}), answer(body=A)) as server:
        assert keep(server.url, follow_artifact_redirects=True).keeper.wait_until_ready(5)


def test_a_binary_artifact_is_read(keep):
    key, organization = b"0" * 32, b"1234567890@AdobeOrg"
    mask = (organization + key) * 9
    data = b"ATOD:001" + key + bytes(one ^ two for one, two in zip(A, mask, strict=False))
    with FaultServer(answer(body=data)) as server:
        kept = keep(f"{server.url}/rules.bin")
        assert kept.keeper.wait_until_ready(5)
    assert kept.name == "a"


# --- staleness


def test_an_artifact_is_stale_when_nobody_confirmed_it_for_long_and_that_is_told_once(keep):
    with FaultServer(answer(body=A), answer(500)) as server:
        kept = keep(server.url, max_artifact_age_seconds=1.0)
        assert kept.keeper.wait_until_ready(5)
        assert not kept.keeper.is_stale()
        until(kept.keeper.is_stale)
        before = len(kept.reasons)
        until(lambda: len(kept.reasons) > before + 8)
        assert kept.names_of_events().count("artifact_stale") == 1
        assert dict(kept.events)["artifact_stale"]["age_seconds"] > 1.0
        server.then(answer(body=A))
        until(lambda: not kept.keeper.is_stale())
        assert kept.status["stale"] is False


def test_a_payload_is_never_stale(keep):
    kept = keep(artifact_payload=A, max_artifact_age_seconds=0.001)
    time.sleep(0.01)
    assert not kept.keeper.is_stale()


# --- other sources


@pytest.mark.parametrize("payload", [json.loads(A), A.decode(), A], ids=["dict", "text", "bytes"])
def test_a_payload_decides_at_once_and_nothing_is_polled(keep, payload, begun):
    kept = keep(artifact_payload=payload)
    assert kept.keeper.wait_until_ready(0)
    assert (kept.name, kept.status["source"], kept.keeper.current.location) == ("a", "payload", None)
    assert kept.status["next_poll_seconds"] is None
    assert begun() == []
    assert kept.events == []


def test_changing_a_payload_afterwards_changes_nothing(keep):
    payload = json.loads(A)
    kept = keep(artifact_payload=payload)
    payload["name"] = "changed"
    assert kept.name == "a"


def test_a_payload_that_cannot_be_compiled_is_told_and_raises_nothing(keep):
    kept = keep(artifact_payload={"version": "2.0.0"})
    assert not kept.keeper.wait_until_ready(0)
    assert kept.reasons == ["unsupported"]
    assert isinstance(kept.keeper.last_error(), ArtifactUnsupported)


def test_a_payload_with_a_location_stands_for_the_first_download_only(keep):
    with FaultServer(answer(body=B)) as server:
        kept = keep(server.url, artifact_payload=A)
        assert kept.name == "a"
        until(lambda: kept.name == "b")
    assert "if-none-match" not in server.requests[0].headers


@pytest.mark.parametrize("as_url", [False, True])
def test_a_file_is_read_at_once_and_again_when_it_changes(keep, tmp_path, as_url):
    path = tmp_path / "rules.json"
    path.write_bytes(A)
    kept = keep(path.as_uri() if as_url else str(path))
    assert kept.keeper.wait_until_ready(0)
    assert kept.status["source"] == "file"
    path.write_bytes(b"half an arti")
    until(lambda: kept.reasons)
    assert kept.name == "a"
    path.write_bytes(B)
    until(lambda: kept.name == "b")
    path.unlink()
    until(lambda: "not_found" in kept.reasons)
    assert kept.name == "b"
    assert kept.compiled == [A, b"half an arti", B]


# --- the disk


def test_a_stored_artifact_decides_before_any_socket_is_opened(keep, tmp_path):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        first = keep(server.url, cache_dir=tmp_path)
        until(lambda: first.events)  # told after it was stored
        first.keeper.close()
        server.then(silence)
        second = keep(server.url, cache_dir=tmp_path, polling_interval_seconds=300)
        assert second.keeper.wait_until_ready(0)
        assert (second.name, second.status["source"], second.status["etag"]) == ("a", "disk", '"a"')
        assert second.status["age_seconds"] < 5
        assert 0 <= second.status["next_poll_seconds"] <= 300


def test_the_network_confirms_what_the_disk_gave(keep, tmp_path):
    with FaultServer(not_modified_or(A, '"a"')) as server:
        first = keep(server.url, cache_dir=tmp_path)
        until(lambda: first.events)  # told after it was stored
        first.keeper.close()
        second = keep(server.url, cache_dir=tmp_path)
        until(lambda: second.status["source"] == "network")
    assert second.compiled == [A]


def test_the_network_replaces_what_the_disk_gave(keep, tmp_path):
    with FaultServer(tagged(A, '"a"')) as server:
        first = keep(server.url, cache_dir=tmp_path)
        until(lambda: first.events)  # told after it was stored
        first.keeper.close()
        server.then(tagged(B, '"b"'))
        second = keep(server.url, cache_dir=tmp_path)
        assert second.name == "a"
        until(lambda: second.name == "b")
        assert server.requests[-1].headers["if-none-match"] == '"a"'
        assert second.status["source"] == "network"


# --- threads and processes


def test_a_listener_that_blocks_stops_no_poll(keep):
    release = threading.Event()
    with FaultServer(answer(body=A), answer(body=B)) as server:
        kept = keep()
        kept.keeper.close()
        slow = keep(server.url)
        slow.keeper._emit = lambda *_, **__: release.wait(10)
        until(lambda: slow.name == "b")
        until(lambda: len(server.requests) > 4)
    release.set()


def test_a_closed_keeper_polls_no_more_and_leaves_no_thread(keep, begun):
    with FaultServer(answer(body=A)) as server:
        kept = keep(server.url)
        assert kept.keeper.wait_until_ready(5)
        kept.keeper.close()
        asked = len(server.requests)
        time.sleep(0.2)
        assert len(server.requests) <= asked + 1
        until(lambda: not begun("target-artifact", "APScheduler"))
    assert kept.name == "a"


def test_a_fetch_that_outlives_close_changes_nothing(keep):
    with FaultServer(silence) as server:
        kept = keep(server.url)
        until(lambda: server.requests)
        began = time.monotonic()
        kept.keeper.close()
        assert time.monotonic() - began < 0.5
    time.sleep(0.05)
    assert kept.events == []


def test_a_clock_set_back_by_years_stops_no_poll(keep, monkeypatch):
    from datetime import datetime, timedelta

    import apscheduler.schedulers.base as base

    from target_decisioning.artifact import polling

    years = timedelta(0)

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + years

    monkeypatch.setattr(polling, "datetime", Clock)
    monkeypatch.setattr(base, "datetime", Clock)
    with FaultServer(answer(body=A)) as server:
        keep(server.url, polling_interval_seconds=0.1)
        for jump in (-3650, 3650):
            asked = len(server.requests)
            until(lambda asked=asked: len(server.requests) > asked)
            years = timedelta(days=jump)
            until(lambda asked=asked: len(server.requests) > asked + 4)
        gaps = [later.at - one.at for one, later in zip(server.requests, server.requests[1:], strict=False)]
    assert all(0.08 <= gap <= 0.3 for gap in gaps)


def test_a_timer_that_died_is_started_again_by_a_request(keep):
    with FaultServer(answer(body=A)) as server:
        kept = keep(server.url)
        assert kept.keeper.wait_until_ready(5)
        kept.keeper._polling._scheduler.shutdown()
        asked = len(server.requests)
        kept.keeper._next_look = 0.0
        kept.keeper.refresh_if_due()
        until(lambda: len(server.requests) > asked + 2)
        assert kept.status["timer_restarts"] == 1


def test_a_machine_that_starts_no_more_threads_costs_polls_and_no_request(keep, monkeypatch):
    def no_more(_):
        raise RuntimeError("can't start new thread")

    with FaultServer(answer(body=A), answer(body=B)) as server:
        with monkeypatch.context() as patched:
            patched.setattr("apscheduler.schedulers.background.BackgroundScheduler.start", no_more)
            kept = keep(server.url)
            assert not kept.keeper.wait_until_ready(0.1)
        assert len(kept.log.said) == 1
        kept.keeper._next_look = 0.0
        kept.keeper.refresh_if_due()
        assert kept.keeper.wait_until_ready(5)
        until(lambda: kept.name == "b")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_decides_at_once_and_polls_by_itself(keep):
    from tests.http.test_fork import forked

    with FaultServer(answer(body=A)) as server:
        kept = keep(server.url)
        assert kept.keeper.wait_until_ready(5)

        def child():
            assert kept.name == "a"
            assert kept.keeper.wait_until_ready(0)
            kept.keeper.refresh_if_due()
            until(lambda: kept.name == "child")
            assert kept.status["timer_restarts"] == 0

        server.then(answer(body=artifact("child")))
        assert forked(child)
        until(lambda: kept.name == "child")  # and the parent goes on as before


def test_without_background_requests_fetch_what_is_due(keep, begun):
    with FaultServer(answer(500), answer(body=A), answer(body=B)) as server:
        kept = keep(server.url, background=False)
        assert kept.keeper.wait_until_ready(5)
        assert set(begun()) <= {"faults"}
        until(lambda: kept.keeper.refresh_if_due() or kept.name == "b")


def test_without_background_the_wait_is_bounded_though_the_server_hangs(keep):
    with FaultServer(silence) as server:
        kept = keep(server.url, background=False, timeout=200)
        began = time.monotonic()
        assert not kept.keeper.wait_until_ready(0.3)
        assert time.monotonic() - began < 0.5


def test_old_programs_are_given_back(keep):
    count = 0

    def next_artifact(connection, _):
        nonlocal count
        count += 1
        connection.send(reply(body=artifact(str(count))))

    with FaultServer(next_artifact) as server:
        kept = keep(server.url, polling_interval_seconds=0.001)
        assert kept.keeper.wait_until_ready(5)
        first = weakref.ref(kept.keeper.current.program)
        threads = threading.active_count()
        until(lambda: count > 100)
        gc.collect()
        assert first() is None
        assert threading.active_count() <= threads + 2


def test_an_outage_is_logged_once_and_tells_nothing_of_the_artifact(keep):
    with FaultServer(answer(body=A), answer(body=b'{"name": "secret"}')) as server:
        kept = keep(f"{server.url}/private-token/rules.json")
        until(lambda: len(kept.reasons) > 3)
    assert len(kept.log.said) == 1
    assert kept.log.said[0].startswith("Failed to retrieve artifact: invalid")
    assert "secret" not in kept.log.said[0]
    assert "private-token" not in kept.log.said[0]


@pytest.mark.parametrize(
    ("options", "warnings"),
    [
        ({"polling_interval": 300}, ["polling_interval is in milliseconds: 300 means 0.3 s"]),
        ({"polling_interval": 1000}, []),
        ({"polling_interval": 0}, []),
        ({"polling_interval": -1}, []),
        ({"polling_interval_seconds": 0.3}, []),
    ],
)
def test_seconds_given_for_milliseconds_are_told_once(keep, tmp_path, options, warnings):
    (tmp_path / "rules.json").write_bytes(A)
    kept = keep(str(tmp_path / "rules.json"), **{"polling_interval_seconds": None, **options})
    assert kept.log.said == [f"{one}; polling_interval_seconds takes seconds" for one in warnings]
