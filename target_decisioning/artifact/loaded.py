"""What the keeper holds: the program that decides, and all that belongs to it, in one piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """The current program, replaced as a whole or not at all.

    ``source`` is ``payload``, ``file``, ``disk`` or ``network``; ``location`` is None for a payload. ``etag`` belongs
    to this program and no other. ``loaded_at_ms`` is wall time; ``confirmed_at``, when the source last said that this
    is its artifact, is of the monotonic clock. ``retrieval_count`` counts the artifacts that were different.
    """

    program: Any
    etag: str | None
    location: str | None
    source: str
    loaded_at_ms: int
    retrieval_count: int
    confirmed_at: float
    digest: bytes = field(repr=False)
