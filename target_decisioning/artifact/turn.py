"""Whose turn it is to download, among the processes of one host that share a cache folder.

A lock of the operating system on a file: it ends with the process that holds it, so a dead process leaves nothing to
clear away. Where there are no such locks it is everybody's turn.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover -- Windows
    fcntl = None  # type: ignore[assignment]

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_NOT_NEEDED = -1


class Turn:
    """The lock in *path*; who was refused for *patience_seconds* without a break believes its holder to hang."""

    def __init__(self, path: Path, patience_seconds: float) -> None:
        self._path, self._patience_seconds = path, patience_seconds
        self._refused_since: float | None = None
        self._held: set[int] = set()

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Give whether it is ours; it is given back at the end. Never waits for another process."""
        handle = self._lock()
        try:
            yield handle is not None
        finally:
            if handle is not None and handle in self._held:
                self._held.discard(handle)
                _release(handle)

    def forget(self) -> None:
        """Leave to the parent process what it held while this one was forked off."""
        for handle in self._held:
            with contextlib.suppress(OSError):
                os.close(handle)  # its lock stays: the parent has the same file open
        self._held = set()

    def _lock(self) -> int | None:
        """Return an open file, locked; None if another holds it."""
        handle = self._open()
        if handle == _NOT_NEEDED:
            return handle
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return _NOT_NEEDED if self._is_tired_of_waiting() else None
        except OSError:  # a file system without locks
            os.close(handle)
            return _NOT_NEEDED
        self._refused_since = None
        self._held.add(handle)
        return handle

    def _open(self) -> int:
        if fcntl is None:
            return _NOT_NEEDED
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, _FLAGS, 0o600)
        except OSError:  # a folder that cannot be written is shared with nobody
            return _NOT_NEEDED

    def _is_tired_of_waiting(self) -> bool:
        now = time.monotonic()
        self._refused_since = now if self._refused_since is None else self._refused_since
        return now - self._refused_since > self._patience_seconds


def _release(handle: int) -> None:
    """Unlock before closing: a child that was forked off meanwhile has the same file open."""
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)
    with contextlib.suppress(OSError):
        os.close(handle)
