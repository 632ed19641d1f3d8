"""One request made ready: the same for deciding here and for sending.

    call + config + now  --prepare-->  the same call: request, session id, cluster, ...

The caller's request is not changed and nothing of it is kept. Source: semantics.md 1.4 to 1.9.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from target_decisioning.config import Config
from target_decisioning.errors import RequestError
from target_decisioning.preparation.call import Call
from target_decisioning.preparation.cookie import DEVICE_ID, SESSION, parse_cookie
from target_decisioning.preparation.identity import visitor_ids
from target_decisioning.preparation.location import choose_cluster
from target_decisioning.preparation.notifications import valid_notifications
from target_decisioning.preparation.reading import IDENTIFIER, Unreadable, is_number
from target_decisioning.preparation.shapes import read_wire
from target_decisioning.preparation.visitor import NOBODY, Visitor, read_visitor

NewId = Callable[[], str]
CHANNELS = ("web", "mobile")
DEFAULT_LOGGING = "server_side"
_NOTHING: dict[str, Any] = {}
_PLAIN_CLOUD = {"analytics": {"logging": DEFAULT_LOGGING}}
Request = dict[str, Any]


def prepare(call: Call, config: Config, client_hint: str | None, now_ms: int, new_id: NewId) -> Call:
    """Prepare the request of a call that ``read_call`` has checked; return the call.

    What has nothing to be settled is passed by.

    Raises:
        RequestError: a wrong container, a control character in an id, or a broken limit, with its path.
    """
    try:
        request: Request = read_wire(call.request)
    except Unreadable as unreadable:
        request = _read_without_blanks(call.request, unreadable)
    call.now_ms = now_ms
    session, device, visitor = "", "", NOBODY
    if call.names_visitor:
        cookie = parse_cookie(call.target_cookie, now_ms)
        session, device = cookie.get(SESSION, ""), cookie.get(DEVICE_ID, "")
        visitor = read_visitor(call.visitor, call.visitor_cookie, config.organization_id)
        call.visitor_state = visitor.state
    if not request.get("requestId"):
        request["requestId"] = new_id()
    if config.environment_id is not None:
        request.setdefault("environmentId", config.environment_id)
    if "property" in request or config.property_token is not None:
        _settle_property(request, config.property_token)
    ids = request.get("id")
    if not ids or call.names_visitor or not all(ids.values()):
        _settle_ids(request, call, device, visitor)
    context = request.get("context")
    if not context or "timeOffsetInMinutes" not in context or context.get("channel") not in CHANNELS:
        _settle_context(request)
    if visitor is NOBODY and "experienceCloud" not in request:
        request["experienceCloud"] = _PLAIN_CLOUD
    else:
        _settle_experience_cloud(request, call, config, visitor)
    if "execute" in request:
        _settle_asked(request, "execute", call)
    if "prefetch" in request:
        _settle_asked(request, "prefetch", call)
    if "notifications" in request:
        request["notifications"], dropped = valid_notifications(request["notifications"])
        call.dropped += dropped
    if not all(request.values()):
        request = {key: value for key, value in request.items() if value or type(value) is dict}
    if call.names_visitor:
        # the caller's own, or of any size: what waits to be sent, and an answer that lives on, must not keep them
        call.visitor = call.customer_ids = call.target_cookie = call.visitor_cookie = None
    call.request = request
    call.session_id = session or (call.session_id and _session_option(call.session_id)) or new_id()
    if device or call.target_location_hint or client_hint:
        call.cluster = choose_cluster(device, call.target_location_hint, client_hint)
    return call


def _read_without_blanks(request: dict[str, Any], unreadable: Unreadable) -> Request:
    """Read what could not be read, but for its blanks: on the top level they count as absent, whatever they are."""
    blank = [key for key, value in request.items() if value is False or value in ("", 0)]
    try:
        if blank:
            taken: Request = read_wire({key: value for key, value in request.items() if key not in blank})
            return taken
    except Unreadable as still:
        unreadable = still
    raise RequestError(unreadable.where("request"), unreadable.found, unreadable.expected) from None


def _session_option(given: str) -> str:
    try:
        return str(IDENTIFIER.read(given))
    except Unreadable as unreadable:
        raise RequestError("session_id", unreadable.found, unreadable.expected) from None


def _settle_property(request: Request, own: str | None) -> None:
    if "property" in request and not request["property"].get("token"):
        del request["property"]
    if own and "property" not in request:
        request["property"] = {"token": own}


def _settle_ids(request: Request, call: Call, device: str, visitor: Visitor) -> None:
    given = request.get("id", _NOTHING)
    try:
        ids = visitor_ids(given, device, call.customer_ids, visitor)
    except Unreadable as unreadable:
        raise RequestError(unreadable.where("customer_ids"), unreadable.found, unreadable.expected) from None
    request.pop("id", None)
    if ids:
        request["id"] = ids


def _settle_context(request: Request) -> None:
    context = request.setdefault("context", {})
    if context.get("channel") not in CHANNELS:
        context["channel"] = CHANNELS[0]
    if "timeOffsetInMinutes" not in context:
        context["timeOffsetInMinutes"] = time.localtime().tm_gmtoff // 60


def _settle_experience_cloud(request: Request, call: Call, config: Config, visitor: Visitor) -> None:
    given = request.get("experienceCloud", _NOTHING)
    own = given.get("analytics", _NOTHING)
    analytics = {"logging": own.get("logging") or DEFAULT_LOGGING}
    for key in ("trackingServer", "trackingServerSecure"):
        if own.get(key):
            analytics[key] = own[key]
    data_id = visitor.supplemental_data_id(own.get("supplementalDataId"), config.organization_id, call.consumer_id)
    if data_id:
        analytics["supplementalDataId"] = data_id
    cloud: dict[str, Any] = {"analytics": analytics}
    audience_manager = given.get("audienceManager", _NOTHING)
    hint = audience_manager.get("locationHint", visitor.location_hint)
    blob = audience_manager.get("blob", visitor.blob)
    if hint is not None or blob is not None:
        cloud["audienceManager"] = {
            key: value for key, value in (("locationHint", hint), ("blob", blob)) if value is not None
        }
    request["experienceCloud"] = cloud


def _settle_asked(request: Request, mode: str, call: Call) -> None:
    """Give the mboxes of one mode what they lack; leave out what asks for nothing."""
    part = request[mode]
    for mbox in part.get("mboxes", ()):
        if not mbox.get("name") or mbox.get("index") is None:
            part["mboxes"] = _settled_mboxes(part["mboxes"], mode, call)
            break
    if not part:
        del request[mode]
    elif not all(part.values()):
        request[mode] = {key: value for key, value in part.items() if value or key == "pageLoad"}


def _settled_mboxes(mboxes: list[dict[str, Any]], mode: str, call: Call) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for at, mbox in enumerate(mboxes):
        if not mbox.get("name"):
            call.dropped += (f"{mode}.mboxes[{at}] (name)",)
            continue
        if not is_number(mbox.get("index")):
            mbox["index"] = len(kept)
        kept.append(mbox)
    return kept
