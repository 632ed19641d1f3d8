"""APScheduler's part of the timer. Imported when the first timer starts: nobody else pays for it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

LEAST_WAIT_SECONDS = 0.001

_QUIET = logging.getLogger("target_decisioning.scheduler")
_QUIET.setLevel(logging.WARNING)  # starting and stopping a timer is no news


class _DaemonThreads(BaseExecutor):  # type: ignore[misc]  # APScheduler is untyped
    """Runs each job on a daemon thread of its own: APScheduler's pools are waited for when the interpreter ends."""

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:  # noqa: ARG002
        with contextlib.suppress(RuntimeError):  # the interpreter ends: no thread starts any more, nothing is polled
            threading.Thread(target=self._run_job, args=(job,), name="target-artifact", daemon=True).start()

    def _run_job(self, job: Any) -> None:
        try:
            job.func()
        finally:
            self._run_job_success(job.id, [])


class _MonotonicScheduler(BackgroundScheduler):  # type: ignore[misc]
    """Lets its owner correct the next run before each look at the wall clock."""

    before_looking: Callable[[Any], None]
    seconds_left: Callable[[], float | None]

    def _process_jobs(self) -> float | None:
        self.before_looking(self)
        try:
            wait_seconds: float | None = super()._process_jobs()
        except JobLookupError:  # shut down between starting a job and forgetting it
            return None
        left = self.seconds_left()  # wall time may have been set back since the job was put, years before it is due
        if left is None or wait_seconds is None:
            return wait_seconds
        return min(wait_seconds, max(left, LEAST_WAIT_SECONDS))


def new_scheduler(
    before_looking: Callable[[Any], None], seconds_left: Callable[[], float | None]
) -> BackgroundScheduler:
    """Return a scheduler, not yet started.

    Args:
        before_looking: called with the scheduler each time it looks for work.
        seconds_left: tells how long it may wait at most; None: for as long as it wants.
    """
    scheduler = _MonotonicScheduler(timezone=UTC, daemon=True, logger=_QUIET, executors={"default": _DaemonThreads()})
    scheduler.before_looking, scheduler.seconds_left = before_looking, seconds_left
    return scheduler
