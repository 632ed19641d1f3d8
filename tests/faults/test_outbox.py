"""Impressions on their way through outages, full disks, damaged files and servers that refuse (cases 50 to 58)."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from fixtures.delivery_api import json_answer
from fixtures.loopback import Answer
from target_decisioning import TargetClient
from target_decisioning.http import BreakerLimits, Breakers
from target_decisioning.outbox import Outbox, OutboxLimits
from tests.faults.parts import LOCAL, child, ended, execute, options, until


@pytest.fixture
def make(monkeypatch):
    """Make a client whose outbox has other limits; a tenth of a second stands for ten."""
    made = []
    breakers = functools.partial(Breakers, BreakerLimits(first_open_seconds=0.05, longest_open_seconds=0.2))
    monkeypatch.setattr("target_decisioning.remote.delivery.Breakers", breakers)

    def create(api, limits=None, **more):
        if limits:
            bounded = OutboxLimits(**limits)

            def limited(*arguments, **keywords):
                return Outbox(*arguments, **keywords, limits=bounded)

            monkeypatch.setattr("target_decisioning.reporting.Outbox", limited)
        made.append(TargetClient.create(options(api, **more)))
        return made[-1]

    yield create
    for client in made:
        client.close(timeout=0)


def decide(client, count, start=0):
    for number in range(start, start + count):
        client.get_offers(request=execute(tnt_id=f"v{number}"))


def offered(api):
    """Every impression that came, taken or not, as (id, impressionId, timestamp)."""
    fields = ("id", "impressionId", "timestamp")
    return [tuple(entry[field] for field in fields) for call in list(api.calls) for entry in call.body["notifications"]]


SCALED = {"first_delay_seconds": 0.02, "longest_delay_seconds": 0.2}


@pytest.mark.parametrize("durable", [False, True], ids=["in memory", "durable"])
def test_case_50_all_that_waited_for_an_outage_to_end_arrives_as_it_was_accepted(make, api, tmp_path, durable):
    """The drain is rate-limited, so that a fleet does not stampede; what comes later does not queue behind it."""
    api.always(json_answer({}, status=503))
    more = {"outbox_path": str(tmp_path / "outbox")} if durable else {}
    client = make(api, {**SCALED, "drain_per_second": 100.0}, **more)
    decide(client, 100)
    assert until(lambda: len(api.calls) > 10, 20)
    assert api.impressions == []
    before = offered(api)
    api.always(None)
    assert until(lambda: len(api.impressions) == 100, 40)
    taken = [(entry["id"], entry["impressionId"], entry["timestamp"]) for entry in api.impressions]
    assert set(before) <= set(taken)
    assert len(set(taken)) == 100
    moments = [call.received.at for call in api.calls if call.is_taken]
    for first, later in zip(moments, moments[30:], strict=False):
        assert later - first > 0.15  # 30 at 100 a second take 0.3 s
    decide(client, 1, 1000)
    assert client.flush(5)


def test_case_50_a_flush_cuts_a_pause_short_but_keeps_the_rate(make, api):
    api.always(json_answer({}, status=503))
    client = make(api, {"first_delay_seconds": 60.0, "longest_delay_seconds": 60.0, "drain_per_second": 1000.0})
    decide(client, 3)
    assert not client.flush(0.3)
    api.always(None)
    assert client.flush(15)
    assert len(api.impressions) == 3


@pytest.mark.parametrize("durable", [False, True], ids=["in memory", "durable"])
def test_case_51_beyond_the_bound_new_ones_are_refused_counted_and_told_once_a_second(make, api, tmp_path, durable):
    gate = threading.Event()
    api.always(lambda _: gate.wait(30) and json_answer({"status": 200}))
    told = []
    limits = {"disk_items" if durable else "items": 100}
    more = {"outbox_path": str(tmp_path / "outbox")} if durable else {}
    client = make(
        api, limits, events={"notifications_dropped": lambda event: told.append((time.monotonic(), event))}, **more
    )
    began = time.monotonic()
    decide(client, 1000)
    seconds = time.monotonic() - began
    assert until(lambda: sum(event["counts"]["full"] for _, event in told) == 900, 5)
    outbox = client.status()["outbox"]
    assert (outbox["pending"], outbox["dropped_by_reason"]) == (100, {"full": 900})
    moments = [at for at, _ in told]
    assert len(moments) <= 2 + seconds
    assert all(later - first > 0.9 for first, later in itertools.pairwise(moments))
    gate.set()
    assert client.flush(20)
    assert len(api.impressions) == 100


def test_case_51_a_full_outbox_costs_a_call_nothing(make, api):
    gate = threading.Event()
    api.always(lambda _: gate.wait(60) and json_answer({"status": 200}))
    quiet = make(api)
    full = make(api, {"items": 10})
    decide(full, 20)
    asked = execute(LOCAL)

    def p99(client):
        costs = []
        for _ in range(500):
            began = time.perf_counter()
            client.get_offers(request=asked)
            costs.append(time.perf_counter() - began)
        return sorted(costs)[495]

    rounds = [(p99(quiet), p99(full)) for _ in range(12)]  # in turn: the machine has other work too
    gate.set()
    assert full.status()["outbox"]["dropped"] > 5000
    assert min(busy for _, busy in rounds) < 2 * min(alone for alone, _ in rounds)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MiB, where mounting one is permitted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder):
    """Leave not one byte of room in *folder*."""
    filler = folder / "filler"
    with filler.open("ab") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(4096))
    with filler.open("ab") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), b"x")
    return filler


def test_case_53_what_a_full_disk_does_not_take_is_refused_and_counted(make, api, small_disk):
    gate = threading.Event()
    api.always(lambda _: gate.wait(30) and json_answer({"status": 200}))
    client = make(api, outbox_path=str(small_disk / "outbox"))
    decide(client, 10)
    fill(small_disk)
    decide(client, 3000, 10)
    outbox = client.status()["outbox"]
    assert outbox["dropped_by_reason"].keys() == {"disk"}
    assert outbox["pending"] + outbox["dropped"] == 3010
    gate.set()
    assert client.flush(30)
    assert len(api.impressions) == len({entry["id"] for entry in api.impressions}) == outbox["pending"]


def test_case_53_a_disk_that_is_full_when_it_is_emptied_still_gets_empty(make, api, small_disk):
    """What was sent is deleted without a byte of room, and the next start sends nothing of it again."""
    gate = threading.Event()
    api.always(lambda _: gate.wait(30) and json_answer({"status": 200}))
    client = make(api, outbox_path=str(small_disk / "outbox"))
    decide(client, 200)
    fill(small_disk)
    gate.set()
    assert client.flush(30)
    assert len(api.impressions) == 200
    client.close()
    again = make(api, outbox_path=str(small_disk / "outbox"))
    assert again.status()["outbox"]["pending"] == 0
    assert again.flush(5)
    assert len(api.impressions) == 200


def test_case_53_a_disk_that_is_full_at_the_start_leaves_a_queue_in_memory(make, api, small_disk):
    fill(small_disk)
    client = make(api, outbox_path=str(small_disk / "outbox"))
    decide(client, 5)
    assert client.flush(10)
    assert len(api.impressions) == 5


DIE_WITH_A_FULL_OUTBOX = """
import os, sys
from tests.faults.parts import create, execute
client = create()
for number in range(int(sys.argv[2])):
    client.get_offers(request=execute(tnt_id=f"v{number}"))
