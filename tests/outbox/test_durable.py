"""With a path, what was accepted is on disk: it outlives the process, a full disk and a damaged file."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest

from target_decisioning.errors import ConfigError
from target_decisioning.outbox import Outbox
from target_decisioning.outbox.spool import RESERVE_BYTES, Spool, SpoolBusy


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.db"


def stored(path):
    with closing(Spool(path)) as spool:
        return [spool.read(one.number)["n"] for one in spool.stored()]


@contextmanager
def spooled(path, count):
    """A file that holds items 0 to *count*, not open any more."""
    with closing(Spool(path)) as spool:
        for n in range(count):
            spool.append({"n": n, "text": "x" * 500}, "", time.time_ns() // 1_000_000)
    yield path


def test_what_is_sent_leaves_the_disk(make_outbox, server, path):
    outbox = make_outbox(path=path)
    assert outbox.status()["durable"]
    assert all(outbox.offer({"n": n}, lane=f"v{n % 5}") for n in range(200))
    assert outbox.flush(5)
    assert sorted(server.taken) == list(range(200))
    assert outbox.close(5)
    assert stored(path) == []


def test_what_is_left_is_sent_by_the_next_start_as_it_was(make_outbox, server, path):
    server.is_down = True
    outbox = make_outbox(path=path)
    for n in range(50):
        outbox.offer({"n": n, "text": "\u00e9\ud83d"})
    assert not outbox.close(0.05)
    assert outbox.status()["pending"] == 50
    assert outbox.status()["dropped"] == 0
    assert stored(path) == list(range(50))
    server.is_down = False
    assert make_outbox(path=path).flush(5)
    assert sorted(server.taken) == list(range(50))


def test_only_its_owner_can_read_the_file(make_outbox, path):
    make_outbox(path=path).offer({"n": 1})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_accepting_costs_less_than_a_millisecond(make_outbox, server, path):
    server.gate.clear()
    outbox = make_outbox(path=path)
    costs = []
    for n in range(500):
        began = time.perf_counter()
        outbox.offer({"n": n, "text": "x" * 1000})
        costs.append(time.perf_counter() - began)
    assert sorted(costs)[250] < 1e-3


def test_an_undeliverable_item_leaves_the_disk(make_outbox, server, path):
    server.refuses = {1: 400}
    outbox = make_outbox(path=path)
    outbox.offer({"n": 1})
    assert outbox.close(5)
    assert outbox.dead_letters[0].outline == {"n": "int"}
    assert stored(path) == []


def test_an_item_that_json_cannot_hold_is_refused(make_outbox, path):
    outbox = make_outbox(path=path)
    assert not outbox.offer({"n": object()})
    assert outbox.status()["dropped_by_reason"] == {"disk": 1}
    assert outbox.status()["pending"] == 0


def test_items_on_disk_expire(make_outbox, server, path):
    with closing(Spool(path)) as spool:
        spool.append({"n": 1}, "", time.time_ns() // 1_000_000 - 73 * 3600 * 1000)
        spool.append({"n": 2}, "", time.time_ns() // 1_000_000 - 71 * 3600 * 1000)
    outbox = make_outbox(path=path)
    assert outbox.flush(5)
    assert server.taken == [2]
    assert outbox.status()["dropped_by_reason"] == {"expired": 1}
    outbox.close(1)
    assert stored(path) == []


def test_the_bytes_on_disk_are_bounded(make_outbox, server, path):
    server.gate.clear()
    outbox = make_outbox(path=path, disk_bytes=10_000)
    accepted = sum(outbox.offer({"n": n, "text": "x" * 990}) for n in range(30))
    assert accepted == 10
    assert outbox.status()["dropped_by_reason"] == {"full": 20}


def test_a_path_in_no_folder_is_a_wrong_option(server, told, log, tmp_path):
    with pytest.raises(ConfigError) as caught:
        Outbox(server, told, log, path=tmp_path / "nowhere" / "outbox.db")
    assert caught.value.option == "outbox_path"


def test_a_file_that_cannot_be_made_leaves_the_queue_in_memory(make_outbox, server, log, tmp_path):
    outbox = make_outbox(path=tmp_path / ("x" * 300))  # no file system takes so long a name
    assert not outbox.status()["durable"]
    assert len(log.warnings) == 1
    outbox.offer({"n": 1})
    assert outbox.flush(5)
    assert server.taken == [1]


def test_a_folder_is_no_file(make_outbox, tmp_path):
    with pytest.raises(ConfigError, match="outbox_path must be a file"):
        make_outbox(path=tmp_path)


def test_a_second_outbox_on_one_path_takes_a_file_beside_it(make_outbox, server, path):
    server.is_down = True
    first, second = make_outbox(path=path), make_outbox(path=path)
    first.offer({"n": 1})
    second.offer({"n": 2})
    first.close(0)
    second.close(0)
    assert stored(path) == [1]
    assert stored(path.with_name("outbox.db.1")) == [2]


def test_what_a_dead_process_left_in_a_file_beside_is_taken_over(make_outbox, server, path):
    with closing(Spool(path)):
        pass
    with spooled(path.with_name("outbox.db.1"), 20) as beside:
        outbox = make_outbox(path=path)
        outbox.offer({"n": 100})
        assert outbox.flush(5)
        assert sorted(server.taken) == [*range(20), 100]
        outbox.close(1)
        assert stored(beside) == []


def test_what_another_organization_left_is_not_touched(make_outbox, server, path, log):
    server.is_down = True
    ours, theirs = make_outbox(path=path, owner="acme 1@AdobeOrg"), make_outbox(path=path, owner="beta 2@AdobeOrg")
    ours.offer({"n": 1})
    theirs.offer({"n": 2})
    ours.close(0)
    theirs.close(0)
    server.is_down = False
    again = make_outbox(path=path, owner="beta 2@AdobeOrg")
    assert again.flush(5)
    assert server.taken == [2]
    left = "What waits in outbox.db is for another client or organization; it is left there"
    assert any(left in warning for warning in log.warnings)
    assert make_outbox(path=path, owner="acme 1@AdobeOrg").flush(5)
    assert server.taken == [2, 1]


def test_what_another_organization_left_is_not_touched_where_it_is_damaged(make_outbox, path):
    left = make_outbox(path=path, owner="acme 1@AdobeOrg")
    left.close(0)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    beside = make_outbox(path=path, owner="beta 2@AdobeOrg")
    assert beside.status()["durable"]
    beside.close(0)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.damaged-*"))


def test_a_file_of_an_earlier_version_belongs_to_who_comes_first(make_outbox, server, path):
    with spooled(path, 1):
        assert make_outbox(path=path, owner="acme 1@AdobeOrg").flush(5)
    assert server.taken == [0]


def test_a_file_has_one_owner(path):
    with closing(Spool(path)), pytest.raises(SpoolBusy):
        Spool(path)


SEND_AND_DIE = """
import logging, os, sys, threading, time
from target_decisioning.outbox import Outbox, OutboxLimits

