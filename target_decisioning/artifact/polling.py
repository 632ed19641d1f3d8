"""The timer of the keeper: APScheduler's ``BackgroundScheduler``, made to count by the monotonic clock.

    arm --due within a second--> the scheduler --when due--> run
        --due later--> a thread that waits a second --> the scheduler

To import APScheduler takes longer than to read an artifact and decide from it: a process that ends within a second
need not pay for it.

APScheduler computes the next run from wall time. A clock set back by years would silence it for years, so each time
it looks for work it is told anew when the next run is, reckoned from ``time.monotonic()``.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from target_decisioning.forks import ProcessLock, late_import

SPARED_SECONDS = 1.0
"""How long APScheduler is not imported, nor its thread started, if nothing is to run before."""

_JOB = "poll"
_MOST_RUNS_AT_ONCE = 1000  # a run whose fetch hangs is given up, and must not keep later ones from fetching


class Polling:
    """Calls *run* once at the moment that was last armed, on a daemon thread of its own."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self._lock = ProcessLock()
        self._scheduler: Any = None
        self._waiting: threading.Timer | None = None
        self._pid = 0
        self._due: float | None = None

    @property
    def next_seconds(self) -> float | None:
        """Seconds to the next run; None if none is armed."""
        due = self._due
        return None if due is None else max(due - time.monotonic(), 0.0)

    @property
    def is_alive(self) -> bool:
        """Whether the timer's thread runs, in this process, or the one that will start it."""
        return self._runs(self._waiting) or self._is_scheduled

    def arm(self, delay_seconds: float) -> None:
        """Run in *delay_seconds*, instead of when it was to run before."""
        with self._lock:
            self._due = time.monotonic() + delay_seconds
            if self._is_scheduled or delay_seconds < SPARED_SECONDS:
                self._schedule()
            elif not self._runs(self._waiting):
                self._wait()

    def stop(self) -> None:
        """Never run again, unless armed. A run under way goes on."""
        with self._lock:
            self._due = None
            scheduler = self._scheduler if self._is_scheduled else None
            self._scheduler = None
            self._end_waiting()
        if scheduler is not None:
            scheduler.shutdown(wait=False)

    @property
    def _is_scheduled(self) -> bool:
        return self._runs(getattr(self._scheduler, "_thread", None))

    def _runs(self, thread: threading.Thread | None) -> bool:
        return self._pid == os.getpid() and thread is not None and thread.is_alive()

    def _wait(self) -> None:
        waiting = threading.Timer(SPARED_SECONDS, self._end_of_wait)
        waiting.name, waiting.daemon = "target-timer", True
        waiting.start()
        self._waiting, self._pid = waiting, os.getpid()
        _running.add(self)

    def _end_of_wait(self) -> None:
        with late_import:
            if self._due is None:
                return
            import target_decisioning.artifact.scheduler  # noqa: F401 -- before the lock, which ``stop`` waits for
        with self._lock, contextlib.suppress(RuntimeError):  # no thread can be started now: a later request tries again
            if self._due is not None:
                self._schedule()

    def _end_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and self._runs(waiting):  # a parent's is let alone: its locks may be held for ever
            waiting.cancel()

    def _schedule(self) -> None:
        """Have the scheduler, started if need be, run when it is due."""
        if not self._is_scheduled:
            self._start()
        self._put_job(self._scheduler)

    def _start(self) -> None:
        with late_import:
            from target_decisioning.artifact.scheduler import new_scheduler
        scheduler = new_scheduler(self._before_looking, lambda: self.next_seconds)
        scheduler.start()
        self._scheduler, self._pid = scheduler, os.getpid()
        self._end_waiting()
        _running.add(self)

    def _put_job(self, scheduler: Any) -> None:
        """Put the job where the monotonic clock says, by today's wall clock."""
        left = self.next_seconds
        if left is None:
            return
        scheduler.add_job(
            self._run_if_due,
            "date",
            run_date=datetime.now(UTC) + timedelta(seconds=left),
            id=_JOB,
            replace_existing=True,
            misfire_grace_time=None,
            max_instances=_MOST_RUNS_AT_ONCE,
        )

    def _before_looking(self, scheduler: Any) -> None:
        """Bring forward a run that is due although wall time, set back, says otherwise."""
        if self.next_seconds == 0.0:
            job = scheduler.get_job(_JOB)
            if job is not None and job.next_run_time > datetime.now(UTC):
                self._put_job(scheduler)

    def _run_if_due(self) -> None:
        with self._lock:
            left = self.next_seconds
            if left is None:
                return
            if left > 0.05 and self._is_scheduled:  # wall time was set forward
                self._put_job(self._scheduler)
                return
            self._due = None
        self._run()


_running: weakref.WeakSet[Polling] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """A timer that fires while the interpreter goes down could start no thread, and would say so on stderr."""
    for polling in list(_running):
        polling.stop()
    with late_import:  # an import that is cut short would never give its lock back: wait for its end
        pass
