"""How the cost of a decision grows: with rules, mboxes, leaves of a condition, and the size of the artifact.

python -m benchmarks.growth
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from artifacts.make_large import many_activities
from benchmarks.decisions import new_client
from benchmarks.loading import in_processes
from benchmarks.results import keep
from benchmarks.tables import Sheet
from benchmarks.timing import Timings, burst, settle
from benchmarks.wire import HeldSession
from benchmarks.workloads import Workload
from target_decisioning import TargetClient

ROUNDS = 12
CALLS_TIMES_SIZE = 6_000
LARGEST_BURST, SMALLEST_BURST = 150, 10
BOX = "box-00000"

Json = dict[str, Any]


def with_rules(count: int) -> Workload:
    """One mbox with so many rules, of which the last one answers."""
    wanted = [{"==": [f"word-{n}", {"var": "mbox.word"}]} for n in range(count)]
    return Workload(
        str(count), "", lambda: _artifact({BOX: wanted}), _asks(BOX, parameters={"word": f"word-{count - 1}"})
    )


def with_mboxes(count: int) -> Workload:
    """So many mboxes in one request, each with an A/B activity of its own."""
    names = [f"box-{n:05}" for n in range(count)]
    return Workload(str(count), "", lambda: many_activities(count), _asks(*names))


def with_leaves(count: int) -> Workload:
    """One rule whose condition has so many leaves, all of them true."""
    leaves = [{"!=": [f"word-{n}", {"var": "mbox.word"}]} for n in range(count)]
    return Workload(
        str(count), "", lambda: _artifact({BOX: [{"and": leaves}]}), _asks(BOX, parameters={"word": "amber"})
    )


def with_activities(count: int) -> Workload:
    """One mbox of an artifact with so many activities."""
    return Workload(str(count), "", lambda: many_activities(count), _asks(f"box-{count // 2:05}"))


SERIES: dict[str, tuple[Callable[[int], Workload], tuple[int, ...]]] = {
    "rules": (with_rules, (1, 3, 10, 30, 100, 300, 1_000)),
    "mboxes": (with_mboxes, (1, 3, 10, 30, 100)),
    "leaves": (with_leaves, (1, 3, 10, 30, 100, 300)),
    "activities": (with_activities, (1, 10, 100, 1_000, 10_000)),
}
"""What grows -> the workload of a size, and the sizes."""


def measure(rounds: int = ROUNDS) -> Json:
    """Return ``{"decisions": {what grows: [[size, p50 in µs], ...]}, "loading": [[activities, seconds, MB, ...]]}``."""
    return {"decisions": {name: _decisions(*how, rounds) for name, how in SERIES.items()}, "loading": _loading()}


def slopes(measured: Json) -> Json:
    """Return what one more of each costs, in µs: from the first size to the last."""
    ends = {name: (points[0], points[-1]) for name, points in measured["decisions"].items()}
    return {name: (last[1] - first[1]) / (last[0] - first[0]) for name, (first, last) in ends.items()}


def _decisions(of_size: Callable[[int], Workload], sizes: tuple[int, ...], rounds: int) -> list[list[float]]:
    workloads = [of_size(size) for size in sizes]
    clients = [new_client(workload.artifact(), HeldSession()) for workload in workloads]
    timings = [Timings() for _ in sizes]
    settle()
    for turn in range(rounds + 1):
        for size, workload, client, timing in zip(sizes, workloads, clients, timings, strict=True):
            calls = max(SMALLEST_BURST, min(LARGEST_BURST, CALLS_TIMES_SIZE // size))
            one = burst(_call(client), [workload.request(turn * calls + n) for n in range(calls)])
            if turn:
                timing.bursts.append(one)
    for client in clients:
        client.close()
    return [[size, timing.p50_us] for size, timing in zip(sizes, timings, strict=True)]


def _call(client: TargetClient) -> Callable[[Json], Any]:
    return lambda request: client.get_offers(request=request)


def _loading() -> list[Json]:
    made = {
        count: json.dumps(many_activities(count), separators=(",", ":")).encode() for count in SERIES["activities"][1]
    }
    return [{"activities": count, **in_processes(artifact)} for count, artifact in made.items()]


def _artifact(conditions: dict[str, list[Json]]) -> Json:
    """Return an artifact whose locations have these conditions, each in an activity of its own."""
    artifact = many_activities(1)
    (pattern, _) = artifact["rules"]["mboxes"][BOX]
    rules = {
        name: [{**pattern, "ruleKey": str(n), "condition": condition} for n, condition in enumerate(of_name)]
        for name, of_name in conditions.items()
    }
    return {**artifact, "rules": {"mboxes": rules, "views": {}}}


def _asks(*names: str, **details: Any) -> Callable[[int], Json]:
    """Ask in advance, which owes no impression."""
    return lambda _n: {
        "prefetch": {"mboxes": [{"name": name, "index": at, **details} for at, name in enumerate(names)]}
    }


def sheet(measured: Json) -> Sheet:
    """Return the table of what one more costs."""
    each = slopes(measured)
    spans = {name: f"{points[0][0]:,} to {points[-1][0]:,}" for name, points in measured["decisions"].items()}
    words = {
        "rules": "a rule of the location that does not hold",
        "mboxes": "an mbox in the request",
        "leaves": "a leaf of the condition (`!=` on a parameter)",
        "activities": "an activity elsewhere in the artifact",
    }
    rows = tuple((words[name], spans[name], f"{round(each[name], 3) + 0.0:.3f}") for name in words)
    return Sheet("what one more costs a call", ("one more", "measured from", "µs"), rows, words=2)


def loading_sheet(measured: Json) -> Sheet:
    """Return the table of what loading takes."""
    head = (
        "activities",
        "JSON, MB",
        "load, s",
        "of it JSON, s",
        "kept, MB",
        "kept for each activity, kB",
        "resident, MB",
    )
    rows = tuple(
        (
            f"{one['activities']:,}",
            f"{one['artifact_mb']:.2f}",
            f"{one['seconds']:.3f}",
            f"{one['parsing_seconds']:.3f}",
            f"{one['kept_mb']:.2f}",
            f"{one['kept_mb'] * 1000 / one['activities']:.1f}",
            f"{one['resident_mb']:.1f}",
        )
        for one in measured["loading"]
    )
    return Sheet("loading an artifact", head, rows, words=0)


def main() -> None:
    """Measure, print and keep."""
    measured = measure()
    sheet(measured).show()
    loading_sheet(measured).show()
    print(f"kept in {keep('growth', measured)}")


if __name__ == "__main__":
    main()
