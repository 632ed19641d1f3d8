"""What a call returns: the answer with all that the caller must keep or pass on.

Building one costs a handful of stores, whatever the answer's size: the typed models and the gathered lists are
made at their first reading and from then on belong to the caller, who may change them. Source: semantics.md 1.3.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from pydantic_core import SchemaSerializer, core_schema

from target_decisioning.delivery.plain import plain
from target_decisioning.delivery.response import DeliveryResponse
from target_decisioning.errors import RequestError
from target_decisioning.forks import late_import

if TYPE_CHECKING:
    from target_decisioning.delivery.request import DeliveryRequest


class _Named(dict[str, Any]):
    """A dict whose keys are attributes too, and which answers to the wire's names of its keys."""

    __slots__ = ()
    _wire_names: ClassVar[dict[str, str]] = {}
    _own_names: ClassVar[dict[str, str]] = {}
    _optional: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        cls._own_names = {wire: own for own, wire in cls._wire_names.items()}

    def __missing__(self, key: str) -> Any:
        own = self._own_names.get(key)
        if own is None or own not in self:
            raise KeyError(key)
        return self[own]

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, self._own_names.get(key, key) if isinstance(key, str) else key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of *key*, in either spelling, or *default*."""
        return self[key] if key in self else default  # noqa: SIM401  dict.get knows one spelling only

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in self:
                return self[name]
            if name in self._optional:
                return None
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def in_wire_names(self) -> dict[str, Any]:
        """Return it with the wire's names; its values are the same ones."""
        names = self._wire_names
        return {names.get(name, name): value for name, value in self.items()}

    def to_wire(self) -> dict[str, Any]:
        """Return a JSON-ready copy with the wire's names."""
        return {name: plain(value) for name, value in self.in_wire_names().items()}


class Cookie(_Named):
    """A cookie to set: ``name``, ``value`` and ``max_age`` in seconds."""

    __slots__ = ()
    _wire_names: ClassVar = {"max_age": "maxAge"}

    if TYPE_CHECKING:
        name: str
        value: str
        max_age: int

        def __init__(self, *, name: str, value: str, max_age: int) -> None: ...

    def __repr__(self) -> str:
        return f"Cookie(name={dict.get(self, 'name')!r}, value=..., max_age={dict.get(self, 'max_age')!r})"


class Meta(_Named):
    """How the answer came about.

    ``decisioning_method`` is what was done, ``remote_mboxes`` and ``remote_views`` name what needs the server.
    Where a part of a hybrid request was sent there is also ``sources``, a list of ``{mode, kind, name, index,
    source}``, and after a failure ``remote_error``, ``{type, message}``; otherwise both attributes are None.
    """

    __slots__ = ()
    _wire_names: ClassVar = {
        "decisioning_method": "decisioningMethod",
        "remote_mboxes": "remoteMboxes",
        "remote_views": "remoteViews",
        "remote_error": "remoteError",
    }
    _optional: ClassVar = frozenset({"sources", "remote_error"})

    if TYPE_CHECKING:
        decisioning_method: str
        remote_mboxes: list[str]
        remote_views: list[str]
        sources: list[dict[str, Any]] | None
        remote_error: dict[str, str] | None

        def __init__(
            self,
            *,
            decisioning_method: str,
            remote_mboxes: list[str],
            remote_views: list[str],
            sources: list[dict[str, Any]] = ...,
            remote_error: dict[str, str] = ...,
        ) -> None: ...


class Cookies(Protocol):
    """Makes the cookies that a program sets for an answer; *response* is in wire form."""

    def new_target_cookie(self, response: dict[str, Any], /) -> Cookie:
        """Return the cookie that keeps the visitor and the session."""

    def new_hint_cookie(self, response: dict[str, Any], /) -> Cookie | None:
        """Return the cookie that keeps the edge cluster, if one is known."""


