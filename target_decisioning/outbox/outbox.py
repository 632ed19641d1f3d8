"""The way out for impressions and telemetry: accepted in microseconds, sent in the background, tried again.

    offer(item) -> bool      flush(timeout) -> bool      close(timeout) -> bool      status()

At least once: an item leaves with the content it was accepted with, as often as it takes. In memory nothing survives
the process; with a *path* an item is on disk before ``offer`` returns. A forked child starts empty: what its parent
accepted, its parent sends. Source: faults.md B1, B6 and D1 to D8.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_decisioning.errors import ConfigError
from target_decisioning.events import NOTIFICATIONS_DROPPED
from target_decisioning.forks import ProcessLock, late_import, process
from target_decisioning.log import Logger, warn
from target_decisioning.outbox.dispatcher import Dispatcher, Item, Send
from target_decisioning.outbox.limits import OutboxLimits
from target_decisioning.outbox.schedule import TELEMETRY

if TYPE_CHECKING:
    from target_decisioning.events import Emit
    from target_decisioning.outbox.dead_letter import DeadLetter
    from target_decisioning.outbox.spool import Spool, Stored

_UNOWNED = 0
_LARGEST_OWNER = 2**31 - 1
_DEFAULT_LIMITS = OutboxLimits()


class Outbox:
    """A bounded queue with senders behind it. Threads may share it; none is started before the first item.

    Args:
        send: sends one item, on a thread of the outbox; ``DeliveryError`` or ``TransportError`` tell what went wrong.
        emit: told of ``send_notification_error`` and ``notifications_dropped``; must return soon.
        logger: told of outages and of losses.
        path: file that makes it durable; processes that are given the same path use files beside it.
        owner: text that names for whom it sends; what another one's outbox left under that path is not touched.
        limits: bounds and paces.
        background: False starts no threads; ``work`` and ``flush`` then send in the caller's.

    Raises:
        ConfigError: *path* is in no folder.
    """

    def __init__(
        self,
        send: Send,
        emit: Emit,
        logger: Logger,
        *,
        path: str | os.PathLike[str] | None = None,
        owner: str = "",
        limits: OutboxLimits = _DEFAULT_LIMITS,
        background: bool = True,
    ) -> None:
        self._send, self._emit, self._logger = send, emit, logger
        self._path = None if path is None else Path(path)
        self._owner = zlib.crc32(owner.encode("utf-8", "replace")) & _LARGEST_OWNER
        self._limits, self._background = limits, background
        self._lock = threading.Lock()
        self._is_closed = False
        self._pid = _UNOWNED
        self._spool: Spool | None = None
        if self._path is not None and (_is_folder(self._path) or not _is_folder(self._path.parent)):
            raise ConfigError("outbox_path must be a file in a folder that exists", "outbox_path")
        self._own_process()
        with _joining:
            _ALL.add(self)

    def resume(self) -> None:
        """Begin to send what an earlier process left on disk, once ``send`` can be called."""
        if self._dispatcher.pending and not self._is_closed:
            self._start()

    def offer(self, item: Item, lane: str = "") -> bool:
        """Accept *item*, which is the outbox's from then on; False if it is refused and will never be sent.

        What makes an item and its lane may be given in its place: what goes to disk is made at once, other items a
        moment later.

        Items of one *lane* (a visitor) are sent one after the other, in the order they were offered. What is lost of
        the lane ``TELEMETRY`` is neither counted nor told.
        """
        if self._pid != process.id:  # which whoever makes a call has just looked after
            self._enter_process()
        dispatcher, spool = self._dispatcher, self._spool
        if self._is_closed:
            return self._refuse("closed", lane)
        if not dispatcher.is_running:
            self._start()
        if spool is None:
            is_taken = dispatcher.waiting_bytes < self._most_bytes and dispatcher.put(item, lane)
            return is_taken or self._refuse("full", lane)
        if spool.size_bytes >= self._most_bytes or not _take_place(dispatcher):
            return self._refuse("full", lane)
        return self._store(spool, item, lane)

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until everything accepted so far was sent or given up as undeliverable; return whether it was."""
        if self._pid != os.getpid():
            self._enter_process()
        return not self._dispatcher.pending or (not self._is_closed and self._flush(timeout_seconds))

    def work(self, seconds: float, *, longest_send_seconds: float = 0.0) -> None:
        """Send what is due in this thread, one item at least and for about that long. Only without a background.

        A caller is held up for *seconds* and one send of *longest_send_seconds* at most.
        """
        if self._pid != os.getpid():
            self._enter_process()
        if not self._background and not self._is_closed:
            self._dispatcher.work(seconds, longest_send_seconds)

    @property
    def seconds_to_send(self) -> float | None:
        """For ``send``: how long it may take at most, because a caller waits for it; None if nobody does."""
        return self._dispatcher.seconds_to_send

    def close(self, timeout_seconds: float = 5.0) -> bool:
        """Accept nothing more, flush, end all threads; return whether all was done.

        What is left waits on disk for the next start, or is lost and counted. Closing again does nothing.
        """
        if self._pid != os.getpid():
            self._enter_process()
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if was_closed:
            return not self._dispatcher.pending
        is_done = not self._dispatcher.pending or self._flush(timeout_seconds)
        self._end()
        return is_done

    def status(self) -> dict[str, Any]:
        """Return ``pending``, ``sent``, ``dropped``, ``dead`` (items), ``dropped_by_reason`` and ``durable``."""
        if self._pid != os.getpid():
            self._enter_process()
        dispatcher = self._dispatcher
        dropped = dict(dispatcher.dropped)
        return {
            "pending": dispatcher.pending,
            "sent": dispatcher.sent,
            "dropped": sum(dropped.values()),
            "dead": dispatcher.dead,
            "dropped_by_reason": dropped,
            "durable": self._spool is not None,
        }

    @property
    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """The latest undeliverable items, without their values."""
        return tuple(self._dispatcher.dead_letters)

    def _refuse(self, reason: str, lane: str) -> bool:
        if lane != TELEMETRY:
            self._dispatcher.refuse(reason)
        return False

    def _store(self, spool: Spool, item: Item, lane: str) -> bool:
        try:
            item, lane = item() if callable(item) else (item, lane)
            stored = spool.append(item, lane, time.time_ns() // 1_000_000)
        except Exception:  # the disk is full, for instance, or it is nothing that JSON has
            self._dispatcher.room.append(None)
            return self._refuse("disk", lane)
        self._dispatcher.put_stored(stored)
        return True

    def _flush(self, timeout_seconds: float) -> bool:
        self._start()
        if self._dispatcher.is_alive():
            return self._dispatcher.flush(timeout_seconds)
        return self._dispatcher.flush_here(timeout_seconds)

    def _start(self) -> None:
        """Begin to send; where no thread can be started, because the interpreter ends, the end itself sends."""
        _AT_WORK.add(self)
        if self._background:
            self._dispatcher.start()

    def _end(self) -> None:
        self._dispatcher.stop(timeout_seconds=1.0)
        lost = self._dispatcher.count_leftovers()
        if lost:
            what, are = ("1 impression", "it is") if lost == 1 else (f"{lost} impressions", "they are")
            warn(self._logger, f"The outbox was closed with {what} that could not be sent; {are} lost")
            self._emit(NOTIFICATIONS_DROPPED, counts={"closed": lost})
        if self._spool is not None:
            self._spool.close()
        _AT_WORK.discard(self)

    def _enter_process(self) -> None:
        """Start empty in a process that was forked off; what the parent accepted, the parent sends."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._disown()
            self._own_process()
        self.resume()

    def _disown(self) -> None:
        self._pid = _UNOWNED
        if self._spool is not None:
            self._spool.abandon()
            self._spool = None

    def _own_process(self) -> None:
        self._spool = None if self._path is None or self._is_closed else self._opened(self._path)
        limits, spool = self._limits, self._spool
        self._most_bytes = limits.bytes if spool is None else limits.disk_bytes
        most_items = limits.items if spool is None else limits.disk_items
        chore = None if spool is None else self._tend
        self._dispatcher = Dispatcher(self._send, self._emit, self._logger, limits, spool, most_items, chore)
        if spool is not None:
            self._take_up(spool)
        self._pid = os.getpid()  # last: until then other threads wait, and nobody uses what was the parent's

    def _opened(self, path: Path) -> Spool | None:
        with late_import:  # and with it SQLite, which nobody else needs
            from target_decisioning.outbox.custody import open_spool
            from target_decisioning.outbox.spool import Spool, SpoolBusy
        try:
            return open_spool(path, self._owner, self._logger)
        except (SpoolBusy, OSError, Spool.Error) as error:
            warn(self._logger, f"outbox_path cannot be used ({type(error).__name__}); impressions wait in memory only")
            return None

    def _take_up(self, spool: Spool) -> None:
        """Take up what the last owner of the file left, and what dead processes left beside it."""
        for stored in spool.stored():
            _take_place(self._dispatcher)
            self._dispatcher.put_stored(stored)
        self._take_over()

    def _tend(self) -> None:
        """Do now and then what a durable outbox needs."""
        self._take_over()
        if self._spool is not None:
            self._spool.fill_reserve()

    def _take_over(self) -> None:
        if self._path is not None and self._spool is not None:
            from target_decisioning.outbox.custody import take_over  # ``_opened`` has imported it

            take_over(self._path, self._spool.path, self._owner, self._logger, self._accept)

    def _accept(self, item: dict[str, Any], stored: Stored) -> bool:
        """Take over an item of a dead process; it keeps the moment it was accepted at."""
        spool = self._spool
        if spool is None or spool.size_bytes >= self._most_bytes or not _take_place(self._dispatcher):
            return False
        try:
            self._dispatcher.put_stored(spool.append(item, stored.lane, stored.accepted_ms))
        except spool.Error:
            self._dispatcher.room.append(None)
            return False
        return True


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no name of a file at all
        return False


def _take_place(dispatcher: Dispatcher) -> bool:
    """Take one of the places that are left; exact among any number of threads."""
    try:
        dispatcher.room.pop()
    except IndexError:
        return False
    return True


_ALL: weakref.WeakSet[Outbox] = weakref.WeakSet()
_joining = ProcessLock()
_AT_WORK: set[Outbox] = set()  # from the first item to close(): nobody's forgetting the client may lose an item
_held: list[Spool] = []


def _close_at_exit() -> None:
    """Give what waits a last, bounded chance; the end of the interpreter is held up once, however many there are."""
    outboxes = [outbox for outbox in list(_AT_WORK) if outbox._pid == os.getpid()]
    ends = time.monotonic() + max((outbox._limits.exit_seconds for outbox in outboxes), default=0.0)
    for outbox in outboxes:
        outbox.close(max(0.0, ends - time.monotonic()))


def _before_fork() -> None:
    """No thread may be inside a spool while the process is copied."""
    with _joining:
        spools = [outbox._spool for outbox in _ALL]
    _held.extend(spool for spool in spools if spool is not None)
    for spool in _held:
        spool.lock.acquire()


def _after_fork_in_parent() -> None:
    for spool in _held:
        spool.lock.release()
    _held.clear()


def _after_fork_in_child() -> None:
    _after_fork_in_parent()
    for outbox in list(_ALL):
        outbox._lock = threading.Lock()
        outbox._disown()
    _AT_WORK.clear()


atexit.register(_close_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
