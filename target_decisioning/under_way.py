"""Calls that are under way: the end of a client waits for them, or what they owe would come too late.

    with under_way: ...      wait(seconds)

Source: semantics.md 2.6; faults.md D4.
"""

from __future__ import annotations

import contextlib
import threading
import time

from target_decisioning.forks import renew_in_child

LOOK_SECONDS = 0.005


class UnderWay:
    """The threads that make calls now, each as often as it does. Entering and leaving take no lock."""

    def __init__(self) -> None:
        self.thread_ids: list[int] = []
        renew_in_child(self)

    def begin_in_child(self) -> None:
        """Begin with nobody: most threads of the parent are not here. Whose is, need not be there to leave."""
        self.thread_ids = []

    def __enter__(self) -> None:
        self.thread_ids.append(threading.get_ident())

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ValueError):  # this process was forked off in the middle of the call
            self.thread_ids.remove(threading.get_ident())

    def wait(self, seconds: float) -> None:
        """Wait until no other thread makes a call, for so many *seconds* at most.

        A call of this thread cannot go on meanwhile: a signal has interrupted it, or it has called back.
        """
        own, ends = threading.get_ident(), time.monotonic() + seconds
        while any(thread_id != own for thread_id in tuple(self.thread_ids)) and time.monotonic() < ends:
            time.sleep(LOOK_SECONDS)
