"""What is accepted is sent; what is not sent is counted; nobody waits."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from target_decisioning.events import SEND_NOTIFICATION_ERROR, Listeners
from target_decisioning.outbox import Outbox

BAD = pytest.mark.parametrize("background", [True, False], ids=["background", "no background"])


def threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("target-outbox")}


@BAD
def test_what_is_accepted_arrives_once(make_outbox, server, background):
    outbox = make_outbox(background=background)
    assert all(outbox.offer({"n": n}) for n in range(200))
    assert outbox.flush(5)
    assert sorted(server.taken) == list(range(200))
    assert set(server.tried.values()) == {1}
    assert outbox.status() == {
        "pending": 0,
        "sent": 200,
        "dropped": 0,
        "dead": 0,
        "dropped_by_reason": {},
        "durable": False,
    }


def test_no_thread_is_started_before_the_first_item(make_outbox):
    before = threads()
    outbox = make_outbox()
    assert outbox.flush(0.1)
    assert threads() <= before
    outbox.offer({"n": 1})
    assert threads() - before
    assert all(thread.daemon for thread in threads())


def test_without_a_background_no_thread_is_started_at_all(make_outbox, server):
    before = threads()
    outbox = make_outbox(background=False)
    outbox.offer({"n": 1})
    outbox.work(1.0)
    assert server.taken == [1]
    assert threads() <= before


def test_without_a_background_each_turn_sends_one_item_at_least(make_outbox, server):
    outbox = make_outbox(background=False)
    server.seconds = 0.005
    for n in range(3):
        outbox.offer({"n": n})
    outbox.work(0.0)
    assert server.taken == [0]
    outbox.work(1.0)
    assert server.taken == [0, 1, 2]


def test_accepting_costs_microseconds(make_outbox, server):
    outbox = make_outbox()
    server.gate.clear()
    item = {"n": 0, "notifications": [{"id": "x" * 36, "tokens": ["t" * 60]}], "context": {"a": "b" * 800}}
    outbox.offer(item)
    costs = []
    for _ in range(2000):
        began = time.perf_counter()
        outbox.offer(item)
        costs.append(time.perf_counter() - began)
    assert sorted(costs)[1000] < 10e-6


def test_several_items_are_sent_at_the_same_time(make_outbox, server):
    server.seconds = 0.01
    outbox = make_outbox(senders=8)
    for n in range(80):
        outbox.offer({"n": n})
    assert outbox.flush(5)
    assert 2 <= server.most_at_once <= 8


def test_one_visitors_items_arrive_in_order(make_outbox, server):
    outbox = make_outbox()
    for n in range(200):
        outbox.offer({"n": n}, lane=f"visitor {n % 3}")
    assert outbox.flush(5)
    for visitor in range(3):
        order = [n for n in server.taken if n % 3 == visitor]
        assert order == sorted(order)


def test_what_could_not_be_sent_is_sent_when_the_server_is_back(make_outbox, server, log, told):
    server.is_down = True
    outbox = make_outbox()
    for n in range(100):
        outbox.offer({"n": n})
    assert not outbox.flush(0.05)
    assert outbox.status()["pending"] == 100
    server.is_down = False
    assert outbox.flush(5)
    assert sorted(server.taken) == list(range(100))
    assert len(log.errors) == 1
    assert told.events == []


def test_a_waiting_flush_does_not_sit_out_a_long_pause(make_outbox, server, wait_until):
    server.is_down = True
    outbox = make_outbox(first_delay_seconds=300.0, longest_delay_seconds=300.0)
    outbox.offer({"n": 1})
    assert wait_until(lambda: server.tried[1] == 1)
    server.is_down = False
    assert outbox.flush(3)


def test_flush_gives_up_after_its_timeout_and_loses_nothing(make_outbox, server):
    server.gate.clear()
    outbox = make_outbox()
    outbox.offer({"n": 1})
    began = time.monotonic()
    assert not outbox.flush(0.1)
    assert time.monotonic() - began < 1
    server.gate.set()
    assert outbox.flush(5)
    assert server.taken == [1]


def test_flush_waits_only_for_what_was_accepted_before(make_outbox):
    outbox = make_outbox(senders=1)
    outbox.offer({"n": 0})
    stop = threading.Event()

    def keep_offering():
        while not stop.wait(0.0005):
            outbox.offer({"n": 1})

    thread = threading.Thread(target=keep_offering)
    thread.start()
    assert outbox.flush(2)
    stop.set()
    thread.join()


def test_undeliverable_items_are_set_aside_and_the_others_arrive(make_outbox, server, told):
    server.refuses = {3: 400, 7: 413}
    outbox = make_outbox()
    for n in range(100):
        outbox.offer({"n": n, "secret": "canary"})
    assert outbox.flush(5)
    assert sorted(server.taken) == [n for n in range(100) if n not in {3, 7}]
    assert (server.tried[3], server.tried[7]) == (1, 1)
    assert outbox.status()["dead"] == 2
    assert sorted(payload["notification"]["n"] for payload in told.of("send_notification_error")) == [3, 7]
    letters = outbox.dead_letters
    assert [letter.outline for letter in letters] == [{"n": "int", "secret": "str"}] * 2
    assert "canary" not in repr(letters)


def test_a_throttled_item_is_tried_again(make_outbox, server, wait_until):
    server.refuses = {1: 429}
    outbox = make_outbox()
    outbox.offer({"n": 1})
    assert wait_until(lambda: server.tried[1] >= 2)
    server.refuses = {}
    assert outbox.flush(5)


def test_a_full_outbox_refuses_and_counts_exactly(make_outbox, server):
    server.gate.clear()
    outbox = make_outbox(items=50)
    accepted = []

    def offer_many():
        accepted.extend(outbox.offer({"n": n}) for n in range(100))

    offering = [threading.Thread(target=offer_many) for _ in range(4)]
    for thread in offering:
        thread.start()
    for thread in offering:
        thread.join()
    assert sum(accepted) == 50
    assert outbox.status()["dropped_by_reason"] == {"full": 350}
    server.gate.set()
    assert outbox.flush(5)
    assert len(server.taken) == 50


def test_drops_are_told_at_most_once_a_second_with_right_sums(make_outbox, server, told, wait_until):
    server.gate.clear()
    outbox = make_outbox(items=1)
    outbox.offer({"n": 0})
    for _ in range(20):
        outbox.offer({"n": 1})
        time.sleep(0.005)

    def sums():
        return sum(payload["counts"]["full"] for payload in told.of("notifications_dropped"))

    assert wait_until(lambda: sums() == 20, 3)
    assert len(told.of("notifications_dropped")) <= 2


def test_the_bytes_that_wait_are_bounded(make_outbox, server, wait_until):
    server.gate.clear()
    outbox = make_outbox(bytes=10_000, senders=1)
    outbox.offer({"n": 0, "text": "x" * 9_000})
    outbox.offer({"n": 1, "text": "x" * 9_000})
    assert wait_until(lambda: not outbox.offer({"n": 2}))


def test_an_item_that_is_too_old_is_given_up(make_outbox, server, told, wait_until):
    server.is_down = True
    outbox = make_outbox(expiry_seconds=0.05)
    outbox.offer({"n": 1})
    assert wait_until(lambda: outbox.status()["dropped_by_reason"] == {"expired": 1})
    assert outbox.flush(1)
    assert [payload["notification"] for payload in told.of("send_notification_error")] == [{"n": 1}]


def test_closing_sends_what_waits_and_refuses_what_comes(make_outbox, server):
    server.seconds = 0.002
    outbox = make_outbox()
    for n in range(50):
        outbox.offer({"n": n})
    assert outbox.close(5)
    assert len(server.taken) == 50
    assert not outbox.offer({"n": 51})
    assert outbox.close(5)
    assert outbox.status()["dropped_by_reason"] == {"closed": 1}


@pytest.mark.parametrize("timeout_seconds", [5, 0])
def test_closing_ends_all_threads(make_outbox, server, wait_until, timeout_seconds):
    before = threads()
    outbox = make_outbox()
    server.seconds = 0.001
    for n in range(200):
        outbox.offer({"n": n})
    assert threads() - before
    outbox.close(timeout_seconds)
    assert wait_until(lambda: threads() <= before)


def test_what_is_left_at_closing_is_counted_and_told_once(make_outbox, server, told, log, wait_until):
    server.is_down = True
    outbox = make_outbox()
    for n in range(30):
        outbox.offer({"n": n})
    assert not outbox.close(0.05)
    assert outbox.status()["dropped_by_reason"] == {"closed": 30}
    assert outbox.status()["pending"] == 0
    assert len(log.warnings) == 1
    assert "30" in log.warnings[0]
    assert wait_until(lambda: told.of("notifications_dropped") == [{"counts": {"closed": 30}}])


def test_a_slow_listener_holds_nothing_up(make_outbox, server, log):
    blocked = threading.Event()
    listeners = Listeners(log, {SEND_NOTIFICATION_ERROR: lambda: blocked.wait(5)})
    outbox = make_outbox(emit=listeners.emit)
    server.refuses = {0: 400}
    for n in range(50):
        outbox.offer({"n": n})
    assert outbox.flush(5)
    assert len(server.taken) == 49
    blocked.set()


def test_a_listener_may_use_the_outbox(make_outbox, server, wait_until, log):
    listeners = Listeners(log)
    outbox = make_outbox(emit=listeners.emit)
    outcomes = []

    def listener():
        outcomes.append(outbox.offer({"n": 2}))
        outcomes.append(outbox.flush(5))
        outcomes.append(outbox.close(5))

    listeners.subscribe(SEND_NOTIFICATION_ERROR, listener)
    server.refuses = {1: 400}
    outbox.offer({"n": 1})
    assert wait_until(lambda: len(outcomes) == 3)
    assert outcomes == [True, True, True]
    assert server.taken == [2]


def test_an_item_that_cannot_be_sent_at_all_is_undeliverable(make_outbox):
    outbox = make_outbox()
    outbox.offer({"no n": object()})
    assert outbox.flush(5)
    assert outbox.status()["dead"] == 1


def test_an_outbox_nobody_holds_any_more_still_sends(server, told, log, wait_until):
    server.gate.clear()
    Outbox(server, told, log).offer({"n": 1})
    gc.collect()
    server.gate.set()
    assert wait_until(lambda: server.taken == [1])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dispatcher_that_died_is_started_anew(make_outbox, server):
    outbox = make_outbox()
    outbox.offer({"n": 1})
    assert outbox.flush(5)
    outbox._dispatcher._inbox.put((sys.exit,))
    outbox._dispatcher._thread.join(5)
    outbox.offer({"n": 2})
    assert outbox.flush(5)
    assert server.taken == [1, 2]


def run(script, *arguments, timeout=20):
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done, time.monotonic() - started


def test_a_script_that_falls_off_its_end_sends_what_waits():
    done, _ = run(
        """
        import logging, os, time
        from target_decisioning.outbox import Outbox

        def send(item):
            time.sleep(0.05)
            os.write(1, f"{item['n']}\\n".encode())

        outbox = Outbox(send, lambda *_, **__: None, logging.getLogger("x"))
        for n in range(10):
            outbox.offer({"n": n})
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(map(int, done.stdout.split())) == list(range(10))


