"""What is owed to the server after a decision: impressions through the outbox, telemetry along with them.

    decision --report--> outbox --in the background--> Delivery API  (+ the telemetry that waits)

Telemetry rides on the next call of either kind; alone it leaves after 10 seconds, at 100 entries, or on ``flush``.
Source: semantics.md 4.9, 4.10.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from target_decisioning.answering import Answered
from target_decisioning.config import Config
from target_decisioning.events import Emit
from target_decisioning.on_device import new_id
from target_decisioning.outbox import Outbox
from target_decisioning.preparation import Prepared
from target_decisioning.remote import DeliveryApi
from target_decisioning.telemetry import DUE_ENTRIES, DUE_SECONDS, Telemetry

CALL_SECONDS = 10.0
"""Total time of one call from the outbox; nobody waits for it, so it may take longer than a caller's."""
WORK_SECONDS = 0.05
"""How long a call may be held up to send what waits, where there are no threads."""
_CARRIED = ("id", "context", "experienceCloud", "property", "environmentId", "qaMode")
"""What of a request an impression keeps, so that it counts for the same visitor (D27)."""
_PLAIN_CONTEXT = {"channel": "web"}


class Reporting:
    """Owns the outbox and the telemetry of one client."""

    def __init__(self, config: Config, delivery: DeliveryApi, telemetry: Telemetry, emit: Emit) -> None:
        self._config = config
        self._delivery = delivery
        self._telemetry = telemetry
        self._timer: threading.Timer | None = None
        self._timer_pid = 0
        self._is_telemetry_offered = False
        self._last: tuple[Prepared, dict[str, Any]] | None = None
        self.outbox = Outbox(self._send, emit, config.logger, path=config.outbox_path, background=config.background)

    def report(self, prepared: Prepared, answered: Answered) -> None:
        """Hand over what a call owes, once its telemetry entry is there to ride along."""
        self._last = (prepared, answered.context)
        if answered.owed:
            item = self._item(prepared, answered.context, {"notifications": answered.owed})
            self.outbox.offer(item, lane=prepared.visitor)
        if self._telemetry.waiting:
            self._hurry_telemetry()
        if not self._config.background:
            self.outbox.work(WORK_SECONDS)

    def report_download(self, execution_ms: float, parsing_ms: float, timing: Mapping[str, float]) -> None:
        """Note that an artifact was downloaded."""
        self._telemetry.add_download(round(time.time() * 1000), execution_ms, parsing_ms, timing)
        if self._telemetry.waiting:
            self._hurry_telemetry()

    def with_telemetry(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return *request* with the telemetry that waits; the caller's own entries come first."""
        entries = self._telemetry.take()
        if not entries:
            return request
        own = request.get("telemetry", {}).get("entries", [])
        return {**request, "telemetry": {"entries": [*own, *entries]}}

    def flush(self, timeout_seconds: float) -> bool:
        """Return whether everything accepted before, waiting telemetry included, is done with."""
        if self._telemetry.waiting:
            self._offer_telemetry()
        return self.outbox.flush(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """Send what can be sent in that time; nothing is accepted any more."""
        if self._telemetry.waiting:
            self._offer_telemetry()
        if self._timer is not None:
            self._timer.cancel()
        self.outbox.close(timeout_seconds)

    def _send(self, item: dict[str, Any]) -> None:
        if item.get("is_telemetry"):
            self._is_telemetry_offered = False
        body = self.with_telemetry(item["body"])
        if item.get("is_telemetry") and body is item["body"]:
            return  # it has left with another call
        self._delivery.deliver(
            body, item["session_id"], item["cluster"], safe_to_repeat=False, timeout_seconds=CALL_SECONDS
        )

    def _item(self, prepared: Prepared, context: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        carried = {key: prepared.request[key] for key in _CARRIED if key in prepared.request}
        return {
            "session_id": prepared.session_id,
            "cluster": prepared.cluster,
            "body": {"requestId": new_id(), **carried, "context": context, **content},
        }

    def _hurry_telemetry(self) -> None:
        """See to it that telemetry leaves by itself if no call takes it along."""
        if self._telemetry.waiting >= DUE_ENTRIES:
            if not self._is_telemetry_offered:
                self._offer_telemetry()
        elif self._config.background and (self._timer is None or self._timer_pid != os.getpid()):
            self._timer_pid, self._timer = os.getpid(), threading.Timer(DUE_SECONDS, self._time_is_up)
            self._timer.daemon = True
            self._timer.start()

    def _time_is_up(self) -> None:
        self._timer = None
        if self._telemetry.waiting:
            self._offer_telemetry()

    def _offer_telemetry(self) -> None:
        if self._last is None:
            item = {"session_id": new_id(), "cluster": None, "body": {"requestId": new_id(), "context": _PLAIN_CONTEXT}}
        else:
            item = self._item(*self._last, {})
        self._is_telemetry_offered = self.outbox.offer({**item, "is_telemetry": True})
