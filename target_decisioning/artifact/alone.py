"""Who has no cache folder shares with nobody. What sharing asks of a keeper is declared here too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from target_decisioning.artifact.loaded import Loaded
from target_decisioning.artifact.retrieval import Brought, Outcome


class Alone:
    """A process that keeps its artifact in memory only, and shares it with nobody."""

    set_aside_count = 0
    seed: object = None
    """What makes all who share an artifact agree on the time of the next poll."""

    def load(self) -> Brought | None:
        """Return the artifact that was left by an earlier process; it may be of any age."""
        return None

    @contextmanager
    def turn(self, current: Loaded | None) -> Iterator[Outcome | None]:  # noqa: ARG002
        """Give what another process found out, or that it is about to; None: it is this process's turn."""
        yield None

    def record(self, outcome: Outcome) -> None:
        """Leave for the others what this process found out in its turn."""

    def begin_in_child(self) -> None:
        """Let go of what belongs to the process that this one was forked off."""
