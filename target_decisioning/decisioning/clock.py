"""What a moment looks like to a condition.

Pure: the moment comes in as a number. Everything is UTC.
"""

from __future__ import annotations

from functools import lru_cache

MS_PER_MINUTE = 60_000
MINUTES_PER_DAY = 1440
THURSDAY = 4
"""The weekday of 1 January 1970, counted from Monday = 1."""


def time_of(now_ms: int) -> tuple[int, str, int]:
    """Return ``current_timestamp``, ``current_time`` and ``current_day``.

    Epoch milliseconds, ``"HHmm"`` in 24 hours, and 1 for Monday to 7 for Sunday. Source: semantics.md 3.1.
    """
    return now_ms, *_time_and_day(now_ms // MS_PER_MINUTE)


@lru_cache(maxsize=8)
def _time_and_day(minutes: int) -> tuple[str, int]:
    days, minute = divmod(minutes, MINUTES_PER_DAY)
    return f"{minute // 60:02d}{minute % 60:02d}", (days + THURSDAY - 1) % 7 + 1
