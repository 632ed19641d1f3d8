"""A keeper that nobody closed keeps no process alive and says nothing when it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.faults import FaultServer, answer, silence
from tests.artifact.keeping import artifact

PROGRAM = """
import sys, time
from target_decisioning.http import Transport
from tests.artifact.keeping import Kept
kept = Kept(Transport(), artifact_location=sys.argv[1], polling_interval_seconds=0.01)
kept.keeper.start()
kept.keeper.wait_until_ready(0.3)
time.sleep(0.1)
"""


@pytest.mark.parametrize("step", [answer(body=artifact()), silence], ids=["polling", "fetching"])
def test_a_script_that_falls_off_its_end_ends_at_once_and_in_silence(step):
    with FaultServer(step) as server:
        root = Path(__file__).resolve().parents[2]
        script = [sys.executable, "-c", PROGRAM, server.url]
        began = time.monotonic()
        done = subprocess.run(script, cwd=root, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert server.requests
    assert time.monotonic() - began < 6
