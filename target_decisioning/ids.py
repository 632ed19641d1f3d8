"""New ids: random UUIDs, made in batches, because one at a time costs more than a decision's arithmetic.

    os.urandom --> chunks of noise --> ids that are ready

Asking the system lets other threads take the interpreter, so it is asked seldom; writing ids takes its time, so few
are written at once.
"""

from __future__ import annotations

import os

IDS_OF_A_CHUNK = 128
CHUNKS = 16
_FREE_BITS = int.from_bytes((b"\xff" * 6 + b"\x0f\xff\x3f" + b"\xff" * 7) * IDS_OF_A_CHUNK)
_VERSION_4 = int.from_bytes((bytes(6) + b"\x40\x00\x80" + bytes(7)) * IDS_OF_A_CHUNK)
"""Version and variant of a UUID, for a whole chunk at once."""

_ready: list[str] = []
_noise: list[bytes] = []
_owner = 0


def new_id() -> str:
    """Return a new UUID (version 4) as 32 hex digits. Threads may share it; a forked child makes its own."""
    if _owner == os.getpid():
        try:
            return _ready.pop()
        except IndexError:
            pass
    return _refill()


def _refill() -> str:
    global _owner
    if _owner != os.getpid():
        _ready.clear()
        _noise.clear()
        _owner = os.getpid()
    digits = f"{int.from_bytes(_chunk()) & _FREE_BITS | _VERSION_4:0{32 * IDS_OF_A_CHUNK}x}"
    made = [digits[at : at + 32] for at in range(0, len(digits), 32)]
    _ready.extend(made[1:])
    return made[0]


def _chunk() -> bytes:
    """Take a chunk of noise; each is taken once, whatever threads are at it."""
    try:
        return _noise.pop()
    except IndexError:
        size = 16 * IDS_OF_A_CHUNK
        noise = os.urandom(size * CHUNKS)
        _noise.extend(noise[at : at + size] for at in range(size, len(noise), size))
        return noise[:size]
