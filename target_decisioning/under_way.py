"""Calls that are under way: the end of a client waits for them, or what they owe would come too late.

    with under_way: ...      wait(seconds)

Source: semantics.md 2.6; faults.md D4.
"""

from __future__ import annotations

import threading
import time

from target_decisioning.forks import renew_in_child

LOOK_SECONDS = 0.005


class UnderWay:
    """The threads that make calls now, each as often as it does. Entering and leaving take no lock."""

    def __init__(self) -> None:
        self.callers: list[int] = []
        renew_in_child(self)

    def begin_in_child(self) -> None:
        """Forget calls of threads that the child process does not have."""
        own = threading.get_ident()
        self.callers[:] = [caller for caller in self.callers if caller == own]

    def __enter__(self) -> None:
        self.callers.append(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        self.callers.remove(threading.get_ident())

    def wait(self, seconds: float) -> None:
        """Wait until no other thread makes a call, for so many *seconds* at most.

        A call of this thread cannot go on meanwhile: a signal has interrupted it, or it has called back.
        """
        own, ends = threading.get_ident(), time.monotonic() + seconds
        while any(caller != own for caller in tuple(self.callers)) and time.monotonic() < ends:
            time.sleep(LOOK_SECONDS)
