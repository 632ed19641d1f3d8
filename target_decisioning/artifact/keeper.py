"""Keeps the current program: the one place that knows which artifact decides, and how good it still is.

    payload | disk | file | network  --retrieve-->  program  --one assignment-->  current

Whatever arrives, the last good program stays until a better one has been compiled. Nothing here raises into a
request; what goes wrong in the background is told through events, ``status()`` and the log.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from target_decisioning.artifact.alone import Alone
from target_decisioning.artifact.cadence import Cadence
from target_decisioning.artifact.loaded import Loaded
from target_decisioning.artifact.location import (
    artifact_format,
    artifact_location,
    local_path,
    polling_interval_seconds,
)
from target_decisioning.artifact.polling import Polling
from target_decisioning.artifact.retrieval import (
    Brought,
    Busy,
    CompileProgram,
    Confirmed,
    Failed,
    Outcome,
    Reader,
    Retrieval,
)
from target_decisioning.artifact.source import FETCH_SECONDS, FileSource, HttpSource, Source, payload_bytes
from target_decisioning.errors import ArtifactInvalid
from target_decisioning.events import (
    ARTIFACT_DOWNLOAD_FAILED,
    ARTIFACT_DOWNLOAD_SUCCEEDED,
    ARTIFACT_STALE,
    GEO_LOCATION_UPDATED,
    Emit,
)
from target_decisioning.forks import late_import, renew_in_child
from target_decisioning.geo import geo_of
from target_decisioning.http import OutageLog
from target_decisioning.log import warn

if TYPE_CHECKING:
    from target_decisioning.config import Config
    from target_decisioning.http import Transport
    from target_decisioning.log import Logger

STALE_INTERVALS = 3
LEAST_LIKELY_SECONDS = 1.0  # what is shorter, given as ``polling_interval``, was probably meant in seconds
LOOK_SECONDS = 1.0  # how often a request looks whether the timer still lives
OVERDUE_SECONDS = FETCH_SECONDS + 10.0  # a poll this late will not come by itself
REFUSALS = frozenset({401, 403, 404})  # asking again soon would not change them

Told = tuple[str, dict[str, Any]]
OnDownload = Callable[[float, float, Mapping[str, float]], None]
"""``(execution_ms, parsing_ms, timing)`` of one download that brought an artifact."""


class ArtifactKeeper:
    """Loads, refreshes and hands out the program.

    Args:
        config: the client's options.
        transport: for an artifact that comes over HTTP.
        compile_program: makes the program from an artifact's JSON text; raises ``ArtifactInvalid`` or
            ``ArtifactUnsupported``. The program has a ``version``.
        emit: tells the listeners.
        logger: for failures, once per outage.
        on_download: told of each download, for telemetry.
        on_ready: called once, when there is a program for the first time; must return soon.
        is_listened_to: whether anybody listens to an event; the payload of a success is built only then.
    """

    def __init__(
        self,
        config: Config,
        transport: Transport,
        compile_program: CompileProgram,
        emit: Emit,
        logger: Logger,
        on_download: OnDownload | None = None,
        *,
        on_ready: Callable[[], None] | None = None,
        is_listened_to: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._config, self._emit = config, emit
        self._on_download, self._on_ready, self._is_listened_to = on_download, on_ready, is_listened_to
        self.location = artifact_location(config)
        _warn_of_units(config, logger)
        self.polling_interval_seconds = _interval(config, self.location)
        self._max_age_seconds = config.max_artifact_age_seconds or STALE_INTERVALS * self.polling_interval_seconds
        self._cadence = Cadence(self.polling_interval_seconds)
        file_format = artifact_format(self.location, config.artifact_format)
        self._reader = Reader(compile_program, file_format, config.organization_id)
        source = _source(config, transport, self.location)
        self._retrieval = Retrieval(source, self._reader, self._cadence.slow_seconds) if source else None
        self._is_local = source is None or source.kind == "file"
        self._sharing = _sharing(config, self.location, logger, self._reader, is_local=self._is_local)
        self._outage = OutageLog(logger, "Failed to retrieve artifact", "The artifact is retrieved again")
        self.current: Loaded | None = None
        self._last_failure: tuple[Failed, int] | None = None
        self._has_been_ready = self._is_stale_told = self._is_closed = False
        self._unready_since = time.monotonic()
        self._due: float | None = None
        self._restarts = 0
        self._pid, self._next_look, self._is_forked = 0, 0.0, False
        self._fetching, self._settled, self._polling = threading.Lock(), threading.Event(), Polling(self._poll)
        self.begin_in_child()
        renew_in_child(self)

    @property
    def is_networked(self) -> bool:
        """Whether the artifact comes over HTTP."""
        return not self._is_local

    def start(self) -> None:
        """Load what is at hand (payload, stored artifact, file) now, and begin to fetch from the network."""
        if self._config.artifact_payload is not None:
            self._load_payload(self._config.artifact_payload)
        if self._retrieval is None or (self.current is not None and not self.polling_interval_seconds):
            return
        if self.current is not None:  # the payload stands for the first download
            self._arm(self._cadence.confirmed())
        elif self._is_local:
            self._poll()
        else:
            self._arm(self._cadence.first(is_fresh=self._load_stored()))

    def wait_until_ready(self, timeout_seconds: float) -> bool:
        """Return whether there is a program, waiting for the first one at most *timeout_seconds*.

        Where nothing is fetched, and after ``close``, there is nothing to wait for.
        """
        if self._retrieval is not None:
            if self._config.background:
                self._settled.wait(timeout_seconds)
            else:
                self._fetch_until_ready(time.monotonic() + timeout_seconds)
        return self.current is not None

    def refresh_if_due(self) -> None:
        """Look after the keeper; cheap enough for every request.

        With background threads it starts the timer again where that died or stayed in the parent process. Without, it
        fetches what is due, bounded by the option ``timeout``.
        """
        if time.monotonic() >= self._next_look:
            self._look()

    def is_stale(self) -> bool:
        """Whether the source last confirmed the program longer ago than ``max_artifact_age_seconds``.

        Never for a payload, and never without polling.
        """
        current = self.current
        if current is None or not self.polling_interval_seconds or current.source == "payload":
            return False
        return time.monotonic() - current.confirmed_at > self._max_age_seconds

    def status(self) -> dict[str, Any]:
        """Return what an operator asks for. Ages and waits are in seconds, None where there is nothing to tell."""
        current, failure = self.current, self._last_failure
        return {
            "ready": current is not None,
            "version": getattr(current and current.program, "version", None),
            "source": current and current.source,
            "etag": current and current.etag,
            "age_seconds": current and round(time.monotonic() - current.confirmed_at, 3),
            "stale": self.is_stale(),
            "last_error": failure and _described(*failure),
            "failures_in_a_row": self._cadence.failures_in_a_row,
            "next_poll_seconds": self._next_poll_seconds(),
            "timer_restarts": self._restarts,
            "set_aside": self._sharing.set_aside_count,
        }

    def last_error(self) -> Exception | None:
        """Return what the last try failed with; None if it did not."""
        return self._last_failure[0].error if self._last_failure else None

    def why_not_ready(self) -> str:
        """Return for whoever waits: since when, the last error, the next try."""
        failure, next_poll = self._last_failure, self._next_poll_seconds()
        error = f"; last error: {failure[0].reason}: {str(failure[0].error).rstrip('.')}" if failure else ""
        next_try = "no further try" if next_poll is None else f"next try in {next_poll:.1f} s"
        return f"No artifact for {time.monotonic() - self._unready_since:.1f} s{error}; {next_try}."

    def close(self) -> None:
        """End polling. A fetch under way is not waited for, and changes nothing any more."""
        self._is_closed, self._due = True, None
        self._polling.stop()
        self._settled.set()

    # From here on: how a program gets in.

    def _load_payload(self, payload: Mapping[str, Any] | str | bytes) -> None:
        try:
            outcome = self._reader.read(payload_bytes(payload))
        except ArtifactInvalid as error:
            outcome = Failed("invalid", error)
        if isinstance(outcome, Brought):
            self._install(outcome)
        else:
            self._tell(self._note_failure(outcome, location=None))

    def _load_stored(self) -> bool:
        """Take the artifact on disk, if there is one; return whether it is younger than one polling interval."""
        stored = self._sharing.load()
        if stored is None:
            return False
        self._install(stored)
        return stored.age_seconds < self.polling_interval_seconds

    def _install(self, brought: Brought) -> None:
        """Make the program that came the current one, and say so the first time."""
        before = self.current
        is_new = before is None or before.program is not brought.program
        self.current = Loaded(
            program=brought.program,
            etag=brought.etag,
            location=None if brought.source == "payload" else self.location,
            source=brought.source,
            loaded_at_ms=int(time.time() * 1000),
            retrieval_count=(before.retrieval_count if before else 0) + is_new,
            confirmed_at=time.monotonic() - brought.age_seconds,
            digest=brought.digest,
        )
        self._is_stale_told = False
        self._settled.set()
        if not self._has_been_ready:
            self._has_been_ready = True
            if self._on_ready:
                self._on_ready()

    # From here on: polling.

    def _poll(self, total_seconds: float = FETCH_SECONDS) -> None:
        """Try once, unless another thread does; arm the next try; then tell the listeners."""
        fetching = self._fetching
        if self._retrieval is None or self._is_closed or not fetching.acquire(blocking=False):
            return
        try:
            with self._sharing.turn(self.current) as news:
                outcome = news or self._retrieval.retrieve(self.current, total_seconds)
                told = self._take(outcome, fetching, is_news=news is not None)
        except Exception as error:  # whatever it is, it must not be the last poll
            outcome = Failed("internal", error)
            told = self._take(outcome, fetching, is_news=True)
        finally:
            fetching.release()
        if told is not None:  # armed only now: the next poll, if it is due at once, must find nobody fetching
            self._arm(self._delay_after(outcome))
            self._tell(told)

    def _take(self, outcome: Outcome, fetching: threading.Lock, *, is_news: bool) -> list[Told] | None:
        """Let *outcome* change what stands; return what the listeners should hear of it.

        None if it comes too late: after ``close``, or after the fetch was given up. ``is_news``: another process found
        it out.
        """
        if self._is_closed or fetching is not self._fetching:
            return None
        told = self._accept(outcome)
        if not is_news:
            self._sharing.record(outcome)
        return told

    def _accept(self, outcome: Outcome) -> list[Told]:
        if isinstance(outcome, Failed):
            return self._note_failure(outcome, location=self.location)
        if isinstance(outcome, Busy):
            return []
        told = self._keep(outcome) if isinstance(outcome, Brought) else self._confirm(outcome)
        self._last_failure = None
        self._outage.recovered()
        return told

    def _keep(self, brought: Brought) -> list[Told]:
        self._install(brought)
        is_networked = brought.source == "network"
        if self._on_download and is_networked:
            self._on_download(brought.execution_ms, brought.parsing_ms, brought.timing)
        told: list[Told] = []
        if self._is_listened_to(ARTIFACT_DOWNLOAD_SUCCEEDED):
            artifact = json.loads(brought.text)
            told.append(
                (ARTIFACT_DOWNLOAD_SUCCEEDED, {"artifact_location": self.location, "artifact_payload": artifact})
            )
        if is_networked:
            told.append((GEO_LOCATION_UPDATED, {"geo_context": geo_of(brought.headers)}))
        return told

    def _confirm(self, confirmed: Confirmed) -> list[Told]:
        current = self.current
        if current is not None:
            confirmed_at = time.monotonic() - confirmed.age_seconds
            source = confirmed.source or current.source
            self.current = dataclasses.replace(current, confirmed_at=confirmed_at, source=source)
            self._is_stale_told = False
        return []

    def _note_failure(self, failure: Failed, *, location: str | None) -> list[Told]:
        self._last_failure = (failure, int(time.time() * 1000))
        self._outage.failed(_logged(failure))
        if failure.reason == "forbidden" and self._config.on_forbidden == "clear":
            self._clear()
        payload = {"artifact_location": location, "error": failure.error, "reason": failure.reason}
        return [(ARTIFACT_DOWNLOAD_FAILED, payload | ({} if failure.status is None else {"status": failure.status}))]

    def _clear(self) -> None:
        """Give the program up: its owner's right to decide here was withdrawn."""
        if self.current is not None:
            self._unready_since = time.monotonic()
        self.current = None
        self._settled.clear()

    def _delay_after(self, outcome: Outcome) -> float | None:
        if isinstance(outcome, Busy):
            return self._cadence.busy()
        if isinstance(outcome, Brought | Confirmed):
            return self._cadence.confirmed(age_seconds=outcome.age_seconds, seed=self._sharing.seed)
        is_ready = self.current is not None
        if outcome.status in REFUSALS and self._has_been_ready:  # until the first one, a deploy may only be late
            return self._cadence.refused(is_ready=is_ready)
        return self._cadence.failed(is_ready=is_ready, retry_after_seconds=outcome.retry_after_seconds)

    def _arm(self, delay_seconds: float | None) -> None:
        """Poll in *delay_seconds*; None: not again."""
        if self._is_closed:
            return
        self._due = None if delay_seconds is None else time.monotonic() + delay_seconds
        if self._config.background:
            if delay_seconds is None:
                self._polling.stop()
                return
            try:
                self._polling.arm(delay_seconds)
            except RuntimeError:  # no thread can be started now: a later request tries again
                self._outage.failed("no thread can be started to poll on")

    def _tell(self, told: list[Told]) -> None:
        for event, payload in told:
            self._emit(event, **payload)
        self._tell_if_stale()

    def _tell_if_stale(self) -> None:
        current = self.current
        if current is not None and not self._is_stale_told and self.is_stale():
            self._is_stale_told = True
            self._emit(ARTIFACT_STALE, age_seconds=round(time.monotonic() - current.confirmed_at, 3))

    # From here on: staying alive.

    def _look(self) -> None:
        self._next_look = time.monotonic() + LOOK_SECONDS
        if self._pid != os.getpid():
            self.begin_in_child()
        if self._due is not None and not self._is_closed:
            if self._config.background:
                self._revive()
            else:
                self._fetch_if_due(self._config.timeout_seconds)
        self._tell_if_stale()

    def _revive(self) -> None:
        late_seconds = time.monotonic() - (self._due or 0.0)
        if self._is_forked:
            self._is_forked = False
            self._arm(self._cadence.first(is_fresh=self.current is not None))
        elif not self._polling.is_alive or late_seconds > OVERDUE_SECONDS:
            self._restarts += 1
            self._fetching = threading.Lock()  # a fetch that hangs is given up; what it brings late is not taken
            self._arm(max(-late_seconds, 0.0))

    def _fetch_if_due(self, total_seconds: float) -> None:
        if self._due is not None and time.monotonic() >= self._due and total_seconds > 0:
            self._poll(total_seconds)
        if self._due is not None:
            self._next_look = min(self._next_look, self._due)

    def _fetch_until_ready(self, ends: float) -> None:
        """Fetch in the caller's thread, and again as often as the cadence allows until *ends*."""
        while not self._settled.is_set() and self._due is not None and max(self._due, time.monotonic()) < ends:
            time.sleep(max(self._due - time.monotonic(), 0.0))
            self._fetch_if_due(ends - time.monotonic())

    def begin_in_child(self) -> None:
        """Make what must not be shared with a parent process: locks that it may hold, the timer's thread."""
        self._pid = os.getpid()
        self._next_look = 0.0
        self._is_forked = self._due is not None
        self._sharing.begin_in_child()
        self._fetching = threading.Lock()
        self._settled = threading.Event()
        if self.current is not None or self._is_closed:
            self._settled.set()
        self._polling = Polling(self._poll)

    def _next_poll_seconds(self) -> float | None:
        due = self._due
        return None if due is None else round(max(due - time.monotonic(), 0.0), 3)


