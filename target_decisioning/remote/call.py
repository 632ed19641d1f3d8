"""One call of the Delivery API and its answer, as data.

    config, body, session id, cluster  -->  HttpRequest        HttpAnswer  -->  response (wire) or DeliveryError

Pure: no clock, no randomness, no I/O, no log. Source: semantics.md 1.7, faults.md E1 and E4.
"""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol
from urllib.parse import quote, urlsplit

from target_decisioning._version import __version__
from target_decisioning.decisioning.nesting import is_deeper
from target_decisioning.delivery.plain import MAX_DEPTH
from target_decisioning.errors import ConfigError, DeliveryError, RequestError
from target_decisioning.http import HttpRequest
from target_decisioning.preparation.location import EDGE_DOMAIN, Host, delivery_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_decisioning.http import HttpAnswer

PATH = "/rest/v1/delivery"
SDK_NAME = "TargetDecisioningPython"

_LONGEST_BODY_TOLD = 200
_matches_authority = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.\-]+)(?::[0-9]{1,5})?").fullmatch
_unprintable = re.compile(r"[\x00-\x20\x7f-\x9f]+")


class CallConfig(Host, Protocol):
    """The client's options that a call is built from."""

    @property
    def organization_id(self) -> str:
        """The IMS organization."""

    @property
    def version(self) -> str | None:
        """Query parameter ``version``, absent if None."""


def build_call(
    config: CallConfig, body: Mapping[str, Any], session_id: str, cluster: str | None, request_id: str
) -> HttpRequest:
    """Return the call that asks the Delivery API for *body*.

    Args:
        config: the client's options.
        body: the prepared request (wire).
        session_id: the session that the call belongs to.
        cluster: the edge cluster to ask, None for the client's own host.
        request_id: value of ``X-Request-Id``: new for each call, the same when a call is sent again.

    Raises:
        ConfigError: at ``client`` or ``server_domain``, if they make no host.
        RequestError: if *body* holds what JSON cannot.
    """
    host = delivery_host(config, cluster)
    url = f"{host}{PATH}?{_query(config, session_id)}"
    _check_host(config, host, url)
    headers = {
        "Content-Type": "application/json",
        "X-EXC-SDK": SDK_NAME,
        "X-EXC-SDK-Version": __version__,
        "X-Request-Id": request_id,
    }
    return HttpRequest("POST", url, headers, _encode(body))


def read_answer(answer: HttpAnswer, host: str) -> dict[str, Any]:
    """Return the response (wire) in *answer* of *host*; one without a body (204) is ``{}``.

    Raises:
        DeliveryError: reason ``status`` if the API refused, ``invalid`` if the answer is no response in JSON.
    """
    answered = f"The Delivery API at {host} answered {_phrase(answer.status)}"
    if not 200 <= answer.status < 300:
        raise DeliveryError(answered, answer.status, _told(answer.body))
    if answer.status == HTTPStatus.NO_CONTENT:
        return {}
    try:
        response = json.loads(answer.body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        response = None
    if not isinstance(response, dict):
        message = f"{answered}, but with something else than a JSON object"
        raise DeliveryError(message, answer.status, _told(answer.body), "invalid")
    if not _fits(response, _SHAPE) or is_deeper(response, MAX_DEPTH):
        message = f"{answered}, but not in the shape of a response"
        raise DeliveryError(message, answer.status, _told(answer.body), "invalid")
    return response


_ANALYTICS: Final[dict[str, Any]] = {"payload": {}}
_METRICS: Final[list[Any]] = [{"analytics": _ANALYTICS}]
_ENTRY: Final[dict[str, Any]] = {
    "options": [{"responseTokens": {}}],
    "metrics": _METRICS,
    "analytics": _ANALYTICS,
    "trace": {},
}
_NAMED: Final[dict[str, Any]] = {**_ENTRY, "name": str}
_MODE: Final[dict[str, Any]] = {"pageLoad": _ENTRY, "mboxes": [_NAMED], "views": [_NAMED], "metrics": _METRICS}
_SHAPE: Final[dict[str, Any]] = {
    "id": {"tntId": str, "customerIds": [{}]},
    "execute": _MODE,
    "prefetch": _MODE,
    "notifications": [{"trace": {}}],
}
"""The containers of a response, and the texts that anything here looks up or keeps."""


def _fits(value: Any, shape: Any) -> bool:
    """Return whether *value* has the containers and texts of *shape*; any of them may be absent or null."""
    if value is None:
        return True
    if shape is str:
        return isinstance(value, str)
    if isinstance(shape, list):
        return isinstance(value, list) and all(each is not None and _fits(each, shape[0]) for each in value)
    return isinstance(value, dict) and all(_fits(value.get(key), inner) for key, inner in shape.items())


def _query(config: CallConfig, session_id: str) -> str:
    query = f"imsOrgId={_escaped(config.organization_id)}&sessionId={_escaped(session_id)}"
    return f"{query}&version={_escaped(config.version)}" if config.version else query


def _escaped(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _check_host(config: CallConfig, host: str, url: str) -> None:
    """Read the finished *url* anew: it must lead to the host that was meant, and that must be one of ours."""
    authority = host.partition("://")[2]
    option = "server_domain" if authority == config.server_domain else "client"
    if not _matches_authority(authority) or urlsplit(url).netloc != authority:
        raise ConfigError(f"{option} makes no host name", option)
    if option == "client" and not authority.endswith(f".{EDGE_DOMAIN}"):
        raise ConfigError(f"{option} leads to a host outside {EDGE_DOMAIN}", option)


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(
            "request", "a value that JSON cannot hold", "texts, numbers, booleans, lists, objects"
        ) from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits[:40])
    return number


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _told(body: bytes) -> str:
    text = body[: 4 * _LONGEST_BODY_TOLD].decode("utf-8", "replace")
    return _unprintable.sub(" ", text).strip()[:_LONGEST_BODY_TOLD]
