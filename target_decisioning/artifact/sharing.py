"""One download for all processes of a host that share a cache folder.

    a poll falls due --has another process been there since?--> yes: take what it left (artifact, or why there is none)
                                                           '--> no, and it is our turn: download, and leave it behind

What changed since this process last looked is news, whatever the wall clock says. All agree on when the next poll
falls due, each a little apart; so the first one downloads, and the rest finds its news.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager

from target_decisioning.artifact.alone import Alone
from target_decisioning.artifact.failure_note import FailureNote
from target_decisioning.artifact.loaded import Loaded
from target_decisioning.artifact.retrieval import Brought, Busy, Confirmed, Failed, Outcome, Reader
from target_decisioning.artifact.source import FETCH_SECONDS
from target_decisioning.artifact.store import ArtifactStore, Stamp
from target_decisioning.artifact.turn import Turn

PATIENCE_SECONDS = FETCH_SECONDS + 10.0  # with a process that holds the turn: a download takes less


class SharedFolder(Alone):
    """A process among any number that use the same *store*.

    *forgets_forbidden*: the stored artifact is deleted when the server forbids its use.
    """

    def __init__(self, store: ArtifactStore, reader: Reader, *, forgets_forbidden: bool) -> None:
        self._store, self._reader, self._forgets_forbidden = store, reader, forgets_forbidden
        self._turn = Turn(store.path.with_suffix(".lock"), PATIENCE_SECONDS)
        self._note = FailureNote(store.path.with_suffix(".failure"))
        self._seen: Stamp | None = None
        self._seen_note: Stamp | None = None
        self._look()

    @property
    def set_aside_count(self) -> int:  # type: ignore[override]
        """How many stored artifacts could not be used."""
        return self._store.set_aside_count

    @property
    def seed(self) -> object:  # type: ignore[override]
        """The moment at which the artifact was stored or confirmed."""
        return self._seen and self._seen.modified_ns

    def load(self) -> Brought | None:
        """Return the stored artifact; one that does not compile is moved aside."""
        self._look()
        stored = self._store.load()
        if stored is None:
            return None
        outcome = self._reader.read(stored.body)
        if isinstance(outcome, Failed):
            self._store.set_aside(f"it cannot be used ({outcome.reason})")
            return None
        age_seconds = max(time.time() - stored.confirmed_ms / 1000, 0.0)
        return dataclasses.replace(outcome, etag=stored.etag, source="disk", age_seconds=age_seconds)

    @contextmanager
    def turn(self, current: Loaded | None) -> Iterator[Outcome | None]:
        """Give the news, or ``Busy`` while another process downloads, or None and the turn."""
        news = self._news(current)
        if news is not None:
            yield news
            return
        with self._turn.taken() as is_ours:
            yield self._news(current) if is_ours else Busy()

    def record(self, outcome: Outcome) -> None:
        """Store what came; or note why nothing did."""
        if isinstance(outcome, Failed):
            self._note.write(outcome)
            if outcome.reason == "forbidden" and self._forgets_forbidden:
                self._store.remove()
        else:
            self._note.clear()
            if isinstance(outcome, Brought):
                self._store.save(outcome.body, outcome.etag)
            else:
                self._store.confirm()
        self._look()

    def begin_in_child(self) -> None:
        """Leave the turn to the parent."""
        self._turn.forget()

    def _news(self, current: Loaded | None) -> Outcome | None:
        """Return what another process left since the last look."""
        before, before_note, looked_at = self._seen, self._seen_note, self._looked_at
        self._look()
        if self._seen is not None and self._seen != before:
            age_seconds = min(self._seen.age_seconds, self._looked_at - looked_at)
            return self._stored_news(self._seen, before, current, age_seconds)
        return self._note.read() if self._seen_note is not None and self._seen_note != before_note else None

    def _stored_news(
        self, now: Stamp, before: Stamp | None, current: Loaded | None, age_seconds: float
    ) -> Outcome | None:
        if current is not None and before is not None and now.is_same_file(before):
            return Confirmed(age_seconds=age_seconds)
        stored = self._store.load()
        if stored is None:
            return None
        outcome = self._reader.read(stored.body, current)
        if isinstance(outcome, Failed):
            return outcome
        if current is not None and outcome.digest == current.digest:
            return Confirmed(age_seconds=age_seconds)
        return dataclasses.replace(outcome, etag=stored.etag, source="disk", age_seconds=age_seconds)

    def _look(self) -> None:
        self._seen, self._seen_note = self._store.stamp(), self._note.stamp()
        self._looked_at = time.monotonic()
