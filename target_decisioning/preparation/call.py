"""The options of one call: ``get_offers``, ``send_notifications``, ``get_attributes``.

    options, keywords  --read_call-->  CallOptions (checked, nothing of the caller's changed)

Source: semantics.md 1.2.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from target_decisioning.delivery import DecisioningMethod
from target_decisioning.errors import RequestError
from target_decisioning.preparation.reading import Unreadable, as_object, kind_of


@dataclass(slots=True, kw_only=True, repr=False)
class CallOptions:
    """What a caller may give to one call; ``request`` is in wire form once it is read."""

    request: Any = None
    target_cookie: str | None = None
    target_location_hint: str | None = None
    consumer_id: str | None = None
    customer_ids: Any = None
    session_id: str | None = None
    decisioning_method: str | None = None
    visitor: Any = None
    visitor_cookie: str | None = None
    strict: bool | None = None
    callback: Callable[[Any], Any] | None = None
    err_callback: Callable[[Exception], Any] | None = None


NAMES = frozenset(each.name for each in fields(CallOptions))
METHODS = frozenset(method.value for method in DecisioningMethod)
_TEXTS = ("target_cookie", "target_location_hint", "consumer_id", "session_id", "visitor_cookie")


def read_call(options: Any, keywords: Mapping[str, Any]) -> CallOptions:
    """Check a call's options and turn its request into wire form.

    Raises:
        RequestError: no options, an unknown or wrong one, or no request in them.
    """
    call = read_options(options, keywords)
    call.request = read_request(call.request)
    return call


def read_options(options: Any, keywords: Mapping[str, Any], *, may_be_empty: bool = False) -> CallOptions:
    """Check a call's options; the request stays as the caller gave it."""
    if options is not None and not isinstance(options, Mapping):
        raise RequestError("options", kind_of(options), "a mapping of options")
    given = {**options, **keywords} if options else keywords
    if not given and not may_be_empty:
        raise RequestError("options", "nothing", "a mapping of options", "Options are required")
    if not NAMES.issuperset(given):
        raise _unknown(next(key for key in given if key not in NAMES))
    call = CallOptions(**given)
    _check(call)
    return call


def read_request(request: Any) -> dict[str, Any]:
    """Return a typed request, or one in wire form, as a wire dict; the caller's own is not changed.

    Raises:
        RequestError: it is absent, has no defined key, or is no request.
    """
    wire = request if type(request) is dict else _typed_to_wire(request)
    if not wire or all(value is None for value in wire.values()):
        message = "Request object of type DeliveryRequest is required"
        raise RequestError("request", "nothing", "a DeliveryRequest or its wire form", message)
    return wire


def check_offers_asked(request: dict[str, Any]) -> None:
    """Raise if ``execute`` or ``prefetch`` asks for something, but for nothing that could be answered."""
    _check_asked(request, "execute", ("mboxes",), "Either pageLoad or mboxes is required in execute")
    _check_asked(request, "prefetch", ("views", "mboxes"), "Either views, pageLoad or mboxes is required in prefetch")


def _check_asked(request: dict[str, Any], mode: str, lists: tuple[str, ...], message: str) -> None:
    part = request.get(mode)
    if part is None:
        return
    try:
        part = as_object(part)
    except Unreadable:
        return  # a wrong container is told with its path where the request is read
    if part.get("pageLoad") is not None or any(part.get(key) for key in lists):
        return
    if any(value is not None for value in part.values()):
        raise RequestError(f"request.{mode}", "none of them", " or ".join(("pageLoad", *lists)), message)


def _check(call: CallOptions) -> None:
    for key in _TEXTS:
        value = getattr(call, key)
        if value is not None and not isinstance(value, str):
            raise RequestError(key, kind_of(value), "text")
    if call.callback is not None and not callable(call.callback):
        raise RequestError("callback", kind_of(call.callback), "a callable", "Callback must be a callable function")
    if call.err_callback is not None and not callable(call.err_callback):
        raise RequestError("err_callback", kind_of(call.err_callback), "a callable")
    if call.strict is not None and not isinstance(call.strict, bool):
        raise RequestError("strict", kind_of(call.strict), "true or false")
    method = call.decisioning_method
    if method is not None and not (isinstance(method, str) and method in METHODS):
        raise RequestError("decisioning_method", "another value", f"one of {', '.join(sorted(METHODS))}")


def _typed_to_wire(request: Any) -> dict[str, Any]:
    if request is None:
        return {}
    to_wire = getattr(request, "to_wire", None)
    if callable(to_wire):
        wire: dict[str, Any] = to_wire()
        return wire
    if isinstance(request, Mapping):
        return dict(request)
    raise RequestError("request", kind_of(request), "a DeliveryRequest or its wire form")


def _unknown(key: object) -> RequestError:
    close = difflib.get_close_matches(str(key), NAMES, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"one of {', '.join(sorted(NAMES))}"
    return RequestError(f"options.{str(key)[:40]}", "an unknown option", hint)
