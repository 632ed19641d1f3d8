"""What the measurements compare is comparable."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bench import Bench
from benchmarks.floor import floor_of
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).parent.parent.parent
QUICK = [workload for workload in WORKLOADS if workload.name != "W6b"]


@pytest.fixture(params=QUICK, ids=lambda workload: workload.name)
def bench(request):
    made = Bench(request.param)
    yield made
    made.close()


def test_the_floor_gives_the_same_answer(bench):
    request = bench.workload.request(7)
    ours = bench.client.get_offers(request=request).to_wire()
    floor = floor_of(ours, activities=1, impressions=1)(request).to_wire()
    assert floor["response"] == ours["response"]
    assert (floor.keys(), floor["meta"]) == (ours.keys(), ours["meta"])


def test_every_workload_is_answered_with_offers(bench):
    response = bench.client.get_offers(request=bench.workload.request(7)).to_wire()["response"]
    parts = [part for mode in ("execute", "prefetch") for part in response.get(mode, {}).values()]
    entries = [entry for part in parts for entry in (part if isinstance(part, list) else [part])]
    assert entries
    assert all(entry["options"] for entry in entries)


@pytest.mark.slow
def test_a_short_run_gives_every_number():
    command = "from benchmarks import bench; print(sorted(bench.run([bench.WORKLOADS[0]], rounds=1)[0]))"
    shown = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "ratio_to_floor" in shown.stdout
