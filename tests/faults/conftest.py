"""Clients that end with the test, with what they told."""

from __future__ import annotations

import pytest

from fixtures.cdn import Cdn
from fixtures.delivery_api import DeliveryApi
from tests.faults.parts import ROOT
from tests.faults.started import Started


@pytest.fixture
def api():
    """A Delivery API that is up."""
    with DeliveryApi() as server:
        yield server


@pytest.fixture
def cdn():
    """A CDN that has the project's own artifacts."""
    with Cdn(ROOT / "artifacts") as server:
        yield server


@pytest.fixture
def start(api):
    """Start a client whose artifact lies at a URL; ``start(url, **options)`` gives it with what it told."""
    all_started = []

    def start(location, **more):
        one = Started(location, api, **more)
        all_started.append(one)
        return one

    yield start
    for one in all_started:
        one.client.close(1)
