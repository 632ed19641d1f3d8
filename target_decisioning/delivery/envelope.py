"""What a call returns: the answer with all that the caller must keep or pass on.

Building one costs a handful of stores, whatever the answer's size: the typed models and the gathered lists are
made at their first reading and from then on belong to the caller, who may change them. Source: semantics.md 1.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from target_decisioning.delivery.plain import plain
from target_decisioning.delivery.request import DeliveryRequest
from target_decisioning.delivery.response import DeliveryResponse
from target_decisioning.errors import RequestError


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

    def to_wire(self) -> dict[str, Any]:
        """Return a JSON-ready copy with the wire's names."""
        return {self._wire_names.get(name, name): plain(value) for name, value in self.items()}


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


class TargetDeliveryResponse(Mapping[str, Any]):
    """The answer to one call, readable by attribute and as a mapping.

    A key whose part is absent is not in the mapping; its attribute is None. The wire's names (``targetCookie``)
    are answered in mapping access too. *response* and *request* are wire dicts that belong to the envelope; *cookies*
    makes the cookies that go with a response.
    """

    __slots__ = (
        "_cookies",
        "_unread_request",
        "_unread_response",
        "analytics_details",
        "meta",
        "request",
        "response",
        "response_tokens",
        "target_cookie",
        "target_location_hint_cookie",
        "trace",
        "visitor_state",
    )

    response: DeliveryResponse
    request: DeliveryRequest
    meta: Meta
    target_cookie: Cookie
    target_location_hint_cookie: Cookie | None
    visitor_state: dict[str, Any] | None
    analytics_details: list[dict[str, Any]] | None
    trace: list[dict[str, Any]] | None
    response_tokens: list[dict[str, Any]] | None

    def __init__(
        self,
        response: dict[str, Any],
        request: dict[str, Any],
        meta: Meta,
        cookies: Cookies,
        visitor_state: dict[str, Any] | None = None,
    ) -> None:
        self._unread_response = response
        self._unread_request = request
        self.meta = meta
        self._cookies = cookies
        self.visitor_state = visitor_state

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Make a lazy part at its first reading: Python comes here only while its slot is empty."""
            make = _LAZY.get(name)
            if make is None:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            value = make(self)
            setattr(self, name, value)
            return value

    def __getitem__(self, key: str) -> Any:
        value = getattr(self, _KEYS[key])
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in _WIRE_NAMES if name in _NEVER_ABSENT or getattr(self, name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"TargetDeliveryResponse({', '.join(self)})"

    def to_wire(self) -> dict[str, Any]:
        """Return a JSON-ready dict with the wire's names; parts that are absent are left out.

        It shows the parts as they are now, the caller's changes included, and shares nothing with them.
        """
        wire = {}
        for name, wire_name in _WIRE_NAMES.items():
            part = self._current(name)
            if part is not None or name in _NEVER_ABSENT:
                wire[wire_name] = _to_wire(name, part)
        return wire

    def _current(self, name: str) -> Any:
        """Return a part as it is now: the wire dict as long as nobody has read the typed model."""
        return getattr(self, _UNREAD[name] if name in _UNREAD and not self._has(name) else name)

    def _has(self, name: str) -> bool:
        """Whether a part is there already."""
        try:
            object.__getattribute__(self, name)
        except AttributeError:
            return False
        return True


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
_NEVER_ABSENT: Final = frozenset({"response", "request", "target_cookie", "meta"})


_UNREAD: Final = {"response": "_unread_response", "request": "_unread_request"}


def _gather(envelope: TargetDeliveryResponse) -> None:
    """Make the three lists that are gathered from the response: in one walk, at the first reading of any."""
    response = envelope._current("response")
    wire = response.to_wire() if isinstance(response, DeliveryResponse) else response
    gathered: dict[str, list[dict[str, Any]]] = {name: [] for name in _GATHERED}
    for entry in _entries(wire):
        for name, key in _OF_ENTRIES:
            if entry.get(key) and isinstance(entry[key], dict):
                gathered[name].append(plain(entry[key]))
        for option in _objects(entry.get("options")):
            if option.get("responseTokens"):
                gathered["response_tokens"].append(plain(option["responseTokens"]))
    for name, found in gathered.items():
        if not envelope._has(name):
            setattr(envelope, name, found or None)


_OF_ENTRIES: Final = (("analytics_details", "analytics"), ("trace", "trace"))
_GATHERED: Final = ("analytics_details", "trace", "response_tokens")


def _entries(wire: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every answered page load, mbox and view, in gathering order."""
    for mode, kinds in (("execute", ("pageLoad", "mboxes")), ("prefetch", ("pageLoad", "views", "mboxes"))):
        for part in _objects(wire.get(mode)):
            for kind in kinds:
                yield from _objects(part.get(kind))


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return *value*, or what is in it if it is a list; only objects: the answer may come from a broken server."""
    if value is None:
        return []
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def _gathered(name: str) -> Callable[[TargetDeliveryResponse], Any]:
    def gather(envelope: TargetDeliveryResponse) -> Any:
        _gather(envelope)
        return object.__getattribute__(envelope, name)

    return gather


_LAZY: Final[dict[str, Callable[[TargetDeliveryResponse], Any]]] = {
    "response": lambda envelope: DeliveryResponse.from_wire(envelope._unread_response),
    "request": lambda envelope: DeliveryRequest.from_wire(envelope._unread_request),
    **{name: _gathered(name) for name in _GATHERED},
    "target_cookie": lambda envelope: envelope._cookies.new_target_cookie(envelope._unread_response),
    "target_location_hint_cookie": lambda envelope: envelope._cookies.new_hint_cookie(envelope._unread_response),
}
