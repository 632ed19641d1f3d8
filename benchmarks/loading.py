"""What loading an artifact takes: seconds, and megabytes that stay. In processes of its own.

python -m benchmarks.loading FILE (time | memory)      what such a process does
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from artifacts.make_large import many_activities
from benchmarks.rows import Row
from target_decisioning.artifact.retrieval import Brought, Reader
from target_decisioning.decisioning import DecisionProgram, load_program

MB = 1_000_000
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
ROOT = Path(__file__).parent.parent

Json = dict[str, Any]


def measure(activities: int = 10_000) -> list[Row]:
    """Load an artifact of so many activities."""
    numbers = in_processes(json.dumps(many_activities(activities), separators=(",", ":")).encode())
    seconds = f"{numbers['seconds']:.2f} s ({numbers['parsing_seconds']:.2f} s of it are the JSON)"
    memory = f"{numbers['kept_mb']:.0f} MB ({numbers['resident_mb']:.0f} MB resident, {numbers['peak_mb']:.0f} MB peak)"
    size = f"{activities:,} activities, {numbers['artifact_mb']:.1f} MB of JSON"
    return [
        Row(f"load {size}", seconds, "at most 2 s", numbers),
        Row(f"memory of {activities:,} activities", memory, "at most 100 MB", numbers),
    ]


def in_processes(artifact: bytes, times: int = 3) -> Json:
    """Load *artifact* in new processes; return the medians of what they say, and its size."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(artifact)
        file.flush()
        timed = [_run(file.name, "time") for _ in range(times)]
        traced = _run(file.name, "memory")
    medians = {key: statistics.median(one[key] for one in timed) for key in timed[0]}
    return {"artifact_mb": len(artifact) / MB, **medians, **traced}


def resident_mb() -> float:
    """Return the megabytes that this process has in memory; 0 where nothing tells."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / MB
    except OSError:
        return 0.0


def _run(path: str, what: str) -> Json:
    command = [sys.executable, "-m", "benchmarks.loading", path, what]
    said: Json = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return said


def load(text: bytes) -> DecisionProgram:
    """Load as a client does."""
    reader = Reader(lambda source: load_program(source, "acme"), "json", "1234567890@AdobeOrg")
    brought = reader.read(text)
    assert isinstance(brought, Brought), brought
    program: DecisionProgram = brought.program
    return program


def _time(text: bytes) -> Json:
    load((ROOT / "artifacts" / "shop.json").read_bytes())  # what is imported at first use is there
    gc.collect()
    before, began = resident_mb(), time.perf_counter()
    program = load(text)
    seconds = time.perf_counter() - began
    gc.collect()
    grown = resident_mb() - before
    del program
    began = time.perf_counter()
    json.loads(text)
    return {"seconds": seconds, "parsing_seconds": time.perf_counter() - began, "resident_mb": grown}


def _memory(text: bytes) -> Json:
    load((ROOT / "artifacts" / "shop.json").read_bytes())
    tracemalloc.start()
    program = load(text)
    _, peak = tracemalloc.get_traced_memory()
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    del program
    return {"kept_mb": kept / MB, "peak_mb": peak / MB}


if __name__ == "__main__":
    print(json.dumps({"time": _time, "memory": _memory}[sys.argv[2]](Path(sys.argv[1]).read_bytes())))