def _interval(config: Config, location: str) -> float:
    """Return the seconds between polls; nothing is polled for a payload alone."""
    if config.artifact_payload is not None and not config.artifact_location:
        return 0.0
    return polling_interval_seconds(config, location)


def _warn_of_units(config: Config, logger: Logger) -> None:
    seconds = config.polling_interval_seconds
    if config.polling_floor_applies and seconds < LEAST_LIKELY_SECONDS:
        given = f"polling_interval is in milliseconds: {seconds * 1000:g} means {seconds:g} s"
        warn(logger, f"{given}; polling_interval_seconds takes seconds")


def _source(config: Config, transport: Transport, location: str) -> Source | None:
    """Return where to fetch from; None for a payload alone."""
    if config.artifact_payload is not None and not config.artifact_location:
        return None
    path = local_path(location)
    if path is not None:
        return FileSource(location, path)
    return HttpSource(location, transport, follow_redirects=config.follow_artifact_redirects)


def _sharing(config: Config, location: str, logger: Logger, reader: Reader, *, is_local: bool) -> Alone:
    if is_local or config.cache_dir is None:
        return Alone()
    with late_import:  # who has a file of rules needs nothing of the kind
        from target_decisioning.artifact.sharing import SharedFolder
        from target_decisioning.artifact.store import ArtifactStore
    store = ArtifactStore(config.cache_dir, location, logger)
    return SharedFolder(store, reader, forgets_forbidden=config.on_forbidden == "clear")


def _described(failure: Failed, at_ms: int) -> dict[str, Any]:
    return {"reason": failure.reason, "message": str(failure.error), "status": failure.status, "at_ms": at_ms}


def _logged(failure: Failed) -> str:
    """Return *failure* in words that hold nothing of the artifact's content."""
    error = failure.error
    if isinstance(error, ArtifactInvalid):
        return f"{failure.reason}: expected {error.expected} at {error.where}"
    return f"{failure.reason}: {error}"
