"""Decisions on this device: the keeper's current program, the visitor's place, the engine.

    prepared request  --current--> program   --decide--> Decision     (no program: why not)

Source: semantics.md 2.7, 4, 5.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from target_decisioning.artifact import ArtifactKeeper, Loaded
from target_decisioning.config import Config
from target_decisioning.decisioning import Decision, DecisionProgram, TraceSetting, decide, load_program
from target_decisioning.decisioning.artifact import Fault
from target_decisioning.errors import ArtifactError, ArtifactUnavailable, ArtifactUnsupported
from target_decisioning.events import Emit
from target_decisioning.geo import GeoLookup
from target_decisioning.http import Transport
from target_decisioning.ids import new_id
from target_decisioning.log import warn
from target_decisioning.preparation import Call

NOT_DOWNLOADED = "Not Applicable"


class OnDevice:
    """The engine with what it needs around it: the current artifact, and the visitor's place."""

    def __init__(self, config: Config, keeper: ArtifactKeeper, transport: Transport, emit: Emit) -> None:
        self._config = config
        self._keeper = keeper
        self._minds_age = config.stale_policy != "serve"
        self._geo = GeoLookup(config, transport, config.logger, emit)
        self._failed_rules: tuple[Any, Counter[str]] = (None, Counter())

    @property
    def failed_rules(self) -> dict[str, int]:
        """Where conditions of the current artifact failed while they ran, and how often."""
        return dict(self._failed_rules[1])

    def current(self) -> Loaded | None:
        """Return the artifact to decide from; None if there is none, or none that is fresh enough."""
        keeper = self._keeper
        keeper.refresh_if_due()
        if self._minds_age and keeper.current is not None and keeper.is_stale():
            return None
        return keeper.current

    def is_refused(self) -> bool:
        """Whether there is an artifact that is too old, and the server must not answer in its place."""
        keeper = self._keeper
        return self._config.stale_policy == "fail" and keeper.current is not None and keeper.is_stale()

    def why_not(self) -> ArtifactError:
        """Return the error that says why nothing can be decided here."""
        loaded = self._keeper.current
        if loaded is not None:
            age_seconds = time.monotonic() - loaded.confirmed_at
            return ArtifactUnavailable(
                f"The artifact was last confirmed {age_seconds:.1f} s ago, which stale_policy forbids."
            )
        error = self._keeper.last_error()
        if isinstance(error, ArtifactUnsupported):
            return ArtifactUnsupported(*error.args)  # anew: an error that is raised again grows with every raise
        return ArtifactUnavailable(self._keeper.why_not_ready())

    def decide(self, loaded: Loaded, call: Call, request: dict[str, Any]) -> Decision:
        """Decide *request*, the call's or a part of it; the call keeps what is owed, and the context it was made in."""
        context = call.context = request["context"]
        if "geo" in context and "ipAddress" in context["geo"]:
            look_up = loaded.program.geo_targeting_enabled
            call.context = {**context, "geo": self._geo.enrich(context["geo"], look_up=look_up)}
            request = {**request, "context": call.context}
        trace = self._trace_setting(loaded, call) if "trace" in request else None
        decision = decide(loaded.program, request, now_ms=call.now_ms, new_id=new_id, trace=trace)
        call.owed = decision.owed
        if decision.errors:
            self._count_failures(loaded, decision.errors)
        return decision

    def close(self) -> None:
        """Close the local geo database."""
        self._geo.close()

    def _count_failures(self, loaded: Loaded, places: list[str]) -> None:
        """Count what failed in the artifact of *loaded*; that of an earlier one is forgotten."""
        if self._failed_rules[0] is not loaded.program:
            self._failed_rules = (loaded.program, Counter())
        self._failed_rules[1].update(places)

    def _trace_setting(self, loaded: Loaded, call: Call) -> TraceSetting:
        retrieved = datetime.fromtimestamp(loaded.loaded_at_ms / 1000, UTC)
        artifact = {
            "artifactLocation": loaded.location or NOT_DOWNLOADED,
            "pollingInterval": int(self._keeper.polling_interval_seconds * 1000),
            "pollingHalted": False,
            "artifactVersion": loaded.program.version,
            "artifactRetrievalCount": loaded.retrieval_count,
            "artifactLastRetrieved": retrieved.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **loaded.program.artifact.meta,
        }
        return TraceSetting(client_code=self._config.client, session_id=call.session_id, artifact=artifact)


def compiler(config: Config) -> Callable[[bytes | str | dict[str, Any]], DecisionProgram]:
    """Return what makes a program of an artifact for the client code, which is part of every allocation's hash.

    What only the server can decide because a rule is broken is logged, once per artifact.
    """

    def compiled(source: bytes | str | dict[str, Any]) -> DecisionProgram:
        program = load_program(source, config.client)
        if program.undecidable:
            warn(config.logger, _told(program.undecidable))
        return program

    return compiled


def _told(undecidable: dict[tuple[str, str], list[Fault]]) -> str:
    where, found, expected = next(iter(undecidable.values()))[0]
    others = len(undecidable) - 1
    more = f" (and {others} more; see status())" if others else ""
    return f"A location is left to the server: {where}: found {found}; expected {expected}{more}"
