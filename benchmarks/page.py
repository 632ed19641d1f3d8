"""Write the tables of ``docs/performance.md`` anew, between their markers, from what was last kept; draw its plots.

<!-- measured: decisions -->
...
<!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import bench, growth, memory, profile
from benchmarks.peers import compare
from benchmarks.results import latest

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
_block = re.compile(r"(<!-- measured: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

Json = dict[str, Any]

BLOCKS: dict[str, tuple[str, Callable[[Json], str]]] = {
    "machine": ("bench", lambda measured: _machine(measured)),
    "decisions": ("bench", lambda measured: bench.decisions_sheet(measured["decisions"]).markdown()),
    "further": ("bench", lambda measured: bench.further_sheet(measured["further"]).markdown()),
    "compiled": ("compiled", lambda measured: bench.decisions_sheet(measured["decisions"]).markdown()),
    "compiled-further": ("compiled", lambda measured: bench.further_sheet(measured["further"]).markdown()),
    "peers": ("peers", lambda measured: compare.sheet(measured).markdown()),
    "peer-versions": ("peers", lambda measured: _peer_versions(measured["versions"])),
    "profile": ("profile", lambda measured: profile.sheet(measured["profiles"]).markdown()),
    "growth": ("growth", lambda measured: growth.sheet(measured).markdown()),
    "loading": ("growth", lambda measured: growth.loading_sheet(measured).markdown()),
    "memory": ("memory", lambda measured: memory.sheet(measured).markdown()),
}
"""Marker -> the kind of result that it is made from, and how."""


def filled(page: str, latest: Callable[[str], Json]) -> str:
    """Return *page* with every marked block made anew from ``latest(kind)``."""

    def anew(found: re.Match[str]) -> str:
        kind, make = BLOCKS[found[2]]
        return f"{found[1]}\n{make(latest(kind))}\n\n{found[3]}"

    return _block.sub(anew, page)


def _machine(measured: Json) -> str:
    machine = measured["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    busy = f" Other work ran on it meanwhile (load {measured['load_before']})." if measured["load_before"] >= 1 else ""
    return (
        f"{machine['date']}; {machine['python']} on {machine['system']}; "
        f"{machine['processor']}, {machine['cores']} cores; {versions}.{busy}"
    )


def _peer_versions(versions: dict[str, Json]) -> str:
    told = ("; ".join([f"{name} {version}" for name, version in of_side.items()]) for of_side in versions.values())
    return "\n".join(f"- {side}: {text}" for side, text in zip(versions, told, strict=True))


def main() -> None:
    """Rewrite the page and its plots."""
    from benchmarks.plots import draw  # needs matplotlib, which only this does

    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), latest), encoding="utf-8")
    print(f"wrote {PAGE} and {draw(latest('growth'))}")


if __name__ == "__main__":
    main()
