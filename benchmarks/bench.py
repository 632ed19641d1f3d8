"""Measure whole ``get_offers`` calls beside their floor, and what else was promised: ``make bench``.

python -m benchmarks.bench              everything, some five minutes
python -m benchmarks.bench W1 W5        these workloads only; not kept
python -m benchmarks.bench --rounds 60  longer, for a steadier 99th percentile
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks import decisions, hybrid, loading, start, swap, threads, trouble
from benchmarks.results import is_compiled, keep, machine
from benchmarks.tables import Sheet
from benchmarks.timing import load_hint
from benchmarks.workloads import WORKLOADS

ROUNDS = 30
FURTHER = (start, threads, hybrid, loading, swap, trouble)
"""Modules with a ``measure() -> list[Row]``."""

Json = dict[str, Any]


def sheets(measured: Json) -> list[Sheet]:
    """Return the tables of what was kept."""
    return [
        decisions_sheet(measured["decisions"]),
        *([further_sheet(measured["further"])] if measured["further"] else []),
    ]


def decisions_sheet(results: list[Json]) -> Sheet:
    """Return the table of the workloads."""
    head = (
        "",
        "get_offers, on-device",
        "aim",
        "p50",
        "p99",
        "p99/p50",
        "±",
        "typed",
        "to_wire",
        "fields",
        "floor",
        "ours/floor",
        "instr.",
    )
    rows = tuple(
        (
            result["workload"],
            result["shows"],
            f"{result['aim_us']:.0f}" if result["aim_us"] else "W1 + 10 %",
            f"{result['p50_us']:.1f}",
            f"{result['p99_us']:.1f}",
            f"{result['p99_us'] / result['p50_us']:.1f}",
            f"{result['spread']:.0%}",
            *(f"{result[f'{column}_p50_us']:.1f}" for column in ("typed", "to_wire", "fields", "floor")),
            f"{result['ratio_to_floor']:.2f}",
            f"{result['instructions_to_floor']:.1f}",
        )
        for result in results
    )
    return Sheet("whole get_offers calls on one thread, in µs", head, rows, words=2)


def further_sheet(rows: list[Json]) -> Sheet:
    """Return the table of the further measurements."""
    cells = tuple((row["what"], row["measured"], row["aim"]) for row in rows)
    return Sheet("further", ("what", "measured", "aim"), cells, words=3)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("workloads", nargs="*", help="names, such as W1 W5 (default: all, and the further rows)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"bursts of each column (default: {ROUNDS})")
    options = parser.parse_args()
    on = machine()
    print(f"{on['python']}, {on['processor']}, {on['cores']} cores, {on['date']}")
    if hint := load_hint():
        print(hint)
    wanted = [workload for workload in WORKLOADS if not options.workloads or workload.name in options.workloads]
    measured: Json = {"load_before": on["load"], "decisions": decisions.run(wanted, options.rounds), "further": []}
    decisions_sheet(measured["decisions"]).show()
    for module in () if options.workloads else FURTHER:
        measured["further"] += [row.kept() for row in module.measure()]
    if measured["further"]:
        further_sheet(measured["further"]).show()
        print(f"kept in {keep('compiled' if is_compiled() else 'bench', measured)}")


if __name__ == "__main__":
    main()
