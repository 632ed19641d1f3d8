"""One request made ready: the same for deciding here and for sending.

    call options + config + now  --prepare-->  Prepared(request, session id, cluster, ...)

The caller's request is not changed and nothing of it is kept. Source: semantics.md 1.4 to 1.9.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from target_decisioning.config import Config
from target_decisioning.errors import RequestError
from target_decisioning.preparation.call import CallOptions
from target_decisioning.preparation.cookie import device_id, parse_cookie, session_of_call
from target_decisioning.preparation.identity import has_identity, new_tnt_id, visitor_ids
from target_decisioning.preparation.location import choose_cluster
from target_decisioning.preparation.notifications import valid_notifications
from target_decisioning.preparation.reading import Unreadable, identifier, is_number, take
from target_decisioning.preparation.shapes import REQUEST
from target_decisioning.preparation.visitor import Visitor, read_visitor

NewId = Callable[[], str]
CHANNELS = ("web", "mobile")
DEFAULT_LOGGING = "server_side"


@dataclass(slots=True, kw_only=True, repr=False)
class Prepared:
    """A request as it is decided and sent; ``request`` is in wire form and private to this call."""

    request: dict[str, Any]
    session_id: str
    cluster: str | None
    device_id: str
    now_ms: int
    visitor_state: dict[str, Any] | None
    dropped: list[str] = field(default_factory=list)
    """What was left out because it was not valid, for the log: places, no values."""
    began: float = 0.0
    """When the call began (``time.perf_counter()``)."""
    parsing_ms: float = 0.0
    """How long preparing took."""

    @property
    def visitor(self) -> str:
        """The id that names the visitor: his impressions leave in the order they were owed."""
        ids = self.request.get("id", {})
        return str(ids.get("marketingCloudVisitorId") or ids.get("tntId") or ids.get("thirdPartyId") or "")

    def identify(self, new_id: NewId) -> None:
        """Give the visitor a tntId if nothing names him: only for what is decided on this device."""
        ids = self.request.get("id", {})
        if not has_identity(ids):
            self.request["id"] = {"tntId": new_tnt_id(new_id, self.cluster), **ids}


def prepare(call: CallOptions, config: Config, client_hint: str | None, now_ms: int, new_id: NewId) -> Prepared:
    """Prepare the request of a call that ``read_call`` has checked.

    Raises:
        RequestError: a wrong container, a control character in an id, or a broken limit, with its path.
    """
    cookie = parse_cookie(call.target_cookie, now_ms) if call.target_cookie else {}
    given = _read(call.request)
    device = device_id(cookie)
    visitor = read_visitor(call.visitor, call.visitor_cookie, config.organization_id)
    dropped: list[str] = []
    request = {
        **given,
        "requestId": given.get("requestId") or new_id(),
        "environmentId": given.get("environmentId", config.environment_id),
        "property": _property(given.get("property", {}), config.property_token),
        "id": _ids(call, given.get("id", {}), device, visitor),
        "context": _context(given.get("context", {})),
        "experienceCloud": _experience_cloud(given.get("experienceCloud", {}), call, config, visitor),
        "execute": _asked(given, "execute", dropped),
        "prefetch": _asked(given, "prefetch", dropped),
        "notifications": valid_notifications(given.get("notifications", []), dropped),
    }
    return Prepared(
        request={key: value for key, value in request.items() if value or type(value) is dict},
        session_id=session_of_call(cookie, _session_option(call), new_id),
        cluster=choose_cluster(device, call.target_location_hint, client_hint),
        device_id=device,
        now_ms=now_ms,
        visitor_state=visitor.state,
        dropped=dropped,
    )


def _read(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return take(request, REQUEST)
    except Unreadable as unreadable:
        blank = [key for key, value in request.items() if value is False or value in ("", 0)]
        if blank:  # a falsy value counts as absent on the top level, whatever should stand there
            return _read({key: value for key, value in request.items() if key not in blank})
        raise RequestError(unreadable.where("request"), unreadable.found, unreadable.expected) from None


def _session_option(call: CallOptions) -> str | None:
    try:
        return None if call.session_id is None else str(identifier(call.session_id))
    except Unreadable as unreadable:
        raise RequestError("session_id", unreadable.found, unreadable.expected) from None


def _property(given: dict[str, Any], own: str | None) -> dict[str, Any] | None:
    token = given.get("token") or own
    return {"token": token} if token else None


def _ids(call: CallOptions, given: dict[str, Any], device: str, visitor: Visitor) -> dict[str, Any] | None:
    try:
        return visitor_ids(given, device, call.customer_ids, visitor) or None
    except Unreadable as unreadable:
        raise RequestError(unreadable.where("customer_ids"), unreadable.found, unreadable.expected) from None


def _context(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("channel") not in CHANNELS:
        given["channel"] = CHANNELS[0]
    if "timeOffsetInMinutes" not in given:
        given["timeOffsetInMinutes"] = time.localtime().tm_gmtoff // 60
    return given


def _experience_cloud(given: dict[str, Any], call: CallOptions, config: Config, visitor: Visitor) -> dict[str, Any]:
    own = given.get("analytics", {})
    analytics = {"logging": own.get("logging") or DEFAULT_LOGGING}
    for key in ("trackingServer", "trackingServerSecure"):
        if own.get(key):
            analytics[key] = own[key]
    data_id = visitor.supplemental_data_id(own.get("supplementalDataId"), config.organization_id, call.consumer_id)
    if data_id:
        analytics["supplementalDataId"] = data_id
    cloud: dict[str, Any] = {"analytics": analytics}
    audience_manager = given.get("audienceManager", {})
    hint = audience_manager.get("locationHint", visitor.location_hint)
    blob = audience_manager.get("blob", visitor.blob)
    if hint is not None or blob:
        cloud["audienceManager"] = {
            key: value for key, value in (("locationHint", hint), ("blob", blob)) if value is not None
        }
    return cloud


def _asked(given: dict[str, Any], mode: str, dropped: list[str]) -> dict[str, Any] | None:
    part: dict[str, Any] = given.get(mode, {})
    if not part:
        return None
    if "mboxes" in part:
        mboxes = _mboxes(part["mboxes"], f"{mode}.mboxes", dropped)
        if mboxes:
            part["mboxes"] = mboxes
        else:
            del part["mboxes"]
    if not part.get("views", True):
        del part["views"]
    return part


def _mboxes(mboxes: list[dict[str, Any]], where: str, dropped: list[str]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for at, mbox in enumerate(mboxes):
        if not mbox.get("name"):
            dropped.append(f"{where}[{at}]")
            continue
        if not is_number(mbox.get("index")):
            mbox["index"] = len(kept)
        kept.append(mbox)
    return kept
