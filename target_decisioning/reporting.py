"""What is owed to the server after a decision: impressions through the outbox, telemetry along with them.

    decision --report--> outbox --in the background--> Delivery API  (+ the telemetry that waits)

Telemetry rides on the next call of either kind; alone it leaves after 10 seconds, at 100 entries, or on ``flush`` and
``close``. A server-side client, whose every call takes it along, starts no thread for it: there it waits for the next
call.
Source: semantics.md 4.9, 4.10; faults.md B1, B2.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from target_decisioning.config import Config
from target_decisioning.decisioning import notifications
from target_decisioning.errors import TargetError
from target_decisioning.events import Emit
from target_decisioning.forks import renew_in_child
from target_decisioning.ids import new_id
from target_decisioning.log import warn
from target_decisioning.outbox import TELEMETRY, Outbox, Verdict, verdict_on
from target_decisioning.preparation import Call
from target_decisioning.remote import DeliveryApi
from target_decisioning.telemetry import DUE_ENTRIES, DUE_SECONDS, Telemetry

CALL_SECONDS = 10.0
"""Total time of one call from the outbox; nobody waits for it, so it may take longer than a caller's."""
OFFER_SECONDS = 600.0
"""How long one call for telemetry alone may stand in the outbox before another is put there."""
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
        self._has_background = config.background
        self._starts_timers = config.background and config.decisioning_method != "server-side"
        self._is_closed = self._was_all_done = False
        self.begin_in_child()
        self.outbox = Outbox(
            self._send,
            emit,
            config.logger,
            path=config.outbox_path,
            owner=f"{config.client} {config.organization_id}",
            background=config.background,
        )
        self.outbox.resume()
        renew_in_child(self)

    def begin_in_child(self) -> None:
        """Make anew what a forked child must not share: what waits is for the parent to send."""
        self._telemetry.clear()
        self._timer: threading.Timer | None = None
        self._offered_until = 0.0
        self._last: Call | None = None

    def report(self, call: Call) -> None:
        """Hand over what an answered call owes, once its telemetry is there to ride along."""
        self._last = call
        waiting = self._telemetry.add_decision(call, time.perf_counter())
        if call.unsent and not self.outbox.offer(partial(_own_notifications, call)):
            self._tell_if_too_late()
        if call.owed and not self.outbox.offer(partial(_impressions, call)):
            self._tell_if_too_late()
        if waiting and (self._timer is None or waiting % DUE_ENTRIES == 0):
            self._hurry_telemetry()
        if not self._has_background:
            self.outbox.work(WORK_SECONDS, longest_send_seconds=self._config.timeout_seconds)

    def report_download(self, execution_ms: float, parsing_ms: float, timing: Mapping[str, float]) -> None:
        """Note that an artifact was downloaded."""
        self._telemetry.add_download(round(time.time() * 1000), execution_ms, parsing_ms, timing)
        self._hurry_telemetry()

    def with_telemetry(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return *request* with the telemetry that waits; the caller's own entries come first."""
        entries = self._telemetry.take()
        if not entries:
            return request
        own = request.get("telemetry", {}).get("entries", [])
        return {**request, "telemetry": {"entries": [*own, *entries]}}

    def flush(self, timeout_seconds: float) -> bool:
        """Return whether everything accepted before, waiting telemetry included, is done with.

        After ``close``: whether it was all done with then.
        """
        if self._is_closed:
            return self._was_all_done
        is_accepted = not self._telemetry.waiting or self._offer_telemetry()
        return self.outbox.flush(timeout_seconds) and is_accepted

    def close(self, timeout_seconds: float) -> None:
        """Send what can be sent in that time; nothing is accepted any more."""
        if self._telemetry.waiting:
            self._offer_telemetry()
        timer = self._timer
        if timer is not None:
            timer.cancel()
        self._was_all_done = self.outbox.close(timeout_seconds)
        self._is_closed = True

    def _tell_if_too_late(self) -> None:
        """Say what was refused because all is closed; anything else the outbox tells."""
        if self._is_closed:
            warn(self._config.logger, "A call ended after its client was closed; what it owed is lost")

    def _send(self, item: dict[str, Any]) -> None:
        if item.get("is_telemetry"):
            self._send_telemetry(item)
        else:
            self._deliver(item, self.with_telemetry(item["body"]))

    def _send_telemetry(self, item: dict[str, Any]) -> None:
        self._offered_until = 0.0
        body = self.with_telemetry(item["body"])
        if body is item["body"]:
            return  # it has left with another call
        try:
            self._deliver(item, body)
        except TargetError as error:
            if verdict_on(error) is Verdict.AGAIN:  # otherwise nothing stands in the outbox any more
                self._offered_until = time.monotonic() + OFFER_SECONDS
            raise

    def _deliver(self, item: dict[str, Any], body: dict[str, Any]) -> None:
        seconds = self.outbox.seconds_to_send
        self._delivery.deliver(
            body,
            item["session_id"],
            item["cluster"],
            safe_to_repeat=False,
            timeout_seconds=CALL_SECONDS if seconds is None else seconds,
            in_background=True,
        )

    def _hurry_telemetry(self) -> None:
        """See to it that telemetry leaves by itself if no call takes it along."""
        if not self._telemetry.waiting:
            return
        if self._telemetry.due(time.monotonic()):
            self._offer_telemetry()
        elif self._timer is None and self._starts_timers and not self._is_closed:
            timer = self._timer = threading.Timer(DUE_SECONDS, self._time_is_up)
            timer.daemon = True
            try:
                timer.start()
            except RuntimeError:  # no thread can be started now: the next call tries again
                self._timer = None

    def _time_is_up(self) -> None:
        self._timer = None
        if self._telemetry.waiting:
            self._offer_telemetry()

    def _offer_telemetry(self) -> bool:
        """Have what waits sent in a call of its own; return whether one stands in the outbox."""
        now = time.monotonic()
        if now >= self._offered_until:
            self._offered_until = now + OFFER_SECONDS  # first: a sender may be at it before ``offer`` returns
            if not self.outbox.offer(self._telemetry_item(), lane=TELEMETRY):
                self._offered_until = 0.0
                return False
        return True

    def _telemetry_item(self) -> dict[str, Any]:
        if self._last is not None:
            item = _item(self._last)
        else:
            body = {"requestId": new_id(), "context": _PLAIN_CONTEXT}
            item = {"session_id": new_id(), "cluster": None, "body": body}
        return {**item, "is_telemetry": True}


def _own_notifications(call: Call) -> tuple[dict[str, Any], str]:
    return _item(call, call.unsent), call.lane


def _impressions(call: Call) -> tuple[dict[str, Any], str]:
    return _item(call, notifications(call.owed, call.now_ms, new_id)), call.lane


def _item(call: Call, told: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return what the outbox sends for the visitor of *call*, which changes no more."""
    request = call.request
    body: dict[str, Any] = {"requestId": new_id()}
    for key in _CARRIED:
        if key in request:
            body[key] = request[key]
    body["context"] = call.context
    if told:
        body["notifications"] = told
    return {"session_id": call.session_id, "cluster": call.cluster, "body": body}
