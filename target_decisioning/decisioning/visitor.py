"""Who a visitor is to the engine: the one text that places them in every activity's traffic.

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
    ecid = ids.get("marketingCloudVisitorId")
    if ecid:
        return ecid if type(ecid) is str else to_text(ecid)
    tnt_id = ids.get("tntId")
    if tnt_id:
        key = (tnt_id if type(tnt_id) is str else to_text(tnt_id)).partition(".")[0]
        if key:
            return key
    third_party_id = ids.get("thirdPartyId")
    return to_text(third_party_id) if third_party_id else ""
