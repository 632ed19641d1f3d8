"""That something takes its time and no more, on a machine that may be busy with something else now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

TRIES = 4

Result = TypeVar("Result")


def promptly(act: Callable[[], Result], *, most: float, least: float = 0.0) -> Result:
    """Return what *act* returns; it must never take less than *least* seconds, and once no more than *most*.

    A fault of the package makes it late each time.
    """
    seconds = []
    for _ in range(TRIES):
        began = time.monotonic()
        result = act()
        seconds.append(time.monotonic() - began)
        assert min(seconds) >= least
        if seconds[-1] <= most:
            return result
    raise AssertionError(f"took {seconds} seconds, which is more than {most}")
