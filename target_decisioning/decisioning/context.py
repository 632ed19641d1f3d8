"""What conditions may ask about one request; each part is worked out when a location first needs it.

    request.context + now  --values_for(needs of a location, entry)-->  {"page": ..., "user": ..., "mbox": ..., ...}

A location that never reads ``user`` never parses a user agent. Source: semantics.md 3.1 to 3.4.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from target_decisioning.decisioning.clock import time_of
from target_decisioning.decisioning.parameters import unflatten
from target_decisioning.decisioning.urls import page_of
from target_decisioning.decisioning.user_agent import user_of

GEO_KEYS = {
    "country": "countryCode",
    "region": "stateCode",
    "city": "city",
    "latitude": "latitude",
    "longitude": "longitude",
}
"""Key of the context's geo -> key of the request's."""
_NOTHING: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class FactNeeds:
    """What the conditions of a location read: parts of the context that all entries of a request share, and others."""

    parts: tuple[tuple[str, Callable[[Facts], Any]], ...] = ()
    """Each with what works it out."""
    mbox: bool = False
    address: bool = False

    @classmethod
    def of(cls, parts: Collection[str]) -> FactNeeds:
        """Return the needs of conditions that read *parts*."""
        shared = tuple((part, work_out) for part, work_out in PARTS.items() if part in parts)
        return cls(shared, "mbox" in parts, "page" in parts or "referring" in parts)


class Facts:
    """The facts of one request. ``values`` is only read by conditions, and written only here and for allocations."""

    __slots__ = ("_context", "_now_ms", "values")

    def __init__(self, context: dict[str, Any], now_ms: int) -> None:
        self._context = context
        self._now_ms = now_ms
        self.values: dict[str, Any] = {}

    def values_for(self, needs: FactNeeds, entry: dict[str, Any]) -> dict[str, Any]:
        """Return what a condition sees that asks for *needs* while *entry* is decided."""
        values = self.values
        for part, work_out in needs.parts:
            if part not in values:
                values[part] = work_out(self)
        if needs.mbox:
            values["mbox"] = unflatten(entry.get("parameters"))
        if needs.address and "address" in entry:
            address = entry["address"]
            own = {"page": page_of(address.get("url")), "referring": page_of(address.get("referringUrl"))}
            return {**values, **own}
        return values

    def geo(self) -> dict[str, Any]:
        """The visitor's place under the names that conditions and response tokens use."""
        geo = self._context.get("geo")
        return {key: geo[wire] for key, wire in GEO_KEYS.items() if wire in geo} if geo else _NOTHING

    def _page(self) -> dict[str, Any]:
        return page_of((self._context.get("address") or _NOTHING).get("url"))

    def _referring(self) -> dict[str, Any]:
        return page_of((self._context.get("address") or _NOTHING).get("referringUrl"))

    def _user(self) -> dict[str, Any]:
        return user_of(self._context.get("userAgent"), self._context.get("clientHints"))


PARTS: dict[str, Callable[[Facts], Any]] = {
    "current_timestamp": lambda facts: time_of(facts._now_ms)[0],
    "current_time": lambda facts: time_of(facts._now_ms)[1],
    "current_day": lambda facts: time_of(facts._now_ms)[2],
    "user": Facts._user,
    "page": Facts._page,
    "referring": Facts._referring,
    "geo": Facts.geo,
}
"""Part of the context -> how to work it out; in the order a trace shows them (``mbox`` and ``allocation`` follow)."""
EVERYTHING = frozenset((*PARTS, "mbox", "allocation"))
WHOLE = FactNeeds.of(EVERYTHING)
