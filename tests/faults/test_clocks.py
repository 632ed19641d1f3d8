"""Clocks that jump, and fleets whose clocks agree (cases 25 and 26)."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import threading
import time
from collections import Counter
from contextlib import closing

import pytest

from fixtures.faults import FaultServer, answer, not_modified_or
from target_decisioning.http import Transport
from tests.artifact.keeping import Kept, artifact
from tests.builders import a_rule, an_artifact
from tests.faults.parts import child, ended, options, until
from tests.faults.wall_clock import YEAR_SECONDS, WallClock

DECIDE_ON_DEMAND = """
import json, sys, time
from target_decisioning import TargetClient

stale = []
client = TargetClient.create(json.loads(sys.argv[1]) | {"events": {"artifact_stale": stale.append}})
request = {"context": {"channel": "web"}, "prefetch": {"mboxes": [{"name": "season"}]}}
for _ in sys.stdin:
    answered = client.get_offers(request=request).response.prefetch.mboxes[0].options[0].content
    status = client.status()
    state = [status["stale"], status["age_seconds"], status["timer_restarts"]]
    print(json.dumps([answered, time.gmtime().tm_year, len(stale), *state]), flush=True)
"""


def between(year, later_year):
    def since(year):
        return {"<=": [(year - 1970) * YEAR_SECONDS * 1000, {"var": "current_timestamp"}]}

    return {"and": [since(year), {"!": [since(later_year)]}]}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="moves the clock as Linux allows it")
def test_case_25_a_wall_clock_that_jumps_ten_years_changes_the_date_and_nothing_else(tmp_path):
    clock, this_year = WallClock(tmp_path), time.gmtime().tm_year
    seasons = {"past": (1970, this_year - 5), "now": (this_year - 5, this_year + 5), "future": (this_year + 5, 2200)}
    rules = [a_rule(name, condition=between(*years)) for name, years in seasons.items()]
    body = json.dumps(an_artifact(season=rules)).encode()
    with FaultServer(not_modified_or(body, '"1"')) as server:
        given = options(artifact_location=server.url, polling_interval_seconds=0.3)
        del given["artifact_payload"]
        with ended(child(DECIDE_ON_DEMAND, given, env=clock.environment)) as process:
            for years, season in ((0, "now"), (10, "future"), (-10, "past"), (0, "now")):
                clock.move(years * YEAR_SECONDS)
                asked = len(server.requests)
                assert until(lambda asked=asked: len(server.requests) >= asked + 4)
                process.stdin.write("\n")
                process.stdin.flush()
                offered, year, stale_events, is_stale, age_seconds, restarts = json.loads(process.stdout.readline())
                assert offered == season
                assert abs(year - this_year - years) <= 1
                assert (stale_events, is_stale, restarts) == (0, False, 0)
                assert age_seconds < 2
    gaps = [later.at - one.at for one, later in itertools.pairwise(server.requests)]
    assert all(0.25 < gap < 0.6 for gap in gaps[1:])


def per_second(moments):
    """Return how many of *moments* fall into the fullest second."""
    return max(Counter(int(moment) for moment in moments).values())


@pytest.fixture
def fleet():
    """Start keepers at once, each as on a host of its own; ``fleet(location, folders)``."""
    started = []
    with closing(Transport()) as transport:

        def start(location, folders):
            for folder in folders:
                kept = Kept(transport, artifact_location=location, polling_interval_seconds=300, cache_dir=folder)
                started.append(kept)
            threads = [threading.Thread(target=kept.keeper.start) for kept in started]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return started

        yield start
        for kept in started:
            kept.keeper.close()


def test_case_26_a_fleet_that_starts_with_stored_artifacts_spreads_its_first_polls(fleet, tmp_path):
    with FaultServer(answer(body=artifact())) as server:
        (first,) = fleet(server.url, [tmp_path / "0"])
        assert until(lambda: first.events and any((tmp_path / "0").iterdir()))
        folders = [tmp_path / str(number) for number in range(1, 201)]
        for folder in folders:
            shutil.copytree(tmp_path / "0", folder)
        kept = fleet(server.url, folders)[1:]
        polled = sum(one.status["source"] != "disk" for one in kept)
        assert polled <= len(server.requests) - 1 <= 5  # one or two may have come to their first poll meanwhile
        moments = [one.status["next_poll_seconds"] for one in kept]
    assert per_second(moments) <= 0.05 * len(kept)
    assert min(moments) < 30
    assert max(moments) > 270


def test_case_26_a_fleet_that_downloads_at_once_spreads_its_next_polls(fleet):
    with FaultServer(answer(body=artifact())) as server:
        kept = fleet(server.url, [None] * 200)
        assert until(lambda: all(one.name for one in kept), seconds=30)
        assert until(lambda: all(one.status["next_poll_seconds"] for one in kept))
        moments = [one.status["next_poll_seconds"] for one in kept]
        assert len(server.requests) == 200
    assert per_second(moments) <= 0.1 * len(kept)
    assert min(moments) < 285
    assert max(moments) > 315
