"""How long to wait before trying again."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

from target_decisioning.forks import late_import

LONGEST_RETRY_AFTER_SECONDS = 3600.0


def backoff_seconds(failures: int, first_seconds: float, longest_seconds: float) -> float:
    """Return the wait after the *failures*-th failure in a row (from 1).

    The bound doubles with each failure up to *longest_seconds*; the wait is anywhere in the upper half under it. So
    waits grow, clients that failed together do not come back together, and no wait is next to nothing.
    """
    bound = min(longest_seconds, first_seconds * 2.0 ** min(failures - 1, 60))
    return bound * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, hides nothing


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return what ``Retry-After`` asks for, at most an hour; None if it is absent, past or unreadable."""
    text = headers.get("retry-after", "").strip()
    seconds = float(text[:18]) if text.isascii() and text.isdigit() else _seconds_until(text)
    return min(seconds, LONGEST_RETRY_AFTER_SECONDS) if seconds > 0 else None


def _seconds_until(http_date: str) -> float:
    with late_import:  # most answers ask for no wait
        from email.utils import parsedate_to_datetime
    try:
        return parsedate_to_datetime(http_date).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return 0.0