class _Lazy:
    """A part of an answer that is made when it is first read."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, envelope: Any, _owner: type | None = None) -> Any:
        if envelope is None:
            return self
        read = envelope._read
        if self._name in read:
            return read[self._name]
        return read.setdefault(self._name, self._make(envelope))  # threads that come at once get the same one

    def __set__(self, envelope: Any, value: Any) -> None:
        envelope._read[self._name] = value


class TargetDeliveryResponse(Mapping[str, Any]):
    """The answer to one call, readable by attribute and as a mapping.

    A key whose part is absent is not in the mapping; its attribute is None. The wire's names (``targetCookie``)
    are answered in mapping access too. *response* and *request* are wire dicts that nobody changes any more;
    *make_meta* and *cookies* make what goes with them.
    """

    __slots__ = ("_cookies", "_make_meta", "_read", "_unread_request", "_unread_response", "visitor_state")

    visitor_state: dict[str, Any] | None
    if TYPE_CHECKING:
        response: DeliveryResponse
        request: DeliveryRequest
        meta: Meta
        target_cookie: Cookie
        target_location_hint_cookie: Cookie | None
        analytics_details: list[dict[str, Any]] | None
        trace: list[dict[str, Any]] | None
        response_tokens: list[dict[str, Any]] | None
    else:
        response = _Lazy(lambda envelope: DeliveryResponse.from_wire(envelope._unread_response))
        request = _Lazy(lambda envelope: _request_type().from_wire(envelope._unread_request))
        meta = _Lazy(lambda envelope: envelope._make_meta())
        target_cookie = _Lazy(lambda envelope: envelope._cookies.new_target_cookie(envelope._unread_response))
        target_location_hint_cookie = _Lazy(
            lambda envelope: envelope._cookies.new_hint_cookie(envelope._unread_response)
        )
        analytics_details = _Lazy(lambda envelope: _gathered(envelope, "analytics_details"))
        trace = _Lazy(lambda envelope: _gathered(envelope, "trace"))
        response_tokens = _Lazy(lambda envelope: _gathered(envelope, "response_tokens"))

    def __init__(
        self,
        response: dict[str, Any],
        request: dict[str, Any],
        make_meta: Callable[[], Meta],
        cookies: Cookies,
        visitor_state: dict[str, Any] | None = None,
    ) -> None:
        self._unread_response = response
        self._unread_request = request
        self._read: dict[str, Any] = {}
        self._make_meta = make_meta
        self._cookies = cookies
        self.visitor_state = visitor_state

    def __getitem__(self, key: str) -> Any:
        value = getattr(self, _KEYS[key])
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        read = self._read
        return (
            name
            for name in _WIRE_NAMES
            if (name in _NEVER_ABSENT and name not in read) or getattr(self, name) is not None
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __copy__(self) -> TargetDeliveryResponse:
        own = TargetDeliveryResponse(
            self._unread_response, self._unread_request, self._make_meta, self._cookies, self.visitor_state
        )
        own._read = self._read.copy()
        return own

    def __repr__(self) -> str:
        return f"TargetDeliveryResponse({', '.join(self)})"

    def to_wire(self) -> dict[str, Any]:
        """Return a JSON-ready dict with the wire's names; parts that are absent are left out.

        It shows the parts as they are now, the caller's changes included, and shares nothing with them.
        """
        read, response = self._read.copy(), self._unread_response
        unread: dict[str, Any] = {}
        if "response" not in read:
            unread["response"] = response
        if "target_cookie" not in read:
            unread["targetCookie"] = self._cookies.new_target_cookie(response).in_wire_names()
        if "target_location_hint_cookie" not in read and (hint := self._cookies.new_hint_cookie(response)):
            unread["targetLocationHintCookie"] = hint.in_wire_names()
        whole = _wire_of(read["response"]) if "response" in read else response
        for name, gathered in zip(_GATHERED, _gather(whole), strict=True):
            if gathered and name not in read:
                unread[_WIRE_NAMES[name]] = gathered
        if "meta" not in read:
            unread["meta"] = self._make_meta().in_wire_names()
        if "request" not in read:
            unread["request"] = self._unread_request
        wire = _copied_json(unread)
        if self.visitor_state is not None:
            wire["visitorState"] = _to_wire("visitor_state", self.visitor_state)
        if not read:
            return wire
        for name, part in read.items():
            wire[_WIRE_NAMES[name]] = _to_wire(name, part)
        return {name: wire[name] for name in _WIRE_NAMES.values() if wire.get(name) is not None}


def _copied_json(value: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of JSON; pydantic's core makes it in a third of the time, up to its own depth."""
    try:
        return _copy(value)  # type: ignore[no-any-return]
    except ValueError:
        return {name: _to_wire(name, part) for name, part in value.items()}


