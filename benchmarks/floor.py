"""The floor: the least code, written by hand for one shape of request, that gives the same answer.

    request  --checked by hand-->  prepared  -->  the answer's literal, ids, what is owed queued  -->  the public types

It checks what the client checks (containers, text lengths, control characters in ids, names and indexes of mboxes),
leaves out what the wire does not know, fills in the defaults, and makes ids in batches. It has no rules, conditions,
routing, options or telemetry: the answer is a literal. "Ours / floor" is a ratio that holds on any machine.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from target_decisioning import RequestError
from target_decisioning.delivery.envelope import Cookie, Meta, TargetDeliveryResponse

Json = dict[str, Any]
Call = Callable[[Json], TargetDeliveryResponse]

MAX_TEXT = 65_536
MAX_ENTRIES = 10_000
LARGEST_NUMBER = 1.7976931348623157e308
SESSION_SECONDS = 1860
DEVICE_ID_SECONDS = 63_244_800
IDS_AT_ONCE = 64

_NOTHING: Json = {}
_PLAIN_CLOUD = {"analytics": {"logging": "server_side"}}
_control_character = re.compile("[\x00-\x1f\x7f-\x9f]").search


def floor_of(request: Json, response: Json, owed: list[Json], queue: deque[Json]) -> Call:
    """Return a function that answers any request of the shape of *request*.

    Args:
        request: a typical request, which asks for one kind of thing in one mode.
        response: the wire of its answer's ``response``.
        owed: the notifications that were owed for it.
        queue: takes what is owed.
    """
    mode = "execute" if "execute" in request else "prefetch"
    (kind,) = request[mode]
    read_asked = _READERS[kind]
    respond = _literal("request_id, ids", {**response, "requestId": _Code("request_id"), "id": _Code("ids")})
    report = _literal("now_ms, new_id", [_with_own_ids(notification) for notification in owed])

    def call(request: Json) -> TargetDeliveryResponse:
        if type(request) is not dict:
            raise _wrong(request, "an object")
        request_id, session_id = _identifier(request.get("requestId")) or _new_id(), _new_id()
        ids = {"tntId": _identifier(_object(request.get("id")).get("tntId")) or _new_id()}
        context = _context(_object(request.get("context")))
        prepared = {
            "requestId": request_id,
            "id": ids,
            "context": context,
            mode: {kind: read_asked(_object(request[mode])[kind])},
            "experienceCloud": _PLAIN_CLOUD,
        }
        now_ms = time.time_ns() // 1_000_000
        if owed:
            queue.append(_item(ids, context, session_id, report(now_ms, _new_id)))
        cookies = _Cookies(session_id, ids["tntId"], now_ms)
        return TargetDeliveryResponse(respond(request_id, ids.copy()), prepared, _new_meta, cookies)

    return call


# -- what is asked: null counts as absent, what is not named here is left out ----------------------------------------


def _context(given: Json) -> Json:
    context: Json = {"channel": "mobile" if given.get("channel") == "mobile" else "web"}
    if (address := given.get("address")) is not None:
        context["address"] = _scalars(_object(address), ("url", "referringUrl"))
    if (geo := given.get("geo")) is not None:
        context["geo"] = _scalars(_object(geo), ("latitude", "longitude", "countryCode", "stateCode", "city", "zip"))
    if (user_agent := given.get("userAgent")) is not None:
        context["userAgent"] = _scalar(user_agent)
    offset = given.get("timeOffsetInMinutes")
    context["timeOffsetInMinutes"] = time.localtime().tm_gmtoff // 60 if offset is None else _scalar(offset)
    return context


def _mboxes(given: Any) -> list[Json]:
    mboxes: list[Json] = []
    for mbox in _list(given):
        name, index, parameters = _object(mbox).get("name"), mbox.get("index"), mbox.get("parameters")
        if type(name) is not str or not name:
            continue
        taken = {"name": _scalar(name), "index": index if type(index) is int else len(mboxes)}
        if parameters is not None:
            taken["parameters"] = _parameters(parameters)
        mboxes.append(taken)
    return mboxes


def _views(given: Any) -> list[Json]:
    return [_page_load(view) for view in _list(given)]


def _page_load(given: Any) -> Json:
    parameters = _object(given).get("parameters")
    return {} if parameters is None else {"parameters": _parameters(parameters)}


def _parameters(given: Any) -> Json:
    if len(_object(given)) > MAX_ENTRIES:
        raise _wrong(given, f"at most {MAX_ENTRIES} parameters")
    for key, value in given.items():
        if type(key) is not str or type(value) is not str or len(value) > MAX_TEXT:
            raise _wrong(value, "a text")
    return {**given}


_READERS: dict[str, Callable[[Any], Any]] = {"mboxes": _mboxes, "views": _views, "pageLoad": _page_load}


def _object(given: Any) -> Json:
    if type(given) is dict:
        return given
    if given is None:
        return _NOTHING
    raise _wrong(given, "an object")


def _list(given: Any) -> list[Any]:
    if type(given) is list and len(given) <= MAX_ENTRIES:
        return given
    raise _wrong(given, "a list")


def _scalars(given: Json, keys: tuple[str, ...]) -> Json:
    return {key: _scalar(given[key]) for key in keys if key in given and given[key] is not None}


def _scalar(given: Any) -> Any:
    kind = type(given)
    if kind is str:
        if len(given) <= MAX_TEXT:
            return given
    elif kind is float or kind is int:
        if -LARGEST_NUMBER <= given <= LARGEST_NUMBER:
            return given
    elif kind is bool:
        return given
    raise _wrong(given, "a text or a number")


def _identifier(given: Any) -> str:
    if given is None:
        return ""
    if type(given) is not str or len(given) > MAX_TEXT:
        raise _wrong(given, "a text")
    if not given.isprintable() and _control_character(given):
        raise _wrong(given, "an id without control characters")
    return given


def _wrong(found: Any, expected: str) -> RequestError:
    return RequestError("request", type(found).__name__, expected)


# -- what is answered ------------------------------------------------------------------------------------------------


class _Code(str):
    """Text that stands for itself in a literal."""

    __slots__ = ()
    __repr__ = str.__str__


def _literal(parameters: str, value: Any) -> Callable[..., Any]:
    """Return a function that makes *value* anew, and nothing else."""
    made: Callable[..., Any] = eval(f"lambda {parameters}: {value!r}")
    return made


def _with_own_ids(notification: Json) -> Json:
    own = {"id": _Code("new_id()"), "impressionId": _Code("new_id()"), "timestamp": _Code("now_ms")}
    return {**notification, **own}


def _item(ids: Json, context: Json, session_id: str, notifications: list[Json]) -> Json:
    body = {
        "requestId": _new_id(),
        "id": ids,
        "context": context,
        "experienceCloud": _PLAIN_CLOUD,
        "notifications": notifications,
    }
    return {"session_id": session_id, "cluster": None, "body": body}


def _new_meta() -> Meta:
    return Meta(decisioning_method="on-device", remote_mboxes=[], remote_views=[])


class _Cookies:
    """Makes the cookies of an answer when they are read."""

    __slots__ = ("now_ms", "session_id", "tnt_id")

    def __init__(self, session_id: str, tnt_id: str, now_ms: int) -> None:
        self.session_id, self.tnt_id, self.now_ms = session_id, tnt_id, now_ms

    def new_target_cookie(self, _response: Json) -> Cookie:
        now_seconds = -(-self.now_ms // 1000)
        expires = now_seconds + DEVICE_ID_SECONDS
        value = f"session#{self.session_id}#{now_seconds + SESSION_SECONDS}|PC#{self.tnt_id}#{expires}"
        return Cookie(name="mbox", value=value, max_age=-((self.now_ms - expires * 1000) // 1000))

    def new_hint_cookie(self, _response: Json) -> None:
        return None


_ids: list[str] = []
_FREE = int.from_bytes((b"\xff" * 6 + b"\x0f\xff\x3f" + b"\xff" * 7) * IDS_AT_ONCE)
_VERSION_4 = int.from_bytes((bytes(6) + b"\x40\x00\x80" + bytes(7)) * IDS_AT_ONCE)


def _new_id() -> str:
    try:
        return _ids.pop()
    except IndexError:
        random = int.from_bytes(os.urandom(16 * IDS_AT_ONCE)) & _FREE | _VERSION_4
        digits = random.to_bytes(16 * IDS_AT_ONCE).hex()
        _ids.extend([digits[at : at + 32] for at in range(0, len(digits), 32)])
        return _ids.pop()
