"""Takes items in, has them sent, tries again, and knows when all is done.

    put(item) --arrivals--> dispatcher thread --jobs--> sender threads --send(item)--> verdict --inbox--> dispatcher

One thread owns all state and only ever waits for its inbox; whatever may block (``send``) runs elsewhere. It lets
arrivals gather for a moment: woken by each of them, it would take the interpreter from the calls that bring them.
Without a background there are no threads: ``work`` does the same in the caller's.
"""

from __future__ import annotations

import contextlib
import marshal
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from target_decisioning.errors import TargetError, TransportError
from target_decisioning.events import NOTIFICATIONS_DROPPED, SEND_NOTIFICATION_ERROR
from target_decisioning.http import OutageLog
from target_decisioning.log import Logger, warn
from target_decisioning.outbox.dead_letter import DeadLetter, outline
from target_decisioning.outbox.refusals import Refusals
from target_decisioning.outbox.schedule import TELEMETRY, Entry, Schedule
from target_decisioning.outbox.verdict import Verdict, verdict_on

if TYPE_CHECKING:
    from target_decisioning.events import Emit
    from target_decisioning.outbox.limits import OutboxLimits
    from target_decisioning.outbox.spool import Spool, Stored

Send = Callable[[dict[str, Any]], None]
Item = dict[str, Any] | Callable[[], tuple[dict[str, Any], str]]
"""What is to be sent, or what makes it and tells its lane once it is taken in."""

GATHER_SECONDS = 0.01
HURRY_SECONDS = 1.0
SHORTEST_SEND_SECONDS = 0.05
CHORE_SECONDS = 60.0


class _Flush:
    """Somebody who waits until certain entries are done with."""

    def __init__(self) -> None:
        self.numbers: set[int] = set()
        self.is_done = threading.Event()


