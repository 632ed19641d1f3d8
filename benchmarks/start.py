"""How long a whole process takes that imports the package, reads an artifact from a file, decides once and ends.

Its modules are compiled beforehand, as those of an installed package are.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from benchmarks.rows import Row
from benchmarks.workloads import ARTIFACTS

DECIDE = """
import sys
from target_decisioning import TargetClient

request = {"id": {"tntId": "emma"}, "prefetch": {"mboxes": [{"name": "home-hero", "index": 0}]}}
options = {"client": "acme", "organization_id": "1@AdobeOrg", "decisioning_method": "on-device"}
with TargetClient.create(options, artifact_location=sys.argv[1], telemetry_enabled=False) as client:
    assert client.get_offers(request=request).response.prefetch.mboxes[0].options[0].content
"""
NOTHING = ""


def measure(times: int = 15) -> list[Row]:
    """Run both programs in turns, so many times each after one run to warm up."""
    took: dict[str, list[float]] = {DECIDE: [], NOTHING: []}
    for turn in range(times + 1):
        for program, seconds in took.items():
            one = _run(program)
            if turn:
                seconds.append(one)
    whole, bare = (statistics.median(took[program]) * 1000 for program in (DECIDE, NOTHING))
    measured = f"{whole:.0f} ms (the interpreter alone: {bare:.0f} ms)"
    numbers = {"whole_ms": whole, "interpreter_ms": bare}
    return [Row("import, and a first decision from a file: the whole process", measured, "at most 200 ms", numbers)]


def _run(program: str) -> float:
    keeps_bytecode = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(ARTIFACTS / "shop.json")], check=True, env=keeps_bytecode)
    return time.perf_counter() - began
