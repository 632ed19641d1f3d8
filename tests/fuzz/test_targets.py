"""The fuzzers' targets, driven by hypothesis here; ``make fuzz`` lets atheris find its own way."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.choices import Choices
from tests.fuzz.run import NAMES, seeds
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=600))
def test_no_bytes_break_a_promise(target, data):
    target(data)


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_of_a_seed_break_a_promise(name):
    """Longer inputs than hypothesis likes to make."""
    chance = random.Random(name)
    for seed in seeds(name):
        TARGETS[name](seed)
    for _ in range(200):
        TARGETS[name](chance.randbytes(chance.randrange(2000)))


def test_the_command_offers_each_target():
    assert sorted(TARGETS) == sorted(NAMES)


def test_choices_end():
    assert Choices(b"").json() is None
    assert Choices(b"").text() == ""
    assert Choices(b"").some(lambda: 1) == []
