"""What an Experience Cloud visitor tells of himself: through the caller's visitor object, or the ``AMCV_`` cookie.

Source: semantics.md 1.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from target_decisioning.errors import RequestError

ECID = "MCMID"
LOCATION_HINT = "MCAAMLH"
BLOB = "MCAAMB"
DEFAULT_CONSUMER_ID = "target-global-mbox"

_LONGEST_COOKIE = 8 * 1024
_expiring_key = re.compile(r"(MC[A-Z]+)(?:-\d+)?").fullmatch


@dataclass(slots=True)
class Visitor:
    """The values of one visitor; ``state`` is None where no visitor object was given."""

    values: dict[str, Any] = field(default_factory=dict)
    customer_ids: Any = None
    state: dict[str, Any] | None = None
    source: Any = None

    @property
    def ecid(self) -> Any:
        """The Experience Cloud id."""
        return self.values.get(ECID)

    @property
    def location_hint(self) -> int | None:
        """The Audience Manager location hint."""
        try:
            return int(self.values.get(LOCATION_HINT) or "")
        except (TypeError, ValueError):
            return None

    @property
    def blob(self) -> Any:
        """The Audience Manager blob."""
        return self.values.get(BLOB)

    def supplemental_data_id(self, given: Any, organization_id: str, consumer_id: str | None) -> Any:
        """Return the id that stitches analytics hits: *given* if it is the visitor's current one, else a new one.

        Without a visitor object the given one is kept and none is invented.
        """
        if self.source is None:
            return given
        current = _inner(self.state, organization_id, "sdid", "supplemental_data_id_current")
        if given and given == current:
            return given
        return self.source.get_supplemental_data_id(consumer_id or DEFAULT_CONSUMER_ID)


NOBODY = Visitor()


def read_visitor(visitor: Any, cookie: str | None, organization_id: str) -> Visitor:
    """Return what the options ``visitor`` and ``visitor_cookie`` tell; the object beats the cookie.

    Raises:
        RequestError: the object has not the methods of a visitor.
    """
    if visitor is None:
        return Visitor(_values_of(cookie)) if cookie else NOBODY
    try:
        values, state = visitor.get_visitor_values(), visitor.get_state()
    except AttributeError as error:
        expected = "get_visitor_values, get_state and get_supplemental_data_id"
        raise RequestError("visitor", "an object without them", expected) from error
    return Visitor(
        values=dict(values or {}),
        customer_ids=_inner(state, organization_id, "customer_ids"),
        state=state if isinstance(state, dict) else {},
        source=visitor,
    )


def _values_of(cookie: str) -> dict[str, str]:
    """Read ``version|KEY|value|KEY-expiry|value...``."""
    parts = cookie[:_LONGEST_COOKIE].split("|")
    values = {}
    for key, value in zip(parts[1::2], parts[2::2], strict=False):
        found = _expiring_key(key)
        if found and value.isprintable():
            values[found[1]] = value
    return values


def _inner(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
