"""What survives a ``fork``: locks, late imports, and whatever must begin anew in the child.

A child process has only the thread that forked; a lock that another thread held at that moment would stay held in it
for ever, and so would the lock of a module that another thread was about to import.
"""

from __future__ import annotations

import codecs
import importlib
import logging  # noqa: F401 -- before us: what it holds while a process forks, an import that we wait for may need
import os
import sys
import threading
import weakref
from types import TracebackType
from typing import Protocol


class Renewable(Protocol):
    """What a forked child must not go on with as its parent left it."""

    def begin_in_child(self) -> None:
        """Begin anew; runs in the child, before anything else does."""


def renew_in_child(thing: Renewable) -> None:
    """Have *thing* begin anew in each forked child, as long as it lives."""
    with _registering:
        _renewable.add(thing)


class Process:
    """The process that this is, as far as it is known: a child is told by the hooks for forks, or notices it itself."""

    __slots__ = ("id",)

    def __init__(self) -> None:
        self.id = os.getpid()

    def begin_in_child(self) -> None:
        """Begin anew, in a child that C code forked and of which no hook told: its ``os.getpid()`` is another."""
        _renew()


class ProcessLock:
    """A lock that a forked child finds free. Not to be held while the holder itself forks."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._lock.release()


late_import = threading.RLock()
"""Held around each import that is done late, on whatever thread: a fork waits for its end."""

_LATE_IN_THE_ENGINE = "publicsuffixlist"  # the engine is pure and knows of no locks
for _codec in ("idna", "punycode", "utf-16-be", "utf-16-le", "unicode_escape"):
    codecs.lookup(_codec)  # a codec is a module that is imported when it is first used: here, not in a thread

process = Process()
_locks: weakref.WeakSet[ProcessLock] = weakref.WeakSet()
_renewable: weakref.WeakSet[Renewable] = weakref.WeakSet()
_registering = ProcessLock()


def _finish_imports() -> None:
    late_import.acquire()
    if _LATE_IN_THE_ENGINE in sys.modules:
        importlib.import_module(_LATE_IN_THE_ENGINE)


def _free_in_child() -> None:
    late_import.release()
    _renew()


def _renew() -> None:
    for lock in list(_locks):
        lock._lock = threading.Lock()
    for thing in list(_renewable):
        thing.begin_in_child()
    process.id = os.getpid()  # last: until then nobody goes on with what is the parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_finish_imports, after_in_parent=late_import.release, after_in_child=_free_in_child)
