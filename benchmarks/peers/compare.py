"""Give children the same requests in turns, and print how many times faster this package is."""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.results import keep, machine
from benchmarks.tables import Sheet
from benchmarks.timing import Timings, load_hint
from benchmarks.workloads import WORKLOADS, Workload

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
OURS, PYTHON, PYTHON_PAYLOAD, NODE = "ours", "Python", "Python, payload", "Node.js"
OTHERS = (PYTHON, PYTHON_PAYLOAD, NODE)
WARM_UP_SECONDS = 4.0
BURST_SECONDS = 0.25
LARGEST_BURST, SMALLEST_BURST = 200, 2
ROUNDS = 15
FIRST_REQUEST = 1_000_000
"""Requests below are the child's own."""
SAMPLES = 12

Json = dict[str, Any]


class Child:
    """A process that measures one side."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.versions: Json = {}
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, what: str, workload: Workload, **options: Any) -> Json:
        """Have the child do something, and return what it says."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": what, "workload": workload.name, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f"{self.name} ended at {what} {workload.name}")
        said: Json = json.loads(line)
        return said

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


@dataclass
class Race:
    """One workload on all sides."""

    workload: Workload
    sizes: dict[str, int] = field(default_factory=dict)
    timings: dict[str, Timings] = field(default_factory=dict)
    same: int = 0
    _asked: int = FIRST_REQUEST

    def prepare(self, children: list[Child], folder: Path) -> None:
        """Give every child the artifact; see whether they answer alike, and how many calls make a burst."""
        artifact = folder / f"{self.workload.name}.json"
        artifact.write_text(json.dumps(self.workload.artifact()), encoding="utf-8")
        samples = self.requests(SAMPLES)
        answers = []
        for child in children:
            child.versions |= child.do("open", self.workload, artifact=str(artifact))["versions"]
            answers.append(child.do("answer", self.workload, requests=samples)["responses"])
            self.sizes[child.name] = self._warm_up(child)
            self.timings[child.name] = Timings()
        self.same = sum(
            len({json.dumps(offers(request, response), sort_keys=True) for response in responses}) == 1
            for request, *responses in zip(samples, *answers, strict=True)
        )

    def _warm_up(self, child: Child) -> int:
        """Call until the side is as fast as it gets (a compiler takes hundreds of calls); return a burst's size."""
        size, ends = SMALLEST_BURST, time.monotonic() + WARM_UP_SECONDS
        while time.monotonic() < ends:
            seconds = min(child.do("burst", self.workload, requests=self.requests(size))["ns"]) / 1e9
            size = max(SMALLEST_BURST, min(LARGEST_BURST, int(BURST_SECONDS / seconds)))
        return size

    def turn(self, children: list[Child]) -> None:
        """Give each child a burst."""
        for child in children:
            said = child.do("burst", self.workload, requests=self.requests(self.sizes[child.name]))
            self.timings[child.name].bursts.append(said["ns"])

    def requests(self, count: int) -> list[Json]:
        """Return so many requests that were never seen before."""
        self._asked += count
        return [self.workload.request(n) for n in range(self._asked - count, self._asked)]

    def result(self) -> Json:
        """Return what was measured."""
        p50 = {name: timings.p50_us for name, timings in self.timings.items()}
        return {
            "workload": self.workload.name,
            "shows": self.workload.shows,
            "aim_ratios": self.workload.aim_ratios,
            "p50_us": p50,
            "spread": {name: timings.spread for name, timings in self.timings.items()},
            "calls": {name: sum(map(len, timings.bursts)) for name, timings in self.timings.items()},
            "same_answers": self.same,
            "samples": SAMPLES,
        }


def offers(request: Json, response: Json) -> list[Any]:
    """Return what a visitor would see of what was asked: by place, the type and content of each option.

    The earlier Python SDK also answers a page load where none was asked, and orders views in its own way.
    """
    seen: list[Any] = []
    for mode in {"execute", "prefetch"} & request.keys():
        for kind in request[mode]:
            found = response[mode].get(kind) or []
            for entry in found if isinstance(found, list) else [found]:
                options = [[option.get("type"), option.get("content")] for option in entry.get("options") or ()]
                seen.append([mode, kind, entry.get("name"), entry.get("index"), options])
    return sorted(seen, key=repr)


def run(children: list[Child], workload: Workload, rounds: int) -> Json:
    """Measure one workload, all sides in turns."""
    race = Race(workload)
    with tempfile.TemporaryDirectory() as folder:
        race.prepare(children, Path(folder))
    for _ in range(rounds):
        race.turn(children)
    return race.result()


def sheet(measured: Json) -> Sheet:
    """Return the table of what was kept."""
    head = ("", "get_offers, on-device", OURS, *OTHERS, *(f"{other} / ours" for other in OTHERS), "aim", "same")
    rows = tuple(
        (
            one["workload"],
            one["shows"],
            f"{one['p50_us'][OURS]:,.1f}",
            *(f"{one['p50_us'][other]:,.0f}" for other in OTHERS),
            *(f"{one['p50_us'][other] / one['p50_us'][OURS]:,.0f}x" for other in OTHERS),
            ", ".join(f"{ratio:,}x" for ratio in one["aim_ratios"]),
            f"{one['same_answers']}/{one['samples']}",
        )
        for one in measured["races"]
    )
    return Sheet("medians of whole calls on one thread, in µs; all sides in turns", head, rows, words=2)


@contextlib.contextmanager
def _children(options: argparse.Namespace) -> Iterator[list[Child]]:
    """Start all sides; each workload has processes of its own, in whose memory no other's artifact lies about."""
    children = [
        Child(OURS, [sys.executable, "-m", "benchmarks.peers.ours"]),
        Child(PYTHON, [str(options.python), str(HERE / "earlier.py")]),
        Child(PYTHON_PAYLOAD, [str(options.python), str(HERE / "earlier.py"), "payload"]),
        Child(NODE, [options.node, str(HERE / "node.js"), str(options.node_folder)]),
    ]
    try:
        yield children
    finally:
        for child in children:
            child.close()


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.compare", description=__doc__)
    parser.add_argument("workloads", nargs="*", help="names, such as W1 W5 (default: all)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"bursts of each side (default: {ROUNDS})")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv-peers/bin/python", help="has target-python-sdk")
    parser.add_argument("--node", default="node")
    parser.add_argument("--node-folder", type=Path, default=ROOT / ".npm-peers", help="has node_modules")
    options = parser.parse_args()
    if hint := load_hint():
        print(hint)
    wanted = [workload for workload in WORKLOADS if not options.workloads or workload.name in options.workloads]
    load = machine()["load"]
    races, versions = [], {}
    for workload in wanted:
        with _children(options) as children:
            races.append(run(children, workload, options.rounds))
            versions = {child.name: child.versions for child in children}
    measured = {"load_before": load, "races": races, "versions": versions}
    sheet(measured).show()
    if len(wanted) == len(WORKLOADS):
        print(f"kept in {keep('peers', measured)}")


if __name__ == "__main__":
    main()