path, arrived, start = sys.argv[1], os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT), int(sys.argv[3])

def send(item):
    time.sleep(0.001)
    os.write(arrived, f"{item['n']}\\n".encode())

outbox = Outbox(send, lambda *_, **__: None, logging.getLogger("x"), path=path, limits=OutboxLimits(senders=4))
n = start
while True:
    if outbox.offer({"n": n, "text": "x" * 300}):
        os.write(1, f"{n}\\n".encode())
    n += 1
    time.sleep(0.0005)
"""


def test_killing_loses_nothing_that_was_accepted(make_outbox, server, path, tmp_path):
    arrived = tmp_path / "arrived"
    accepted = []
    for round_ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", SEND_AND_DIE, str(path), str(arrived), str(round_ * 100_000)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(random.Random(round_).uniform(0.0, 0.06))
        process.kill()
        accepted += [int(n) for n in (first + process.stdout.read()).split()]
        process.stdout.close()
        process.wait()
    outbox = make_outbox(path=path)
    assert outbox.flush(10)
    sent = [int(n) for n in arrived.read_text().split()] + server.taken
    assert set(accepted) <= set(sent)
    assert len(sent) - len(set(sent)) <= 20 * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.parametrize("child_is", ["killed", "sent"])
def test_a_forked_child_uses_a_file_of_its_own(path, child_is):
    script = """
import logging, os, sys, threading, warnings
from target_decisioning.outbox import Outbox
warnings.simplefilter("ignore")
gate = threading.Event()
outbox = Outbox(lambda item: gate.wait(), lambda *_, **__: None, logging.getLogger("x"), path=sys.argv[1])
for n in range(20):
    assert outbox.offer({"n": n})
