"""One call of a client, from its options to what follows from its answer.

    options --read_call--> Call --prepare--> Call --answered here or by the server--> Call, to be reported

Source: semantics.md 1.2 to 1.9.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from target_decisioning.delivery import Cookie
from target_decisioning.preparation.cookie import target_cookie
from target_decisioning.preparation.identity import has_identity, new_tnt_id
from target_decisioning.preparation.location import hint_cookie

_NOTHING: dict[str, Any] = {}


class Call:
    """What is known of one call; private to it, and once it is answered it changes no more.

    Its fields stand in groups by who writes them: ``read_call``, then the client and ``prepare``, then ``answering``
    and ``on_device``; ``reporting`` reads them. It also makes the cookies that go with its answer.
    """

    # -- the options of the call: read_call --------------------------------------------------------------------------

    request: Any = None
    """As the caller gave it; then in wire form; then as it is decided and sent."""
    session_id: str = ""
    """The option of that name; then the session of the call."""
    target_cookie: str | None = None
    target_location_hint: str | None = None
    consumer_id: str | None = None
    customer_ids: Any = None
    decisioning_method: str | None = None
    visitor: Any = None
    visitor_cookie: str | None = None
    strict: bool | None = None
    callback: Callable[[Any], Any] | None = None
    err_callback: Callable[[Exception], Any] | None = None
    unknown: tuple[str, ...] = ()
    """Options that no call has: they are ignored, as the earlier SDK ignores them, but not in silence."""
    names_visitor: bool = False
    """Whether an option, not only the request, may say who the visitor is."""

    # -- the call made ready: prepare --------------------------------------------------------------------------------

    cluster: str | None = None
    now_ms: int = 0
    visitor_state: dict[str, Any] | None = None
    dropped: tuple[str, ...] = ()
    """For the log: places where an mbox or notification lacks what it needs, ``execute.mboxes[0] (name)``."""
    began: float = 0.0
    """``time.perf_counter()`` when preparing began, after the options were read."""
    prepared: float = 0.0
    """The same when it ended."""

    # -- the call answered: answering, on_device ---------------------------------------------------------------------

    method: str = ""
    """How it was really decided: ``on-device``, ``server-side`` or ``hybrid``."""
    context: dict[str, Any]
    """The context that was decided in or sent."""
    owed: Sequence[Any] = ()
    """Impressions of what was decided here, as the engine has them."""
    unsent: Sequence[dict[str, Any]] = ()
    """The caller's own notifications, where no Delivery call took them along."""
    edge_host: Any = None
    """``edgeHost`` of the server's answer; None if the server was not asked."""
    server_token: Any = None
    """``telemetryServerToken`` of the server's answer."""
    timing: dict[str, Any] | None = None
    """What is known of the Delivery call's times."""

    # -- what it knows and makes -------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Give what makes the cookies: no more of a call goes along with a copy of its answer."""
        return {"session_id": self.session_id, "cluster": self.cluster, "now_ms": self.now_ms}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what ``__getstate__`` gave."""
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def lane(self) -> str:
        """The id that names the visitor, whose impressions leave in the order they were owed."""
        ids = self.request.get("id", _NOTHING)
        return str(ids.get("marketingCloudVisitorId") or ids.get("tntId") or ids.get("thirdPartyId") or "")

    def identify(self, new_id: Callable[[], str]) -> None:
        """Give the visitor a tntId if nothing names them: only for what is decided on this device."""
        ids = self.request.get("id", _NOTHING)
        if not has_identity(ids):
            self.request["id"] = {"tntId": new_tnt_id(new_id, self.cluster), **ids}

    def new_target_cookie(self, response: dict[str, Any]) -> Cookie:
        """Return the cookie that keeps the visitor and the session."""
        tnt_id = (response.get("id") or _NOTHING).get("tntId")
        return target_cookie(self.session_id, None if tnt_id is None else str(tnt_id), self.now_ms)

    def new_hint_cookie(self, response: dict[str, Any]) -> Cookie | None:
        """Return the cookie that keeps the edge cluster, if one is known."""
        return hint_cookie(self.cluster, response.get("edgeHost"))
