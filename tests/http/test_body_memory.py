"""A body that is given up leaves nothing behind: its memory goes back to the system, on whatever thread it was read."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import re, threading
from pathlib import Path
from fixtures.faults import gzip_bomb
from target_decisioning import TransportError
from target_decisioning.http.body import decode

STEP, MIB = 65_536, 1024 * 1024
bomb = gzip_bomb(40)  # what glibc holds no freed memory back for: more than 32 MiB at once

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def read():
    for _ in range(3):
        try:
            decode((bomb[at : at + STEP] for at in range(0, len(bomb), STEP)), "gzip", 16 * MIB)
        except TransportError as error:
            assert error.reason == "too_large"
    given_up.wait()
    over.wait()

threads = 6
given_up, over = threading.Barrier(threads + 1), threading.Event()
before = resident()
for _ in range(threads):
    threading.Thread(target=read, daemon=True).start()
given_up.wait()
print(resident() - before)
over.set()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_a_body_that_is_given_up_is_given_back_on_every_thread():
    root = Path(__file__).parents[2]
    grown = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, check=True)
    assert float(grown.stdout) < 20  # MiB, where six times 16 MiB were held
