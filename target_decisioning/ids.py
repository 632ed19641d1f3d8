"""New ids: random UUIDs, made in batches, because one at a time costs more than a decision's arithmetic."""

from __future__ import annotations

import os

BATCH = 32
_FREE_BITS = int.from_bytes((b"\xff" * 6 + b"\x0f\xff\x3f" + b"\xff" * 7) * BATCH)
_VERSION_4 = int.from_bytes((bytes(6) + b"\x40\x00\x80" + bytes(7)) * BATCH)
"""Version and variant of a UUID, for a whole batch at once."""

_ready: list[str] = []
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
        _owner = os.getpid()
    digits = f"{int.from_bytes(os.urandom(16 * BATCH)) & _FREE_BITS | _VERSION_4:0{32 * BATCH}x}"
    made = [digits[at : at + 32] for at in range(0, len(digits), 32)]
    _ready.extend(made[1:])
    return made[0]
