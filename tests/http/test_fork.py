"""A forked child speaks over connections of its own."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from fixtures.faults import FaultServer, answer
from target_decisioning.http import HttpRequest, Transport
from tests.forked import forked

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_a_child_never_uses_a_connection_of_its_parent():
    with closing(Transport()) as transport, FaultServer(answer(body=b"x")) as server:

        def ask():
            transport.send(HttpRequest("GET", server.url), total_seconds=5)

        ask()
        assert forked(ask)
        ask()
    assert [request.connection for request in server.requests] == [1, 2, 1]
