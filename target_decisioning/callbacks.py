"""The asynchronous form of a call: work and callback run on a few threads that are kept, the caller goes on.

Source: semantics.md 1.2, "Asynchronous form".
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from target_decisioning.errors import ClientClosed
from target_decisioning.forks import late_import
from target_decisioning.log import Logger, fault_of

if TYPE_CHECKING:
    from multiprocessing.pool import AsyncResult

    from target_decisioning.pending import PendingResult

MOST_THREADS = 8
EXIT_SECONDS = 2.0
"""How long the end of the interpreter is held up for calls that were accepted."""

Answer = TypeVar("Answer")
Job = Callable[[], None]


class CallbackPool:
    """Runs calls off the caller's thread; nothing is started before the first, nor shared with a parent process.

    Without a *background* it starts no threads: a call and its callback have run when ``run`` returns.
    """

    def __init__(self, logger: Logger, *, background: bool = True) -> None:
        self._logger, self._background = logger, background
        self._crew = _Crew()

    def run(
        self,
        work: Callable[[], Answer],
        callback: Callable[[Any], Any] | None,
        err_callback: Callable[[Exception], Any] | None,
    ) -> AsyncResult[Answer]:
        """Run *work*; then *callback* with its result or *err_callback* with its error, once, before a wait ends."""
        crew = self._crew
        if crew.pid != os.getpid():
            crew = self._crew = _Crew()
        pending = _pending_result()()

        def job() -> None:
            try:
                answer = _refuse() if crew.is_over else work()
            except BaseException as error:  # whoever waits gets it
                self._let_through(error)
                self._tell(err_callback, error)
                pending.settle(failure=error)
            else:
                self._tell(callback, answer)
                pending.settle(answer)

        if self._background and not crew.is_here():
            _finish_at_exit()
            _at_work.add(self)
            crew.take(job)
        else:  # also where a callback makes a call: it may wait for it, and so keep a thread from doing it
            job()
        return pending

    def close(self, timeout_seconds: float) -> None:
        """Finish what was accepted in that time; what is left ends with ``ClientClosed``."""
        if self._crew.pid == os.getpid():
            self._crew.dismiss(timeout_seconds)

    def finish(self, timeout_seconds: float) -> None:
        """Close, but for calls that other functions make at the end of the interpreter: those run where they are."""
        self.close(timeout_seconds)
        self._crew = _Crew(most_threads=0)

    def _tell(self, callback: Callable[[Any], Any] | None, result: Any) -> None:
        try:
            if callback is not None:
                callback(result)
        except BaseException as error:  # a callback's fault is the callback's
            self._let_through(error)
            self._logger.error(f"A callback failed: {fault_of(error)}")

    def _let_through(self, error: BaseException) -> None:
        """Raise what interrupts the caller, if this is the caller's thread."""
        if isinstance(error, KeyboardInterrupt) and not self._background:
            raise error


_at_work: weakref.WeakSet[CallbackPool] = weakref.WeakSet()


@functools.cache
def _finish_at_exit() -> None:
    """Have them finished; asked late, so that it is before the outboxes are closed, which take what calls owe."""
    atexit.register(_finish_all)


def _finish_all() -> None:
    ends = time.monotonic() + EXIT_SECONDS
    for pool in list(_at_work):
        pool.finish(max(0.0, ends - time.monotonic()))


@functools.cache
def _pending_result() -> type[PendingResult[Any]]:
    with late_import:
        from target_decisioning.pending import PendingResult
    return PendingResult


class _Crew:
    """The threads of one process: started when there is work and none is idle, then kept."""

    def __init__(self, most_threads: int = MOST_THREADS) -> None:
        self.pid = os.getpid()
        self._most_threads = most_threads
        self.is_over = False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()

    def take(self, job: Job) -> None:
        self._jobs.put(job)
        if self.is_over or not (self._idle.acquire(blocking=False) or self._can_start_thread()):
            self._run_jobs()

    def is_here(self) -> bool:
        """Whether the current thread is one of the crew."""
        return threading.current_thread() in self._threads

    def dismiss(self, timeout_seconds: float) -> None:
        ends = time.monotonic() + timeout_seconds
        self._send_home()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, ends - time.monotonic()))
        self.is_over = True
        self._run_jobs()
        self._send_home()

    def _send_home(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)

    def _run_jobs(self) -> None:
        """Run what waits in this thread; once the crew is over, jobs only tell so."""
        with contextlib.suppress(Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    job()

    def _can_start_thread(self) -> bool:
        """Start a thread unless there are enough; False where the interpreter ends and there is none."""
        with self._starting, contextlib.suppress(RuntimeError):
            if len(self._threads) < self._most_threads:
                thread = threading.Thread(target=self._serve, name="target-callback", daemon=True)
                thread.start()
                self._threads.append(thread)
            return bool(self._threads)
        return False

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # an idle thread keeps no caller's objects alive
            self._idle.release()


def _refuse() -> Any:
    raise ClientClosed("the call")
