"""Where in an activity's traffic a visitor stands.

    client code, activity id, visitor key  --murmur3_32 of the UTF-16 code units-->  bucket  -->  allocation (percent)

Pure. Equal to Adobe's own SDKs to the last digit: else a visitor who meets both would be moved from one experience
to another. The part of the hashed text that an activity decides is encoded at load, the part that a visitor
decides once per request; ``allocation_of`` joins the two.
"""

from __future__ import annotations

from codecs import utf_16_le_encode
from typing import Any

from mmh3 import hash as murmur3_32

from target_decisioning.decisioning.javascript import to_text

SALT = "0"
BUCKETS = 10_000


def allocation(client: str, activity_id: str, visitor_key: str) -> float:
    """Return where the visitor stands in the activity's traffic.

    Args:
        client: the ``client`` option of the client that asks (not the artifact's client code).
        activity_id: the rule's ``meta["activity.id"]`` as ``activity_text`` gives it.
        visitor_key: as ``visitor.visitor_key`` gives it.

    Returns:
        Percent in steps of 0.01, ``0.0 <= allocation <= 99.99``.

    Source: semantics.md 3.7.
    """
    return allocation_of(activity_part(client, activity_id), visitor_part(visitor_key))


def activity_text(activity_id: Any) -> str:
    """Return ``meta["activity.id"]`` as the text that is hashed: ``""`` where it is absent or null."""
    return "" if activity_id is None else to_text(activity_id)


def activity_part(client: str, activity_id: str) -> bytes:
    """Return the start of the hashed bytes: worked out once per activity, at load."""
    return _code_units(f"{client}.{activity_id}.")


def visitor_part(visitor_key: str) -> bytes:
    """Return the end of the hashed bytes: worked out once per request."""
    return _code_units(f"{visitor_key}.{SALT}")


def allocation_of(activity: bytes, visitor: bytes) -> float:
    """Return the allocation for two parts made by ``activity_part`` and ``visitor_part``."""
    return abs(murmur3_32(activity + visitor)) % BUCKETS / 100


def _code_units(text: str) -> bytes:
    return utf_16_le_encode(text, "surrogatepass")[0]  # a lone surrogate is hashed as it is
