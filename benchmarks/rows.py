"""One further measurement: what, how much, and what it should be."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """``measured`` and ``aim`` are to be read; ``numbers`` are what the former was made from, units in their names."""

    what: str
    measured: str
    aim: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """Return what is kept as JSON."""
        return asdict(self)
