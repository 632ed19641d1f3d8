"""The least code that gives the same answer: copy what was asked, hash the visitor, build the answer.

What an engine cannot do without, on top of nothing: no rules, no conditions, no routing. It checks what the client
checks, and gives the public answer types. "Ours / floor" is a ratio that holds on any machine.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

import mmh3

from target_decisioning import RequestError
from target_decisioning.delivery.envelope import Cookie, Meta, TargetDeliveryResponse

Json = dict[str, Any]
Call = Callable[[Json], TargetDeliveryResponse]


def floor_of(answer: Json, *, activities: int, impressions: int) -> Call:
    """Return a function that answers any request of a workload as *answer* (the wire of an envelope) does.

    *activities*: for how many the visitor's place in the traffic is needed; *impressions*: how many are owed.
    """
    build: Callable[[], Json] = eval(f"lambda: {answer['response']!r}")
    outbox: deque[Json] = deque(maxlen=1000)

    def call(request: Json) -> TargetDeliveryResponse:
        prepared = _copy(request)
        visitor = prepared["id"]["tntId"]
        for activity in range(activities):
            mmh3.hash(f"acme.{activity}.{visitor}.0".encode("utf-16-le"))
        response = build()
        response["requestId"], response["id"] = prepared["requestId"], dict(prepared["id"])
        now_ms = time.time_ns() // 1_000_000
        if impressions:
            outbox.append(_report(prepared, now_ms, impressions))
        meta = Meta(decisioning_method="on-device", remote_mboxes=[], remote_views=[])
        return TargetDeliveryResponse(response, prepared, meta, _Cookies(visitor, now_ms // 1000))

    return call


def _copy(request: Json) -> Json:
    """Copy a request and look at what must be looked at: the names of mboxes, the texts of ids."""
    prepared = {
        "requestId": request["requestId"],
        "id": dict(request["id"]),
        "context": _copy_context(request["context"]),
    }
    for mode in ("execute", "prefetch"):
        if mode in request:
            prepared[mode] = {kind: _copy_asked(asked) for kind, asked in request[mode].items()}
    return prepared


def _copy_context(context: Json) -> Json:
    return {key: dict(value) if isinstance(value, dict) else value for key, value in context.items()}


def _copy_asked(asked: Any) -> Any:
    if isinstance(asked, list):
        return [_copy_asked(entry) for entry in asked]
    if not isinstance(asked, dict):
        raise RequestError("request", type(asked).__name__, "an object")
    return _copy_context(asked)


def _report(prepared: Json, now_ms: int, impressions: int) -> Json:
    notifications = [
        {
            "id": uuid.uuid4().hex,
            "impressionId": uuid.uuid4().hex,
            "timestamp": now_ms,
            "type": "display",
            "mbox": {"name": "mbox"},
            "tokens": ["token"],
        }
        for _ in range(impressions)
    ]
    return {"id": prepared["id"], "context": prepared["context"], "notifications": notifications}


class _Cookies:
    __slots__ = ("_now_s", "_session", "_tnt_id")

    def __init__(self, tnt_id: str, now_s: int) -> None:
        self._tnt_id, self._now_s, self._session = tnt_id, now_s, uuid.uuid4().hex

    def target_cookie(self, _response: Json) -> Cookie:
        value = f"session#{self._session}#{self._now_s + 1860}|PC#{self._tnt_id}#{self._now_s + 63_244_800}"
        return Cookie(name="mbox", value=value, max_age=63_244_800)

    def hint_cookie(self, _response: Json) -> None:
        return None
