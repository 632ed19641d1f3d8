"""Measure each workload, ours and the floor in turns, and print a table: ``make bench``.

Every request is new. A call is timed on its own, so that the 99th percentile is one of calls. The results are kept
as JSON in ``benchmarks/results/``.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.floor import floor_of
from benchmarks.wire import HeldSession
from benchmarks.workloads import WORKLOADS, Workload
from target_decisioning import TargetClient, __version__

RESULTS = Path(__file__).parent / "results"
BURST = 200
"""Calls in a row before the other side has its turn; small enough for the outbox to hold what they owe."""

Json = dict[str, Any]


@dataclass
class Timings:
    """Nanoseconds of single calls."""

    ns: list[int] = field(default_factory=list)

    @property
    def median_us(self) -> float:
        """The median in microseconds."""
        return statistics.median(self.ns) / 1000

    @property
    def p99_us(self) -> float:
        """The 99th percentile in microseconds."""
        return statistics.quantiles(self.ns, n=100)[98] / 1000

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        low, middle, high = statistics.quantiles(self.ns, n=4)
        return (high - low) / 2 / middle


class Bench:
    """One workload, its client and its floor."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.session = HeldSession()
        self.client = _client(workload.artifact(), self.session)
        self.ours, self.read, self.floor = Timings(), Timings(), Timings()
        self._asked = 0
        self._floor = self._make_floor()

    def turn(self) -> None:
        """Measure a burst of each."""
        self._hold()
        _measure(self.ours, self._requests(), lambda request: self.client.get_offers(request=request))
        self._drain()
        self._hold()
        _measure(self.read, self._requests(), lambda request: self.client.get_offers(request=request).to_wire())
        self._drain()
        _measure(self.floor, self._requests(), self._floor)

    def result(self) -> Json:
        """Return what was measured."""
        return {
            "workload": self.workload.name,
            "shows": self.workload.shows,
            "p50_us": self.ours.median_us,
            "p99_us": self.ours.p99_us,
            "spread": self.ours.spread,
            "to_wire_p50_us": self.read.median_us,
            "floor_p50_us": self.floor.median_us,
            "ratio_to_floor": self.ours.median_us / self.floor.median_us,
        }

    def close(self) -> None:
        """End the client."""
        self.session.release()
        self.client.close()

    def _requests(self) -> list[Json]:
        self._asked += BURST
        return [self.workload.request(n) for n in range(self._asked - BURST, self._asked)]

    def _hold(self) -> None:
        """Occupy every sender with a call that waits, so that none of them works while calls are timed."""
        self.session.hold()
        for request in self._requests():
            self.client.get_offers(request=request)
        time.sleep(0.02)

    def _drain(self) -> None:
        self.session.release()
        self.client.flush(timeout=30)

    def _make_floor(self) -> Callable[[Json], Any]:
        """Build the floor from a typical answer: the one of median size among fifty."""
        answers = [self.client.get_offers(request=request).to_wire() for request in self._requests()[:51]]
        self._drain()
        typical = sorted(answers, key=lambda answer: len(json.dumps(answer)))[len(answers) // 2]
        options = _options(typical["response"])
        executed = _options({"execute": typical["response"].get("execute", {})})
        return floor_of(typical, activities=len(options), impressions=len(executed))


def _options(response: Json) -> list[Json]:
    entries = []
    for mode in ("execute", "prefetch"):
        part = response.get(mode, {})
        entries += [*part.get("mboxes", ()), *part.get("views", ()), part.get("pageLoad", {})]
    return [option for entry in entries for option in entry.get("options", ())]


def _client(artifact: Json, session: HeldSession) -> TargetClient:
    return TargetClient.create(
        client="acme",
        organization_id="1234567890@AdobeOrg",
        decisioning_method="on-device",
        artifact_payload=artifact,
        server_domain="127.0.0.1:9",
        secure=False,
        session=session,
    )


def _measure(timings: Timings, requests: list[Json], call: Callable[[Json], Any]) -> None:
    clock, record = time.perf_counter_ns, timings.ns.append
    gc.collect()
    for request in requests:
        began = clock()
        call(request)
        record(clock() - began)


def run(workloads: list[Workload], rounds: int) -> list[Json]:
    """Measure the workloads in turns, *rounds* times each after one round to warm up."""
    benches = [Bench(workload) for workload in workloads]
    for bench in benches:
        bench.turn()
        bench.ours, bench.read, bench.floor = Timings(), Timings(), Timings()
    gc.collect()
    gc.freeze()  # or each collection between bursts would walk all artifacts
    for _ in range(rounds):
        for bench in benches:
            bench.turn()
    for bench in benches:
        bench.close()
    return [bench.result() for bench in benches]


def show(results: list[Json]) -> None:
    """Print the table."""
    machine = f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}"
    table = Table(title=f"whole get_offers calls, on-device, one thread ({machine}; times in µs)", title_justify="left")
    for column in ("workload", "", "p50", "p99", "±", "+ to_wire", "floor", "ours / floor"):
        table.add_column(column, justify="left" if column in {"workload", ""} else "right")
    for result in results:
        table.add_row(
            result["workload"],
            result["shows"],
            f"{result['p50_us']:.1f}",
            f"{result['p99_us']:.1f}",
            f"{result['spread']:.0%}",
            f"{result['to_wire_p50_us']:.1f}",
            f"{result['floor_p50_us']:.1f}",
            f"{result['ratio_to_floor']:.1f}",
        )
    Console(width=None if Console().is_terminal else 130).print(table)


def keep(results: list[Json]) -> Path:
    """Write the results beside earlier ones."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    machine = {"python": platform.python_version(), "machine": platform.machine(), "version": __version__}
    path.write_text(json.dumps({**machine, "results": results}, indent=1) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("workloads", nargs="*", help="names, such as W1 W5 (default: all)")
    parser.add_argument("--rounds", type=int, default=20, help=f"bursts of {BURST} calls each (default: 20)")
    options = parser.parse_args()
    wanted = [workload for workload in WORKLOADS if not options.workloads or workload.name in options.workloads]
    results = run(wanted, options.rounds)
    show(results)
    print(f"kept in {keep(results)}")


if __name__ == "__main__":
    main()
