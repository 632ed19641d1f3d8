"""New ids: random UUIDs, made in batches, because one at a time costs more than a decision's arithmetic.

    os.urandom --> chunks of noise --> ids that are ready

Asking the system lets other threads take the interpreter, so it is asked seldom; writing ids takes its time, so few
are written at once.
"""

from __future__ import annotations

import os

from target_decisioning.forks import renew_in_child

IDS_OF_A_CHUNK = 128
CHUNKS = 32
_CHUNK_BYTES = 16 * IDS_OF_A_CHUNK
_FREE_BITS = int.from_bytes((b"\xff" * 6 + b"\x0f\xff\x3f" + b"\xff" * 7) * IDS_OF_A_CHUNK)
_VERSION_4 = int.from_bytes((bytes(6) + b"\x40\x00\x80" + bytes(7)) * IDS_OF_A_CHUNK)
"""Version and variant of a UUID, for a whole chunk at once."""


class _Pool:
    """What is ready to be given out."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.noise: list[bytes] = []

    def begin_in_child(self) -> None:
        """Have none of the ids that the parent process may give out too."""
        self.ids.clear()
        self.noise.clear()


_pool = _Pool()
_ready, _noise = _pool.ids, _pool.noise
renew_in_child(_pool)


def new_id() -> str:
    """Return a new UUID (version 4) as 32 hex digits. Threads may share it; a forked child makes its own."""
    try:
        return _ready.pop()
    except IndexError:
        return _refill()


def _refill() -> str:
    uuids = int.from_bytes(_chunk()) & _FREE_BITS | _VERSION_4
    made = uuids.to_bytes(_CHUNK_BYTES).hex(" ", 16).split(" ")
    first = made.pop()
    _ready.extend(made)
    return first


def _chunk() -> bytes:
    """Take a chunk of noise; each is taken once, whatever threads are at it."""
    try:
        return _noise.pop()
    except IndexError:
        noise = os.urandom(_CHUNK_BYTES * CHUNKS)
        _noise.extend(noise[at : at + _CHUNK_BYTES] for at in range(_CHUNK_BYTES, len(noise), _CHUNK_BYTES))
        return noise[:_CHUNK_BYTES]
