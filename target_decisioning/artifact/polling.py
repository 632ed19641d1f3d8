"""The timer of the keeper: APScheduler's ``BackgroundScheduler``, made to count by the monotonic clock.

APScheduler computes the next run from wall time. A clock set back by years would silence it for years, so each time
it looks for work it is told anew when the next run is, reckoned from ``time.monotonic()``.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from target_decisioning.forks import late_import

_JOB = "poll"
_MOST_RUNS_AT_ONCE = 1000  # a run whose fetch hangs is given up, and must not keep later ones from fetching


class Polling:
    """Calls *run* once at the moment that was last armed, on a daemon thread of its own."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._scheduler: Any = None
        self._pid = 0
        self._due: float | None = None

    @property
    def next_seconds(self) -> float | None:
        """Seconds to the next run; None if none is armed."""
        due = self._due
        return None if due is None else max(due - time.monotonic(), 0.0)

    @property
    def is_alive(self) -> bool:
        """Whether the timer's thread runs, in this process."""
        scheduler = self._scheduler
        thread = getattr(scheduler, "_thread", None)
        return self._pid == os.getpid() and thread is not None and thread.is_alive()

    def arm(self, delay_seconds: float) -> None:
        """Run in *delay_seconds*, instead of when it was to run before."""
        with self._lock:
            self._due = time.monotonic() + delay_seconds
            if not self.is_alive:
                self._start()
            self._schedule(self._scheduler)

    def stop(self) -> None:
        """Never run again, unless armed. A run under way goes on."""
        with self._lock:
            self._due = None
            scheduler = self._scheduler if self.is_alive else None
            self._scheduler = None
        if scheduler is not None:
            scheduler.shutdown(wait=False)

    def _start(self) -> None:
        with late_import:
            from target_decisioning.artifact.scheduler import new_scheduler
        scheduler = new_scheduler(self._before_looking, lambda: self.next_seconds)
        scheduler.start()
        self._scheduler, self._pid = scheduler, os.getpid()
        _running.add(self)

    def _schedule(self, scheduler: Any) -> None:
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
                self._schedule(scheduler)

    def _run_if_due(self) -> None:
        with self._lock:
            left = self.next_seconds
            if left is None:
                return
            if left > 0.05 and self.is_alive:  # wall time was set forward
                self._schedule(self._scheduler)
                return
            self._due = None
        self._run()


_running: weakref.WeakSet[Polling] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """A timer that fires while the interpreter goes down could start no thread, and would say so on stderr."""
    for polling in list(_running):
        polling.stop()
