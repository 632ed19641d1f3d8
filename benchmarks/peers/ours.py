"""The child that measures this package. A client reports nothing while it is measured, and no telemetry ever."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks.decisions import Bench
from benchmarks.timing import burst, settle
from benchmarks.workloads import WORKLOADS
from target_decisioning import __version__

Json = dict[str, Any]


class Ours:
    """Holds a client for each workload."""

    def __init__(self) -> None:
        self._benches: dict[str, Bench] = {}

    def open(self, workload: str, artifact: str) -> Json:
        """Make the client of *workload*."""
        found = next(one for one in WORKLOADS if one.name == workload)
        self._benches[workload] = Bench(found, telemetry_enabled=False, artifact_payload=Path(artifact).read_bytes())
        settle()
        return {"versions": {"target-decisioning": __version__, "python": platform.python_version()}}

    def burst(self, workload: str, requests: list[Json]) -> Json:
        """Time the calls."""
        bench = self._benches[workload]
        with bench.held():
            return {"ns": burst(bench.columns["ours"], requests, warm_up=0)}

    def answer(self, workload: str, requests: list[Json]) -> Json:
        """Give the answers."""
        client = self._benches[workload].client
        return {"responses": [client.get_offers(request=one).to_wire()["response"] for one in requests]}


def main() -> None:
    """Do what each line says."""
    ours = Ours()
    for line in sys.stdin:
        command = json.loads(line)
        said = getattr(ours, command.pop("do"))(**command)
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
