"""A forked child speaks over connections of its own."""

from __future__ import annotations

import os
import warnings
from contextlib import closing

import pytest

from fixtures.faults import FaultServer, answer
from target_decisioning.http import HttpRequest, Transport

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def forked(work):
    """Run *work* in a child process; return whether it ended well."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of 3.12 on: there are threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_child_never_uses_a_connection_of_its_parent():
    with closing(Transport()) as transport, FaultServer(answer(body=b"x")) as server:

        def ask():
            transport.send(HttpRequest("GET", server.url), total_seconds=5)

        ask()
        assert forked(ask)
        ask()
    assert [request.connection for request in server.requests] == [1, 2, 1]
