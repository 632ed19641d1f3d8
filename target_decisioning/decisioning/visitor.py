"""Who a visitor is to the engine: the one text that places him in every activity's traffic.

Reads the prepared ``id`` of a request in wire form (``tntId``, ``marketingCloudVisitorId``, ``thirdPartyId``).
Blank means absent, null or ``""``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_decisioning.decisioning.javascript import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def visitor_key(ids: Mapping[str, Any]) -> str:
    """Return the first that is not blank: ECID, tntId without its location hint, thirdPartyId; ``""`` if none is.

    Where there is none, the caller supplies a random key. Customer ids never take part. Source: semantics.md 3.8.
    """
    return (
        _text(ids.get("marketingCloudVisitorId"))
        or _text(ids.get("tntId")).partition(".")[0]
        or _text(ids.get("thirdPartyId"))
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return to_text(value) if value else ""
