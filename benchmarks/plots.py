"""Draw how the cost of a decision grows, from what ``growth`` kept: ``docs/img/growth.svg``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.results import latest

IMAGE = Path(__file__).parent.parent / "docs" / "img" / "growth.svg"
TITLES = {
    "rules": "rules tried at the location",
    "mboxes": "mboxes in the request",
    "leaves": "leaves of the condition",
    "activities": "activities in the artifact",
}
COLOUR, MEMORY_COLOUR = "#1f6f8b", "#c8553d"
mpl.use("svg")
mpl.rcParams.update(
    {"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
)

Json = dict[str, Any]


def draw(measured: Json, path: Path = IMAGE) -> Path:
    """Write the plots; the same numbers give the same bytes."""
    figure, places = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
    for axes, (name, points) in zip(places.flat, measured["decisions"].items(), strict=False):
        _line(axes, TITLES[name], "µs a call", points, COLOUR)
    loading = measured["loading"]
    _line(places.flat[4], TITLES["activities"], "s to load", [[one["activities"], one["seconds"]] for one in loading])
    _line(places.flat[5], TITLES["activities"], "MB kept", [[one["activities"], one["kept_mb"]] for one in loading])
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path


def _line(axes: Any, title: str, unit: str, points: list[list[float]], colour: str = MEMORY_COLOUR) -> None:
    axes.loglog(*zip(*points, strict=True), "o-", color=colour)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _at: f"{value:,g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(title)
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=min(y for _, y in points) / 2, top=max(y for _, y in points) * 2)


if __name__ == "__main__":
    print(draw(latest("growth")))