os.kill(os.getpid(), 9)
"""


def leave(path, count):
    """Have a killed process leave *count* impressions in *path*."""
    asked = options(server_domain="127.0.0.1:1", outbox_path=str(path))
    with ended(child(DIE_WITH_A_FULL_OUTBOX, asked, count)) as process:
        process.wait()
    return path


@pytest.fixture(scope="module")
def dead(tmp_path_factory):
    return leave(tmp_path_factory.mktemp("dead") / "outbox", 300)


@pytest.fixture
def left(dead, tmp_path):
    """An outbox that a killed process left with 300 impressions."""
    for file in dead.parent.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "outbox"


DAMAGE = {
    "random bytes in the middle": lambda path, chance: overwrite(
        path, chance.randrange(8192, 200_000), chance.randbytes(1024)
    ),
    "zeros at the end": lambda path, _: overwrite(path, max(0, path.stat().st_size - 20_000), bytes(1024)),
    "its head": lambda path, chance: overwrite(path, 0, chance.randbytes(1024)),
    "zero length": lambda path, _: path.write_bytes(b""),
    "cut in half": lambda path, _: os.truncate(path, path.stat().st_size // 2),
    "of a later version": lambda path, _: later_version(path),
    "no database": lambda path, _: path.write_bytes(b"something else altogether" * 1000),
}


def overwrite(path, at, content):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def later_version(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("how", DAMAGE)
def test_case_54_a_damaged_outbox_starts_and_what_is_sound_in_it_is_sent(make, api, left, how, seed):
    fold_log(left)
    DAMAGE[how](left, random.Random(seed))
    client = make(api, outbox_path=str(left))
    assert client.flush(30)
    arrived = Counter(entry["id"] for entry in api.impressions)
    assert set(arrived.values()) <= {1}
    assert len(arrived) <= 300
    if how == "of a later version":
        assert len(arrived) == 300
    counted = client.status()["outbox"]["dropped_by_reason"].get("damaged", 0)
    aside = list(left.parent.glob("*.damaged-*"))
    assert len(arrived) + counted == 300 or aside or how == "zero length"
    decide(client, 1, 1000)
    assert client.flush(5)
    assert len(api.impressions) == len(arrived) + 1


def fold_log(path: Path) -> None:
    """Bring everything into the one file that is then damaged."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_case_54_a_log_cut_by_a_crash_loses_only_what_was_not_yet_whole(make, api, tmp_path):
    left = leave(tmp_path / "outbox", 50)
    log = left.with_name("outbox-wal")
    os.truncate(log, log.stat().st_size - 2000)
    client = make(api, outbox_path=str(left))
    assert client.flush(30)
    assert 40 < len({entry["id"] for entry in api.impressions}) < 50