def test_the_end_of_a_script_is_held_up_for_two_seconds_at_most():
    done, seconds = run(
        """
        import logging, sys, time
        from target_decisioning.outbox import Outbox, OutboxLimits

        outbox = Outbox(lambda item: time.sleep(60), lambda *_, **__: None, logging.getLogger("x"),
                        limits=OutboxLimits(exit_seconds=0.3))
        for n in range(10):
            outbox.offer({"n": n})
        """
    )
    assert done.returncode == 0
    assert seconds < 4
    assert done.stderr.count("\n") == 1
    assert "10 impressions" in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_sends_its_own_items_only():
    done, _ = run(
        """
        import logging, os, threading, warnings
        from target_decisioning.outbox import Outbox

        warnings.simplefilter("ignore")
        gate = threading.Event()
        read, write = os.pipe()

        def send(item):
            gate.wait()
            os.write(write, f"{item['by']} {os.getpid()} {item['n']}\\n".encode())

        def offer(who):
            for n in range(100):
                assert outbox.offer({"n": n, "by": who})

        outbox = Outbox(send, lambda *_, **__: None, logging.getLogger("x"))
        offer("parent")
        pids = {"parent": os.getpid()}
        child = os.fork()
        gate.set()
        if child == 0:
            assert outbox.status()["pending"] == 0
            offer("child")
            grandchild = os.fork()
            if grandchild == 0:
                offer("grandchild")
                os._exit(0 if outbox.flush(5) and outbox.status()["sent"] == 100 else 1)
            assert os.waitpid(grandchild, 0)[1] == 0
            os._exit(0 if outbox.flush(5) and outbox.status()["sent"] == 100 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert outbox.close(5)
        pid = os.fork()
        if pid == 0:
            os._exit(1 if outbox.offer({"n": 1, "by": "late"}) else 0)
        assert os.waitpid(pid, 0)[1] == 0
        os.close(write)
        lines = os.fdopen(read).read().split("\\n")[:-1]
        print(len(lines), len(set(lines)), len({tuple(line.split()[:2]) for line in lines}))
        """
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["300", "300", "3"]


def _unmade():
    raise MemoryError


@BAD
def test_an_item_that_cannot_be_made_is_counted_and_holds_up_nothing(make_outbox, server, background):
    outbox = make_outbox(background=background)
    assert outbox.offer(_unmade)
    assert outbox.offer(lambda: ({"n": 1}, "visitor"))
    assert outbox.flush(5)
    assert server.taken == [1]
    assert outbox.status()["dropped_by_reason"] == {"unmade": 1}
    assert outbox.status()["pending"] == 0


def test_an_item_that_cannot_be_made_for_the_disk_is_refused(make_outbox, server, tmp_path):
    outbox = make_outbox(tmp_path / "outbox")
    assert not outbox.offer(_unmade)
    assert outbox.offer(lambda: ({"n": 1}, "visitor"))
    assert outbox.flush(5)
    assert server.taken == [1]
    assert outbox.status()["pending"] == 0
