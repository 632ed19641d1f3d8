"""What an Experience Cloud visitor tells of themselves: through the caller's visitor object, or the ``AMCV_`` cookie.

Source: semantics.md 1.8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from target_decisioning.errors import RequestError
from target_decisioning.preparation.reading import kind_of

ECID = "MCMID"
LOCATION_HINT = "MCAAMLH"
BLOB = "MCAAMB"
DEFAULT_CONSUMER_ID = "target-global-mbox"
METHODS = ("get_visitor_values", "get_state", "get_supplemental_data_id")
"""What a visitor object must offer."""

_LONGEST_COOKIE = 8 * 1024
_expiring_key = re.compile(r"(MC[A-Z]+)(?:-\d+)?").fullmatch


@dataclass(slots=True, repr=False)
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
        RequestError: the object has not the methods of a visitor, or its values are no mapping.
    """
    if visitor is None:
        return Visitor(_values_of(cookie)) if cookie else NOBODY
    if not all(callable(getattr(visitor, method, None)) for method in METHODS):
        raise RequestError("visitor", "an object without them", f"an object with the methods {', '.join(METHODS)}")
    values, state = visitor.get_visitor_values() or {}, visitor.get_state()
    if not isinstance(values, Mapping):
        raise RequestError("visitor.get_visitor_values()", kind_of(values), "a mapping")
    return Visitor(
        values={key: value for key, value in values.items() if isinstance(value, str | int)},
        customer_ids=_inner(state, organization_id, "customer_ids"),
        state=dict(state) if isinstance(state, Mapping) else {},
        source=visitor,
    )


def _values_of(cookie: str) -> dict[str, str]:
    """Read ``version|KEY|value|KEY-expiry|value...``, percent-encoded or not."""
    text = cookie[:_LONGEST_COOKIE]
    parts = (text if "|" in text else unquote(text)).split("|")
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
