"""Which item goes next, and when; without a clock."""

from __future__ import annotations

import pytest

from target_decisioning.outbox.limits import OutboxLimits
from target_decisioning.outbox.schedule import OUTAGE_AFTER, Entry, Schedule


@pytest.fixture
def schedule():
    """Jitter is 1: every pause is as long as it may be."""
    return Schedule(OutboxLimits(first_delay_seconds=1, longest_delay_seconds=300, drain_per_second=50), lambda: 1.0)


def entry(number, lane=""):
    return Entry(number=number, packed=b"", lane=lane, size_bytes=2, expires_at=1e9)


def add(schedule, *entries):
    for one in entries:
        schedule.add(one)
    return entries


def due(schedule, now):
    """All that may be sent at *now*, by number."""
    found = []
    while (one := schedule.next(now)) is not None:
        found.append(one)
    return found


def numbers(entries):
    return [one.number for one in entries]


def fail_all(schedule, now):
    for one in due(schedule, now):
        schedule.failed(one, now)


def test_entries_leave_in_the_order_they_came(schedule):
    add(schedule, entry(1), entry(2), entry(3))
    assert numbers(due(schedule, 0)) == [1, 2, 3]
    assert schedule.seconds_to_next(0) is None


def test_a_visitors_second_item_waits_for_the_first(schedule):
    first, _, other = add(schedule, entry(1, "ann"), entry(2, "ann"), entry(3, "bob"))
    assert numbers(due(schedule, 0)) == [1, 3]
    schedule.sent(other, 0)
    assert due(schedule, 0) == []
    schedule.sent(first, 0)
    assert numbers(due(schedule, 0)) == [2]


def test_a_failed_item_holds_up_its_own_visitor_only(schedule):
    first, _, _ = add(schedule, entry(1, "ann"), entry(2, "ann"), entry(3, "bob"))
    assert schedule.next(0) is first
    schedule.failed(first, 0)
    assert numbers(due(schedule, 0)) == [3]
    assert numbers(due(schedule, 1)) == [1]


def test_a_lane_that_is_done_leaves_nothing_behind(schedule):
    add(schedule, *(entry(number, f"visitor {number % 40}") for number in range(100)))
    while (one := schedule.next(0)) is not None:
        schedule.sent(one, 0)
    assert schedule._followers == {}


def test_pauses_double_up_to_the_longest(schedule):
    (one,) = add(schedule, entry(1))
    now, pauses = 0.0, []
    for _ in range(11):
        assert schedule.next(now) is one
        schedule.failed(one, now)
        pauses.append(schedule.seconds_to_next(now))
        assert schedule.next(now + pauses[-1] - 0.01) is None
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_pauses_have_full_jitter():
    schedule = Schedule(OutboxLimits(first_delay_seconds=1), lambda: 0.25)
    (one,) = add(schedule, entry(1))
    schedule.next(0)
    schedule.failed(one, 0)
    assert schedule.seconds_to_next(0) == 0.25


def test_one_item_that_always_fails_is_no_outage(schedule):
    (poison,) = add(schedule, entry(1))
    now = 0.0
    for number in range(2, 30):
        assert schedule.next(now) is poison
        schedule.failed(poison, now)
        add(schedule, entry(number))
        (healthy,) = due(schedule, now)
        schedule.sent(healthy, now)
        now += 300
    assert not schedule.is_down


def test_in_an_outage_one_item_probes_at_a_time(schedule):
    add(schedule, *map(entry, range(1, 11)))
    for _ in range(OUTAGE_AFTER):
        schedule.failed(schedule.next(0), 0)
    assert schedule.is_down
    assert due(schedule, 0.5) == []
    (probe,) = due(schedule, 1)
    assert schedule.seconds_to_next(1) is None
    schedule.failed(probe, 1)
    assert schedule.seconds_to_next(1) == 2
    assert len(due(schedule, 3)) == 1


def test_what_was_in_flight_when_the_outage_began_is_no_probe(schedule):
    add(schedule, *map(entry, range(1, 9)))
    for one in due(schedule, 0):
        schedule.failed(one, 0)
    assert schedule.seconds_to_next(0) == 2


def test_after_an_outage_what_waited_leaves_at_a_limited_rate(schedule):
    add(schedule, *map(entry, range(1, 201)))
    fail_all(schedule, 0)
    probe = schedule.next(1000)
    schedule.sent(probe, 1000)
    assert not schedule.is_down
    sent_at = []
    now = 1000.0
    while len(sent_at) < 199:
        for one in due(schedule, now):
            schedule.sent(one, now)
            sent_at.append(now)
        now += 0.01
    assert 199 / 50 - 0.2 <= sent_at[-1] - 1000 <= 199 / 50 + 0.2


def test_what_comes_after_an_outage_does_not_queue_behind_what_waited(schedule):
    add(schedule, *map(entry, range(1, 201)))
    fail_all(schedule, 0)
    schedule.sent(schedule.next(1000), 1000)
    add(schedule, entry(201), entry(202))
    assert numbers(due(schedule, 1000))[:2] == [201, 202]


def test_a_visitors_items_that_waited_are_rate_limited_too(schedule):
    add(schedule, *(entry(number, "ann") for number in range(1, 101)), entry(101), entry(102), entry(103))
    fail_all(schedule, 0)
    assert schedule.is_down
    now = 1000.0
    sent = []
    while now < 1001:
        for one in due(schedule, now):
            schedule.sent(one, now)
            sent.append(one.number)
        now += 0.01
    assert len(sent) <= 60
    ann = [number for number in sent if number <= 100]
    assert ann == sorted(ann)


def test_hurrying_makes_failed_items_due_at_once(schedule):
    add(schedule, entry(1), entry(2))
    fail_all(schedule, 0)
    schedule.hurry(0.1)
    assert numbers(due(schedule, 0.1)) == [1, 2]


def test_hurrying_probes_at_once(schedule):
    add(schedule, *map(entry, range(1, 9)))
    fail_all(schedule, 0)
    schedule.hurry(0.1)
    assert len(due(schedule, 0.1)) == 1


def test_an_item_given_up_lets_its_visitors_next_go(schedule):
    first, _ = add(schedule, entry(1, "ann"), entry(2, "ann"))
    schedule.next(0)
    schedule.dropped(first)
    assert numbers(due(schedule, 0)) == [2]
