"""Starting while the CDN or the disk is in trouble (cases 1 to 6)."""

from __future__ import annotations

import os
import time

import pytest

from fixtures.cdn import Cdn
from fixtures.faults import FaultServer, answer
from target_decisioning.errors import ArtifactUnavailable
from tests.faults.parts import LOCAL, ROOT, until
from tests.faults.started import SHOP_BYTES, Started, changed_shop, free_port

ARTIFACTS = ROOT / "artifacts"


def stored_in(folder):
    """Return the stored artifact's path, once it is there."""
    assert until(lambda: [path for path in folder.iterdir() if not path.suffix])
    return next(path for path in folder.iterdir() if not path.suffix)


def test_case_01_hybrid_starts_with_the_cdn_down_and_becomes_ready_once_it_is_up(start, api):
    port = free_port()
    one = start(
        f"http://127.0.0.1:{port}/shop.json",
        decisioning_method="hybrid",
        maximum_wait_ready=500,
        polling_interval_seconds=0.2,
    )
    assert one.seconds < 1.0
    assert until(lambda: "connect" in one.reasons)
    answered = one.ask(LOCAL)
    assert answered.meta["decisioning_method"] == "server-side"
    assert answered.response.prefetch.mboxes[0].options[0].content == f"<p>remote offer for {LOCAL}</p>"
    assert len(api.decisions) == 1
    with Cdn(ARTIFACTS, port=port):
        assert one.client.wait_until_ready(2)
        assert one.ask(LOCAL).meta["decisioning_method"] == "on-device"
        time.sleep(0.5)
    assert len(one.of("client_ready")) == 1
    assert len(api.decisions) == 1


def test_case_01_without_a_limit_of_the_callers_a_start_waits_five_seconds(start):
    one = start(f"http://127.0.0.1:{free_port()}/shop.json", polling_interval_seconds=300)
    assert 4.9 < one.seconds < 5.5


def test_case_02_on_device_says_at_once_why_it_cannot_decide_and_recovers(start):
    with FaultServer(answer(503)) as server:
        one = start(server.url, maximum_wait_ready=0, polling_interval_seconds=1)
        assert until(lambda: one.reasons)
        errors, seconds, asked = [], [], len(server.requests)
        for _ in range(200):
            began = time.perf_counter()
            with pytest.raises(ArtifactUnavailable) as caught:
                one.ask()
            seconds.append(time.perf_counter() - began)
            errors.append(str(caught.value))
        assert sorted(seconds)[190] < 0.01
        assert len(server.requests) <= asked + 1  # no request fetches
        assert "No artifact for " in errors[0]
        assert "last error: status" in errors[0]
        assert "next try in " in errors[0]
        server.then(answer(body=SHOP_BYTES))
        assert one.client.wait_until_ready(5)
        assert one.ask(LOCAL).response.prefetch.mboxes[0].options


def test_case_03_what_an_earlier_process_stored_decides_at_once_until_the_network_replaces_it(tmp_path, start):
    with Cdn(ARTIFACTS) as cdn:
        port, location = cdn.port, cdn.location("shop.json")
        first = start(location, cache_dir=tmp_path, polling_interval_seconds=0)
        before = first.answers()
        stored_in(tmp_path)
    saved_at = time.time()
    time.sleep(0.3)
    one = start(location, cache_dir=tmp_path, polling_interval_seconds=0.2)
    assert one.seconds < 0.5
    assert one.status["source"] == "disk"
    assert 0.2 < one.status["age_seconds"] < time.time() - saved_at + 1
    assert one.answers() == before
    with Cdn(port=port) as cdn:
        cdn.swap("shop.json", changed_shop(version="1.0.9"))
        assert until(lambda: one.status["version"] == "1.0.9")
        assert one.status["source"] == "network"


def test_case_04_a_stored_artifact_cut_anywhere_stops_no_start(tmp_path, start):
    with Cdn(ARTIFACTS) as cdn:
        location = cdn.location("shop.json")
        start(location, cache_dir=tmp_path, polling_interval_seconds=0)
        stored = stored_in(tmp_path)
        whole = stored.read_bytes()
    for length in range(0, len(whole), 1024):
        stored.write_bytes(whole[:length])
        one = Started(location, cache_dir=tmp_path, maximum_wait_ready=0)
        with pytest.raises(ArtifactUnavailable):
            one.ask()
        one.client.close()
        assert not stored.exists()
        assert stored.with_suffix(".aside").read_bytes() == whole[:length]
    with Cdn(ARTIFACTS, port=cdn.port):
        stored.write_bytes(whole[:-1])
        one = start(location, cache_dir=tmp_path)
        assert one.status["source"] == "network"
        assert one.status["set_aside"] == 1
        assert until(lambda: stored.exists() and stored.read_bytes()[-100:] == whole[-100:])


def writable_by_nobody(folder):
    """Return a folder in which not even root may write."""
    if os.geteuid() == 0:
        return "/proc/self/cache"
    folder.chmod(0o500)
    return folder


def not_a_folder(folder):
    (folder / "cache").symlink_to("/dev/full")
    return folder / "cache"


@pytest.mark.parametrize("unusable", [writable_by_nobody, not_a_folder])
def test_case_06_a_cache_folder_that_cannot_be_written_costs_one_warning_and_nothing_else(tmp_path, start, unusable):
    with Cdn(ARTIFACTS) as cdn:
        without = start(cdn.location("shop.json"), polling_interval_seconds=0)
        began, asked = time.monotonic(), len(cdn.received)
        one = start(cdn.location("shop.json"), cache_dir=unusable(tmp_path), polling_interval_seconds=0.1)
        assert one.status["source"] == "network"
        assert one.answers() == without.answers()
        assert until(lambda: len(cdn.received) > asked + 5)
        cdn.swap("shop.json", changed_shop(version="1.0.9"))
        assert until(lambda: one.status["version"] == "1.0.9")
        assert len(cdn.received) - asked <= (time.monotonic() - began) / 0.09 + 2
    said = [line for line in one.log.warnings if "artifact" in line]
    assert len(said) == 1
    assert "Failed" not in "".join(one.log.errors)