class Dispatcher:
    """Everything accepted and not yet done with. ``sent``, ``dropped`` and ``dead_letters`` say what became of it."""

    def __init__(
        self,
        send: Send,
        emit: Emit,
        logger: Logger,
        limits: OutboxLimits,
        spool: Spool | None,
        most_waiting: int,
        chore: Callable[[], None] | None = None,
    ) -> None:
        self.sent = 0
        self.dead = 0
        self._refusals = Refusals()
        self.dropped = self._refusals.by_reason
        self.dead_letters: deque[DeadLetter] = deque(maxlen=limits.dead_letters)
        self.waiting_bytes = 0
        self.room: deque[None] = deque([None] * most_waiting)
        self._most_waiting = most_waiting
        self._send, self._emit, self._logger, self._limits, self._spool = send, emit, logger, limits, spool
        self._schedule = Schedule(limits)
        self._outage = OutageLog(logger, "Impressions could not be sent", "Impressions are sent again")
        self._entries: dict[int, Entry] = {}
        self._flushes: list[_Flush] = []
        self._inbox: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._arrivals: deque[tuple[Item, str]] = deque()
        self._is_told = False
        self._gathered_at = math.inf
        self._jobs: SimpleQueue[Entry | None] = SimpleQueue()
        self._senders: list[threading.Thread] = []
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        self._work_lock = threading.Lock()
        self._taken = self._in_flight = 0
        self._send_ends: float | None = None
        self._hurry_at = 0.0
        self._chore, self._chore_at = chore, time.monotonic() + CHORE_SECONDS
        self._unmissed, self._unmissed_lock = 0, threading.Lock()
        self.has_ended = self.is_running = False

    @property
    def pending(self) -> int:
        """Items accepted and not done with."""
        return max(0, self._most_waiting - len(self.room))

    @property
    def seconds_to_send(self) -> float | None:
        """How long a send may take at most, because a caller waits for it; None if nobody does."""
        ends = self._send_ends
        return None if ends is None else max(ends - time.monotonic(), SHORTEST_SEND_SECONDS)

    def put(self, item: Item, lane: str) -> bool:
        """Take an item, which is this dispatcher's from then on; False if there is no room."""
        try:
            self.room.pop()  # exact among any number of threads
        except IndexError:
            return False
        if lane == TELEMETRY:
            self._count_unmissed(1)
        self._arrivals.append((item, lane))
        if not self._is_told:
            self._is_told = True
            self._inbox.put((self._let_gather,))
        if self.has_ended:
            self.count_leftovers()
        return True

    def put_stored(self, stored: Stored) -> None:
        """Take an item that is on disk and has room."""
        if stored.lane == TELEMETRY:
            self._count_unmissed(1)
        self._inbox.put((self._take_stored, stored))

    def refuse(self, reason: str) -> None:
        """Count an item that was not accepted; told at most once a second."""
        if self._refusals.count(reason):
            self._inbox.put((_wake,))

    def start(self) -> None:
        """Start the thread, or start it anew if it died."""
        with self._start_lock, contextlib.suppress(RuntimeError):  # the interpreter ends: no thread starts any more
            if not self.is_alive() and not self.has_ended:
                self._start_sender()
                self._thread = threading.Thread(target=self._run, name="target-outbox", daemon=True)
                self.is_running = True
                self._thread.start()

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until all that was accepted before is done with; return whether it is."""
        flush = _Flush()
        self._inbox.put((self._begin_flush, flush))
        is_done = flush.is_done.wait(timeout_seconds)
        if not is_done:
            self._inbox.put((self._end_flush, flush))
        return is_done

    def work(self, seconds: float, longest_send_seconds: float = 0.0) -> None:
        """Send here what is due, one item at least and for about that long; nothing if another thread is at it.

        A send may take what is left of *seconds*, or *longest_send_seconds* where that is more.
        """
        if not self._work_lock.acquire(blocking=False):
            return
        try:
            self._work(time.monotonic() + seconds, longest_send_seconds)
        finally:
            self._send_ends = None
            self._work_lock.release()

    def _work(self, ends: float, longest_send_seconds: float) -> None:
        self._take_messages()
        self._take_arrivals()
        if self._flushes and time.monotonic() >= self._hurry_at:
            self._hurry()
        while (entry := self._next_entry()) is not None:
            self._send_ends = max(ends, time.monotonic() + longest_send_seconds)
            self._settle(entry, self._try(entry))
            self._take_messages()
            self._take_arrivals()
            if time.monotonic() >= ends:
                break
        self._report_refusals()
        self._do_chore()

    def flush_here(self, timeout_seconds: float) -> bool:
        """Do as ``flush`` does, in this thread."""
        flush = _Flush()
        self._inbox.put((self._begin_flush, flush))
        ends = time.monotonic() + timeout_seconds
        while True:
            self.work(ends - time.monotonic())
            now = time.monotonic()
            if flush.is_done.is_set() or now >= ends:
                self._end_flush(flush)
                return flush.is_done.is_set()
            time.sleep(min(ends - now, self._wait_seconds() or 0.01))

    def stop(self, timeout_seconds: float) -> None:
        """End all threads; what is not done with stays counted as pending."""
        self._inbox.put((self._end,))
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._end()
        elif thread is not threading.current_thread():
            thread.join(timeout_seconds)
            if thread.is_alive():  # too busy to have heard of it
                self._end()

    def count_leftovers(self) -> int:
        """After the end: count what waits in memory as dropped, and return how much of it somebody misses."""
        self._arrivals.clear()
        with contextlib.suppress(Empty):
            while True:
                self._inbox.get_nowait()
        if self._spool is not None:
            return 0
        left = self.pending
        lost = max(0, left - self._unmissed)
        self._unmissed = 0
        if lost:
            self.dropped["closed"] += lost
        self.room.extend([None] * left)
        return lost

    def _run(self) -> None:
        try:
            while not self.has_ended:
                try:
                    self._turn()
                except Exception as error:  # the loop must outlive anything
                    warn(self._logger, f"The outbox met an unexpected {type(error).__name__}")
        finally:
            self.is_running = False

    def _turn(self) -> None:
        with contextlib.suppress(Empty):
            handle, *arguments = self._inbox.get(timeout=self._wait_seconds())
            handle(*arguments)
            self._take_messages()
        if self.has_ended:
            return
        if time.monotonic() >= self._gathered_at:
            self._take_arrivals()
        if self._flushes and time.monotonic() >= self._hurry_at:
            self._hurry()
        while self._in_flight < self._limits.senders and (entry := self._next_entry()) is not None:
            self._hand_over(entry)
        self._report_refusals()
        self._do_chore()

    def _take_messages(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                handle, *arguments = self._inbox.get_nowait()
                handle(*arguments)

    def _let_gather(self) -> None:
        self._gathered_at = time.monotonic() + GATHER_SECONDS

    def _take_arrivals(self) -> None:
        """Take what has gathered, and let more gather; if nothing has, the next arrival tells of itself."""
        if not self._arrivals:
            self._gathered_at, self._is_told = math.inf, False
        while self._arrivals:  # looked at again: something may have come just before it had to tell
            item, lane = self._arrivals.popleft()
            try:
                self._take(*(item() if callable(item) else (item, lane)))
            except Exception:  # there is no memory, for instance: one item is lost, and counted
                self.room.append(None)
                self.refuse("unmade")
        if self._is_told:
            self._let_gather()

    def _take(self, item: dict[str, Any], lane: str) -> None:
        self._taken += 1
        packed = _packed(item)
        entry = Entry(
            number=self._taken,
            packed=packed,
            lane=lane,
            size_bytes=len(packed) if isinstance(packed, bytes) else 0,
            expires_at=time.monotonic() + self._limits.expiry_seconds,
        )
        self._enter(entry)

    def _take_stored(self, stored: Stored) -> None:
        age_seconds = max(0.0, time.time() - stored.accepted_ms / 1000)
        expires_at = time.monotonic() + self._limits.expiry_seconds - age_seconds
        self._enter(
            Entry(
                number=stored.number,
                packed=None,
                lane=stored.lane,
                size_bytes=stored.size_bytes,
                expires_at=expires_at,
            )
        )

    def _enter(self, entry: Entry) -> None:
        self._entries[entry.number] = entry
        self.waiting_bytes += entry.size_bytes
        self._schedule.add(entry)

    def _next_entry(self) -> Entry | None:
        """Return what to send now, in flight; what has expired is given up on the way."""
        while (entry := self._schedule.next(time.monotonic())) is not None:
            if entry.expires_at > time.monotonic():
                return entry
            self._tell_of_end(entry, TimeoutError("not sent in time"))
            self._give_up(entry, "expired")
        return None

    def _hand_over(self, entry: Entry) -> None:
        self._in_flight += 1
        self._jobs.put(entry)
        self._senders = [sender for sender in self._senders if sender.is_alive()]
        if len(self._senders) < self._in_flight:
            with contextlib.suppress(RuntimeError):  # the interpreter ends: those that run must do
                self._start_sender()

    def _start_sender(self) -> None:
        sender = threading.Thread(target=self._send_jobs, name="target-outbox-sender", daemon=True)
        sender.start()
        self._senders.append(sender)

    def _send_jobs(self) -> None:
        while (entry := self._jobs.get()) is not None:
            self._inbox.put((self._land, entry, self._try(entry)))

    def _try(self, entry: Entry) -> Exception | None:
        """Send *entry* once; return what went wrong. What was sent leaves the disk at once."""
        try:
            item = self._content(entry)
            if item is None:
                return _DAMAGED
            self._send(item)
        except Exception as error:
            if verdict_on(error) is not Verdict.SENT:
                return error
        if self._spool is not None:
            self._spool.remove(entry.number)
        return None

    def _content(self, entry: Entry) -> dict[str, Any] | None:
        """Return the item; None if it is damaged on disk.

        Raises:
            TransportError: ``disk``: it cannot be read now.
        """
        if entry.packed is not None or self._spool is None:
            return _unpacked(entry.packed)
        try:
            return self._spool.read(entry.number)
        except self._spool.Error as error:
            raise TransportError("disk", "the outbox file cannot be read", was_sent=False) from error

    def _land(self, entry: Entry, error: Exception | None) -> None:
        self._in_flight -= 1
        self._settle(entry, error)

    def _settle(self, entry: Entry, error: Exception | None) -> None:
        verdict = verdict_on(error)
        if error is _DAMAGED:
            self._give_up(entry, "damaged")
        elif verdict is Verdict.SENT:
            self.sent += 1
            if entry.is_missed:
                self._outage.recovered()
            self._schedule.sent(entry, time.monotonic())
            self._forget(entry)
        elif verdict is Verdict.AGAIN:
            self._tell_of_failure(entry, error)
            self._schedule.failed(entry, time.monotonic())
        else:
            self._bury(entry, error)

    def _tell_of_failure(self, entry: Entry, error: Exception | None) -> None:
        why = str(error) if isinstance(error, TargetError) else type(error).__name__
        if entry.is_missed:
            self._outage.failed(why)
        else:
            self._logger.debug(f"Telemetry could not be sent: {why}")

    def _bury(self, entry: Entry, error: Exception | None) -> None:
        if entry.is_missed:
            self.dead += 1
            what = outline(self._tell_of_end(entry, error))
            self.dead_letters.append(DeadLetter(time.time_ns() // 1_000_000, str(error), entry.failures + 1, what))
        else:
            self._tell_of_failure(entry, error)
        self._schedule.dropped(entry)
        self._forget(entry)

    def _give_up(self, entry: Entry, reason: str) -> None:
        if entry.is_missed:
            self.refuse(reason)
        self._schedule.dropped(entry)
        self._forget(entry)

    def _tell_of_end(self, entry: Entry, error: Exception | None) -> dict[str, Any] | None:
        if not entry.is_missed:
            return None
        item = None
        with contextlib.suppress(TransportError):
            item = self._content(entry)
        if item is not None:
            self._emit(SEND_NOTIFICATION_ERROR, notification=item, error=error)
        return item

    def _forget(self, entry: Entry) -> None:
        del self._entries[entry.number]
        self.waiting_bytes -= entry.size_bytes
        if not entry.is_missed:
            self._count_unmissed(-1)
        if self._spool is not None:
            self._spool.remove(entry.number)
        self.room.append(None)
        for flush in self._flushes:
            flush.numbers.discard(entry.number)
        self._end_flushes()

    def _count_unmissed(self, count: int) -> None:
        with self._unmissed_lock:
            self._unmissed += count

    def _begin_flush(self, flush: _Flush) -> None:
        self._take_arrivals()
        flush.numbers = set(self._entries)
        self._flushes.append(flush)
        self._hurry()
        self._end_flushes()

    def _end_flush(self, flush: _Flush) -> None:
        self._flushes = [other for other in self._flushes if other is not flush]

    def _end_flushes(self) -> None:
        for flush in self._flushes:
            if not flush.numbers:
                flush.is_done.set()
        self._flushes = [flush for flush in self._flushes if flush.numbers]

    def _hurry(self) -> None:
        now = time.monotonic()
        self._hurry_at = now + HURRY_SECONDS
        self._schedule.hurry(now)

    def _wait_seconds(self) -> float | None:
        now = time.monotonic()
        waits = [self._hurry_at - now] if self._flushes else []
        if self._gathered_at < math.inf:
            waits.append(self._gathered_at - now)
        untold = self._refusals.seconds_to_report(now)
        waits += [] if untold is None else [untold]
        if self._chore is not None:
            waits.append(self._chore_at - now)
        if self._in_flight < self._limits.senders:
            due = self._schedule.seconds_to_next(now)
            waits += [] if due is None else [due]
        return max(0.0, min(waits)) if waits else None

    def _report_refusals(self) -> None:
        counts = self._refusals.untold(time.monotonic())
        if counts:
            self._emit(NOTIFICATIONS_DROPPED, counts=counts)

    def _do_chore(self) -> None:
        now = time.monotonic()
        if self._chore is not None and now >= self._chore_at and not self.has_ended:
            self._chore_at = now + CHORE_SECONDS
            self._chore()

    def _end(self) -> None:
        self.has_ended = True
        for _ in self._senders:
            self._jobs.put(None)


class _Damaged(Exception):
    """The item on disk is damaged."""


_DAMAGED = _Damaged("damaged on disk")


def _packed(item: dict[str, Any]) -> bytes | dict[str, Any]:
    """Return *item* as bytes, which take less room and which the garbage collector need not look through."""
    try:
        return marshal.dumps(item)
    except ValueError:  # it will be refused when it is sent
        return item


def _unpacked(packed: bytes | dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the item again; what was packed never left the process."""
    return marshal.loads(packed) if isinstance(packed, bytes) else packed  # noqa: S302


def _wake() -> None:
    """Only end the wait."""
