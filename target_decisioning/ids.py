"""New ids: random UUIDs, made in batches, because one at a time costs more than a decision's arithmetic."""

from __future__ import annotations

import os

BATCH = 256
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))

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
    digits = os.urandom(16 * BATCH).hex()
    made = [_version_4(digits[at : at + 32]) for at in range(0, len(digits), 32)]
    _ready.extend(made[1:])
    return made[0]


def _version_4(digits: str) -> str:
    return f"{digits[:12]}4{digits[13:16]}{_VARIANT[digits[16]]}{digits[17:]}"