def _to_wire(name: str, part: Any) -> Any:
    try:
        return plain(part) if type(part) is dict or not hasattr(part, "to_wire") else part.to_wire()
    except RequestError as error:
        raise RequestError(name + error.where, error.found, error.expected) from None


_WIRE_NAMES: Final = {
    "response": "response",
    "target_cookie": "targetCookie",
    "target_location_hint_cookie": "targetLocationHintCookie",
    "analytics_details": "analyticsDetails",
    "trace": "trace",
    "response_tokens": "responseTokens",
    "meta": "meta",
    "request": "request",
    "visitor_state": "visitorState",
}
_KEYS: Final = {name: name for name in _WIRE_NAMES} | {wire: name for name, wire in _WIRE_NAMES.items()}
_copy: Final = SchemaSerializer(core_schema.any_schema()).to_python
_NEVER_ABSENT: Final = frozenset({"response", "request", "target_cookie", "meta"})


def _wire_of(response: Any) -> dict[str, Any]:
    """Return a response that was read in wire form; the caller may have put anything in its place."""
    wire = _to_wire("response", response)
    return wire if isinstance(wire, dict) else {}


def _gather(response: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the three lists that are gathered from a response, named as ``_GATHERED`` says."""
    details: list[Any] = []
    traces: list[Any] = []
    tokens: list[Any] = []
    for entry in _entries(response):
        if entry.get("analytics") and type(entry["analytics"]) is dict:
            details.append(entry["analytics"])
        if entry.get("trace") and type(entry["trace"]) is dict:
            traces.append(entry["trace"])
        for option in _objects(entry.get("options")):
            if option.get("responseTokens"):
                tokens.append(option["responseTokens"])  # noqa: PERF401 -- one append costs less than a list
    return details, traces, tokens


_GATHERED: Final = ("analytics_details", "trace", "response_tokens")
_PLACES: Final = (("execute", ("pageLoad", "mboxes")), ("prefetch", ("pageLoad", "views", "mboxes")))


def _entries(wire: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every answered page load, mbox and view, in gathering order."""
    for mode, kinds in _PLACES:
        if mode in wire:
            for part in _objects(wire[mode]):
                for kind in kinds:
                    if kind in part:
                        yield from _objects(part[kind])


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return *value*, or what is in it if it is a list; only objects: the answer may come from a broken server."""
    if type(value) is dict:
        return [value]
    return [each for each in value if type(each) is dict] if type(value) is list else []


def _gathered(envelope: TargetDeliveryResponse, name: str) -> Any:
    """Gather the lists, all that are not there yet, and return one."""
    read = envelope._read
    response = _wire_of(read["response"]) if "response" in read else envelope._unread_response
    found = dict(zip(_GATHERED, _gather(response), strict=True))
    for other in _GATHERED:
        if other != name and other not in read:
            read.setdefault(other, plain(found[other] or None))
    return plain(found[name] or None)


@functools.cache
def _request_type() -> type[DeliveryRequest]:
    with late_import:
        from target_decisioning.delivery.request import DeliveryRequest
    return DeliveryRequest