def test_case_55_what_the_server_never_takes_is_put_aside_after_one_try(make, api):
    poison = {}

    def picky(call):
        session = call.session_id
        return json_answer({"message": "no"}, status=poison[session]) if session in poison else json_answer({})

    poison.update({"s17": 400, "s42": 413})
    api.always(picky)
    told = []
    client = make(api, events={"send_notification_error": told.append})
    for number in range(100):
        client.get_offers(request=execute(tnt_id=f"secret-{number}"), session_id=f"s{number}")
    assert client.flush(10)
    assert len({entry["id"] for entry in api.impressions}) == 98
    assert Counter(call.session_id for call in api.calls) == Counter(f"s{number}" for number in range(100))
    assert client.status()["outbox"]["dead"] == 2
    assert until(lambda: len(told) == 2)
    assert sorted(event["error"].status for event in told) == [400, 413]
    letters = client._reporting.outbox.dead_letters
    assert [letter.attempts for letter in letters] == [1, 1]
    assert "secret" not in repr(letters)


def test_case_56_an_impression_whose_answer_got_lost_comes_twice_with_one_id(make, api):
    api.script(Answer(hang_up=True))
    client = make(api, SCALED)
    decide(client, 1)
    assert client.flush(10)
    first, second = api.calls
    assert first.body == second.body
    assert len(offered(api)) == 2
    assert len(set(offered(api))) == 1


def test_case_56_ids_and_times_stay_the_same_over_a_restart(make, api, left):
    kept = {entry[0]: entry for entry in stored(left)}
    client = make(api, outbox_path=str(left))
    assert client.flush(30)
    assert {entry[0]: entry for entry in offered(api)} == kept
    assert len(kept) == 300


def stored(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        bodies = [json.loads(body)["body"] for (body,) in connection.execute("SELECT body FROM item")]
    return [(one["id"], one["impressionId"], one["timestamp"]) for body in bodies for one in body["notifications"]]


@pytest.mark.parametrize("background", [True, False], ids=["threads", "no threads"])
def test_case_58_a_flush_returns_in_its_time_and_says_that_something_is_left(make, api, background):
    client = make(api, background=background, timeout=200)
    api.delay_seconds = 1.0
    decide(client, 3)
    began = time.monotonic()
    assert not client.flush(0.1)
    assert time.monotonic() - began < 0.3
    assert client.status()["outbox"]["pending"] == 3
    api.delay_seconds = 0.0
    assert client.flush(15)
    assert len({entry["id"] for entry in api.impressions}) == 3


def test_case_58_a_flush_sends_the_telemetry_that_waits(make, api):
    client = make(api, telemetry_enabled=True)
    for _ in range(7):
        client.get_offers(request={"context": {"channel": "web"}, "prefetch": {"mboxes": [{"name": LOCAL}]}})
    assert api.telemetry == []
    assert client.flush(10)
    assert len(api.telemetry) == 7


def test_d5_one_visitors_impressions_arrive_in_the_order_they_were_owed(make, api):
    client = make(api)
    for number in range(200):
        client.get_offers(request=execute(tnt_id=f"v{number % 4}"), session_id=f"{number % 4}-{number // 4}")
    assert client.flush(20)
    for visitor in range(4):
        order = [call.session_id for call in api.calls if call.session_id.startswith(f"{visitor}-")]
        assert order == [f"{visitor}-{number}" for number in range(50)]


@pytest.mark.parametrize(("durable", "most_seconds"), [(False, 50e-6), (True, 1e-3)], ids=["in memory", "durable"])
def test_d1_accepting_an_impression_costs_next_to_nothing(tmp_path, durable, most_seconds):
    """The 99th of a hundred, in the best of ten rounds: the machine has other work too."""
    gate = threading.Event()
    path = tmp_path / "outbox" if durable else None
    outbox = Outbox(lambda _: gate.wait(30), lambda *_, **__: None, Quiet(), path=path)
    item = {"body": {"notifications": [{"id": "x" * 32, "tokens": ["t" * 100]}], "context": {"channel": "web"}}}

    def p99():
        costs = []
        for number in range(400):
            began = time.perf_counter()
            outbox.offer({**item, "session_id": str(number)}, lane=f"v{number}")
            costs.append(time.perf_counter() - began)
        return sorted(costs)[396]

    best = min(p99() for _ in range(10))
    gate.set()
    outbox.close(0)
    assert best < most_seconds


class Quiet:
    def debug(self, *_):
        """Nobody listens."""

    error = debug
