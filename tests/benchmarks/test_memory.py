"""Memory stays flat; the long run is ``make bench-memory``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MEASURE = "import json; from benchmarks import memory; print(json.dumps(memory.measure(20_000, 40)))"


@pytest.mark.slow
def test_memory_is_flat_over_many_visitors_and_swaps():
    shown = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (shown.returncode, shown.stderr) == (0, "")
    measured = json.loads(shown.stdout)
    assert measured["blocks_growth"] < 0.02
    assert measured["resident_growth"] < 0.05  # in a short run a few pages more show
