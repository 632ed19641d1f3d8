"""Copies that share nothing a caller could change."""

import pytest

from target_decisioning.decisioning.fresh import copier, fresh

VALUES = [{}, [], {"a": 1}, ["a"], {"a": {"b": [1, {}]}}, [[], [{"a": []}]], "text", 1.5, None, True]


@pytest.mark.parametrize("value", VALUES)
def test_a_copy_is_equal_and_nobody_elses(value):
    copy = fresh(value)
    assert copy == value
    assert set(map(id, containers(copy))).isdisjoint(map(id, containers(value)))


@pytest.mark.parametrize("value", [value for value in VALUES if isinstance(value, dict | list)])
def test_a_copier_gives_a_new_copy_each_time(value):
    copy = copier(value)
    first, second = copy(), copy()
    assert first == second == value
    assert set(map(id, containers(first))).isdisjoint(map(id, [*containers(second), *containers(value)]))


def containers(value):
    if isinstance(value, dict | list):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from containers(part)