child = os.fork()
if child == 0:
    assert outbox.status() == {**outbox.status(), "pending": 0, "durable": True}
    assert outbox.offer({"n": 100})
    how = sys.argv[2]
    gate.set() if how == "sent" else None
    os._exit(0) if how == "killed" else sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert outbox.offer({"n": 20})
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), child_is], capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(path) == list(range(21))
    assert stored(path.with_name("outbox.db.1")) == ([100] if child_is == "killed" else [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_the_threads_of_a_forked_child_wait_until_the_file_is_its_own(path):
    script = """
import logging, os, sys, threading, time, warnings
from target_decisioning.outbox import Outbox, custody as module
warnings.simplefilter("ignore")
outbox = Outbox(lambda item: threading.Event().wait(), lambda *_, **__: None, logging.getLogger("x"), path=sys.argv[1])
child = os.fork()
if child == 0:
    opening, opened = threading.Event(), module.open_spool
    def slowly(*arguments):
        opening.set()
        time.sleep(0.2)
        return opened(*arguments)
    module.open_spool = slowly
    first = threading.Thread(target=outbox.offer, args=({"n": 1},))
    first.start()
    opening.wait()
    assert outbox.offer({"n": 2}) and outbox.status()["durable"]
    first.join()
    assert outbox.status()["pending"] == 2
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(stored(path.with_name("outbox.db.1"))) == [1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_the_end_of_a_forked_child_leaves_the_parents_log_alone(path):
    script = """
import os, sys
from pathlib import Path
from target_decisioning.outbox.spool import Spool
spool = Spool(Path(sys.argv[1]))
spool.append({"n": 0}, "", 0)
child = os.fork()
if child == 0:
    spool.abandon()
    sys.exit(0)
os.waitpid(child, 0)
spool.append({"n": 1}, "", 0)
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=20)
    assert stored(path) == [0, 1]


def damage(path, at, content):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


@pytest.mark.parametrize("seed", range(8))
def test_sound_items_of_a_damaged_file_are_sent(make_outbox, server, path, log, seed):
    chance = random.Random(seed)
    with spooled(path, 300):
        damage(path, chance.randrange(path.stat().st_size - 1024), chance.randbytes(1024))
    outbox = make_outbox(path=path)
    assert outbox.flush(5)
    assert len(server.taken) == len(set(server.taken))
    assert set(server.taken) <= set(range(300))
    assert outbox.offer({"n": 1000})
    assert outbox.flush(5)
    assert 1000 in server.taken
    lost = 300 - len(set(server.taken) - {1000})
    aside = [file for file in path.parent.iterdir() if ".damaged-" in file.name]
    assert bool(aside) == bool(log.warnings)
    assert aside or outbox.status()["dropped_by_reason"].get("damaged", 0) == lost


def test_an_item_whose_content_changed_is_set_aside(make_outbox, server, path):
    with spooled(path, 10), closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE item SET body = replace(body, 'xxx', 'yyy') WHERE number = 4")
    outbox = make_outbox(path=path)
    assert outbox.flush(5)
    assert sorted(server.taken) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert outbox.status()["dropped_by_reason"] == {"damaged": 1}
    outbox.close(1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT number FROM damaged").fetchall() == [(4,)]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_outbox_is_replaced(make_outbox, server, path, content):
    path.write_bytes(content)
    outbox = make_outbox(path=path)
    outbox.offer({"n": 1})
    assert outbox.flush(5)
    assert server.taken == [1]
    aside = [file for file in path.parent.iterdir() if ".damaged-" in file.name]
    assert [file.read_bytes() for file in aside] == ([content] if content else [])


def test_a_file_of_a_later_version_is_set_aside_and_what_can_be_read_is_sent(make_outbox, server, path):
    with spooled(path, 3), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    outbox = make_outbox(path=path)
    assert outbox.flush(5)
    assert sorted(server.taken) == [0, 1, 2]
    assert [file for file in path.parent.iterdir() if ".damaged-" in file.name]


class FullDisk:
    """A connection whose disk takes no more, until something is given up."""

    def __init__(self, connection, is_full):
        self._connection, self.is_full = connection, is_full

    def execute(self, query, *arguments):
        if query.startswith(("INSERT", "DELETE")) and self.is_full(query):
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(query, *arguments)

    def close(self):
        self._connection.close()


def test_what_a_full_disk_does_not_take_is_refused(make_outbox, server, path):
    server.gate.clear()
    outbox = make_outbox(path=path)
    outbox.offer({"n": 1})
    outbox._spool._connection = FullDisk(outbox._spool._connection, lambda query: query.startswith("INSERT"))
    assert not outbox.offer({"n": 2})
    assert outbox.status()["dropped_by_reason"] == {"disk": 1}
    assert outbox.status()["pending"] == 1
    server.gate.set()
    assert outbox.flush(5)
    assert server.taken == [1]


def test_where_there_is_no_room_to_delete_the_reserve_is_given_up(path):
    reserve = path.with_name("outbox.db.reserve")
    with closing(Spool(path)) as spool:
        number = spool.append({"n": 1}, "", 0).number
        assert reserve.stat().st_size == RESERVE_BYTES
        spool._connection = FullDisk(spool._connection, lambda _: reserve.exists())
        spool.remove(number)
        assert not reserve.exists()
        assert spool.stored() == []
    assert stored(path) == []


def test_what_cannot_be_deleted_is_not_sent_again(make_outbox, server, path):
    outbox = make_outbox(path=path)
    room = []
    outbox._spool._connection = FullDisk(
        outbox._spool._connection, lambda query: query.startswith("DELETE") and not room
    )
    for n in range(20):
        outbox.offer({"n": n})
    assert outbox.flush(5)
    assert sorted(server.taken) == list(range(20))
    assert outbox.status()["pending"] == 0
    room.append("again")
    outbox.offer({"n": 20})
    assert outbox.flush(5)
    outbox.close(1)
    assert stored(path) == []
