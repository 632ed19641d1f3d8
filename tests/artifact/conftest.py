"""A keeper that ends with the test."""

from __future__ import annotations

from contextlib import closing

import pytest

from target_decisioning.http import Transport
from tests.artifact.keeping import Kept


@pytest.fixture
def keep():
    """Start a keeper; ``keep(location, **options)`` gives it with what it told."""
    kept = []
    with closing(Transport()) as transport:

        def start(location=None, **options):
            options = {"artifact_location": location, "polling_interval_seconds": 0.05} | options
            one = Kept(transport, **options)
            kept.append(one)
            one.keeper.start()
            return one

        yield start
        for one in kept:
            one.keeper.close()
