"""What was measured, kept as JSON beside earlier results: ``benchmarks/results/KIND-TIME.json``."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

from target_decisioning import answering

RESULTS = Path(__file__).parent / "results"
PARTS = ("pydantic", "pydantic-core", "mmh3", "python-jsonlogic", "requests", "urllib3")
"""Packages whose version decides what is measured."""

Json = dict[str, Any]


def keep(kind: str, measured: Json) -> Path:
    """Write *measured* with what it was measured on; return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps({**measured, "machine": machine()}, indent=1) + "\n", encoding="utf-8")
    return path


def latest(kind: str) -> Json:
    """Return what was last kept of *kind*.

    Raises:
        FileNotFoundError: nothing was.
    """
    paths = sorted(RESULTS.glob(f"{kind}-2*.json"))
    if not paths:
        raise FileNotFoundError(f"no results of '{kind}' in {RESULTS}; measure first")
    kept: Json = json.loads(paths[-1].read_text(encoding="utf-8"))
    return kept


def is_compiled() -> bool:
    """Whether the package that is measured was built with its hot path compiled."""
    return not str(answering.__file__).endswith(".py")


def machine() -> Json:
    """Return what a reader must know to judge the numbers."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {name: importlib.metadata.version(name) for name in ("target-decisioning", *PARTS)},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"
