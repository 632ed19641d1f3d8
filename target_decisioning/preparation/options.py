"""The options of one call: ``get_offers``, ``send_notifications``, ``get_attributes``.

    options, keywords  --read_call-->  Call (checked, nothing of the caller's changed)

Source: semantics.md 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from target_decisioning.delivery import DecisioningMethod
from target_decisioning.delivery.kinds import nearest
from target_decisioning.errors import RequestError
from target_decisioning.preparation.call import Call
from target_decisioning.preparation.reading import Unreadable, as_object, kind_of

if TYPE_CHECKING:
    from target_decisioning.delivery import CustomerId, DeliveryRequest


class CallKeywords(TypedDict, total=False):
    """The options of a call as a type checker knows them, but for ``callback``; None is "not given"."""

    request: DeliveryRequest | Mapping[str, Any] | None
    target_cookie: str | None
    target_location_hint: str | None
    consumer_id: str | None
    customer_ids: Sequence[CustomerId | Mapping[str, Any]] | Mapping[str, Any] | None
    session_id: str | None
    decisioning_method: DecisioningMethod | str | None
    visitor: Any
    visitor_cookie: str | None
    strict: bool | None
    err_callback: Callable[[Exception], Any] | None


METHODS = frozenset(method.value for method in DecisioningMethod)


def read_call(options: Any, keywords: Mapping[Any, Any]) -> Call:
    """Check a call's options and turn its request into wire form.

    Raises:
        RequestError: no options, a wrong one, or no request in them; unknown ones are noted in the call.
    """
    if options is None and len(keywords) == 1 and "request" in keywords:  # what most calls are
        call = Call()
        call.request = in_wire_form(keywords["request"])
        return call
    call = read_options(options, keywords)
    try:
        call.request = in_wire_form(call.request)
    except RequestError as error:
        if call.request is None and call.unknown:
            error.add_note(f"found only other options, such as {call.unknown[0]}; pass the request as request=...")
        raise
    return call


def read_options(options: Any, keywords: Mapping[Any, Any], *, may_be_empty: bool = False) -> Call:
    """Check a call's options; the request stays as the caller gave it."""
    given = keywords if options is None else _merged(options, keywords)
    if not given and not may_be_empty:
        raise RequestError("options", "nothing", "a mapping of options", "Options are required")
    call = Call()
    for name, value in given.items():
        if name not in _CHECKS:
            call.unknown = (*call.unknown, _hint(name))
        elif value is not None:
            check = _CHECKS[name]
            if check is not None:
                check(name, value)
            setattr(call, name, value)
    if not _NAMES_VISITOR.isdisjoint(given):
        call.names_visitor = True
    return call


def in_wire_form(request: Any, *, may_be_empty: bool = False) -> dict[str, Any]:
    """Return a typed request, or one in wire form, as a wire dict; the caller's own is not changed.

    Raises:
        RequestError: it is absent, has no defined key, or is no request.
    """
    wire = request if type(request) is dict else _typed_to_wire(request)
    if may_be_empty or wire.get("context") is not None:
        return wire
    if all(value is None for value in wire.values()):
        message = "Request object of type DeliveryRequest is required"
        raise RequestError("request", "nothing", "a DeliveryRequest or its wire form", message)
    return wire


def check_offers_asked(request: dict[str, Any]) -> None:
    """Raise if ``execute`` or ``prefetch`` asks for something, but for nothing that could be answered."""
    execute, prefetch = request.get("execute"), request.get("prefetch")
    if execute is not None and not (type(execute) is dict and execute.get("mboxes")):
        _check_asked(execute, "execute", ("mboxes",), "Either pageLoad or mboxes is required in execute")
    if prefetch is not None and not (type(prefetch) is dict and prefetch.get("mboxes")):
        _check_asked(
            prefetch, "prefetch", ("views", "mboxes"), "Either views, pageLoad or mboxes is required in prefetch"
        )


def _check_asked(part: Any, mode: str, lists: tuple[str, ...], message: str) -> None:
    try:
        part = as_object(part)
    except Unreadable:
        return  # a wrong container is told with its path where the request is read
    if part.get("pageLoad") is not None or any(part.get(key) for key in lists):
        return
    given = [str(key)[:40] for key, value in part.items() if value is not None]
    if given:
        error = RequestError(
            f"request.{mode}", f"only {', '.join(given[:8])}", " or ".join(("pageLoad", *lists)), message
        )
        error.add_note(f"found {error.found}; expected {error.expected}")  # the text itself is the earlier SDK's
        raise error


def _merged(options: Any, keywords: Mapping[Any, Any]) -> Mapping[Any, Any]:
    if not isinstance(options, Mapping):
        raise RequestError("options", kind_of(options), "a mapping of options")
    return {**options, **keywords}


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise RequestError(name, kind_of(value), "text")


def _callable(name: str, value: Any) -> None:
    if not callable(value):
        message = "Callback must be a callable function" if name == "callback" else None
        raise RequestError(name, kind_of(value), "a callable", message)


def _boolean(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise RequestError(name, kind_of(value), "true or false")


def _method(name: str, value: Any) -> None:
    if not isinstance(value, str) or value not in METHODS:
        raise RequestError(name, "another value", f"one of {', '.join(sorted(METHODS))}")


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


def _hint(name: object) -> str:
    close = nearest(str(name), _CHECKS)
    return f"'{str(name)[:40]}'; did you mean '{close}'?" if close else f"'{str(name)[:40]}'"


_CHECKS: dict[Any, Callable[[Any, Any], None] | None] = {
    "request": None,
    "target_cookie": _text,
    "target_location_hint": _text,
    "consumer_id": _text,
    "customer_ids": None,
    "session_id": _text,
    "decisioning_method": _method,
    "visitor": None,
    "visitor_cookie": _text,
    "strict": _boolean,
    "callback": _callable,
    "err_callback": _callable,
}
"""Option -> how its value is checked here; None: where it is used."""
_NAMES_VISITOR = frozenset(("target_cookie", "customer_ids", "visitor", "visitor_cookie"))
